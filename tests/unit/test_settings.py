"""Settings are read once, checked whole, and refused with what to set instead (DAT-07)."""

from __future__ import annotations

import itertools
import os
import secrets
from pathlib import Path
from typing import Any

import pytest

from foregate import bootstrap, leaflet, smpp_settings
from foregate.settings import BadSettings, Settings, load, refuse_bad_map, weaknesses
from foregate.store.keyring import WeakKeys, write_keys

GOOD_SECRET = "Ud8/o0sWq3mXyZ1kP6vTnR5bLcHfJgA2eSiM4wQz7Bc="


@pytest.fixture
def good(tmp_path: Path) -> dict[str, Any]:
    """Return settings fit to serve."""
    secret = tmp_path / "secret"
    secret.write_text(GOOD_SECRET)
    keys = tmp_path / "keys.toml"
    write_keys(keys)
    return {
        "origin": "https://login.bank.example",
        "database": "postgresql://foregate@db.internal/foregate?sslmode=verify-full",
        "keys_file": str(keys),
        "bank_name": "Test Bank",
        "hotline": "95000",
        "text_us_number": "1069095000",
        "sms_gateway": "https://sms.internal/send",
        "sms_secret_file": str(secret),
        "inbound_secret_file": str(secret),
        "metrics_token_file": str(secret),
        "trusted_proxies": ["10.0.0.0/8", "2001:db8::/32"],
        **GOOD_MAP,
    }


def settings_of(values: dict[str, Any], **changes: Any) -> Settings:
    return load(None, {}, **(values | changes))


# (the setting that is to be named, what it is set to, what the message says to do)
BAD: list[tuple[str, Any, str]] = [
    ("origin", "", "is not set"),
    ("origin", "http://login.bank.example", "https://"),
    ("origin", "login.bank.example", "https://"),
    ("origin", "https://login.bank.example/", "path"),
    ("origin", "https://Login.Bank.example", "small letters"),
    ("origin", "https://clerk@login.bank.example", "host"),
    ("origin", "https://login.bank.example/login", "path"),
    ("origin", "https://", "host"),
    ("origin", "https://*.bank.example", "host"),
    ("database", "", "is not set"),
    ("database", "postgresql://foregate@db.internal/foregate", "sslmode=verify-full"),
    ("database", "postgresql://foregate@db.internal/foregate?sslmode=require", "sslmode=verify-full"),
    ("database", "postgresql://foregate@10.1.2.3/foregate?sslmode=disable", "sslmode=verify-full"),
    ("database", "postgresql://foregate@db.internal/foregate?sslmode=verify-full&sslmode=disable", "sslmode"),
    ("database", "postgresql://foregate@db.internal/foregate?application_name=sslmode=verify-full", "sslmode"),
    ("database", "postgresql:///foregate?host=db.internal", "sslmode=verify-full"),
    ("database", "postgresql://foregate@127.0.0.1,db.internal/foregate", "sslmode=verify-full"),
    ("database", "postgres://foregate@db.internal/foregate", "postgresql://"),
    ("database", "mysql://foregate@db.internal/foregate", "postgresql://"),
    ("keys_file", "", "is not set"),
    ("bank_name", "", "is not set"),
    ("hotline", "", "is not set"),
    ("sms_gateway", "", "is not set"),
    ("sms_gateway", "http://sms.internal/send", "https://"),
    ("sms_gateway", "ftp://sms.internal/send", "https://"),
    ("sms_gateway", "sms.internal/send", "https://"),
    ("sms_gateway", "smtp://smsc.internal:2775", "smpps://"),
    ("sms_gateway", "https://[::1", "https://"),
    ("sms_secret_file", "", "is not set"),
    ("inbound_secret_file", "", "is not set"),
    ("text_us_number", "", "is not set"),
    ("core_bank", "mainframe", "embedded"),
    ("fineract", "http://core.internal/fineract-provider/api", "https://"),
    ("fineract", "core.internal/fineract-provider/api", "https://"),
    ("trusted_proxies", ["0.0.0.0/0"], "believes everybody"),
    ("trusted_proxies", ["::/0"], "believes everybody"),
    ("trusted_proxies", ["10.0.0.0/8", "the balancer"], "is not a network"),
    ("trusted_proxies", ["0.0.0.0/1", "128.0.0.0/1"], "believes"),
    ("valkey", "http://valkey.internal:6379", "valkey://"),
    ("pool_size", 0, "at least"),
    ("is_demo", True, "must be off"),
    ("map_attribution", " ", "licence"),
    ("map_datum", "GCJ-02", "wgs84 or gcj02"),
    ("map_datum", "bd09", "wgs84 or gcj02"),
    *(
        ("map_tiles_url", f"{start}/{{z}}/{{x}}/{{y}}.png", says)
        for start, says in (
            ("http://tiles.bank.example", "https://"),
            ("http://127.0.0.1:8080", "https://"),  # a customer's own machine has no tiles
            ("ftp://tiles.bank.example", "an address such as"),
            ("tiles.bank.example", "an address such as"),
            ("https://Tiles.bank.example", "small letters"),
            ("https://{s}.bank.example", "an address such as"),
            ("https://*.bank.example", "an address such as"),
            ("https://key@tiles.bank.example", "an address such as"),
            ("https://tiles.bank.example;script-src *", "an address such as"),
            ("https://tiles.bank.example/a b", "an address such as"),
            ("https://tiles.bank.example/{s}", "no other braces"),
            ("https://tiles.bank.example/{z}", "once each"),
            ("https://tiles.bank.example/{", "no other braces"),
        )
    ),
    ("map_tiles_url", "https://tiles.bank.example/{z}/{x}.png", "{z}, {x} and {y}"),
    ("map_tiles_url", "https://tiles.bank.example", "an address such as"),
]
# A map that is fit to be shown: what is wrong with one of these is then wrong alone.
GOOD_MAP = {"map_tiles_url": "https://tiles.bank.example/{z}/{x}/{y}.png", "map_attribution": "© Maps"}


