"""REL-12, the drill: a copy is taken, the bank goes on, the copy is put back. Nothing that ended since lives again."""

from __future__ import annotations

import asyncio
import os
import re
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from dataclasses import replace as changed
from pathlib import Path

import pytest
import structlog.testing

from foregate.counter import sign_in_enrol
from foregate.counter.guard import Objected
from foregate.counter.views import ProposalView
from foregate.ports.counter import Role
from foregate.rules import limits
from foregate.situation import Refused
from foregate.store.anchors import BehindItsAnchor
from foregate.store.keyring import load_keys, write_keys
from tests import services, staff
from tests.at_counter import permit_of
from tests.bank import CHEN, LI, WANG, Bank, Person, Visitor, open_bank
from tests.contract.samples import sql
from tests.office import Office, open_office

pytestmark = pytest.mark.anyio

NEW_NUMBER = "+8613512345678"
MOVED = changed(WANG, phone="+8613500007777")
NEW_PASSWORD = "another evening by the sea"
PAGE = (Path(__file__).parents[2] / "docs" / "how-to" / "back-up-and-restore.md").read_text("utf-8")


@dataclass
class Vault:
    """Where a bank lies, and its copies: files for SQLite, dumps for PostgreSQL."""

    folder: Path
    database: str
    server: services.PostgresServer | None
    made: list[str] = field(default_factory=list)

    @property
    def anchor(self) -> Path:
        return self.folder / "anchor.jsonl"

    @property
    def keys_file(self) -> Path:
        return self.folder / "keys.toml"

    def back_up(self) -> None:
        """Take a copy while the bank is open, as the how-to says."""
        if self.server is None:
            with sqlite3.connect(self.database.removeprefix("sqlite:///")) as connection:
                connection.execute("VACUUM INTO ?", (str(self.folder / "copy.db"),))
            connection.close()
            return
        self._program("pg_dump", "-Fc", "-f", self.folder / "copy", self.database)

    def put_back(self) -> None:
        """Put the copy where the bank was lost."""
        if self.server is None:
            path = Path(self.database.removeprefix("sqlite:///"))
            for name in (path.name, f"{path.name}-wal", f"{path.name}-shm"):
                path.with_name(name).unlink(missing_ok=True)
            path.write_bytes((self.folder / "copy.db").read_bytes())
            return
        name = self.server.create_database()
        self.made.append(name)
        self.database = self.server.dsn(name)
        self._program("pg_restore", "--no-owner", "-d", self.database, self.folder / "copy")

    def _program(self, name: str, *words: str | Path) -> None:
        assert self.server is not None
        subprocess.run([self.server.programs / name, *words], check=True, capture_output=True)

    async def open(self) -> Bank:
        """Open the bank as it lies there."""
        return await open_bank(self.database, keys=load_keys(self.keys_file), audit_anchor=str(self.anchor))

    async def run(self, *words: str | Path, **changes: str | Path) -> tuple[int, str]:
        """Run `foregate` with these words; return its exit code and all that it said."""
        settings = {"database": self.database, "keys_file": self.keys_file, "audit_anchor": self.anchor} | changes
        own = {name: value for name, value in os.environ.items() if not name.startswith("FOREGATE_")}
        environ = own | {f"FOREGATE_{name.upper()}": str(value) for name, value in settings.items()}
        command = [sys.executable, "-m", "foregate.doors.cli", *map(str, words)]
        done = await asyncio.to_thread(
            subprocess.run, command, env=environ, capture_output=True, text=True, timeout=60, check=False,
            stdin=subprocess.DEVNULL,
        )  # fmt: skip
        return done.returncode, done.stdout + done.stderr


@pytest.fixture
def vault(database: str, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Vault]:
    """Yield where a bank lies that has a key file and an anchor."""
    is_file = database.startswith("sqlite")
    made = Vault(tmp_path, database, None if is_file else request.getfixturevalue("postgres_server"))
    write_keys(made.keys_file)
    yield made
    for name in made.made:
        assert made.server is not None
        made.server.drop_database(name)


@dataclass
class Held:
    """What people hold at the moment of the copy. By the time it is put back, each of it is spent, ended or changed."""

    at: int
    office: Office
    signed_in: Visitor
    device: str
    half_done: Visitor
    console: staff.Console
    code: str
    permit: str
    proposal: ProposalView
    enrolment: str
    kept: dict[str, Visitor]  # the browsers of that moment, as a thief may have copied them


