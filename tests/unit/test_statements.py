"""Statements are read alike whatever their format, and refused with the line and the reason."""

import io
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from foregate.accounts import camt, mt940, obp
from foregate.accounts.importing import Reader, reader_of
from foregate.accounts.statements import Refused, Statement, checked
from foregate.ports.accounts import BalanceType, EntryStatus, Indicator
from foregate.ports.ledger import Told
from tests import statement_files as files

LINES = (("2026-11-01", "100.00", "王芳", "十月房租"), ("2026-11-02", "-30.50", "Market", "fruit & fish"))
XML_LINES = tuple((day, amount, name, words.replace("&", "&amp;")) for day, amount, name, words in LINES)


def read(reader: Reader, text: str | bytes) -> tuple[list[Told], list[Statement]]:
    raw = text if isinstance(text, bytes) else text.encode()
    parts = list(checked(reader(io.BytesIO(raw))))
    return [one for one in parts if isinstance(one, Told)], [one for one in parts if isinstance(one, Statement)]


def refused(reader: Reader, text: str | bytes) -> str:
    with pytest.raises(Refused) as why:
        read(reader, text)
    return str(why.value)


@pytest.mark.parametrize("version", files.VERSIONS)
def test_every_version_of_camt(version: str) -> None:
    """Who, what for, when and how much are found, wherever a version has them."""
    told, (statement,) = read(camt.read, files.camt_statement("10.00", "79.50", XML_LINES, version))
    assert [("100.00", "王芳", "十月房租"), ("-30.50", "Market", "fruit & fish")] == [
        (one.entry.signed.text, one.entry.counterparty.name, one.entry.remittance_information[0]) for one in told
    ]
    first = told[0].entry
    assert ("NL91ABNA0417164300", "ABNANL2A") == (first.debtor.account, first.debtor.agent)
    assert ("2026-11-01", "2026-11-01", "PMNT-RCDT-ESCT") == (
        first.booking_date, first.value_date, first.bank_transaction_code and first.bank_transaction_code.text,
    )  # fmt: skip
    assert ["110.00", "79.50"] == [
        one.entry.balance_after_transaction.text for one in told if one.entry.balance_after_transaction
    ]
    assert (f"camt.{version[:3]}", "IBAN", files.IBAN) == (
        statement.head.kind, statement.head.scheme_name, statement.head.identification,
    )  # fmt: skip
    assert ("100.00", "30.50", 2) == (statement.money_in.text, statement.money_out.text, statement.entries)


def test_mt940_as_german_banks_write_it() -> None:
    """Sub-fields are names and accounts; the balances are found at both ends."""
    told, (statement,) = read(mt940.read, files.mt940("10.00", "79.50", LINES))
    entry = told[0].entry
    assert ("王芳", "NL91ABNA0417164300", "ABNANL2A") == (entry.debtor.name, entry.debtor.account, entry.debtor.agent)
    assert ("GUTSCHRIFT", "十月房租") == entry.remittance_information
    assert ("BBAN", "1234567", "10020030") == (
        statement.head.scheme_name, statement.head.identification, statement.head.servicer.clearing_member_id,
    )  # fmt: skip
    assert ("10.00", "79.50", "2026-11-02") == (
        statement.opening and statement.opening.text, statement.closing and statement.closing.text,
        statement.closing_day,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("mark", "signed", "is_reversal", "status"),
    [
        ("C", "5.00", False, "BOOK"), ("D", "-5.00", False, "BOOK"), ("RC", "-5.00", True, "BOOK"),
        ("RD", "5.00", True, "BOOK"), ("CR", "5.00", False, "BOOK"), ("DR", "-5.00", False, "BOOK"),
        ("RCR", "-5.00", True, "BOOK"), ("EC", "5.00", False, "PDNG"), ("ED", "-5.00", False, "PDNG"),
    ],
)  # fmt: skip
def test_marks_of_mt940(mark: str, signed: str, is_reversal: bool, status: str) -> None:
    """A letter behind the mark is the currency's; an R before it takes back; an E expects."""
    text = f":20:X\n:25:123\n:34F:EUR0,\n:61:2611011101{mark}5,NTRFNONREF//B1\n-\n"
    (one,), (statement,) = read(mt940.read, text)
    assert (signed, is_reversal, status) == (one.entry.signed.text, one.entry.reversal_indicator, one.entry.status)
    assert ("mt942", "B1") == (statement.head.kind, one.entry.account_servicer_reference)


