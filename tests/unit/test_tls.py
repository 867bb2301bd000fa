"""The certificate is looked at before the door opens, and every fault is said with what to do."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
)

from foregate.doors import tls
from foregate.rules import limits
from foregate.settings import BadSettings, Settings
from tests import certificates
from tests.certificates import HOST, Pair

HOUR = 1 / 24


def settings_of(pair: Pair, host: str = HOST, **more: str) -> Settings:
    values = {"tls_certificate": str(pair.certificate), "tls_key": str(pair.key)} | more
    return Settings(origin=f"https://{host}", **values)  # type: ignore[arg-type]  # both are texts


def faults_of(pair: Pair, host: str = HOST, **more: str) -> list[str]:
    return tls.faults(settings_of(pair, host, **more), time.time())


@pytest.mark.parametrize(
    ("names", "host"),
    [
        ((HOST,), HOST),
        (("other.test", HOST), HOST),
        (("*.bank.test",), HOST),
        ((HOST.upper(),), HOST),
        (("10.1.2.3",), "10.1.2.3"),
    ],
)
def test_a_good_certificate_has_no_fault(tmp_path: Path, names: tuple[str, ...], host: str) -> None:
    """For the host itself, among others, by a star, by an address."""
    assert [] == faults_of(certificates.make(tmp_path, *names), host)


@pytest.mark.parametrize(
    ("names", "host"),
    [
        (("other.test",), HOST),
        (("*.test",), HOST),
        (("bank.test",), HOST),
        (("*.login.bank.test",), HOST),
        (("*.1.2.3",), "10.1.2.3"),
        ((), HOST),
    ],
)
def test_a_certificate_for_another_host_is_refused(tmp_path: Path, names: tuple[str, ...], host: str) -> None:
    """A star stands for one label; the common name counts for nothing."""
    (fault,) = faults_of(certificates.make(tmp_path, *names), host)
    assert f"not for {host}" in fault


@pytest.mark.parametrize(
    ("begins", "ends", "said"), [(-2, -HOUR, "expired at"), (HOUR, 2, "not valid before"), (-HOUR, HOUR, None)]
)
def test_its_days(tmp_path: Path, begins: float, ends: float, said: str | None) -> None:
    """Neither before its first day nor after its last."""
    found = faults_of(certificates.make(tmp_path, HOST, begins_days=begins, ends_days=ends))
    assert [said] * (said is not None) == [said for fault in found if said and said in fault]
    assert len(found) == (said is not None)


@pytest.mark.parametrize(("bits", "count"), [(limits.RSA_BITS_MIN, 0), (limits.RSA_BITS_MIN - 1, 1)])
def test_a_short_key_is_refused(tmp_path: Path, bits: int, count: int) -> None:
    """RSA from so many bits on; one bit less is refused."""
    found = faults_of(certificates.make(tmp_path, HOST, rsa_bits=int(bits)))
    assert count == len([fault for fault in found if "too short" in fault])


def _gone(which: str) -> Callable[[Pair], None]:
    return lambda pair: getattr(pair, which).unlink()


def _nonsense(which: str) -> Callable[[Pair], None]:
    return lambda pair: getattr(pair, which).write_text("nothing of the kind")


def _encrypt(pair: Pair) -> None:
    key = load_pem_private_key(pair.key.read_bytes(), None)
    pair.key.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"secret")))


def _swap(pair: Pair) -> None:
    pair.key.write_bytes(certificates.make(pair.key.parent, HOST, name="other").key.read_bytes())


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (_gone("certificate"), "tls_certificate: there is no file"),
        (_gone("key"), "tls_key: there is no file"),
        (_nonsense("certificate"), "holds no certificate in PEM"),
        (_nonsense("key"), "holds no private key in PEM"),
        (lambda pair: pair.key.chmod(0o640), "chmod 600"),
        (lambda pair: pair.key.chmod(0o604), "open to other users"),
        (_encrypt, "passphrase"),
        (_swap, "not the key of this certificate"),
    ],
    ids=["no-certificate", "no-key", "no-pem", "no-key-pem", "group", "others", "passphrase", "another-key"],
)
def test_every_fault_is_said(tmp_path: Path, spoil: Callable[[Pair], None], said: str) -> None:
    """In words that name the setting and the way out; the start stops there."""
    pair = certificates.make(tmp_path, HOST)
    spoil(pair)
    (fault,) = faults_of(pair)
    assert said in fault
    with pytest.raises(BadSettings, match="does not serve TLS like this"):
        tls.open_tls(settings_of(pair))


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    """A folder in its place is said as such."""
    pair = certificates.make(tmp_path, HOST)
    assert any("cannot be read" in fault for fault in faults_of(pair, tls_certificate=os.fspath(tmp_path)))
    assert any("cannot be read" in fault for fault in faults_of(pair, tls_key=os.fspath(tmp_path)))


@pytest.mark.parametrize(("alone", "missing"), [("tls_certificate", "tls_key"), ("tls_key", "tls_certificate")])
def test_one_without_the_other(alone: str, missing: str) -> None:
    """Half of TLS is none."""
    (fault,) = tls.faults(Settings(**{alone: "somewhere.pem"}), 0)  # type: ignore[arg-type]  # a text
    assert fault.startswith(f"{missing} is not set")


def test_without_a_certificate_the_balancer_has_tls() -> None:
    """Nothing is asked for, and nothing looked at."""
    assert tls.open_tls(Settings()) is None


def test_a_renewed_certificate_is_taken_up(tmp_path: Path) -> None:
    """When both files have changed and fit; not before, and not again."""
    certificate = tls.open_tls(settings_of(certificates.make(tmp_path, HOST)))
    assert certificate is not None
    assert not certificate.renew()
    certificates.make(tmp_path, HOST)
    assert certificate.renew()
    assert not certificate.renew()


def test_a_bad_renewal_keeps_the_old_one_and_is_tried_again(tmp_path: Path) -> None:
    """The door stays open with what it has, until what is there fits."""
    certificate = tls.open_tls(settings_of(certificates.make(tmp_path, HOST)))
    assert certificate is not None
    certificates.make(tmp_path, "other.test")
    assert not certificate.renew()
    certificates.make(tmp_path, HOST).key.unlink()
    assert not certificate.renew()
    certificates.make(tmp_path, HOST)
    assert certificate.renew()
