"""Real statements of real banks: each comes in whole with the totals it states, or is refused for a true reason."""

import json
import re
from collections import Counter
from decimal import Decimal
from pathlib import Path

import pytest

from foregate.accounts.importing import import_statements
from foregate.accounts.statements import Refused
from foregate.gateways.core_bank.accounts import EmbeddedAccounts
from foregate.ports.accounts import Account, Entry, Wanted
from foregate.rules import limits
from foregate.store.sqlite import open_sqlite
from foregate.store.unit_of_work import SqlStore
from tests import ready
from tests.contract.samples import NOW, Clock, count, new_keys
from tests.statement_files import REAL

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.skipif(not REAL.is_dir(), reason="needs ../shared/data, which is not part of the project"),
]
OWNER = "C001"
DOES_NOT_ADD_UP = "opening balance and entries do not make the closing balance"
# What is wrong with each file that is refused; every other comes in. Seen by eye in the files.
REFUSED = {
    "camt/camt052.v4.xml": "two currencies in one account",  # a balance in CHF, an entry in SEK
    "camt/camt052.v6.xml": "two currencies in one account",
    "camt/camt052.v6.Amt-zero.xml": "two currencies in one account",
    "camt/camt053.v2.minimal.xml": "two currencies in one account",  # opened in EUR, closed in SEK
    "camt/camt053.v3.xml": "two currencies in one account",
    "camt/camt053.v2.all-balance-types.xml": DOES_NOT_ADD_UP,  # 1.01 + 8.85 is not 4.04
    "camt/camt053.v2.wrong.xml": "has no statement in it",
    "mt940/jejik/abnamro.sta": DOES_NOT_ADD_UP,  # entries were taken out of the sample
    "mt940/jejik/ing.sta": DOES_NOT_ADD_UP,
    "mt940/self-provided/malformed_details.sta": DOES_NOT_ADD_UP,
    "mt940/self-provided/february_30.sta": "a day that no calendar has",
    "mt940/self-provided/multiline.sta": "an account number with characters that none has",  # quotes
}
FILES = sorted(
    path for path in (*REAL.glob("camt/*.xml"), *REAL.glob("mt940/*/*"), *REAL.glob("obp/*.json")) if path.is_file()
)
SANDBOX = REAL / "obp" / "example_import.json"


@pytest.fixture
async def store(tmp_path: Path, anyio_backend: str) -> SqlStore:
    path = tmp_path / "bank.db"
    ready.make(f"sqlite:///{path}")
    return await open_sqlite(path, new_keys(), Clock())


def said_in(path: Path) -> tuple[int, Decimal, Decimal]:
    """Return how many entries a file has, and what came and went, by a reading of its own: patterns, no parser."""
    text = path.read_text("utf-8", "replace")
    if path.suffix == ".json":
        values = [Decimal(one["details"]["value"]) for one in json.loads(text)["transactions"]]
    elif path.suffix == ".xml":
        found = re.findall(r'<Ntry>\s*<Amt Ccy="\w+">([\d.]+)</Amt>\s*<CdtDbtInd>(\w+)<', text)
        values = [Decimal(amount) * (1 if mark == "CRDT" else -1) for amount, mark in found]
    else:
        found = re.findall(r"^:61:\d{6}(?:\d{4})?(R?[CD])[A-Z]?(\d+,\d*)", text, re.MULTILINE)
        values = [Decimal(amount.replace(",", ".")) * (1 if mark in ("C", "RD") else -1) for mark, amount in found]
    return len(values), sum((v for v in values if v > 0), Decimal()), -sum((v for v in values if v < 0), Decimal())


async def how_many(store: SqlStore) -> list[int]:
    return [await count(store, table) for table in ("account", "entry", "posting", "statement", "balance")]


async def every_entry(accounts: EmbeddedAccounts, account: Account) -> list[Entry]:
    found: list[Entry] = []
    cursor = None
    while True:
        page = await accounts.entries(account, Wanted(), cursor, limits.ENTRIES_PER_PAGE_MAX)
        found, cursor = [*found, *page.entries], page.next
        if cursor is None:
            return found


async def test_every_file_comes_in_or_is_refused(store: SqlStore) -> None:
    """With the totals that the file states; a second time nothing changes, neither rows nor balances."""
    came: list[tuple[Path, int]] = []
    for path in FILES:
        name = path.relative_to(REAL).as_posix()
        if name in REFUSED:
            rows = await how_many(store)
            with pytest.raises(Refused, match=REFUSED[name]):
                await import_statements(store, path, NOW, owner=OWNER)
            assert rows == await how_many(store), name
            continue
        done = await import_statements(store, path, NOW, owner=OWNER)
        entries, money_in, money_out = said_in(path)
        assert (entries, money_in, money_out) == (
            done.outcome.added,
            sum((one.money_in.amount for one in done.read), Decimal()),
            sum((one.money_out.amount for one in done.read), Decimal()),
        ), name
        came.append((path, len(done.read)))
    assert (len(FILES) - len(REFUSED), 22) == (len(came), len(FILES))

    accounts = EmbeddedAccounts(store, store.clock)
    before = [(one.account_id, await accounts.balances(one)) for one in await accounts.accounts_of(OWNER)]
    rows = await how_many(store)
    for path, statements in came:
        again = await import_statements(store, path, NOW + 99)
        assert (0, statements) == (again.outcome.added, again.known), path.name
    assert rows == await how_many(store)
    assert before == [(one.account_id, await accounts.balances(one)) for one in await accounts.accounts_of(OWNER)]
    async with store.begin() as tx:
        assert {""} == {what for _, what in await tx.ledger.verify("", 1000)}
    await store.close()


async def test_the_sandbox_reproduces_every_balance(store: SqlStore) -> None:
    """All 688 transactions, each with the balance after it that the file gives, in the record that a customer reads."""
    await import_statements(store, SANDBOX, NOW)
    accounts, said = EmbeddedAccounts(store, store.clock), Counter[tuple[str, str]]()
    content = json.loads(SANDBOX.read_text())
    for one in content["transactions"]:
        said[one["id"], f"{Decimal(one['details']['new_balance']):.2f}"] += 1
    found = Counter[tuple[str, str]]()
    for owner in {account["owners"][0] for account in content["accounts"]}:
        for account in await accounts.accounts_of(owner):
            for entry in await every_entry(accounts, account):
                assert entry.balance_after_transaction is not None
                found[entry.account_servicer_reference, entry.balance_after_transaction.text] += 1
    assert 688 == found.total()
    assert said == found
    await store.close()


async def test_whose_account_it_is_has_to_be_said(store: SqlStore) -> None:
    """A statement of an account that nobody knows is refused, and so is one of somebody else's."""
    path = REAL / "camt" / "camt053.v2.multi.statement.xml"
    with pytest.raises(Refused, match="nobody has the account •••• 6890: name its owner"):
        await import_statements(store, path, NOW)
    await import_statements(store, path, NOW, owner=OWNER)
    with pytest.raises(Refused, match="the account •••• 6890 is somebody else's"):
        await import_statements(store, path, NOW, owner="C002")
    await store.close()
