"""What travels over `/v1/accounts`, named as in ISO 20022, in lowerCamel; money is decimal text, never a number."""

from __future__ import annotations

import msgspec

from foregate.local_time import at_place
from foregate.ports.accounts import Account, Balance, Entry, Exchange, Page, Party
from foregate.rules.money import Money


class AmountOut(msgspec.Struct, rename="camel"):
    """Decimal text with the currency's digits. The sign is `creditDebitIndicator`; a balance after has its own."""

    amount: str
    currency: str


class ServicerOut(msgspec.Struct, rename="camel"):
    """The bank that holds the account."""

    bicfi: str
    clearing_system_member_id: str
    name: str
    outlet_id: str


class AccountOut(msgspec.Struct, rename="camel"):
    """An account. Its number is masked, and its owner is whoever asks."""

    account_id: str
    scheme_name: str
    masked_identification: str
    currency: str
    cash_account_type: str
    name: str
    product: str
    status: str
    account_class: str
    opening_date: str
    time_zone: str
    servicer: ServicerOut


class BalanceOut(msgspec.Struct, rename="camel"):
    """A balance. ITAV is what a person calls theirs: what can be spent now."""

    balance_type: str
    amount: AmountOut
    credit_debit_indicator: str
    reference_date: str
    last_change_date_time: str | None
    credit_line: AmountOut | None
    credit_line_included: bool


class HoldingOut(msgspec.Struct, rename="camel"):
    """An account and what is on it."""

    account: AccountOut
    balances: list[BalanceOut]


class AccountsOut(msgspec.Struct, rename="camel"):
    """Every account of the customer, oldest first."""

    accounts: list[HoldingOut]


class BalancesOut(msgspec.Struct, rename="camel"):
    """Every balance that is known."""

    account_id: str
    balances: list[BalanceOut]


class PartyOut(msgspec.Struct, rename="camel"):
    """Who paid, or was paid. The number is masked."""

    name: str
    masked_account: str
    agent: str
    agent_name: str


class ExchangeOut(msgspec.Struct, rename="camel"):
    """How one currency became another, as the bank said it."""

    source_currency: str
    target_currency: str
    rate: str


class TransactionOut(msgspec.Struct, rename="camel", kw_only=True):
    """One entry of the record. Only one that is BOOK is final; `mutable` says so."""

    transaction_id: str
    account_id: str
    status: str
    credit_debit_indicator: str
    amount: AmountOut
    booking_date: str | None
    value_date: str | None
    transaction_date_time: str | None
    entry_reference: str
    account_servicer_reference: str
    end_to_end_id: str
    uetr: str
    mandate_id: str
    cheque_number: str
    reversal_indicator: bool
    transaction_amount: AmountOut | None
    currency_exchange: ExchangeOut | None
    charge_amount: AmountOut | None
    bank_transaction_code: str | None
    proprietary_bank_transaction_code: str
    debtor: PartyOut | None
    ultimate_debtor: PartyOut | None
    creditor: PartyOut | None
    ultimate_creditor: PartyOut | None
    remittance_information: list[str]
    remittance_reference: str
    purpose_code: str
    merchant_category_code: str
    category: str
    additional_entry_information: str
    number_of_transactions: int
    balance_after_transaction: AmountOut | None
    replaces_transaction_id: str | None
    mutable: bool


class TransactionsOut(msgspec.Struct, rename="camel"):
    """Entries, newest first. `next`: send it as `cursor` for the ones behind; null: these were the last."""

    account_id: str
    transactions: list[TransactionOut]
    next: str | None
    first_available: str | None
    last_available: str | None


def account_out(account: Account) -> AccountOut:
    """Return an account as it may travel: the whole number never leaves the server."""
    servicer = account.servicer
    return AccountOut(
        account_id=account.account_id,
        scheme_name=account.scheme_name,
        masked_identification=account.masked_identification,
        currency=account.currency,
        cash_account_type=account.cash_account_type,
        name=account.name,
        product=account.product,
        status=account.status.value,
        account_class=account.account_class,
        opening_date=account.opened_on,
        time_zone=account.time_zone,
        servicer=ServicerOut(servicer.bicfi, servicer.clearing_member_id, servicer.name, servicer.outlet_id),
    )


def balance_out(balance: Balance, time_zone: str) -> BalanceOut:
    """Return a balance as it travels."""
    return BalanceOut(
        balance_type=balance.balance_type.value,
        amount=AmountOut(balance.amount.text, balance.amount.currency),
        credit_debit_indicator=balance.credit_debit_indicator.value,
        reference_date=balance.reference_date,
        last_change_date_time=_moment(balance.last_change, time_zone),
        credit_line=_amount(balance.credit_line),
        credit_line_included=balance.credit_line_included,
    )


def page_out(account: Account, page: Page) -> TransactionsOut:
    """Return a page of the record as it travels."""
    return TransactionsOut(
        account_id=account.account_id,
        transactions=[transaction_out(account, entry) for entry in page.entries],
        next=page.next,
        first_available=page.first_available,
        last_available=page.last_available,
    )


def transaction_out(account: Account, entry: Entry) -> TransactionOut:
    """Return an entry as it travels."""
    code = entry.bank_transaction_code
    return TransactionOut(
        transaction_id=entry.entry_id,
        account_id=entry.account_id,
        status=entry.status.value,
        credit_debit_indicator=entry.credit_debit_indicator.value,
        amount=AmountOut(entry.amount.text, entry.amount.currency),
        booking_date=entry.booking_date,
        value_date=entry.value_date,
        transaction_date_time=_moment(entry.transaction_date_time, account.time_zone),
        entry_reference=entry.entry_reference,
        account_servicer_reference=entry.account_servicer_reference,
        end_to_end_id=entry.end_to_end_id,
        uetr=entry.uetr,
        mandate_id=entry.mandate_id,
        cheque_number=entry.cheque_number,
        reversal_indicator=entry.reversal_indicator,
        transaction_amount=_amount(entry.transaction_amount),
        currency_exchange=_exchange(entry.currency_exchange),
        charge_amount=_amount(entry.charge_amount),
        bank_transaction_code=code.text if code else None,
        proprietary_bank_transaction_code=entry.proprietary_bank_transaction_code,
        debtor=_party(entry.debtor),
        ultimate_debtor=_party(entry.ultimate_debtor),
        creditor=_party(entry.creditor),
        ultimate_creditor=_party(entry.ultimate_creditor),
        remittance_information=list(entry.remittance_information),
        remittance_reference=entry.remittance_reference,
        purpose_code=entry.purpose_code,
        merchant_category_code=entry.merchant_category_code,
        category=entry.category.value,
        additional_entry_information=entry.additional_entry_information,
        number_of_transactions=entry.number_of_transactions,
        balance_after_transaction=_amount(entry.balance_after_transaction),
        replaces_transaction_id=entry.replaces_entry_id,
        mutable=entry.is_mutable,
    )


def _amount(money: Money | None) -> AmountOut | None:
    return None if money is None else AmountOut(money.text, money.currency)


def _exchange(exchange: Exchange | None) -> ExchangeOut | None:
    return None if exchange is None else ExchangeOut(exchange.source_currency, exchange.target_currency, exchange.rate)


def _party(party: Party) -> PartyOut | None:
    return PartyOut(party.name, party.masked_account, party.agent, party.agent_name) if party else None


def _moment(moment: int | None, time_zone: str) -> str | None:
    return None if moment is None else at_place(moment, time_zone).isoformat()
