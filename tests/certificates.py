"""Certificates for tests: made here, signed by themselves or by a house authority, valid as long as a test says."""

from __future__ import annotations

import base64
import datetime
import hashlib
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from cryptography.x509.oid import NameOID

HOST = "login.bank.test"
Key = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey


@dataclass(frozen=True)
class Pair:
    """A certificate file with its chain, the file of its key, and what Chromium calls the key."""

    certificate: Path
    key: Path
    spki: str


def new_key(rsa_bits: int = 0) -> Key:
    """A key: ECDSA P-256, or RSA of so many bits."""
    return rsa.generate_private_key(65537, rsa_bits) if rsa_bits else ec.generate_private_key(ec.SECP256R1())


def make(
    folder: Path, *hosts: str, begins_days: float = -1, ends_days: float = 90, rsa_bits: int = 0, name: str = "tls"
) -> Pair:
    """Make a leaf for `hosts` and an authority above it, as a bank would have them; both are sent, as in life."""
    authority, key = new_key(), new_key(rsa_bits)
    days = (begins_days, ends_days)
    above = _certificate("Foregate tests, intermediate", authority, authority, "Foregate tests, root", days, ())
    leaf = _certificate(hosts[0] if hosts else HOST, key, authority, "Foregate tests, intermediate", days, hosts)
    certificate, key_file = folder / f"{name}.pem", folder / f"{name}.key"
    certificate.write_bytes(leaf.public_bytes(Encoding.PEM) + above.public_bytes(Encoding.PEM))
    key_file.touch(0o600)
    key_file.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    spki = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return Pair(certificate, key_file, base64.b64encode(hashlib.sha256(spki).digest()).decode())


def _certificate(
    subject: str, key: Key, signer: Key, issuer: str, days: tuple[float, float], hosts: tuple[str, ...]
) -> x509.Certificate:
    now = datetime.datetime.now(datetime.UTC)
    begins, ends = (now + datetime.timedelta(days=count) for count in days)
    builder = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, subject)]))
        .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, issuer)]))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begins)
        .not_valid_after(ends)
        .add_extension(x509.BasicConstraints(ca=not hosts, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )
    if hosts:
        builder = builder.add_extension(x509.SubjectAlternativeName([_named(host) for host in hosts]), critical=False)
    return builder.sign(signer, hashes.SHA256())


def _named(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(host))
    except ValueError:
        return x509.DNSName(host)
