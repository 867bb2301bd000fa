"""The demo's outlets: none of them exists, and neither do their streets. They stand around one city, in all its moods.

They come in by the very import that a bank uses, from a file whose columns are named like the fields.
"""

from __future__ import annotations

from pathlib import Path

from foregate.bootstrap import Foregate
from foregate.outlets.importing import import_outlets

FILE = Path(__file__).with_name("outlets.csv")


class BadDemo(Exception):
    """The demo's own file has a mistake."""


async def settle_outlets(house: Foregate) -> None:
    """Bring the outlets in. Does nothing for a bank that has them already."""

    def refuse(number: int, outlet_id: str, reason: str) -> None:
        raise BadDemo(f"{FILE.name}, line {number}: {reason}")

    await import_outlets(house.store, FILE, house.world.clock.now(), refuse)
