"""One customer as the counter sees them: the file, the timeline, and why they cannot get in.

Nothing here changes anything; that somebody looked is written down all the same. The verdict is the rules' own
(`rules.verdict`): here the facts are gathered that it asks for.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping
from dataclasses import dataclass

import msgspec

from foregate.counter import paper, timeline, views
from foregate.counter.cases import read_case
from foregate.counter.guard import Doing, Guard, Objected
from foregate.counter.holdings import Holdings
from foregate.counter.refs import Ref, read_ref
from foregate.counter.views import Actor, File
from foregate.ports import CardHolder, CounterRow, Customer, DeviceRow, Person, SessionRow, UnitOfWork
from foregate.ports.counter import ProposalRow, TrailEntry
from foregate.ports.outlets import Appointment
from foregate.rules import documents, limits, masks
from foregate.rules import verdict as rules
from foregate.rules.causes import when_off
from foregate.rules.footing import BOUND_SIM, REGISTERED_SIM, Footing, Known, Lost, footing
from foregate.rules.holdings import Held, State
from foregate.rules.numbers import CAUSE
from foregate.rules.permission import ALL, UNKNOWN, Permission, effective
from foregate.rules.staff import Right
from foregate.rules.verdict import Rules, Verdict
from foregate.rules.words import CodeTo

CODE_SENT = ("code-sent",)
EXPIRED = {"face": "face-expired"}  # what the desk says of a proof whose time is over


@dataclass(frozen=True, slots=True)
class Facts:
    """Everything that was read about one person in one transaction."""

    now: int
    person: Person
    cards: tuple[CardHolder, ...]
    customer: Customer | None
    permission: dict[str, Permission]
    counters: tuple[CounterRow, ...]
    sessions: tuple[SessionRow, ...]
    devices: tuple[DeviceRow, ...]
    codes: tuple[TrailEntry, ...]
    proposals: tuple[ProposalRow, ...]
    appointments: tuple[Appointment, ...]
    codes_wait_seconds: int
    held: tuple[Held, ...]

    @property
    def is_document_valid(self) -> bool:
        """Whether the bank's record of the ID document has not run out."""
        return self.document.state.is_good

    @property
    def document(self) -> documents.Standing:
        """How the ID document stands, by the bank's record."""
        return documents.standing_on(self.person.document_expires_on, documents.day_of(self.now))

    def state_of(self, lane: str) -> Permission:
        """Login permission in a lane as it counts now."""
        stored = self.permission.get(lane, Permission.OPEN)
        return effective(stored, self.idle_days) if lane == ALL else stored

    @property
    def idle_days(self) -> int:
        """Since the last sign-in."""
        return (self.now - self.customer.last_sign_in_at) // limits.DAY if self.customer else 0


def day_of(now: int) -> str:
    """Return today as an ISO date, in the bank's own zone."""
    return documents.day_of(now).isoformat()


