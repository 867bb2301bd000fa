"""What a client is shown of a journey, and of a refusal: no words, only stable names. The doors add the words."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from foregate.rules.inputs import Field


class Option(msgspec.Struct, frozen=True):
    """Something to pick: one of several people who share a number, masked, or a browser as it calls itself."""

    value: str
    label: str = ""
    agent: str | None = None  # the doors say it in words that its owner knows


class StepView(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked now. `name` goes back in the answer; `kind` is identify, prove, pick or inform."""

    name: str
    kind: str
    fields: tuple[Field, ...] = ()
    actions: tuple[str, ...] = ()
    facts: Mapping[str, str | int] = {}
    options: tuple[Option, ...] = ()


class OtherWay(msgspec.Struct, frozen=True):
    """A way that may be chosen instead: `{"step": "choose", "answer": {"way": name}}`."""

    name: str
    kind: str


class RestingWay(msgspec.Struct, frozen=True):
    """A way that is closed for so many seconds, because too many failures came in a row."""

    name: str
    retry_in_seconds: int


class Outcome(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What came of a journey that is done."""

    act: str
    session: str | None = None
    facts: Mapping[str, str | int] = {}


class View(msgspec.Struct, frozen=True, kw_only=True):
    """Where a journey stands. `status` is open, done, refused or expired; times are seconds from now."""

    id: str
    journey: str
    version: int
    status: str
    step: StepView | None
    other_ways: tuple[OtherWay, ...]
    expires_in_seconds: int
    outcome: Outcome | None = None
    resting_ways: tuple[RestingWay, ...] = ()


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """A refusal as this visitor may hear it."""

    cause: str
    status: int
    remedies: tuple[str, ...]
    retry_in_seconds: int | None = None
    tries_left: int | None = None
    fields: Mapping[str, str] = {}
    journey_name: str | None = None


class Pending(msgspec.Struct, frozen=True):
    """A journey that this browser began and has not ended: what it is, and where it goes on."""

    id: str
    journey: str


class Reply(msgspec.Struct, frozen=True, kw_only=True):
    """What the desk answers. Tokens go into cookies; everything else is shown."""

    view: View | None = None
    told: Told | None = None
    session_token: str | None = None
    device_token: str | None = None
    ends_session: bool = False
    is_new: bool = False
