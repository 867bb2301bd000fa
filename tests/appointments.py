"""An outlet to book at, and the ways in which tests book there."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from foregate.desk.bookings import moment_of
from foregate.outlets import appointments, queue
from foregate.ports.outlets import Appointment, Outlet
from foregate.rules.appointments import State
from tests.bank import NOW, Answer, Bank, Visitor

# Open every day, all day: what a test books does not depend on the week. Times at NOW are Friday, 16:00 there.
HALL = Outlet(
    outlet_id="N001",
    name="人民路支行",
    name_latin="Renmin Road",
    address="人民路 1 号",
    province="示例省",
    city="示例市",
    latitude=31.2,
    longitude=121.5,
    phone="0215550000",
    hours="24/7",
)
HOUR = 3600
TOMORROW_TEN = NOW + 18 * HOUR  # 10:00 there


def iso(moment: int) -> str:
    """Return a moment as a client would send it."""
    return datetime.fromtimestamp(moment).astimezone().isoformat()


def number(n: int) -> str:
    """Return the n-th mobile number."""
    return f"+86139{n:04d}{n:04d}"


async def put_outlet(bank: Bank, outlet: Outlet = HALL, **capacity: int) -> None:
    """Open an outlet; `capacity` is by service, with `_` for `-`."""
    async with bank.house.store.begin() as tx:
        await tx.outlets.put((outlet,), bank.clock.now())
        for service, people in capacity.items():
            await tx.appointments.set_capacity(outlet.outlet_id, service.replace("_", "-"), people)


def wanted(phone: str, starts_at: int = TOMORROW_TEN, service: str = "phone-change", **changes: Any) -> dict[str, Any]:
    """Return the answer that asks for a place."""
    answer = {
        "phone": phone,
        "surname": "王",
        "outlet": HALL.outlet_id,
        "service": service,
        "starts_at": iso(starts_at),
    }
    return answer | changes


async def hold(visitor: Visitor, phone: str, starts_at: int = TOMORROW_TEN, **changes: Any) -> Answer:
    """Ask for a place: it is held, and a code is sent."""
    return await visitor.start("book-appointment", "anybody", **wanted(phone, starts_at, **changes))


async def book(bank: Bank, phone: str, starts_at: int = TOMORROW_TEN, **changes: Any) -> tuple[Visitor, Answer]:
    """Ask for a place and prove the number. Returns who booked, and the last answer."""
    visitor = bank.visitor()
    held = await hold(visitor, phone, starts_at, **changes)
    if held.cause is not None:
        return visitor, held
    return visitor, await visitor.answer(code=await bank.code(phone))


def token_of(answer: Answer) -> str:
    """Return the secret of the link."""
    return str(answer.body["outcome"]["facts"]["href"]).rpartition("/")[2]


async def rows(bank: Bank, *states: State) -> list[Appointment]:
    """Return what the outlet has, and is in one of `states`."""
    async with bank.house.store.begin() as tx:
        found = await tx.appointments.of_outlet(HALL.outlet_id, 0, 1 << 40)
    return [row for row in found if not states or row.state in states]


__all__ = ["HALL", "TOMORROW_TEN", "appointments", "book", "hold", "iso", "moment_of", "number", "put_outlet", "queue",
           "rows", "token_of", "wanted"]  # fmt: skip
