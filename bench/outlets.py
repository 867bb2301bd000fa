"""Measure the outlets: importing two large files, the nearest twenty, and words, on SQLite and on PostgreSQL.

    PYTHONPATH=. python bench/outlets.py LARGE.csv.gz LARGE.toml [MORE.csv MORE.toml ...]

Every file comes with its mapping. Times are those inside the server's own process, the way a request goes: through
`store.glance()`, with the answer as records. Memory is the peak of this process.
"""

from __future__ import annotations

import asyncio
import random
import resource
import statistics
import sys
import tempfile
import time
import tomllib
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from foregate.bootstrap import SystemClock
from foregate.outlets.importing import import_outlets
from foregate.ports.outlets import Wanted
from foregate.rules.outlet_words import typed_words
from foregate.rules.places import Place, place
from foregate.store import migrate
from foregate.store.keyring import generate_keys, parse_keys
from foregate.store.postgres import open_postgres
from foregate.store.sqlite import open_sqlite
from foregate.store.unit_of_work import SqlStore
from tests import services

NEAR, ROUNDS = 300, 15
WORDS = ("南投", "營業部", "hnsyyh", "nantou", "connaught", "state bank", "bank", "kotak pune", "nothing at all")


async def bring(store: SqlStore, file: Path, mapping: Path) -> None:
    """Import twice: all of it, then nothing new."""
    for run in ("first", "again"):
        reasons: Counter[str] = Counter()
        began = time.perf_counter()
        counts = await import_outlets(
            store, file, 0, lambda number, outlet_id, why, told=reasons: told.update([why]), mapping_file=mapping
        )
        seconds = time.perf_counter() - began
        print(
            f"  {file.name}, {run}: {counts.records} records, {counts.added} new, {counts.changed} changed, "
            f"{counts.unchanged} unchanged, {counts.rejected} rejected {dict(reasons)}, "
            f"{counts.without_place} without place, {seconds:.1f} s, peak {peak_mb()} MB"
        )


def peak_mb() -> int:
    """Return the most memory that this process ever had."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


async def some_places(store: SqlStore) -> list[Place]:
    """Return places near which people live: an outlet, and a few kilometres from it."""
    chance, found = random.Random(1), []  # noqa: S311 -- places on a map, no secrets
    async with store.glance() as outlets:
        ids = await outlets.ids("", 1_000_000)
        for one in chance.sample(ids, NEAR):
            outlet = await outlets.find(one)
            if outlet is not None and outlet.place is not None:
                at = outlet.place
                found.append(place(at.latitude + chance.gauss(0, 0.05), at.longitude + chance.gauss(0, 0.05)))
    return found


async def timed(store: SqlStore, wanted: Sequence[Wanted]) -> str:
    """Return median and 95th percentile of twenty outlets each, in milliseconds."""
    taken = []
    for one in wanted:
        began = time.perf_counter()
        async with store.glance() as outlets:
            await outlets.page(one, 20)
        taken.append((time.perf_counter() - began) * 1000)
    taken.sort()
    return f"median {statistics.median(taken):.2f} ms, 95 % {taken[int(len(taken) * 0.95)]:.2f} ms"


async def measure(store: SqlStore, files: Sequence[tuple[Path, Path]]) -> None:
    """Measure one database."""
    for file, mapping in files:
        await bring(store, file, mapping)
    near = [Wanted(centre=centre) for centre in await some_places(store)]
    await timed(store, near[:20])
    print(f"  nearest 20: {await timed(store, near)}")
    for text in WORDS:
        print(f"  words {text!r}: {await timed(store, [Wanted(words=typed_words(text))] * ROUNDS)}")


async def main(arguments: list[str]) -> None:
    """Measure both databases."""
    files = [(Path(file), Path(mapping)) for file, mapping in zip(arguments[::2], arguments[1::2], strict=True)]
    keys, clock = parse_keys(tomllib.loads(generate_keys())), SystemClock()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "bench.db"
        migrate.upgrade(f"sqlite:///{path}")
        store = await open_sqlite(path, keys, clock)
        print("SQLite")
        await measure(store, files)
        await store.close()
    with services.postgres() as server:
        name = server.create_database()
        await asyncio.to_thread(migrate.upgrade, server.dsn(name))
        store = await open_postgres(server.dsn(name), keys, clock)
        print("PostgreSQL")
        await measure(store, files)
        await store.close()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1:]))
