"""Tell customers what they chose to be told of their accounts, in the transaction in which it happens.

Rules
  1. Only what is booked is told, only as news (ALERT_FRESH_DAYS), and each entry once: the row that remembers it, the
     message and the entry share one transaction.
  2. A message says which way and how much, and neither whose account nor who paid: phones lie on tables.
  3. A limit was typed in minor units of one currency; what goes out in another is told whatever it is.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Final

from foregate.ids import new_id
from foregate.local_time import day_of
from foregate.ports import Message, UnitOfWork
from foregate.ports.accounts import Account, Entry, EntryStatus, Indicator
from foregate.ports.exports import Alerts
from foregate.ports.ledger import Told
from foregate.rules import limits

TEMPLATES: Final = {Indicator.CREDIT: "sms.money-in", Indicator.DEBIT: "sms.money-out"}
CURRENCY: Final = "CNY"  # what a limit is typed in


async def alert(tx: UnitOfWork, account: Account, told: Sequence[Told], now: int) -> int:
    """Tell the owner of `account` what of `told` they chose to hear. Returns how many messages that were."""
    oldest = (day_of(now, account.time_zone) - timedelta(days=limits.ALERT_FRESH_DAYS)).isoformat()
    news = [one for one in told if one.entry.status is EntryStatus.BOOKED and _day(one.entry) > oldest]
    if not news or not account.core_ref:
        return 0
    customer_id = tx.alerts.customer_id(account.core_ref)
    alerts = await tx.alerts.of(customer_id)
    wanted = [one for one in news if alerts is not None and _is_wanted(alerts, one.entry)]
    customer = await tx.customers.find(customer_id) if wanted else None
    if alerts is None or customer is None:
        return 0
    sent = 0
    for one in wanted:
        if await tx.alerts.note(customer_id, account.account_id.encode() + one.fingerprint, now):
            await tx.outbox.put(_message(customer_id, customer.phone, one.entry, alerts.language, now), now)
            sent += 1
    return sent


def _day(entry: Entry) -> str:
    return date.fromisoformat(entry.booking_date or entry.day).isoformat()


def _is_wanted(alerts: Alerts, entry: Entry) -> bool:
    if entry.credit_debit_indicator is Indicator.CREDIT:
        return alerts.money_in
    if alerts.out_above_minor is None:
        return False
    return entry.amount.currency != CURRENCY or entry.amount.minor > alerts.out_above_minor


def _message(customer_id: str, phone: str, entry: Entry, language: str, now: int) -> Message:
    return Message(
        message_id=new_id(),
        customer_id=customer_id,
        phone=phone,
        template=TEMPLATES[entry.credit_debit_indicator],
        language=language,
        facts={"amount": f"{entry.amount.currency} {entry.amount.text}"},
        expires_at=now + limits.DAY,
    )
