"""WeChat and Alipay through the whole house: linked once, then signed in by; consent by consent; and bad days."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from foregate.demo.providers.accounts import ALIPAY_APP
from foregate.rules import limits
from foregate.rules.consents import TEXT_VERSION
from foregate.rules.journeys import JOURNEYS, table
from foregate.rules.social import Provider
from tests import doubles
from tests.bank import LI, WANG, Bank, open_bank
from tests.social import ALIPAY, WECHAT, SocialBank, open_social_bank

pytestmark = pytest.mark.anyio
EACH = pytest.mark.parametrize("provider", [WECHAT, ALIPAY])
ALL = ("avatar", "nickname", "region", "gender")


@pytest.fixture
async def there(database: str) -> AsyncIterator[SocialBank]:
    there = await open_social_bank(database, LI, WANG)
    yield there
    await there.bank.close()


@EACH
async def test_linked_once_then_signed_in_by_it(there: SocialBank, provider: Provider) -> None:
    """Linked after two proofs; on a remembered device it opens a basic session, elsewhere a code is asked as well."""
    bank = there.bank
    owner = bank.visitor()
    await owner.sign_in(LI)
    linked = await there.link(owner, provider, wants=ALL, person=LI)
    assert ("done", "link-social") == (linked.journey["status"], linked.journey["outcome"]["act"])
    assert "social-linked" in await bank.events(LI)
    assert f"sms.linked-{provider}" in await bank.messages_about(LI)

    known = bank.visitor()
    await bank.remember(known, LI)
    await known.start("sign-in-social", "choose", way=provider)
    assert "basic" == (await there.go(known)).journey["outcome"]["session"]
    assert "basic" == await known.level()

    bank.clock.turn(limits.RESEND_SECONDS + 1)
    stranger = bank.visitor()
    await stranger.start("sign-in-social", "choose", way=provider)
    assert "phone_code" == (await there.go(stranger)).step
    assert "done" == (await stranger.answer(code=await bank.code(LI.phone))).journey["status"]
    assert "basic" == await stranger.level()


@EACH
async def test_the_banks_app_sends_what_the_sdk_gave(there: SocialBank, provider: Provider) -> None:
    """Linked on a page, used in the app: at WeChat its code is another app's, and counts where that is said."""
    bank = there.bank
    owner, in_app = bank.visitor(), bank.visitor()
    await owner.sign_in(LI)
    await there.link(owner, provider, person=LI)
    await bank.remember(in_app, LI)

    await in_app.start("sign-in-social", "choose", way=provider)
    facts = there.facts(in_app)
    assert (doubles.APP if provider is WECHAT else ALIPAY_APP) == facts["app_id"]
    code = there.providers.code(provider, app=facts["app_id"])
    told = await in_app.answer(auth_code=code, state=facts["state"], surface="app")
    assert ("done", "basic") == (told.journey["status"], told.journey["outcome"]["session"])

    if provider is WECHAT:
        await in_app.start("sign-in-social", "choose", way=provider)
        code, state = there.providers.code(provider, app=facts["app_id"]), there.facts(in_app)["state"]
        taken_for_the_pages = await in_app.answer(auth_code=code, state=state)
        assert "social-refused" == taken_for_the_pages.cause


async def test_it_says_who_one_is_and_one_proof_more_opens_all(there: SocialBank) -> None:
    """On a remembered device the password alone is missing; elsewhere a code and the password."""
    owner = there.bank.visitor()
    await owner.sign_in(LI)
    await there.link(owner, WECHAT, person=LI)
    for is_known, asked in ((True, ["password"]), (False, ["phone_code", "password"])):
        there.bank.clock.turn(limits.RESEND_SECONDS + 1)
        visitor = there.bank.visitor()
        if is_known:
            await there.bank.remember(visitor, LI)
        await visitor.start("sign-in", "choose", way="wechat")
        answer, met = await there.go(visitor), []
        while answer.journey["status"] == "open":
            met.append(answer.step)
            code = {"code": await there.bank.code(LI.phone)} if answer.step == "phone_code" else None
            answer = await visitor.answer(**(code or {"password": LI.password}))
        assert (asked, "full") == (met, await visitor.level())


