"""Accounts of a bank that runs Apache Fineract, by its staff API: savings accounts and their transactions.

    GET clients/external-id/{core_ref}/accounts?fields=savingsAccounts
    GET savingsaccounts/{id}
    GET savingsaccounts/{id}/transactions/search?offset&limit&orderBy=id&sortOrder=DESC&...
    GET savingsaccounts/{id}/transactions/{id}

Its API for customers was taken out of Fineract as insecure, so we ask as a member of staff with reading rights alone,
and who owns what is asked anew for every account: a person's list is the only way to one.

Theory of operation
  Fineract pages by offset, and an offset moves when something is booked. So a cursor here is a place, like that of the
  embedded ledger: the search goes down from its day by number, and what was had is left out. Words, status and category
  are looked for on our side; one page of an answer costs SEARCHES_PER_PAGE searches there at most, and may then be
  short, with a cursor that goes on.
"""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator, Mapping
from typing import Any, Final, TypeVar
from urllib.parse import quote

import httpx2
import msgspec

from foregate.gateways.bounded import body_of
from foregate.gateways.core_bank.fineract_wire import (
    ClientAccounts,
    Found,
    Savings,
    Transaction,
    account_of,
    balances_of,
    entry_of,
)
from foregate.gateways.rest import Rest
from foregate.local_time import day_of
from foregate.ports import AccountsAway, Clock, TooMuch
from foregate.ports.accounts import (
    Account,
    AccountStatus,
    Balance,
    Entry,
    EntryStatus,
    Indicator,
    MonthSum,
    Page,
    Wanted,
)
from foregate.rules import cursors, entry_words, limits
from foregate.rules.categories import Category
from foregate.rules.money import zero

T = TypeVar("T")
SEARCH_SIZE: Final = 200
SEARCHES_PER_PAGE: Final = 10
SEARCHES_PER_SUM: Final = 50


