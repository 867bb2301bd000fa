"""What a journey remembers between two answers. It lives in the store, encrypted, and nowhere else."""

from __future__ import annotations

import msgspec

from foregate.ports import JourneyRow, Keyring
from foregate.rules.numbers import Standing
from foregate.rules.social import Attribute, Provider
from foregate.rules.words import Who
from foregate.situation import Evidence, Subject


class Errand(msgspec.Struct, frozen=True, kw_only=True):
    """An account about to be linked. `wants`: what may be taken along; None: the visitor was not asked yet."""

    provider: Provider
    wants: tuple[Attribute, ...] | None = None


class State(msgspec.Struct, frozen=True, kw_only=True):
    """A journey's memory. `candidates` are customers to pick from, with their masked names."""

    who: Who | None = None
    subject: Subject | None = None
    evidence: tuple[Evidence, ...] = ()
    chosen: str | None = None
    candidates: tuple[tuple[str, str], ...] = ()
    device_id: str | None = None
    session_id: str | None = None
    cools_until: int = 0  # what was shown is new, and buys nothing that lasts before
    number: Standing | None = None  # of the code that was shown, where the row asks; None: nobody answered yet
    is_placed: bool = False  # somebody said whose number the code went to, where several may share it
    language: str = "zh"
    outcome_session: str | None = None
    outcome_facts: dict[str, str | int] = {}
    errand: Errand | None = None
    begun_by: str = ""  # what the request said that began it under a key


_ENCODER = msgspec.json.Encoder()
_DECODER = msgspec.json.Decoder(State)


def seal(state: State, journey_id: str, keyring: Keyring) -> bytes:
    """Return the state as the store keeps it."""
    return keyring.encrypt(_ENCODER.encode(state), f"journey.state:{journey_id}")


def unseal(row: JourneyRow, keyring: Keyring) -> State:
    """Return the state of a stored journey."""
    return _DECODER.decode(keyring.decrypt(row.state, f"journey.state:{row.journey_id}"))
