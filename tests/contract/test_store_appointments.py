"""Appointments in the store: units are never given twice, holds lapse by the clock, what is personal is sealed."""

import asyncio
import random
from collections import Counter

import pytest

from foregate.ids import new_id
from foregate.ports.outlets import FOR_GOOD, Appointment, CaseFile
from foregate.rules import limits
from foregate.rules.appointments import Event, NoTransition, State
from foregate.rules.limits import DAY
from foregate.store.unit_of_work import SqlStore, Unit
from tests.contract.samples import NOW, Clock, at_once, count, in_one, sql, undone

pytestmark = pytest.mark.anyio

SLOT = 900
START = NOW + 3600 - NOW % SLOT


def an_appointment(**changes: object) -> Appointment:
    values: dict[str, object] = {
        "appointment_id": new_id(),
        "journey_id": new_id(),
        "outlet_id": "N001",
        "service": "phone-change",
        "state": State.HELD,
        "starts_at": START,
        "ends_at": START + 1200,
        "people": 1,
        "created_at": NOW,
        "held_until": NOW + limits.HOLD_SECONDS,
        "phone": "+8613800138000",
        "surname": "欧阳",
        "token_digest": new_id().encode(),
        "reference": "AB12CD7",
    }
    return Appointment(**{**values, **changes})  # type: ignore[arg-type]  # a test's own values


async def take(
    tx: Unit,
    row: Appointment,
    capacity: int = 2,
    slots: tuple[int, ...] = (START,),
    until: int = FOR_GOOD,
    now: int = NOW,
) -> bool:
    return await tx.appointments.take(row, "counter", slots, capacity, until=until, now=now)


# ---------------------------------------------------------------- units


@pytest.mark.parametrize("capacity", [1, 3])
async def test_a_slot_has_as_many_places_as_people(store: SqlStore, capacity: int) -> None:
    """Sixty at once for a few places: exactly so many get one, each its own."""
    got = await at_once(store, 60, lambda tx: take(tx, an_appointment(), capacity))
    assert capacity == sum(got)
    assert capacity == await count(store, "appointment_unit")


async def test_an_appointment_over_several_slots_takes_all_or_none(store: SqlStore) -> None:
    """The second of two slots is full: the first is not kept either."""
    first, second = START, START + SLOT
    assert await in_one(store, lambda tx: take(tx, an_appointment(), 1, (second,)))
    assert not await in_one(store, lambda tx: take(tx, an_appointment(), 1, (first, second)))
    assert await in_one(store, lambda tx: take(tx, an_appointment(), 1, (first,)))


async def test_overlapping_appointments_at_once_do_not_wait_in_a_circle(store: SqlStore) -> None:
    """Long and short ones over the same hour, taken and given back at random, and no slot is ever overfull."""
    rng = random.Random(7)  # noqa: S311 -- no secret
    slots = [START + n * SLOT for n in range(4)]

    async def visit(number: int) -> None:
        row, first = an_appointment(), rng.randrange(4)
        mine = tuple(slots[first : first + rng.randrange(1, 4)])
        async with store.begin() as tx:
            if await take(tx, row, 2, mine) and number % 2:
                await tx.appointments.release(row, "counter", mine)

    await asyncio.gather(*(visit(number) for number in range(60)))
    rows = await sql(store, "SELECT slot_start, count(*) AS n FROM appointment_unit GROUP BY slot_start")
    assert rows
    assert max(row["n"] for row in rows) <= 2


async def test_a_hold_that_lapsed_is_free_and_one_that_lives_is_not(store: SqlStore) -> None:
    """At its last second a hold holds; at the next one somebody else takes the place over."""
    held, other, until = an_appointment(), an_appointment(), NOW + 300
    assert await in_one(store, lambda tx: take(tx, held, 1, until=until))
    assert not await in_one(store, lambda tx: take(tx, other, 1, now=until - 1))
    assert await in_one(store, lambda tx: take(tx, other, 1, now=until))
    # Who held it before has lost it.
    assert not await in_one(store, lambda tx: take(tx, held, 1, now=until))