class Files:
    """Opens what a search found."""

    def __init__(self, guard: Guard, holdings: Holdings, tables: Rules) -> None:
        self._guard, self._holdings, self._tables = guard, holdings, tables
        self._world = guard.world

    def read(self, actor: Actor, ref: str) -> Ref:
        """Return whom a search's reference is about. Raises Objected("file-closed")."""
        return read_ref(self._world.keyring, actor, ref, self._world.clock.now())

    async def file(self, actor: Actor, ref: str) -> File:
        """Return everything that a teller may see, masked. Raises Objected."""
        whose = self.read(actor, ref)
        person, cards = await self._from_core(whose)
        async with self._guard.doing(
            actor, Right.SEE_FILE, core_ref=whose.core_ref, subject=whose.customer_id
        ) as doing:
            facts = await self._facts(doing, whose, person, cards)
            names = await names_in(doing, facts.proposals, facts.codes)
            read = await read_case(doing, whose.case_no) if whose.case_no else None
            if facts.customer is not None:
                await doing.record("file-seen", subject=whose.customer_id, reason=whose.reason)
        return msgspec.structs.replace(_file(facts, ref, whose, actor, names), case=read[0] if read else None)

    async def timeline(
        self, actor: Actor, ref: str, groups: tuple[str, ...] = (), before: int | None = None
    ) -> views.Timeline:
        """Return one page of the customer's record in words, the newest first. Raises Objected."""
        whose = self.read(actor, ref)
        async with self._guard.doing(
            actor, Right.SEE_TIMELINE, core_ref=whose.core_ref, subject=whose.customer_id
        ) as doing:
            kinds = timeline.kinds_of(groups)
            entries = await doing.tx.trail.of(whose.customer_id, kinds=kinds, before=before)
            names = await names_in(doing, (), entries)
        return timeline.page_of(entries, names)

    async def verdict(self, actor: Actor, ref: str, lost: frozenset[Lost]) -> Verdict:
        """Return why this customer cannot get in; `lost` is what they say they have not got. Raises Objected."""
        whose = self.read(actor, ref)
        person, cards = await self._from_core(whose)
        async with self._guard.doing(
            actor, Right.SEE_VERDICT, core_ref=whose.core_ref, subject=whose.customer_id
        ) as doing:
            facts = await self._facts(doing, whose, person, cards)
            at, known = footing_of(facts, lost)
            at = at._replace(taken_over=at.holds & await self._doubted(doing, whose.customer_id, facts.now, known))
            found = rules.verdict(at, known, self._tables)
            if facts.customer is not None:
                await doing.record("verdict-given", subject=whose.customer_id, headline=found.headline)
        return found

    async def _doubted(self, doing: Doing, customer_id: str, now: int, known: Known) -> frozenset[str]:
        """Return the numbers whose codes the door did not take of late; what the counter saw since is settled."""
        since = max(now - limits.NUMBER_RECENT_SECONDS, await doing.tx.permits.latest(customer_id))
        refused = [details async for details in _refused_since(doing.tx, customer_id, since)]
        told = [str(details.get("journey")) for details in refused if details.get("cause") == CAUSE]
        rows = [self._tables.journeys.get(name) for name in told]
        numbers = {BOUND_SIM if row.code_to is CodeTo.BOUND else REGISTERED_SIM for row in rows if row is not None}
        return frozenset({BOUND_SIM, REGISTERED_SIM} if numbers and known.is_bound_registered else numbers)

    async def _from_core(self, whose: Ref) -> tuple[Person, tuple[CardHolder, ...]]:
        person = await self._world.core.person(whose.core_ref)
        if person is None:
            raise Objected("file-closed")
        return person, await self._world.core.cards_of(whose.core_ref)

    async def _facts(self, doing: Doing, whose: Ref, person: Person, cards: tuple[CardHolder, ...]) -> Facts:
        tx, now, who = doing.tx, doing.now, whose.customer_id
        customer = await tx.customers.find(who)
        wait_seconds = 0
        if customer is not None:
            number = self._world.keyring.digest("phone", customer.phone)
            sends = await tx.codes.look_at_sends(number, now)
            wait_seconds = sends.wait_seconds if sends.is_spent else 0
        counters = await tx.counters.of(who)
        return Facts(
            now=now,
            person=person,
            cards=cards,
            customer=customer,
            permission=await tx.permissions.of(who),
            counters=counters,
            sessions=await tx.sessions.of(who) if customer else (),
            devices=await tx.devices.of(who) if customer else (),
            codes=await tx.trail.of(who, kinds=CODE_SENT),
            proposals=await tx.proposals.open_for(who, now),
            appointments=await tx.appointments.open_of(customer.phone, now) if customer else (),
            codes_wait_seconds=wait_seconds,
            held=await self._holdings(tx, customer, cards, counters, now) if customer else (),
        )


