"""Bring a file of outlets into the bank: the good records in batches, the bad ones said one by one.

Running a file again writes nothing; running a newer one writes what changed. What a file no longer holds stays, unless
whoever runs it says otherwise, and even then only when every record could be read: an outlet whose line is broken is
not one that was closed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec

from foregate.outlets.mapping import BadRow, Mapping, check_columns, load_mapping, outlet_of
from foregate.outlets.reading import NotOutlets, Source, opened
from foregate.ports.outlets import Outlet, Written
from foregate.ports.store import Store
from foregate.rules import limits

Report = Callable[[int, str, str], None]  # number of the record, its outlet_id if it has one, what is wrong
Progress = Callable[[int, int], None]  # bytes read, records read


class Imported(msgspec.Struct, kw_only=True):
    """What an import came to."""

    records: int = 0
    added: int = 0
    changed: int = 0
    unchanged: int = 0
    rejected: int = 0
    without_place: int = 0
    without_hours: int = 0  # said, and not to be read
    retired: int | None = None  # None: not asked, or not done because records were rejected

    def count(self, written: Written) -> None:
        """Add what one batch came to."""
        self.added += written.added
        self.changed += written.changed
        self.unchanged += written.unchanged


async def import_outlets(
    store: Store,
    file: Path,
    now: int,
    report: Report,
    *,
    mapping_file: Path | None = None,
    retire_missing: bool = False,
    progress: Progress = lambda read, records: None,
) -> Imported:
    """Import a file of outlets. Raises NotOutlets when it is none, or the mapping does not fit."""
    mapping, counts, seen = load_mapping(mapping_file), Imported(), set[bytes]()
    with opened(file, encoding=mapping.format.encoding, delimiter=mapping.format.delimiter) as source:
        if source.columns is not None:
            check_columns(mapping, source.columns, is_given=mapping_file is not None)
        batch: list[Outlet] = []
        for outlet in _outlets(source, mapping, counts, seen, report):
            batch.append(outlet)
            if len(batch) == limits.OUTLET_BATCH:
                counts.count(await _write(store, batch, now))
                batch = []
                progress(source.bytes_read(), counts.records)
        counts.count(await _write(store, batch, now))
        progress(source.bytes_read(), counts.records)
    if retire_missing and counts.records and not counts.rejected:
        counts.retired = await _retire(store, seen, now)
    return counts


def _outlets(source: Source, mapping: Mapping, counts: Imported, seen: set[bytes], report: Report) -> Iterator[Outlet]:
    """Yield the good ones, report and count all."""
    for read in source.records:
        counts.records += 1
        if counts.records > limits.OUTLET_FILE_ROWS:
            raise NotOutlets(f"it has more than {limits.OUTLET_FILE_ROWS} records")
        try:
            if read.record is None:
                raise BadRow(read.fault)
            mapped = outlet_of(read.record, mapping)
            mark = _mark(mapped.outlet.outlet_id)
            if mark in seen:
                raise BadRow(f"outlet_id: {mapped.outlet.outlet_id} stands in this file already")
        except BadRow as bad:
            counts.rejected += 1
            report(read.number, _id_in(read.record, mapping), str(bad))
            continue
        seen.add(mark)
        counts.without_place += mapped.outlet.place is None
        counts.without_hours += mapped.without_hours is not None
        yield mapped.outlet


def _id_in(record: object, mapping: Mapping) -> str:
    """Return what stands for the outlet's id in a bad record, as far as it goes."""
    template = mapping.fields["outlet_id"]
    if not isinstance(record, dict) or not isinstance(template, str):
        return ""
    return str(record.get(template.strip("{}"), ""))[: limits.OUTLET_ID_CHARS]


def _mark(outlet_id: str) -> bytes:
    # Sixteen bytes stand for an id of any length: a million of them take no more room than a picture.
    return hashlib.blake2b(outlet_id.encode(), digest_size=16).digest()


async def _write(store: Store, batch: list[Outlet], now: int) -> Written:
    if not batch:
        return Written()
    async with store.begin() as tx:
        return await tx.outlets.put(batch, now)


async def _retire(store: Store, seen: set[bytes], now: int) -> int:
    """Retire what the file did not hold, in bites."""
    gone, after = 0, ""
    while True:
        async with store.begin() as tx:
            ids = await tx.outlets.ids(after, limits.OUTLET_BATCH)
            gone += await tx.outlets.retire([one for one in ids if _mark(one) not in seen], now)
        if len(ids) < limits.OUTLET_BATCH:
            return gone
        after = ids[-1]
