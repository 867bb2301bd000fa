"""Mobile numbers, in E.164: what the library knows of them, read the short way where it can be."""

from __future__ import annotations

import re
from typing import Final

import phonenumbers

from foregate.rules.spelling import BadInput, without_separators


def normal_phone(text: str, region: str = "CN") -> str:
    """Return a mobile number in E.164. `13800138000`, `+86 138-0013-8000` and `0086138...` are one number."""
    compact = without_separators(text)
    if not compact:
        raise BadInput("empty")
    if compact.startswith("00"):
        compact = "+" + compact[2:]
    number = _parsed(compact, region)
    if phonenumbers.region_code_for_number(number) != region:
        raise BadInput("phone-elsewhere")
    kind = phonenumbers.number_type(number)
    if kind == phonenumbers.PhoneNumberType.UNKNOWN:  # no number of any kind
        raise BadInput("phone-not-a-number")
    if kind != phonenumbers.PhoneNumberType.MOBILE:
        raise BadInput("phone-not-mobile")
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


# The parser looks for extensions, prefixes of carriers and the like, which takes longer than to ask the database. What
# nearly everybody types has none of that; whether it is a mobile number stays the library's word.
_PLAIN: Final = re.compile(r"(?:\+86)?(1[3-9][0-9]{9})")


def _parsed(compact: str, region: str) -> phonenumbers.PhoneNumber:
    digits = _PLAIN.fullmatch(compact)
    if digits and region == "CN":
        return phonenumbers.PhoneNumber(country_code=86, national_number=int(digits[1]))
    try:
        return phonenumbers.parse(compact, region)
    except phonenumbers.NumberParseException:
        raise BadInput("phone-not-a-number") from None
