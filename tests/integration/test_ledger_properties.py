"""Whatever is told to the ledger, in whatever order and however often: its books balance and nothing is lost."""

import asyncio
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from foregate.gateways.core_bank.accounts import EmbeddedAccounts
from foregate.ports.accounts import Account, BalanceType, EntryStatus, Wanted
from foregate.ports.ledger import StatementRow
from foregate.rules.money import Money
from foregate.store.sqlite import open_sqlite
from foregate.store.unit_of_work import SqlStore
from tests import ready
from tests.contract.ledger_samples import opened, tell, told
from tests.contract.samples import NOW, Clock, in_one, new_keys, sql

amounts = st.integers(-50_000, 50_000).filter(bool).map(lambda minor: Money(minor, "CNY").text)
days = st.integers(1, 28).map(lambda day: f"2026-11-{day:02d}")
# (what happens, day, amount): some of it twice, since keys repeat.
steps = st.lists(
    st.tuples(st.sampled_from(["tell", "wait", "book", "vanish", "transfer"]), days, amounts, st.integers(0, 5)),
    max_size=14,
)


def with_store(work: Callable[[SqlStore], Awaitable[None]]) -> None:
    async def run() -> None:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "bank.db"
            ready.make(f"sqlite:///{path}")
            store = await open_sqlite(path, new_keys(), Clock())
            await work(store)
            await store.close()

    asyncio.run(run())


class Books:
    """What the ledger should come to, kept in a dictionary."""

    def __init__(self) -> None:
        self.booked = {"mine": 0, "yours": 0}
        self.seen: set[bytes] = set()
        self.waiting: dict[bytes, int] = {}


async def step(store: SqlStore, mine: Account, yours: Account, books: Books, doing: tuple[str, str, str, int]) -> None:
    what, day, amount, key = doing
    minor = told(day, amount).entry.signed.minor
    if what in ("tell", "wait"):
        status = EntryStatus.BOOKED if what == "tell" else EntryStatus.PENDING
        one = told(day, amount, "王芳", key=key, status=status)
        await tell(store, mine, one)
        if one.fingerprint not in books.seen and what == "tell":
            books.booked["mine"] += minor
        if one.fingerprint not in books.seen and what == "wait":
            books.waiting[one.fingerprint] = minor
        books.seen.add(one.fingerprint)
    elif what == "book" and books.waiting:
        fingerprint, waited = sorted(books.waiting.items())[0]
        one = told(day, Money(waited, "CNY").text, key=f"booked{len(books.seen)}", waiting=fingerprint)
        outcome = await tell(store, mine, one)
        assert (1, 1) == (outcome.added, outcome.replaced)
        books.booked["mine"] += waited
        del books.waiting[fingerprint]
        books.seen = books.seen - {fingerprint} | {one.fingerprint}
    elif what == "vanish" and books.waiting:
        fingerprint = sorted(books.waiting)[-1]
        assert await in_one(store, lambda tx: tx.ledger.forget_waiting(mine, fingerprint))
        del books.waiting[fingerprint]
        books.seen.discard(fingerprint)
    elif what == "transfer":
        paid, got = told(day, f"-{amount.lstrip('-')}", key=f"t{key}"), told(day, amount.lstrip("-"), key=f"t{key}")
        if await in_one(store, lambda tx: tx.ledger.transfer(mine, yours, paid, got, NOW)):
            books.booked["mine"] -= abs(minor)
            books.booked["yours"] += abs(minor)


@settings(max_examples=25, suppress_health_check=[HealthCheck.too_slow])
@given(steps)
def test_any_sequence_keeps_the_books(sequence: list[tuple[str, str, str, int]]) -> None:
    """Booked is what was told, available is less by what waits, each balance follows, and all of it sums to nothing."""

    async def work(store: SqlStore) -> None:
        accounts = EmbeddedAccounts(store, store.clock)
        mine, yours = (
            await opened(store, identification="622201"),
            await opened(store, identification="622202"),
        )
        books = Books()
        for doing in sequence:
            await step(store, mine, yours, books, doing)
        for name, account in (("mine", mine), ("yours", yours)):
            held = {one.balance_type: one.signed.minor for one in await accounts.balances(account)}
            assert books.booked[name] == held[BalanceType.INTERIM_BOOKED]
            taken = sum(minor for minor in books.waiting.values() if minor < 0) if name == "mine" else 0
            assert books.booked[name] + taken == held[BalanceType.INTERIM_AVAILABLE]
        entries = (await accounts.entries(mine, Wanted(), None, 200)).entries
        by_number = sorted((one for one in entries if not one.is_mutable), key=lambda one: one.sequence)
        running = 0
        for one in by_number:
            running += one.signed.minor
            assert one.balance_after_transaction == Money(running, "CNY")
        assert len(books.waiting) == sum(one.is_mutable for one in entries)
        assert {""} == {what for _, what in await in_one(store, lambda tx: tx.ledger.verify("", 100))}
        assert 0 == await whole(store)

    with_store(work)


async def whole(store: SqlStore) -> int:
    """Return what all accounts come to together, the bank's own among them: from the postings, side by side."""
    found = await sql(
        store,
        "SELECT coalesce(sum(amount_minor), 0) - coalesce((SELECT sum(amount_minor) FROM posting"
        " WHERE debit_account_id IN (SELECT account_id FROM account)), 0) AS whole FROM posting"
        " WHERE credit_account_id IN (SELECT account_id FROM account)",
    )
    return int(found[0]["whole"])


@settings(max_examples=12, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(amounts, min_size=1, max_size=6), st.permutations(range(6)), st.integers(-9999, 9999))
def test_statements_in_any_order_come_to_the_newest(moved: list[str], order: list[int], opening: int) -> None:
    """Twelve months of statements, shuffled, some twice: booked is the closing balance of the last one, always."""

    async def work(store: SqlStore) -> None:
        account = await opened(store, is_live=False)
        at, statements = Money(opening, "CNY"), []
        for n, amount in enumerate(moved):
            one = told(f"2026-{n + 1:02d}-15", amount, key=n)
            row = StatementRow(
                digest=bytes([n]) * 16, kind="camt.053", closing_day=f"2026-{n + 1:02d}-28", opening=at,
                closing=at + one.entry.signed, entries=1,
            )  # fmt: skip
            at = at + one.entry.signed
            statements.append((one, row))
        shuffled = [statements[n] for n in order if n < len(statements)]
        for one, row in (*shuffled, shuffled[0]):
            await tell(store, account, one)
            await close(store, account, row)
        balances = await EmbeddedAccounts(store, store.clock).balances(account)
        assert at == {one.balance_type: one.signed for one in balances}[BalanceType.INTERIM_BOOKED]
        assert ((account.account_id, ""),) == await in_one(store, lambda tx: tx.ledger.verify("", 10))

    with_store(work)


async def close(store: SqlStore, account: Account, row: StatementRow) -> None:
    await in_one(store, lambda tx: tx.ledger.close_statement(account, row, NOW))
