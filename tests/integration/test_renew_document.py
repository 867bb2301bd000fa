"""Renewing a document through the API, what a customer is told before, and the messages that say so."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from foregate.acts import at_counter
from foregate.acts.renew_document import COUNTER
from foregate.ports import Unreachable
from foregate.rules import limits
from tests.at_counter import consented
from tests.bank import LI, NOW, WANG, Bank
from tests.documents import (
    FOREIGN,
    NEW_END,
    document_of,
    in_days,
    let_end,
    signed_in,
    small,
    written_on,
    wrong,
)

__all__ = ["small"]
pytestmark = pytest.mark.anyio

# ---------------------------------------------------------------- renewed


async def test_an_expired_document_is_renewed(bank: Bank) -> None:
    """Told when signed in; renewed from the same session; then nothing is told any more."""
    await let_end(bank, LI, in_days(-200))
    await bank.give_document(LI, NEW_END)
    visitor = await signed_in(bank)
    assert {"state": "expired", "days_left": None} == await document_of(visitor)

    done = await visitor.answer(**written_on(LI))

    assert ("done", "renew-document") == (done.journey["status"], done.journey["outcome"]["act"])
    assert {"state": "valid", "days_left": 5109} == await document_of(visitor)
    person = await bank.house.core.person(LI.core_ref)
    assert person is not None
    assert NEW_END == person.document_expires_on
    assert "document-renewed" in await bank.events(LI)
    assert ["sms.document-renewed"] == [t for t in await bank.messages_about(LI) if "document" in t]
    assert "证件有效期刚刚更新" in (await bank.texts(LI.phone))[0]


TOLD: tuple[tuple[int | None, str, int | None], ...] = (
    (31, "valid", 31), (30, "expiring", 30), (0, "expiring", 0), (-1, "grace", 89), (-90, "grace", 0),
    (-91, "expired", None), (None, "valid", None),
)  # fmt: skip


async def test_what_is_told_at_sign_in(small: Bank) -> None:
    """From thirty days ahead, in a basic session too; and whoever's card is closed hears it as well."""
    await small.house.core.put_card(
        core_ref=LI.core_ref, card_number=LI.card, card_pin=LI.pin, bound_phone=LI.bound, status="closed"
    )
    visitor = small.visitor()
    await visitor.sign_in_basic(LI)
    for days, state, days_left in TOLD:
        await let_end(small, LI, None if days is None else in_days(days))
        assert {"state": state, "days_left": days_left} == await document_of(visitor)


async def test_by_phone_without_a_session(small: Bank) -> None:
    """Possession, then a second category, then the document; nobody is signed in by it."""
    await let_end(small, LI, in_days(-1))
    await small.give_document(LI, NEW_END)
    visitor = small.visitor()
    await visitor.start("renew-document", "card", card_number=LI.card)
    await visitor.answer(code=await small.code(LI.phone))
    await visitor.answer("choose", way="card_pin")
    asked = await visitor.answer(card_pin=LI.pin)
    assert "renew-document" == asked.step
    assert "done" == (await visitor.answer(**written_on(LI))).journey["status"]
    assert None is await visitor.level()


async def test_a_document_as_people_type_it(small: Bank) -> None:
    """Full-width digits, a date in eight digits, a small x, blanks."""
    await small.give_document(WANG, NEW_END)
    await let_end(small, WANG, in_days(3))
    visitor = await signed_in(small, WANG)
    spelled = written_on(WANG, name=" 王 芳 ", document_number="110105 19491231 002ｘ", expires_on="２０４１０１１０")
    assert "done" == (await visitor.answer(**spelled)).journey["status"]


async def test_a_long_term_card_at_last(small: Bank) -> None:
    """Whoever is old enough ticks long-term, and is never told again."""
    await small.give_document(WANG, None)
    await let_end(small, WANG, in_days(3))
    visitor = await signed_in(small, WANG)
    done = await visitor.answer(**written_on(WANG, expires_on="", long_term=True))
    assert "done" == done.journey["status"]
    assert {"state": "valid", "days_left": None} == await document_of(visitor)


