"""PWD-04: huge passwords and a thousand sign-ins at once, against a server in a process of its own."""

import asyncio
import contextlib
import math
import os
import threading
import time
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import msgspec
import pytest

from foregate.bootstrap import Foregate
from foregate.gateways.hashing import Argon2Hasher
from foregate.ids import new_id
from foregate.ports import Customer, SessionRow
from foregate.rules import limits
from foregate.rules.words import Level
from foregate.tokens import Token
from tests.attack.nodes import HOST, Answer, Line, Node, found_town, sms_centre
from tests.bank import LI, Bank, open_bank

pytestmark = [pytest.mark.anyio, pytest.mark.attack, pytest.mark.slow]

MIB = 2**20
HUGE_BYTES = 10 * MIB
SOON_SECONDS = 1.0
SIGN_INS = 1000
SECRET = b"s" * 32
ELSEWHERE = ("/", "/healthz", "/v1/session")
PATIENCE_SECONDS = 60
HASHES_AT_ONCE = len(os.sched_getaffinity(0))
ROOM_MIB = 80  # for a thousand connections, and what the allocator keeps


def session_cookie(customer_id: str, session_id: str) -> str:
    """Return what the browser of a seeded session sends."""
    return f"__Host-session={Token(customer_id, session_id, SECRET).text()}"


async def seed(house: Foregate, count: int) -> list[str]:
    """Write customers who have shown their phone and no password yet; return their cookies.

    Their sessions need not be touched while a test runs: a touch is a write, and waits with all others who write.
    """
    now = int(time.time())
    hashed = await house.hasher.hash(LI.password)
    cookies = []
    async with house.store.begin() as tx:
        for number in range(count):
            customer_id, session_id = new_id(), new_id()
            customer = Customer(
                customer_id=customer_id, core_ref=f"P{number}", name=LI.name, phone=f"+86139{number:08d}",
                user_name=None, password_hash=hashed, created_at=now, last_sign_in_at=now,
            )  # fmt: skip
            session = SessionRow(
                customer_id=customer_id, session_id=session_id, level=Level.BASIC, evidence=(("phone_code", now),),
                secret_digest=Token(customer_id, session_id, SECRET).digest, device_id=None, agent="",
                created_at=now, seen_at=now, expires_at=now + limits.SESSION_SECONDS,
            )  # fmt: skip
            await tx.customers.insert(customer, {"phone": house.keys.digest("phone", customer.phone)})
            await tx.sessions.insert(session)
            cookies.append(session_cookie(customer_id, session_id))
    return cookies


@dataclass
class Attacked:
    """A server, and browsers that have shown their phone and no password yet."""

    node: Node
    cookies: list[str]

    def headers(self, number: int) -> dict[str, str]:
        """What the nth browser sends, from an address of its own."""
        source = f"198.51.{number // 256}.{number % 256}"
        return {"Cookie": self.cookies[number], "X-Forwarded-For": source, "Content-Type": "application/json"}


@pytest.fixture
async def attacked(database: str, tmp_path: Path) -> AsyncIterator[Attacked]:
    """Yield a server."""
    async with sms_centre() as sms_port:
        town = found_town(tmp_path, database, sms_port)
        bank: Bank = await open_bank(database, keys=town.keys)
        cookies = await seed(bank.house, SIGN_INS + 1)
        await bank.close()
        async with town.node() as node:
            await town.is_open(node)
            yield Attacked(node, cookies)


def finishing(password: str) -> bytes:
    """The request that finishes a sign-in in place."""
    return msgspec.json.encode({"journey": "finish-sign-in", "step": "password", "answer": {"password": password}})


async def send_huge(node: Node, headers: dict[str, str], *, is_chunked: bool) -> tuple[Answer, float]:
    """Send 10 MB of password as far as the server takes it; return its answer and how long that took."""
    reader, writer = await asyncio.open_connection("127.0.0.1", node.port)
    body = finishing("x" * HUGE_BYTES)
    length = {"Transfer-Encoding": "chunked"} if is_chunked else {"Content-Length": str(len(body))}
    lines = "".join(f"{name}: {value}\r\n" for name, value in ({"Host": HOST} | headers | length).items())
    began = time.monotonic()

    async def send() -> None:
        with contextlib.suppress(ConnectionError):  # it hangs up in the middle
            writer.write(f"POST /v1/journeys HTTP/1.1\r\n{lines}\r\n".encode())
            for start in range(0, len(body), 2**16):
                piece = body[start : start + 2**16]
                writer.write(b"%x\r\n%b\r\n" % (len(piece), piece) if is_chunked else piece)
                await writer.drain()

    sending = asyncio.create_task(send())
    status = int((await reader.readline()).split()[1])
    took = time.monotonic() - began
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    (size,) = [line for line in head.lower().splitlines() if line.startswith("content-length:")]
    raw = await reader.readexactly(int(size.partition(":")[2]))
    sending.cancel()
    await asyncio.gather(sending, return_exceptions=True)
    writer.close()
    with contextlib.suppress(ConnectionError):
        await writer.wait_closed()
    return Answer(status, {}, raw), took


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)  # it never comes to the database
async def test_pwd_04_a_huge_password_is_not_hashed(attacked: Attacked) -> None:
    """10 MB are refused at once, with a length or without; so is what fits into a request. No try is charged.

    A try is charged before anything is hashed: where none was, nothing was.
    """
    node, headers = attacked.node, attacked.headers(0)
    before = node.peak_memory_mib()
    for is_chunked in (False, True):
        refused, took = await send_huge(node, headers, is_chunked=is_chunked)
        assert (413, "too-large") == (refused.status, refused.body["cause"])
        assert took < SOON_SECONDS
    async with Line(node.port) as line:
        for length, code in ((limits.FIELD_CHARS + 1, "shape"), (limits.PASSWORD_MAX + 1, "password-too-long")):
            refused = await line.call("POST", "/v1/journeys", headers, finishing("x" * length))
            assert (422, "input-invalid", code) == (
                refused.status, refused.body["cause"], refused.body["fields"][0]["code"],
            )  # fmt: skip
        wrong = await line.call("POST", "/v1/journeys", headers, finishing("not this one"))
    assert ("password-wrong", limits.ROW_FAILURES - 1) == (wrong.body["cause"], wrong.body["tries_left"])
    assert node.peak_memory_mib() - before < 2 * HUGE_BYTES / MIB + 20