@EACH
async def test_only_what_was_agreed_to_is_kept(there: SocialBank, provider: Provider) -> None:
    """Picture and region yes, the rest no: no other is kept, and the ledger has two lines."""
    visitor = there.bank.visitor()
    await visitor.sign_in(LI)
    await there.link(visitor, provider, wants=("avatar", "region"), person=LI)

    kept = (await there.linked(visitor))[provider]["attributes"]

    assert {"avatar": True, "nickname": False, "region": True, "gender": False} == {
        name: each["is_agreed"] for name, each in kept.items()
    }
    assert [None, None] == [kept["nickname"]["value"], kept["gender"]["value"]]
    # WeChat tells no region any more, so the person may.
    assert ("浙江省 杭州市" if provider == "alipay" else None) == kept["region"]["value"]
    assert (provider == "wechat") == kept["region"]["may_be_told"]
    picture = await visitor.client.get(kept["avatar"]["value"])
    assert ("image/jpeg", b"\xff\xd8\xff") == (picture.headers["content-type"], picture.content[:3])
    assert b"GPS" not in picture.content
    assert 404 == (await there.bank.visitor().client.get(kept["avatar"]["value"])).status_code
    async with there.bank.house.store.begin() as tx:
        ledger = await tx.consents.of(there.bank.customer_id(LI))
    assert {f"{provider}-avatar", f"{provider}-region"} == set(ledger)


async def test_where_no_picture_can_be_drawn_none_is_asked_for(database: str) -> None:
    """No avatar on the page of consents nor among what is linked; said all the same, it is not taken."""
    there = await open_social_bank(database, LI, draws=False)
    bank = there.bank
    owner = bank.visitor()
    await owner.sign_in(LI)
    told = await there.link(owner, WECHAT, wants=ALL, person=LI)
    assert "done" == told.journey["status"]
    assert {"nickname", "region", "gender"} == set((await there.linked(owner))["wechat"]["attributes"])
    await bank.close()


async def test_nothing_agreed_to_asks_the_provider_for_nothing(there: SocialBank) -> None:
    """Only the account's name is asked for: the profile is not even fetched."""
    visitor = there.bank.visitor()
    await visitor.sign_in(LI)
    await visitor.start("link-social", "choose", way="alipay")
    await visitor.answer("authorize", provider="alipay")
    assert "scope=auth_base&" in there.facts(visitor)["authorize"]
    there.providers.counterpart(ALIPAY).asked.clear()
    assert "done" == (await there.go(visitor)).journey["status"]
    assert ["alipay.system.oauth.token"] == there.providers.counterpart(ALIPAY).asked


async def test_a_consent_taken_back_deletes_what_was_kept(there: SocialBank) -> None:
    """The ledger keeps both lines, nothing else is left; the account stays linked."""
    visitor = there.bank.visitor()
    await visitor.sign_in(LI)
    await there.link(visitor, ALIPAY, wants=ALL, person=LI)
    done = await visitor.start("withdraw-consent", "withdraw-consent", provider="alipay", attribute="nickname")
    assert "done" == done.journey["status"]
    row = (await there.linked(visitor))["alipay"]
    nickname = row["attributes"]["nickname"]
    assert row["is_linked"]
    assert (False, None, 0) == (nickname["is_agreed"], nickname["value"], nickname["withdrawn_seconds_ago"])
    assert "浙江省 杭州市" == row["attributes"]["region"]["value"]
    assert "consent-withdrawn" in await there.bank.events(LI)


async def test_what_was_declined_or_taken_back_is_agreed_to_again_in_place(there: SocialBank) -> None:
    """The ledger says which text and when; the account stays linked, and confirming there once more takes it along."""
    visitor = there.bank.visitor()
    await visitor.sign_in(LI)

    async def say(journey: str, attribute: str, provider: str = "alipay") -> str | None:
        there.bank.clock.turn(limits.RESEND_SECONDS + 1)
        return (await visitor.start(journey, journey, provider=provider, attribute=attribute)).cause

    assert "no-such-link" == await say("give-consent", "nickname")
    await there.link(visitor, ALIPAY, wants=("region",), person=LI)
    assert [None] * 3 == [
        await say("withdraw-consent", "region"),
        await say("give-consent", "region"),
        await say("give-consent", "gender"),
    ]
    consents = (await visitor.get("/v1/consents")).body["list"]
    assert [("alipay-region", True, TEXT_VERSION, None), ("alipay-gender", True, TEXT_VERSION, None)] == [
        (row["purpose"], row["is_agreed"], row["text_version"], row["withdrawn_seconds_ago"]) for row in consents
    ]
    region = (await there.linked(visitor))["alipay"]["attributes"]["region"]
    assert (True, None, True) == (region["is_agreed"], region["value"], region["may_be_told"])

    again = await there.link(visitor, ALIPAY, wants=("nickname",), person=LI)

    assert ("done", "小明爱摄影") == (
        again.journey["status"], (await there.linked(visitor))["alipay"]["attributes"]["nickname"]["value"]
    )  # fmt: skip
    assert 1 == (await there.bank.events(LI)).count("social-linked")
    assert 1 == (await there.bank.messages_about(LI)).count("sms.linked-alipay")
    assert "social-linked-already" == (await there.link(visitor, ALIPAY, person=LI)).cause


