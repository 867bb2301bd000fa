"""The four promises hold for the tables as shipped, in both worlds, and the checker says how far it looked."""

from __future__ import annotations

import pytest

from foregate.rules.causes import CAUSES
from foregate.rules.check import Verdict, check
from foregate.rules.check.customers import Condition, Customers, Kit, Lanes
from foregate.rules.check.model import Factor, World, categories, is_enough
from foregate.rules.journeys import BUILT, EVERYTHING, JOURNEYS, Built, Table, all_open
from foregate.rules.permission import Permission
from foregate.rules.policy import POLICY, Evidence
from foregate.rules.words import Category

PROMISES = ("no dead end", "no second door", "no leak", "no lock-out")


def explore(journeys: Table, built: Built, promise: str) -> Verdict:
    """Explore one promise over the shipped policy and causes."""
    return {each.name: each for each in check(journeys, POLICY, CAUSES, built).promises}[promise].explore()


@pytest.mark.parametrize("promise", PROMISES)
def test_the_world_as_it_stands(promise: str) -> None:
    """Every promise holds over what is offered now."""
    verdict = explore(JOURNEYS, BUILT, promise)

    assert verdict.stories == ()
    assert verdict.holds
    assert verdict.states > 100


@pytest.mark.slow
@pytest.mark.parametrize("promise", PROMISES)
def test_the_world_with_everything_open(promise: str) -> None:
    """Every promise holds over all that the tables hold."""
    verdict = explore(all_open(JOURNEYS), EVERYTHING, promise)

    assert verdict.stories == ()
    assert verdict.states > 300


def test_who_needs_the_outlet_is_reported() -> None:
    """The smallest losses from which only people help are named, so that the bank knows them."""
    notes = explore(JOURNEYS, BUILT, "no dead end").notes

    assert "Needs the outlet: the passkey lost, the phone (SIM) lost and the remembered device lost." in notes
    assert "Needs the outlet: login permission closed-by-bank." in notes


def test_what_a_stranger_can_use_up_is_reported() -> None:
    """Nothing but what is kept apart or has another way round."""
    notes = explore(JOURNEYS, BUILT, "no lock-out").notes

    assert notes[0] == "A stranger can use up: card_pin@freeze and phone_code."


def test_who_always_gets_in_is_reported() -> None:
    """The four kinds of customer that no stranger keeps out are named, and no one who could be."""
    said = explore(all_open(JOURNEYS), EVERYTHING, "no lock-out").notes[1]
    before, _, held = said.removesuffix(".").partition("whoever holds ")

    assert before == "Always gets in, whatever a stranger does: "
    assert {"passkey", "device & password", "password & phone_code", "face & phone_code"} <= set(held.split("; or "))


def test_promises_are_explored_only_when_asked() -> None:
    """The caller times each, so nothing may have been done before."""
    report = check(JOURNEYS, POLICY, CAUSES, BUILT)

    assert tuple(promise.name for promise in report.promises) == PROMISES
    assert all(callable(promise.explore) for promise in report.promises)


def test_all_verdicts_at_once() -> None:
    """For callers who do not time them."""
    assert all(verdict.holds for verdict in check(JOURNEYS, POLICY, CAUSES, BUILT).verdicts().values())


# ---------------------------------------------------------------- evidence


@pytest.mark.parametrize(
    ("proofs", "expected"),
    [
        ({"phone_code", "device"}, {Category.HAVE}),
        ({"phone_code", "password"}, {Category.HAVE, Category.KNOW}),
        ({"passkey"}, {Category.HAVE, Category.KNOW_OR_ARE}),
        ({"passkey", "password"}, {Category.HAVE, Category.KNOW}),
    ],
)
def test_two_proofs_of_one_category_count_once(proofs: set[str], expected: set[Category]) -> None:
    """SIM and remembered device are one category: a thief with the phone holds both."""
    assert categories(proofs) == expected


def test_evidence_contains_an_alternative_with_categories_enough() -> None:
    """More is enough too; less, or as much of one category, is not."""
    two = Evidence(2, 300, (frozenset({"phone_code", "password"}), frozenset({"phone_code", "device"})))

    assert is_enough(two, frozenset({"phone_code", "password", "face"}))
    assert not is_enough(two, frozenset({"phone_code"}))
    assert not is_enough(two, frozenset({"phone_code", "device"}))


# ---------------------------------------------------------------- customers


@pytest.fixture
def customers() -> Customers:
    """The customers of the world as it stands."""
    return Customers(World(JOURNEYS, POLICY, CAUSES, BUILT))


ALL = frozenset({Factor.REGISTERED_SIM, Factor.BOUND_SIM, Factor.DEVICE, Factor.PASSWORD, Factor.CARD_PIN})


def test_a_forgotten_password_is_no_dead_end(customers: Customers) -> None:
    """The card PIN does, and a new password can be set."""
    assert customers.gets_in(Kit(ALL - {Factor.PASSWORD}), Lanes(), counter=False)


def test_a_frozen_login_is_reopened_by_the_bound_number(customers: Customers) -> None:
    """Without the number bound to the card there is only the outlet."""
    frozen = Lanes(everywhere=Permission.CLOSED_BY_CUSTOMER)

    assert customers.gets_in(Kit(ALL), frozen, counter=False)
    assert not customers.gets_in(Kit(ALL - {Factor.BOUND_SIM}), frozen, counter=False)


def test_what_the_bank_closed_no_journey_opens(customers: Customers) -> None:
    """Not with everything in hand."""
    assert not customers.gets_in(Kit(ALL), Lanes(everywhere=Permission.CLOSED_BY_BANK), counter=False)


def test_the_remembered_device_has_a_lane_of_its_own(customers: Customers) -> None:
    """Failures by unknown devices leave it open."""
    only_device = Kit(frozenset({Factor.DEVICE, Factor.PASSWORD}))

    assert customers.gets_in(only_device, Lanes(unknown=Permission.CLOSED_BY_FAILURES), counter=False)
    assert not customers.gets_in(only_device, Lanes(device=Permission.CLOSED_BY_FAILURES), counter=False)


def test_somebody_new_registers(customers: Customers) -> None:
    """With the number bound to the card and its PIN; with the PIN disabled not."""
    new = frozenset({Factor.BOUND_SIM, Factor.CARD_PIN})
    disabled = (Condition.OK, Condition.DISABLED, Condition.OK)

    assert customers.gets_in(Kit(new, registered=False), Lanes(), counter=False)
    assert not customers.gets_in(Kit(new, disabled, registered=False), Lanes(), counter=False)