async def test_who_still_has_the_place_keeps_it_after_the_hold(store: SqlStore) -> None:
    """A hold that lapsed is confirmed while nobody else came."""
    held = an_appointment()
    assert await in_one(store, lambda tx: take(tx, held, 1, until=NOW + 300))
    assert await in_one(store, lambda tx: take(tx, held, 1, now=NOW + 900))
    assert not await in_one(store, lambda tx: take(tx, an_appointment(), 1, now=NOW + 900))
    assert 1 == await count(store, "appointment_unit")


async def test_lapsed_holders_and_newcomers_at_once(store: SqlStore) -> None:
    """Forty whose holds lapsed confirm while forty others come: two places stay two."""
    holders = [an_appointment() for _ in range(40)]
    for number, row in enumerate(holders):  # each takes over what the one before let lapse
        assert await in_one(store, lambda tx, row=row, n=number: take(tx, row, 2, until=NOW + n, now=NOW + n))  # type: ignore[misc]  # bound now
    later = NOW + 1000
    everybody = [*holders, *(an_appointment() for _ in range(40))]
    random.Random(3).shuffle(everybody)  # noqa: S311 -- no secret
    got = await asyncio.gather(*(in_one(store, lambda tx, r=r: take(tx, r, 2, now=later)) for r in everybody))  # type: ignore[misc]  # bound now
    assert 2 == sum(got)


async def test_moving_takes_the_new_and_gives_back_the_old(store: SqlStore) -> None:
    """Slots that both times share are kept, not taken twice."""
    row, slots = an_appointment(), [START + n * SLOT for n in range(3)]
    assert await in_one(store, lambda tx: take(tx, row, 1, (slots[0], slots[1])))
    moved = await in_one(
        store,
        lambda tx: tx.appointments.take(
            row, "counter", slots[1:], 1, until=FOR_GOOD, now=NOW, leaving=slots[:2]
        ),
    )  # fmt: skip
    assert moved
    taken = await in_one(store, lambda tx: tx.appointments.taken("N001", "counter", START, START + 4 * SLOT, NOW))
    assert {slots[1]: {0}, slots[2]: {0}} == taken


async def test_a_service_with_few_people_is_not_crowded_out_by_the_pool(store: SqlStore) -> None:
    """Others take the high numbers first, so one window of three is left for what only one person does."""
    for _ in range(2):
        assert await in_one(store, lambda tx: take(tx, an_appointment(), 3))
    assert await in_one(store, lambda tx: take(tx, an_appointment(), 1))
    assert not await in_one(store, lambda tx: take(tx, an_appointment(), 3))


# ---------------------------------------------------------------- rows


async def test_what_is_written_is_read_again_and_sealed(store: SqlStore) -> None:
    """Number and name come back in clear, and lie in the table sealed."""
    row = an_appointment()
    await in_one(store, lambda tx: tx.appointments.insert(row))
    assert row == await in_one(store, lambda tx: tx.appointments.find(row.appointment_id))
    assert row == await in_one(store, lambda tx: tx.appointments.find_by_token(row.token_digest or b""))
    assert row == await in_one(store, lambda tx: tx.appointments.hold_of_journey(row.journey_id or ""))
    (stored,) = await sql(store, "SELECT phone_sealed, surname_sealed, phone_digest FROM appointment")
    lying = b"".join(bytes(stored[name]) for name in ("phone_sealed", "surname_sealed", "phone_digest"))
    assert b"138001" not in lying
    assert "欧阳".encode() not in lying


async def test_one_of_many_advances_it(store: SqlStore) -> None:
    """Confirmed and cancelled at once, ten times: one happens, the others learn that it moved."""
    row = an_appointment(state=State.CONFIRMED)
    await in_one(store, lambda tx: tx.appointments.insert(row))

    async def try_it(event: Event) -> bool:
        try:
            await in_one(store, lambda tx: tx.appointments.advance(row, event))
        except NoTransition:
            return False
        return True

    assert 1 == sum(await asyncio.gather(*(try_it(e) for e in [Event.CANCELLED, Event.CHECKED_IN] * 5)))


