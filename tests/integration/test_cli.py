"""The command line, run as an operator runs it: what it says, what it leaves, and its exit codes."""

from __future__ import annotations

import os
import shutil
import sqlite3
import stat
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import anyio
import pytest

from foregate import __version__
from foregate.store import schema
from foregate.store.keyring import load_keys
from tests.bank import LI, open_bank

HEADER = "core_ref,name,birth_date,document_type,document_number,document_expires_on,card_number,card_pin,bound_phone"
GOOD = [
    "C001,李小明,1999-01-10,RESIDENT_ID,440308199901101512,,6222020000000000018,274913,13800138000",
    "C001,李小明,1999-01-10,RESIDENT_ID,440308199901101512,,6222020000000000042,318642,",
    '"C002","王芳",1949-12-31,RESIDENT_ID,11010519491231002x,2030-01-01,6222 0200 0000 0000 026,580264,+8613911112222',
]
BAD = {
    "C003,陈晨,1990-03-07,RESIDENT_ID,440308199901101513,,6222020000000000034,917350,": "document_number",
    "C003,陈晨,1990-03-07,RESIDENT_ID,11010119900307109X,,6222020000000000035,917350,": "card_number",
    "C003,陈晨,19900307,RESIDENT_ID,11010119900307109X,,6222020000000000034,917350,": "birth_date",
    "C003,陈晨,1990-03-07,RESIDENT_ID,11010119900307109X,,6222020000000000034,91735,": "card_pin",
    "C003,陈晨,1990-03-07,RESIDENT_ID,11010119900307109X,,6222020000000000034,917350,95588": "bound_phone",
    "C003,陈晨": "2 columns",
    'C003,"陈晨,1990-03-07': "not a line of CSV",
    "C003,[bold]陈[/bold],1990-03-07,RESIDENT_ID,11010119900307109X,,6222020000000000034,917350,": "name",
}


@dataclass(frozen=True)
class Ran:
    """What a command said, and its exit code."""

    code: int
    out: str
    err: str


@dataclass(frozen=True)
class Operator:
    """Somebody at a shell, in a folder of their own, with Foregate's settings in the environment."""

    folder: Path
    settings: dict[str, str]

    @property
    def database(self) -> Path:
        return self.folder / "bank.db"

    def run(self, *words: str | Path, **settings: str) -> Ran:
        """Run `foregate` with these words."""
        own = {name: value for name, value in os.environ.items() if not name.startswith("FOREGATE_")}
        environ = own | {f"FOREGATE_{name.upper()}": value for name, value in (self.settings | settings).items()}
        command = [sys.executable, "-m", "foregate.doors.cli", *map(str, words)]
        done = subprocess.run(
            command, cwd=self.folder, env=environ, capture_output=True, text=True, timeout=60, check=False
        )
        return Ran(done.returncode, done.stdout, done.stderr)

    def file(self, name: str, *lines: str) -> Path:
        path = self.folder / name
        path.write_text("\n".join(lines) + "\n", "utf-8")
        return path

    def rows(self, table: str) -> int:
        with sqlite3.connect(self.database) as connection:
            (count,) = connection.execute(f"SELECT count(*) FROM {table}").fetchone()  # noqa: S608 -- of this file
        connection.close()
        return int(count)


def in_folder(folder: Path) -> Operator:
    """Return somebody whose settings name a database and keys in this folder."""
    return Operator(folder, {"database": f"sqlite:///{folder / 'bank.db'}", "keys_file": str(folder / "keys.toml")})


