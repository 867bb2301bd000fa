"""Acts `renew-face` and `withdraw-face`: the bank learns a customer's face, or forgets it.

Rules
  1. A face is kept for whoever agrees to it, apart from everything else, and as long as they do. Which text they agreed
     to stands in the ledger of consents. Nothing else depends on it.
  2. The first face and every later one are one act: the old face vouches for nothing (decision 0013).
  3. A template is all that is kept: no picture, and not what was seen in one.
  4. It lasts no longer than the document it is anchored in.
"""

from __future__ import annotations

import secrets
from datetime import UTC, date, datetime
from typing import Any, Final

import msgspec

from foregate import face_pictures
from foregate.acts import Done, admit_anybody, record, tell
from foregate.acts.end_sessions import End
from foregate.ports import Person, Unreachable
from foregate.ports.face import BadPicture, FaceEngine, Look
from foregate.ports.face_records import FaceTemplateRow
from foregate.rules import documents, inputs, limits
from foregate.rules.consents import TEXT_VERSION, Purpose
from foregate.rules.faces import CAUSE_OF
from foregate.situation import Refused, Situation, Subject, World

ACTS = ("renew-face",)
AGAIN: Final = {"pictures": "take-again"}


class Input(inputs.Answer, frozen=True):
    """Pictures, looking straight, and the customer's consent."""

    pictures: inputs.Pictures
    consent: inputs.YesNo = False


INPUT = Input
admit = admit_anybody


class Prepared(msgspec.Struct, frozen=True):
    """A template, and the pictures it was made of, as they are known again."""

    template: FaceTemplateRow
    digests: tuple[bytes, ...]


async def prepare(given: Input, subject: Subject, world: World) -> Prepared | Refused:
    """Look at the pictures and make a template. Raises InvalidFields, Busy, Unreachable."""
    if not given.consent:
        raise inputs.InvalidFields({"consent": "consent-needed"})
    engine, person = world.faces, await world.core.person(subject.core_ref or "")
    if engine is None:
        raise Unreachable("face is not open")
    if person is None:
        return Refused(cause="not-registered")
    now = world.clock.now()
    against = _against(person, documents.day_of(now))
    if against is not None:
        return against
    looks = await _looked(given, engine)
    if isinstance(looks, Refused):
        return looks
    template = _template(looks, engine, subject.customer_id, world, now, _ends_at(person, now))
    return Prepared(template, face_pictures.digests(world.keyring, given.pictures))


async def perform(prepared: Prepared, at: Situation) -> Done | Refused:
    """Keep the template in place of the one before, and tell the customer."""
    customer = at.customer
    if customer is None:
        return Refused(cause="not-registered")
    until = at.now + limits.FACE_ONCE_DAYS * limits.DAY
    if not await at.tx.faces.note_pictures(prepared.digests, until):
        return Refused(cause="face-not-live")
    await at.tx.faces.put(prepared.template)
    await at.tx.consents.give(customer.customer_id, Purpose.FACE, TEXT_VERSION, at.now)
    await at.tx.counters.bind_again(customer.customer_id, "face")
    await tell(at, "sms.face-renewed", customer.phone)
    await record(at, "face-renewed", engine=prepared.template.engine_id, consent=TEXT_VERSION)
    return Done()


# ---------------------------------------------------------------- parts


def _against(person: Person, today: date) -> Refused | None:
    if inputs.age_on(today, date.fromisoformat(person.birth_date)) < limits.FACE_AGE_MIN:
        return Refused(cause="face-too-young")
    state = documents.standing_on(person.document_expires_on, today).state
    return Refused(cause="document-expired") if documents.is_closed("renew-face", state) else None


async def _looked(given: Input, engine: FaceEngine) -> tuple[Look, ...] | Refused:
    try:
        looks = await engine.look(face_pictures.decoded(given.pictures))
    except BadPicture:
        return Refused(cause="face-unreadable", fields=AGAIN)
    fault = engine.judge(looks)
    return Refused(cause=CAUSE_OF[fault], fields=AGAIN) if fault is not None else looks


def _template(
    looks: tuple[Look, ...], engine: FaceEngine, customer_id: str, world: World, now: int, ends_at: int
) -> FaceTemplateRow:
    salt = secrets.token_bytes(32)
    return FaceTemplateRow(
        customer_id=customer_id,
        template=engine.enrol(looks, face_pictures.key_of(world.keyring, customer_id, salt)),
        salt=salt,
        engine_id=engine.engine_id,
        enrolled_at=now,
        expires_at=ends_at,
    )


def _ends_at(person: Person, now: int) -> int:
    until = now + limits.FACE_DAYS * limits.DAY
    if person.document_expires_on is None:
        return until
    # The end of the document's last day, to within the hours that the bank is ahead of UTC.
    last = datetime.fromisoformat(person.document_expires_on).replace(tzinfo=UTC)
    return min(until, int(last.timestamp()) + limits.DAY)


class Withdraw(End):
    """`withdraw-face`: consent is taken back, and the face is forgotten. Twice is once."""

    ACTS = ("withdraw-face",)

    async def perform(self, prepared: Any, at: Situation) -> Done | Refused:
        """Destroy the template and the key that it is turned by."""
        customer = at.customer
        if customer is None:
            return Refused(cause="not-registered")
        await at.tx.consents.withdraw(customer.customer_id, Purpose.FACE, at.now)
        if await at.tx.faces.remove(customer.customer_id):
            await at.tx.counters.bind_again(customer.customer_id, "face")
            await tell(at, "sms.face-withdrawn", customer.phone)
            await record(at, "face-withdrawn")
        return Done()


WITHDRAW = Withdraw()
