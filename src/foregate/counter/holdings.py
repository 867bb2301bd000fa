"""What the counter asks of the proofs: what a customer has of each. `proofs` says it, `bootstrap` brings the two
together, so a new proof is known here without a word about it."""

from __future__ import annotations

from typing import Protocol

from foregate.ports import CardHolder, CounterRow, Customer, UnitOfWork
from foregate.rules.holdings import Held


class Holdings(Protocol):
    """Says what a customer has of each proof."""

    async def __call__(
        self,
        tx: UnitOfWork,
        customer: Customer,
        cards: tuple[CardHolder, ...],
        counters: tuple[CounterRow, ...],
        now: int,
    ) -> tuple[Held, ...]:
        """Return everything, also what is over, as somebody on an unknown device has it."""
