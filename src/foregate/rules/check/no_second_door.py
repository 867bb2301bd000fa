"""Promise 2, no second door: nobody buys an act for less than the policy asks, by whatever chain of journeys.

Theory of operation
  A thief starts with some factors, and perhaps with a stolen session whose evidence is older than `afresh`. What
  journeys give him later (a password he set, a device he had remembered) he holds, but it is not his own: for every
  act that he reaches, the factors he *started* with have to satisfy the policy of that act.

  The exploration lets him keep everything he ever got, so holdings only grow and one pass to the fixed point meets
  every act of every order of journeys. Two tellers and an ID card are the root of trust: a thief never has those.
  When an act is reached that should not be, a breadth-first search from the same start finds the shortest chain.

  Apart from that, each row is held against the policy directly, and the policy against what no policy may allow.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from functools import cache
from itertools import chain, combinations

import msgspec

from foregate.rules import engine, permission
from foregate.rules.check import expected, stories
from foregate.rules.check.model import NONE, Factor, World, categories, gains, is_enough, may_come, names
from foregate.rules.check.report import Verdict, shortest_first
from foregate.rules.journeys import Journey
from foregate.rules.permission import Event, NoTransition, Permission
from foregate.rules.policy import AFRESH, Evidence
from foregate.rules.words import COUNTER_ID, CodeTo, Level, Who, ways

_CODE = frozenset({"phone_code"})


class Thief(msgspec.Struct, frozen=True):
    """What a thief starts with. `stale` is the evidence of a stolen session, None when there is none."""

    holds: frozenset[Factor]
    stale: frozenset[str] | None = None

    @property
    def size(self) -> int:
        """How much he had to steal."""
        return len(self.holds) + (self.stale is not None)


class Place(msgspec.Struct, frozen=True):
    """How far he got: all he holds by now, and whether he is signed in."""

    holds: frozenset[Factor]
    has_session: bool


class Done(msgspec.Struct, frozen=True):
    """One act he got done."""

    row: Journey
    who: Who
    shown: tuple[str, ...]
    brought: frozenset[str]


# What is within reach of whom: row, holdings that matter there, signed in, what a stolen session brings along.
Moves = dict[tuple[str, frozenset[Factor], bool, frozenset[str]], Done | None]


def explore(world: World) -> Verdict:
    """Hold the rows against the policy, then let every thief loose."""
    known, entitled = Moves(), dict[tuple[str, frozenset[str]], bool]()
    flaws = [*_rows_and_policy(world), *_policy_itself(world), *_what_the_bank_closed()]
    visited, broken = 0, list[tuple[Thief, Journey]]()
    for thief in sorted(_thieves(world), key=lambda thief: thief.size):
        places, acts = _everything(world, thief, known)
        visited += places
        for row in acts:
            key = (row.act, _own(world, thief, row))
            if key not in entitled:
                entitled[key] = _is_entitled(world, *key)
            if not entitled[key]:
                broken.append((thief, row))
    told = _tell(world, broken)
    return Verdict(states=visited + world.decisions_explored, stories=shortest_first([*told, *flaws], limit=8))


# ---------------------------------------------------------------- every thief


def _thieves(world: World) -> Iterator[Thief]:
    holdings = chain.from_iterable(combinations(Factor, size) for size in range(len(Factor) + 1))
    sessions: list[frozenset[str] | None] = [None]
    for act in ("open-basic-session", "open-full-session"):
        if act in world.policy:
            sessions += world.policy[act].alternatives
    stolen = tuple(dict.fromkeys(sessions))
    return (Thief(frozenset(holding), stale) for holding in holdings for stale in stolen)


def _everything(world: World, thief: Thief, known: Moves) -> tuple[int, tuple[Journey, ...]]:
    place = Place(thief.holds, thief.stale is not None)
    reached: dict[str, Journey] = {}
    for visited in range(1, 1000):
        holds, has_session = place.holds, place.has_session
        for done in _moves(world, thief, place, known):
            reached[done.row.name] = done.row
            holds |= _loot(done.row)
            has_session = has_session or done.row.session is not None
        if Place(holds, has_session) == place:
            return visited, tuple(reached.values())
        place = Place(holds, has_session)
    raise RecursionError("holdings only grow, so this ends")


def _moves(world: World, thief: Thief, place: Place, known: Moves) -> Iterator[Done]:
    """Yield the acts within reach, each once, by the way that shows least. `known`: what was found out before."""
    for row in world.open_rows:
        stale = thief.stale & world.mentions(row) if thief.stale and world.is_brought(row) else NONE
        matters = place.holds & world.matters(row)
        key = (row.name, matters, place.has_session, stale)
        if key not in known:
            known[key] = _move(world, Place(matters, place.has_session), row, stale)
        if (done := known[key]) is not None:
            yield done


def _move(world: World, place: Place, row: Journey, stale: frozenset[str]) -> Done | None:
    provable = world.provable(row, place.holds)
    for who in row.who:
        if who not in world.built.who or not may_come(who, place.holds, place.has_session):
            continue
        brought = stale if who is Who.SESSION else NONE
        performed = world.walk(row, provable, brought).performed
        if performed:
            return Done(row, who, min(performed.values(), key=len), brought)
    return None


def _loot(row: Journey) -> frozenset[Factor]:
    """Return what an act hands a thief. What has to cool first only lets him sign in, as he just did."""
    return frozenset() if row.cooling else gains(row)


def _is_entitled(world: World, act: str, own: frozenset[str]) -> bool:
    evidence = (world.policy.get(each) for each in (act, expected.INCLUDED_IN.get(act)) if each)
    return any(each is not None and is_enough(each, own) for each in evidence)


def _own(world: World, thief: Thief, row: Journey) -> frozenset[str]:
    """Return the proofs that are the thief's own, and fresh enough for the act."""
    stale = thief.stale if thief.stale and world.is_brought(row) else NONE
    return _of_his_own(thief.holds, stale, has_number=row.code_to is CodeTo.TYPED)


