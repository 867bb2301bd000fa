"""The outlet finder: near the visitor, near a place, by words; and one outlet with all its facts.

The address of a search is its query string. Where the visitor is stands there too, rounded to about a kilometre by the
browser before it is sent; it is used for this answer and kept nowhere. Nobody signs in, and nobody is told apart.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final
from urllib.parse import quote, urlencode

import msgspec
from starlette.datastructures import URL
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from foregate.doors.outlet_query import Answer, Asked, asked_on_page, find
from foregate.doors.pages import assets
from foregate.doors.pages.problems import refuse
from foregate.doors.pages.render import Page, Say, respond, sayer
from foregate.doors.pages.tongue import Wish, remember, wished
from foregate.doors.requests import caller_of, language_of, seconds_to_wait, with_cookies
from foregate.doors.text import catalog
from foregate.local_time import at_place, day_of, hour_and_minute, say_day, say_when
from foregate.outlets.hours import OpenStatus, is_special, open_spans, status
from foregate.outlets.search import Listed, exceptions_around
from foregate.outlets.sketch import SIZE, Sketch, sketch
from foregate.ports.outlets import HoursException, Outlet
from foregate.rules import limits, places
from foregate.rules.services import SERVICES, offered

DAYS_SHOWN: Final = 7
SKETCH_METRES: Final = 50_000  # without a middle of its own, a list that is spread wider is not drawn
KM: Final = 1000
NEAR_KM: Final = 10
SHEETS: Final = ("outlets",)


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """An outlet as the list shows it, in words."""

    outlet: Outlet
    address: str
    distance: str
    status: str
    is_open: bool | None
    services: str
    href: str
    book: str | None


class Day(msgspec.Struct, frozen=True):
    """A day at an outlet: when it is open, and why that is unusual."""

    name: str
    times: str
    note: str


async def show_finder(request: Request) -> Response:
    """The form, and what was found."""
    await caller_of(request)
    if (wish := wished(request, request.query_params)) is not None:
        return _looking_so(request, wish)
    asked = asked_on_page(request.query_params)
    if asked.is_empty:
        return _finder(request, asked, is_sent="q" in request.query_params)
    if (refusal := await too_often(request)) is not None:
        return refusal
    world = request.app.state.desk.house.world
    async with world.store.glance() as outlets:
        answer = await find(outlets, asked, world.clock.now())
    return _finder(request, asked, _found(language_of(request), asked, answer, world.clock.now()))


async def show_outlet(request: Request) -> Response:
    """One outlet: where, when, what for, and how to get there."""
    await caller_of(request)
    if (refusal := await too_often(request)) is not None:
        return refusal
    world = request.app.state.desk.house.world
    async with world.store.glance() as outlets:
        outlet = await outlets.find(request.path_params["outlet_id"][: limits.OUTLET_ID_CHARS])
        said = await exceptions_around(outlets, (outlet.outlet_id,), world.clock.now()) if outlet else ()
    if outlet is None:
        return await refuse(request, "not-found")
    return _outlet_page(request, outlet, said, world.clock.now())


def routes() -> list[BaseRoute]:
    """Return the routes of the finder."""
    return [
        Route("/outlets", show_finder, methods=["GET"]),
        Route("/outlets/{outlet_id}", show_outlet, methods=["GET"]),
    ]


async def too_often(request: Request) -> Response | None:
    """Refuse whom the throttle holds back."""
    seconds = await seconds_to_wait(request, "outlets", limits.OUTLET_LOOKS_PER_MINUTE)
    return await refuse(request, "too-many-requests", retry_in_seconds=seconds) if seconds else None


def _looking_so(request: Request, wish: Wish) -> Response:
    """Go back to the same search, in another language or in care mode."""
    back = URL(str(request.url)).remove_query_params(["language", "care"])
    response = RedirectResponse(back.path + (f"?{back.query}" if back.query else ""), 303)
    return remember(request, with_cookies(response, None, request), wish)


def _outlet_page(request: Request, outlet: Outlet, said: tuple[HoursException, ...], now: int) -> Response:
    asked = asked_on_page(request.query_params)
    # The same for everybody, so a phone may keep it for when there is no link; but not whose case it was looked at for.
    page = Page(
        template="outlet.html",
        back=f"/outlets/{outlet.outlet_id}{asked.brought}",
        is_public=not asked.brought,
        sheets=SHEETS,
    )
    return respond(page, request, **_facts(language_of(request), outlet, asked, said, now))


# ---------------------------------------------------------------- the list


NOTHING: Final[dict[str, Any]] = {
    "rows": [],
    "sketch": None,
    "more": None,
    "centre": None,
    "is_lost": False,
    "map": None,
}


def _finder(request: Request, asked: Asked, found: dict[str, Any] | None = None, *, is_sent: bool = False) -> Response:
    """Return the page. `is_sent`: the form came back without a place in it."""
    is_public = found is None and not asked.case
    page = Page(template="outlets.html", back="/outlets", keeps_typed=True, is_public=is_public, sheets=SHEETS)
    services = [(code, catalog.text(language_of(request), f"service.{code}.name")) for code in SERVICES]
    facts: dict[str, Any] = {
        "asked": asked, "services": services, "size": SIZE, "finder": assets.finder().path,
        "case_days": int(limits.CASE_DAYS),
        "anywhere": msgspec.structs.replace(asked, is_anywhere=True).address("/outlets") if is_sent else None,
    }  # fmt: skip
    return respond(page, request, **facts, **(found or NOTHING))


def _found(language: str, asked: Asked, answer: Answer, now: int) -> dict[str, Any]:
    listed, after = answer.results.listed, answer.results.after
    return {
        "rows": [row_of(language, one, asked, now) for one in listed],
        "sketch": sketch_of(answer.centre, listed),
        "more": asked.address("/outlets", after) if after else None,
        "centre": answer.centre,
        "is_lost": answer.is_lost,
        "map": asked.address("/outlets/map", asked.after) if any(one.outlet.place for one in listed) else None,
    }


def row_of(language: str, listed: Listed, asked: Asked, now: int) -> Row:
    """Return an outlet in words."""
    outlet = listed.outlet
    return Row(
        outlet=outlet,
        address=address_of(outlet),
        distance=_distance(sayer(language), listed.metres),
        status=status_in_words(language, outlet, listed.status, now),
        is_open=listed.status.is_open,
        services=_services(language, outlet),
        href=f"/outlets/{outlet.outlet_id}{asked.brought}",
        book=_booking(outlet, asked),
    )


def sketch_of(centre: places.Place | None, listed: tuple[Listed, ...]) -> Sketch | None:
    """Return the drawing of a list, around `centre` or its own middle."""
    spots = [(number, one.outlet.place) for number, one in enumerate(listed, 1) if one.outlet.place is not None]
    if centre is None and len(spots) > 1:
        middle = places.middle([place for _, place in spots])
        is_near = all(places.metres_between(middle, place) <= SKETCH_METRES for _, place in spots)
        centre = middle if is_near else None
    return sketch(centre, spots) if centre is not None else None


def _distance(say: Say, metres: float | None) -> str:
    """Say a distance as exactly as a place rounded to a kilometre allows."""
    if metres is None:
        return ""
    if metres < KM:
        return say("outlets.within")
    km = metres / KM
    return say("outlets.km", km=f"{km:.1f}" if km < NEAR_KM else f"{km:.0f}")


def _services(language: str, outlet: Outlet) -> str:
    if not outlet.services:
        return catalog.text(language, "outlets.all-services") if offered(outlet.kind, ()) else ""
    names = [catalog.text(language, f"service.{code}.name") for code in outlet.services if code in SERVICES]
    return catalog.text(language, "outlets.comma").join(names)


def _booking(outlet: Outlet, asked: Asked) -> str | None:
    if not offered(outlet.kind, outlet.services):
        return None
    said = {"outlet": outlet.outlet_id, "service": asked.service, "case": asked.case}
    return "/book-appointment?" + urlencode({name: value for name, value in said.items() if value})


# ---------------------------------------------------------------- when


def status_in_words(language: str, outlet: Outlet, how: OpenStatus, now: int) -> str:
    """Say whether an outlet is open, and until when or from when, by its own clock."""
    say = sayer(language)
    if how.is_open is None:
        return say("outlets.hours-unknown")
    if how.changes_at is None:
        return say("outlets.open-always" if how.is_open else "outlets.closed-long")
    today, then = day_of(now, outlet.time_zone), day_of(how.changes_at, outlet.time_zone)
    time = hour_and_minute(how.changes_at, outlet.time_zone)
    if how.is_open:
        days = (then - today).days
        return (
            say(("outlets.open-until", "outlets.open-until-tomorrow")[days], time=time)
            if days < 2
            else say("outlets.open")
        )
    if then == today:
        return say("outlets.opens-today", time=time)
    if then == today + timedelta(days=1):
        return say("outlets.opens-tomorrow", time=time)
    return say("outlets.opens-on", moment=say_when(catalog.text, language, how.changes_at, outlet.time_zone))


def _days(language: str, outlet: Outlet, said: tuple[HoursException, ...], now: int) -> list[Day]:
    """Return the coming days one by one, as they will really be."""
    if not outlet.hours:
        return []
    first = day_of(now, outlet.time_zone)
    reasons = {one.day: one.reason for one in sorted(said, key=lambda one: bool(one.outlet_id))
               if one.outlet_id or one.country == outlet.country}  # fmt: skip
    return [_day(language, outlet, said, first + timedelta(days=n), reasons) for n in range(DAYS_SHOWN)]


def _day(language: str, outlet: Outlet, said: tuple[HoursException, ...], day: Any, reasons: dict[str, str]) -> Day:
    say = sayer(language)
    times = [
        say("outlets.from-to", start=hour_and_minute(span.start, outlet.time_zone), end=_end(outlet, span.end))
        for span in open_spans(outlet, said, day, day)
    ]
    note = reasons.get(day.isoformat(), "")
    if not note and is_special(outlet, said, day):
        note = say("outlets.special")
    words = say("outlets.comma").join(times) or say("outlets.closed-day")
    return Day(say_day(catalog.text, language, day), words, note)


def _end(outlet: Outlet, moment: int) -> str:
    end = at_place(moment, outlet.time_zone)
    return "24:00" if (end.hour, end.minute) == (0, 0) else end.strftime("%H:%M")


# ---------------------------------------------------------------- one outlet


def _facts(language: str, outlet: Outlet, asked: Asked, said: tuple[HoursException, ...], now: int) -> dict[str, Any]:
    how = status(outlet, said, now)
    return {
        "outlet": outlet,
        "asked": asked,
        "address": address_of(outlet),
        "status": status_in_words(language, outlet, how, now),
        "is_open": how.is_open,
        "days": _days(language, outlet, said, now),
        "services": _services(language, outlet),
        "book": _booking(outlet, asked),
        "maps": maps_of(outlet),
        "tongues_spoken": [catalog.text(language, f"outlets.speaks.{one}") for one in outlet.languages
                           if catalog.has(language, f"outlets.speaks.{one}")],
    }  # fmt: skip


def address_of(outlet: Outlet) -> str:
    """Return the address as the country writes it: in China from the city down, without saying anything twice."""
    if outlet.country != "CN":
        return outlet.address
    above = [part for part in (outlet.city, outlet.district) if part and part not in outlet.address]
    return "".join(above) + outlet.address


def maps_of(outlet: Outlet) -> list[tuple[str, str]]:
    """Return links to maps, each told that ours are WGS-84 where it can be told."""
    if outlet.latitude is None or outlet.longitude is None:
        return []
    latitude, longitude, name = f"{outlet.latitude:.6f}", f"{outlet.longitude:.6f}", quote(outlet.name, safe="")
    return [
        ("phone", f"geo:{latitude},{longitude}?q={latitude},{longitude}({name})"),
        ("amap", f"https://uri.amap.com/marker?position={longitude},{latitude}&name={name}&coordinate=wgs84&callnative=1"),
        ("baidu", f"https://api.map.baidu.com/marker?location={latitude},{longitude}&title={name}&content={name}"
                  "&coord_type=wgs84&output=html&src=foregate"),
        ("apple", f"https://maps.apple.com/?ll={latitude},{longitude}&q={name}"),
    ]  # fmt: skip
