"""What an entry was for, as far as codes and words tell: so that a month can be drawn.

Rules
  1. The strongest hint decides: the purpose code, then the merchant's category, then the bank transaction code, then
     words. A hint that says nothing leaves the next one its turn.
  2. It is an aid to the eye. Nothing is decided by it and no sum depends on it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Final


class Category(StrEnum):
    """What money came or went for."""

    SALARY = "salary"
    INTEREST = "interest"
    RENT = "rent"
    GROCERIES = "groceries"
    EATING_OUT = "eating-out"
    SHOPPING = "shopping"
    TRANSPORT = "transport"
    UTILITIES = "utilities"
    HEALTH = "health"
    EDUCATION = "education"
    LEISURE = "leisure"
    GIFTS = "gifts"
    TRANSFER = "transfer"
    CASH = "cash"
    FEES = "fees"
    TAX = "tax"
    OTHER = "other"


_BY_PURPOSE: Final[Mapping[str, Category]] = {
    "SALA": Category.SALARY, "PAYR": Category.SALARY, "BONU": Category.SALARY, "PENS": Category.SALARY,
    "INTE": Category.INTEREST, "DIVD": Category.INTEREST, "RENT": Category.RENT, "HLRP": Category.RENT,
    "GDDS": Category.SHOPPING, "GDSV": Category.SHOPPING, "ELEC": Category.UTILITIES, "GASB": Category.UTILITIES,
    "WTER": Category.UTILITIES, "PHON": Category.UTILITIES, "UBIL": Category.UTILITIES, "NWCM": Category.UTILITIES,
    "CBTV": Category.UTILITIES, "TAXS": Category.TAX, "VATX": Category.TAX, "EDUC": Category.EDUCATION,
    "STDY": Category.EDUCATION, "MDCS": Category.HEALTH, "HSPC": Category.HEALTH, "HLTI": Category.HEALTH,
    "GIFT": Category.GIFTS, "CHAR": Category.GIFTS, "CSDB": Category.CASH, "BUSB": Category.TRANSPORT,
    "RLWY": Category.TRANSPORT, "TRPT": Category.TRANSPORT, "AIRB": Category.TRANSPORT, "SAVG": Category.TRANSFER,
    "CASH": Category.TRANSFER, "FAMI": Category.TRANSFER,
}  # fmt: skip
# ISO 18245, by the ranges that the networks publish. First and last code, both included.
_BY_MERCHANT: Final[Sequence[tuple[int, int, Category]]] = (
    (3000, 3350, Category.TRANSPORT), (4011, 4131, Category.TRANSPORT), (4511, 4582, Category.TRANSPORT),
    (4784, 4789, Category.TRANSPORT), (5541, 5542, Category.TRANSPORT), (7523, 7523, Category.TRANSPORT),
    (4812, 4900, Category.UTILITIES), (5411, 5499, Category.GROCERIES), (5811, 5814, Category.EATING_OUT),
    (5912, 5912, Category.HEALTH), (8011, 8099, Category.HEALTH), (8211, 8299, Category.EDUCATION),
    (3501, 3999, Category.LEISURE), (4722, 4722, Category.LEISURE), (7011, 7011, Category.LEISURE),
    (7832, 7999, Category.LEISURE), (6010, 6011, Category.CASH), (6513, 6513, Category.RENT),
    (9311, 9311, Category.TAX), (5013, 5999, Category.SHOPPING), (7210, 7299, Category.SHOPPING),
)  # fmt: skip
_BY_FAMILY: Final[Mapping[str, Category]] = {
    "CNTR": Category.CASH, "CWDL": Category.CASH, "CDPT": Category.CASH, "CHRG": Category.FEES, "FEES": Category.FEES,
    "COMM": Category.FEES, "INTR": Category.INTEREST, "SALA": Category.SALARY, "PAYR": Category.SALARY,
    "TAXE": Category.TAX,
}  # fmt: skip
_BY_WORDS: Final[Sequence[tuple[Category, tuple[str, ...]]]] = (
    (Category.SALARY, ("工资", "薪资", "奖金", "养老金", "salary", "payroll", "pension")),
    (Category.INTEREST, ("利息", "结息", "interest")),
    (Category.RENT, ("房租", "租金", "按揭", "mortgage")),
    (Category.GIFTS, ("红包", "礼金", "捐款", "donation")),
    (Category.UTILITIES, ("电费", "水费", "燃气", "话费", "宽带", "物业", "electricity", "internet")),
    (Category.TRANSPORT, ("地铁", "公交", "打车", "滴滴", "铁路", "加油", "停车", "railway", "parking")),
    (Category.GROCERIES, ("超市", "菜市场", "生鲜", "便利店", "supermarket", "grocery")),
    (Category.EATING_OUT, ("餐", "咖啡", "奶茶", "外卖", "restaurant", "coffee")),
    (Category.HEALTH, ("医院", "药房", "药店", "诊所", "pharmacy", "hospital")),
    (Category.EDUCATION, ("学费", "培训", "学校", "tuition", "school")),
    (Category.TAX, ("个人所得税", "税务")),
    (Category.FEES, ("手续费", "年费", "service charge")),
    (Category.CASH, ("取现", "取款", "atm")),
    (Category.SHOPPING, ("淘宝", "京东", "拼多多", "商城", "百货")),
    (Category.LEISURE, ("影城", "电影", "酒店", "旅行", "健身", "cinema", "hotel")),
    (Category.TRANSFER, ("转账", "transfer")),
)


def category_of(
    *, purpose_code: str = "", merchant_category_code: str = "", codes: Sequence[str] = (), words: str = ""
) -> Category:
    """Return what the entry was for. `codes`: family and sub-family; `words`: names and remittance, in one text."""
    if found := _BY_PURPOSE.get(purpose_code):
        return found
    if merchant_category_code.isdecimal():
        merchant = int(merchant_category_code)
        for first, last, category in _BY_MERCHANT:
            if first <= merchant <= last:
                return category
    for code in codes:
        if found := _BY_FAMILY.get(code):
            return found
    lowered = words.casefold()
    return next((category for category, hints in _BY_WORDS if any(hint in lowered for hint in hints)), Category.OTHER)
