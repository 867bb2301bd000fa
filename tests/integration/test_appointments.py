"""A visit from the free time to the counter: held, confirmed, moved, cancelled, checked in, called, missed."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import icalendar
import pytest

from foregate.outlets import queue
from foregate.ports.outlets import HoursException
from foregate.rules import limits
from foregate.rules.appointments import State
from foregate.situation import Refused
from tests.appointments import HALL, HOUR, TOMORROW_TEN, book, hold, iso, number, put_outlet, rows, token_of, wanted
from tests.bank import LI, NOW, ORIGIN, Answer, Bank, Visitor

pytestmark = pytest.mark.anyio


async def post(visitor: Visitor, path: str, **body: object) -> Answer:
    raw = await visitor.client.post(path, json=body)
    await visitor.bank.deliver()
    return Answer(raw.status_code, raw.json(), raw)


async def free(bank: Bank, service: str = "phone-change", **query: str) -> list[str]:
    query = {"service": service, "from": "2027-01-16"} | query
    raw = await bank.visitor().client.get(f"/v1/outlets/{HALL.outlet_id}/times", params=query)
    assert 200 == raw.status_code, raw.text
    found: list[str] = raw.json()["starts_at"]
    return found


# ---------------------------------------------------------------- booking


async def test_a_place_is_held_then_booked(bank: Bank) -> None:
    """Free, held, booked: the time leaves the list when it is held, and the link shows the visit."""
    await put_outlet(bank, phone_change=1)
    ten = "2027-01-16T10:00+08:00"
    assert ten in await free(bank)
    visitor = bank.visitor()
    held = await hold(visitor, number(1), people="3")
    assert "phone_code" == held.step
    assert ten not in await free(bank)
    booked = await visitor.answer(code=await bank.code(number(1)))
    assert ("done", "book-appointment") == (booked.body["status"], booked.body["outcome"]["act"])

    shown = (await bank.visitor().get(f"/v1/appointments/{token_of(booked)}")).body
    expected = {"state": "confirmed", "outlet": HALL.outlet_id, "starts_at": ten, "ends_at": "2027-01-16T10:20+08:00",
                "people": 3, "may_move": True, "may_cancel": True, "ticket": None}  # fmt: skip
    assert expected == {name: shown[name] for name in expected}
    assert shown["service"]["bring"]
    assert number(1)[3:] not in str(shown)
    assert "王" not in str(shown)
    (message,) = [text for text in await bank.texts(number(1)) if shown["reference"] in text]
    assert f"{ORIGIN}/appointments/{token_of(booked)}" in message
    assert "1月16日 周六 10:00" in message


async def test_a_customer_and_a_stranger_book_alike(bank: Bank) -> None:
    """Whether the number is a customer's shows nowhere: same steps, same facts, no customer touched."""
    await put_outlet(bank)
    _, customer = await book(bank, LI.phone)
    _, stranger = await book(bank, number(2))
    assert set(customer.body["outcome"]["facts"]) == set(stranger.body["outcome"]["facts"])
    assert [] == await bank.events(LI)
    assert [] == await bank.messages_about(LI)


async def test_who_comes_second_chooses_another_time_in_the_same_journey(bank: Bank) -> None:
    """Refused with another time as the way on; no code was sent; the journey takes the next answer."""
    await put_outlet(bank, phone_change=1)
    await book(bank, number(1))
    visitor = bank.visitor()
    refused = await hold(visitor, number(2))
    assert ("place-taken", 409, "anybody") == (refused.cause, refused.status, refused.step)
    assert ["another-time", "visit-outlet"] == refused.remedies
    assert [] == await bank.texts(number(2))
    held = await visitor.answer(**wanted(number(2), TOMORROW_TEN + HOUR))
    assert "phone_code" == held.step


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"outlet": "N999"}, "outlet"),
        ({"service": "loan"}, "service"),
        ({"starts_at": iso(TOMORROW_TEN + 60)}, "starts_at"),
        ({"starts_at": iso(TOMORROW_TEN)[:-6]}, "starts_at"),
        ({"starts_at": iso(NOW + 60)}, "starts_at"),
        ({"starts_at": iso(TOMORROW_TEN + limits.BOOKING_DAYS * 24 * HOUR)}, "starts_at"),
        ({"surname": "=cmd|' /C calc'!A0"}, "surname"),
        ({"people": "6"}, "people"),
        ({"case_number": "NOCASE0000"}, "case_number"),
        ({"phone": "02155500000"}, "phone"),
    ],
)
async def test_what_nobody_could_book(bank: Bank, changes: dict[str, str], field: str) -> None:
    """An outlet, a service or a time that is not offered is said at its field; nothing is held and no code is sent."""
    await put_outlet(bank, loan=0)
    refused = await bank.visitor().start("book-appointment", "anybody", **(wanted(number(1)) | changes))
    assert ("input-invalid", [field]) == (refused.cause, [fault["name"] for fault in refused.body["fields"]])
    assert [] == await bank.texts(number(1))


