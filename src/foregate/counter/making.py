"""How a proposal comes to say what it says."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from foregate.counter import paper
from foregate.counter.guard import Doing, Objected
from foregate.counter.paper import Payload
from foregate.counter.views import Change, IdCheck
from foregate.ids import new_id
from foregate.ports import Customer, Person
from foregate.ports.counter import ProposalRow, StaffMember
from foregate.rules import inputs, limits, masks
from foregate.rules.inputs import BadInput
from foregate.rules.permission import ALL, Permission
from foregate.rules.staff import CounterAct
from foregate.situation import World


async def payload_of_act(
    world: World, doing: Doing, spec: CounterAct, customer_id: str, customer: Customer | None, person: Person,
    document: IdCheck | None, phone: str,
) -> Payload:  # fmt: skip
    """Return what is proposed for a customer, or for somebody not registered. Raises Objected for what cannot be."""
    permission = await doing.tx.permissions.of(customer_id)
    name, number = paper.masked(person)
    new_phone = await _new_phone(world, doing, customer_id, phone) if spec.needs_code else None
    expires_on = (document.expires_on or None) if document and spec.renews_document else None
    issued_on = (document.issued_on or None) if document and spec.renews_document else None
    if spec.name == "unfreeze" and customer is not None and await _is_open(doing, customer, permission):
        raise Objected("nothing-to-do")
    changes = {
        "replace-phone": Change("phone", masks.mask_phone(customer.phone) if customer else "", new_phone or ""),
        "unfreeze": Change("permission", permission.get(ALL, Permission.OPEN).value, Permission.OPEN.value),
        "correct-document": Change("document_expires_on", person.document_expires_on or "", expires_on or ""),
        "end-sessions": Change("sessions", str(len(await doing.tx.sessions.of(customer_id))), "0"),
    }
    return Payload(
        subject_name=name,
        subject_document=number,
        before=paper.before_act(world.keyring, spec.name, customer_id, customer, person, permission),
        changes=(changes[spec.name], *_issue(person, issued_on)),
        core_ref=person.core_ref,
        phone=new_phone,
        expires_on=expires_on,
        issued_on=issued_on,
    )


def _issue(person: Person, issued_on: str | None) -> tuple[Change, ...]:
    return (Change("document_issued_on", person.document_issued_on or "", issued_on),) if issued_on else ()


async def _new_phone(world: World, doing: Doing, customer_id: str, typed: str) -> str:
    try:
        phone = inputs.normal_phone(typed)
    except BadInput as bad:
        raise Objected("input-invalid", fields={"phone": bad.code}) from None
    owner = await doing.tx.customers.by_login("phone", world.keyring.digest("phone", phone))
    if owner is not None and owner.customer_id != customer_id:
        raise Objected("number-taken")
    return phone


async def _is_open(doing: Doing, customer: Customer, permission: Mapping[str, Permission]) -> bool:
    counters = await doing.tx.counters.of(customer.customer_id)
    is_blocked = any(row.blocked_until > doing.now for row in counters)
    is_idle = doing.now - customer.last_sign_in_at >= limits.DISUSE_DAYS * limits.DAY
    return not is_blocked and not is_idle and all(state is Permission.OPEN for state in permission.values())


def payload_about_staff(world: World, spec: CounterAct, member: StaffMember) -> Payload:
    """Return what is proposed for a member of staff."""
    changes = {
        "make-administrator": Change("role", member.role.value, "administrator"),
        "reset-administrator": Change("credentials", "", ""),
    }
    return Payload(
        subject_name=member.name,
        subject_document=member.user_name,
        before=paper.before_staff_act(world.keyring, member),
        changes=(changes[spec.name],),
    )


def row_of(
    world: World, doing: Doing, spec: CounterAct, subject_id: str, payload: Payload, document: IdCheck | None
) -> ProposalRow:
    """Return the proposal as it will be stored, with its digest."""
    keyring = world.keyring
    row = ProposalRow(
        proposal_id=new_id(),
        subject_id=subject_id,
        act=spec.name,
        persons=spec.persons,
        outlet_id=doing.member.outlet_id,
        maker=doing.member.staff_id,
        payload=msgspec.json.encode(payload),
        digest=b"",
        document_type=document.document_type if document else None,
        document_digest=paper.document_digest(keyring, document.document_type, document.number) if document else None,
        document_expires_on=(document.expires_on or None) if document else None,
        awaits_code=spec.needs_code,
        state="proposed",
        checker=None,
        note="",
        created_at=doing.now,
        expires_at=doing.now + (spec.expires_seconds or int(limits.PROPOSAL_SECONDS)),
    )
    return msgspec.structs.replace(row, digest=paper.digest_of(keyring, row))
