"""The steps of a journey, each inside the transaction of its turn: match the answer, prove, pick, advance, perform.

The desk calls `take` with an answer to the step that is asked; everything after follows from what the engine decides.
"""

from __future__ import annotations

from typing import Any

from foregate.acts import Done
from foregate.acts.social import Found, digests_of
from foregate.desk import bookings, identify, numbers, social
from foregate.desk.answers import Answered, Slow, typed
from foregate.desk.turn import Turn
from foregate.desk.view import Reply
from foregate.ports import CardHolder, Event
from foregate.proofs import More, ProofKind, device, face, passkey, phone_code
from foregate.rules import engine, inputs, limits, masks, permission
from foregate.rules.engine import Identify, Inform, Perform, Pick, Prove, Stuck
from foregate.rules.numbers import CAUSE, LastChange
from foregate.rules.permission import Permission
from foregate.rules.social_inputs import Returned
from foregate.rules.words import PHONE_CODE, Tier, Who
from foregate.situation import Evidence, Refused
from foregate.tokens import parse

PASSKEY_OPTIONS = "passkey-options"


async def take(
    turn: Turn, answered: Answered, claim: identify.Claim | Returned | None, holder: CardHolder | None
) -> Reply | Slow:
    """Match the answer with what is asked. Returns the reply, or what has to be finished outside."""
    decision = await turn.decide()
    match decision:
        case _ if answered.step == "choose":
            return await choose(turn, decision, answered)
        case Identify(who=who) if answered.step in who and claim is not None:
            if isinstance(claim, Returned):
                return await social.returned(turn, answered, claim, decision)
            return await identified(turn, claim, holder)
        case _ if answered.step == PASSKEY_OPTIONS:
            return await _ask_authenticator(turn, decision)
        case Prove(proof=proof) if answered.step in ("resend", "text-us") and proof.name == "phone_code":
            return await _by_phone(turn, answered.step)
        case Prove(proof=proof) if answered.step == "begin" and proof.name == "face":
            return await _begin_face(turn)
        case Prove(proof=proof) if answered.step == proof.name:
            return await _prove(turn, turn.house.proofs[proof.name], answered)
        case Pick() if answered.step == "pick":
            return await _pick(turn, answered)
        case Inform() if answered.step == social.AUTHORIZE and social.is_asked(decision, turn):
            return await social.begin(turn, answered)
        case Inform() if answered.step == turn.row.act and social.is_asked(decision, turn):
            return await social.returned(turn, answered, typed(Returned, answered.answer), decision)
        case Inform() if answered.step == turn.row.act:
            wanted = turn.house.acts[turn.row.act].INPUT
            return Slow(prepares=True, given=typed(wanted, answered.answer) if wanted else None)
    return await turn.told(Refused(cause="journey-moved-on"))


async def choose(turn: Turn, decision: engine.Decision, answered: Answered) -> Reply:
    """Take another way: of saying who one is, or of proving it."""
    way = answered.answer.get("way")
    match decision:
        case Identify(who=who) if way in who:
            turn.change(chosen=way)
            if way == Who.PASSKEY:
                await passkey.draw(turn.situation())
            await turn.save(moved=True)
            return Reply(view=await turn.view())
        case Prove(others=others) if any(proof.name == way for proof in others):
            turn.change(chosen=way)
            return await advance(turn)
    return await turn.told(Refused(cause="journey-moved-on"))


async def identified(turn: Turn, claim: identify.Claim, holder: CardHolder | None) -> Reply:
    """The visitor said who they are. A remembered device of that very customer counts from here on."""
    keyring = turn.house.world.keyring
    if isinstance(claim, identify.ByPasskey):
        return await _by_passkey(turn, claim)
    subject = await identify.subject_of(claim, holder, turn.tx, keyring)
    if isinstance(claim, identify.ByBooking) and (objected := await bookings.objection(turn, claim)) is not None:
        return objected
    who = next(who for who, kind in identify.CLAIMS.items() if isinstance(claim, kind))
    turn.change(who=who, subject=subject, chosen=None)
    turn.claim(identify.digest_of(claim, keyring))
    if isinstance(claim, identify.ByLink):
        return await _by_link(turn, claim)
    await _recognise(turn)
    return await advance(turn)