async def test_a_closed_day_is_not_offered(bank: Bank) -> None:
    """What the bank says of one day decides, for the list and for whoever sends a time by hand."""
    await put_outlet(bank)
    async with bank.house.store.begin() as tx:
        await tx.outlets.put_exception(HoursException(outlet_id="", country="CN", day="2027-01-16", hours="off"))
    assert "2027-01-17T00:00+08:00" == (await free(bank))[0]
    assert "input-invalid" == (await hold(bank.visitor(), number(1))).cause


async def test_a_hold_that_lapsed_is_taken_again_if_nobody_came(bank: Bank) -> None:
    """The code came late: the place is still theirs. When somebody else has it, the journey says so."""
    await put_outlet(bank, phone_change=1)
    slow, slower = bank.visitor(), bank.visitor()
    await hold(slow, number(1))
    bank.clock.turn(limits.HOLD_SECONDS + 1)
    await bank.house.upkeep.sweep()
    await slow.answer("resend")
    assert "done" == (await slow.answer(code=await bank.code(number(1)))).body["status"]

    later = TOMORROW_TEN + HOUR
    await hold(slower, number(2), later)
    bank.clock.turn(limits.HOLD_SECONDS + 1)
    assert "done" == (await book(bank, number(3), later))[1].body["status"]
    await slower.answer("resend")
    refused = await slower.answer(code=await bank.code(number(2)))
    assert ("place-taken", "refused") == (refused.cause, refused.journey["status"])
    assert 2 == len(await rows(bank, State.CONFIRMED))


async def test_the_same_answer_twice_is_one_booking(bank: Bank) -> None:
    """A tap repeated on a bad network: one hold, one booking, one message, one link."""
    await put_outlet(bank)
    visitor = bank.visitor()
    first, again = await hold(visitor, number(1)), await hold(visitor, number(1))
    assert (201, 200) == (first.status, again.status)
    assert first.journey["id"] == again.journey["id"]
    code = await bank.code(number(1))
    body = {"version": first.journey["version"], "step": "phone_code", "answer": {"code": code}}
    path, headers = f"/v1/journeys/{first.journey['id']}/answers", {"Idempotency-Key": "k-1"}
    one = await visitor.client.post(path, json=body, headers=headers)
    two = await visitor.client.post(path, json=body, headers=headers)
    assert one.json() == two.json()
    assert 1 == len(await rows(bank))
    assert 1 == len([text for text in await bank.texts(number(1)) if "/appointments/" in text])


# ---------------------------------------------------------------- limits of a number


async def test_one_open_appointment_for_each_service(bank: Bank) -> None:
    """A second one is refused after the code, and the link of the first comes again."""
    await put_outlet(bank)
    _, booked = await book(bank, number(1))
    bank.clock.turn(limits.RESEND_SECONDS)
    _, refused = await book(bank, number(1), TOMORROW_TEN + HOUR)
    assert ("booked-already", 409) == (refused.cause, refused.status)
    assert 2 == len([text for text in await bank.texts(number(1)) if token_of(booked) in text])
    assert iso(TOMORROW_TEN + HOUR) in [iso(moment) for moment in await starts(bank)], "the place is free again"


