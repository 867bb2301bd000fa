"""Bring the demo's people into the bank: cards, registrations, and what stands in their way."""

from __future__ import annotations

import secrets
from typing import assert_never

import msgspec

from foregate.bootstrap import Foregate
from foregate.demo.accounts import settle_accounts
from foregate.demo.outlets import settle_outlets
from foregate.demo.people import PEOPLE, Person, Situation
from foregate.demo.staff import settle_staff
from foregate.desk.identify import customer_id_of
from foregate.gateways.numbers.embedded import EmbeddedNumbers
from foregate.ids import new_id
from foregate.ports import Customer, DeviceRow, UnitOfWork
from foregate.ports.face_records import FaceTemplateRow
from foregate.rules import limits, permission
from foregate.rules.documents import Document
from foregate.rules.permission import ALL, UNKNOWN, Event, Permission

DAY = 86400


async def settle(house: Foregate) -> None:
    """Put everybody in their place. Does nothing for a bank that has its people already."""
    await settle_outlets(house)
    await settle_staff(house)
    await settle_accounts(house)
    _tell_networks(house)
    async with house.store.begin() as tx:
        if await tx.customers.find(_id(house, next(person for person in PEOPLE if person.is_registered))):
            return
    passwords: dict[str, str] = {}
    for person in PEOPLE:
        await _hold_cards(house, person)
        if person.login is not None:
            secret = person.login.password
            passwords[secret] = passwords.get(secret) or await house.hasher.hash(secret)
            async with house.store.begin() as tx:
                await _register(house, tx, person, passwords[secret])
                await _bring_about(house, tx, person)


def _tell_networks(house: Foregate) -> None:
    """Let the demo's networks know since when each number is where it is: they are told anew at each start."""
    networks, now = house.world.numbers, house.world.clock.now()
    if not isinstance(networks, EmbeddedNumbers):
        return
    for person in PEOPLE:
        days = 1 if person.situation is Situation.SIM_REPLACED else 700
        for phone in {card.bound_phone for card in person.cards} | ({person.login.phone} if person.login else set()):
            if phone is not None:
                networks.put(phone, now - days * DAY)


def _id(house: Foregate, person: Person) -> str:
    return customer_id_of(house.keys, person.core_ref)


async def _hold_cards(house: Foregate, person: Person) -> None:
    await house.core.put_person(
        core_ref=person.core_ref,
        name=person.name,
        birth_date=person.birth_date,
        document_type=person.document_type,
        document_number=person.document_number,
        document_expires_on=person.document_expires_on,
    )
    held = Document(
        name=person.name,
        document_type=person.document_type,
        number=person.document_number,
        expires_on=person.document_expires_on,
    )
    await house.registry.put(person.core_ref, held)
    if person.renewed is not None:
        new = msgspec.structs.replace(held, **msgspec.structs.asdict(person.renewed))
        await house.registry.put(person.core_ref, new)
    for card in person.cards:
        await house.core.put_card(
            core_ref=person.core_ref, card_number=card.number, card_pin=card.pin, bound_phone=card.bound_phone
        )


async def _register(house: Foregate, tx: UnitOfWork, person: Person, password_hash: str) -> None:
    login, now = person.login, house.world.clock.now()
    if login is None:
        return
    idle_days = limits.DISUSE_DAYS + 30 if person.situation is Situation.CLOSED_BY_DISUSE else 3
    customer = Customer(
        customer_id=_id(house, person),
        core_ref=person.core_ref,
        name=person.name,
        phone=login.phone,
        user_name=login.user_name,
        password_hash=password_hash,
        created_at=now - 700 * DAY,
        last_sign_in_at=now - idle_days * DAY,
    )
    logins = {
        "phone": house.keys.digest("phone", login.phone),
        "user_name": house.keys.digest("user_name", login.user_name),
    }
    await tx.customers.insert(customer, logins)


async def _bring_about(house: Foregate, tx: UnitOfWork, person: Person) -> None:
    """Let happen what the story says has happened, by the same doors as in life."""
    who = _id(house, person)
    match person.situation:
        case Situation.FINE | Situation.CLOSED_BY_DISUSE:
            pass
        case Situation.SIM_REPLACED:
            pass  # the networks know it
        case Situation.CLOSED_BY_FAILURES:
            await _close(house, tx, who, UNKNOWN, Event.FAILED_TOO_OFTEN)
        case Situation.CLOSED_BY_CUSTOMER:
            await _close(house, tx, who, ALL, Event.FROZEN)
        case Situation.CLOSED_BY_BANK:
            await _close(house, tx, who, ALL, Event.BANK_CLOSED)
        case Situation.PASSWORD_BLOCKED:
            for _ in range(limits.ROW_FAILURES):
                await tx.counters.charge(who, "password", UNKNOWN, house.world.clock.now())
        case Situation.DEVICE_REMEMBERED:
            await _remember(house, tx, who)
        case Situation.FACE_EXPIRED:
            await _enrol_long_ago(house, tx, who)
        case _:
            assert_never(person.situation)


async def _close(house: Foregate, tx: UnitOfWork, who: str, lane: str, event: Event) -> None:
    to = permission.after(Permission.OPEN, event)
    await tx.permissions.move(who, lane, Permission.OPEN, to, house.world.clock.now())


async def _remember(house: Foregate, tx: UnitOfWork, who: str) -> None:
    now = house.world.clock.now()
    device = DeviceRow(
        customer_id=who,
        device_id=new_id(),
        # Nobody has this device's secret: it stands in the list of devices, to be forgotten.
        secret_digest=secrets.token_bytes(32),
        agent="Mozilla/5.0 (Linux; Android 9; Redmi 7A) Chrome/91 Mobile",
        created_at=now - 40 * DAY,
        seen_at=now - 2 * DAY,
    )
    await tx.devices.insert(device)


async def _enrol_long_ago(house: Foregate, tx: UnitOfWork, who: str) -> None:
    expired_at = house.world.clock.now() - 20 * DAY
    row = FaceTemplateRow(
        customer_id=who,
        # Nobody's face: an expired template is never compared, only told of.
        template=secrets.token_bytes(32),
        salt=secrets.token_bytes(32),
        engine_id="retired",
        enrolled_at=expired_at - limits.FACE_DAYS * DAY,
        expires_at=expired_at,
    )
    await tx.faces.put(row)
