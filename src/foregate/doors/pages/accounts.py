"""Pages about money: what there is, the record with its filters, one entry, its receipt. For whole sessions alone.

Filters and the place in the list are part of the address, so that a page can be kept, shared with oneself and gone back
to. Nothing here needs a script: "show older" is a link, and amounts are hidden by a button and a cookie.
"""

from __future__ import annotations

from typing import Any, Final

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from foregate.desk.accounts import Holding, MyAccounts
from foregate.doors import amounts
from foregate.doors.account_query import Asked, asked_on_page
from foregate.doors.pages import chart, forms, money
from foregate.doors.pages.money import respond_money
from foregate.doors.pages.problems import refuse
from foregate.doors.pages.render import Page
from foregate.doors.pages.signed_in import refuse_signed_out
from foregate.doors.pages.tongue import own_page
from foregate.doors.requests import caller_of, language_of
from foregate.doors.text import catalog
from foregate.ports import AccountsAway, TooMuch
from foregate.ports.accounts import Account, BadCursor, Entry, EntryStatus, Wanted
from foregate.ports.accounts import Page as RecordPage
from foregate.rules import limits
from foregate.rules.categories import Category
from foregate.situation import Refused

HIDDEN_SECONDS: Final = 400 * 86_400  # as long as browsers keep a cookie


async def show_accounts(request: Request) -> Response:
    """What there is, what happened last, and how the months went."""
    session = (await caller_of(request)).session
    held = await accounts_of(request).all(session)
    if isinstance(held, Refused):
        return await refused(request, held)
    latest = await _latest(request, held)
    facts = await _chart(request, held)
    page = Page(template="accounts.html", back="/accounts", session=session)
    return respond_money(page, request, draws=True, piles=money.piles(request, held), latest=latest, **facts)


async def show_record(request: Request) -> Response:
    """The record of one account, or what was looked for in it."""
    session = (await caller_of(request)).session
    account = await accounts_of(request).one(session, _account_id(request))
    if isinstance(account, Refused):
        return await refused(request, account)
    asked = asked_on_page(request.query_params, account.currency)
    found = await _found(request, account, asked)
    facts = await _record_facts(request, account, asked, found)
    back = asked.address(f"/accounts/{account.account_id}", asked.cursor)
    status = 422 if facts["faults"] else 200
    page = Page(template="record.html", back=back, session=session, status=status, has_problem=bool(facts["faults"]))
    return respond_money(page, request, **facts)


async def show_entry(request: Request) -> Response:
    """One entry: who, whom, when, what for."""
    return await _entry_page(request, "entry_details.html")


async def show_receipt(request: Request) -> Response:
    """The same as a paper to print."""
    return await _entry_page(request, "receipt.html")


async def hide_amounts(request: Request) -> Response:
    """Hide every amount in this browser, or show them again, and go back to where one was."""
    form = await forms.posted(request)
    response = RedirectResponse(own_page(form.get("back")), 303)
    cookies = request.app.state.cookies
    if form.get("hide") == "1":
        cookies.set(response, money.HIDE, "1", HIDDEN_SECONDS)
    else:
        cookies.clear(response, money.HIDE)
    return response


def routes() -> list[BaseRoute]:
    """Return the routes of accounts."""
    return [
        Route("/accounts", show_accounts, methods=["GET"]),
        Route("/accounts/hide", hide_amounts, methods=["POST"]),
        Route("/accounts/{account_id}", show_record, methods=["GET"]),
        Route("/accounts/{account_id}/entries/{entry_id}", show_entry, methods=["GET"]),
        Route("/accounts/{account_id}/entries/{entry_id}/receipt", show_receipt, methods=["GET"]),
    ]


# ---------------------------------------------------------------- shared with the other pages about money


def accounts_of(request: Request) -> MyAccounts:
    """Return what is asked about accounts."""
    accounts: MyAccounts = request.app.state.accounts
    return accounts


async def refused(request: Request, why: Refused) -> Response:
    """Say why not: signed out, not signed in whole, or nothing of theirs."""
    return await (refuse_signed_out(request) if why.cause == "not-signed-in" else refuse(request, why.cause))


# ---------------------------------------------------------------- helpers


def _account_id(request: Request) -> str:
    return str(request.path_params["account_id"])