@pytest.mark.parametrize(("name", "value", "says"), BAD, ids=[f"{name}={value}" for name, value, _ in BAD])
def test_dat_07_a_weak_setting_is_named_with_what_to_set(
    good: dict[str, Any], name: str, value: Any, says: str
) -> None:
    """One weak setting among good ones is found, alone, and the message begins with its name."""
    found = weaknesses(settings_of(good, **{name: value}))

    assert {name} == {line.split(" ")[0].rstrip(":") for line in found}
    assert says in found[0]


@pytest.mark.parametrize("name", ["sms_secret_file", "inbound_secret_file", "metrics_token_file"])
@pytest.mark.parametrize(
    ("secret", "says"),
    [
        (None, "cannot be read"),
        (b"", "too weak"),
        (b"hunter2", "too weak"),
        (b"a" * 64, "too weak"),
        (b"abcabcabcabcabcabcabcabcabcabcabcabc", "too weak"),
        (b" " * 31 + b"changeme" + b"\n" * 31, "too weak"),
    ],
)
def test_dat_07_a_weak_secret_is_named(
    good: dict[str, Any], tmp_path: Path, name: str, secret: bytes | None, says: str
) -> None:
    """Missing, short or repetitive secrets are refused by name; the secret itself is not said again."""
    file = tmp_path / "weak"
    if secret is not None:
        file.write_bytes(secret)
    (found,) = weaknesses(settings_of(good, **{name: str(file)}))

    assert found.startswith(f"{name}: ")
    assert says in found
    assert "changeme" not in found
    assert "hunter2" not in found


