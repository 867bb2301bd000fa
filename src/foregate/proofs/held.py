"""What a customer gets in with: each proof says what they have of it, when it was last used, and how it stands.

A proof that can be had is one function in `CONTRIBUTORS`; the page "my ways in", the counter's verdict and the rule
that the last way in is not removed learn of it there. When something was last used is read from the customer's own
record, RECORD_PAGES back; what has a row of its own (a device, a passkey) says so itself.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Final

import msgspec

from foregate.ports import CardHolder, CounterRow, Customer, UnitOfWork
from foregate.rules import documents, limits, masks, ways
from foregate.rules.footing import BOUND_SIM, REGISTERED_SIM, Footing
from foregate.rules.holdings import Held, State
from foregate.rules.permission import ALL, UNKNOWN, Permission, effective, lane_of
from foregate.rules.ways import Loss, Standing
from foregate.situation import World

RECORD_PAGES: Final = 3


class Whose(msgspec.Struct, frozen=True, kw_only=True):
    """Of whom a proof is asked what they have."""

    customer: Customer
    cards: tuple[CardHolder, ...]
    counters: tuple[CounterRow, ...]
    used_at: Mapping[str, int]
    lane: str
    now: int

    def last_used(self, proof: str) -> int | None:
        """When this proof last bought something, as far back as was looked."""
        return self.used_at.get(proof)

    def state_of(self, proof: str) -> tuple[State, int | None]:
        """How a proof that can be guessed stands in this lane, and until when."""
        mine = [row for row in self.counters if row.counter == proof]
        if sum(row.total for row in mine) >= limits.failures_max(proof):
            return State.OFF, None
        until = max((row.blocked_until for row in mine if row.lane == self.lane), default=0)
        return (State.RESTING, until) if until > self.now else (State.GOOD, None)


class Gathered(msgspec.Struct, frozen=True):
    """Everything that a customer gets in with, and where that puts them."""

    held: tuple[Held, ...]
    standing: Standing


Contributor = Callable[[Whose, UnitOfWork], Awaitable[tuple[Held, ...]]]


async def _phone(whose: Whose, tx: UnitOfWork) -> tuple[Held, ...]:
    used_at, bound = whose.last_used("phone_code"), [card.bound_phone for card in whose.cards]
    mine = whose.customer.phone
    gives = (REGISTERED_SIM, BOUND_SIM) if mine in bound else (REGISTERED_SIM,)
    cools = whose.customer.cooling_until
    state, until = (State.COOLING, cools) if cools > whose.now else (State.GOOD, None)
    return (
        Held(proof="phone_code", gives=gives, label=masks.mask_phone(mine), used_at=used_at, state=state, until=until),
        *(
            Held(proof="phone_code", gives=(BOUND_SIM,), label=masks.mask_phone(number), used_at=used_at)
            for number in dict.fromkeys(bound)
            if number is not None and number != mine
        ),
    )


async def _password(whose: Whose, tx: UnitOfWork) -> tuple[Held, ...]:
    if whose.customer.password_hash is None:
        return ()
    state, until = whose.state_of("password")
    return (
        Held(
            proof="password", gives=("password",), used_at=whose.last_used("password"), state=state, until=until,
            label=whose.customer.user_name or "",
        ),
    )  # fmt: skip


async def _card_pin(whose: Whose, tx: UnitOfWork) -> tuple[Held, ...]:
    state, until = whose.state_of("card_pin")
    return tuple(
        Held(
            proof="card_pin", gives=("card_pin",), label=masks.mask_card(card.card_number), state=state, until=until,
            used_at=whose.last_used("card_pin"),
        )
        for card in whose.cards[:1]  # the oldest is asked for
    )  # fmt: skip


async def _devices(whose: Whose, tx: UnitOfWork) -> tuple[Held, ...]:
    return tuple(
        Held(
            proof="device", gives=("device",), id=row.device_id, agent=row.agent, since=row.created_at,
            used_at=row.seen_at, until=row.seen_at + limits.DEVICE_DAYS * 86400,
        )
        for row in await tx.devices.of(whose.customer.customer_id)
    )  # fmt: skip


async def _passkeys(whose: Whose, tx: UnitOfWork) -> tuple[Held, ...]:
    found = []
    for row in await tx.passkeys.of(whose.customer.customer_id):
        cools = row.created_at + limits.COOLING_SECONDS
        is_new = cools > whose.now
        found.append(
            Held(
                proof="passkey", gives=("passkey",), id=row.passkey_id, label=row.name, agent=row.agent,
                since=row.created_at, used_at=row.used_at or None, is_synced=row.is_backed_up,
                state=State.COOLING if is_new else State.GOOD, until=cools if is_new else None,
            )
        )  # fmt: skip
    return tuple(found)


async def _face(whose: Whose, tx: UnitOfWork) -> tuple[Held, ...]:
    row = await tx.faces.find(whose.customer.customer_id)
    if row is None:
        return ()
    if row.expires_at <= whose.now:
        return (
            Held(
                proof="face", gives=(), used_at=whose.last_used("face"), since=row.enrolled_at, state=State.EXPIRED,
                until=row.expires_at, is_over=True,
            ),
        )  # fmt: skip
    state, until = whose.state_of("face")
    return (
        Held(
            proof="face", gives=("face",), used_at=whose.last_used("face"), since=row.enrolled_at, state=state,
            until=until or row.expires_at,
        ),
    )  # fmt: skip


async def _social(whose: Whose, tx: UnitOfWork) -> tuple[Held, ...]:
    return tuple(
        Held(proof="social", gives=("social",), id=row.provider, since=row.linked_at, used_at=row.used_at)
        for row in await tx.social.of(whose.customer.customer_id)
    )


# A new proof that can be had adds its own function here.
CONTRIBUTORS: tuple[Contributor, ...] = (_phone, _password, _card_pin, _devices, _passkeys, _face, _social)


async def of_customer(
    tx: UnitOfWork,
    customer: Customer,
    cards: tuple[CardHolder, ...],
    counters: tuple[CounterRow, ...],
    now: int,
) -> tuple[Held, ...]:
    """Return what a customer has of each proof, also what is over, as somebody on an unknown device has it.

    Without when it was last used, but for what has a row of its own: that would take reading the record.
    """
    return await _held(Whose(customer=customer, cards=cards, counters=counters, used_at={}, lane=UNKNOWN, now=now), tx)


async def _held(whose: Whose, tx: UnitOfWork) -> tuple[Held, ...]:
    return tuple([each for contributor in CONTRIBUTORS for each in await contributor(whose, tx)])


async def gather(customer_id: str, world: World, device_id: str | None = None) -> Gathered | None:
    """Return everything that a customer gets in with. None: nobody is registered under this id."""
    async with world.store.begin() as tx:
        customer = await tx.customers.find(customer_id)
    if customer is None:
        return None
    cards = await world.core.cards_of(customer.core_ref)
    person = cards[0] if cards else await world.core.person(customer.core_ref)
    now = world.clock.now()
    async with world.store.begin() as tx:
        whose = Whose(
            customer=customer,
            cards=cards,
            counters=await tx.counters.of(customer_id),
            used_at=await _last_used(customer_id, tx),
            lane=lane_of(device_id),
            now=now,
        )
        held = await _held(whose, tx)
        permission = await tx.permissions.of(customer_id)
    standing = documents.standing_on(person.document_expires_on if person else None, documents.day_of(now))
    return Gathered(held, _standing(whose, held, permission, standing.state))


async def gets_in_without(customer_id: str, proof: str, world: World) -> bool:
    """Say whether this customer would still get in alone if they had nothing of this proof any more."""
    gathered = await gather(customer_id, world)
    return gathered is not None and ways.gets_in_without(gathered.standing, Loss(proof), world.rules)


def _standing(
    whose: Whose, held: tuple[Held, ...], permission: Mapping[str, Permission], document: documents.State
) -> Standing:
    idle_days = (whose.now - whose.customer.last_sign_in_at) // 86400
    devices = [each.id for each in held if each.proof == "device"]
    closed = [permission.get(lane_of(device), Permission.OPEN) is not Permission.OPEN for device in devices]
    # What merely rests is counted as had: in a quarter of an hour it is.
    off = frozenset((each.proof, "proof-disabled") for each in held if each.state is State.OFF)
    at = Footing(
        holds=frozenset(gives for each in held for gives in each.gives),
        everywhere=effective(permission.get(ALL, Permission.OPEN), idle_days),
        unknown=permission.get(UNKNOWN, Permission.OPEN),
        device=Permission.CLOSED_BY_FAILURES if closed and all(closed) else Permission.OPEN,
        off=off,
        off_on_device=off,
        is_document_valid=document.is_good,
        is_document_lapsed=document is documents.State.EXPIRED,
        has_card=bool(whose.cards),
    )
    bound = {card.bound_phone for card in whose.cards if card.bound_phone}
    return Standing(
        at=at,
        is_bound_registered=whose.customer.phone in bound,
        has_spare_passkey=any(each.proof == "passkey" and each.is_synced for each in held),
    )


async def _last_used(customer_id: str, tx: UnitOfWork) -> dict[str, int]:
    """Return when each proof last bought something, from the newest pages of the customer's record."""
    found: dict[str, int] = {}
    before: int | None = None
    for _ in range(RECORD_PAGES):
        page = await tx.trail.of(customer_id, before=before)
        for entry in page:
            for proof in str(entry.details.get("proofs", "")).split("+"):
                found.setdefault(proof, entry.at)
        if len(page) < limits.TRAIL_LISTED:
            break
        before = page[-1].seq
    return found
