"""Staff to test with: members who are enrolled, and their browsers at the console.

bank = await open_bank(database_url)
teller = await hire(bank, "zhou.teller", Role.TELLER, outlet_id="0001")
console = Console(bank)
await console.sign_in(teller)
page = await console.get("/console")
"""

from __future__ import annotations

import html
import re
from dataclasses import dataclass, field
from typing import Any

import httpx2
import pyotp

from foregate.counter import sign_in_enrol
from foregate.ids import new_id
from foregate.ports.counter import Role, StaffMember
from foregate.ports.outlets import Outlet
from foregate.rules import limits
from tests.bank import ORIGIN, Bank

PASSWORD = "seven quiet otters 12"
ALWAYS_OPEN = "24/7"


@dataclass
class Hired:
    """A member of staff as they know themselves. `steps` are the one-time codes that were used up."""

    member: StaffMember
    totp_secret: str
    password: str = PASSWORD
    steps: set[int] = field(default_factory=set)

    def code(self, now: int, shift: int = 0) -> str:
        """The one-time code of this moment."""
        return pyotp.TOTP(self.totp_secret).at(now + shift * limits.TOTP_STEP_SECONDS)


async def open_outlet(bank: Bank, outlet_id: str = "0001", name: str = "滨江支行", hours: str = ALWAYS_OPEN) -> None:
    """Open an outlet."""
    async with bank.house.store.begin() as tx:
        await tx.outlets.put([Outlet(outlet_id=outlet_id, name=name, hours=hours)], bank.clock.now())


async def hire(
    bank: Bank, user_name: str, role: Role, *, outlet_id: str | None = None, core_ref: str | None = None, name: str = ""
) -> Hired:
    """Have somebody begin to work here, with password and one-time codes."""
    member = StaffMember(
        staff_id=new_id(), user_name=user_name, name=name or user_name, role=role, outlet_id=outlet_id,
        core_ref=core_ref, is_active=True, created_at=bank.clock.now(),
    )  # fmt: skip
    async with bank.house.store.begin() as tx:
        await tx.staff.insert(member)
        code = await sign_in_enrol.issue(bank.house.world, tx, member.staff_id, actor="test", source="")
    invited = await sign_in_enrol.look(bank.house.world, code)
    assert isinstance(invited, sign_in_enrol.Invited)
    hired = Hired(member, invited.totp_secret)
    chosen = await sign_in_enrol.choose_password(
        bank.house.world, code, password=PASSWORD, one_time_code=hired.code(bank.clock.now(), -1), bank="", source=""
    )
    assert isinstance(chosen, StaffMember)
    return hired


@dataclass
class Page:
    """What the console answered."""

    status: int
    text: str
    raw: httpx2.Response

    @property
    def words(self) -> str:
        """The text as a person reads it."""
        return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", self.text.partition("<main")[2])).split())

    @property
    def location(self) -> str:
        """Where it leads."""
        return self.raw.headers.get("location", "")


@dataclass
class Console:
    """One browser of a member of staff."""

    bank: Bank
    language: str = "en"
    client: httpx2.AsyncClient = field(init=False)

    def __post_init__(self) -> None:
        self.client = self.bank.visitor().client
        self.client.headers["Accept-Language"] = self.language

    async def get(self, path: str, **options: Any) -> Page:
        """Look at a page."""
        return self._page(await self.client.get(path, **options))

    async def post(self, path: str, **fields: str) -> Page:
        """Send a form from our own page."""
        return self._page(await self.client.post(path, data=fields, headers={"Origin": ORIGIN}))

    async def sign_in(self, hired: Hired, **changes: str) -> Page:
        """Sign in by password and one-time code; a new code each time."""
        now = self.bank.clock.now()
        if "code" not in changes and now // limits.TOTP_STEP_SECONDS in hired.steps:
            self.bank.clock.turn(int(limits.TOTP_STEP_SECONDS))
            now = self.bank.clock.now()
        hired.steps.add(now // limits.TOTP_STEP_SECONDS)
        fields = {"user_name": hired.member.user_name, "password": hired.password, "code": hired.code(now)}
        return await self.post("/console/sign-in", **{**fields, **changes})

    @property
    def token(self) -> str | None:
        """The cookie that says who is here."""
        return self.client.cookies.get("__Host-staff")

    def _page(self, raw: httpx2.Response) -> Page:
        return Page(raw.status_code, raw.text, raw)
