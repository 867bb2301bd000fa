"""The doubles of WeChat and Alipay for tests: in this process behind a client's transport, or a process of its own."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from tempfile import mkdtemp
from urllib.parse import parse_qs, urlsplit

import httpx2

from foregate.demo.providers.accounts import ALIPAY_APP, ATTRIBUTES, WECHAT_APPS
from foregate.demo.providers.app import Doubles
from foregate.demo.providers.desk import Counterpart, Keys, keys_in
from foregate.gateways.social.alipay import Alipay, AlipayKeys
from foregate.gateways.social.wechat import App, WeChat
from foregate.rules.social import Provider, Surface
from tests import services

CALLBACK = "https://login.bank.test/social/{provider}/callback"
WEB, INSIDE, APP = WECHAT_APPS


@cache
def folder() -> Path:
    """Where this run's keys are: making RSA keys costs a second, so it is done once."""
    return Path(mkdtemp(prefix="foregate-doubles-"))


@cache
def keys() -> Keys:
    return keys_in(folder())


@dataclass
class At:
    """A clock that a test turns, for the doubles and the clients alike."""

    at: int = 1_800_000_000

    def now(self) -> int:
        return self.at


@dataclass
class Providers:
    """The doubles in this process, and clients that talk to them."""

    clock: At = field(default_factory=At)

    def __post_init__(self) -> None:
        origin = "http://127.0.0.1:8001"
        self.doubles = Doubles(keys(), origin, now=lambda: self.clock.now())
        self.transport = httpx2.ASGITransport(app=self.doubles.app)
        apps = {
            surface: App(app_id, WECHAT_APPS[app_id].secret)
            for surface, app_id in zip((Surface.WEB, Surface.INSIDE, Surface.APP), WECHAT_APPS, strict=True)
        }
        self.wechat = WeChat(
            apps,
            authorize=origin,
            api=origin,
            callback=CALLBACK.format(provider="wechat"),
            transport=self.transport,
        )
        self.alipay = Alipay(
            ALIPAY_APP,
            AlipayKeys(own=keys().app, theirs=keys().alipay.public_key()),
            self.clock,
            authorize=f"{origin}/oauth2/publicAppAuthorize.htm",
            gateway=f"{origin}/gateway.do",
            callback=CALLBACK.format(provider="alipay"),
            transport=self.transport,
        )

    def counterpart(self, provider: Provider) -> Counterpart:
        return self.doubles.counterparts[provider.value]

    def code(self, provider: Provider, account: str = "xiaoming", *, but: tuple[str, ...] = (), app: str = WEB) -> str:
        """The person agreed: a code. `but`: what they kept to themselves."""
        allowed = frozenset(ATTRIBUTES) - set(but)
        app_id = app if provider is Provider.WECHAT else ALIPAY_APP
        return self.counterpart(provider).give_code(app_id, account, allowed)

    async def agree(self, address: str, account: str = "xiaoming", but: tuple[str, ...] = ()) -> dict[str, str]:
        """Follow an authorize address as a person does, and return what the callback is called with."""
        async with httpx2.AsyncClient(transport=self.transport) as client:
            page = await client.get(address.partition("#")[0])
            hidden = dict(_hidden(page.text))
            ticked = {name: "yes" for name in ATTRIBUTES if name not in but}
            answer = await client.post(
                "http://127.0.0.1:8001/agree", data={**hidden, **ticked, "account": account, "answer": "yes"}
            )
        return {name: values[0] for name, values in parse_qs(urlsplit(answer.headers["location"]).query).items()}

    async def close(self) -> None:
        await self.wechat.close()
        await self.alipay.close()


def _hidden(page: str) -> Iterator[tuple[str, str]]:
    for piece in page.split('<input type="hidden" name="')[1:]:
        name, _, rest = piece.partition('" value="')
        yield name, rest.partition('"')[0].replace("&amp;", "&")


@contextmanager
def process(host: str = "127.0.0.1", port: int | None = None, bank: str = "") -> Iterator[str]:
    """Run the doubles as a process of their own; yield their origin."""
    keys()
    port = port or services.free_port()
    command = [sys.executable, "-m", "foregate.demo.providers", "--host", host, "--port", str(port)]
    running = subprocess.Popen([*command, "--folder", str(folder()), "--bank", bank], stdout=subprocess.PIPE)
    origin = f"http://{host}:{port}"
    try:
        _wait_for(origin, running)
        yield origin
    finally:
        running.terminate()
        running.wait(10)
        if running.stdout is not None:
            running.stdout.close()


def _wait_for(origin: str, running: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + 20
    while time.monotonic() < until and running.poll() is None:
        try:
            httpx2.get(f"{origin}/pictures/xiaoming/132", trust_env=False)
        except httpx2.TransportError:
            time.sleep(0.05)
        else:
            return
    raise TimeoutError("the doubles did not start")
