"""What `password` and `card_pin` share: a counter per customer, proof and lane, charged ahead of every comparison."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, TypeVar

from foregate.ports import CounterRow
from foregate.proofs import Proved
from foregate.rules import limits
from foregate.rules.causes import when_off
from foregate.rules.words import Proof
from foregate.situation import Refused, Situation

T = TypeVar("T")
# One of `ports.Counters` that charges: customer, counter, lane, now and total_max; None: nothing was counted.
Count = Callable[[str, str, str, int, int], Awaitable[T | None]]

CAUSES = ("proof-blocked", "proof-disabled")


async def offer(at: Situation) -> Refused | None:
    """Nothing to send."""
    return None


async def facts(at: Situation) -> Mapping[str, str | int]:
    """Nothing to show: not which cards there are, not even whether a password is set."""
    return {}


async def charge(proof: Proof, at: Situation, count: Count[T]) -> T | Refused:
    """Count one failure in this lane by `count`. Refused when the proof is blocked for now, or off."""
    counter = counter_of(proof, at)
    most = limits.failures_max(counter)
    charged = await count(at.subject.customer_id, counter, at.lane, at.now, most)
    if charged is not None:
        return charged
    rows = [row for row in await at.tx.counters.of(at.subject.customer_id) if row.counter == counter]
    if sum(row.total for row in rows) >= most:
        return Refused(cause=when_off(counter))
    until = max((row.blocked_until for row in rows if row.lane == at.lane), default=at.now)
    return Refused(cause="proof-blocked", retry_in_seconds=max(1, until - at.now))


async def refund(charged: CounterRow, at: Situation) -> None:
    """Nothing could be compared, so nobody failed."""
    await at.tx.counters.refund(at.subject.customer_id, charged)


async def nothing_to_refund(ticket: Any, at: Situation) -> None:
    """Comparing takes no help from outside, so nothing is charged for nothing."""


async def settle(proof: Proof, is_right: bool, charged: CounterRow, at: Situation, *, wrong: str) -> Proved | Refused:
    """Forget this lane's failures, or refuse: `wrong` with the tries left in this row, or how long the block lasts."""
    if is_right:
        await at.tx.counters.succeed(at.subject.customer_id, counter_of(proof, at), at.lane)
        return Proved()
    left = (-charged.in_a_row) % limits.ROW_FAILURES
    if left == 0:
        return Refused(
            cause="proof-blocked",
            retry_in_seconds=max(1, charged.blocked_until - at.now),
            failures_in_a_row=charged.in_a_row,
        )
    return Refused(cause=wrong, tries_left=left, failures_in_a_row=charged.in_a_row)


def counter_of(proof: Proof, at: Situation) -> str:
    """Return the counter that the table names for this proof on this row."""
    counter = at.row.counter_for(proof)
    if counter is None:
        raise LookupError(f"{at.row.name} asks for {proof.name} but charges nothing for it")
    return counter