def test_an_entry_date_at_the_turn_of_the_year() -> None:
    """It has no year: the one nearest to the value date is meant."""
    for value, booked, expected in (
        ("261231", "0102", "2027-01-02"),
        ("270102", "1231", "2026-12-31"),
        ("240228", "0229", "2024-02-29"),
    ):
        (one,), _ = read(mt940.read, f":20:X\n:25:123\n:34F:EUR0,\n:61:{value}{booked}C5,NTRFNONREF\n-\n")
        assert expected == one.entry.booking_date


def test_a_sandbox_file() -> None:
    """Each balance follows from the one before; the owner is the file's."""
    told, (statement,) = read(obp.read, files.sandbox("10.00", LINES))
    assert ["110.00", "79.50"] == [
        one.entry.balance_after_transaction.text for one in told if one.entry.balance_after_transaction
    ]
    assert ("C001", "10.00", "79.50") == (
        statement.head.owner, statement.opening and statement.opening.text,
        statement.closing and statement.closing.text,
    )  # fmt: skip


def test_a_batch_is_one_entry() -> None:
    """Of two thousand transactions booked as one the number is kept, and nobody is named."""
    transaction = "<TxDtls><RltdPties><Dbtr><Nm>A</Nm></Dbtr></RltdPties></TxDtls>"
    entry = files.camt_entry(("2026-11-01", "5.00", "A", "x"), "054.001.04")
    text = files.camt(entry.replace("</NtryDtls>", transaction * 2000 + "</NtryDtls>"), "054.001.04")
    (one,), _ = read(camt.read, text)
    assert (2001, "") == (one.entry.number_of_transactions, one.entry.debtor.name)


CHARGES = {
    '<Chrgs><TtlChrgsAndTaxAmt Ccy="EUR">1.20</TtlChrgsAndTaxAmt><Rcrd><Amt Ccy="EUR">9</Amt></Rcrd></Chrgs>': "1.20",
    '<Chrgs><Rcrd><Amt Ccy="EUR">1</Amt><CdtDbtInd>DBIT</CdtDbtInd></Rcrd><Rcrd><Amt Ccy="EUR">0.25</Amt>'
    "<CdtDbtInd>CRDT</CdtDbtInd></Rcrd></Chrgs>": "0.75",
    '<Chrgs><Amt Ccy="EUR">0.30</Amt></Chrgs><Chrgs><Amt Ccy="EUR">0.20</Amt></Chrgs>': "0.50",
    '<Chrgs><Rcrd><Amt Ccy="EUR">1</Amt></Rcrd><Rcrd><Amt Ccy="USD">1</Amt></Rcrd></Chrgs>': None,
    '<Chrgs><Amt Ccy="EUR">0.00</Amt></Chrgs>': None,
}


@pytest.mark.parametrize("place", ["<NtryDtls>", "<RltdPties>"])
def test_what_the_bank_took_for_it(place: str) -> None:
    """Of the entry or of its one transaction: the total that is said, or the sum of what is listed."""
    version = "054.001.08"
    entry = files.camt_entry(("2026-11-01", "5.00", "A", "x"), version)
    for said, expected in CHARGES.items():
        (one,), _ = read(camt.read, files.camt(entry.replace(place, said + place), version))
        charge = one.entry.charge_amount
        assert (said, expected) == (said, charge.text if charge else None)
    (one,), _ = read(camt.read, files.camt(entry, version))
    assert one.entry.charge_amount is None


