"""Settings: one TOML file, overridden by the environment, checked once, then frozen.

Every setting `name` may stand in the file, or in the environment as `FOREGATE_NAME`. Secrets are never values here:
they are paths to files. Outside the demo, anything that would make the front door weak is refused with what to set.
"""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Mapping
from ipaddress import ip_network
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import msgspec

from foregate import leaflet, sim_swap_settings, smpp_settings
from foregate.addresses import LOOPBACK, is_safe
from foregate.rules import clients, limits


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
    sms_gateway: str = ""  # https://..., JSON, signed; or smpps://HOST:PORT, the SMS centre itself
    sms_secret_file: str = ""
    inbound_secret_file: str = ""  # signs what the SMS gateway brings in
    smpp_system_id: str = ""  # who we are there, by SMPP alone, as the rest that begins with smpp
    smpp_password_file: str = ""
    smpp_system_type: str = ""
    smpp_source: str = ""  # what messages are sent from
    smpp_source_ton: int = 0
    smpp_source_npi: int = 0
    smpp_alphabet: str = "gsm"  # the centre's default alphabet: gsm, or ucs2 to send nothing in it
    smpp_ca_file: str = ""  # PEM, the authority of the centre's certificate; empty: those of the system
    core_bank: str = "embedded"
    fineract: str = ""  # https://.../fineract-provider/api: accounts are read there; empty: the embedded ledger
    fineract_tenant: str = "default"
    fineract_secret_file: str = ""  # user:password of a member of staff who may read savings accounts
    trusted_proxies: tuple[str, ...] = ()  # networks whose X-Forwarded-For is believed
    tls_certificate: str = ""  # PEM, ours first, then the chain; empty: the balancer ends TLS
    tls_key: str = ""  # PEM, its private key, readable by us alone
    valkey: str = ""  # valkey://host:port/0, to share request throttles between nodes; never decides
    audit_anchor: str = ""  # file on another disk or machine that receives the sealed heads
    metrics_token_file: str = ""
    face_models: str = ""  # folder of the models that face runs on; empty: the user's cache
    face_models_sources: tuple[str, ...] = ()  # folders and https:// addresses, asked before all others
    map_tiles_url: str = ""  # https://HOST/.../{z}/{x}/{y}.png; empty: no map, outlets are sketched
    map_attribution: str = ""  # whose map it is, as its licence asks; plain text
    map_datum: str = "wgs84"  # in which the tiles are drawn: wgs84 or gcj02
    passkey_rp_id: str = ""  # the domain that passkeys are for, the host or one above it; empty: the host
    passkey_origins: tuple[str, ...] = ()  # the bank's other origins and apps whose passkeys are ours too
    minimum_versions: tuple[str, ...] = ()  # app=3.2, wechat=8.0.30, chrome=80: older ones are told to update
    app_update_url: str = ""  # https://..., where the bank's own app is updated
    wechat_app_id: str = ""  # of the website app, for the QR code; empty: not offered
    wechat_secret_file: str = ""
    wechat_inside_app_id: str = ""  # of the official account, for pages inside WeChat
    wechat_inside_secret_file: str = ""
    wechat_mobile_app_id: str = ""  # of the bank's app
    wechat_mobile_secret_file: str = ""
    wechat_pages_url: str = "https://open.weixin.qq.com"
    wechat_api_url: str = "https://api.weixin.qq.com"
    alipay_app_id: str = ""  # empty: not offered
    alipay_key_file: str = ""  # ours, RSA, PEM or bare base64
    alipay_public_key_file: str = ""  # Alipay's
    alipay_authorize_url: str = "https://openauth.alipay.com/oauth2/publicAppAuthorize.htm"
    alipay_gateway_url: str = "https://openapi.alipay.com/gateway.do"
    social_picture_hosts: tuple[str, ...] = ("qlogo.cn", "alipayobjects.com")  # and everything below them
    social_allows_loopback: bool = False  # the providers' doubles are on this machine: for the demo alone
    sim_swap_api: str = ""  # https://HOST/sim-swap/v2, CAMARA's; empty: nobody is asked whether a number changed hands
    sim_swap_token_url: str = ""  # https://..., OAuth 2.0, where we get our token for it
    sim_swap_client_id: str = ""
    sim_swap_key_file: str = ""  # PEM, RSA or P-256: private_key_jwt, as CAMARA asks; or:
    sim_swap_secret_file: str = ""  # a secret, where an operator still takes one
    sim_swap_key_id: str = ""  # the key's `kid` at the operator, where it has several of ours
    sim_swap_scope: str = ""  # empty: dpv:FraudPreventionAndDetection sim-swap:retrieve-date
    sim_swap_unknown: str = "trust"  # what a code is worth when nobody knows about its number: trust or refuse
    texts_folder: str = ""  # the bank's own language files, read after ours; empty: Chinese and English as they come
    messages_per_day: int = int(limits.MESSAGES_PER_DAY)  # what the SMS bill may be: alarms on the way to it
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

    @property
    def map_origin(self) -> str:
        """Scheme, host and port of the tile server."""
        parts = urlsplit(self.map_tiles_url)
        return f"{parts.scheme}://{parts.netloc}"


