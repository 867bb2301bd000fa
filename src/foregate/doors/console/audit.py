"""The record for those who check it: verified while it is shown."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from foregate.counter.sessions import OnDuty
from foregate.counter.views import Audited
from foregate.doors.console.duty import actor_of
from foregate.doors.console.render import may, respond


def _before(request: Request) -> int | None:
    text = request.query_params.get("before", "")
    return int(text) if text.isdecimal() and len(text) < 12 else None


async def show_alarms(request: Request, duty: OnDuty) -> Response:
    """Every alarm, the newest first; and whose record can be looked at."""
    counter, actor = request.app.state.counter, actor_of(request, duty)
    members = await counter.staff.all(actor) if may(duty, "see-staff") else ()
    audited = await counter.records.alarms(actor, _before(request))
    return _page(request, duty, audited, "alarms", "", members=members)


async def show_staff_audit(request: Request, duty: OnDuty) -> Response:
    """One member of staff."""
    counter, actor, staff_id = request.app.state.counter, actor_of(request, duty), request.path_params["staff_id"]
    audited = await counter.records.staff(actor, staff_id, _before(request))
    member = await counter.staff.find(actor, staff_id)
    return _page(request, duty, audited, "staff", f"/console/exports/staff/{staff_id}.csv", whose=member.name)


async def show_customer_audit(request: Request, duty: OnDuty) -> Response:
    """One customer."""
    counter, actor, ref = request.app.state.counter, actor_of(request, duty), request.path_params["ref"]
    audited = await counter.records.customer(actor, ref, _before(request))
    return _page(request, duty, audited, "customer", f"/console/exports/customer/{ref}.csv")


def _page(request: Request, duty: OnDuty, audited: Audited, what: str, export: str, **facts: Any) -> Response:
    shown: dict[str, Any] = {"audited": audited, "what": what, "export": export, "members": (), "whose": "", **facts}
    return respond(request, duty, "audit.html", tab="audit", here=request.url.path, **shown)
