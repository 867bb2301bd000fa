"""Pages about money, read as they are served: what it was spent on, and everything that is known of an entry."""

from __future__ import annotations

import html
import re
import subprocess
import sys

import pytest

from foregate.doors.pages.paper import receipt_html
from foregate.doors.text import catalog
from foregate.ports.accounts import BalanceType, Code, EntryStatus
from foregate.rules.categories import _BY_FAMILY, _BY_PURPOSE, Category
from foregate.rules.money import Money, money, zero
from tests.bank import LI, ORIGIN, Bank, Visitor
from tests.money import open_account, told

pytestmark = pytest.mark.anyio
LINE = re.compile(
    r'<tr><th scope="row">((?:<a href="[^"]+">[^<]+</a>)+)<svg [^>]+><rect width="(\d+)".*?<td>([\d,.]+)<'
)
LINK = re.compile(r'<a href="([^"]+)">([^<]+)</a>')
RENT, FOOD, PAY = ({"category": category} for category in (Category.RENT, Category.EATING_OUT, Category.SALARY))


async def signed_in(bank: Bank) -> Visitor:
    """Li, signed in whole, who reads English."""
    visitor = bank.visitor(headers={"Origin": ORIGIN, "Accept-Language": "en"})
    await visitor.sign_in(LI)
    return visitor


async def spent(visitor: Visitor, address: str) -> Money:
    """Return the sum of what the record shows at this address."""
    path, _, query = address.partition("?")
    answer = await visitor.get(f"/v1{path}/transactions?{query}")
    return sum((money(one["amount"]["amount"], "CNY") for one in answer.body["transactions"]), zero("CNY"))


async def test_what_money_was_spent_on(bank: Bank) -> None:
    """The most first, a bar each; a line leads to exactly the entries that it counts, account by account."""
    month = "2027-01"
    first = await open_account(
        bank, LI,
        told(f"{month}-10", "9000.00", "公司", "工资", **PAY), told(f"{month}-01", "-2400.00", "房东", **RENT),
        told("2026-12-01", "-2400.00", "房东", **RENT), told(f"{month}-02", "-60.00", "面馆", **FOOD),
        told(f"{month}-03", "5.00", "面馆", "退款", **FOOD), told("2025-12-01", "-99.00", "去年的面馆", **FOOD),
        told(f"{month}-14", "-30.00", "面馆", status=EntryStatus.PENDING, **FOOD),
    )  # fmt: skip
    card = "9906000000009995"
    second = await open_account(bank, LI, told(f"{month}-05", "-40.00", "咖啡", **FOOD), number=card)
    visitor = await signed_in(bank)
    page = (await visitor.client.get("/accounts")).text
    lines = [(LINK.findall(html.unescape(links)), int(width), said) for links, width, said in LINE.findall(page)]
    assert [("4,800.00", 1000), ("100.00", 20)] == [(said, width) for _, width, said in lines]
    (_, rent), (food_first, food_second) = lines[0][0][0], [href for href, _ in lines[1][0]]
    assert ["Eating out •••• 0018", "Eating out •••• 9995"] == [name for _, name in lines[1][0]]
    assert "Rent" == rent
    assert (first.account_id in food_first, second.account_id in food_second) == (True, True)
    sums = [await spent(visitor, href) for href in (lines[0][0][0][0], food_first, food_second)]
    assert ["4800.00", "60.00", "40.00"] == [one.text for one in sums]
    record = (await visitor.client.get(food_first)).text
    assert '<option value="eating-out" selected>' in record
    assert ("面馆" in record, "房东" in record) == (True, False)
    await visitor.client.post("/accounts/hide", data={"hide": "1", "back": "/accounts"})
    assert "4,800.00" not in (await visitor.client.get("/accounts")).text


KNOWN = {
    "remittance_reference": "RF18539007547034",
    "additional_entry_information": "credited after a check by hand",
    "purpose_code": "SALA",
    "bank_transaction_code": Code("PMNT", "RCDT", "DMCT"),
    "proprietary_bank_transaction_code": "N-TRF-77",
    "number_of_transactions": 12,
    "cheque_number": "CHQ-4417",
    "mandate_id": "MANDATE-5",
    "entry_reference": "ENTRY-0007",
    "account_servicer_reference": "SERVICER-9",
    "end_to_end_id": "E2E-31",
    "uetr": "eb6305c9-1f7f-49de-aed0-16487c27b42d",
    "charge_amount": money("2.50", "CNY"),
}
IN_WORDS = (
    "Salary (SALA)", "Credit transfer received · domestic · PMNT-RCDT-DMCT · N-TRF-77", "12 payments together",
    "RF18539007547034", "credited after a check by hand", "CHQ-4417", "MANDATE-5", "ENTRY-0007", "SERVICER-9", "E2E-31",
    "eb6305c9-1f7f-49de-aed0-16487c27b42d", "CN¥2.50",
)  # fmt: skip


async def test_everything_that_is_known_of_an_entry(bank: Bank) -> None:
    """On its page, its receipt, the receipt's paper and over the API; of the account every type of balance."""
    account = await open_account(bank, LI, told("2027-01-10", "9000.00", "公司", "工资", **KNOWN))
    visitor = await signed_in(bank)
    place = f"/accounts/{account.account_id}"
    (listed,) = (await visitor.get(f"/v1{place}/transactions")).body["transactions"]
    entry = await visitor.get(f"/v1{place}/transactions/{listed['transactionId']}")
    assert {
        "mandateId": "MANDATE-5", "chequeNumber": "CHQ-4417", "numberOfTransactions": 12, "purposeCode": "SALA",
        "remittanceReference": "RF18539007547034", "entryReference": "ENTRY-0007", "endToEndId": "E2E-31",
        "additionalEntryInformation": "credited after a check by hand", "bankTransactionCode": "PMNT-RCDT-DMCT",
        "accountServicerReference": "SERVICER-9", "chargeAmount": {"amount": "2.50", "currency": "CNY"},
    }.items() <= entry.body.items()  # fmt: skip
    found = await bank.house.world.accounts.entry(account, listed["transactionId"])
    assert found is not None
    paper = receipt_html(bank.house.settings, "en", account, found, bank.clock.now())
    pages = [(await visitor.client.get(f"{place}/entries/{found.entry_id}{kind}")).text for kind in ("", "/receipt")]
    for page in (*pages, paper):
        assert [] == [said for said in IN_WORDS if said not in page]
    record = (await visitor.client.get(place)).text
    for kind in ("ITAV", "ITBD", "CLBD", "OPBD"):
        assert catalog.text("en", f"accounts.balance.{kind}") in record


def test_codes_that_are_in_words_are_so_in_every_language() -> None:
    """Each purpose and code that a category is read from, and every type of balance."""
    kinds = {"purpose": _BY_PURPOSE, "code": set(_BY_FAMILY) - {"PAYR"}, "balance": [*BalanceType]}
    keys = [f"accounts.{kind}.{code}" for kind, codes in kinds.items() for code in codes]
    assert [] == [(language, key) for language in catalog.languages() for key in keys if not catalog.has(language, key)]


def test_the_paper_may_be_imported_first() -> None:
    """By whoever prints without serving pages: nothing goes round in a circle."""
    words = [sys.executable, "-c", "import foregate.doors.pages.paper"]
    assert (0, "") == ((done := subprocess.run(words, capture_output=True, text=True)).returncode, done.stderr)
