"""Anchors and restores: a database that went back is noticed at the start, and the record forgives what a restore lost,
exactly that, and nothing that is cut off under its cover."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from foregate.ports import Event
from foregate.store import anchor_file, anchors, restoring
from foregate.store.anchors import BehindItsAnchor, refuse_behind
from foregate.store.audit_check import verify
from foregate.store.sealer import Sealer
from foregate.store.unit_of_work import SqlStore
from tests.contract.samples import NOW, Clock, new_keys, sql

pytestmark = pytest.mark.anyio
ANN = "01900000-ann"
DAY = 86_400


@pytest.fixture
def anchor(tmp_path: Path) -> Path:
    return tmp_path / "anchor.jsonl"


async def seal(store: SqlStore, anchor: Path, times: int = 1) -> None:
    """Let something happen and be sealed, a minute each."""
    sealer = Sealer(store, anchor)
    for _ in range(times):
        store.clock.at += 60  # type: ignore[attr-defined]  # a test's clock
        async with store.begin() as tx:
            await tx.audit.record(Event(chain=ANN, kind="code-sent"), store.clock.now())
        await sealer.once()


async def go_back(store: SqlStore, to_seal: int, *, keeping: str = "") -> None:
    """Bring the record to where it was when a seal was made: what a restore does, and what a careful thief would.

    `keeping`: a chain that stays as it is, not sealed any more.
    """
    for statement in (
        f"DELETE FROM audit_sealed_head WHERE seal > {to_seal}",
        f"DELETE FROM audit_seal WHERE seal > {to_seal}",
        "DELETE FROM audit_event WHERE seq > COALESCE((SELECT max(k.seq) FROM audit_sealed_head k"
        f" WHERE k.chain = audit_event.chain), 0) AND chain <> '{keeping}'",
        "DELETE FROM audit_head WHERE chain NOT IN (SELECT chain FROM audit_event)",
        "UPDATE audit_head SET is_sealed = 1, seq = (SELECT max(e.seq) FROM audit_event e"
        " WHERE e.chain = audit_head.chain)",
        "UPDATE audit_head SET hash = (SELECT e.hash FROM audit_event e"
        " WHERE e.chain = audit_head.chain AND e.seq = audit_head.seq)",
        f"UPDATE audit_head SET is_sealed = 0 WHERE chain = '{keeping}'",
    ):
        await sql(store, f"{statement} RETURNING 1")
    assert [] == await verify(store)


def copy_of(
    anchor: Path, to: Path, *, lines: int | None = None, torn: int = 0, mend: Callable[[bytes], bytes] | None = None
) -> Path:
    """Copy an anchor, or its first lines, or all but the last bytes, or with the line before the last mended."""
    kept = lines_of(anchor)[:lines]
    if mend is not None:
        kept[-2] = mend(kept[-2])
    content = b"".join(kept)
    to.write_bytes(content[: len(content) - torn])
    return to


def lines_of(anchor: Path) -> list[bytes]:
    return anchor.read_bytes().splitlines(keepends=True) if anchor.exists() else []


async def is_open(store: SqlStore, anchor: Path) -> bool:
    """Whether a house would open on this database."""
    try:
        await refuse_behind(store.database, store.keys, anchor)
    except BehindItsAnchor:
        return False
    return True


async def lost(store: SqlStore, anchor: Path) -> list[int]:
    """The seals that nobody forgives."""
    async with store.database.snapshot() as connection:
        return [line.seal for line in (await anchors.compare(connection, store.keys, anchor)).lost]


async def restore(store: SqlStore, *paths: Path) -> None:
    """Run what `foregate restored` runs."""
    await restoring.end(store, paths, closes=False, forgets=False)
    await Sealer(store, paths[0]).once()


# ---------------------------------------------------------------- at the start


async def test_a_healthy_database_opens(store: SqlStore, anchor: Path) -> None:
    """Without a file, with an empty, an old or a torn one, and while others write: no node is kept from starting."""
    assert await is_open(store, anchor)
    copy_of(anchor, anchor, lines=0)
    assert await is_open(store, anchor)
    await seal(store, anchor, 3)
    assert await is_open(store, anchor)
    old = copy_of(anchor, anchor.with_name("some-seconds-behind"), lines=1)
    assert await is_open(store, old)
    copy_of(anchor, old, torn=20)
    assert await is_open(store, old)

    async def starts() -> bool:
        return all([await is_open(store, path) for _ in range(10) for path in (anchor, old)])

    _, did = await asyncio.gather(seal(store, anchor, 10), starts())
    assert did


async def test_a_database_that_went_back_does_not(store: SqlStore, anchor: Path) -> None:
    """Refused until the restore is declared, in words that say what to run; also when it has gone on since."""
    await seal(store, anchor, 3)
    await go_back(store, 2)
    with pytest.raises(BehindItsAnchor, match="knows of seal 3, the database ends at seal 2") as refused:
        await refuse_behind(store.database, store.keys, anchor)
    assert "foregate restored --close-permissions" in str(refused.value)
    await seal(store, anchor.with_name("another"))
    with pytest.raises(BehindItsAnchor, match="has another one under that number"):
        await refuse_behind(store.database, store.keys, anchor)

    await restoring.end(store, [anchor], closes=False, forgets=False)

    assert await is_open(store, anchor)
    await Sealer(store, anchor).once()
    assert await is_open(store, anchor)
    assert [] == await verify(store, anchor)


async def test_each_nodes_anchor_knows_how_far_the_record_goes(store: SqlStore, anchor: Path) -> None:
    """A node that sealed nothing writes down what the others sealed, so it too notices when the database goes back."""
    other = anchor.with_name("other")
    idle = Sealer(store, other)
    await idle.once()
    await seal(store, anchor, 3)
    await idle.once()
    assert lines_of(anchor) == lines_of(other)
    await idle.once()
    assert lines_of(anchor) == lines_of(other)
    await go_back(store, 2)
    assert (False, False) == (await is_open(store, anchor), await is_open(store, other))


async def test_a_bank_that_goes_back_while_it_is_open(store: SqlStore, anchor: Path) -> None:
    """Its anchor is left alone until the restore is declared: no newer line makes the next start believe in it."""
    await seal(store, anchor, 4)
    before = lines_of(anchor)
    running = Sealer(store, anchor)
    await running.once()
    await go_back(store, 2)
    await seal(store, anchor.with_name("another"), 3)
    await running.once()
    assert (before, False) == (lines_of(anchor), await is_open(store, anchor))
    await restoring.end(store, [anchor], closes=False, forgets=False)
    await running.once()
    assert (len(before) + 2, True) == (len(lines_of(anchor)), await is_open(store, anchor))
    assert [] == await verify(store, anchor)


# ---------------------------------------------------------------- what is forgiven


async def test_a_restore_is_forgiven_and_told(store: SqlStore, anchor: Path) -> None:
    """What was lost is one known gap; what follows under the same numbers is verified; a second restore is a second."""
    await seal(store, anchor, 5)
    await go_back(store, 2)
    assert [3] == [finding.seq for finding in await verify(store, anchor)]
    await restore(store, anchor)
    await seal(store, anchor, 6)
    assert [] == await verify(store, anchor)
    await go_back(store, 7)
    assert [8, 9] == await lost(store, anchor)
    await restore(store, anchor)
    await seal(store, anchor, 3)

    assert [] == await verify(store, anchor)
    async with store.database.snapshot() as connection:
        told = await anchors.known(connection, store.keys)
    assert [(3, 5, 3), (8, 9, 2)] == [(each.first, each.last, each.lines) for each in told.endings]
    assert [2, 7] == [each.seal for each in told.restores]


async def test_a_restore_to_before_a_restore(store: SqlStore, anchor: Path) -> None:
    """An older copy than the last one has lost the first epoch as well; one declaration forgives both."""
    await seal(store, anchor, 4)
    await go_back(store, 3)
    await restore(store, anchor)
    await seal(store, anchor, 2)
    await go_back(store, 1)
    assert [2, 3, 4, 4, 5, 6] == await lost(store, anchor)
    await restore(store, anchor)
    assert [] == await verify(store, anchor)
    assert await is_open(store, anchor)


async def test_a_cut_behind_a_restore_is_found(store: SqlStore, anchor: Path) -> None:
    """Who cuts the new end off, back into the numbers that were forgiven, is found: those are other seals."""
    await seal(store, anchor, 9)
    await go_back(store, 2)
    await restore(store, anchor)
    await seal(store, anchor, 4)
    await go_back(store, 4)
    assert [5, 6, 7] == await lost(store, anchor)
    assert [5] == [finding.seq for finding in await verify(store, anchor)]
    assert not await is_open(store, anchor)


async def test_a_cut_that_keeps_the_declaration_is_found(store: SqlStore, anchor: Path) -> None:
    """As many seals, under the very numbers that were forgiven, are cut off and the declaration stays: no use."""
    await seal(store, anchor, 5)
    await go_back(store, 2)
    await restore(store, anchor)
    await seal(store, anchor, 2)
    await go_back(store, 2, keeping="alarms")
    assert [3, 4, 5] == await lost(store, anchor)
    assert [3] == [finding.seq for finding in await verify(store, anchor)]
    assert not await is_open(store, anchor)


async def test_a_declaration_is_of_every_line(store: SqlStore, anchor: Path) -> None:
    """An anchor that has lost another seal among them has not lost what was declared."""
    await seal(store, anchor, 5)
    other = copy_of(anchor, anchor.with_name("other"), mend=lambda line: line.replace(b'"hash":"', b'"hash":"0'))
    await go_back(store, 2)
    await restore(store, anchor)
    assert ([], [3, 4, 5]) == (await lost(store, anchor), await lost(store, other))


Forge = Callable[[SqlStore], Awaitable[None]]


async def change_it(store: SqlStore) -> None:
    """Have the declaration that there is say more."""
    await sql(
        store, "UPDATE audit_event SET details = replace(details, '4', '5') WHERE kind = 'anchor-ended' RETURNING 1"
    )


async def remove_it(store: SqlStore) -> None:
    """Take the declaration away."""
    await sql(store, "DELETE FROM audit_event WHERE kind = 'anchor-ended' RETURNING 1")


async def move_it(store: SqlStore) -> None:
    """Put it into another place of the chain."""
    await sql(store, "UPDATE audit_event SET seq = 9 WHERE kind = 'anchor-ended' RETURNING 1")


@pytest.mark.parametrize("forge", [change_it, remove_it, move_it])
async def test_a_declaration_that_was_tampered_with_forgives_nothing(
    store: SqlStore, anchor: Path, forge: Forge
) -> None:
    """It stands in the record as everything does, and counts as long as it carries its hash."""
    await seal(store, anchor, 4)
    await go_back(store, 2)
    await restore(store, anchor)
    await forge(store)
    assert [3, 4] == await lost(store, anchor)
    assert {"seals", "alarms"} == {finding.chain for finding in await verify(store, anchor)}


async def test_nobody_declares_without_the_key(store: SqlStore, anchor: Path) -> None:
    """A thief who cut the end off and writes a declaration of his own opens no house and convinces no verifier."""
    await seal(store, anchor, 4)
    await go_back(store, 2)
    thief = SqlStore(store.database, new_keys(), store.clock)
    await restoring.end(thief, [anchor], closes=False, forgets=False)
    assert [3, 4] == await lost(store, anchor)
    assert not await is_open(store, anchor)
    assert "alarms" in {finding.chain for finding in await verify(store, anchor)}


async def test_nothing_is_declared_by_halves(store: SqlStore, anchor: Path) -> None:
    """When the restore cannot be written into the record, nothing has ended."""
    await seal(store, anchor, 2)
    await sql(store, f"INSERT INTO device VALUES ('a', 'b', {blob(store)}, 'test', 1, 1) RETURNING 1")
    taken = "SELECT 'alarms', 1, at, kind, journey_id, actor, source, details, prev, hash FROM audit_event LIMIT 1"
    await sql(store, f"INSERT INTO audit_event {taken} RETURNING 1")
    with pytest.raises(Exception, match=r"(?i)unique"):
        await restoring.end(store, [anchor], closes=True, forgets=True)
    assert 1 == len(await sql(store, "SELECT * FROM device"))


def blob(store: SqlStore) -> str:
    return "X'00'" if store.database.dialect == "sqlite" else "'\\x00'::bytea"


# ---------------------------------------------------------------- an anchor that was not at hand


async def test_an_anchor_that_was_not_at_hand(store: SqlStore, anchor: Path, clock: Clock) -> None:
    """Its node does not open and is told what to run; nothing younger than the restore is forgiven."""
    await seal(store, anchor, 4)
    other = copy_of(anchor, anchor.with_name("other"), lines=3)
    same = copy_of(anchor, anchor.with_name("same"))
    await go_back(store, 1)
    with pytest.raises(restoring.Unexplained):
        await restoring.forgive(store, [other])
    clock.at += 60
    await restore(store, anchor)
    with pytest.raises(BehindItsAnchor, match="--anchor-only"):
        await refuse_behind(store.database, store.keys, other)
    assert [2] == [finding.seq for finding in await verify(store, other)]
    assert await is_open(store, same)  # it has lost the very lines that were declared

    await restoring.forgive(store, [anchor, other])

    assert await is_open(store, other)
    assert [] == [finding for path in (anchor, other, same) for finding in await verify(store, path)]
    await seal(store, other, 3)
    await go_back(store, 4)
    clock.at += 60
    with pytest.raises(restoring.Unexplained):
        await restoring.forgive(store, [other])
    assert not await is_open(store, other)


async def test_lines_are_kept_as_ever(tmp_path: Path) -> None:
    """The file of an anchor reads as it did: anchors of before are good."""
    path = tmp_path / "anchor.jsonl"
    anchor_file.append(path, [anchor_file.Line(seal=7, at=NOW, hash="ab")])
    assert [f'{{"at":{NOW},"hash":"ab","seal":7}}\n'.encode()] == lines_of(path)
