"""What the upkeep looks for among the appointments: a bite at a time, each by an index of its own."""

from __future__ import annotations

from typing import Final

from sqlalchemy import select

from foregate.rules import limits
from foregate.rules.appointments import HERE
from foregate.store.outlets.appointment_tables import appointment
from foregate.store.outlets.tables import outlet
from foregate.store.statements import Statement, number, text_of, time_of, word

_a, _now = appointment.c, time_of("now")

_AHEAD: Final = {1: limits.REMINDER_DAY_SECONDS, 2: limits.REMINDER_SOON_SECONDS}
TO_REMIND: Final = {
    which: Statement(
        select(appointment)
        .where(
            _a.state == word("confirmed"),
            _a.reminded < number(which),
            _a.starts_at <= _now + number(ahead),
            _a.starts_at > _now,
        )
        .order_by(_a.starts_at)
        .limit(number(limits.UPKEEP_BATCH))
    )
    for which, ahead in _AHEAD.items()
}
LAPSED: Final = Statement(
    select(appointment)
    .where(_a.state == word("held"), _a.held_until <= _now)
    .order_by(_a.held_until)
    .limit(number(limits.UPKEEP_BATCH))
)
MISSED: Final = Statement(
    select(appointment)
    .where(_a.state == word("confirmed"), _a.starts_at < _now - number(limits.CHECK_IN_AFTER_SECONDS))
    .order_by(_a.starts_at)
    .limit(number(limits.UPKEEP_BATCH))
)
# In the very words of the index: SQLite uses one with a condition for nothing else.
_is_here: Final = _a.state.in_([word(state.value) for state in sorted(HERE)])
ZONES_HERE: Final = Statement(
    select(outlet.c.time_zone)
    .join(appointment, _a.outlet_id == outlet.c.outlet_id)
    .where(_is_here)
    .distinct()
    .order_by(outlet.c.time_zone)
)
LEFT_OVER: Final = Statement(
    select(appointment)
    .join(outlet, _a.outlet_id == outlet.c.outlet_id)
    .where(_is_here, _a.starts_at < time_of("before"), outlet.c.time_zone == text_of("of_zone"))
    .order_by(_a.starts_at)
    .limit(number(limits.UPKEEP_BATCH))
)