async def test_what_the_provider_does_not_tell_the_person_may(there: SocialBank) -> None:
    """Only where they agreed, only region and gender, as inert text; and it can be taken back like the rest."""
    visitor = there.bank.visitor()
    await visitor.sign_in(LI)
    await there.link(visitor, WECHAT, wants=("region",), person=LI)

    async def fill(attribute: str, value: str) -> str | None:
        step = "fill-in-profile"
        answer = await visitor.start(step, step, provider="wechat", attribute=attribute, value=value)
        return answer.cause

    assert "no-such-link" == await fill("gender", "female")
    there.bank.clock.turn(limits.RESEND_SECONDS + 1)
    assert "no-such-link" == await fill("nickname", "我")
    there.bank.clock.turn(limits.RESEND_SECONDS + 1)
    assert await fill("region", "杭州\u202e市") is None
    region = (await there.linked(visitor))["wechat"]["attributes"]["region"]
    assert ("杭州市", True, False) == (region["value"], region["is_own_word"], region["may_be_told"])
    await visitor.start("withdraw-consent", "withdraw-consent", provider="wechat", attribute="region")
    assert (await there.linked(visitor))["wechat"]["attributes"]["region"]["value"] is None


async def test_unlinked_it_signs_nobody_in(there: SocialBank) -> None:
    """The account, its names and all that was kept go, the consents are taken back, and somebody else may link it."""
    visitor = there.bank.visitor()
    await visitor.sign_in(LI)
    await there.link(visitor, WECHAT, wants=("nickname",), person=LI)
    assert "done" == (await visitor.start("unlink-social", "unlink-social", provider="wechat")).journey["status"]
    row = (await there.linked(visitor))["wechat"]
    assert (False, False, None) == (
        row["is_linked"], row["attributes"]["nickname"]["is_agreed"], row["attributes"]["nickname"]["value"]
    )  # fmt: skip
    assert "sms.unlinked-wechat" in await there.bank.messages_about(LI)

    other = there.bank.visitor()
    await other.start("sign-in-social", "choose", way="wechat")
    refused = await there.go(other)
    assert ("social-not-linked", "refused") == (refused.cause, refused.journey["status"])
    assert {"sign-in-basic", "sign-in", "register", "visit-outlet"} == set(refused.remedies)

    await other.sign_in(WANG)
    assert "done" == (await there.link(other, WECHAT, person=WANG)).journey["status"]


async def test_unlinking_never_removes_the_last_way_in(database: str) -> None:
    """A bank whose table lets people in by WeChat alone keeps it linked; the one that we ship never comes to that."""
    import msgspec

    from foregate.bootstrap import tables
    from foregate.rules.words import DEVICE, SOCIAL

    only = msgspec.structs.replace
    rows = (
        only(row, open=False) if row.session and row.needs_permission and row.name != "sign-in-social" else row
        for row in JOURNEYS.values()
    )
    rows = (only(row, prove=SOCIAL & DEVICE) if row.name == "sign-in-social" else row for row in rows)
    there = await open_social_bank(database, LI, run=tables(journeys=table(*rows)))
    visitor = there.bank.visitor()
    await there.bank.remember(visitor, LI)
    async with there.bank.house.store.begin() as tx:
        from foregate.acts.social import digests_of
        from foregate.ports.social import SocialAccount

        who, names = there.bank.customer_id(LI), ("union:oUnionX",)
        account = SocialAccount(customer_id=who, provider=WECHAT, names=names, linked_at=1, used_at=1)
        number = there.providers.counterpart(WECHAT)
        code = there.providers.code(WECHAT)
        names = (f"union:oUnion{number.codes[code].account.number}",)
        await tx.social.link(account, digests_of(WECHAT, names, there.bank.keys))
    await visitor.start("sign-in-social", "choose", way="wechat")
    assert "basic" == (await there.go(visitor)).journey["outcome"]["session"]

    refused = await visitor.start("unlink-social", "unlink-social", provider="wechat")

    assert "last-way-in" == refused.cause
    assert (await there.linked(visitor))["wechat"]["is_linked"]
    await there.bank.close()


@EACH
@pytest.mark.parametrize("mode", ["busy", "broken", "garbage"])
async def test_a_provider_that_is_down_leaves_the_other_ways(there: SocialBank, provider: Provider, mode: str) -> None:
    """Told as what it is, with every other way; the next try has a new state and goes well."""
    visitor = there.bank.visitor()
    await there.bank.remember(visitor, LI)
    owner = there.bank.visitor()
    await owner.sign_in(LI)
    await there.link(owner, provider, person=LI)
    await visitor.start("sign-in-social", "choose", way=provider)
    there.providers.counterpart(provider).mode = mode
    before = there.facts(visitor)["state"]

    down = await there.go(visitor)

    assert (503, "provider-down", "open") == (down.status, down.cause, down.journey["status"])
    assert {"try-again", "another-way", "sign-in-basic", "sign-in", "check-network", "visit-outlet"} == set(
        down.remedies
    )
    assert before != there.facts(visitor)["state"]
    there.providers.counterpart(provider).mode = "fine"
    assert "done" == (await there.go(visitor)).journey["status"]


