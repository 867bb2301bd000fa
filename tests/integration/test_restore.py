"""The how-to "Back up and restore", done as it says: its SQL is read from the page and run."""

import re
import sqlite3
import textwrap
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest

from foregate.store.audit import Sealer
from foregate.store.audit_check import verify
from tests.bank import LI, WANG, Bank, open_bank

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "how-to" / "back-up-and-restore.md").read_text("utf-8")
END_EVERYTHING, CLOSE_EVERYBODY = (
    textwrap.dedent(block) for block in re.findall(r"^ *```sql\n(.*?)^ *```$", PAGE, re.DOTALL | re.MULTILINE)
)

pytestmark = pytest.mark.anyio


@pytest.fixture
async def restored(postgres_dsn: str) -> AsyncIterator[Bank]:
    """Yield a bank in PostgreSQL in which much is under way, as a backup finds it."""
    bank = await open_bank(postgres_dsn)
    await bank.settle(LI, WANG)
    yield bank
    await bank.close()


async def test_what_had_ended_stays_ended(restored: Bank, postgres_dsn: str) -> None:
    """Sessions, journeys, codes and devices of the backup are of no use; the customer signs in anew."""
    signed_in, half_done, remembered = restored.visitor(), restored.visitor(), restored.visitor()
    await signed_in.sign_in(LI)
    await half_done.start("sign-in-basic", "phone", phone=WANG.phone)
    code = await restored.code(WANG.phone)
    await restored.remember(remembered, LI)

    await run(postgres_dsn, END_EVERYTHING)

    assert await signed_in.level() is None
    assert "journey-unknown" == (await half_done.answer(code=code)).cause
    restored.clock.turn(61)
    assert "phone_code" == (await remembered.start("sign-in", "phone", phone=LI.phone)).step
    restored.clock.turn(61)
    await half_done.sign_in(WANG)
    assert "full" == await half_done.level()


async def test_everybody_is_closed_and_gets_back_in(restored: Bank, postgres_dsn: str) -> None:
    """Closed for caution, a customer reopens with card, number and a second proof."""
    visitor = restored.visitor()
    await run(postgres_dsn, CLOSE_EVERYBODY)

    assert "closed-by-customer" == (await visitor.sign_in_basic(LI)).cause
    restored.clock.turn(61)
    await visitor.start("reopen", "card_and_phone", card_number=LI.card, phone=LI.bound)
    await visitor.answer(code=await restored.code(LI.bound))
    await visitor.answer(card_pin=LI.pin)
    restored.clock.turn(61)
    await visitor.sign_in(LI)
    assert "full" == await visitor.level()


async def test_the_anchor_tells_what_was_lost(tmp_path: Path) -> None:
    """Against the old anchor the restored record is cut off at its end; by itself it is whole."""
    bank = await open_bank(f"sqlite:///{tmp_path / 'bank.db'}")
    await bank.settle(LI)
    anchor = tmp_path / "anchor.jsonl"
    sealer = Sealer(bank.house.store, anchor)
    await bank.visitor().sign_in_basic(LI)
    await sealer.seal()
    back_up(tmp_path / "bank.db", tmp_path / "backup.db")
    bank.clock.turn(61)
    await bank.visitor().sign_in_basic(LI)
    await sealer.seal()
    back_up(tmp_path / "backup.db", tmp_path / "bank.db")

    assert [] == await verify(bank.house.store)
    assert ["the anchor has this seal, the database has not: the end was cut off"] == [
        finding.what for finding in await verify(bank.house.store, anchor)
    ]
    await bank.close()


async def run(database: str, statements: str) -> None:
    connection = await asyncpg.connect(database)
    try:
        await connection.execute(statements)
    finally:
        await connection.close()


def back_up(source: Path, target: Path) -> None:
    with sqlite3.connect(source) as old, sqlite3.connect(target) as new:
        old.backup(new)
    old.close()
    new.close()
