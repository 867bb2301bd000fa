"""Many rounds of many who want few places, played by several processes, some of which are killed in the middle.

What has to hold after every round: exactly as many confirmed appointments as places, one unit each, and every
appointment that was acknowledged is among them.

    FOREGATE_ROUNDS=1000 pytest tests/attack/test_bookings.py
"""

from __future__ import annotations

import asyncio
import random
import subprocess
import sys
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from sqlalchemy import bindparam, select

from foregate.ports.outlets import FOR_GOOD
from foregate.rules import limits
from foregate.rules.appointments import State
from foregate.store.outlets.appointment_tables import appointment, appointment_unit
from foregate.store.statements import Statement
from foregate.store.unit_of_work import SqlStore
from tests.appointments import HALL, TOMORROW_TEN
from tests.bank import NOW

WORKERS = 2
COMPETITORS = 200
KILLED_ROUNDS = 10  # in one of so many a worker is killed
SERVICE = "face-update"  # one slot long

_u, _a = appointment_unit.c, appointment.c
UNITS = Statement(
    select(_u.appointment_id).where(_u.slot_start == bindparam("at"), _u.held_until == bindparam("until"))
)
ROWS = Statement(select(_a.appointment_id, _a.journey_id, _a.state).where(_a.starts_at == bindparam("at")))


@dataclass
class Worker:
    """One process, and the lines that it has printed."""

    words: Sequence[str]
    process: subprocess.Popen[str] | None = None

    def start(self) -> None:
        """Begin, and wait until it is ready."""
        self.process = subprocess.Popen(self.words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        line = self._out.readline()
        assert "ready\n" == line, f"the worker died by itself: {line!r}"

    @property
    def _out(self) -> IO[str]:
        assert self.process is not None
        assert self.process.stdout is not None
        return self.process.stdout

    def play(self, order: str, kill_after: float | None, acknowledged: list[str]) -> None:
        """Play one round; kill it after a while when that is asked for."""
        assert self.process is not None
        assert self.process.stdin is not None
        self.process.stdin.write(order + "\n")
        self.process.stdin.flush()
        timer = threading.Timer(kill_after, self.process.kill) if kill_after is not None else None
        if timer:
            timer.start()
        for line in iter(self._out.readline, ""):
            if line == "end\n":
                break
            acknowledged.append(line.strip())
        if timer:
            timer.cancel()
            timer.join()
            self.stop()
            self.start()

    def stop(self) -> None:
        """End it, however far it is."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            for pipe in (self.process.stdin, self.process.stdout):
                if pipe:
                    pipe.close()


@dataclass
class Tally:
    """What the rounds came to."""

    rounds: int = 0
    killed: int = 0
    acknowledged: int = 0
    confirmed: int = 0
    lost: list[str] = field(default_factory=list)
    overbooked: list[str] = field(default_factory=list)


async def play_rounds(store: SqlStore, database: str, keys_file: Path, rounds: int, *, first_seed: int = 0) -> Tally:
    """Play `rounds` rounds over a database with the outlet in it; return what they came to."""
    words = [sys.executable, "-m", "tests.attack.booking_worker", database, str(keys_file)]
    workers, tally = [Worker(words) for _ in range(WORKERS)], Tally()
    for worker in workers:
        worker.start()
    try:
        for seed in range(first_seed, first_seed + rounds):
            await _round(store, workers, seed, tally)
    finally:
        for worker in workers:
            worker.stop()
    return tally


async def _round(store: SqlStore, workers: list[Worker], seed: int, tally: Tally) -> None:
    rng = random.Random(seed)  # noqa: S311 -- no secret
    capacity = rng.randint(1, 5)
    async with store.begin() as tx:
        await tx.appointments.set_capacity(HALL.outlet_id, SERVICE, capacity)
    victim = rng.randrange(WORKERS) if seed % KILLED_ROUNDS == 2 else None
    acknowledged: list[str] = []
    each = COMPETITORS // WORKERS
    await asyncio.gather(
        *(
            asyncio.to_thread(
                worker.play,
                _order(seed, n * each, (n + 1) * each),
                rng.uniform(0.01, 0.4) if n == victim else None,
                acknowledged,
            )
            for n, worker in enumerate(workers)
        )
    )
    if victim is not None:
        # Whoever was cut off may have left a hold; latecomers find the rest of the places once it has lapsed.
        await asyncio.to_thread(
            workers[0].play, _order(seed, 1000, 1012, NOW + limits.HOLD_SECONDS, late=1), None, acknowledged
        )
        tally.killed += 1
    await _count(store, seed, capacity, acknowledged, tally)


def _order(seed: int, first: int, last: int, now: int = NOW, *, late: int = 0) -> str:
    return f"o = {{seed = {seed}, first = {first}, last = {last}, slot = {seed % 2000}, now = {now}, late = {late}}}"


async def _count(store: SqlStore, seed: int, capacity: int, acknowledged: list[str], tally: Tally) -> None:
    at = TOMORROW_TEN + seed % 2000 * 900
    async with store.database.transaction() as connection:
        units = await connection.all(UNITS, at=at, until=FOR_GOOD)
        rows = await connection.all(ROWS, at=at)
    confirmed = {row["journey_id"]: row["appointment_id"] for row in rows if row["state"] == State.CONFIRMED.value}
    tally.rounds += 1
    tally.acknowledged += len(acknowledged)
    tally.confirmed += len(confirmed)
    tally.lost += [line for line in acknowledged if line.replace(" ", "-") not in confirmed]
    if len(confirmed) != capacity or sorted(row["appointment_id"] for row in units) != sorted(confirmed.values()):
        tally.overbooked.append(f"seed {seed}: {len(confirmed)} confirmed, {len(units)} units, capacity {capacity}")