@pytest.mark.parametrize("length", [31, 32])
def test_a_secret_has_at_least_32_characters(good: dict[str, Any], tmp_path: Path, length: int) -> None:
    """At 32 it is taken, at 31 it is not; a line break at its end counts for nothing."""
    file = tmp_path / "secret"
    file.write_text(GOOD_SECRET[:length] + "\n")
    found = weaknesses(settings_of(good, metrics_token_file=str(file)))
    assert (length < 32) == bool(found)


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"database": "postgresql://foregate@127.0.0.1/foregate"},
        {"database": "postgresql://foregate@localhost:5433/foregate"},
        {"database": "postgresql:///foregate"},
        {"database": "postgresql:///foregate?host=/run/postgresql"},
        {"database": "sqlite:///bank.db"},
        {"sms_gateway": "http://127.0.0.1:8088/send"},
        {"trusted_proxies": []},
        {"metrics_token_file": "", "valkey": "valkey://127.0.0.1:6379/0"},
        {"origin": "https://login.bank.example:8443"},
        {"map_tiles_url": ""},
        {"map_tiles_url": "https://tiles.bank.example:8443/{z}/{x}/{y}@2x.png?key=1&style=a", "map_datum": "gcj02"},
    ],
    ids=str,
)
def test_good_settings_pass(good: dict[str, Any], changes: dict[str, Any]) -> None:
    """What is strong, or stays on this machine, has no weakness."""
    assert [] == weaknesses(settings_of(good, **changes))


def test_all_weaknesses_are_told_at_once() -> None:
    """Who begins with an empty file reads the whole list, not one fault a start."""
    found = weaknesses(Settings())
    needed = {"origin", "database", "keys_file", "bank_name", "hotline"}
    needed |= {"sms_gateway", "sms_secret_file", "text_us_number", "inbound_secret_file"}
    assert needed == {line.split(" ")[0] for line in found}


@pytest.mark.anyio
async def test_dat_07_a_weak_house_is_not_built(good: dict[str, Any]) -> None:
    """Outside the demo nothing is opened with weak settings, and the message names every one of them."""
    weak = settings_of(good, origin="http://login.bank.example", hotline="")
    with pytest.raises(BadSettings, match=r"(?s)hotline is not set.*origin must begin with https"):
        await bootstrap.build(weak)


@pytest.mark.anyio
async def test_dat_07_keys_open_to_others_are_not_used(good: dict[str, Any]) -> None:
    """A key file that other users may read is refused with what to do."""
    os.chmod(good["keys_file"], 0o640)
    with pytest.raises(WeakKeys, match="chmod 600"):
        await bootstrap.build(settings_of(good))


def test_a_map_needs_its_library(good: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the extra the setting is refused with what to install; without the setting nobody asks for the extra."""
    monkeypatch.setattr(leaflet, "PACKAGE", "a-package-that-is-not-installed")
    assert not leaflet.is_there()
    (found,) = weaknesses(settings_of(good))
    assert found.startswith("map_tiles_url: a map needs the extra `map`; install foregate[map]")
    assert [] == weaknesses(settings_of(good, map_tiles_url=""))


@pytest.mark.parametrize(
    ("host", "is_fit"), [("127.0.0.1:8080", True), ("localhost", True), ("[::1]:80", True), ("tiles.example", False)]
)
def test_only_the_demo_draws_from_this_machine_in_clear(host: str, is_fit: bool) -> None:
    """Over http:// a demo reads tiles of its own machine, and of no other."""
    settings = Settings(map_tiles_url=f"http://{host}/{{z}}/{{x}}/{{y}}", map_attribution="us", is_demo=True)
    if is_fit:
        refuse_bad_map(settings)
        assert f"http://{host}" == settings.map_origin
    else:
        with pytest.raises(BadSettings, match="map_tiles_url: use https://"):
            refuse_bad_map(settings)


# ---------------------------------------------------------------- reading


def test_the_environment_overrides_the_file(tmp_path: Path) -> None:
    """File, then environment, then what the program says."""
    file = tmp_path / "foregate.toml"
    file.write_text('bank_name = "File"\nhotline = "1"\npool_size = 3\ntrusted_proxies = ["10.0.0.0/8"]\n')
    environ = {
        "FOREGATE_HOTLINE": "2",
        "FOREGATE_POOL_SIZE": "20",
        "FOREGATE_IS_DEMO": "true",
        "FOREGATE_TRUSTED_PROXIES": "10.0.0.0/8, 192.168.0.0/16",
        "FOREGATE_FACE_MODELS_SOURCES": "/mnt/models, https://mirror.bank.example",
        "HOTLINE": "3",
        "FOREGATE_UNHEARD_OF": "ignored",
    }
    found = load(str(file), environ, is_demo=False)
    assert ("File", "2", 20, False) == (found.bank_name, found.hotline, found.pool_size, found.is_demo)
    assert ("10.0.0.0/8", "192.168.0.0/16") == found.trusted_proxies
    assert ("/mnt/models", "https://mirror.bank.example") == found.face_models_sources


def test_an_empty_list_in_the_environment_is_no_proxy() -> None:
    """Setting a variable to nothing unsets what it names."""
    assert () == load(None, {"FOREGATE_TRUSTED_PROXIES": ""}).trusted_proxies


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("origin = ", "cannot be read"),
        ('orgin = "https://login.bank.example"', "orgin"),
        ("pool_size = 'many'", "pool_size"),
        ("origin = 3", "origin"),
        ('trusted_proxies = "10.0.0.0/8"', "trusted_proxies"),
    ],
)
def test_a_mistake_in_the_file_is_named(tmp_path: Path, text: str, says: str) -> None:
    """A misspelt name or a value of another kind is refused, not passed over."""
    file = tmp_path / "foregate.toml"
    file.write_text(text)
    with pytest.raises(BadSettings, match=says):
        load(str(file), {})


