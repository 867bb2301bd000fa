"""When an outlet is open: the bank's word, then holidays and days worked for them, then the week; by its own clock."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from foregate.outlets.hours import OpenStatus, is_special, open_spans, status
from foregate.ports.outlets import HoursException, Outlet
from foregate.rules import limits

WEEK = "Mo-Fr 09:00-17:00; Sa-Su 10:00-16:00; PH 10:00-14:00"


def outlet(hours: str = WEEK, **more: Any) -> Outlet:
    return Outlet(**{"outlet_id": "D1", "name": "湖滨支行", "hours": hours, **more})


def said(day: str, hours: str, outlet_id: str = "D1", country: str = "CN") -> HoursException:
    return HoursException(outlet_id=outlet_id, country=country, day=day, hours=hours)


def at(zone: str, *when: int) -> int:
    return int(datetime(*when, tzinfo=ZoneInfo(zone)).timestamp())  # type: ignore[arg-type, misc]  # year to minute


def times(place: Outlet, first: str, last: str | None = None, *exceptions: HoursException) -> list[str]:
    """The spans as the clock on the wall shows them."""
    spans = open_spans(place, exceptions, date.fromisoformat(first), date.fromisoformat(last or first))
    zone = ZoneInfo(place.time_zone)
    return [
        f"{datetime.fromtimestamp(span.start, zone):%d %H:%M}-{datetime.fromtimestamp(span.end, zone):%d %H:%M}"
        for span in spans
    ]


@pytest.mark.parametrize(
    ("day", "expected"),
    [
        ("2026-09-18", ["18 09:00-18 17:00"]),  # a Friday
        ("2026-09-19", ["19 10:00-19 16:00"]),  # a Saturday
        ("2026-09-20", ["20 09:00-20 17:00"]),  # a Sunday worked for National Day
        ("2026-10-10", ["10 09:00-10 17:00"]),  # a Saturday worked for it
        ("2026-10-01", ["01 10:00-01 14:00"]),
        ("2026-10-04", ["04 10:00-04 14:00"]),  # the Sunday in its middle, which no list names
        ("2026-10-11", ["11 10:00-11 16:00"]),
        ("2027-01-01", ["01 10:00-01 14:00"]),
    ],
)
def test_holidays_and_days_worked_for_them(day: str, expected: list[str]) -> None:
    """A make-up workday is one, whatever its name; a holiday lasts through the weekend within it."""
    assert expected == times(outlet(), day)


def test_a_holiday_that_the_hours_do_not_name() -> None:
    """Counters are closed, machines go on, and so does what never closes."""
    assert [] == times(outlet("Mo-Su 09:00-17:00"), "2026-10-01")
    assert ["01 09:00-01 17:00"] == times(outlet("Mo-Su 09:00-17:00", kind="atm"), "2026-10-01")
    assert ["01 00:00-02 00:00"] == times(outlet("24/7"), "2026-10-01")


def test_holidays_are_those_of_the_outlets_country() -> None:
    """1 October is an ordinary Thursday in Berlin, 3 October is not; a weekend between holidays stays one there."""
    berlin = outlet("Mo-Sa 09:00-17:00; PH off", country="DE", time_zone="Europe/Berlin")
    assert ["01 09:00-01 17:00"] == times(berlin, "2026-10-01")
    assert [] == times(berlin, "2026-10-03")
    assert ["04 09:00-04 17:00"] == times(berlin, "2026-04-04")


def test_the_banks_word_beats_all_and_an_outlets_own_beats_the_countrys() -> None:
    """On a holiday, on a workday; another outlet's and another country's are not ours."""
    everywhere, here = said("2026-10-01", "off", ""), said("2026-10-01", "11:00-12:00")
    assert ["01 11:00-01 12:00"] == times(outlet(), "2026-10-01", None, here, everywhere)
    assert [] == times(outlet(), "2026-10-01", None, everywhere)
    others = (said("2026-09-18", "off", "D2"), said("2026-09-18", "off", "", "DE"))
    assert ["18 09:00-18 17:00"] == times(outlet(), "2026-09-18", None, *others)
    assert is_special(outlet(), (everywhere,), date(2026, 10, 1))
    assert not is_special(outlet(), others, date(2026, 9, 18))


def test_a_night_is_one_span() -> None:
    """What runs past midnight is joined, and cut only where the question ends."""
    night = outlet("Mo-Su 20:00-02:00", kind="atm")
    assert ["18 00:00-18 02:00", "18 20:00-19 02:00", "19 20:00-20 00:00"] == times(night, "2026-09-18", "2026-09-19")
    assert ["18 00:00-20 00:00"] == times(outlet("24/7"), "2026-09-18", "2026-09-19")
    late = said("2026-09-18", "22:00-26:00")
    assert ["18 22:00-19 02:00"] == times(outlet("off"), "2026-09-18", "2026-09-20", late)


def test_nights_when_clocks_change() -> None:
    """Spans are as long as the hours really are: three in March, five in October."""
    berlin = outlet("Mo-Su,PH 22:00-02:00", kind="atm", country="DE", time_zone="Europe/Berlin")
    open_early = outlet("Mo-Su,PH 00:00-04:00", kind="atm", country="DE", time_zone="Europe/Berlin")
    lengths = [
        sum(span.end - span.start for span in open_spans(open_early, (), day, day)) / 3600
        for day in (date(2026, 3, 28), date(2026, 3, 29), date(2026, 10, 25))
    ]
    assert [4, 3, 5] == lengths
    assert ["28 00:00-28 02:00", "28 22:00-29 00:00"] == times(berlin, "2026-03-28")


@pytest.mark.parametrize("hours", ["", "every now and then", "Mo-Fr 09:00-17:00 unknown", "x" * 600])
def test_hours_that_nobody_knows(hours: str) -> None:
    """Not written down, not to be read, said to be unknown: then we do not know."""
    now = at("Asia/Shanghai", 2026, 9, 18, 10, 0)
    assert OpenStatus(None, None) == status(outlet(hours), (), now)


def test_an_exception_is_known_where_the_week_is_not() -> None:
    """On that day we do know."""
    now = at("Asia/Shanghai", 2026, 9, 18, 10, 0)
    closes = at("Asia/Shanghai", 2026, 9, 18, 12, 0)
    assert OpenStatus(True, closes) == status(outlet(""), (said("2026-09-18", "09:00-12:00"),), now)


@pytest.mark.parametrize(
    ("when", "is_open", "changes"),
    [
        ((2026, 9, 18, 8, 59), False, (2026, 9, 18, 9, 0)),
        ((2026, 9, 18, 9, 0), True, (2026, 9, 18, 17, 0)),
        ((2026, 9, 18, 16, 59), True, (2026, 9, 18, 17, 0)),
        ((2026, 9, 18, 17, 0), False, (2026, 9, 19, 10, 0)),
        ((2026, 9, 30, 18, 0), False, (2026, 10, 1, 10, 0)),
    ],
)
def test_open_now_and_until_when(when: tuple[int, ...], is_open: bool, changes: tuple[int, ...]) -> None:
    """To the minute, at both ends."""
    zone = "Asia/Shanghai"
    assert OpenStatus(is_open, at(zone, *changes)) == status(outlet(), (), at(zone, *when))


def test_a_long_holiday_is_looked_past() -> None:
    """Closed from the evening before National Day, open again eight days later."""
    closed = outlet("Mo-Fr 09:00-17:00; PH off")
    zone = "Asia/Shanghai"
    assert OpenStatus(False, at(zone, 2026, 10, 8, 9, 0)) == status(closed, (), at(zone, 2026, 9, 30, 18, 0))


def test_how_far_ahead_is_looked() -> None:
    """A day that is HOURS_AHEAD_DAYS away is found, the one after is not; what never closes has no end."""
    zone = "Asia/Shanghai"
    now = at(zone, 2026, 9, 1, 12, 0)
    on_last, beyond = (f"2026-09-{1 + limits.HOURS_AHEAD_DAYS + n:02}" for n in (0, 1))
    assert status(outlet("off"), (said(on_last, "10:00-11:00"),), now).changes_at
    assert OpenStatus(False, None) == status(outlet("off"), (said(beyond, "10:00-11:00"),), now)
    assert OpenStatus(True, None) == status(outlet("24/7"), (), now)


def test_a_country_without_a_calendar_has_plain_weeks() -> None:
    """Nobody has written its holidays down; that is no reason to know nothing."""
    assert ["01 09:00-01 17:00"] == times(outlet(WEEK, country="XX"), "2026-10-01")
