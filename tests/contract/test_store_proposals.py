"""Staff and proposals: what the database itself refuses, whatever the code above it does."""

import sqlite3
from typing import Any

import asyncpg
import msgspec
import pytest

from foregate.ids import new_id
from foregate.ports import Event, Taken
from foregate.ports.counter import ProposalRow, Role, StaffMember
from foregate.rules import limits
from foregate.store.janitor import Janitor
from foregate.store.unit_of_work import SqlStore, Unit
from tests.contract.samples import NOW, Clock, at_once, count, in_one, sql

pytestmark = pytest.mark.anyio
SHOWN = b"d" * 32
BROKEN = (sqlite3.IntegrityError, asyncpg.CheckViolationError)


def a_proposal(**changes: Any) -> ProposalRow:
    row = ProposalRow(
        proposal_id=new_id(), subject_id="customer", act="replace-phone", persons=2, outlet_id="east", maker="maker",
        payload=b'{"phone":"+8613512345678"}', digest=SHOWN, document_type="RESIDENT_ID", document_digest=b"n" * 32,
        document_expires_on=None, awaits_code=False, state="proposed", checker=None, note="", created_at=NOW,
        expires_at=NOW + 1800,
    )  # fmt: skip
    return msgspec.structs.replace(row, **changes)


def a_member(**changes: Any) -> StaffMember:
    values: dict[str, Any] = {
        "staff_id": new_id(), "user_name": "zhou", "name": "周", "role": Role.TELLER, "outlet_id": "east",
        "core_ref": "C001", "is_active": True, "created_at": NOW,
    }  # fmt: skip
    return StaffMember(**{**values, **changes})


async def made(store: SqlStore, **changes: Any) -> ProposalRow:
    row = a_proposal(**changes)
    assert await in_one(store, lambda tx: tx.proposals.insert(row))
    return row


async def consented(store: SqlStore, row: ProposalRow, **changes: Any) -> bool:
    given: dict[str, Any] = {"checker": "checker", "outlet_id": "east", "digest": SHOWN, "note": "seen", "now": NOW}
    return await in_one(store, lambda tx: tx.proposals.consent(row.proposal_id, **{**given, **changes}))


async def test_a_proposal_is_read_back_whole(store: SqlStore) -> None:
    """Sealed in the store, the same when it is read."""
    row = await made(store)
    assert row == await in_one(store, lambda tx: tx.proposals.find(row.proposal_id))
    assert None is await in_one(store, lambda tx: tx.proposals.find(new_id()))
    stored = await sql(store, "SELECT payload_sealed FROM proposal")
    assert b"13512345678" not in stored[0]["payload_sealed"]


async def test_one_guarded_statement_consents(store: SqlStore) -> None:
    """Not the maker, not another outlet, not another content, not too late, not before the code; once."""
    row = await made(store)
    for wrong in (
        {"checker": "maker"}, {"outlet_id": "west"}, {"outlet_id": None}, {"digest": b"x" * 32},
        {"now": row.expires_at}, {"checker": None},
    ):  # fmt: skip
        assert not await consented(store, row, **wrong), wrong
    assert not await in_one(store, lambda tx: tx.proposals.finish(row.proposal_id, NOW))
    assert await consented(store, row)
    assert not await consented(store, row)
    assert await in_one(store, lambda tx: tx.proposals.finish(row.proposal_id, NOW))
    assert not await in_one(store, lambda tx: tx.proposals.finish(row.proposal_id, NOW))

    waiting = await made(store, act="unfreeze", awaits_code=True)
    assert not await consented(store, waiting)
    assert not await in_one(store, lambda tx: tx.proposals.prove_code(waiting.proposal_id, waiting.expires_at))
    assert await in_one(store, lambda tx: tx.proposals.prove_code(waiting.proposal_id, NOW))
    assert not await in_one(store, lambda tx: tx.proposals.prove_code(waiting.proposal_id, NOW))
    assert await consented(store, waiting)


async def test_fifty_consents_at_once(store: SqlStore) -> None:
    """Exactly one of them counts, over every connection there is."""
    row = await made(store)
    checkers = iter(f"checker-{n}" for n in range(50))

    async def consent(tx: Unit) -> bool:
        return await tx.proposals.consent(
            row.proposal_id, checker=next(checkers), outlet_id="east", digest=SHOWN, note="", now=NOW
        )

    assert 1 == sum(await at_once(store, 50, consent))


@pytest.mark.parametrize(
    "change",
    [
        "checker = maker",
        "state = 'consented'",
        "state = 'done'",
        "state = 'done', checker = maker",
    ],
)
async def test_the_constraints_hold_without_our_code(store: SqlStore, change: str) -> None:
    """Nothing that takes two people is done by one, whoever writes the row."""
    await made(store)
    with pytest.raises(BROKEN):
        await sql(store, f"UPDATE proposal SET {change} RETURNING 1")


async def test_one_person_is_enough_for_what_takes_one(store: SqlStore) -> None:
    """The maker alone, by the same guarded statement."""
    row = await made(store, persons=1)
    assert not await consented(store, row, checker="maker")
    assert await consented(store, row, checker=None)
    assert await in_one(store, lambda tx: tx.proposals.finish(row.proposal_id, NOW))