@pytest.fixture
def operator(tmp_path: Path) -> Operator:
    """Return somebody who has settings, and nothing made yet."""
    return in_folder(tmp_path)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder in which `keys` and `migrate` were run once, for everybody to begin with a copy."""
    first = in_folder(tmp_path_factory.mktemp("made"))
    assert 0 == first.run("keys", "keys.toml").code
    assert 0 == first.run("migrate").code
    return first.folder


@pytest.fixture
def ready(operator: Operator, made: Path) -> Operator:
    """Return somebody who has made keys and brought the database up."""
    shutil.copytree(made, operator.folder, dirs_exist_ok=True)  # with modes: keys that others may read do not serve
    return operator


def says_a_sentence(ran: Ran) -> bool:
    """Whether a failure was told to a person: on standard error, without a trace."""
    return bool(ran.err.strip()) and "Traceback" not in ran.err + ran.out


# ---------------------------------------------------------------- help


def test_help_names_every_command(operator: Operator) -> None:
    """`foregate --help` exits 0 and shows where to begin."""
    ran = operator.run("--help")
    commands = ("serve", "demo", "migrate", "keys", "import", "audit", "check", "journeys", "policy", "causes")
    assert (0, []) == (ran.code, [name for name in commands if name not in ran.out])
    assert "foregate demo" in ran.out


def test_the_version_is_the_packages(operator: Operator) -> None:
    """`foregate --version` says it, and nothing else."""
    assert __version__ == operator.run("--version").out.strip()


@pytest.mark.parametrize(
    "words",
    [("serve", "--port", "http"), ("unheard-of",), ("keys",), ("import", "customers"), ("migrate", "--sideways")],
    ids=" ".join,
)
def test_bad_usage_is_told(operator: Operator, words: tuple[str, ...]) -> None:
    """What cannot be understood is not done, and no trace is shown."""
    ran = operator.run(*words)
    assert ran.code != 0
    assert "Traceback" not in ran.err + ran.out


# ---------------------------------------------------------------- keys


def test_keys_are_readable_by_their_owner_alone(operator: Operator) -> None:
    """A key file has mode 600 from its first byte, and serves."""
    ran = operator.run("keys", "keys.toml")
    path = operator.folder / "keys.toml"
    assert (0, 0o600) == (ran.code, stat.S_IMODE(path.stat().st_mode))
    load_keys(path)


def test_keys_are_never_overwritten(operator: Operator) -> None:
    """A second set would make everything unreadable: refused with 2, and the first stays as it was."""
    operator.run("keys", "keys.toml")
    before = (operator.folder / "keys.toml").read_bytes()
    ran = operator.run("keys", "keys.toml")
    assert (2, True) == (ran.code, says_a_sentence(ran))
    assert "exists already" in ran.err
    assert before == (operator.folder / "keys.toml").read_bytes()


def test_keys_in_a_folder_that_is_not_there(operator: Operator) -> None:
    """A slip in the path is told as one."""
    ran = operator.run("keys", "nowhere/keys.toml")
    assert (2, True) == (ran.code, says_a_sentence(ran))


def test_two_key_files_hold_different_keys(operator: Operator) -> None:
    """Keys are made anew each time."""
    contents = []
    for name in ("one.toml", "two.toml"):
        operator.run("keys", name)
        contents.append({line for line in (operator.folder / name).read_text().splitlines() if "= " in line})
    assert 1 == len(contents[0] & contents[1])  # only which key is current: it is named after the day


# ---------------------------------------------------------------- migrate


def test_migrate_goes_up_and_down(operator: Operator) -> None:
    """Up makes the tables, again changes nothing; down goes back by one, and only when told that data goes too."""
    up, again = operator.run("migrate"), operator.run("migrate")
    assert [(0, up.out)] * 2 == [(up.code, up.out), (again.code, again.out)]
    assert 0 == operator.rows("customer")

    refused = operator.run("migrate", "--down")
    assert (2, True, True) == (refused.code, says_a_sentence(refused), "--lose-data" in refused.err)
    assert 0 == operator.rows("customer")

    down = operator.run("migrate", "--down", "--lose-data")
    assert (0, f"schema is at {int(schema.HEAD) - 1:04d}") == (down.code, down.out.strip())
    assert up.out == operator.run("migrate").out


def test_migrate_needs_a_database(operator: Operator) -> None:
    """Without one in the settings nothing is guessed."""
    ran = operator.run("migrate", database="")
    assert (2, True, True) == (ran.code, says_a_sentence(ran), "database" in ran.err)


# ---------------------------------------------------------------- import


def test_importing_documents(ready: Operator) -> None:
    """Good lines are in, bad ones named with their line; another file is refused in a sentence."""
    head = "holder,name,document_type,document_number,document_expires_on"
    good = "C001,李小明,RESIDENT_ID,440308199901101512,2041-01-10"
    ran = ready.run("import", "documents", ready.file("good.csv", head, good))
    assert (0, "1 documents loaded, 0 lines refused", 1) == (ran.code, ran.out.strip(), ready.rows("registry_document"))
    ran = ready.run("import", "documents", ready.file("bad.csv", head, good, "C001,李小明,RESIDENT_ID,1,"))
    assert (1, True) == (ran.code, "line 3: document_number: document-number" in ran.out)
    ran = ready.run("import", "documents", ready.file("other.csv", "core_ref,name"))
    assert (2, True) == (ran.code, says_a_sentence(ran))


def test_good_lines_are_imported_and_again_change_nothing(ready: Operator) -> None:
    """One line is one card; running the file twice leaves what running it once did."""
    file = ready.file("people.csv", HEADER, *GOOD)
    first = ready.run("import", "customers", file)
    assert (0, "3 cards loaded, 0 lines refused") == (first.code, first.out.strip())
    rows = [ready.rows(table) for table in ("core_person", "core_card")]
    assert [2, 3] == rows

    again = ready.run("import", "customers", file)
    assert (0, first.out) == (again.code, again.out)
    assert rows == [ready.rows(table) for table in ("core_person", "core_card")]


def test_bad_lines_are_named_and_the_others_imported(ready: Operator) -> None:
    """Line number, column and reason of each bad one; the exit code is 1, and nothing typed is said again."""
    lines = [HEADER, GOOD[0], *BAD, GOOD[2]]
    ran = ready.run("import", "customers", ready.file("people.csv", *lines))
    told = dict(line.removeprefix("line ").split(": ", 1) for line in ran.out.splitlines() if line.startswith("line "))
    assert 1 == ran.code
    assert {str(number): True for number in range(3, 3 + len(BAD))} == {
        number: what in told[number] for number, what in zip(told, BAD.values(), strict=True)
    }
    assert f"2 cards loaded, {len(BAD)} lines refused" in ran.out
    assert "陈" not in ran.out + ran.err


def test_what_the_bank_changed_is_changed(ready: Operator) -> None:
    """A newer file changes what changed."""
    ready.run("import", "customers", ready.file("people.csv", HEADER, GOOD[0]))
    newer = ready.file("newer.csv", HEADER, GOOD[0].replace("13800138000", "15000000000"))
    assert (0, 1) == (ready.run("import", "customers", newer).code, ready.rows("core_card"))


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("missing.csv", None),
        ("other.csv", "name,card\n"),
        ("empty.csv", ""),
        ("folder", b""),
        ("latin.csv", b"\xff\xfe"),
    ],
)
def test_a_file_that_is_none(ready: Operator, name: str, content: str | bytes | None) -> None:
    """Missing, with other columns, or no text: a sentence and exit code 2, and nothing is imported."""
    path = ready.folder / name
    if name == "folder":
        path.mkdir()
    elif content is not None:
        path.write_bytes(content.encode() if isinstance(content, str) else content)
    ran = ready.run("import", "customers", path)
    assert (2, True) == (ran.code, says_a_sentence(ran))
    assert 0 == ready.rows("core_card")


@pytest.mark.parametrize("name", ["keys_file", "database"])
def test_import_with_a_setting_missing(ready: Operator, name: str) -> None:
    """What is not set is named."""
    file = ready.file("people.csv", HEADER)
    ran = ready.run("import", "customers", file, **{name: ""})
    assert (2, True) == (ran.code, says_a_sentence(ran))


# ---------------------------------------------------------------- audit


async def sign_in_once(operator: Operator) -> str:
    """Let something happen that is recorded; return the customer's chain."""
    keys = load_keys(operator.folder / "keys.toml")
    bank = await open_bank(operator.settings["database"], keys=keys)
    await bank.settle(LI)
    await bank.visitor().sign_in(LI)
    chain = bank.customer_id(LI)
    await bank.close()
    return chain


