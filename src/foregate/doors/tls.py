"""TLS in `foregate serve`, where a certificate is given: what is wrong with it, the context, and its renewal.

Rules
  1. A certificate that browsers would not take, or a key that others may read, stops the start, in plain words.
  2. Afterwards nothing stops the door: a renewed certificate that is wrong is logged, and the old one stays.
  3. 1.3 is what is spoken; 1.2 stays for phones that know nothing newer, with forward secrecy and AEAD alone.

Theory of operation
  Every handshake asks `Renewing` for the context of the day, so a new certificate holds from the next connection on
  and nobody is cut off. Tickets belong to the first context, which stays the listener's: they outlive a renewal. One
  ticket is sent and not two: a browser that keeps one connection uses one, and the other is 250 bytes of a slow link.
"""

from __future__ import annotations

import asyncio
import ipaddress
import os
import ssl
import stat
import time
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import structlog
from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key

from foregate.rules import limits
from foregate.settings import BadSettings, Settings

log = structlog.get_logger("foregate.tls")

# For 1.2. Those of 1.3 are all safe, and OpenSSL's own order of them is kept.
CIPHERS: Final = "ECDHE+AESGCM:ECDHE+CHACHA20"
ALPN: Final = ["h2", "http/1.1"]
DAY: Final = 86_400


def faults(settings: Settings, now: float) -> list[str]:
    """Return what is wrong with certificate and key, each with what to do. Empty: fit to serve."""
    if not settings.tls_certificate or not settings.tls_key:
        missing = "tls_key" if settings.tls_certificate else "tls_certificate"
        return [f"{missing} is not set: TLS needs the certificate and its key, or neither of them"]
    certificate, key = _certificate(Path(settings.tls_certificate)), _key(Path(settings.tls_key))
    found = [fault for fault in (certificate, key) if isinstance(fault, str)]
    if isinstance(certificate, x509.Certificate):
        found += _unfit(certificate, urlsplit(settings.origin).hostname or "", now)
        if not isinstance(key, str) and _spki(certificate.public_key()) != _spki(key.public_key()):
            found.append("tls_key: is not the key of this certificate; the first one in tls_certificate has to be ours")
    return found


def refuse_unfit(settings: Settings) -> None:
    """Raises BadSettings when TLS is asked for and browsers would not take it."""
    if _is_asked_for(settings) and (found := faults(settings, time.time())):
        raise BadSettings("Foregate does not serve TLS like this:\n" + "\n".join(f"  - {line}" for line in found))


def _is_asked_for(settings: Settings) -> bool:
    return bool(settings.tls_certificate or settings.tls_key)


def _certificate(path: Path) -> x509.Certificate | str:
    """Return the first certificate of a file, or what is wrong."""
    try:
        return x509.load_pem_x509_certificates(path.read_bytes())[0]
    except FileNotFoundError:
        return f"tls_certificate: there is no file {path}"
    except OSError as wrong:
        return f"tls_certificate: {path} cannot be read: {wrong.strerror}"
    except ValueError:
        return f"tls_certificate: {path} holds no certificate in PEM; ours comes first, then those that vouch for it"


def _key(path: Path) -> PrivateKeyTypes | str:
    """Return the private key of a file, or what is wrong."""
    try:
        with path.open("rb") as file:
            mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
            if mode & (stat.S_IRWXG | stat.S_IRWXO):
                return f"tls_key: {path} is open to other users (mode {mode:o}); run: chmod 600 {path}"
            return load_pem_private_key(file.read(), None)
    except FileNotFoundError:
        return f"tls_key: there is no file {path}"
    except OSError as wrong:
        return f"tls_key: {path} cannot be read: {wrong.strerror}"
    except TypeError:
        return f"tls_key: {path} wants a passphrase, and nobody is there to type it; keep it without, mode 600"
    except (ValueError, UnsupportedAlgorithm):
        return f"tls_key: {path} holds no private key in PEM"