async def test_the_day_of_issue(bank: Bank) -> None:
    """Typed, it has to fit the kind and the age, and what the registry knows; then the core bank keeps it."""
    await let_end(bank, LI, in_days(3))
    await bank.give_document(LI, "2047-01-11", issued_on="2027-01-11")
    visitor = await signed_in(bank)
    for issued_on, expires_on, cause, code in (
        ("2027-01-16", "2047-01-11", "input-invalid", "issue-future"),
        ("2026-01-11", "2047-01-11", "input-invalid", "issue-term"),
        ("2027-01-11", "2037-01-11", "input-invalid", "issue-term"),
        ("11.1.2027", "2047-01-11", "input-invalid", "day-shape"),
    ):
        refused = await visitor.answer(**written_on(LI, issued_on=issued_on, expires_on=expires_on))
        assert (cause, {"issued_on": code}) == (refused.cause, wrong(refused))
    await bank.give_document(LI, "2047-01-10", issued_on="2027-01-09")
    refused = await visitor.answer(**written_on(LI, issued_on="2027-01-10", expires_on="2047-01-10"))
    assert ("document-unconfirmed", {"issued_on": "day-unconfirmed"}) == (refused.cause, wrong(refused))
    await bank.give_document(LI, "2047-01-10", issued_on="2027-01-10")
    done = await visitor.answer(**written_on(LI, issued_on="2027年1月10日", expires_on="2047-01-10"))
    assert "done" == done.journey["status"]
    person = await bank.house.core.person(LI.core_ref)
    assert person is not None
    assert ("2027-01-10", "2047-01-10") == (person.document_issued_on, person.document_expires_on)


async def test_a_passport_under_a_new_number(bank: Bank) -> None:
    """The registry says that both are hers; from then on the bank knows the new one."""
    await bank.settle(replace(FOREIGN, document_expires_on=in_days(-20)))
    await bank.give_document(FOREIGN, in_days(-20))
    await bank.give_document(FOREIGN, NEW_END, number="26CD00029")
    visitor = await signed_in(bank, FOREIGN)
    done = await visitor.answer(**written_on(FOREIGN, document_number="26CD00029"))
    assert "done" == done.journey["status"]
    assert {"21AB00029", "26CD00029"} - {
        person.document_number for person in await bank.house.core.people_with_document("26CD00029")
    } == {"21AB00029"}


# ---------------------------------------------------------------- not renewed


WRONG: tuple[tuple[dict[str, Any], str, dict[str, str]], ...] = (
    ({"expires_on": "2020-01-01"}, "input-invalid", {"expires_on": "day-past"}),
    ({"expires_on": in_days(6)}, "input-invalid", {"expires_on": "day-soon"}),
    ({"expires_on": "2061-01-01"}, "input-invalid", {"expires_on": "day-far"}),
    ({"expires_on": "31.1.2041"}, "input-invalid", {"expires_on": "day-shape"}),
    ({"expires_on": ""}, "input-invalid", {"expires_on": "empty"}),
    ({"long_term": True}, "input-invalid", {"expires_on": "day-or-long-term"}),
    ({"expires_on": "", "long_term": True}, "input-invalid", {"long_term": "not-long-term"}),
    ({"document_number": "440308199901101513"}, "input-invalid", {"document_number": "document-check-digit"}),
    ({"name": "李晓明"}, "document-mismatch", {"name": "name-differs"}),
    ({"document_type": "TEMP_RESIDENT_ID"}, "document-mismatch", {"document_type": "document-type-differs"}),
    ({"expires_on": "2041-01-11"}, "document-unconfirmed", {"expires_on": "day-unconfirmed"}),
)


async def test_what_is_wrong_is_told_beside_the_field(bank: Bank) -> None:
    """With a way on, and the journey stays where it was: the right document then renews."""
    await let_end(bank, LI, in_days(3))
    await bank.give_document(LI, NEW_END)
    visitor = await signed_in(bank)
    for changes, cause, fields in WRONG:
        refused = await visitor.answer(**written_on(LI, **changes))
        assert (422, cause, fields) == (refused.status, refused.cause, wrong(refused))
        assert "open" == refused.journey["status"]
        assert {"try-again", "visit-outlet"} <= set(refused.remedies)
    assert 2 == refused.body["tries_left"]  # three were compared
    assert "done" == (await visitor.answer(**written_on(LI))).journey["status"]


