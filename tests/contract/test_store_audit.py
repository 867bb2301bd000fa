"""The audit record: written with what it tells about, and nobody alters it unseen."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from foregate.ports import Event
from foregate.rules import limits
from foregate.store.audit import seal_hash
from foregate.store.audit_check import Finding, verify
from foregate.store.sealer import SEAL_HEADS, Sealer
from foregate.store.statements import Statement, insert_into
from foregate.store.tables import audit_event, audit_seal
from foregate.store.unit_of_work import SqlStore
from tests.contract.samples import NOW, Clock, count, in_one, new_keys, sql, undone

pytestmark = pytest.mark.anyio
ANN, BOB = "01900000-ann", "01900000-bob"


def event(chain: str = ANN, **changes: object) -> Event:
    values: dict[str, object] = {"kind": "code-sent", "source": "192.0.2.1", "details": {"sends": 1}}
    return Event(chain=chain, **{**values, **changes})  # type: ignore[arg-type]  # as the fields are named


async def write(store: SqlStore, chain: str, times: int) -> None:
    for number in range(times):
        async with store.begin() as tx:
            await tx.audit.record(event(chain, details={"n": number}), NOW + number)


@pytest.fixture
async def record(store: SqlStore, tmp_path: Path) -> SqlStore:
    """Return a store with two chains, sealed in the middle and at the end, and anchored."""
    sealer = Sealer(store, anchor=tmp_path / "anchor.jsonl")
    for _ in range(2):
        await write(store, ANN, 5)
        await write(store, BOB, 5)
        await sealer.once()
    return store


@pytest.fixture
def anchor(record: SqlStore, tmp_path: Path) -> Path:
    return tmp_path / "anchor.jsonl"


async def test_an_untouched_record_is_whole(record: SqlStore, anchor: Path) -> None:
    """Nothing is found where nothing was done, with and without the anchor."""
    assert [] == await verify(record)
    assert [] == await verify(record, anchor)


async def test_events_share_the_transaction(store: SqlStore) -> None:
    """What did not happen left no event, and what left no event did not happen."""
    await undone(store, lambda tx: tx.audit.record(event(), NOW))
    assert 0 == await count(store, "audit_event")
    assert 0 == await count(store, "audit_head")


async def test_several_events_of_several_chains(store: SqlStore) -> None:
    """One transaction may tell much; each chain keeps its order."""
    async with store.begin() as tx:
        for chain, kind in ((BOB, "a"), (ANN, "b"), (BOB, "c"), (BOB, "d")):
            await tx.audit.record(event(chain, kind=kind), NOW)
    rows = await sql(store, "SELECT chain, seq, kind FROM audit_event ORDER BY chain, seq")
    expected = [(ANN, 1, "b"), (BOB, 1, "a"), (BOB, 2, "c"), (BOB, 3, "d")]
    assert expected == [(row["chain"], row["seq"], row["kind"]) for row in rows]
    assert [] == await verify(store)


async def test_parallel_transactions_queue_on_a_chain(store: SqlStore) -> None:
    """Hundreds of events at once on crossing chains: none fails, none is lost, the chains hold."""

    async def tell(number: int) -> None:
        async with store.begin() as tx:
            for chain in (ANN, BOB) if number % 2 else (BOB, ANN):
                await tx.audit.record(event(chain, details={"n": number}), NOW)

    await asyncio.gather(*(tell(number) for number in range(300)))
    assert 600 == await count(store, "audit_event")
    assert [] == await verify(store)


async def test_long_details_are_refused(store: SqlStore) -> None:
    """An event is no archive: one byte more than AUDIT_DETAILS_BYTES is a mistake of ours."""
    longest = limits.AUDIT_DETAILS_BYTES - len('{"x":""}')
    async with store.begin() as tx:
        await tx.audit.record(event(details={"x": "x" * longest}), NOW)
        with pytest.raises(ValueError, match="details"):
            await tx.audit.record(event(details={"x": "x" * (longest + 1)}), NOW)


async def test_what_is_injected_stays_inert(store: SqlStore) -> None:
    """Line breaks, escape sequences and quotes cannot forge another event or colour a terminal."""
    evil = 'x\n\x1b[31m"},{"kind":"forged'
    await in_one(store, lambda tx: tx.audit.record(event(source=evil, actor=evil, details={"agent": evil}), NOW))
    (row,) = await sql(store, "SELECT * FROM audit_event")
    assert evil == json.loads(row["details"])["agent"]
    for column in ("source", "actor", "details"):
        assert row[column].isprintable()
    assert [] == await verify(store)


# ---------------------------------------------------------------- tampering

Tamper = Callable[[SqlStore], Awaitable[object]]


ANN_SEQ = f"chain = '{ANN}' AND seq"
CUT_EVENTS = f"DELETE FROM audit_event WHERE {ANN_SEQ} > 8"
CUT_HEAD = (
    f"UPDATE audit_head SET seq = 8, hash = (SELECT hash FROM audit_event WHERE {ANN_SEQ} = 8) WHERE chain = '{ANN}'"
)
CUT_SEALS = "DELETE FROM audit_seal WHERE seal = 2"
CUT_SEALED = "DELETE FROM audit_sealed_head WHERE seal = 2"


def run(*statements: str) -> Tamper:
    async def tamper(store: SqlStore) -> None:
        for statement in statements:
            await sql(store, f"{statement} RETURNING 1")

    return tamper


async def splice(store: SqlStore) -> None:
    """Take an event of Bob's, with its hash, for one of Ann's."""
    (bobs,) = await sql(store, f"SELECT hash, prev, details FROM audit_event WHERE chain = '{BOB}' AND seq = 4")
    await sql(store, f"DELETE FROM audit_event WHERE chain = '{ANN}' AND seq = 4 RETURNING 1")
    await sql(store, f"UPDATE audit_event SET chain = '{ANN}' WHERE chain = '{BOB}' AND seq = 4 RETURNING 1")
    assert bobs["hash"]


async def swap_two_timelines(store: SqlStore) -> None:
    """After a restore the same numbers were written once more: take an event of the time before for one of after."""
    (before,) = await sql(store, f"SELECT * FROM audit_event WHERE {ANN_SEQ} = 8")
    await run(f"DELETE FROM audit_event WHERE {ANN_SEQ} > 7", CUT_HEAD.replace("8", "7"), CUT_SEALS, CUT_SEALED)(store)
    await write(store, ANN, 3)
    await sql(store, f"DELETE FROM audit_event WHERE {ANN_SEQ} = 8 RETURNING 1")
    async with store.database.transaction() as connection:
        await connection.run(Statement(insert_into(audit_event)), **{c.name: before[c.name] for c in audit_event.c})


async def rewrite_the_tail_with_key(store: SqlStore) -> None:
    """Write the newest events anew, with the audit key, after they were sealed."""
    await run(CUT_EVENTS, CUT_HEAD)(store)
    await write(store, ANN, 2)


async def rewrite_a_seal_with_key(store: SqlStore) -> None:
    """Date a seal back, with the audit key."""
    (seal,) = await sql(store, "SELECT * FROM audit_seal WHERE seal = 1")
    forged = {column.name: seal[column.name] for column in audit_seal.c} | {"at": NOW - 60}
    await sql(store, "DELETE FROM audit_seal WHERE seal = 1 RETURNING 1")
    async with store.database.transaction() as connection:
        await connection.run(Statement(insert_into(audit_seal)), **forged | {"hash": seal_hash(store.keys, forged)})


async def rewrite_without_key(store: SqlStore) -> None:
    """Build everything anew from the first event on, heads and seals too, with keys of one's own."""
    await rewrite(store, SqlStore(store.database, new_keys(), store.clock))


