"""Identity documents as people type them: type, number, and the last day on which they are good. See `inputs.py`."""

from __future__ import annotations

import re
from datetime import date
from enum import StrEnum
from typing import Final

from stdnum.cn import ric
from stdnum.exceptions import ValidationError

from foregate.rules.spelling import BadInput, plain, without_separators


class DocumentType(StrEnum):
    """Identity documents (banking practice; ISO 20022 has no finer list for China)."""

    RESIDENT_ID = "RESIDENT_ID"
    TEMP_RESIDENT_ID = "TEMP_RESIDENT_ID"
    RESIDENCE_PERMIT_HKMO = "RESIDENCE_PERMIT_HKMO"
    RESIDENCE_PERMIT_TW = "RESIDENCE_PERMIT_TW"
    FOREIGN_PR_ID = "FOREIGN_PR_ID"
    MAINLAND_PERMIT_HKMO = "MAINLAND_PERMIT_HKMO"
    MAINLAND_PERMIT_TW = "MAINLAND_PERMIT_TW"
    PASSPORT_CN = "PASSPORT_CN"
    PASSPORT_FOREIGN = "PASSPORT_FOREIGN"


def normal_document(kind: str, text: str) -> str:
    """Return a document number in capitals, checked as its type allows (GB 11643 for resident IDs)."""
    number = without_separators(text).upper()
    if not number:
        raise BadInput("empty")
    match kind:
        case DocumentType.RESIDENT_ID | DocumentType.TEMP_RESIDENT_ID:
            return _resident_number(number)
        case DocumentType.RESIDENCE_PERMIT_HKMO | DocumentType.RESIDENCE_PERMIT_TW | DocumentType.FOREIGN_PR_ID:
            if not re.fullmatch(r"[0-9]{17}[0-9X]|[A-Z]{3}[0-9]{12}", number):
                raise BadInput("document-number")
        case DocumentType.MAINLAND_PERMIT_HKMO:
            if not re.fullmatch(r"[HM][0-9]{8}([0-9]{2})?", number):
                raise BadInput("document-number")
        case DocumentType.MAINLAND_PERMIT_TW:
            if not re.fullmatch(r"[0-9]{8}([0-9]{2})?", number):
                raise BadInput("document-number")
        case DocumentType.PASSPORT_CN | DocumentType.PASSPORT_FOREIGN:
            if not re.fullmatch(r"[A-Z0-9]{5,17}", number):
                raise BadInput("document-number")
        case _:
            raise BadInput("document-type")
    return number


def _resident_number(number: str) -> str:
    if not re.fullmatch(r"[1-8][0-9]{16}[0-9X]", number):
        raise BadInput("document-number")
    try:
        ric.validate(number)
    except ValidationError as wrong:
        # An area that was merged or renamed is no reason to send anybody away; a wrong check digit is.
        if type(wrong).__name__ != "InvalidComponent":
            raise BadInput("document-check-digit") from None
    return number


def normal_document_type(text: str) -> str:
    """Return one of DocumentType."""
    value = plain(text).upper()
    if value not in set(DocumentType):
        raise BadInput("document-type")
    return value


# As printed on cards and passports, and as keyboards make it: 2035-01-31, 2035.01.31, 2035年1月31日, 20350131.
_DAY: Final = re.compile(
    r"([0-9]{4})\s*[-./年 ]\s*([0-9]{1,2})\s*[-./月 ]\s*([0-9]{1,2})\s*日?|([0-9]{4})([0-9]{2})([0-9]{2})"
)


def normal_day(text: str) -> str:
    """Return a day as an ISO date, or nothing: a document without an end has none."""
    typed = plain(text)
    if not typed:
        return ""
    found = _DAY.fullmatch(typed)
    if found is None:
        raise BadInput("day-shape")
    year, month, day = (int(part) for part in found.groups() if part is not None)
    try:
        return date(year, month, day).isoformat()
    except ValueError:
        raise BadInput("day-unknown") from None