class FineractAccounts:
    """`ports.accounts.Accounts` over Fineract. `secret` is `user:password` of a member of staff who may read."""

    def __init__(
        self, url: str, tenant: str, secret: bytes, clock: Clock, *, bank: str = "", transport: Any = None
    ) -> None:
        self._clock, self._bank = clock, bank
        self.rest = Rest(limits.ACCOUNTS_FAILURES, limits.ACCOUNTS_REST_SECONDS, answer_seconds=limits.ACCOUNTS_SECONDS)
        self.tells_of_money = False  # it is asked; it does not say when something happened
        self._client = httpx2.AsyncClient(
            base_url=url.rstrip("/") + "/v1/",
            timeout=int(limits.ACCOUNTS_SECONDS),
            follow_redirects=False,
            transport=transport,
            headers={
                "Authorization": "Basic " + base64.b64encode(secret).decode(),
                "Fineract-Platform-TenantId": tenant,
                "Accept": "application/json",
            },
        )

    @property
    def failures_in_a_row(self) -> int:
        """Questions that got no answer, since the last one that did."""
        return self.rest.failures_in_a_row

    async def accounts_of(self, core_ref: str) -> tuple[Account, ...]:
        """Every savings account of a client that is not closed, oldest first."""
        if not core_ref:
            return ()
        path = f"clients/external-id/{_in_path(core_ref)}/accounts"
        found = await self._get(path, ClientAccounts, {"fields": "savingsAccounts"})
        savings = sorted(found.savings_accounts, key=lambda one: one.id) if found else ()
        accounts = (account_of(one, core_ref, self._bank) for one in savings)
        open_ones = [account for account in accounts if account.status is not AccountStatus.DELETED]
        return tuple(open_ones[: limits.ACCOUNTS_PER_CUSTOMER])

    async def account(self, core_ref: str, account_id: str) -> Account | None:
        """One account of this person, with what only its own page tells."""
        mine = {account.account_id for account in await self.accounts_of(core_ref)}
        if account_id not in mine:
            return None
        savings = await self._get(f"savingsaccounts/{account_id}", Savings)
        return account_of(savings, core_ref, self._bank) if savings else None

    async def balances(self, account: Account) -> tuple[Balance, ...]:
        """What is available, and what is booked."""
        savings = await self._get(f"savingsaccounts/{account.account_id}", Savings)
        today = day_of(self._clock.now(), account.time_zone).isoformat()
        return balances_of(savings, today) if savings else ()

    async def entries(self, account: Account, wanted: Wanted, cursor: str | None, limit: int) -> Page:
        """Return the next `limit` entries that fit, newest first. Raises BadCursor."""
        limit = max(1, min(limit, limits.ENTRIES_PER_PAGE_MAX))
        place = cursors.place_of(cursor)
        found, following = await self._fitting(account, wanted, place, limit)
        newest = await self._search(account, {"sortOrder": "DESC"}, 0, 1)
        oldest = await self._search(account, {"sortOrder": "ASC"}, 0, 1)
        return Page(
            entries=tuple(found),
            next=following,
            first_available=oldest.content[0].booked_on if oldest.content else None,
            last_available=newest.content[0].booked_on if newest.content else None,
        )

    async def _fitting(
        self, account: Account, wanted: Wanted, place: cursors.Place, limit: int
    ) -> tuple[list[Entry], str | None]:
        words = entry_words.typed_words(wanted.text)
        amounts = (wanted.amount_from, wanted.amount_to)
        if (wanted.text and not words) or any(one is not None and one.currency != account.currency for one in amounts):
            return [], None
        found: list[Entry] = []
        last: Entry | None = None
        searches = _question(wanted, place)
        async for entry in self._all(account, searches, SEARCHES_PER_PAGE):
            if (entry.day, entry.sequence) >= (place.day, place.sequence):
                continue
            if _fits(wanted, words, entry):
                if len(found) == limit:
                    return found, cursors.cursor_of(found[-1].day, found[-1].sequence)
                found.append(entry)
            last = entry
        if searches.get("is_cut") and last is not None:
            return found, cursors.cursor_of(last.day, last.sequence)
        return found, None

    async def entry(self, account: Account, entry_id: str) -> Entry | None:
        """One transaction of this account."""
        if not (entry_id.isascii() and entry_id.isdecimal() and len(entry_id) <= cursors.DIGITS):
            return None
        path = f"savingsaccounts/{account.account_id}/transactions/{int(entry_id)}"
        transaction = await self._get(path, Transaction)
        # Fineract looks for the number alone in some versions; the account has to be this one.
        if transaction is None or str(transaction.account_id) != account.account_id:
            return None
        return entry_of(transaction, account)

    async def months(self, account: Account, first: str, last: str) -> tuple[MonthSum, ...]:
        """Sums by month and category. Raises TooMuch when it would take more than SEARCHES_PER_SUM searches."""
        question = {"fromSubmittedDate": f"{first}-01", "toSubmittedDate": cursors.last_day_of(last)}
        sums: dict[tuple[str, Category], MonthSum] = {}
        async for entry in self._all(account, question, SEARCHES_PER_SUM):
            if entry.status is EntryStatus.BOOKED:
                key = (entry.day[: len("2026-11")], entry.category)
                nothing = zero(account.currency)
                was = sums.get(key) or MonthSum(
                    month=key[0], category=key[1], money_in=nothing, money_out=nothing, entries=0
                )
                is_credit = entry.credit_debit_indicator is Indicator.CREDIT
                sums[key] = MonthSum(
                    month=was.month,
                    category=was.category,
                    money_in=was.money_in + entry.amount if is_credit else was.money_in,
                    money_out=was.money_out if is_credit else was.money_out + entry.amount,
                    entries=was.entries + 1,
                )
        if question.get("is_cut"):
            raise TooMuch("Fineract: too many transactions to sum")
        return tuple(sums[key] for key in sorted(sums))

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()

    async def _all(self, account: Account, question: dict[str, Any], most: int) -> AsyncIterator[Entry]:
        """Yield what a question finds, newest first; `is_cut` stands in the question when there was more."""
        for number in range(most):
            page = await self._search(account, question, number * SEARCH_SIZE, SEARCH_SIZE)
            for transaction in page.content:
                yield entry_of(transaction, account)
            if len(page.content) < SEARCH_SIZE:
                return
        question["is_cut"] = "yes"

    async def _search(self, account: Account, question: Mapping[str, Any], offset: int, limit: int) -> Found:
        asked = {
            "orderBy": "id",
            "sortOrder": "DESC",
            "dateFormat": "yyyy-MM-dd",
            "locale": "en",
            **{name: value for name, value in question.items() if name != "is_cut"},
            "offset": str(offset),
            "limit": str(limit),
        }
        found = await self._get(f"savingsaccounts/{account.account_id}/transactions/search", Found, asked)
        return found or Found()

    async def _get(self, path: str, kind: type[T], question: Mapping[str, str] | None = None) -> T | None:
        """Return an answer, None for 404. Raises AccountsAway for everything that is none, and while it rests."""
        if not self.rest.may_ask():
            raise AccountsAway("Fineract rests")
        try:
            found = await self._asked(path, kind, question)
        except AccountsAway:
            self.rest.failed()
            raise
        self.rest.succeeded()
        return found

    async def _asked(self, path: str, kind: type[T], question: Mapping[str, str] | None) -> T | None:
        try:
            async with self._client.stream("GET", path, params=question) as answer:
                if answer.status_code == httpx2.codes.NOT_FOUND:
                    return None
                if answer.status_code != httpx2.codes.OK:
                    raise AccountsAway(f"Fineract answered {answer.status_code}")
                content = await body_of(answer, limits.ACCOUNTS_ANSWER_BYTES)
            return msgspec.json.decode(content, type=kind)
        except httpx2.HTTPError as wrong:
            raise AccountsAway(f"Fineract: {type(wrong).__name__}") from None
        except (msgspec.DecodeError, ValueError) as wrong:
            raise AccountsAway(f"Fineract answered something else: {type(wrong).__name__}") from None


def _in_path(core_ref: str) -> str:
    """Return a reference as one part of an address."""
    return quote(core_ref, safe="")


def _question(wanted: Wanted, place: cursors.Place) -> dict[str, Any]:
    """Return what of a wish Fineract itself can look for."""
    until = min((day for day in (wanted.date_to, place.day) if day), default="")
    asked = {
        "fromSubmittedDate": wanted.date_from,
        "toSubmittedDate": "" if until == cursors.NEWEST.day else until,
        "fromDate": wanted.value_from,
        "toDate": wanted.value_to,
        "fromAmount": wanted.amount_from.text if wanted.amount_from is not None else "",
        "toAmount": wanted.amount_to.text if wanted.amount_to is not None else "",
        "credit": "true" if wanted.credit_debit_indicator is Indicator.CREDIT else "",
        "debit": "true" if wanted.credit_debit_indicator is Indicator.DEBIT else "",
    }
    return {name: value for name, value in asked.items() if value}


def _fits(wanted: Wanted, words: tuple[str, ...], entry: Entry) -> bool:
    return (
        (not wanted.statuses or entry.status in wanted.statuses)
        and (wanted.category is None or entry.category is wanted.category)
        and entry_words.fits(words, entry.texts)
    )
