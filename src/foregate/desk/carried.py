"""What a visitor typed in one journey and need not type again in the next: their own number, and nothing else.

An expired journey, a refusal that leads to another journey: both begin with the number that this very browser typed
a few minutes ago. It is read from the journey on the server, for the visitor who began it; no cookie and no address
carries it.
"""

from __future__ import annotations

from collections.abc import Mapping

from foregate.desk.state import unseal
from foregate.desk.turn import Caller
from foregate.rules import limits
from foregate.rules.words import Who
from foregate.situation import World

# Long enough to come back from an expired journey, short enough for a tablet that a shop lends to the next person.
CARRIED_SECONDS = 2 * int(limits.JOURNEY_SECONDS)
TYPED_A_NUMBER = (Who.PHONE, Who.CARD_AND_PHONE)
TYPED_A_NAME = (*TYPED_A_NUMBER, Who.USER_NAME)


async def carried(world: World, journey_id: str, caller: Caller) -> Mapping[str, str]:
    """Return field names and values that the visitor typed in `journey_id`; nothing for anybody else's journey."""
    who, typed = await _claimed(world, journey_id, caller)
    return {"phone": typed} if who in TYPED_A_NUMBER else {}


async def known_as(world: World, journey_id: str, caller: Caller) -> str:
    """Return whose password it is, for the browser that typed it: a number or a user name, or nothing."""
    who, typed = await _claimed(world, journey_id, caller)
    return typed.removeprefix("user_name:") if who in TYPED_A_NAME else ""


async def _claimed(world: World, journey_id: str, caller: Caller) -> tuple[Who | None, str]:
    async with world.store.begin() as tx:
        stored = await tx.journeys.lock(journey_id)
    if stored is None or stored.visitor_digest != caller.visitor_digest:
        return None, ""
    state = unseal(stored, world.keyring)
    is_recent = world.clock.now() < stored.created_at + CARRIED_SECONDS
    if state.subject is None or not is_recent:
        return None, ""
    return state.who, state.subject.claim_key.removeprefix("+86")
