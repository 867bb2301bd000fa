"""The real thing: `foregate serve` with TLS in a process of its own, its SMS gateway, and a proxy that counts bytes.

Nothing of the server's is seen but what it answers, logs and sends. `bench/link.py` uses it too.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import secrets
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from foregate import bootstrap
from foregate.demo.outlets import settle_outlets
from foregate.gateways.sms.simulated import SimulatedPhones
from foregate.settings import Settings
from foregate.store.keyring import load_keys, write_keys
from tests import certificates, ready, services
from tests.bank import LI, Bank, Clock, Person
from tests.certificates import HOST, Pair

START_SECONDS = 60  # a busy machine is not a finding
STOP_SECONDS = 20
ARRIVES_SECONDS = 30


class Gateway:
    """The SMS gateway: takes what the bank sends, and shows it."""

    def __init__(self) -> None:
        self.texts: list[tuple[str, str]] = []
        gateway = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                sent = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                gateway.texts.append((sent["phone"], sent["text"]))
                self.send_response(204)
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/send"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def count(self, phone: str) -> int:
        """How many texts lie on a phone."""
        return len([to for to, _ in self.texts if to == phone])

    def code(self, phone: str, after: int = 0) -> str:
        """Wait for the code in the text that follows the first `after` to this phone."""
        until = time.monotonic() + ARRIVES_SECONDS
        while time.monotonic() < until:
            arrived = [text for to, text in list(self.texts) if to == phone]
            if len(arrived) > after:
                return str(re.findall(r"(?<!\d)\d{6}(?!\d)", arrived[-1])[0])
            time.sleep(0.02)
        raise AssertionError(f"no code arrived on {phone}")

    def close(self) -> None:
        """Stop listening."""
        self._server.shutdown()
        self._server.server_close()


@dataclass
class Counted:
    """What went through the proxy: bytes of TCP's content, so with TLS and without TCP's own headers."""

    down: int = 0
    up: int = 0
    connections: int = 0


class Meter:
    """A proxy on loopback that counts. It opens nothing: what passes is TLS."""

    def __init__(self, address: str, port: int) -> None:
        self._to, self._count, self._last = (address, port), Counted(), time.monotonic()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._lock = threading.Lock()
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._listen, daemon=True).start()

    def take(self) -> Counted:
        """Return what was counted since the last time, and count anew."""
        with self._lock:
            taken, self._count = self._count, Counted()
        return taken

    def wait_for_quiet(self, seconds: float = 0.7) -> None:
        """Wait until nothing has passed for so long."""
        while (left := self._last + seconds - time.monotonic()) > 0:
            time.sleep(left)

    def close(self) -> None:
        """Let nobody in any more."""
        self._listener.close()

    def _listen(self) -> None:
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._join, args=(near,), daemon=True).start()

    def _join(self, near: socket.socket) -> None:
        with near, socket.create_connection(self._to) as far:
            with self._lock:
                self._count.connections += 1
            down = threading.Thread(target=self._pass_on, args=(far, near, "down"), daemon=True)
            down.start()
            self._pass_on(near, far, "up")
            down.join()

    def _pass_on(self, source: socket.socket, sink: socket.socket, name: str) -> None:
        with suppress(OSError):
            while content := source.recv(65536):
                with self._lock:
                    setattr(self._count, name, getattr(self._count, name) + len(content))
                    self._last = time.monotonic()
                sink.sendall(content)
        with suppress(OSError):
            sink.shutdown(socket.SHUT_WR)


@dataclass
class Served:
    """A running front door, as it is seen from outside."""

    origin: str
    address: str
    port: int
    pair: Pair
    gateway: Gateway
    process: subprocess.Popen[bytes]
    log: Path
    meter: Meter | None = None
    folder: Path = field(default_factory=Path)

    def browser_args(self) -> list[str]:
        """What makes Chromium find this door and trust its certificate."""
        return [
            *services.CHROMIUM_ARGS,
            f"--host-resolver-rules=MAP {HOST} {self.address}",
            f"--ignore-certificate-errors-spki-list={self.pair.spki}",
        ]

    def handshake(self, context: ssl.SSLContext | None = None) -> ssl.SSLSocket:
        """Open a connection that checks nothing of the certificate; who calls closes it."""
        context = context or anybody()
        raw = socket.create_connection((self.address, self.port), timeout=ARRIVES_SECONDS)
        return context.wrap_socket(raw, server_hostname=HOST)

    def events(self, name: str) -> list[dict[str, Any]]:
        """The lines of its log that say this."""
        lines = [line for line in self.log.read_text("utf-8").splitlines() if line.startswith("{")]
        return [line for line in map(json.loads, lines) if line.get("event") == name]


def anybody() -> ssl.SSLContext:
    """A client that believes every certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


@contextmanager
def served(
    folder: Path, *people: Person, address: str = "127.0.0.1", host: str = HOST, is_metered: bool = False
) -> Iterator[Served]:
    """Serve a bank in `folder` with these people in it; `is_metered`: all that comes goes by a proxy that counts."""
    port, gateway, pair = services.free_port(), Gateway(), certificates.make(folder, host)
    meter = Meter(address, port) if is_metered else None
    settings = _settings(folder, f"{host}:{meter.port if meter else port}", gateway, pair)
    with ThreadPoolExecutor(1) as thread:  # this thread may have a loop already, playwright's
        thread.submit(lambda: asyncio.run(_settle(Settings(**settings), people or (LI,)))).result()
    environ = {name: value for name, value in os.environ.items() if not name.startswith("FOREGATE_")}
    environ |= {f"FOREGATE_{name.upper()}": str(value) for name, value in settings.items()}
    words = [sys.executable, "-m", "foregate.doors.cli", "serve", "--host", address, "--port", str(port)]
    log = folder / "log"
    with log.open("wb") as output:
        process = subprocess.Popen(words, env=environ, stdout=output, stderr=output, cwd=folder)
    running = Served(settings["origin"], address, port, pair, gateway, process, log, meter, folder)
    try:
        _wait(running)
        yield running
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        gateway.close()
        if meter:
            meter.close()


def _settings(folder: Path, netloc: str, gateway: Gateway, pair: Pair) -> dict[str, Any]:
    write_keys(folder / "keys.toml")
    secret = folder / "sms.secret"
    secret.write_text(secrets.token_urlsafe(32))
    return {
        "origin": f"https://{netloc}",
        "database": f"sqlite:///{folder / 'bank.db'}",
        "keys_file": str(folder / "keys.toml"),
        "bank_name": "示范银行",
        "hotline": "95000",
        "text_us_number": "1069095000",
        "sms_gateway": gateway.url,
        "sms_secret_file": str(secret),
        "inbound_secret_file": str(secret),
        "face_models": "no-models",
        "tls_certificate": str(pair.certificate),
        "tls_key": str(pair.key),
    }


async def _settle(settings: Settings, people: Sequence[Person]) -> None:
    await asyncio.to_thread(ready.make, settings.database)
    clock, keys = Clock(int(time.time())), load_keys(Path(settings.keys_file))
    phones = SimulatedPhones(clock)
    house = await bootstrap.build(settings, gateway=phones, keys=keys)
    bank = Bank(house, clock, phones, keys)
    await bank.settle(*people)
    await settle_outlets(house)
    await house.close()


def _wait(running: Served) -> None:
    until = time.monotonic() + START_SECONDS
    while time.monotonic() < until:
        assert running.process.poll() is None, running.log.read_text("utf-8")
        try:
            running.handshake().close()
            return
        except OSError:
            time.sleep(0.05)
    raise AssertionError(f"it did not open:\n{running.log.read_text('utf-8')}")