async def test_a_document_that_nobody_knows(small: Bank) -> None:
    """A card that was printed yesterday is not in the registry yet: nothing changes, and an outlet is named."""
    await let_end(small, LI, in_days(3))
    visitor = await signed_in(small)
    refused = await visitor.answer(**written_on(LI))
    assert ("document-unconfirmed", {"document_number": "number-unconfirmed"}) == (refused.cause, wrong(refused))
    assert "expiring" == (await document_of(visitor) or {})["state"]
    assert ["details-refused"] == (await small.events(LI))[-1:]


async def test_the_date_that_the_bank_has_already(small: Bank) -> None:
    """Somebody who reads it off the old card is told so, and it counts as no guess."""
    await let_end(small, LI, NEW_END)
    await small.give_document(LI, NEW_END)
    visitor = await signed_in(small)
    for _ in range(limits.ROW_FAILURES + 1):
        refused = await visitor.answer(**written_on(LI))
        assert ("input-invalid", {"expires_on": "day-as-held"}) == (refused.cause, wrong(refused))


async def test_the_world_outside_is_away(small: Bank, monkeypatch: pytest.MonkeyPatch) -> None:
    """We are busy, nothing is counted, and the same answer renews once the registry is back."""
    await let_end(small, LI, in_days(3))
    await small.give_document(LI, NEW_END)
    visitor = await signed_in(small)

    assert visitor.last is not None
    place = f"/v1/journeys/{visitor.last.journey['id']}/answers"
    body = {"version": visitor.last.journey["version"], "step": "renew-document", "answer": written_on(LI)}

    async def away(*_: object, **__: object) -> None:
        raise Unreachable("registry")

    for part in (small.house.registry, small.house.core):
        name = "confirm" if part is small.house.registry else "renew_document"
        with monkeypatch.context() as outside:
            outside.setattr(part, name, away)
            for _ in range(limits.ROW_FAILURES + 1):
                raw = await visitor.client.post(place, json=body)
                assert (503, "busy") == (raw.status_code, raw.json()["cause"])
    assert "done" == (await visitor.answer(**written_on(LI))).journey["status"]


async def test_the_same_answer_twice(small: Bank) -> None:
    """A double tap renews once, tells once, and gets one answer."""
    await let_end(small, LI, in_days(3))
    await small.give_document(LI, NEW_END)
    visitor = await signed_in(small)
    begun = visitor.last
    first = await visitor.answer(key="k", **written_on(LI))
    visitor.last = begun
    second = await visitor.answer(key="k", **written_on(LI))
    assert first.body == second.body
    assert 1 == (await small.messages_about(LI)).count("sms.document-renewed")


async def test_the_counter_ends_a_pause(small: Bank) -> None:
    """Two tellers saw the card: the customer's own tries begin anew."""
    async with small.house.store.begin() as tx:
        for _ in range(limits.ROW_FAILURES):
            await tx.counters.charge(small.customer_id(LI), COUNTER, "all", NOW)
    await at_counter.correct_in_core(small.house.world, LI.core_ref, NEW_END)
    async with consented(small, LI) as at:
        await at_counter.correct_document(at, NEW_END)
    visitor = await signed_in(small)
    assert {"state": "valid", "days_left": 5109} == await document_of(visitor)


# ---------------------------------------------------------------- registering


async def test_nobody_new_is_taken_in_on_a_document_that_is_long_over(small: Bank) -> None:
    """To the end of the grace one registers; after it the outlet is named, and nothing that does not work."""
    for days, cause in ((-limits.DOCUMENT_GRACE_DAYS - 1, "document-lapsed"), (-limits.DOCUMENT_GRACE_DAYS, None)):
        await small.settle(replace(FOREIGN, document_expires_on=in_days(days)), registered=False)
        visitor = small.visitor()
        await visitor.start(
            "register", "card_name_document", card_number=FOREIGN.card, name=FOREIGN.name,
            document_type=FOREIGN.document_type, document_number=FOREIGN.document_number,
        )  # fmt: skip
        await visitor.answer(code=await small.code(FOREIGN.bound))
        await visitor.answer(card_pin=FOREIGN.pin)
        done = await visitor.answer(new_user_name="marie.new", new_password="nine lanterns over 4 rivers")
        assert (cause, ["visit-outlet"] if cause else []) == (done.cause, done.remedies)
        small.clock.turn(61)


