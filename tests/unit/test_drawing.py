"""Drawings and lists say what the tables say: nothing is left out, and the shapes are as promised."""

from __future__ import annotations

import json
import re

import pytest

from foregate.doors import cli_rules
from foregate.rules import drawing
from foregate.rules.causes import CAUSES
from foregate.rules.check.report import Verdict
from foregate.rules.journeys import JOURNEYS
from foregate.rules.limits import every_limit
from foregate.rules.permission import TRANSITIONS
from foregate.rules.policy import POLICY
from foregate.rules.words import ways


@pytest.mark.parametrize("name", JOURNEYS)
def test_a_diagram_has_a_path_for_every_way(name: str) -> None:
    """Walking from the start to the act, one meets exactly the ways of the formula."""
    row = JOURNEYS[name]
    drawn = drawing.journey_as_mermaid(row)
    labels = dict(re.findall(r'^    (p\d+)\["(\w+)', drawn, re.MULTILINE))
    edges = re.findall(r"^    (\w+) --> (\w+)$", drawn, re.MULTILINE)

    def walk(node: str) -> list[frozenset[str]]:
        if node == "done":
            return [frozenset()]
        here = {labels[node]} if node in labels else set()
        return [frozenset(here) | rest for before, after in edges if before == node for rest in walk(after)]

    met = set(walk("start"))
    minimal = {way for way in met if not any(other < way for other in met)}

    assert minimal == {frozenset(proof.name for proof in way) for way in ways(row.prove)}


def test_the_pages_hold_every_row() -> None:
    """Journeys, acts, causes and limits."""
    assert all(f"| `{name}` |" in drawing.journeys_as_markdown() for name in JOURNEYS)
    assert all(f"| `{act}` |" in drawing.policy_as_markdown() for act in POLICY)
    assert all(f"| `{name}` |" in drawing.causes_as_markdown() for name in CAUSES)
    assert all(f"| `{name}` |" in drawing.limits_as_markdown() for name in every_limit())


def test_every_table_has_as_many_cells_as_columns() -> None:
    """A bar inside a cell is escaped, or the table falls apart."""
    for page in (drawing.journeys_as_markdown(), drawing.policy_as_markdown(), drawing.causes_as_markdown()):
        widths = {len(re.split(r"(?<!\\)\|", line)) for line in page.splitlines() if line.startswith("|")}
        assert len(widths) == 1


def test_all_transitions_of_permission_are_drawn() -> None:
    """And no others."""
    assert drawing.permission_as_mermaid().count("-->") == len(TRANSITIONS) + 1


def test_a_broken_promise_is_drawn_as_broken() -> None:
    """With its story."""
    page = drawing.check_as_markdown(
        {"A world": [("no leak", "Nothing leaks.", Verdict(states=7, stories=("It leaks.",)))]}
    )

    assert "### No leak: **broken**" in page
    assert "- It leaks." in page


# ---------------------------------------------------------------- commands


def test_journeys_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    """An array of rows, formulas as `proof`, `all` and `any`."""
    cli_rules.journeys(format="json")
    rows = {row["name"]: row for row in json.loads(capsys.readouterr().out)}

    assert list(rows) == list(JOURNEYS)
    assert {"name", "open", "who", "session", "prove", "act", "changes", "charges"} <= set(rows["freeze"])
    assert rows["freeze"]["prove"] == {"any": [{"proof": "phone_code"}, {"proof": "card_pin"}]}


def test_policy_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    """An object by act."""
    cli_rules.policy(format="json")
    acts = json.loads(capsys.readouterr().out)

    assert acts["register"] == {
        "min_categories": 2,
        "fresh_seconds": 300,
        "alternatives": [["card_pin", "phone_code"]],
    }


def test_causes_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    """An array; remedies are never empty."""
    cli_rules.causes(format="json")
    causes = json.loads(capsys.readouterr().out)

    assert [cause["cause"] for cause in causes] == list(CAUSES)
    assert all(cause["remedies"] for cause in causes)


def test_tables_and_diagrams_for_people(capsys: pytest.CaptureFixture[str]) -> None:
    """Each command has a form to be read."""
    cli_rules.journeys()
    cli_rules.policy()
    cli_rules.causes()
    cli_rules.journeys(format="mermaid")
    out = capsys.readouterr().out

    assert "flowchart LR" in out
    assert "register" in out
