"""What `:86:` of an MT940 says: who, which account, what for. It is free text with habits, so nothing here refuses."""

from __future__ import annotations

import re
from typing import Any, Final

from foregate.ports.accounts import Indicator, Party

_STRUCTURED: Final = re.compile(r"\s*([0-9]{3})(\?[0-9]{2}.*)", re.DOTALL)
_SUB_FIELD: Final = re.compile(r"\?([0-9]{2})")
_SLASHED: Final = re.compile(r"/(BENM|ORDP|REMI|EREF|MARF|NAME|IBAN|BIC|ISDT|CSID|PURP|TRCD|ADDR|TRTP|ULTB|ULTD|RTRN)/")
_REMITTANCE: Final = (*range(20, 30), *range(60, 64))
_KIND, _BANK, _ACCOUNT, _NAMES = 0, 30, 31, (32, 33)


def details_of(text: str, indicator: Indicator) -> dict[str, Any]:
    """Return fields of an entry; the other side is the debtor of what came and the creditor of what went."""
    structured = _STRUCTURED.fullmatch(text)
    if structured is not None:
        party, remittance = _german(structured[2].replace("\n", ""))
    elif _SLASHED.search(text):
        party, remittance = _dutch(text.replace("\n", ""))
    else:
        return {"remittance_information": tuple(line.strip() for line in text.splitlines() if line.strip())}
    return {"remittance_information": remittance, "debtor" if indicator is Indicator.CREDIT else "creditor": party}


def _german(text: str) -> tuple[Party, tuple[str, ...]]:
    parts = _SUB_FIELD.split(text)
    fields: dict[int, str] = {}
    for number, content in zip(parts[1::2], parts[2::2], strict=True):
        fields[int(number)] = fields.get(int(number), "") + content
    # Sub-fields are cut wherever 27 characters were full, within words too.
    remittance = "".join(fields.get(n, "") for n in _REMITTANCE).strip()
    name = "".join(fields.get(n, "") for n in _NAMES).strip()
    party = Party(name=name, account=fields.get(_ACCOUNT, "").strip(), agent=fields.get(_BANK, "").strip())
    kind = fields.get(_KIND, "").strip()  # "DAUERAUFTRAG"
    return party, tuple(line for line in (kind, remittance) if line)


def _dutch(text: str) -> tuple[Party, tuple[str, ...]]:
    parts = _SLASHED.split(text)
    fields: dict[str, str] = {}
    for word, content in zip(parts[1::2], parts[2::2], strict=True):
        fields.setdefault(word, content.strip(" /"))
    party = Party(name=fields.get("NAME", ""), account=fields.get("IBAN", ""), agent=fields.get("BIC", ""))
    return party, (fields["REMI"],) if fields.get("REMI") else ()
