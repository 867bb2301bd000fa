"""Tell customers that their face is about to end, and that it has ended: each of these once.

Part of the day's notices (`tell_expiry`), and by their rules. A face that ends with the document it was anchored in is
not told of: the document is, and until that is renewed a new face would end on the same day.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from foregate.ids import new_id
from foregate.ports import Event, Message
from foregate.rules import documents, limits
from foregate.rules.faces import Ending, ending_at
from foregate.rules.inputs import DocumentType
from foregate.situation import World

TEMPLATES: Final = {Ending.EXPIRING: "sms.face-expiring", Ending.EXPIRED: "sms.face-expired"}
# Nobody has asked these customers which language they read; who holds one of these may not read Chinese.
IN_ENGLISH: Final = frozenset({DocumentType.PASSPORT_FOREIGN, DocumentType.FOREIGN_PR_ID})


async def tell_face_ends(world: World, is_stopping: Callable[[], bool]) -> int:
    """Tell everybody who has to be told and was not; return how many were. Nobody, where face is not open."""
    if world.faces is None:
        return 0
    now, told, after = world.clock.now(), 0, (0, "")
    first, last = now - limits.FACE_KEPT_DAYS * limits.DAY, now + limits.FACE_AHEAD_DAYS * limits.DAY
    while not is_stopping():
        async with world.store.begin() as tx:
            page = await tx.faces.ending(first, last, after, limits.NOTICE_BATCH)
        for expires_at, customer_id in page:
            told += await _told(world, customer_id, expires_at)
        if len(page) < limits.NOTICE_BATCH:
            break
        after = page[-1]
    return told


async def _told(world: World, customer_id: str, expires_at: int) -> bool:
    now = world.clock.now()
    state, _ = ending_at(expires_at, now)
    async with world.store.begin() as tx:
        customer = await tx.customers.find(customer_id)
    if customer is None or state is Ending.VALID:
        return False
    # It ends in the hours after its last day, or in the middle of a day: told is the day to whose end it surely lasts.
    day = documents.day_of(expires_at - limits.DAY // 2).isoformat()
    person = await world.core.person(customer.core_ref)
    if person is not None and person.document_expires_on == day:
        return False
    message = Message(
        message_id=new_id(),
        customer_id=customer_id,
        phone=customer.phone,
        template=TEMPLATES[state],
        language="en" if person is not None and person.document_type in IN_ENGLISH else "zh",
        facts={"day": day},
        expires_at=now + limits.DAY,
    )
    event = Event(chain=customer_id, kind=f"face-{state}-told", actor="foregate", details={"expires_on": day})
    async with world.store.begin() as tx:
        if not await tx.document_notices.note(customer_id, str(expires_at), f"face-{state}-told", now):
            return False
        await tx.outbox.put(message, now)
        await tx.audit.record(event, now)
    return True
