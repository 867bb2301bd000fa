"""Real servers for the tests: PostgreSQL, Valkey (or Redis), and where Chromium is.

Each server gets a free port on loopback and a folder of its own. It is stopped by
its process id when the tests end; if the tests are killed, the kernel stops it in
their place. Nothing here installs anything: that is `script/services`.
"""

import asyncio
import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Coroutine, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

import asyncpg

Command = Sequence[str | Path]
T = TypeVar("T")

START_SECONDS = 30
STOP_SECONDS = 15
CHROMIUM_ARGS = (
    "--no-sandbox",  # root, as in a container, cannot have the sandbox
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--disable-quic",
)


class Missing(Exception):
    """A program that these tests need is not on this machine."""

    def __init__(self, what: str) -> None:
        super().__init__(f"{what} is not installed; script/services installs it")


def find_program(names: Sequence[str], what: str, folders: Sequence[Path] = ()) -> Path:
    """Return the first of `names` in `folders`, then in PATH. Raises Missing."""
    path = os.pathsep.join([*map(str, folders), os.environ.get("PATH", os.defpath)])
    for name in names:
        if found := shutil.which(name, path=path):
            return Path(found)
    raise Missing(what)


CHROMIUM = ("chromium", "chromium-browser", "google-chrome")


def find_chromium() -> Path:
    return find_program(CHROMIUM, "Chromium")


def find_shell() -> Path:
    """Return Chromium without a window, where it is installed: each visitor costs a quarter of one in a window that
    nobody sees, and pages are the same."""
    return find_program(["chromium-headless-shell", *CHROMIUM], "Chromium")


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


@dataclass(frozen=True)
class Folder:
    """A temporary folder and the user that servers in it run as: never root, which PostgreSQL refuses."""

    path: Path
    user: str

    def command(self, *words: str | Path) -> list[str]:
        """Return `words` as a command run by `user`, and ended by the kernel when this process dies."""
        prefix = ["setpriv", "--pdeathsig", "INT"]
        if os.geteuid() == 0:
            prefix += ["--reuid", self.user, "--regid", str(pwd.getpwnam(self.user).pw_gid), "--clear-groups"]
        return [*prefix, *map(str, words)]


# Where memory is a folder. A database of tests is thrown away, and hundreds are made: on a disk they wait for it.
MEMORY = Path("/dev/shm")  # noqa: S108  # made by mkdtemp in it
MEMORY_BYTES_MIN = 4 << 30


def in_memory() -> Path | None:
    """Return the folder that is kept in memory, if there is one with room for a server's data."""
    has_room = MEMORY.is_dir() and shutil.disk_usage(MEMORY).free >= MEMORY_BYTES_MIN
    return MEMORY if has_room else None


@contextmanager
def server_folder(name: str, place: Path | None = None) -> Iterator[Folder]:
    users = {entry.pw_name for entry in pwd.getpwall()}
    root = os.geteuid() == 0
    user = ("postgres" if "postgres" in users else "nobody") if root else pwd.getpwuid(os.geteuid()).pw_name
    with tempfile.TemporaryDirectory(prefix=f"foregate-{name}-", dir=place) as path:
        if root:
            shutil.chown(path, user)
        yield Folder(Path(path), user)


def answers(ready: Command) -> bool:
    """Say whether `ready` succeeds. A server that takes and never answers is not up."""
    try:
        return subprocess.run(ready, capture_output=True, check=False, timeout=START_SECONDS).returncode == 0
    except subprocess.TimeoutExpired:
        return False


@contextmanager
def running(folder: Folder, words: Command, ready: Command) -> Iterator[None]:
    """Keep the server `words` running; it is up once the command `ready` succeeds."""
    log = folder.path / "log"
    with log.open("wb") as output:
        process = subprocess.Popen(folder.command(*words), stdout=output, stderr=output, cwd=folder.path)
    try:
        give_up = time.monotonic() + START_SECONDS
        while not answers(ready):
            if process.poll() is not None or time.monotonic() > give_up:
                raise RuntimeError(f"{words[0]} did not start:\n{log.read_text()}")
            time.sleep(0.05)
        yield
    finally:
        process.send_signal(signal.SIGINT)  # to PostgreSQL: do not wait for clients
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


