"""A statement of some days as a file: CSV, OFX and camt.053. Only what is booked stands in one.

Rules
  1. Numbers of others are masked, and so is a card number of one's own; another account number is written out, since a
     program has to know which account it reads about.
  2. What somebody else typed never runs: a cell that a spreadsheet could take for a formula begins with an apostrophe,
     and in XML everything is escaped, and what XML may not hold is left out.
  3. Amounts are decimal text from minor units.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterator
from typing import Final
from xml.sax.saxutils import escape

import msgspec

from foregate.local_time import at_place
from foregate.ports.accounts import Account, Entry, Indicator, Party
from foregate.rules.money import Money

Say = Callable[[str], str]

# What a spreadsheet may read as the beginning of a formula, full-width letters included.
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "|", "%", "＝", "＋", "－", "＠")
_NOT_XML: Final = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_BIC: Final = re.compile(r"[A-Z0-9]{4}[A-Z]{2}[A-Z0-9]{2}([A-Z0-9]{3})?")
_IBAN: Final = re.compile(r"[A-Z]{2}[0-9]{2}[A-Za-z0-9]{1,30}")
COLUMNS: Final = (
    "booking-date", "value-date", "happened", "in", "out", "currency", "balance", "who", "account", "bank", "message",
    "reference",
)  # fmt: skip
CAMT_NAMESPACE: Final = "urn:iso:std:iso:20022:tech:xsd:camt.053.001.08"


class Statement(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that a file says. `entries` are booked ones, oldest first; balances are signed, None: not known."""

    account: Account
    date_from: str
    date_to: str
    entries: tuple[Entry, ...]
    opening: Money | None
    closing: Money | None
    made_at: int

    @property
    def number(self) -> str:
        """The account's number as a file may carry it."""
        account = self.account
        if account.scheme_name == "PAN":
            return "*" * (len(account.identification) - 4) + account.identification[-4:]
        return account.identification


def cell(text: str) -> str:
    """Return what somebody typed as a cell that no spreadsheet runs."""
    return f"'{text}" if text.lstrip(" \u3000\ufeff").startswith(_FORMULA) else text


def csv_file(statement: Statement, say: Say) -> bytes:
    """Return the entries as CSV, a line each, with a byte order mark so that spreadsheets read Chinese."""
    out = io.StringIO(newline="")
    rows = csv.writer(out)
    rows.writerow([say(f"accounts.column.{name}") for name in COLUMNS])
    for entry in statement.entries:
        rows.writerow(_row(statement.account, entry))
    return b"\xef\xbb\xbf" + out.getvalue().encode()


def _row(account: Account, entry: Entry) -> list[str]:
    other, after = entry.counterparty, entry.balance_after_transaction
    is_in = entry.credit_debit_indicator is Indicator.CREDIT
    at = entry.transaction_date_time
    return [
        entry.booking_date or entry.day,
        entry.value_date or "",
        "" if at is None else at_place(at, account.time_zone).strftime("%Y-%m-%d %H:%M:%S"),
        entry.amount.text if is_in else "",
        "" if is_in else entry.amount.text,
        entry.amount.currency,
        after.text if after is not None else "",
        cell(other.name),
        cell(other.masked_account),
        cell(other.agent_name or other.agent),
        cell(" ".join(entry.remittance_information)),
        cell(entry.account_servicer_reference or entry.entry_reference),
    ]


# ---------------------------------------------------------------- OFX


