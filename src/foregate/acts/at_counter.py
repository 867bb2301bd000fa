"""What the counter does to a customer, once a second member of staff has consented: four plain functions.

They are the acts of the rows `replace-phone-at-counter`, `unfreeze-at-counter`, `correct-document-at-counter` and
`end-sessions-at-counter`. The desk runs none of these rows; the console calls them, in the transaction in which the
consent is written down, with the customer held in it. State, audit event and notices share that transaction.

A `Refused` was found before anything was written, so the caller may write down why and commit.
"""

from __future__ import annotations

from dataclasses import dataclass

import msgspec

from foregate.acts.renew_document import COUNTER
from foregate.acts.reopen import CLEARED
from foregate.ids import new_id
from foregate.ports import Customer, Event, Message, PermitRow, StopLinkRow, Taken, UnitOfWork
from foregate.rules import limits
from foregate.rules.permission import ALL, Permission, after
from foregate.rules.permission import Event as Moved
from foregate.situation import Refused, World
from foregate.symbols import in_groups, random_symbols


@dataclass(frozen=True, slots=True)
class AtCounter:
    """One consented proposal. `customer` is held in `tx`; `actor` names both members of staff."""

    world: World
    tx: UnitOfWork
    now: int
    customer: Customer
    actor: str
    proposal_id: str
    source: str
    language: str


class Replaced(msgspec.Struct, frozen=True):
    """The number is replaced. `permit` is told here and never again: hand it to the customer."""

    permit: str  # in groups: ABCDE-FGHJK-MNP
    permit_expires_at: int


async def replace_phone(at: AtCounter, new_phone: str) -> Replaced | Refused:
    """Move the login to `new_phone` (E.164), which a code at the counter proved; return the permit.

    Every session, remembered device, journey, code and older permit ends. Login permission opens, but for what the
    bank closed. Both numbers are told. The same number as before is allowed: then only the permit is new.
    Refused: `number-taken`, when it belongs to somebody else.
    """
    old = at.customer.phone
    is_new = new_phone != old
    if is_new and not await _move(at, new_phone):
        return Refused(cause="number-taken")
    await _open_all(at)
    await _end_everything(at)
    await _forget_devices(at)
    replaced = await _permit(at)
    if is_new:
        # Whoever holds the old number now need not learn the new one.
        await _tell(at, "sms.number-replaced-old", old, token=await _stop_link(at))
    await _tell(at, "sms.number-replaced" if is_new else "sms.permit-issued", new_phone)
    await _record(at, "phone-replaced" if is_new else "permit-issued", permit_expires_at=replaced.permit_expires_at)
    return replaced


async def unfreeze(at: AtCounter) -> None:
    """Open login permission in every lane, whoever closed it, the bank included; clear the counters."""
    customer_id = at.customer.customer_id
    was = (await at.tx.permissions.of(customer_id)).get(ALL, Permission.OPEN)
    if was is Permission.CLOSED_BY_BANK:
        await at.tx.permissions.move(customer_id, ALL, was, after(was, Moved.BANK_RELEASED), at.now)
    await _open_all(at)
    await _tell(at, "sms.reopened", at.customer.phone)
    await _record(at, "permission-reopened", was=was.value)


async def correct_in_core(world: World, core_ref: str, expires_on: str | None, issued_on: str | None = None) -> None:
    """Have the core bank correct the days of a person's document. Outside any transaction; twice is once.

    The order: commit the consent, call this, then call `correct_document` in a second transaction. Raises Unreachable:
    then the proposal stays consented, and the same call repeats it. `expires_on`: ISO date, None for long-term.
    `issued_on`: ISO date, None where it was not typed.
    """
    await world.core.set_document_expiry(core_ref, expires_on, issued_on)


async def correct_document(at: AtCounter, expires_on: str | None) -> None:
    """Write down that the document's expiry was corrected, and tell the customer."""
    # Two people have seen it: whoever could not renew it by themselves begins anew.
    await at.tx.counters.bind_again(at.customer.customer_id, COUNTER)
    await _tell(at, "sms.document-corrected", at.customer.phone)
    await _record(at, "document-corrected", expires_on=expires_on or "long-term")