def test_two_coffees_on_one_day_are_two() -> None:
    """Equal entries differ by how many came before; in another file they are the same again."""
    coffee = ("2026-11-01", "-3.50", "Café", "coffee")
    first, _ = read(camt.read, files.camt_statement("10.00", "3.00", (coffee, coffee)))
    again, _ = read(camt.read, files.camt_statement("10.00", "-0.50", (coffee, coffee, coffee)))
    assert 2 == len({one.fingerprint for one in first})
    assert [one.fingerprint for one in first] == [one.fingerprint for one in again[:2]]


def test_what_waits_is_known_again_when_it_is_booked() -> None:
    """By the bank's reference, whatever day it is booked on."""
    line = ("2026-11-01", "-3.50", "Café", "coffee")
    waits = files.camt(files.camt_entry(line, "052.001.08", status="PDNG", ref="R1"), "052.001.08")
    booked = files.camt(files.camt_entry(("2026-11-03", *line[1:]), "052.001.08", ref="R1"), "052.001.08")
    (pending,), _ = read(camt.read, waits)
    (one,), _ = read(camt.read, booked)
    assert (EntryStatus.PENDING, pending.fingerprint) == (pending.entry.status, one.waiting)


def test_balances_of_every_type_are_kept() -> None:
    """The bank's own types are passed over."""
    body = "".join(
        files.camt_balance(kind, "-1.00", "2026-11-01", version="052.001.08") for kind in (*BalanceType, "ZZZZ")
    )
    _, (statement,) = read(
        camt.read, files.camt(body.replace(files.camt_balance("CLBD", "-1.00", "2026-11-01"), ""), "052.001.08")
    )
    assert set(BalanceType) - {BalanceType.CLOSING_BOOKED} == {one.balance_type for one in statement.balances}
    assert {Indicator.DEBIT} == {one.credit_debit_indicator for one in statement.balances}


GOOD = files.camt_statement("10.00", "79.50", XML_LINES)


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        (">79.50<", ">79.51<", "opening balance and entries do not make the closing balance"),
        (">100.00<", ">-100.00<", "line 7: an amount that is none, or has a sign"),
        (">100.00<", ">1e2<", "line 7: an amount that is none"),
        (">100.00<", ">100.001<", "more than 2 digits"),
        ('"EUR">100.00', '"USD">100.00', "line 7: two currencies in one account"),
        ('"EUR">100.00', '"EURO">100.00', "line 7: an amount that is none: not a currency"),
        ("<BookgDt><Dt>2026-11-01", "<BookgDt><Dt>2026-02-30", "line 7: a day that no calendar has"),
        ("<BookgDt><Dt>2026-11-01", "<BookgDt><Dt>20261101", "line 7: a day that no calendar has"),
        ("<Cd>BOOK</Cd>", "<Cd>MAYBE</Cd>", "line 7: an entry without a status"),
        ("<CdtDbtInd>CRDT</CdtDbtInd><Sts>", "<CdtDbtInd>BOTH</CdtDbtInd><Sts>", "line 7: neither credit nor debit"),
        ("<IBAN>DE89370400440532013000</IBAN>", "", "an account without a number"),
        ("<IBAN>DE89370400440532013000</IBAN>", "<IBAN>nobody</IBAN>", "an IBAN that is none"),
        ("camt.053.001.08", "pain.001.001.09", "no camt"),
        ("camt.053.001.08", "camt.052.001.08", "another message than its namespace says"),
        ("<Cd>OPBD</Cd>", "<Cd>ITBD</Cd>", "no opening or no closing balance"),
        ("</Stmt>", "", "no XML: mismatched tag"),
        ("</BkToCstmrStmt></Document>", "", "no XML: no element found"),
        ("<Amt Ccy=\"EUR\">100.00</Amt>", "", "line 7: no amount"),
        ("</Acct>", "</Acct><TxsSummry><TtlCdtNtries><Sum>1</Sum></TtlCdtNtries></TxsSummry>", "sum of credits"),
        ("</Acct>", "</Acct><TxsSummry><TtlNtries><NbOfNtries>3</NbOfNtries></TtlNtries></TxsSummry>", "number of"),
    ],
)  # fmt: skip
def test_a_camt_file_that_is_wrong(old: str, new: str, reason: str) -> None:
    """The line and the reason, and nothing of what is in the file."""
    assert old in GOOD
    why = refused(camt.read, GOOD.replace(old, new, 1))
    assert reason in why
    assert "王芳" not in why
    assert "DE89" not in why


