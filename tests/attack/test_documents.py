"""Whoever is signed in on somebody else's phone does not renew a document: not by guessing, not by another's card."""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from dataclasses import replace
from typing import Any

import pytest

from foregate.acts.renew_document import COUNTER
from foregate.rules import limits
from foregate.rules.documents import Document
from tests.bank import CHEN, LI, WANG, Bank, Visitor
from tests.documents import (
    FOREIGN,
    NEW_END,
    document_of,
    in_days,
    let_end,
    signed_in,
    small,
    written_on,
)

__all__ = ["small"]
pytestmark = pytest.mark.anyio

OTHER_NUMBER = "440308199901101520"


def guessed(n: int) -> dict[str, Any]:
    """The n-th guess at LI's number: a right one by its form."""
    return written_on(LI, document_number=[OTHER_NUMBER, WANG.document_number, CHEN.document_number][n % 3])


async def expires_on(bank: Bank, core_ref: str = LI.core_ref) -> str | None:
    """Until when the core bank has the document."""
    person = await bank.house.core.person(core_ref)
    assert person is not None
    return person.document_expires_on


async def test_the_number_cannot_be_guessed(bank: Bank) -> None:
    """REC-12: five comparisons, then the right one is refused too; everything else works, and waiting ends it."""
    await let_end(bank, LI, in_days(3))
    await bank.give_document(LI, NEW_END)
    visitor = await signed_in(bank)
    causes = [(await visitor.answer(**guessed(n))).cause for n in range(limits.ROW_FAILURES - 1)]
    assert {"document-mismatch"} == set(causes)
    last = await visitor.answer(**guessed(0))
    assert ("document-paused", limits.BLOCK_SECONDS) == (last.cause, last.body["retry_in_seconds"])
    assert {"wait", "visit-outlet"} <= set(last.remedies)

    other = bank.visitor()
    bank.clock.turn(61)
    await other.sign_in(LI)
    assert "full" == await other.level()
    refused = await other.start("renew-document")
    assert "document-paused" == refused.cause
    assert in_days(3) == await expires_on(bank)

    bank.clock.turn(limits.BLOCK_SECONDS)
    await other.sign_in(LI)
    await other.start("renew-document")
    assert "done" == (await other.answer(**written_on(LI))).journey["status"]


async def test_guesses_at_once_are_counted_one_by_one(bank: Bank) -> None:
    """AUT-04: twenty answers that arrive together are compared five times at most."""
    await let_end(bank, LI, in_days(3))
    visitor = await signed_in(bank)
    assert visitor.last is not None
    journey = visitor.last.journey

    async def guess(n: int) -> str:
        body = {"version": journey["version"], "step": "renew-document", "answer": guessed(n)}
        raw = await visitor.client.post(f"/v1/journeys/{journey['id']}/answers", json=body)
        return str(raw.json()["cause"])

    causes = Counter(await asyncio.gather(*(guess(n) for n in range(20))))
    assert causes["document-mismatch"] <= limits.ROW_FAILURES - 1
    async with bank.house.store.begin() as tx:
        (row,) = [row for row in await tx.counters.of(bank.customer_id(LI)) if row.counter == COUNTER]
    assert limits.ROW_FAILURES == row.in_a_row


async def test_a_hundred_guesses_and_it_is_over(small: Bank) -> None:
    """NIST SP 800-63B-4, 3.2.2: then only an outlet helps, and it says so."""
    await let_end(small, LI, in_days(3))
    visitor = await signed_in(small)
    async with small.house.store.begin() as tx:
        now = small.clock.now()
        for n in range(limits.TOTAL_FAILURES):
            assert await tx.counters.charge(small.customer_id(LI), COUNTER, f"lane {n}", now)
    refused = await visitor.answer(**written_on(LI))
    assert ("document-paused", "refused") == (refused.cause, refused.journey["status"])
    assert "visit-outlet" in refused.remedies


