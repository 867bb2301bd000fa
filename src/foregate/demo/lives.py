"""Two years of somebody's money: salary, rent, markets, red packets, what waits and what is still to come.

The same person on the same day has always lived the same life: chance is seeded with their name in the demo. No shop,
company or friend in it exists. Nothing here knows the bank: it returns what the ledger is told.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from random import Random
from typing import Any, Final
from zoneinfo import ZoneInfo

import msgspec

from foregate.demo.people import Person
from foregate.ids import new_id
from foregate.ports.accounts import Code, Entry, EntryStatus, Indicator, Party
from foregate.ports.ledger import Told
from foregate.rules.categories import category_of
from foregate.rules.money import Money

YEARS: Final = 2
ZONE: Final = ZoneInfo("Asia/Shanghai")
FEN: Final = 100
_BANK: Final = "Foregate 示范银行"
_OTHER_BANK: Final = "云岭示范银行"
# Eve of the lunar new year.
_NEW_YEARS_EVE: Final = frozenset(
    {"2024-02-09", "2025-01-28", "2026-02-16", "2027-02-05", "2028-01-25", "2029-02-12", "2030-02-02"}
)
_IN: Final = Code("PMNT", "RCDT", "DMCT")
_OUT: Final = Code("PMNT", "ICDT", "DMCT")
_CARD: Final = Code("PMNT", "CCRD", "POSD")


class Habit(msgspec.Struct, frozen=True):
    """What somebody pays now and then: to whom, for what, how often a month, how much in yuan."""

    payee: str
    words: str
    merchant: str  # ISO 18245
    a_month: int  # how many times in thirty days
    least: int
    most: int


# fmt: off
MANY_HABITS: Final = (
    Habit("绿禾生鲜超市", "财付通-微信支付-绿禾生鲜超市", "5411", 8, 25, 190),
    Habit("河坊街菜市场", "财付通-微信支付-河坊街菜市场", "5499", 5, 12, 70),
    Habit("巷口便利店", "财付通-微信支付-巷口便利店", "5499", 6, 5, 45),
    Habit("一盏茶咖啡", "财付通-微信支付-一盏茶咖啡", "5814", 6, 16, 38),
    Habit("老灶面馆", "支付宝-老灶面馆", "5812", 5, 18, 62),
    Habit("顺路出行", "支付宝-顺路出行-打车", "4121", 4, 14, 68),
    Habit("城市地铁", "地铁乘车扣款", "4111", 9, 2, 9),
    Habit("集市网上商城", "支付宝-集市网上商城", "5999", 2, 39, 620),
    Habit("星河影城", "财付通-微信支付-星河影城", "7832", 1, 45, 120),
    Habit("仁和大药房", "财付通-微信支付-仁和大药房", "5912", 1, 18, 160),
)
FEW_HABITS: Final = (
    Habit("绿禾生鲜超市", "财付通-微信支付-绿禾生鲜超市", "5411", 2, 30, 220),
    Habit("老灶面馆", "财付通-微信支付-老灶面馆", "5812", 1, 18, 70),
)
# fmt: on
NOBODY: Final = Party()
FRIENDS: Final = ("许知远", "顾小满", "程一诺", "梁思齐", "沈从容")
_BILLS: Final = (
    (18, "城东供电公司", "电费", "ELEC", 60, 240),
    (19, "城东自来水公司", "水费", "WTER", 18, 55),
    (22, "江南通信", "话费充值", "PHON", 58, 58),
)


def life_of(person: Person, today: date) -> list[Told]:
    """Return what happened to somebody's account until today, and what waits, in the order of the days."""
    life = _Life(person, today)
    first = today.replace(year=today.year - YEARS, day=1)
    life.get(first, 26_000 * FEN, Party(name=person.name, agent_name=_OTHER_BANK), "开户存入", hour=10)
    day = first + timedelta(days=1)
    while day <= today:
        life.live(day)
        day += timedelta(days=1)
    life.wait()
    return life.told


