"""The demo's own pages: the people to try, and the simulated phone on which the bank's messages arrive."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any, Final

import msgspec
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from foregate.demo import accounts
from foregate.demo.people import PEOPLE
from foregate.demo.phone import SimulatedPhone
from foregate.demo.staff import PASSWORD as STAFF_PASSWORD
from foregate.demo.staff import STAFF, code_seconds
from foregate.doors.clients import CLAIM, claimed_agent
from foregate.doors.pages import assets, forms
from foregate.doors.pages.render import Page, add_templates, respond, since
from foregate.doors.requests import caller_of, language_of
from foregate.rules.inputs import BadInput, normal_phone

FOLDER: Final = Path(__file__).parent
SHOWN: Final = 30
# What the demo's visitors may claim to come with; the demo's minimums lie between old and new.
CLAIMS: Final = (
    "ForegateApp/2.9", "ForegateApp/3.4", "MicroMessenger/7.0.10", "MicroMessenger/8.0.50", "AlipayClient/9.0",
    "Chrome/60.0 Safari/537.36",
)  # fmt: skip
MINIMUMS: Final = ("app=3.2", "wechat=8.0", "alipay=10.3", "chrome=80")


class Shown(msgspec.Struct, frozen=True):
    """A message as the page lists it. `code` is offered to be copied."""

    id: str
    phone: str
    text: str
    ago: str
    code: str | None


async def show_people(request: Request) -> Response:
    """Who can be tried, in which situation, with everything they know."""
    await caller_of(request)
    now = request.app.state.desk.house.world.clock.now()
    staff = [(each, each.code(now)) for each in STAFF]
    facts: dict[str, Any] = {
        "people": PEOPLE,
        "staff": staff,
        "staff_password": STAFF_PASSWORD,
        "code_seconds": code_seconds(now),
    }
    return respond(Page(template="people.html", back="/demo"), request, **facts)


async def show_phone(request: Request) -> Response:
    """The messages of one number, or of all, the newest first."""
    await caller_of(request)
    phone = _chosen(request.query_params.get("of"))
    return respond(
        Page(template="phone.html", back="/demo/phone"),
        request,
        messages=await _messages(request, phone),
        phone=phone,
        numbers=_numbers(),
        sent=request.query_params.get("sent"),
        paid=request.query_params.get("paid"),
        poll=poll().path,
    )


async def show_messages(request: Request) -> Response:
    """The same for the page's script, and for whoever writes a test."""
    messages = await _messages(request, _chosen(request.query_params.get("of")))
    return Response(msgspec.json.encode(messages), media_type="application/json")


async def send_text(request: Request) -> Response:
    """Send the bank a text from a simulated number."""
    form = await forms.posted(request)
    phone = _chosen(form.get("phone"))
    phones: SimulatedPhone = request.app.state.phones
    is_taken = phone is not None and await phones.text_us(phone, form.get("text", ""))
    of = f"&of={phone.removeprefix('+86')}" if phone else ""
    return RedirectResponse(f"/demo/phone?sent={'yes' if is_taken else 'no'}{of}", 303)


async def pay_somebody(request: Request) -> Response:
    """Let 300 yuan come to somebody's card: on their phone stands what they chose to be told."""
    key = (await forms.posted(request)).get("person")
    person = next((each for each in PEOPLE if each.key == key and each.login), None)
    if person is None or person.login is None:
        return RedirectResponse("/demo", 303)
    messages = await accounts.pay(request.app.state.desk.house.world, person)
    phone = person.login.phone.removeprefix("+86")
    return RedirectResponse(f"/demo/phone?paid={'told' if messages else 'silent'}&of={phone}", 303)


async def show_app(request: Request) -> Response:
    """The app's shell: claim to be an old version of something, and see the front door say so."""
    await caller_of(request)
    page = Page(template="app.html", back="/demo/app")
    return respond(page, request, claims=CLAIMS, agent=claimed_agent(request))


async def claim(request: Request) -> Response:
    """Claim to be one of these from now on; nothing else may be claimed."""
    chosen = (await forms.posted(request)).get("claim", "")
    response = RedirectResponse("/demo/app", 303)
    if chosen in CLAIMS:
        request.app.state.cookies.set(response, CLAIM, chosen)
    else:
        request.app.state.cookies.clear(response, CLAIM)
    return response


async def serve_poll(request: Request) -> Response:
    """The script that keeps the phone fresh."""
    return assets.serve(request, poll())


def routes() -> list[BaseRoute]:
    """Return the demo's routes."""
    add_templates(FOLDER / "templates")
    return [
        Route("/demo", show_people, methods=["GET"]),
        Route("/demo/pay", pay_somebody, methods=["POST"]),
        Route("/demo/phone", show_phone, methods=["GET"]),
        Route("/demo/phone", send_text, methods=["POST"]),
        Route("/demo/phone/messages.json", show_messages, methods=["GET"]),
        Route("/demo/app", show_app, methods=["GET"]),
        Route("/demo/app", claim, methods=["POST"]),
        Route(poll().path, serve_poll, methods=["GET"]),
    ]


@cache
def poll() -> assets.Asset:
    """Return the phone's script."""
    return assets.asset("phone", "js", assets.minified_js((FOLDER / "poll.js").read_text("utf-8")))


async def _messages(request: Request, phone: str | None) -> list[Shown]:
    phones: SimulatedPhone = request.app.state.phones
    now, language = request.app.state.desk.house.world.clock.now(), language_of(request)
    return [
        Shown(m.message_id, m.phone, m.text, since(language, "demo.ago", now - m.at), m.code)
        for m in (await phones.messages(phone))[:SHOWN]
    ]


def _chosen(text: str | None) -> str | None:
    try:
        return normal_phone(text or "")
    except BadInput:
        return None


@cache
def _numbers() -> list[tuple[str, str]]:
    """Return every number that somebody holds, with their names."""
    held: dict[str, list[str]] = {}
    for person in PEOPLE:
        for phone in person.holds:
            held.setdefault(phone, []).append(person.name)
    return [(phone, "、".join(names)) for phone, names in held.items()]
