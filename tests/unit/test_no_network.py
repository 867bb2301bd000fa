"""The guard of the unit tests itself."""

import asyncio
import socket

import pytest


def test_a_unit_test_cannot_connect() -> None:
    """Whoever reaches for the network is told so."""
    with socket.socket() as client, pytest.raises(AssertionError, match="reached for the network"):
        client.connect(("127.0.0.1", 9))


def test_asyncio_still_works() -> None:
    """The guard leaves the event loop what it needs."""
    assert 3 == asyncio.run(asyncio.sleep(0, 3))
