"""Tell customers that their document is about to end, and that it has ended: each of these once. Then their face.

Rules
  1. Once a day, in waking hours by the bank's clock, everybody is looked at whose document ends within
     DOCUMENT_AHEAD_DAYS, or ended within DOCUMENT_GRACE_DAYS. Whose ended earlier reads it when they sign in.
  2. The row that remembers a notice, the notice and its event share one transaction. So any number of nodes may do
     this at once, and it may be stopped anywhere: whoever was told is not told again.
  3. A renewed document has another end, so nothing has to be forgotten.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import date
from typing import Final

from foregate.acts.tell_face_end import IN_ENGLISH, tell_face_ends
from foregate.ids import customer_id_of, new_id
from foregate.ports import Customer, Event, Message, Person
from foregate.rules import documents, limits
from foregate.situation import World
from foregate.store.loops import Loop

EXPIRING, EXPIRED = "expiring", "expired"
TEMPLATES: Final = {EXPIRING: "sms.document-expiring", EXPIRED: "sms.document-expired"}
BEGINNING: Final = ("", "")


class ExpiryNotices(Loop):
    """Does a day's notices, a batch at a time."""

    def __init__(self, world: World, pause_seconds: float = limits.NOTICE_SECONDS) -> None:
        super().__init__(pause_seconds)
        self._world = world
        self._done_on: date | None = None

    async def once(self) -> None:
        """Do the day's notices, when it is time and they are not done."""
        now = self._world.clock.now()
        today = documents.day_of(now)
        is_day = limits.NOTICE_FROM_HOUR <= documents.hour_of(now) < limits.NOTICE_UNTIL_HOUR
        if is_day and self._done_on != today:
            await self.sweep()
            self._done_on = None if self.is_stopping else today

    async def sweep(self) -> int:
        """Tell everybody who has to be told and was not. Returns how many were."""
        told = 0
        async for person in self._concerned():
            told += await self._told(person)
        return told + await tell_face_ends(self._world, lambda: self.is_stopping)

    async def _concerned(self) -> AsyncIterator[Person]:
        first, last = (day.isoformat() for day in documents.told_between(documents.day_of(self._world.clock.now())))
        after = BEGINNING
        while not self.is_stopping:
            page = await self._world.core.documents_ending(first, last, after, limits.NOTICE_BATCH)
            for person in page:
                yield person
            if len(page) < limits.NOTICE_BATCH:
                return
            after = (page[-1].document_expires_on or "", page[-1].core_ref)

    async def _told(self, person: Person) -> bool:
        now, ends_on = self._world.clock.now(), person.document_expires_on or ""
        state = documents.standing_on(ends_on, documents.day_of(now)).state
        which = EXPIRING if state is documents.State.EXPIRING else EXPIRED
        async with self._world.store.begin() as tx:
            customer = await tx.customers.find(customer_id_of(self._world.keyring, person.core_ref))
            if customer is None or not await tx.document_notices.note(customer.customer_id, ends_on, which, now):
                return False
            await tx.outbox.put(_message(customer, person, which, now), now)
            event = Event(
                chain=customer.customer_id,
                kind=f"document-{which}-told",
                actor="foregate",
                details={"expires_on": ends_on},
            )
            await tx.audit.record(event, now)
        return True


def _message(customer: Customer, person: Person, which: str, now: int) -> Message:
    return Message(
        message_id=new_id(),
        customer_id=customer.customer_id,
        phone=customer.phone,
        template=TEMPLATES[which],
        language="en" if person.document_type in IN_ENGLISH else "zh",
        facts={"day": person.document_expires_on or ""},
        expires_at=now + limits.DAY,
    )
