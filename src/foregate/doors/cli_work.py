"""The commands that work on the store: importing customers, verifying the record."""

from __future__ import annotations

import sys
from pathlib import Path

from rich.console import Console
from rich.markup import escape

from foregate.settings import Settings

out = Console()


class _Refused:
    """The lines of a file that were refused, told as they come."""

    def __init__(self) -> None:
        self.any = False

    def __call__(self, line: int, reason: str) -> None:
        self.any = True
        out.print(f"[red]line {line}[/red]: {escape(reason)}", soft_wrap=True)


async def import_file(settings: Settings, file: Path) -> int:
    """Import a customer file; say line by line what was refused. Returns the exit code."""
    from foregate.bootstrap import SystemClock, open_store
    from foregate.gateways.core_bank.csv_import import import_customers
    from foregate.gateways.core_bank.embedded import EmbeddedCoreBank
    from foregate.gateways.hashing import Argon2Hasher
    from foregate.store.keyring import load_keys

    keys = load_keys(Path(settings.keys_file))
    store = await open_store(settings, keys, SystemClock())
    hasher = Argon2Hasher(keys)
    core, report = EmbeddedCoreBank(store, keys, hasher), _Refused()
    try:
        with file.open(encoding="utf-8-sig", newline="") as lines:
            counts = await import_customers(core, lines, report)
    except ValueError as wrong:  # other columns, or no text in UTF-8
        print(f"{file} is no file of customers: {wrong}", file=sys.stderr)
        return 2
    finally:
        hasher.close()
        await store.close()
    out.print(f"{counts}")
    return 1 if report.any else 0


async def import_documents_file(settings: Settings, file: Path) -> int:
    """Import a file of identity documents; say line by line what was refused. Returns the exit code."""
    from foregate.bootstrap import SystemClock, open_store
    from foregate.gateways.document_registry.csv_import import import_documents
    from foregate.gateways.document_registry.embedded import EmbeddedRegistry
    from foregate.store.keyring import load_keys

    keys, clock = load_keys(Path(settings.keys_file)), SystemClock()
    store = await open_store(settings, keys, clock)
    report = _Refused()
    try:
        with file.open(encoding="utf-8-sig", newline="") as lines:
            counts = await import_documents(EmbeddedRegistry(store, keys, clock), lines, report)
    except ValueError as wrong:
        print(f"{file} is no file of documents: {wrong}", file=sys.stderr)
        return 2
    finally:
        await store.close()
    out.print(f"{counts}")
    return 1 if report.any else 0


async def verify_audit(settings: Settings, anchor: Path | None) -> int:
    """Verify the audit record; name the first bad event of each chain. Returns the exit code."""
    from foregate.bootstrap import SystemClock, open_store
    from foregate.store.anchors import known
    from foregate.store.audit_check import verify
    from foregate.store.keyring import load_keys

    keys = load_keys(Path(settings.keys_file))
    store = await open_store(settings, keys, SystemClock())
    path = anchor or (Path(settings.audit_anchor) if settings.audit_anchor else None)
    try:
        findings = await verify(store, anchor=path)
        async with store.database.snapshot() as connection:
            told = await known(connection, keys)
    finally:
        await store.close()
    for finding in findings:
        out.print(f"[red]tampered[/red] {escape(str(finding))}", soft_wrap=True)
    for restored in told.restores:
        out.print(f"[yellow]restored[/yellow] {restored}", soft_wrap=True)
    for gap in told.endings:
        out.print(f"[yellow]known gap[/yellow] {gap}", soft_wrap=True)
    if not findings:
        but = ", but for the known gaps above" if told.endings else ""
        out.print(
            f"[green]The record is whole{but}.[/green]" + ("" if path else " (No anchor given: a cut tail could hide.)")
        )
    return 1 if findings else 0
