"""One entry of a camt message: `Ntry`, with what its details say of who paid whom and what for."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any, Final, NoReturn

from foregate.accounts.statements import Refused
from foregate.accounts.xml_stream import Node
from foregate.ports.accounts import Code, Entry, EntryStatus, Exchange, Indicator, Party
from foregate.rules.money import BadMoney, Money, money

_STATUSES: Final = frozenset(EntryStatus)
# ISO date; what follows it in a date with time is looked at elsewhere.
_DAY_CHARS: Final = 10


def entry_of(node: Node, created: str) -> Entry:
    """Return an entry; `created` is the statement's own day. Raises Refused for one that cannot be understood."""
    booked, valued = day_of(node, "BookgDt"), day_of(node, "ValDt")
    many = _how_many(node)
    details = node.find("NtryDtls/TxDtls") or node.find("TxDtls")
    said = _details(details) if details is not None and many == 1 else {}
    fields: dict[str, Any] = {
        "status": _status(node),
        "credit_debit_indicator": indicator_of(node),
        "amount": amount_of(node),
        "day": booked or valued or _checked_day(node, created),
        "booking_date": booked or None,
        "value_date": valued or None,
        "transaction_date_time": _moment(node, details),
        "entry_reference": node.at("NtryRef"),
        "account_servicer_reference": node.at("AcctSvcrRef"),
        "reversal_indicator": node.at("RvslInd") in ("true", "1", "TRUE"),
        "bank_transaction_code": _code(node.find("BkTxCd")),
        "proprietary_bank_transaction_code": node.at("BkTxCd/Prtry/Cd"),
        "charge_amount": _charges(node),
        "additional_entry_information": node.at("AddtlNtryInf"),
        "number_of_transactions": many,
    }
    # What the entry itself says goes before what its details say.
    return Entry(
        entry_id="",
        account_id="",
        sequence=0,
        **(said | {name: v for name, v in fields.items() if v or name not in said}),
    )


def missing(node: Node, what: str) -> NoReturn:
    """Refuse the file because of what `node` lacks."""
    raise Refused(node.line, what)


def amount_of(node: Node, path: str = "Amt") -> Money:
    """Return the amount at `path`. Raises Refused; no schema has a sign there."""
    found = node.find(path)
    if found is None:
        raise Refused(node.line, "no amount")
    if not found.text[:1].isdigit():
        raise Refused(found.line, "an amount that is none, or has a sign")
    try:
        return money(found.text, found.attributes.get("Ccy", ""))
    except BadMoney as wrong:
        raise Refused(found.line, f"an amount that is none: {wrong}") from None


def indicator_of(node: Node) -> Indicator:
    """Return whether money came or went."""
    text = node.at("CdtDbtInd")
    if text not in ("CRDT", "DBIT"):
        raise Refused(node.line, "neither credit nor debit")
    return Indicator(text)


def day_of(node: Node, path: str) -> str:
    """Return the ISO date at `path`, empty where there is none. Raises Refused for a day that no calendar has."""
    text = node.at(f"{path}/Dt") or node.at(f"{path}/DtTm")[:_DAY_CHARS]
    return _checked_day(node, text) if text else ""


def _checked_day(node: Node, text: str) -> str:
    text = text[:_DAY_CHARS]  # xs:date may carry a time zone behind it
    try:
        if len(text) != _DAY_CHARS:
            raise ValueError
        return date.fromisoformat(text).isoformat()
    except ValueError:
        raise Refused(node.line, "a day that no calendar has") from None


def _status(node: Node) -> EntryStatus:
    found = node.find("Sts")
    text = found.at("Cd") or found.text if found is not None else ""
    if text not in _STATUSES:
        raise Refused(node.line, "an entry without a status, or with one that nobody knows")
    return EntryStatus(text)


def _how_many(node: Node) -> int:
    """Return how many transactions were booked as this one entry."""
    said = node.at("NtryDtls/Btch/NbOfTxs")
    if said.isascii() and said.isdecimal() and len(said) <= 9 and int(said) > 0:
        return int(said)
    return max(1, sum(len(part.all("TxDtls")) + part.skipped for part in (node, *node.all("NtryDtls"))))


