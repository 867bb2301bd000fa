"""A beginning that is sent again, and a journey that somebody comes back to.

Rules
  1. With a key the journey's id follows from visitor and key: however often and however late the same beginning is
     sent, there is one journey, and for REPLAY_SECONDS the first reply.
  2. A page that a cache may keep carries no key. There the natural one serves: this browser, this journey, this
     claim. For RESEND_SECONDS any such journey under way is meant; after that only one that nobody has answered and
     whose code still works, for whoever waits for a code has to be able to get another one.
  3. What a browser is told of a journey it began earlier is its name and where it goes on. A journey that a session
     began is not told of once the session may be over: the next person at a shop's tablet is not its owner.
"""

from __future__ import annotations

import msgspec
from msgspec.structs import replace

from foregate.desk.answers import Answered
from foregate.desk.state import State
from foregate.desk.turn import Caller, House, Turn
from foregate.desk.view import Pending
from foregate.ids import derived_id, new_id
from foregate.ports import JourneyRow, UnitOfWork
from foregate.rules import limits
from foregate.rules.words import PROOFS, Who
from foregate.situation import World


class Beginning(msgspec.Struct, frozen=True, kw_only=True):
    """A request to begin: which journey, who asks, the answer to its first step, and the key that makes it one."""

    name: str
    caller: Caller
    first: Answered | None = None
    key: str | None = None

    @property
    def said(self) -> str:
        """What tells this beginning from another under the same key."""
        return f"{self.name} {self.first.digest.hex() if self.first else ''}"

    @property
    def as_answer(self) -> Answered:
        """What its reply is kept under."""
        first = self.first or Answered(version=1, step="", answer={})
        return replace(first, key=self.key)

    def journey_id(self, world: World) -> str:
        """Return the id of the journey that begins: a new one, or under a key the one that the key stands for."""
        if self.key is None:
            return new_id()
        return derived_id(world.keyring, "journey-begun", f"{self.caller.visitor_digest.hex()} {self.key}")


def fresh(house: House, tx: UnitOfWork, begun: Beginning) -> Turn:
    """Return a turn of a journey that is about to begin."""
    now = house.world.clock.now()
    stored = JourneyRow(
        journey_id=begun.journey_id(house.world),
        name=begun.name,
        version=1,
        status="open",
        visitor_digest=begun.caller.visitor_digest,
        customer_id=None,
        claim_digest=None,
        state=b"",
        created_at=now,
        expires_at=now + limits.JOURNEY_SECONDS,
    )
    state = State(language=begun.caller.language, begun_by=begun.said if begun.key is not None else "")
    return Turn(house, tx, begun.caller, stored, state, now, is_fresh=True)


async def is_meant(turn: Turn, began_until: int) -> bool:
    """Say whether who begins again means this journey: it began just now, or nobody has answered it yet."""
    if turn.stored.created_at >= began_until:
        return True
    if not all(PROOFS[evidence.proof].silent for evidence in turn.state.evidence):
        return False
    code = await turn.tx.codes.find(turn.stored.journey_id)
    return code is None or (code.sends > 0 and code.expires_at > turn.now and code.tries < limits.CODE_TRIES)


def shown(rows: tuple[tuple[JourneyRow, State], ...]) -> Pending | None:
    """Return the newest of these journeys that its browser may be told of."""
    mine = (row for row, state in rows if state.who is not None and state.who is not Who.SESSION)
    row = next(mine, None)
    return Pending(row.journey_id, row.name) if row is not None else None
