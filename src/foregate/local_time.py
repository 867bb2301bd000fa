"""Moments as people at a place read them: the day and the hour on the wall there."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

Say = Callable[..., str]


def at_place(moment: int, time_zone: str) -> datetime:
    """Return `moment` (seconds since 1970) as the clock on the wall shows it."""
    return datetime.fromtimestamp(moment, ZoneInfo(time_zone))


def day_of(moment: int, time_zone: str) -> date:
    """Return the day that it is there."""
    return at_place(moment, time_zone).date()


def day_span(day: date, time_zone: str) -> tuple[int, int]:
    """Return the first moment of `day` there, and the first of the next."""
    zone = ZoneInfo(time_zone)
    first, last = (datetime.combine(each, time(), zone) for each in (day, day + timedelta(days=1)))
    return int(first.timestamp()), int(last.timestamp())


def hour_and_minute(moment: int, time_zone: str) -> str:
    """Return `09:30`."""
    return at_place(moment, time_zone).strftime("%H:%M")


def say_day(say: Say, language: str, day: date) -> str:
    """Return the day in words: `1月18日 周一`, `Mon 18 Jan`."""
    return say(
        language,
        "when.day",
        month=say(language, f"when.month.{day.month}"),
        day=day.day,
        weekday=say(language, f"when.weekday.{day.isoweekday()}"),
    )


def say_when(say: Say, language: str, moment: int, time_zone: str) -> str:
    """Return day and hour in words."""
    day = say_day(say, language, day_of(moment, time_zone))
    return say(language, "when.moment", day=day, time=hour_and_minute(moment, time_zone))