@pytest.mark.parametrize("content", [None, b"\xff\xfe"])
def test_a_file_that_cannot_be_read(tmp_path: Path, content: bytes | None) -> None:
    """Missing, or no text at all: a sentence with its path."""
    file = tmp_path / "foregate.toml"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(BadSettings, match=r"foregate\.toml cannot be read"):
        load(str(file), {})


def test_a_random_secret_is_never_called_weak(good: dict[str, Any], tmp_path: Path) -> None:
    """What `openssl rand -base64 32` prints is always strong enough."""
    file = tmp_path / "secret"
    for _ in itertools.repeat(None, 200):
        file.write_text(secrets.token_urlsafe(32))
        assert [] == weaknesses(settings_of(good, metrics_token_file=str(file)))


def test_settings_are_frozen(good: dict[str, Any]) -> None:
    """What was checked stays as it was checked."""
    settings = settings_of(good)
    with pytest.raises(AttributeError):
        settings.origin = "http://elsewhere.example"  # type: ignore[misc]  # that is the point


# ---------------------------------------------------------------- an SMS centre by SMPP


@pytest.fixture
def good_smpp(good: dict[str, Any], tmp_path: Path) -> dict[str, Any]:
    """Return settings fit to serve, with an SMS centre in place of a gateway; nothing is signed then."""
    password = tmp_path / "smpp"
    password.write_text("pa55word\n")
    return good | {
        "sms_gateway": "smpps://smsc.operator.example:3550",
        "sms_secret_file": "",
        "inbound_secret_file": "",
        "smpp_system_id": "foregate",
        "smpp_password_file": str(password),
        "smpp_source": "1069095000",
    }


