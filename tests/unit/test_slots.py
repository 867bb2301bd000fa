"""Slots: times inside the hours, after the lead time, on one grid everywhere, also when clocks change."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from foregate.local_time import at_place, day_of, say_when
from foregate.outlets import slots
from foregate.outlets.hours import Span, open_spans
from foregate.outlets.slots import STEP_SECONDS
from foregate.ports.outlets import Outlet
from foregate.rules import limits
from foregate.rules.limits import DAY, HOUR, MINUTE
from foregate.rules.services import COUNTER, SERVICES, UNSTAFFED, Service, offered, service_for

NOW = 1_800_000_000
SHORT = Service(code="short", pool=COUNTER, minutes=20, bring=("id",))


def test_a_service_ends_before_the_outlet_closes() -> None:
    """Open for an hour: twenty minutes may begin until twenty to."""
    opens = NOW + 10 * HOUR
    found = slots.starts([Span(opens, opens + HOUR)], SHORT, NOW)
    assert (opens, opens + 15 * MINUTE, opens + 30 * MINUTE) == found


def test_hours_that_begin_off_the_grid() -> None:
    """Open at 8:50: the first time is 9:00."""
    opens = NOW + 10 * HOUR - 10 * MINUTE
    assert NOW + 10 * HOUR == slots.starts([Span(opens, opens + HOUR)], SHORT, NOW)[0]


@pytest.mark.parametrize("seconds", [0, 1])
def test_the_lead_time_and_the_horizon(seconds: int) -> None:
    """Exactly an hour ahead may be booked, a second less may not; the last moment of BOOKING_DAYS may, no later one."""
    now = NOW + seconds
    found = slots.starts([Span(NOW, NOW + 99 * DAY)], SHORT, now)
    assert NOW + HOUR + (STEP_SECONDS if seconds else 0) == found[0]
    assert NOW + limits.BOOKING_DAYS * DAY == found[-1]


@pytest.mark.parametrize(("minutes", "count"), [(15, 1), (16, 2), (20, 2), (45, 3), (60, 4)])
def test_how_many_slots_an_appointment_takes(minutes: int, count: int) -> None:
    """A slot that is begun is taken whole."""
    found = slots.covered(NOW, minutes)
    assert (NOW, count) == (found[0], len(found))


def test_free_is_where_every_slot_has_somebody() -> None:
    """Twenty minutes need both slots; another unit does as well; a unit beyond the capacity is nobody."""
    first, second = NOW, NOW + STEP_SECONDS
    assert (first,) == slots.free([first], {second: frozenset({1})}, 20, 2)
    assert () == slots.free([first], {second: frozenset({0, 1})}, 20, 2)
    assert (first,) == slots.free([first], {second: frozenset({7})}, 20, 1)


@given(
    st.lists(st.tuples(st.integers(0, 60 * DAY), st.integers(0, DAY)), max_size=6),
    st.sampled_from(list(SERVICES.values())),
)
def test_whatever_the_hours_every_time_keeps_to_them(spans: list[tuple[int, int]], service: Service) -> None:
    """Each start lies on the grid, inside a span with its whole length, and within lead time and horizon."""
    hours = [Span(NOW + start, NOW + start + length) for start, length in spans]
    for start in slots.starts(hours, service, NOW):
        assert 0 == start % STEP_SECONDS
        assert any(span.start <= start and start + service.minutes * MINUTE <= span.end for span in hours)
        assert service.lead_seconds <= start - NOW <= limits.BOOKING_DAYS * DAY


@pytest.mark.parametrize(
    ("zone", "day", "hours"),
    [
        ("Asia/Shanghai", date(2027, 3, 28), 24),
        ("Europe/Berlin", date(2027, 3, 28), 23),
        ("Europe/Berlin", date(2027, 10, 31), 25),
        ("Asia/Kathmandu", date(2027, 3, 28), 24),
        ("Australia/Lord_Howe", date(2027, 4, 4), 24.5),
    ],
)
def test_a_day_on_which_clocks_change(zone: str, day: date, hours: float) -> None:
    """As many times as the day has quarters of an hour, each of which is that day there, none twice."""
    outlet = Outlet(outlet_id="X", name="x", hours="24/7", time_zone=zone, country="DE")
    spans = open_spans(outlet, (), day, day)
    quarter = Service(code="q", pool=COUNTER, minutes=15, bring=())
    now = int(datetime.combine(day - timedelta(days=2), datetime.min.time(), ZoneInfo(zone)).timestamp())
    found = slots.starts(spans, quarter, now)
    assert int(hours * 4) == len(found) == len(set(found))
    assert {day} == {day_of(start, zone) for start in found}
    assert {0} == {at_place(start, zone).minute % 15 for start in found}


def test_moments_are_said_as_the_clock_there_shows_them() -> None:
    """One moment, two places."""
    said = lambda _, key, **facts: f"{key}{sorted(facts.items())}"  # noqa: E731 -- the smallest catalogue
    assert "'16:00'" in say_when(said, "zh", NOW, "Asia/Shanghai")
    assert "'09:00'" in say_when(said, "zh", NOW, "Europe/Berlin")


# ---------------------------------------------------------------- services


def test_what_an_outlet_offers() -> None:
    """What it lists, or everything; machines nothing."""
    assert list(SERVICES.values()) == list(offered("branch", ()))
    assert ["loan"] == [service.code for service in offered("branch", ("loan", "no-such"))]
    assert [()] * 2 == [offered(kind, ()) for kind in sorted(UNSTAFFED)]


@pytest.mark.parametrize(
    ("cause", "journey", "code"),
    [
        ("closed-by-bank", "sign-in", "unfreeze-login"),
        ("codes-spent", "sign-in", "phone-change"),
        ("not-recognised", "reset-password", "password-reset"),
        ("not-recognised", "register", "open-account"),
        ("face-expired", "sign-in", "face-update"),
        ("face-off", "finish-sign-in", "face-update"),
        ("face-none", "sign-in", "face-update"),
        ("face-not-you", "reset-password", "face-update"),
        ("face-document-expired", "sign-in", "document-update"),
        ("document-expired", "renew-face", "document-update"),
        ("document-lapsed", "renew-document", "document-update"),
        ("face-too-young", "renew-face", "other"),
        ("busy", None, "other"),
        (None, None, "other"),
    ],
)
def test_which_service_gets_past_a_refusal(cause: str | None, journey: str | None, code: str) -> None:
    """By what was told, else by what was wanted."""
    assert code == service_for(cause, journey).code
