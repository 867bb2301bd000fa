"""Did the number that a right code went to change hands lately? Asked outside any transaction, judged inside one.

Rules
  1. Nobody is asked before a code was right: strangers cause no question, see no difference, and cost the bank nothing.
  2. On a row that asks, a code counts only after the answer. Whatever comes between, it does not count.
  3. Nobody waits longer than NUMBER_ASK_SECONDS. No answer is the answer "unknown".
  4. Where several may share a number it is the same with whose it is: a right code counts once the core bank said so.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

import structlog
from prometheus_client import Counter

from foregate.ports import SessionRow, Unreachable
from foregate.rules import engine, limits
from foregate.rules.journeys import Journey
from foregate.rules.numbers import CAUSE, UNKNOWN, LastChange, Standing, standing
from foregate.rules.words import PHONE_CODE, CodeTo, Who
from foregate.situation import Refused, World

if TYPE_CHECKING:
    from foregate.desk.turn import House, Turn

log = structlog.get_logger("foregate.numbers")
QUESTIONS: Final = Counter(
    "foregate_number_questions_total", "Questions whether a number changed hands, by the answer", ("answer",)
)


def is_asked(row: Journey, world: World) -> bool:
    """Say whether a code on this row counts only after somebody was asked about its number."""
    return row.asks_number and world.numbers is not None


def is_owed(turn: Turn) -> bool:
    """Say whether a code was right and the answer about its number is still missing: a node died in between."""
    return is_asked(turn.row, turn.house.world) and PHONE_CODE.name in turn.shown and turn.state.number is None


def is_unplaced(turn: Turn) -> bool:
    """Say whether a code was right and nobody said yet whose its number is: the core bank was away, a node died."""
    if turn.row.code_to is not CodeTo.EITHER or turn.state.is_placed:
        return False
    return turn.state.who is Who.PHONE and PHONE_CODE.name in turn.shown


def is_discounted(turn: Turn) -> bool:
    """Say whether a code that was shown counts for nothing, or not yet."""
    if is_unplaced(turn):
        return True
    found = turn.state.number
    return is_asked(turn.row, turn.house.world) and not (found is not None and found.is_trusted)


def doubted(turn: Turn) -> Mapping[str, str]:
    """Return the code with the cause, where its number is in doubt."""
    # Nearly always nobody was asked; so that is looked at first.
    is_doubted = turn.state.number is not None and is_discounted(turn) and PHONE_CODE.name in turn.shown
    return {PHONE_CODE.name: CAUSE} if is_doubted else engine.NOTHING


def refusal(turn: Turn, cause: str = CAUSE) -> Refused:
    """Return what is told; for a recent change with the seconds until it is none any more."""
    until = turn.state.number.until if cause == CAUSE and turn.state.number is not None else 0
    return Refused(cause=cause, retry_in_seconds=until - turn.now if until else None)


async def ask(phone: str, world: World) -> LastChange:
    """Ask, outside any transaction. Never raises, and never takes longer than NUMBER_ASK_SECONDS."""
    if world.numbers is None:
        return UNKNOWN
    try:
        async with asyncio.timeout(float(limits.NUMBER_ASK_SECONDS)):
            found = await world.numbers.last_change(phone)
    except (TimeoutError, Unreachable) as wrong:
        log.warning("nobody said whether a number changed hands", why=str(wrong) or type(wrong).__name__)
        QUESTIONS.labels("none").inc()
        return UNKNOWN
    QUESTIONS.labels("known" if found.is_known else "unknown").inc()
    return found


async def ask_of_session(row: Journey, session: SessionRow, house: House) -> LastChange | None:
    """Ask about the number of a code that a session brings along. None: it brings none that is fresh enough."""
    world = house.world
    fresh_after = world.clock.now() - house.policy[row.act].fresh_seconds
    brings = any(proof == PHONE_CODE.name and at >= fresh_after for proof, at in session.evidence)
    if not brings or not is_asked(row, world):
        return None
    async with world.store.begin() as tx:
        customer = await tx.customers.find(session.customer_id)
    return await ask(customer.phone, world) if customer is not None else None


async def judged(turn: Turn, change: LastChange) -> Standing:
    """Return how the number stands. What the counter saw is looked up only where it can make a difference."""
    trusts = turn.house.world.trusts_unknown_numbers
    found = standing(change, now=turn.now, seen_at=0, trusts_unknown=trusts)
    if found.is_trusted:
        return found
    return standing(change, now=turn.now, seen_at=await _seen_at(turn), trusts_unknown=trusts)


async def _seen_at(turn: Turn) -> int:
    """Return when the counter last saw the customer with this number: then it gave them a permit."""
    customer = await turn.tx.customers.find(turn.subject.customer_id)
    if customer is None or customer.phone != turn.subject.phone:
        return 0
    given_at = await turn.tx.permits.latest(customer.customer_id)
    # A number that was replaced after that, by whatever way, is not the one that the counter saw.
    return given_at if given_at >= customer.cooling_until - limits.COOLING_SECONDS else 0
