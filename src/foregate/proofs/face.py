"""Proof `face` (are): never alone, and only after possession.

Rules
  1. The server asks, one thing at a time: look straight, then random gestures. What comes next is not known to anybody
     before the pictures of what came before were taken. A challenge lives 60 seconds, which an answer has to begin in;
     how long it is on its way counts only beyond FACE_SENDING_SECONDS. It belongs to one journey: its
     name is signed for both, and only the newest counts.
  2. Only pictures count. What a client says it saw in them cannot be said here.
  3. A picture is accepted once.
  4. A try is charged before pictures are looked at. It is given back when better pictures mend it (too dark, too near),
     when nothing could be compared, and when the challenge goes on; there is an end to each of these.
  5. What was seen is numbers that know a face: sealed while the challenge lasts, forgotten with its end.

Sources: NIST SP 800-63B-4, 3.2.3; BIO-01, 05, 06, 08.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from hmac import compare_digest
from typing import Final

import msgspec

from foregate import face_pictures
from foregate.ports import CounterRow, Unreachable
from foregate.ports.face import BadPicture, Look, Unusable
from foregate.ports.face_records import FaceChallengeRow, FaceTemplateRow
from foregate.proofs import More, Proved, guessed
from foregate.rules import documents, inputs, limits
from foregate.rules.causes import FACE_QUALITY, when_off
from foregate.rules.faces import CAUSE_OF, Closeness, Failure, Flaw, is_mendable
from foregate.rules.gestures import Gesture
from foregate.rules.words import FACE
from foregate.situation import Refused, Situation, World

PROOF = FACE
CAUSES = (
    *FACE_QUALITY, "face-gesture-missed", "face-challenge-over", "face-not-live", "face-not-you", "face-expired",
    "face-none", "face-off", "face-nothing-expired", "face-document-expired", "proof-blocked",
)  # fmt: skip
QUICK = False
# A face that expired is not compared at all: so, whose document is good hears that nothing has expired.
DIAGNOSED: Final = {None: "face-not-you", True: "face-document-expired", False: "face-nothing-expired"}
LOOK_STRAIGHT: Final = "look-straight"
END_DIGITS: Final = 12  # of a time in seconds


class Answer(inputs.Answer, frozen=True):
    """Pictures, of what was asked for: the challenge and its part as the step shows them."""

    challenge: inputs.Choice
    part: inputs.Choice
    pictures: inputs.Pictures


ANSWER = Answer


class Challenge(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked, how far it got, what was seen, and how often something was begun or could not be used."""

    name: str = ""  # empty: over
    ends_at: int = 0
    gestures: tuple[Gesture, ...] = ()
    done: int = 0
    looks: tuple[Look, ...] = ()
    begun: int = 0
    faults: int = 0

    @property
    def part(self) -> str:
        """What is to be done now."""
        return self.gestures[self.done - 1].value if self.done else LOOK_STRAIGHT

    @property
    def is_last(self) -> bool:
        """True when nothing is asked after this part."""
        return self.done == len(self.gestures)

    def asks(self, answer: Answer) -> bool:
        """Say whether `answer` is to what is asked now."""
        is_this = bool(self.name) and compare_digest(self.name.encode(), answer.challenge.encode())
        return is_this and self.part == answer.part


class Ticket(msgspec.Struct, frozen=True):
    """A charged try: the challenge as it was, and what to compare with."""

    charged: CounterRow
    challenge: Challenge
    template: FaceTemplateRow
    core_ref: str | None
    match_from: int  # hundredths of cosine
    digests: tuple[bytes, ...]


class Seen(msgspec.Struct, frozen=True):
    """What came of looking. `is_close` is None before the last part."""

    fault: Flaw | Failure | None = None
    looks: tuple[Look, ...] = ()
    is_close: bool | None = None
    is_document_over: bool | None = None  # None: it was not looked


async def offer(at: Situation) -> Refused | None:
    """Say at once that a face has expired: nobody has to look into a camera to hear it."""
    template = await template_of(at)
    return template if isinstance(template, Refused) and template.cause == "face-expired" else None


