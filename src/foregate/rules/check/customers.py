"""Customers in every state they can fall into, and what the journeys make of them.

Theory of operation
  A `Kit` is what a customer holds and in which condition it is; `Lanes` is their login permission. Waiting ends
  timed blocks. Every journey of a customer's own only improves things (what takes away is left out), so trying all
  that can be done again and again, until nothing changes, is complete: the order plays no part.

  A number that changed hands is taken at its worst: it stays in doubt for ever, as it does where the bank refuses
  numbers of which nobody knows anything, and all numbers of the customer are in doubt at once. Only the counter, which
  sees the person, settles the registered one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from enum import StrEnum
from functools import cache, cached_property
from itertools import chain, combinations, product
from typing import Final, NamedTuple

from foregate.rules import engine, permission
from foregate.rules.causes import when_off
from foregate.rules.check import expected
from foregate.rules.check.model import PROOF_OF, SIMS, Factor, Unusable, World, gains, may_come, names
from foregate.rules.documents import CLOSES, FOR_ANYBODY
from foregate.rules.journeys import Journey
from foregate.rules.permission import UNKNOWN, Event, NoTransition, Permission
from foregate.rules.words import Level, Who, ways


class Condition(StrEnum):
    """What may be wrong with a proof that can be guessed, or that ages."""

    OK = "ok"
    BLOCKED = "blocked"
    DISABLED = "disabled"
    EXPIRED = "expired"


WHY: Final[Mapping[Condition, str]] = {
    Condition.BLOCKED: "proof-blocked",
    Condition.DISABLED: "proof-disabled",
    Condition.EXPIRED: "face-expired",
}


def why_off(factor: Factor, condition: Condition) -> str:
    """Return the cause that a customer hears of a proof in this condition."""
    return when_off(factor.value) if condition is Condition.DISABLED else WHY[condition]


CONDITIONS: Final[Mapping[Factor, tuple[Condition, ...]]] = {
    Factor.PASSWORD: (Condition.OK, Condition.BLOCKED, Condition.DISABLED),
    Factor.CARD_PIN: (Condition.OK, Condition.BLOCKED, Condition.DISABLED),
    Factor.FACE: (Condition.OK, Condition.BLOCKED, Condition.DISABLED, Condition.EXPIRED),
}

Conditions = tuple[Condition, ...]  # of GUESSED: password, card PIN, face
GUESSED: Final = (Factor.PASSWORD, Factor.CARD_PIN, Factor.FACE)
NUMBERS: Final = frozenset({Factor.REGISTERED_SIM, Factor.BOUND_SIM})
CODE: Final = frozenset({"phone_code"})
NO_PROOFS: Final[frozenset[str]] = frozenset()
RENEWED_BY: Final[Mapping[str, Factor]] = {"password": Factor.PASSWORD, "face": Factor.FACE}


class Kit(NamedTuple):
    """What a customer holds, and in which condition."""

    holds: frozenset[Factor]
    conditions: Conditions = (Condition.OK, Condition.OK, Condition.OK)
    document_valid: bool = True
    registered: bool = True
    taken_over: frozenset[Factor] = frozenset()  # the SIMs that changed hands, as far as the bank can tell


class Lanes(NamedTuple):
    """Login permission: the whole customer's, that of unknown devices, that of the remembered device."""

    everywhere: Permission = Permission.OPEN
    unknown: Permission = Permission.OPEN
    device: Permission = Permission.OPEN

    @cache  # noqa: B019 -- there are forty of them
    def closed_for(self, lane: str) -> Permission | None:
        """Return why somebody who comes by `lane` may not sign in."""
        own = self.unknown if lane == UNKNOWN else self.device
        return next((state for state in (self.everywhere, own) if state is not Permission.OPEN), None)


DEVICE_LANE: Final = "their own"


class Reach(NamedTuple):
    """What can be done from one kit: the better kit, how permission can be moved, and who is let in how."""

    kit: Kit
    acts: frozenset[str]
    signs_in: bool


