"""Act `set-password`: a new password, and everything that the old one may have opened dies.

Every session, pending journey and code of the customer ends, and nobody is signed in. What a thief may have left to
come back by goes too (`throw_out`), and the outcome says what else gets in. Login permission that
failures closed opens again, because a forgotten password is what closed it; what the customer or the bank closed
stays closed (docs/decisions: reset also reopens).
"""

from __future__ import annotations

import msgspec

from foregate.acts import Done, record, tell
from foregate.acts.throw_out import throw_out
from foregate.rules import inputs, passwords, permission
from foregate.rules.permission import Permission
from foregate.situation import Refused, Situation, Subject, World

ACTS = ("set-password",)


class Input(inputs.Answer, frozen=True):
    """The new password, typed once: it can be shown while typing."""

    new_password: inputs.NewPassword


INPUT = Input


class Prepared(msgspec.Struct, frozen=True):
    """The new password, hashed."""

    password_hash: str


async def admit(at: Situation) -> Refused | None:
    """A login that the bank closed is no reason to keep an old password."""
    return None


async def prepare(given: Input, subject: Subject, world: World) -> Prepared | Refused:
    """Check it against what thieves try first, then hash it."""
    cards = await world.core.cards_of(subject.core_ref) if subject.core_ref else ()
    values = [subject.phone or ""]
    for card in cards[:5]:
        values += [card.card_number, card.name, card.document_number, card.birth_date, card.bound_phone or ""]
    try:
        password = passwords.new_password(given.new_password, passwords.personal_words(*values))
    except inputs.BadInput as bad:
        raise inputs.InvalidFields({"new_password": bad.code}) from None
    return Prepared(await world.hasher.hash(password))


async def perform(prepared: Prepared, at: Situation) -> Done | Refused:
    """Set it, and end what the old one opened."""
    customer_id = at.subject.customer_id
    customer = at.customer
    if customer is None:
        return Refused(cause="not-registered")
    await at.tx.customers.set_password(customer_id, prepared.password_hash)
    await at.tx.counters.bind_again(customer_id, "password")
    await _open_what_failures_closed(at)
    await at.tx.sessions.end_all(customer_id)
    await at.tx.customers.end_earlier(customer_id, at.now)
    await at.tx.journeys.void_others(customer_id, at.journey_id)
    await at.tx.permits.end_all(customer_id)
    left = await throw_out(at, customer.phone)
    await tell(at, "sms.password-changed", customer.phone)
    gone = (left.devices_forgotten, left.passkeys_removed, left.links_removed)
    await record(at, "password-set", devices=gone[0], passkeys=gone[1], links=gone[2])
    return Done(ends_session=True, facts=left.facts)


async def _open_what_failures_closed(at: Situation) -> None:
    for lane, state in (await at.tx.permissions.of(at.subject.customer_id)).items():
        if state is Permission.CLOSED_BY_FAILURES:
            to = permission.after(state, permission.Event.REOPENED)
            await at.tx.permissions.move(at.subject.customer_id, lane, state, to, at.now)
