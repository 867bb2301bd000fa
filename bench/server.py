"""The server that the benchmark measures: the real house over PostgreSQL, and three routes to look at it by.

    /bench/bare    a bare Starlette answer: the floor of a session check
    /bench/code    the newest code on a phone (the gateway here is memory)
    /bench/hash    one argon2id at the house's parameters: the floor of a sign-in
    /bench/stats   statements sent since the start

Started by `bench/run.py`, on one core. Never part of the package.
"""

# ruff: noqa: E402 -- loading begins before most is loaded, as in `foregate serve`
from __future__ import annotations

import asyncio
import logging
import os
import re
import sys
import time
from pathlib import Path
from typing import Any

import structlog
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from foregate.doors import loading

loading.begin()  # as `foregate serve` does, before the most of it

from foregate import bootstrap
from foregate.doors.serve import run, run_fast, set_up_logging
from foregate.gateways.hashing import Argon2Hasher
from foregate.gateways.sms.simulated import SimulatedPhones
from foregate.ports import Clock
from foregate.rules import limits
from foregate.settings import Settings
from foregate.store import postgres_pool
from foregate.store.keyring import load_keys

STATEMENTS = 0


class Phones(SimulatedPhones):
    """Phones that wake whoever waits for a message, so that waiting costs nothing."""

    def __init__(self, clock: Clock) -> None:
        super().__init__(clock)
        self.waiting: dict[str, asyncio.Future[str]] = {}

    async def send(self, phone: str, text: str, message_id: str) -> None:
        """Hand the code to whoever waits, or keep it until somebody asks."""
        self.future(phone).set_result(re.findall(r"\b\d{6}\b", text)[0])

    def future(self, phone: str) -> asyncio.Future[str]:
        """The next code on a phone."""
        return self.waiting.setdefault(phone, asyncio.get_running_loop().create_future())


def count_statements() -> None:
    """Count every statement that the driver sends, transactions' own included."""
    for name in ("one", "all", "run_together", "command"):
        original = getattr(postgres_pool.Wire, name)

        async def counted(self: Any, *words: Any, _original: Any = original, **values: Any) -> Any:
            global STATEMENTS
            STATEMENTS += 1
            return await _original(self, *words, **values)

        setattr(postgres_pool.Wire, name, counted)


HASH_SECONDS = 0.0


def time_hashes() -> None:
    """Add up the CPU that the hashes themselves take, in their own threads, while everything else goes on."""
    original = Argon2Hasher._verify

    def timed(self: Argon2Hasher, hashed: str, secret: str) -> bool:
        global HASH_SECONDS
        began = time.thread_time()
        is_right = original(self, hashed, secret)
        HASH_SECONDS += time.thread_time() - began
        return is_right

    Argon2Hasher._verify = timed  # type: ignore[method-assign]  # measuring is what this server is for


async def bare(request: Request) -> Response:
    return Response(b'{"level":"full","idle_in_seconds":300,"ends_in_seconds":43200}', media_type="application/json")


async def code(request: Request) -> Response:
    phones: Phones = request.app.state.phones
    phone = "+" + request.query_params["phone"]
    code = await phones.future(phone)
    del phones.waiting[phone]
    return Response(code)


async def one_hash(request: Request) -> Response:
    await request.app.state.desk.house.world.hasher.verify(None, "a password to hash")
    return Response(b"{}", media_type="application/json")


async def stats(request: Request) -> Response:
    return JSONResponse({"statements": STATEMENTS, "hash_seconds": HASH_SECONDS})


async def main(database: str, keys_file: str, port: int) -> None:
    """Serve until killed."""
    set_up_logging()
    quiet = structlog.make_filtering_bound_logger(logging.WARNING)  # a log line each would measure the disk
    structlog.configure(wrapper_class=quiet)
    for name in ("STARTS_PER_MINUTE", "ANSWERS_PER_MINUTE"):  # one source here is a thousand customers
        setattr(limits, name, limits.Limit(10**9, "requests", "benchmark"))
    count_statements()
    time_hashes()
    clock = bootstrap.SystemClock()
    phones = Phones(clock)
    settings = Settings(
        origin=f"http://127.0.0.1:{port}", database=database, keys_file=keys_file, bank_name="Bench", hotline="1",
        is_demo=True, pool_size=16, face_models=os.environ.get("FOREGATE_BENCH_MODELS", "no-models"),
    )  # fmt: skip
    routes = (
        Route("/bench/code", code),
        Route("/bench/hash", one_hash),
        Route("/bench/stats", stats),
        Route("/bench/bare", bare),
    )
    house = await bootstrap.build(
        settings, gateway=phones, routes=routes, keys=load_keys(Path(keys_file)), state={"phones": phones}
    )
    loading.done()
    await run(house.app, "127.0.0.1", port)


# The floor of all floors: Starlette with nothing around it, on a port of its own.
BARE = Starlette(routes=[Route("/bench/bare", bare)])

if __name__ == "__main__":
    if sys.argv[1] == "bare":
        run_fast(run(BARE, "127.0.0.1", int(sys.argv[2])))
    else:
        run_fast(main(sys.argv[1], sys.argv[2], int(sys.argv[3])))
