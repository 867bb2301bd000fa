"""WeChat and Alipay under attack (SOC): whose account is it, whose browser, whose picture, whose name."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import AsyncIterator, Callable
from typing import Any

import httpx2
import pytest

from foregate.demo.providers.pictures import png
from foregate.desk import social as on_the_desk
from foregate.gateways.social.pictures import GuardedPictures, is_public, redrawn
from foregate.rules import limits
from foregate.rules.social import Provider, Surface, inert
from foregate.settings import BadSettings, Settings, refuse_weak, weaknesses
from tests.bank import CHEN, LI, WANG
from tests.social import ALIPAY, WECHAT, SocialBank, open_social_bank

pytestmark = [pytest.mark.anyio, pytest.mark.attack]
EACH = pytest.mark.parametrize("provider", [WECHAT, ALIPAY])
# The journey's id and the number to text: any digits may stand in them.
MADE_BY_CHANCE = re.compile(r'[0-9a-f]{8}-[0-9a-f-]{27}|(?<=")[0-9]{8}(?=")')


@pytest.fixture
async def there(database: str) -> AsyncIterator[SocialBank]:
    there = await open_social_bank(database, LI, WANG, CHEN)
    yield there
    await there.bank.close()


async def is_linked(there: SocialBank, provider: Provider) -> list[str]:
    """Who has an account of this provider."""
    async with there.bank.house.store.begin() as tx:
        return [
            person.name
            for person in (LI, WANG, CHEN)
            if any(row.provider is provider for row in await tx.social.of(there.bank.customer_id(person)))
        ]


# ---------------------------------------------------------------- five ways to be there first (SOC-04)


async def test_a_session_that_lies_open_links_nothing(there: SocialBank) -> None:
    """Play 1: the thief finds a signed-in phone after a while and links his own WeChat. Two proofs afresh stop him."""
    found = there.bank.visitor()
    await found.sign_in(LI)
    there.bank.clock.turn(limits.IDLE_SECONDS - 5)
    await found.get("/v1/session")
    there.bank.clock.turn(30)
    await found.start("link-social", "choose", way="wechat")
    assert "phone_code" == found.last.step  # type: ignore[union-attr]  # it was begun
    assert "authorize" not in there.facts(found)
    refused = await found.answer("authorize", provider="wechat")
    assert "journey-moved-on" == refused.cause
    assert [] == await is_linked(there, WECHAT)


async def test_the_thiefs_own_link_is_not_followed_by_the_owner(there: SocialBank) -> None:
    """Play 2: the thief confirms with his WeChat and sends the owner the callback: not the owner's state."""
    thief, owner = there.bank.visitor(), there.bank.visitor()
    await thief.sign_in(WANG)
    await thief.start("link-social", "choose", way="wechat")
    await thief.answer("authorize", provider="wechat")
    came = await there.back(thief, "old")
    await owner.sign_in(LI)
    there.bank.clock.turn(1)
    await owner.start("link-social", "choose", way="wechat")
    await owner.answer("authorize", provider="wechat")

    forced = await there.call_back(owner, WECHAT, **came)
    mixed = await there.call_back(owner, WECHAT, code=came["code"], state="")

    assert [403, 403] == [forced.status_code, mixed.status_code]
    assert [] == await is_linked(there, WECHAT)


async def test_the_thiefs_code_with_the_owners_state_needs_the_owners_page(there: SocialBank) -> None:
    """Play 3: login CSRF. The thief's code is worth something only with a state that never leaves the owner's page."""
    owner = there.bank.visitor()
    await owner.sign_in(LI)
    await owner.start("link-social", "choose", way="alipay")
    await owner.answer("authorize", provider="alipay")
    state = str(there.facts(owner)["state"])
    code = there.providers.code(ALIPAY, "old")
    for wrong in ("", "0" * 80, state[:-1] + ("0" if state[-1] != "0" else "1"), state.upper()[:-2], state + "00"):
        assert 403 == (await there.call_back(owner, ALIPAY, auth_code=code, state=wrong)).status_code
    assert [] == await is_linked(there, ALIPAY)
    assert not there.providers.counterpart(ALIPAY).asked


async def test_a_shared_number_or_nickname_links_nobody(there: SocialBank) -> None:
    """Play 4: an account elsewhere that is called like the customer is nobody's until it is linked."""
    thief = there.bank.visitor()
    await there.bank.remember(thief, LI)
    for provider in (WECHAT, ALIPAY):
        await thief.start("sign-in-social", "choose", way=provider)
        assert "social-not-linked" == (await there.go(thief, "fang")).cause
    assert await thief.level() is None


