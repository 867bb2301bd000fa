"""For which site staff make passkeys."""

from __future__ import annotations

from urllib.parse import urlsplit

import msgspec

from foregate.settings import Settings


class Site(msgspec.Struct, frozen=True):
    """For whom a passkey is made. Browsers make none for a bare address, so the demo's are made for localhost."""

    id: str
    origin: str
    name: str

    @classmethod
    def of(cls, settings: Settings) -> Site:
        """Return the site that the settings name."""
        parts = urlsplit(settings.origin)
        host, port = parts.hostname or "", f":{parts.port}" if parts.port else ""
        if host == "127.0.0.1":
            return cls("localhost", f"{parts.scheme}://localhost{port}", settings.bank_name)
        return cls(host, settings.origin, settings.bank_name)
