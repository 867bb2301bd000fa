"""Accounts over `/v1`: what is on them, the record leafed through and searched, and answers that did not change."""

from __future__ import annotations

import pytest

from foregate.ports.accounts import Account, EntryStatus
from foregate.rules import limits
from foregate.rules.categories import Category
from tests.bank import LI, Bank, Visitor
from tests.money import happen, open_account, told

pytestmark = pytest.mark.anyio

RENT = told("2027-01-01", "-2400.00", "周桂芳", "1月房租", category=Category.RENT)
FROM_A_FRIEND = told("2027-01-03", "300.00", "许知远", "1月合租宽带和物业费，谢谢")
FARE = told("2027-01-14", "-21.50", "顺路出行", "打车", status=EntryStatus.PENDING)
SALARY = told("2027-01-10", "9000.00", "江南纸鸢文化有限公司", "代发工资")


async def rich(bank: Bank) -> tuple[Visitor, Account]:
    """Li, signed in whole, with an account that saw something."""
    account = await open_account(bank, LI, SALARY, RENT, FROM_A_FRIEND, FARE)
    visitor = bank.visitor()
    await visitor.sign_in(LI)
    return visitor, account


async def test_what_is_on_an_account(bank: Bank) -> None:
    """Booked is what was posted, available is less by what waits; amounts are text and the number is masked."""
    visitor, account = await rich(bank)
    answer = await visitor.get("/v1/accounts")
    (one,) = answer.body["accounts"]
    assert "•••• 0018" == one["account"]["maskedIdentification"]
    balances = {balance["balanceType"]: balance["amount"] for balance in one["balances"]}
    assert {"amount": "6900.00", "currency": "CNY"} == balances["ITBD"]
    assert {"amount": "6878.50", "currency": "CNY"} == balances["ITAV"]
    same = await visitor.get(f"/v1/accounts/{account.account_id}/balances")
    assert one["balances"] == same.body["balances"]
    assert LI.card not in answer.raw.text + same.raw.text


SEARCHES = {
    "": ["顺路出行", "江南纸鸢文化有限公司", "许知远", "周桂芳"],
    "?dateFrom=2027-01-03&dateTo=2027-01-03": ["许知远"],
    "?amountFrom=300&amountTo=300": ["许知远"],
    "?amountFrom=2400": ["江南纸鸢文化有限公司", "周桂芳"],
    "?creditDebitIndicator=CRDT": ["江南纸鸢文化有限公司", "许知远"],
    "?status=PDNG": ["顺路出行"],
    "?status=PDNG,BOOK&creditDebitIndicator=DBIT": ["顺路出行", "周桂芳"],
    "?category=rent": ["周桂芳"],
    "?category=salary&creditDebitIndicator=DBIT": [],
    "?valueDateFrom=2027-01-02&valueDateTo=2027-01-03": ["许知远"],
    "?valueDateTo=2027-01-03": ["许知远", "周桂芳"],
    "?text=物业费": ["许知远"],
    "?text=纸鸢": ["江南纸鸢文化有限公司"],
    "?text=没有的事": [],
}


async def test_the_record_is_searched(bank: Bank) -> None:
    """By day, amount, direction, status and by words in names and remittance; newest first."""
    visitor, account = await rich(bank)
    for query, names in SEARCHES.items():
        answer = await visitor.get(f"/v1/accounts/{account.account_id}/transactions{query}")
        found = [(one["debtor"] or one["creditor"])["name"] for one in answer.body["transactions"]]
        assert (query, names) == (query, found)


async def test_a_record_is_leafed_through(bank: Bank) -> None:
    """`next` goes on where a page ended, whatever arrived meanwhile; every entry once, and each has its own address."""
    visitor, account = await rich(bank)
    place, seen, cursor = f"/v1/accounts/{account.account_id}/transactions", list[str](), ""
    while True:
        page = (await visitor.get(f"{place}?limit=1{cursor}")).body
        seen += [one["transactionId"] for one in page["transactions"]]
        if page["next"] is None:
            break
        if len(seen) == 1:
            await happen(bank, account, told("2027-01-15", "5.00", "后来的人"))
        cursor = f"&cursor={page['next']}"
    assert 4 == len(set(seen)) == len(seen)
    for transaction_id in seen:
        assert transaction_id == (await visitor.get(f"{place}/{transaction_id}")).body["transactionId"]


WRONG = {
    "dateFrom=2027-02-30": "dateFrom",
    "dateFrom=20270203": "dateFrom",
    "dateFrom=2027-01-03&dateTo=2027-01-02": "dateTo",
    "amountFrom=1,000": "amountFrom",
    "amountFrom=0.001": "amountFrom",
    "amountFrom=-1": "amountFrom",
    "amountFrom=9&amountTo=8": "amountTo",
    "valueDateFrom=2027-13-01": "valueDateFrom",
    "valueDateFrom=2027-01-03&valueDateTo=2027-01-02": "valueDateTo",
    "category=food": "category",
    "creditDebitIndicator=in": "creditDebitIndicator",
    "status=BOOKED": "status",
    "text=": "text",
    f"text={'x' * (limits.ENTRY_QUERY_CHARS + 1)}": "text",
    "cursor=bm9uc2Vuc2U": "cursor",
    "limit=0": "limit",
    f"limit={limits.ENTRIES_PER_PAGE_MAX + 1}": "limit",
}


async def test_what_nobody_can_mean_is_said(bank: Bank) -> None:
    """Which parameter it is stands in the refusal; nothing is guessed about money."""
    visitor, account = await rich(bank)
    for query, fault in WRONG.items():
        answer = await visitor.get(f"/v1/accounts/{account.account_id}/transactions?{query}")
        assert (query, 422) == (query, answer.status)
        assert [fault] == [field["name"] for field in answer.body["fields"]]
    most = f"text={'x' * limits.ENTRY_QUERY_CHARS}&limit={limits.ENTRIES_PER_PAGE_MAX}"
    assert 200 == (await visitor.get(f"/v1/accounts/{account.account_id}/transactions?{most}")).status


async def test_what_did_not_change_is_not_sent_again(bank: Bank) -> None:
    """304 for the ETag one has; a new entry, another day and another question each make another one."""
    visitor, account = await rich(bank)
    for place in ("transactions", "transactions?limit=1", "balances"):
        path = f"/v1/accounts/{account.account_id}/{place}"
        tag = (await visitor.client.get(path)).headers["etag"]
        known = {"If-None-Match": f'"other", {tag}'}
        assert 304 == (await visitor.client.get(path, headers=known)).status_code
        assert 200 == (await visitor.client.get(f"{path}{'&' if '?' in path else '?'}x=1", headers=known)).status_code
        await happen(bank, account, told("2027-01-15", "1.00", "新来的人", place))
        assert 200 == (await visitor.client.get(path, headers=known)).status_code


async def test_an_etag_opens_nothing(bank: Bank) -> None:
    """Whoever signed out hears that they did, whatever they have."""
    visitor, account = await rich(bank)
    path = f"/v1/accounts/{account.account_id}/transactions"
    tag = (await visitor.client.get(path)).headers["etag"]
    await visitor.start("sign-out")
    answer = await visitor.client.get(path, headers={"If-None-Match": tag})
    assert (401, "not-signed-in") == (answer.status_code, answer.json()["cause"])
