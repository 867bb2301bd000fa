"""The demo's staff: two tellers and a supervisor at one outlet, a teller at another, an auditor, administrators.

Their passwords and the secrets of their one-time codes are published, so the demo page can show the code of this
moment: nobody needs an authenticator app to look behind the counter. Their outlets never close, whatever the hour.
"""

from __future__ import annotations

import base64
import hashlib
from typing import Final

import msgspec
import pyotp

from foregate.bootstrap import Foregate
from foregate.ids import new_id
from foregate.ports.counter import Role, StaffMember
from foregate.ports.credentials import StaffSecret
from foregate.ports.outlets import Outlet
from foregate.rules import limits

PASSWORD: Final = "lantern-by-the-door-9"
NEVER_CLOSED: Final = "24/7"


class Colleague(msgspec.Struct, frozen=True):
    """One fictional member of staff."""

    user_name: str
    name: str
    role: Role
    outlet_id: str | None = None

    @property
    def totp_secret(self) -> str:
        """The secret of their one-time codes: published, like everything of the demo."""
        return base64.b32encode(hashlib.sha256(f"demo staff {self.user_name}".encode()).digest()[:20]).decode()

    def code(self, now: int) -> str:
        """The one-time code of this moment."""
        return pyotp.TOTP(self.totp_secret).at(now)


OUTLETS: Final = (
    Outlet(outlet_id="D101", name="示范银行南屏支行", name_latin="Nanping Branch", address="南屏钟巷1号",
           province="浙江省", city="杭州市", district="西湖区", latitude=30.2310, longitude=120.1440,
           phone="0571-0001101", wheelchair="yes", languages=("zh", "en"), hours=NEVER_CLOSED),
    Outlet(outlet_id="D102", name="示范银行北关支行", name_latin="Beiguan Branch", address="北关夜市里2号",
           province="浙江省", city="杭州市", district="拱墅区", latitude=30.3120, longitude=120.1420,
           phone="0571-0001102", wheelchair="limited", languages=("zh",), hours=NEVER_CLOSED),
)  # fmt: skip

STAFF: Final = (
    Colleague("shenjing", "沈静", Role.TELLER, "D101"),
    Colleague("gaoyuan", "高远", Role.TELLER, "D101"),
    Colleague("liangshumin", "梁书敏", Role.SUPERVISOR, "D101"),
    Colleague("luchuan", "陆川", Role.TELLER, "D102"),
    Colleague("qiuming", "邱明", Role.AUDITOR),
    Colleague("fangyi", "方怡", Role.ADMINISTRATOR),
    Colleague("tangli", "唐莉", Role.ADMINISTRATOR),
)


def colleague(user_name: str) -> Colleague:
    """Return somebody by their user name. Raises KeyError."""
    found = next((colleague for colleague in STAFF if colleague.user_name == user_name), None)
    if found is None:
        raise KeyError(user_name)
    return found


def code_seconds(now: int) -> int:
    """Return how long the codes of this moment last."""
    return int(limits.TOTP_STEP_SECONDS - now % limits.TOTP_STEP_SECONDS)


async def settle_staff(house: Foregate) -> None:
    """Bring staff and their outlets in. Does nothing for a bank that has its staff already."""
    now = house.world.clock.now()
    async with house.store.begin() as tx:
        if await tx.staff.by_user_name(STAFF[0].user_name):
            return
    password_hash = await house.hasher.hash(PASSWORD)
    async with house.store.begin() as tx:
        await tx.outlets.put(OUTLETS, now)
        for each in STAFF:
            member = StaffMember(
                staff_id=new_id(),
                user_name=each.user_name,
                name=each.name,
                role=each.role,
                outlet_id=each.outlet_id,
                core_ref=None,
                is_active=True,
                created_at=now,
            )
            await tx.staff.insert(member)
            await tx.staff_credentials.put_secret(
                StaffSecret(
                    staff_id=member.staff_id,
                    password_hash=password_hash,
                    totp_secret=each.totp_secret,
                    last_step=0,
                    created_at=now,
                )
            )
