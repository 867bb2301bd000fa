"""Real servers to attack: `foregate serve`, as a bank starts it, in processes of their own on loopback.

Nothing of theirs is seen but what they answer. Who comes through them is a `Browser`: its cookies are good at every
node, as behind a balancer, and it shows possession by texting the bank, so no test waits for a message.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import os
import secrets
import sys
from asyncio.subprocess import Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import msgspec

from foregate.store.keyring import Keys, load_keys, write_keys
from tests import services
from tests.bank import Person

HOST = "login.bank.test"
START_SECONDS = 30
STOP_SECONDS = 15


@dataclass(frozen=True)
class Answer:
    """What a node answered."""

    status: int
    headers: dict[str, str]
    raw: bytes

    @property
    def body(self) -> dict[str, Any]:
        """The JSON in it."""
        decoded: dict[str, Any] = json.loads(self.raw)
        return decoded

    @property
    def journey(self) -> dict[str, Any]:
        """The journey, in a refusal too."""
        found: dict[str, Any] = self.body["journey"] if "cause" in self.body else self.body
        return found


class Line:
    """One keep-alive connection to a node; a new one where the old one was closed."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._writer: asyncio.StreamWriter | None = None

    async def call(self, method: str, path: str, headers: dict[str, str], body: bytes = b"") -> Answer:
        """Send one request and read the answer."""
        if self._writer is None or self._writer.is_closing():
            self._reader, self._writer = await asyncio.open_connection("127.0.0.1", self._port)
        head = {"Host": HOST, "Content-Length": str(len(body))} | headers
        lines = "".join(f"{name}: {value}\r\n" for name, value in head.items())
        self._writer.write(f"{method} {path} HTTP/1.1\r\n{lines}\r\n".encode() + body)
        return await self.read()

    async def read(self) -> Answer:
        """Read one answer."""
        status, *lines = (await self._reader.readuntil(b"\r\n\r\n")).decode("latin-1").strip().split("\r\n")
        pairs = [(name.lower(), value) for name, _, value in (line.partition(": ") for line in lines)]
        cookies = "\n".join(value for name, value in pairs if name == "set-cookie")
        headers = dict(pairs) | {"set-cookie": cookies}
        raw = await self._reader.readexactly(int(headers.get("content-length", "0")))
        return Answer(int(status.split()[1]), headers, raw)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        """Hang up."""
        if self._writer is not None:
            self._writer.close()
            with suppress(OSError):  # the other side was quicker
                await self._writer.wait_closed()


@dataclass(frozen=True)
class Node:
    """One server."""

    port: int
    process: Process

    def peak_memory_mib(self) -> float:
        """The most that ever lay in memory."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        (line,) = [line for line in status.splitlines() if line.startswith("VmHWM:")]
        return int(line.split()[1]) / 1024


@dataclass(frozen=True)
class Town:
    """A folder with the keys, secrets and settings that all nodes of one bank share."""

    folder: Path
    settings: dict[str, str]
    keys: Keys
    inbound_secret: bytes

    @asynccontextmanager
    async def node(self) -> AsyncIterator[Node]:
        """Run one server until the block ends."""
        port = services.free_port()
        words = [sys.executable, "-m", "foregate.doors.cli", "serve", "--port", str(port)]
        environ = os.environ | {f"FOREGATE_{name.upper()}": value for name, value in self.settings.items()}
        with (self.folder / f"log-{port}").open("wb") as log:
            process = await asyncio.create_subprocess_exec(*words, env=environ, stdout=log, stderr=log, cwd=self.folder)
        try:
            yield Node(port, process)
        finally:
            process.terminate()
            try:
                async with asyncio.timeout(STOP_SECONDS):
                    await process.wait()
            except TimeoutError:
                process.kill()
                await process.wait()

    async def is_open(self, node: Node) -> None:
        """Wait until it answers."""
        async with asyncio.timeout(START_SECONDS):
            while True:
                assert node.process.returncode is None, (self.folder / f"log-{node.port}").read_text()
                try:
                    async with Line(node.port) as line:
                        assert 200 == (await line.call("GET", "/healthz", {})).status
                        return
                except OSError:
                    await asyncio.sleep(0.05)


def found_town(folder: Path, database: str, sms_port: int) -> Town:
    """Write what the nodes of one bank need. Its texts go to whatever listens on `sms_port`."""
    write_keys(folder / "keys.toml")
    secret = secrets.token_urlsafe(32)
    (folder / "secret").write_text(secret)
    settings = {
        "origin": f"https://{HOST}",
        "database": database,
        "keys_file": str(folder / "keys.toml"),
        "bank_name": "测试银行",
        "hotline": "95000",
        "text_us_number": "1069",
        "sms_gateway": f"http://127.0.0.1:{sms_port}/",
        "sms_secret_file": str(folder / "secret"),
        "inbound_secret_file": str(folder / "secret"),
        "trusted_proxies": "127.0.0.0/8",  # us: so everybody may come from an address of their own
    }
    return Town(folder, settings, load_keys(folder / "keys.toml"), secret.encode())


@asynccontextmanager
async def sms_centre() -> AsyncIterator[int]:
    """Take every text and forget it. Yields the port."""

    async def take(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                (length,) = [line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
                await reader.readexactly(int(length.partition(b":")[2]))
                writer.write(b"HTTP/1.1 204 No Content\r\n\r\n")
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    async with await asyncio.start_server(take, "127.0.0.1", 0) as server:
        yield server.sockets[0].getsockname()[1]


@dataclass
class Browser:
    """One browser, on the journey that it began last."""

    town: Town
    source: str = "203.0.113.7"
    cookies: dict[str, str] = field(default_factory=dict)
    last: Answer | None = None

    @property
    def headers(self) -> dict[str, str]:
        """What it sends with every request."""
        cookies = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        return {"X-Forwarded-For": self.source, "Cookie": cookies} if cookies else {"X-Forwarded-For": self.source}

    async def call(self, node: Node, method: str, path: str, body: object = None) -> Answer:
        """Ask a node."""
        payload = b"" if body is None else msgspec.json.encode(body)
        async with Line(node.port) as line:
            answer = await line.call(method, path, self.headers | {"Content-Type": "application/json"}, payload)
        for cookie in answer.headers["set-cookie"].splitlines():
            name, _, rest = cookie.partition("=")
            self.cookies[name] = rest.partition(";")[0]
        return answer

    async def start(self, node: Node, journey: str, step: str | None = None, **answer: str) -> Answer:
        """Begin a journey at a node."""
        body = {"journey": journey} | ({"step": step, "answer": answer} if step else {})
        self.last = await self.call(node, "POST", "/v1/journeys", body)
        return self.last

    async def answer(self, node: Node, step: str, **answer: str) -> Answer:
        """Answer the step that is asked, at this node or another."""
        assert self.last is not None
        journey = self.last.journey
        body = {"version": journey["version"], "step": step, "answer": answer}
        self.last = await self.call(node, "POST", f"/v1/journeys/{journey['id']}/answers", body)
        return self.last

    async def text(self, node: Node, person: Person) -> Answer:
        """Text the bank what the page shows, from the person's phone, and say so."""
        assert self.last is not None
        body = msgspec.json.encode({"phone": person.phone, "text": self.last.journey["step"]["facts"]["text_us"]})
        signature = hmac.new(self.town.inbound_secret, body, hashlib.sha256).hexdigest()
        headers = {"Content-Type": "application/json", "Foregate-Signature": signature}
        async with Line(node.port) as line:
            assert 204 == (await line.call("POST", "/v1/sms/inbound", headers, body)).status
        return await self.answer(node, "text-us")