async def starts(bank: Bank) -> list[int]:
    return [int(datetime.fromisoformat(text).timestamp()) for text in await free(bank)]


async def test_two_on_one_day_and_no_third(bank: Bank) -> None:
    """The second is taken, the third is not, one on another day is."""
    await put_outlet(bank)
    day = 24 * HOUR
    plan = [("phone-change", 0), ("other", HOUR), ("document-update", 2 * HOUR), ("document-update", day)]
    causes = []
    for service, later in plan:
        _, answer = await book(bank, number(1), TOMORROW_TEN + later, service=service)
        causes.append(answer.cause)
        bank.clock.turn(limits.RESEND_SECONDS)
    assert [None, None, "too-many-bookings", None] == causes


async def test_a_number_that_missed_two_rests(bank: Bank) -> None:
    """Two missed: thirty days without booking, told after the code alone; then it books again."""
    await put_outlet(bank)
    for n in range(limits.NO_SHOWS):
        await book(bank, number(1), TOMORROW_TEN + n * HOUR, service=("phone-change", "other")[n])
        bank.clock.turn(limits.RESEND_SECONDS)
    bank.clock.at = TOMORROW_TEN + 2 * HOUR
    assert limits.NO_SHOWS == (await bank.house.upkeep.sweep())["missed"]
    tomorrow = TOMORROW_TEN + 26 * HOUR
    visitor = bank.visitor()
    assert "phone_code" == (await hold(visitor, number(1), tomorrow)).step
    refused = await visitor.answer(code=await bank.code(number(1)))
    assert "booking-paused" == refused.cause
    assert limits.BOOKING_PAUSE_DAYS * 24 * HOUR == refused.body["retry_in_seconds"]
    bank.clock.turn(limits.BOOKING_PAUSE_DAYS * 24 * HOUR)
    _, again = await book(bank, number(1), bank.clock.now() - bank.clock.now() % 900 + 24 * HOUR)
    assert "done" == again.body.get("status")


# ---------------------------------------------------------------- by the link


async def test_cancel_and_move_by_the_link(bank: Bank) -> None:
    """Moved: the old time is free, the new is not. Cancelled, twice the same; then nothing can be changed."""
    await put_outlet(bank, phone_change=1)
    _, booked = await book(bank, number(1))
    link, visitor, later = f"/v1/appointments/{token_of(booked)}", bank.visitor(), TOMORROW_TEN + HOUR
    moved = await post(visitor, f"{link}/move", starts_at=iso(later))
    assert "2027-01-16T11:00+08:00" == moved.body["starts_at"]
    assert moved.body == (await post(visitor, f"{link}/move", starts_at=iso(later))).body
    assert [True, False] == [moment in await starts(bank) for moment in (TOMORROW_TEN, later)]

    cancelled = await post(visitor, f"{link}/cancel")
    assert "cancelled" == cancelled.body["state"]
    assert cancelled.body == (await post(visitor, f"{link}/cancel")).body
    assert later in await starts(bank)
    for what, body in (("move", {"starts_at": iso(later)}), ("check-in", {})):
        assert "appointment-over" == (await post(visitor, f"{link}/{what}", **body)).cause


async def test_a_move_to_a_taken_time_leaves_the_old_one(bank: Bank) -> None:
    """Who moves and comes second keeps what they had."""
    await put_outlet(bank, phone_change=1)
    _, booked = await book(bank, number(1))
    await book(bank, number(2), TOMORROW_TEN + HOUR)
    link, visitor = f"/v1/appointments/{token_of(booked)}", bank.visitor()
    # Twenty minutes are two slots: half an hour later overlaps nothing, a quarter before the other's end does.
    for taken in (TOMORROW_TEN + HOUR, TOMORROW_TEN + HOUR - 900):
        assert "place-taken" == (await post(visitor, f"{link}/move", starts_at=iso(taken))).cause
    assert "2027-01-16T10:00+08:00" == (await visitor.get(link)).body["starts_at"]
    assert "place-taken" == (await hold(bank.visitor(), number(3))).cause
    # Overlapping one's own old time is no hindrance.
    assert 200 == (await post(visitor, f"{link}/move", starts_at=iso(TOMORROW_TEN + 900))).status