async def rewrite_with_key(store: SqlStore) -> None:
    """The same by somebody who has even the audit key: only the anchor can tell."""
    await rewrite(store, store)


async def rewrite(store: SqlStore, forger: SqlStore) -> None:
    for table in ("audit_event", "audit_head", "audit_seal", "audit_sealed_head"):
        await sql(store, f"DELETE FROM {table} RETURNING 1")
    for _ in range(2):
        await write(forger, ANN, 4)
        await write(forger, BOB, 4)
        await Sealer(forger).once()


TAMPERINGS: dict[str, tuple[Tamper, str, int, str]] = {
    "edit": (run(f"UPDATE audit_event SET details = '{{}}' WHERE {ANN_SEQ} = 4"), ANN, 4, "changed, moved"),
    "edit of who": (run(f"UPDATE audit_event SET actor = 'teller' WHERE {ANN_SEQ} = 1"), ANN, 1, "changed, moved"),
    "backdate": (run(f"UPDATE audit_event SET at = at - 86400 WHERE {ANN_SEQ} = 4"), ANN, 4, "changed, moved"),
    "delete one": (run(f"DELETE FROM audit_event WHERE {ANN_SEQ} = 4"), ANN, 4, "event 4 was removed"),
    "delete some": (run(f"DELETE FROM audit_event WHERE {ANN_SEQ} IN (4, 5, 6)"), ANN, 4, "events 4 to 6 were removed"),
    "delete the first": (run(f"DELETE FROM audit_event WHERE {ANN_SEQ} = 1"), ANN, 1, "event 1 was removed"),
    "delete and close the gap": (
        run(
            f"DELETE FROM audit_event WHERE {ANN_SEQ} = 4",
            f"UPDATE audit_event SET seq = 4 WHERE {ANN_SEQ} = 5",
        ),
        ANN,
        4,
        "changed, moved",
    ),
    "reorder": (
        run(
            f"UPDATE audit_event SET seq = 99 WHERE {ANN_SEQ} = 4",
            f"UPDATE audit_event SET seq = 4 WHERE {ANN_SEQ} = 5",
            f"UPDATE audit_event SET seq = 5 WHERE {ANN_SEQ} = 99",
        ),
        ANN,
        4,
        "changed, moved",
    ),
    "insert": (
        run(
            "INSERT INTO audit_event SELECT chain, 11, at, 'session-opened', journey_id, actor, source, details, hash,"
            f" hash FROM audit_event WHERE {ANN_SEQ} = 10",
            f"UPDATE audit_head SET seq = 11 WHERE chain = '{ANN}'",
        ),
        ANN,
        11,
        "not written by Foregate",
    ),
    "splice": (splice, ANN, 4, "changed, moved"),
    "cut the tail": (run(CUT_EVENTS), ANN, 9, "newest events, up to 10, were removed"),
    "cut the tail, mend the head": (run(CUT_EVENTS, CUT_HEAD), ANN, 10, "was there when seal 2 was made, and is gone"),
    "cut the tail, head and sealed head": (
        run(CUT_EVENTS, CUT_HEAD, f"DELETE FROM audit_sealed_head WHERE seal = 2 AND chain = '{ANN}'"),
        "seals",
        2,
        "covered 2 chains, 1 are left",
    ),
    "cut the tail, head and newest seal": (
        run(CUT_EVENTS, CUT_HEAD, CUT_SEALS, CUT_SEALED),
        ANN,
        8,
        "seals were removed",
    ),
    "remove a chain": (
        run(f"DELETE FROM audit_event WHERE chain = '{ANN}'"),
        ANN,
        1,
        "every event of this chain was removed",
    ),
    "remove a chain and its head": (
        run(f"DELETE FROM audit_event WHERE chain = '{ANN}'", f"DELETE FROM audit_head WHERE chain = '{ANN}'"),
        ANN,
        5,
        "was there when seal 1 was made, and is gone",
    ),
    "remove a head": (run(f"DELETE FROM audit_head WHERE chain = '{ANN}'"), ANN, 10, "head of this chain was removed"),
    "edit a seal": (run("UPDATE audit_seal SET at = at - 60 WHERE seal = 1"), "seals", 1, "seal was changed"),
    "remove a seal": (run("DELETE FROM audit_seal WHERE seal = 1"), "seals", 1, "seals before 2 were removed"),
    "cut the seals": (run(CUT_SEALS, CUT_SEALED), ANN, 10, "seals were removed"),
    "rewrite without key": (rewrite_without_key, ANN, 1, "changed, moved"),
    "rewrite the tail with key": (rewrite_the_tail_with_key, "seals", 2, "not those that were sealed"),
    "rewrite a seal with key": (rewrite_a_seal_with_key, "seals", 2, "does not follow the one before it"),
    "swap two timelines": (swap_two_timelines, ANN, 9, "does not follow the one before it"),
}