async def begin(at: Situation) -> Refused | None:
    """Make a challenge: its first part is told, the gestures are not."""
    refused = await template_of(at)
    if isinstance(refused, Refused):
        return refused
    before = await _challenge(at) or Challenge()
    if before.begun >= limits.FACE_CHALLENGES or before.faults >= limits.FACE_FAULTS:
        return Refused(cause="face-challenge-over")
    await _keep(at, _begun(before, at))
    return None


def _begun(before: Challenge, at: Situation) -> Challenge:
    left = list(Gesture)
    drawn = tuple(left.pop(secrets.randbelow(len(left))) for _ in range(limits.FACE_GESTURES))
    ends_at = at.now + limits.FACE_CHALLENGE_SECONDS
    return Challenge(
        name=_signed(secrets.token_hex(16), ends_at, at),
        ends_at=ends_at,
        gestures=drawn,
        begun=before.begun + 1,
        faults=before.faults,
    )


def _signed(nonce: str, ends_at: int, at: Situation) -> str:
    signature = at.world.keyring.derive("face-challenge", f"{at.journey_id}:{nonce}:{ends_at}".encode())
    return f"{nonce}.{ends_at}.{signature.hex()}"


def _is_signed(name: str, at: Situation) -> bool:
    """Say whether this server made this name for this journey, and its time is not over."""
    nonce, _, rest = name.partition(".")
    ends_at = rest.partition(".")[0]
    if not (ends_at.isascii() and ends_at.isdigit() and len(ends_at) <= END_DIGITS) or int(ends_at) <= _begun_at(at):
        return False
    return compare_digest(_signed(nonce, int(ends_at), at).encode(), name.encode())


def _begun_at(at: Situation) -> int:
    """Return when the answer began to come in: on a slow line that is long before its last picture."""
    return at.now - min(at.sending_seconds, int(limits.FACE_SENDING_SECONDS))


async def template_of(at: Situation) -> FaceTemplateRow | Refused:
    """Return the customer's template, or why there is none to compare with."""
    template = await at.tx.faces.find(at.subject.customer_id)
    if template is None:
        return Refused(cause="face-none")
    is_known = at.world.faces is not None and at.world.faces.engine_id == template.engine_id
    return template if is_known and template.expires_at > at.now else Refused(cause="face-expired")


async def facts(at: Situation) -> Mapping[str, str | int]:
    """Return what to do now, and for how long; nothing before the visitor has begun."""
    challenge = None if at.is_fresh else await _challenge(at)
    if challenge is None or challenge.ends_at <= at.now:
        return {}
    return {
        "challenge": challenge.name,
        "part": challenge.part,
        "parts_left": 1 + len(challenge.gestures) - challenge.done,
        "challenge_expires_in_seconds": challenge.ends_at - at.now,
    }


async def charge(answer: Answer, at: Situation) -> Ticket | Refused:
    """Count the try, for pictures of what is asked."""
    challenge = await _challenge(at)
    if not _is_signed(answer.challenge, at) or challenge is None or not challenge.asks(answer):
        return Refused(cause="face-challenge-over")
    template = await template_of(at)
    if isinstance(template, Refused):
        return template
    charged = await guessed.charge(PROOF, at, at.tx.counters.charge)
    if isinstance(charged, Refused):
        return charged
    digests = face_pictures.digests(at.world.keyring, answer.pictures)
    # What it buys lasts, where it buys no session: a new password, an open login. There the face has to be nearer.
    match_from = limits.FACE_MATCH if at.row.session else limits.FACE_MATCH_STEP_UP
    return Ticket(charged, challenge, template, at.subject.core_ref, match_from, digests)


async def compare(answer: Answer, ticket: Ticket, world: World) -> Seen:
    """Look at the pictures: quality before life, life before who it is. Raises Busy, Unreachable."""
    engine, challenge = world.faces, ticket.challenge
    if engine is None:
        raise Unreachable("face is not open")
    try:
        pictures = face_pictures.decoded(answer.pictures)
        if not challenge.done:
            looks = await engine.look(pictures)
            return Seen(engine.judge(looks), looks)
        watched = await engine.watch(pictures)
    except BadPicture:
        return Seen(Failure.TOO_FEW)
    fault = engine.judge_gesture(challenge.gestures[challenge.done - 1], challenge.looks, watched)
    if fault is not None or not challenge.is_last:
        return Seen(fault, challenge.looks)
    key = face_pictures.key_of(world.keyring, ticket.template.customer_id, ticket.template.salt)
    try:
        closeness = engine.compare(challenge.looks, ticket.template.template, key, ticket.match_from)
    except Unusable:
        closeness = Closeness.FAR
    is_close = closeness in (Closeness.SAME, Closeness.SURELY_SAME)
    return Seen(None, (), is_close, None if is_close else await _is_document_over(ticket, world))


