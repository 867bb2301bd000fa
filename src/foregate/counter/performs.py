"""What the counter needs done once a proposal has its consent; `acts` does it, `bootstrap` brings the two together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import msgspec

from foregate.ports import Customer, UnitOfWork


@dataclass(frozen=True, slots=True)
class Order:
    """One consented proposal about a customer, who is held in `tx`. `actor` names both members of staff.

    `customer` None: somebody not registered, on whose chain (`subject_id`) it is written down all the same.
    """

    tx: UnitOfWork
    now: int
    act: str
    subject_id: str
    customer: Customer | None
    phone: str | None
    expires_on: str | None
    actor: str
    proposal_id: str
    source: str
    language: str


class Effect(msgspec.Struct, frozen=True):
    """What came of it. Permit and enrolment code are told here and never again."""

    permit: str | None = None
    permit_expires_at: int = 0
    enrolment_code: str | None = None
    ended_sessions: int = 0


class Performs(Protocol):
    """Does what was consented to."""

    async def perform(self, order: Order) -> Effect | str:
        """Do it in the order's transaction. A string: the objection, with nothing written."""

    async def in_core(self, act: str, core_ref: str, expires_on: str | None, issued_on: str | None) -> None:
        """Do what the core bank has to do first, outside any transaction; twice is once. Raises Unreachable."""

    def needs_core(self, act: str) -> bool:
        """Say whether `in_core` has something to do."""