@cache
def _of_his_own(holds: frozenset[Factor], stale: frozenset[str], *, has_number: bool) -> frozenset[str]:
    sims = {Factor.REGISTERED_SIM, Factor.BOUND_SIM}
    code = {"phone_code"} if holds & sims or has_number else NONE
    return frozenset({factor.value for factor in holds - sims} | code | stale)


# ---------------------------------------------------------------- telling it


def _tell(world: World, broken: list[tuple[Thief, Journey]]) -> list[str]:
    """Return one story for each act bought too cheaply: of the thief who had to steal least, the shortest."""
    found: dict[str, tuple[int, int, str]] = {}
    for thief, row in broken:
        best = found.get(row.name)
        if best is not None and best[0] < thief.size:
            continue
        path = _shortest(world, thief, row)
        told = (thief.size, len(path), _story(world, thief, path))
        if best is None or told < best:
            found[row.name] = told
    return [story for _, _, story in sorted(found.values())]


def _shortest(world: World, thief: Thief, goal: Journey) -> tuple[Done, ...]:
    start, known = Place(thief.holds, thief.stale is not None), Moves()
    seen, queue = {start}, deque([(start, tuple[Done, ...]())])
    while queue:
        place, path = queue.popleft()
        for done in _moves(world, thief, place, known):
            if done.row.name == goal.name:
                return (*path, done)
            after = Place(place.holds | _loot(done.row), place.has_session or done.row.session is not None)
            if after not in seen:
                seen.add(after)
                queue.append((after, (*path, done)))
    return ()


def _story(world: World, thief: Thief, path: tuple[Done, ...]) -> str:
    steps = "; then ".join(stories.step(done.row, done.who, done.shown, done.brought) for done in path)
    last = path[-1].row
    verdict = stories.judgement(last.act, _own(world, thief, last), world.policy.get(last.act))
    return f"{stories.thief(thief.holds, thief.stale)} {steps}. But {verdict}."


# ---------------------------------------------------------------- row by row


def _rows_and_policy(world: World) -> Iterator[str]:
    acts = {row.act for row in world.journeys.values()}
    for act in sorted(set(world.policy) - acts):
        yield f"The policy has a line for `{act}`, which no journey buys."
    for row in world.journeys.values():
        yield from _row(world, row)


def _row(world: World, row: Journey) -> Iterator[str]:
    evidence = world.policy.get(row.act)
    if evidence is None:
        yield f"`{row.name}` buys `{row.act}`, for which the policy has no line: it could cost anything."
        return
    for way in ways(row.prove):
        if not is_enough(evidence, names(way)):
            asked = stories.listed((stories.way(alternative) for alternative in evidence.alternatives), "or")
            yield (
                f"Whoever gives {stories.way(names(way))} gets `{row.act}` by `{row.name}`; "
                f"the policy asks for {evidence.min_categories} of: {asked}."
            )
        for proof in way:
            if proof.guessable and proof.name in world.built.proofs and row.counter_for(proof) is None:
                yield f"`{row.name}` asks for {proof.name} and charges no counter: it can be guessed without end."
    for level, acts in expected.OPENS.items():
        if row.session is level and row.act not in acts:
            yield f"`{row.name}` signs in ({level.value}) although its act is `{row.act}`: only {stories.listed(sorted(acts))} may."
    code_to = expected.CODE_GOES_TO.get(row.act, CodeTo.REGISTERED)
    if "phone_code" in world.mentions(row) and row.code_to is not code_to:
        yield f"`{row.name}` sends its code to the {row.code_to.value} number; `{row.act}` takes one to the {code_to.value} number."
    for word in row.changes:
        if word not in expected.CHANGES:
            yield f"`{row.name}` changes `{word}`, of which nobody knows what it gives a thief."
    yield from _at_the_counter(world, row)
    yield from _seasoned(world, row)
    yield from _taken_over(world, row, evidence)
    if row.act in expected.ENDS_SESSIONS and "sessions" not in row.changes:
        yield f"`{row.name}` does `{row.act}` and leaves the sessions open: whoever came in before is still in."
    left = expected.THROWS_OUT.get(row.act, frozenset()) - set(row.changes)
    if left:
        yield f"`{row.name}` does `{row.act}` and leaves {stories.listed(sorted(left))}: what a thief left behind lets him back in."


