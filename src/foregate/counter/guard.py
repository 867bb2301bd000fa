"""Every verb of the console passes here: who asks, do they have this very right, and what is noted when they do not.

Rules
  1. The member is read anew and held in the transaction of the verb. What a page showed, or a session said, decides
     nothing.
  2. An objection undoes the transaction, and is then written down by itself: on the member's own chain, and when it
     alarms on the chain `alarms` and the customer's as well, in the log and in the metrics.
  3. Hours and core bank are asked before the transaction begins: on one writer it would wait for itself.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import structlog
from prometheus_client import Counter as Metric

from foregate.counter.views import Actor
from foregate.ports import Event, UnitOfWork
from foregate.ports.counter import OutletHours, StaffMember
from foregate.rules import inputs, limits, staff
from foregate.rules.staff import Right
from foregate.situation import World

log = structlog.get_logger("foregate.counter")
ALARMS = Metric("foregate_alarms_total", "What the risk officer should look at", ("what",))
ALARM_CHAIN = staff.ALARM_CHAIN
HELD_BY = frozenset({"too-many-searches", "too-many-changes"})


class Objected(Exception):
    """Why not: a name of `rules.staff.OBJECTIONS`. `fields`: what was typed wrong, field to input code."""

    def __init__(
        self, objection: str, *, fields: dict[str, str] | None = None, retry_in_seconds: int | None = None,
        tries_left: int | None = None,
    ) -> None:  # fmt: skip
        super().__init__(objection)
        self.objection = objection
        self.fields = fields or {}
        self.retry_in_seconds = retry_in_seconds
        self.tries_left = tries_left


@dataclass(slots=True)
class Doing:
    """One verb under way: the transaction, and the member in it."""

    tx: UnitOfWork
    now: int
    actor: Actor
    member: StaffMember
    is_open: bool

    async def record(self, kind: str, *, subject: str | None = None, **details: str | int) -> None:
        """Write an event on the member's chain, and on the subject's when there is one."""
        about = {"subject": subject} if subject else {}
        chains = {chain_of(self.member.staff_id): {**details, **about}}
        if subject:
            chains[subject] = details
        for chain, said in chains.items():
            event = Event(chain=chain, kind=kind, actor=self.actor.name, source=self.actor.source, details=said)
            await self.tx.audit.record(event, self.now)


def chain_of(staff_id: str) -> str:
    """Return the audit chain of a member of staff."""
    return f"staff-{staff_id}"


_LONG_NUMBER = re.compile(r"\d[\d\s-]{5,}\d")


def noted(text: str) -> str:
    """Return what somebody typed as a reason or a note, fit for the record: short, inert, and without long numbers."""
    return _LONG_NUMBER.sub("…", inputs.plain(text))[: limits.NOTE_CHARS_MAX]


class Guard:
    """Lets verbs begin."""

    def __init__(self, world: World, hours: OutletHours) -> None:
        self.world = world
        self._hours = hours

    @asynccontextmanager
    async def doing(
        self, actor: Actor, right: Right, *, core_ref: str | None = None, subject: str | None = None
    ) -> AsyncIterator[Doing]:
        """Begin a verb: a transaction with the member held in it. Raises Objected, having written it down.

        `core_ref`: whom it is about; nobody acts on their own login. `subject`: on whose chain an alarm stands too.
        """
        try:
            async with self._begun(actor) as doing:
                objection = staff.may(doing.member.standing, right, is_open=doing.is_open, core_ref=core_ref)
                if objection is not None:
                    raise Objected(objection)
                yield doing
        except Objected as objected:
            await self.note(actor, right.value, objected.objection, subject)
            raise

    @asynccontextmanager
    async def _begun(self, actor: Actor) -> AsyncIterator[Doing]:
        now = self.world.clock.now()
        async with self.world.store.begin() as tx:
            seen = await tx.staff.find(actor.staff_id)
        outlet_id = seen.outlet_id if seen else None
        is_open = outlet_id is not None and await self._hours.is_open(outlet_id, now, limits.HOURS_MARGIN_SECONDS)
        async with self.world.store.begin() as tx:
            member = await tx.staff.hold(actor.staff_id)
            # Moved to another outlet within this moment: its hours were not asked for.
            if member is None or member.outlet_id != outlet_id:
                raise Objected("not-active")
            yield Doing(tx, now, actor, member, is_open)

    async def authorise(
        self, actor: Actor, right: Right, *, core_ref: str | None = None, subject: str | None = None
    ) -> StaffMember:
        """For a verb that is built elsewhere: return the member, or raise Objected, having written it down."""
        async with self.doing(actor, right, core_ref=core_ref, subject=subject) as doing:
            return doing.member

    async def count(self, actor: Actor, right: Right, what: str, at_most: int, window_seconds: int) -> None:
        """Count one use ahead of it; one more than `at_most` within the window puts the member on hold.

        Raises Objected(`what`).
        """
        async with self.doing(actor, right) as doing:
            count = await doing.tx.staff.count(actor.staff_id, what, window_seconds, doing.now)
        if count > at_most:
            await self.note(actor, right.value, what)
            raise Objected(what)

    async def note(self, actor: Actor, right: str, objection: str, subject: str | None = None) -> None:
        """Write down that somebody was refused; raise the alarm when the objection is one, hold whom it holds."""
        now = self.world.clock.now()
        is_alarm = staff.OBJECTIONS[objection].is_alarm
        details: dict[str, str | int] = {"right": right, "objection": objection}
        if subject:
            details["subject"] = subject
        async with self.world.store.begin() as tx:
            if objection in HELD_BY:
                await tx.staff.put_on_hold(actor.staff_id, objection, now)
            event = Event(
                chain=chain_of(actor.staff_id), kind="alarm" if is_alarm else "counter-refused", actor=actor.name,
                source=actor.source, details=details,
            )  # fmt: skip
            await tx.audit.record(event, now)
            if is_alarm:
                await raise_alarm(tx, now, objection, actor=actor.name, source=actor.source, subject=subject)


async def raise_alarm(
    tx: UnitOfWork, now: int, what: str, *, actor: str, source: str, subject: str | None = None, **facts: int
) -> None:
    """Tell the risk officer: an event on the chain `alarms` and on the subject's, a log line, a count."""
    details: dict[str, str | int] = {"objection": what, **facts}
    if subject:
        details["subject"] = subject
    for chain in (ALARM_CHAIN, subject):
        if chain is not None:
            await tx.audit.record(Event(chain=chain, kind="alarm", actor=actor, source=source, details=details), now)
    ALARMS.labels(what).inc()
    log.warning("alarm", what=what, actor=actor, subject=subject or "", **facts)