async def test_who_unlinks_and_links_in_between_has_not_both(there: SocialBank) -> None:
    """Play 5: begun to be linked for one, finished for another: the account belongs to whoever finished first."""
    first, second = there.bank.visitor(), there.bank.visitor()
    await first.sign_in(LI)
    await second.sign_in(WANG)
    for visitor in (first, second):
        await visitor.start("link-social", "choose", way="wechat")
        await visitor.answer("authorize", provider="wechat")
    assert "done" == (await there.go(first, "fang")).journey["status"]
    taken = await there.go(second, "fang")
    assert ("social-taken", "refused") == (taken.cause, taken.journey["status"])
    assert {"start-again", "visit-outlet"} == set(taken.remedies)
    assert [LI.name] == await is_linked(there, WECHAT)


# ---------------------------------------------------------------- state, codes, callbacks (SOC-01, SOC-03)


async def test_a_callback_without_state_or_cookie(there: SocialBank) -> None:
    """Missing on both sides is no match; a state is worth nothing in another browser."""
    visitor, other = there.bank.visitor(), there.bank.visitor()
    await visitor.start("sign-in-social", "choose", way="wechat")
    came = await there.back(visitor)
    for browser, params in ((other, {}), (other, {"code": "x"}), (other, came), (visitor, {"code": came["code"]})):
        assert 403 == (await there.call_back(browser, WECHAT, **params)).status_code
    refused = await there.call_back(visitor, WECHAT, state=came["state"])
    assert 403 == refused.status_code  # no code: the person said no
    assert not there.providers.counterpart(WECHAT).asked


@EACH
async def test_a_state_is_used_once_and_for_ten_minutes(there: SocialBank, provider: Provider) -> None:
    """A second answer with it finds another version; a late one is over."""
    visitor = there.bank.visitor()
    await visitor.start("sign-in-social", "choose", way=provider)
    used = dict(there.facts(visitor))
    there.providers.counterpart(provider).mode = "busy"
    assert "provider-down" == (await there.go(visitor)).cause
    there.providers.counterpart(provider).mode = "fine"
    again = await visitor.answer(auth_code=there.providers.code(provider), state=used["state"])
    assert "social-state" == again.cause
    late = there.facts(visitor)["state"]
    there.bank.clock.turn(limits.SOCIAL_STATE_SECONDS + 1)
    over = await visitor.answer(auth_code=there.providers.code(provider), state=late)
    assert "social-state" == over.cause


async def test_a_state_of_one_provider_at_the_others_callback(there: SocialBank) -> None:
    """Mix-up: a code of WeChat is never sent to Alipay, nor the other way round."""
    visitor = there.bank.visitor()
    await visitor.start("sign-in-social", "choose", way="wechat")
    came = await there.back(visitor)
    for params in ({"auth_code": came["code"]}, {"code": came["code"]}):
        assert 403 == (await there.call_back(visitor, ALIPAY, **params, state=came["state"])).status_code
    await visitor.answer("choose", way="alipay")
    mixed = await visitor.answer("wechat", auth_code=came["code"], state=came["state"])
    assert mixed.cause in ("journey-moved-on", "social-state")
    crossed = await visitor.answer("alipay", auth_code=came["code"], state=came["state"])
    assert "social-state" == crossed.cause
    assert not there.providers.counterpart(ALIPAY).asked
    assert not there.providers.counterpart(WECHAT).asked


async def test_a_state_to_sign_in_links_nothing(there: SocialBank) -> None:
    """What was minted for one purpose does nothing for another, in one browser."""
    visitor = there.bank.visitor()
    await visitor.start("sign-in-social", "choose", way="wechat")
    came = await there.back(visitor)
    await visitor.sign_in(LI)
    await visitor.start("link-social", "choose", way="wechat")
    await visitor.answer("authorize", provider="wechat")
    wrong = await visitor.answer(auth_code=came["code"], state=came["state"])
    assert "social-state" == wrong.cause
    assert [] == await is_linked(there, WECHAT)


async def test_an_account_cannot_be_claimed_by_the_client(there: SocialBank) -> None:
    """SOC-01: an id in the answer, the address or a cookie is read by nobody."""
    owner = there.bank.visitor()
    await owner.sign_in(LI)
    await there.link(owner, WECHAT, person=LI)
    async with there.bank.house.store.begin() as tx:
        names = (await tx.social.of(there.bank.customer_id(LI)))[0].names
    thief = there.bank.visitor()
    await there.bank.remember(thief, LI)
    await thief.start("sign-in-social", "choose", way="wechat")
    state = there.facts(thief)["state"]
    for name in names:
        answer = await thief.answer(auth_code=name, state=state)
        assert "social-refused" == answer.cause
        state = there.facts(thief)["state"]
        extra = await thief.answer(auth_code="x", state=state, openid=name)
        assert "input-invalid" == extra.cause
    forged = {"openid": names[-1], "unionid": names[0], "state": str(state)}
    assert 403 == (await there.call_back(thief, WECHAT, **forged)).status_code
    assert await thief.level() is None


