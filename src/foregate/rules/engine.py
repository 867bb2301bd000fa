"""The engine: given where a journey stands, what comes next, and what a refusal may say.

It knows no page, no database and no clock: callers bring facts, it returns a decision. Everything that a visitor
can be asked, and in which order, follows from the row in `journeys.py` by the functions below; the desk runs them
and `foregate check` explores the very same ones.

Theory of operation
  Possession first. Until something the customer holds has been shown, only possession can be asked for: so a
  stranger never gets to charge a password or face counter. The one exception is a proof that the row charges to a
  counter of its own (`card_pin@freeze`), where nothing else can be hurt.

  Blind until possession. What the customer has or lacks (`unusable`) is not looked at before possession, so the
  ways offered to a stranger are those of the table, the same for everybody and for nobody.

  Doubt. A proof may be right and still worth nothing: the code of a number that changed hands yesterday. It was shown,
  so its cause may be told; but it buys nothing, no guessable proof is asked for on the strength of it, and the ways
  that rest on it are closed.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from functools import lru_cache
from typing import Final

import msgspec

from foregate.rules import limits
from foregate.rules.causes import CAUSES, REMEDY_ACTIONS, TWIN, Cause, Causes, visible
from foregate.rules.journeys import Built, Journey, Table
from foregate.rules.words import Proof, Tier, Way, Who, is_satisfied, proofs_of, ways

NOTHING: Mapping[str, str] = {}
NO_PROOFS: Final[frozenset[str]] = frozenset()
# Rows whose ways are remembered, and what may be asked on them: those that run, and those that a check of edited
# tables tries. The same few situations come again and again.
ROWS_REMEMBERED: Final = 4096


class Progress(msgspec.Struct, frozen=True, kw_only=True):
    """Where a journey stands. `unusable` maps a proof to the cause why this customer cannot use it now.

    `doubted` maps a proof that was shown to the cause why it counts for nothing; it is not in `proved`.
    """

    who: Who | None = None
    proved: frozenset[str] = frozenset()
    doubted: Mapping[str, str] = NOTHING
    chosen: str | None = None
    unusable: Mapping[str, str] = NOTHING
    must_pick: bool = False
    must_inform: bool = False


class Identify(msgspec.Struct, frozen=True):
    """Ask who the visitor is, in one of these ways; the first is shown."""

    who: tuple[Who, ...]


class Prove(msgspec.Struct, frozen=True):
    """Ask for a proof; `others` may be chosen instead."""

    proof: Proof
    others: tuple[Proof, ...]


class Pick(msgspec.Struct, frozen=True):
    """Ask which of several customers is meant."""


class Inform(msgspec.Struct, frozen=True):
    """Ask for what the act needs to know, such as the new password."""


class Perform(msgspec.Struct, frozen=True):
    """All is proved and known: do the act."""


class Stuck(msgspec.Struct, frozen=True):
    """No way of this journey is left for this customer; the cause names the ones outside it."""

    cause: str


Decision = Identify | Prove | Pick | Inform | Perform | Stuck


def decide(row: Journey, progress: Progress, built: Built) -> Decision:
    """Return what comes next on `row`."""
    if progress.who is None:
        return Identify(who_open(row, built))
    if is_satisfied(row.prove, progress.proved):
        if progress.must_pick:
            return Pick()
        return Inform() if progress.must_inform else Perform()
    if progress.must_pick and tier_of(row, progress.proved, progress.doubted.keys()).rank:
        return Pick()
    options = askable(row, progress, built)
    if not options:
        return Stuck(_why_stuck(row, progress, built))
    first = next((proof for proof in options if proof.name == progress.chosen), options[0])
    return Prove(first, tuple(proof for proof in options if proof is not first))


@lru_cache(ROWS_REMEMBERED)
def who_open(row: Journey, built: Built) -> tuple[Who, ...]:
    """Return the ways of saying who one is that are built, in the order of the table."""
    return tuple(who for who in row.who if who in built.who)


@lru_cache(ROWS_REMEMBERED)
def open_ways(row: Journey, built: Built) -> tuple[Way, ...]:
    """Return the ways to satisfy the row whose proofs are all built and charged."""
    return tuple(way for way in ways(row.prove) if all(_is_open(row, proof, built) for proof in way))


def _is_open(row: Journey, proof: Proof, built: Built) -> bool:
    charged = not proof.guessable or row.counter_for(proof) is not None
    return proof.name in built.proofs and charged


def askable(row: Journey, progress: Progress, built: Built) -> tuple[Proof, ...]:
    """Return the proofs that may be asked for now: those of begun ways first, then as the table mentions them."""
    shown = has_possession(row, progress.proved.union(progress.doubted))
    unusable = frozenset(progress.unusable) if shown else NO_PROOFS
    return _askable(row, progress.proved, unusable, frozenset(progress.doubted), built)


@lru_cache(ROWS_REMEMBERED)
def _askable(
    row: Journey, proved: frozenset[str], unusable: frozenset[str], doubted: frozenset[str], built: Built
) -> tuple[Proof, ...]:
    held = has_possession(row, proved)
    mentioned = proofs_of(row.prove)
    options: list[Proof] = []
    begun = sorted(open_ways(row, built), key=lambda way: not any(p.name in proved for p in way))
    for way in begun:
        missing = [p for p in mentioned if p in way and p.name not in proved]
        if any(p.silent or p.name in unusable or p.name in doubted for p in missing):
            continue
        options += [p for p in missing if _may_be_first(row, p) or held]
    return tuple(dict.fromkeys(options))


def _may_be_first(row: Journey, proof: Proof) -> bool:
    counter = row.counter_for(proof)
    return proof.is_possession or (counter is not None and "@" in counter)


@lru_cache(ROWS_REMEMBERED)
def has_possession(row: Journey, proved: frozenset[str]) -> bool:
    """Say whether something the customer holds has been shown."""
    return any(proof.is_possession for proof in proofs_of(row.prove) if proof.name in proved)


def tier_of(row: Journey, proved: frozenset[str], doubted: Collection[str] = NO_PROOFS) -> Tier:
    """Return how much the visitor has shown on this row. What is in doubt was shown, and is no more than possession."""
    if is_satisfied(row.prove, proved):
        return Tier.CUSTOMER
    return Tier.POSSESSION if has_possession(row, proved.union(doubted)) else Tier.ANYONE


def _why_stuck(row: Journey, progress: Progress, built: Built) -> str:
    if not has_possession(row, progress.proved.union(progress.doubted)):
        return TWIN  # blind until possession
    if progress.doubted:
        return next(iter(progress.doubted.values()))
    reachable = [p.name for way in open_ways(row, built) for p in way if not p.silent]
    return next((progress.unusable[name] for name in reachable if name in progress.unusable), TWIN)


class Around(msgspec.Struct, frozen=True, kw_only=True):
    """What surrounds a refusal, and so which of its remedies are worth a button."""

    step: str | None = None
    has_other_ways: bool = False
    retry_in_seconds: int | None = None
    failures_in_a_row: int = limits.OFFER_REOPEN_FROM
    journey: str | None = None


def refuse(cause: str, earned: Tier, around: Around, journeys: Table, causes: Causes = CAUSES) -> Refusal:
    """Return what the visitor is told: the cause or its twin, with the remedies that work here and now."""
    told = visible(causes[cause], earned, causes)
    remedies = tuple(name for name in told.remedies if _works(name, around, journeys))
    # For how long something is blocked depends on the customer, so the public twin never says it to a stranger.
    is_told = earned.rank > 0 or (told.name == cause and cause != TWIN)
    return Refusal(told, remedies, around.retry_in_seconds if is_told else None)


class Refusal(msgspec.Struct, frozen=True):
    """A cause as told, its remedies in order, and how long to wait where waiting is one."""

    cause: Cause
    remedies: tuple[str, ...]
    retry_in_seconds: int | None = None


def _works(remedy: str, around: Around, journeys: Table) -> bool:
    match remedy:
        case "visit-outlet" | "update-client" | "check-network":
            return True
        case "try-again" | "start-again" | "another-time":
            return True
        case "ask-new-code" | "text-us":
            return around.step == "phone_code"
        case "another-way":
            return around.has_other_ways
        case "wait":
            return around.retry_in_seconds is not None
        case "reopen" if around.failures_in_a_row < limits.OFFER_REOPEN_FROM:
            return False
        case _:
            return remedy not in REMEDY_ACTIONS and journeys[remedy].is_public and remedy != around.journey


def opens_without(proof: Proof, journeys: Table, built: Built) -> bool:
    """Say whether somebody can still sign in who cannot give `proof` any more: by a way that does not mention it."""
    rows = (row for row in journeys.values() if row.is_public and row.session is not None and row.needs_permission)
    return any(proof not in way for row in rows for way in open_ways(row, built))


def block_seconds(failures_in_a_row: int) -> int:
    """Return for how long the failure just counted blocks its proof: 0, or 15 minutes doubling to 24 hours."""
    blocks, rest = divmod(failures_in_a_row, limits.ROW_FAILURES)
    if rest or not blocks:
        return 0
    return min(limits.BLOCK_SECONDS << (blocks - 1), int(limits.BLOCK_SECONDS_MAX))