# ---------------------------------------------------------------- messages


async def sweep(bank: Bank) -> int:
    """Let a day's notices be given."""
    return await bank.house.notices.sweep()


async def test_told_once_ahead_and_once_after(bank: Bank) -> None:
    """Thirty days before the end and on the day after it; never a second time, however often it is looked."""
    await let_end(bank, LI, in_days(31))
    await bank.house.core.put_person(  # somebody who holds a card and no login is told nothing
        core_ref="C900", name="钱多", birth_date="1990-01-01", document_type="RESIDENT_ID",
        document_number="11010119900307109X", document_expires_on=in_days(30),
    )  # fmt: skip
    assert [0, 0] == [await sweep(bank), await sweep(bank)]
    bank.clock.turn(limits.DAY)
    assert [1, 0] == [await sweep(bank), await sweep(bank)]
    assert f"您的证件{in_days(31)}到期" in (await bank.texts(LI.phone))[0]
    bank.clock.turn(31 * limits.DAY)
    assert [1, 0] == [await sweep(bank), await sweep(bank)]
    assert f"已于{in_days(31)}到期" in (await bank.texts(LI.phone))[0]
    told = [kind for kind in await bank.events(LI) if kind.endswith("-told")]
    assert ["document-expiring-told", "document-expired-told"] == told


async def test_told_again_when_the_new_one_ends(small: Bank) -> None:
    """A renewed document is another one."""
    await let_end(small, LI, in_days(2))
    assert 1 == await sweep(small)
    await let_end(small, LI, in_days(20))
    assert 1 == await sweep(small)


async def test_what_is_long_over_is_told_at_sign_in_alone(small: Bank) -> None:
    """A message about a card that ended last year helps nobody."""
    await let_end(small, LI, in_days(-limits.DOCUMENT_GRACE_DAYS - 1))
    assert 0 == await sweep(small)
    await let_end(small, LI, in_days(-limits.DOCUMENT_GRACE_DAYS))
    assert 1 == await sweep(small)


async def test_many_nodes_tell_once(bank: Bank, monkeypatch: pytest.MonkeyPatch) -> None:
    """Sweeps that run at once, in pages of one, tell everybody once."""
    monkeypatch.setattr(limits, "NOTICE_BATCH", 1)
    await let_end(bank, LI, in_days(5))
    await let_end(bank, WANG, in_days(-5))
    assert 2 == sum(await asyncio.gather(*(sweep(bank) for _ in range(5))))
    assert ["sms.document-expiring"] == await bank.messages_about(LI)
    assert ["sms.document-expired"] == await bank.messages_about(WANG)


async def test_a_sweep_that_dies_goes_on(small: Bank, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was committed is told, the rest is told by the next one, and nobody twice."""
    for person in (LI, WANG):
        await let_end(small, person, in_days(5))
    put, calls = small.house.core.documents_ending, 0
    monkeypatch.setattr(limits, "NOTICE_BATCH", 1)

    async def dies(*page: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == 2:
            raise Unreachable("core bank")
        return await put(*page)

    monkeypatch.setattr(small.house.core, "documents_ending", dies)
    with pytest.raises(Unreachable):
        await sweep(small)
    assert 1 == await sweep(small)
    assert [1, 1] == [(await small.messages_about(person)).count("sms.document-expiring") for person in (LI, WANG)]


async def test_nobody_is_woken(small: Bank) -> None:
    """At night nothing is told; by day once, and a stopped loop has not done its day."""
    await let_end(small, LI, in_days(5))
    small.clock.turn(12 * 3600)  # four in the morning
    await small.house.notices.once()
    assert [] == await small.messages_about(LI)
    small.clock.turn(5 * 3600)
    await small.house.notices.once()
    assert ["sms.document-expiring"] == await small.messages_about(LI)
    await let_end(small, WANG, in_days(5))
    await small.house.notices.once()
    assert [] == await small.messages_about(WANG)


async def test_who_holds_a_foreign_passport_reads_english(small: Bank) -> None:
    """Nobody asked them; it is the better guess."""
    await small.settle(replace(FOREIGN, document_expires_on=in_days(9)))
    await sweep(small)
    assert f"your ID document ends on {in_days(9)}" in (await small.texts(FOREIGN.phone))[0]
