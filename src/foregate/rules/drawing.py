"""The tables, drawn: Mermaid diagrams and markdown, for the reference that `script/generate` writes.

Everything is computed from the rows that the server runs, by the engine's own functions, so a drawing cannot say
anything else than the door does.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from foregate.rules import limits as limits_module
from foregate.rules.causes import CAUSES, REMEDY_ACTIONS, Causes
from foregate.rules.check.report import Verdict
from foregate.rules.journeys import JOURNEYS, Journey, Table
from foregate.rules.permission import TRANSITIONS
from foregate.rules.policy import POLICY, Policy
from foregate.rules.words import All, AnyOf, Formula, Proof, as_text

GENERATED: Final = "<!-- Drawn by script/generate from src/foregate/rules; edit the tables, not this page. -->"


# ---------------------------------------------------------------- journeys


def journeys_as_markdown(journeys: Table = JOURNEYS) -> str:
    """Return the reference page of the journeys: the table, then a diagram of each."""
    return _page(
        "Journeys",
        "Every way into the bank, and back into it. Who says they are whom, what they prove, what the bank then does.",
        journeys_as_table(journeys),
        "A journey that is not open is drawn with its row so that it can be checked; nobody is offered it. "
        "`proof@journey` is a counter kept apart from the proof's own. What a row with *after cooling* changed vouches for "
        "nothing but signing in for a while: it does not buy a row that is *seasoned*. Where a row *asks about the number*, a "
        "code counts only if its number did not change hands lately, in a house that has somebody to ask.",
        "## Login permission",
        _fenced(permission_as_mermaid()),
        "## Diagrams",
        *(part for row in journeys.values() for part in (f"### {row.name}", _fenced(journey_as_mermaid(row)))),
    )


def journeys_as_table(journeys: Table = JOURNEYS) -> str:
    """Return the journeys as a markdown table."""
    head = ("journey", "open", "who", "prove", "act", "session", "changes", "charges")
    return as_table(head, (_row(row) for row in journeys.values()))


def _row(row: Journey) -> tuple[str, ...]:
    changes = ", ".join(row.changes) + (" (after cooling)" if row.cooling else "")
    changes += " (seasoned)" if row.seasoned else ""
    changes += " (asks about the number)" if row.asks_number else ""
    return (
        f"`{row.name}`",
        "yes" if row.open else "no",
        ", ".join(who.value for who in row.who),
        f"`{as_text(row.prove)}`" + (f", code to {row.code_to.value}" if "phone_code" in as_text(row.prove) else ""),
        row.act,
        row.session.value if row.session else "",
        changes,
        ", ".join(row.charges),
    )


def journeys_as_mermaid(journeys: Table = JOURNEYS) -> str:
    """Return one diagram of all open journeys: from a door, by what is proved, to what the bank does."""
    lines = ["flowchart LR"]
    for number, row in enumerate(row for row in journeys.values() if row.open):
        lines += [
            f'    j{number}(["{row.name}"]) -->|"{_label(as_text(row.prove))}"| a{number}["{row.act}"]',
        ]
    return "\n".join(lines) + "\n"


def journey_as_mermaid(row: Journey) -> str:
    """Return a diagram of one journey: who, the formula as a graph, the act."""
    lines = ["flowchart LR", f'    start(["{", ".join(who.value for who in row.who)}"])']
    ends = _draw(row.prove, ("start",), lines)
    outcome = row.act + (f"<br/>{row.session.value} session" if row.session else "")
    lines.append(f'    done[["{outcome}"]]')
    lines += [f"    {end} --> done" for end in ends]
    return "\n".join(lines) + "\n"


def _draw(formula: Formula, before: tuple[str, ...], lines: list[str]) -> tuple[str, ...]:
    """Draw `formula` after the nodes `before`; return the nodes it ends in."""
    match formula:
        case Proof(name=name, silent=silent):
            node = f"p{len(lines)}"
            lines.append(f'    {node}["{name}{" (looked at)" if silent else ""}"]')
            lines += [f"    {each} --> {node}" for each in before]
            return (node,)
        case AnyOf(parts=parts):
            return tuple(end for part in parts for end in _draw(part, before, lines))
        case All(parts=parts):
            for part in parts:
                before = _draw(part, before, lines)
            return before


def permission_as_mermaid() -> str:
    """Return the states of login permission and what moves it."""
    lines = ["stateDiagram-v2", "    [*] --> open"]
    for (state, event), after in TRANSITIONS.items():
        lines.append(f"    {_state(state.value)} --> {_state(after.value)}: {event.value}")
    return "\n".join(lines) + "\n"


def _state(name: str) -> str:
    return name.replace("-", "_")


def _label(text: str) -> str:
    return text.replace("|", "or").replace("&", "and")


# ---------------------------------------------------------------- policy, causes, limits


def policy_as_markdown(policy: Policy = POLICY) -> str:
    """Return the reference page of the policy."""
    return _page(
        "Policy",
        "The least evidence that each act may ever cost, written apart from the journeys and held against them by "
        "`foregate check`.",
        policy_as_table(policy),
    )


def policy_as_table(policy: Policy = POLICY) -> str:
    """Return the policy as a markdown table."""
    rows = (
        (
            f"`{act}`",
            str(evidence.min_categories),
            str(evidence.fresh_seconds),
            "<br>".join(" & ".join(sorted(alternative)) for alternative in evidence.alternatives),
        )
        for act, evidence in policy.items()
    )
    return as_table(("act", "categories at least", "fresh within seconds", "one of"), rows)


def causes_as_markdown(causes: Causes = CAUSES) -> str:
    """Return the reference page of the causes."""
    return _page(
        "Causes",
        "Why a proof or an act was refused, who may learn it, and what gets past it. Whoever has shown less than the "
        "tier sees the public twin instead. The names are stable; support quotes them.",
        causes_as_table(causes),
        "A remedy is a journey, or something a page can do at once: "
        + ", ".join(f"`{action}`" for action in sorted(REMEDY_ACTIONS))
        + ".",
    )


def causes_as_table(causes: Causes = CAUSES) -> str:
    """Return the causes as a markdown table."""
    rows = (
        (f"`{c.name}`", str(c.status), c.tier.value, f"`{c.twin}`" if c.twin else "", ", ".join(c.remedies))
        for c in causes.values()
    )
    return as_table(("cause", "status", "told from tier", "public twin", "remedies"), rows)


def limits_as_markdown() -> str:
    """Return the reference page of the limits."""
    rows = (
        (f"`{name}`", str(int(limit)), limit.unit, limit.why, limit.source)
        for name, limit in limits_module.every_limit().items()
    )
    return _page(
        "Limits",
        "Everything is bounded. Each limit has its reason, its source, and a test at n and at n + 1.",
        as_table(("limit", "value", "unit", "why", "source"), rows),
    )


# ---------------------------------------------------------------- the checker


def check_as_markdown(worlds: Mapping[str, Iterable[tuple[str, str, Verdict]]]) -> str:
    """Return the reference page of the check: per world, (promise, meaning, verdict). No times: pages must not drift."""
    parts: list[str] = []
    for world, promises in worlds.items():
        parts.append(f"## {world}")
        for name, meaning, verdict in promises:
            outcome = "holds" if verdict.holds else "**broken**"
            parts.append(f"### {name[:1].upper()}{name[1:]}: {outcome}")
            parts.append(f"{meaning} Explored: {verdict.states:,} states.")
            parts += ["\n".join(f"- {line}" for line in lines) for lines in (verdict.stories, verdict.notes) if lines]
    return _page(
        "Check",
        "Four promises, explored over the very table that the server runs, by the engine's own functions. "
        "`foregate check` does it again, and times it.",
        *parts,
    )


# ---------------------------------------------------------------- markdown


def as_table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    """Return a markdown table."""
    lines = [head, tuple("---" for _ in head), *rows]
    return "\n".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in line)} |" for line in lines)


def _page(title: str, *parts: str) -> str:
    return "\n\n".join((f"# {title}", GENERATED, *parts)).rstrip() + "\n"


def _fenced(diagram: str) -> str:
    return f"```mermaid\n{diagram}```"
