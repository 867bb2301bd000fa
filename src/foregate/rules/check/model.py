"""The world as the checker sees it: what people may hold, and what each journey gives to whoever holds it.

Nothing here decides what a visitor is asked: `World.walk` runs the engine's own `decide` on the very rows that the
server runs, and notes every decision on the way.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Final

import msgspec

from foregate.rules import causes as causes_module
from foregate.rules import engine, numbers
from foregate.rules.causes import Causes
from foregate.rules.check import expected
from foregate.rules.engine import Around, Decision, Progress, Refusal
from foregate.rules.journeys import Built, Journey, Table
from foregate.rules.policy import AFRESH, Evidence, Policy
from foregate.rules.words import PROOFS, Category, CodeTo, Proof, Tier, Who, proofs_of


class Factor(StrEnum):
    """What a person may hold, and a thief steal: the SIMs, and what lets its holder give the proof of that name."""

    REGISTERED_SIM = "registered_sim"
    BOUND_SIM = "bound_sim"
    DEVICE = "device"
    PASSWORD = "password"
    CARD_PIN = "card_pin"
    FACE = "face"
    PASSKEY = "passkey"
    SOCIAL = "social"
    PERMIT = "permit"


# The proof that a factor lets its holder give. A SIM gives a code only where the journey sends one.
PROOF_OF: Final[Mapping[Factor, str]] = {factor: factor.value for factor in Factor if factor.value in PROOFS}

SIMS: Final[Mapping[CodeTo, frozenset[Factor]]] = {
    CodeTo.REGISTERED: frozenset({Factor.REGISTERED_SIM}),
    CodeTo.BOUND: frozenset({Factor.BOUND_SIM}),
    CodeTo.EITHER: frozenset({Factor.REGISTERED_SIM, Factor.BOUND_SIM}),
    CodeTo.TYPED: frozenset(),  # the visitor's own number: everybody has one
}

# What somebody holds after a journey changed it. The number bound to the card becomes the registered one when its
# holder registers.
GIVES: Final[Mapping[str, Factor]] = {
    "customer": Factor.REGISTERED_SIM,
    "password": Factor.PASSWORD,
    "device": Factor.DEVICE,
    "face": Factor.FACE,
    "registered_phone": Factor.REGISTERED_SIM,
    "permit": Factor.PERMIT,
    "social": Factor.SOCIAL,
    "passkey": Factor.PASSKEY,
}

# What somebody needs to come one of these ways at all. Names, numbers and cards are no secrets.
COMES_WITH: Final[Mapping[Who, Factor]] = {
    Who.PASSKEY: Factor.PASSKEY,
    Who.WECHAT: Factor.SOCIAL,
    Who.ALIPAY: Factor.SOCIAL,
}

NONE: Final[frozenset[str]] = frozenset()
Unusable = frozenset[tuple[str, str]]
ALL_USABLE: Final[Unusable] = frozenset()


class Walk(msgspec.Struct, frozen=True):
    """Everything that can happen on one row to somebody: what they were asked, and how they got it done.

    `performed` maps the proofs that bought the act to the order in which they were shown, the shortest.
    """

    met: tuple[tuple[Progress, Decision], ...]
    performed: Mapping[frozenset[str], tuple[str, ...]]


class World:
    """The tables under examination, and the memory of what was explored in them."""

    def __init__(self, journeys: Table, policy: Policy, causes: Causes, built: Built) -> None:
        self.journeys = journeys
        self.policy = policy
        self.causes = _runnable(causes, journeys)
        self.built = built
        self.open_rows = tuple(row for row in journeys.values() if row.open and engine.who_open(row, built))
        self._mentions = {row.name: frozenset(p.name for p in proofs_of(row.prove)) for row in journeys.values()}
        self._matters = {row.name: _matters(row) for row in journeys.values()}
        self._is_brought = {row.name: _is_brought(policy.get(row.act)) for row in journeys.values()}
        self._refusals: dict[tuple[str, Tier, Around], Refusal] = {}
        self._walks: dict[tuple[str, frozenset[str], frozenset[str], Unusable, frozenset[str]], Walk] = {}

    @property
    def decisions_explored(self) -> int:
        """How many different (row, progress) pairs the engine was asked about."""
        return sum(len(walk.met) for walk in self._walks.values())

    def mentions(self, row: Journey) -> frozenset[str]:
        """Return the names of the proofs that the row's formula mentions."""
        return self._mentions[row.name]

    def matters(self, row: Journey) -> frozenset[Factor]:
        """Return the factors that make a difference on this row, to what can be proved or to who may come."""
        return self._matters[row.name]

    def provable(self, row: Journey, holds: Iterable[Factor]) -> frozenset[str]:
        """Return the proofs of this row that the holder of these factors can give."""
        held = frozenset(holds)
        given = {PROOF_OF[factor] for factor in held if factor in PROOF_OF}
        if row.code_to is CodeTo.TYPED or held & SIMS[row.code_to]:
            given.add("phone_code")
        return self.mentions(row) & given

    def is_brought(self, row: Journey) -> bool:
        """Say whether evidence that is minutes old may be brought along in a session for this row's act."""
        return self._is_brought[row.name]

    def walk(
        self,
        row: Journey,
        provable: frozenset[str],
        brought: frozenset[str] = NONE,
        unusable: Unusable = ALL_USABLE,
        distrusted: frozenset[str] = NONE,
    ) -> Walk:
        """Run the engine on `row` for somebody who can give `provable`, along every branch.

        `distrusted` are proofs that are in doubt as soon as they are shown.
        """
        mentioned = self.mentions(row)
        relevant = frozenset((name, cause) for name, cause in unusable if name in mentioned)
        key = (row.name, provable & mentioned, brought & mentioned, relevant, distrusted & mentioned)
        if key not in self._walks:
            self._walks[key] = _walk(row, key[1], key[2], dict(relevant), self.built, key[4])
        return self._walks[key]

    def refuse(self, cause: str, earned: Tier, around: Around) -> Refusal:
        """Return what the engine tells."""
        key = (cause, earned, around)
        if key not in self._refusals:
            self._refusals[key] = engine.refuse(cause, earned, around, self.journeys, self.causes)
        return self._refusals[key]


