"""The command line: serve, migrate, keys, check, journeys, policy, import, accounts, audit, restored, staff, and more.

Everything heavy is imported by the command that needs it, so `foregate --help` answers at once.
Exit codes: 0 done; 1 something was found (a broken promise, a tampered record, a bad row); 2 bad usage or settings.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import Annotated, Any

from cyclopts import App, Parameter

from foregate import __version__
from foregate.doors import cli_diagnosis, cli_face, cli_models, cli_restored, cli_rules, cli_staff

app = App(
    name="foregate",
    version=__version__,
    help="A bank's front door: register, sign in, get back in.",
    help_epilogue="Begin with `foregate demo`. For a bank: `foregate keys`, `migrate`, `import customers`, `serve`.",
)
app.command(cli_rules.check)
app.command(cli_rules.journeys)
app.command(cli_rules.policy)
app.command(cli_rules.causes)
app.command(cli_diagnosis.diagnosis)
app.command(cli_restored.restored)
imports = App(name="import", help="Bring data in.")
audit = App(name="audit", help="The record that nobody can alter unseen.")
accounts = App(name="accounts", help="The embedded ledger.")
app.command(imports)
app.command(accounts)
app.command(audit)
staff = App(name="staff", help="Who works at the counter.")
staff.command(cli_staff.add)
app.command(staff)

models = App(name="models", help="The models that sign-in by face runs on.")
models.command(cli_models.fetch)
models.command(cli_models.verify)
app.command(models)
face = App(name="face", help="How well faces are told apart.")
face.command(cli_face.evaluate)
app.command(face)

SettingsFile = Annotated[str | None, Parameter(name=["--settings", "-s"], help="TOML file; FOREGATE_* overrides it.")]


@app.command
def serve(*, settings: SettingsFile = None, host: str = "127.0.0.1", port: int = 8080) -> None:
    """Serve the front door: behind the TLS of your balancer, or with its own where the settings name a certificate.

    With tls_certificate and tls_key it speaks TLS 1.3 and HTTP/2; a renewed certificate is taken up on SIGHUP or
    within a minute.

    Example: foregate serve --settings /etc/foregate.toml --host 10.0.0.5
    """
    from foregate.doors import loading

    loading.begin()
    from foregate.doors.serve import serve as run  # after `begin`: it loads the most

    run(_settings(settings), host, port)


@app.command
def demo(*, host: str = "127.0.0.1", port: int = 8000, folder: Path | None = None) -> None:
    """Run the demo bank: some two dozen fictional customers, an embedded database, a simulated phone.

    Example: foregate demo --port 8001
    """
    from foregate.demo.run import run

    run(host, port, folder)


@app.command
def migrate(*, settings: SettingsFile = None, down: bool = False, lose_data: bool = False) -> None:
    """Bring the database to this version (or, with --down --lose-data, take it back by one).

    Example: foregate migrate --settings /etc/foregate.toml
    """
    from foregate.store import migrate as migrations

    chosen = _settings(settings, "database")
    if down and not lose_data:
        _fail("Going back drops what only this version keeps, the first version everything. If so: --down --lose-data")
    (migrations.downgrade if down else migrations.upgrade)(chosen.database)
    print(f"schema is at {migrations.current(chosen.database)}")


@app.command
def keys(file: Path) -> None:
    """Make a key file, readable by you alone. Keep it outside the database, and a copy of it in a safe.

    Example: foregate keys /etc/foregate/keys.toml
    """
    from foregate.store.keyring import write_keys

    try:
        write_keys(file)
    except FileExistsError:
        _fail(f"{file} exists already; a second set of keys would make everything stored unreadable")
    print(f"{file}: new keys. Without this file nothing in the database can be read again.")


@imports.command(name="customers")
def import_customers(file: Path, *, settings: SettingsFile = None) -> None:
    """Import people and cards into the embedded core bank from a CSV file; running it again changes what changed.

    Columns: core_ref,name,birth_date,document_type,document_number,document_expires_on,card_number,card_pin,bound_phone
    and, where the bank knows it, document_issued_on

    Example: foregate import customers people.csv --settings /etc/foregate.toml
    """
    from foregate.doors.cli_work import import_file

    sys.exit(asyncio.run(import_file(_settings(settings, "database", "keys_file"), file)))


@imports.command(name="documents")
def import_documents(file: Path, *, settings: SettingsFile = None) -> None:
    """Import identity documents into the embedded registry from a CSV file; running it again changes what changed.

    Columns: holder,name,document_type,document_number,document_expires_on
    and, where the bank knows it, document_issued_on

    Example: foregate import documents documents.csv --settings /etc/foregate.toml
    """
    from foregate.doors.cli_work import import_documents_file

    sys.exit(asyncio.run(import_documents_file(_settings(settings, "database", "keys_file"), file)))


@imports.command(name="outlets")
def import_outlets(
    file: Path,
    *,
    mapping: Path | None = None,
    rejects: Path | None = None,
    retire_missing: bool = False,
    settings: SettingsFile = None,
) -> None:
    """Import outlets from a CSV or GeoJSON file (.gz too); running it again changes what changed.

    Without a mapping file, columns are named outlet_id, name, address, latitude, longitude, hours, and so on. With
    --retire-missing, outlets that the file no longer holds are found by nobody any more.

    Example: foregate import outlets branches.csv.gz --mapping branches.toml --rejects bad.csv -s /etc/foregate.toml

    Parameters
    ----------
    file
        .csv, .geojson or .json, with or without .gz
    mapping
        TOML file that says which column is what
    rejects
        where every rejected record is written, with the reason
    retire_missing
        take what the file does not hold out of every list; nothing is done when a record was rejected
    settings
        TOML file; FOREGATE_* overrides it
    """
    from foregate.doors.cli_outlets import import_file

    chosen = _settings(settings, "database", "keys_file")
    sys.exit(asyncio.run(import_file(chosen, file, mapping, rejects, retire_missing)))


@imports.command(name="statements")
def import_statements(
    files: list[Path], *, owner: str = "", time_zone: str = "Asia/Shanghai", settings: SettingsFile = None
) -> None:
    """Import account statements: camt.052, .053, .054, MT940, MT942, or a sandbox file of the Open Bank Project.

    A file that does not add up is refused whole, with line and reason; running one again changes nothing.

    Example: foregate import statements camt053-2026-11-23.xml --owner C001 --settings /etc/foregate.toml

    Parameters
    ----------
    files
        in the order of their days, or in any other
    owner
        the person (core_ref) whose accounts those are that are not known yet
    time_zone
        where the bank of those accounts is: whose days their booking dates are
    settings
        TOML file; FOREGATE_* overrides it
    """
    from foregate.doors.cli_accounts import import_files

    sys.exit(asyncio.run(import_files(_settings(settings, "database", "keys_file"), files, owner, time_zone)))


@accounts.command(name="verify")
def accounts_verify(*, settings: SettingsFile = None) -> None:
    """Recompute every account of the embedded ledger from its postings, and say what does not fit.

    Example: foregate accounts verify --settings /etc/foregate.toml
    """
    from foregate.doors.cli_accounts import verify

    sys.exit(asyncio.run(verify(_settings(settings, "database", "keys_file"))))


@audit.command(name="verify")
def audit_verify(*, settings: SettingsFile = None, anchor: Path | None = None) -> None:
    """Verify every chain of the audit record, and the seals over them, against the anchor if there is one.

    What a restore lost is no finding where `foregate restored` was run, and is told each time.

    Example: foregate audit verify --settings /etc/foregate.toml --anchor /mnt/other/anchor.jsonl
    """
    from foregate.doors.cli_work import verify_audit

    sys.exit(asyncio.run(verify_audit(_settings(settings, "database", "keys_file"), anchor)))


def _settings(path: str | None, *needed: str) -> Any:
    """Read the settings, of which a command needs some."""
    from foregate.settings import load

    settings = load(path)
    for name in needed:
        if not getattr(settings, name):
            _fail(f"{name} is not set: name it in the settings file, or as FOREGATE_{name.upper()}")
    return settings


def _fail(message: str) -> None:
    print(message, file=sys.stderr)
    sys.exit(2)


def main() -> None:
    """Run the command line; a mistake in settings, keys or database is a sentence, not a trace."""
    from foregate.ports import Busy
    from foregate.settings import BadSettings
    from foregate.store.errors import UnfitDatabase
    from foregate.store.keyring import WeakKeys

    try:
        app()
    except (BadSettings, UnfitDatabase, WeakKeys, Busy) as bad:
        _fail(str(bad))
    except FileNotFoundError as missing:
        _fail(f"{missing.filename} is not there")
    except (IsADirectoryError, PermissionError) as wrong:
        _fail(f"{wrong.filename} cannot be used: {wrong.strerror}")


if __name__ == "__main__":
    main()