async def _refused_since(tx: UnitOfWork, customer_id: str, since: int) -> AsyncIterator[Mapping[str, str | int]]:
    """Yield what the record says of each proof refused after `since`: strangers may have filled its newest page."""
    before: int | None = None
    while entries := await tx.trail.of(customer_id, kinds=("proof-refused",), before=before):
        for entry in entries:
            if entry.at <= since:
                return
            yield entry.details
        before = entries[-1].seq


def footing_of(facts: Facts, lost: frozenset[Lost]) -> tuple[Footing, Known]:
    """Return what the rules want to know, from what was read."""
    customer, bound = facts.customer, {card.bound_phone for card in facts.cards if card.bound_phone}
    off = dict(_off(facts.counters, {UNKNOWN}, facts.now))
    over = frozenset((each.proof, EXPIRED[each.proof]) for each in facts.held if each.is_over)
    passkeys = [each for each in facts.held if each.proof == "passkey"]
    cooling = frozenset({"passkey"} if all(each.state is State.COOLING for each in passkeys) else ())
    devices = {device.device_id for device in facts.devices}
    open_lanes = {lane for lane in devices if facts.state_of(lane) is Permission.OPEN}
    known = Known(
        lost=lost,
        has_password=customer is not None and customer.password_hash is not None,
        has_device=bool(devices),
        has_active_card=bool(facts.cards),
        has_bound_phone=bool(bound),
        is_bound_registered=customer is not None and bound == {customer.phone},
        blocked_seconds={proof: _blocked_seconds(facts, proof) for proof, why in off.items() if why == "proof-blocked"},
        cooling_seconds=max(0, customer.cooling_until - facts.now) if customer else 0,
        codes_wait_seconds=facts.codes_wait_seconds,
        idle_days=facts.idle_days,
        document_days_left=facts.document.days_left,
        has_face=any(each.proof == "face" for each in facts.held),
        has_passkey=bool(passkeys),
        passkey_cools_seconds=max((each.until or 0 for each in passkeys), default=0) - facts.now if cooling else 0,
        has_social=any(each.proof == "social" for each in facts.held),
    )
    at = Footing(
        holds=frozenset(),
        everywhere=facts.state_of(ALL),
        unknown=facts.state_of(UNKNOWN),
        device=Permission.OPEN if open_lanes or not devices else Permission.CLOSED_BY_FAILURES,
        off=frozenset(off.items()) | over,
        # Of several devices the best one counts: off is what is off on each that is open.
        off_on_device=over.union(
            frozenset.intersection(
                *(frozenset(_off(facts.counters, {lane}, facts.now)) for lane in open_lanes or devices or {UNKNOWN})
            )
        ),
        cooling=cooling,
        is_registered=customer is not None,
        is_document_valid=facts.is_document_valid,
        is_document_lapsed=facts.document.state is documents.State.EXPIRED,
    )
    return footing(at, known), known


def _off(counters: Iterable[CounterRow], lanes: set[str], now: int) -> Iterable[tuple[str, str]]:
    """Yield the proofs that the desk would not take in these lanes, as it finds out itself (`desk.turn`)."""
    rows = [row for row in counters if "@" not in row.counter]
    for proof in {row.counter for row in rows}:
        mine = [row for row in rows if row.counter == proof]
        if sum(row.total for row in mine) >= limits.failures_max(proof):
            yield proof, when_off(proof)
        elif any(row.blocked_until > now and row.lane in lanes for row in mine):
            yield proof, "proof-blocked"


def _blocked_seconds(facts: Facts, proof: str) -> int:
    until = (row.blocked_until for row in facts.counters if row.counter == proof and row.lane == UNKNOWN)
    return max(0, max(until, default=0) - facts.now)


