"""Our clients against the doubles: what they take, what they refuse, and that they never tell a secret."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator

import httpx2
import msgspec
import pytest
import structlog

from foregate.demo.providers.accounts import MOBILE_APP
from foregate.gateways.social import wire
from foregate.gateways.social.alipay import Alipay
from foregate.gateways.social.wechat import WeChat
from foregate.ports.social import CodeRefused, NotAPerson, Profile, ProviderDown
from foregate.rules import limits
from foregate.rules.social import Provider, Surface
from tests import doubles
from tests.doubles import Providers

WECHAT, ALIPAY = Provider.WECHAT, Provider.ALIPAY
EACH = pytest.mark.parametrize("provider", [WECHAT, ALIPAY])


@pytest.fixture
async def world(anyio_backend: str) -> AsyncIterator[Providers]:
    world = Providers()
    yield world
    await world.close()


def client_of(world: Providers, provider: Provider) -> WeChat | Alipay:
    return world.wechat if provider is WECHAT else world.alipay


@EACH
async def test_a_code_becomes_a_profile(world: Providers, provider: Provider) -> None:
    """Name and picture come from both; region and gender only from Alipay, since WeChat tells them no more."""
    client = client_of(world, provider)

    grant = await client.token(world.code(provider), Surface.WEB)
    profile = await client.profile(grant)

    assert "小明爱摄影" == profile.nickname
    assert profile.avatar_url.startswith("http://127.0.0.1:8001/pictures/xiaoming/")
    assert (("浙江省 杭州市", "male") if provider is ALIPAY else ("", "")) == (profile.region, profile.gender)


@EACH
async def test_what_the_person_kept_back_is_empty(world: Providers, provider: Provider) -> None:
    """Attributes that are missing are as usual as those that are there."""
    client = client_of(world, provider)
    code = world.code(provider, but=("avatar", "nickname", "region", "gender"))
    assert Profile() == await client.profile(await client.token(code, Surface.WEB))


@EACH
async def test_a_code_works_once_and_ten_minutes(world: Providers, provider: Provider) -> None:
    """Used, late, unknown and empty codes are refused; nothing is tried a second time for them."""
    client, used, late = client_of(world, provider), world.code(provider), world.code(provider)
    await client.token(used, Surface.WEB)
    world.clock.at += 601
    world.counterpart(provider).asked.clear()
    for code in (used, late, "unknown", "0" * 32):
        with pytest.raises(CodeRefused):
            await client.token(code, Surface.WEB)
    assert 4 == len(world.counterpart(provider).asked)


async def test_a_code_belongs_to_the_app_that_it_was_given_to(world: Providers) -> None:
    """A code from the bank's app does nothing on its page."""
    with pytest.raises(CodeRefused):
        await world.wechat.token(world.code(WECHAT, app=doubles.APP), Surface.WEB)
    assert Surface.APP == (await world.wechat.token(world.code(WECHAT, app=doubles.APP), Surface.APP)).surface


async def test_names_of_a_wechat_account(world: Providers) -> None:
    """The union id first, where there is one; the open id always, with the app that it belongs to."""
    grant = await world.wechat.token(world.code(WECHAT), Surface.WEB)
    assert ["union", "open"] == [name.partition(":")[0] for name in grant.names]
    assert doubles.WEB in grant.names[1]
    without = await world.wechat.token(world.code(WECHAT, "old"), Surface.WEB)
    assert ["open"] == [name.partition(":")[0] for name in without.names]


@pytest.mark.parametrize(("account", "kinds"), [("xiaoming", ["open"]), ("fang", ["open", "user"]), ("old", ["user"])])
async def test_names_of_an_alipay_account(world: Providers, account: str, kinds: list[str]) -> None:
    """The open id before the user id; newer apps are told no user id, older ones no open id."""
    grant = await world.alipay.token(world.code(ALIPAY, account), Surface.WEB)
    assert kinds == [name.partition(":")[0] for name in grant.names]


async def test_a_stand_in_of_a_snapshot_page_is_nobody(world: Providers) -> None:
    """WeChat makes somebody up for previews; linking that would link nobody."""
    with pytest.raises(NotAPerson):
        await world.wechat.token(world.code(WECHAT, "preview"), Surface.WEB)


@EACH
async def test_a_token_that_is_over_is_refreshed_once(world: Providers, provider: Provider) -> None:
    """The person waits a moment longer and notices nothing."""
    client = client_of(world, provider)
    grant = await client.token(world.code(provider), Surface.WEB)
    world.counterpart(provider).mode = "token-over"
    assert "小明爱摄影" == (await client.profile(grant)).nickname


