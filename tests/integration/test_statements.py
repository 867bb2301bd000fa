"""Statements as files: what other programs read in them, and nothing that runs in a spreadsheet. And alerts."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest
from lxml import etree
from ofxtools.Parser import OFXTree

from foregate.accounts.files import cell
from foregate.doors.pages import assets
from foregate.doors.text import catalog
from foregate.ports.accounts import Account, Code, EntryStatus, Page, Wanted
from foregate.ports.exports import Why
from foregate.rules import limits
from tests.bank import LI, ORIGIN, Bank, Visitor
from tests.money import happen, open_account, told

pytestmark = pytest.mark.anyio

SCHEMA = Path(__file__).parents[2] / ".." / "shared" / "data" / "camt" / "xsd" / "camt.053.001.08.xsd"
CODE = Code("PMNT", "RCDT", "ESCT")
ENTRIES = (
    told("2026-12-31", "1000.00", "江南纸鸢文化有限公司", "年终奖", bank_transaction_code=CODE, purpose_code="BONU"),
    told("2027-01-03", "300.00", "许知远", "<合租> & 物业费"),
    told("2027-01-05", "-21.50", '=HYPERLINK("http://evil.example","退款")', "+86 138"),
    told("2027-01-06", "-8.00", "＝1+1", "@SUM(A1)\x07", end_to_end_id="E2E-1"),
    told("2027-01-14", "-77.00", "还没入账", status=EntryStatus.PENDING),
)
JANUARY = {"dateFrom": "2027-01-01", "dateTo": "2027-01-10"}


async def rich(bank: Bank) -> tuple[Visitor, Account]:
    """Li, signed in whole, with an account that saw something."""
    account = await open_account(bank, LI, *ENTRIES)
    visitor = bank.visitor(headers={"Origin": ORIGIN, "Accept-Language": "en"})
    await visitor.sign_in(LI)
    return visitor, account


async def ask(visitor: Visitor, account: Account, kind: str, **changes: str) -> str:
    """Ask for a file and have it made; return the address of the newest one."""
    place = f"/accounts/{account.account_id}/statements"
    asked = await visitor.client.post(place, data={**JANUARY, "format": kind, **changes})
    assert 303 == asked.status_code, asked.text
    await visitor.bank.house.exports.once()
    page = (await visitor.client.get(place)).text
    return page.partition('href="/statements/')[2].partition('"')[0]


async def file_of(visitor: Visitor, account: Account, kind: str, **changes: str) -> bytes:
    """Return the file."""
    export_id = await ask(visitor, account, kind, **changes)
    got = await visitor.client.get(f"/statements/{export_id}")
    assert 200 == got.status_code
    assert got.headers["content-disposition"].startswith("attachment;")
    assert "no-store" == got.headers["cache-control"]
    assert LI.card.encode() not in got.content
    return bytes(got.content)


async def test_a_table_cannot_smuggle_formulas(bank: Bank) -> None:
    """What somebody else typed begins with an apostrophe where a spreadsheet would run it; amounts stay numbers."""
    visitor, account = await rich(bank)
    body = await file_of(visitor, account, "csv")
    rows = list(csv.DictReader(io.StringIO(body.decode("utf-8-sig"))))
    assert ["300.00", "", ""] == [row["In"] for row in rows]
    assert ["", "21.50", "8.00"] == [row["Out"] for row in rows]
    assert ["1300.00", "1278.50", "1270.50"] == [row["Balance"] for row in rows]
    sides = [row["Other side"] for row in rows]
    assert ["许知远", '\'=HYPERLINK("http://evil.example","退款")', "'＝1+1"] == sides
    assert ["'+86 138", "'@SUM(A1)\x07"] == [row["Message"] for row in rows[1:]]


@pytest.mark.parametrize("text", ["=1", "+1", "-1", "@a", "\t=1", "\r=1", "  =1", "　=1", "＝1", "＋1", "－1", "＠a"])
def test_what_a_spreadsheet_could_run_does_not(text: str) -> None:
    """Blanks before it make no difference."""
    assert cell(text).startswith("'")
    assert "房租" == cell("房租")


async def test_home_finance_programs_read_it(bank: Bank) -> None:
    """ofxtools, which nobody here wrote, finds each entry with its sign, and the balance."""
    visitor, account = await rich(bank)
    tree = OFXTree()
    tree.parse(io.BytesIO(await file_of(visitor, account, "ofx")))
    statement = tree.convert().statements[0]
    assert ["300.00", "-21.50", "-8.00"] == [str(one.trnamt) for one in statement.transactions]
    assert "1270.50" == str(statement.ledgerbal.balamt)
    assert ["许知远", "<合租> & 物业费"] == [statement.transactions[0].name, statement.transactions[0].memo]


async def test_camt_is_what_the_standard_says(bank: Bank) -> None:
    """It validates against the schema of ISO 20022, and opening and entries make closing."""
    visitor, account = await rich(bank)
    for changes in ({}, {"dateFrom": "2026-01-01", "dateTo": "2026-01-31"}, {"dateFrom": "2026-12-01"}):
        body = await file_of(visitor, account, "camt", **changes)
        document = etree.fromstring(body)
        space = {"c": "urn:iso:std:iso:20022:tech:xsd:camt.053.001.08"}
        said = [amount.text for amount in document.findall(".//c:Bal/c:Amt", space)]
        expected = {
            "2027-01-01": ["1000.00", "1270.50"],
            "2026-01-01": ["0.00", "0.00"],
            "2026-12-01": ["0.00", "1270.50"],
        }
        assert expected[changes.get("dateFrom", "2027-01-01")] == said
        if not SCHEMA.exists():
            pytest.skip("the schemas of ISO 20022 are not here")
        etree.XMLSchema(etree.parse(SCHEMA)).assertValid(document)


@pytest.mark.parametrize("first", [EntryStatus.BOOKED, EntryStatus.PENDING])
async def test_what_was_there_before_the_record(
    bank: Bank, monkeypatch: pytest.MonkeyPatch, first: EntryStatus
) -> None:
    """Known from the first day alone, however long the record; from all of it where that day has nothing booked."""
    days = [f"2026-12-{day:02d}" for day in range(2, 12)]
    account = await open_account(
        bank, LI, told("2026-12-01", "5.00", "许知远", status=first), *(told(day, "10.00", "许知远") for day in days)
    )
    visitor = bank.visitor(headers={"Origin": ORIGIN, "Accept-Language": "en"})
    await visitor.sign_in(LI)
    accounts, asked = bank.house.world.accounts, list[Wanted]()
    read = accounts.entries

    async def counted(account: Account, wanted: Wanted, cursor: str | None, limit: int) -> Page:
        asked.append(wanted)
        return await read(account, wanted, cursor, limit)

    monkeypatch.setattr(limits, "ENTRIES_PER_PAGE_MAX", 2)
    monkeypatch.setattr(accounts, "entries", counted)
    body = await file_of(visitor, account, "camt", dateFrom="2026-01-01", dateTo="2026-01-31")
    amounts = etree.fromstring(body).findall(".//{*}Bal/{*}Amt")
    assert ["0.00", "0.00"] == [amount.text for amount in amounts]
    # Once for the entries; for each of both balances what came before, the newest, the first day, and maybe all of it.
    assert (7 if first is EntryStatus.BOOKED else 7 + 2 * 5) == len(asked)


async def test_a_statement_on_paper(bank: Bank) -> None:
    """PDF begins as PDF does; so does a receipt."""
    visitor, account = await rich(bank)
    assert (await file_of(visitor, account, "pdf")).startswith(b"%PDF-")
    (entry,) = (await visitor.get(f"/v1/accounts/{account.account_id}/transactions?text=许知远")).body["transactions"]
    receipt = await visitor.client.get(f"/accounts/{account.account_id}/entries/{entry['transactionId']}/receipt.pdf")
    assert receipt.content.startswith(b"%PDF-")


async def test_without_the_extra_it_says_so(bank: Bank, monkeypatch: pytest.MonkeyPatch) -> None:
    """No PDF is offered; whoever asks all the same is told why there is none; the others are made."""
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    visitor, account = await rich(bank)
    assert "" == await ask(visitor, account, "pdf")
    page = (await visitor.client.get(f"/accounts/{account.account_id}/statements")).text
    assert catalog.text("en", "accounts.statement.why.no-printer") in page
    assert (False, 'value="csv" checked' in page) == ('value="pdf"' in page, True)
    (entry, *_) = (await visitor.get(f"/v1/accounts/{account.account_id}/transactions")).body["transactions"]
    receipt = await visitor.client.get(f"/accounts/{account.account_id}/entries/{entry['transactionId']}/receipt.pdf")
    assert 503 == receipt.status_code
    web = await visitor.client.get(f"/accounts/{account.account_id}/entries/{entry['transactionId']}/receipt")
    assert (200, False) == (web.status_code, "receipt.pdf" in web.text)
    assert "print button" in receipt.text
    assert await file_of(visitor, account, "csv")


async def test_why_there_is_no_file_and_a_page_that_waits(bank: Bank, monkeypatch: pytest.MonkeyPatch) -> None:
    """Too much for one file is said as that; while one waits the page looks again by itself, and then no more."""
    visitor, account = await rich(bank)
    place = f"/accounts/{account.account_id}/statements"
    await visitor.client.post(place, data={**JANUARY, "format": "csv"})
    waits = (await visitor.client.get(place)).text
    monkeypatch.setattr(limits, "EXPORT_ENTRIES", 2)
    await bank.house.exports.once()
    page = (await visitor.client.get(place)).text
    assert catalog.text("en", "accounts.statement.why.too-many-entries") in page
    refresh, script = '<noscript><meta http-equiv="refresh"', f'src="{assets.watch().path}"'
    assert [(True, True), (False, False)] == [(refresh in one, script in one) for one in (waits, page)]
    for why in Why:
        assert catalog.has("zh", f"accounts.statement.why.{why}")
    assert 200 == (await visitor.client.get(assets.watch().path)).status_code


async def test_who_waited_long_is_told_and_the_file_goes(bank: Bank) -> None:
    """A message when it took longer than half a minute, none when it did not; gone the next day, row and all."""
    visitor, account = await rich(bank)
    export_id = await ask(visitor, account, "csv")
    assert "sms.statement-ready" not in await bank.messages_about(LI)
    place = f"/accounts/{account.account_id}/statements"
    await visitor.client.post(place, data={**JANUARY, "format": "ofx"})
    bank.clock.turn(limits.EXPORT_TOLD_SECONDS)
    await bank.house.exports.once()
    assert "sms.statement-ready" in await bank.messages_about(LI)
    bank.clock.turn(limits.EXPORT_SECONDS)
    bank.clock.turn(60)
    await visitor.sign_in(LI)
    assert 404 == (await visitor.client.get(f"/statements/{export_id}")).status_code
    assert 2 == (await bank.house.janitor.sweep())["account_export"]


async def test_who_dies_over_a_file_is_followed(bank: Bank) -> None:
    """Nobody else makes it while the lease runs; then somebody begins again, and the late one ends nothing."""
    visitor, account = await rich(bank)
    await visitor.client.post(f"/accounts/{account.account_id}/statements", data={**JANUARY, "format": "csv"})
    async with bank.house.store.begin() as tx:
        first = await tx.exports.claim(bank.clock.now(), limits.EXPORT_LEASE_SECONDS)
        assert await tx.exports.claim(bank.clock.now(), limits.EXPORT_LEASE_SECONDS) is None
    bank.clock.turn(limits.EXPORT_LEASE_SECONDS)
    async with bank.house.store.begin() as tx:
        second = await tx.exports.claim(bank.clock.now(), limits.EXPORT_LEASE_SECONDS)
        assert first is not None
        assert second is not None
        assert (1, 2) == (first.tries, second.tries)
        assert not await tx.exports.end(first, "ready", b"late")
        assert await tx.exports.end(second, "ready", b"right")


async def test_days_that_cannot_be(bank: Bank) -> None:
    """Backwards, in the future, too many: said beside the field, and no file is asked for."""
    visitor, account = await rich(bank)
    place = f"/accounts/{account.account_id}/statements"
    for days in (
        {"dateFrom": "2027-01-02", "dateTo": "2027-01-01"}, {"dateTo": "2027-02-01"}, {"dateFrom": "2020-01-01"},
        {"dateFrom": "soon"}, {"format": "exe"},
    ):  # fmt: skip
        asked = await visitor.client.post(place, data={**JANUARY, "format": "csv", **days})
        assert (422, True) == (asked.status_code, 'id="problem"' in asked.text)


# ---------------------------------------------------------------- alerts


async def choose(visitor: Visitor, **choice: str) -> None:
    """Choose what to be told."""
    assert 303 == (await visitor.client.post("/alerts", data=choice)).status_code


async def test_money_is_told_as_chosen(bank: Bank) -> None:
    """In, and out above the amount; the choice itself; once each, and no old history."""
    from foregate.accounts.alerts import alert

    visitor, account = await rich(bank)
    await choose(visitor, money_in="yes", money_out="yes", above="１００")
    news = (
        told("2027-01-15", "5.00", "许知远"), told("2027-01-15", "-100.00", "刚好"),
        told("2027-01-15", "-100.01", "超过"),
        told("2026-12-01", "900.00", "去年"), told("2027-01-15", "-500.00", "还没", status=EntryStatus.PENDING),
    )  # fmt: skip
    await happen(bank, account, *news)
    for expected in (2, 0):
        async with bank.house.store.begin() as tx:
            assert expected == await alert(tx, account, news, bank.clock.now())
    texts = await bank.texts(LI.phone)
    assert 1 == sum("CNY 5.00" in text for text in texts)
    assert 1 == sum("CNY 100.01" in text for text in texts)
    assert "sms.alerts-changed" in await bank.messages_about(LI)
    assert "alerts-chosen" in await bank.events(LI)


async def test_a_basic_sign_in_is_told_when_chosen(bank: Bank) -> None:
    """Not by itself; with the choice, on a device that is not remembered."""
    visitor, _ = await rich(bank)
    bank.clock.turn(61)
    await bank.visitor().sign_in_basic(LI)
    assert "sms.basic-sign-in" not in await bank.messages_about(LI)
    await choose(visitor, sign_in="yes")
    bank.clock.turn(61)
    await bank.visitor().sign_in_basic(LI)
    assert "sms.basic-sign-in" in await bank.messages_about(LI)
