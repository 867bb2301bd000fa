"""The commands about rules: `foregate check`, `journeys`, `policy` and `causes`.

`foregate check` explores what the server runs, or an edited table before anybody switches it on.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any, Literal

from rich.console import Console
from rich.markup import escape
from rich.table import Table as Grid

from foregate.rules import check as checker
from foregate.rules import drawing
from foregate.rules.causes import CAUSES, cause_as_json
from foregate.rules.check.report import Verdict
from foregate.rules.edited import BadTable, tables_from
from foregate.rules.journeys import (
    BUILT,
    BUILT_WITH_FACE,
    EVERYTHING,
    JOURNEYS,
    Built,
    Table,
    all_open,
    row_as_json,
    with_face,
)
from foregate.rules.policy import POLICY, Policy, policy_as_json
from foregate.rules.words import as_text

Explored = tuple[str, checker.Promise, Verdict, float]

AS_IT_STANDS = "the world as it stands"
WITH_FACE = "the world with face"
ALL_OPEN = "the world with everything open"


def check(*, table: Path | None = None) -> int:
    """Explore the four promises, in the world as it stands and with everything open.

    Args:
        table: a JSON file with edited journeys or an edited policy, as `foregate journeys --format json` prints them.

    Returns the exit code: 0 when every promise holds, 1 when one is broken, 2 when the file cannot be read.
    """
    journeys, policy = JOURNEYS, POLICY
    if table is not None:
        try:
            journeys, policy = tables_from(json.loads(table.read_text(encoding="utf-8")))
        except (OSError, UnicodeDecodeError, json.JSONDecodeError, BadTable) as error:
            print(f"foregate check: {table}: {error}", file=sys.stderr)
            return 2
    explored = [each for world in worlds(journeys) for each in explore(*world, policy)]
    _print_check(explored)
    return 0 if all(verdict.holds for _, _, verdict, _ in explored) else 1


def worlds(journeys: Table = JOURNEYS) -> tuple[tuple[str, Table, Built], ...]:
    """Return the worlds that are checked: what is offered now, with models for faces too, and all there is."""
    return (
        (AS_IT_STANDS, journeys, BUILT),
        (WITH_FACE, with_face(journeys), BUILT_WITH_FACE),
        (ALL_OPEN, all_open(journeys), EVERYTHING),
    )


def explore(world: str, journeys: Table, built: Built, policy: Policy = POLICY) -> list[Explored]:
    """Explore the promises in one world, and time each in seconds."""
    explored: list[Explored] = []
    for promise in checker.check(journeys, policy, CAUSES, built).promises:
        began = time.perf_counter()
        verdict = promise.explore()
        explored.append((world, promise, verdict, time.perf_counter() - began))
    return explored


def _print_check(explored: list[Explored]) -> None:
    grid = Grid("promise", "world", "states", "seconds", "verdict")
    for column in grid.columns[2:4]:
        column.justify = "right"
    for world, promise, verdict, seconds in explored:
        outcome = "[green]holds[/]" if verdict.holds else "[bold red]broken[/]"
        grid.add_row(promise.name, world, f"{verdict.states:,}", f"{seconds:.2f}", outcome)
    grid.add_section()
    states, total = sum(v.states for _, _, v, _ in explored), sum(seconds for *_, seconds in explored)
    grid.add_row("all", "", f"{states:,}", f"{total:.2f}", "")
    console = Console()
    console.print(grid)
    for world, promise, verdict, _ in explored:
        for story in verdict.stories:
            console.print(f"[bold red]{promise.name}[/], {world}: {escape(story)}", soft_wrap=True)
        for note in verdict.notes:
            console.print(f"[dim]{promise.name}, {world}: {escape(note)}[/]", soft_wrap=True)


def journeys(*, format: Literal["json", "mermaid", "table"] = "table") -> None:
    """Print the journeys: who may come, what they prove, what the bank then does."""
    match format:
        case "json":
            _print_json([row_as_json(row) for row in JOURNEYS.values()])
        case "mermaid":
            print(drawing.journeys_as_mermaid(), end="")
        case "table":
            rows = (
                (
                    row.name,
                    "yes" if row.open else "no",
                    "\n".join(who.value for who in row.who),
                    as_text(row.prove),
                    row.act,
                    row.session.value if row.session else "",
                )
                for row in JOURNEYS.values()
            )
            _print_grid(("journey", "open", "who", "prove", "act", "session"), rows)


def policy(*, format: Literal["json", "table"] = "table") -> None:
    """Print the policy: the least evidence that each act may ever cost."""
    if format == "json":
        _print_json(policy_as_json())
        return
    rows = (
        (
            act,
            str(evidence.min_categories),
            str(evidence.fresh_seconds),
            "\n".join(" & ".join(sorted(alternative)) for alternative in evidence.alternatives),
        )
        for act, evidence in POLICY.items()
    )
    _print_grid(("act", "categories at least", "fresh within seconds", "one of"), rows)


def causes(*, format: Literal["json", "table"] = "table") -> None:
    """Print the causes: why a visitor may be refused, who may learn it, and what gets past it."""
    if format == "json":
        _print_json([cause_as_json(cause) for cause in CAUSES.values()])
        return
    rows = (
        (cause.name, str(cause.status), cause.tier.value, cause.twin or "", ", ".join(cause.remedies))
        for cause in CAUSES.values()
    )
    _print_grid(("cause", "status", "told from tier", "public twin", "remedies"), rows)


def _print_json(value: Any) -> None:
    print(json.dumps(value, ensure_ascii=False, indent=2))


def _print_grid(head: tuple[str, ...], rows: Any) -> None:
    grid = Grid(*head, show_lines=True)
    for row in rows:
        grid.add_row(*(escape(cell) for cell in row))
    Console().print(grid)
