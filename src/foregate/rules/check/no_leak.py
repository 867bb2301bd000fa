"""Promise 3, no leak: until something was shown, nobody can tell one customer from another, or from nobody.

Theory of operation
  The engine is asked twice: about nobody (a decoy: nothing is blocked, closed or shared), and about a customer in
  every state. Before possession both decisions have to be equal, word for word. So has everything a refusal shows:
  whatever the true cause, a stranger sees what they would see about nobody.

  Which causes tell something about the customer is written by hand in `expected.py`, so that a cause whose tier was
  lowered in the table is found here.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from typing import Final

import msgspec

from foregate.rules import engine
from foregate.rules.causes import TWIN, Cause
from foregate.rules.check import expected, stories
from foregate.rules.check.model import World
from foregate.rules.check.report import Verdict, shortest_first
from foregate.rules.engine import Around, Progress
from foregate.rules.journeys import Journey
from foregate.rules.words import PROOFS, Tier, Who, is_satisfied, proofs_of

WHY_UNUSABLE: Final = (None, "proof-blocked", "proof-disabled")
SECONDS_BLOCKED: Final = 900


def explore(world: World) -> Verdict:
    """Compare everything that a stranger can see."""
    found, compared = list(_classified(world)), 0
    for row in world.open_rows:
        for who in engine.who_open(row, world.built):
            if who is not Who.SESSION:
                count, flaws = _decisions(world, row, who)
                compared += count
                found += flaws
    for row in world.open_rows:
        count, flaws = _refusals(world, row)
        compared += count
        found += flaws
    return Verdict(states=compared, stories=shortest_first(found))


# ---------------------------------------------------------------- decisions


def _decisions(world: World, row: Journey, who: Who) -> tuple[int, list[str]]:
    """Compare what is asked of a stranger about nobody with what is asked about every customer."""
    compared, found = 0, []
    for proved in _before_possession(row):
        nobody = Progress(who=who, proved=proved)
        expected_decision = engine.decide(row, nobody, world.built)
        for customer in _states(row, nobody):
            compared += 1
            decision = engine.decide(row, customer, world.built)
            if decision != expected_decision:
                found.append(
                    f"A stranger asks for `{row.name}` {stories.WHO[who]} and has shown {stories.way(proved)}: about a "
                    f"customer {_state_in_words(customer)} the answer is {_in_words(decision)}, about nobody "
                    f"{_in_words(expected_decision)}."
                )
    return compared, found


def _before_possession(row: Journey) -> Iterator[frozenset[str]]:
    mentioned = [proof.name for proof in proofs_of(row.prove)]
    for chosen in product((False, True), repeat=len(mentioned)):
        proved = frozenset(name for name, is_in in zip(mentioned, chosen, strict=True) if is_in)
        if not any(PROOFS[name].is_possession for name in proved) and not is_satisfied(row.prove, proved):
            yield proved


def _states(row: Journey, nobody: Progress) -> Iterator[Progress]:
    mentioned = proofs_of(row.prove)
    choices = [WHY_UNUSABLE if proof.guessable else (None, "proof-disabled") for proof in mentioned]
    for why, shares in product(product(*choices), (False, True)):
        unusable = {proof.name: cause for proof, cause in zip(mentioned, why, strict=True) if cause}
        yield msgspec.structs.replace(nobody, unusable=unusable, must_pick=shares)


def _state_in_words(customer: Progress) -> str:
    words = [f"whose {name} is off ({cause})" for name, cause in sorted(customer.unusable.items())]
    if customer.must_pick:
        words.append("who shares the number with somebody")
    return stories.listed(words, none="in good order")


def _in_words(decision: engine.Decision) -> str:
    match decision:
        case engine.Prove(proof=proof, others=others):
            more = stories.listed((other.name for other in others), none="no other way")
            return f"'show {proof.name}' ({more})"
        case engine.Stuck(cause=cause):
            return f"'stuck: {cause}'"
        case _:
            return f"'{type(decision).__name__.lower()}'"


# ---------------------------------------------------------------- refusals


def _refusals(world: World, row: Journey) -> tuple[int, list[str]]:
    """Compare, on one journey, what a stranger is told about nobody with every cause a customer's state can raise."""
    compared, found = 0, []
    if TWIN not in world.causes:
        return 0, []
    steps = (None, *(proof.name for proof in proofs_of(row.prove)))
    for step, others in product(steps, (False, True)):
        around = Around(step=step, has_other_ways=others, journey=row.name)
        nobody = world.refuse(TWIN, Tier.ANYONE, around)
        for cause, seconds in product(_about_customers(world), (None, SECONDS_BLOCKED)):
            compared += 1
            told = world.refuse(cause, Tier.ANYONE, msgspec.structs.replace(around, retry_in_seconds=seconds))
            if told != nobody:
                found.append(
                    f"A stranger on `{row.name}`{f' at {step}' if step else ''} is refused because of "
                    f"`{cause}`: {_difference(told, nobody)}. So the stranger learns about the customer."
                )
    return compared, found


def _about_customers(world: World) -> tuple[str, ...]:
    raised = (name for name in world.causes if name in expected.TELLS_ABOUT_THE_CUSTOMER or name == TWIN)
    return tuple(raised)


def _difference(told: engine.Refusal, nobody: engine.Refusal) -> str:
    if told.cause.name != nobody.cause.name:
        return f"the answer says `{told.cause.name}`, about nobody it says `{nobody.cause.name}`"
    if told.cause.status != nobody.cause.status:
        return f"the answer has status {told.cause.status}, about nobody {nobody.cause.status}"
    if told.remedies != nobody.remedies:
        return f"it offers {stories.listed(told.remedies)}, about nobody {stories.listed(nobody.remedies)}"
    return f"it says when to come back ({told.retry_in_seconds} s), about nobody it does not"


# ---------------------------------------------------------------- tiers


def _classified(world: World) -> Iterator[str]:
    if TWIN not in world.causes:
        yield f"The public twin `{TWIN}` is missing: strangers would hear the causes themselves."
    for cause in world.causes.values():
        yield from _tier(cause)


def _tier(cause: Cause) -> Iterator[str]:
    earliest = expected.TELLS_ABOUT_THE_CUSTOMER.get(cause.name)
    if earliest is None and cause.name not in expected.TELLS_NOTHING:
        yield f"`{cause.name}` is new: say in rules/check/expected.py whether it tells anything about the customer."
        return
    if earliest is None:
        return
    if cause.tier.rank < earliest.rank:
        yield f"`{cause.name}` tells about the customer; it may be told from `{earliest.value}` on, not to `{cause.tier.value}`."
    if cause.twin != TWIN:
        yield f"`{cause.name}` tells about the customer and has no public twin `{TWIN}`: a stranger would hear it."
