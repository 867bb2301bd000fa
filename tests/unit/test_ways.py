"""My ways in: what is promised after a loss, the checker's customers agree to; and the suggestion helps."""

from __future__ import annotations

from functools import cache
from itertools import product

import pytest

from foregate.rules import verdict, ways
from foregate.rules.causes import CAUSES
from foregate.rules.check import no_lock_out
from foregate.rules.check.customers import Condition, Customers, Kit, Lanes
from foregate.rules.check.model import Factor, World
from foregate.rules.footing import BOUND_SIM, REGISTERED_SIM, Footing
from foregate.rules.journeys import BUILT, EVERYTHING, JOURNEYS, Built, Table, all_open
from foregate.rules.permission import UNKNOWN, Permission, lane_of
from foregate.rules.policy import POLICY
from foregate.rules.verdict import Rules
from foregate.rules.ways import Loss, Standing, after, losses_of, ways_of, without

RULES = Rules(JOURNEYS, BUILT)
THINGS = (REGISTERED_SIM, BOUND_SIM, "device", "password", "card_pin", "passkey")
ONE_NUMBER = frozenset({REGISTERED_SIM, BOUND_SIM, "password", "card_pin"})


@cache
def world() -> World:
    return World(JOURNEYS, POLICY, CAUSES, BUILT)


def standing(*things: str, **more: bool) -> Standing:
    return Standing(at=Footing(frozenset(things)), **more)


def every_standing() -> list[Standing]:
    """Whatever somebody may hold, with one number or two, with a password that is off, an expired document."""
    found = []
    for held, is_one, is_off, is_valid in product(
        product((True, False), repeat=len(THINGS)), (True, False), (True, False), (True, False)
    ):
        holds = frozenset(name for name, is_held in zip(THINGS, held, strict=True) if is_held)
        off = frozenset({("password", "proof-disabled")}) if is_off else frozenset[tuple[str, str]]()
        at = Footing(holds, off=off, off_on_device=off, is_document_valid=is_valid)
        found.append(Standing(at=at, is_bound_registered=is_one))
    return found


def kit_of(at: Footing) -> Kit:
    condition = Condition.DISABLED if at.off else Condition.OK
    return Kit(
        frozenset(Factor(name) for name in at.holds), (condition, Condition.OK, Condition.OK), at.is_document_valid
    )


def test_every_promise_is_one_of_the_checkers() -> None:
    """After each loss of each customer: a way is named exactly when the checker finds one, with its proofs."""
    customers, asked = Customers(world()), 0
    for each in every_standing():
        for loss in losses_of(each):
            left = without(each, loss)
            still = after(each, loss, RULES, world())
            assert bool(still.journeys) == customers.gets_in(kit_of(left), Lanes(), counter=False), (each, loss)
            assert bool(still.journeys) == bool(still.proofs), (each, loss)
            asked += 1
    assert asked > 1000


def test_the_proofs_named_are_at_hand() -> None:
    """What the last journey would ask for is what is left, or what the journeys before it gave."""
    for each in every_standing():
        for loss in losses_of(each):
            still = after(each, loss, RULES, world())
            left = without(each, loss).holds | {"phone_code"}
            if len(still.journeys) == 1:
                assert set(still.proofs) <= left, (each, loss)
                assert "phone_code" not in still.proofs or REGISTERED_SIM in left


@pytest.mark.parametrize(
    ("held", "loss", "journeys", "proofs"),
    [
        (ONE_NUMBER, Loss.PASSWORD, ("sign-in",), {"phone_code", "card_pin"}),
        (ONE_NUMBER, Loss.PHONE, (), set()),
        (ONE_NUMBER | {"device"}, Loss.PHONE, ("sign-in",), {"device", "password"}),
        (ONE_NUMBER | {"device"}, Loss.WHOLE_PHONE, (), set()),
        (ONE_NUMBER | {"passkey"}, Loss.PHONE, ("sign-in",), {"passkey"}),
        (ONE_NUMBER | {"passkey"}, Loss.WHOLE_PHONE, (), set()),
    ],
)
def test_what_a_loss_means(held: frozenset[str], loss: Loss, journeys: tuple[str, ...], proofs: set[str]) -> None:
    """As one would tell it: without your phone you could still get in by this."""
    still = after(standing(*held, is_bound_registered=True), loss, RULES, world())
    assert (journeys, proofs) == (still.journeys, set(still.proofs))


def test_a_synced_passkey_outlives_the_phone() -> None:
    """Its maker keeps it; a new phone has it too."""
    each = standing(*ONE_NUMBER, "passkey", is_bound_registered=True, has_spare_passkey=True)
    assert ("passkey",) == after(each, Loss.WHOLE_PHONE, RULES, world()).proofs