class Desk:
    """A connection that stays open, on a thread and a loop of its own: a program for each statement takes longer."""

    def __init__(self, dsn: str) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._connection = self._run(asyncpg.connect(dsn))

    def execute(self, statement: str) -> None:
        """Run one statement, in no transaction."""
        self._run(self._connection.execute(statement))

    def close(self) -> None:
        """Go home."""
        self._run(self._connection.close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _run(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()


@dataclass(frozen=True)
class PostgresServer:
    """A PostgreSQL server of these tests alone. Databases are made and dropped at its desk, once there is one."""

    programs: Path
    port: int
    password: str
    desk: Desk | None = None

    def dsn(self, database: str = "postgres") -> str:
        return f"postgresql://foregate:{self.password}@127.0.0.1:{self.port}/{database}"

    def create_database(self, template: str = "template0") -> str:
        """Create a database with a random name, as a copy of `template`, and return that name."""
        name = f"test_{secrets.token_hex(8)}"
        self._manage(f"CREATE DATABASE {name} TEMPLATE {template}")
        return name

    def drop_database(self, name: str) -> None:
        self._manage(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")

    def _manage(self, statement: str) -> None:
        (self.desk or self).execute(statement)

    def execute(self, statement: str, database: str = "postgres") -> str:
        """Run one statement by psql, outside any event loop, and return what it prints."""
        command: Command = [
            self.programs / "psql",
            "-XAtq",
            "-v",
            "ON_ERROR_STOP=1",
            "-c",
            statement,
            self.dsn(database),
        ]
        done = subprocess.run(command, capture_output=True, check=True, text=True)
        return done.stdout.strip()


@contextmanager
def postgres(place: Path | None = None) -> Iterator[PostgresServer]:
    """Run PostgreSQL, with its data in `place`, and durable as in production (fsync on). Raises Missing."""
    newest_first = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda p: float(p.parent.name), reverse=True)
    programs = find_program(["initdb"], "PostgreSQL", newest_first).parent
    server = PostgresServer(programs, free_port(), secrets.token_urlsafe(16))
    with server_folder("postgres", place) as folder:
        data, password_file = folder.path / "data", folder.path / "password"
        password_file.write_text(server.password)
        password_file.chmod(0o644)
        initdb: Command = [programs / "initdb", "-D", data, "-U", "foregate", "-E", "UTF8", "--locale=C.UTF-8"]
        auth = ["--auth=scram-sha-256", f"--pwfile={password_file}"]
        subprocess.run(folder.command(*initdb, *auth), check=True, capture_output=True, cwd=folder.path)
        settings = {
            "port": server.port,
            "listen_addresses": "127.0.0.1",
            "unix_socket_directories": "",
            "max_connections": 200,
        }
        options = [word for key, value in settings.items() for word in ("-c", f"{key}={value}")]
        ready: Command = [programs / "psql", "-XAtqc", "SELECT 1", server.dsn()]
        with running(folder, [programs / "postgres", "-D", data, *options], ready):
            desk = Desk(server.dsn())
            try:
                yield replace(server, desk=desk)
            finally:
                desk.close()


@contextmanager
def valkey() -> Iterator[str]:
    """Run Valkey or Redis, without persistence, and yield its URL. Raises Missing."""
    program = find_program(["valkey-server", "redis-server"], "Valkey")
    client = program.with_name(program.name.replace("-server", "-cli"))
    port = str(free_port())
    with server_folder("valkey") as folder:
        words: Command = [program, "--port", port, "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
        with running(folder, words, [client, "-h", "127.0.0.1", "-p", port, "ping"]):
            yield f"valkey://127.0.0.1:{port}/0"