async def test_tickets_have_no_gap(store: SqlStore) -> None:
    """Twenty at once draw 1 to 20; one whose transaction fails draws none. Another day, pool or outlet begins anew."""
    draw = lambda tx: tx.appointments.next_ticket("N001", "2027-01-16", "A", NOW)  # noqa: E731 -- said four times
    await undone(store, draw)
    assert list(range(1, 21)) == sorted(await at_once(store, 20, draw))
    assert 1 == await in_one(store, lambda tx: tx.appointments.next_ticket("N001", "2027-01-17", "A", NOW))
    assert 1 == await in_one(store, lambda tx: tx.appointments.next_ticket("N001", "2027-01-16", "B", NOW))


async def test_every_second_no_show_pauses_a_number(store: SqlStore) -> None:
    """One is forgiven; with the next the number rests, and then counts from nothing."""
    phone = "+8613800138000"
    first = await in_one(store, lambda tx: tx.appointments.note_no_show(phone, NOW))
    second = await in_one(store, lambda tx: tx.appointments.note_no_show(phone, NOW))
    third = await in_one(store, lambda tx: tx.appointments.note_no_show(phone, NOW + DAY))
    assert (1, 0) == (first.no_shows, first.paused_until)
    assert (0, NOW + limits.BOOKING_PAUSE_DAYS * DAY) == (second.no_shows, second.paused_until)
    assert (1, second.paused_until) == (third.no_shows, third.paused_until)
    assert third == await in_one(store, lambda tx: tx.appointments.hold_booker(phone, NOW + DAY))


async def test_who_is_called_next(store: SqlStore) -> None:
    """Appointments whose time has come, then everybody by arrival; two who call at once call two people."""
    waiting = {
        "walk-in": an_appointment(
            phone=None, surname=None, token_digest=None, starts_at=NOW - 3000, queue_at=NOW - 3000
        ),
        "due": an_appointment(starts_at=NOW - 10, queue_at=NOW - 20),
        "due-before": an_appointment(starts_at=NOW - 60, queue_at=NOW - 10),
        "early": an_appointment(starts_at=NOW + 1000, queue_at=NOW - 100),
        "other-pool": an_appointment(service="loan", queue_at=NOW - 9000),
    }
    for row in waiting.values():
        row_in = Appointment(**{f: getattr(row, f) for f in row.__struct_fields__} | {"state": State.CHECKED_IN})
        await in_one(store, lambda tx, row=row_in: tx.appointments.insert(row))  # type: ignore[misc]  # bound now

    async def call(tx: Unit) -> str | None:
        row = await tx.appointments.next_in_line("N001", ["phone-change", "other"], NOW - 3600, NOW + 3600, NOW)
        if row is None:
            return None
        await tx.appointments.advance(row, Event.CALLED, called_at=NOW)
        return next(name for name, known in waiting.items() if known.appointment_id == row.appointment_id)

    assert ["due-before", "due", "walk-in"] == [await in_one(store, call) for _ in range(3)]
    assert Counter({"early": 1, None: 1}) == Counter(await at_once(store, 2, call))


async def test_capacity_is_said_and_taken_back(store: SqlStore) -> None:
    """What the bank says of one outlet stands beside the default."""
    await in_one(store, lambda tx: tx.appointments.set_capacity("N001", "loan", 4))
    await in_one(store, lambda tx: tx.appointments.set_capacity("N001", "loan", 0))
    assert {"loan": 0} == await in_one(store, lambda tx: tx.appointments.capacities("N001"))
    await in_one(store, lambda tx: tx.appointments.set_capacity("N001", "loan", None))
    assert {} == await in_one(store, lambda tx: tx.appointments.capacities("N001"))


# ---------------------------------------------------------------- upkeep


