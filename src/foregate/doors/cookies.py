"""The cookies, and nothing else that a browser keeps.

Over TLS they are `__Host-` cookies: Secure, of this very host, for the whole site (RFC 6265bis 4.1.3). The demo on
a loopback address has no TLS, so there they lose the prefix and the flag, and nowhere else.

  visitor   ties a journey to the browser that began it; random, and signed so that only ours are taken up
  session   signed in; lives in memory of the browser, the server decides when it ends
  device    a remembered device; 400 days
  language  zh, en, or one of the bank's own
  care      1: large print and fewer things; 0: asked and declined
  probe     the network check looks whether it comes back; a minute, always the same word
  hide      this browser shows no amounts until asked
  staff     a member of staff, signed in at the console; never sent along from another site
  agent     the demo alone: what its visitor wants to be taken for, an old version of something
  staff-ceremony   ties a passkey's challenge to the browser that asked for it; two minutes
"""

from __future__ import annotations

import base64
import hashlib
import secrets
from hmac import compare_digest

from starlette.requests import Request, cookie_parser
from starlette.responses import Response

from foregate.ports import Keyring
from foregate.rules import limits
from foregate.settings import Settings

_DAY = 86400


class Cookies:
    """Names and attributes for one origin."""

    def __init__(self, settings: Settings, keyring: Keyring) -> None:
        self._prefix = "__Host-" if settings.is_https else "foregate-"
        self._is_secure = settings.is_https
        self._keyring = keyring

    def read(self, request: Request, name: str) -> str | None:
        """Return a cookie's value."""
        return _all(request).get(self._prefix + name)

    def set(
        self, response: Response, name: str, value: str, seconds: int | None = None, *, is_strict: bool = False
    ) -> None:
        """Set a cookie; without `seconds` it goes with the browser's session. `is_strict`: no link brings it along."""
        response.set_cookie(
            self._prefix + name,
            value,
            max_age=seconds,
            path="/",
            secure=self._is_secure,
            httponly=True,
            samesite="strict" if is_strict else "lax",
        )

    def clear(self, response: Response, name: str) -> None:
        """Take a cookie back."""
        response.delete_cookie(self._prefix + name, path="/", secure=self._is_secure, httponly=True, samesite="lax")

    def visitor(self, request: Request) -> tuple[str, bool]:
        """Return the visitor's value, and whether it was made just now. A value that is not ours is not taken up."""
        value = self.read(request, "visitor")
        if value is not None and len(value) == 64 and self._is_ours(value):
            return value, False
        nonce = secrets.token_bytes(24)
        return base64.urlsafe_b64encode(nonce + self._tag(nonce)).decode(), True

    def set_visitor(self, response: Response, value: str) -> None:
        """Give the visitor their value."""
        self.set(response, "visitor", value, limits.VISITOR_DAYS * _DAY)

    def _is_ours(self, value: str) -> bool:
        try:
            raw = base64.urlsafe_b64decode(value)
        except ValueError:
            return False
        return len(raw) == 48 and compare_digest(raw[24:], self._tag(raw[:24]))

    def _tag(self, nonce: bytes) -> bytes:
        return self._keyring.derive("visitor", nonce)[:24]


def _all(request: Request) -> dict[str, str]:
    """Return every cookie, read once. Starlette's property asks its headers first, which takes longer than reading."""
    found: dict[str, str] | None = request.scope.get("foregate.cookies")
    if found is None:
        found = request.scope["foregate.cookies"] = {}
        for name, value in request.scope["headers"]:
            if name == b"cookie":
                found |= cookie_parser(value.decode("latin-1"))
    return found


def visitor_digest(value: str) -> bytes:
    """Return what the store keeps of a visitor."""
    return hashlib.sha256(value.encode()).digest()
