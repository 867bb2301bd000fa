"""SES-03: ended at one node is ended at every node within a second, whatever becomes of their connections."""

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace

import asyncpg
import pytest
from stdnum import luhn

from foregate.tokens import parse
from tests import services
from tests.attack.nodes import Answer, Browser, Line, Node, Town, found_town
from tests.bank import LI, Person, open_bank

pytestmark = [pytest.mark.anyio, pytest.mark.attack, pytest.mark.slow]

NODES = 3
END_SECONDS = 1.0  # from the answer that says it is done to the last time that a node lets the session pass
LOOK_SECONDS = 0.05
LATE_SECONDS = 0.5
WARM_LOOKS = 6
GIVE_UP_SECONDS = 10


def person(number: int) -> Person:
    """Return somebody with a card, a number and a document of their own."""
    card, phone = f"62220209{number:010d}", f"+86139{number:08d}"
    return replace(LI, core_ref=f"S{number}", card=card + luhn.calc_check_digit(card), phone=phone, bound=phone,
                   user_name=f"session{'abcdefghijklmnop'[number]}")  # fmt: skip


@dataclass
class House:
    """Three nodes over one database, an operator's own connection to it, and one from beside it."""

    town: Town
    nodes: list[Node]
    operator: asyncpg.Connection
    beside: asyncpg.Connection
    database: str
    people: list[Person] = field(default_factory=lambda: [person(number) for number in range(16)])

    def somebody(self) -> Person:
        """Return somebody whom no test has met."""
        return self.people.pop()

    async def backends(self) -> list[int]:
        """Return the processes that answer the nodes and have nothing to do."""
        rows = await self.operator.fetch("SELECT pid FROM pg_stat_activity WHERE datname = current_database()"
                                         " AND pid <> pg_backend_pid() AND state = 'idle'")  # fmt: skip
        return [row["pid"] for row in rows]

    async def cut(self) -> None:
        """End every connection of the nodes to the database."""
        await self.operator.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                                    " WHERE datname = current_database() AND pid <> pg_backend_pid()")  # fmt: skip

    @asynccontextmanager
    async def cut_off(self) -> AsyncIterator[None]:
        """Cut every connection and let nobody connect: whoever asks learns that at once."""
        await self.beside.execute(f"ALTER DATABASE {self.database} ALLOW_CONNECTIONS false")
        try:
            await self.cut()
            yield
        finally:
            await self.beside.execute(f"ALTER DATABASE {self.database} ALLOW_CONNECTIONS true")

    @asynccontextmanager
    async def silent(self) -> AsyncIterator[None]:
        """Let every connection hang: nothing comes any more, and nothing says so."""
        pids = await self.backends()
        assert pids
        try:
            for pid in pids:
                os.kill(pid, signal.SIGSTOP)
            yield
        finally:
            for pid in pids:
                os.kill(pid, signal.SIGCONT)


@pytest.fixture(scope="module")
async def house(
    postgres_server: services.PostgresServer, tmp_path_factory: pytest.TempPathFactory, anyio_backend: str
) -> AsyncIterator[House]:
    """Yield three nodes that serve; their texts go nowhere."""
    name = postgres_server.create_database()
    town = found_town(tmp_path_factory.mktemp("town"), postgres_server.dsn(name), services.free_port())
    async with AsyncExitStack() as running:
        bank = await open_bank(postgres_server.dsn(name), keys=town.keys)
        nodes = [await running.enter_async_context(town.node()) for _ in range(NODES)]
        operator, beside = [await asyncpg.connect(postgres_server.dsn(where)) for where in (name, "postgres")]
        house = House(town, nodes, operator, beside, name)
        await bank.settle(*house.people)
        await bank.close()
        await asyncio.gather(*(town.is_open(node) for node in nodes))
        yield house
        await operator.close()
        await beside.close()
    postgres_server.drop_database(name)


@dataclass
class Watch:
    """A signed-in browser that asks every node again and again whether it still is, with the cookies it began with."""

    headers: dict[str, str]
    nodes: list[Node]
    seen: dict[int, list[tuple[float, int]]] = field(default_factory=dict, repr=False)
    looked: asyncio.Condition = field(default_factory=asyncio.Condition)
    is_over: bool = False

    async def run(self) -> None:
        """Look until `is_over`."""
        await asyncio.gather(*(self._look_at(node) for node in self.nodes))

    async def _look_at(self, node: Node) -> None:
        seen = self.seen.setdefault(node.port, [])
        async with Line(node.port) as line:
            while not self.is_over:
                sent = time.monotonic()
                seen.append((sent, (await line.call("GET", "/v1/session", self.headers)).status))
                async with self.looked:
                    self.looked.notify_all()
                await asyncio.sleep(LOOK_SECONDS)

    async def until(self, is_so: Callable[[list[int]], bool]) -> None:
        """Wait until the statuses of every node are so."""

        def are_so() -> bool:
            return all(is_so([status for _, status in self.seen.get(node.port, [])]) for node in self.nodes)

        async with asyncio.timeout(GIVE_UP_SECONDS), self.looked:
            await self.looked.wait_for(are_so)

    def seconds_after(self, ended_at: float) -> float:
        """Return how long after the end a request was still let pass by any node; below 0: never."""
        return max(sent for seen in self.seen.values() for sent, status in seen if status == 200) - ended_at

    def statuses(self) -> set[int]:
        """Everything that was answered."""
        return {status for seen in self.seen.values() for _, status in seen}


