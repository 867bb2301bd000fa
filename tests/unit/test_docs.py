"""The documentation is true of the code: every link leads somewhere, every name in it exists."""

import ast
import json
import re
import textwrap
import tomllib
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from foregate import settings
from foregate.demo.people import PEOPLE
from foregate.doors.cli import app
from foregate.rules.causes import CAUSES
from foregate.rules.check import check
from foregate.rules.edited import tables_from
from foregate.rules.journeys import BUILT, JOURNEYS, Journey, row_as_json
from foregate.rules.limits import every_limit
from foregate.settings import Settings, weaknesses
from foregate.store.every_table import metadata

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
IDS = [page.relative_to(ROOT).as_posix() for page in PAGES]
TEXT = {page: page.read_text("utf-8") for page in PAGES}
# A picture that is taken from the running pages.
MADE_LATER = {"docs/images/sign-in-zh.png"}

each_page = pytest.mark.parametrize("page", PAGES, ids=IDS)


def without_code(text: str) -> str:
    return re.sub(r"^ *```.*?^ *```$", "", text, flags=re.DOTALL | re.MULTILINE)


def code_of(page: str, language: str) -> list[str]:
    """Return the code blocks of a page in one language."""
    text = (ROOT / page).read_text("utf-8")
    return [
        textwrap.dedent(block)
        for block in re.findall(rf"^ *```{language}\n(.*?)^ *```$", text, re.DOTALL | re.MULTILINE)
    ]


