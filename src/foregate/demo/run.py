"""The demo bank: everything embedded, on this machine alone, with people who do not exist."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType
from typing import Any

from foregate import sim_swap_settings
from foregate.addresses import LOOPBACK
from foregate.bootstrap import Foregate, SystemClock, build
from foregate.demo import pages
from foregate.demo.providers.accounts import ALIPAY_APP, WECHAT_APPS
from foregate.demo.providers.desk import keys_in
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
    if host not in LOOPBACK:
        raise SystemExit("The demo serves this machine alone: its people have published passwords.")
    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True)
        run_fast(_run(host, port, folder))
        return
    with tempfile.TemporaryDirectory(prefix="foregate-demo-") as made:
        run_fast(_run(host, port, Path(made)))


async def _run(host: str, port: int, folder: Path) -> None:
    origin = f"http://{host}:{port}"
    with doubles(folder, port + 1, origin) as there:
        await _serve(host, port, folder, there)


async def _serve(host: str, port: int, folder: Path, providers: str) -> None:
    house = await open_demo(folder, f"http://{host}:{port}", social_settings(folder, providers))
    print(f"Foregate demo bank: http://{host}:{port}  (people to try: /demo, their phone: /demo/phone)", flush=True)
    await serve(house.app, host, port)


@contextmanager
def doubles(folder: Path, port: int, bank: str) -> Iterator[str]:
    """Run the doubles of WeChat and Alipay as a process of their own while the demo runs; yield their origin."""
    keys = folder / "providers"
    keys_in(keys)  # made here once, so that both sides find them
    asked = [sys.executable, "-m", "foregate.demo.providers", "--port", str(port), "--folder", os.fspath(keys)]
    running = subprocess.Popen([*asked, "--bank", bank])  # noqa: S603 -- our own module, nothing of a visitor's in it
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        running.terminate()
        running.wait(10)


def social_settings(folder: Path, providers: str) -> dict[str, Any]:
    """Return the settings that make the doubles this bank's WeChat and Alipay."""
    keys, names = folder / "providers", ("wechat", "wechat_inside", "wechat_mobile")
    found: dict[str, Any] = {}
    for name, (app_id, app) in zip(names, WECHAT_APPS.items(), strict=True):
        path = keys / f"{name}.secret"
        path.write_text(app.secret, "ascii")
        found |= {f"{name}_app_id": app_id, f"{name}_secret_file": os.fspath(path)}
    return found | {
        "wechat_pages_url": providers,
        "wechat_api_url": providers,
        "alipay_app_id": ALIPAY_APP,
        "alipay_key_file": os.fspath(keys / "app.pem"),
        "alipay_public_key_file": os.fspath(keys / "alipay.pub"),
        "alipay_authorize_url": f"{providers}/oauth2/publicAppAuthorize.htm",
        "alipay_gateway_url": f"{providers}/gateway.do",
        "social_allows_loopback": True,
    }


async def open_demo(folder: Path, origin: str, more: Mapping[str, Any] = MappingProxyType({})) -> Foregate:
    """Build the demo house in `folder`, and settle its people when they are not there yet. `more` is set too."""
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
        sim_swap_api=sim_swap_settings.EMBEDDED,
        is_demo=True,
        **more,
    )
    phones = SimulatedPhones(SystemClock())
    house = await build(settings, gateway=phones, routes=tuple(pages.routes()), state={"phones": phones})
    await settle(house)
    return house


def map_of(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the settings of the map. They alone are read: everything else of a bank has no place in a demo."""
    return {name: value for name, value in environ.items() if name.startswith("FOREGATE_MAP_")}
