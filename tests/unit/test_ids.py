"""Ids made by the application."""

import threading
import time
import uuid

import pytest

from foregate.ids import new_id


def test_an_id_is_a_uuid_of_now() -> None:
    """Version 7, variant of RFC 9562, the time in its first 48 bits."""
    before = time.time_ns() // 1_000_000
    made = uuid.UUID(new_id())
    assert (7, uuid.RFC_4122) == (made.version, made.variant)
    assert before <= made.int >> 80 <= time.time_ns() // 1_000_000 + 1


def test_ids_grow() -> None:
    """In the order in which they were made, from whatever thread, and none comes twice."""
    made: list[list[str]] = [[] for _ in range(4)]

    def make(ids: list[str]) -> None:
        ids.extend(new_id() for _ in range(5_000))

    threads = [threading.Thread(target=make, args=(ids,)) for ids in made]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [sorted(ids) for ids in made] == made
    assert 20_000 == len({one for ids in made for one in ids})


def test_a_clock_that_goes_back(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ids go on growing when the clock jumps back or stands still."""
    first = new_id()
    monkeypatch.setattr(time, "time_ns", lambda: 0)
    rest = [new_id() for _ in range(1_000)]
    assert sorted([first, *rest]) == [first, *rest]