def test_a_whole_record_is_called_whole(ready: Operator) -> None:
    """Exit code 0, and a word about what cannot be seen without an anchor."""
    anyio.run(sign_in_once, ready)
    ran = ready.run("audit", "verify")
    assert (0, True, True) == (ran.code, "The record is whole." in ran.out, "No anchor" in ran.out)


def test_a_tampered_record_names_its_chain(ready: Operator) -> None:
    """Exit code 1, with the chain whole on one line, for a person to look up and a script to cut out."""
    chain = anyio.run(sign_in_once, ready)
    with sqlite3.connect(ready.database) as connection:
        for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            connection.execute(f"DROP TRIGGER {name}")
        changed = connection.execute("UPDATE audit_event SET kind = 'greeted' WHERE chain = ? AND seq = 1", (chain,))
        assert 1 == changed.rowcount
    connection.close()
    ran = ready.run("audit", "verify")
    assert 1 == ran.code
    assert any(line.startswith(f"tampered {chain}, from number 1: ") for line in ran.out.splitlines())
    assert "whole" not in ran.out


def test_an_anchor_that_is_not_there(ready: Operator) -> None:
    """Verifying against a missing anchor is no verification: exit code 2."""
    ran = ready.run("audit", "verify", "--anchor", "gone.jsonl")
    assert (2, True, True) == (ran.code, says_a_sentence(ran), "gone.jsonl" in ran.err)


