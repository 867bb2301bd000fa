"""Measure the record: ten million entries over a hundred thousand accounts on PostgreSQL, with the plans.

    PYTHONPATH=. python bench/accounts.py [ENTRIES]

The cluster is made for it and removed after; it takes some 13 GB of disk and ten minutes. Entries are written day by
day over all accounts, as in life, so that those of one account lie far apart. What is measured is real: accounts of 104
entries, some of 5,000, one of 25,000. Of accounts that nobody reads here, details and words are noise of the same
length. Times are those in the server's own process, the way a request goes, with the answer as records, opened.
"""

from __future__ import annotations

import asyncio
import os
import random
import statistics
import sys
import time
import tomllib
from collections.abc import Awaitable, Callable, Iterator
from datetime import date, timedelta
from typing import Any

import asyncpg

from foregate.bootstrap import SystemClock
from foregate.gateways.core_bank.accounts import EmbeddedAccounts
from foregate.ports.accounts import Account, Entry, EntryStatus, Indicator, Party, Wanted
from foregate.rules.categories import Category
from foregate.rules.cursors import place_of
from foregate.rules.entry_words import FIRST, SIGNS
from foregate.rules.money import Money
from foregate.store import migrate
from foregate.store.accounts import reading
from foregate.store.accounts.rows import sealed_account, sealed_entry, signs_of
from foregate.store.keyring import Keys, generate_keys, parse_keys
from foregate.store.postgres import open_postgres
from foregate.store.statements import Dialect
from tests import services

DAYS, EVERY = 730, 7
ACCOUNTS = 100_000
LARGE, LARGEST = 5_000, 25_000
LARGE_ONES, ORDINARY_ONES = 10, 300
PAGE, FAR = 20, 1_000
ROUNDS = 60
PAYEES = ("绿禾生鲜超市", "一盏茶咖啡", "城市地铁", "顺路出行", "老灶面馆", "星河影城", "江南通信", "仁和大药房")
RARE = "青石巷三号押金"
INDEXES = ("ix_entry_account_id_day", "ix_entry_account_id_waiting")
CONSTRAINTS = ("pk_entry", "uq_entry_account_id_fingerprint")
BEGIN = date(2024, 11, 24)


class Life:
    """Rows of one account that is read here."""

    def __init__(self, keys: Keys, account: Account) -> None:
        self.keys, self.account, self.sequence = keys, account, 0
        self.signs = signs_of(keys, account.account_id)
        self.chance = random.Random(account.account_id)  # noqa: S311 -- figures for a bench, no secrets

    def row(self, day: date) -> dict[str, Any]:
        """Return the next entry."""
        self.sequence += 1
        payee = self.chance.choice(PAYEES)
        entry = Entry(
            entry_id="",
            account_id=self.account.account_id,
            sequence=self.sequence,
            status=EntryStatus.BOOKED,
            credit_debit_indicator=Indicator.DEBIT,
            amount=Money(self.chance.randrange(100, 90_000), "CNY"),
            day=day.isoformat(),
            value_date=day.isoformat(),
            account_servicer_reference=f"{day:%Y%m%d}{self.sequence:010d}",
            debtor=Party(name="林晚晴", agent_name="示范银行"),
            creditor=Party(name=payee, account=f"9906990{self.sequence:012d}"),
            remittance_information=(
                RARE if self.sequence == 7 else f"财付通-微信支付-{payee}-订单{self.sequence:06d}",
            ),
            category=Category.GROCERIES,
        )
        return sealed_entry(self.keys, self.signs, entry)


class Noise:
    """Rows of accounts that nobody reads, as long as the others."""

    def __init__(self, like: dict[str, Any]) -> None:
        self.bytes, self.chance = os.urandom(1 << 22), random.Random(1)  # noqa: S311 -- as above
        self.signs = "".join(chr(FIRST + self.chance.randrange(SIGNS)) for _ in range(1 << 16))
        self.details, self.words = len(like["details_sealed"]), len(like["words"])

    def row(self, account_id: str, sequence: int, day: str) -> dict[str, Any]:
        """Return an entry."""
        at = self.chance.randrange((1 << 16) - self.words)
        return {
            "account_id": account_id, "sequence": sequence, "day": day, "status": "BOOK",
            "amount_minor": -(at % 90_000) - 1, "value_date": day, "happened_at": None, "balance_after_minor": None,
            "category": "groceries", "replaces_sequence": 0,
            "details_sealed": self.bytes[at * 32 : at * 32 + self.details], "words": self.signs[at : at + self.words],
        }  # fmt: skip


