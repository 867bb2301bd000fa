"""House rules that no linter knows, each with its reason."""

import ast
import re
import shutil
import subprocess
import tokenize
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src" / "foregate"
MODULES = sorted(SOURCE.rglob("*.py"))
HANDLERS = [path for door in ("api", "pages", "console") for path in SOURCE.glob(f"doors/{door}/**/*.py")]
MAY_PRINT = ("doors/cli", "doors/generate.py", "demo.py", "demo/")

FUNCTION_LINES = 70
MODULE_LINES = 400
HANDLER_LINES = 15

Function = ast.FunctionDef | ast.AsyncFunctionDef


def functions(path: Path) -> Iterator[Function]:
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, Function):
            yield node


def place(path: Path, line: int) -> str:
    return f"{path.relative_to(ROOT)}:{line}"


def lines_of(function: Function) -> int:
    """Count the lines of a function from `def` on: decorators say what it is for, not how long it is."""
    return (function.end_lineno or function.lineno) - function.lineno + 1


def comments(path: Path) -> Iterator[tuple[int, str]]:
    with path.open("rb") as file:
        for token in tokenize.tokenize(file.readline):
            if token.type == tokenize.COMMENT:
                yield token.start[0], token.string


def tracked_files() -> list[Path]:
    """Return the files that git tracks or would track; those of the source when there is no git here."""
    git = shutil.which("git")
    if git is None or not (ROOT / ".git").exists():
        return [path for folder in ("src", "tests", "script") for path in (ROOT / folder).rglob("*") if path.is_file()]
    command = [git, "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(command, cwd=ROOT, check=True, capture_output=True).stdout.decode().split("\0")
    return [ROOT / name for name in names if name and (ROOT / name).is_file()]


def test_functions_are_short() -> None:
    """A function fits on a screen; one that does not does two things."""
    long = [
        f"{place(path, function.lineno)} {function.name}: {lines_of(function)} lines"
        for path in MODULES
        for function in functions(path)
        if lines_of(function) > FUNCTION_LINES
    ]
    assert [] == long


def test_modules_are_short() -> None:
    """A limit on functions alone lets files swell; a file has one subject."""
    lengths = {path: len(path.read_text("utf-8").splitlines()) for path in MODULES}
    assert [] == [f"{place(path, 1)}: {lines} lines" for path, lines in lengths.items() if lines > MODULE_LINES]


def test_handlers_are_thin() -> None:
    """A door decodes, calls the desk and encodes. More than that is a decision in the wrong place."""
    thick = [
        f"{place(path, function.lineno)} {function.name}: {lines_of(function)} lines"
        for path in HANDLERS
        for function in functions(path)
        if [argument.arg for argument in function.args.args][:1] == ["request"] and lines_of(function) > HANDLER_LINES
    ]
    assert [] == thick


def test_only_the_command_line_prints() -> None:
    """What a server has to say goes to its log, where secrets are struck out."""
    prints = [
        place(path, node.lineno)
        for path in MODULES
        if not path.relative_to(SOURCE).as_posix().startswith(MAY_PRINT)
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print"
    ]
    assert [] == prints


EXCEPTION = re.compile(r"#\s*(noqa|type:\s*ignore)")
EXPLAINED = re.compile(
    r"#\s*(noqa:\s*[A-Z]+\d+(,\s*[A-Z]+\d+)*|type:\s*ignore\[[a-z-]+(,\s*[a-z-]+)*\])\s+(#|--|—)\s*\w+"
)


@pytest.mark.parametrize(
    ("comment", "explained"),
    [
        ("# noqa", False),
        ("# noqa: S101", False),
        ("# noqa: S101 -- the engine's own claim", True),
        ("# type: ignore", False),
        ("# type: ignore[arg-type]", False),
        ("# type: ignore[arg-type]  # options are checked by Playwright", True),
    ],
)
def test_what_counts_as_explained(comment: str, explained: bool) -> None:
    """An exception needs its code and, behind it, a reason."""
    assert explained == bool(EXPLAINED.search(comment))


def test_every_exception_states_its_reason() -> None:
    """An exception without a code hides every other fault of its line; one without a reason outlives it."""
    python = [*MODULES, *sorted((ROOT / "tests").rglob("*.py"))]
    unexplained = [
        f"{place(path, line)} {comment}"
        for path in python
        for line, comment in comments(path)
        if EXCEPTION.search(comment) and not EXPLAINED.search(comment)
    ]
    assert [] == unexplained


# Written in pieces, so that this file passes its own test.
MACHINE_PATH = re.compile(
    r"(?<![\w./$}~-])/(?:" + "|".join(["wo" + "rk", "ro" + "ot", "tm" + "p", "ho" + "me"]) + r")/\w"
)


def test_no_file_names_a_path_of_one_machine() -> None:
    """A path of somebody's machine is wrong on every other, and tells strangers about it."""
    found = []
    for path in tracked_files():
        try:
            text = path.read_text("utf-8")
        except UnicodeDecodeError:
            continue  # a picture or a font
        found += [
            f"{place(path, n)} {line.strip()[:80]}"
            for n, line in enumerate(text.splitlines(), 1)
            if MACHINE_PATH.search(line)
        ]
    assert [] == found