async def live(bank: Bank) -> Held:
    """Let much be under way."""
    await bank.settle(LI, WANG, CHEN)
    permit = await permit_of(bank, WANG, MOVED.phone)
    office = await open_office(bank)
    proposal = await office.new_number(office.teller, NEW_NUMBER, CHEN)
    console = staff.Console(bank)
    await console.sign_in(await staff.hire(bank, "zhou.auditor", Role.AUDITOR))
    async with bank.house.store.begin() as tx:
        enrolment = await sign_in_enrol.issue(bank.house.world, tx, office.far.staff_id, actor="test", source="")
    signed_in, remembered, half_done = bank.visitor(), bank.visitor(), bank.visitor()
    await signed_in.sign_in(LI)
    device = await bank.remember(remembered, LI)
    await half_done.start("sign-in-basic", "phone", phone=MOVED.phone)
    code = await bank.code(MOVED.phone)
    bank.clock.turn(limits.RESEND_SECONDS + 1)
    # On its way at the moment of the copy: nobody has handed it over yet.
    sent = {"journey": "freeze", "step": "phone", "answer": {"phone": CHEN.phone}}
    await bank.visitor().client.post("/v1/journeys", json=sent)
    await bank.house.sealer.once()
    visitors = {"signed in": signed_in, "remembered": remembered, "half done": half_done}
    kept = {name: again(bank, visitor) for name, visitor in visitors.items()}
    kept["staff"] = bank.visitor(cookies=dict(console.client.cookies))
    at = bank.clock.now()
    return Held(at, office, signed_in, device, half_done, console, code, permit, proposal, enrolment, kept)


async def go_on(bank: Bank, held: Held) -> None:
    """Spend, end or change each of it, honestly."""
    await bank.deliver()
    assert "done" == (await held.half_done.answer(code=held.code)).journey["status"]
    bank.clock.turn(limits.RESEND_SECONDS + 1)
    forgotten = await held.signed_in.start("forget-device", "forget-device", device_id=held.device)
    ended = await held.signed_in.start("sign-out-everywhere")
    assert ("done", "done") == (forgotten.journey["status"], ended.journey["status"])
    bank.clock.turn(1)  # what begins in the very same second ends with it
    proposals = held.office.counter.proposals
    done = await proposals.consent(held.office.colleague, held.proposal.proposal_id, held.proposal.digest, "seen by me")
    assert "done" == done.proposal.state
    await reset(bank, bank.visitor(), LI, NEW_PASSWORD)
    frozen = bank.visitor()
    await frozen.start("freeze", "card", card_number=WANG.card)
    await frozen.answer("choose", way="card_pin")
    assert "done" == (await frozen.answer(card_pin=WANG.pin)).journey["status"]
    await held.console.post("/console/sign-out")
    await bank.house.sealer.once()


async def reset(bank: Bank, visitor: Visitor, person: Person, password: str) -> None:
    """Set a new password by code and card PIN."""
    await visitor.start("reset-password", "phone", phone=person.phone)
    await visitor.answer(code=await bank.code(person.phone))
    await visitor.answer(card_pin=person.pin)
    assert "done" == (await visitor.answer(new_password=password)).journey["status"]
    bank.clock.turn(limits.RESEND_SECONDS + 1)


async def reopen(bank: Bank, person: Person) -> None:
    """Open one's sign-in again by card, the card's number and the card PIN."""
    visitor = bank.visitor()
    await visitor.start("reopen", "card_and_phone", card_number=person.card, phone=person.bound)
    await visitor.answer(code=await bank.code(person.bound))
    assert "done" == (await visitor.answer(card_pin=person.pin)).journey["status"]
    bank.clock.turn(limits.RESEND_SECONDS + 1)


def again(bank: Bank, visitor: Visitor) -> Visitor:
    """Return the same browser, with its cookies and the journey it was on, at the restored bank."""
    new = bank.visitor(cookies=dict(visitor.client.cookies))
    new.last = visitor.last
    return new


