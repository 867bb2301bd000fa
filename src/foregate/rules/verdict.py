"""Why can't they get in? One sentence, what each rule says, and the journeys that lead back in, for a teller.

Rules
  1. The verdict asks the engine, on the rows that the server runs: what it says works, works at the door.
  2. It never promises more than the checker's model does; a test holds the two against each other.
  3. What the customer says they lost counts as lost. What the bank knows to be off counts as off.

Theory of operation
  A `Footing` is what a customer holds, in which lanes their login is open, and which proofs the bank does not take
  now. `can_do` walks one row by `engine.decide`, always giving every proof that is asked for and at hand: a proof
  more never closes a way. `way_in` tries sequences of rows, the short ones first, until one opens a full session.
  Waiting is no step here: a block that ends by itself is told as a finding.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from typing import Final, NamedTuple

import msgspec

from foregate.rules import documents, engine, permission
from foregate.rules.engine import Progress
from foregate.rules.findings import Finding, findings
from foregate.rules.footing import BOUND_SIM, REGISTERED_SIM, Footing, Known, Lost
from foregate.rules.journeys import Built, Journey, Table
from foregate.rules.permission import Event, NoTransition, Permission
from foregate.rules.words import PROOFS, CodeTo, Level, Who

_SIMS: Final[Mapping[CodeTo, frozenset[str]]] = {
    CodeTo.REGISTERED: frozenset({REGISTERED_SIM}),
    CodeTo.BOUND: frozenset({BOUND_SIM}),
    CodeTo.EITHER: frozenset({REGISTERED_SIM, BOUND_SIM}),
    CodeTo.TYPED: frozenset({REGISTERED_SIM, BOUND_SIM, "another"}),
}
_NEEDS_CARD: Final = frozenset({Who.CARD, Who.CARD_AND_PHONE, Who.CARD_NAME_DOCUMENT})
_NEEDS_MORE: Final = frozenset({Who.SESSION, Who.PASSKEY, Who.WECHAT, Who.ALIPAY, Who.LINK})

# What an act leaves in the customer's hands.
_GIVES: Final[Mapping[str, str]] = {
    "customer": REGISTERED_SIM, "password": "password", "registered_phone": REGISTERED_SIM, "permit": "permit",
}  # fmt: skip
# How an act moves login permission; `set-password` opens only what failures closed.
_OPENS: Final[Mapping[str, tuple[Event, ...]]] = {
    "reopen": (Event.REOPENED,),
    "set-password": (Event.REOPENED,),
    "replace-phone-at-counter": (Event.REOPENED,),
    "unfreeze-at-counter": (Event.BANK_RELEASED, Event.REOPENED),
}
_ONLY_FAILURES: Final = "set-password"
_IMPROVES: Final = frozenset({*_OPENS, "register", "renew-document", "correct-document-at-counter"})
# Longer than any way there is: document, number, unfreeze, password, sign-in.
_STEPS_MAX: Final = 5


class Rules(NamedTuple):
    """The tables that the server runs."""

    journeys: Table
    built: Built


# ---------------------------------------------------------------- what works


def can_do(row: Journey, at: Footing, rules: Rules, *, is_at_counter: bool) -> bool:
    """Say whether this customer gets the row's act done now, by any lane open to them."""
    if not row.open or (at.is_registered == (row.act == "register") and row.act not in documents.FOR_ANYBODY):
        return False
    if documents.is_closed(row.act, _document_of(at)):
        return False
    if row.is_at_counter:
        # An expired card is no ID check; the one act that needs a new card is the one that notes it.
        return is_at_counter and (at.is_document_valid or row.act == "correct-document-at-counter")
    return any(_is_let_in(row, at, on_device) and _gets_done(row, at, rules, on_device) for on_device in _lanes(at))


def _document_of(at: Footing) -> documents.State:
    if at.is_document_lapsed:
        return documents.State.EXPIRED
    return documents.State.VALID if at.is_document_valid else documents.State.GRACE


def _lanes(at: Footing) -> tuple[bool, ...]:
    return (False, True) if "device" in at.holds else (False,)


def _is_let_in(row: Journey, at: Footing, on_device: bool) -> bool:
    own = at.device if on_device else at.unknown
    return not row.needs_permission or (at.everywhere is Permission.OPEN and own is Permission.OPEN)


def _gets_done(row: Journey, at: Footing, rules: Rules, on_device: bool) -> bool:
    off = dict(at.off_on_device if on_device else at.off)
    given = provable(row, at, on_device) - set(off) - (at.cooling if row.seasoned else frozenset())
    if row.asks_number and at.holds & _SIMS[row.code_to] <= at.taken_over:
        given -= {"phone_code"}
    silent = frozenset(name for name in given if PROOFS[name].silent and name in rules.built.proofs)
    for who in engine.who_open(row, rules.built):
        if who in _NEEDS_MORE or who is Who.IN_PERSON or (who in _NEEDS_CARD and not at.has_card):
            continue
        if _walk(row, Progress(who=who, proved=silent, unusable=off), given, rules.built):
            return True
    return False


def _walk(row: Journey, progress: Progress, given: frozenset[str], built: Built) -> bool:
    while True:
        match engine.decide(row, progress, built):
            case engine.Perform():
                return True
            case engine.Prove(proof=proof, others=others):
                able = {option.name for option in (proof, *others)} & given
                if not able:
                    return False
                progress = msgspec.structs.replace(progress, proved=progress.proved | able)
            case _:
                return False


