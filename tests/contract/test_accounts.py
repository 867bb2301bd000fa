"""The same contract for every source of accounts: the ledger, what was imported into it, and a bank elsewhere."""

import asyncio
from decimal import Decimal
from pathlib import Path

import httpx2
import pytest

from foregate.gateways.core_bank.fineract import FineractAccounts
from foregate.ports import Unreachable
from foregate.ports.accounts import (
    Account,
    Accounts,
    BadCursor,
    BalanceType,
    Entry,
    EntryStatus,
    Indicator,
    Wanted,
)
from foregate.rules import entry_words, limits
from foregate.rules.money import money
from foregate.store.unit_of_work import SqlStore
from tests.contract import account_sources
from tests.contract.account_sources import CLOSING, LINES, SOURCES
from tests.contract.ledger_samples import OWNER
from tests.contract.samples import Clock

pytestmark = pytest.mark.anyio


async def all_of(accounts: Accounts, account: Account, wanted: Wanted, limit: int = 7) -> list[Entry]:
    found: list[Entry] = []
    cursor = None
    while True:
        page = await accounts.entries(account, wanted, cursor, limit)
        assert len(page.entries) <= limit
        found, cursor = [*found, *page.entries], page.next
        if cursor is None:
            return found


def said(entries: list[Entry]) -> list[tuple[str, str]]:
    return [(one.day, one.signed.text) for one in entries]


NEWEST_FIRST = [(line[0], line[1]) for line in reversed(LINES)]


def those(amount: str = "", first: str = "", last: str = "9") -> list[tuple[str, str]]:
    return [x for x in NEWEST_FIRST if amount in ("", x[1]) and first <= x[0] <= last]


WISHES: tuple[tuple[Wanted, list[tuple[str, str]]], ...] = (
    (Wanted(), NEWEST_FIRST),
    (Wanted(date_from="2026-10-02", date_to="2026-11-01"), those(first="2026-10-02", last="2026-11-01")),
    (Wanted(value_from="2026-11-03"), those(first="2026-11-03")),
    (Wanted(amount_from=money("12.50", "EUR"), amount_to=money("299.99", "EUR")), those("-12.50")),
    (Wanted(credit_debit_indicator=Indicator.CREDIT), those("300.00")),
    (Wanted(credit_debit_indicator=Indicator.DEBIT), [x for x in NEWEST_FIRST if x[1].startswith("-")]),
    (Wanted(statuses=(EntryStatus.BOOKED,)), NEWEST_FIRST),
    (Wanted(statuses=(EntryStatus.PENDING, EntryStatus.FUTURE)), []),
    (Wanted(text="王芳"), those("300.00")),
    (Wanted(text="王"), those("300.00")),
    (Wanted(text="ＣＡＦÉ zoë"), those("-0.01")),
    (Wanted(text="房租 咖啡"), []),
    (Wanted(text="超市 支付", date_from="2026-11-01"), those("-12.50", first="2026-11-01")),
    (Wanted(text="nobody at all"), []),
    (Wanted(text="?!"), []),
    (Wanted(amount_from=money("1", "CNY")), []),
)


@pytest.mark.parametrize("source", SOURCES)
async def test_a_record_reads_the_same_from_everywhere(source: str, store: SqlStore, tmp_path: Path) -> None:
    """Order, pages, every filter, balances, sums: as the life that was told."""
    if source in ("mt940", "sandbox", "fineract") and store.database.dialect == "postgres":
        pytest.skip("the format makes no difference to the database, and Fineract has none of ours")
    accounts = await account_sources.of(source, store, tmp_path)
    (account,) = await accounts.accounts_of(OWNER)
    for wanted, expected in WISHES:
        assert expected == said(await all_of(accounts, account, wanted)), wanted
    whole = await all_of(accounts, account, Wanted(), limit=200)
    assert len(LINES) == len({one.entry_id for one in whole})
    assert sorted(whole, key=lambda one: (one.day, one.sequence), reverse=True) == whole
    for one in whole[::13]:
        assert one == await accounts.entry(account, one.entry_id)
        assert (one.day, False) == (one.booking_date, one.is_mutable)
    balances = {one.balance_type: one.signed.text for one in await accounts.balances(account)}
    assert (CLOSING, CLOSING) == (balances[BalanceType.INTERIM_AVAILABLE], balances[BalanceType.INTERIM_BOOKED])
    running = Decimal(CLOSING)
    for one in whole:
        assert one.balance_after_transaction is not None
        assert running == one.balance_after_transaction.amount
        running -= one.signed.amount
    page = await accounts.entries(account, Wanted(text="nobody"), None, 5)
    assert (LINES[0][0], LINES[-1][0], None) == (page.first_available, page.last_available, page.next)
    await sums_are_those_of_the_entries(accounts, account, whole)
    await strangers_find_nothing(accounts, account, whole[0])


async def sums_are_those_of_the_entries(accounts: Accounts, account: Account, whole: list[Entry]) -> None:
    months = await accounts.months(account, "2026-10", "2026-11")
    assert ["2026-10", "2026-11"] == sorted({one.month for one in months})
    assert sorted((one.month, one.category) for one in months) == [(one.month, one.category) for one in months]
    for month in months:
        mine = [one for one in whole if one.day.startswith(month.month) and one.category is month.category]
        moved = sum(one.signed.amount for one in mine)
        assert (len(mine), moved) == (month.entries, (month.money_in - month.money_out).amount)
    assert () == await accounts.months(account, "2025-01", "2025-02")


