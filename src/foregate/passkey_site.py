"""For which site passkeys are made, and from where their answers are taken."""

from __future__ import annotations

from urllib.parse import urlsplit

import msgspec

from foregate.settings import Settings


class Site(msgspec.Struct, frozen=True):
    """For whom a passkey is made. Browsers make none for a bare address, so the demo's are made for localhost.

    `more` are further origins of the bank's own: its other domains, and its apps as Android names them.
    """

    id: str
    origin: str
    name: str
    more: tuple[str, ...] = ()

    @property
    def origins(self) -> tuple[str, ...]:
        """Every origin whose answers are taken."""
        return (self.origin, *self.more)

    @property
    def host(self) -> str:
        """The host on whose pages browsers make passkeys for us."""
        return urlsplit(self.origin).hostname or ""

    @classmethod
    def of(cls, settings: Settings) -> Site:
        """Return the site that the settings name."""
        parts = urlsplit(settings.origin)
        host, port = parts.hostname or "", f":{parts.port}" if parts.port else ""
        if host == "127.0.0.1":
            return cls("localhost", f"{parts.scheme}://localhost{port}", settings.bank_name)
        return cls(settings.passkey_rp_id or host, settings.origin, settings.bank_name, settings.passkey_origins)
