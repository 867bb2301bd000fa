"""The desk: begin a journey, look at it, answer it.

Rules
  1. An answer is taken in one order: hold the journey, check version and key, let the engine say what is asked,
     charge, compare, settle, decide again. What was read before the hold decides nothing.
  2. What takes long (hashing, the core bank) happens between two transactions: the first charges, the second
     settles. In between the journey remembers the key, so a double tap finds "still working", not a second charge.
  3. State, audit event and message share a transaction. A reply is kept with it, so the same answer sent again
     gets the same reply, tokens included, to the same browser for REPLAY_SECONDS. A journey that stands where
     that reply left it is shown as it is now: seconds ran, and a challenge may have died.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import msgspec

from foregate.acts import register
from foregate.desk import beginnings, identify, numbers, social, steps
from foregate.desk.answers import Answered, Slow, claim_of
from foregate.desk.beginnings import Beginning
from foregate.desk.state import Errand, unseal
from foregate.desk.turn import Caller, House, Turn
from foregate.desk.view import Pending, Reply, Told
from foregate.ports import Busy, Customer, JourneyRow, SessionRow, Taken, UnitOfWork, Unreachable
from foregate.rules import engine, inputs, limits
from foregate.rules.numbers import LastChange
from foregate.rules.social import Provider
from foregate.rules.social_inputs import Returned
from foregate.rules.words import PASSKEY, Tier, Who
from foregate.situation import Evidence, Refused


class Desk:
    """Runs the journeys of one house."""

    def __init__(self, house: House) -> None:
        self.house = house
        self._world = house.world

    # ------------------------------------------------------------ begin

    async def start(self, name: str, caller: Caller, first: Answered | None = None, key: str | None = None) -> Reply:
        """Begin a journey, and answer its first step in the same breath when `first` is given.

        Who taps twice finds the journey of the first tap, and no second message is sent. Under a `key` (the answer's
        own, where there is one) the same beginning is the same journey whenever it comes, and gets the first reply.
        """
        key = first.key if first is not None else key
        begun = Beginning(name=name, caller=caller, first=first, key=key)
        if key is None:
            return await self._start(begun)
        if (before := await self._begun_before(begun)) is not None:
            return before
        try:
            return await self._start(begun)
        except Taken:  # two of them raced: the other one was first
            before = await self._begun_before(begun)
            if before is None:
                raise
            return before

    async def _begun_before(self, begun: Beginning) -> Reply | None:
        """Return the reply that this very beginning got before; once that is forgotten, where its journey stands."""
        journey_id = begun.journey_id(self._world)
        async with self._world.store.begin() as tx:
            if await tx.journeys.lock(journey_id) is None:
                return None
            turn = await self._hold(tx, journey_id, begun.caller)
            if isinstance(turn, Reply):
                return turn
            if turn.state.begun_by != begun.said:
                return self.told_outside("key-reused")
            return await self._earlier(turn, begun.as_answer) or Reply(view=await turn.view())

    async def _start(self, begun: Beginning) -> Reply:
        name, caller, first = begun.name, begun.caller, begun.first
        row = self.house.journeys.get(name)
        if row is None or not row.is_public:
            return self.told_outside("journey-not-open")
        who = social.who_offered(row, self.house)
        if not who:
            return self.told_outside("journey-not-open")
        if Who.SESSION in who and caller.session is not None:
            return await self._start_signed_in(begun, caller.session)
        if who == (Who.SESSION,):
            return self.told_outside("not-signed-in")
        if first is not None and first.step == "choose":
            return await self._start_choosing(begun, first)
        if first is not None and (first.step not in who or Who(first.step) in social.WHO):
            return self.told_outside("input-invalid", fields={"step": "not-offered"}, journey_name=name)
        try:
            claim = claim_of(first)
        except inputs.InvalidFields as wrong:
            return self.told_outside("input-invalid", fields=wrong.fields, journey_name=name)
        if claim is None or isinstance(claim, Returned):
            return await self._start_unnamed(begun)
        return await self._start_named(begun, claim)

    async def _start_unnamed(self, begun: Beginning) -> Reply:
        async with self._world.store.begin() as tx:
            turn = beginnings.fresh(self.house, tx, begun)
            await turn.save(moved=False)
            return await self._keep(turn, begun.as_answer, Reply(view=await turn.view(), is_new=True))

    async def _start_choosing(self, begun: Beginning, first: Answered) -> Reply:
        """Begin at another way than the first: a page that waits for a passkey asks once."""
        async with self._world.store.begin() as tx:
            turn = beginnings.fresh(self.house, tx, begun)
            await turn.save(moved=False)
            reply = msgspec.structs.replace(await steps.choose(turn, await turn.decide(), first), is_new=True)
            return await self._keep(turn, begun.as_answer, reply)

    async def _start_named(self, begun: Beginning, claim: identify.Claim) -> Reply:
        holder = await identify.ask_core(claim, self._world)
        async with self._world.store.begin() as tx:
            turn = beginnings.fresh(self.house, tx, begun)
            tapped = await self._tapped(turn, identify.digest_of(claim, self._world.keyring))
            if tapped is not None:
                return tapped
            reply = msgspec.structs.replace(await steps.identified(turn, claim, holder), is_new=True)
            return await self._keep(turn, begun.as_answer, reply)

    async def _start_signed_in(self, begun: Beginning, session: SessionRow) -> Reply:
        first = begun.first
        change = await numbers.ask_of_session(self.house.journeys[begun.name], session, self.house)
        async with self._world.store.begin() as tx:
            customer = await tx.customers.find(session.customer_id)
            if customer is None:
                return self.told_outside("session-ended")
            turn = beginnings.fresh(self.house, tx, begun)
            if first is not None and first.step == "choose":
                # Which account is to be linked: known before anything is asked, so that nobody chooses twice.
                way, first = first.answer.get("way"), None
                turn.change(errand=Errand(provider=Provider(way)) if way in set(Provider) else None)
            about = turn.state.errand.provider if turn.state.errand else ""
            digest = identify.digest_of_session(session.session_id + about, self._world.keyring)
            tapped = await self._tapped(turn, digest, first)
            reply = tapped or await self._begun(turn, digest, customer, session, change)
            asked = reply.view.step if reply.view is not None and reply.view.status == "open" else None
            if first is None or asked is None or asked.name != first.step:
                # Done at once, or something has to be proved again before: the answer is asked for after.
                return reply if tapped else await self._keep(turn, begun.as_answer, reply)
        if reply.view is None:
            raise LookupError("a journey that asks is shown")
        first = msgspec.structs.replace(first, version=reply.view.version)
        return msgspec.structs.replace(await self.answer(reply.view.id, begun.caller, first), is_new=reply.is_new)

    async def _begun(
        self, turn: Turn, digest: bytes, customer: Customer, session: SessionRow, change: LastChange | None
    ) -> Reply:
        turn.claim(digest)
        turn.change(
            who=Who.SESSION,
            subject=identify.of_customer(customer),
            evidence=tuple(Evidence(proof, at) for proof, at in session.evidence),
            session_id=session.session_id,
            device_id=session.device_id,
            cools_until=await self._cools_until(turn, session),
        )
        reply = await (steps.advance(turn) if change is None else steps.number_asked(turn, change))
        return msgspec.structs.replace(reply, is_new=True)

    async def _cools_until(self, turn: Turn, session: SessionRow) -> int:
        """Return until when the passkey that opened a session may have been a new one: of several, the newest."""
        used_at = max((at for proof, at in session.evidence if proof == PASSKEY.name), default=0)
        rows = await turn.tx.passkeys.of(session.customer_id) if used_at else ()
        return max((row.created_at + limits.COOLING_SECONDS for row in rows if row.created_at <= used_at), default=0)

    async def _tapped(self, fresh: Turn, digest: bytes, first: Answered | None = None) -> Reply | None:
        """Return the journey of a first tap, if this is a second one."""
        visitor, name = fresh.caller.visitor_digest, fresh.stored.name
        found = await fresh.tx.journeys.find_recent(visitor, name, digest, fresh.now - limits.CODE_TTL_SECONDS)
        if found is None and Who.LINK in fresh.row.who:  # what a link does is done when it begins
            since = fresh.now - limits.REPLAY_SECONDS
            found = await fresh.tx.journeys.find_recent(visitor, name, digest, since, "done")
        if found is None:
            return None
        turn = self._turn(fresh.tx, found, fresh.caller)
        if turn.status == "open" and not await beginnings.is_meant(turn, fresh.now - limits.RESEND_SECONDS):
            return None
        view = await turn.view()
        # An answer under its own key gets its own journey: there its first reply is found again, whatever came between.
        is_answered = first is not None and first.key is not None and view.step is not None
        return None if is_answered and view.step and first and view.step.name == first.step else Reply(view=view)

    async def pending(self, caller: Caller) -> Pending | None:
        """Return a journey that this browser began and has not ended, to go on with."""
        async with self._world.store.begin() as tx:
            rows = await tx.journeys.open_of(caller.visitor_digest, self._world.clock.now())
        return beginnings.shown(tuple((row, unseal(row, self._world.keyring)) for row in rows))

    # ------------------------------------------------------------ look

    async def look(self, journey_id: str, caller: Caller) -> Reply:
        """Say where a journey stands. Changes nothing."""
        async with self._world.store.begin() as tx:
            turn = await self._hold(tx, journey_id, caller)
            return turn if isinstance(turn, Reply) else Reply(view=await turn.view())

    # ------------------------------------------------------------ answer

    async def answer(self, journey_id: str, caller: Caller, answered: Answered) -> Reply:
        """Take one answer. The reply is where the journey stands now, or why not and what gets past it."""
        try:
            claim = claim_of(answered)
            holder = await identify.ask_core(claim, self._world) if claim else None
            async with self._world.store.begin() as tx:
                turn = await self._hold(tx, journey_id, caller)
                if isinstance(turn, Reply):
                    return turn
                early = await self._earlier(turn, answered) or await self._untimely(turn, answered)
                if early is not None:
                    return early
                result = await steps.take(turn, answered, claim, holder)
                if isinstance(result, Reply):
                    return await self._keep(turn, answered, result)
                if answered.key is not None or result.sharing is not None or result.number is not None:
                    await turn.save(moved=False, key=answered.key, request=answered.digest)
            return await self._finish(journey_id, caller, answered, result)
        except inputs.InvalidFields as wrong:
            return await self._refuse(journey_id, caller, answered, Refused(cause="input-invalid"), wrong.fields)
        except Taken as taken:
            cause = register.refusal_of(taken)
            fields = {"new_user_name": "taken"} if cause == "user-name-taken" else {}
            return await self._refuse(journey_id, caller, answered, Refused(cause=cause), fields)

    async def _untimely(self, turn: Turn, answered: Answered) -> Reply | None:
        if turn.status != "open":
            return await turn.told(Refused(cause="journey-ended"))
        if answered.version != turn.stored.version:
            return await turn.told(Refused(cause="journey-moved-on"))
        return None

    async def _finish(self, journey_id: str, caller: Caller, answered: Answered, slow: Slow) -> Reply:
        """Do the slow part outside, then write what came of it; when nothing can come of it, nothing was tried."""
        try:
            return await self._settled(journey_id, caller, answered, slow)
        except (Busy, Unreachable):
            await self._give_back(journey_id, caller, slow)
            raise

    async def _settled(self, journey_id: str, caller: Caller, answered: Answered, slow: Slow) -> Reply:
        work = await self._work(slow, journey_id, caller)
        async with self._world.store.begin() as tx:
            turn = await self._hold(tx, journey_id, caller)
            if isinstance(turn, Reply):
                return turn
            untimely = await self._untimely(turn, answered)
            if untimely is not None:
                return untimely
            reply = await self._settle(turn, slow, work)
            return await self._keep(turn, answered, reply)

    async def _give_back(self, journey_id: str, caller: Caller, slow: Slow) -> None:
        """Take the charge back, and let the same answer be sent again. A house too busy for that stays strict."""
        with suppress(Busy):
            async with self._world.store.begin() as tx:
                turn = await self._hold(tx, journey_id, caller)
                if isinstance(turn, Turn):
                    if slow.proof is not None:
                        await slow.proof.refund(slow.ticket, turn.situation())
                    await turn.forget_answer()

    async def _settle(self, turn: Turn, slow: Slow, work: Any) -> Reply:
        if slow.proof is not None:
            reply = await steps.settle(turn, slow.proof, work, slow.ticket)
            if isinstance(reply, Slow):
                raise TypeError("a slow proof led to more slow work")
            return reply
        if slow.social is not None:
            return await steps.came_back(turn, slow.social, work)
        if slow.sharing is not None:
            return await steps.shared(turn, work)
        if slow.number is not None:
            return await steps.number_asked(turn, work)
        if isinstance(work, Refused):
            return await (steps.objected if work.fields else steps.end)(turn, work)
        return await steps.perform(turn, work)

    async def _work(self, slow: Slow, journey_id: str, caller: Caller) -> Any:
        if slow.proof is not None:
            return await slow.proof.compare(slow.typed, slow.ticket, self._world)
        if slow.social is not None:
            return await social.ask(slow.social, self._world)
        if slow.sharing is not None:
            return await self._world.core.cards_bound_to(slow.sharing)
        if slow.number is not None:
            return await numbers.ask(slow.number, self._world)
        async with self._world.store.begin() as tx:
            turn = await self._hold(tx, journey_id, caller)
        if isinstance(turn, Reply):
            return Refused(cause="journey-unknown")
        return await self.house.acts[turn.row.act].prepare(slow.given, turn.subject, self._world)

    # ------------------------------------------------------------ holding, keys, replies

    async def _hold(self, tx: UnitOfWork, journey_id: str, caller: Caller) -> Turn | Reply:
        """Read and hold a journey of this browser. Another's does not exist."""
        stored = await tx.journeys.lock(journey_id)
        if stored is None or not secrets.compare_digest(stored.visitor_digest, caller.visitor_digest):
            return self.told_outside("journey-unknown")
        turn = self._turn(tx, stored, caller)
        if turn.status == "open" and stored.expires_at <= turn.now:
            turn.status = "expired"
            return await turn.told(Refused(cause="journey-expired"))
        return turn

    def _turn(self, tx: UnitOfWork, stored: JourneyRow, caller: Caller) -> Turn:
        state = unseal(stored, self._world.keyring)
        return Turn(self.house, tx, caller, stored, state, self._world.clock.now(), stored.status)

    async def _earlier(self, turn: Turn, answered: Answered) -> Reply | None:
        """Return the reply that this very answer got before."""
        if answered.key is None or turn.stored.last_key != answered.key:
            return None
        if turn.stored.last_request != answered.digest:
            return self.told_outside("key-reused")
        if turn.stored.last_reply is None:
            return self.told_outside("still-working", retry_in_seconds=1)
        place = f"journey.last_reply:{turn.stored.journey_id}"
        at, reply = _REPLIES.decode(self._world.keyring.decrypt(turn.stored.last_reply, place))
        if at + limits.REPLAY_SECONDS <= turn.now:
            return None
        stands = turn.status == "open" and reply.view is not None and reply.view.version == turn.stored.version
        return msgspec.structs.replace(reply, view=await turn.view()) if stands else reply

    async def _keep(self, turn: Turn, answered: Answered, reply: Reply) -> Reply:
        """Keep the reply under the answer's key."""
        if answered.key is not None:
            place = f"journey.last_reply:{turn.stored.journey_id}"
            sealed = self._world.keyring.encrypt(msgspec.json.encode((turn.now, reply)), place)
            await turn.save(moved=False, key=answered.key, request=answered.digest, reply=sealed)
        return reply

    async def _refuse(
        self, journey_id: str, caller: Caller, answered: Answered, refused: Refused, fields: Mapping[str, str]
    ) -> Reply:
        """Tell what was wrong with the input; the transaction that found out was rolled back."""
        async with self._world.store.begin() as tx:
            turn = await self._hold(tx, journey_id, caller)
            if isinstance(turn, Reply):
                return turn
            early = await self._earlier(turn, answered) if turn.stored.last_reply else None
            early = early or await self._untimely(turn, answered)
            return early or await self._keep(turn, answered, await turn.told(refused, fields))

    def told_outside(
        self,
        cause: str,
        *,
        retry_in_seconds: int | None = None,
        fields: Mapping[str, str] | None = None,
        journey_name: str | None = None,
    ) -> Reply:
        """Return a refusal that belongs to no journey under way."""
        around = engine.Around(retry_in_seconds=retry_in_seconds, journey=journey_name)
        refusal = engine.refuse(cause, Tier.ANYONE, around, self.house.journeys)
        told = Told(
            cause=refusal.cause.name,
            status=refusal.cause.status,
            remedies=refusal.remedies,
            retry_in_seconds=refusal.retry_in_seconds,
            fields=fields or {},
            journey_name=journey_name,
        )
        return Reply(told=told)


_REPLIES = msgspec.json.Decoder(tuple[int, Reply])
