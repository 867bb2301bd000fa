"""Settings: one TOML file, overridden by the environment, checked once, then frozen.

Every setting `name` may stand in the file, or in the environment as `FOREGATE_NAME`. Secrets are never values here:
they are paths to files. Outside the demo, anything that would make the front door weak is refused with what to set.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from ipaddress import ip_network
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import msgspec


class BadSettings(Exception):
    """One or more settings cannot be used; the text says which and what to set."""


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How this Foregate runs. Paths are files; `origin` is what browsers show, e.g. https://login.bank.example."""

    origin: str = ""
    database: str = ""  # sqlite:///PATH or postgresql://user@host/name
    keys_file: str = ""
    bank_name: str = ""
    hotline: str = ""
    text_us_number: str = ""  # where customers send the digits of "text us"; empty: not offered
    sms_gateway: str = ""  # https://..., JSON, signed
    sms_secret_file: str = ""
    inbound_secret_file: str = ""  # signs what the SMS gateway brings in
    core_bank: str = "embedded"
    trusted_proxies: tuple[str, ...] = ()  # networks whose X-Forwarded-For is believed
    valkey: str = ""  # valkey://host:port/0, to share request throttles between nodes; never decides
    audit_anchor: str = ""  # file on another disk or machine that receives the sealed heads
    metrics_token_file: str = ""
    pool_size: int = 10
    is_demo: bool = False

    @property
    def host(self) -> str:
        """Host and port of the origin."""
        return urlsplit(self.origin).netloc

    @property
    def is_https(self) -> bool:
        """Whether browsers reach us over TLS."""
        return self.origin.startswith("https://")


def load(path: str | None = None, environ: Mapping[str, str] = os.environ, **overrides: Any) -> Settings:
    """Read the file, then the environment, then `overrides`. Raises BadSettings."""
    values: dict[str, Any] = {}
    if path:
        try:
            values = tomllib.loads(Path(path).read_text())
        except (OSError, tomllib.TOMLDecodeError) as wrong:
            raise BadSettings(f"{path} cannot be read as settings: {wrong}") from None
    for name in Settings.__struct_fields__:
        if (value := environ.get(f"FOREGATE_{name.upper()}")) is not None:
            values[name] = value.split(",") if name == "trusted_proxies" else value
    try:
        return msgspec.convert(values | overrides, Settings, strict=False)
    except msgspec.ValidationError as wrong:
        raise BadSettings(f"settings: {wrong}") from None


def weaknesses(settings: Settings) -> list[str]:
    """Return what would make the front door weak, each with what to set. Empty for settings fit to serve."""
    found = [f"{name} is not set: {why}" for name, why in _NEEDED.items() if not getattr(settings, name)]
    if settings.origin and not settings.is_https:
        found.append("origin must begin with https://: cookies of a bank do not travel in clear")
    if settings.is_demo:
        found.append("is_demo must be off: demo people have published passwords")
    found += _weak_links(settings)
    found += [f"trusted_proxies: {network!r} {why}" for network in settings.trusted_proxies if (why := _bad(network))]
    return found


_NEEDED = {
    "origin": "the address customers type, e.g. https://login.bank.example",
    "database": "e.g. postgresql://foregate@db.internal/foregate?sslmode=verify-full",
    "keys_file": "make one with `foregate keys FILE`, keep it outside the database",
    "bank_name": "the name that messages and pages carry",
    "hotline": "the number to call when nothing else works",
    "sms_gateway": "e.g. https://sms.internal/send; without it nobody receives a code",
    "sms_secret_file": "the secret that signs requests to the SMS gateway",
}


def _weak_links(settings: Settings) -> list[str]:
    found = []
    database = urlsplit(settings.database)
    is_remote = database.scheme.startswith("postgresql") and database.hostname not in (None, "", *_LOOPBACK)
    if is_remote and "sslmode=verify-full" not in database.query:
        found.append("database: a link to another machine needs ?sslmode=verify-full")
    gateway = urlsplit(settings.sms_gateway)
    if gateway.scheme == "http" and gateway.hostname not in _LOOPBACK:
        found.append("sms_gateway: codes must not travel in clear, use https://")
    for name in ("sms_secret_file", "inbound_secret_file", "metrics_token_file"):
        path = getattr(settings, name)
        if path and (why := _weak_secret(Path(path))):
            found.append(f"{name}: {why}")
    return found


def _weak_secret(path: Path) -> str | None:
    try:
        secret = path.read_bytes().strip()
    except OSError as wrong:
        return f"cannot be read: {wrong.strerror}"
    if len(secret) < 32 or len(set(secret)) < 10:
        return "too weak, use at least 32 random characters: `openssl rand -base64 32`"
    return None


def _bad(network: str) -> str | None:
    try:
        return "believes everybody" if ip_network(network).prefixlen == 0 else None
    except ValueError:
        return "is not a network such as 10.0.0.0/8"


_LOOPBACK = ("127.0.0.1", "localhost", "::1")
