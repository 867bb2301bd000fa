"""What a proposal says, and how it is shown.

The digest covers everything that is proposed, by whom, where, and how things stood before. It is shown with the
proposal and goes back with the consent; it is made again from the stored proposal before anything is done. So
neither a page that was swapped nor a row that was altered is consented to.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from foregate.counter.views import Actor, Change, ProposalView
from foregate.ports import Customer, Keyring, Person
from foregate.ports.counter import ProposalRow, StaffMember
from foregate.rules import masks
from foregate.rules.permission import ALL, Permission


class Payload(msgspec.Struct, frozen=True, kw_only=True):
    """The sealed part. `before` is how things stood; masked names are for whoever looks."""

    subject_name: str
    subject_document: str
    before: str
    changes: tuple[Change, ...]
    core_ref: str | None = None  # None: about a member of staff
    phone: str | None = None  # E.164
    expires_on: str | None = None  # ISO date; None: long-term, or not about a document
    issued_on: str | None = None  # ISO date; None: not typed, or not about a document


def payload_of(row: ProposalRow) -> Payload:
    """Return what a stored proposal says."""
    return msgspec.json.decode(row.payload, type=Payload)


def digest_of(keyring: Keyring, row: ProposalRow) -> bytes:
    """Return the digest over all that `row` proposes; its own field is not part of it."""
    said = [
        row.proposal_id, row.subject_id, row.act, row.persons, row.outlet_id, row.maker, row.document_type,
        row.document_digest.hex() if row.document_digest else None, row.document_expires_on, row.created_at,
        row.expires_at, row.payload.decode(),
    ]  # fmt: skip
    return keyring.digest("proposal", msgspec.json.encode(said).decode())


def before_act(
    keyring: Keyring,
    act: str,
    customer_id: str,
    customer: Customer | None,
    person: Person,
    permission: Mapping[str, Permission],
) -> str:
    """Return how the customer stands, as far as it matters to `act`: a consent finds it unchanged or not at all.

    `customer` None: not registered for e-banking, so there is a document and nothing else.
    """
    phone = customer.phone if customer else ""
    document = [person.document_type, person.document_number, person.document_expires_on, person.document_issued_on]
    matters = {
        "replace-phone": [phone, *document],
        "unfreeze": [phone, permission.get(ALL, Permission.OPEN).value, *document],
        "correct-document": document,
        "end-sessions": [],
    }[act]
    return keyring.digest("proposal-before", msgspec.json.encode([customer_id, *matters]).decode()).hex()


def before_staff_act(keyring: Keyring, member: StaffMember) -> str:
    """The same for an act on a member of staff."""
    matters = [member.staff_id, member.role.value, member.outlet_id, member.is_active]
    return keyring.digest("proposal-before", msgspec.json.encode(matters).decode()).hex()


def document_digest(keyring: Keyring, kind: str, number: str) -> bytes:
    """Return what is kept of the document that was seen."""
    return keyring.digest("proposal-document", f"{kind}:{number}")


def view_of(row: ProposalRow, actor: Actor, names: Mapping[str, str], now: int) -> ProposalView:
    """Return a proposal as shown."""
    said = payload_of(row)
    is_over = row.state == "proposed" and row.expires_at <= now
    return ProposalView(
        proposal_id=row.proposal_id,
        act=row.act,
        persons=row.persons,
        state="expired" if is_over else row.state,
        subject_name=said.subject_name,
        subject_document=said.subject_document,
        outlet_id=row.outlet_id,
        maker=row.maker,
        maker_name=names.get(row.maker, ""),
        checker_name=names.get(row.checker or "", ""),
        changes=said.changes,
        document_type=row.document_type,
        document_expires_on=row.document_expires_on,
        awaits_code=row.awaits_code,
        note=row.note,
        digest=row.digest.hex(),
        created_at=row.created_at,
        expires_in_seconds=max(0, row.expires_at - now),
        is_mine=row.maker == actor.staff_id,
    )


def masked(person: Person) -> tuple[str, str]:
    """Return a person's name and document as the counter shows them."""
    return masks.mask_name(person.name), masks.mask_document(person.document_number)