async def strangers_find_nothing(accounts: Accounts, account: Account, entry: Entry) -> None:
    assert account.account_id == getattr(await accounts.account(OWNER, account.account_id), "account_id", None)
    assert ((), None) == (await accounts.accounts_of("C999"), await accounts.account("C999", account.account_id))
    assert (None, ()) == (await accounts.account(OWNER, "no-such"), await accounts.accounts_of(""))
    for entry_id in ("0", "999999", "-1", "x", "", "١", "9" * 30):
        assert None is await accounts.entry(account, entry_id)
    for cursor in ("", "x", "AAAA", "%%%", "é", "MjAyNi0xMS0wMQ", "a" * 500):
        with pytest.raises(BadCursor):
            await accounts.entries(account, Wanted(), cursor, 5)
    assert "Account(" in repr(account)
    assert account.identification not in repr(account)


async def test_signs_that_collide_show_nobody_anything_false(
    store: SqlStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With two signs for everything a search finds too much, and shows what fits, page after page."""
    monkeypatch.setattr(entry_words, "SIGNS", 2)
    accounts = await account_sources.of("ledger", store, tmp_path)
    (account,) = await accounts.accounts_of(OWNER)
    for wanted, expected in WISHES:
        assert expected == said(await all_of(accounts, account, wanted, limit=3)), wanted


# ---------------------------------------------------------------- Fineract alone


def fineract(answer: object) -> FineractAccounts:
    return FineractAccounts(
        "https://fineract.bank.test/api", "default", b"reader:secret", Clock(),
        transport=httpx2.MockTransport(answer),  # type: ignore[arg-type]  # a function, as it wants
    )  # fmt: skip


@pytest.mark.parametrize(
    ("status", "content"),
    [(500, b""), (401, b"{}"), (302, b""), (200, b"<html>"), (200, b'{"savingsAccounts": 1}'), (200, b"[" * 10_000)],
)
async def test_a_fineract_that_is_away(status: int, content: bytes) -> None:
    """Whatever it answers that is no answer, nothing is known: Unreachable, and no part of what it said."""
    accounts = fineract(lambda request: httpx2.Response(status, content=content))
    with pytest.raises(Unreachable) as why:
        await accounts.accounts_of(OWNER)
    assert "html" not in str(why.value)


@pytest.mark.parametrize(("bytes_more", "is_read"), [(0, True), (1, False)])
async def test_an_answer_of_fineract_has_an_end(bytes_more: int, is_read: bool) -> None:
    """At the limit it is read; with one byte more the accounts are away."""
    size = limits.ACCOUNTS_ANSWER_BYTES + bytes_more
    accounts = fineract(
        lambda request: httpx2.Response(200, content=b'{"savingsAccounts": []' + b" " * (size - 23) + b"}")
    )
    if is_read:
        assert () == await accounts.accounts_of(OWNER)
    else:
        with pytest.raises(Unreachable, match="Endless"):
            await accounts.accounts_of(OWNER)


async def test_a_fineract_that_fails_is_left_alone_for_a_while() -> None:
    """After failures enough nobody waits for it; when the rest is over one page asks for everybody."""
    double, fails, asked = account_sources.Fineract(), True, 0

    def answer(request: httpx2.Request) -> httpx2.Response:
        nonlocal asked
        asked += 1
        return httpx2.Response(503) if fails else double.answer(request)

    accounts = fineract(answer)
    for _ in range(limits.ACCOUNTS_FAILURES + 3):
        with pytest.raises(Unreachable):
            await accounts.accounts_of(OWNER)
    assert limits.ACCOUNTS_FAILURES == asked
    assert limits.ACCOUNTS_FAILURES == accounts.failures_in_a_row
    left_seconds = accounts.rest.until - asyncio.get_running_loop().time()
    assert limits.ACCOUNTS_REST_SECONDS == pytest.approx(left_seconds, abs=2)
    fails, accounts.rest.until = False, 0.0
    assert 1 == len(await accounts.accounts_of(OWNER))
    assert 0 == accounts.failures_in_a_row


async def test_what_fineract_is_asked() -> None:
    """As staff of one tenant, for one person's accounts; a name never becomes another path."""
    double = account_sources.Fineract()
    accounts = fineract(double.answer)
    await accounts.accounts_of("../../users?x=1")
    asked = double.asked[0]
    assert ("Basic cmVhZGVyOnNlY3JldA==", "default") == (
        asked.headers["Authorization"], asked.headers["Fineract-Platform-TenantId"],
    )  # fmt: skip
    assert b"/clients/external-id/..%2F..%2Fusers%3Fx%3D1/accounts?" in asked.url.raw_path


async def test_what_was_undone_at_fineract_counts_in_no_sum() -> None:
    """A transaction that was reversed is rejected, a hold is pending; another account's is nobody's."""
    double = account_sources.Fineract()
    double.rows[-1]["reversed"] = True
    double.rows[-2]["transactionType"]["code"] = "savingsAccountTransactionType.amountHold"
    double.rows[-3]["accountId"] = 99
    accounts = fineract(double.answer)
    (account,) = await accounts.accounts_of(OWNER)
    page = await accounts.entries(account, Wanted(), None, 2)
    assert [EntryStatus.REJECTED, EntryStatus.PENDING] == [one.status for one in page.entries]
    assert [None, None] == [one.balance_after_transaction for one in page.entries]
    assert None is await accounts.entry(account, str(double.rows[-3]["id"]))
    assert 18 == sum(one.entries for one in await accounts.months(account, "2026-11", "2026-11"))
