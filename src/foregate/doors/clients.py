"""Is the program that somebody came with new enough for what they want? Asked before they type anything."""

from __future__ import annotations

from functools import cache

import msgspec
from starlette.requests import Request

from foregate.rules import clients, limits
from foregate.rules.clients import Minimums

CLAIM = "agent"  # the demo's cookie: what its visitor wants to be taken for


def claimed_agent(request: Request) -> str:
    """Return what the client says it is. In the demo it may claim to be another, to see what happens."""
    if request.app.state.settings.is_demo:
        claimed = request.app.state.cookies.read(request, CLAIM)
        if claimed:
            return str(claimed)
    return request.headers.get("user-agent", "")[: limits.AGENT_READ_CHARS]


def is_too_old(request: Request, journey: str) -> bool:
    """Say whether this client is too old to begin `journey`. What does not exist is somebody else's refusal."""
    row = request.app.state.desk.house.journeys.get(journey)
    minimums = _minimums(request.app.state.settings.minimum_versions)
    return row is not None and clients.is_refused(row, claimed_agent(request), minimums)


class Understood(msgspec.Struct, frozen=True):
    """A program as people write it, the least that the bank takes of it, and whether this one is older.

    Empty: nothing was understood, or there is no least. None: it cannot be said. `asks_minimum`: the bank sets a least
    for some program; where it sets none, nothing is too old, understood or not.
    """

    asks_minimum: bool
    said: str = ""
    least: str = ""
    is_too_old: bool | None = None


def understood(request: Request) -> Understood:
    """Return what is understood of the program that asks."""
    agent, minimums = claimed_agent(request), _minimums(request.app.state.settings.minimum_versions)
    client = clients.read(agent)
    if client is None:
        return Understood(bool(minimums), is_too_old=None if minimums else False)
    least = ".".join(map(str, minimums.get(client.name, ())))
    return Understood(bool(minimums), f"{client.name} {client.said}", least, clients.is_too_old(agent, minimums))


@cache
def _minimums(written: tuple[str, ...]) -> Minimums:
    return clients.minimums_of(written)
