"""My ways in: what would happen if something were lost, and what would help most, for a customer who is signed in.

Rules
  1. The sequence of journeys is found by `verdict.way_in` and its proofs by the checker's own `World.walk`: both run
     the engine on the rows that the server runs. A test holds every answer against the checker's customers.
  2. What is lost is lost whole: a number with the card's when both are one, all remembered devices, all passkeys.
  3. One suggestion, the one after which most losses would still leave a way in alone; none when nothing would.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Final

import msgspec

from foregate.rules import verdict
from foregate.rules.check.model import World, gains
from foregate.rules.footing import BOUND_SIM, REGISTERED_SIM, Footing
from foregate.rules.journeys import Journey
from foregate.rules.verdict import Rules
from foregate.rules.words import PASSKEY, Who


class Loss(StrEnum):
    """What somebody may lose or forget."""

    WHOLE_PHONE = "whole-phone"  # with everything on it
    PHONE = "phone"  # the number registered for e-banking
    CARD_PIN = "card_pin"
    PASSWORD = "password"
    DEVICE = "device"
    PASSKEY = "passkey"
    FACE = "face"
    SOCIAL = "social"


# What goes with what is lost, by the names of `Footing.holds`.
TAKES: Final[Mapping[Loss, frozenset[str]]] = {
    Loss.WHOLE_PHONE: frozenset({REGISTERED_SIM, "device", "passkey"}),
    Loss.PHONE: frozenset({REGISTERED_SIM}),
} | {loss: frozenset({loss.value}) for loss in Loss if loss not in (Loss.WHOLE_PHONE, Loss.PHONE)}  # fmt: skip


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """Where a customer stands. `has_spare_passkey`: one that is not only in the phone they hold."""

    at: Footing
    is_bound_registered: bool = False  # the number on the card and the registered one are the same
    has_spare_passkey: bool = False


class Still(msgspec.Struct, frozen=True, kw_only=True):
    """How somebody would get in after a loss. `journeys` empty: not without people at an outlet."""

    loss: Loss
    journeys: tuple[str, ...] = ()
    proofs: tuple[str, ...] = ()  # that the last of them would ask for


class Ways(msgspec.Struct, frozen=True):
    """What would happen after each loss, and the journey that would help most."""

    if_lost: tuple[Still, ...]
    suggestion: str | None


def ways_of(standing: Standing, rules: Rules, world: World) -> Ways:
    """Return what each loss would mean for this customer, and what to add."""
    losses = losses_of(standing)
    return Ways(
        tuple(after(standing, loss, rules, world) for loss in losses),
        _suggestion(standing, losses, rules),
    )


def losses_of(standing: Standing) -> tuple[Loss, ...]:
    """Return what this customer has to lose. The whole phone only where more than the number is on it."""
    holds = standing.at.holds
    kept: list[Loss] = [loss for loss in Loss if loss is not Loss.WHOLE_PHONE and TAKES[loss] & holds]
    if len(TAKES[Loss.WHOLE_PHONE] & holds) > 1:
        kept.insert(0, Loss.WHOLE_PHONE)
    return tuple(kept)


def without(standing: Standing, loss: Loss) -> Footing:
    """Return what is left after a loss."""
    taken = TAKES[loss]
    if REGISTERED_SIM in taken and standing.is_bound_registered:
        taken |= {BOUND_SIM}
    if loss is Loss.WHOLE_PHONE and standing.has_spare_passkey:
        taken -= {PASSKEY.name}
    return standing.at._replace(holds=standing.at.holds - taken)


def after(standing: Standing, loss: Loss, rules: Rules, world: World) -> Still:
    """Return how this customer would get in after `loss`."""
    at = without(standing, loss)
    journeys = verdict.way_in(at, rules, is_at_counter=False)
    if journeys is None:
        return Still(loss=loss)
    for name in journeys[:-1]:
        at = verdict.improved(at, rules.journeys[name])
    return Still(loss=loss, journeys=journeys, proofs=_shown(rules.journeys[journeys[-1]], at, world))


def gets_in_without(standing: Standing, loss: Loss, rules: Rules) -> bool:
    """Say whether this customer would still get in alone after `loss`."""
    return verdict.way_in(without(standing, loss), rules, is_at_counter=False) is not None


def _shown(row: Journey, at: Footing, world: World) -> tuple[str, ...]:
    """Return the proofs by which this customer gets the row's act done: the fewest, as the checker finds them."""
    found: list[tuple[str, ...]] = []
    for on_device in (True, False):
        off = at.off_on_device if on_device else at.off
        given = verdict.provable(row, at, on_device=on_device) - {name for name, _ in off}
        found += world.walk(row, given, unusable=off).performed.values()
    return min(found, key=len, default=())


# ---------------------------------------------------------------- what would help most


def _suggestion(standing: Standing, losses: Iterable[Loss], rules: Rules) -> str | None:
    least = _survived(standing, losses, rules)
    best: tuple[int, bool, str] | None = None
    for row in rules.journeys.values():
        new = {factor.value for factor in gains(row)} - standing.at.holds
        if not (row.is_public and Who.SESSION in row.who and new):
            continue
        better = msgspec.structs.replace(standing, at=standing.at._replace(holds=standing.at.holds | new))
        # Of two that help as much a passkey comes first: no copied page can catch it.
        score = (_survived(better, losses, rules), PASSKEY.name in new, row.name)
        if score[0] > least and (best is None or score[:2] > best[:2]):
            best = score
    return best[2] if best else None


def _survived(standing: Standing, losses: Iterable[Loss], rules: Rules) -> int:
    return sum(gets_in_without(standing, loss, rules) for loss in losses)