@pytest.mark.parametrize("kind", TAMPERINGS)
async def test_tampering_is_found(record: SqlStore, anchor: Path, kind: str) -> None:
    """Each kind is found without the anchor already, and named by chain and first bad event."""
    tamper, chain, seq, words = TAMPERINGS[kind]
    await tamper(record)
    findings = {finding.chain: finding for finding in await verify(record)}
    assert seq == findings[chain].seq
    assert str(findings[chain]).startswith(f"{chain}, from number {seq}: ")
    assert words in str(findings[chain])


async def test_only_the_anchor_tells_of_a_careful_cut(record: SqlStore, anchor: Path) -> None:
    """Who cuts events, head and seals without a trace inside is told by the file outside."""
    await run(
        f"DELETE FROM audit_event WHERE {ANN_SEQ} > 5",
        "DELETE FROM audit_event WHERE seq > 5",
        CUT_SEALS,
        CUT_SEALED,
        "UPDATE audit_head SET seq = 5, hash = (SELECT hash FROM audit_event e WHERE e.chain = audit_head.chain AND"
        " e.seq = 5)",
    )(record)
    assert [] == await verify(record)
    assert ["seals"] == [finding.chain for finding in await verify(record, anchor)]
    assert [2] == [finding.seq for finding in await verify(record, anchor)]


