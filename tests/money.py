"""Accounts with something in them, for tests of a whole bank."""

from __future__ import annotations

import hashlib
from typing import Any

from foregate.local_time import day_of
from foregate.ports.accounts import Account, Entry, EntryStatus, Indicator, Party, Servicer
from foregate.ports.ledger import Told
from foregate.rules.money import money
from tests.bank import Bank, Person

ZONE = "Asia/Shanghai"


def told(day: str, signed: str, name: str, text: str = "", **changes: Any) -> Told:
    """An entry: `signed` yuan came in, or with a minus went out."""
    is_out = signed.startswith("-")
    status = changes.setdefault("status", EntryStatus.BOOKED)
    other = Party(name=name, account=changes.pop("number", "9906990000000004711"), agent_name="云岭示范银行")
    is_booked = status is EntryStatus.BOOKED
    values: dict[str, Any] = {
        "entry_id": "", "account_id": "", "sequence": 0, "day": day,
        "credit_debit_indicator": Indicator.DEBIT if is_out else Indicator.CREDIT,
        "amount": money(signed.lstrip("-"), changes.pop("currency", "CNY")),
        "booking_date": day if is_booked else None, "value_date": day if is_booked else None,
        "creditor" if is_out else "debtor": other,
        "remittance_information": (text,) if text else (),
    }  # fmt: skip
    key = f"{day}{signed}{name}{text}{changes.pop('key', '')}{status}"
    return Told(entry=Entry(**{**values, **changes}), fingerprint=hashlib.sha256(key.encode()).digest()[:16])


def today(bank: Bank) -> str:
    """The day that it is for the bank."""
    return day_of(bank.clock.now(), ZONE).isoformat()


async def open_account(bank: Bank, person: Person, *entries: Told, number: str = "", currency: str = "CNY") -> Account:
    """Open a person's account, and let all this happen to it."""
    account = Account(
        account_id="", core_ref=person.core_ref, scheme_name="PAN", identification=number or person.card,
        currency=currency, product="借记卡", owner_name=person.name, opened_on="2025-01-01",
        servicer=Servicer(bicfi="FGTECNBJXXX", name="测试银行"),
    )  # fmt: skip
    async with bank.house.store.begin() as tx:
        account = await tx.ledger.open(account, bank.clock.now(), is_live=True)
    await happen(bank, account, *entries)
    return account


async def happen(bank: Bank, account: Account, *entries: Told) -> None:
    """Let something happen to an account."""
    async with bank.house.store.begin() as tx:
        await tx.ledger.hold(account)
        await tx.ledger.tell(account, entries, bank.clock.now(), source="outside")