# ---------------------------------------------------------------- serve


def test_weak_settings_do_not_serve(ready: Operator) -> None:
    """Exit code 2 before the first byte, with every setting that is missing or weak and what to set."""
    ran = ready.run("serve", origin="http://login.bank.example")
    missing = ("origin", "bank_name", "hotline", "sms_gateway", "sms_secret_file")
    assert (2, True) == (ran.code, says_a_sentence(ran))
    assert [] == [name for name in missing if f"- {name} " not in ran.err]
    assert "https://" in ran.err


def test_the_demos_weakness_does_not_serve(ready: Operator) -> None:
    """`is_demo` in the environment opens no back way."""
    ran = ready.run("serve", is_demo="true")
    assert (2, True, True) == (ran.code, says_a_sentence(ran), "is_demo must be off" in ran.err)


@pytest.mark.parametrize("what", ["missing", "broken", "misspelt"])
def test_a_settings_file_that_cannot_be_used(operator: Operator, what: str) -> None:
    """Exit code 2 and the file's or the setting's name."""
    texts = {"broken": "origin = ", "misspelt": 'orgin = "https://login.bank.example"'}
    if what in texts:
        operator.file("foregate.toml", texts[what])
    ran = operator.run("serve", "--settings", "foregate.toml")
    assert (2, True) == (ran.code, says_a_sentence(ran))
    assert ("orgin" if what == "misspelt" else "foregate.toml") in ran.err


def strong(operator: Operator) -> dict[str, str]:
    """Return settings fit to serve, over this operator's database."""
    secret = operator.file("secret", "Ud8/o0sWq3mXyZ1kP6vTnR5bLcHfJgA2eSiM4wQz7Bc=")
    return {
        "origin": "https://login.bank.example",
        "bank_name": "Test Bank",
        "hotline": "95000",
        "sms_gateway": "https://sms.internal/send",
        "sms_secret_file": str(secret),
        "inbound_secret_file": str(secret),
        "text_us_number": "1069012345",
    }


