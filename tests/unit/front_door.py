"""A front door without a house behind it: the real pages and tables, and a desk that says what a test wants."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any, cast

from starlette.applications import Starlette

from foregate.acts import (
    close_permission,
    devices,
    end_sessions,
    open_session,
    passkeys,
    register,
    renew_document,
    renew_face,
    reopen,
    set_password,
    social,
)
from foregate.desk.accounts import Holding
from foregate.desk.answers import Answered
from foregate.desk.desk import Desk
from foregate.desk.sessions import CardView, DeviceView, Me, SessionView
from foregate.desk.turn import Caller, House
from foregate.desk.view import Option, OtherWay, Outcome, Pending, Reply, StepView, View
from foregate.doors import pages
from foregate.doors.cookies import Cookies
from foregate.ports import Keyring, SessionRow
from foregate.ports.accounts import Account, Balance, BalanceType, Indicator
from foregate.proofs import card_pin, face, passkey, password, permit, phone_code
from foregate.rules.inputs import fields_of
from foregate.rules.journeys import BUILT, JOURNEYS
from foregate.rules.money import Money
from foregate.rules.policy import POLICY
from foregate.rules.social import Attribute, Provider
from foregate.rules.words import Level
from foregate.settings import Settings
from foregate.situation import World

JOURNEY_ID = "0190a6f0-0000-7000-8000-000000000001"
PROOFS: tuple[Any, ...] = (phone_code, password, card_pin, passkey, permit, face)
ACTS: tuple[Any, ...] = (
    open_session, register, reopen, set_password, renew_document, renew_face, renew_face.WITHDRAW, close_permission,
    end_sessions.END, end_sessions.END_ALL, end_sessions.REVOKE, devices.REMEMBER, devices.FORGET,
    passkeys.ADD, passkeys.REMOVE, passkeys.RENAME,
    *social.KINDS,
)  # fmt: skip
CODE_FACTS: Mapping[str, str | int] = {
    "code_expires_in_seconds": 300,
    "resend_in_seconds": 58,
    "sends": 1,
    "sends_left": 3,
    "code_length": 6,
    "text_us": "12345678",
    "phone": "138****8000",
}


class Derives:
    """As much of a keyring as cookies need."""

    def derive(self, purpose: str, data: bytes) -> bytes:
        return hmac.new(purpose.encode(), data, hashlib.sha256).digest()


class QuietThrottle:
    """Nobody is in a hurry."""

    async def hit(self, key: str, per_minute: int) -> int:
        return 0


class NoJourneys:
    """A store in which nobody has begun anything."""

    journeys = property(lambda self: self)

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[NoJourneys]:
        yield self

    async def lock(self, journey_id: str) -> None:
        return None


class TellingDesk(Desk):
    """Says `reply` to everything, and keeps what it was asked."""

    def __init__(self) -> None:
        tables: dict[str, Any] = {
            "proofs": {kind.PROOF.name: kind for kind in PROOFS},
            "acts": {name: kind for kind in ACTS for name in kind.ACTS},
        }
        # Both providers are set up, so that the pages have their buttons.
        parts = {
            "faces": None,
            "social": dict.fromkeys(Provider),
            "attributes": tuple(Attribute),
            "store": NoJourneys(),
        }
        world = cast(World, type("NoWorld", (), parts)())
        super().__init__(House(world=world, journeys=JOURNEYS, policy=POLICY, built=BUILT, **tables))
        self.reply = Reply()
        self.asked: list[tuple[str, Any]] = []

    async def start(self, name: str, caller: Caller, first: Answered | None = None, key: str | None = None) -> Reply:
        self.asked.append((name, first))
        return self.reply

    async def pending(self, caller: Caller) -> Pending | None:
        return None

    async def look(self, journey_id: str, caller: Caller) -> Reply:
        return self.reply

    async def answer(self, journey_id: str, caller: Caller, answered: Answered) -> Reply:
        self.asked.append((journey_id, answered))
        return self.reply


class OneCustomer:
    """Sessions of one customer, signed in as far as `level`; nobody while it is None."""

    def __init__(self) -> None:
        self.level: Level | None = None
        self.may_want_care = False

    async def check(self, text: str | None) -> SessionRow | None:
        if self.level is None:
            return None
        return SessionRow(
            customer_id="c", session_id="s", secret_digest=b"", level=self.level, evidence=(("phone_code", 0),),
            device_id=None, agent="", created_at=0, seen_at=0, expires_at=43_200,
        )  # fmt: skip

    async def me(self, session: SessionRow) -> Me | None:
        return Me(
            name="**晴", user_name="linwanqing", phone="138****8000", level=session.level,
            cards=(CardView(card="•••• 0105"), CardView(card="•••• 1004")),
            is_device_remembered=False, idle_in_seconds=300, ends_in_seconds=43_200,
            may_want_care=self.may_want_care,
        )  # fmt: skip

    async def sessions_of(self, session: SessionRow) -> tuple[SessionView, ...]:
        agents = ("Mozilla/5.0 (Linux; Android 9) Chrome/89 Mobile Safari/537", "Mozilla/5.0 (iPhone) Safari/604")
        return tuple(
            SessionView(
                id=f"s{n}", level=Level.FULL, agent=agent, is_this=n == 0, started_seconds_ago=300, seen_seconds_ago=9
            )
            for n, agent in enumerate(agents)
        )

    async def devices_of(self, session: SessionRow) -> tuple[DeviceView, ...]:
        agent = "Mozilla/5.0 (iPad; CPU OS 15_0) Safari/604"
        return (DeviceView(id="d0", agent=agent, is_this=False, remembered_seconds_ago=9_000_000, seen_seconds_ago=9),)


class OneAccount:
    """The accounts of that customer."""

    async def all(self, session: SessionRow) -> tuple[Holding, ...]:
        account = Account(
            account_id="a", core_ref="c", scheme_name="PAN", identification="9906000000000105", currency="CNY",
            product="借记卡",
        )  # fmt: skip
        balance = Balance(
            balance_type=BalanceType.INTERIM_AVAILABLE, amount=Money(123_456, "CNY"),
            credit_debit_indicator=Indicator.CREDIT, reference_date="2026-11-24",
        )  # fmt: skip
        return (Holding(account, (balance,)),)


class FrontDoor:
    """The application, and the strings a test pulls."""

    def __init__(self, *, is_demo: bool = False) -> None:
        self.desk = TellingDesk()
        self.sessions = OneCustomer()
        self.accounts = OneAccount()
        self.settings = Settings(
            origin="https://login.bank.example", bank_name="示范银行", hotline="95000",
            text_us_number="1069095000", is_demo=is_demo,
        )  # fmt: skip
        self.app = Starlette(routes=pages.routes())
        state = self.app.state
        state.settings, state.desk, state.sessions = self.settings, self.desk, self.sessions
        state.cookies = Cookies(self.settings, cast(Keyring, Derives()))
        state.accounts = self.accounts
        state.throttle, state.proxies = QuietThrottle(), ()


def step(name: str) -> StepView:
    """Return a step as the desk shows it."""
    house = TellingDesk().house
    if name == "phone_code":
        actions = ("resend", "text-us")
        return StepView(name=name, kind="prove", fields=fields_of(phone_code.Answer), actions=actions, facts=CODE_FACTS)
    if name in house.proofs:
        return StepView(name=name, kind="prove", fields=fields_of(house.proofs[name].ANSWER))
    if name == "pick":
        from foregate.desk.identify import PickAnswer

        options = (Option("a", "**军"), Option("b", "*梅"))
        return StepView(name=name, kind="pick", fields=fields_of(PickAnswer), options=options)
    wanted = house.acts[name].INPUT
    return StepView(name=name, kind="inform", fields=fields_of(wanted) if wanted else ())


def view(asked: str | None, journey: str = "sign-in", *, status: str = "open", others: tuple[str, ...] = ()) -> View:
    """Return a journey that asks `asked`."""
    return View(
        id=JOURNEY_ID,
        journey=journey,
        version=3,
        status=status,
        step=step(asked) if asked else None,
        other_ways=tuple(OtherWay(name, "prove") for name in others),
        expires_in_seconds=840,
        outcome=Outcome(act=JOURNEYS[journey].act) if status == "done" else None,
    )
