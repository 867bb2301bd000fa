"""The counter's acts, as the console calls them once a second person consented: in one transaction, customer held."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from foregate.acts import at_counter
from foregate.acts.at_counter import AtCounter, Replaced
from foregate.ids import new_id
from foregate.ports import StopLinkRow
from foregate.rules import limits
from foregate.situation import Refused
from foregate.symbols import random_symbols
from tests.bank import Bank, Person

TELLERS = "staff-1+staff-2"


@asynccontextmanager
async def consented(bank: Bank, person: Person) -> AsyncIterator[AtCounter]:
    """One consented proposal about a person; committed at the end."""
    async with bank.house.store.begin() as tx:
        customer = await tx.customers.hold(bank.customer_id(person))
        assert customer is not None
        yield AtCounter(
            world=bank.house.world,
            tx=tx,
            now=bank.clock.now(),
            customer=customer,
            actor=TELLERS,
            proposal_id=new_id(),
            source="10.0.0.8",
            language="zh",
        )


async def replace_phone(bank: Bank, person: Person, phone: str) -> Replaced | Refused:
    """Replace the person's number. A second later, for what began in the very same second ends with it."""
    async with consented(bank, person) as at:
        replaced = await at_counter.replace_phone(at, phone)
    bank.clock.turn(1)
    return replaced


async def permit_of(bank: Bank, person: Person, phone: str) -> str:
    """Replace the person's number, and return the permit that came of it."""
    replaced = await replace_phone(bank, person, phone)
    assert isinstance(replaced, Replaced)
    return replaced.permit


async def stop_link(bank: Bank, person: Person) -> str:
    """Let a number that the person gave up hold a link; return what it ends in."""
    token = random_symbols(limits.STOP_LINK_SYMBOLS)
    row = StopLinkRow(
        digest=bank.keys.digest("stop-link", token),
        customer_id=bank.customer_id(person),
        expires_at=bank.clock.now() + limits.STOP_LINK_SECONDS,
    )
    async with bank.house.store.begin() as tx:
        await tx.stop_links.insert(row)
    return token