async def _recognise(turn: Turn) -> None:
    """Look whether this browser is one that the customer asked to remember."""
    seen = await device.recognise(parse(turn.caller.device), turn.subject.customer_id, turn.tx)
    if seen is None:
        return
    turn.change(evidence=(*turn.state.evidence, Evidence("device", turn.now)), device_id=seen.device_id)
    if seen.seen_at + limits.DEVICE_TOUCH_SECONDS <= turn.now:
        await turn.tx.devices.touch(seen.customer_id, seen.device_id, turn.now)


async def came_back(turn: Turn, trip: social.Trip, found: Found | Refused) -> Reply:
    """The provider answered. Whatever it said, the state and the code are spent."""
    if isinstance(found, Refused):
        await turn.save(moved=True)
        reply = await turn.told(found)
        details: dict[str, str | int] = {"journey": turn.row.name, "provider": trip.provider, "cause": found.cause}
        await _record(turn, "provider-refused", details)
        return reply
    return await perform(turn, found) if trip.links else await _recognised(turn, found)


async def _recognised(turn: Turn, found: Found) -> Reply:
    """The account says who they are, and is something they have. A remembered device of that customer counts too."""
    keyring = turn.house.world.keyring
    holder = await turn.tx.social.holder(found.provider, digests_of(found.provider, found.names, keyring))
    customer = await turn.tx.customers.find(holder) if holder is not None else None
    if customer is None:
        return await end(turn, Refused(cause="social-not-linked"))
    turn.change(
        who=Who(found.provider),
        subject=identify.of_customer(customer),
        chosen=None,
        evidence=(Evidence("social", turn.now),),
    )
    await _recognise(turn)
    await turn.tx.social.touch(customer.customer_id, found.provider, turn.now)
    return await advance(turn)


async def _by_link(turn: Turn, claim: identify.ByLink) -> Reply:
    """The link is all that is said and all that is shown: it is used in the transaction of the act that it buys."""
    digest = turn.house.world.keyring.digest("stop-link", claim.token)
    if not await turn.tx.stop_links.use(digest, turn.now):
        return await end(turn, Refused(cause="link-over"))
    turn.change(evidence=(Evidence("notice_link", turn.now),))
    return await advance(turn)


async def _by_passkey(turn: Turn, claim: identify.ByPasskey) -> Reply:
    """Nobody typed a name: the key that signed is found, checked and counted, and says whose it is."""
    at, given = turn.situation(), passkey.Answer(claim.credential)
    ticket = await passkey.take(claim.credential, at)
    verdict = await passkey.settle(await passkey.compare(given, ticket, at.world), ticket, at)
    customer = await turn.tx.customers.find(ticket.row.customer_id) if ticket.row else None
    if isinstance(verdict, Refused) or customer is None:
        turn.change(chosen=Who.PASSKEY.value)
        return await _refused(turn, passkey.PROOF.name, Refused(cause="not-recognised"))
    turn.change(
        who=Who.PASSKEY,
        subject=identify.of_customer(customer),
        chosen=None,
        evidence=(Evidence(passkey.PROOF.name, turn.now),),
        cools_until=verdict.cools_until,
    )
    turn.claim(identify.digest_of(claim, at.world.keyring))
    await _recognise(turn)
    return await advance(turn)


async def _ask_authenticator(turn: Turn, decision: engine.Decision) -> Reply:
    """A new challenge, for a page that stood open longer than one lives."""
    if not turn.asks_authenticator(decision):
        return await turn.told(Refused(cause="journey-moved-on"))
    await passkey.draw(turn.situation())
    await turn.save(moved=False)
    return Reply(view=await turn.view())


# ---------------------------------------------------------------- proofs


async def _prove(turn: Turn, kind: ProofKind, answered: Answered) -> Reply | Slow:
    given = typed(kind.ANSWER, answered.answer)
    if kind.PROOF is PHONE_CODE and (owed := _owed(turn)) is not None:
        return owed  # it was right, and is used up: only the answer is missing
    ticket = await kind.charge(given, turn.situation())
    turn.look_anew()
    if isinstance(ticket, Refused):
        return await _refused(turn, kind.PROOF.name, ticket)
    if not kind.QUICK:
        return Slow(proof=kind, typed=given, ticket=ticket)
    is_right = await kind.compare(given, ticket, turn.house.world)
    return await settle(turn, kind, is_right, ticket)


