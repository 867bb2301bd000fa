"""Sessions kept in memory: an end is heard of, whoever brought it about, and silence is never trusted."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import asyncpg
import msgspec
import pytest

from foregate.ids import new_id
from foregate.ports import Busy, SessionRow
from foregate.rules import limits
from foregate.store.keyring import Keys
from foregate.store.postgres import open_postgres
from foregate.store.session_cache import EVERYBODY, SessionCache
from foregate.store.unit_of_work import SqlStore
from tests.contract import samples

pytestmark = pytest.mark.anyio

SECOND = 1.0


async def until(is_so: Callable[[], bool], seconds: float = 3.0) -> None:
    """Wait for something that comes about by itself."""
    async with asyncio.timeout(seconds):
        while not is_so():  # noqa: ASYNC110 -- what changes is inside the database
            await asyncio.sleep(0.005)


@asynccontextmanager
async def node(url: str, keys: Keys, clock: samples.Clock) -> AsyncIterator[SqlStore]:
    """Open a store whose loops run, as in a server, and wait until it trusts its memory."""
    store = await open_postgres(url, keys, clock)
    assert store.kept is not None
    running = [asyncio.create_task(loop.run()) for loop in store.loops]
    try:
        await until(lambda: kept_of(store).is_trusted)
        yield store
    finally:
        await asyncio.gather(*(loop.stop() for loop in store.loops))
        await asyncio.gather(*running)
        await store.close()


def kept_of(store: SqlStore) -> SessionCache:
    assert store.kept is not None
    return store.kept


async def opened(store: SqlStore) -> SessionRow:
    """Write a session, and read it so that the node keeps it."""
    row = samples.a_session(new_id())
    async with store.begin() as tx:
        await tx.sessions.insert(row)
    # Its own notice may still be under way; what is read across one is not kept.
    async with asyncio.timeout(3):
        while not is_kept(store, row):
            assert await store.session(row.customer_id, row.session_id) == row
            await asyncio.sleep(0.005)
    return row


def is_kept(store: SqlStore, row: SessionRow) -> bool:
    return kept_of(store).get(row.customer_id, row.session_id, store.clock.now()) is not None


async def seen_on(store: SqlStore, row: SessionRow) -> bool:
    """Whether a node would still let the session in."""
    return await store.session(row.customer_id, row.session_id) is not None


async def test_a_kept_session_costs_no_statement(postgres_url: str, keys: Keys, clock: samples.Clock) -> None:
    async with node(postgres_url, keys, clock) as store:
        row = await opened(store)

        async def unreachable(*_: object, **__: object) -> None:
            raise Busy("no database")

        store.database.read_one = unreachable  # type: ignore[method-assign]  # taken away on purpose
        assert await store.session(row.customer_id, row.session_id) == row


@pytest.mark.parametrize(
    "by",
    [
        "DELETE FROM session",
        "TRUNCATE session",
        "UPDATE session SET level = 'basic'",
        "UPDATE session SET expires_at = 0",
    ],
)
async def test_an_end_by_anybody_is_heard_of(postgres_url: str, keys: Keys, clock: samples.Clock, by: str) -> None:
    async with node(postgres_url, keys, clock) as store:
        row = await opened(store)
        somebody = await asyncpg.connect(postgres_url)
        await somebody.execute(by)
        await somebody.close()
        await until(lambda: not is_kept(store, row), SECOND)


async def test_an_end_on_one_node_reaches_the_others_within_a_second(
    postgres_url: str, keys: Keys, clock: samples.Clock
) -> None:
    async with node(postgres_url, keys, clock) as here, node(postgres_url, keys, clock) as there:
        row = await opened(here)
        assert await seen_on(there, row)
        async with here.begin() as tx:
            await tx.sessions.end_all(row.customer_id)
        assert not await seen_on(here, row), "where it ended it is over at once"
        async with asyncio.timeout(SECOND):
            while await seen_on(there, row):  # noqa: ASYNC110 -- as above
                await asyncio.sleep(0.005)


async def test_a_cut_connection_is_noticed_and_mended(postgres_url: str, keys: Keys, clock: samples.Clock) -> None:
    async with node(postgres_url, keys, clock) as store:
        row = await opened(store)
        somebody = await asyncpg.connect(postgres_url)
        await somebody.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()"
            " AND application_name = 'foregate'"
        )
        await somebody.execute("DELETE FROM session")
        await somebody.close()
        await until(lambda: not is_kept(store, row), SECOND)
        await until(lambda: kept_of(store).is_trusted)


async def test_a_kept_session_is_read_again_when_its_use_has_to_be_written_down(
    postgres_url: str, keys: Keys, clock: samples.Clock
) -> None:
    async with node(postgres_url, keys, clock) as store:
        row = await opened(store)
        clock.at += int(limits.SESSION_TOUCH_SECONDS)
        assert not is_kept(store, row)


# ---------------------------------------------------------------- without a database


class Silence:
    """A database that announces what the test says."""

    def __init__(self) -> None:
        self.hear: Callable[[str], None] = lambda payload: None
        self.is_mute = False

    @asynccontextmanager
    async def listening(self, channel: str, hear: Callable[[str], None]) -> AsyncIterator["Silence"]:
        self.hear = hear
        yield self

    async def send(self, payload: str) -> None:
        if not self.is_mute:
            self.hear(payload)


@asynccontextmanager
async def trusted() -> AsyncIterator[tuple[SessionCache, Silence]]:
    silence = Silence()
    cache = SessionCache(silence)
    running = asyncio.create_task(cache.run())
    await until(lambda: cache.is_trusted)
    yield cache, silence
    await cache.stop()
    await running


async def test_what_was_read_across_an_end_is_not_kept() -> None:
    """The row was read before the end was committed, and came back after the notice."""
    async with trusted() as (cache, silence):
        row = samples.a_session(new_id())
        changes = cache.changes
        silence.hear(row.customer_id)
        cache.keep(row, changes)
        assert cache.get(row.customer_id, row.session_id, row.seen_at) is None
        cache.keep(row, cache.changes)
        assert cache.get(row.customer_id, row.session_id, row.seen_at) == row


async def test_a_node_that_hears_nothing_reads() -> None:
    """A pooler that swallows LISTEN, a link that died without a word: beats stay away, and so does the trust."""
    async with trusted() as (cache, silence):
        row = samples.a_session(new_id())
        cache.keep(row, cache.changes)
        silence.is_mute = True
        await until(lambda: cache.get(row.customer_id, row.session_id, row.seen_at) is None, SECOND)


async def test_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """At the limit all are kept; one more, and it begins anew. Of a hundred: ten thousand may outlast the trust."""
    monkeypatch.setattr(limits, "SESSIONS_KEPT", 100)
    rows = [msgspec.structs.replace(samples.a_session(new_id()), session_id=f"{n}") for n in range(101)]
    async with trusted() as (cache, _):
        for row in rows[:-1]:
            cache.keep(row, cache.changes)
        assert all(cache.get(row.customer_id, row.session_id, row.seen_at) for row in rows[:-1])
        cache.keep(rows[-1], cache.changes)
        assert sum(cache.get(row.customer_id, row.session_id, row.seen_at) is not None for row in rows) == 1


async def test_everybody_is_forgotten_at_once_and_after_the_end_of_the_loop() -> None:
    async with trusted() as (cache, silence):
        row = samples.a_session(new_id())
        cache.keep(row, cache.changes)
        silence.hear(EVERYBODY)
        assert cache.get(row.customer_id, row.session_id, row.seen_at) is None
        cache.keep(row, cache.changes)
    assert cache.get(row.customer_id, row.session_id, row.seen_at) is None