async def note_corrected(
    tx: UnitOfWork, now: int, subject_id: str, expires_on: str | None, *, actor: str, source: str, proposal_id: str
) -> None:
    """Write down that the document of somebody not registered was corrected: there is no number of theirs to tell."""
    details: dict[str, str | int] = {"proposal": proposal_id, "expires_on": expires_on or "long-term"}
    event = Event(chain=subject_id, kind="document-corrected", actor=actor, source=source, details=details)
    await tx.audit.record(event, now)


async def end_sessions(at: AtCounter) -> int:
    """End every session, journey and code of the customer. Returns how many sessions ended."""
    ended = await _end_everything(at)
    await _tell(at, "sms.sessions-ended", at.customer.phone)
    await _record(at, "sessions-ended", count=ended)
    return ended


# ---------------------------------------------------------------- parts


async def _move(at: AtCounter, new_phone: str) -> bool:
    digest = at.world.keyring.digest
    try:
        await at.tx.customers.move_phone(
            at.customer.customer_id,
            new_phone,
            was=digest("phone", at.customer.phone),
            to=digest("phone", new_phone),
            cooling_until=at.now + limits.COOLING_SECONDS,
        )
    except Taken:
        return False
    return True


async def _open_all(at: AtCounter) -> None:
    customer_id = at.customer.customer_id
    await at.tx.permissions.open_all(customer_id, at.now)
    await at.tx.counters.clear(customer_id, CLEARED)
    await at.tx.customers.signed_in(customer_id, at.now)  # disuse is counted from here


async def _end_everything(at: AtCounter) -> int:
    customer_id = at.customer.customer_id
    ended = await at.tx.sessions.end_all(customer_id)
    await at.tx.customers.end_earlier(customer_id, at.now)
    await at.tx.journeys.void_others(customer_id, at.proposal_id)
    await at.tx.permits.end_all(customer_id)
    return ended


async def _forget_devices(at: AtCounter) -> None:
    # Who replaces a number has often lost the phone with it, and the phone is a remembered device.
    for device in await at.tx.devices.of(at.customer.customer_id):
        await at.tx.devices.forget(device.customer_id, device.device_id)


async def _permit(at: AtCounter) -> Replaced:
    symbols = random_symbols(limits.LONG_CODE_SYMBOLS)
    expires_at = at.now + limits.PERMIT_SECONDS
    row = PermitRow(
        customer_id=at.customer.customer_id,
        digest=at.world.keyring.digest("permit", symbols),
        created_at=at.now,
        expires_at=expires_at,
    )
    await at.tx.permits.insert(row)
    return Replaced(in_groups(symbols), expires_at)


async def _stop_link(at: AtCounter) -> str:
    """Give the old number the right to freeze this login once, for a day: what it says goes into its notice."""
    token = random_symbols(limits.STOP_LINK_SYMBOLS)
    row = StopLinkRow(
        digest=at.world.keyring.digest("stop-link", token),
        customer_id=at.customer.customer_id,
        expires_at=at.now + limits.STOP_LINK_SECONDS,
    )
    await at.tx.stop_links.insert(row)
    return token


async def _tell(at: AtCounter, template: str, phone: str, /, **facts: str) -> None:
    message = Message(
        message_id=new_id(),
        customer_id=at.customer.customer_id,
        phone=phone,
        template=template,
        language=at.language,
        facts=facts,
        expires_at=at.now + limits.DAY,
    )
    await at.tx.outbox.put(message, at.now)


async def _record(at: AtCounter, kind: str, **details: str | int) -> None:
    event = Event(
        chain=at.customer.customer_id,
        kind=kind,
        actor=at.actor,
        source=at.source,
        details={"proposal": at.proposal_id, **details},
    )
    await at.tx.audit.record(event, at.now)