async def test_social_alone_never_opens_a_session(there: SocialBank) -> None:
    """SOC-05: whoever has the customer's WeChat and nothing else is asked for a code, and sees no more than that."""
    owner = there.bank.visitor()
    await owner.sign_in(LI)
    await there.link(owner, WECHAT, wants=("nickname",), person=LI)
    thief = there.bank.visitor()
    for journey in ("sign-in-social", "sign-in"):
        there.bank.clock.turn(limits.RESEND_SECONDS + 1)
        await thief.start(journey, "choose", way="wechat")
        answer = await there.go(thief)
        assert "phone_code" == answer.step
        assert "138" not in MADE_BY_CHANCE.sub("", answer.raw.text)
        assert LI.name not in answer.raw.text
    assert await thief.level() is None


async def test_a_remembered_device_of_somebody_else_does_not_count(there: SocialBank) -> None:
    """Li's WeChat on Wang's phone: a code to Li's number is asked for."""
    owner, shared = there.bank.visitor(), there.bank.visitor()
    await owner.sign_in(LI)
    await there.link(owner, WECHAT, person=LI)
    there.bank.clock.turn(limits.RESEND_SECONDS + 1)
    await there.bank.remember(shared, WANG)
    await shared.start("sign-in-social", "choose", way="wechat")
    assert "phone_code" == (await there.go(shared)).step


async def test_a_frozen_login_stays_frozen(there: SocialBank) -> None:
    """WeChat is no way around what the customer closed."""
    owner = there.bank.visitor()
    await owner.sign_in(LI)
    await there.link(owner, WECHAT, person=LI)
    there.bank.clock.turn(limits.RESEND_SECONDS + 1)
    await owner.start("freeze", "phone", phone=LI.phone)
    await owner.answer(code=await there.bank.code(LI.phone))
    there.bank.clock.turn(1)
    known = there.bank.visitor()
    await there.bank.remember(known, LI)
    await known.start("sign-in-social", "choose", way="wechat")
    assert "closed-by-customer" == (await there.go(known)).cause


async def test_states_are_bound_to_everything_they_name(there: SocialBank) -> None:
    """Every digit counts: one changed anywhere and it is nobody's."""
    keys, visitor = there.bank.keys, b"v" * 32
    ticket = on_the_desk.Ticket(
        journey_id="0190a6f0-0000-7000-8000-000000000001",
        version=3,
        provider=ALIPAY,
        surface=Surface.INSIDE,
        step="link-social",
        at=1_800_000_000,
    )
    state = on_the_desk.state_for(ticket, visitor, keys)
    steps = ("", "link-social")
    assert (80, ticket) == (len(state), on_the_desk.ticket_of(state, visitor, keys, steps))
    assert on_the_desk.ticket_of(state, b"w" * 32, keys, steps) is None
    for place in range(80):
        changed = state[:place] + ("0" if state[place] != "0" else "1") + state[place + 1 :]
        assert on_the_desk.ticket_of(changed, visitor, keys, steps) is None


# ---------------------------------------------------------------- pictures (SOC-06)

HOST = "thirdwx.qlogo.cn"
NOT_PUBLIC = (
    "127.0.0.1", "127.9.9.9", "0.0.0.0", "10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1",  # noqa: S104 -- never bound, only refused
    "192.0.0.1", "198.18.0.1", "203.0.113.1", "224.0.0.1", "255.255.255.255", "::1", "::", "::ffff:127.0.0.1",
    "::ffff:169.254.169.254", "fe80::1", "fe80::1%eth0", "fc00::1", "fd00:ec2::254", "ff02::1", "64:ff9b::7f00:1",
    "2002:7f00:1::", "2001:db8::1", "not-an-address",
)  # fmt: skip


def asked_for(
    found: list[str] | Callable[[], list[str]], answer: httpx2.Response | None = None, **options: Any
) -> tuple[GuardedPictures, list[httpx2.Request]]:
    """A guard that is told these addresses, and what it sent."""
    sent: list[httpx2.Request] = []

    async def resolve(host: str, port: int) -> list[str]:
        return found() if callable(found) else found

    def serve(request: httpx2.Request) -> httpx2.Response:
        sent.append(request)
        return answer or httpx2.Response(200, content=png((1, 2, 3)), headers={"Content-Type": "image/png"})

    guard = GuardedPictures(("qlogo.cn",), resolve=resolve, transport=httpx2.MockTransport(serve), **options)
    return guard, sent


