"""`foregate import outlets`: a progress bar, the first bad records, the sum."""

from __future__ import annotations

import csv
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

from foregate.outlets.importing import Imported, Report, import_outlets
from foregate.outlets.reading import NotOutlets
from foregate.settings import Settings

SHOWN: int = 20
out = Console()


async def import_file(
    settings: Settings, file: Path, mapping: Path | None, rejects: Path | None, retire_missing: bool
) -> int:
    """Import a file of outlets; say what was refused, and what became of the rest. Returns the exit code."""
    from foregate.bootstrap import SystemClock, open_store
    from foregate.store.keyring import load_keys

    clock = SystemClock()
    store = await open_store(settings, load_keys(Path(settings.keys_file)), clock)
    try:
        with _reporting(rejects) as report, _bar(file) as progress:
            counts = await import_outlets(
                store,
                file,
                clock.now(),
                report,
                mapping_file=mapping,
                retire_missing=retire_missing,
                progress=progress,
            )
    except NotOutlets as wrong:
        print(f"{file} is no file of outlets: {wrong}", file=sys.stderr)
        return 2
    finally:
        await store.close()
    _tell(counts, rejects, retire_missing)
    return 1 if counts.rejected else 0


@contextmanager
def _bar(file: Path) -> Iterator[Any]:
    columns = (TextColumn("outlets"), BarColumn(), TaskProgressColumn(), TextColumn("{task.fields[records]} records"))
    with Progress(*columns, TimeElapsedColumn(), console=out, transient=True) as bar:
        task = bar.add_task("outlets", total=file.stat().st_size, records=0)
        yield lambda read, records: bar.update(task, completed=read, records=records)


@contextmanager
def _reporting(rejects: Path | None) -> Iterator[Report]:
    """Show the first SHOWN bad records, and write every one to the file of rejects."""
    shown = 0
    file = rejects.open("w", encoding="utf-8", newline="") if rejects else None
    writer = csv.writer(file) if file else None
    if writer:
        writer.writerow(("record", "outlet_id", "reason"))

    def report(number: int, outlet_id: str, reason: str) -> None:
        nonlocal shown
        shown += 1
        if writer:
            writer.writerow((number, outlet_id, reason))
        if shown <= SHOWN:
            out.print(f"[red]{number}[/red] {escape(outlet_id)}: {escape(reason)}", soft_wrap=True)
        elif shown == SHOWN + 1:
            out.print("... and more" + ("" if rejects else "; --rejects FILE keeps every one"))

    try:
        yield report
    finally:
        if file:
            file.close()


def _tell(counts: Imported, rejects: Path | None, retire_missing: bool) -> None:
    line = (
        f"{counts.records} records: {counts.added} new, {counts.changed} changed, {counts.unchanged} unchanged, "
        f"{counts.rejected} rejected"
    )
    out.print(line + (f" (in {rejects})" if rejects and counts.rejected else ""), soft_wrap=True)
    if counts.without_place:
        out.print(f"{counts.without_place} have no coordinates: found by name and address, not by distance")
    if counts.without_hours:
        out.print(f"{counts.without_hours} have hours that cannot be read: taken as unknown")
    if counts.retired is not None:
        out.print(f"{counts.retired} that the file no longer holds were retired")
    elif retire_missing:
        out.print("[yellow]Nothing was retired[/yellow]: a rejected record may be an outlet that is open")