BAD_SMPP: list[tuple[str, Any, str]] = [
    ("sms_gateway", "smpp://smsc.operator.example:2775", "smpps://, or a tunnel"),
    ("sms_gateway", "smpp://10.0.0.7", "smpps://, or a tunnel"),
    ("sms_gateway", "smpps://", "host and port"),
    ("sms_gateway", "smpps://[::1", "host and port"),
    ("sms_gateway", "smpps://smsc.operator.example:0", "host and port"),
    ("sms_gateway", "smpps://smsc.operator.example:65536", "host and port"),
    ("sms_gateway", "smpps://foregate:pa55word@smsc.operator.example", "host and port"),
    ("sms_gateway", "smpps://smsc.operator.example/path", "host and port"),
    ("sms_gateway", "smpps://smsc.operator.example?system_id=x", "host and port"),
    ("smpp_system_id", "", "user name"),
    ("smpp_system_id", "x" * 16, "15"),
    ("smpp_system_id", "示例", "15"),
    ("smpp_system_type", "x" * 13, "12"),
    ("smpp_password_file", "", "is not set"),
    ("smpp_source", "", "sent from"),
    ("smpp_source", "1" * 21, "20"),
    ("smpp_source", "示例银行", "20"),
    ("smpp_source_ton", 7, "0 to 6"),
    ("smpp_source_ton", -1, "0 to 6"),
    ("smpp_source_npi", 2, "E.164"),
    ("smpp_alphabet", "utf8", "gsm, or ucs2"),
    ("smpp_ca_file", "no-such.pem", "cannot be read"),
    ("text_us_number", "", "is not set"),
]


@pytest.mark.parametrize(("name", "value", "says"), BAD_SMPP, ids=[f"{name}={value}" for name, value, _ in BAD_SMPP])
def test_what_is_wrong_with_an_sms_centre_is_named(good_smpp: dict[str, Any], name: str, value: Any, says: str) -> None:
    """One weak setting among good ones is found, alone; a password in the address is not said again."""
    (found,) = weaknesses(settings_of(good_smpp, **{name: value}))
    assert name == found.split(" ")[0].rstrip(":")
    assert says in found
    assert "pa55word" not in found


@pytest.mark.parametrize(
    ("password", "says"),
    [
        (None, "cannot be read"), (b"", "1 to 8"), (b"\n", "1 to 8"), (b"123456789", "1 to 8"), (b"pa ss", "1 to 8"),
        ("密码".encode(), "1 to 8"),
    ],
)  # fmt: skip
def test_an_smpp_password_is_one_that_smpp_can_send(
    good_smpp: dict[str, Any], tmp_path: Path, password: bytes | None, says: str
) -> None:
    """Eight characters at most, by the protocol; the password itself is not said again."""
    file = tmp_path / "other"
    if password is not None:
        file.write_bytes(password)
    (found,) = weaknesses(settings_of(good_smpp, smpp_password_file=str(file)))
    assert found.startswith("smpp_password_file: ")
    assert says in found
    assert "123456789" not in found


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"sms_gateway": "smpps://smsc.operator.example"},
        {"sms_gateway": "smpps://[2001:db8::7]:3550"},
        {"sms_gateway": "smpp://127.0.0.1:2775"},
        {"sms_gateway": "smpp://localhost"},
        {"smpp_source": "EXAMPLE BNK", "smpp_source_ton": 5},
        {"smpp_source_ton": 6, "smpp_source_npi": 18, "smpp_alphabet": "ucs2", "smpp_system_type": "x" * 12},
        {"smpp_system_id": "x" * 15, "smpp_source": "1" * 20},
    ],
)
def test_an_sms_centre_fit_to_serve(good_smpp: dict[str, Any], changes: dict[str, Any]) -> None:
    """By TLS anywhere, in clear on this machine alone."""
    assert [] == weaknesses(settings_of(good_smpp, **changes))


def test_a_name_has_eleven_characters(good_smpp: dict[str, Any]) -> None:
    """A source that is a name, and not a number, is shorter on the air."""
    (found,) = weaknesses(settings_of(good_smpp, smpp_source="EXAMPLE BANK", smpp_source_ton=5))
    assert "1 to 11" in found


@pytest.mark.parametrize(
    ("address", "place"),
    [
        ("smpps://smsc.operator.example", ("smsc.operator.example", 3550)),
        ("smpp://127.0.0.1", ("127.0.0.1", 2775)),
        ("smpp://[::1]:12775", ("::1", 12775)),
    ],
)
def test_where_the_sms_centre_is(address: str, place: tuple[str, int]) -> None:
    """Without a port it is IANA's."""
    assert place == smpp_settings.place_of(Settings(sms_gateway=address))