def load(path: str | None = None, environ: Mapping[str, str] = os.environ, **overrides: Any) -> Settings:
    """Read the file, then the environment, then `overrides`. Raises BadSettings."""
    values: dict[str, Any] = {}
    if path:
        try:
            values = tomllib.loads(Path(path).read_text("utf-8"))
        except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as wrong:
            raise BadSettings(f"{path} cannot be read as settings: {wrong}") from None
    for name in Settings.__struct_fields__:
        if (value := environ.get(f"FOREGATE_{name.upper()}")) is not None:
            values[name] = _listed(value) if name in _LISTS else value
    try:
        return msgspec.convert(values | overrides, Settings, strict=False)
    except msgspec.ValidationError as wrong:
        raise BadSettings(f"settings: {wrong}") from None


_LISTS = ("trusted_proxies", "face_models_sources", "passkey_origins", "minimum_versions", "social_picture_hosts")


def _listed(value: str) -> list[str]:
    return [part.strip() for part in value.split(",") if part.strip()]


def secret_of(path: str) -> bytes:
    """Return the secret in a file, without the line break at its end; empty where the settings name none."""
    return Path(path).read_bytes().strip() if path else b""


def weaknesses(settings: Settings) -> list[str]:
    """Return what would make the front door weak, each with what to set. Empty for settings fit to serve."""
    found = [f"{name} is not set: {why}" for name, why in _needed(settings).items() if not getattr(settings, name)]
    if settings.origin and (why := _bad_origin(settings.origin)):
        found.append(f"origin must {why}")
    if settings.is_demo:
        found.append("is_demo must be off: demo people have published passwords")
    if settings.core_bank != "embedded":
        found.append("core_bank must be embedded: no other is built yet")
    if settings.pool_size < 1:
        found.append("pool_size must be at least 1: without a connection nobody is let in")
    if settings.messages_per_day < 1:
        found.append("messages_per_day must be at least 1: codes go out by messages")
    found += _weak_links(settings)
    found += smpp_settings.faults(settings)
    found += sim_swap_settings.faults(settings)
    found += _weak_secrets(settings)
    found += _bad_map(settings)
    found += _bad_passkeys(settings)
    found += _bad_minimums(settings)
    found += _bad_social(settings)
    found += [f"trusted_proxies: {network!r} {why}" for network in settings.trusted_proxies if (why := _bad(network))]
    return found


def refuse_weak(settings: Settings) -> None:
    """Raises BadSettings, which says what to set, when the front door would be weak."""
    _refuse(weaknesses(settings))


def refuse_bad_map(settings: Settings) -> None:
    """Raises BadSettings for a map or a minimum that cannot work. Otherwise the demo may be weak."""
    _refuse([*_bad_map(settings), *_bad_minimums(settings)])


