"""Pages on which staff sign in, enrol and sign out."""

from __future__ import annotations

import io
import re
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response

from foregate.counter import sessions, sign_in, sign_in_enrol, sign_in_passkey
from foregate.counter.sessions import Opened
from foregate.counter.sign_in_enrol import BadChoice, Invited
from foregate.counter.sign_in_passkey import Ceremony
from foregate.doors.console.duty import CEREMONY, COOKIE, duty_of, world_of
from foregate.doors.console.render import respond
from foregate.doors.pages import forms
from foregate.doors.requests import source_of
from foregate.passkey_site import Site
from foregate.rules import limits
from foregate.situation import Refused

# Our own pages alone, without anything that a browser could read as another host.
OWN: Final = re.compile(r"/console(?:/[A-Za-z0-9_-]+)*")
SAID: Final = frozenset({"enrolled", "signed-out", "locked", "again"})
STATUS: Final = {sign_in.RESTING: 429, sign_in_enrol.CODE_UNKNOWN: 404, "busy-here": 429}


def _own(path: str | None) -> str:
    return path if path and OWN.fullmatch(path) else "/console"


def _site(request: Request) -> Site:
    return Site.of(request.app.state.settings)


async def _slowed(request: Request) -> Refused | None:
    """Count what arrives from one address. It slows a script down; the lock of the user name decides."""
    wait = await request.app.state.throttle.hit(f"staff:{source_of(request)}", limits.STARTS_PER_MINUTE)
    return Refused(cause="busy-here", retry_in_seconds=wait) if wait else None


# ---------------------------------------------------------------- sign in


async def show_sign_in(request: Request) -> Response:
    """The form. Whoever is signed in already may do so again, to consent."""
    done = request.query_params.get("done", "")
    return _sign_in_page(request, back=_own(request.query_params.get("back")), done=done if done in SAID else "")


def _sign_in_page(request: Request, refused: Refused | None = None, **facts: Any) -> Response:
    shown = {"back": "/console", "user_name": "", "done": "", "site": _site(request), "refused": refused, **facts}
    status = STATUS.get(refused.cause, 403) if refused else 200
    return respond(request, None, "sign_in.html", status=status, problem=refused, **shown)


async def give_password(request: Request) -> Response:
    """Password and one-time code, in one form."""
    form, cookies = await forms.posted(request), request.app.state.cookies
    back, user_name = _own(form.get("back")), form.get("user_name", "")[: limits.FIELD_CHARS]
    claim = sign_in.Claim(
        user_name=user_name,
        password=form.get("password", ""),
        code=form.get("code", ""),
        source=source_of(request),
        instead_of=cookies.read(request, COOKIE),
    )
    outcome = await _slowed(request) or await sign_in.sign_in(world_of(request), claim)
    if isinstance(outcome, Refused):
        return _sign_in_page(request, outcome, back=back, user_name=user_name)
    return _let_in(request, outcome, back)


async def ask_for_passkey(request: Request) -> Response:
    """What the authenticator has to sign."""
    if await _slowed(request):
        return JSONResponse({}, 429)
    return _ceremony(request, await sign_in_passkey.begin(world_of(request), _site(request)))


async def give_passkey(request: Request) -> Response:
    """What the authenticator signed."""
    form, cookies = await forms.posted(request), request.app.state.cookies
    outcome = await _slowed(request) or await sign_in_passkey.finish(
        world_of(request),
        _site(request),
        form.get("credential", ""),
        browser=cookies.read(request, CEREMONY),
        source=source_of(request),
        instead_of=cookies.read(request, COOKIE),
    )
    if isinstance(outcome, Refused):
        return _sign_in_page(request, outcome, back=_own(form.get("back")))
    return _let_in(request, outcome, _own(form.get("back")))


def _let_in(request: Request, opened: Opened, back: str) -> Response:
    response = RedirectResponse(back, 303)
    request.app.state.cookies.set(response, COOKIE, opened.token, is_strict=True)
    request.app.state.cookies.clear(response, CEREMONY)
    return response


def _ceremony(request: Request, ceremony: Ceremony | Refused) -> Response:
    if isinstance(ceremony, Refused):
        return JSONResponse({"cause": ceremony.cause}, STATUS.get(ceremony.cause, 403))
    response = Response(ceremony.options, media_type="application/json")
    seconds = int(limits.CHALLENGE_SECONDS)
    request.app.state.cookies.set(response, CEREMONY, ceremony.browser, seconds, is_strict=True)
    return response


# ---------------------------------------------------------------- the end of a session


async def sign_out(request: Request) -> Response:
    """End the session, here and on the server."""
    duty = await duty_of(request)
    if duty is not None:
        await sessions.end(world_of(request), duty, source_of(request))
    return _out(request, "signed-out")


