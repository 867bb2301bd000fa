"""A core bank in our own database: people, their cards, the numbers bound to them, and PINs as hashes.

For a trial, for the demo, and for a bank whose core system sends a file every night.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import and_, bindparam, or_, select, update

from foregate.ids import new_id
from foregate.ports import CardHolder, Hasher, Person
from foregate.rules import limits
from foregate.rules.inputs import normal_name
from foregate.store.keyring import Keys
from foregate.store.statements import Row, Statement, Value, insert_into, number, text_of, time_of, word
from foregate.store.tables import core_card, core_person
from foregate.store.unit_of_work import SqlStore

_c, _p = core_card.c, core_person.c
# More cards than this nobody holds, nor are bound to one number; a page that lists them stays a page.
CARDS_MAX: Final = 100
# One more than a page of the counter lists, so that it knows of more.
PEOPLE_MAX: Final = limits.FOUND_LISTED + 1
TAIL_CHARS: Final = 4
# What is kept sealed of a card and its holder; a miss opens as many.
HOLDER_SEALED: Final = ("name", "document_number", "birth_date", "bound_phone", "card_number")

_holders = select(core_card, core_person).join(core_person, _p.core_ref == _c.core_ref)
_HOLDER: Final = Statement(_holders.where(_c.card_digest == bindparam("card_digest")))
_OF: Final = Statement(
    _holders.where(_c.core_ref == bindparam("of_person"), _c.status == word("active"))
    .order_by(_c.card_ref)
    .limit(number(CARDS_MAX))
)
_BOUND_TO: Final = Statement(
    _holders.where(_c.bound_phone_digest == bindparam("phone_digest"), _c.status == word("active"))
    .order_by(_c.card_ref)
    .limit(number(CARDS_MAX))
)
_PIN_HASH: Final = Statement(select(_c.pin_hash).where(_c.card_digest == bindparam("card_digest")))

_people = select(core_person).order_by(_p.core_ref).limit(number(PEOPLE_MAX))
_PERSON: Final = Statement(select(core_person).where(_p.core_ref == bindparam("of_person")))
_CALLED: Final = Statement(_people.where(_p.name_digest == bindparam("digest")))
_CALLED_WITH_TAIL: Final = Statement(_people.where(_p.name_and_tail_digest == bindparam("digest")))
_WITH_DOCUMENT: Final = Statement(_people.where(_p.document_digest == bindparam("digest")))

_putting_person = insert_into(core_person)
_PUT_PERSON: Final = Statement(
    _putting_person.on_conflict_do_update(
        index_elements=[_p.core_ref],
        set_={c.name: _putting_person.excluded[c.name] for c in core_person.columns if c.name != "core_ref"},
    )
)
_SET_EXPIRY: Final = Statement(
    update(core_person)
    .where(_p.core_ref == text_of("of_person"))
    .values(document_expires_on=text_of("expires_on"), document_issued_on=text_of("issued_on"))
)
_RENEW: Final = Statement(
    update(core_person)
    .where(_p.core_ref == text_of("of_person"))
    .values(
        document_number_sealed=bindparam("number_sealed"),
        document_digest=bindparam("number_digest"),
        name_and_tail_digest=bindparam("tail_digest"),
        document_expires_on=text_of("expires_on"),
        document_issued_on=text_of("issued_on"),
    )
)
_ENDING: Final = Statement(
    select(core_person)
    .where(
        _p.document_expires_on.between(text_of("first"), text_of("last")),
        or_(
            _p.document_expires_on > text_of("after_day"),
            and_(_p.document_expires_on == text_of("after_day"), _p.core_ref > text_of("after_ref")),
        ),
    )
    .order_by(_p.document_expires_on, _p.core_ref)
    .limit(time_of("most"))
)
_putting_card = insert_into(core_card)
# `card_ref` stays: cards are listed in the order in which they first came.
_PUT_CARD: Final = Statement(
    _putting_card.on_conflict_do_update(
        index_elements=[_c.card_digest],
        set_={
            c.name: _putting_card.excluded[c.name]
            for c in core_card.columns
            if c.name not in ("card_digest", "card_ref")
        },
    )
)


class EmbeddedCoreBank:
    """A `ports.CoreBank` over `core_person` and `core_card`. Its numbers are in normal form (`rules/inputs.py`)."""

    def __init__(self, store: SqlStore, keys: Keys, hasher: Hasher) -> None:
        self._database, self._keys, self._hasher = store.database, keys, hasher

    async def holder(self, card_number: str) -> CardHolder | None:
        """Return who holds this card, active or closed."""
        row = await self._database.read_one(_HOLDER, card_digest=self._card_digest(card_number))
        if row is None:
            self._keys.spend(len(HOLDER_SEALED))
            return None
        return self._card_holder(row)

    async def cards_of(self, core_ref: str) -> tuple[CardHolder, ...]:
        """Every active card of a person, oldest first."""
        return await self._card_holders(_OF, of_person=core_ref)

    async def cards_bound_to(self, phone: str) -> tuple[CardHolder, ...]:
        """Every active card that this number was bound to when it was issued, oldest first."""
        return await self._card_holders(_BOUND_TO, phone_digest=self._keys.digest("core-phone", phone))

    async def is_pin(self, card_number: str | None, pin: str) -> bool:
        """Compare; None (no such card) costs the same and is False. Counting failures is the caller's."""
        digest = self._card_digest(card_number or "")
        row = await self._database.read_one(_PIN_HASH, card_digest=digest)
        return await self._hasher.verify(row["pin_hash"] if row else None, _pin_of(digest, pin))

    async def set_document_expiry(self, core_ref: str, expires_on: str | None, issued_on: str | None = None) -> None:
        """A person's document is valid until then (ISO date; None: long-term). Said twice it is said once.

        `issued_on`: ISO date; None: nobody said, and what stood there was of the old one.
        """
        async with self._database.transaction() as connection:
            await connection.run(_SET_EXPIRY, of_person=core_ref, expires_on=expires_on, issued_on=issued_on)

    async def renew_document(
        self, core_ref: str, number: str, expires_on: str | None, issued_on: str | None = None
    ) -> None:
        """A person's document has this number and is valid until then. Said twice it is said once."""
        held = await self.person(core_ref)
        if held is None:
            return
        async with self._database.transaction() as connection:
            await connection.run(
                _RENEW,
                of_person=core_ref,
                number_sealed=self._seal("core_person.document_number", core_ref, number),
                number_digest=self._keys.digest("core-document", number),
                tail_digest=self._tail_digest(held.name, number),
                expires_on=expires_on,
                issued_on=issued_on,
            )

    async def documents_ending(self, first: str, last: str, after: tuple[str, str], limit: int) -> tuple[Person, ...]:
        """People whose document's last day is `first` to `last`, in the order of that day and `core_ref`."""
        values: dict[str, Value] = {"first": first, "last": last, "after_day": after[0], "after_ref": after[1]}
        async with self._database.snapshot() as connection:
            return tuple(self._person(row) for row in await connection.all(_ENDING, **values, most=limit))

    async def person(self, core_ref: str) -> Person | None:
        """Return what is known of a person."""
        row = await self._database.read_one(_PERSON, of_person=core_ref)
        return self._person(row) if row else None

    async def people_called(self, name: str, tail: str = "") -> tuple[Person, ...]:
        """People of this name, `normal_name`; `tail`: the last four of their document. At most PEOPLE_MAX."""
        if not tail:
            return await self._persons(_CALLED, self._keys.digest("core-name", name))
        return await self._persons(_CALLED_WITH_TAIL, self._keys.digest("core-name-tail", f"{tail}:{name}"))

    async def people_with_document(self, number: str) -> tuple[Person, ...]:
        """People whose document has this number, of whatever type."""
        return await self._persons(_WITH_DOCUMENT, self._keys.digest("core-document", number))

    async def put_person(
        self,
        *,
        core_ref: str,
        name: str,
        birth_date: str,
        document_type: str,
        document_number: str,
        document_expires_on: str | None,
        document_issued_on: str | None = None,
    ) -> None:
        """Add a person, or bring one up to date."""
        async with self._database.transaction() as connection:
            await connection.run(
                _PUT_PERSON,
                core_ref=core_ref,
                name_sealed=self._seal("core_person.name", core_ref, name),
                birth_date_sealed=self._seal("core_person.birth_date", core_ref, birth_date),
                document_type=document_type,
                document_number_sealed=self._seal("core_person.document_number", core_ref, document_number),
                document_expires_on=document_expires_on,
                document_issued_on=document_issued_on,
                name_digest=self._keys.digest("core-name", normal_name(name)),
                name_and_tail_digest=self._tail_digest(name, document_number),
                document_digest=self._keys.digest("core-document", document_number),
            )

    async def put_card(
        self, *, core_ref: str, card_number: str, card_pin: str, bound_phone: str | None, status: str = "active"
    ) -> None:
        """Add a card of a person who is there, or bring one up to date. Raises Busy when the hash pool is full."""
        card_ref = new_id()  # before any waiting: cards put one after the other are listed so
        digest = self._card_digest(card_number)
        pin_hash = await self._hasher.hash(_pin_of(digest, card_pin))
        place = digest.hex()
        async with self._database.transaction() as connection:
            await connection.run(
                _PUT_CARD,
                card_digest=digest,
                card_ref=card_ref,
                core_ref=core_ref,
                card_number_sealed=self._seal("core_card.card_number", place, card_number),
                bound_phone_sealed=self._seal("core_card.bound_phone", place, bound_phone) if bound_phone else None,
                bound_phone_digest=self._keys.digest("core-phone", bound_phone) if bound_phone else None,
                pin_hash=pin_hash,
                status=status,
            )

    async def _card_holders(self, statement: Statement, **values: Value) -> tuple[CardHolder, ...]:
        async with self._database.snapshot() as connection:
            return tuple(self._card_holder(row) for row in await connection.all(statement, **values))

    async def _persons(self, statement: Statement, digest: bytes) -> tuple[Person, ...]:
        async with self._database.snapshot() as connection:
            return tuple(self._person(row) for row in await connection.all(statement, digest=digest))

    def _card_digest(self, card_number: str) -> bytes:
        return self._keys.digest("core-card", card_number)

    def _tail_digest(self, name: str, number: str) -> bytes:
        return self._keys.digest("core-name-tail", f"{number[-TAIL_CHARS:]}:{normal_name(name)}")

    def _seal(self, column: str, place: str, value: str) -> bytes:
        return self._keys.encrypt(value.encode(), f"{column}:{place}")

    def _unseal(self, column: str, place: str, sealed: bytes) -> str:
        return self._keys.decrypt(sealed, f"{column}:{place}").decode()

    def _person(self, row: Row) -> Person:
        core_ref = row["core_ref"]
        return Person(
            core_ref=core_ref,
            name=self._unseal("core_person.name", core_ref, row["name_sealed"]),
            document_type=row["document_type"],
            document_number=self._unseal("core_person.document_number", core_ref, row["document_number_sealed"]),
            document_expires_on=row["document_expires_on"],
            document_issued_on=row["document_issued_on"],
            birth_date=self._unseal("core_person.birth_date", core_ref, row["birth_date_sealed"]),
        )

    def _card_holder(self, row: Row) -> CardHolder:
        core_ref, place = row["core_ref"], row["card_digest"].hex()
        phone = row["bound_phone_sealed"]
        return CardHolder(
            core_ref=core_ref,
            card_ref=row["card_ref"],
            name=self._unseal("core_person.name", core_ref, row["name_sealed"]),
            document_type=row["document_type"],
            document_number=self._unseal("core_person.document_number", core_ref, row["document_number_sealed"]),
            document_expires_on=row["document_expires_on"],
            birth_date=self._unseal("core_person.birth_date", core_ref, row["birth_date_sealed"]),
            bound_phone=None if phone is None else self._unseal("core_card.bound_phone", place, phone),
            card_number=self._unseal("core_card.card_number", place, row["card_number_sealed"]),
            status=row["status"],
        )


def _pin_of(card_digest: bytes, pin: str) -> str:
    """Bind the PIN to its card: equal PINs of two cards have nothing in common."""
    return f"card-pin:{card_digest.hex()}:{pin}"
