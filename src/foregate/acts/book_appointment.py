"""Act `book-appointment`: the number is proved, so the place that was held is theirs.

Nobody in particular books: the subject is a number, and whether it is a customer's is not looked at. What the number
may not (a third visit on one day, a pause after no-shows) is told here, to whoever has shown that they hold it.
"""

from __future__ import annotations

from typing import Any

from foregate.acts import Done
from foregate.outlets import appointments
from foregate.situation import Refused, Situation, Subject, World

ACTS = ("book-appointment",)
INPUT = None


async def admit(at: Situation) -> Refused | None:
    """The number's limits are looked at when it is held, or two bookings at once would both pass."""
    return None


async def prepare(given: None, subject: Subject, world: World) -> None:
    """Nothing takes long."""
    return


async def perform(prepared: Any, at: Situation) -> Done | Refused:
    """Confirm, and say where it is seen, moved and cancelled from now on."""
    booked = await appointments.confirm(at.tx, at.world.keyring, at.journey_id, at.now)
    if isinstance(booked, Refused):
        return booked
    path = appointments.link_path(at.world.keyring, booked.appointment_id)
    return Done(facts={"reference": booked.reference, "href": path, "starts_in_seconds": booked.starts_at - at.now})
