"""What a member of staff is told when something cannot be done: why, who may, and what works instead."""

from __future__ import annotations

from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from foregate.counter.guard import Objected
from foregate.counter.sessions import OnDuty
from foregate.doors.console.render import respond
from foregate.rules.staff import WHO_MAY, Right

# What the status says to a program; everything else is a plain refusal.
STATUS: Final = {
    "too-many-searches": 429, "too-many-changes": 429, "code-too-soon": 429,
    "input-invalid": 422, "reason-missing": 422, "note-missing": 422, "search-unclear": 422, "outlet-missing": 422,
    "already-proposed": 409, "proposal-settled": 409, "proposal-swapped": 409, "customer-changed": 409,
    "user-name-taken": 409, "needs-two": 409, "number-taken": 409, "nothing-to-do": 409,
    "proposal-unknown": 404, "staff-unknown": 404, "file-closed": 404, "not-registered": 404, "core-unreachable": 503,
    "proposal-expired": 410,
}  # fmt: skip


def status_of(objection: str) -> int:
    """Return the HTTP status of an objection."""
    return STATUS.get(objection, 403)


def refusal_page(request: Request, duty: OnDuty, objected: Objected, right: Right | None = None) -> Response:
    """Return the page of an objection that no form takes."""
    roles = WHO_MAY[right] if right is not None else ()
    response = respond(
        request, duty, "refused.html", status=status_of(objected.objection), problem=objected, roles=roles
    )
    if objected.retry_in_seconds is not None:
        response.headers["Retry-After"] = str(objected.retry_in_seconds)
    return response


def signed_out_page(request: Request) -> Response:
    """Return what somebody is told whose session ended while they were typing."""
    return respond(request, None, "signed_out.html", status=401)