async def test_rel_12_nothing_that_ended_lives_again(vault: Vault) -> None:
    """Copied, gone on with, lost, put back, `foregate restored`: each thing that ended stays ended, people get in."""
    bank = await vault.open()
    held = await live(bank)
    vault.back_up()
    await go_on(bank, held)
    await bank.close()
    vault.put_back()

    with pytest.raises(BehindItsAnchor, match="foregate restored --close-permissions"):
        await vault.open()
    code, said = await vault.run("restored", "--close-permissions", "--forget-credentials", "--yes")

    assert 0 == code, said
    assert "Lost: seal 2, " in said
    ended = {name: int(count) for name, count in re.findall(r"^  (\w+) +(\d+) ", said, re.MULTILINE)}
    assert all(ended[name] for name in ENDED), said
    assert {"permission": 3, "customer": 3} == {name: ended[name] for name in ("permission", "customer")}
    assert "numbers that were replaced since" in said
    restored = await vault.open()
    restored.clock.at = held.at  # a moment at which all of it would still be good
    await nothing_lives(restored, held)
    await people_get_in(restored, held)
    await one_is_closed_by_hand(restored)
    await restored.house.sealer.once()
    await restored.close()
    await the_record_tells(vault)


ENDED = ("session", "device", "journey", "code", "permit", "outbox", "proposal", "staff_session", "staff_enrolment")


async def nothing_lives(bank: Bank, held: Held) -> None:
    """What was held at the moment of the copy is good for nothing."""
    assert 0 == await bank.house.dispatcher.dispatch()
    assert await again(bank, held.kept["signed in"]).level() is None
    assert "journey-unknown" == (await again(bank, held.kept["half done"]).answer(code=held.code)).cause
    assert "phone_code" == (await again(bank, held.kept["remembered"]).start("sign-in", "phone", phone=LI.phone)).step
    bank.clock.turn(limits.RESEND_SECONDS + 1)
    console = staff.Console(bank)
    console.client.cookies.update(held.kept["staff"].client.cookies)
    assert "/console/sign-in" in (await console.get("/console/audit")).location
    assert isinstance(await sign_in_enrol.look(bank.house.world, held.enrolment), Refused)
    proposals = bank.house.counter.proposals
    with pytest.raises(Objected, match="proposal-"):
        await proposals.consent(held.office.colleague, held.proposal.proposal_id, held.proposal.digest, "seen by me")
    thief = bank.visitor()
    # The old number, the old password, the login that was frozen: each is refused.
    for person in (CHEN, LI, MOVED):
        assert "closed-by-customer" == (await thief.sign_in_basic(person)).cause
        bank.clock.turn(limits.RESEND_SECONDS + 1)
    await thief.start("reset-password", "phone", phone=MOVED.phone)
    await thief.answer(code=await bank.code(MOVED.phone))
    await thief.answer("choose", way="permit")
    assert "done" != (await thief.answer("permit", permit=held.permit)).journey["status"]
    assert thief.last is not None
    assert "set-password" != thief.last.step
    bank.clock.turn(limits.RESEND_SECONDS + 1)


async def people_get_in(bank: Bank, held: Held) -> None:
    """Card, its number and its PIN reopen; then the old password is still worth nothing, and a new one is set."""
    bank.clock.turn(3600)  # a number is sent so many codes an hour
    await reopen(bank, LI)
    visitor = bank.visitor()
    await visitor.start("sign-in", "phone", phone=LI.phone)
    await visitor.answer(code=await bank.code(LI.phone))
    await visitor.answer("password", password=LI.password)
    assert await visitor.level() is None
    bank.clock.turn(limits.RESEND_SECONDS + 1)
    await reset(bank, visitor, LI, NEW_PASSWORD + "!")
    await visitor.sign_in(changed(LI, password=NEW_PASSWORD + "!"))
    assert "full" == await visitor.level()
    await reopen(bank, WANG)
    assert "done" == (await bank.visitor().sign_in_basic(MOVED)).journey["status"]


async def one_is_closed_by_hand(bank: Bank) -> None:
    """The SQL of the how-to closes whom it names."""
    (statement,) = re.findall(r"^ *```sql\n(.*?);\n *```$", PAGE, re.DOTALL | re.MULTILINE)
    statement = statement.replace("'ID'", f"'{bank.customer_id(LI)}'")
    if bank.house.store.database.dialect == "sqlite":
        statement = statement.replace("CAST(extract(epoch FROM now()) AS bigint)", "unixepoch()")
    assert 1 == len(await sql(bank.house.store, f"{statement} RETURNING 1"))
    bank.clock.turn(limits.RESEND_SECONDS + 1)
    assert "closed-by-customer" == (await bank.visitor().sign_in_basic(LI)).cause


