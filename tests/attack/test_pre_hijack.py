"""Five ways to be there before the owner, by the names of Sudhodanan and Paverd (SOC-04), and what is left of each."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import AsyncIterator

import pytest

from foregate.rules import limits
from tests import passkeys
from tests.bank import CHEN, LI, WANG, Bank, Visitor
from tests.passkeys import a_key
from tests.social import ALIPAY, WECHAT, SocialBank, open_social_bank

# What is refused does not depend on the database; contract tests hold both to one behaviour.
pytestmark = [pytest.mark.anyio, pytest.mark.attack, pytest.mark.parametrize("database", ["sqlite"], indirect=True)]
NEW = dataclasses.replace(LI, password="a quite new evening")
LATER = limits.RESEND_SECONDS + 1


@pytest.fixture
async def there(database: str) -> AsyncIterator[SocialBank]:
    there = await open_social_bank(database, LI, WANG)
    await there.bank.settle(CHEN, registered=False)
    yield there
    await there.bank.close()


async def reset(bank: Bank) -> Visitor:
    """The owner sets a new password, with the number and the card."""
    bank.clock.turn(LATER)
    owner = bank.visitor()
    await owner.start("reset-password", "phone", phone=LI.phone)
    await owner.answer(code=await bank.code(LI.phone))
    await owner.answer(card_pin=LI.pin)
    done = await owner.answer(new_password=NEW.password)
    assert "done" == done.journey["status"]
    bank.clock.turn(LATER)
    return owner


async def test_classic_federated_merge(there: SocialBank) -> None:
    """Nobody registers what is another's, and an account elsewhere is merged with none that was there before."""
    thief = there.bank.visitor()
    claims = {"card_number": CHEN.card, "name": CHEN.name, "document_type": CHEN.document_type,
              "document_number": CHEN.document_number}  # fmt: skip
    await thief.start("register", "card_name_document", **claims)
    refused = await thief.answer(code="000000")
    assert "done" != refused.journey["status"]
    await there.bank.register(CHEN)
    owner = there.bank.visitor()
    await owner.start("sign-in-social", "choose", way="wechat")
    assert "social-not-linked" == (await there.go(owner)).cause
    assert await thief.level() is None


async def test_unexpired_session_identifier(there: SocialBank) -> None:
    """A session that the thief opened before the reset is none after it."""
    thief = there.bank.visitor()
    await thief.sign_in(LI)
    assert "full" == await thief.level()
    await reset(there.bank)
    assert await thief.level() is None


async def test_trojan_identifier(there: SocialBank) -> None:
    """What a thief left an hour ago (device, WeChat, passkey) lets him in no more, and the owner is told of each."""
    bank, thief, key = there.bank, there.bank.visitor(), a_key()
    await thief.sign_in(LI)
    assert "done" == (await thief.start("remember-device")).journey["status"]
    await there.link(thief, WECHAT, "old", person=LI)
    await passkeys.add_here(thief, key)
    assert await _comes_in_by_wechat(there, thief)
    assert "done" == (await passkeys.sign_in(bank.visitor(), key)).journey["status"]

    owner = await reset(bank)

    assert owner.last is not None
    assert {"devices_forgotten": 1, "passkeys_removed": 1, "links_removed": 1, "passkeys_left": 0, "links_left": "",
            "face_left": 0} == owner.last.journey["outcome"]["facts"]  # fmt: skip
    assert {"sms.unlinked-wechat", "sms.passkey-removed"} <= set(await bank.messages_about(LI))
    assert not await _comes_in_by_wechat(there, thief)
    assert "not-recognised" == (await passkeys.sign_in(bank.visitor(), key)).cause
    assert "phone_code" == (await thief.start("sign-in", "phone", phone=LI.phone)).step


async def test_trojan_identifier_that_is_older(there: SocialBank) -> None:
    """What is older than a day stays and is named, with where to remove it; without a device WeChat asks for a code."""
    bank, thief, key = there.bank, there.bank.visitor(), a_key()
    await thief.sign_in(LI)
    await thief.start("remember-device")
    await there.link(thief, ALIPAY, "old", person=LI)
    await passkeys.add_here(thief, key)
    await passkeys.season(bank)

    owner = await reset(bank)

    assert owner.last is not None
    facts = owner.last.journey["outcome"]["facts"]
    assert (1, "alipay", 0) == (facts["passkeys_left"], facts["links_left"], facts["passkeys_removed"])
    page = (await owner.client.get(f"/j/{owner.last.journey['id']}")).text
    assert "支付宝" in page
    assert "通行密钥 1 个" in page
    await thief.start("sign-in-social", "choose", way="alipay")
    assert "phone_code" == (await there.go(thief, "old")).step


async def test_the_device_at_hand_stays_remembered(there: SocialBank) -> None:
    """Whoever resets on their own phone finds it remembered; only the others are forgotten."""
    bank, owner = there.bank, there.bank.visitor()
    await bank.remember(owner, LI)
    await owner.start("reset-password", "phone", phone=LI.phone)
    await owner.answer(code=await bank.code(LI.phone))
    await owner.answer(card_pin=LI.pin)
    done = await owner.answer(new_password=NEW.password)
    assert 0 == done.journey["outcome"]["facts"]["devices_forgotten"]
    bank.clock.turn(LATER)
    assert "password" == (await owner.start("sign-in", "phone", phone=LI.phone)).step


async def test_unexpired_change(there: SocialBank) -> None:
    """A change that was begun before the reset (their e-mail, our passkey and link) is finished by nobody after it."""
    thief, other, key = there.bank.visitor(), there.bank.visitor(), a_key()
    await thief.sign_in(LI)
    options = passkeys.options_of(await thief.start("add-passkey"))
    there.bank.clock.turn(LATER)
    await other.sign_in(LI)
    await other.start("link-social", "choose", way="wechat")
    await other.answer("authorize", provider="wechat")
    await reset(there.bank)

    made = await thief.answer(credential=json.dumps(key.create(options)), passkey_name="")
    linked = await there.go(other, "old")

    assert "done" not in {made.journey.get("status"), linked.journey.get("status")}
    async with there.bank.house.store.begin() as tx:
        who = there.bank.customer_id(LI)
        assert ((), ()) == (await tx.passkeys.of(who), await tx.social.of(who))


async def test_non_verifying_identity_provider(there: SocialBank) -> None:
    """Whatever a provider says of number, name or nickname, it is not believed: only a linked account is known."""
    thief = there.bank.visitor()
    await there.bank.remember(thief, LI)
    for provider in (WECHAT, ALIPAY):
        await thief.start("sign-in-social", "choose", way=provider)
        assert "social-not-linked" == (await there.go(thief, "fang")).cause
    assert await thief.level() is None


async def _comes_in_by_wechat(there: SocialBank, visitor: Visitor) -> bool:
    there.bank.clock.turn(LATER)
    await visitor.start("sign-in-social", "choose", way="wechat")
    came = await there.go(visitor, "old")
    return bool(came.journey["status"] == "done")
