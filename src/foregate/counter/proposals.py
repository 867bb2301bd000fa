"""Proposals about customers: made by one member of staff, consented to by another, done in the same transaction.

Rules
  1. Nothing is done by a proposal of two persons before a second one consents, on a session of their own.
  2. The guarded statement of the store consents, not what was read here; so of fifty consents one counts.
  3. What was consented to, the record of it and its effect share one transaction. Where the core bank has to do
     something first, the proposal stays consented until that is done: `finish` does the rest, as often as need be.
  4. A number is proved by a code read out at the counter before anybody can consent to it.
"""

from __future__ import annotations

from typing import Final

from foregate.counter import making, paper, settling
from foregate.counter.codes import CounterCodes
from foregate.counter.files import day_of, names_in
from foregate.counter.guard import Doing, Guard, Objected, noted
from foregate.counter.id_check import checked
from foregate.counter.paper import Payload
from foregate.counter.performs import Effect, Order, Performs
from foregate.counter.refs import read_ref
from foregate.counter.views import Actor, IdCheck, Performed, ProposalView
from foregate.ports import Customer, Person, Unreachable
from foregate.ports.counter import ProposalRow
from foregate.rules import inputs, limits, staff
from foregate.rules.inputs import BadInput
from foregate.rules.staff import COUNTER_ACTS, Right
from foregate.situation import Refused

NUMBER_CHANGE: Final = "replace-phone"


