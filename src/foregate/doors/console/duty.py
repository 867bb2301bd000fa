"""Who works the console: the cookie, the session behind it, and what somebody without the right is told.

Every route says which right it asks for (`routes.py`). It is held against the member's role before the handler runs;
the verbs of `counter` then ask anew, in their own transaction, with the member as the database knows them.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from foregate.counter import sessions
from foregate.counter.guard import Objected
from foregate.counter.sessions import OnDuty
from foregate.counter.views import Actor
from foregate.doors.console.refusals import refusal_page, signed_out_page
from foregate.doors.requests import language_of, source_of
from foregate.rules.staff import WHO_MAY, Right
from foregate.situation import World

COOKIE = "staff"
CEREMONY = "staff-ceremony"
Handler = Callable[[Request, OnDuty], Awaitable[Response]]


class NotAdmitted(Objected):
    """The member's role has not the right that an address asks for."""

    def __init__(self, right: Right) -> None:
        super().__init__("no-right")
        self.right = right


def world_of(request: Request) -> World:
    """Return the world outside."""
    return request.app.state.desk.house.world  # type: ignore[no-any-return]  # app.state is untyped


def actor_of(request: Request, duty: OnDuty) -> Actor:
    """Return the member as the counter's verbs are told of them."""
    return Actor(staff_id=duty.member.staff_id, source=source_of(request), language=language_of(request))


async def duty_of(request: Request, *, is_used: bool = True) -> OnDuty | None:
    """Return who is signed in here. What the page fetches by itself keeps nobody signed in."""
    token = request.app.state.cookies.read(request, COOKIE)
    duty = await sessions.check(world_of(request), token, is_used=is_used and "x-part" not in request.headers)
    if duty is not None and duty.member.outlet_id is not None:
        async with world_of(request).store.begin() as tx:
            request.state.outlet = await tx.outlets.find(duty.member.outlet_id)
    return duty


def staffed(
    handler: Handler, right: Right | None, *, is_used: bool = True, is_guarded: bool = False
) -> Callable[[Request], Awaitable[Response]]:
    """Return `handler` for members with `right`. `is_guarded`: the handler calls no verb that asks by itself."""

    async def endpoint(request: Request) -> Response:
        duty = await duty_of(request, is_used=is_used)
        if duty is None:
            return _sign_in_first(request)
        try:
            if right is not None:
                await admit(request, duty, right, is_guarded=is_guarded)
            return await handler(request, duty)
        except Objected as objected:
            return refusal_page(request, duty, objected, getattr(objected, "right", None))

    return endpoint


async def admit(request: Request, duty: OnDuty, right: Right, *, is_guarded: bool = False) -> None:
    """Let a member with `right` go on. Raises Objected, having written it down."""
    guard, actor = request.app.state.counter.guard, actor_of(request, duty)
    if duty.member.role not in WHO_MAY[right]:
        await guard.note(actor, right.value, "no-right")
        raise NotAdmitted(right)
    if is_guarded:
        await guard.authorise(actor, right)


def _sign_in_first(request: Request) -> Response:
    if request.method == "GET" and "x-part" not in request.headers:
        return RedirectResponse(f"/console/sign-in?back={quote(request.url.path)}", 303)
    return signed_out_page(request)