def _refuse(weak: list[str]) -> None:
    if weak:
        raise BadSettings("Foregate does not start like this:\n" + "\n".join(f"  - {line}" for line in weak))


_NEEDED = {
    "origin": "the address customers type, e.g. https://login.bank.example",
    "database": "e.g. postgresql://foregate@db.internal/foregate?sslmode=verify-full",
    "keys_file": "make one with `foregate keys FILE`, keep it outside the database",
    "bank_name": "the name that messages and pages carry",
    "hotline": "the number to call when nothing else works",
    "sms_gateway": "e.g. https://sms.internal/send, or smpps://HOST:PORT; without it nobody receives a code",
    "text_us_number": "where customers text us; without it strangers could use up a number's codes",
    "inbound_secret_file": "the secret that the SMS gateway signs received texts with",
    "sms_secret_file": "the secret that signs requests to the SMS gateway",
}


def _needed(settings: Settings) -> dict[str, str]:
    """By SMPP texts come in by the link that messages go out by: its password vouches for both directions."""
    signed = ("sms_secret_file", "inbound_secret_file") if smpp_settings.is_smpp(settings) else ()
    return {name: why for name, why in _NEEDED.items() if name not in signed}


def _bad_origin(origin: str) -> str | None:
    parts = urlsplit(origin)
    if parts.scheme != "https":
        return "begin with https://: cookies of a bank do not travel in clear"
    if not re.fullmatch(_HOST, parts.netloc):
        return "name one host, in small letters, as browsers send it"
    if origin != f"https://{parts.netloc}":
        return "end with the host: no path, no slash behind it"
    return None


def _weak_links(settings: Settings) -> list[str]:
    found = []
    if settings.database and (why := _bad_database(settings.database)):
        found.append(f"database: {why}")
    if settings.sms_gateway and not smpp_settings.is_smpp(settings) and not is_safe(settings.sms_gateway):
        found.append("sms_gateway: codes must not travel in clear, use https://, or smpps:// to an SMS centre")
    if settings.fineract and not is_safe(settings.fineract):
        found.append("fineract: accounts must not travel in clear, use https://")
    elif settings.fineract and not settings.fineract_secret_file:
        found.append("fineract_secret_file is not set: without user:password in it Fineract tells nobody anything")
    if settings.valkey and urlsplit(settings.valkey).scheme not in _VALKEY:
        found.append("valkey: use valkey://host:port/0, or valkeys:// for TLS")
    return found


def _bad_database(address: str) -> str | None:
    if address.startswith("sqlite:///"):
        return None
    parts = urlsplit(address)
    if parts.scheme != "postgresql":
        return "use postgresql://user@host/name, or sqlite:///PATH"
    options = parse_qs(parts.query)
    hosts = {parts.hostname or "", *options.get("host", [])} - {"", *LOOPBACK}
    if any(not host.startswith("/") for host in hosts) and options.get("sslmode") != ["verify-full"]:
        return "a link to another machine needs ?sslmode=verify-full"
    return None


def _bad_map(settings: Settings) -> list[str]:
    """Return what is wrong with the map. Without a tile server there is none, and nothing to ask."""
    if not settings.map_tiles_url:
        return []
    found = []
    if why := _bad_tiles(settings):
        found.append(f"map_tiles_url: {why}")
    if not leaflet.is_there():
        found.append("map_tiles_url: a map needs the extra `map`; install foregate[map], or leave this empty")
    if not settings.map_attribution.strip():
        found.append("map_attribution is not set: whose map it is, as its licence asks, e.g. © OpenStreetMap")
    if settings.map_datum not in _DATUMS:
        found.append("map_datum must be wgs84 or gcj02, whichever the tiles are drawn in: the other is half a km off")
    return found


