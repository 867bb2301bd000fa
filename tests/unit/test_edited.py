"""An edited table: refused with a sentence when it cannot be read, with a story when it is unsafe."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from foregate.doors import cli_rules
from foregate.rules.causes import CAUSES
from foregate.rules.check import check
from foregate.rules.edited import BadTable, tables_from
from foregate.rules.journeys import BUILT, JOURNEYS, row_as_json
from foregate.rules.policy import POLICY, policy_as_json
from foregate.rules.words import ways


def printed() -> list[dict[str, Any]]:
    """Return what `foregate journeys --format json` prints."""
    rows: list[dict[str, Any]] = json.loads(json.dumps([row_as_json(row) for row in JOURNEYS.values()]))
    return rows


def test_what_is_printed_can_be_read_again() -> None:
    """Both tables, unchanged."""
    journeys, policy = tables_from({"journeys": printed(), "policy": json.loads(json.dumps(policy_as_json()))})

    assert [row_as_json(row) for row in journeys.values()] == [row_as_json(row) for row in JOURNEYS.values()]
    assert [ways(row.prove) for row in journeys.values()] == [ways(row.prove) for row in JOURNEYS.values()]
    assert policy == POLICY


def test_a_file_may_hold_one_of_the_two() -> None:
    """The other is the default table."""
    assert tables_from(printed())[1] is POLICY
    assert tables_from(policy_as_json())[0] is JOURNEYS
    assert tables_from({"policy": policy_as_json()})[0] is JOURNEYS
    assert tables_from({"journeys": printed()})[1] is POLICY


def test_what_a_row_leaves_out_is_as_in_the_default_table() -> None:
    """A row of the least shape still sends its code to the number bound to the card."""
    least = [{k: row[k] for k in ("name", "who", "prove", "act", "session", "changes", "charges")} for row in printed()]
    journeys, _ = tables_from([{**row, "open": JOURNEYS[row["name"]].open} for row in least])

    assert journeys == tables_from(printed())[0]


@pytest.mark.parametrize(
    ("change", "where"),
    [
        ({"prove": {"proof": "horoscope"}}, "journey register: prove: there is no proof 'horoscope'"),
        ({"prove": {"all": []}}, "journey register: prove: expected"),
        ({"prove": "phone_code"}, "journey register: prove: expected"),
        ({"who": ["neighbour"]}, "journey register: who: 'neighbour' is none of phone"),
        ({"who": "phone"}, "journey register: who: expected a list"),
        ({"session": "half"}, "journey register: session: 'half' is none of basic, full"),
        ({"act": ""}, "journey register: act: expected a word"),
        ({"open": "yes"}, "journey register: open is neither true nor false"),
        ({"name": None}, "journey 1 has no name"),
        ({"name": "sign-in"}, "share a name"),
    ],
)
def test_what_cannot_be_read_is_refused_with_its_place(change: dict[str, Any], where: str) -> None:
    """The sentence says which row, which field, and what is expected there."""
    first, *rest = printed()

    with pytest.raises(BadTable) as refused:
        tables_from([{**first, **change}, *rest])

    assert where in str(refused.value)


@pytest.mark.parametrize(
    "bad",
    [
        {},
        None,
        "journeys",
        {"sign-in": {}},
        {"reopen": {"min_categories": 2, "fresh_seconds": 300, "alternatives": []}},
        {"reopen": {"min_categories": 2, "fresh_seconds": 300, "alternatives": [["horoscope"]]}},
        [{"name": "x"}] * 101,
    ],
)
def test_what_is_no_table_at_all_is_refused(bad: Any) -> None:
    """Never with a trace."""
    with pytest.raises(BadTable):
        tables_from(bad)


def test_a_formula_too_deep_to_read_is_refused() -> None:
    """Everything is bounded."""
    deep: dict[str, Any] = {"proof": "password"}
    for _ in range(10):
        deep = {"all": [deep]}

    with pytest.raises(BadTable, match="nested deeper"):
        tables_from([{**printed()[0], "prove": deep}])


def test_an_unsafe_edit_is_refused_with_the_story() -> None:
    """FML-07: before it can be switched on."""
    rows = [row | {"prove": {"proof": "phone_code"}} if row["name"] == "reset-password" else row for row in printed()]
    journeys, policy = tables_from(rows)

    verdict = check(journeys, policy, CAUSES, BUILT).verdicts()["no second door"]

    assert verdict.stories[0].startswith("A thief who holds the phone (SIM) asks for `reset-password`")


@pytest.mark.slow
def test_the_command_refuses_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit code 1 and the story; 2 for a file that cannot be read."""
    rows = [row | {"prove": {"proof": "phone_code"}} if row["name"] == "sign-in" else row for row in printed()]
    unsafe, broken = tmp_path / "unsafe.json", tmp_path / "broken.json"
    unsafe.write_text(json.dumps(rows), encoding="utf-8")
    broken.write_text("[", encoding="utf-8")

    assert cli_rules.check(table=unsafe) == 1
    assert "A thief who holds the phone (SIM) asks for `sign-in` by phone number" in capsys.readouterr().out
    assert cli_rules.check(table=broken) == 2
    assert cli_rules.check(table=tmp_path / "missing.json") == 2
