"""The checker: explores the very table that the server runs, by the engine's own functions.

    report = check(JOURNEYS, POLICY, CAUSES, BUILT)
    for promise in report.promises:
        verdict = promise.explore()      # lazily, so that the caller can time it

Four promises (docs: reference/check.md), one module each. Where one does not hold, its verdict tells the shortest
story of how it breaks, as one would tell it to a colleague.
"""

from __future__ import annotations

import gc
from collections.abc import Callable

from foregate.rules.causes import Causes
from foregate.rules.check import no_dead_end, no_leak, no_lock_out, no_second_door
from foregate.rules.check.model import World
from foregate.rules.check.report import Promise, Report, Verdict
from foregate.rules.journeys import Built, Table
from foregate.rules.policy import Policy

__all__ = ["Promise", "Report", "Verdict", "check"]


def _undisturbed(explore: Callable[[], Verdict]) -> Callable[[], Verdict]:
    """Explore without looking for garbage: all that is found is kept to the end, and looking takes a third of the time."""

    def explored() -> Verdict:
        was_enabled = gc.isenabled()
        gc.disable()
        try:
            return explore()
        finally:
            if was_enabled:
                gc.enable()

    return explored


def check(journeys: Table, policy: Policy, causes: Causes, built: Built) -> Report:
    """Return the four promises over these tables, not yet explored."""

    def world() -> World:
        return World(journeys, policy, causes, built)

    return Report(
        (
            Promise(
                "no dead end",
                "From every state a customer can fall into, some journeys lead back in, and the answers name them.",
                _undisturbed(lambda: no_dead_end.explore(world(), causes)),
            ),
            Promise(
                "no second door",
                "Nobody buys an act with less evidence than the policy asks, whatever journeys they combine.",
                _undisturbed(lambda: no_second_door.explore(world())),
            ),
            Promise(
                "no leak",
                "Until something was shown, every answer is the same for every customer and for nobody.",
                _undisturbed(lambda: no_leak.explore(world())),
            ),
            Promise(
                "no lock-out",
                "Somebody who holds nothing of the customer's cannot keep the customer out.",
                _undisturbed(lambda: no_lock_out.explore(world())),
            ),
        )
    )
