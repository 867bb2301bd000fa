"""Accounts and entries to put into a ledger."""

import hashlib
from typing import Any

from foregate.ports.accounts import Account, Entry, EntryStatus, Indicator, Party
from foregate.ports.ledger import Told
from foregate.rules.money import money
from foregate.store.unit_of_work import SqlStore
from tests.contract.samples import NOW, in_one

OWNER = "C001"


def an_account(**changes: Any) -> Account:
    values: dict[str, Any] = {
        "account_id": "",
        "core_ref": OWNER,
        "scheme_name": "PAN",
        "identification": "6222020000000000018",
        "currency": "CNY",
        "owner_name": "李小明",
    }
    return Account(**{**values, **changes})


def told(day: str, signed: str, name: str = "", text: str = "", **changes: Any) -> Told:
    """Return an entry: `signed` yuan came in, or with a minus went out; `key` tells equal ones apart."""
    amount = money(signed.lstrip("-"), changes.pop("currency", "CNY"))
    indicator = Indicator.DEBIT if signed.startswith("-") else Indicator.CREDIT
    key = f"{day}{signed}{name}{text}{changes.pop('key', '')}"
    waiting = changes.pop("waiting", b"")
    values: dict[str, Any] = {
        "entry_id": "",
        "account_id": "",
        "sequence": 0,
        "status": EntryStatus.BOOKED,
        "credit_debit_indicator": indicator,
        "amount": amount,
        "day": day,
        "value_date": day,
        "debtor" if indicator is Indicator.CREDIT else "creditor": Party(name=name),
        "remittance_information": (text,) if text else (),
    }
    fingerprint = hashlib.sha256(f"{key}{changes.get('status', '')}".encode()).digest()[:16]
    return Told(entry=Entry(**{**values, **changes}), fingerprint=fingerprint, waiting=waiting)


async def opened(store: SqlStore, *, is_live: bool = True, **changes: Any) -> Account:
    """Open an account."""
    return await in_one(store, lambda tx: tx.ledger.open(an_account(**changes), NOW, is_live=is_live))


async def tell(store: SqlStore, account: Account, *entries: Told, source: str = "outside") -> Any:
    """Tell the ledger, in one transaction."""
    return await in_one(store, lambda tx: tx.ledger.tell(account, entries, NOW, source=source))