async def settle(turn: Turn, kind: ProofKind, compared: Any, ticket: Any) -> Reply | Slow:
    """Write down what came of a comparison."""
    verdict = await kind.settle(compared, ticket, turn.situation())
    if isinstance(verdict, More):
        await turn.save(moved=True)
        return Reply(view=await turn.view())
    if isinstance(verdict, Refused):
        return await _refused(turn, kind.PROOF.name, verdict)
    return await _proved(turn, kind.PROOF.name, verdict.cools_until)


async def _begin_face(turn: Turn) -> Reply:
    """The visitor is ready: a challenge, and its seconds run from now."""
    refused = await face.begin(turn.situation())
    if refused is not None:
        return await _refused(turn, "face", refused)
    await turn.save(moved=True)
    return Reply(view=await turn.view())


async def _by_phone(turn: Turn, action: str) -> Reply | Slow:
    """Another code, or the text that the customer sent us."""
    if (owed := _owed(turn)) is not None:
        return owed  # as in `_prove`; another code would prove nothing new
    if action == "resend":
        refused = await phone_code.offer(turn.situation())
        await turn.save(moved=False)
        return await turn.told(refused) if refused else Reply(view=await turn.view())
    verdict = await phone_code.texted(turn.situation())
    if isinstance(verdict, Refused):
        return await turn.told(verdict)
    return await _proved(turn, "phone_code")


async def _proved(turn: Turn, proof: str, cools_until: int = 0) -> Reply | Slow:
    turn.change(evidence=(*turn.state.evidence, Evidence(proof, turn.now)), chosen=None)
    if cools_until:
        turn.change(cools_until=cools_until)
    if proof == PHONE_CODE.name:
        turn.change(number=None, is_placed=False)
        if (owed := _owed(turn)) is not None:
            return owed
    return await advance(turn)


def _owed(turn: Turn) -> Slow | None:
    """Return what has to be asked before a code that was right counts: whose number it is, whether it changed hands."""
    if numbers.is_unplaced(turn):
        return Slow(sharing=turn.subject.phone or "")
    return Slow(number=turn.subject.phone) if numbers.is_owed(turn) else None


async def number_asked(turn: Turn, change: LastChange) -> Reply:
    """Somebody said whether the number changed hands. In doubt the code counts for nothing; its holder hears why."""
    turn.change(number=await numbers.judged(turn, change))
    reply = await advance(turn)
    if not numbers.doubted(turn) or turn.tier is Tier.CUSTOMER:
        return reply
    details: dict[str, str | int] = {"journey": turn.row.name, "proof": PHONE_CODE.name, "cause": CAUSE}
    await _record(turn, "proof-refused", details | {"change": "recent" if change.is_known else "unknown"})
    # Where another way is left nobody is told to wait.
    return reply if reply.told is not None else await turn.told(Refused(cause=CAUSE))


async def _refused(turn: Turn, proof: str, refused: Refused) -> Reply:
    """Write the refusal down. Too many in a row close the lane they came by; with no way left the journey ends."""
    details: dict[str, str | int] = {"journey": turn.row.name, "proof": proof, "cause": refused.cause}
    if (refused.failures_in_a_row or 0) >= limits.PERMISSION_FAILURES and turn.row.needs_permission:
        await _close_lane(turn)
        refused = Refused(cause="closed-by-failures")
        turn.end("refused")
    elif await _is_stuck(turn, refused):
        turn.end("refused")
    await turn.save(moved=turn.status != "open")
    reply = await turn.told(refused)
    await _record(turn, "proof-refused", details)
    return reply


async def _is_stuck(turn: Turn, refused: Refused) -> bool:
    decision = await turn.decide()
    match decision:
        case Prove(others=()) if refused.cause == "code-used-up":
            return True
        case Stuck():
            return True
    return False


async def _close_lane(turn: Turn) -> None:
    was = (await turn.tx.permissions.of(turn.subject.customer_id)).get(turn.lane, Permission.OPEN)
    if was is Permission.OPEN:
        to = permission.after(was, permission.Event.FAILED_TOO_OFTEN)
        await turn.tx.permissions.move(turn.subject.customer_id, turn.lane, was, to, turn.now)
        await _record(turn, "permission-closed", {"by": "failures", "lane": turn.lane})


# ---------------------------------------------------------------- on to the next step


