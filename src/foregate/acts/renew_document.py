"""Act `renew-document`: the customer has a new identity document, and the bank learns until when it is good.

Rules
  1. The name, type and number that are typed are compared with what the bank holds, then the whole document is put to
     the registry. Both have to agree.
  2. A comparison is charged ahead, to a counter of its own: whoever is signed in on a stolen phone does not get to
     guess at the number on a card. What could not be compared is given back.
  3. The day of issue may be left out: some documents have none. What is typed has to fit the end, the kind and the
     holder's age, and the registry where that knows one.
  4. A number that the bank does not hold is taken only where documents are given out anew under another number, and
     only when the registry says that both are one person's.

The order: charge, compare, ask the registry, tell the core bank (all outside the transaction; twice is once), then
write down that it was done and tell the customer. When the world outside is away, the same answer may be sent again.
"""

from __future__ import annotations

from datetime import date

import msgspec

from foregate.acts import Done, record, tell
from foregate.ports import Busy, CounterRow, Person, RegistryVerdict, Unreachable
from foregate.rules import documents, inputs, limits
from foregate.rules.documents import Document
from foregate.rules.permission import ALL
from foregate.situation import Refused, Situation, Subject, World

ACTS = ("renew-document",)
# Kept apart from every proof: nothing but renewing rests when it is used up.
COUNTER = "document@renew-document"


class Input(inputs.Answer, frozen=True):
    """What stands on the new document."""

    name: inputs.Name
    document_type: inputs.DocumentKind
    document_number: inputs.DocumentNumber
    issued_on: inputs.Day = ""
    expires_on: inputs.Day = ""
    long_term: inputs.YesNo = False


INPUT = Input


class Prepared(msgspec.Struct, frozen=True):
    """A document that the bank and the registry agreed to, and that the core bank knows of."""

    expires_on: str | None
    has_new_number: bool


async def admit(at: Situation) -> Refused | None:
    """Whoever has guessed too often hears so before they type everything once more."""
    rows = [row for row in await at.tx.counters.of(at.subject.customer_id) if row.counter == COUNTER]
    return next((_paused(row, at.now) for row in rows if row.blocked_until > at.now), None)


async def prepare(given: Input, subject: Subject, world: World) -> Prepared | Refused:
    """Charge, compare, confirm, and tell the core bank. Raises InvalidFields, Unreachable."""
    now = world.clock.now()
    typed = _typed(given, documents.day_of(now))
    person = await world.core.person(subject.core_ref or "")
    if person is None:
        return Refused(cause="not-registered")
    charged = await _charge(subject, world, now)
    if isinstance(charged, Refused):
        return charged
    try:
        refused = await _compared(typed, person, world, documents.day_of(now))
        if refused is None:
            await world.core.renew_document(person.core_ref, typed.number, typed.expires_on, typed.issued_on)
    except (Busy, Unreachable, inputs.InvalidFields):
        async with world.store.begin() as tx:
            await tx.counters.refund(subject.customer_id, charged)
        raise
    if refused is not None:
        return _counted(refused, charged, now)
    return Prepared(typed.expires_on, typed.number != person.document_number)


async def perform(prepared: Prepared, at: Situation) -> Done | Refused:
    """Write down that it is renewed, and tell the customer."""
    customer = at.customer
    if customer is None:
        return Refused(cause="not-registered")
    await at.tx.counters.succeed(customer.customer_id, COUNTER, ALL)
    await tell(at, "sms.document-renewed", customer.phone)
    number = "new" if prepared.has_new_number else "same"
    await record(at, "document-renewed", expires_on=prepared.expires_on or "long-term", number=number)
    return Done()


# ---------------------------------------------------------------- parts


def _typed(given: Input, today: date) -> Document:
    try:
        expires_on = documents.last_day(given.expires_on, given.long_term, today)
    except inputs.BadInput as bad:
        raise inputs.InvalidFields({"expires_on": bad.code}) from None
    return Document(
        name=given.name,
        document_type=given.document_type,
        number=given.document_number,
        expires_on=expires_on,
        issued_on=given.issued_on or None,
    )


async def _charge(subject: Subject, world: World, now: int) -> CounterRow | Refused:
    async with world.store.begin() as tx:
        charged = await tx.counters.charge(subject.customer_id, COUNTER, ALL, now)
        if charged is not None:
            return charged
        rows = [row for row in await tx.counters.of(subject.customer_id) if row.counter == COUNTER]
    # Off for good means: until the counter of an outlet has seen the document.
    return next((_paused(row, now) for row in rows if row.blocked_until > now), Refused(cause="document-paused"))


def _paused(row: CounterRow, now: int) -> Refused:
    return Refused(cause="document-paused", retry_in_seconds=max(1, row.blocked_until - now))


def _counted(refused: Refused, charged: CounterRow, now: int) -> Refused:
    left = (-charged.in_a_row) % limits.ROW_FAILURES
    return msgspec.structs.replace(refused, tries_left=left) if left else _paused(charged, now)


async def _compared(typed: Document, person: Person, world: World, today: date) -> Refused | None:
    held = Document(
        name=person.name,
        document_type=person.document_type,
        number=person.document_number,
        expires_on=person.document_expires_on,
    )
    differing = documents.differences(typed, held)
    if differing:
        return Refused(cause="document-mismatch", fields=differing)
    doubtful = documents.doubts(typed, held, date.fromisoformat(person.birth_date), today)
    if doubtful:
        raise inputs.InvalidFields(doubtful)
    replaces = held.number if typed.number != held.number else None
    verdict = await world.registry.confirm(typed, replaces=replaces)
    if verdict is RegistryVerdict.VALID:
        return None
    if verdict is RegistryVerdict.MISMATCH and typed.issued_on is not None:
        # One more question, so that the field is named that is to be looked at again.
        without = msgspec.structs.replace(typed, issued_on=None)
        if await world.registry.confirm(without, replaces=replaces) is RegistryVerdict.VALID:
            return Refused(cause="document-unconfirmed", fields={"issued_on": "day-unconfirmed"})
    return Refused(cause="document-unconfirmed", fields=_unconfirmed(verdict, typed, replaces))


def _unconfirmed(verdict: RegistryVerdict, typed: Document, replaces: str | None) -> dict[str, str]:
    """Return the field to look at again: what the bank has compared already is right."""
    if replaces is not None or verdict is RegistryVerdict.UNKNOWN:
        return {"document_number": "number-unconfirmed"}
    return {"expires_on" if typed.expires_on else "long_term": "day-unconfirmed"}