@EACH
async def test_a_grant_can_be_refreshed_until_it_is_too_late(world: Providers, provider: Provider) -> None:
    """Thirty days; then, and for a token that is none, the person is asked again."""
    client = client_of(world, provider)
    grant = await client.token(world.code(provider), Surface.WEB)
    again = await client.refresh(grant)
    assert again.names == grant.names
    with pytest.raises(CodeRefused):
        await client.refresh(msgspec.structs.replace(grant, refresh_token="none"))
    world.clock.at += 31 * 86400
    with pytest.raises(CodeRefused):
        await client.refresh(again)


async def test_wechat_lets_a_phones_app_refresh_for_180_days(world: Providers) -> None:
    """Six times as long as a page of ours."""
    grant = await world.wechat.token(world.code(WECHAT, app=MOBILE_APP), Surface.APP)
    world.clock.at += 179 * 86400
    assert (await world.wechat.refresh(grant)).names == grant.names
    world.clock.at += 2 * 86400
    with pytest.raises(CodeRefused):
        await world.wechat.refresh(grant)


async def test_who_was_asked_for_an_id_alone_tells_no_profile(world: Providers) -> None:
    """Inside WeChat, nothing agreed to: the id comes without a question, and what was not asked for is refused."""
    back = await world.agree(world.wechat.authorize(Surface.INSIDE, "S", profile=False))
    grant = await world.wechat.token(back["code"], Surface.INSIDE)
    with pytest.raises(ProviderDown, match="48001"):
        await world.wechat.profile(grant)
    back = await world.agree(world.wechat.authorize(Surface.INSIDE, "S", profile=True))
    assert "小明爱摄影" == (await world.wechat.profile(await world.wechat.token(back["code"], Surface.INSIDE))).nickname


@EACH
@pytest.mark.parametrize("mode", ["busy", "broken", "garbage", "endless"])
async def test_a_bad_day_of_the_provider(world: Providers, provider: Provider, mode: str) -> None:
    """Busy, broken, nonsense or an answer without end: down, at once, and the code is not sent twice."""
    world.counterpart(provider).mode = mode
    with pytest.raises(ProviderDown):
        await client_of(world, provider).token(world.code(provider), Surface.WEB)
    assert 1 == len(world.counterpart(provider).asked)


@EACH
async def test_a_profile_that_fails_is_asked_for_once_more(world: Providers, provider: Provider) -> None:
    """It only reads, so there is no harm in it."""
    client = client_of(world, provider)
    grant = await client.token(world.code(provider), Surface.WEB)
    world.counterpart(provider).asked.clear()
    world.counterpart(provider).mode = "broken"
    with pytest.raises(ProviderDown):
        await client.profile(grant)
    assert 2 == len(world.counterpart(provider).asked)


