"""What a search for outlets asks, read from the address: the same words for the page and for the API."""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import urlencode

import msgspec
from starlette.datastructures import QueryParams

from foregate.outlets import search
from foregate.ports.outlets import Outlets, Position, Wanted
from foregate.rules import limits, places
from foregate.rules.appointments import CASE_SYMBOLS, read
from foregate.rules.outlet_words import is_spelled, plain_city, sound_of_city, typed_words
from foregate.rules.services import SERVICES

YES: Final = frozenset({"1", "true", "yes", "on"})
GCJ02: Final = "gcj02"
_DATUMS: Final = ("wgs84", GCJ02)
_ALLOWED: Final = {
    "by": ("near",),
    "datum": _DATUMS,
    "open": ("1", "true"),
    "step_free": ("1", "true"),
    "service": tuple(SERVICES),
}
_LIMIT: Final = re.compile(r"[0-9]{1,3}")
_AFTER: Final = re.compile(r"([0-9]{1,19})\.([A-Za-z0-9._-]{1,64})")
_CASE: Final = re.compile(r"[A-Za-z0-9-]{1,40}")
_DEGREES: Final = re.compile(r"-?[0-9]{1,3}(\.[0-9]{1,9})?")
ORDER_MAX: Final = (1 << 63) - 1


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """A search as it was asked. `faults` are the parameters nobody can make sense of."""

    text: str = ""
    is_near_text: bool = False
    city: str = ""
    service: str = ""
    open_now: bool = False
    step_free: bool = False
    is_anywhere: bool = False  # every outlet that fits, wherever it is
    case: str = ""  # of somebody who comes from a refusal: goes along to the booking
    here: places.Place | None = None
    after: Position | None = None
    limit: int = limits.OUTLETS_PER_PAGE
    faults: tuple[str, ...] = ()

    @property
    def is_empty(self) -> bool:
        """Whether nobody said where yet. What for is known to whoever comes from a refusal; a list needs a place."""
        return not (self.text or self.city or self.here or self.is_anywhere)

    @property
    def case_no(self) -> str:
        """The case number, if it can be one: nobody puts words of their own on the page through its address."""
        return read(self.case, CASE_SYMBOLS) or ""

    @property
    def brought(self) -> str:
        """What goes along from page to page until it is booked, as the end of an address."""
        said = {name: value for name, value in self.typed.items() if name in ("service", "case")}
        return f"?{urlencode(said)}" if said else ""

    @property
    def typed(self) -> dict[str, str]:
        """Everything but where the visitor is, as parameters."""
        said = {
            "q": self.text,
            "by": "near" if self.is_near_text else "all" if self.is_anywhere else "",
            "city": self.city,
            "service": self.service,
            "open": "1" if self.open_now else "",
            "step_free": "1" if self.step_free else "",
            "case": self.case,
        }
        return {name: value for name, value in said.items() if value}

    def address(self, path: str, after: Position | None = None) -> str:
        """Return the address of this search."""
        said = self.typed
        if self.here:
            said |= {"lat": f"{self.here.latitude:g}", "lon": f"{self.here.longitude:g}"}
        if after:
            said["after"] = cursor(after)
        return f"{path}?{urlencode(said)}" if said else path


def cursor(position: Position) -> str:
    """Return where a list goes on, as one word."""
    return f"{position.order}.{position.outlet_id}"


def asked_on_page(query: QueryParams) -> Asked:
    """Read the parameters of the page. Where the visitor is was rounded by the browser, and is rounded again here."""
    latitude, longitude = query.get("lat", ""), query.get("lon", "")
    here, faults = _place(latitude, longitude) if latitude or longitude else (None, ())
    if here is not None:
        here = places.Place(round(here.latitude, 2), round(here.longitude, 2))
    return _asked(query, here, faults, int(limits.OUTLETS_PER_PAGE))


