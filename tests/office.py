"""A counter to test with: two outlets in one bank, and the people who work there.

office = await open_office(bank)
ref = await office.look_up(office.teller, LI.phone)
made = await office.propose(office.teller, ref, "replace-phone", phone=NEW)
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import bindparam, select

from foregate.counter.counter import Counter
from foregate.counter.views import Actor, IdCheck, Performed, ProposalView
from foregate.ids import new_id
from foregate.ports.counter import Role, StaffMember
from foregate.ports.outlets import Outlet
from foregate.store.statements import Statement
from foregate.store.tables import audit_event
from tests.bank import LI, Bank, Person

EAST, WEST = "outlet-east", "outlet-west"
HOURS = "Mo-Fr 09:00-17:00"  # the test clock begins on a Friday, at 16:00 in Shanghai
NEW = "+8613512345678"
REASON = "at the counter"


@dataclass
class Office:
    """Who works here. Two tellers and a supervisor stand in the east, a teller in the west."""

    bank: Bank
    teller: Actor
    colleague: Actor
    supervisor: Actor
    far: Actor
    auditor: Actor
    administrator: Actor
    second_administrator: Actor

    @property
    def counter(self) -> Counter:
        """What is tested."""
        return self.bank.house.counter

    async def look_up(self, actor: Actor, text: str) -> str:
        """Search, and return what opens the first file."""
        found = await self.counter.finding.search(actor, text, REASON)
        assert found.hits, f"nobody is found by {text}"
        return found.hits[0].ref

    async def propose(
        self,
        actor: Actor,
        act: str,
        person: Person = LI,
        *,
        expires_on: str = "",
        issued_on: str = "",
        **options: Any,
    ) -> Performed:
        """Propose something, with the person's own document on the counter."""
        ref = await self.look_up(actor, person.card)
        return await self.counter.proposals.propose(
            actor, ref, act, id_check=document(person, expires_on, issued_on), **options
        )

    async def new_number(self, actor: Actor, phone: str = NEW, person: Person = LI) -> ProposalView:
        """Propose a new number and prove it by the code that arrives on it: ready to be consented to."""
        made = await self.propose(actor, "replace-phone", person, phone=phone)
        proposal_id = made.proposal.proposal_id
        await self.counter.proposals.send_code(actor, proposal_id)
        return await self.counter.proposals.prove_code(actor, proposal_id, await self.bank.code(phone))

    async def alarms(self) -> list[str]:
        """What the risk officer was told, in order."""
        query = (
            select(audit_event.c.details)
            .where(audit_event.c.chain == bindparam("of"), audit_event.c.kind == bindparam("what"))
            .order_by(audit_event.c.seq)
        )
        async with self.bank.house.store.database.snapshot() as connection:
            rows = await connection.all(Statement(query), of="alarms", what="alarm")
        return [row["details"].partition('"objection":"')[2].partition('"')[0] for row in rows]

    async def events(self, chain: str) -> list[str]:
        """The kinds of events on a chain, oldest first."""
        query = select(audit_event.c.kind).where(audit_event.c.chain == bindparam("of")).order_by(audit_event.c.seq)
        async with self.bank.house.store.database.snapshot() as connection:
            return [row["kind"] for row in await connection.all(Statement(query), of=chain)]


def document(person: Person, expires_on: str = "", issued_on: str = "") -> IdCheck:
    """The person's own ID document, as typed from it."""
    return IdCheck(
        document_type=person.document_type, number=person.document_number, expires_on=expires_on, issued_on=issued_on
    )


def outlet(outlet_id: str) -> Outlet:
    """One outlet with office hours."""
    return Outlet(outlet_id=outlet_id, name=outlet_id, hours=HOURS)


async def hire(
    bank: Bank, user_name: str, role: Role, outlet_id: str | None = None, core_ref: str | None = None
) -> Actor:
    """Write a member of staff, and return them at work."""
    member = StaffMember(
        staff_id=new_id(), user_name=user_name, name=user_name.title(), role=role, outlet_id=outlet_id,
        core_ref=core_ref, is_active=True, created_at=bank.clock.now(),
    )  # fmt: skip
    async with bank.house.store.begin() as tx:
        await tx.staff.insert(member)
    return Actor(staff_id=member.staff_id, source="10.0.0.8", language="zh")


async def open_office(bank: Bank) -> Office:
    """Open two outlets and let people work there."""
    async with bank.house.store.begin() as tx:
        await tx.outlets.put([outlet(EAST), outlet(WEST)], bank.clock.now())
    return Office(
        bank=bank,
        teller=await hire(bank, "teller-east", Role.TELLER, EAST),
        colleague=await hire(bank, "colleague-east", Role.TELLER, EAST),
        supervisor=await hire(bank, "supervisor-east", Role.SUPERVISOR, EAST),
        far=await hire(bank, "teller-west", Role.TELLER, WEST),
        auditor=await hire(bank, "auditor", Role.AUDITOR),
        administrator=await hire(bank, "administrator", Role.ADMINISTRATOR),
        second_administrator=await hire(bank, "administrator-two", Role.ADMINISTRATOR),
    )