MT = files.mt940("10.00", "79.50", LINES).replace("\r\n", "\n")


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("EUR79,50", "EUR79,51", "line 9: opening balance and entries"),
        ("C100,00", "C-100,00", "line 5: an entry that is none"),
        ("C100,00", "C100,001", "line 5: an amount that is none"),
        ("C100,00", "X100,00", "line 5: an entry that is none"),
        ("2611011101C", "2602301101C", "line 5: a day that no calendar has"),
        ("2611011101C", "2611011301C", "line 5: a day that no calendar has"),
        ("EUR79,50", "USD79,50", "line 9: two currencies in one account"),
        (":60F:C261101EUR10,00\n", "", "an entry before anything says its currency"),
        (":62F:C261102EUR79,50\n", "", "no opening or no closing balance"),
        (":25:10020030/1234567\n", "", "a statement without an account"),
        (":25:10020030/1234567", ':25:"x"', "line 2: an account number with characters"),
        (":60F:C261101EUR10,00\n", ":60F:C261101EUR10,00\n:60F:C261101EUR10,00\n", "two opening balances"),
        ("C261101EUR10,00", "C261101EUR10.00", "line 4: a balance that is none"),
        (":20:STARTUMS\n", "", "an entry outside of a statement"),
    ],
)  # fmt: skip
def test_an_mt940_file_that_is_wrong(old: str, new: str, reason: str) -> None:
    """The line and the reason."""
    assert old in MT
    why = refused(mt940.read, MT.replace(old, new, 1))
    assert reason in why.replace("a field outside of a message", "an entry outside of a statement")
    assert "王芳" not in why


def test_a_balance_that_does_not_follow() -> None:
    """A sandbox file whose running balance jumps is refused at the transaction."""
    wrong = files.sandbox("10.00", LINES).replace('"new_balance": "110.00"', '"new_balance": "110.01"')
    assert "line 2: the balance after this entry" in refused(obp.read, wrong)


def test_files_are_known_by_how_they_begin(tmp_path: Path) -> None:
    """Whatever they are called."""
    for text, reader in ((GOOD, camt.read), (MT, mt940.read), (files.sandbox("1.00", LINES), obp.read)):
        path = tmp_path / "file.txt"
        path.write_text(text)
        assert reader is reader_of(path)
    path.write_text("date;amount\n")
    with pytest.raises(Refused, match="neither"):
        reader_of(path)


@st.composite
def lines(draw: st.DrawFn) -> Iterator[tuple[str, str, str, str]]:
    cents = draw(st.lists(st.integers(-(10**6), 10**6).filter(bool), min_size=1, max_size=12))
    return [(f"2026-11-{n % 28 + 1:02d}", str(Decimal(one).scaleb(-2)), "A", f"w{n}") for n, one in enumerate(cents)]  # type: ignore[return-value]  # hypothesis wraps it


@given(lines(), st.integers(-(10**6), 10**6), st.integers(-2, 2))
def test_what_adds_up_is_taken_and_nothing_else(some: list[files.Line], opening: int, off: int) -> None:
    """In every format: the sums are those of decimals, and a cent too many is one too many."""
    start = Decimal(opening).scaleb(-2)
    end = start + sum(Decimal(one[1]) for one in some) + Decimal(off).scaleb(-2)
    for reader, text in (
        (camt.read, files.camt_statement(f"{start:f}", f"{end:f}", some)),
        (
            mt940.read,
            files.mt940(f"{start:.2f}", f"{end:.2f}", [(d, f"{Decimal(a):.2f}", n, w) for d, a, n, w in some]),
        ),
    ):
        if off:
            assert "do not make the closing balance" in refused(reader, text)
        else:
            told, (statement,) = read(reader, text)
            assert end == (statement.closing and statement.closing.amount)
            assert sum(Decimal(one[1]) for one in some) == sum(one.entry.signed.amount for one in told)
