"""Passwords and PINs as hashes."""

import asyncio
import time

import pytest
from argon2 import PasswordHasher

from foregate.gateways.hashing import Argon2Hasher, which_build
from foregate.ports import Busy
from foregate.rules import limits
from foregate.store.keyring import Keys
from tests.contract.samples import new_keys

pytestmark = pytest.mark.anyio


@pytest.fixture
def hasher(keys: Keys) -> object:
    hasher = Argon2Hasher(keys, threads=2)
    yield hasher
    hasher.close()


async def test_the_right_secret_alone_fits(hasher: Argon2Hasher) -> None:
    """And no two hashes of one secret are the same."""
    hashed = await hasher.hash("correct horse 电池")
    assert await hasher.verify(hashed, "correct horse 电池")
    assert not await hasher.verify(hashed, "correct horse 电")
    assert not await hasher.verify(hashed, "")
    assert hashed != await hasher.hash("correct horse 电池")
    assert f"m={limits.HASH_MEMORY_KIB},t={limits.HASH_PASSES},p={limits.HASH_LANES}" in hashed


async def test_nobody_s_password(hasher: Argon2Hasher) -> None:
    """Nobody has no password, and a damaged hash fits nothing."""
    assert not await hasher.verify(None, "anything")
    assert not await hasher.verify("", "anything")
    assert not await hasher.verify("$argon2id$v=19$m=1", "anything")


@pytest.mark.alone
async def test_nobody_costs_the_same(hasher: Argon2Hasher) -> None:
    """The processor works as long for nobody as for somebody."""
    hashed = await hasher.hash("secret")

    async def cost(which: str | None) -> float:
        seconds = []
        for _ in range(15):
            begun = time.process_time()
            await hasher.verify(which, "wrong")
            seconds.append(time.process_time() - begun)
        return min(seconds)

    assert 1.0 == pytest.approx(await cost(None) / await cost(hashed), abs=0.25)


async def test_a_stolen_table_is_useless(hasher: Argon2Hasher) -> None:
    """Without the key file the right secret does not fit: not plainly, not under other keys."""
    hashed = await hasher.hash("secret")
    stranger = Argon2Hasher(new_keys(), threads=1)
    assert not await stranger.verify(hashed, "secret")
    stranger.close()
    with pytest.raises(Exception, match="does not match"):
        PasswordHasher().verify(hashed, "secret")


async def test_old_parameters_are_noticed(hasher: Argon2Hasher) -> None:
    """A hash of other parameters, or none, is to be made anew."""
    assert not hasher.needs_rehash(await hasher.hash("secret"))
    assert hasher.needs_rehash(PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash("secret"))
    assert hasher.needs_rehash("$2b$12$abcdefghijklmnopqrstuv")


async def test_the_queue_ends(keys: Keys) -> None:
    """As many as fit are served, one more is told that we are busy, and places come back."""
    hasher = Argon2Hasher(keys, threads=1, queue=3)
    results = await asyncio.gather(*(hasher.hash("secret") for _ in range(9)), return_exceptions=True)
    assert [str] * 4 + [Busy] * 5 == [type(result) for result in results]
    assert await hasher.hash("secret")
    hasher.close()


async def test_who_hangs_up_keeps_the_place(keys: Keys) -> None:
    """Work that goes on counts, whether or not anybody waits: cancelling brings no more room."""
    hasher = Argon2Hasher(keys, threads=1, queue=0)
    waiting = asyncio.create_task(hasher.hash("secret"))
    await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    with pytest.raises(Busy):
        await hasher.hash("secret")
    hasher.close()


async def test_hashing_leaves_the_loop_free(hasher: Argon2Hasher) -> None:
    """While hashes are computed, others are served."""
    ticks = 0

    async def tick() -> None:
        nonlocal ticks
        while True:
            await asyncio.sleep(0.001)
            ticks += 1

    ticking = asyncio.create_task(tick())
    await asyncio.gather(*(hasher.hash("secret") for _ in range(8)))
    ticking.cancel()
    assert ticks >= 5


def test_which_build_is_said() -> None:
    """In one line."""
    assert which_build().startswith("argon2: ")
    assert 1 == len(which_build().splitlines())
