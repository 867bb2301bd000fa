"""Promise 4, no lock-out by strangers: a game against somebody who has nothing and all the time in the world.

Theory of operation
  The stranger starts any journey in the customer's name and fails whatever the engine lets them be asked. Every
  counter charged on the way is taken as used up for good (a hundred in all), and when one of them is not kept apart
  (`proof@journey`) as having closed login permission in the lane of unknown devices too. He also has codes sent
  until the number's quota is spent, again and again: then the customer still proves the number by a text that the
  phone sends, if the causes say so. He starts over at once, so nothing the customer reopens may be counted on:
  every holder of a full way has to sign in as things stand.

  A second, milder game is played by a thief with the phone (SIM): he closes the lane he comes by. The remembered
  device of its owner has a lane of its own, so its owner gets in.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from foregate.rules import engine, permission
from foregate.rules.check import expected, stories
from foregate.rules.check.model import PROOF_OF, Factor, World, may_come
from foregate.rules.check.report import Verdict, shortest_first
from foregate.rules.engine import Around
from foregate.rules.journeys import Journey
from foregate.rules.words import PROOFS, CodeTo, Level, Proof, Tier

SENT_OUT = ("codes-spent", "code-too-soon", "codes-held-back")


def explore(world: World) -> Verdict:
    """Play both games, and let every kind of customer try the door afterwards."""
    stranger = dict(_charged(world, frozenset()))
    sim_thief = dict(_charged(world, frozenset({"phone_code"})))
    customers = tuple(_customers(world))
    found = list(_cannot_prove_number(world, stranger))
    for way in customers:
        found += _after_the_stranger(world, way, stranger)
        if "device" in way:
            found += _after_the_sim_thief(world, way, sim_thief)
    states = len(customers) * 2 * len(world.open_rows) + world.decisions_explored
    notes = (_what_was_charged(stranger), *(() if found else (_who_gets_in(customers),)))
    return Verdict(states=states, stories=shortest_first(found), notes=notes)


def _charged(world: World, able: frozenset[str]) -> Iterator[tuple[str, Journey]]:
    """Yield every counter that somebody who can give `able` makes wrong answers be charged to, and where."""
    for row in world.open_rows:
        if not any(may_come(who, frozenset(), False) for who in engine.who_open(row, world.built)):
            continue
        provable = able | {"phone_code"} if row.code_to is CodeTo.TYPED else able
        for progress, decision in world.walk(row, provable & world.mentions(row)).met:
            if isinstance(decision, engine.Prove):
                for proof in (decision.proof, *decision.others):
                    counter = row.counter_for(proof)
                    if counter is not None and proof.name not in progress.proved:
                        yield counter, row


def _customers(world: World) -> Iterator[frozenset[str]]:
    evidence = world.policy.get("open-full-session")
    for way in evidence.alternatives if evidence else ():
        if way <= world.built.proofs - set(expected.ONLY_FOR):
            yield way


# ---------------------------------------------------------------- the stranger


def _cannot_prove_number(world: World, charged: Mapping[str, Journey]) -> Iterator[str]:
    around = Around(step="phone_code", retry_in_seconds=60)
    for cause in SENT_OUT:
        if "phone_code" not in charged:
            return
        if cause not in world.causes or "text-us" not in world.refuse(cause, Tier.ANYONE, around).remedies:
            yield (
                f"A stranger has codes sent to the customer's number by `{charged['phone_code'].name}` until no more are "
                f"sent. The customer, phone in hand, hears `{cause}` and is not offered to text us instead: locked out."
            )


def _after_the_stranger(world: World, way: frozenset[str], charged: Mapping[str, Journey]) -> Iterator[str]:
    gone = {counter for counter in charged if _proof(counter).guessable and counter != "phone_code"}
    closed = any("@" not in counter for counter in gone)
    lane = permission.lane_of("their own" if "device" in way else None)
    unknown_closed = closed and lane == permission.UNKNOWN
    if not _signs_in(world, way, gone, unknown_closed):
        blame = stories.listed(f"{counter} (by `{charged[counter].name}`)" for counter in sorted(gone))
        yield (
            (
                f"A stranger who holds nothing fails on purpose until {blame} is used up"
                f"{' and login permission is closed for unknown devices' if unknown_closed else ''}; the customer who holds "
                f"{stories.way(way)} cannot sign in."
            )
            if gone
            else f"With no stranger about, the customer who holds {stories.way(way)} cannot sign in."
        )


def _after_the_sim_thief(world: World, way: frozenset[str], charged: Mapping[str, Journey]) -> Iterator[str]:
    failed = sorted(counter for counter in charged if "@" not in counter and counter != "phone_code")
    lane = permission.lane_of("their own")
    if failed and lane == permission.UNKNOWN:
        yield (
            f"A thief who holds the phone (SIM) fails {stories.listed(failed, 'or')} until login permission is closed in "
            f"the lane `{permission.UNKNOWN}`; the remembered device is in that lane too, so the customer who holds "
            f"{stories.way(way)} cannot sign in."
        )


def _signs_in(world: World, way: frozenset[str], gone: set[str], unknown_closed: bool) -> bool:
    for row in world.open_rows:
        if row.session is not Level.FULL or row.act == "register":
            continue
        if not any(may_come(who, _factors(way), False) for who in engine.who_open(row, world.built)):
            continue
        if row.needs_permission and unknown_closed:
            continue
        usable = frozenset(name for name in way if row.counter_for(PROOFS[name]) not in gone)
        unusable = frozenset((name, "proof-disabled") for name in way - usable)
        if world.walk(row, usable, unusable=unusable).performed:
            return True
    return False


def _factors(way: frozenset[str]) -> frozenset[Factor]:
    return frozenset(factor for factor, proof in PROOF_OF.items() if proof in way)


def _proof(counter: str) -> Proof:
    return PROOFS[counter.partition("@")[0]]


def _who_gets_in(customers: tuple[frozenset[str], ...]) -> str:
    held = "; or ".join(sorted(stories.way(way) for way in customers))
    return f"Always gets in, whatever a stranger does: whoever holds {held}."


def _what_was_charged(charged: Mapping[str, Journey]) -> str:
    return f"A stranger can use up: {stories.listed(sorted(charged))}."
