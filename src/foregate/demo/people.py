"""The demo bank's people: nobody of this name, number or card exists. Each stands in a telling situation.

Card numbers begin with 9906, which no bank issues under; identity numbers with 100000, an area where nobody was
born. Check digits are right all the same, so every rule of the front door applies to them. Telephone numbers are
made up too, and the demo sends nothing: messages arrive on the simulated phone.
"""

from __future__ import annotations

import time
import tomllib
from collections.abc import Mapping
from datetime import date, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Final

import msgspec
from stdnum import luhn
from stdnum.cn import ric

from foregate.rules.document_terms import years_after
from foregate.rules.documents import day_of

STORIES: Final[Mapping[str, Mapping[str, str]]] = tomllib.loads(
    Path(__file__).with_name("stories.toml").read_text("utf-8")
)
PASSWORD: Final = "kite-over-river-7"
PIN: Final = "246813"
OTHER_PIN: Final = "135792"


class Situation(StrEnum):
    """What stands in a person's way before they begin, for `settle` to bring about."""

    FINE = "fine"
    CLOSED_BY_FAILURES = "closed-by-failures"
    CLOSED_BY_CUSTOMER = "closed-by-customer"
    CLOSED_BY_DISUSE = "closed-by-disuse"
    CLOSED_BY_BANK = "closed-by-bank"
    PASSWORD_BLOCKED = "password-blocked"
    DEVICE_REMEMBERED = "device-remembered"
    FACE_EXPIRED = "face-expired"
    SIM_REPLACED = "sim-replaced"


class Card(msgspec.Struct, frozen=True):
    """A card, its PIN, and the number bound to it when it was issued."""

    number: str
    pin: str
    bound_phone: str | None


class Login(msgspec.Struct, frozen=True):
    """What a person registered for e-banking with."""

    phone: str
    user_name: str
    password: str = PASSWORD


class Renewed(msgspec.Struct, frozen=True):
    """The document that replaces one that ends; the registry knows it, the bank does not yet."""

    number: str
    issued_on: str  # ISO date
    expires_on: str  # ISO date


class Person(msgspec.Struct, frozen=True, kw_only=True):
    """One fictional customer. `holds` are the numbers whose messages still reach them; `login` None: not registered."""

    key: str  # names the story: stable, so tests and links can mean somebody
    core_ref: str
    name: str
    birth_date: str  # ISO date
    document_type: str
    document_number: str
    document_expires_on: str | None  # ISO date; None: long-term
    renewed: Renewed | None = None
    cards: tuple[Card, ...]
    holds: tuple[str, ...]
    login: Login | None = None
    situation: Situation = Situation.FINE
    story: Mapping[str, str]  # by language: who this is, and what to try

    @property
    def is_registered(self) -> bool:
        """Whether they use e-banking already."""
        return self.login is not None


def phone(number: int) -> str:
    """Return the `number`-th made-up mobile number, in E.164."""
    return f"+861990000{number:04d}"


def card(number: int, bound_phone: str | None, pin: str = PIN) -> Card:
    """Return the `number`-th made-up card."""
    digits = f"99060000{number:07d}"
    return Card(digits + luhn.calc_check_digit(digits), pin, bound_phone)


def resident_number(birth_date: str, sequence: int) -> str:
    """Return a resident identity number of an area where nobody was born."""
    digits = f"100000{birth_date.replace('-', '')}{sequence:03d}"
    return digits + ric.calc_check_digit(digits + "0")  # the digit in its place is not looked at


_TODAY: Final = day_of(int(time.time()))  # at the bank, where it may be tomorrow already
_FOURTEEN_YEARS_AGO: Final = f"{_TODAY.year - 14}-01-01"
_WOMEN: Final = frozenset({1, 4, 6, 9, 10, 12, 13, 14, 17, 19, 20, 22, 25, 27, 28, 30})
_SOON: Final = (_TODAY + timedelta(days=12)).isoformat()
_JUST_OVER: Final = (_TODAY - timedelta(days=25)).isoformat()


def _for_years(number: str, issued_on: date, years: int) -> Renewed:
    """Return a document that was given for so many years."""
    return Renewed(number, issued_on.isoformat(), years_after(issued_on, years).isoformat())


def _person(
    number: int,
    key: str,
    name: str,
    birth_date: str,
    *,
    cards: tuple[Card, ...] | None = None,
    document: tuple[str, str] | None = None,
    expires_on: str | None = "2038-05-20",
    renewed: Renewed | None = None,
    holds: tuple[str, ...] | None = None,
    login: Login | None = None,
    situation: Situation = Situation.FINE,
) -> Person:
    """Return a person; who has nothing unusual has one card, bound to their own number, and a resident ID card.

    `renewed` is their new document, where they have one.
    """
    sequence = number * 4 + (number not in _WOMEN)  # even for women, odd for men
    kind, document_number = document or ("RESIDENT_ID", resident_number(birth_date, sequence))
    return Person(
        key=key,
        core_ref=f"DEMO-{number:04d}",
        name=name,
        birth_date=birth_date,
        document_type=kind,
        document_number=document_number,
        document_expires_on=expires_on,
        renewed=renewed,
        cards=cards if cards is not None else (card(number * 10, phone(number)),),
        holds=holds if holds is not None else (phone(number),),
        login=login,
        situation=situation,
        story=STORIES[key],
    )


_FAMILY: Final = phone(11)

