"""People without end for the walks through the pages: each comes to the door once, in some situation, and knows facts.

They live in the browser tests' demo bank, beside the demo's own people, so that no walk finds what another one left.
Only what an earlier visit would have left is written straight into the store: a registration, a remembered device, a
session, a passkey, an account that is linked, a permit. What is walked goes through the pages.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from itertools import count
from pathlib import Path
from typing import Any
from uuid import UUID

import msgspec
from cryptography.hazmat.primitives import serialization
from playwright.sync_api import BrowserContext, Page
from stdnum import luhn
from stdnum.cn import ric

from foregate.demo.providers.accounts import ACCOUNTS, ALIPAY_APP
from foregate.demo.run import social_settings
from foregate.desk.sessions import idle_seconds
from foregate.ids import new_id
from foregate.ports import DeviceRow, PasskeyRow, SessionRow, StopLinkRow
from foregate.ports.permits import PermitRow
from foregate.ports.social import SocialAccount
from foregate.proofs.passkey import digest_of
from foregate.rules import limits
from foregate.rules.consents import Purpose
from foregate.rules.social import Provider
from foregate.rules.words import Level
from foregate.symbols import random_symbols
from foregate.tokens import Token
from tests import bank as persons
from tests import doubles
from tests.appointments import HALL
from tests.authenticator import Authenticator, b64
from tests.bank import LI, Person
from tests.browser.bank import Bank, open_bank
from tests.passkeys import a_key

Fact = str | bool | Callable[[], str]
Facts = Mapping[str, Fact]
ACCOUNT = "xiaoming"  # the one that a person of the crowd has at WeChat and at Alipay, while they are at the door
NAMES = {
    Provider.WECHAT: f"union:oUnion{ACCOUNTS[ACCOUNT].number}",
    Provider.ALIPAY: f"open:{ALIPAY_APP}:0{ACCOUNTS[ACCOUNT].number}Op",
}
NEW_PASSWORD = "nine lanterns over 4 rivers"
A_WHILE = int(limits.IDLE_SECONDS) + 60  # longer ago than an act that asks afresh takes


@dataclass(frozen=True)
class Situation:
    """In what state somebody comes to the door. `session`: None, basic, full, or aged: full, but not just now."""

    name: str
    is_registered: bool = True
    is_remembered: bool = False
    session: str | None = None
    shares_a_number: bool = False


STRANGER = Situation("not-registered", is_registered=False)
NOBODY = Situation("nobody")
REMEMBERED = Situation("remembered", is_remembered=True)
BASIC = Situation("basic", session="basic")
FULL = Situation("full", session="full")
AGED = Situation("aged", session="aged", is_remembered=True)
FAMILY = Situation("family", shares_a_number=True)
SITUATIONS = (STRANGER, NOBODY, REMEMBERED, BASIC, FULL, AGED, FAMILY)


@dataclass
class Newcomer:
    """Somebody new at the door, with all that they know."""

    person: Person
    situation: Situation
    facts: dict[str, Fact]


@contextmanager
def open_town(folder: Path, **more: Any) -> Iterator[Bank]:
    """Open the demo bank with everything that a walk may ask for: WeChat and Alipay, an outlet, an address to make
    passkeys for; every visitor says from where they come, so that nobody's pace is counted as somebody else's."""
    (folder / "providers").symlink_to(doubles.folder())
    with doubles.process() as origin:
        settings = social_settings(folder, origin) | {"trusted_proxies": ("127.0.0.1/32",)} | more
        with open_bank(folder, host="localhost", **settings) as bank:
            bank.run(_open_hall(bank))
            yield bank


async def _open_hall(bank: Bank) -> None:
    async with bank.house.store.begin() as tx:
        await tx.outlets.put((HALL,), bank.clock.now())


@dataclass
class Crowd:
    """Makes newcomers. Their numbers, cards and names follow from one count."""

    bank: Bank
    numbers: count[int] = field(default_factory=lambda: count(1))
    keys: dict[str, Authenticator] = field(default_factory=dict)  # the passkey of everybody who is registered

    def __post_init__(self) -> None:
        house = self.bank.house
        self._settled = persons.Bank(house, self.bank.clock, self.bank.phones, house.keys)  # type: ignore[arg-type]  # its clock is only read

    def newcomer(
        self, situation: Situation, context: BrowserContext, *, has_permit: bool = False, is_linked: bool = True
    ) -> Newcomer:
        """Let somebody come in this situation, by this browser; with a slip from the counter, with linked accounts."""
        number = next(self.numbers)
        person = self._person(number)
        if situation.shares_a_number:
            parent = self._person(next(self.numbers))
            self.bank.run(self._settle(replace(parent, bound=person.phone), is_registered=True))
        self.bank.run(self._settle(person, is_registered=situation.is_registered, is_linked=is_linked))
        context.set_extra_http_headers({"X-Forwarded-For": f"198.51.{number >> 8 & 255}.{number & 255}"})
        if situation.is_remembered:
            self._give(context, "device", self.bank.run(self._remember(person)))
        if situation.session is not None:
            self._give(context, "session", self.bank.run(self._sign_in(person, situation)))
        facts = self.facts(person)
        if has_permit:
            facts["permit"] = self.bank.run(self._permit(person))
        return Newcomer(person, situation, facts)

    def facts(self, person: Person) -> dict[str, Fact]:
        """Return what somebody knows, under the names of the fields that ask for it."""
        return {
            "phone": person.phone, "card_number": person.card, "user_name": person.user_name, "name": person.name,
            "document_type": person.document_type, "document_number": person.document_number,
            "code": lambda: self.code(person.phone), "password": person.password, "card_pin": person.pin,
            "new_user_name": f"new.{person.user_name}", "new_password": NEW_PASSWORD, "remember_device": True,
            "expires_on": "2040-01-01", "issued_on": "", "long_term": False,
            "token": lambda: self.bank.run(self._stop_link(person)),
            "surname": "王", "people": "1", "q": HALL.name, "city": "", "service": "other", "open": False,
            "step_free": False, "outlet": HALL.outlet_id,
            "provider": "wechat", "attribute": "region", "value": "杭州", "avatar": True, "nickname": False,
            "region": True, "gender": False, "account": ACCOUNT,
            "passkey_name": "mine", "consent": True,
        }  # fmt: skip

    def sign_in_again(self, newcomer: Newcomer, context: BrowserContext) -> None:
        """Sign in again in a browser that was closed, if they were signed in."""
        if newcomer.situation.session is not None:
            self._give(context, "session", self.bank.run(self._sign_in(newcomer.person, newcomer.situation)))

    def code(self, phone: str) -> str:
        """Return the newest code on a phone, once every message that is due has gone out."""
        self.bank.run(self.bank.house.dispatcher.dispatch())
        return next(message.code for message in self.bank.messages(phone) if message.code)

    def authenticator(
        self, page: Page, newcomer: Newcomer | None = None, transport: str = "internal"
    ) -> Callable[[bool], None]:
        """Give the browser an authenticator, with a passkey that a newcomer has had for two days. Returns a switch for
        its owner's presence: while nobody is there, nothing is offered by itself."""
        cdp = page.context.new_cdp_session(page)
        cdp.send("WebAuthn.enable")
        made = cdp.send("WebAuthn.addVirtualAuthenticator", {"options": {
            "protocol": "ctap2", "transport": transport, "hasResidentKey": True, "hasUserVerification": True,
            "isUserVerified": True, "automaticPresenceSimulation": newcomer is None,
        }})  # fmt: skip
        its_id = {"authenticatorId": made["authenticatorId"]}
        if newcomer is not None:
            key = self.keys[newcomer.person.core_ref]
            secret = key.key.private_bytes(
                serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
            credential = {
                "credentialId": base64.b64encode(key.credential_id).decode(), "isResidentCredential": True,
                "rpId": key.rp_id, "privateKey": base64.b64encode(secret).decode(), "signCount": 0,
                "userHandle": base64.b64encode(key.user_handle).decode(),
            }  # fmt: skip
            cdp.send("WebAuthn.addCredential", its_id | {"credential": credential})

        def switch(is_there: bool) -> None:
            cdp.send("WebAuthn.setAutomaticPresenceSimulation", its_id | {"enabled": is_there})

        return switch

    # ------------------------------------------------------------ what an earlier visit left

    def _person(self, number: int) -> Person:
        card, document = f"62220211{number:010d}", f"44030819910101{number:03d}"
        letters = "".join("abcdefghij"[int(digit)] for digit in f"{number:04d}")
        phone = f"+86138{number:04d}{number:04d}"  # each in a range of its own
        return replace(
            LI, core_ref=f"CROWD{number}", card=card + luhn.calc_check_digit(card), phone=phone, bound=phone,
            user_name=f"crowd{letters}", document_number=document + ric.calc_check_digit(f"{document}?"),
            document_expires_on="2039-01-01",
        )  # fmt: skip

    async def _settle(self, person: Person, *, is_registered: bool, is_linked: bool = True) -> None:
        await self._settled.settle(person, registered=is_registered)
        await self._settled.give_document(person, "2040-01-01")
        if is_registered:
            await self._link(person, is_linked=is_linked)
            self.keys[person.core_ref] = await self._passkey(person)

    def _give(self, context: BrowserContext, name: str, value: str) -> None:
        context.add_cookies([{"name": f"foregate-{name}", "value": value, "url": self.bank.url, "httpOnly": True}])

    def _id(self, person: Person) -> str:
        return self._settled.customer_id(person)

    async def _remember(self, person: Person) -> str:
        token = Token(self._id(person), new_id(), b"d" * 32)
        now = self.bank.clock.now()
        row = DeviceRow(
            customer_id=token.customer_id, device_id=token.id, secret_digest=token.digest, agent="test",
            created_at=now, seen_at=now,
        )  # fmt: skip
        async with self.bank.house.store.begin() as tx:
            await tx.devices.insert(row)
        return token.text()

    async def _sign_in(self, person: Person, situation: Situation) -> str:
        now = self.bank.clock.now()
        level = Level.BASIC if situation.session == "basic" else Level.FULL
        at = now - A_WHILE if situation.session == "aged" else now
        proofs = ("phone_code",) if level is Level.BASIC else ("phone_code", "password")
        token = Token(self._id(person), new_id(), b"s" * 32)
        row = SessionRow(
            customer_id=token.customer_id, session_id=token.id, secret_digest=token.digest, level=level,
            evidence=tuple((proof, at) for proof in proofs), device_id=None, agent="test", created_at=at, seen_at=now,
            expires_at=now + 3600,
        )  # fmt: skip
        assert idle_seconds(row) > 0
        await self._remember(person)  # another browser, and a session there
        other = Token(token.customer_id, new_id(), b"o" * 32)
        async with self.bank.house.store.begin() as tx:
            await tx.sessions.insert(row)
            await tx.sessions.insert(msgspec.structs.replace(row, session_id=other.id, secret_digest=other.digest))
        return token.text()

    async def _link(self, person: Person, *, is_linked: bool) -> None:
        """Free both accounts of whoever had them; let the person have linked them, and agreed to their region."""
        who, now, keyring = self._id(person), self.bank.clock.now(), self.bank.house.keys
        async with self.bank.house.store.begin() as tx:
            for provider, name in NAMES.items():
                digests = (keyring.digest("social", f"{provider}:{name}"),)
                if (before := await tx.social.holder(provider, digests)) is not None:
                    await tx.social.unlink(before, provider)
                if not is_linked:
                    continue
                account = SocialAccount(customer_id=who, provider=provider, names=(name,), linked_at=now, used_at=now)
                await tx.social.link(account, digests)
            if is_linked:
                await tx.consents.give(who, Purpose.WECHAT_REGION, "v1", now)

    async def _stop_link(self, person: Person) -> str:
        token = random_symbols(limits.STOP_LINK_SYMBOLS)
        row = StopLinkRow(
            digest=self.bank.house.keys.digest("stop-link", token), customer_id=self._id(person),
            expires_at=self.bank.clock.now() + limits.STOP_LINK_SECONDS,
        )  # fmt: skip
        async with self.bank.house.store.begin() as tx:
            await tx.stop_links.insert(row)
        return token

    async def _permit(self, person: Person) -> str:
        symbols, now = random_symbols(limits.LONG_CODE_SYMBOLS), self.bank.clock.now()
        row = PermitRow(
            customer_id=self._id(person), digest=self.bank.house.keys.digest("permit", symbols), created_at=now,
            expires_at=now + 86400,
        )  # fmt: skip
        async with self.bank.house.store.begin() as tx:
            await tx.permits.insert(row)
        return symbols

    async def _passkey(self, person: Person) -> Authenticator:
        key, who = a_key(self.bank.url), self._id(person)
        key.create({"user": {"id": b64(UUID(who).bytes)}, "rp": {"id": "localhost"}, "challenge": ""})
        row = PasskeyRow(
            customer_id=who, passkey_id=new_id(), credential_id=key.credential_id, public_key=key.public, sign_count=0,
            is_synced_kind=False, is_backed_up=False, name="", agent="test",
            created_at=self.bank.clock.now() - 2 * 86400, used_at=0,
        )  # fmt: skip
        async with self.bank.house.store.begin() as tx:
            await tx.passkeys.insert(row, digest_of(self.bank.house.keys, key.credential_id))
        return key
