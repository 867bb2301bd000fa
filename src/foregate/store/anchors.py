"""Anchors: files outside the database that know which seals there were, and what a restore makes of them.

Rules
  1. A line of an anchor whose seal the database has, with the same hash, fits. Every other line is lost.
  2. Lost lines are forgiven when the record says so: an event `anchor-ended`, written by `foregate restored`, names the
     first and the last of them, how many they are, and a digest over all. Nothing else forgives a line.
  3. A forgiven gap is told by every `foregate audit verify`, for ever.
  4. A house does not open while the newest line of its anchor is lost and not forgiven.

Theory of operation
  Who cuts the end of the record off wants the verifier to take that for a restore. The event carries an HMAC under the
  audit key, as every event does, so it cannot be written with the database alone; and it fits exactly the lines that
  were lost when it was written. A line that is lost later, by another cut, has another hash, so an old event does not
  cover it: not by its number, not by its time. Who has the key can write such an event, and every verification from
  then on says which seals are gone and when that was declared.

  A seal is committed before its line is appended. So a healthy database is never behind its anchor, however many nodes
  write, each to an anchor of its own; and an anchor that lags behind is simply older.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import msgspec
from sqlalchemy import select

from foregate.rules.staff import ALARM_CHAIN
from foregate.store import anchor_file
from foregate.store.anchor_file import Line
from foregate.store.audit import event_hash
from foregate.store.errors import UnfitDatabase
from foregate.store.keyring import Keys
from foregate.store.statements import Connection, Database, Statement, number, text_of, time_of, word
from foregate.store.tables import audit_event, audit_seal

RESTORED: Final = "bank-restored"
ENDED: Final = "anchor-ended"
LINES_PAGE: Final = 500

_e, _s = audit_event.c, audit_seal.c
_SEALS: Final = Statement(
    select(_s.seal, _s.at, _s.hash).where(_s.seal >= time_of("low"), _s.seal <= time_of("high")).order_by(_s.seal)
)
_SEAL: Final = Statement(select(_s.seal, _s.hash).where(_s.seal == time_of("of_seal")))
_LAST: Final = Statement(select(_s.seal, _s.at).order_by(_s.seal.desc()).limit(number(1)))
_TOLD: Final = Statement(
    select(audit_event)
    .where(_e.chain == text_of("of_chain"), _e.kind.in_((word(RESTORED), word(ENDED))))
    .order_by(_e.seq)
)


class BehindItsAnchor(UnfitDatabase):
    """The anchor knows of seals that the database has not: it was restored, or cut."""


class Ended(msgspec.Struct, frozen=True):
    """Lines of an anchor that a restore lost, as the record says it."""

    first: int
    last: int
    lines: int
    last_hash: str
    digest: str
    at: int = 0  # when it was declared

    def __str__(self) -> str:
        which = f"seal {self.first}" if self.first == self.last else f"seals {self.first} to {self.last}"
        return f"{which} of an anchor, lost by a restore, as was declared on {told_at(self.at)}"


class Restored(msgspec.Struct, frozen=True):
    """A restore, as the record says it."""

    at: int
    seq: int
    seal: int  # the newest one that the database had

    def __str__(self) -> str:
        return f"on {told_at(self.at)} from a backup that ended at seal {self.seal}: {ALARM_CHAIN}, number {self.seq}"


class Known(msgspec.Struct, frozen=True):
    """What the record says of restores, as far as its events are ours."""

    restores: tuple[Restored, ...] = ()
    endings: tuple[Ended, ...] = ()


class Compared(msgspec.Struct, frozen=True):
    """An anchor held against the database."""

    lost: tuple[Line, ...] = ()  # and not forgiven
    rewritten: frozenset[int] = frozenset()  # of those lost, the seals that the database has with another hash
    damaged: tuple[int, ...] = ()  # places of lines that cannot be read
    last_common: Line | None = None  # the newest line that fits


def told_at(at: int) -> str:
    """Return a time as the command line tells it."""
    return f"{datetime.fromtimestamp(at, UTC):%Y-%m-%d %H:%M:%S} UTC"


def digest_of(lines: Sequence[Line]) -> str:
    """Return the digest over lost lines, in the order of the file."""
    return hashlib.sha256("\n".join(f"{line.seal}:{line.hash}" for line in lines).encode()).hexdigest()


def ending_of(lost: Sequence[Line]) -> Ended:
    """Return what the record has to say for these lines to be forgiven."""
    seals = [line.seal for line in lost]
    return Ended(min(seals), max(seals), len(lost), lost[-1].hash, digest_of(lost))


async def known(connection: Connection, keys: Keys) -> Known:
    """Read what the record says of restores. An event that does not carry our hash says nothing."""
    restores, endings = [], []
    for row in await connection.all(_TOLD, of_chain=ALARM_CHAIN):
        if row["hash"] != event_hash(keys, row):
            continue
        said = json.loads(row["details"])
        if row["kind"] == RESTORED:
            restores.append(Restored(row["at"], row["seq"], said["seal"]))
        else:
            endings.append(msgspec.structs.replace(msgspec.convert(said, Ended), at=row["at"]))
    return Known(tuple(restores), tuple(endings))


async def compare(connection: Connection, keys: Keys, anchor: Path) -> Compared:
    """Hold every line of `anchor` against the database. Raises FileNotFoundError when there is no such file."""
    lost: list[Line] = []
    rewritten: set[int] = set()
    damaged: list[int] = []
    last_common: Line | None = None
    for page in _pages(anchor, damaged):
        low, high = min(line.seal for line in page), max(line.seal for line in page)
        stored = {row["seal"]: row["hash"].hex() for row in await connection.all(_SEALS, low=low, high=high)}
        for line in page:
            if stored.get(line.seal) == line.hash:
                last_common = line
                continue
            lost.append(line)
            if line.seal in stored:
                rewritten.add(line.seal)
    left = _not_forgiven(lost, (await known(connection, keys)).endings) if lost else lost
    return Compared(tuple(left), frozenset(rewritten), tuple(damaged), last_common)


def _pages(anchor: Path, damaged: list[int]) -> Iterator[list[Line]]:
    page: list[Line] = []
    for place, line in enumerate(anchor_file.read(anchor), start=1):
        if line is None:
            damaged.append(place)
            continue
        page.append(line)
        if len(page) == LINES_PAGE:
            yield page
            page = []
    if page:
        yield page


def _not_forgiven(lost: list[Line], endings: Sequence[Ended]) -> list[Line]:
    """Return the lines that nothing forgives. A run of lines is forgiven as a whole or not at all."""
    left: list[Line] = []
    place = 0
    while place < len(lost):
        ending = next((each for each in endings if _fits(each, lost[place : place + each.lines])), None)
        if ending is None:
            left.append(lost[place])
        place += ending.lines if ending else 1
    return left


def _fits(ending: Ended, run: Sequence[Line]) -> bool:
    is_whole = len(run) == ending.lines > 0 and run[-1].hash == ending.last_hash
    return is_whole and digest_of(run) == ending.digest


async def last_seal(connection: Connection) -> tuple[int, int] | None:
    """Return number and time of the newest seal that the database has."""
    row = await connection.one(_LAST)
    return (row["seal"], row["at"]) if row else None


# ---------------------------------------------------------------- at the start


async def is_lost(connection: Connection, keys: Keys, line: Line) -> bool:
    """Say whether the database has not the seal of this line, an anchor's newest, and nothing forgives it."""
    stored = await connection.one(_SEAL, of_seal=line.seal)
    if stored is not None and stored["hash"].hex() == line.hash:
        return False
    return all(ending.last_hash != line.hash for ending in (await known(connection, keys)).endings)


