"""What a customer has of a proof, as those see it who show it or judge by it: "my ways in", the counter's verdict."""

from __future__ import annotations

from enum import StrEnum

import msgspec


class State(StrEnum):
    """How something stands."""

    GOOD = "good"
    RESTING = "resting"  # too many wrong answers in a row: for a while
    OFF = "off"  # a hundred in all: until it is bound again
    COOLING = "cooling"  # new: it signs in and buys nothing that lasts
    EXPIRED = "expired"  # its time is over: nobody gets in with it until it is renewed


class Held(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that a customer gets in with. `proof` is a name of the table, `gives` what it is in a `Footing`."""

    proof: str
    gives: tuple[str, ...]
    id: str = ""
    label: str = ""
    agent: str | None = None
    state: State = State.GOOD
    until: int | None = None  # when that state, or the thing itself, ends
    since: int | None = None
    used_at: int | None = None
    is_synced: bool = False
    is_over: bool = False  # ended by its time: nobody gets in with it, until it is set up anew