async def test_one_is_open_for_a_subject_and_an_act(store: SqlStore) -> None:
    """Of ten at once one is made; another act, another subject and one that has expired are no hindrance."""
    rows = iter([a_proposal() for _ in range(10)])
    assert 1 == sum(await at_once(store, 10, lambda tx: tx.proposals.insert(next(rows))))
    await made(store, act="unfreeze")
    await made(store, subject_id="somebody else")
    later = NOW + 1800
    assert 3 == len(await in_one(store, lambda tx: tx.proposals.expire(later)))
    assert await in_one(store, lambda tx: tx.proposals.insert(a_proposal(expires_at=later + 1800)))


async def test_an_abandoned_one_expires(store: SqlStore) -> None:
    """Not a second early; and what is over is neither listed nor ended by anybody."""
    row = await made(store)
    assert () == await in_one(store, lambda tx: tx.proposals.expire(row.expires_at - 1))
    assert (row,) == await in_one(store, lambda tx: tx.proposals.open_at("east", row.expires_at - 1))
    assert () == await in_one(store, lambda tx: tx.proposals.open_at("west", NOW))
    assert (row,) == await in_one(store, lambda tx: tx.proposals.open_for("customer", NOW))
    assert () == await in_one(store, lambda tx: tx.proposals.open_at("east", row.expires_at))
    assert not await in_one(
        store, lambda tx: tx.proposals.end(row.proposal_id, to="withdrawn", by="maker", note="", now=row.expires_at)
    )
    expired = await in_one(store, lambda tx: tx.proposals.expire(row.expires_at))
    assert [("expired", row.proposal_id)] == [(gone.state, gone.proposal_id) for gone in expired]


async def test_refused_and_withdrawn(store: SqlStore) -> None:
    """Anybody but the maker refuses, the maker alone withdraws, each once."""
    row = await made(store)

    async def ended(to: str, by: str) -> bool:
        return await in_one(store, lambda tx: tx.proposals.end(row.proposal_id, to=to, by=by, note="why", now=NOW))

    assert not await ended("refused", "maker")
    assert not await ended("withdrawn", "checker")
    assert await ended("refused", "checker")
    assert not await ended("withdrawn", "maker")
    assert not await consented(store, row)


async def test_proposals_are_forgotten_and_the_open_ones_never(store: SqlStore, clock: Clock) -> None:
    """After PROPOSAL_KEPT_DAYS what ended goes; what was consented to and is not done yet stays."""
    over, waiting = await made(store), await made(store, act="correct-document")
    await in_one(store, lambda tx: tx.proposals.end(over.proposal_id, to="withdrawn", by="maker", note="", now=NOW))
    await consented(store, waiting)
    clock.at = NOW + limits.PROPOSAL_KEPT_DAYS * limits.DAY - 1
    assert 0 == (await Janitor(store).sweep())["proposal"]
    clock.at += 1
    assert 1 == (await Janitor(store).sweep())["proposal"]
    assert 1 == await count(store, "proposal", "state = 'consented'")
    clock.at = NOW


# ---------------------------------------------------------------- staff


async def test_a_member_is_read_back_whole(store: SqlStore) -> None:
    """By id and by user name; a user name belongs to one."""
    member = a_member()
    await in_one(store, lambda tx: tx.staff.insert(member))
    assert member == await in_one(store, lambda tx: tx.staff.find(member.staff_id))
    assert member == await in_one(store, lambda tx: tx.staff.hold(member.staff_id))
    assert member == await in_one(store, lambda tx: tx.staff.by_user_name("zhou"))
    assert None is await in_one(store, lambda tx: tx.staff.by_user_name("Zhou"))
    with pytest.raises(Taken, match="user_name"):
        await in_one(store, lambda tx: tx.staff.insert(a_member()))
    row = (await sql(store, "SELECT user_name_sealed, name_sealed, core_ref_sealed FROM staff"))[0]
    for column, plain in (("user_name", "zhou"), ("name", "周"), ("core_ref", "C001")):
        assert plain.encode() not in row[f"{column}_sealed"]


async def test_staff_are_listed_by_outlet_and_page(store: SqlStore) -> None:
    """In the order of their ids; the last id seen leads to the next page."""
    members = [a_member(user_name=f"m{n}", outlet_id="east" if n % 2 else None) for n in range(6)]
    for member in members:
        async with store.begin() as tx:
            await tx.staff.insert(member)
    members.sort(key=lambda member: member.staff_id)
    assert tuple(members) == await in_one(store, lambda tx: tx.staff.all())
    assert tuple(members[3:]) == await in_one(store, lambda tx: tx.staff.all(after=members[2].staff_id))
    east = [member for member in members if member.outlet_id == "east"]
    assert tuple(east) == await in_one(store, lambda tx: tx.staff.all("east"))


