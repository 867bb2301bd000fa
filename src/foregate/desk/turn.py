"""One turn of a journey: what is known while a transaction holds it, and what the engine makes of that.

A `Turn` is made anew in every transaction. It gathers the facts that the engine wants (which proofs count now, which
the customer cannot use), asks it, and shapes the answer as a `View` or as what this visitor may be `Told`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from foregate.acts import ActKind, passkeys
from foregate.desk import numbers, own, social
from foregate.desk.identify import CLAIMS, PickAnswer
from foregate.desk.state import State, seal
from foregate.desk.view import Option, OtherWay, Outcome, Reply, RestingWay, StepView, Told, View
from foregate.ports import Condition, Customer, JourneyRow, SessionRow, UnitOfWork
from foregate.proofs import ProofKind, passkey
from foregate.rules import engine, limits
from foregate.rules.causes import when_off
from foregate.rules.engine import Around, Identify, Inform, Pick, Progress, Prove
from foregate.rules.inputs import fields_of
from foregate.rules.journeys import Built, Journey, Table
from foregate.rules.permission import ALL, Permission, effective, lane_of
from foregate.rules.policy import Policy
from foregate.rules.words import FACE, PASSKEY, PERMIT, PHONE_CODE, CodeTo, Tier, Who, is_satisfied, proofs_of
from foregate.situation import Refused, Situation, Subject, World

NOBODY = Subject(
    customer_id="00000000-0000-8000-8000-000000000000", known=False, phone=None, phone_key="", claim_key=""
)


# What else may be done at a step.
AUTHENTICATOR = ("passkey-options",)
ACTIONS: Mapping[str, tuple[str, ...]] = {
    "phone_code": ("resend", "text-us"),
    FACE.name: ("begin",),
    PASSKEY.name: AUTHENTICATOR,
}


# What stands against a proof of which the bank keeps nothing. An expired face is asked for: it tells of its renewal.
NOT_HAD: Mapping[str, str] = {FACE.name: "face-none", PERMIT.name: "permit-over", PASSKEY.name: "proof-disabled"}


class Caller(msgspec.Struct, frozen=True, kw_only=True):
    """Who is at the door, as the door knows: the browser that began the journey, and what it brought along."""

    visitor_digest: bytes
    source: str
    agent: str
    language: str
    session: SessionRow | None = None
    device: str | None = None  # the device cookie's text
    sending_seconds: int = 0  # that an answer was on its way, from its first byte to its last


@dataclass(frozen=True, slots=True)
class House:
    """The tables and the parts that a desk runs."""

    world: World
    journeys: Table
    policy: Policy
    built: Built
    proofs: Mapping[str, ProofKind]
    acts: Mapping[str, ActKind]


@dataclass(slots=True)
class Turn:
    """A journey in hand. `stored` is what the transaction read; `state` what it will write."""

    house: House
    tx: UnitOfWork
    caller: Caller
    stored: JourneyRow
    state: State
    now: int
    status: str = "open"
    is_fresh: bool = False  # not in the store yet
    customer: Customer | None = None  # held, while the act is performed
    _condition: Condition | None = None  # of the subject, looked at once: see `condition`

    @property
    def row(self) -> Journey:
        """The journey's row of the table."""
        return self.house.journeys[self.stored.name]

    @property
    def subject(self) -> Subject:
        """Whom it is about; nobody yet before the visitor said."""
        return self.state.subject or NOBODY

    @property
    def lane(self) -> str:
        """The lane that failures are charged to: the remembered device's own, or everybody else's."""
        return lane_of(self.state.device_id)

    @property
    def shown(self) -> frozenset[str]:
        """The proofs that are fresh enough: what a session brought along counts only while fresh enough for the act."""
        fresh_after = self.now - self.house.policy[self.row.act].fresh_seconds
        return frozenset(e.proof for e in self.state.evidence if e.at >= min(fresh_after, self.stored.created_at))

    @property
    def proved(self) -> frozenset[str]:
        """The proofs that count now: of those shown, not the code of a number in doubt."""
        return self.shown - {PHONE_CODE.name} if numbers.is_discounted(self) else self.shown

    @property
    def tier(self) -> Tier:
        """How much the visitor has shown."""
        return engine.tier_of(self.row, self.proved, numbers.doubted(self).keys())

    def situation(self) -> Situation:
        """Return what proofs and acts are given."""
        proved = self.proved
        return Situation(
            world=self.house.world,
            tx=self.tx,
            now=self.now,
            row=self.row,
            journeys=self.house.journeys,
            built=self.house.built,
            journey_id=self.stored.journey_id,
            subject=self.subject,
            lane=self.lane,
            language=self.state.language,
            source=self.caller.source,
            agent=self.caller.agent,
            sending_seconds=self.caller.sending_seconds,
            evidence=tuple(e for e in self.state.evidence if e.proof in proved),
            session_id=self.state.session_id,
            device_id=self.state.device_id,
            is_fresh=self.is_fresh,
            customer=self.customer,
        )

    async def decide(self) -> engine.Decision:
        """Ask the engine what comes next."""
        act = self.house.acts.get(self.row.act)
        looks = self.tier is Tier.POSSESSION  # before it the engine is blind, after it nothing is left to prove
        progress = Progress(
            who=self.state.who,
            proved=self.proved,
            doubted=numbers.doubted(self),
            chosen=self.state.chosen,
            unusable=await self._unusable() if looks else engine.NOTHING,
            must_pick=len(self.state.candidates) > 1,
            must_inform=act is not None and act.INPUT is not None,
        )
        decision = engine.decide(self.row, progress, self.house.built)
        if isinstance(decision, Identify):
            return Identify(
                tuple(who for who in decision.who if who in CLAIMS and social.is_set_up(who, self.house.world))
            )
        return decision

    async def _unusable(self) -> dict[str, str]:
        condition = await self.condition()
        unusable = dict.fromkeys(await self._resting(), "proof-blocked")
        for charge in self.row.charges:
            if sum(row.total for row in condition.counters if row.counter == charge) >= limits.failures_max(charge):
                unusable[charge.partition("@")[0]] = when_off(charge)
        asked = {proof.name for proof in proofs_of(self.row.prove)} & NOT_HAD.keys() & self.house.built.proofs
        return unusable | {proof: NOT_HAD[proof] for proof in asked - condition.keeps}

    async def _resting(self) -> dict[str, int]:
        """Until when each proof of this row rests in this lane."""
        return {
            row.counter.partition("@")[0]: row.blocked_until
            for row in (await self.condition()).counters
            if row.counter in self.row.charges and row.lane == self.lane and row.blocked_until > self.now
        }

    async def condition(self) -> Condition:
        """How the subject stands, read once in a turn: what changes it either ends the turn or calls `look_anew`.

        What an act rests on is read by itself, after the customer is held.
        """
        if self._condition is None:
            self._condition = await self.tx.customers.condition(self.subject.customer_id)
        return self._condition

    def look_anew(self) -> None:
        """Something was charged, or the journey is about somebody else now."""
        self._condition = None

    async def objection(self, *, is_last: bool) -> Refused | None:
        """Return what stands against the customer, told only once possession is shown."""
        if self.tier is Tier.ANYONE:
            return None
        if self.subject.flaw is not None and self.row.code_to is not CodeTo.EITHER:
            return Refused(cause=self.subject.flaw)
        cooling = await self.cooling()
        if cooling is not None:
            return cooling
        return await self.closed() if self.row.needs_permission and not is_last else None

    async def cooling(self) -> Refused | None:
        """Return that the passkey shown, or the customer's number, is too new for what this row does, or None."""
        if self.row.seasoned and (new := self._rests_on_something_new()):
            return Refused(cause="passkey-too-new", retry_in_seconds=new)
        if not self.row.cooling:
            return None
        until = (self.customer or await self.condition()).cooling_until
        return Refused(cause="cooling-off", retry_in_seconds=until - self.now) if until > self.now else None

    def _rests_on_something_new(self) -> int:
        """Return for how long the passkey that was shown cools still; 0 when the row is bought without it."""
        is_bought_without = is_satisfied(self.row.prove, self.proved - {PASSKEY.name})
        return 0 if is_bought_without else max(0, self.state.cools_until - self.now)

    def asks_authenticator(self, decision: engine.Decision) -> bool:
        """Say whether what is asked now is for an authenticator to answer."""
        match decision:
            case Identify(who=who):
                return bool(who) and self._asked(who) is Who.PASSKEY
            case Prove(proof=proof):
                return proof is PASSKEY
            case Inform():
                return self.row.act in passkeys.ADD.ACTS
        return False

    async def closed(self) -> Refused | None:
        """Return why login permission is closed in this lane, or None when it is open."""
        if self.customer is not None:
            self.look_anew()  # held: only what is read from here on decides
        condition = await self.condition()
        used_at, lanes = condition.last_sign_in_at, condition.permission
        idle_days = 0 if used_at is None else (self.now - used_at) // 86400
        for lane in (ALL, self.lane):
            state = effective(lanes.get(lane, Permission.OPEN), idle_days if lane == ALL else 0)
            if state is not Permission.OPEN:
                return Refused(cause=state.value)
        return None

    # ------------------------------------------------------------ answers

    async def view(self, decision: engine.Decision | None = None) -> View:
        """Return where the journey stands, as shown."""
        if self.status == "open" and decision is None:
            decision = await self.decide()
        step = await self._step(decision) if self.status == "open" else None
        return View(
            id=self.stored.journey_id,
            journey=self.stored.name,
            version=self.stored.version,
            status="refused" if self.status == "void" else self.status,
            step=step,
            other_ways=self._other_ways(decision) if self.status == "open" else (),
            resting_ways=await self._resting_ways(decision) if self.status == "open" else (),
            expires_in_seconds=max(0, self.stored.expires_at - self.now),
            outcome=self._outcome(),
        )

    def _outcome(self) -> Outcome | None:
        if self.status != "done":
            return None
        return Outcome(act=self.row.act, session=self.state.outcome_session, facts=self.state.outcome_facts)

    async def _step(self, decision: engine.Decision | None) -> StepView | None:
        match decision:
            case Identify(who=who) if who:
                asked = self._asked(who)
                return StepView(
                    name=asked.value,
                    kind="identify",
                    fields=fields_of(CLAIMS[asked]),
                    actions=AUTHENTICATOR if asked is Who.PASSKEY else (),
                    facts=await self._facts_of(asked),
                )
            case Prove(proof=proof):
                kind = self.house.proofs[proof.name]
                actions = ACTIONS.get(proof.name, ())
                facts = await kind.facts(self.situation())
                return StepView(
                    name=proof.name, kind="prove", fields=fields_of(kind.ANSWER), actions=actions, facts=facts
                )
            case Pick():
                options = tuple(Option(value, label) for value, label in self.state.candidates)
                return StepView(name="pick", kind="pick", fields=fields_of(PickAnswer), options=options)
            case Inform():
                wanted = self.house.acts[self.row.act].INPUT
                fields = fields_of(wanted) if wanted else ()
                if social.is_asked(decision, self):
                    return social.inform_step(self, fields)
                is_added = self.row.act in passkeys.ADD.ACTS
                return StepView(
                    name=self.row.act,
                    kind="inform",
                    fields=fields,
                    options=await own.options(self.tx, self.row.act, self.subject.customer_id, self.now),
                    actions=AUTHENTICATOR if is_added else (),
                    facts=await passkeys.facts(self.situation()) if is_added else {},
                )
        return None

    async def _facts_of(self, asked: Who) -> Mapping[str, Any]:
        """Return what somebody needs who types nothing: a challenge to sign, or where to go."""
        if asked is Who.PASSKEY:
            return await passkey.facts(self.situation())
        return social.facts(self, asked, social.WHO[asked], profile=False) if asked in social.WHO else {}

    def _other_ways(self, decision: engine.Decision | None) -> tuple[OtherWay, ...]:
        match decision:
            case Identify(who=who) if who:
                asked = self._asked(who)
                return tuple(OtherWay(w.value, "identify") for w in who if w is not asked)
            case Prove(others=others):
                return tuple(OtherWay(proof.name, "prove") for proof in others)
        return ()

    async def _resting_ways(self, decision: engine.Decision | None) -> tuple[RestingWay, ...]:
        """Return what will be a way again in a while. Before possession nothing is left out, so nothing is told."""
        if self.tier is not Tier.POSSESSION or not isinstance(decision, Prove):
            return ()
        open_here = {proof.name for way in engine.open_ways(self.row, self.house.built) for proof in way}
        rests = {proof for proof, why in (await self._unusable()).items() if why == "proof-blocked"} & open_here
        until = await self._resting()
        return tuple(RestingWay(proof, until[proof] - self.now) for proof in sorted(rests - self.proved))

    def _asked(self, who: tuple[Who, ...]) -> Who:
        return next((w for w in who if w.value == self.state.chosen), who[0])

    async def told(self, refused: Refused, fields: Mapping[str, str] | None = None) -> Reply:
        """Return the refusal as this visitor may hear it, with where the journey stands."""
        view = await self.view()
        around = Around(
            step=view.step.name if view.step else None,
            has_other_ways=bool(view.other_ways),
            retry_in_seconds=refused.retry_in_seconds,
            failures_in_a_row=refused.failures_in_a_row or limits.OFFER_REOPEN_FROM,
            journey=self.row.name,
        )
        refusal = engine.refuse(refused.cause, self.tier, around, self.house.journeys)
        has_earned = refusal.cause.name == refused.cause
        told = Told(
            cause=refusal.cause.name,
            status=refusal.cause.status,
            remedies=refusal.remedies,
            retry_in_seconds=refusal.retry_in_seconds,
            tries_left=refused.tries_left if has_earned else None,
            fields=fields or {},
            journey_name=self.row.name,
        )
        return Reply(view=view, told=told)

    # ------------------------------------------------------------ writing

    def change(self, **changes: object) -> None:
        """Change the state to be written."""
        self.state = msgspec.structs.replace(self.state, **changes)
        if "subject" in changes:
            self.look_anew()

    def claim(self, digest: bytes) -> None:
        """Remember what the visitor said they are, so that a second tap finds this journey."""
        self.stored = msgspec.structs.replace(self.stored, claim_digest=digest)

    def end(self, status: str) -> None:
        """The journey is over: done or refused."""
        self.status = status

    async def forget_answer(self) -> None:
        """Nothing came of the answer being worked on: sent again under its key it is a new one."""
        self.stored = msgspec.structs.replace(self.stored, last_key=None, last_request=None, last_reply=None)
        await self.save(moved=False)

    async def save(
        self, *, moved: bool, key: str | None = None, request: bytes | None = None, reply: bytes | None = None
    ) -> None:
        """Write the journey. `moved`: it stands elsewhere now, so answers to the old version are refused."""
        changes: dict[str, object] = {
            "version": self.stored.version + moved,
            "status": self.status,
            "customer_id": self.subject.customer_id if self.state.subject else None,
            "state": seal(self.state, self.stored.journey_id, self.house.world.keyring),
        }
        if key is not None:
            changes |= {"last_key": key, "last_request": request, "last_reply": reply}
        stored = msgspec.structs.replace(self.stored, **changes)
        if self.is_fresh:
            await self.tx.journeys.insert(stored)
            self.is_fresh = False
        else:
            await self.tx.journeys.save(stored)
        self.stored = stored
