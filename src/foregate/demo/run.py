"""The demo bank: everything embedded, on this machine alone, with people who do not exist."""

from __future__ import annotations

import asyncio
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path

from foregate.bootstrap import Foregate, SystemClock, build
from foregate.demo import pages
from foregate.demo.settle import settle
from foregate.doors.serve import run as serve
from foregate.doors.serve import run_fast, set_up_logging
from foregate.gateways.sms.simulated import SimulatedPhones
from foregate.settings import load
from foregate.store import migrate
from foregate.store.keyring import write_keys


def run(host: str, port: int, folder: Path | None) -> None:
    """Serve the demo bank until interrupted. `folder` keeps its database; without one it lives as long as this run."""
    set_up_logging()
    if host not in ("127.0.0.1", "localhost", "::1"):
        raise SystemExit("The demo serves this machine alone: its people have published passwords.")
    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True)
        run_fast(_run(host, port, folder))
        return
    with tempfile.TemporaryDirectory(prefix="foregate-demo-") as made:
        run_fast(_run(host, port, Path(made)))


async def _run(host: str, port: int, folder: Path) -> None:
    house = await open_demo(folder, f"http://{host}:{port}")
    print(f"Foregate demo bank: http://{host}:{port}  (people to try: /demo, their phone: /demo/phone)", flush=True)
    await serve(house.app, host, port)


async def open_demo(folder: Path, origin: str) -> Foregate:
    """Build the demo house in `folder`, and settle its people when they are not there yet."""
    keys_file, database = folder / "keys.toml", folder / "demo.db"
    if not keys_file.exists():
        write_keys(keys_file)
    url = f"sqlite:///{database}"
    await asyncio.to_thread(migrate.upgrade, url)
    settings = load(
        environ=map_of(os.environ),
        origin=origin,
        database=url,
        keys_file=os.fspath(keys_file),
        bank_name="Foregate 示范银行",
        hotline="95000",
        text_us_number="1069095000",
        minimum_versions=pages.MINIMUMS,
        is_demo=True,
    )
    phones = SimulatedPhones(SystemClock())
    house = await build(settings, gateway=phones, routes=tuple(pages.routes()), state={"phones": phones})
    await settle(house)
    return house


def map_of(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the settings of the map. They alone are read: everything else of a bank has no place in a demo."""
    return {name: value for name, value in environ.items() if name.startswith("FOREGATE_MAP_")}
