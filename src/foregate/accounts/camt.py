"""camt.052, .053 and .054 of ISO 20022, every version: reports, statements and notifications.

The versions differ in few names, so one reader knows them all: a status is a text up to version 7 and a code within it
from 8 on, a party has its name at once or within `Pty`, a bank is a BIC or a BICFI, version 1 has the details of an
entry right within it. What is required here is what an entry cannot be understood without.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import BinaryIO, Final

from foregate.accounts.camt_entry import amount_of, day_of, entry_of, indicator_of, missing
from foregate.accounts.statements import Event, Head, Item, Refused, Tail, Totals
from foregate.accounts.xml_stream import Ended, Node, XmlStream
from foregate.ports.accounts import Balance, BalanceType, Servicer

_NAMESPACE: Final = re.compile(r"urn:iso:std:iso:20022:tech:xsd:(camt\.05[234])\.001\.[0-9]{2}")
_ROOTS: Final = {"camt.052": "BkToCstmrAcctRpt", "camt.053": "BkToCstmrStmt", "camt.054": "BkToCstmrDbtCdtNtfctn"}
_BODIES: Final = frozenset({"Rpt", "Stmt", "Ntfctn"})
_HEADS: Final = frozenset({"Id", "CreDtTm", "Acct", "Bal", "TxsSummry"})
_PIECES: Final = frozenset({"GrpHdr", "Ntry", "RltdAcct", "Intrst", "SplmtryData", "FrToDt", *_HEADS})
_IBAN: Final = re.compile(r"[A-Z]{2}[0-9]{2}[A-Z0-9]{10,30}")
_SCHEMES: Final = {"IBAN": "IBAN", "BBAN": "BBAN", "Othr/Id": "BBAN", "PrtryAcct/Id": "BBAN", "UPIC": "BBAN"}
_BALANCES: Final = frozenset(BalanceType)
_TYPES: Final = frozenset({"CACC", "SVGS", "CARD", "CASH", "LOAN", "TRAN"})


def read(file: BinaryIO) -> Iterator[Event]:
    """Yield what is in the file. Raises Refused."""
    stream = XmlStream(_PIECES, _BODIES, frozenset({"TxDtls"}))
    kind, body = "", _Body()
    for piece in stream.read(file):
        kind = kind or _kind(stream)
        if isinstance(piece, Ended):
            yield from body.end(kind, piece.line)
            body = _Body()
        elif piece.name == "Ntry":
            yield from body.begin(kind)
            yield Item(line=piece.line, entry=entry_of(piece, body.created))
        elif piece.name in _HEADS:
            body.keep(piece)
    _kind(stream)


def _kind(stream: XmlStream) -> str:
    """Return which message it is. Raises Refused for any other document."""
    found = _NAMESPACE.fullmatch(stream.namespace)
    if found is None or stream.root[:1] != ["Document"]:
        raise Refused(1, "no camt.052, camt.053 or camt.054")
    kind = found[1]
    if len(stream.root) > 1 and not stream.root[1].startswith(_ROOTS[kind]):
        raise Refused(1, "another message than its namespace says")
    return kind


class _Body:
    """What stands before the entries of one statement."""

    def __init__(self) -> None:
        self.parts: dict[str, Node] = {}
        self.balances: list[Node] = []
        self.is_begun = False

    @property
    def created(self) -> str:
        """The day on which the statement was made; empty where it does not say."""
        created = self.parts.get("CreDtTm")
        return created.text[:10] if created is not None else ""

    def keep(self, node: Node) -> None:
        """Keep a piece for the head; a balance after the first entry is where no schema has one."""
        if node.name == "Bal":
            if self.is_begun:
                raise Refused(node.line, "a balance behind entries")
            self.balances.append(node)
        else:
            self.parts.setdefault(node.name, node)

    def begin(self, kind: str) -> Iterator[Head]:
        """Yield the head, once."""
        if not self.is_begun:
            self.is_begun = True
            yield self._head(kind)

    def end(self, kind: str, line: int) -> Iterator[Head | Tail]:
        """Yield the end, and the head of a statement without entries before it."""
        yield from self.begin(kind)
        yield Tail(line=line, totals=_totals(self.parts.get("TxsSummry")))

    def _head(self, kind: str) -> Head:
        account = self.parts.get("Acct")
        if account is None:
            raise Refused(0, "a statement without an account")
        scheme, identification = _identification(account)
        statement_id = self.parts.get("Id")
        code = account.at("Tp/Cd")
        return Head(
            line=account.line,
            kind=kind,
            statement_id=statement_id.text if statement_id else "",
            scheme_name=scheme,
            identification=identification,
            currency=account.at("Ccy"),
            owner_name=account.at("Ownr/Nm"),
            name=account.at("Nm"),
            cash_account_type=code if code in _TYPES else "CACC",
            servicer=_servicer(account),
            balances=tuple(found for node in self.balances if (found := _balance(node)) is not None),
            needs_balances=kind == "camt.053",
        )


def _identification(account: Node) -> tuple[str, str]:
    for path, scheme in _SCHEMES.items():
        number = re.sub(r"\s", "", account.at(f"Id/{path}"))
        if number and scheme == "BBAN" and _IBAN.fullmatch(number):
            scheme = "IBAN"
        if scheme == "IBAN" and number and not _IBAN.fullmatch(number):
            raise Refused(account.line, "an IBAN that is none")
        if number:
            return scheme, number
    raise Refused(account.line, "an account without a number")


def _servicer(account: Node) -> Servicer:
    bank = account.find("Svcr/FinInstnId")
    if bank is None:
        return Servicer()
    return Servicer(bicfi=bank.at("BICFI", "BIC"), clearing_member_id=bank.at("ClrSysMmbId/MmbId"), name=bank.at("Nm"))


def _balance(node: Node) -> Balance | None:
    """Return a balance of a type that we hold; None for the bank's own types."""
    code = node.at("Tp/CdOrPrtry/Cd", "Tp/Cd")
    if code not in _BALANCES:
        return None
    line = node.find("CdtLine")
    return Balance(
        balance_type=BalanceType(code),
        amount=amount_of(node),
        credit_debit_indicator=indicator_of(node),
        reference_date=day_of(node, "Dt") or missing(node, "a balance without a day"),
        credit_line_included=line is not None and line.at("Incl") == "true",
    )


def _totals(node: Node | None) -> Totals:
    """Return what the statement says that its entries come to. Sums count what is booked, as ours do."""
    if node is None:
        return Totals()

    def number(path: str) -> int | None:
        text = node.at(path)
        return int(text) if text.isascii() and text.isdecimal() and len(text) <= 15 else None

    return Totals(
        line=node.line,
        entries=number("TtlNtries/NbOfNtries"),
        credits=number("TtlCdtNtries/NbOfNtries"),
        debits=number("TtlDbtNtries/NbOfNtries"),
        credit_sum=node.at("TtlCdtNtries/Sum"),
        debit_sum=node.at("TtlDbtNtries/Sum"),
    )