def asked_of_api(query: QueryParams) -> Asked:
    """Read the parameters of the API, which takes only what its document says."""
    near, limit = query.get("near", ""), query.get("limit", "")
    latitude, _, longitude = near.partition(",")
    here, faults = _place(latitude, longitude) if "near" in query else (None, ())
    if here is not None and is_gcj02(query):
        here = places.from_gcj02(here)
    if "limit" in query and not (_LIMIT.fullmatch(limit) and 1 <= int(limit) <= limits.OUTLETS_PER_PAGE_MAX):
        limit, faults = "", (*faults, "limit")
    for name, allowed in _ALLOWED.items():
        if name in query and query[name] not in allowed:
            faults = (*faults, name)
    faults = (*faults, *(name for name in ("q", "city") if len(query.get(name, "")) > limits.OUTLET_QUERY_CHARS))
    return _asked(query, here, faults, int(limit or limits.OUTLETS_PER_PAGE))


def is_gcj02(query: QueryParams) -> bool:
    """Return whether coordinates go in and out as Chinese maps have them."""
    return query.get("datum") == GCJ02


def is_datum_unknown(query: QueryParams) -> bool:
    """Return whether a datum is asked for that nobody here speaks."""
    return "datum" in query and query["datum"] not in _DATUMS


def _asked(query: QueryParams, here: places.Place | None, faults: tuple[str, ...], limit: int) -> Asked:
    after = _AFTER.fullmatch(query.get("after", ""))
    service = query.get("service", "")
    if "after" in query and (after is None or int(after[1]) > ORDER_MAX):
        after, faults = None, (*faults, "after")
    if service and service not in SERVICES:
        service, faults = "", (*faults, "service")
    return Asked(
        text=_short(query.get("q", "")),
        is_near_text=query.get("by") == "near" and here is None,
        is_anywhere=query.get("by") == "all",
        city=_short(query.get("city", "")),
        service=service,
        open_now=query.get("open", "").lower() in YES,
        step_free=query.get("step_free", "").lower() in YES,
        case=case if _CASE.fullmatch(case := query.get("case", "")) else "",
        here=here,
        after=Position(int(after[1]), after[2]) if after else None,
        limit=limit,
        faults=faults,
    )


def _short(text: str) -> str:
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())[: limits.OUTLET_QUERY_CHARS]


def _place(latitude: str, longitude: str) -> tuple[places.Place | None, tuple[str, ...]]:
    if not (_DEGREES.fullmatch(latitude) and _DEGREES.fullmatch(longitude)):
        return None, ("near",)
    try:
        return places.place(float(latitude), float(longitude)), ()
    except ValueError:
        return None, ("near",)


class Answer(msgspec.Struct, frozen=True):
    """What was found. `centre`: what distances are from. `is_lost`: the place that was typed is nowhere to be found."""

    results: search.Results
    centre: places.Place | None
    is_lost: bool = False


async def find(outlets: Outlets, asked: Asked, now: int) -> Answer:
    """Search as asked."""
    words, centre = typed_words(asked.text), asked.here
    if asked.is_near_text and words:
        centre = await search.centre_of(outlets, words)
        if centre is None:
            return Answer(search.Results((), None), None, is_lost=True)
        words = ()
    if asked.text and not words and centre is None:
        return Answer(search.Results((), None), None)  # nothing but punctuation was typed
    city, words = await _city(outlets, asked.city, words)
    wanted = Wanted(
        words=words,
        city=city,
        service=asked.service,
        is_step_free=asked.step_free,
        centre=centre,
    )
    found = await search.search(outlets, wanted, now, limit=asked.limit, after=asked.after, open_now=asked.open_now)
    return Answer(found, centre)


async def _city(outlets: Outlets, typed: str, words: tuple[str, ...]) -> tuple[str, tuple[str, ...]]:
    """Return the city to look in, and the words to look for.

    Where no outlet writes its city in the letters that were typed, it is looked for by its sound, as one more word.
    """
    city = plain_city(typed)
    if is_spelled(city) and not await outlets.page(Wanted(city=city), 1):
        return "", (*words, sound_of_city(city))
    return city, words