class Proposals:
    """Makes, shows and settles proposals about customers."""

    def __init__(self, guard: Guard, performs: Performs) -> None:
        self._guard, self._performs = guard, performs
        self._world = guard.world
        self._codes = CounterCodes(self._world)

    # ------------------------------------------------------------ making

    async def propose(
        self, actor: Actor, ref: str, act: str, *, id_check: IdCheck | None = None, phone: str = ""
    ) -> Performed:
        """Propose `act`; what takes one person is done at once. Raises Objected.

        `id_check`: the document that the customer laid on the counter. For `correct-document` its expiry is the new
        one. `phone`: the new number, as typed.
        """
        spec = COUNTER_ACTS[act]
        now = self._world.clock.now()
        whose = read_ref(self._world.keyring, actor, ref, now)
        person = await self._world.core.person(whose.core_ref)
        if person is None or spec.is_on_staff:
            raise Objected("file-closed")
        if act == NUMBER_CHANGE:
            window = int(limits.DAY)
            await self._guard.count(actor, spec.propose, "too-many-changes", limits.NUMBER_CHANGES_PER_DAY, window)
        async with self._guard.doing(actor, spec.propose, core_ref=whose.core_ref, subject=whose.customer_id) as doing:
            customer = await doing.tx.customers.hold(whose.customer_id)
            if customer is None and spec.needs_login:
                raise Objected("not-registered")
            document = checked(spec, id_check, person, day_of(doing.now)) if spec.shows_document else None
            payload = await making.payload_of_act(
                self._world, doing, spec, whose.customer_id, customer, person, document, phone
            )
            row = making.row_of(self._world, doing, spec, whose.customer_id, payload, document)
            await settling.expire(doing)
            if not await doing.tx.proposals.insert(row):
                raise Objected("already-proposed")
            await doing.record("proposal-made", subject=row.subject_id, act=act, proposal=row.proposal_id)
            effect = Effect() if spec.persons > 1 else await self._alone(doing, row, customer)
            return await self._performed(doing, row.proposal_id, effect)

    async def _alone(self, doing: Doing, row: ProposalRow, customer: Customer | None) -> Effect:
        is_taken = await doing.tx.proposals.consent(
            row.proposal_id, checker=None, outlet_id=row.outlet_id, digest=row.digest, note="", now=doing.now
        )
        if not is_taken:
            raise Objected("proposal-settled")
        return await self._do(doing, row, customer, by=doing.actor.name)

    # ------------------------------------------------------------ the code at the counter

    async def send_code(self, actor: Actor, proposal_id: str) -> None:
        """Send a code to the new number. Raises Objected."""
        row, payload = await self._about_a_customer(actor, proposal_id)
        spec = COUNTER_ACTS[row.act]
        async with self._guard.doing(actor, spec.propose, core_ref=payload.core_ref, subject=row.subject_id) as doing:
            self._objection_to_maker(row, doing)
            refused = await self._codes.send(
                doing.tx, doing.now, proposal_id=proposal_id, customer_id=row.subject_id, phone=payload.phone or "",
                language=actor.language, actor=actor.name, source=actor.source,
            )  # fmt: skip
        await self._raise(actor, spec.propose, refused, row.subject_id)

    async def prove_code(self, actor: Actor, proposal_id: str, code: str) -> ProposalView:
        """Take the code that the customer reads out. Raises Objected; a try is spent all the same."""
        row, payload = await self._about_a_customer(actor, proposal_id)
        spec = COUNTER_ACTS[row.act]
        try:
            typed = inputs.normal_code(code)
        except BadInput as bad:
            raise Objected("input-invalid", fields={"code": bad.code}) from None
        view: ProposalView | None = None
        async with self._guard.doing(actor, spec.propose, core_ref=payload.core_ref, subject=row.subject_id) as doing:
            self._objection_to_maker(row, doing)
            refused = await self._codes.check(
                doing.tx, doing.now, proposal_id=proposal_id, phone=payload.phone or "", code=typed
            )
            if refused is None:
                if not await doing.tx.proposals.prove_code(proposal_id, doing.now):
                    raise Objected("proposal-expired")
                await doing.record("code-proved", subject=row.subject_id, act=row.act, proposal=proposal_id)
                view = (await self._performed(doing, proposal_id, Effect())).proposal
        await self._raise(actor, spec.propose, refused, row.subject_id)
        assert view is not None, "not refused, so it was shown"  # noqa: S101 -- the two go together
        return view

    async def _raise(self, actor: Actor, right: Right, refused: Refused | None, subject: str) -> None:
        """The try or the message is counted and committed; only now may the refusal be raised."""
        if refused is not None:
            await self._guard.note(actor, right.value, refused.cause, subject)
            raise Objected(refused.cause, retry_in_seconds=refused.retry_in_seconds, tries_left=refused.tries_left)

    def _objection_to_maker(self, row: ProposalRow, doing: Doing) -> None:
        if row.maker != doing.member.staff_id:
            raise Objected("other-outlet" if row.outlet_id != doing.member.outlet_id else "no-right")
        if not row.awaits_code or row.state != "proposed" or row.expires_at <= doing.now:
            raise Objected("proposal-expired")

    # ------------------------------------------------------------ settling

    async def consent(self, actor: Actor, proposal_id: str, shown: str, note: str) -> Performed:
        """Consent, and have it done. `shown` is the digest that was on the page, in hexadecimal. Raises Objected.

        `core-unreachable`: the consent stands, and `finish` repeats the rest.
        """
        row, payload = await self._find(proposal_id)
        spec = COUNTER_ACTS[row.act]
        person = await self._world.core.person(payload.core_ref) if payload.core_ref else None
        right = spec.consent or spec.propose
        async with self._guard.doing(
            actor, right, core_ref=payload.core_ref, subject=settling.chain_about(row)
        ) as doing:
            row = await self._consented(doing, proposal_id, shown, noted(note), payload.core_ref)
            if spec.is_on_staff:
                return await self._performed(doing, proposal_id, await settling.do_to_staff(self._world, doing, row))
            customer = await doing.tx.customers.hold(row.subject_id)
            is_gone = customer is None and spec.needs_login
            if person is None or is_gone or not await self._is_as_before(doing, row, customer, person):
                raise Objected("customer-changed")
            if not self._performs.needs_core(row.act):
                effect = await self._do(doing, row, customer, by=f"staff:{row.maker}+{actor.name}")
                return await self._performed(doing, proposal_id, effect)
        return await self.finish(actor, proposal_id)

    async def _consented(
        self, doing: Doing, proposal_id: str, shown: str, note: str, core_ref: str | None
    ) -> ProposalRow:
        """Write the consent down. What is read before the guarded statement names the objection, it decides nothing."""
        row = await doing.tx.proposals.find(proposal_id)
        maker = await doing.tx.staff.find(row.maker) if row else None
        if row is None or maker is None:
            raise Objected("proposal-unknown")
        digest = settling.digest_in(shown)
        objection = staff.may_consent(
            maker.standing, doing.member.standing, row.proposed, digest,
            now=doing.now, is_open=doing.is_open, core_ref=core_ref,
        )  # fmt: skip
        if objection is not None:
            raise Objected(objection)
        if row.digest != paper.digest_of(self._world.keyring, row):
            raise Objected("proposal-swapped")
        if len(note) < limits.NOTE_CHARS_MIN:
            raise Objected("note-missing")
        is_mine = await doing.tx.proposals.consent(
            proposal_id, checker=doing.member.staff_id, outlet_id=doing.member.outlet_id, digest=digest, note=note,
            now=doing.now,
        )  # fmt: skip
        if not is_mine:
            raise Objected("proposal-settled")
        about = settling.chain_about(row)
        await doing.record("proposal-consented", subject=about, act=row.act, proposal=proposal_id, note=note)
        return row

    async def _is_as_before(self, doing: Doing, row: ProposalRow, customer: Customer | None, person: Person) -> bool:
        permission = await doing.tx.permissions.of(row.subject_id)
        now = paper.before_act(self._world.keyring, row.act, row.subject_id, customer, person, permission)
        return paper.payload_of(row).before == now

    async def _do(self, doing: Doing, row: ProposalRow, customer: Customer | None, *, by: str) -> Effect:
        payload = paper.payload_of(row)
        order = Order(
            tx=doing.tx, now=doing.now, act=row.act, subject_id=row.subject_id, customer=customer,
            phone=payload.phone, expires_on=payload.expires_on, actor=by, proposal_id=row.proposal_id,
            source=doing.actor.source, language=doing.actor.language,
        )  # fmt: skip
        effect = await self._performs.perform(order)
        if isinstance(effect, str):
            raise Objected(effect)
        if not await doing.tx.proposals.finish(row.proposal_id, doing.now):
            raise Objected("proposal-settled")
        return effect

    async def finish(self, actor: Actor, proposal_id: str) -> Performed:
        """Do what was consented to and not done yet, because the core bank did not answer. Raises Objected."""
        row, payload = await self._find(proposal_id)
        spec = COUNTER_ACTS[row.act]
        if row.state != "consented" or payload.core_ref is None:
            raise Objected("proposal-settled" if row.state == "done" else "proposal-unknown")
        right = spec.consent or spec.propose
        async with self._guard.doing(actor, right, core_ref=payload.core_ref, subject=row.subject_id) as doing:
            if row.outlet_id != doing.member.outlet_id:
                raise Objected("other-outlet")
        try:
            await self._performs.in_core(row.act, payload.core_ref, payload.expires_on, payload.issued_on)
        except Unreachable:
            raise Objected("core-unreachable") from None
        async with self._guard.doing(actor, right, core_ref=payload.core_ref, subject=row.subject_id) as doing:
            customer = await doing.tx.customers.hold(row.subject_id)
            if customer is None and spec.needs_login:
                raise Objected("not-registered")
            by = f"staff:{row.maker}+staff:{row.checker}"
            return await self._performed(doing, proposal_id, await self._do(doing, row, customer, by=by))

    async def refuse(self, actor: Actor, proposal_id: str, note: str) -> ProposalView:
        """Say no, and why. Anybody at the outlet who could consent may refuse. Raises Objected."""
        row, payload = await self._find(proposal_id)
        spec, why = COUNTER_ACTS[row.act], noted(note)
        right = spec.consent or spec.propose
        async with self._guard.doing(
            actor, right, core_ref=payload.core_ref, subject=settling.chain_about(row)
        ) as doing:
            if row.maker == actor.staff_id:
                raise Objected("same-person")
            if row.outlet_id != doing.member.outlet_id:
                raise Objected("other-outlet")
            if len(why) < limits.NOTE_CHARS_MIN:
                raise Objected("note-missing")
            return await self._ended(doing, row, "refused", why)

    async def withdraw(self, actor: Actor, proposal_id: str) -> ProposalView:
        """Take back one's own proposal. Raises Objected."""
        row, payload = await self._find(proposal_id)
        right = COUNTER_ACTS[row.act].propose
        async with self._guard.doing(
            actor, right, core_ref=payload.core_ref, subject=settling.chain_about(row)
        ) as doing:
            if row.maker != actor.staff_id:
                raise Objected("no-right")
            return await self._ended(doing, row, "withdrawn", "")

    async def _ended(self, doing: Doing, row: ProposalRow, to: str, note: str) -> ProposalView:
        if not await doing.tx.proposals.end(row.proposal_id, to=to, by=doing.member.staff_id, note=note, now=doing.now):
            raise Objected("proposal-expired")
        about = settling.chain_about(row)
        await doing.record(f"proposal-{to}", subject=about, act=row.act, proposal=row.proposal_id, note=note)
        return (await self._performed(doing, row.proposal_id, Effect())).proposal

    async def _find(self, proposal_id: str) -> tuple[ProposalRow, Payload]:
        async with self._world.store.begin() as tx:
            row = await tx.proposals.find(proposal_id)
        if row is None:
            raise Objected("proposal-unknown")
        return row, paper.payload_of(row)

    # ------------------------------------------------------------ looking

    async def open(self, actor: Actor) -> tuple[ProposalView, ...]:
        """Return what waits at the member's outlet; for those of no outlet, what is about staff. Raises Objected."""
        async with self._guard.doing(actor, Right.SEE_PROPOSALS) as doing:
            await settling.expire(doing)
            rows = await doing.tx.proposals.open_at(doing.member.outlet_id, doing.now)
            names = await names_in(doing, rows, ())
            return tuple(paper.view_of(row, actor, names, doing.now) for row in rows)

    async def look(self, actor: Actor, proposal_id: str) -> ProposalView:
        """Return one proposal, in any state. Raises Objected: another outlet's are nobody else's business."""
        async with self._guard.doing(actor, Right.SEE_PROPOSALS) as doing:
            row = await doing.tx.proposals.find(proposal_id)
            if row is None:
                raise Objected("proposal-unknown")
            if row.outlet_id != doing.member.outlet_id:
                raise Objected("other-outlet")
            return (await self._performed(doing, proposal_id, Effect())).proposal

    async def _performed(self, doing: Doing, proposal_id: str, effect: Effect) -> Performed:
        row = await doing.tx.proposals.find(proposal_id)
        assert row is not None, "it was there in this transaction"  # noqa: S101 -- nobody deletes one that is open
        names = await names_in(doing, (row,), ())
        return Performed(
            proposal=paper.view_of(row, doing.actor, names, doing.now),
            permit=effect.permit,
            permit_expires_at=effect.permit_expires_at,
            enrolment_code=effect.enrolment_code,
            ended_sessions=effect.ended_sessions,
        )

    async def _about_a_customer(self, actor: Actor, proposal_id: str) -> tuple[ProposalRow, Payload]:
        async with self._guard.doing(actor, Right.SEE_PROPOSALS) as doing:
            row = await doing.tx.proposals.find(proposal_id)
            if row is None or COUNTER_ACTS[row.act].is_on_staff:
                raise Objected("proposal-unknown")
        return row, paper.payload_of(row)