def _seasoned(world: World, row: Journey) -> Iterator[str]:
    """Yield where a thief could buy what lasts with something that he added a minute ago."""
    changed = sorted(expected.CREDENTIALS & set(row.changes))
    if not changed or row.act in expected.ONLY_TAKES or row.seasoned:
        return
    for name in sorted(world.mentions(row) & expected.COOLS):
        yield (
            f"A thief adds a {name} of his own and asks for `{row.name}` with it at once: it changes "
            f"{stories.listed(changed)}, and takes what is cooling."
        )


def _taken_over(world: World, row: Journey, evidence: Evidence) -> Iterator[str]:
    """Yield where the code of a number that somebody took over yesterday buys what lasts, or lets them guess."""
    lasts = sorted(expected.CREDENTIALS & set(row.changes)) if row.act not in expected.ONLY_TAKES else []
    if row.session is Level.FULL or row.act in expected.OPENS_FULL:
        lasts.append("a full session")
    if not lasts or "phone_code" not in world.mentions(row):
        return
    thief = f"A thief has the customer's number moved to a SIM of his own and asks for `{row.name}` at once"
    if not row.asks_number:
        yield f"{thief}: it gives {stories.listed(lasts)}, and does not ask how long the number has been where it is."
        return
    for proofs in world.walk(row, world.mentions(row), distrusted=_CODE).performed:
        if not is_enough(evidence, proofs):
            yield f"{thief}: with {stories.way(proofs)} besides he gets it, though the code counts for nothing."
    for progress, decision in world.walk(row, _CODE, distrusted=_CODE).met:
        if progress.doubted and isinstance(decision, engine.Prove):
            for proof in (decision.proof, *decision.others):
                if proof.guessable:
                    yield f"{thief}: on the strength of a code that counts for nothing he may guess at {proof.name}."


def _at_the_counter(world: World, row: Journey) -> Iterator[str]:
    is_in_person = row.act in expected.IN_PERSON_ACTS
    if is_in_person and row.who != (Who.IN_PERSON,):
        yield f"`{row.name}` does `{row.act}` for somebody who is not at the counter."
    if row.is_at_counter and not is_in_person:
        yield f"`{row.name}` lets tellers do `{row.act}`: that is the customer's own to do."
    if not row.is_at_counter and COUNTER_ID.name in world.mentions(row):
        yield f"`{row.name}` asks for {COUNTER_ID.name} of somebody who is not at the counter: two tellers see nobody there."

    for name in sorted(world.mentions(row) & set(expected.ONLY_FOR)):
        if row.act != expected.ONLY_FOR[name]:
            yield f"`{row.name}` takes {name}, which is for `{expected.ONLY_FOR[name]}` and nothing else."


def _policy_itself(world: World) -> Iterator[str]:
    """Yield what no policy may allow: too few categories, stale evidence for a credential, a proof for itself."""
    for row in world.journeys.values():
        evidence = world.policy.get(row.act)
        if evidence is None or row.act in expected.ONLY_TAKES:
            continue
        changed = sorted(expected.CREDENTIALS & set(row.changes))
        if changed and evidence.fresh_seconds > AFRESH:
            yield (
                f"A thief with a stolen session asks for `{row.name}`: the policy lets `{row.act}` change "
                f"{stories.listed(changed)} on evidence {evidence.fresh_seconds} seconds old; more than {AFRESH} is stale."
            )
        if changed or row.act in expected.OPENS_FULL:
            yield from _too_little(world, row.act)
        barred = expected.MAY_NOT_VOUCH.get(row.act)
        if any(barred in alternative for alternative in evidence.alternatives):
            yield f"The policy lets the {barred} vouch for its own successor: `{row.act}`."


def _too_little(world: World, act: str) -> Iterator[str]:
    least = 1 if act in expected.IN_PERSON_ACTS else 2
    evidence = world.policy[act]
    if evidence.min_categories < least:
        yield f"The policy lets `{act}` cost {evidence.min_categories} category; nothing below {least} is safe for it."
    for alternative in evidence.alternatives:
        if act in expected.IN_PERSON_ACTS and "counter_id" not in alternative:
            yield f"The policy lets {stories.way(alternative)} buy `{act}` without two tellers."
        elif len(categories(alternative)) < least:
            yield f"The policy lets {stories.way(alternative)} buy `{act}`: fewer than {least} categories."


def _what_the_bank_closed() -> Iterator[str]:
    try:
        after = permission.after(Permission.CLOSED_BY_BANK, Event.REOPENED)
    except NoTransition:
        return
    if after is not Permission.CLOSED_BY_BANK:
        yield f"A customer whose login the bank closed asks for `reopen`: it is {after.value}. Only the bank may open it."
