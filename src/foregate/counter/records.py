"""The audit of one customer, of one member of staff, and of every alarm: read back and checked while it is shown."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Final

from foregate.counter import timeline
from foregate.counter.files import names_in
from foregate.counter.guard import ALARM_CHAIN, Doing, Guard, Objected, chain_of
from foregate.counter.refs import read_ref
from foregate.counter.views import Actor, Audited
from foregate.ports.counter import TrailEntry
from foregate.rules.staff import Right

EXPORT_PAGES_MAX: Final = 200
HEADER: Final = ("number", "time", "kind", "actor", "source", "journey", "details")
# What a spreadsheet takes for a formula (CWE-1236).
FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")


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

    async def csv_of_customer(self, actor: Actor, ref: str) -> str:
        """Return a customer's whole record as CSV, the oldest event first. Raises Objected."""
        return await self._csv(actor, self._of(actor, ref))

    async def csv_of_staff(self, actor: Actor, staff_id: str) -> str:
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

    async def _csv(self, actor: Actor, chain: str) -> str:
        entries: list[TrailEntry] = []
        before: int | None = None
        async with self._guard.doing(actor, Right.EXPORT_AUDIT) as doing:
            for _ in range(EXPORT_PAGES_MAX):
                page = await doing.tx.trail.of(chain, before=before)
                entries += page
                if not page:
                    break
                before = page[-1].seq
            await self._note(doing, "audit-exported", chain)
        return rows_as_csv(reversed(entries))

    async def _note(self, doing: Doing, kind: str, chain: str) -> None:
        # On the reader's own chain: what is read must not grow by being read.
        await doing.record(kind, by=chain)


def rows_as_csv(entries: Iterable[TrailEntry]) -> str:
    """Return events as CSV that no spreadsheet takes for formulas."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(HEADER)
    for entry in entries:
        when = datetime.fromtimestamp(entry.at, UTC).isoformat()
        details = json.dumps(entry.details, ensure_ascii=False, sort_keys=True)
        cells = (str(entry.seq), when, entry.kind, entry.actor, entry.source, entry.journey_id or "", details)
        writer.writerow([safe(cell) for cell in cells])
    return out.getvalue()


def safe(cell: str) -> str:
    """Return a cell that is text to every spreadsheet."""
    return f"'{cell}" if cell.startswith(FORMULA) else cell
