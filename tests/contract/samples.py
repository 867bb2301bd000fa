"""Rows to put into a store, and ways to look at what is really there."""

import asyncio
import tomllib
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import pytest
from sqlalchemy import text

from foregate.ids import new_id
from foregate.ports import CodeRow, Customer, DeviceRow, JourneyRow, Message, SessionRow
from foregate.rules.words import Level
from foregate.store.keyring import Keys, generate_keys, parse_keys
from foregate.store.statements import Row, Statement
from foregate.store.unit_of_work import SqlStore, Unit

NOW = 1_800_000_000
T = TypeVar("T")


@dataclass
class Clock:
    """A clock that a test turns."""

    at: int = NOW

    def now(self) -> int:
        return self.at


def new_keys() -> Keys:
    return parse_keys(tomllib.loads(generate_keys()))


def a_customer(**changes: Any) -> Customer:
    values: dict[str, Any] = {
        "customer_id": new_id(),
        "core_ref": "C001",
        "name": "阿依古丽·买买提",
        "phone": "+8613800138000",
        "user_name": "ayiguli",
        "password_hash": "$argon2id$...",
        "created_at": NOW,
        "last_sign_in_at": NOW,
    }
    return Customer(**{**values, **changes})


def a_journey(**changes: Any) -> JourneyRow:
    values: dict[str, Any] = {
        "journey_id": new_id(),
        "name": "sign-in",
        "version": 1,
        "status": "open",
        "visitor_digest": b"v" * 32,
        "customer_id": None,
        "claim_digest": b"c" * 32,
        "state": b"\x00sealed",
        "created_at": NOW,
        "expires_at": NOW + 900,
    }
    return JourneyRow(**{**values, **changes})


def a_code(journey_id: str, **changes: Any) -> CodeRow:
    values: dict[str, Any] = {
        "journey_id": journey_id,
        "purpose": "sign-in",
        "phone_digest": b"p" * 32,
        "nonce": b"n" * 16,
        "is_long": False,
        "tries": 0,
        "sends": 1,
        "sent_at": NOW,
        "expires_at": NOW + 300,
        "is_used": False,
    }
    return CodeRow(**{**values, **changes})


def a_session(customer_id: str, **changes: Any) -> SessionRow:
    values: dict[str, Any] = {
        "customer_id": customer_id,
        "session_id": new_id(),
        "secret_digest": b"s" * 32,
        "level": Level.FULL,
        "evidence": (("phone_code", NOW), ("password", NOW + 1)),
        "device_id": None,
        "agent": "Firefox",
        "created_at": NOW,
        "seen_at": NOW,
        "expires_at": NOW + 43200,
    }
    return SessionRow(**{**values, **changes})


def a_device(customer_id: str, **changes: Any) -> DeviceRow:
    values: dict[str, Any] = {
        "customer_id": customer_id,
        "device_id": new_id(),
        "secret_digest": b"d" * 32,
        "agent": "Firefox",
        "created_at": NOW,
        "seen_at": NOW,
    }
    return DeviceRow(**{**values, **changes})


def a_message(**changes: Any) -> Message:
    values: dict[str, Any] = {
        "message_id": new_id(),
        "customer_id": None,
        "phone": "+8613800138000",
        "template": "sms.code",
        "language": "zh",
        "facts": {"purpose": "sign-in"},
        "nonce": b"n" * 16,
        "expires_at": NOW + 300,
    }
    return Message(**{**values, **changes})


async def in_one(store: SqlStore, work: Callable[[Unit], Awaitable[T]]) -> T:
    """Do `work` in a transaction of its own."""
    async with store.begin() as tx:
        return await work(tx)


async def undone(store: SqlStore, work: Callable[[Unit], Awaitable[object]]) -> None:
    """Do `work` in a transaction that fails after it."""
    with pytest.raises(ZeroDivisionError):
        await in_one(store, lambda tx: _and_fail(work(tx)))


async def _and_fail(work: Awaitable[object]) -> None:
    await work
    raise ZeroDivisionError


async def until(is_done: Callable[[], object]) -> None:
    """Wait for something that happens beside this task; fail after a while."""
    async with asyncio.timeout(10):
        while not is_done():  # noqa: ASYNC110 -- what is waited for knows nothing of events
            await asyncio.sleep(0.01)


async def at_once(store: SqlStore, times: int, work: Callable[[Unit], Awaitable[T]]) -> Sequence[T]:
    """Do `work` in `times` transactions, all begun together."""
    return await asyncio.gather(*(in_one(store, work) for _ in range(times)))


async def sql(store: SqlStore, statement: str) -> Sequence[Row]:
    """Look at the tables, or tamper with them, past the repositories."""
    async with store.database.transaction() as connection:
        return await connection.all(Statement(text(statement)))


async def count(store: SqlStore, table: str, where: str = "1 = 1") -> int:
    rows = await sql(store, f"SELECT count(*) AS n FROM {table} WHERE {where}")
    return int(rows[0]["n"])