def paid_now(person: Person, now: int) -> Told:
    """Return 300 yuan that a friend sends at this moment: another payment each time."""
    friend, moment = FRIENDS[now % len(FRIENDS)], datetime.fromtimestamp(now, ZONE)
    day, reference = moment.date().isoformat(), new_id()
    entry = Entry(
        entry_id="",
        account_id="",
        sequence=0,
        status=EntryStatus.BOOKED,
        credit_debit_indicator=Indicator.CREDIT,
        amount=Money(300 * FEN, "CNY"),
        day=day,
        booking_date=day,
        value_date=day,
        transaction_date_time=now,
        account_servicer_reference=reference,
        bank_transaction_code=_IN,
        debtor=Party(name=friend, agent_name=_OTHER_BANK),
        creditor=Party(name=person.name, agent_name=_BANK),
        remittance_information=("聚餐的份子",),
        category=category_of(words="转账"),
    )
    return Told(entry=entry, fingerprint=hashlib.sha256(reference.encode()).digest()[:16])


class _Life:
    """One life while it is lived."""

    def __init__(self, person: Person, today: date) -> None:
        self.person, self.today = person, today
        self.is_rich_in_entries = person.key == "fine"
        self.chance = Random(f"life of {person.key}")  # noqa: S311 -- a made-up life, no secret
        self.told: list[Told] = []
        born = date.fromisoformat(person.birth_date)
        self.age = today.year - born.year
        self.monthly = self.chance.randrange(78, 150) * 100 * FEN

    def live(self, day: date) -> None:
        """Let one day pass."""
        self._income(day)
        self._home(day)
        self._shops(day)
        self._people(day)

    def _income(self, day: date) -> None:
        if self.age < 18:
            if day.day == 2:
                self.get(day, 300 * FEN, self._friend("许建平"), "零花钱", hour=8)
        elif self.age >= 60:
            if day.day == 15:
                self.get(day, self.monthly * 2 // 5, self._firm("城东社会保险中心"), "养老金", purpose="PENS", hour=9)
        elif day.day == 10:
            employer = self._firm("江南纸鸢文化有限公司")
            self.get(day, self.monthly + self.chance.randrange(60) * 1000, employer, "代发工资", purpose="SALA", hour=9)
            if day.month == 1:
                self.get(day, self.monthly * 3 // 2, employer, "年终奖金", purpose="BONU", hour=9)
        if day.day == 21 and day.month in (3, 6, 9, 12):
            self.get(day, self.chance.randrange(120, 900), Party(name=_BANK), "活期结息", purpose="INTE", hour=1)

    def _home(self, day: date) -> None:
        if self.age < 18:
            return
        if day.day == 1 and self.age < 60:
            landlord = self._friend("周桂芳")
            self.pay(
                day, self.monthly * 3 // 10 // 10_000 * 10_000, landlord, f"{day.month}月房租", purpose="RENT", hour=20
            )
        if day.day == 12:
            mine = Party(name=self.person.name, account="9906990000000000099", agent_name=_BANK)
            saved = self.monthly * (2 if self.age < 60 else 1) // 5 // 10_000 * 10_000
            self.pay(day, saved, mine, "转存定期", purpose="SAVG", hour=10)
        for due, payee, words, purpose, least, most in _BILLS:
            if day.day == due and (self.is_rich_in_entries or day.month % 3 == 0):
                amount = self.chance.randrange(least * FEN, most * FEN + 1)
                self.pay(day, amount, self._firm(payee), f"{words} {day:%Y年%m月}", purpose=purpose, hour=7)

    def _shops(self, day: date) -> None:
        for habit in MANY_HABITS if self.is_rich_in_entries else FEW_HABITS:
            if self.chance.randrange(30) < habit.a_month:
                self._buy(day, habit, EntryStatus.BOOKED)
        if self.is_rich_in_entries and (day.month, day.day) == (11, 11):
            self._buy(
                day, Habit("集市网上商城", "支付宝-集市网上商城-双十一", "5999", 1, 600, 1500), EntryStatus.BOOKED
            )

    def _people(self, day: date) -> None:
        if day.isoformat() in _NEW_YEARS_EVE:
            for name, words in (("爸爸", "新年快乐，平安喜乐"), ("外婆", "压岁钱")):
                self.get(
                    day, self.chance.choice((666, 888, 1000)) * FEN, Party(name=name), f"微信红包 {words}", hour=20
                )
            if self.age >= 18:
                self.pay(day, 200 * FEN, Party(name="小侄女"), "微信红包 学业进步", purpose="GIFT", hour=21)
        if day.day == 3 and self.is_rich_in_entries:
            self.get(day, 300 * FEN, self._friend("许知远"), f"{day.month}月合租宽带和物业费，谢谢", hour=12)
        if self.chance.randrange(40) == 0 and self.age >= 18:
            self.pay(
                day,
                self.chance.randrange(3, 30) * 10 * FEN,
                self._friend(self.chance.choice(FRIENDS)),
                "周末聚餐AA",
                hour=22,
            )

    def wait(self) -> None:
        """What is not booked: a fare that waits, a transfer that came back, rent and bills that are ordered."""
        if self.age < 18:
            return
        tomorrow = self.today + timedelta(days=1)
        self._buy(self.today, Habit("顺路出行", "支付宝-顺路出行-打车", "4121", 1, 20, 60), EntryStatus.PENDING)
        landlord = self._friend("周桂芳")
        due = (self.today.replace(day=1) + timedelta(days=32)).replace(day=1)
        rent = self.monthly * 3 // 10 // 10_000 * 10_000
        self.pay(max(due, tomorrow), rent, landlord, f"{due.month}月房租", status=EntryStatus.FUTURE, purpose="RENT")
        if self.is_rich_in_entries:
            last_week = self.today - timedelta(days=6)
            wrong = Party(name="沈从荣", account="9906990000000001234", agent_name=_OTHER_BANK)
            self.pay(last_week, 500 * FEN, wrong, "收款人姓名与账号不符，已退回", status=EntryStatus.REJECTED)

    def get(self, day: date, fen: int, debtor: Party, words: str, **more: Any) -> None:
        """Money comes."""
        self._tell(day, fen, Indicator.CREDIT, words, debtor=debtor, code=_IN, **more)

    def pay(self, day: date, fen: int, creditor: Party, words: str, **more: Any) -> None:
        """Money goes."""
        self._tell(day, fen, Indicator.DEBIT, words, creditor=creditor, code=_OUT, **more)

    def _buy(self, day: date, habit: Habit, status: EntryStatus) -> None:
        fen = self.chance.randrange(habit.least * FEN, habit.most * FEN)
        hour = self.chance.randrange(8, 22)
        self._tell(
            day, fen, Indicator.DEBIT, habit.words, creditor=Party(name=habit.payee), code=_CARD, status=status,
            merchant=habit.merchant, hour=hour,
        )  # fmt: skip

    def _tell(
        self, day: date, fen: int, indicator: Indicator, words: str, *, code: Code, debtor: Party = NOBODY,
        creditor: Party = NOBODY, status: EntryStatus = EntryStatus.BOOKED, purpose: str = "", merchant: str = "",
        hour: int = 12,
    ) -> None:  # fmt: skip
        number = len(self.told) + 1
        me = Party(name=self.person.name, agent_name=_BANK)
        is_booked = status is EntryStatus.BOOKED
        at = datetime.combine(day, time(hour, number % 60), ZONE)
        entry = Entry(
            entry_id="",
            account_id="",
            sequence=0,
            status=status,
            credit_debit_indicator=indicator,
            amount=Money(fen, "CNY"),
            day=day.isoformat(),
            booking_date=day.isoformat() if is_booked else None,
            value_date=day.isoformat() if is_booked else None,
            transaction_date_time=None if status is EntryStatus.FUTURE else int(at.timestamp()),
            account_servicer_reference=f"{day:%Y%m%d}{number:08d}",
            bank_transaction_code=code,
            debtor=me if indicator is Indicator.DEBIT else debtor,
            creditor=me if indicator is Indicator.CREDIT else creditor,
            remittance_information=(words,),
            purpose_code=purpose,
            merchant_category_code=merchant,
            category=category_of(purpose_code=purpose, merchant_category_code=merchant, words=words),
        )
        fingerprint = hashlib.sha256(f"{self.person.key}/{number}".encode()).digest()[:16]
        self.told.append(Told(entry=entry, fingerprint=fingerprint))

    def _friend(self, name: str) -> Party:
        number = int.from_bytes(hashlib.sha256(name.encode()).digest()[:4]) % 10**9
        return Party(name=name, account=f"9906990{number:012d}", agent_name=_OTHER_BANK)

    def _firm(self, name: str) -> Party:
        number = int.from_bytes(hashlib.sha256(name.encode()).digest()[:4]) % 10**9
        return Party(name=name, account=f"990680{number:011d}", agent_name=_OTHER_BANK)


def batches(told: list[Told], size: int) -> Iterator[list[Told]]:
    """Cut a life into what is told at once."""
    for start in range(0, len(told), size):
        yield told[start : start + size]