def _bad_passkeys(settings: Settings) -> list[str]:
    """Return what is wrong with the domain that passkeys are for, and with the origins that may use them."""
    found, host = [], urlsplit(settings.origin).hostname or ""
    rp_id = settings.passkey_rp_id
    if rp_id and rp_id != host and not (host.endswith(f".{rp_id}") and "." in rp_id):
        found.append(f"passkey_rp_id must be {host} or a domain above it: browsers make passkeys for no other")
    for origin in settings.passkey_origins:
        if not _APP.fullmatch(origin) and (why := _bad_origin(origin)):
            found.append(f"passkey_origins: {origin!r} must {why}, or be an app's android:apk-key-hash:...")
    return found


def _bad_minimums(settings: Settings) -> list[str]:
    """Return what is wrong with the oldest versions that may sign in, and with where the app is updated."""
    found = []
    try:
        clients.minimums_of(settings.minimum_versions)
    except clients.BadMinimum as bad:
        found.append(f"minimum_versions: {bad}")
    if settings.app_update_url and urlsplit(settings.app_update_url).scheme != "https":
        found.append("app_update_url: use https://")
    return found


def _bad_tiles(settings: Settings) -> str | None:
    address = _TILES.fullmatch(settings.map_tiles_url)
    if address is None:
        return "use an address such as https://tiles.bank.example/{z}/{x}/{y}.png, its host in small letters"
    is_here = settings.is_demo and urlsplit(settings.map_tiles_url).hostname in LOOPBACK
    if address["scheme"] != "https" and not is_here:
        return "use https://: which places somebody looks at must not travel in clear"
    if sorted(re.findall(r"\{[^{}]*\}|[{}]", address["path"])) != ["{x}", "{y}", "{z}"]:
        return "write {z}, {x} and {y} behind the host, once each, and no other braces"
    return None


def _bad_social(settings: Settings) -> list[str]:
    """Return what is wrong with WeChat and Alipay. Without an app id neither is offered, and nothing is asked."""
    found = []
    for app, file in _WITH_SECRET:
        path = getattr(settings, file)
        if getattr(settings, app) and not path:
            found.append(f"{file} is not set: without it nobody proves to be {app}")
        elif getattr(settings, app) and (why := _unreadable(Path(path))):
            found.append(f"{file}: {why}")
    if (settings.wechat_inside_app_id or settings.wechat_mobile_app_id) and not settings.wechat_app_id:
        found.append("wechat_app_id is not set: whoever is not inside WeChat needs the QR code")
    for name in ("wechat_pages_url", "wechat_api_url", "alipay_authorize_url", "alipay_gateway_url"):
        if urlsplit(getattr(settings, name)).scheme != "https":
            found.append(f"{name}: use https://, codes and secrets must not travel in clear")
    if settings.social_allows_loopback:
        found.append("social_allows_loopback must be off: pictures would be fetched from this machine")
    return found


def _unreadable(path: Path) -> str | None:
    try:
        return None if path.read_bytes().strip() else "is empty"
    except OSError as wrong:
        return f"cannot be read: {wrong.strerror}"


def _weak_secrets(settings: Settings) -> list[str]:
    found = []
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
        return "believes everybody" if ip_network(network).prefixlen < _NARROWEST_BITS else None
    except ValueError:
        return "is not a network such as 10.0.0.0/8"


_HOST = r"(?:[a-z0-9.-]+|\[[0-9a-f:]+\])(?::[0-9]{1,5})?"
_TILES = re.compile(rf"(?P<scheme>https?)://{_HOST}(?P<path>/[\x21-\x7e]*)")
_APP = re.compile(r"android:apk-key-hash:[A-Za-z0-9_-]{43}")
_DATUMS = ("wgs84", "gcj02")
_NARROWEST_BITS = 8  # 10.0.0.0/8 is the widest network that one owner has
_WITH_SECRET = (
    ("wechat_app_id", "wechat_secret_file"),
    ("wechat_inside_app_id", "wechat_inside_secret_file"),
    ("wechat_mobile_app_id", "wechat_mobile_secret_file"),
    ("alipay_app_id", "alipay_key_file"),
    ("alipay_app_id", "alipay_public_key_file"),
)
_VALKEY = ("valkey", "valkeys", "redis", "rediss")