@dataclass
class Storm:
    """What came of a thousand sign-ins, and of who only looked at something else meanwhile."""

    answers: list[Answer]
    looks: dict[str, list[float]] = field(default_factory=lambda: {path: [] for path in ELSEWHERE})
    looked: Counter[tuple[str, int]] = field(default_factory=Counter)


async def sign_in(attacked: Attacked, number: int) -> Answer:
    """Type the right password."""
    async with Line(attacked.node.port) as line:
        return await line.call("POST", "/v1/journeys", attacked.headers(number), finishing(LI.password))


async def storm(attacked: Attacked) -> Storm:
    """Let a thousand browsers sign in at once, and a few others look at other pages until they are done."""
    seen = Storm([])
    is_over = False
    has_looked = {path: asyncio.Event() for path in ELSEWHERE}

    async def look(path: str) -> None:
        headers = attacked.headers(SIGN_INS) if path == "/v1/session" else {}
        async with Line(attacked.node.port) as line:
            await line.call("GET", path, headers)  # it was here before the others came
            has_looked[path].set()
            while not is_over:
                began = time.monotonic()
                seen.looked[path, (await line.call("GET", path, headers)).status] += 1
                seen.looks[path].append(time.monotonic() - began)

    looking = [asyncio.create_task(look(path)) for path in ELSEWHERE]
    await asyncio.gather(*(event.wait() for event in has_looked.values()))
    async with asyncio.timeout(PATIENCE_SECONDS):
        seen.answers = await asyncio.gather(*(sign_in(attacked, number) for number in range(SIGN_INS)))
    is_over = True
    await asyncio.gather(*looking)
    return seen


# Over PostgreSQL, where everybody waits for the same few connections; SQLite keeps one for who reads alone.
@pytest.mark.alone
@pytest.mark.parametrize("database", ["postgres"], indirect=True)
async def test_pwd_04_a_thousand_sign_ins_at_once(attacked: Attacked) -> None:
    """As many as there is room for get in, the others are told when to come back; nobody else waits, and memory holds.

    Who was told so loses nothing by it, and gets in afterwards.
    """
    before = attacked.node.peak_memory_mib()
    seen = await storm(attacked)
    refused = [number for number, answer in enumerate(seen.answers) if answer.status != 201]

    assert {(path, 200) for path in ELSEWHERE} == set(seen.looked)
    slow = {path: sorted(took)[math.ceil(len(took) * 0.99) - 1] for path, took in seen.looks.items()}
    assert {} == {path: seconds for path, seconds in slow.items() if seconds >= SOON_SECONDS}
    assert len(refused) < SIGN_INS
    told = {(seen.answers[n].status, seen.answers[n].body["cause"], seen.answers[n].headers["retry-after"])
            for n in refused}  # fmt: skip
    assert told <= {(503, "busy", "5")}
    assert {"full"} == {answer.body["outcome"]["session"] for answer in seen.answers if answer.status == 201}
    for number in refused[:3]:
        assert "done" == (await sign_in(attacked, number)).body["status"]
    assert attacked.node.peak_memory_mib() - before < HASHES_AT_ONCE * limits.HASH_MEMORY_KIB / 1024 + ROOM_MIB


async def test_pwd_04_beyond_the_queue_for_hashing_nobody_waits(bank: Bank, monkeypatch: pytest.MonkeyPatch) -> None:
    """With every place taken, one more is told to come back, and gets in once there is room."""
    gate = threading.Event()
    verify = Argon2Hasher._verify

    def held_up(hasher: Argon2Hasher, hashed: str, secret: str) -> bool:
        assert gate.wait(PATIENCE_SECONDS)
        return verify(hasher, hashed, secret)

    visitor = bank.visitor()
    await visitor.sign_in_basic(LI)
    monkeypatch.setattr(Argon2Hasher, "_verify", held_up)
    places = HASHES_AT_ONCE + limits.HASH_QUEUE
    waiting = [asyncio.create_task(bank.house.hasher.verify(None, "somebody's")) for _ in range(places)]
    await asyncio.sleep(0)  # each takes its place
    try:
        async with asyncio.timeout(SOON_SECONDS):
            busy = await visitor.start("finish-sign-in", "password", password=LI.password)
    finally:
        gate.set()
        await asyncio.gather(*waiting)
    await visitor.start("finish-sign-in", "password", password=LI.password)

    assert (503, "busy", "5") == (busy.status, busy.cause, busy.raw.headers["retry-after"])
    assert "full" == await visitor.level()
