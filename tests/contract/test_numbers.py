"""Whose number is it still? The networks' service over its wire, and the one in this process: one contract."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, NoEncryption, PrivateFormat

from foregate.gateways.numbers.credentials import ByAssertion, signing_key
from foregate.gateways.numbers.embedded import EmbeddedNumbers
from foregate.gateways.numbers.sim_swap import TOKEN_MARGIN_SECONDS, SimSwap
from foregate.ports import Unreachable
from foregate.ports.numbers import NumberChanges
from foregate.rules import limits
from foregate.rules.numbers import UNKNOWN, LastChange
from tests.bank import Clock
from tests.networks import CLIENT, Networks, by_secret, our_key

pytestmark = pytest.mark.anyio

PHONE, OTHER = "+8613800138000", "+8613900139000"
DAY = 86400


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def networks(clock: Clock) -> Networks:
    return Networks(clock)


@pytest.fixture
async def client(networks: Networks) -> AsyncIterator[SimSwap]:
    """The gateway. Whatever a test does, nothing that it sends is against the interface."""
    client = networks.client()
    yield client
    await client.close()
    assert [] == networks.faults


def written(at: int) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat()


@pytest.fixture(params=["embedded", "networks"])
async def numbers(request: pytest.FixtureRequest, clock: Clock, networks: Networks) -> AsyncIterator[NumberChanges]:
    """Both, with a number that changed hands yesterday; nothing is known of any other."""
    if request.param == "embedded":
        embedded = EmbeddedNumbers(clock)
        embedded.put(PHONE, clock.now() - DAY)
        yield embedded
        await embedded.close()
        return
    networks.answers[PHONE] = {"latestSimChange": written(clock.now() - DAY)}
    client = networks.client()
    yield client
    await client.close()
    assert [] == networks.faults


# ---------------------------------------------------------------- one contract


async def test_a_number_that_changed_hands_yesterday(numbers: NumberChanges, clock: Clock) -> None:
    """It is told when, in seconds since 1970."""
    assert LastChange(is_known=True, at=clock.now() - DAY) == await numbers.last_change(PHONE)


async def test_a_number_that_is_not_known_there(numbers: NumberChanges) -> None:
    """That is an answer, and no error."""
    assert UNKNOWN == await numbers.last_change(OTHER)


# ---------------------------------------------------------------- what the networks may answer


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ({"latestSimChange": "2024-09-18T07:37:53.471829447Z"}, LastChange(is_known=True, at=1_726_645_073)),
        ({"latestSimChange": "2023-07-03T14:27:08.312+02:00"}, LastChange(is_known=True, at=1_688_387_228)),
        ({"latestSimChange": "2023-07-03T12:27:08Z", "more": 1}, LastChange(is_known=True, at=1_688_387_228)),
        ({"latestSimChange": None, "monitoredPeriod": 120}, LastChange(is_known=True)),
        ({"latestSimChange": None, "monitoredPeriod": 3}, LastChange(is_known=True)),
        # Nothing within a day says nothing about the day before.
        ({"latestSimChange": None, "monitoredPeriod": 2}, UNKNOWN),
        ({"latestSimChange": None}, UNKNOWN),
    ],
)
async def test_what_an_answer_means(
    client: SimSwap, networks: Networks, answer: dict[str, Any], expected: LastChange
) -> None:
    """A date in any zone; none within days enough; or nothing that could be relied on."""
    networks.answers[PHONE] = answer
    assert expected == await client.last_change(PHONE)


async def test_a_service_that_is_not_for_this_number(client: SimSwap, networks: Networks) -> None:
    """422 SERVICE_NOT_APPLICABLE: a number of another network, or none of a mobile phone."""
    networks.says.append((422, b'{"status": 422, "code": "SERVICE_NOT_APPLICABLE", "message": "no"}'))
    assert UNKNOWN == await client.last_change(PHONE)


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (200, b""),
        (200, b"<html>"),
        (200, b"\xff\xfe"),
        (200, b"{}"),
        (200, b'{"latestSimChange": 1726645073}'),
        (200, b'{"latestSimChange": "yesterday"}'),
        (200, b'{"latestSimChange": "2024-09-18T07:37:53"}'),
        (200, b'{"latestSimChange": null, "monitoredPeriod": "120"}'),
        (200, b'{"latestSimChange": null, "x": "' + b"x" * limits.NUMBER_ANSWER_BYTES + b'"}'),
        (302, b""),
        (400, b"{}"),
        (403, b"{}"),
        (429, b"{}"),
        (500, b""),
        (503, b"{}"),
    ],
)
async def test_an_answer_that_is_none(client: SimSwap, networks: Networks, status: int, body: bytes) -> None:
    """Never a date made of it, and never "nothing changed"."""
    networks.says.append((status, body))
    with pytest.raises(Unreachable):
        await client.last_change(PHONE)


async def test_the_largest_answer_that_is_read(client: SimSwap, networks: Networks) -> None:
    """At the limit it is read; one byte more is an answer without end."""
    frame = b'{"latestSimChange": null, "monitoredPeriod": 9, "x": ""}'
    filled = frame[:-2] + b"x" * (limits.NUMBER_ANSWER_BYTES - len(frame)) + frame[-2:]
    networks.says += [(200, filled), (200, b" " + filled)]
    assert LastChange(is_known=True) == await client.last_change(PHONE)
    with pytest.raises(Unreachable, match="without end"):
        await client.last_change(PHONE)


async def test_a_date_far_away(client: SimSwap, networks: Networks, clock: Clock) -> None:
    """A zone at the end of the world is taken off."""
    there = datetime.fromtimestamp(clock.now(), timezone(timedelta(hours=14)))
    networks.answers[PHONE] = {"latestSimChange": there.isoformat()}
    assert LastChange(is_known=True, at=clock.now()) == await client.last_change(PHONE)


# ---------------------------------------------------------------- tokens


async def test_one_token_for_many_questions(client: SimSwap, networks: Networks, clock: Clock) -> None:
    """However many ask at once; a new one shortly before its end."""
    await asyncio.gather(*(client.last_change(PHONE) for _ in range(8)))
    clock.turn(300 - TOKEN_MARGIN_SECONDS - 1)
    await client.last_change(PHONE)
    assert 1 == networks.tokens
    clock.turn(1)
    await client.last_change(PHONE)
    assert (2, 10) == (networks.tokens, len(networks.asked))


async def test_a_token_that_says_no_end(client: SimSwap, networks: Networks, clock: Clock) -> None:
    """It is taken for a short one."""
    networks.token_seconds = None
    await client.last_change(PHONE)
    clock.turn(60)
    await client.last_change(PHONE)
    assert 2 == networks.tokens


async def test_a_token_that_was_taken_back(client: SimSwap, networks: Networks) -> None:
    """A new one is asked for, once, in the same breath."""
    networks.answers[PHONE] = {"latestSimChange": None, "monitoredPeriod": 30}
    await client.last_change(PHONE)
    networks.revoke()
    assert LastChange(is_known=True) == await client.last_change(PHONE)
    assert 2 == networks.tokens


async def test_a_service_that_takes_no_token(client: SimSwap, networks: Networks) -> None:
    """Two are tried, not more."""
    networks.says += [(401, b"{}"), (401, b"{}"), (200, b'{"latestSimChange": null}')]
    with pytest.raises(Unreachable):
        await client.last_change(PHONE)
    assert 2 == networks.tokens


# ---------------------------------------------------------------- who we are


async def test_a_secret_in_place_of_a_key(networks: Networks) -> None:
    """As operators took it before the profile."""
    client = networks.client(by_secret())
    assert UNKNOWN == await client.last_change(PHONE)
    await client.close()
    assert ([], 1) == (networks.faults, networks.tokens)


async def test_an_rsa_key(networks: Networks) -> None:
    """RS256, and no `kid` where the operator has one key of ours."""
    key = rsa.generate_private_key(65537, 2048)
    networks.public_key = key.public_key()
    client = networks.client(ByAssertion(CLIENT, key))
    assert UNKNOWN == await client.last_change(PHONE)
    await client.close()
    assert [] == networks.faults


async def test_somebody_else_gets_no_token(networks: Networks) -> None:
    """The double looks: a key that is not ours is refused, so the tests above mean something."""
    client = networks.client(ByAssertion("another", our_key(), "key-1"))
    with pytest.raises(Unreachable, match="no token"):
        await client.last_change(PHONE)
    await client.close()
    assert 1 == len(networks.faults)
    assert 0 == networks.tokens


def test_keys_that_cannot_be_used() -> None:
    """A short one, another kind, one with a passphrase, and no key at all."""
    weak = rsa.generate_private_key(65537, 1024)  # noqa: S505 -- to be refused
    short = weak.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    other = ed25519.Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    closed = our_key().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"word"))
    for pem in (short, other, closed, b"no key"):
        with pytest.raises(ValueError, match=r".+"):
            signing_key(pem)
    good = our_key().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    assert our_key().private_numbers() == signing_key(good).private_numbers()


# ---------------------------------------------------------------- a service that is slow, or dead


@pytest.mark.alone
async def test_nobody_waits_longer_than_the_limit(client: SimSwap, networks: Networks) -> None:
    """A service that hangs is given up, before whoever asks gives up; after failures enough nobody waits at all."""
    networks.hangs = True
    for number in range(limits.NUMBER_FAILURES + 1):
        begun = time.monotonic()
        if number == 1:  # the others need not hang: only that they fail counts
            networks.hangs, networks.says = False, [(503, b"{}")] * 20
        with pytest.raises(Unreachable, match="rests" if number == limits.NUMBER_FAILURES else "service"):
            async with asyncio.timeout(float(limits.NUMBER_ASK_SECONDS)):
                await client.last_change(PHONE)
        assert time.monotonic() - begun < limits.NUMBER_ANSWER_SECONDS + 1
    assert limits.NUMBER_FAILURES - 1 == len(networks.asked)


async def test_one_question_tries_for_everybody(client: SimSwap, networks: Networks) -> None:
    """When the rest is over one is asked; that it failed is enough for another rest, that it did not ends it."""
    networks.says = [(503, b"{}")] * limits.NUMBER_FAILURES
    for _ in range(limits.NUMBER_FAILURES):
        with pytest.raises(Unreachable, match="503"):
            await client.last_change(PHONE)
    with pytest.raises(Unreachable, match="rests"):
        await client.last_change(PHONE)
    left_seconds = client.rest.until - asyncio.get_running_loop().time()
    assert limits.NUMBER_REST_SECONDS == pytest.approx(left_seconds, abs=2)
    client.rest.until = 0.0  # the rest is over
    networks.says = [(503, b"{}")]
    with pytest.raises(Unreachable, match="503"):
        await client.last_change(PHONE)
    with pytest.raises(Unreachable, match="rests"):
        await client.last_change(PHONE)
    client.rest.until = 0.0
    assert UNKNOWN == await client.last_change(PHONE)
    assert UNKNOWN == await client.last_change(PHONE)
