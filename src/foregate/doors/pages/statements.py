"""Statements and receipts as files, and what a customer wants to be told. For whole sessions of the owner alone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from foregate.desk.statements import Statements
from foregate.doors import amounts
from foregate.doors.pages import assets, forms, money
from foregate.doors.pages.accounts import accounts_of, refused
from foregate.doors.pages.money import respond_money
from foregate.doors.pages.paper import receipt_html
from foregate.doors.pages.problems import refuse
from foregate.doors.pages.render import Page
from foregate.doors.requests import caller_of, language_of, seconds_to_wait, session_of
from foregate.doors.text import catalog
from foregate.ports.accounts import Account
from foregate.ports.exports import Alerts, Export, Format, NoPrinter
from foregate.rules import limits
from foregate.rules.money import Money
from foregate.situation import Refused

MEDIA: Final[Mapping[Format, tuple[str, str]]] = {
    Format.PDF: ("application/pdf", "pdf"),
    Format.CSV: ("text/csv; charset=utf-8", "csv"),
    Format.OFX: ("application/x-ofx", "ofx"),
    Format.CAMT: ("application/xml", "xml"),
}
CURRENCY: Final = "CNY"  # what the amount of an alert is typed in


async def show_statements(request: Request) -> Response:
    """Ask which days and which kind of file; and list what was made."""
    account = await accounts_of(request).one(await session_of(request), str(request.path_params["account_id"]))
    return await (refused(request, account) if isinstance(account, Refused) else _page(request, account, {}, {}))


async def ask_for_statement(request: Request) -> Response:
    """Have a file made. Most are there when the next page is."""
    session = (await caller_of(request)).session
    account = await accounts_of(request).one(session, str(request.path_params["account_id"]))
    if isinstance(account, Refused):
        return await refused(request, account)
    if seconds := await seconds_to_wait(request, "export", limits.EXPORTS_PER_MINUTE):
        return await refuse(request, "too-many-requests", retry_in_seconds=seconds)
    form = await forms.posted(request)
    asked = await _statements(request).ask(session, account, form, language_of(request), request.state.support_ref)
    if isinstance(asked, Refused):
        return await (_page(request, account, form, asked.fields) if asked.fields else refused(request, asked))
    return RedirectResponse(f"/accounts/{account.account_id}/statements", 303)


async def download(request: Request) -> Response:
    """The file, for whoever asked for it."""
    found = await _statements(request).file(await session_of(request), str(request.path_params["export_id"]))
    if isinstance(found, Refused):
        return await refused(request, found)
    media_type, suffix = MEDIA[found.format]
    name = f"statement-{found.date_from}-{found.date_to}.{suffix}"
    return _attached(found.body or b"", name, media_type)


async def download_receipt(request: Request) -> Response:
    """A receipt as PDF."""
    ids = (str(request.path_params[name]) for name in ("account_id", "entry_id"))
    found = await accounts_of(request).entry(await session_of(request), *ids)
    if isinstance(found, Refused):
        return await refused(request, found)
    if seconds := await seconds_to_wait(request, "export", limits.EXPORTS_PER_MINUTE):
        return await refuse(request, "too-many-requests", retry_in_seconds=seconds)
    now = request.app.state.desk.house.world.clock.now()
    html = receipt_html(request.app.state.settings, language_of(request), *found, now)
    try:
        body = await request.app.state.printer(html)
    except NoPrinter:
        return await refuse(request, "no-printer")
    return _attached(body, f"receipt-{found[1].day}-{found[1].entry_id}.pdf", "application/pdf")


async def show_alerts(request: Request) -> Response:
    """What this customer is told by message."""
    alerts = await _statements(request).alerts(await session_of(request))
    return await (refused(request, alerts) if isinstance(alerts, Refused) else _alerts_page(request, alerts, {}))


async def choose_alerts(request: Request) -> Response:
    """Choose what to be told. The choice itself is told too."""
    form = await forms.posted(request)
    chosen = await _statements(request).choose(await session_of(request), form, CURRENCY, language_of(request))
    if isinstance(chosen, Refused):
        return await refused(request, chosen)
    alerts, faults = chosen
    return await _alerts_page(request, alerts, faults) if faults else RedirectResponse("/alerts?done=1", 303)


def routes() -> list[BaseRoute]:
    """Return the routes of statements and alerts."""
    place = "/accounts/{account_id}"
    return [
        Route(f"{place}/statements", show_statements, methods=["GET"]),
        Route(f"{place}/statements", ask_for_statement, methods=["POST"]),
        Route(f"{place}/entries/{{entry_id}}/receipt.pdf", download_receipt, methods=["GET"]),
        Route("/statements/{export_id}", download, methods=["GET"]),
        Route("/alerts", show_alerts, methods=["GET"]),
        Route("/alerts", choose_alerts, methods=["POST"]),
    ]


# ---------------------------------------------------------------- helpers


def _statements(request: Request) -> Statements:
    statements: Statements = request.app.state.statements
    return statements


def _attached(body: bytes, name: str, media_type: str) -> Response:
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "X-Content-Type-Options": "nosniff"}
    return Response(body, headers=headers, media_type=media_type)


async def _page(request: Request, account: Account, typed: Mapping[str, str], faults: Mapping[str, str]) -> Response:
    session = await session_of(request)
    made = await _statements(request).made(session, account)
    page = Page(
        template="statements.html", back=request.url.path, session=session, status=422 if faults else 200,
        has_problem=bool(faults),
    )  # fmt: skip
    facts = _page_facts(request, account, typed, faults, made)
    is_waiting = any(row.status == "waiting" for row in made)
    return respond_money(page, request, is_waiting=is_waiting, watch=assets.watch().path, **facts)


def _formats(request: Request) -> list[Format]:
    """Return what a file can be here."""
    return [one for one in Format if one is not Format.PDF or request.app.state.printer.is_there]


def _page_facts(
    request: Request, account: Account, typed: Mapping[str, str], faults: Mapping[str, str], made: tuple[Export, ...]
) -> dict[str, Any]:
    language, today = language_of(request), accounts_of(request).today(account)
    formats = _formats(request)
    return {
        "account": account,
        "name": money.name_of(account),
        "typed": {"dateFrom": f"{today[:8]}01", "dateTo": today, "format": formats[0].value, **typed},
        "today": today,
        "key": forms.new_key(),
        "faults": [(name, catalog.text(language, f"field.{name}.label")) for name in faults],
        "formats": [(one.value, catalog.text(language, f"accounts.format.{one}")) for one in formats],
        "made": [(row, *(money.day_in_words(language, day) for day in (row.date_from, row.date_to))) for row in made],
    }


async def _alerts_page(request: Request, alerts: Alerts, faults: Mapping[str, str]) -> Response:
    session = await session_of(request)
    above = None if alerts.out_above_minor is None else Money(alerts.out_above_minor, CURRENCY)
    page = Page(
        template="alerts.html", back="/alerts", session=session, status=422 if faults else 200, has_problem=bool(faults)
    )
    shown = faults.get("above", above.text if above is not None else "0.00")
    sign = amounts.sign_of(language_of(request), CURRENCY).strip()
    done = bool(request.query_params.get("done")) and not faults
    facts: dict[str, Any] = {"tells_of_money": _statements(request).tells_of_money, "done": done, "sign": sign}
    return respond_money(page, request, alerts=alerts, above=shown, faults=faults, **facts)