def test_addresses_that_are_not_public() -> None:
    """Ours, a neighbour's, the cloud's own, and each of them dressed up."""
    assert [] == [address for address in NOT_PUBLIC if is_public(address)]
    assert is_public("43.137.1.2")
    assert is_public("240e:9f::1")


async def test_a_picture_is_fetched_from_no_private_address() -> None:
    """Whatever the name leads to: nothing is sent. One private address among public ones is enough."""
    for address in NOT_PUBLIC:
        for found in ([address], ["43.137.1.2", address]):
            guard, sent = asked_for(found)
            assert await guard.fetch(f"https://{HOST}/a/132") is None
            assert [] == sent
            await guard.close()


async def test_a_name_that_answers_differently_the_second_time() -> None:
    """DNS rebinding: it is looked up once, and the connection goes to the address that was looked at."""
    answers = iter([["43.137.1.2"], ["127.0.0.1"]])
    guard, sent = asked_for(lambda: next(answers))
    assert await guard.fetch(f"http://{HOST}/a/132?x=1") is not None
    assert ["https://43.137.1.2/a/132?x=1"] == [str(request.url) for request in sent]
    assert (HOST, HOST) == (sent[0].headers["host"], sent[0].extensions["sni_hostname"])
    assert await guard.fetch(f"https://{HOST}/a/132") is None
    assert 1 == len(sent)
    await guard.close()


@pytest.mark.parametrize(
    "address",
    [
        "", "x", "//thirdwx.qlogo.cn/a", "ftp://thirdwx.qlogo.cn/a", "file:///etc/passwd", "https://evil.example/a",
        "https://qlogo.cn.evil.example/a", "https://evilqlogo.cn/a", "https://user:pass@thirdwx.qlogo.cn/a",
        "https://thirdwx.qlogo.cn@evil.example/a", "https://thirdwx.qlogo.cn:8443/a", "https://127.0.0.1/a",
        "http://127.0.0.1:6379/", "https://[::1]/a", "https://thirdwx.qlogo.cn/a\r\nHost: x", "https://2130706433/a",
        "https://thirdwx.qlogo.cn#@evil.example/", "gopher://thirdwx.qlogo.cn/", f"https://{HOST}/{600 * chr(97)}",
        "https://ｑlogo.cn/a", "https://thirdwx.qlogo.cn:99999/a", "data:image/png;base64,AAAA",
    ],
)  # fmt: skip
async def test_a_picture_is_fetched_from_no_other_host(address: str) -> None:
    """Only hosts of the list, only https, only the usual port, nothing else in the address."""
    guard, sent = asked_for(["43.137.1.2"])
    assert await guard.fetch(address) is None
    assert [] == sent
    await guard.close()


@pytest.mark.parametrize(
    "answer",
    [
        httpx2.Response(302, headers={"Location": "http://169.254.169.254/latest/meta-data/"}),
        httpx2.Response(301, headers={"Location": f"https://{HOST}/b"}),
        httpx2.Response(200, content=png((1, 2, 3)), headers={"Content-Type": "text/html"}),
        httpx2.Response(200, content=b"<svg onload='alert(1)'/>", headers={"Content-Type": "image/png"}),
        httpx2.Response(200, content=b"GIF89a" + b"\0" * 40, headers={"Content-Type": "image/jpeg"}),
        httpx2.Response(200, content=png((1, 2, 3))[:60], headers={"Content-Type": "image/png"}),
        httpx2.Response(200, content=b"\x89PNG" + b"a" * 300_000, headers={"Content-Type": "image/png"}),
        httpx2.Response(404, content=png((1, 2, 3)), headers={"Content-Type": "image/png"}),
    ],
    ids=["redirect-away", "redirect", "type", "svg", "gif", "cut", "large", "status"],
)
async def test_what_is_no_picture_is_not_kept(answer: httpx2.Response) -> None:
    """Redirects are not followed; size, type and header are looked at before anything is decoded."""
    guard, sent = asked_for(["43.137.1.2"], answer)
    assert await guard.fetch(f"https://{HOST}/a") is None
    assert 1 == len(sent)
    await guard.close()