def is_warm(statuses: list[int]) -> bool:
    """The last few looks were let pass."""
    return statuses[-WARM_LOOKS:] == [200] * WARM_LOOKS


def is_out(statuses: list[int]) -> bool:
    """The last few looks were refused: it does not come back."""
    return statuses[-WARM_LOOKS:] == [401] * WARM_LOOKS


async def insist(step: Callable[[], Awaitable[Answer]]) -> Answer:
    """Do it again where the node was busy: it lost its connections, and what it began was rolled back."""
    async with asyncio.timeout(GIVE_UP_SECONDS):
        answer = await step()
        while answer.status == 503:
            await asyncio.sleep(LOOK_SECONDS)
            answer = await step()
    return answer


# Each goes as far as the last step and returns it: what happens in between is the test's.
Last = Callable[[], Awaitable[Answer]]


async def sign_out(house: House, browser: Browser, who: Person) -> Last:
    return lambda: browser.start(house.nodes[0], "sign-out")


async def sign_out_everywhere(house: House, browser: Browser, who: Person) -> Last:
    elsewhere = Browser(house.town)
    await elsewhere.start(house.nodes[1], "sign-in-basic", "phone", phone=who.phone)
    await elsewhere.text(house.nodes[0], who)
    return lambda: elsewhere.start(house.nodes[1], "sign-out-everywhere")


async def freeze(house: House, browser: Browser, who: Person) -> Last:
    elsewhere = Browser(house.town)
    await elsewhere.start(house.nodes[2], "freeze", "card", card_number=who.card)
    await elsewhere.answer(house.nodes[0], "choose", way="card_pin")
    return lambda: elsewhere.answer(house.nodes[2], "card_pin", card_pin=who.pin)


async def reset(house: House, browser: Browser, who: Person) -> Last:
    elsewhere = Browser(house.town)
    await elsewhere.start(house.nodes[0], "reset-password", "card", card_number=who.card)
    await elsewhere.text(house.nodes[1], who)
    await elsewhere.answer(house.nodes[2], "card_pin", card_pin=who.pin)
    return lambda: elsewhere.answer(house.nodes[0], "set-password", new_password="a quite new evening")


ENDINGS = {ending.__name__: ending for ending in (sign_out, sign_out_everywhere, freeze, reset)}


async def signed_in(house: House, who: Person) -> Browser:
    """Sign somebody in, at two nodes."""
    browser = Browser(house.town)
    await browser.start(house.nodes[0], "sign-in-basic", "phone", phone=who.phone)
    done = await browser.text(house.nodes[1], who)
    assert "done" == done.journey["status"], done.body
    return browser


@pytest.mark.alone
@pytest.mark.parametrize("is_cut", [False, True], ids=["connected", "cut"])
@pytest.mark.parametrize("ending", ENDINGS)
async def test_ses_03_ended_here_is_ended_everywhere(house: House, ending: str, is_cut: bool) -> None:
    """A session in use at three nodes is refused by all within a second of its end, for good.

    So it is when every connection to the database is cut just before: what a node would have been told is lost.
    """
    who = house.somebody()
    browser = await signed_in(house, who)
    watch = Watch(browser.headers, house.nodes)
    watching = asyncio.create_task(watch.run())
    end = await ENDINGS[ending](house, browser, who)
    await watch.until(is_warm)
    if is_cut:
        await house.cut()
    done = await insist(end)
    ended_at = time.monotonic()
    await watch.until(is_out)
    watch.is_over = True
    await watching

    assert "done" == done.journey["status"], done.body
    assert END_SECONDS >= watch.seconds_after(ended_at)
    assert watch.statuses() <= ({200, 401, 503} if is_cut else {200, 401})


@pytest.mark.alone
@pytest.mark.parametrize("trouble", [House.cut_off, House.silent], ids=["cut off", "silent"])
async def test_ses_03_who_cannot_ask_the_database_lets_nobody_pass(
    house: House, trouble: Callable[[House], AbstractAsyncContextManager[None]]
) -> None:
    """Nodes that hear nothing of an end stop within a second too; others' sessions are good again afterwards.

    What ends meanwhile is ended by the bank, in the database itself.
    """
    ended, kept = [await signed_in(house, house.somebody()) for _ in range(2)]
    watches = [Watch(browser.headers, house.nodes) for browser in (ended, kept)]
    watching = [asyncio.create_task(watch.run()) for watch in watches]
    for watch in watches:
        await watch.until(is_warm)
    session = parse(ended.cookies["__Host-session"])
    assert session is not None
    async with trouble(house):
        await house.operator.execute("DELETE FROM session WHERE session_id = $1", session.id)
        ended_at = time.monotonic()
        await asyncio.sleep(END_SECONDS + LATE_SECONDS)  # what is let pass by the end of it was let pass too late
    await watches[0].until(is_out)
    await watches[1].until(is_warm)
    for watch in watches:
        watch.is_over = True
    await asyncio.gather(*watching)

    assert END_SECONDS >= watches[0].seconds_after(ended_at)
    assert watches[0].statuses() <= {200, 401, 503}
    assert watches[1].statuses() <= {200, 503}
