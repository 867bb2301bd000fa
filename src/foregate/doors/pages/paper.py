"""What a PDF is printed from: a statement and a receipt as plain HTML, in the customer's language."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from foregate.accounts.files import Statement
from foregate.doors import amounts
from foregate.doors.pages import money
from foregate.doors.pages.render import environment, sayer
from foregate.doors.text import catalog
from foregate.ports.accounts import Account, Entry, Indicator
from foregate.rules.money import zero
from foregate.settings import Settings


def paper_of(settings: Settings) -> Callable[[Statement, str], str]:
    """Return what makes the page of a statement for this bank."""

    def paper(statement: Statement, language: str) -> str:
        return _html("statement_paper.html", settings, language, statement=statement, **_facts(statement, language))

    return paper


def receipt_html(settings: Settings, language: str, account: Account, entry: Entry, now: int) -> str:
    """Return the page of a receipt."""
    return _html(
        "receipt_paper.html",
        settings,
        language,
        number=f"{account.account_id[-12:]}-{entry.entry_id}",
        account=account,
        name=money.name_of(account),
        amount=amounts.moved(language, entry),
        facts=money.facts_of(account, entry, language, hidden=False),
        made=money.moment_in_words(language, now, account.time_zone),
    )


def _facts(statement: Statement, language: str) -> dict[str, Any]:
    account, nothing = statement.account, zero(statement.account.currency)
    credits = [entry.amount for entry in statement.entries if entry.credit_debit_indicator is Indicator.CREDIT]
    debits = [entry.amount for entry in statement.entries if entry.credit_debit_indicator is Indicator.DEBIT]

    def shown(amount: Any) -> str:
        return amounts.balance(language, amount).text if amount is not None else "-"

    return {
        "account": account,
        "name": money.name_of(account),
        "first": money.day_in_words(language, statement.date_from),
        "last": money.day_in_words(language, statement.date_to),
        "made": money.moment_in_words(language, statement.made_at, account.time_zone),
        "opening": shown(statement.opening),
        "closing": shown(statement.closing),
        "total_in": shown(sum(credits, nothing)),
        "total_out": shown(sum(debits, nothing)),
        "rows": [(entry, amounts.moved(language, entry), shown(entry.balance_after_transaction))
                 for entry in statement.entries],
    }  # fmt: skip


def _html(template: str, settings: Settings, language: str, **facts: Any) -> str:
    shown = {"t": sayer(language), "lang": catalog.tag(language), "dir": catalog.direction(language)}
    return environment().get_template(template).render(shown | {"settings": settings} | facts)
