"""What the settings say of an SMS centre that is reached by SMPP, and what is wrong with it.

The sizes are those of SMPP 3.4, 5.2: a longer system id or password cannot be sent, whatever the operator wrote.
"""

from __future__ import annotations

import re
import ssl
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from foregate.addresses import LOOPBACK

if TYPE_CHECKING:
    from foregate.settings import Settings

_PORTS: Final = {"smpp": 2775, "smpps": 3550}  # IANA
_PASSWORD: Final = re.compile(rb"[!-~]{1,8}")
_TONS: Final = range(7)  # 5.2.5
_NPIS: Final = (0, 1, 3, 4, 6, 8, 9, 10, 14, 18)  # 5.2.6
_ALPHANUMERIC: Final = 5
_ALPHABETS: Final = ("gsm", "ucs2")


def is_smpp(settings: Settings) -> bool:
    """Whether messages go to an SMS centre, and not to an HTTPS address."""
    return _scheme(settings) in _PORTS


def is_tls(settings: Settings) -> bool:
    """Whether the link to it is encrypted."""
    return _scheme(settings) == "smpps"


def _scheme(settings: Settings) -> str:
    return settings.sms_gateway.partition("://")[0].lower()


def place_of(settings: Settings) -> tuple[str, int]:
    """Return its host and port; without one, the port that IANA keeps for it."""
    parts = urlsplit(settings.sms_gateway)
    return parts.hostname or "", parts.port or _PORTS[parts.scheme]


def password_of(settings: Settings) -> str:
    """Return the password, without the line break at the file's end."""
    return Path(settings.smpp_password_file).read_bytes().strip().decode("ascii")


def faults(settings: Settings) -> list[str]:
    """Return what is wrong, each with what to set. Nothing where messages go another way."""
    if not is_smpp(settings):
        return []
    return [*_bad_address(settings), *_bad_account(settings), *_bad_source(settings)]


def _bad_address(settings: Settings) -> list[str]:
    found = []
    try:
        parts = urlsplit(settings.sms_gateway)
        is_place = bool(parts.hostname) and parts.port != 0
    except ValueError:
        parts, is_place = urlsplit(""), False
    if not is_place or parts.username or parts.password or parts.path or parts.query or parts.fragment:
        found.append("sms_gateway: name host and port alone, e.g. smpps://smsc.operator.example:3550")
    elif parts.scheme == "smpp" and parts.hostname not in LOOPBACK:
        found.append("sms_gateway: codes must not travel in clear, use smpps://, or a tunnel that ends on this machine")
    if settings.smpp_ca_file and (why := _unreadable_ca(settings)):
        found.append(f"smpp_ca_file: {why}")
    return found


def _bad_account(settings: Settings) -> list[str]:
    found = []
    if not re.fullmatch(r"[!-~]{1,15}", settings.smpp_system_id):
        found.append("smpp_system_id must be the user name that the SMS centre's operator gave, 1 to 15 characters")
    if not re.fullmatch(r"[!-~]{0,12}", settings.smpp_system_type):
        found.append("smpp_system_type must have 12 characters at most, or be empty, as the operator says")
    if not settings.smpp_password_file:
        found.append("smpp_password_file is not set: the SMS centre lets nobody bind without a password")
    elif why := _bad_password(Path(settings.smpp_password_file)):
        found.append(f"smpp_password_file: {why}")
    return found


def _bad_source(settings: Settings) -> list[str]:
    found = []
    chars = 11 if settings.smpp_source_ton == _ALPHANUMERIC else 20
    if not re.fullmatch(rf"[ -~]{{1,{chars}}}", settings.smpp_source):
        found.append(f"smpp_source must be what messages are sent from, 1 to {chars} characters, e.g. 1069095000")
    if settings.smpp_source_ton not in _TONS:
        found.append("smpp_source_ton must be 0 to 6: 0 unknown, 1 international, 3 a short number, 5 a name")
    if settings.smpp_source_npi not in _NPIS:
        found.append("smpp_source_npi must be one of SMPP's: 0 unknown, 1 for numbers (E.164)")
    if settings.smpp_alphabet not in _ALPHABETS:
        found.append("smpp_alphabet must be gsm, or ucs2 where the SMS centre's default alphabet is another")
    return found


def _bad_password(path: Path) -> str | None:
    try:
        password = path.read_bytes().strip()
    except OSError as wrong:
        return f"cannot be read: {wrong.strerror}"
    return None if _PASSWORD.fullmatch(password) else "SMPP 3.4 takes 1 to 8 characters without spaces or accents"


def _unreadable_ca(settings: Settings) -> str | None:
    try:
        ssl.create_default_context(cafile=settings.smpp_ca_file)
    except OSError as wrong:
        return f"cannot be read as PEM: {wrong.strerror or type(wrong).__name__}"
    return None