async def _is_document_over(ticket: Ticket, world: World) -> bool | None:
    if ticket.charged.in_a_row < limits.FACE_DIAGNOSED_FROM or ticket.core_ref is None:
        return None
    person = await world.core.person(ticket.core_ref)
    if person is None:
        return None
    today = documents.day_of(world.clock.now())
    return not documents.standing_on(person.document_expires_on, today).state.is_good


async def refund(ticket: Ticket, at: Situation) -> None:
    """Give the try back."""
    await guessed.refund(ticket.charged, at)


async def settle(seen: Seen, ticket: Ticket, at: Situation) -> Proved | More | Refused:
    """Go on, prove, or refuse; of two answers to one part one counts."""
    challenge = await _challenge(at)
    if challenge is None or (challenge.name, challenge.done) != (ticket.challenge.name, ticket.challenge.done):
        # Another answer came first. What was seen here is told to nobody and counts for nothing, so it costs nothing.
        await refund(ticket, at)
        return Refused(cause="face-challenge-over")
    if seen.fault is not None and is_mendable(seen.fault):
        return await _mendable(seen.fault, challenge, ticket, at)
    until = at.now + limits.FACE_ONCE_DAYS * limits.DAY
    if not await at.tx.faces.note_pictures(ticket.digests, until):
        return await _failed("face-not-live", challenge, ticket, at)
    if seen.fault is not None:
        return await _failed(CAUSE_OF[seen.fault], challenge, ticket, at)
    if seen.is_close is None:
        await refund(ticket, at)
        await _keep(at, msgspec.structs.replace(challenge, done=challenge.done + 1, looks=seen.looks))
        return More()
    if not seen.is_close:
        return await _failed(DIAGNOSED[seen.is_document_over], challenge, ticket, at)
    await _end(challenge, at)
    return await guessed.settle(PROOF, True, ticket.charged, at, wrong="face-not-you")


async def _mendable(fault: Flaw | Failure, challenge: Challenge, ticket: Ticket, at: Situation) -> Refused:
    await refund(ticket, at)
    after = msgspec.structs.replace(challenge, faults=challenge.faults + 1)
    if after.faults >= limits.FACE_FAULTS:
        await _end(after, at)
    else:
        await _keep(at, after)
    return Refused(cause=CAUSE_OF[fault])


async def _failed(cause: str, challenge: Challenge, ticket: Ticket, at: Situation) -> Refused:
    """The challenge is over, and the try stays charged. Too many in all turn the proof off, and not the login."""
    await _end(challenge, at)
    if ticket.charged.total >= limits.FACE_FAILURES:
        return Refused(cause=when_off(PROOF.name))
    verdict = await guessed.settle(PROOF, False, ticket.charged, at, wrong=cause)
    return verdict if isinstance(verdict, Refused) else Refused(cause=cause)


# ---------------------------------------------------------------- the challenge, as it is kept


async def _challenge(at: Situation) -> Challenge | None:
    row = await at.tx.faces.challenge(at.journey_id)
    if row is None:
        return None
    plain = at.world.keyring.decrypt(row.state, f"face_challenge.state:{at.journey_id}")
    return msgspec.msgpack.decode(plain, type=Challenge)


async def _end(challenge: Challenge, at: Situation) -> None:
    """Forget what was seen, and what was asked; how often it was asked is remembered as long as the journey lives."""
    await _keep(at, Challenge(begun=challenge.begun, faults=challenge.faults))


async def _keep(at: Situation, challenge: Challenge) -> None:
    sealed = at.world.keyring.encrypt(msgspec.msgpack.encode(challenge), f"face_challenge.state:{at.journey_id}")
    row = FaceChallengeRow(journey_id=at.journey_id, state=sealed, expires_at=at.now + limits.JOURNEY_SECONDS)
    await at.tx.faces.put_challenge(row)
