"""Promise 1, no dead end: whatever a customer lost, some journeys lead back in, and the answers name them.

Theory of operation
  Every kit of every customer is tried in every state of login permission (`customers.py`). Who gets in without the
  counter has to get in as well by following nothing but the remedies that the engine tells, beginning at `sign-in`:
  a way that exists and that nobody names is a dead end too.

  Where only the counter helps, the counter's row has to be open; in a world where it is not, these states are
  counted and reported, with the smallest losses that lead there. Whoever lost nothing is never sent there, unless it
  was the bank that closed the login.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain
from typing import Final

from foregate.rules import engine
from foregate.rules.causes import REMEDY_ACTIONS, Causes, when_off
from foregate.rules.check import expected, stories
from foregate.rules.check.customers import (
    CODE,
    GUESSED,
    NO_PROOFS,
    WHY,
    Condition,
    Customers,
    Kit,
    Lanes,
    move,
    wait,
)
from foregate.rules.check.model import PROOF_OF, SIMS, Factor, Unusable, World
from foregate.rules.check.report import Verdict, shortest_first
from foregate.rules.engine import Around, Progress
from foregate.rules.journeys import Journey, Table
from foregate.rules.permission import Permission
from foregate.rules.words import Proof, Tier, ways

BEGINS_AT: Final = "sign-in"
TAKEN_OVER: Final = "the number changed hands lately"
JUST_SIGNS_IN: Final = frozenset({BEGINS_AT})

# What a customer hears who cannot do what is asked.
HEARS: Final = {
    "phone_code": ("code-wrong", "code-expired", "text-not-arrived"),
    "password": ("password-wrong",),
    "card_pin": ("card-pin-wrong",),
    "face": ("face-not-you", "face-not-live"),
}


def explore(world: World, causes: Causes) -> Verdict:
    """Try every customer in every state."""
    found = [*_remedies(causes, world.journeys), *_rows(world), *_offers(world), *_protection(world)]
    decided, walls = _decisions(world)
    tried, stranded, at_outlet = _customers(world)
    notes = _notes(world, tried, at_outlet)
    return Verdict(
        states=decided + tried, stories=shortest_first([*stranded[:3], *found, *walls], limit=8), notes=notes
    )


# ---------------------------------------------------------------- every customer


# A row, what somebody can give there, what is off, what stands against them, what is in doubt.
Spot = tuple[str, frozenset[str], Unusable, tuple[str, ...], frozenset[str]]


class _Guide:
    """Which journeys the answers name, to a customer who began at `sign-in` and follows what is told."""

    def __init__(self, customers: Customers) -> None:
        self.customers = customers
        self.world = customers.world
        self._heard: dict[Spot, frozenset[str]] = {}

    def named(self, kit: Kit, lanes: Lanes) -> frozenset[str]:
        """Return every journey, or `visit-outlet`, that this customer is led to."""
        named, ahead = {BEGINS_AT}, [BEGINS_AT]
        while ahead:
            row = self.world.journeys.get(ahead.pop())
            if row is None or row not in self.world.open_rows:
                continue
            for remedy in self._on(row, kit, lanes) - named:
                named.add(remedy)
                ahead.append(remedy)
        return frozenset(named)

    def _on(self, row: Journey, kit: Kit, lanes: Lanes) -> frozenset[str]:
        heard = frozenset[str]()
        unusable = self.customers.unusable(kit)
        for lane in self.customers.lanes_open_to(kit):
            provable = self.customers.provable(kit, row, lane)
            if not kit.registered and Factor.BOUND_SIM in kit.holds and SIMS[row.code_to]:
                provable |= {"phone_code"} & self.world.mentions(row)  # the code goes to the number typed, or bound
            objections = tuple(self._objections(row, kit, lanes, lane))
            distrusted = self.customers.distrusted(kit, row)
            key = (row.name, provable, unusable, objections, distrusted)
            if key not in self._heard:
                self._heard[key] = frozenset(self._told(row, provable, unusable, objections, distrusted))
            heard |= self._heard[key]
        return heard

    def _objections(self, row: Journey, kit: Kit, lanes: Lanes, lane: str) -> Iterator[str]:
        if row.act == "register" and kit.registered:
            yield "already-registered"
        if row.act == "register" and not kit.document_valid:
            yield "document-lapsed"
        if row.act != "register" and not kit.registered:
            yield "not-registered"
        closed = lanes.closed_for(lane)
        if row.needs_permission and closed is not None:
            yield closed.value

    def _told(
        self,
        row: Journey,
        provable: frozenset[str],
        unusable: Unusable,
        objections: tuple[str, ...],
        distrusted: frozenset[str],
    ) -> Iterator[str]:
        for progress, decision in self.world.walk(row, provable, unusable=unusable, distrusted=distrusted).met:
            tier = engine.tier_of(row, progress.proved, progress.doubted.keys())
            around = Around(journey=row.name, retry_in_seconds=60)
            causes = (*_causes(decision, provable), *progress.doubted.values(), *(objections if tier.rank else ()))
            for cause in causes:
                if cause in self.world.causes:
                    yield from set(self.world.refuse(cause, tier, around).remedies) - (
                        REMEDY_ACTIONS - {"visit-outlet"}
                    )


def _causes(decision: engine.Decision, provable: frozenset[str]) -> Iterator[str]:
    match decision:
        case engine.Stuck(cause=cause):
            yield cause
        case engine.Prove(proof=proof, others=others):
            for option in (proof, *others):
                if option.name not in provable:
                    yield from HEARS.get(option.name, ("not-recognised",))


def _customers(world: World) -> tuple[int, list[str], list[tuple[Kit, Lanes]]]:
    """Try everybody. States that waiting makes equal share one judgement."""
    customers = Customers(world)
    guide = _Guide(customers)
    judged: dict[tuple[Kit, Lanes], tuple[bool, str | None]] = {}
    tried, stranded, at_outlet = 0, list[str](), list[tuple[Kit, Lanes]]()
    for kit in customers.kits():
        waited = wait(kit)
        for lanes in customers.lanes(kit):
            tried += 1
            later = (waited, lanes)
            if later not in judged:
                judged[later] = _judge(customers, guide, *later)
            alone, story = judged[later]
            if story is not None:
                stranded.append(story)
            elif not alone and _has_lost_nothing(customers, *later):
                stranded.append(f"{_who(*later)} has lost nothing, and still has to go to the outlet.")
            if not alone:
                at_outlet.append(later)
    return tried, stranded, at_outlet


def _has_lost_nothing(customers: Customers, kit: Kit, lanes: Lanes) -> bool:
    whole = kit.registered and kit.document_valid and not kit.taken_over and kit.holds == frozenset(customers.factors)
    in_order = all(condition is Condition.OK for condition in kit.conditions)
    return whole and in_order and lanes.everywhere is not Permission.CLOSED_BY_BANK


def _judge(customers: Customers, guide: _Guide, kit: Kit, lanes: Lanes) -> tuple[bool, str | None]:
    """Say whether this customer gets in without the counter, and what is wrong, if anything."""
    admitted = tuple(customers.admitted(kit, lanes))
    if admitted and customers.reach(kit, admitted, counter=False, only=JUST_SIGNS_IN).signs_in:
        return True, None  # most customers
    if customers.gets_in(kit, lanes, counter=False):
        return True, None if _is_led_in(customers, guide, kit, lanes) else _unnamed(kit, lanes)
    if "visit-outlet" not in guide.named(kit, lanes):
        return False, _nowhere(kit, lanes, "no answer names the outlet")
    has_counter = any(row.act in expected.IN_PERSON_ACTS for row in customers.world.open_rows)
    if has_counter and kit.registered and not customers.gets_in(kit, lanes, counter=True):
        return False, _nowhere(kit, lanes, "not even the counter helps")
    return False, None


def _is_led_in(customers: Customers, guide: _Guide, kit: Kit, lanes: Lanes) -> bool:
    while True:
        admitted = tuple(customers.admitted(kit, lanes))
        reach = customers.reach(kit, admitted, counter=False, only=guide.named(kit, lanes))
        if reach.signs_in:
            return True
        after = move(lanes, reach.acts)
        if (reach.kit, after) == (kit, lanes):
            return False
        kit, lanes = reach.kit, after


def _who(kit: Kit, lanes: Lanes) -> str:
    off = zip(GUESSED, kit.conditions, strict=True)
    words = [f"{stories.FACTORS[f]} is {condition.value}" for f, condition in off if condition is not Condition.OK]
    if not kit.document_valid:
        words.append("the document has expired")
    if kit.taken_over:
        words.append("the number changed hands")
    closed = dict.fromkeys(state.value for state in lanes if state is not Permission.OPEN)
    words += [f"login permission is {state}" for state in closed]
    rest = f", while {stories.listed(words)}," if words else ""
    if not kit.registered:
        return f"Somebody not yet registered who holds {stories.factors(kit.holds)}{rest}"
    return f"A customer who holds {stories.factors(kit.holds)}{rest}"


def _unnamed(kit: Kit, lanes: Lanes) -> str:
    return f"{_who(kit, lanes)} begins at `{BEGINS_AT}`: a way back in exists, but no answer names it."


def _nowhere(kit: Kit, lanes: Lanes, why: str) -> str:
    return f"{_who(kit, lanes)} begins at `{BEGINS_AT}` and finds no way back in: {why}."


# ---------------------------------------------------------------- who needs the outlet


def _notes(world: World, tried: int, at_outlet: list[tuple[Kit, Lanes]]) -> tuple[str, ...]:
    customers = Customers(world)
    losses = sorted(
        {_losses(customers, kit, lanes) for kit, lanes in set(at_outlet)}, key=lambda loss: (len(loss), sorted(loss))
    )
    least: list[frozenset[str]] = []
    for loss in losses:
        if not any(known <= loss for known in least):
            least.append(loss)
    return (
        f"{len(at_outlet)} of {tried} states need the outlet.",
        *_at_the_counter(customers, at_outlet),
        *(f"Needs the outlet: {stories.listed(sorted(loss))}." for loss in least),
    )


def _at_the_counter(customers: Customers, at_outlet: list[tuple[Kit, Lanes]]) -> Iterator[str]:
    """Say what the counter does for those who need it. Whoever it cannot help was told of as stranded."""
    rows = [
        f"`{row.name}`" for row in customers.world.open_rows if row.act in set(expected.MOVES) & expected.IN_PERSON_ACTS
    ]
    if rows:
        new = [each for each in at_outlet if not each[0].registered]
        helped = sum(customers.gets_in(*each, counter=True) for each in new)
        yield f"The counter leads back in from {len(at_outlet) - len(new)} of them, by {stories.listed(rows)}."
        yield (
            f"In the other {len(new)} nobody is registered yet: in {helped} of them the counter corrects the document, and "
            "they register alone; in the rest the card or its number is put right first, in the core bank."
        )


def _losses(customers: Customers, kit: Kit, lanes: Lanes) -> frozenset[str]:
    if not kit.registered:
        missing = {Factor.BOUND_SIM, Factor.CARD_PIN} - kit.holds
        lost = {f"{stories.FACTORS[factor]} lost" for factor in missing}
        lost |= {f"{stories.FACTORS[Factor.CARD_PIN]} {c.value}" for c in kit.conditions if c is not Condition.OK}
        lost |= set() if kit.document_valid else {"the document expired"}
        lost |= {TAKEN_OVER} if kit.taken_over else set()
        return frozenset(lost | {"not yet registered"})
    lost = {f"{stories.FACTORS[factor]} lost" for factor in customers.factors if factor not in kit.holds}
    for factor, condition in zip(GUESSED, kit.conditions, strict=True):
        if condition not in (Condition.OK, Condition.BLOCKED) and factor in kit.holds:
            lost.add(f"{stories.FACTORS[factor]} lost")  # no use to anybody: as good as lost
    lost |= {TAKEN_OVER} if kit.taken_over else set()
    if lanes.everywhere is not Permission.OPEN:
        lost.add(f"login permission {lanes.everywhere.value}")
    elif any(lanes.closed_for(lane) for lane in customers.lanes_open_to(kit)):
        lost.add(f"login permission {Permission.CLOSED_BY_FAILURES.value}")
    return frozenset(lost)


# ---------------------------------------------------------------- every decision


def _decisions(world: World) -> tuple[int, list[str]]:
    """Meet every decision about every customer; each that ends in a refusal has to offer something that leads on."""
    explored, found = 0, list[str]()
    for row in world.open_rows:
        mentioned = world.mentions(row)
        everybody = {
            (provable - {name for name, _ in unusable}, unusable)
            for provable in _subsets(mentioned)
            for unusable in _unusables(mentioned)
        }
        met = [world.walk(row, provable, unusable=unusable).met for provable, unusable in everybody]
        if row.asks_number:  # whatever else is off, who is stuck with a doubted code hears of the doubt
            met += [world.walk(row, provable, distrusted=CODE).met for provable in _subsets(mentioned)]
        for progress, decision in chain.from_iterable(met):
            explored += 1
            found += _walls(world, row, progress, decision)
    return explored, sorted(set(found))


def _walls(world: World, row: Journey, progress: Progress, decision: engine.Decision) -> Iterator[str]:
    tier = engine.tier_of(row, progress.proved, progress.doubted.keys())
    for cause in (*_causes(decision, frozenset()), *progress.doubted.values()):
        if cause not in world.causes:
            continue
        step = decision.proof.name if isinstance(decision, engine.Prove) else None
        around = Around(step=step, has_other_ways=False, journey=row.name)
        remedies = world.refuse(cause, tier, around).remedies
        if not set(remedies) - expected.GOES_ROUND:
            yield (
                f"A customer on `{row.name}` who has shown {stories.way(progress.proved)} is refused with `{cause}` and "
                f"offered {stories.listed(remedies)}: no way on."
            )


def _subsets(mentioned: frozenset[str]) -> Iterator[frozenset[str]]:
    everything = sorted(mentioned)
    for mask in range(1 << len(everything)):
        yield frozenset(name for bit, name in enumerate(everything) if mask >> bit & 1)


def _unusables(mentioned: frozenset[str]) -> Iterator[frozenset[tuple[str, str]]]:
    guessed = sorted({PROOF_OF[factor] for factor in GUESSED} & mentioned)
    why = tuple(dict.fromkeys((*WHY.values(), when_off("face"))))
    for off in _subsets(frozenset(guessed)):
        yield from {frozenset((name, cause) for name in off) for cause in why}


# ---------------------------------------------------------------- tables


def _remedies(causes: Causes, journeys: Table) -> Iterator[str]:
    for cause in causes.values():
        unknown = [remedy for remedy in cause.remedies if remedy not in REMEDY_ACTIONS and remedy not in journeys]
        if unknown:
            yield f"Whoever hears `{cause.name}` is sent to {stories.listed(unknown)}, which does not exist."
        if not cause.remedies:
            yield f"Whoever hears `{cause.name}` is offered nothing at all."
        elif not set(cause.remedies) - expected.GOES_ROUND - set(unknown):
            yield f"Whoever hears `{cause.name}` is offered only {stories.listed(cause.remedies)}: that goes round in a circle."
        if cause.twin is not None and cause.twin not in causes:
            yield f"`{cause.name}` has the twin `{cause.twin}`, which does not exist."
        earned = expected.TELLS_ABOUT_THE_CUSTOMER.get(cause.name, Tier.ANYONE)
        if cause.tier.rank > earned.rank:
            yield f"A customer who has shown enough ({earned.value}) is not told `{cause.name}`: its tier is {cause.tier.value}."


def _offers(world: World) -> Iterator[str]:
    for name, owed in expected.HAS_TO_OFFER.items():
        if name not in world.causes:
            yield f"The cause `{name}` is gone: nobody would hear why, nor what gets past it."
            continue
        missing = owed - set(world.causes[name].remedies)
        if missing:
            yield f"A customer who hears `{name}` is not offered {stories.listed(sorted(missing))}."


def _rows(world: World) -> Iterator[str]:
    for row in world.journeys.values():
        if not row.open:
            continue
        if not engine.who_open(row, world.built):
            yield f"`{row.name}` is open, but no way of saying who one is is built for it."
            continue
        if not engine.open_ways(row, world.built):
            yield f"`{row.name}` is open, but no way to prove it is built and charged: whoever comes is stuck."
        for way in engine.open_ways(row, world.built):
            yield from _dead_way(world, row, way)


def _dead_way(world: World, row: Journey, way: frozenset[Proof]) -> Iterator[str]:
    able = frozenset(proof.name for proof in way)
    if not world.walk(row, able).performed and able in {frozenset(p.name for p in each) for each in ways(row.prove)}:
        yield f"A customer who can give {stories.way(able)} asks for `{row.name}`; the table takes that, the engine never asks for it."


def _protection(world: World) -> Iterator[str]:
    for act in sorted(expected.PROTECTS & set(world.policy)):
        for enough in world.policy[act].alternatives:
            rows = [row for row in world.open_rows if row.act == act and enough & world.mentions(row)]
            gets_done = any(
                world.walk(row, enough, distrusted=CODE if row.asks_number else NO_PROOFS).performed for row in rows
            )
            if enough <= world.built.proofs and not gets_done:
                asked = stories.listed((f"`{row.name}`" for row in rows), "or")
                yield f"A customer who has only {stories.way(enough)} left asks for {asked} and is asked for more: too late."
