"""The keys: sealed values, rotation, and files that are refused."""

import base64
import re
import secrets
import tomllib
from pathlib import Path
from typing import Any

import pytest

from foregate.store.keyring import Keys, WeakKeys, generate_keys, load_keys, parse_keys, write_keys

PLACE = "customer.phone:0190"


def key() -> str:
    return base64.b64encode(secrets.token_bytes(32)).decode()


def content(**changes: Any) -> dict[str, Any]:
    return {**tomllib.loads(generate_keys("k1")), **changes}


@pytest.fixture
def keys() -> Keys:
    return parse_keys(content())


def test_what_is_sealed_opens(keys: Keys) -> None:
    """In its own place, to what it was; and twice the same is not the same."""
    sealed = keys.encrypt("手机号".encode(), PLACE)
    assert "手机号".encode() == keys.decrypt(sealed, PLACE)
    assert sealed != keys.encrypt("手机号".encode(), PLACE)
    assert b"" == keys.decrypt(keys.encrypt(b"", PLACE), PLACE)


def test_every_altered_byte_is_noticed(keys: Keys) -> None:
    """Whichever byte is flipped, nothing comes out."""
    sealed = keys.encrypt(b"138", PLACE)
    for place in range(len(sealed)):
        altered = bytes(b ^ (i == place) for i, b in enumerate(sealed))
        with pytest.raises(ValueError, match=r"altered|not in the key file|not a sealed value"):
            keys.decrypt(altered, PLACE)


def test_every_shortened_text_is_noticed(keys: Keys) -> None:
    """However much is cut off, nothing comes out."""
    sealed = keys.encrypt(b"138", PLACE)
    for length in range(len(sealed)):
        with pytest.raises(ValueError, match=r"altered|not in the key file|not a sealed value"):
            keys.decrypt(sealed[:length], PLACE)


@pytest.mark.parametrize("place", ["customer.phone:0191", "customer.name:0190", "device.phone:0190", ""])
def test_another_place_does_not_open(keys: Keys, place: str) -> None:
    """A value is bound to its table, column and row; the error names no row."""
    with pytest.raises(ValueError, match="moved from another row") as refusal:
        keys.decrypt(keys.encrypt(b"138", PLACE), place)
    assert "0191" not in str(refusal.value)


def test_rotation() -> None:
    """Old values open after a new key came, new ones name the new key, and without the old key the old stay shut."""
    first = content()
    both = {**first, "current": "k2", "keys": {**first["keys"], "k2": key()}}
    only_new = {**both, "keys": {"k2": both["keys"]["k2"]}}
    old = parse_keys(first).encrypt(b"138", PLACE)

    rotated = parse_keys(both)
    new = rotated.encrypt(b"138", PLACE)

    assert (b"138", b"138") == (rotated.decrypt(old, PLACE), rotated.decrypt(new, PLACE))
    assert (b"\x02k1", b"\x02k2") == (old[:3], new[:3])
    assert b"138" == parse_keys(only_new).decrypt(new, PLACE)
    with pytest.raises(ValueError, match="'k1'"):
        parse_keys(only_new).decrypt(old, PLACE)
    # Look-ups and codes do not depend on the sealing key.
    assert parse_keys(first).digest("phone", "138") == rotated.digest("phone", "138")
    assert parse_keys(first).derive("code", b"n") == rotated.derive("code", b"n")


def test_purposes_have_nothing_in_common(keys: Keys) -> None:
    """One value under different purposes, functions or keys gives different digests, always the same ones."""
    digests = [
        keys.digest("phone", "x"), keys.digest("card", "x"), keys.derive("phone", b"x"), keys.audit_mac("phone", b"x"),
        keys.audit_mac("event", b"x"), parse_keys(content()).digest("phone", "x"),
    ]  # fmt: skip
    assert len(digests) == len(set(digests))
    assert [32] * len(digests) == [len(digest) for digest in digests]
    assert digests[0] == keys.digest("phone", "x")


def test_keys_do_not_show(keys: Keys) -> None:
    """Their representation names keys, and holds none."""
    assert "Keys(current='k1', known=['k1'])" == repr(keys)


def test_a_new_file_loads_and_is_its_owner_s(tmp_path: Path) -> None:
    """Made for one reader, never over another file."""
    path = tmp_path / "keys.toml"
    write_keys(path)
    assert 0o600 == path.stat().st_mode & 0o777
    load_keys(path)
    with pytest.raises(FileExistsError):
        write_keys(path)


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644, 0o660, 0o620, 0o601])
def test_a_file_open_to_others(tmp_path: Path, mode: int) -> None:
    """Is refused, with the command that helps."""
    path = tmp_path / "keys.toml"
    write_keys(path)
    path.chmod(mode)
    with pytest.raises(WeakKeys, match="chmod 600"):
        load_keys(path)


def test_no_file(tmp_path: Path) -> None:
    """Says how to make one."""
    with pytest.raises(WeakKeys, match="foregate keys"):
        load_keys(tmp_path / "none")


def test_a_file_that_is_none(tmp_path: Path) -> None:
    """Says that it is not TOML."""
    path = tmp_path / "keys.toml"
    path.touch(0o600)
    path.write_text("current = ")
    with pytest.raises(WeakKeys, match="not valid TOML"):
        load_keys(path)


def encoded(value: bytes) -> str:
    return base64.b64encode(value).decode()


WEAK = {
    "short": encoded(secrets.token_bytes(31)),
    "long": encoded(secrets.token_bytes(33)),
    "empty": "",
    "no base64": "?" * 44,
    "no text": 7,
    "zeros": encoded(bytes(32)),
    "one byte": encoded(b"\xa7" * 32),
    "a pattern": encoded(b"\x01\xfe" * 16),
    "a password": encoded(b"change-me-please-change-me-soon!"),
}


@pytest.mark.parametrize("weak", WEAK)
@pytest.mark.parametrize(("section", "entry"), [("keys", "k1"), ("index", "digest"), ("audit", "seal")])
def test_weak_keys_are_refused(section: str, entry: str, weak: str) -> None:
    """Wherever a weak key stands, it is named, its value is not."""
    value = WEAK[weak]
    with pytest.raises(WeakKeys, match=re.escape(f"{section}.{entry}")) as refusal:
        parse_keys(content(**{section: {entry: value}}))
    assert not value or str(value) not in str(refusal.value)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"keys": {}}, "no \\[keys\\]"),
        ({"keys": 1}, "no \\[keys\\]"),
        ({"current": "k2"}, "`current`"),
        ({"current": 1}, "`current`"),
        ({"index": {}}, "index.digest"),
        ({"audit": 1}, "audit.seal"),
        ({"current": "K!", "keys": {"K!": key()}}, "key name"),
    ],
)
def test_incomplete_files_are_refused(changes: dict[str, Any], says: str) -> None:
    """What is missing is named."""
    with pytest.raises(WeakKeys, match=says):
        parse_keys(content(**changes))


def test_one_key_for_two_things() -> None:
    """Is refused."""
    one = key()
    with pytest.raises(WeakKeys, match="same key"):
        parse_keys(content(index={"digest": one}, audit={"seal": one}))
