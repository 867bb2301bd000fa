"""When an outlet is open: what the bank says of a day, then holidays, then the hours of the week.

Rules
  1. An exception of the outlet beats one of its whole country; either beats everything below.
  2. A day off that is worked to make up for a holiday has the hours of the workday beside it.
  3. A public holiday has the hours that `PH` names. Where they name none, counters are closed, machines go on.
  4. Everything else is what the hours say, in OSM's syntax. Hours nobody knows, or nobody can read, are unknown.
  5. A special day lasts from midnight to midnight where the outlet stands; what an exception opens may run past it.

Theory of operation
  Each local day is evaluated by itself, in wall-clock time, and only then put on the line of seconds since 1970. So a
  night on which the clocks change is as long as it is, and nothing is ever added to a local time.
  `holidays` says which days are special, for it knows make-up workdays. opening-hours-py is given no country: on a
  holiday `PH` is read as that day's own weekday, which is the same question.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo

import msgspec
from opening_hours import OpeningHours, validate

from foregate.ports.outlets import HoursException, Outlet
from foregate.rules import limits
from foregate.rules.services import UNSTAFFED

ALWAYS: Final = "24/7"

_WEEKDAYS: Final = ("Mo", "Tu", "We", "Th", "Fr", "Sa", "Su")
_MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_SATURDAY: Final = 5
_HOLIDAY_WORD: Final = re.compile(r"\bPH\b")
_ONE_DAY: Final = timedelta(days=1)


class Span(msgspec.Struct, frozen=True, order=True):
    """From `start` until just before `end`, in seconds since 1970."""

    start: int
    end: int


class OpenStatus(msgspec.Struct, frozen=True):
    """How things stand this moment. `changes_at`: when that ends; None when nobody knows or it is far off."""

    is_open: bool | None
    changes_at: int | None


class _Stretch(msgspec.Struct, frozen=True):
    """A piece of one day, in local wall-clock time."""

    start: datetime
    end: datetime
    is_known: bool


def can_be_read(hours: str) -> bool:
    """Return whether `hours` is OSM's syntax."""
    return len(hours) <= limits.HOURS_CHARS and validate(hours)


def open_spans(
    outlet: Outlet, exceptions: Iterable[HoursException], first_day: date, last_day: date
) -> tuple[Span, ...]:
    """Return when `outlet` is open from the start of `first_day` to the end of `last_day`, both where it stands.

    In order, none touching the next: a night that runs past midnight is one span, cut only at the two ends.
    """
    opened = _merged(outlet, exceptions, first_day, last_day, is_known=True)
    begin, end = _seconds(outlet, _midnight(first_day)), _seconds(outlet, _midnight(last_day + _ONE_DAY))
    return tuple(
        Span(max(span.start, begin), min(span.end, end)) for span in opened if span.start < end and span.end > begin
    )


def status(outlet: Outlet, exceptions: Iterable[HoursException], now: int) -> OpenStatus:
    """Return whether `outlet` is open at `now`, and when that changes, looking HOURS_AHEAD_DAYS ahead."""
    said = _said(outlet, exceptions)
    if not outlet.hours and not said:
        return OpenStatus(None, None)
    today = datetime.fromtimestamp(now, ZoneInfo(outlet.time_zone)).date()
    # Nearly always the answer lies within two days; a long holiday is looked at only when it does not.
    for days_ahead in (2, int(limits.HOURS_AHEAD_DAYS)):
        found = _status_within(outlet, said.values(), now, today, today + timedelta(days=days_ahead))
        if found.is_open is None or found.changes_at is not None:
            break
    return found


def is_special(outlet: Outlet, exceptions: Iterable[HoursException], day: date) -> bool:
    """Return whether `day` follows another plan than the hours of the week."""
    return day.isoformat() in _said(outlet, exceptions) or _calendar(outlet.country, day.year).is_special(day)


def _status_within(
    outlet: Outlet, exceptions: Iterable[HoursException], now: int, first: date, last: date
) -> OpenStatus:
    said = tuple(exceptions)
    if _at(_merged(outlet, said, first, first, is_known=False), now) or not _is_told(outlet, said, first):
        return OpenStatus(None, None)
    opened = _merged(outlet, said, first, last, is_known=True)
    here = _at(opened, now)
    if here is not None:
        # What is cut by the end of the look-ahead did not change there.
        horizon = _seconds(outlet, _midnight(last + _ONE_DAY))
        return OpenStatus(True, here.end if here.end < horizon else None)
    return OpenStatus(False, next((span.start for span in opened if span.start > now), None))


def _at(spans: Sequence[Span], now: int) -> Span | None:
    return next((span for span in spans if span.start <= now < span.end), None)


def _is_told(outlet: Outlet, exceptions: Iterable[HoursException], day: date) -> bool:
    """Whether anybody knows the hours of `day`: the outlet's own, or an exception."""
    return (bool(outlet.hours) and can_be_read(outlet.hours)) or day.isoformat() in _said(outlet, exceptions)