async def show_locked(request: Request) -> Response:
    """Where an unattended page goes: nothing of it stays on the screen."""
    return (
        _out(request, "locked") if await duty_of(request, is_used=False) is None else RedirectResponse("/console", 303)
    )


def _out(request: Request, done: str) -> Response:
    response = RedirectResponse(f"/console/sign-in?done={done}", 303)
    request.app.state.cookies.clear(response, COOKIE)
    return response


async def tell_left(request: Request) -> Response:
    """How long the session lasts still. Asking keeps nothing; pressing the button does."""
    duty, now = await duty_of(request, is_used=request.method == "POST"), world_of(request).clock.now()
    if request.method == "POST" and "text/html" in request.headers.get("accept", ""):
        return RedirectResponse("/console", 303)
    if duty is None:
        return JSONResponse({"seconds": 0}, 401)
    seen_at = now if request.method == "POST" else duty.session.seen_at
    left = min(seen_at + limits.STAFF_IDLE_SECONDS, duty.session.expires_at) - now
    return JSONResponse({"seconds": max(0, int(left))})


# ---------------------------------------------------------------- enrolment


async def show_enrol(request: Request) -> Response:
    """The form for the code."""
    return _enrol_page(request)


def _enrol_page(request: Request, refused: Refused | None = None) -> Response:
    status = STATUS.get(refused.cause, 403) if refused else 200
    return respond(request, None, "enrol.html", status=status, problem=refused, refused=refused)


async def give_enrolment(request: Request) -> Response:
    """The code: who it is for, and what they may choose."""
    form = await forms.posted(request)
    code = form.get("enrolment", "")
    invited = await _slowed(request) or await sign_in_enrol.look(world_of(request), code)
    if isinstance(invited, Refused):
        return _enrol_page(request, invited)
    return _choose_page(request, code, invited)


def _choose_page(
    request: Request, code: str, invited: Invited, refused: Refused | None = None, wrong: dict[str, str] | None = None
) -> Response:
    secret = invited.totp_secret
    facts: dict[str, Any] = {
        "invited": invited,
        "enrolment": code,
        "site": _site(request),
        "qr": qr(invited.uri),
        "grouped": " ".join(secret[n : n + 4] for n in range(0, len(secret), 4)),
        "refused": refused,
        "wrong": wrong or {},
    }
    status = 422 if wrong else 403 if refused else 200
    return respond(request, None, "enrol_choose.html", status=status, problem=refused or wrong, **facts)


def qr(uri: str) -> str:
    """Return a QR code as SVG, drawn with attributes alone: the page's policy allows no inline style."""
    out = io.BytesIO()
    import segno

    segno.make(uri, error="m").save(out, kind="svg", xmldecl=False, svgns=False, omitsize=True, border=3, light="#fff")
    return out.getvalue().decode()


async def choose_password(request: Request) -> Response:
    """A password and one-time codes."""
    form, world = await forms.posted(request), world_of(request)
    code = form.get("enrolment", "")
    outcome = await _slowed(request) or await sign_in_enrol.choose_password(
        world,
        code,
        password=form.get("password", ""),
        one_time_code=form.get("one_time_code", ""),
        bank=request.app.state.settings.bank_name,
        source=source_of(request),
    )
    return await _chosen(request, code, outcome)


async def ask_for_new_passkey(request: Request) -> Response:
    """What the authenticator is to make."""
    form = await forms.posted(request)
    refused = await _slowed(request)
    return _ceremony(
        request,
        refused or await sign_in_enrol.begin_passkey(world_of(request), _site(request), form.get("enrolment", "")),
    )


async def choose_passkey(request: Request) -> Response:
    """What the authenticator made."""
    form = await forms.posted(request)
    code = form.get("enrolment", "")
    outcome = await _slowed(request) or await sign_in_enrol.choose_passkey(
        world_of(request),
        _site(request),
        code,
        form.get("credential", ""),
        browser=request.app.state.cookies.read(request, CEREMONY),
        source=source_of(request),
    )
    return await _chosen(request, code, outcome)


async def _chosen(request: Request, code: str, outcome: object) -> Response:
    invited = await sign_in_enrol.look(world_of(request), code) if isinstance(outcome, Refused | BadChoice) else None
    if isinstance(invited, Invited):
        refused = outcome if isinstance(outcome, Refused) else None
        wrong = outcome.wrong if isinstance(outcome, BadChoice) else None
        return _choose_page(request, code, invited, refused, wrong)
    if isinstance(invited, Refused):
        return _enrol_page(request, invited)
    return RedirectResponse("/console/sign-in?done=enrolled", 303)
