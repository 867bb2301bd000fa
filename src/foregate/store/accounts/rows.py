"""Rows of accounts and entries, opened and sealed. Who and what for is sealed; days, amounts and codes are not."""

from __future__ import annotations

from typing import Final

import msgspec

from foregate.ports.accounts import (
    Account,
    AccountStatus,
    Code,
    Entry,
    EntryStatus,
    Exchange,
    Indicator,
    Party,
    Servicer,
)
from foregate.rules import entry_words
from foregate.rules.categories import Category
from foregate.rules.money import Money
from foregate.store.keyring import Keys
from foregate.store.statements import Row, Value

BOOKED: Final = EntryStatus.BOOKED


class Details(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, rename="camel"):
    """What of an entry is sealed, as one value. Names as in `Entry`; a field that is the default is left out."""

    booking_date: str | None = None  # of one that is not booked; else it is the day
    entry_reference: str = ""
    account_servicer_reference: str = ""
    end_to_end_id: str = ""
    uetr: str = ""
    mandate_id: str = ""
    cheque_number: str = ""
    reversal_indicator: bool = False
    transaction_amount: Money | None = None
    currency_exchange: Exchange | None = None
    charge_amount: Money | None = None
    bank_transaction_code: Code | None = None
    proprietary_bank_transaction_code: str = ""
    debtor: Party = Party()
    ultimate_debtor: Party = Party()
    creditor: Party = Party()
    ultimate_creditor: Party = Party()
    remittance_information: tuple[str, ...] = ()
    remittance_reference: str = ""
    purpose_code: str = ""
    merchant_category_code: str = ""
    additional_entry_information: str = ""
    number_of_transactions: int = 1


_FIELDS: Final = tuple(name for name in Details.__struct_fields__ if name != "booking_date")
_encode: Final = msgspec.json.Encoder().encode
_decode: Final = msgspec.json.Decoder(Details).decode


def signs_of(keys: Keys, account_id: str) -> entry_words.Signs:
    """Return the signs of one account's words."""
    return entry_words.Signs(keys.derive("entry-words", account_id.encode()))


def identification_digest(
    keys: Keys, scheme_name: str, identification: str, currency: str, clearing_member_id: str
) -> bytes:
    """Return what an account is found by; nobody reads the number out of it. Two banks may give out one BBAN."""
    bank = clearing_member_id if scheme_name == "BBAN" else ""
    return keys.digest("account-identification", f"{scheme_name}:{currency}:{bank}:{identification}")


def account_of(keys: Keys, row: Row) -> Account:
    """Open an account."""
    account_id = row["account_id"]

    def unseal(column: str) -> str:
        return keys.decrypt(row[f"{column}_sealed"], f"account.{column}:{account_id}").decode()

    return Account(
        account_id=account_id,
        core_ref=row["core_ref"],
        scheme_name=row["scheme_name"],
        identification=unseal("identification"),
        currency=row["currency"],
        cash_account_type=row["cash_account_type"],
        name=unseal("name"),
        product=row["product"],
        status=AccountStatus(row["status"]),
        account_class=row["account_class"],
        owner_name=unseal("owner_name"),
        opened_on=row["opened_on"],
        time_zone=row["time_zone"],
        servicer=Servicer(
            bicfi=row["bicfi"],
            clearing_member_id=row["clearing_member_id"],
            name=row["servicer_name"],
            outlet_id=row["outlet_id"],
        ),
        version=row["version"],
    )


ACCOUNT_SEALED: Final = 3  # values that opening one account opens; a miss opens as many


def sealed_account(keys: Keys, account: Account, now: int) -> dict[str, Value]:
    """Return the row of a new account, with nothing in it."""

    def seal(column: str, value: str) -> bytes:
        return keys.encrypt(value.encode(), f"account.{column}:{account.account_id}")

    return {
        "account_id": account.account_id,
        "core_ref": account.core_ref,
        "scheme_name": account.scheme_name,
        "identification_digest": identification_digest(
            keys,
            account.scheme_name,
            account.identification,
            account.currency,
            account.servicer.clearing_member_id,
        ),
        "identification_sealed": seal("identification", account.identification),
        "currency": account.currency,
        "cash_account_type": account.cash_account_type,
        "name_sealed": seal("name", account.name),
        "product": account.product,
        "status": account.status,
        "account_class": account.account_class,
        "owner_name_sealed": seal("owner_name", account.owner_name),
        "opened_on": account.opened_on,
        "time_zone": account.time_zone,
        "bicfi": account.servicer.bicfi,
        "clearing_member_id": account.servicer.clearing_member_id,
        "servicer_name": account.servicer.name,
        "outlet_id": account.servicer.outlet_id,
        "credit_line_minor": None,
        "booked_minor": 0,
        "anchored_on": "",
        "last_sequence": 0,
        "version": 0,
        "created_at": now,
        "changed_at": now,
    }


def sealed_entry(keys: Keys, signs: entry_words.Signs, entry: Entry) -> dict[str, Value]:
    """Return the row of an entry, but for its posting and its fingerprint."""
    fields = {name: getattr(entry, name) for name in _FIELDS}
    details = _encode(Details(booking_date=None if entry.status is BOOKED else entry.booking_date, **fields))
    balance = entry.balance_after_transaction
    return {
        "account_id": entry.account_id,
        "sequence": entry.sequence,
        "day": entry.day,
        "status": entry.status,
        "amount_minor": entry.signed.minor,
        "value_date": entry.value_date,
        "happened_at": entry.transaction_date_time,
        "balance_after_minor": None if balance is None else balance.minor,
        "category": entry.category,
        "replaces_sequence": int(entry.replaces_entry_id or 0),
        "details_sealed": keys.encrypt(details, f"entry.details:{entry.account_id}:{entry.sequence}"),
        "words": signs.of(entry_words.runs_of(entry.texts)),
    }


def entry_of(keys: Keys, row: Row, currency: str) -> Entry:
    """Open an entry."""
    account_id, sequence, status = row["account_id"], row["sequence"], EntryStatus(row["status"])
    details = _decode(keys.decrypt(row["details_sealed"], f"entry.details:{account_id}:{sequence}"))
    fields = {name: getattr(details, name) for name in _FIELDS}
    amount, balance = row["amount_minor"], row["balance_after_minor"]
    return Entry(
        entry_id=str(sequence),
        account_id=account_id,
        status=status,
        credit_debit_indicator=Indicator.CREDIT if amount >= 0 else Indicator.DEBIT,
        amount=Money(abs(amount), currency),
        day=row["day"],
        sequence=sequence,
        booking_date=row["day"] if status is BOOKED else details.booking_date,
        value_date=row["value_date"],
        transaction_date_time=row["happened_at"],
        category=Category(row["category"]),
        balance_after_transaction=None if balance is None else Money(balance, currency),
        replaces_entry_id=str(row["replaces_sequence"]) if row["replaces_sequence"] else None,
        **fields,
    )
