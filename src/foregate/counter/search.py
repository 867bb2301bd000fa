"""One box: a phone number, a card, a document, a case number, a name with the last four of the document, or the code of
a network check.

Rules
  1. Who searches says why; the search is written down before anything is looked up, and each person found hears of
     it in their own chain. What was typed is written down nowhere.
  2. What is found is masked. More than FOUND_LISTED people: the search says too little.
  3. A case tells what was tried, also where nobody was recognised, and opens the file of whose it is. A diagnosis code
     is about nobody: it is read without looking anything up, and what people sent in with it is shown.
  4. More than SEARCHES_PER_HOUR raise an alarm and put the member on hold.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from typing import Any, Final

import msgspec

from foregate.counter.cases import read_case
from foregate.counter.guard import Guard, Objected, noted
from foregate.counter.refs import ref_of
from foregate.counter.views import Actor, CaseView, Found, Hit
from foregate.ids import customer_id_of
from foregate.ports import Customer, Person
from foregate.rules import diagnosis, inputs, limits, masks
from foregate.rules.appointments import CASE_SYMBOLS, read
from foregate.rules.inputs import BadInput, DocumentType
from foregate.rules.staff import Right

TAIL: Final = re.compile(r"(?P<name>.*\S)\s+(?P<tail>[0-9A-Z]{4})")
HOUR: Final = limits.HOUR


class Wanted(msgspec.Struct, frozen=True):
    """What was typed, understood in one way. `values` in normal form."""

    by: str
    values: tuple[str, ...]


def understood(text: str) -> tuple[Wanted, ...]:
    """Return the ways in which `text` makes sense, the likeliest first; none: nobody can be found by it."""
    found = [Wanted("phone", (phone,))] if (phone := _normal(inputs.normal_phone, text)) else []
    if card := _normal(inputs.normal_card, text):
        found.append(Wanted("card", (card,)))
    if case_no := read(inputs.plain(text), CASE_SYMBOLS):
        found.append(Wanted("case", (case_no,)))
    if document := _document(text):
        found.append(Wanted("document", (document,)))
    coded = diagnosis.read(inputs.plain(text))
    # A name in Latin letters may look like a code, so both are looked for.
    if not found and (name := _name(text)):
        found.append(name)
    if coded is not None:
        found.insert(0, Wanted("diagnosis", (coded.code,)))
    return tuple(found)


def is_misheard(text: str) -> bool:
    """Say whether `text` is a diagnosis code but for a wrong symbol: six of them, digits among letters."""
    typed = inputs.plain(text).replace("-", "").replace(" ", "")
    is_mixed = any(c.isdigit() for c in typed) and any(c.isalpha() for c in typed)
    return len(typed) == diagnosis.SYMBOLS + 1 and typed.isascii() and typed.isalnum() and is_mixed


def _normal(normal: Callable[[str], str], text: str) -> str | None:
    try:
        return normal(text)
    except BadInput:
        return None


def _document(text: str) -> str | None:
    numbers = (_normal(lambda typed, kind=kind: inputs.normal_document(kind, typed), text) for kind in DocumentType)  # type: ignore[misc]  # the loop's own kind
    number = next((number for number in numbers if number), None)
    return number if number and any(c.isdigit() for c in number) else None


def _name(text: str) -> Wanted | None:
    typed = inputs.plain(text)
    if parts := TAIL.fullmatch(typed.upper()):
        name = _normal(inputs.normal_name, parts["name"])
        return Wanted("name", (name, parts["tail"])) if name else None
    name = _normal(inputs.normal_name, typed)
    return Wanted("name", (name, "")) if name else None


class Search:
    """Finds people."""

    def __init__(self, guard: Guard) -> None:
        self._guard = guard
        self._world = guard.world

    async def search(self, actor: Actor, text: str, reason: str) -> Found:
        """Return who is found by `text`, masked. Raises Objected."""
        why = noted(reason)
        wanted = understood(text[: limits.FIELD_CHARS])
        async with self._guard.doing(actor, Right.SEARCH) as doing:
            if len(why) < limits.REASON_CHARS_MIN:
                raise Objected("reason-missing")
            if not wanted:
                raise Objected("search-unclear")
            await doing.record("customer-searched", by=wanted[0].by, reason=why)
        await self._guard.count(actor, Right.SEARCH, "too-many-searches", limits.SEARCHES_PER_HOUR, HOUR)
        told = await self._diagnosis(wanted[0])
        for way in wanted:
            case, people = await self._case(actor, *way.values) if way.by == "case" else (None, await self._people(way))
            if case or people:
                return msgspec.structs.replace(await self._found(actor, way.by, people, why, case), **told)
        return Found(by=wanted[0].by, hits=(), **told)

    async def _diagnosis(self, wanted: Wanted) -> dict[str, Any]:
        """Return what a diagnosis code says, and what was sent in with it; nothing where it is none."""
        if wanted.by != "diagnosis":
            return {}
        (code,) = wanted.values
        async with self._world.store.begin() as tx:
            reports = await tx.network_reports.of(code, self._world.clock.now())
        return {"diagnosis": diagnosis.read(code), "reports": reports}

    async def _people(self, wanted: Wanted) -> tuple[Person, ...]:
        by: dict[str, Callable[..., Awaitable[tuple[Person, ...]]]] = {
            "phone": self._by_phone,
            "card": self._by_card,
            "diagnosis": self._nobody,
            "document": self._world.core.people_with_document,
            "name": self._world.core.people_called,
        }
        return await by[wanted.by](*wanted.values)

    async def _by_phone(self, phone: str) -> tuple[Person, ...]:
        digest = self._world.keyring.digest("phone", phone)
        async with self._world.store.begin() as tx:
            customer = await tx.customers.by_login("phone", digest)
        holders = await self._world.core.cards_bound_to(phone)
        refs = ([customer.core_ref] if customer else []) + [holder.core_ref for holder in holders]
        return await self._persons(refs)

    async def _by_card(self, card: str) -> tuple[Person, ...]:
        holder = await self._world.core.holder(card)
        return await self._persons([holder.core_ref] if holder else [])

    async def _case(self, actor: Actor, case_no: str) -> tuple[CaseView | None, tuple[Person, ...]]:
        async with self._guard.doing(actor, Right.SEARCH) as doing:
            read = await read_case(doing, case_no)
            customer = await doing.tx.customers.find(read[1]) if read else None
        return read[0] if read else None, await self._persons([customer.core_ref] if customer else [])

    async def _nobody(self, code: str) -> tuple[Person, ...]:
        return ()

    async def _persons(self, core_refs: list[str]) -> tuple[Person, ...]:
        found = [await self._world.core.person(core_ref) for core_ref in dict.fromkeys(core_refs)]
        return tuple(person for person in found if person is not None)

    async def _found(
        self, actor: Actor, by: str, people: tuple[Person, ...], reason: str, case: CaseView | None = None
    ) -> Found:
        listed = people[: limits.FOUND_LISTED]
        cards = [await self._world.core.cards_of(person.core_ref) for person in listed]
        hits: list[Hit] = []
        async with self._guard.doing(actor, Right.SEARCH) as doing:
            for person, held in zip(listed, cards, strict=True):
                customer_id = customer_id_of(self._world.keyring, person.core_ref)
                customer = await doing.tx.customers.find(customer_id)
                numbers = tuple(masks.mask_card(card.card_number) for card in held)
                ref = ref_of(
                    self._world.keyring, actor, person.core_ref, reason, doing.now, case.case_no if case else ""
                )
                hits.append(_hit(ref, person, customer, numbers))
                if customer is not None:
                    await doing.record("customer-looked-up", subject=customer_id, by=by, reason=reason)
        return Found(by=by, hits=tuple(hits), is_cut=len(people) > len(listed), case=case)


def _hit(ref: str, person: Person, customer: Customer | None, cards: tuple[str, ...]) -> Hit:
    return Hit(
        ref=ref,
        name=masks.mask_name(person.name),
        document=masks.mask_document(person.document_number),
        document_type=person.document_type,
        phone=masks.mask_phone(customer.phone) if customer else None,
        cards=cards,
        is_registered=customer is not None,
    )