def accounts_of(keys: Keys, count: int) -> list[Account]:
    """Return the accounts; their ids are in no order, like real ones."""
    return [
        Account(
            account_id=f"{os.urandom(4).hex()}-{n:04x}-7000-8000-{os.urandom(6).hex()}", core_ref=f"C{n:06d}",
            scheme_name="PAN", identification=f"990699{n:013d}", currency="CNY", owner_name="林晚晴",
        )
        for n in range(count)
    ]  # fmt: skip


def days_of(lives: dict[int, Life], accounts: list[Account], noise: Noise) -> Iterator[list[dict[str, Any]]]:
    """Yield the rows of each day: an account has one every seventh, the large ones many."""
    sequences = [0] * len(accounts)
    for n in range(DAYS):
        day = BEGIN + timedelta(days=n)
        written, rows = day.isoformat(), list[dict[str, Any]]()
        for at in range((-n) % EVERY, len(accounts), EVERY):
            if at in lives:
                rows.append(lives[at].row(day))
            else:
                sequences[at] += 1
                rows.append(noise.row(accounts[at].account_id, sequences[at], written))
        for at in range(LARGE_ONES + 1):
            size = LARGEST if at == 0 else LARGE
            rows += [lives[at].row(day) for _ in range(size * (n + 1) // DAYS - size * n // DAYS)]
        yield rows


async def fill(dsn: str, keys: Keys, accounts: list[Account]) -> list[Account]:
    """Write everything; return the accounts that are read, the largest first."""
    wire = await asyncpg.connect(dsn)
    measured = [*range(LARGE_ONES + 1), *range(100, len(accounts), max(1, len(accounts) // ORDINARY_ONES))]
    lives = {at: Life(keys, accounts[at]) for at in measured}
    columns = None
    await wire.execute("ALTER TABLE entry SET UNLOGGED")
    await wire.execute("; ".join(f"DROP INDEX {name}" for name in INDEXES))
    made = [await wire.fetchval("SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conname = $1", name)
            for name in CONSTRAINTS]  # fmt: skip
    await wire.execute("; ".join(f"ALTER TABLE entry DROP CONSTRAINT {name}" for name in CONSTRAINTS))
    written, began = 0, time.perf_counter()
    for rows in days_of(lives, accounts, Noise(Life(keys, accounts[-1]).row(BEGIN))):
        columns = columns or [*rows[0], "posting_id", "fingerprint"]
        records = [(*row.values(), "00000000-0000-7000-8000-000000000000", os.urandom(16)) for row in rows]
        await wire.copy_records_to_table("entry", records=records, columns=columns)
        written += len(rows)
    print(f"  {written:,} entries written in {time.perf_counter() - began:.0f} s", flush=True)
    began = time.perf_counter()
    for name, definition in zip(CONSTRAINTS, made, strict=True):
        await wire.execute(f"ALTER TABLE entry ADD CONSTRAINT {name} {definition}")
    await wire.execute("SET maintenance_work_mem = '1GB'")
    await wire.execute(
        f"CREATE INDEX {INDEXES[0]} ON entry (account_id, day, sequence) "
        "INCLUDE (status, amount_minor, value_date, category, words)"
    )
    await wire.execute(f"CREATE INDEX {INDEXES[1]} ON entry (account_id) WHERE status in ('PDNG', 'FUTR')")
    rows = [sealed_account(keys, accounts[at], 0) | {"anchored_on": "9999-12-31"} for at in measured]
    await wire.copy_records_to_table("account", records=[tuple(row.values()) for row in rows], columns=list(rows[0]))
    # As autovacuum does by itself after so many rows.
    await wire.execute("VACUUM ANALYZE entry")
    sizes = await wire.fetchrow(
        "SELECT pg_table_size('entry') / 1e9 AS rows, pg_indexes_size('entry') / 1e9 AS indexes"
    )
    seconds = time.perf_counter() - began
    print(
        f"  indexes in {seconds:.0f} s; {sizes['rows']:.1f} GB of rows, {sizes['indexes']:.1f} of indexes", flush=True
    )
    await wire.close()
    return [accounts[at] for at in measured]


async def timed(what: str, calls: list[Callable[[], Awaitable[Any]]]) -> None:
    """Print the median and the 95th percentile of some calls, in milliseconds."""
    taken = []
    for call in calls:
        began = time.perf_counter()
        await call()
        taken.append((time.perf_counter() - began) * 1000)
    taken.sort()
    print(f"  {what}: median {statistics.median(taken):.2f} ms, 95 % {taken[int(len(taken) * 0.95)]:.2f}", flush=True)


async def measure(dsn: str, keys: Keys, read: list[Account]) -> None:
    """Measure what people do."""
    store = await open_postgres(dsn, keys, SystemClock())
    accounts = EmbeddedAccounts(store, SystemClock())
    largest, large, ordinary = read[0], read[1 : LARGE_ONES + 1], read[LARGE_ONES + 1 :]
    one = Wanted()
    await timed("first page, cold", [lambda a=a: accounts.entries(a, one, None, PAGE) for a in ordinary])
    await timed("first page", [lambda a=a: accounts.entries(a, one, None, PAGE) for a in ordinary])
    await timed("balances", [lambda a=a: accounts.balances(a) for a in ordinary])
    await timed("months", [lambda a=a: accounts.months(a, "2025-12", "2026-11") for a in ordinary])
    cursor = None
    for _ in range(FAR - 1):
        cursor = (await accounts.entries(largest, one, cursor, PAGE)).next
    await timed(f"page 1 of {LARGEST:,}", [lambda: accounts.entries(largest, one, None, PAGE)] * ROUNDS)
    await timed(f"page {FAR:,} of {LARGEST:,}", [lambda: accounts.entries(largest, one, cursor, PAGE)] * ROUNDS)
    for text in (RARE, "咖啡", "馆", "没有这个人", "订单024999"):
        await search(accounts, Wanted(text=text), {LARGEST: [largest] * 15, LARGE: large, 104: ordinary})
    await plans(dsn, keys, largest, cursor)
    await store.close()


async def search(accounts: EmbeddedAccounts, wanted: Wanted, within: dict[int, list[Account]]) -> None:
    """Measure one search in accounts of several sizes."""
    for size, of in within.items():
        found = len((await accounts.entries(of[0], wanted, None, PAGE)).entries)
        what = f"text {wanted.text!r} in {size:,} ({found} on the page)"
        await timed(what, [lambda a=a: accounts.entries(a, wanted, None, PAGE) for a in of])


async def plans(dsn: str, keys: Keys, account: Account, cursor: str | None) -> None:
    """Print how PostgreSQL goes about page 1,000 and a search."""
    wire = await asyncpg.connect(dsn)
    for what, wanted, at in (("page 1,000", Wanted(), cursor), ("a search", Wanted(text=RARE), None)):
        signs = signs_of(keys, account.account_id).to_find((wanted.text,) if wanted.text else ())
        place = place_of(at)
        values = reading._values(wanted, signs) | {
            "of_account": account.account_id, "how_many": PAGE + 1, "before_day": place.day,
            "before_sequence": place.sequence,
        }  # fmt: skip
        text = reading._page(reading._asked(wanted, signs)).text(Dialect.POSTGRES)
        print(f"  plan of {what}:")
        for line in await wire.fetch(f"EXPLAIN (ANALYZE, BUFFERS, COSTS OFF) {text.sql}", *text.arguments(values)):
            print("    " + "".join(c if ord(c) < FIRST else "·" for c in line[0])[:150])
    await wire.close()


async def main(arguments: list[str]) -> None:
    """Make the cluster, fill it, measure."""
    entries = int(arguments[0]) if arguments else ACCOUNTS * DAYS // EVERY
    keys = parse_keys(tomllib.loads(generate_keys()))
    accounts = accounts_of(keys, max(1000, entries * EVERY // DAYS))
    with services.postgres() as server:
        dsn = server.dsn(server.create_database())
        await asyncio.to_thread(migrate.upgrade, dsn)
        await measure(dsn, keys, await fill(dsn, keys, accounts))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1:]))
