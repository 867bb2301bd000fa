"""Proof `paper_code` (have): one line of a list of codes that the bank handed over on paper.

The page asks for one line of the list, drawn from the journey's id, so it is the same for a customer and for nobody.
A code has thirteen base32 symbols, 65 bits: nobody guesses it, so nothing is charged, and so no stranger can use a
counter up. Codes are derived from a key and never stored; which lines are spent is remembered.
"""

from __future__ import annotations

from collections.abc import Mapping
from hmac import compare_digest

import msgspec

from foregate.ports import Keyring
from foregate.proofs import Proved
from foregate.rules import inputs, limits
from foregate.rules.words import Category, Proof
from foregate.situation import Refused, Situation, World
from foregate.symbols import symbols_of

PAPER_CODE = Proof("paper_code", frozenset({Category.HAVE}), guessable=False)

PROOF = PAPER_CODE
CAUSES = ("not-recognised",)
QUICK = True
LINES = 40

_spent: set[tuple[str, int]] = set()  # a toy's memory; a real proof asks a table in the store


class Answer(inputs.Answer, frozen=True):
    """The code as printed."""

    paper_code: inputs.Code


ANSWER = Answer


class Ticket(msgspec.Struct, frozen=True):
    """Whose list, and which line of it."""

    customer_id: str
    line: int
    is_decoy: bool


def code_of(keyring: Keyring, customer_id: str, line: int) -> str:
    """Return what is printed on `line` of the customer's list."""
    number = int.from_bytes(keyring.derive("paper-code", f"{customer_id}:{line}".encode()))
    return symbols_of(number, limits.LONG_CODE_SYMBOLS)


def line_of(at: Situation) -> int:
    """Return the line that this journey asks for: 1 to LINES."""
    return 1 + at.world.keyring.derive("paper-line", at.journey_id.encode())[0] % LINES


async def offer(at: Situation) -> Refused | None:
    """Nothing to send."""
    return None


async def facts(at: Situation) -> Mapping[str, str | int]:
    """Which line to read off."""
    return {"line": line_of(at)}


async def charge(answer: Answer, at: Situation) -> Ticket | Refused:
    """Nothing to charge: 65 bits are beyond guessing."""
    return Ticket(at.subject.customer_id, line_of(at), is_decoy=not at.subject.known)


async def compare(answer: Answer, ticket: Ticket, world: World) -> bool:
    """Say whether that is the line. A decoy's never is."""
    right = code_of(world.keyring, ticket.customer_id, ticket.line)
    return compare_digest(right.encode(), answer.paper_code.encode()) and not ticket.is_decoy


async def refund(ticket: Ticket, at: Situation) -> None:
    """Nothing was charged, so nothing is given back when the house is busy."""


async def settle(is_right: bool, ticket: Ticket, at: Situation) -> Proved | Refused:
    """Spend the line. Wrong, spent and nobody's are one answer, because possession is not shown yet."""
    line = (ticket.customer_id, ticket.line)
    if not is_right or line in _spent:
        return Refused(cause="not-recognised")
    _spent.add(line)
    return Proved()