async def advance(turn: Turn) -> Reply:
    """Decide again, and do what follows: send the code, ask, or perform the act."""
    decision = await turn.decide()
    # What closes the login is looked at again when the act is performed; before that it spares a person the next step.
    objection = await turn.objection(is_last=isinstance(decision, Perform))
    if objection is None and turn.tier is Tier.CUSTOMER:
        objection = await turn.house.acts[turn.row.act].admit(turn.situation())
    if objection is not None:
        return await end(turn, objection)
    match decision:
        case Perform():
            return await perform(turn, None)
        case Stuck(cause=cause):
            return await end(turn, numbers.refusal(turn, cause))
        case Prove(proof=proof):
            refused = await turn.house.proofs[proof.name].offer(turn.situation())
            await turn.save(moved=True)
            # Too soon is no refusal of the journey: the page waits, or takes the text from the phone.
            return await turn.told(refused) if refused else Reply(view=await turn.view(decision))
    await turn.save(moved=True)
    return Reply(view=await turn.view(decision))


async def objected(turn: Turn, refused: Refused) -> Reply:
    """What was typed for the act is not right: written down, and told beside the fields. The journey goes on."""
    reply = await turn.told(refused, refused.fields)
    await _record(turn, "details-refused", {"journey": turn.row.name, "cause": refused.cause})
    return reply


async def end(turn: Turn, refused: Refused) -> Reply:
    """The journey cannot go on for this customer."""
    turn.end("refused")
    await turn.save(moved=True)
    reply = await turn.told(refused)
    await _record(turn, "journey-refused", {"journey": turn.row.name, "cause": refused.cause})
    return reply


async def perform(turn: Turn, prepared: Any) -> Reply:
    """Do the act. Permission is looked at again, under the customer's hold, so that a freeze just now counts."""
    customer = turn.customer = await turn.tx.customers.hold(turn.subject.customer_id)
    if customer is not None and customer.ended_at >= turn.stored.created_at and not turn.is_fresh:
        return await end(turn, Refused(cause="journey-ended"))
    against = await turn.cooling() or (await turn.closed() if turn.row.needs_permission else None)
    if against is not None:
        return await end(turn, against)
    done = await turn.house.acts[turn.row.act].perform(prepared, turn.situation())
    if isinstance(done, Refused):
        return await end(turn, done)
    turn.end("done")
    session = done.session.level.value if done.session else None
    turn.change(outcome_session=session, outcome_facts=dict(done.facts))
    await turn.save(moved=True)
    return await _reply_of(done, turn)


async def _reply_of(done: Done, turn: Turn) -> Reply:
    return Reply(
        view=await turn.view(),
        session_token=done.session_token.text() if done.session_token else None,
        device_token=done.device_token.text() if done.device_token else None,
        ends_session=done.ends_session,
    )


async def _pick(turn: Turn, answered: Answered) -> Reply:
    picked = typed(identify.PickAnswer, answered.answer).customer
    customer = await turn.tx.customers.find(picked)
    if customer is None or picked not in {customer_id for customer_id, _ in turn.state.candidates}:
        raise inputs.InvalidFields({"customer": "not-offered"})
    turn.change(subject=identify.of_customer(customer), candidates=())
    return await advance(turn)


async def shared(turn: Turn, holders: tuple[CardHolder, ...]) -> Reply:
    """Several people may share the number: its registered customer, and those whose card it is bound to."""
    turn.change(is_placed=True)
    ids = [turn.subject.customer_id] if turn.subject.known else []
    ids += [identify.customer_id_of(turn.house.world.keyring, holder.core_ref) for holder in holders]
    customers = [await turn.tx.customers.find(customer_id) for customer_id in dict.fromkeys(ids)]
    found = [customer for customer in customers if customer is not None]
    if not found:
        return await end(turn, Refused(cause="not-registered"))
    if len(found) == 1:
        turn.change(subject=identify.of_customer(found[0]))
    else:
        turn.change(candidates=tuple((c.customer_id, masks.mask_name(c.name)) for c in found))
    return await advance(turn)


async def _record(turn: Turn, kind: str, details: dict[str, str | int]) -> None:
    at = turn.situation()
    event = Event(chain=at.chain, kind=kind, journey_id=at.journey_id, source=at.source, details=details)
    await turn.tx.audit.record(event, turn.now)
