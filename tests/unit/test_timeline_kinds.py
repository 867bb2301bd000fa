"""Everything that is written into the record can be read: no teller is told of "another event"."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import foregate
from foregate.counter.timeline import GROUP_OF, PLAIN, WORDS
from foregate.doors.text import catalog

SOURCE = Path(foregate.__file__).parent
# What writes an event. Its kind is a word among the arguments, or the argument of that name.
WRITERS = {"record", "_record", "_advance", "_note", "staff_event"}
KIND = re.compile(r"[a-z]+(-[a-z]+)+|registered|alarm")


def written() -> Iterator[tuple[str, str]]:
    """Yield every kind of event that the source writes, as a pattern where a part of it is put in, and where."""
    for path in sorted(SOURCE.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            for said in spoken(node):
                yield from ((kind, path.name) for kind in patterns(said))


def spoken(node: ast.AST) -> Iterator[ast.expr]:
    """Yield the expressions that name a kind."""
    if isinstance(node, ast.Assign) and any(isinstance(to, ast.Name) and to.id == "kind" for to in node.targets):
        yield node.value
    if not isinstance(node, ast.Call):
        return
    called = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
    if called in WRITERS:
        yield from node.args
    elif called == "Event":
        yield from (keyword.value for keyword in node.keywords if keyword.arg == "kind")


def patterns(said: ast.expr) -> Iterator[str]:
    """Yield what an expression may say: a word, one of two, or words with something put in."""
    if isinstance(said, ast.Constant) and isinstance(said.value, str) and KIND.fullmatch(said.value):
        yield said.value
    elif isinstance(said, ast.IfExp):
        yield from patterns(said.body)
        yield from patterns(said.orelse)
    elif isinstance(said, ast.JoinedStr):
        yield "".join(str(part.value) if isinstance(part, ast.Constant) else "[a-z]+" for part in said.values)


def test_every_kind_that_is_written_has_its_sentence() -> None:
    """Whatever the source writes is in a group of the timeline, and so has words in every language."""
    found = dict(written())
    assert len(found) > 60, "the source writes more than was found: does WRITERS name everything that writes?"
    untold = {kind: where for kind, where in found.items() if not any(re.fullmatch(kind, known) for known in GROUP_OF)}
    assert {} == untold


def test_every_kind_that_is_told_is_written() -> None:
    """A sentence for what nobody writes any more is removed."""
    found = dict(written())
    assert [] == sorted(known for known in GROUP_OF if not any(re.fullmatch(kind, known) for kind in found))


def test_sentences_take_only_facts_that_there_are() -> None:
    """An older event may lack a fact; one that the timeline does not know would break the page."""
    texts = catalog.texts("en")
    assert [] == [k for k in GROUP_OF if catalog.facts_of(texts[f"timeline.{k}"]) - {*WORDS, *PLAIN}]