async def _latest(request: Request, held: tuple[Holding, ...]) -> list[money.Line]:
    found: list[Entry] = []
    for one in held[: limits.OVERVIEW_ACCOUNTS]:
        page = await accounts_of(request).entries(one.account, Wanted(), None, limits.OVERVIEW_ENTRIES)
        found += page.entries
    found.sort(key=lambda entry: (entry.day, entry.transaction_date_time or 0, entry.sequence), reverse=True)
    return money.lines(request, found[: limits.OVERVIEW_ENTRIES])


async def _chart(request: Request, held: tuple[Holding, ...]) -> dict[str, Any]:
    """The chart is in one currency, that of the oldest account: nothing here converts."""
    facts: dict[str, Any] = {"chart": chart, "bars": (), "shares": (), "currency": "", "chart_missing": None}
    if not held or money.is_hidden(request):
        return facts
    currency = held[0].account.currency
    mine = [one.account for one in held if one.account.currency == currency][: limits.OVERVIEW_ACCOUNTS]
    sums = await _sums(accounts_of(request), mine)
    if isinstance(sums, str):
        return facts | {"chart_missing": sums}
    language = language_of(request)
    asked = (language, accounts_of(request).month_names(held[0].account), sums, currency)
    drawn = {"bars": chart.bars_of(*asked), "shares": chart.shares_of(*asked)}
    return facts | drawn | {"currency": amounts.name_of(language, currency)}


async def _sums(accounts: MyAccounts, mine: list[Account]) -> chart.Sums | str:
    """Return the months of these accounts, or what to say in place of a chart: the page is worth showing without."""
    try:
        return [(account, await accounts.months(account)) for account in mine]
    except TooMuch:
        return "accounts.chart-too-much"
    except AccountsAway:
        return "accounts.chart-away"


async def _found(request: Request, account: Account, asked: Asked) -> RecordPage:
    """A cursor that is none of ours finds the first page; what cannot be read finds nothing."""
    accounts = accounts_of(request)
    if asked.faults:
        return RecordPage(entries=(), next=None, first_available=None, last_available=None)
    try:
        return await accounts.entries(account, asked.wanted, asked.cursor, limits.ENTRIES_PER_PAGE)
    except BadCursor:
        return await accounts.entries(account, asked.wanted, None, limits.ENTRIES_PER_PAGE)


async def _record_facts(request: Request, account: Account, asked: Asked, found: RecordPage) -> dict[str, Any]:
    language = language_of(request)
    holding = Holding(account, await accounts_of(request).balances(account))
    return _list_facts(language, account, asked, found) | {
        "pile": money.pile(holding, language, hidden=money.is_hidden(request)),
        "days": money.days(request, found.entries),
    }


def _list_facts(language: str, account: Account, asked: Asked, found: RecordPage) -> dict[str, Any]:
    span, place = "", f"/accounts/{account.account_id}"
    if found.first_available and found.last_available:
        first, last = (money.day_in_words(language, day) for day in (found.first_available, found.last_available))
        span = catalog.text(language, "accounts.record.span", first=first, last=last)
    return {
        "account": account,
        "asked": asked,
        "faults": [(name, catalog.text(language, f"field.{name}.label")) for name in asked.faults if name != "cursor"],
        "older": asked.address(place, found.next) if found.next else None,
        "newest": asked.address(place) if asked.cursor else None,
        "span": span,
        "statuses": [(status.value, catalog.text(language, f"accounts.status.{status}")) for status in EntryStatus],
        "categories": [(one.value, catalog.text(language, f"accounts.category.{one}")) for one in Category],
    }


async def _entry_page(request: Request, template: str) -> Response:
    session = (await caller_of(request)).session
    found = await accounts_of(request).entry(session, _account_id(request), str(request.path_params["entry_id"]))
    if isinstance(found, Refused):
        return await refused(request, found)
    account, entry = found
    facts = _entry_facts(request, account, entry)
    return respond_money(Page(template=template, back=request.url.path, session=session), request, **facts)


def _entry_facts(request: Request, account: Account, entry: Entry) -> dict[str, Any]:
    now = request.app.state.desk.house.world.clock.now()
    (line,) = money.lines(request, [entry])
    return {
        "account": account,
        "name": money.name_of(account),
        "entry": entry,
        "line": line,
        "facts": money.facts_of(account, entry, language_of(request), hidden=money.is_hidden(request)),
        "made": money.moment_in_words(language_of(request), now, account.time_zone),
        "prints": request.app.state.printer.is_there,
        "place": f"/accounts/{account.account_id}/entries/{entry.entry_id}",
    }