@pytest.mark.parametrize("what", ["no keys", "keys open to others", "no tables"])
def test_serve_says_what_is_missing_behind_good_settings(operator: Operator, what: str) -> None:
    """Keys and tables are looked at before anybody is let in: exit code 2 and what to run."""
    if what != "no keys":
        operator.run("keys", "keys.toml")
    if what == "keys open to others":
        (operator.folder / "keys.toml").chmod(0o644)
    ran = operator.run("serve", "--port", "0", **strong(operator))
    assert (2, True) == (ran.code, says_a_sentence(ran))
    assert {"no keys": "foregate keys", "keys open to others": "chmod 600", "no tables": "migrate"}[what] in ran.err


# ---------------------------------------------------------------- staff


def test_the_first_administrator(ready: Operator) -> None:
    """Added from the command line with a code to enrol with, which is kept nowhere; a name is given once."""
    ran = ready.run("staff", "add", "zhang.min", "--name", "张敏")
    code = next((line.strip() for line in ran.out.splitlines() if line.startswith("    ")), "")
    assert (0, 1, 1) == (ran.code, ready.rows("staff"), ready.rows("staff_enrolment"))
    assert 13 == len(code.replace("-", ""))
    assert code.replace("-", "").encode() not in ready.database.read_bytes()
    again = ready.run("staff", "add", "Zhang.Min", "--name", "张敏")
    assert (2, 1) == (again.code, ready.rows("staff"))
    assert says_a_sentence(again)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("x", "--name", "张敏"), "user_name"),
        (("zhang.min", "--name", "张敏", "--role", "teller"), "outlet"),
        (("zhang.min", "--name", "张敏", "--role", "teller", "--outlet", "nowhere"), "outlet"),
    ],
    ids=["user name", "no outlet", "unknown outlet"],
)
def test_a_member_of_staff_who_cannot_be_added(ready: Operator, words: tuple[str, ...], said: str) -> None:
    """It is said why, and nobody is added."""
    ran = ready.run("staff", "add", *words)
    assert (2, 0) == (ran.code, ready.rows("staff"))
    assert says_a_sentence(ran)
    assert said in ran.err


# ---------------------------------------------------------------- outlets


def test_outlets_are_imported_and_again_change_nothing(ready: Operator) -> None:
    """The sum is said, every rejected record is kept with its reason, and the second run writes nothing."""
    file, rejects = ready.folder / "outlets.csv", ready.folder / "bad.csv"
    file.write_text("outlet_id,name,hours\nA,[bold]甲支行,Mo-Fr 09:00-17:00\nB,,\nC,丙支行,\n", "utf-8")
    first = ready.run("import", "outlets", file, "--rejects", rejects)
    assert (1, "") == (first.code, first.err)
    assert "3 records: 2 new, 0 changed, 0 unchanged, 1 rejected" in first.out
    assert "name: empty" in first.out
    assert ["record,outlet_id,reason", "3,B,name: empty"] == rejects.read_text("utf-8").splitlines()
    file.write_text("outlet_id,name,hours\nA,[bold]甲支行,Mo-Fr 09:00-17:00\n", "utf-8")
    again = ready.run("import", "outlets", file, "--retire-missing")
    assert 0 == again.code
    assert "1 records: 0 new, 0 changed, 1 unchanged, 0 rejected" in again.out
    assert "1 that the file no longer holds were retired" in again.out


@pytest.mark.parametrize("content", ["name,address\nA,B\n", "\x00\x01", ""])
def test_a_file_of_outlets_that_is_none(ready: Operator, content: str) -> None:
    """Is told in a sentence."""
    file = ready.folder / "outlets.csv"
    file.write_text(content, "utf-8")
    ran = ready.run("import", "outlets", file)
    assert 2 == ran.code
    assert says_a_sentence(ran)


def test_a_mapping_that_is_not_there(ready: Operator) -> None:
    """Is named."""
    file = ready.folder / "outlets.csv"
    file.write_text("outlet_id,name\nA,B\n", "utf-8")
    ran = ready.run("import", "outlets", file, "--mapping", "nowhere.toml")
    assert 2 == ran.code
    assert "nowhere.toml" in ran.err