def provable(row: Journey, at: Footing, on_device: bool) -> frozenset[str]:
    """Return the proofs that this customer can give on `row`, with their remembered device or without it."""
    given = {name for name in at.holds if name in PROOFS and (on_device or name != "device")}
    if at.holds & _SIMS[row.code_to]:
        given.add("phone_code")
    return frozenset(given)


# ---------------------------------------------------------------- what leads there


def way_in(at: Footing, rules: Rules, *, is_at_counter: bool) -> tuple[str, ...] | None:
    """Return the shortest sequence of journeys that ends in a full session, or None."""
    queue: deque[tuple[Footing, tuple[str, ...]]] = deque([(at, ())])
    seen, useful = {at}, _useful(rules)
    while queue:
        footing, done = queue.popleft()
        if len(done) == _STEPS_MAX:
            continue
        for row in useful:
            if not can_do(row, footing, rules, is_at_counter=is_at_counter):
                continue
            if row.session is Level.FULL:
                return (*done, row.name)
            after = improved(footing, row)
            if after not in seen:
                seen.add(after)
                queue.append((after, (*done, row.name)))
    return None


def _useful(rules: Rules) -> tuple[Journey, ...]:
    """Return the rows that let in or improve something: those that sign in first, the counter's last."""
    rows = (row for row in rules.journeys.values() if row.session is Level.FULL or row.act in _IMPROVES)
    return tuple(sorted(rows, key=lambda row: (row.session is not Level.FULL, row.is_at_counter)))


def improved(at: Footing, row: Journey) -> Footing:
    """Return where the customer stands after the row's act."""
    holds = at.holds | {_GIVES[word] for word in row.changes if word in _GIVES}
    if "devices" in row.changes:
        holds -= {"device"}
    renewed = "password" in row.changes
    return at._replace(
        holds=holds,
        everywhere=_moved(at.everywhere, row.act),
        unknown=_moved(at.unknown, row.act),
        device=_moved(at.device, row.act),
        off=frozenset(pair for pair in at.off if not (renewed and pair[0] == "password")),
        off_on_device=frozenset(pair for pair in at.off_on_device if not (renewed and pair[0] == "password")),
        taken_over=at.taken_over - ({REGISTERED_SIM} if "registered_phone" in row.changes else set()),
        is_registered=at.is_registered or "customer" in row.changes,
        is_document_valid=at.is_document_valid or "document" in row.changes,
        is_document_lapsed=at.is_document_lapsed and "document" not in row.changes,
    )


def _moved(state: Permission, act: str) -> Permission:
    if act == _ONLY_FAILURES and state is not Permission.CLOSED_BY_FAILURES:
        return state
    for event in _OPENS.get(act, ()):
        try:
            state = permission.after(state, event)
        except NoTransition:
            continue
    return state


# ---------------------------------------------------------------- what is told


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """`headline` is `verdict.headline.<name>`. A way is a sequence of journeys; None: there is none of that kind."""

    headline: str
    findings: tuple[Finding, ...]
    alone: tuple[str, ...] | None  # on their own phone
    at_counter: tuple[str, ...] | None  # with the counter's help, where that is another way

    @property
    def remedies(self) -> tuple[str, ...]:
        """The journeys to name, in order: what the customer can do alone, else the counter's way."""
        return self.alone or self.at_counter or ()


def verdict(at: Footing, known: Known, rules: Rules) -> Verdict:
    """Return why this customer cannot get in, and what gets them in. `at.holds` as `footing` returned it."""
    # What is not open at this bank is nobody's trouble.
    open_here = rules.built.proofs
    at = at._replace(off=_of(at.off, open_here), off_on_device=_of(at.off_on_device, open_here))
    alone = way_in(at, rules, is_at_counter=False)
    helped = way_in(at, rules, is_at_counter=True)
    return Verdict(
        headline=_headline(at, known, alone),
        findings=tuple(findings(at, known, open_here)),
        alone=alone,
        at_counter=helped if helped != alone else None,
    )


def _of(off: frozenset[tuple[str, str]], proofs: frozenset[str]) -> frozenset[tuple[str, str]]:
    return frozenset(pair for pair in off if pair[0] in proofs)


def _headline(at: Footing, known: Known, alone: tuple[str, ...] | None) -> str:
    if not at.is_registered:
        return "not-registered" if alone else "not-registered-stuck"
    if at.everywhere is not Permission.OPEN:
        return at.everywhere.value
    if at.unknown is not Permission.OPEN and ("device" not in at.holds or at.device is not Permission.OPEN):
        return Permission.CLOSED_BY_FAILURES.value
    if alone is not None and len(alone) == 1:
        return "another-way" if known.lost or at.off or at.taken_over else "nothing-wrong"
    if at.taken_over:
        return "number-doubted"
    if REGISTERED_SIM not in at.holds:
        return "number-lost" if Lost.PASSWORD not in known.lost else "number-and-password-lost"
    if at.off:
        return "proof-blocked" if alone is None and known.blocked_seconds else "proof-off"
    return "password-lost" if alone is not None else "nothing-left"


HEADLINES: Final = (
    "not-registered", "not-registered-stuck", "closed-by-bank", "closed-by-customer", "closed-by-disuse",
    "closed-by-failures", "another-way", "nothing-wrong", "number-lost", "number-and-password-lost", "proof-blocked",
    "proof-off", "password-lost", "nothing-left", "number-doubted",
)  # fmt: skip