def ofx_file(statement: Statement, say: Say) -> bytes:
    """Return OFX 2.1.1, as home finance programs read it. Raises ValueError when no closing balance is known."""
    if statement.closing is None:
        raise ValueError("OFX asks for a balance")
    account = statement.account
    now = at_place(statement.made_at, "UTC").strftime("%Y%m%d%H%M%S")
    ok = "<STATUS><CODE>0</CODE><SEVERITY>INFO</SEVERITY></STATUS>"
    bank = account.servicer.clearing_member_id[-9:] or account.servicer.bicfi[:9] or "0"
    text = (
        '<?xml version="1.0" encoding="UTF-8" standalone="no"?>\n'
        '<?OFX OFXHEADER="200" VERSION="211" SECURITY="NONE" OLDFILEUID="NONE" NEWFILEUID="NONE"?>\n'
        f"<OFX><SIGNONMSGSRSV1><SONRS>{ok}<DTSERVER>{now}</DTSERVER>"
        f"<LANGUAGE>{say('language.ofx')}</LANGUAGE></SONRS></SIGNONMSGSRSV1>\n"
        f"<BANKMSGSRSV1><STMTTRNRS><TRNUID>0</TRNUID>{ok}<STMTRS><CURDEF>{account.currency}</CURDEF>"
        f"<BANKACCTFROM><BANKID>{_xml(bank)}</BANKID><ACCTID>{_xml(statement.number[-22:])}</ACCTID>"
        f"<ACCTTYPE>{'SAVINGS' if account.cash_account_type == 'SVGS' else 'CHECKING'}</ACCTTYPE></BANKACCTFROM>\n"
        f"<BANKTRANLIST><DTSTART>{_ofx_day(statement.date_from)}</DTSTART><DTEND>{_ofx_day(statement.date_to)}</DTEND>\n"
        f"{''.join(_ofx_entry(entry) for entry in statement.entries)}</BANKTRANLIST>\n"
        f"<LEDGERBAL><BALAMT>{statement.closing.text}</BALAMT><DTASOF>{_ofx_day(statement.date_to)}</DTASOF></LEDGERBAL>"
        "</STMTRS></STMTTRNRS></BANKMSGSRSV1></OFX>\n"
    )
    return text.encode()


def _ofx_entry(entry: Entry) -> str:
    is_in = entry.credit_debit_indicator is Indicator.CREDIT
    memo = " ".join(entry.remittance_information)
    name = entry.counterparty.name or memo
    return (
        f"<STMTTRN><TRNTYPE>{'CREDIT' if is_in else 'DEBIT'}</TRNTYPE>"
        f"<DTPOSTED>{_ofx_day(entry.booking_date or entry.day)}</DTPOSTED><TRNAMT>{entry.signed.text}</TRNAMT>"
        f"<FITID>{_xml(entry.entry_id)}</FITID>{_tag('NAME', name, 32)}{_tag('MEMO', memo, 255)}</STMTTRN>\n"
    )


def _ofx_day(day: str) -> str:
    return day.replace("-", "")


# ---------------------------------------------------------------- camt.053


def camt_file(statement: Statement, export_id: str) -> bytes:
    """Return camt.053.001.08. Raises ValueError when no balance is known: the standard asks for one."""
    if statement.opening is None or statement.closing is None:
        raise ValueError("camt.053 asks for balances")
    account, made = statement.account, at_place(statement.made_at, statement.account.time_zone).isoformat()
    name, number = export_id.replace("-", ""), statement.number
    own = f"<IBAN>{number}</IBAN>" if account.scheme_name == "IBAN" and _IBAN.fullmatch(number) else _other(number)
    text = (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<Document xmlns="{CAMT_NAMESPACE}"><BkToCstmrStmt>'
        f"<GrpHdr><MsgId>{name}</MsgId><CreDtTm>{made}</CreDtTm></GrpHdr>\n"
        f"<Stmt><Id>{name}</Id><CreDtTm>{made}</CreDtTm>"
        f"<FrToDt><FrDtTm>{statement.date_from}T00:00:00</FrDtTm><ToDtTm>{statement.date_to}T23:59:59</ToDtTm></FrToDt>"
        f"<Acct><Id>{own}</Id><Ccy>{account.currency}</Ccy>"
        f"{_agent('Svcr', account.servicer.bicfi, account.servicer.name)}</Acct>\n"
        f"{_camt_balance('OPBD', statement.opening, statement.date_from)}"
        f"{_camt_balance('CLBD', statement.closing, statement.date_to)}"
        f"{''.join(_camt_entry(entry) for entry in statement.entries)}</Stmt></BkToCstmrStmt></Document>\n"
    )
    return text.encode()


def _camt_balance(kind: str, money: Money, day: str) -> str:
    sign = "DBIT" if money.minor < 0 else "CRDT"
    return (
        f"<Bal><Tp><CdOrPrtry><Cd>{kind}</Cd></CdOrPrtry></Tp>{_camt_amount(abs(money))}"
        f"<CdtDbtInd>{sign}</CdtDbtInd><Dt><Dt>{day}</Dt></Dt></Bal>\n"
    )