@EACH
async def test_a_slow_provider_is_not_waited_for(
    world: Providers, provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody waits longer than the limit says."""
    monkeypatch.setattr(limits, "SOCIAL_SECONDS", 0.01)
    world.counterpart(provider).mode = "slow"
    with pytest.raises(ProviderDown):
        await client_of(world, provider).token(world.code(provider), Surface.WEB)


@EACH
@pytest.mark.parametrize("mode", ["broken", "garbage"])
async def test_a_provider_that_is_down_is_left_alone_for_a_while(
    world: Providers, provider: Provider, mode: str
) -> None:
    """After some failures nobody waits for it, nonsense among them; after the rest one visitor tries for everybody."""
    asked, client = world.counterpart(provider).asked, client_of(world, provider)
    world.counterpart(provider).mode = mode
    for _ in range(limits.SOCIAL_FAILURES + 3):
        with pytest.raises(ProviderDown):
            await client.token(world.code(provider), Surface.WEB)
    assert limits.SOCIAL_FAILURES == len(asked)
    world.counterpart(provider).mode = "fine"
    client._wire.rest.until = 0
    assert (await client.token(world.code(provider), Surface.WEB)).access_token


async def test_a_request_that_never_left_is_sent_again(anyio_backend: str) -> None:
    """No connection, no code spent: once more, and then the provider is down."""
    tried: list[int] = []

    def refuse(request: httpx2.Request) -> httpx2.Response:
        tried.append(1)
        raise httpx2.ConnectError("refused")

    line = wire.Wire(WECHAT, httpx2.MockTransport(refuse))
    with pytest.raises(ProviderDown):
        await line.get("http://127.0.0.1:1/", {}, bytes, spends=True)
    assert 2 == len(tried)
    await line.close()


async def test_an_answer_that_got_lost_spends_the_code(anyio_backend: str) -> None:
    """Whatever happened behind the first byte, the code is not sent a second time."""
    tried: list[int] = []

    def lose(request: httpx2.Request) -> httpx2.Response:
        tried.append(1)
        raise httpx2.ReadTimeout("lost")

    line = wire.Wire(ALIPAY, httpx2.MockTransport(lose))
    with pytest.raises(ProviderDown):
        await line.post("http://127.0.0.1:1/", {}, {}, bytes, spends=True)
    assert 1 == len(tried)
    await line.close()


@EACH
async def test_the_profile_of_somebody_else_is_refused(world: Providers, provider: Provider) -> None:
    """Token of one, profile of another: nobody is let in by that."""
    client = client_of(world, provider)
    grant = await client.token(world.code(provider), Surface.WEB)
    world.counterpart(provider).mode = "another"
    with pytest.raises(CodeRefused):
        await client.profile(grant)


@pytest.mark.parametrize("mode", ["tampered", "wrong-key", "unsigned", "gbk"])
async def test_an_answer_that_alipay_did_not_sign(world: Providers, mode: str) -> None:
    """One byte changed, another's key, no signature, another charset: not believed."""
    grant = await world.alipay.token(world.code(ALIPAY), Surface.WEB)
    world.counterpart(ALIPAY).mode = mode
    with pytest.raises(ProviderDown):
        await world.alipay.profile(grant)


@pytest.mark.parametrize("mode", ["reordered", "texts"])
async def test_an_answer_in_another_shape(world: Providers, mode: str) -> None:
    """The signature first, blanks between, lifetimes as texts: the very bytes of the node are verified."""
    world.counterpart(ALIPAY).mode = mode
    grant = await world.alipay.token(world.code(ALIPAY), Surface.WEB)
    assert "小明爱摄影" == (await world.alipay.profile(grant)).nickname


@EACH
async def test_a_name_that_looks_like_an_answer(world: Providers, provider: Provider) -> None:
    """Braces, quotes and a signature inside a nickname end nothing."""
    client = client_of(world, provider)
    profile = await client.profile(await client.token(world.code(provider, "tricky"), Surface.WEB))
    assert '"},"sign":"x"} {\\" 反斜杠' == profile.nickname


async def test_an_app_that_alipay_does_not_know(world: Providers) -> None:
    """Its refusal is unsigned, so nothing in it is believed: set up wrongly, which no visitor can mend."""
    world.alipay._app_id = "2021999999999999"
    with pytest.raises(ProviderDown):
        await world.alipay.token(world.code(ALIPAY), Surface.WEB)


@pytest.mark.parametrize("wrong", ["appid", "secret"])
async def test_an_app_that_wechat_does_not_know(world: Providers, wrong: str) -> None:
    """A wrong app id or secret is the bank's fault: down, not the visitor's code."""
    app = world.wechat._apps[Surface.WEB]
    bad = msgspec.structs.replace(app, **({"app_id": "wxnone"} if wrong == "appid" else {"secret": "no"}))
    world.wechat._apps[Surface.WEB] = bad
    with pytest.raises(ProviderDown):
        await world.wechat.token(world.code(WECHAT), Surface.WEB)


async def test_a_clock_that_is_an_hour_wrong(world: Providers) -> None:
    """Alipay refuses requests from another time: down."""
    world.doubles.counterparts["alipay"].now = lambda: world.clock.at + 3600
    with pytest.raises(ProviderDown):
        await world.alipay.token(world.code(ALIPAY), Surface.WEB)


async def test_no_secret_and_no_code_is_written_down(world: Providers, caplog: pytest.LogCaptureFixture) -> None:
    """WeChat wants its secret in the address; no line of ours or of the library's repeats one."""
    caplog.set_level(logging.DEBUG)
    logging.getLogger("httpx2").setLevel(logging.WARNING)
    code = world.code(WECHAT)
    with structlog.testing.capture_logs() as lines:
        await world.wechat.token(code, Surface.WEB)
        with pytest.raises(CodeRefused):
            await world.wechat.token(code, Surface.WEB)
    written = caplog.text + repr(lines) + repr(world.wechat._apps) + repr(world.alipay._keys)
    secret = world.wechat._apps[Surface.WEB].secret
    assert secret not in written
    assert code not in written


async def test_where_visitors_are_sent(world: Providers) -> None:
    """QR page on a screen, the other page inside WeChat, parameters in WeChat's order; never more asked than agreed."""
    web = world.wechat.authorize(Surface.WEB, "S", profile=True)
    assert web.startswith(f"http://127.0.0.1:8001/connect/qrconnect?appid={doubles.WEB}&redirect_uri=https%3A%2F%2F")
    assert web.endswith("&response_type=code&scope=snsapi_login&state=S#wechat_redirect")
    assert "/connect/oauth2/authorize?" in world.wechat.authorize(Surface.INSIDE, "S", profile=True)
    assert "scope=snsapi_base&" in world.wechat.authorize(Surface.INSIDE, "S", profile=False)
    assert "scope=auth_base&" in world.alipay.authorize(Surface.WEB, "S", profile=False)
    assert "scope=auth_user&" in world.alipay.authorize(Surface.INSIDE, "S", profile=True)
    both = [await world.agree(web), await world.agree(world.alipay.authorize(Surface.WEB, "T", profile=True))]
    assert ["S", "T"] == [back["state"] for back in both]
    assert both[0]["code"]
    assert both[1]["auth_code"]