def _merged(
    outlet: Outlet, exceptions: Iterable[HoursException], first: date, last: date, *, is_known: bool
) -> tuple[Span, ...]:
    """Join what the days say, one day before `first` included for what runs past midnight."""
    said = _said(outlet, exceptions)
    spans = sorted(
        Span(_seconds(outlet, stretch.start), _seconds(outlet, stretch.end))
        for day in _days(first - _ONE_DAY, last)
        for stretch in _stretches(outlet, said.get(day.isoformat()), day)
        if stretch.is_known == is_known
    )
    joined: list[Span] = []
    for span in spans:
        if joined and span.start <= joined[-1].end:
            joined[-1] = Span(joined[-1].start, max(joined[-1].end, span.end))
        elif span.start < span.end:
            joined.append(span)
    return tuple(joined)


def _said(outlet: Outlet, exceptions: Iterable[HoursException]) -> dict[str, HoursException]:
    """By day, what the bank says of it: the outlet's own word before the country's."""
    mine = [one for one in exceptions if one.outlet_id == outlet.outlet_id]
    everybodys = [one for one in exceptions if not one.outlet_id and one.country == outlet.country]
    return {one.day: one for one in (*everybodys, *mine)}


def _stretches(outlet: Outlet, exception: HoursException | None, day: date) -> tuple[_Stretch, ...]:
    if exception is not None:
        # The date in front keeps these hours to their day, while what runs past midnight stays.
        dated = f"{day.year} {_MONTHS[day.month - 1]} {day.day:02} {exception.hours}"
        return _evaluated(dated, day, days=2)
    if not outlet.hours:
        return ()
    calendar = _calendar(outlet.country, day.year)
    if day in calendar.made_up:
        beside = day - _ONE_DAY if day.weekday() == _SATURDAY else day + _ONE_DAY
        return tuple(
            _Stretch(one.start + (day - beside), one.end + (day - beside), one.is_known)
            for one in _evaluated(outlet.hours, beside, days=1)
        )
    if day not in calendar.holidays:
        return _evaluated(outlet.hours, day, days=1)
    if _HOLIDAY_WORD.search(outlet.hours):
        return _evaluated(_HOLIDAY_WORD.sub(_WEEKDAYS[day.weekday()], outlet.hours), day, days=1)
    goes_on = outlet.kind in UNSTAFFED or outlet.hours == ALWAYS
    return _evaluated(outlet.hours, day, days=1) if goes_on else ()


@lru_cache(maxsize=8192)
def _evaluated(hours: str, day: date, *, days: int) -> tuple[_Stretch, ...]:
    """Return what `hours` open on `day`. Most outlets of a bank share a handful of plans, so this is mostly kept."""
    if not can_be_read(hours):
        return ()
    intervals = OpeningHours(hours).intervals(_midnight(day), _midnight(day) + timedelta(days=days))
    return tuple(
        _Stretch(start, end, str(state) == "open") for start, end, state, _ in intervals if str(state) != "closed"
    )


class _Calendar(msgspec.Struct, frozen=True):
    """One year of one country."""

    holidays: frozenset[date]
    made_up: frozenset[date]  # weekend days that are worked

    def is_special(self, day: date) -> bool:
        return day in self.holidays or day in self.made_up


@lru_cache(maxsize=256)
def _calendar(country: str, year: int) -> _Calendar:
    import holidays  # takes long to load: not at every start

    try:
        found = holidays.country_holidays(country, years=year)
    except NotImplementedError:  # a country that nobody has written down yet: its weeks are all alike
        return _Calendar(frozenset(), frozenset())
    made_up = frozenset(found.weekend_workdays)
    off = frozenset(day for day in found if day.year == year)
    if any(day.year == year for day in made_up):
        off |= _weekends_within(off, made_up, year)
    return _Calendar(off, made_up)


def _weekends_within(off: frozenset[date], made_up: frozenset[date], year: int) -> frozenset[date]:
    """Return the weekend days that are part of a holiday.

    Where days are made up for, a holiday of a week is one break; the list names only the days it takes from the week.
    So a weekend belongs to it that has the break, or a worked day, on both of its sides.
    """
    within: set[date] = set()
    for day in _days(date(year, 1, 2), date(year, 12, 30)):
        if day.weekday() < _SATURDAY or day in off or day in made_up:
            continue
        sides = [_beyond_weekend(day, step, off, made_up) for step in (-_ONE_DAY, _ONE_DAY)]
        if any(side in off for side in sides) and all(side in off or side in made_up for side in sides):
            within.add(day)
    return frozenset(within)


def _beyond_weekend(day: date, step: timedelta, off: frozenset[date], made_up: frozenset[date]) -> date:
    """Return the first day from `day` in the direction of `step` that is no plain weekend day."""
    day += step
    while day.weekday() >= _SATURDAY and day not in off and day not in made_up:
        day += step
    return day


def _days(first: date, last: date) -> Iterator[date]:
    for number in range((last - first).days + 1):
        yield first + timedelta(days=number)


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time())


def _seconds(outlet: Outlet, local: datetime) -> int:
    # Where the clock shows a time twice, the first is meant; where it skips one, the moment of the skip.
    return int(local.replace(tzinfo=ZoneInfo(outlet.time_zone)).astimezone(UTC).timestamp())