async def test_a_picture_of_a_million_million_pixels() -> None:
    """Known from the header: nothing is unpacked."""
    bomb = bytearray(png((1, 2, 3)))
    bomb[16:24] = (60_000).to_bytes(4, "big") * 2
    answer = httpx2.Response(200, content=bytes(bomb), headers={"Content-Type": "image/png"})
    guard, _ = asked_for(["43.137.1.2"], answer)
    assert await guard.fetch(f"https://{HOST}/a") is None
    await guard.close()


def test_a_picture_is_drawn_anew() -> None:
    """Small, square, JPEG, and without what came along in it."""
    small = redrawn(png((10, 200, 30), side=400))
    assert small.startswith(b"\xff\xd8\xff")
    assert b"GPS" not in small
    assert b"Exif" not in small
    assert len(small) < 10_000


# ---------------------------------------------------------------- names (inert text)

_C = "\u202e\u202d\u202a\u202b\u202c\u2066\u2067\u2068\u2069\u200e\u200f\u061c"
HOSTILE = (
    *(f"李{c}小明" for c in _C),
    *(f"李{c}明" for c in "\u200b\u200c\u200d\u2060\ufeff\u00ad\u034f\u180e\u3164\u115f\u1160\uffa0\u2800"),
    *(f"a{chr(c)}b" for c in (0, 1, 7, 8, 9, 10, 11, 12, 13, 27, 127, 0x80, 0x85, 0x9B, 0x2028, 0x2029)),
    "\u202e客服\u202c", "\u2067\u2067\u2067x", "x" * 10_000, "王" * 500, "é" + "\u0301" * 200, "Z" + "\u0489" * 50,
    "<script>alert(1)</script>", "\"><img src=x onerror=1>", "{{ 7*7 }}", "${jndi:ldap://x}", "%s%n", "'; DROP TABLE",
    "\ud83d", "\ue000", "\U000e0041\U000e0042", "\ufff9a\ufffab\ufffb", "   ", "\u3000\u3000", "\u0301\u0301",
    "\U0001f468\u200d\U0001f469\u200d\U0001f467",
)  # fmt: skip


def test_sixty_hostile_nicknames() -> None:
    """What is left is one short visible line: nothing turns, hides, climbs, breaks, or goes on for ever."""
    assert len(HOSTILE) >= 60
    for name in HOSTILE:
        left = inert(name)
        assert len(left) <= limits.SOCIAL_TEXT_CHARS
        assert left == left.strip()
        assert not {unicodedata.category(c) for c in left} & {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
        assert all(c == " " or not c.isspace() for c in left)
        run = longest = 0
        for c in left:
            run = run + 1 if unicodedata.category(c) in ("Mn", "Me") else 0
            longest = max(longest, run)
        assert longest <= 2
        left.encode()
    assert "李小明" == inert("李\u202e小\u200b明")


@EACH
async def test_a_hostile_nickname_on_the_page(there: SocialBank, provider: Provider) -> None:
    """It stands there as text, by itself, and is not a word of the page."""
    visitor = there.bank.visitor()
    await visitor.sign_in(LI)
    await there.link(visitor, provider, "hidden", ("nickname",), person=LI)
    page = (await visitor.client.get("/linked")).text
    assert "<bdi>客服&lt;b&gt;admin&lt;/b&gt;</bdi>" in page
    assert [] == [mark for mark in ("\u202e", "\u200b", "\u2066", "<b>admin") if mark in page]


# ---------------------------------------------------------------- set up wrongly (SOC-02)


def test_a_bank_does_not_open_with_an_empty_secret(tmp_path: Any) -> None:
    """An app id without its secret or key is refused at start, as is a provider in clear or a guard that is open."""
    empty = tmp_path / "empty"
    empty.write_bytes(b" \n")
    for changes, named in (
        ({"wechat_app_id": "wx1"}, "wechat_secret_file"),
        ({"wechat_app_id": "wx1", "wechat_secret_file": str(empty)}, "wechat_secret_file"),
        ({"alipay_app_id": "2021", "alipay_key_file": str(empty)}, "alipay_public_key_file"),
        ({"wechat_inside_app_id": "wx2", "wechat_inside_secret_file": str(tmp_path / "none")}, "wechat_inside_secret"),
        ({"wechat_inside_app_id": "wx2"}, "wechat_app_id"),
        ({"wechat_api_url": "http://api.weixin.qq.com"}, "wechat_api_url"),
        ({"alipay_gateway_url": "http://127.0.0.1/gateway.do"}, "alipay_gateway_url"),
        ({"social_allows_loopback": True}, "social_allows_loopback"),
    ):
        assert [line for line in weaknesses(Settings(**changes)) if line.startswith(named)], changes
    with pytest.raises(BadSettings, match="alipay_key_file"):
        refuse_weak(Settings(alipay_app_id="2021"))