def _code(node: Node | None) -> Code | None:
    if node is None or not node.at("Domn/Cd"):
        return None
    return Code(node.at("Domn/Cd"), node.at("Domn/Fmly/Cd"), node.at("Domn/Fmly/SubFmlyCd"))


def _moment(node: Node, details: Node | None) -> int | None:
    """Return when it happened, where the file says the time and the zone."""
    text = details.at("RltdDts/TxDtTm", "RltdDts/AccptncDtTm") if details is not None else ""
    try:
        moment = datetime.fromisoformat(text or node.at("BookgDt/DtTm"))
    except ValueError:
        return None
    return int(moment.timestamp()) if moment.tzinfo is not None else None


def _details(node: Node) -> dict[str, Any]:
    """Return what the details of a single transaction say, as fields of an entry."""
    fields: dict[str, Any] = {
        "account_servicer_reference": node.at("Refs/AcctSvcrRef"),
        "end_to_end_id": _unless_not_provided(node.at("Refs/EndToEndId")),
        "uetr": node.at("Refs/UETR"),
        "mandate_id": node.at("Refs/MndtId"),
        "cheque_number": node.at("Refs/ChqNb"),
        "bank_transaction_code": _code(node.find("BkTxCd")),
        "debtor": _party(node, "Dbtr"),
        "ultimate_debtor": Party(name=_name(node, "UltmtDbtr")),
        "creditor": _party(node, "Cdtr"),
        "ultimate_creditor": Party(name=_name(node, "UltmtCdtr")),
        "remittance_information": tuple(text for line in node.all("RmtInf/Ustrd") if (text := line.text)),
        "remittance_reference": node.at("RmtInf/Strd/CdtrRefInf/Ref", "RmtInf/Strd/CdtrRefInf/CdtrRef"),
        "purpose_code": node.at("Purp/Cd"),
        "merchant_category_code": node.at("CardTx/Pos/MrchntCtgyCd"),
        "charge_amount": _charges(node),
        "additional_entry_information": node.at("AddtlTxInf"),
    }
    instructed = node.find("AmtDtls/InstdAmt")
    if instructed is not None:
        fields["transaction_amount"] = amount_of(instructed)
    for exchange in (part.find("CcyXchg") for part in node.all("AmtDtls/CntrValAmt") + node.all("AmtDtls/InstdAmt")):
        if exchange is not None:
            fields["currency_exchange"] = Exchange(
                source_currency=exchange.at("SrcCcy"),
                target_currency=exchange.at("TrgtCcy"),
                rate=exchange.at("XchgRate"),
            )
            break
    return fields


def _charges(node: Node) -> Money | None:
    """Return what the bank took for it: the total where one is said, else the sum of what is listed.

    Version 2 lists amounts, later ones records; what came back (CRDT) is taken off. None: nothing was taken, or it was
    taken in several currencies.
    """
    chrgs = node.find("Chrgs")
    if chrgs is not None and chrgs.find("TtlChrgsAndTaxAmt") is not None:
        said = [amount_of(chrgs, "TtlChrgsAndTaxAmt")]
    else:
        listed = [part for part in (*node.all("Chrgs/Rcrd"), *node.all("Chrgs")) if part.find("Amt") is not None]
        said = [-amount_of(part) if part.at("CdtDbtInd") == "CRDT" else amount_of(part) for part in listed]
    if len({amount.currency for amount in said}) != 1:
        return None
    charged = sum(said[1:], said[0])
    return charged if charged.minor else None


def _unless_not_provided(text: str) -> str:
    return "" if text == "NOTPROVIDED" else text


def _name(node: Node, who: str) -> str:
    return node.at(f"RltdPties/{who}/Nm", f"RltdPties/{who}/Pty/Nm")


def _party(node: Node, who: str) -> Party:
    bank = f"RltdAgts/{who}Agt/FinInstnId"
    account = f"RltdPties/{who}Acct/Id"
    return Party(
        name=_name(node, who),
        account=node.at(f"{account}/IBAN", f"{account}/Othr/Id", f"{account}/BBAN", f"{account}/PrtryAcct/Id"),
        agent=node.at(f"{bank}/BICFI", f"{bank}/BIC", f"{bank}/ClrSysMmbId/MmbId"),
        agent_name=node.at(f"{bank}/Nm"),
    )