# fmt: off
PEOPLE: Final[tuple[Person, ...]] = (
    _person(1, "fine", "林晚晴", "1990-04-12", login=Login(phone(1), "linwanqing")),
    _person(2, "not-registered", "赵一鸣", "1996-11-02"),
    _person(3, "forgot-password", "周子安", "1988-07-23", login=Login(phone(3), "zhou.zian")),
    _person(4, "closed-by-failures", "吴海燕", "1979-02-18", login=Login(phone(4), "wuhaiyan"),
            situation=Situation.CLOSED_BY_FAILURES),
    _person(5, "closed-by-customer", "郑国强", "1985-09-09", login=Login(phone(5), "zhengguoqiang"),
            situation=Situation.CLOSED_BY_CUSTOMER),
    _person(6, "closed-by-disuse", "孙秀英", "1951-03-30", login=Login(phone(6), "sunxiuying"), expires_on=None,
            situation=Situation.CLOSED_BY_DISUSE),
    _person(7, "closed-by-bank", "何建国", "1968-12-01", login=Login(phone(7), "hejianguo"),
            situation=Situation.CLOSED_BY_BANK),
    # The registered number (0108, 0109) was given up; the one bound to the card is held still, or is gone as well.
    _person(8, "number-gone-bound-held", "马晓东", "1982-06-15", login=Login(phone(108), "maxiaodong")),
    _person(9, "no-number-held", "黄丽华", "1974-10-27", login=Login(phone(109), "huanglihua"), holds=()),
    _person(10, "two-cards", "徐静", "1991-01-19", login=Login(phone(10), "xujing"),
            cards=(card(100, phone(10)), card(101, phone(110), OTHER_PIN)), holds=(phone(10), phone(110))),
    _person(11, "family-father", "陈建军", "1970-08-08", cards=(card(110, _FAMILY),), holds=(_FAMILY,),
            login=Login(_FAMILY, "chenjianjun")),
    _person(12, "family-mother", "李梅", "1972-05-25", cards=(card(120, _FAMILY),), holds=(_FAMILY, phone(112)),
            login=Login(phone(112), "limei1972")),
    _person(13, "family-daughter", "陈小雨", "2005-06-01", cards=(card(130, _FAMILY),), holds=(_FAMILY,)),
    _person(14, "middle-dot", "阿依古丽·买买提", "1993-03-21"),
    _person(15, "rare-character", "王𬭎", "1987-12-12"),
    _person(16, "latin-name", "ANNA MARIA KOWALSKA", "1984-02-29", document=("FOREIGN_PR_ID", "POL100000000016")),
    _person(17, "number-ends-in-x", "宋雨桐", "1994-08-17",
            document=("RESIDENT_ID", resident_number("1994-08-17", 48))),
    _person(18, "document-expired", "唐志远", "1980-01-05", expires_on="2024-03-31",
            renewed=_for_years(resident_number("1980-01-05", 73), date(2025, 3, 31), 20),
            login=Login(phone(18), "tangzhiyuan")),
    _person(19, "document-expiring", "罗佳", "1992-07-07", expires_on=_SOON,
            renewed=_for_years(resident_number("1992-07-07", 76), _TODAY - timedelta(days=2), 20),
            login=Login(phone(19), "luojia")),
    _person(20, "fourteen", "许乐乐", _FOURTEEN_YEARS_AGO),
    _person(21, "same-name-one", "王伟", "1983-05-14", login=Login(phone(21), "wangwei83")),
    _person(22, "same-name-two", "王伟", "1999-09-30"),
    _person(23, "passport", "LIAM O'CONNOR", "1977-04-04", document=("PASSPORT_FOREIGN", "XY0000023")),
    _person(24, "hong-kong-permit", "陳家豪", "1986-10-10", document=("MAINLAND_PERMIT_HKMO", "H00000024")),
    _person(25, "device-remembered", "韩雪", "1995-02-02", login=Login(phone(25), "hanxue"),
            situation=Situation.DEVICE_REMEMBERED),
    _person(26, "password-blocked", "冯涛", "1989-11-11", login=Login(phone(26), "fengtao"),
            situation=Situation.PASSWORD_BLOCKED),
    # Both numbers were given up with the old phone; the new one nobody at the bank knows yet.
    _person(27, "lost-number-forgot-password", "苏婉", "1976-09-14", login=Login(phone(227), "suwan1976"),
            cards=(card(270, phone(227)),), holds=(phone(127),)),
    _person(28, "document-long-term", "杜桂兰", "1955-06-18", expires_on=None, login=Login(phone(28), "duguilan")),
    # A passport is given out anew under another number; only the registry knows that both are hers.
    _person(29, "passport-renewed", "MARIE CLAIRE DUBOIS", "1988-03-09", document=("PASSPORT_FOREIGN", "21AB00029"),
            expires_on=_JUST_OVER, renewed=_for_years("26CD00029", _TODAY - timedelta(days=9), 10),
            login=Login(phone(29), "marie.dubois")),
    _person(30, "face-to-try", "江晓雯", "1990-08-18", login=Login(phone(30), "jiangxiaowen")),
    _person(31, "face-expired", "沈博文", "1986-02-11", login=Login(phone(31), "shenbowen"),
            situation=Situation.FACE_EXPIRED),
    # The number is his, the card in the phone is from yesterday: the bank cannot tell him from a thief.
    _person(32, "sim-replaced", "秦朗", "1991-05-06", login=Login(phone(32), "qinlang"),
            situation=Situation.SIM_REPLACED),
)
# fmt: on


def person(key: str) -> Person:
    """Return somebody by the name of their story. Raises KeyError."""
    found = next((person for person in PEOPLE if person.key == key), None)
    if found is None:
        raise KeyError(key)
    return found