def _camt_amount(money: Money) -> str:
    return f'<Amt Ccy="{money.currency}">{money.text}</Amt>'


def _camt_entry(entry: Entry) -> str:
    code, day = entry.bank_transaction_code, entry.booking_date or entry.day
    domain = ""
    if code and all(re.fullmatch("[A-Z0-9]{1,4}", part) for part in (code.domain, code.family, code.sub_family)):
        family = f"<Fmly><Cd>{code.family}</Cd><SubFmlyCd>{code.sub_family}</SubFmlyCd></Fmly>"
        domain = f"<Domn><Cd>{code.domain}</Cd>{family}</Domn>"
    return (
        f"<Ntry>{_tag('NtryRef', entry.entry_id, 35)}{_camt_amount(entry.amount)}"
        f"<CdtDbtInd>{entry.credit_debit_indicator.value}</CdtDbtInd>"
        f"{'<RvslInd>true</RvslInd>' if entry.reversal_indicator else ''}<Sts><Cd>BOOK</Cd></Sts>"
        f"<BookgDt><Dt>{day}</Dt></BookgDt>{f'<ValDt><Dt>{entry.value_date}</Dt></ValDt>' if entry.value_date else ''}"
        f"{_tag('AcctSvcrRef', entry.account_servicer_reference, 35)}<BkTxCd>{domain}</BkTxCd>"
        f"<NtryDtls><TxDtls>{''.join(_camt_details(entry))}</TxDtls></NtryDtls>"
        f"{_tag('AddtlNtryInf', entry.additional_entry_information, 500)}</Ntry>\n"
    )


def _camt_details(entry: Entry) -> Iterator[str]:
    yield f"<Refs>{_tag('EndToEndId', entry.end_to_end_id or 'NOTPROVIDED', 35)}</Refs>"
    yield f"{_camt_amount(entry.amount)}<CdtDbtInd>{entry.credit_debit_indicator.value}</CdtDbtInd>"
    parties = (
        _camt_party("Dbtr", entry.debtor)
        + _camt_name("UltmtDbtr", entry.ultimate_debtor)
        + _camt_party("Cdtr", entry.creditor)
        + _camt_name("UltmtCdtr", entry.ultimate_creditor)
    )
    yield f"<RltdPties>{parties}</RltdPties>" if parties else ""
    agents = "".join(
        _agent(tag, party.agent, party.agent_name)
        for tag, party in (("DbtrAgt", entry.debtor), ("CdtrAgt", entry.creditor))
    )
    yield f"<RltdAgts>{agents}</RltdAgts>" if agents else ""
    yield f"<Purp><Cd>{entry.purpose_code}</Cd></Purp>" if re.fullmatch("[A-Z0-9]{1,4}", entry.purpose_code) else ""
    said = "".join(_tag("Ustrd", line, 140) for line in entry.remittance_information)
    yield f"<RmtInf>{said}</RmtInf>" if said else ""


def _camt_party(tag: str, party: Party) -> str:
    number = party.masked_account.replace("•••• ", "****")
    return _camt_name(tag, party) + (f"<{tag}Acct><Id>{_other(number)}</Id></{tag}Acct>" if number else "")


def _camt_name(tag: str, party: Party) -> str:
    return f"<{tag}><Pty>{_tag('Nm', party.name, 140)}</Pty></{tag}>" if party.name else ""


def _agent(tag: str, bic: str, name: str) -> str:
    if _BIC.fullmatch(bic):
        return f"<{tag}><FinInstnId><BICFI>{bic}</BICFI></FinInstnId></{tag}>"
    return f"<{tag}><FinInstnId>{_tag('Nm', name or bic, 140)}</FinInstnId></{tag}>" if name or bic else ""


def _other(number: str) -> str:
    return f"<Othr>{_tag('Id', number[-34:], 34)}</Othr>"


def _tag(name: str, text: str, longest: int) -> str:
    """Return an element, or nothing when there is nothing to say."""
    said = _NOT_XML.sub("", text)[:longest]
    return f"<{name}>{escape(said)}</{name}>" if said.strip() else ""


def _xml(text: str) -> str:
    return escape(_NOT_XML.sub("", text))
