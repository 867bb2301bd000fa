"""Money is whole minor units: nothing is lost on the way in or out, and no float comes near it."""

import ast
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from foregate.rules import limits
from foregate.rules.money import BadMoney, Money, digits_of, money, zero

SOURCE = Path(__file__).parents[2] / "src" / "foregate"
# Everything that an amount passes through on its way from a file to a reader.
MONEY_PATH = sorted(
    {
        SOURCE / "rules" / "money.py",
        SOURCE / "ports" / "accounts.py",
        SOURCE / "ports" / "ledger.py",
        SOURCE / "demo" / "lives.py",
        SOURCE / "doors" / "cli_accounts.py",
        *(SOURCE / "accounts").glob("*.py"),
        *(SOURCE / "store" / "accounts").glob("*.py"),
        *(SOURCE / "gateways" / "core_bank").glob("*.py"),
        *(SOURCE / "doors" / "api").glob("*account*.py"),
    }
)
currencies = st.sampled_from(["CNY", "EUR", "JPY", "KWD", "CLF", "ISK"])
minors = st.integers(-int(limits.AMOUNT_MINOR_MAX), int(limits.AMOUNT_MINOR_MAX))


@given(minors, currencies)
def test_what_is_written_is_read_back(minor: int, currency: str) -> None:
    """Text, decimal and minor units say the same."""
    amount = Money(minor, currency)
    assert amount == money(amount.text, currency)
    assert Decimal(amount.text) == amount.amount
    assert -digits_of(currency) == amount.amount.as_tuple().exponent


@given(minors, minors, currencies)
def test_sums_are_those_of_decimals(one: int, other: int, currency: str) -> None:
    """Adding, taking away and comparing agree with decimal arithmetic."""
    a, b = Money(one, currency), Money(other, currency)
    assert a.amount + b.amount == (a + b).amount
    assert a.amount - b.amount == (a - b).amount
    assert ((a.amount < b.amount), (a.amount <= b.amount)) == (a < b, a <= b)
    assert (zero(currency), abs(one)) == (a + -a, abs(a).minor)


@pytest.mark.parametrize(
    ("text", "currency", "written"),
    [
        ("12.3", "CNY", "12.30"), ("0.050", "CNY", "0.05"), ("8.850", "EUR", "8.85"), ("-7", "EUR", "-7.00"),
        ("2700", "JPY", "2700"), ("2700.00", "JPY", "2700"), ("1.5", "KWD", "1.500"), ("007", "CNY", "7.00"),
        ("5.", "CNY", "5.00"),
    ],
)  # fmt: skip
def test_amounts_as_people_and_banks_write_them(text: str, currency: str, written: str) -> None:
    """Zeros behind the last digit are nothing; the currency says how many digits stand there."""
    assert written == money(text, currency).text


@pytest.mark.parametrize(
    ("text", "currency"),
    [
        ("1.005", "CNY"), ("0.5", "JPY"), ("", "CNY"), (".", "CNY"), ("1,00", "CNY"), ("1e3", "CNY"), ("NaN", "CNY"),
        ("Infinity", "CNY"), ("１２", "CNY"), ("١٢", "CNY"), (" 1", "CNY"), ("--1", "CNY"), ("1", "cny"), ("1", "XXX"),
        ("1", ""), ("1", "CN"), ("1", "CNY\n"), ("1\n", "CNY"), ("9" * 19, "CNY"), ("1000000000000000.01", "CNY"),
    ],
)  # fmt: skip
def test_what_is_no_amount(text: str, currency: str) -> None:
    """Nothing is rounded and nothing is guessed; the message does not repeat what was written."""
    with pytest.raises(BadMoney) as wrong:
        money(text, currency)
    assert not text.strip() or text.strip() not in str(wrong.value) or text in ("1", ".", " 1", "1\n")


def test_the_most_and_one_more() -> None:
    """AMOUNT_MINOR_MAX is the last amount that is one."""
    assert limits.AMOUNT_MINOR_MAX == money("1000000000000000.00", "CNY").minor
    with pytest.raises(BadMoney):
        money("1000000000000000.01", "CNY")


def test_two_currencies_have_no_sum() -> None:
    """Nor an order."""
    for operation in (Money.__add__, Money.__sub__, Money.__lt__, Money.__le__):
        with pytest.raises(BadMoney):
            operation(Money(1, "CNY"), Money(1, "EUR"))


def is_path(node: ast.BinOp | ast.AugAssign) -> bool:
    """Say whether a slash joins a name to a folder."""
    right = node.right if isinstance(node, ast.BinOp) else node.value
    return isinstance(right, ast.Constant) and isinstance(right.value, str)


def floats_in(path: Path) -> list[str]:
    """Return where a module could make a float: a literal, the name, a division, `round` or `math`."""
    found = []
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        is_float = (
            (isinstance(node, ast.Constant) and isinstance(node.value, float | complex))
            or (isinstance(node, ast.Name) and node.id in ("float", "round", "complex"))
            or (isinstance(node, ast.BinOp | ast.AugAssign) and isinstance(node.op, ast.Div) and not is_path(node))
            or (isinstance(node, ast.Import | ast.ImportFrom) and "math" in ast.dump(node))
            or (isinstance(node, ast.Attribute) and node.attr in ("Float", "Numeric", "REAL", "timestamp"))
        )
        if is_float:
            found.append(f"{path.name}:{getattr(node, 'lineno', 0)}")
    return found


@pytest.mark.parametrize("path", MONEY_PATH, ids=lambda path: path.relative_to(SOURCE).as_posix())
def test_no_float_in_the_money_path(path: Path) -> None:
    """A float is a cent lost some day. Moments of datetimes are the one thing that has its own way to an int."""
    text = path.read_text("utf-8")
    moments = [n for n, line in enumerate(text.splitlines(), 1) if ".timestamp()" in line and "int(" in line]
    joined = {f"{path.name}:{n}" for n in moments}
    paths = {where for where in floats_in(path) if where not in joined}
    assert set() == paths


@pytest.mark.parametrize(
    "code", ["x = 0.5", "x = float(y)", "x = y / 2", "x /= 2", "round(x)", "import math", "from math import floor"]
)
def test_the_lint_sees_a_float(code: str, tmp_path: Path) -> None:
    """Each way to one is found."""
    path = tmp_path / "one.py"
    path.write_text(code)
    assert floats_in(path)