async def test_only_the_anchor_tells_of_a_rewrite_with_the_key(record: SqlStore, anchor: Path) -> None:
    """Who has the audit key as well can rewrite everything but the file outside."""
    await rewrite_with_key(record)
    assert [] == await verify(record)
    assert [("seals", 1)] == [(finding.chain, finding.seq) for finding in await verify(record, anchor)]


@pytest.fixture
def damaged_anchor(anchor: Path) -> Path:
    anchor.write_bytes(b"{not json\n" + anchor.read_bytes())
    return anchor


async def test_a_damaged_anchor_is_said(record: SqlStore, damaged_anchor: Path) -> None:
    """An anchor that cannot be read is a finding, one that is not there an error: nobody is told all is well."""
    assert 1 == len(await verify(record, damaged_anchor))
    with pytest.raises(FileNotFoundError):
        await verify(record, damaged_anchor.with_name("elsewhere"))


# ---------------------------------------------------------------- seals


async def test_a_seal_covers_what_grew(store: SqlStore, clock: Clock) -> None:
    """The first seal covers every chain, the next only those that grew, and none is made for nothing."""
    sealer = Sealer(store)
    assert 0 == await sealer.seal()
    await write(store, ANN, 2)
    await write(store, BOB, 1)
    assert 2 == await sealer.seal()
    assert 0 == await sealer.seal()
    await write(store, BOB, 1)
    assert 1 == await sealer.seal()
    rows = await sql(store, "SELECT seal, chain, seq FROM audit_sealed_head ORDER BY seal, chain")
    assert [(1, ANN, 2), (1, BOB, 1), (2, BOB, 2)] == [(r["seal"], r["chain"], r["seq"]) for r in rows]


async def test_many_chains_take_several_seals(store: SqlStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """More chains than one seal holds are sealed all the same."""
    async with store.begin() as tx:
        for number in range(SEAL_HEADS + 10):
            await tx.audit.record(event(f"chain-{number:04d}"), NOW)
    await Sealer(store).once()
    assert 2 == await count(store, "audit_seal")
    assert 0 == await count(store, "audit_head", "is_sealed = 0")
    assert [] == await verify(store)


async def test_parallel_sealers(store: SqlStore, tmp_path: Path) -> None:
    """Several nodes may seal at once while events are written; record and anchors agree."""
    sealers = [Sealer(store, anchor=tmp_path / f"anchor-{n}") for n in range(4)]

    async def seal(sealer: Sealer) -> None:
        for _ in range(5):
            await sealer.once()
            await asyncio.sleep(0.01)

    await asyncio.gather(*(seal(s) for s in sealers), *(write(store, chain, 30) for chain in (ANN, BOB, "carl")))
    await sealers[0].once()

    assert [] == await verify(store)
    for sealer in sealers:
        if sealer._anchor and sealer._anchor.exists():
            assert [] == await verify(store, sealer._anchor)


async def test_verifying_while_the_bank_is_open(store: SqlStore) -> None:
    """Events written meanwhile are no findings."""
    await write(store, ANN, 5)

    async def check() -> list[Finding]:
        return [finding for _ in range(10) for finding in await verify(store)]

    findings, *_ = await asyncio.gather(check(), write(store, ANN, 60), Sealer(store).once(), write(store, BOB, 60))
    assert [] == findings
