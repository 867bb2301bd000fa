"""Acts `end-session` (this one), `revoke-session` (another) and `end-all-sessions`: signed out means signed out.

Rows are deleted, so the very next request on any node finds nothing (ASVS 5.0, 7.4.1).
"""

from __future__ import annotations

from typing import Any

from foregate.acts import Done, admit_anybody, prepare_nothing, record
from foregate.rules import inputs
from foregate.situation import Refused, Situation


class End:
    """`end-session`: sign out here."""

    ACTS = ("end-session",)
    INPUT: type[inputs.Answer] | None = None
    admit, prepare = staticmethod(admit_anybody), staticmethod(prepare_nothing)

    async def perform(self, prepared: Any, at: Situation) -> Done | Refused:
        """End the session that this journey came with."""
        if at.session_id is not None:
            await at.tx.sessions.end(at.subject.customer_id, at.session_id)
        await record(at, "session-ended")
        return Done(ends_session=True)


class EndAll(End):
    """`end-all-sessions`: sign out everywhere, and void what is half done elsewhere."""

    ACTS = ("end-all-sessions",)

    async def perform(self, prepared: Any, at: Situation) -> Done | Refused:
        """End every session and every other journey under way."""
        ended = await at.tx.sessions.end_all(at.subject.customer_id)
        await at.tx.customers.end_earlier(at.subject.customer_id, at.now)
        await at.tx.journeys.void_others(at.subject.customer_id, at.journey_id)
        await record(at, "sessions-ended", count=ended)
        return Done(ends_session=True, facts={"ended": ended})


class Which(inputs.Answer, frozen=True):
    """Which session, by its id from the list."""

    session_id: inputs.Choice


class Revoke(End):
    """`revoke-session`: end one session from the list."""

    ACTS = ("revoke-session",)
    INPUT = Which

    async def perform(self, prepared: Which, at: Situation) -> Done | Refused:
        """End it; what is not the customer's own does not exist."""
        if not await at.tx.sessions.end(at.subject.customer_id, prepared.session_id):
            return Refused(cause="no-such-session")
        await record(at, "session-ended", session=prepared.session_id[:36])
        return Done(ends_session=prepared.session_id == at.session_id)


END, END_ALL, REVOKE = End(), EndAll(), Revoke()
