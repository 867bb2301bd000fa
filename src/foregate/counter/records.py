"""The audit of one customer, of one member of staff, and of every alarm: read back and checked while it is shown."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterable
from datetime import UTC, datetime
from typing import Final

from foregate.counter import timeline
from foregate.counter.files import names_in
from foregate.counter.guard import ALARM_CHAIN, Doing, Guard, Objected, chain_of
from foregate.counter.refs import read_ref
from foregate.counter.sheets import sheet
from foregate.counter.views import Actor, Audited
from foregate.ports.counter import TrailEntry
from foregate.rules.staff import Right

HEADER: Final = ("number", "time", "kind", "actor", "source", "journey", "details")


class Records:
    """Reads the record for those who check it."""

    def __init__(self, guard: Guard) -> None:
        self._guard = guard
        self._world = guard.world

    async def customer(self, actor: Actor, ref: str, before: int | None = None) -> Audited:
        """Return one page of a customer's record, the whole of which was checked just now. Raises Objected."""
        return await self._audited(actor, Right.AUDIT_CUSTOMER, self._of(actor, ref), before)

    async def staff(self, actor: Actor, staff_id: str, before: int | None = None) -> Audited:
        """The same of a member of staff. Raises Objected."""
        return await self._audited(actor, Right.AUDIT_STAFF, chain_of(staff_id), before)

    async def alarms(self, actor: Actor, before: int | None = None) -> Audited:
        """The same of every alarm. Raises Objected."""
        return await self._audited(actor, Right.AUDIT_STAFF, ALARM_CHAIN, before)

    async def csv_of_customer(self, actor: Actor, ref: str) -> AsyncIterator[str]:
        """Return a customer's whole record as CSV, the oldest event first, a page at a time. Raises Objected."""
        return await self._csv(actor, self._of(actor, ref))

    async def csv_of_staff(self, actor: Actor, staff_id: str) -> AsyncIterator[str]:
        """The same of a member of staff. Raises Objected."""
        return await self._csv(actor, chain_of(staff_id))

    def _of(self, actor: Actor, ref: str) -> str:
        return read_ref(self._world.keyring, actor, ref, self._world.clock.now()).customer_id

    async def _audited(self, actor: Actor, right: Right, chain: str, before: int | None) -> Audited:
        async with self._guard.doing(actor, right) as doing:
            if chain.startswith("staff-") and await doing.tx.staff.find(chain.removeprefix("staff-")) is None:
                raise Objected("staff-unknown")
            entries = await doing.tx.trail.of(chain, before=before)
            names = await names_in(doing, (), entries)
            await self._note(doing, "audit-read", chain)
        findings = await self._world.store.check_chain(chain)
        return Audited(chain=chain, timeline=timeline.page_of(entries, names), findings=findings)

    async def _csv(self, actor: Actor, chain: str) -> AsyncIterator[str]:
        async with self._guard.doing(actor, Right.EXPORT_AUDIT) as doing:
            await self._note(doing, "audit-exported", chain)
        return self._pages(chain)

    async def _pages(self, chain: str) -> AsyncIterator[str]:
        """Yield the whole chain, however long: each page in a transaction of its own, so nobody waits for the last."""
        yield sheet([HEADER])
        after = 0
        while True:
            async with self._world.store.begin() as tx:
                page = await tx.trail.onwards(chain, after=after)
            if not page:
                return
            yield rows_as_csv(page)
            after = page[-1].seq

    async def _note(self, doing: Doing, kind: str, chain: str) -> None:
        # On the reader's own chain: what is read must not grow by being read.
        await doing.record(kind, by=chain)


def rows_as_csv(entries: Iterable[TrailEntry]) -> str:
    """Return events as rows of CSV."""
    return sheet(_cells(entry) for entry in entries)


def _cells(entry: TrailEntry) -> tuple[str, ...]:
    when = datetime.fromtimestamp(entry.at, UTC).isoformat()
    details = json.dumps(entry.details, ensure_ascii=False, sort_keys=True)
    return (str(entry.seq), when, entry.kind, entry.actor, entry.source, entry.journey_id or "", details)