async def test_somebody_elses_document(small: Bank) -> None:
    """A card that is genuine, and another person's: refused before the registry is asked, so it is no oracle."""
    asked: list[Document] = []
    await let_end(small, LI, in_days(3))
    await small.give_document(WANG, NEW_END)
    confirm = small.house.registry.confirm

    async def counted(document: Document, *, replaces: str | None = None) -> Any:
        asked.append(document)
        return await confirm(document, replaces=replaces)

    small.house.registry.confirm = counted  # type: ignore[method-assign]  # listened to
    visitor = await signed_in(small)
    for typed in (written_on(WANG), written_on(WANG, name=LI.name)):
        assert "document-mismatch" == (await visitor.answer(**typed)).cause
    assert [] == asked
    assert in_days(3) == await expires_on(small)


async def test_somebody_elses_passport_of_the_same_name(small: Bank) -> None:
    """A namesake's new passport is genuine and succeeds another one: the registry knows, and nothing is renewed."""
    await small.settle(replace(FOREIGN, document_expires_on=in_days(-5)))
    await small.give_document(FOREIGN, in_days(-5))
    await small.give_document(replace(FOREIGN, core_ref="a namesake"), NEW_END, number="33ZZ00001")
    visitor = await signed_in(small, FOREIGN)
    refused = await visitor.answer(**written_on(FOREIGN, document_number="33ZZ00001"))
    assert "document-unconfirmed" == refused.cause
    assert in_days(-5) == await expires_on(small, FOREIGN.core_ref)


async def test_a_basic_session_is_not_enough(small: Bank) -> None:
    """Policy: two categories. A code alone leads to a second proof, whatever step the answer names."""
    await let_end(small, LI, in_days(-5))
    await small.give_document(LI, NEW_END)
    visitor = small.visitor()
    await visitor.sign_in_basic(LI)
    asked = await visitor.start("renew-document")
    assert "password" == asked.step
    refused = await visitor.answer("renew-document", **written_on(LI))
    assert "journey-moved-on" == refused.cause
    assert in_days(-5) == await expires_on(small)
    await visitor.answer(password=LI.password)
    assert "done" == (await visitor.answer(**written_on(LI))).journey["status"]


async def test_an_expired_document_renews_nothing(small: Bank) -> None:
    """REC-12: the old card, genuine as it is, and a card that the registry knows to be over."""
    await let_end(small, LI, in_days(-400))
    await small.give_document(LI, in_days(-5))
    visitor = await signed_in(small)
    for day in (-400, -5, 0):
        refused = await visitor.answer(**written_on(LI, expires_on=in_days(day)))
        assert [("expires_on", "day-past")] == [(f["name"], f["code"]) for f in refused.body["fields"]]
    assert "document-unconfirmed" == (await visitor.answer(**written_on(LI))).cause  # a date of one's own
    assert in_days(-400) == await expires_on(small)
    assert {"state": "expired", "days_left": None} == await document_of(visitor)


async def test_a_journey_that_was_ended_renews_nothing(small: Bank) -> None:
    """Whoever was thrown out by a freeze does not finish what they had begun."""
    await let_end(small, LI, in_days(3))
    await small.give_document(LI, NEW_END)
    thief, owner = await signed_in(small), small.visitor()
    small.clock.turn(61)
    await owner.start("freeze", "phone", phone=LI.phone)
    await owner.answer(code=await small.code(LI.phone))
    refused = await thief.answer(**written_on(LI))
    assert "journey-ended" == refused.cause
    assert in_days(3) == await expires_on(small)


async def seen_by_a_stranger(bank: Bank, visitor: Visitor, phone: str) -> list[Any]:
    """Everything that somebody without the phone sees of renewing a document."""
    seen = [await visitor.start("renew-document", "phone", phone=phone)]
    seen.append(await visitor.answer("renew-document", **written_on(LI)))
    seen.append(await visitor.answer(code="000001"))
    keys = ("status", "cause", "title", "detail", "remedies", "tries_left")
    return [(a.status, a.step, a.raw.headers.get("retry-after"), {k: a.body.get(k) for k in keys[1:]}) for a in seen]


async def test_a_stranger_does_not_learn_how_a_document_stands(small: Bank) -> None:
    """ENU-01: expired, valid or nobody's, all looks the same until something was shown."""
    await let_end(small, LI, in_days(-400))
    await let_end(small, WANG, None)
    phones = (LI.phone, WANG.phone, "+8613333333333")
    seen = [str(await seen_by_a_stranger(small, small.visitor(), phone)) for phone in phones]
    assert 1 == len({re.sub(r"[0-9a-f-]{36}", "ID", each) for each in seen})