@pytest.mark.parametrize(
    ("seconds", "cause"),
    [
        (-limits.CHECK_IN_BEFORE_SECONDS - 1, "check-in-closed"),
        (-limits.CHECK_IN_BEFORE_SECONDS, None),
        (limits.CHECK_IN_AFTER_SECONDS, None),
        (limits.CHECK_IN_AFTER_SECONDS + 1, "check-in-closed"),
    ],
)
async def test_when_a_visitor_may_check_in(bank: Bank, seconds: int, cause: str | None) -> None:
    """Half an hour before until ten minutes after; twice gives the same ticket."""
    await put_outlet(bank)
    _, booked = await book(bank, number(1))
    link, visitor = f"/v1/appointments/{token_of(booked)}", bank.visitor()
    bank.clock.at = TOMORROW_TEN + seconds
    answer = await post(visitor, f"{link}/check-in")
    assert cause == answer.cause
    if cause is None:
        assert ("A001", "checked-in", 0) == (answer.body["ticket"], answer.body["state"], answer.body["ahead"])
        assert answer.body == (await post(visitor, f"{link}/check-in")).body


async def test_the_calendar_file(bank: Bank) -> None:
    """Read by a calendar it is the visit in the outlet's own time, with the place, what to bring and the link."""
    await put_outlet(bank)
    visitor, booked = await book(bank, number(1))
    raw = await visitor.client.get(f"/appointments/{token_of(booked)}.ics")
    assert "text/calendar; charset=utf-8" == raw.headers["content-type"]
    calendar = icalendar.Calendar.from_ical(raw.content)
    (event,) = calendar.walk("VEVENT")
    assert datetime(2027, 1, 16, 10, 0, tzinfo=ZoneInfo("Asia/Shanghai")) == event.decoded("dtstart")
    assert "Asia/Shanghai" == calendar.walk("VTIMEZONE")[0]["TZID"]
    assert "人民路支行" in str(event["location"])
    assert f"{ORIGIN}/appointments/{token_of(booked)}" in str(event["description"])


# ---------------------------------------------------------------- reminders, and who did not come


async def test_reminders_go_out_once_and_only_for_who_comes(bank: Bank) -> None:
    """The day before and two hours before; none for what was cancelled, none for a time that was moved away from."""
    await put_outlet(bank)
    visit = TOMORROW_TEN + 48 * HOUR
    _, kept = await book(bank, number(1), visit)
    _, cancelled = await book(bank, number(2), visit)
    _, moved = await book(bank, number(3), visit + HOUR)
    visitor = bank.visitor()
    await post(visitor, f"/v1/appointments/{token_of(cancelled)}/cancel")
    await post(visitor, f"/v1/appointments/{token_of(moved)}/move", starts_at=iso(visit + 96 * HOUR))
    sent = {n: len(await bank.texts(number(n))) for n in (1, 2, 3)}

    for before, texts in ((limits.REMINDER_DAY_SECONDS + 1, 0), (limits.REMINDER_DAY_SECONDS, 1), (3 * HOUR, 1),
                          (limits.REMINDER_SOON_SECONDS, 2), (HOUR, 2)):  # fmt: skip
        bank.clock.at = visit - before
        for _ in range(2):
            await bank.house.upkeep.sweep()
        assert texts == len(await bank.texts(number(1))) - sent[1]
    assert [sent[2], sent[3]] == [len(await bank.texts(number(n))) for n in (2, 3)]
    assert all(token_of(kept) in text for text in (await bank.texts(number(1)))[:2])


async def test_who_books_for_soon_is_not_reminded_of_it(bank: Bank) -> None:
    """Booked less than a day ahead: the confirmation was the reminder of tomorrow; the last one still comes."""
    await put_outlet(bank)
    await book(bank, number(1))
    sent = len(await bank.texts(number(1)))
    bank.clock.turn(60)
    await bank.house.upkeep.sweep()
    assert sent == len(await bank.texts(number(1)))
    bank.clock.at = TOMORROW_TEN - HOUR
    await bank.house.upkeep.sweep()
    assert sent + 1 == len(await bank.texts(number(1)))


