"""Passkeys to test with: a phone that makes one at the front door, and signs in with it."""

from __future__ import annotations

import json
from typing import Any

from tests.authenticator import Authenticator
from tests.bank import ORIGIN, Answer, Bank, Person, Visitor


def a_key(origin: str = ORIGIN, **bent: Any) -> Authenticator:
    """A phone's own key store."""
    return Authenticator(origin, **bent)


def options_of(answer: Answer) -> dict[str, Any]:
    """What an authenticator is asked at the step that the journey is at."""
    options: dict[str, Any] = json.loads(answer.journey["step"]["facts"]["options"])
    return options


async def add(bank: Bank, person: Person, key: Authenticator, name: str = "") -> Visitor:
    """Sign in whole, and add a passkey; return the browser it was done in."""
    visitor = bank.visitor()
    signed_in = await visitor.sign_in(person)
    assert "done" == signed_in.journey["status"], signed_in.body
    await add_here(visitor, key, name)
    return visitor


async def add_here(visitor: Visitor, key: Authenticator, name: str = "") -> Answer:
    """Add a passkey in a browser that has just signed in."""
    asked = await visitor.start("add-passkey")
    made = key.create(options_of(asked))
    added = await visitor.answer(credential=json.dumps(made), passkey_name=name)
    assert "done" == added.journey["status"], added.body
    return added


async def begin(visitor: Visitor, journey: str = "sign-in") -> dict[str, Any]:
    """Ask for any passkey, nothing typed; return what the authenticator is asked."""
    return options_of(await visitor.start(journey, "choose", way="passkey"))


async def sign_in(visitor: Visitor, key: Authenticator) -> Answer:
    """Sign in by passkey, nothing typed."""
    return await visitor.answer(credential=json.dumps(key.get(await begin(visitor))))


async def season(bank: Bank) -> None:
    """Let a day pass, so that what is new is new no more."""
    bank.clock.turn(86_401)