class Customers:
    """The customers of one world."""

    def __init__(self, world: World) -> None:
        self.world = world
        self._unusable: dict[Kit, Unusable] = {}
        self._provable: dict[tuple[Kit, str, str], frozenset[str]] = {}
        self._can: dict[tuple[Kit, str, str, frozenset[str] | None], bool] = {}
        self._reach: dict[tuple[Kit, tuple[str, ...], bool, frozenset[str] | None], Reach] = {}

    # ------------------------------------------------------------ all of them

    @cached_property
    def factors(self) -> tuple[Factor, ...]:
        """What customers hold whose proofs are built; the rest cannot help anybody."""
        sims = (Factor.REGISTERED_SIM, Factor.BOUND_SIM) if "phone_code" in self.world.built.proofs else ()
        lasting = self.world.built.proofs - set(expected.ONLY_FOR)
        others = (factor for factor, proof in PROOF_OF.items() if proof in lasting)
        return (*sims, *others)

    def kits(self) -> Iterator[Kit]:
        """Yield every kit, those with the least wrong first."""
        subsets = chain.from_iterable(combinations(self.factors, size) for size in range(len(self.factors), -1, -1))
        conditions = list(product(*(CONDITIONS[f] if f in self.factors else (Condition.OK,) for f in GUESSED)))
        conditions.sort(key=lambda each: sum(condition is not Condition.OK for condition in each))
        for held, condition, document in product(subsets, conditions, (True, False)):
            yield Kit(frozenset(held), condition, document)
            if _is_little(condition) and (taken_over := NUMBERS.intersection(held)):
                yield Kit(frozenset(held), condition, document, taken_over=taken_over)
        for held in ((Factor.BOUND_SIM, Factor.CARD_PIN), (Factor.BOUND_SIM,), (Factor.CARD_PIN,), ()):
            for pin in CONDITIONS[Factor.CARD_PIN]:
                for document in (True, False):
                    kit = Kit(frozenset(held), (Condition.OK, pin, Condition.OK), document, registered=False)
                    yield kit
                    if taken_over := NUMBERS & kit.holds:
                        yield kit._replace(taken_over=taken_over)

    def lanes(self, kit: Kit) -> tuple[Lanes, ...]:
        """Return every state that login permission of this customer may be in."""
        if not kit.registered:
            return (Lanes(),)
        return self._lanes_with_device if Factor.DEVICE in kit.holds else self._lanes_without_device

    @cached_property
    def _lanes_with_device(self) -> tuple[Lanes, ...]:
        whole = [state for state in Permission if state is not Permission.CLOSED_BY_FAILURES]
        lane = (Permission.OPEN, Permission.CLOSED_BY_FAILURES)
        return tuple(Lanes(*states) for states in product(whole, lane, lane))

    @cached_property
    def _lanes_without_device(self) -> tuple[Lanes, ...]:
        return tuple(lanes for lanes in self._lanes_with_device if lanes.device is Permission.OPEN)

    # ------------------------------------------------------------ what they can give

    def lanes_open_to(self, kit: Kit) -> tuple[str, ...]:
        """Return the lanes that a customer can come by: without the remembered device, and with it."""
        return (UNKNOWN, permission.lane_of(DEVICE_LANE)) if Factor.DEVICE in kit.holds else (UNKNOWN,)

    def unusable(self, kit: Kit) -> Unusable:
        """Return the proofs that the bank does not take from this customer now, and why: off, or never set up."""
        known = self._unusable.get(kit)
        if known is not None:
            return known
        off = zip(GUESSED, kit.conditions, strict=True)
        why = {
            PROOF_OF[factor]: why_off(factor, condition) for factor, condition in off if condition is not Condition.OK
        }
        if Factor.PASSKEY not in kit.holds:
            why["passkey"] = WHY[Condition.DISABLED]
        if Factor.FACE not in kit.holds:
            why["face"] = "face-none"
        if Factor.PERMIT not in kit.holds:
            why["permit"] = "permit-over"
        return self._unusable.setdefault(kit, frozenset(why.items()))

    def provable(self, kit: Kit, row: Journey, lane: str) -> frozenset[str]:
        """Return the proofs of `row` that the customer can give, coming by `lane`."""
        key = (kit, row.name, lane)
        if key not in self._provable:
            holds = kit.holds - {Factor.DEVICE} if lane == UNKNOWN else kit.holds
            self._provable[key] = self.world.provable(row, holds) - {name for name, _ in self.unusable(kit)}
        return self._provable[key]

    def distrusted(self, kit: Kit, row: Journey) -> frozenset[str]:
        """Return the code, where the row asks about its number and the number changed hands."""
        mine = kit.holds & SIMS[row.code_to]
        return CODE if row.asks_number and kit.taken_over and mine <= kit.taken_over else NO_PROOFS

    def can_do(self, kit: Kit, row: Journey, lane: str, *, session: frozenset[str] | None = None) -> bool:
        """Say whether the customer gets this row's act done; `session` is the evidence of a session at hand."""
        key = (kit, row.name, lane, session)
        known = self._can.get(key)
        return known if known is not None else self._can.setdefault(key, self._can_do(kit, row, lane, session))

    def _can_do(self, kit: Kit, row: Journey, lane: str, session: frozenset[str] | None) -> bool:
        if not kit.registered and row.act != "register" and row.act not in FOR_ANYBODY:
            return False
        if kit.registered and row.act == "register":
            return False
        if not kit.document_valid and row.act in CLOSES:
            return False  # the worst is taken: it expired long ago
        provable, unusable = self.provable(kit, row, lane), self.unusable(kit)
        distrusted = self.distrusted(kit, row)
        for who in engine.who_open(row, self.world.built):
            in_person = frozenset({"counter_id"}) if who is Who.IN_PERSON else frozenset[str]()
            if in_person or may_come(who, kit.holds, session is not None):
                brought = session if who is Who.SESSION and session else frozenset[str]()
                if self.world.walk(row, provable | in_person, brought, unusable, distrusted).performed:
                    return True
        return False

    # ------------------------------------------------------------ what becomes of them

    def gets_in(self, kit: Kit, lanes: Lanes, *, counter: bool) -> bool:
        """Say whether some composition of journeys ends in a full session."""
        while True:
            reach = self.reach(kit, tuple(self.admitted(kit, lanes)), counter=counter)
            if reach.signs_in:
                return True
            after = move(lanes, reach.acts)
            if (reach.kit, after) == (kit, lanes):
                return False
            kit, lanes = reach.kit, after

    def admitted(self, kit: Kit, lanes: Lanes) -> Iterator[str]:
        """Yield the lanes by which this customer may sign in now."""
        return (lane for lane in self.lanes_open_to(kit) if lanes.closed_for(lane) is None)

    def reach(self, kit: Kit, admitted: tuple[str, ...], *, counter: bool, only: frozenset[str] | None = None) -> Reach:
        """Do everything that can be done once, among the journeys `only` (None: all of them)."""
        key = (kit, admitted, counter, only)
        if key not in self._reach:
            self._reach[key] = self._try_all(kit, admitted, counter, only)
        return self._reach[key]

    def _try_all(self, kit: Kit, admitted: tuple[str, ...], counter: bool, only: frozenset[str] | None) -> Reach:
        acts, after = set[str](), kit
        session = frozenset({"phone_code"}) if self._opens_basic(kit, admitted) else None
        for row in self._helpful:
            if (only is not None and row.name not in only) or (row.act in expected.IN_PERSON_ACTS and not counter):
                continue
            ways_in = admitted if row.needs_permission else self.lanes_open_to(kit)
            # A session is gone on with in the lane that it was opened in: its browser is the remembered one, or is not.
            if any(self.can_do(kit, row, lane, session=session if lane in admitted else None) for lane in ways_in):
                if row.session is Level.FULL:
                    return Reach(kit, frozenset({row.act}), signs_in=True)
                acts.add(row.act)
                after = improve(after, row)
        return Reach(after, frozenset(acts), signs_in=False)

    @cached_property
    def _helpful(self) -> tuple[Journey, ...]:
        """The journeys that improve something, those that sign in first: then nothing else matters."""
        rows = (row for row in self.world.open_rows if row.act not in expected.ONLY_TAKES)
        return tuple(sorted(rows, key=lambda row: row.session is not Level.FULL))

    def _opens_basic(self, kit: Kit, admitted: tuple[str, ...]) -> bool:
        rows = (
            row
            for row in self.world.open_rows
            if row.session is Level.BASIC and all("phone_code" in names(way) for way in ways(row.prove))
        )
        return any(self.can_do(kit, row, lane) for row in rows for lane in admitted)


