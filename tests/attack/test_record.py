"""AUD: the record holds what was done, and nothing else. DAT: what lies in the database tells nothing."""

import base64
import itertools
import random
import subprocess
import sys
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from foregate.rules.permission import ALL, Permission
from foregate.store.audit_check import verify
from foregate.store.keyring import load_keys, write_keys
from tests.bank import CHEN, LI, WANG, Bank, open_bank

pytestmark = [pytest.mark.anyio, pytest.mark.attack]
ROUNDS = 5


def run_until_killed(database: str, keys_file: Path, seed: int) -> list[str]:
    """Let the worker act for a random time, kill it, and return what it acknowledged."""
    words = [sys.executable, "-m", "tests.attack.crash_worker", database, str(keys_file)]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as worker:
        assert worker.stdout is not None
        while worker.stdout.readline() != "ready\n":
            assert worker.poll() is None, "the worker died by itself"
        try:
            worker.wait(random.Random(seed).uniform(0.05, 0.9))  # noqa: S311 -- when to kill is no secret
        except subprocess.TimeoutExpired:
            worker.kill()
        return [line for line in worker.stdout.read().splitlines() if line in ("closed", "reopened")]


@pytest.mark.slow
async def test_aud_01_killed_anywhere_the_record_and_the_state_agree(database: str, tmp_path: Path) -> None:
    """After kill -9 at random moments: each effect has its event and its message, each event its effect."""
    keys_file = tmp_path / "keys.toml"
    write_keys(keys_file)
    bank = await open_bank(database, keys=load_keys(keys_file))
    await bank.settle(LI)
    await bank.close()
    acknowledged: list[str] = []
    for seed in range(ROUNDS):
        acknowledged += run_until_killed(database, keys_file, seed)
        bank = await open_bank(database, keys=load_keys(keys_file))
        kinds = [kind for kind in await bank.events(LI) if kind in ("permission-closed", "permission-reopened")]
        async with bank.house.store.begin() as tx:
            state = (await tx.permissions.of(bank.customer_id(LI))).get(ALL, Permission.OPEN)
        templates = await bank.messages_about(LI)
        await bank.close()
        # A kill may fall between commit and acknowledgement, never the other way round.
        assert len(acknowledged) <= len(kinds) <= len(acknowledged) + 1
        assert (state is Permission.CLOSED_BY_CUSTOMER) == (bool(kinds) and kinds[-1] == "permission-closed")
        assert kinds.count("permission-closed") == templates.count("sms.frozen")
        assert kinds.count("permission-reopened") == templates.count("sms.reopened")
        # From here on the seeds' acknowledgements are what the record says.
        acknowledged = kinds[:]
    bank = await open_bank(database, keys=load_keys(keys_file))
    assert [] == await verify(bank.house.store)
    await bank.close()


def disguises(number: str) -> set[bytes]:
    """Return the forms in which a number could lie in a file."""
    plain = number.encode()
    spaced = " ".join(number[i : i + 4] for i in range(0, len(number), 4)).encode()
    encoded = {base64.b64encode(plain), plain.hex().encode(), number.encode("utf-16-le"), number.encode("utf-16-be")}
    return {plain, plain[::-1], spaced} | encoded


async def test_dat_01_numbers_pins_passwords_and_codes_do_not_lie_in_the_database(
    bank: Bank,
) -> None:
    """Cards, documents, phones, PINs, passwords and codes in no file, plain or disguised; nor in the log."""
    visitor = bank.visitor()
    with capture_logs() as logged:
        await visitor.sign_in(LI)
        bank.clock.turn(61)
        await visitor.start("reset-password", "card", card_number=WANG.card)
        await visitor.answer(code=await bank.code(WANG.phone))
        await visitor.answer(card_pin=WANG.pin)
        await visitor.answer(new_password="a quite new evening")
    assert logged
    if bank.house.settings.database.startswith("sqlite"):
        folder = Path(bank.house.settings.database.removeprefix("sqlite:///")).parent
        stored = b"".join(file.read_bytes() for file in folder.glob("bank.db*"))
    else:
        stored = await dump(bank)
    secrets = [
        [person.card, person.document_number, person.bound.removeprefix("+86"), person.phone.removeprefix("+86")]
        for person in (LI, WANG, CHEN)
    ]
    for secret in {*itertools.chain(*secrets), LI.password, WANG.password, "a quite new evening"}:
        for form in disguises(secret):
            assert form not in stored, f"{secret} lies in the database as {form!r}"
        assert secret not in repr(logged)
    for name in (LI.name, WANG.name, CHEN.name):
        assert name.encode() not in stored


async def dump(bank: Bank) -> bytes:
    """Return every row of every table as PostgreSQL prints it."""
    import asyncpg

    connection = await asyncpg.connect(bank.house.settings.database)
    tables = await connection.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
    rows: list[str] = []
    for (table,) in tables:
        for record in await connection.fetch(f'SELECT * FROM "{table}"'):  # noqa: S608 -- names from the catalogue
            rows += [value.hex() if isinstance(value, bytes) else str(value) for value in record.values()]
            rows += [value.decode("latin-1") for value in record.values() if isinstance(value, bytes)]
    await connection.close()
    return "\n".join(rows).encode("latin-1", "replace")