async def refuse_behind(database: Database, keys: Keys, anchor: Path) -> None:
    """Raises BehindItsAnchor, which says what to run, when the newest line of `anchor` is lost and not forgiven.

    Raises OSError when the file is there and cannot be read.
    """
    line = anchor_file.newest(anchor)
    if line is None:
        return
    async with database.snapshot() as connection:
        if not await is_lost(connection, keys, line):
            return
        stored, last = await connection.one(_SEAL, of_seal=line.seal), await last_seal(connection)
        told = await known(connection, keys)
    raise BehindItsAnchor(_behind(anchor, line, last, is_other=stored is not None, was_restored=bool(told.restores)))


def _behind(anchor: Path, line: Line, last: tuple[int, int] | None, *, is_other: bool, was_restored: bool) -> str:
    has = "has another one under that number" if is_other else f"ends at seal {last[0]}" if last else "has no seal"
    said = (
        f"The database lies behind its audit anchor: {anchor} knows of seal {line.seal}, the database {has}.\n"
        "It was restored from a backup, or its end was cut off. Codes that were used and sessions that were ended\n"
        "would live again, so the door stays shut. After a restore run, with the same settings:\n"
        "  foregate restored --close-permissions   (or --keep-permissions; `foregate restored --help` says which)"
    )
    if was_restored:
        said += "\nWas that done, and this anchor was not named then? Run: foregate restored --anchor-only"
    return said