async def test_changes_of_a_member_are_guarded(store: SqlStore) -> None:
    """Deactivated once, held once, released once."""
    member = a_member()
    await in_one(store, lambda tx: tx.staff.insert(member))
    who = member.staff_id
    assert await in_one(store, lambda tx: tx.staff.change(who, role=Role.AUDITOR, outlet_id=None))
    assert await in_one(store, lambda tx: tx.staff.put_on_hold(who, "too-many-searches", NOW))
    assert not await in_one(store, lambda tx: tx.staff.put_on_hold(who, "too-many-changes", NOW))
    changed = await in_one(store, lambda tx: tx.staff.find(who))
    assert changed is not None
    assert (Role.AUDITOR, None, "too-many-searches") == (changed.role, changed.outlet_id, changed.hold)
    assert await in_one(store, lambda tx: tx.staff.release(who))
    assert not await in_one(store, lambda tx: tx.staff.release(who))
    assert await in_one(store, lambda tx: tx.staff.deactivate(who))
    assert not await in_one(store, lambda tx: tx.staff.deactivate(who))
    assert await in_one(store, lambda tx: tx.staff.reactivate(who))
    assert not await in_one(store, lambda tx: tx.staff.reactivate(who))
    for core_ref in ("C001", None):
        assert await in_one(store, lambda tx, ref=core_ref: tx.staff.set_core_ref(who, ref))  # type: ignore[misc]  # bound now
        found = await in_one(store, lambda tx: tx.staff.find(who))
        assert found is not None
        assert (True, core_ref) == (found.is_active, found.core_ref)


async def test_counting_is_exact(store: SqlStore) -> None:
    """Fifty at once get fifty numbers; a new window begins when the old one is over; a release forgets."""
    member = a_member()
    await in_one(store, lambda tx: tx.staff.insert(member))

    async def counted(tx: Unit, at: int = NOW) -> int:
        return await tx.staff.count(member.staff_id, "searches", 3600, at)

    assert set(range(1, 51)) == set(await at_once(store, 50, counted))
    assert 51 == await in_one(store, lambda tx: counted(tx, NOW + 3599))
    assert 1 == await in_one(store, lambda tx: counted(tx, NOW + 3600))
    await in_one(store, lambda tx: tx.staff.put_on_hold(member.staff_id, "too-many-searches", NOW))
    await in_one(store, lambda tx: tx.staff.release(member.staff_id))
    assert 1 == await in_one(store, lambda tx: counted(tx, NOW + 3601))


# ---------------------------------------------------------------- the record, read back


async def test_a_chain_is_read_back_newest_first(store: SqlStore) -> None:
    """A page at a time, of all kinds or of some, and of no other chain."""
    total = limits.TRAIL_LISTED + 10
    for number in range(total):
        kind = "code-sent" if number % 2 else "proof-refused"
        event = Event(chain="c", kind=kind, details={"n": number})
        async with store.begin() as tx:
            await tx.audit.record(event, NOW)
    await in_one(store, lambda tx: tx.audit.record(Event(chain="other", kind="code-sent"), NOW))
    page = await in_one(store, lambda tx: tx.trail.of("c"))
    assert list(range(total, total - limits.TRAIL_LISTED, -1)) == [entry.seq for entry in page]
    rest = await in_one(store, lambda tx: tx.trail.of("c", before=page[-1].seq))
    assert (10, {"n": 0}) == (len(rest), rest[-1].details)
    onwards = await in_one(store, lambda tx: tx.trail.onwards("c", after=3))
    assert list(range(4, 4 + limits.TRAIL_LISTED)) == [entry.seq for entry in onwards]
    assert [total] == [entry.seq for entry in await in_one(store, lambda tx: tx.trail.onwards("c", after=total - 1))]
    some = await in_one(store, lambda tx: tx.trail.of("c", kinds=("code-sent", "alarm")))
    assert {"code-sent"} == {entry.kind for entry in some}
    assert total // 2 == len(some)


@pytest.mark.parametrize(
    ("tampering", "finding"),
    [
        ("UPDATE audit_event SET details = '{}' WHERE chain = 'c' AND seq = 2 RETURNING 1", "changed"),
        ("DELETE FROM audit_event WHERE chain = 'c' AND seq = 2 RETURNING 1", "event 2 was removed"),
        ("DELETE FROM audit_event WHERE chain = 'c' AND seq = 3 RETURNING 1", "newest events"),
        ("DELETE FROM audit_event WHERE chain = 'c' RETURNING 1", "every event"),
        ("DELETE FROM audit_head WHERE chain = 'c' RETURNING 1", "head of this chain was removed"),
    ],
)
async def test_one_chain_is_checked_by_itself(store: SqlStore, tampering: str, finding: str) -> None:
    """Whole as it is written; what is changed, cut out or cut off is found; another chain's trouble is not ours."""
    for number in range(3):
        for chain in ("c", "other"):
            event = Event(chain=chain, kind="code-sent", details={"n": number})
            async with store.begin() as tx:
                await tx.audit.record(event, NOW)
    assert () == await store.check_chain("c")
    assert () == await store.check_chain("nobody")
    await sql(store, tampering)
    (found,) = await store.check_chain("c")
    assert finding in found
    assert () == await store.check_chain("other")