def _is_little(conditions: Conditions) -> bool:
    """Say whether a number in doubt has to be tried beside these.

    Blocks end by themselves, and whoever waited is tried. Of two proofs that are off, one may as well be lost, and kits
    without it are tried too: that keeps the exploration to seconds.
    """
    return Condition.BLOCKED not in conditions and sum(each is not Condition.OK for each in conditions) <= 1


def wait(kit: Kit) -> Kit:
    """Return the kit after a while: timed blocks have ended."""
    if Condition.BLOCKED not in kit.conditions:
        return kit
    passed = tuple(Condition.OK if condition is Condition.BLOCKED else condition for condition in kit.conditions)
    return kit._replace(conditions=passed)


def improve(kit: Kit, row: Journey) -> Kit:
    """Return the kit after the row's act."""
    renewed = {RENEWED_BY[word] for word in row.changes if word in RENEWED_BY}
    conditions = zip(GUESSED, kit.conditions, strict=True)
    return Kit(
        holds=kit.holds | gains(row),
        conditions=tuple(Condition.OK if factor in renewed else condition for factor, condition in conditions),
        document_valid=kit.document_valid or "document" in row.changes,
        registered=kit.registered or "customer" in row.changes,
        taken_over=kit.taken_over - gains(row) if row.is_at_counter else kit.taken_over,
    )


@cache
def move(lanes: Lanes, acts: frozenset[str]) -> Lanes:
    """Return login permission after these acts."""
    for act in sorted(acts & set(expected.MOVES)):
        for event in expected.MOVES[act]:
            lanes = Lanes(*(_moved(state, event, act) for state in lanes))
    return lanes


def _moved(state: Permission, event: Event, act: str) -> Permission:
    if act in expected.OPENS_ONLY_FAILURES and state is not Permission.CLOSED_BY_FAILURES:
        return state
    try:
        return permission.after(state, event)
    except NoTransition:
        return state
