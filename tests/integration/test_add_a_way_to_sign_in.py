"""The how-to "Add a way to sign in", done as it says: its blocks are read from the page and applied."""

import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import AsyncIterator
from functools import cache
from pathlib import Path

import pytest
from msgspec.structs import replace

from foregate.bootstrap import PROOFS, tables
from foregate.doors.text import catalog
from foregate.rules.journeys import BUILT, JOURNEYS, Built, row_as_json
from foregate.rules.policy import POLICY, Evidence, policy_as_json
from foregate.rules.words import CARD_PIN, PASSWORD, AnyOf, Formula
from tests.bank import LI, Bank, open_bank
from tests.integration import toy_proof
from tests.integration.toy_proof import PAPER_CODE

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "how-to" / "add-a-way-to-sign-in.md").read_text("utf-8")
TOY = Path(toy_proof.__file__)
POLICY_FILE = "src/foregate/rules/policy.py"


def blocks(language: str) -> list[str]:
    """Return the page's code blocks in one language."""
    return re.findall(rf"^```{language}\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)


# ---------------------------------------------------------------- the house, with the page applied to it


def apply(diff: str, house: Path) -> None:
    """Apply one diff of the page to the copy of the source. What it replaces has to stand there exactly once."""
    head, _, body = diff.partition("\n")
    path = house / head.removeprefix("--- src/")
    source = path.read_text("utf-8")
    for hunk in body.split("@@\n"):
        lines = [(line[:1], line[1:]) for line in hunk.splitlines(keepends=True)]
        before = "".join(text for sign, text in lines if sign in " -")
        after = "".join(text for sign, text in lines if sign in " +")
        assert 1 == source.count(before), f"{head} does not hold this once any more:\n{before}"
        source = source.replace(before, after)
    path.write_text(source, "utf-8")


def house_with(diffs: list[str], folder: Path) -> Path:
    """Copy the source, add the proof, apply the diffs."""
    shutil.copytree(ROOT / "src" / "foregate", folder / "foregate", ignore=shutil.ignore_patterns("__pycache__"))
    (folder / "foregate" / "proofs" / "paper_code.py").write_text(blocks("python")[0], "utf-8")
    for diff in diffs:
        apply(diff, folder)
    return folder


def run(house: Path, *words: str) -> str:
    """Run Python over the copy, and return what it prints."""
    command = [sys.executable, "-P", *words]
    done = subprocess.run(
        command, env=os.environ | {"PYTHONPATH": str(house)}, capture_output=True, text=True, check=True
    )
    return done.stdout


EXPLORE = """
from foregate.bootstrap import PROOFS
from foregate.rules.causes import CAUSES
from foregate.rules.check import check
from foregate.rules.journeys import BUILT, JOURNEYS
from foregate.rules.policy import POLICY
assert "paper_code" in {kind.PROOF.name for kind in PROOFS}
for name, verdict in check(JOURNEYS, POLICY, CAUSES, BUILT).verdicts().items():
    print(name, "holds" if verdict.holds else "is broken")
    print(*verdict.stories, sep="\\n")
"""


def test_the_page_shows_the_proof_that_is_walked() -> None:
    """The module on the page and the toy are one, but for the word, which the toy brings along."""
    named = TOY.read_text("utf-8").replace("import Category, Proof\n", "import PAPER_CODE\n")
    word = 'PAPER_CODE = Proof("paper_code", frozenset({Category.HAVE}), guessable=False)\n'
    assert 1 == named.count(word)
    assert [named.replace(word + "\n", "")] == blocks("python")


@pytest.mark.slow
def test_the_house_with_the_page_applied_keeps_its_promises(tmp_path: Path) -> None:
    """Every diff fits, the table is the one that is walked below, and the checker finds nothing."""
    house = house_with(blocks("diff"), tmp_path)

    rows = json.loads(run(house, "-m", "foregate.doors.cli", "journeys", "--format", "json"))
    policy = json.loads(run(house, "-m", "foregate.doors.cli", "policy", "--format", "json"))
    found = run(house, "-c", EXPLORE)

    assert [row_as_json(row) for row in EXTENDED.values()] == rows
    assert policy_as_json(ALLOWED) == policy
    assert "broken" not in found, found
    assert 4 == found.count(" holds")


@pytest.mark.slow
def test_without_the_policy_line_the_table_is_refused(tmp_path: Path) -> None:
    """Who forgets the policy is told, in the words that the page quotes."""
    diffs = [diff for diff in blocks("diff") if not diff.startswith(f"--- {POLICY_FILE}")]
    assert len(diffs) == len(blocks("diff")) - 1

    found = run(house_with(diffs, tmp_path), "-c", EXPLORE)

    assert "no second door is broken" in found
    assert blocks("text")[0].strip() in found


# ---------------------------------------------------------------- walked

FULL = JOURNEYS["sign-in"].prove
LIST = PAPER_CODE & (PASSWORD | CARD_PIN)


def with_list(formula: Formula) -> Formula:
    """Return the formula as the page's one mention makes it: what a full session costs may be the list as well."""
    match formula:
        case _ if formula == FULL:
            return FULL | LIST
        case AnyOf(parts=parts):
            return AnyOf(tuple(with_list(part) for part in parts))
    return formula


def with_list_allowed(evidence: Evidence) -> Evidence:
    """Return what an act costs as the page's lines make it."""
    more: tuple[frozenset[str], ...]
    if evidence.alternatives == POLICY["open-full-session"].alternatives:
        more = (frozenset({"paper_code", "password"}), frozenset({"paper_code", "card_pin"}))
    elif evidence.alternatives == POLICY["end-session"].alternatives:
        more = (frozenset({"paper_code"}),)
    else:
        return evidence
    return replace(evidence, alternatives=(*evidence.alternatives, *more))


EXTENDED = {name: replace(row, prove=with_list(row.prove)) for name, row in JOURNEYS.items()}
ALLOWED = {act: with_list_allowed(evidence) for act, evidence in POLICY.items()}
BUILT_TOO = Built(BUILT.proofs | {"paper_code"}, BUILT.who)


def words() -> dict[str, dict[str, str]]:
    """Return the page's texts by language and key."""
    return {
        block.partition(".toml")[0].removeprefix("# "): {
            f"{place}.{name}": text
            for place, table in (("step.paper_code", parsed["step"]["paper_code"]),
                                 ("field.paper_code", parsed["field"]["paper_code"]), ("way", parsed["way"]))
            for name, text in table.items()
        }
        for block in blocks("toml")
        for parsed in (tomllib.loads(block),)
    }  # fmt: skip


@pytest.fixture
async def bank(database: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Bank]:
    """Yield a bank that takes the paper list, and has the words for it."""
    spoken = {language: {**catalog.texts(language), **texts} for language, texts in words().items()}
    monkeypatch.setattr(catalog, "texts", cache(spoken.__getitem__))
    bank = await open_bank(database, run=tables(EXTENDED, ALLOWED, BUILT_TOO, (*PROOFS, toy_proof)))
    await bank.settle(LI)
    yield bank
    await bank.close()


@pytest.mark.anyio
async def test_signing_in_with_the_paper_list(bank: Bank) -> None:
    """Who has no signal reads a line off the list, gives the password, and is in; the line works once."""
    visitor = bank.visitor()
    asked = await visitor.start("sign-in", "phone", phone=LI.phone)
    offered = {way["name"]: way["title"] for way in asked.journey["other_ways"]}
    assert ("phone_code", words()["zh"]["way.paper_code"]) == (asked.step, offered["paper_code"])
    asked = await visitor.answer("choose", way="paper_code")
    line = asked.journey["step"]["facts"]["line"]
    right = toy_proof.code_of(bank.keys, bank.customer_id(LI), line)

    wrong = await visitor.answer(paper_code=right[::-1])
    assert ("not-recognised", "paper_code") == (wrong.cause, wrong.step)
    asked = await visitor.answer(paper_code=right)
    assert "password" == asked.step
    done = await visitor.answer(password=LI.password)

    assert ("done", "full") == (done.journey["status"], await visitor.level())
    done = await visitor.start("sign-out")
    assert ("done", None) == (done.journey["status"], await visitor.level())


@pytest.mark.anyio
async def test_nobody_is_asked_for_a_line_too(bank: Bank) -> None:
    """A number of nobody gets the same steps and the same refusal."""
    answers = []
    for phone in (LI.phone, "+8615000000000"):
        visitor = bank.visitor()
        await visitor.start("sign-in", "phone", phone=phone)
        asked = await visitor.answer("choose", way="paper_code")
        refused = await visitor.answer(paper_code="0123456789ABC")
        answers.append((sorted(asked.journey["step"]["facts"]), refused.status, refused.cause, refused.remedies))
    assert answers[0] == answers[1]


def test_every_language_has_the_words() -> None:
    """The page gives every language of the catalogue the same new keys."""
    assert set(catalog.languages()) == set(words())
    assert 1 == len({tuple(texts) for texts in words().values()})
    assert not any(catalog.has(language, key) for language, texts in words().items() for key in texts)