async def test_a_picture_that_cannot_be_had_stops_nothing(there: SocialBank) -> None:
    """The account is linked, the consent stands, and no picture is kept."""
    there.providers.counterpart(ALIPAY).mode = "blank"
    visitor = there.bank.visitor()
    await visitor.sign_in(LI)
    assert "done" == (await there.link(visitor, ALIPAY, wants=ALL, person=LI)).journey["status"]
    attributes = (await there.linked(visitor))["alipay"]["attributes"]
    assert [(True, None)] * 4 == [(each["is_agreed"], each["value"]) for each in attributes.values()]


async def test_a_preview_of_wechat_is_told_apart(there: SocialBank) -> None:
    """Nobody is linked to somebody whom WeChat made up."""
    visitor = there.bank.visitor()
    await visitor.sign_in(LI)
    assert "social-preview" == (await there.link(visitor, WECHAT, "preview", person=LI)).cause
    assert not (await there.linked(visitor))["wechat"]["is_linked"]


async def test_the_callback_signs_in_and_says_where_to_go(there: SocialBank) -> None:
    """As a browser goes: a page that leads out by itself, the callback, home. A reload of it is no second use."""
    owner = there.bank.visitor()
    await owner.sign_in(LI)
    await there.link(owner, WECHAT, person=LI)
    visitor = there.bank.visitor()
    await there.bank.remember(visitor, LI)
    begun = await visitor.client.post("/sign-in-social", data={"step": "choose", "way": "wechat"},
                                      headers={"Origin": "https://login.bank.test"})  # fmt: skip
    page = await visitor.client.get(begun.headers["location"])
    assert begun.headers["location"].endswith("?go=1")
    address = page.text.partition('http-equiv="refresh" content="0;url=')[2].partition('"')[0].replace("&amp;", "&")
    assert address in page.text.replace("&amp;", "&").partition('class="go"')[2]
    assert 'http-equiv="refresh"' not in (await visitor.client.get(begun.headers["location"].partition("?")[0])).text
    came = await there.providers.agree(address)

    first = await there.call_back(visitor, WECHAT, **came)
    again = await there.call_back(visitor, WECHAT, **came)

    assert [(303, "/home")] * 2 == [(each.status_code, each.headers["location"]) for each in (first, again)]
    assert "basic" == await visitor.level()
    assert 1 == sum(path == "/sns/oauth2/access_token" for path in there.providers.counterpart(WECHAT).asked) - 1


async def test_inside_wechat_another_page_is_used(there: SocialBank) -> None:
    """The browser says that it is WeChat's: its own page with its own app id; elsewhere the QR code."""
    inside, outside = there.bank.visitor(), there.bank.visitor()
    inside.headers["User-Agent"] = "Mozilla/5.0 (Linux; Android 13) MicroMessenger/8.0.40"
    addresses = []
    for visitor in (inside, outside):
        await visitor.start("sign-in-social", "choose", way="wechat")
        addresses.append(there.facts(visitor)["authorize"])
    assert ["/connect/oauth2/authorize?", "/connect/qrconnect?"] == [
        next(page for page in ("/connect/oauth2/authorize?", "/connect/qrconnect?") if page in each)
        for each in addresses
    ]
    assert there.facts(inside)["app_id"] == there.facts(outside)["app_id"]


async def test_a_bank_without_providers_offers_none(database: str) -> None:
    """No button, no way, no journey; what is linked can still be looked at."""
    bank: Bank = await open_bank(database)
    await bank.settle(LI)
    visitor = bank.visitor()
    assert "/sign-in-social" not in (await visitor.client.get("/")).text
    assert 404 == (await visitor.client.get("/sign-in-social")).status_code
    assert "journey-not-open" == (await visitor.start("sign-in-social")).cause
    names = {row["journey"]: row["who"] for row in (await visitor.get("/v1/journeys")).body["list"]}
    assert {"sign-in-social", "link-social"}.isdisjoint(names)
    assert ["phone", "card", "user_name", "passkey"] == names["sign-in"]
    await visitor.sign_in(LI)
    assert "journey-not-open" == (await visitor.start("link-social")).cause
    assert 200 == (await visitor.client.get("/linked")).status_code
    await bank.close()
