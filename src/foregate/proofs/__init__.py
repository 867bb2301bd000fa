"""One file for each way to show who you are.

A proof is a module that fits `ProofKind`. The desk calls it in one order that no proof can change: `offer` when it
is asked for, then for each answer `charge` (spend a try, in one guarded statement), `compare` (outside the
transaction when it is slow), `settle` (write down what came of it). Comparing before charging cannot be written.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

import msgspec

from foregate.rules.inputs import Answer
from foregate.rules.words import Proof
from foregate.situation import Refused, Situation, World


class Proved(msgspec.Struct, frozen=True):
    """It was right. `cools_until`: what it was shown with is new, and vouches only for signing in until then."""

    cools_until: int = 0


class More(msgspec.Struct, frozen=True):
    """So far it was right; there is more to show."""


class ProofKind(Protocol):
    """A way to show who you are."""

    @property
    def PROOF(self) -> Proof: ...
    @property
    def CAUSES(self) -> tuple[str, ...]: ...
    @property
    def QUICK(self) -> bool:
        """Comparing takes microseconds and may happen inside the transaction."""

    @property
    def ANSWER(self) -> type[Answer]: ...

    async def offer(self, at: Situation) -> Refused | None:
        """Make ready to be asked: send the code. A refusal here leaves the step open."""

    async def facts(self, at: Situation) -> Mapping[str, str | int]:
        """What the page shows beside the question. The same for a decoy."""

    async def charge(self, answer: Any, at: Situation) -> Any | Refused:
        """Spend one try; return a ticket for `compare`."""

    async def compare(self, answer: Any, ticket: Any, world: World) -> Any:
        """Say whether it is right, or what else `settle` has to know."""

    async def refund(self, ticket: Any, at: Situation) -> None:
        """Nothing could be compared (the house is busy, the core bank away): give the try back."""

    async def settle(self, compared: Any, ticket: Any, at: Situation, /) -> Proved | More | Refused: ...
