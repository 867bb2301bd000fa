"""Request throttles: the same in memory and shared over Valkey. They slow scripts down and decide nothing."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from structlog.testing import capture_logs
from valkey.asyncio import Valkey

from foregate.gateways.throttle import RequestThrottle
from foregate.proofs import phone_code
from foregate.rules import limits
from tests import services
from tests.bank import LI, open_bank

pytestmark = pytest.mark.anyio


@pytest.fixture(params=["memory", "valkey"])
async def throttle(request: pytest.FixtureRequest, anyio_backend: str) -> AsyncIterator[RequestThrottle]:
    """Yield a throttle of each kind."""
    opened = RequestThrottle(request.getfixturevalue("valkey_url") if request.param == "valkey" else "")
    yield opened
    await opened.close()


async def test_thirty_two_at_once_let_five_through(throttle: RequestThrottle) -> None:
    """Counting and comparing are one step: parallel requests cannot all be the fifth."""
    waits = await asyncio.gather(*(throttle.hit("start:203.0.113.7", 5) for _ in range(32)))
    assert (5, 27) == (waits.count(0), sum(1 <= wait <= 60 for wait in waits))


async def test_keys_are_counted_apart(throttle: RequestThrottle) -> None:
    """One source's limit is nobody else's, and starting is not answering."""
    keys = ("start:203.0.113.7", "start:203.0.113.8", "answer:203.0.113.7", "start:2001:db8::1")
    assert [0, 0, 0, 0] == [await throttle.hit(key, 1) for key in keys]
    assert [60, 60, 60, 60] == [await throttle.hit(key, 1) for key in keys]


async def test_a_limit_at_n_and_one_more(throttle: RequestThrottle) -> None:
    """n pass, the next waits."""
    n = int(limits.STARTS_PER_MINUTE)
    assert {0} == {await throttle.hit("k", n) for _ in range(n)}
    assert 60 == await throttle.hit("k", n)


async def test_nodes_share_what_is_in_valkey(valkey_url: str) -> None:
    """Two nodes count one source together."""
    here, there = RequestThrottle(valkey_url), RequestThrottle(valkey_url)
    waits = await asyncio.gather(*(node.hit("start:203.0.113.7", 5) for node in (here, there) for _ in range(8)))
    assert 5 == waits.count(0)
    await here.close()
    await there.close()


async def test_without_valkey_every_request_passes_and_the_log_says_so() -> None:
    """A throttle that is away keeps nobody out: the counters that matter stand in the database."""
    throttle = RequestThrottle(f"valkey://127.0.0.1:{services.free_port()}/0")
    with capture_logs() as logs:
        assert [0, 0, 0] == [await throttle.hit("start:203.0.113.7", 1) for _ in range(3)]
    assert [("throttle-away", "warning")] * 3 == [(line["event"], line["log_level"]) for line in logs]
    await throttle.close()


async def test_valkey_that_stops_answering_keeps_nobody_waiting() -> None:
    """A hung Valkey costs a request a moment, not its life."""

    async def hang(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()  # until the other side gives up
        writer.close()

    server = await asyncio.start_server(hang, "127.0.0.1", 0)
    throttle = RequestThrottle(f"valkey://127.0.0.1:{server.sockets[0].getsockname()[1]}/0")
    async with asyncio.timeout(5):
        assert 0 == await throttle.hit("start:203.0.113.7", 1)
    await throttle.close()
    server.close()
    await server.wait_closed()


async def test_flushing_valkey_in_mid_attack_brings_no_new_tries(
    valkey_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever empties Valkey wins requests, never guesses: five codes are evaluated in all."""
    monkeypatch.setattr(limits, "ANSWERS_PER_MINUTE", limits.Limit(20, "answers", "this test"))
    evaluated = 0
    compare = phone_code.compare

    async def counted(answer, ticket, world):  # type: ignore[no-untyped-def]  # same as phone_code.compare
        nonlocal evaluated
        evaluated += 1
        return await compare(answer, ticket, world)

    monkeypatch.setattr(phone_code, "compare", counted)
    bank = await open_bank(f"sqlite:///{tmp_path / 'bank.db'}", valkey=valkey_url)
    await bank.settle(LI)
    visitor = bank.visitor()
    begun = await visitor.start("sign-in-basic", "phone", phone=LI.phone)
    body = {
        "version": begun.journey["version"],
        "step": "phone_code",
        "answer": {"code": await bank.wrong_code(LI.phone)},
    }
    path = f"/v1/journeys/{begun.journey['id']}/answers"
    statuses: list[int] = []
    async with Valkey.from_url(valkey_url) as valkey:
        for _ in range(3):
            raws = await asyncio.gather(*(visitor.client.post(path, json=body) for _ in range(32)))
            statuses += [raw.status_code for raw in raws]
            await valkey.flushall()

    assert (5, 36) == (evaluated, statuses.count(429))
    right = body | {"answer": {"code": await bank.code(LI.phone)}}
    assert 200 != (await visitor.client.post(path, json=right)).status_code
    assert (5, None) == (evaluated, await visitor.level())
    await bank.house.close()
