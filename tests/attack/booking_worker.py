"""One of several banks over one database, where many book few places at once. Started by `bookings.py`, and killed.

Reads one order per line, and plays that round: many numbers for a few places, all or half of whom have held one before
and let it lapse. Prints what was acknowledged, a line for each, and `end` when the round is over.
"""

import asyncio
import random
import sys
import tomllib
from pathlib import Path

from foregate.outlets.appointments import Booking, confirm, hold
from foregate.ports import Busy
from foregate.ports.outlets import Appointment
from foregate.rules import limits
from foregate.store.keyring import Keys, load_keys
from foregate.store.postgres import open_postgres
from foregate.store.sqlite import open_sqlite
from foregate.store.unit_of_work import SqlStore
from tests.appointments import HALL, TOMORROW_TEN
from tests.bank import Clock

WAIT_SECONDS = 60  # here everybody is meant to queue, not to be turned away


async def main(database: str, keys_file: str) -> None:
    """Play the rounds that are asked for."""
    keys, clock = load_keys(Path(keys_file)), Clock()
    if database.startswith("sqlite:///"):
        store = await open_sqlite(Path(database.removeprefix("sqlite:///")), keys, clock, wait_seconds=WAIT_SECONDS)
    else:
        store = await open_postgres(database, keys, clock, pool_size=8, wait_seconds=WAIT_SECONDS)
    print("ready", flush=True)
    lines = asyncio.get_running_loop().run_in_executor
    while line := await lines(None, sys.stdin.readline):
        order = tomllib.loads(line)["o"]
        await play(store, keys, order)
        print("end", flush=True)


async def play(store: SqlStore, keys: Keys, order: dict[str, int]) -> None:
    """Let the numbers `first` to `last` book the place of this round, all at once, at the moment `now`."""
    seed, first, last = order["seed"], order["first"], order["last"]
    rng = random.Random(seed * 1000 + first)  # noqa: S311 -- no secret
    share = rng.choice((1.0, 0.5)) if not order.get("late") else 0  # who comes late has held nothing
    patient = {n for n in range(first, last) if rng.random() < share}
    async with store.begin() as tx:
        for n in sorted(patient):  # one after the other: each finds the hold before it lapsed
            long_ago = order["now"] - (last - n) * (limits.HOLD_SECONDS + 1)
            await hold(tx, keys, wish_of(order, n), f"{seed}-{n}", long_ago)
    in_turn = list(range(first, last))
    rng.shuffle(in_turn)
    await asyncio.gather(*(book(store, keys, order, n, is_held=n in patient) for n in in_turn))


async def book(store: SqlStore, keys: Keys, order: dict[str, int], n: int, *, is_held: bool) -> None:
    """Hold unless that was done, then confirm; say so once it is committed."""
    journey_id = f"{order['seed']}-{n}"
    try:
        if not is_held:
            async with store.begin() as tx:
                if await hold(tx, keys, wish_of(order, n), journey_id, order["now"]) is not None:
                    return
        async with store.begin() as tx:
            done = await confirm(tx, keys, journey_id, order["now"])
    except Busy:
        return  # never acknowledged
    if isinstance(done, Appointment):
        print(f"{order['seed']} {n}", flush=True)
    elif done.cause != "place-taken":
        raise AssertionError(done)


def wish_of(order: dict[str, int], n: int) -> Booking:
    """Return what one competitor wants: the place of this round."""
    return Booking(
        outlet_id=HALL.outlet_id, service="face-update", starts_at=TOMORROW_TEN + order["slot"] * 900, people=1,
        phone=f"+861{order['seed'] % 10**5:05d}{n:05d}", surname="王", case_no=None, language="zh",
    )  # fmt: skip


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2]))