def _matters(row: Journey) -> frozenset[Factor]:
    mentioned = {proof.name for proof in proofs_of(row.prove)}
    given = {factor for factor, proof in PROOF_OF.items() if proof in mentioned}
    return frozenset(given | SIMS[row.code_to] | {COMES_WITH[who] for who in row.who if who in COMES_WITH})


def _is_brought(evidence: Evidence | None) -> bool:
    return evidence is not None and evidence.fresh_seconds > AFRESH


def _runnable(causes: Causes, journeys: Table) -> Causes:
    """Leave out remedies and twins that do not exist, which are reported on their own."""
    known = causes_module.REMEDY_ACTIONS | set(journeys)
    return {
        name: msgspec.structs.replace(
            cause,
            remedies=tuple(remedy for remedy in cause.remedies if remedy in known),
            twin=cause.twin if cause.twin in causes else None,
        )
        for name, cause in causes.items()
    }


def _walk(
    row: Journey,
    provable: frozenset[str],
    brought: frozenset[str],
    unusable: Mapping[str, str],
    built: Built,
    distrusted: frozenset[str],
) -> Walk:
    silent = frozenset(name for name in provable if PROOFS[name].silent and name in built.proofs)
    start = Progress(
        who=engine.who_open(row, built)[0],
        proved=(brought | silent) - distrusted,
        doubted=dict.fromkeys(brought & distrusted, numbers.CAUSE),
        unusable=unusable,
        must_pick=True,
        must_inform=True,
    )
    met: list[tuple[Progress, Decision]] = []
    performed: dict[frozenset[str], tuple[str, ...]] = {}
    seen = {_where(start)}
    queue: deque[tuple[Progress, tuple[str, ...]]] = deque([(start, ())])
    while queue:
        progress, shown = queue.popleft()
        decision = engine.decide(row, progress, built)
        met.append((progress, decision))
        if isinstance(decision, engine.Perform):
            performed.setdefault(progress.proved, (*sorted(silent), *shown))
        for after, proof in _answers(progress, decision, provable, distrusted):
            if _where(after) not in seen:
                seen.add(_where(after))
                queue.append((after, (*shown, proof) if proof else shown))
    return Walk(tuple(met), performed)


def _where(progress: Progress) -> tuple[frozenset[str], frozenset[str], bool, bool]:
    return progress.proved, frozenset(progress.doubted), progress.must_pick, progress.must_inform


def _answers(
    progress: Progress, decision: Decision, provable: frozenset[str], distrusted: frozenset[str]
) -> list[tuple[Progress, str | None]]:
    replace = msgspec.structs.replace
    match decision:
        case engine.Pick():
            return [(replace(progress, must_pick=False), None)]
        case engine.Inform():
            return [(replace(progress, must_inform=False), None)]
        case engine.Prove(proof=proof, others=others):
            able = [option.name for option in (proof, *others) if option.name in provable]
            return [(_shown(progress, name, distrusted), name) for name in able]
        case _:
            return []


def _shown(progress: Progress, name: str, distrusted: frozenset[str]) -> Progress:
    if name in distrusted:
        return msgspec.structs.replace(progress, doubted={**progress.doubted, name: numbers.CAUSE})
    return msgspec.structs.replace(progress, proved=progress.proved | {name})


def may_come(who: Who, holds: frozenset[Factor], has_session: bool) -> bool:
    """Say whether somebody can come this way. Tellers see the ID card."""
    match who:
        case Who.IN_PERSON:
            return False
        case Who.SESSION:
            return has_session
        case _:
            return who not in COMES_WITH or COMES_WITH[who] in holds


def gains(row: Journey) -> frozenset[Factor]:
    """Return what somebody holds who got this row's act done."""
    if row.act in expected.ONLY_TAKES:
        return frozenset()
    return frozenset(GIVES[word] for word in row.changes if word in GIVES)


def categories(proofs: Iterable[str]) -> frozenset[Category]:
    """Return the categories of evidence, counted as strictly as NIST does: a passkey's PIN or finger adds to no other."""
    found = frozenset(category for name in proofs for category in PROOFS[name].categories)
    if found & {Category.KNOW, Category.ARE}:
        return found - {Category.KNOW_OR_ARE}
    return found


def is_enough(evidence: Evidence, proofs: frozenset[str]) -> bool:
    """Say whether `proofs` satisfy the policy: one alternative is contained, with categories enough."""
    return any(
        alternative <= proofs and len(categories(alternative)) >= evidence.min_categories
        for alternative in evidence.alternatives
    )


def names(proofs: Iterable[Proof]) -> frozenset[str]:
    """Return the names of proofs."""
    return frozenset(proof.name for proof in proofs)