# ---------------------------------------------------------------- the queue


async def test_a_morning_at_the_outlet(bank: Bank) -> None:
    """Check in, wait, be called, be served; a walk-in waits behind an appointment; who is not there is missed."""
    await put_outlet(bank)
    _, first = await book(bank, number(1))
    _, second = await book(bank, number(2))
    bank.clock.at = TOMORROW_TEN - 600
    store, now = bank.house.store, bank.clock.now()
    async with store.begin() as tx:
        walked_in = await queue.walk_in(tx, HALL, "other", now, "staff-1")
        assert not isinstance(walked_in, Refused)
        assert isinstance(await queue.walk_in(tx, HALL, "no-such", now, "staff-1"), Refused)
    visitor = bank.visitor()
    for answer in (second, first):
        await post(visitor, f"/v1/appointments/{token_of(answer)}/check-in")
        bank.clock.turn(60)
    bank.clock.at = now = TOMORROW_TEN
    waiting = (await visitor.get(f"/v1/appointments/{token_of(first)}")).body
    assert ("A003", 1) == (waiting["ticket"], waiting["ahead"])
    called = []
    for _ in range(4):
        async with store.begin() as tx:
            row = await queue.call_next(tx, HALL, ("counter",), "3 号窗口", now, "staff-1")
            called.append(row.ticket if row else None)
    assert ["A002", "A003", "A001", None] == called
    shown = (await visitor.get(f"/v1/appointments/{token_of(first)}")).body
    assert ("called", "3 号窗口") == (shown["state"], shown["called_to"])
    async with store.begin() as tx:
        one, two, _ = sorted(await queue.today(tx, HALL, now), key=lambda row: row.ticket or "")
        assert State.SERVED is (await queue.served(tx, one, now, "staff-1")).state  # type: ignore[union-attr]  # not refused
        assert State.NO_SHOW is (await queue.missed(tx, two, now, "staff-1")).state  # type: ignore[union-attr]  # not refused
    async with store.begin() as tx:
        assert isinstance(await queue.served(tx, one, now, "staff-1"), Refused)
        assert {10: 2, 9: 1} == queue.load_by_hour(await queue.today(tx, HALL, now), HALL)


# ---------------------------------------------------------------- cases


async def test_a_case_carries_what_happened_to_the_counter(bank: Bank) -> None:
    """From a refusal to the outlet: the visitor carries a number, the counter reads the real facts under it."""
    await put_outlet(bank)
    visitor = bank.visitor(headers={"accept": "text/html", "origin": ORIGIN})
    await visitor.start("sign-in", "phone", phone=number(9))
    await visitor.answer(code=await bank.wrong_code(number(9)))
    assert visitor.last is not None
    place = f"/j/{visitor.last.journey['id']}/outlet"
    page = await visitor.client.get(f"{place}?told=code-wrong")
    assert 200 == page.status_code
    gone = await visitor.client.post(place, data={"told": "code-wrong"})
    again = await visitor.client.post(place, data={"told": "code-wrong"})
    assert 303 == gone.status_code
    assert gone.headers["location"] == again.headers["location"]
    path, _, query = gone.headers["location"].partition("?")
    chosen = dict(part.split("=") for part in query.split("&"))
    assert ("/outlets", "password-reset") == (path, chosen["service"])
    async with bank.house.store.begin() as tx:
        case = await tx.cases.find(chosen["case"], bank.clock.now())
    assert case is not None
    assert ("sign-in", "code-wrong", "not-registered") == tuple(case.facts[n] for n in ("journey", "told", "flaw"))
    assert 404 == (await bank.visitor(headers={"origin": ORIGIN}).client.post(place, data={})).status_code

    bank.clock.turn(limits.RESEND_SECONDS)
    _, booked = await book(bank, number(9), service=chosen["service"], case_number=chosen["case"])
    assert case.case_no == (await bank.visitor().get(f"/v1/appointments/{token_of(booked)}")).body["case_number"]