def test_only_what_one_has_can_be_lost() -> None:
    """And the whole phone is told of only where more than the number is on it."""
    assert (Loss.PHONE, Loss.CARD_PIN, Loss.PASSWORD) == losses_of(standing(*ONE_NUMBER))
    assert Loss.WHOLE_PHONE == losses_of(standing(*ONE_NUMBER, "device"))[0]
    assert () == losses_of(standing())


def test_the_suggestion_is_the_one_that_helps_most() -> None:
    """A passkey where only the number lets one in; nothing where nothing would help."""
    assert "add-passkey" == ways_of(standing(*ONE_NUMBER, is_bound_registered=True), RULES, world()).suggestion
    covered = standing(*ONE_NUMBER, "passkey", "device", is_bound_registered=True, has_spare_passkey=True)
    assert None is ways_of(covered, RULES, world()).suggestion


def test_a_suggestion_never_helps_nothing() -> None:
    """After it at least one more loss leaves a way in alone; and it is always a journey that is open."""
    for each in every_standing():
        name = ways_of(each, RULES, world()).suggestion
        if name is None:
            continue
        assert JOURNEYS[name].is_public
        gives = {"add-passkey": "passkey", "remember-device": "device"}[name]
        richer = Standing(
            at=each.at._replace(holds=each.at.holds | {gives}), is_bound_registered=each.is_bound_registered
        )
        counted = [sum(ways.gets_in_without(who, loss, RULES) for loss in losses_of(each)) for who in (each, richer)]
        assert counted[0] < counted[1]


# ---------------------------------------------------------------- who always gets in

ALWAYS = {
    frozenset({"passkey"}): frozenset({Factor.PASSKEY}),
    frozenset({"device", "password"}): frozenset({Factor.DEVICE, Factor.PASSWORD}),
    frozenset({"phone_code", "password"}): frozenset({Factor.REGISTERED_SIM, Factor.PASSWORD}),
    frozenset({"phone_code", "face"}): frozenset({Factor.REGISTERED_SIM, Factor.FACE}),
}


def left_by_a_stranger(examined: World) -> tuple[Lanes, set[str]]:
    """Login permission and the counters as somebody leaves them who holds nothing and has all the time in the world."""
    charged = {counter for counter, _ in no_lock_out._charged(examined, frozenset())} - {"phone_code"}
    closes = any("@" not in counter for counter in charged)
    return Lanes(unknown=Permission.CLOSED_BY_FAILURES if closes else Permission.OPEN), charged


@pytest.mark.parametrize("way", ALWAYS, ids=lambda way: "+".join(sorted(way)))
@pytest.mark.parametrize("is_stranger_about", [False, True])
def test_who_holds_one_of_these_always_gets_in(way: frozenset[str], is_stranger_about: bool) -> None:
    """With every row open: {passkey}, {device, password}, {SIM, password}, {SIM, face}, stranger or not."""
    examined = World(all_open(JOURNEYS), POLICY, CAUSES, EVERYTHING)
    lanes, charged = left_by_a_stranger(examined) if is_stranger_about else (Lanes(), set[str]())
    used_up = tuple(
        Condition.DISABLED if is_stranger_about and factor in charged else Condition.OK
        for factor in ("password", "card_pin", "face")
    )
    assert Customers(examined).gets_in(Kit(ALWAYS[way], used_up), lanes, counter=False)
    assert way in set(no_lock_out._customers(examined))
    assert [] == list(no_lock_out._after_the_stranger(examined, way, dict(no_lock_out._charged(examined, frozenset()))))


def test_the_game_finds_a_passkey_that_is_kept_out() -> None:
    """Where a wrong passkey were charged to a shared counter, a stranger would keep its owner out: it is told."""
    row = JOURNEYS["sign-in"]
    flawed: Table = {**all_open(JOURNEYS), "sign-in": type(row)(
        name="sign-in", who=(*row.who,), prove=row.prove, act=row.act, session=row.session, needs_permission=True,
        charges=("phone_code", "password", "card_pin", "face"), open=False,
    )}  # fmt: skip
    assert not no_lock_out.explore(World(flawed, POLICY, CAUSES, EVERYTHING)).holds


def test_a_thief_with_the_number_does_not_keep_a_passkey_out() -> None:
    """He closes the lane of unknown devices; its owner reopens with the passkey, and is in."""
    for journeys, built in ((JOURNEYS, BUILT), (all_open(JOURNEYS), EVERYTHING)):
        customers = Customers(World(journeys, POLICY, CAUSES, Built(built.proofs, built.who)))
        closed = Lanes(unknown=Permission.CLOSED_BY_FAILURES)
        assert closed.closed_for(UNKNOWN)
        assert not closed.closed_for(lane_of("a device"))
        assert customers.gets_in(Kit(frozenset({Factor.PASSKEY})), closed, counter=False)


def test_the_verdict_counts_a_passkey() -> None:
    """A teller who asks why is told the same."""
    at = Footing(frozenset({"passkey"}))
    assert ("sign-in",) == verdict.way_in(at, RULES, is_at_counter=False)