async def the_record_tells(vault: Vault) -> None:
    """One known gap and no finding, for ever; and what is cut off after it is found."""
    code, said = await vault.run("audit", "verify")
    assert 0 == code, said
    assert "known gap seal 2 of an anchor, lost by a restore" in said
    assert "The record is whole, but for the known gaps above." in said


# ---------------------------------------------------------------- the command


@pytest.fixture
async def put_back(tmp_path: Path) -> Vault:
    """Return a bank of one customer in a file, put back to where it was before its last seal."""
    vault = Vault(tmp_path, f"sqlite:///{tmp_path / 'bank.db'}", None)
    write_keys(vault.keys_file)
    bank = await vault.open()
    await bank.settle(LI)
    await bank.visitor().sign_in(LI)
    await bank.house.sealer.once()
    vault.back_up()
    bank.clock.turn(3600)
    await bank.visitor().sign_in(LI)
    await bank.house.sealer.once()
    await bank.close()
    vault.put_back()
    return vault


Serving = dict[str, str | Path]


@pytest.fixture
def serving(tmp_path: Path) -> Serving:
    """Return the settings that a server needs besides."""
    secret = tmp_path / "secret"
    secret.write_text("a secret of 32 characters, or more of them")
    return {
        "origin": "https://login.bank.test", "bank_name": "b", "hotline": "95000", "text_us_number": "1069",
        "sms_gateway": "http://127.0.0.1:9/", "sms_secret_file": secret, "inbound_secret_file": secret,
    }  # fmt: skip


def rows(vault: Vault, table: str) -> int:
    with sqlite3.connect(vault.database.removeprefix("sqlite:///")) as connection:
        (count,) = connection.execute(f"SELECT count(*) FROM {table}").fetchone()  # noqa: S608 -- of this file
    connection.close()
    return int(count)


async def test_the_command_asks_and_does_no_more_than_it_was_told(put_back: Vault, serving: Serving) -> None:
    """The server does not open; without a choice, or a yes, nothing is done; then sessions end, and passwords stay."""
    code, said = await put_back.run("serve", "--port", str(services.free_port()), **serving)
    assert (2, 1) == (code, rows(put_back, "session"))
    assert "knows of seal 2, the database ends at seal 1" in said
    assert "Traceback" not in said

    for words, expected, told in (
        (["restored"], 2, "Say which"),
        (["restored", "--keep-permissions"], 2, "Nobody is here to say yes"),
        (["restored", "--anchor-only"], 1, "younger than the last restore"),
    ):
        code, said = await put_back.run(*words)
        assert (expected, True, 1) == (code, told in said, rows(put_back, "session")), said
    code, said = await put_back.run("restored", "--keep-permissions", "--yes")
    assert (0, 0, 0) == (code, rows(put_back, "session"), rows(put_back, "permission")), said
    assert "1 h 0 min 0 s of the bank's life" in said
    assert "  - sign-in that customers froze, or that the bank closed, since" in said
    bank = await put_back.open()
    bank.clock.turn(limits.RESEND_SECONDS + 1)
    visitor = bank.visitor()
    await visitor.sign_in(LI)
    assert "full" == await visitor.level()
    await bank.close()


async def test_without_an_anchor(put_back: Vault) -> None:
    """Nobody can say how much is lost, and that is said; the restore is in the record all the same."""
    code, said = await put_back.run("restored", "--keep-permissions", "--yes", audit_anchor="")
    assert (0, True) == (code, "There is no audit anchor, so nobody can say how much is lost." in said)
    code, said = await put_back.run("audit", "verify", audit_anchor="")
    assert 0 == code
    assert "from a backup that ended at seal 1" in said
    assert "The record is whole." in said


async def test_an_anchor_that_cannot_be_read_keeps_no_bank_shut(tmp_path: Path) -> None:
    """It is another machine's disk. That nobody knows then is said in the log."""
    with structlog.testing.capture_logs() as said:
        bank = await open_bank(f"sqlite:///{tmp_path / 'bank.db'}", audit_anchor=str(tmp_path))
    await bank.close()
    assert ["whether the database lies behind is not known"] == [
        each["event"] for each in said if each["log_level"] == "warning"
    ]