def _unfit(certificate: x509.Certificate, host: str, now: float) -> list[str]:
    """Return why browsers would not take a certificate for `host`."""
    found = []
    begins, ends = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    if now < begins.timestamp():
        found.append(f"tls_certificate: is not valid before {begins:%Y-%m-%d %H:%M} UTC; look at this machine's clock")
    if now >= ends.timestamp():
        found.append(f"tls_certificate: expired at {ends:%Y-%m-%d %H:%M} UTC; renew it")
    names = _names(certificate)
    if not any(_covers(name, host) for name in names):
        found.append(f"tls_certificate: is for {', '.join(names) or 'no host'} and not for {host}, the host of origin")
    public = certificate.public_key()
    if isinstance(public, RSAPublicKey) and public.key_size < limits.RSA_BITS_MIN:
        found.append(f"tls_certificate: an RSA key of {public.key_size} bits is too short; better take ECDSA P-256")
    return found


def _names(certificate: x509.Certificate) -> list[str]:
    """Return the hosts that a certificate is for. Its common name is not read: browsers do not read it either."""
    try:
        said = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return []
    hosts = [name.lower() for name in said.get_values_for_type(x509.DNSName)]
    return hosts + [str(address) for address in said.get_values_for_type(x509.IPAddress)]


def _covers(name: str, host: str) -> bool:
    """Say whether a name of a certificate is this host's: one star, for the first label alone (RFC 9525, 6.3)."""
    first, _, above = host.partition(".")
    return name == host or bool(first and above and not _is_address(host) and name == f"*.{above}")


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _spki(public: object) -> bytes:
    return public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)  # type: ignore[attr-defined, no-any-return]  # every kind of key has it, their union does not say so


def context_of(settings: Settings) -> ssl.SSLContext:
    """Return a context with the certificate as it is on the disk now. Raises SSLError or OSError."""
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.minimum_version = ssl.TLSVersion.TLSv1_2
    made.set_ciphers(CIPHERS)
    # The phone chooses: one without AES in its processor is three times faster with ChaCha20.
    made.options &= ~ssl.OP_CIPHER_SERVER_PREFERENCE
    made.options |= ssl.OP_NO_COMPRESSION | ssl.OP_NO_RENEGOTIATION
    made.num_tickets = 1
    made.set_alpn_protocols(ALPN)
    made.load_cert_chain(settings.tls_certificate, settings.tls_key)
    return made


class Renewing:
    """The certificate of the day: taken up at the start, and again whenever its files change."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._seen = self._signature()
        self._today = self.listening = context_of(settings)
        self.listening.sni_callback = self._choose
        self._asked = asyncio.Event()
        self._say("certificate")

    def look(self) -> None:
        """Look at the files now, and not only when it is time again. Fits a signal handler."""
        self._asked.set()

    async def run(self) -> None:
        """Look every now and then, until cancelled."""
        while True:
            try:
                async with asyncio.timeout(limits.CERTIFICATE_LOOK_SECONDS):
                    await self._asked.wait()
            except TimeoutError:
                pass
            self._asked.clear()
            await asyncio.to_thread(self.renew)

    def renew(self) -> bool:
        """Take up a certificate that has changed, and say whether one was. A wrong one is told, and not taken."""
        signature = self._signature()
        if signature == self._seen:
            return False
        found = faults(self._settings, time.time())
        try:
            if not found:
                self._today = context_of(self._settings)
                self._seen = signature
                self._say("certificate renewed")
                return True
        except (OSError, ssl.SSLError) as wrong:  # it changed between the two looks: the next one decides
            found = [str(wrong)]
        log.warning("certificate not renewed", why=found)
        return False

    def _choose(self, connection: ssl.SSLObject, name: str | None, listening: ssl.SSLContext) -> None:
        """Hand a connection the certificate of the day. Called within every handshake."""
        connection.context = self._today

    def _signature(self) -> tuple[tuple[int, int, int], ...] | None:
        try:
            looked = [os.stat(path) for path in (self._settings.tls_certificate, self._settings.tls_key)]
        except OSError:
            return None
        return tuple((one.st_mtime_ns, one.st_ino, one.st_size) for one in looked)

    def _say(self, event: str) -> None:
        certificate = _certificate(Path(self._settings.tls_certificate))
        if isinstance(certificate, x509.Certificate):
            ends = certificate.not_valid_after_utc
            log.info(event, ends=f"{ends:%Y-%m-%d}", days_left=int((ends.timestamp() - time.time()) // DAY))


def open_tls(settings: Settings) -> Renewing | None:
    """Return the certificate to serve with; None where the balancer has it. Raises BadSettings."""
    if not _is_asked_for(settings):
        return None
    refuse_unfit(settings)
    return Renewing(settings)