async def test_what_is_due(store: SqlStore) -> None:
    """A reminder is due from its moment until the visit, once; a hold lapses at its second; a visit is missed after."""
    day = an_appointment(state=State.CONFIRMED, starts_at=NOW + limits.REMINDER_DAY_SECONDS)
    soon = an_appointment(state=State.CONFIRMED, starts_at=NOW + limits.REMINDER_SOON_SECONDS, reminded=1)
    far = an_appointment(state=State.CONFIRMED, starts_at=NOW + limits.REMINDER_DAY_SECONDS + 1)
    late = an_appointment(state=State.CONFIRMED, starts_at=NOW - limits.CHECK_IN_AFTER_SECONDS - 1, reminded=2)
    on_time = an_appointment(state=State.CONFIRMED, starts_at=NOW - limits.CHECK_IN_AFTER_SECONDS, reminded=2)
    lapsed, held = an_appointment(held_until=NOW), an_appointment(held_until=NOW + 1)
    for row in (day, soon, far, late, on_time, lapsed, held):
        await in_one(store, lambda tx, row=row: tx.appointments.insert(row))  # type: ignore[misc]  # bound now

    async def due(tx: Unit) -> list[list[str]]:
        found = (
            await tx.appointments.to_remind(1, NOW),
            await tx.appointments.to_remind(2, NOW),
            await tx.appointments.lapsed(NOW),
            await tx.appointments.missed(NOW),
        )
        return [[row.appointment_id for row in rows] for rows in found]

    expected = [[day], [soon], [lapsed], [late]]
    assert [[row.appointment_id for row in rows] for rows in expected] == await in_one(store, due)


async def test_the_janitor_takes_what_is_over(store: SqlStore, clock: Clock) -> None:
    """Ninety days after the visit, a day after a hold that came to nothing; a pause is remembered to its end."""
    from foregate.store.janitor import Janitor

    old = an_appointment(state=State.SERVED, ends_at=NOW - limits.APPOINTMENT_DAYS * DAY)
    kept = an_appointment(state=State.SERVED, ends_at=NOW - limits.APPOINTMENT_DAYS * DAY + 1)
    never = an_appointment(state=State.EXPIRED, held_until=NOW - DAY)
    for row in (old, kept, never):
        await in_one(store, lambda tx, row=row: tx.appointments.insert(row))  # type: ignore[misc]  # bound now
    await in_one(store, lambda tx: take(tx, kept, slots=(NOW - DAY,)))
    await in_one(store, lambda tx: tx.appointments.note_no_show("+8613800138000", NOW - 30 * DAY))
    gone = await Janitor(store).sweep()
    assert (2, 1, 0) == (gone["appointment"], gone["appointment_unit"], gone["booker"])
    assert kept == await in_one(store, lambda tx: tx.appointments.find(kept.appointment_id))


# ---------------------------------------------------------------- cases


def a_case(journey_id: str = "j", case_no: str | None = None) -> CaseFile:
    return CaseFile(
        case_no=case_no or new_id(), journey_id=journey_id, service="phone-change",
        facts={"flaw": "not-registered"}, created_at=NOW, expires_at=NOW + 60,
    )  # fmt: skip


async def test_a_case_is_found_until_it_expires(store: SqlStore) -> None:
    """Its facts are sealed; a second of the same number is refused; a journey has no more than CASES_PER_JOURNEY."""
    case = a_case()
    assert await in_one(store, lambda tx: tx.cases.insert(case))
    assert not await in_one(store, lambda tx: tx.cases.insert(a_case("other", case.case_no)))
    assert case == await in_one(store, lambda tx: tx.cases.find(case.case_no, NOW))
    assert None is await in_one(store, lambda tx: tx.cases.find(case.case_no, case.expires_at))
    (stored,) = await sql(store, "SELECT facts_sealed FROM case_file")
    assert b"registered" not in bytes(stored["facts_sealed"])
    got = await at_once(store, 8, lambda tx: tx.cases.insert(a_case()))
    assert await count(store, "case_file") <= limits.CASES_PER_JOURNEY
    assert 1 + sum(got) == await count(store, "case_file")
    for _ in range(limits.CASES_PER_JOURNEY):
        await in_one(store, lambda tx: tx.cases.insert(a_case()))
    assert limits.CASES_PER_JOURNEY == await count(store, "case_file")
