"""What administrators say of one outlet above the bank's file: its name, its entrance, what it does; and its end.

What is said here no import takes back. An outlet is closed only when nobody is booked there and nobody works there:
whoever is booked would stand before a locked door, and whoever works there could not sign in.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Final

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from foregate.counter.sessions import OnDuty
from foregate.doors.console.duty import world_of
from foregate.doors.console.outlets import above, back_to, managed_of, page_of, record
from foregate.doors.pages import forms
from foregate.outlets import appointments, queue
from foregate.ports import UnitOfWork
from foregate.ports.outlets import Managed, Own
from foregate.rules import limits
from foregate.rules.appointments import OPEN
from foregate.rules.services import ACCESS, SERVICES, UNSTAFFED

AS_FILED: Final = "as-filed"  # the button that takes back what was said here


async def set_facts(request: Request, duty: OnDuty) -> Response:
    """Name, address and entrance; what is left empty is taken from the file."""
    form, world = await forms.posted(request), world_of(request)
    access = form.get("wheelchair", "")
    if access not in ACCESS:
        return await page_of(request, duty, {"wheelchair": "not-offered"}, form)
    async with world.store.begin() as tx:
        managed = await managed_of(request, tx)
        said = {name: above(_line(form.get(name, "")), getattr(managed.filed, name)) for name in ("name", "address")}
        own = msgspec.structs.replace(managed.own, **said, wheelchair=above(access, managed.filed.wheelchair))
        await tx.own_outlets.say(managed, own, world.clock.now())
        await record(request, duty, tx, "outlet-facts-set", managed.outlet.outlet_id, **_told(own))
    return back_to(managed.outlet.outlet_id)


def _line(text: str) -> str:
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())[: limits.OUTLET_TEXT_CHARS]


def _told(own: Own) -> dict[str, str]:
    return {name: getattr(own, name) for name in ("name", "address", "wheelchair") if getattr(own, name) is not None}


async def set_services(request: Request, duty: OnDuty) -> Response:
    """What an outlet does, as ticks. One with people at it does something."""
    form, world = await forms.posted(request), world_of(request)
    async with world.store.begin() as tx:
        managed = await managed_of(request, tx)
        ticked = _ticked(form, managed)
        if ticked is not None:
            own = msgspec.structs.replace(managed.own, services=None if ticked == managed.filed.services else ticked)
            outlet = await tx.own_outlets.say(managed, own, world.clock.now())
            said = ",".join(outlet.services)
            await record(request, duty, tx, "outlet-services-set", outlet.outlet_id, services=said)
    if ticked is None:
        return await page_of(request, duty, {"services": "services"}, form)
    return back_to(managed.outlet.outlet_id)


def _ticked(form: dict[str, str], managed: Managed) -> tuple[str, ...] | None:
    """Return the services that are ticked, as a file would list them; None: nothing is, where something has to be."""
    if AS_FILED in form:
        return managed.filed.services
    ticked = tuple(code for code in SERVICES if f"service-{code}" in form)
    if managed.outlet.kind in UNSTAFFED:
        return ticked
    if not ticked:
        return None
    return () if len(ticked) == len(SERVICES) else ticked


# ---------------------------------------------------------------- the end of an outlet


async def close(request: Request, duty: OnDuty) -> Response:
    """Take it out of every list, unless somebody is booked or works there."""
    world = world_of(request)
    async with world.store.begin() as tx:
        managed = await managed_of(request, tx)
        in_use = await _in_use(tx, managed, world.clock.now())
        is_free = not any(in_use.values())
        if is_free and await tx.own_outlets.close(managed.outlet.outlet_id, world.clock.now()):
            await record(request, duty, tx, "outlet-closed", managed.outlet.outlet_id)
    if not is_free:
        return await page_of(request, duty, in_use=in_use)
    return back_to(managed.outlet.outlet_id)


async def reopen(request: Request, duty: OnDuty) -> Response:
    """Bring it back."""
    world = world_of(request)
    async with world.store.begin() as tx:
        managed = await managed_of(request, tx)
        if await tx.own_outlets.reopen(managed, world.clock.now()):
            await record(request, duty, tx, "outlet-reopened", managed.outlet.outlet_id)
    return back_to(managed.outlet.outlet_id)


async def _in_use(tx: UnitOfWork, managed: Managed, now: int) -> dict[str, int]:
    """Return how many are booked, from today on, and how many work there."""
    first, last = appointments.bookable_days(managed.outlet, now)
    booked = 0
    for ahead in range((last - first).days + 1):
        rows = await queue.on_day(tx, managed.outlet, first + timedelta(days=ahead))
        booked += sum(row.state in OPEN for row in rows)
    members = await tx.staff.all(managed.outlet.outlet_id)
    return {"booked": booked, "staff": sum(member.is_active for member in members)}
