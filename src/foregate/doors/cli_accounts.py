"""`foregate import statements` and `foregate accounts verify`."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from foregate.accounts.importing import Imported, import_statements
from foregate.accounts.statements import Refused
from foregate.rules import limits
from foregate.settings import Settings
from foregate.store.unit_of_work import SqlStore

out = Console()


async def _open(settings: Settings) -> SqlStore:
    from foregate.bootstrap import SystemClock, open_store
    from foregate.store.keyring import load_keys

    return await open_store(settings, load_keys(Path(settings.keys_file)), SystemClock())


async def import_files(settings: Settings, files: Sequence[Path], owner: str, time_zone: str) -> int:
    """Import statements; a file that cannot be believed is refused, the others come in. Returns the exit code."""
    store, refused = await _open(settings), 0
    try:
        for file in files:
            try:
                done = await _import(store, file, owner, time_zone)
            except Refused as wrong:
                refused += 1
                out.print(f"[red]refused[/red] {escape(file.name)}: {escape(str(wrong))}", soft_wrap=True)
            else:
                _tell(file, done)
    finally:
        await store.close()
    return 1 if refused else 0


async def _import(store: SqlStore, file: Path, owner: str, time_zone: str) -> Imported:
    columns = (SpinnerColumn(), TextColumn(escape(file.name)), TextColumn("{task.completed:.0f} entries"))
    with Progress(*columns, TimeElapsedColumn(), console=out, transient=True, disable=not out.is_terminal) as bar:
        task = bar.add_task(file.name, total=None)
        return await import_statements(
            store,
            file,
            store.clock.now(),
            owner=owner,
            time_zone=time_zone,
            progress=lambda entries: bar.update(task, completed=entries),
        )


def _tell(file: Path, done: Imported) -> None:
    outcome = done.outcome
    out.print(
        f"{escape(file.name)}: {done.statements} statements, {done.known} known before; {outcome.added} new entries, "
        f"{outcome.unchanged} unchanged, {outcome.replaced} that had waited",
        soft_wrap=True,
    )
    for gap in done.gaps:
        out.print(
            f"  [yellow]a statement is missing[/yellow]: {escape(gap.account)} moved by {gap.moved.text} "
            f"{gap.moved.currency} before the one of {gap.day}, and no file says how",
            soft_wrap=True,
        )


async def verify(settings: Settings) -> int:
    """Recompute every account from its postings. Returns the exit code."""
    store = await _open(settings)
    wrong = looked_at = 0
    after = ""
    try:
        while True:
            async with store.begin() as tx:
                found = await tx.ledger.verify(after, limits.VERIFY_BATCH)
            for account_id, what in found:
                looked_at, after = looked_at + 1, account_id
                if what:
                    wrong += 1
                    print(f"{account_id}: {what}", file=sys.stderr)
            if len(found) < limits.VERIFY_BATCH:
                break
    finally:
        await store.close()
    print(f"{looked_at} accounts: {wrong} wrong, {looked_at - wrong} as their postings say")
    return 1 if wrong else 0