def anchors(page: Path) -> set[str]:
    """Return the anchors of a page's headings, as code hosts make them."""
    titles = re.findall(r"^#+ (.*)$", without_code(TEXT[page]), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


def test_the_sample_settings_start(tmp_path: Path) -> None:
    """What the how-to gives to copy is fit to serve, once its secrets are made as it says."""
    (block, *_) = code_of("docs/how-to/put-it-in-front-of-a-bank.md", "toml")
    made = [line for line in code_of("docs/how-to/put-it-in-front-of-a-bank.md", "sh")[1:] if "openssl" in line]
    for path in re.findall(r"/etc/foregate/(\S+\.secret)$", "".join(made), re.MULTILINE):
        (tmp_path / path).write_text("".join(map(chr, range(60, 100))))
    settings = tomllib.loads(block.replace("/etc/foregate", str(tmp_path)))

    assert [] == weaknesses(msgspec.convert(settings, Settings))


# ---------------------------------------------------------------- links


@each_page
def test_every_link_leads_somewhere(page: Path) -> None:
    """A relative link names a file, and an anchor a heading of it."""
    broken = []
    for target in re.findall(r"\]\(([^)\s]+)\)", without_code(TEXT[page])):
        if target.startswith(("https://", "http://", "mailto:")):
            continue
        path, _, anchor = target.partition("#")
        file = (page.parent / path).resolve() if path else page
        if not file.exists():
            if file.relative_to(ROOT).as_posix() not in MADE_LATER:
                broken.append(target)
        elif anchor and anchor not in anchors(file):
            broken.append(target)
    assert [] == broken


def test_every_page_is_linked_from_another() -> None:
    """A page that nobody links is read by nobody."""
    linked = {
        (page.parent / target.partition("#")[0]).resolve()
        for page in PAGES
        for target in re.findall(r"\]\(([^)\s]+)\)", without_code(TEXT[page]))
        if "://" not in target
    }
    assert [] == [
        page.relative_to(ROOT).as_posix() for page in PAGES if page not in linked and page.name != "README.md"
    ]


# ---------------------------------------------------------------- names


def test_every_setting_is_described_and_every_described_one_exists() -> None:
    """The reference and the code name the same settings."""
    page = TEXT[ROOT / "docs" / "reference" / "settings.md"]
    described = re.findall(r"^\| `(\w+)` \|", page, re.MULTILINE)
    assert list(Settings.__struct_fields__) == described


def test_the_settings_that_are_needed_are_marked() -> None:
    """`needed` says yes for those without which nothing starts."""
    page = TEXT[ROOT / "docs" / "reference" / "settings.md"]
    needed = re.findall(r"^\| `(\w+)` \| [^|]* \| yes \|", page, re.MULTILINE)
    missing = [line.partition(" ")[0] for line in settings.weaknesses(Settings())]
    assert set(missing) == set(needed)


@pytest.mark.parametrize(
    "block",
    [
        b
        for page in IDS
        for b in code_of(page, "toml")
        if re.search(r"^(origin|sms_\w+|text_us\w+|audit_\w+) =", b, re.M)
    ],
)
def test_settings_in_examples_exist(block: str) -> None:
    """What an example sets can be set."""
    assert set() == set(tomllib.loads(block)) - set(Settings.__struct_fields__)


def calls() -> Iterator[str]:
    """Yield every line of code, in a block or between backticks, that calls the program."""
    for page in IDS:
        lines = "".join(code_of(page, "sh")).splitlines()
        lines += re.findall(r"`(foregate [^`\n]+)`", TEXT[ROOT / page])
        yield from (line[line.index("foregate ") :] for line in lines if re.search(r"(^|[\s/])foregate [a-z]", line))


def test_every_command_exists() -> None:
    """`foregate audit verify` in a page is a command of the program."""
    called = {line.split()[1] for line in calls()}
    assert set() == called - set(app)
    assert {"audit", "check", "import", "journeys", "keys", "migrate", "policy", "serve"} <= called


def test_every_option_exists() -> None:
    """Options of commands in code are options of that command."""
    unknown = []
    for line in calls():
        words, command = line.split()[1:], app
        while words and words[0] in command:
            command = command[words.pop(0)]
        known = {name for argument in command.assemble_argument_collection() for name in argument.names}
        unknown += [f"{line}: {word}" for word in words if word.startswith("--") and word not in known]
    assert [] == unknown


def test_every_limit_in_the_documentation_exists() -> None:
    """A name in capitals with an underscore is a limit."""
    named = {word for text in TEXT.values() for word in re.findall(r"`([A-Z]+_[A-Z_]+)`", without_code(text))}
    assert {"FOREGATE_", "FOREGATE_DATABASE", "RESIDENT_ID", "TEXT_VERSION"} >= named - set(every_limit())
    assert {"CODE_TRIES", "ROW_FAILURES", "IDLE_SECONDS"} <= named


def test_every_cause_named_in_the_api_page_exists() -> None:
    """Statuses and causes stand beside each other as the server sends them."""
    page = TEXT[ROOT / "docs" / "reference" / "api.md"]
    for status, name in re.findall(r"\b(4\d\d) `([a-z-]+)`", page):
        assert (name, int(status)) == (name, CAUSES[name].status if name in CAUSES else None)


def test_every_table_in_sql_exists() -> None:
    """SQL in a page speaks of tables that there are."""
    sql = "\n".join(block for page in IDS for block in code_of(page, "sql"))
    named = set(re.findall(r"(?:FROM|INTO) ([a-z_]+)(?=[ ;]|$)", sql))
    assert set() == named - set(metadata.tables)
    assert {"permission"} <= named


def test_every_test_that_holds_a_bar_exists() -> None:
    """A bar names its test, and the test is there."""
    page = TEXT[ROOT / "docs" / "reference" / "security-bars.md"]
    named = set(re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", page))
    missing = [f"{file}::{name}" for file, name in sorted(named) if name not in functions_of(ROOT / file)]
    assert [] == missing
    assert len(named) > 30


def functions_of(file: Path) -> set[str]:
    if not file.exists():
        return set()
    tree = ast.parse(file.read_text("utf-8"))
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}


@each_page
def test_every_file_named_exists(page: Path) -> None:
    """A path into the source, the tests or the scripts leads to a file."""
    named = re.findall(r"`((?:src|tests|script|docs)/[\w./-]+?)(?:::\w+)?`", without_code(TEXT[page]))
    named += [
        f"src/foregate/{name}"
        for name in re.findall(r"`((?:rules|proofs|acts|desk|store|doors)/[\w./-]+)`", TEXT[page])
    ]
    to_be_written = {"src/foregate/proofs/paper_code.py"}
    assert [] == [name for name in named if not (ROOT / name).exists() and name not in to_be_written]


def test_the_decisions_are_numbered_and_listed() -> None:
    """No number is left out, and the list holds them all."""
    files = sorted(path.name for path in (ROOT / "docs" / "decisions").glob("0*.md"))
    assert [f"{number:04d}" for number in range(1, len(files) + 1)] == [name[:4] for name in files]
    listed = re.findall(r"\]\((0\d+[\w-]+\.md)\)", TEXT[ROOT / "docs" / "decisions" / "README.md"])
    assert files == listed


# ---------------------------------------------------------------- what a page says happens


def test_the_example_of_an_edited_table_breaks_as_the_page_says() -> None:
    """Change the table: a new password for a code alone is refused in the words of the page."""
    (quoted,) = code_of("docs/how-to/change-the-table.md", "text")
    rows = [row_as_json(row) for row in JOURNEYS.values()]
    edited = json.loads(json.dumps(rows))
    next(row for row in edited if row["name"] == "reset-password")["prove"] = {"proof": "phone_code"}

    journeys, policy = tables_from(edited)
    verdicts = check(journeys, policy, CAUSES, BUILT).verdicts()

    assert quoted.strip() in "\n".join(story for verdict in verdicts.values() for story in verdict.stories)


def test_every_field_of_a_row_is_explained() -> None:
    """Change the table: what a row says is said of every field."""
    page = TEXT[ROOT / "docs" / "how-to" / "change-the-table.md"]
    explained = re.findall(r"^\| `(\w+)` \|", page, re.MULTILINE)
    assert set(Journey.__struct_fields__) == set(explained)


def test_the_demo_people_of_the_pages_exist() -> None:
    """Numbers, cards, names and secrets that a reader shall type are those of the demo, but for nobody's number."""
    known = {"19900009999"}
    for person in PEOPLE:
        known |= {person.core_ref, person.name, *(phone.removeprefix("+86") for phone in person.holds)}
        known |= {value for card in person.cards for value in (card.number, card.pin)}
        known |= {person.login.password, person.login.user_name} if person.login else set()
    named = {word for text in TEXT.values() for word in re.findall(r"\b(?:199\d{8}|9906\d{12})\b", text)}
    tutorial = TEXT[ROOT / "docs" / "tutorial" / "first-sign-in.md"]
    named |= set(re.findall(r"`(\d{6}|[a-z]+(?:-[a-z]+)+-\d)`", tutorial)) | set(
        re.findall(r"You are ([^\x00-\x7f]+)", tutorial)
    )
    assert set() == named - known
    assert {"林晚晴", "吴海燕", "kite-over-river-7", "246813", "9906000000000402"} <= named
