"""Tables that somebody edited: from parsed JSON to the same structures that the server runs.

The shapes are those that `foregate journeys --format json` and `foregate policy --format json` print. An edited
table is checked before it can be switched on (`foregate check --table FILE`); what cannot be read is refused here,
in a sentence that says where.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Final, TypeVar

from foregate.rules.journeys import JOURNEYS, Journey, Table, table
from foregate.rules.policy import POLICY, Evidence, Policy
from foregate.rules.words import PROOFS, All, AnyOf, CodeTo, Formula, Level, Who

ROWS_MAX: Final = 100
FORMULA_DEPTH_MAX: Final = 8
FORMULA_PARTS_MAX: Final = 16

_Word = TypeVar("_Word", bound=StrEnum)


class BadTable(ValueError):
    """The edited table cannot be read; the message says where, and what is expected there."""


def tables_from(parsed: Any) -> tuple[Table, Policy]:
    """Return journeys and policy from parsed JSON: a list of rows, a policy, or `{"journeys": .., "policy": ..}`.

    What the file leaves out is as in the default tables. Raises BadTable.
    """
    match parsed:
        case list():
            return journeys_from(parsed), POLICY
        case {"journeys": list() as rows, "policy": dict() as acts}:
            return journeys_from(rows), policy_from(acts)
        case {"journeys": list() as rows}:
            return journeys_from(rows), POLICY
        case {"policy": dict() as acts}:
            return JOURNEYS, policy_from(acts)
        case dict() if parsed:
            return JOURNEYS, policy_from(parsed)
        case _:
            raise BadTable('expected a list of journeys, a policy, or {"journeys": [..], "policy": {..}}')


def journeys_from(rows: list[Any]) -> Table:
    """Return the table. Raises BadTable."""
    if len(rows) > ROWS_MAX:
        raise BadTable(f"{len(rows)} journeys; {ROWS_MAX} is the most")
    try:
        return table(*(_row(row, number) for number, row in enumerate(rows, 1)))
    except BadTable:
        raise
    except ValueError as error:
        raise BadTable(str(error)) from None


def _row(row: Any, number: int) -> Journey:
    if not isinstance(row, dict) or not isinstance(row.get("name"), str):
        raise BadTable(f"journey {number} has no name")
    name = row["name"]
    known = JOURNEYS.get(name)
    for key in ("who", "prove", "act"):
        if key not in row:
            raise BadTable(f"journey {name}: `{key}` is missing")
    level = row.get("session")
    code_to = row.get("code_to") or (known.code_to if known else CodeTo.REGISTERED)
    return Journey(
        name=name,
        who=tuple(_word(Who, who, f"journey {name}: who") for who in _texts(row["who"], f"journey {name}: who")),
        prove=formula_from(row["prove"], f"journey {name}: prove"),
        act=_text(row["act"], f"journey {name}: act"),
        session=_word(Level, level, f"journey {name}: session") if level is not None else None,
        code_to=_word(CodeTo, code_to, f"journey {name}: code_to"),
        needs_permission=_flag(row, "needs_permission", known.needs_permission if known else level is not None),
        changes=_texts(row.get("changes", []), f"journey {name}: changes"),
        charges=_texts(row.get("charges", []), f"journey {name}: charges"),
        cooling=_flag(row, "cooling", known.cooling if known else False),
        seasoned=_flag(row, "seasoned", known.seasoned if known else False),
        asks_number=_flag(row, "asks_number", known.asks_number if known else False),
        open=_flag(row, "open", True),
    )


def formula_from(parsed: Any, where: str, depth: int = 0) -> Formula:
    """Return the formula of `{"proof": name}`, `{"all": [..]}` or `{"any": [..]}`. Raises BadTable."""
    if depth > FORMULA_DEPTH_MAX:
        raise BadTable(f"{where}: nested deeper than {FORMULA_DEPTH_MAX}")
    match parsed:
        case {"proof": str() as name} if name in PROOFS:
            return PROOFS[name]
        case {"proof": name}:
            raise BadTable(f"{where}: there is no proof {name!r}; there are {', '.join(PROOFS)}")
        case {"all": list() as parts} if 0 < len(parts) <= FORMULA_PARTS_MAX:
            return All(tuple(formula_from(part, where, depth + 1) for part in parts))
        case {"any": list() as parts} if 0 < len(parts) <= FORMULA_PARTS_MAX:
            return AnyOf(tuple(formula_from(part, where, depth + 1) for part in parts))
        case _:
            raise BadTable(f'{where}: expected {{"proof": name}}, {{"all": [..]}} or {{"any": [..]}}')


def policy_from(acts: Mapping[str, Any]) -> Policy:
    """Return the policy. Raises BadTable."""
    return {act: _evidence(act, given) for act, given in acts.items()}


def _evidence(act: str, given: Any) -> Evidence:
    match given:
        case {"min_categories": int() as least, "fresh_seconds": int() as seconds, "alternatives": list() as sets} if (
            least >= 0 and seconds >= 0 and sets
        ):
            return Evidence(least, seconds, tuple(_alternative(act, names) for names in sets))
        case _:
            raise BadTable(f"policy of {act}: expected min_categories, fresh_seconds and alternatives")


def _alternative(act: str, names: Any) -> frozenset[str]:
    alternative = frozenset(_texts(names, f"policy of {act}: alternatives"))
    unknown = sorted(alternative - set(PROOFS))
    if unknown:
        raise BadTable(f"policy of {act}: there is no proof {unknown[0]!r}; there are {', '.join(PROOFS)}")
    return alternative


def _word(words: type[_Word], value: Any, where: str) -> _Word:
    try:
        return words(value)
    except ValueError:
        raise BadTable(f"{where}: {value!r} is none of {', '.join(words)}") from None


def _text(value: Any, where: str) -> str:
    if not isinstance(value, str) or not value:
        raise BadTable(f"{where}: expected a word")
    return value


def _texts(value: Any, where: str) -> tuple[str, ...]:
    if not isinstance(value, list):
        raise BadTable(f"{where}: expected a list")
    return tuple(_text(item, where) for item in value)


def _flag(row: Mapping[str, Any], key: str, default: bool) -> bool:
    value = row.get(key, default)
    if not isinstance(value, bool):
        raise BadTable(f"journey {row['name']}: {key} is neither true nor false")
    return value