async def names_in(doing: Doing, proposals: Iterable[ProposalRow], entries: Iterable[TrailEntry]) -> dict[str, str]:
    """Return the names of the members of staff who are mentioned, by their ids."""
    ids = {staff_id for row in proposals for staff_id in (row.maker, row.checker) if staff_id}
    for entry in entries:
        ids.update(part.removeprefix("staff:") for part in entry.actor.split("+") if part.startswith("staff:"))
    members = [await doing.tx.staff.find(staff_id) for staff_id in sorted(ids)]
    return {member.staff_id: member.name for member in members if member is not None}


# ---------------------------------------------------------------- masks


def _file(facts: Facts, ref: str, whose: Ref, actor: Actor, names: dict[str, str]) -> File:
    customer, person = facts.customer, facts.person
    agents = {device.device_id: device.agent for device in facts.devices}
    return File(
        ref=ref,
        customer_id=whose.customer_id,
        name=masks.mask_name(person.name),
        document_type=person.document_type,
        document=masks.mask_document(person.document_number),
        document_expires_on=person.document_expires_on,
        document_issued_on=person.document_issued_on,
        is_document_valid=facts.is_document_valid,
        is_registered=customer is not None,
        registered_at=customer.created_at if customer else 0,
        last_sign_in_at=customer.last_sign_in_at if customer else 0,
        phone=masks.mask_phone(customer.phone) if customer else None,
        user_name=_masked_user_name(customer),
        has_password=customer is not None and customer.password_hash is not None,
        cooling_seconds=max(0, customer.cooling_until - facts.now) if customer else 0,
        cards=tuple(_card(card, customer) for card in facts.cards),
        sessions=tuple(_session(row) for row in facts.sessions),
        devices=tuple(_device(row) for row in facts.devices),
        permission=_lanes(facts, agents),
        counters=tuple(_counter(row, facts.now) for row in facts.counters),
        codes_sent=tuple(timeline.line_of(entry, names) for entry in facts.codes),
        appointments=tuple(_appointment(row) for row in facts.appointments),
        proposals=tuple(paper.view_of(row, actor, names, facts.now) for row in facts.proposals),
    )


def _masked_user_name(customer: Customer | None) -> str | None:
    name = customer.user_name if customer else None
    return None if name is None else name[:1] + "***" + name[-1:]


def _card(card: CardHolder, customer: Customer | None) -> views.CardLine:
    return views.CardLine(
        card=masks.mask_card(card.card_number),
        bound_phone=masks.mask_phone(card.bound_phone) if card.bound_phone else None,
        is_bound_to_registered=customer is not None and card.bound_phone == customer.phone,
    )


def _session(row: SessionRow) -> views.SessionLine:
    return views.SessionLine(
        level=row.level.value, agent=row.agent, started_at=row.created_at, seen_at=row.seen_at,
        is_on_remembered_device=row.device_id is not None,
    )  # fmt: skip


def _device(row: DeviceRow) -> views.DeviceLine:
    return views.DeviceLine(agent=row.agent, remembered_at=row.created_at, seen_at=row.seen_at)


def _lanes(facts: Facts, agents: dict[str, str]) -> tuple[views.LaneLine, ...]:
    own = [lane for lane in facts.permission if lane in agents]
    return tuple(
        views.LaneLine(
            lane=lane if lane in (ALL, UNKNOWN) else "device",
            agent=agents.get(lane, ""),
            state=facts.state_of(lane).value,
        )
        for lane in (ALL, UNKNOWN, *own)
    )


def _counter(row: CounterRow, now: int) -> views.CounterLine:
    return views.CounterLine(
        counter=row.counter,
        lane=row.lane if row.lane == UNKNOWN else "device",
        in_a_row=row.in_a_row,
        total=row.total,
        blocked_seconds=max(0, row.blocked_until - now),
    )


def _appointment(row: Appointment) -> views.AppointmentLine:
    return views.AppointmentLine(
        appointment_id=row.appointment_id, reference=row.reference, outlet_id=row.outlet_id, service=row.service,
        state=row.state.value, starts_at=row.starts_at,
    )  # fmt: skip
