"""A service that fails is left alone; when that is over one tries for everybody, and the others go on without it."""

from __future__ import annotations

import asyncio

import pytest

from foregate.gateways.rest import Rest

pytestmark = pytest.mark.anyio


def rested() -> Rest:
    """A service that failed three times in a row, and whose rest is just over."""
    rest = Rest(3, 20, answer_seconds=2)
    for _ in range(3):
        assert rest.may_ask()
        rest.failed()
    assert not rest.may_ask()
    rest.until = 0.0
    return rest


async def test_one_tries_for_everybody() -> None:
    """While the first one waits for an answer nobody else does."""
    rest = rested()
    assert [True, False, False] == [rest.may_ask() for _ in range(3)]
    rest.succeeded()
    assert [True, True] == [rest.may_ask() for _ in range(2)]


async def test_one_failure_is_enough_for_another_rest() -> None:
    """And the rest is as long as the first one was."""
    rest = rested()
    assert rest.may_ask()
    rest.failed()
    assert 20 == pytest.approx(rest.until - asyncio.get_running_loop().time(), abs=1)
    rest.until = 0.0
    assert [True, False] == [rest.may_ask() for _ in range(2)]


async def test_who_breaks_off_keeps_nobody_waiting_for_long() -> None:
    """Whoever tried for everybody hung up: after the time of one answer the next one tries."""
    rest = rested()
    assert rest.may_ask()
    assert 2 == pytest.approx(rest.until - asyncio.get_running_loop().time(), abs=1)
