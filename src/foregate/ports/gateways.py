"""The world outside the store: clock, keys, hashes, the core bank. `bootstrap` fills each of these Protocols."""

from __future__ import annotations

from typing import Protocol

from foregate.ports.records import CardHolder, Person


class Clock(Protocol):
    """Seconds since 1970."""

    def now(self) -> int: ...


class Keyring(Protocol):
    """Keys that live outside the database."""

    def encrypt(self, plain: bytes, place: str) -> bytes:
        """AES-256-GCM under the current key; `place` (table.column:id) is associated data. Output names its key."""

    def decrypt(self, sealed: bytes, place: str) -> bytes:
        """Undo `encrypt`. Raises ValueError when the text, its key or its place is not the one it was made with."""

    def digest(self, purpose: str, value: str) -> bytes:
        """HMAC-SHA-256, 32 bytes: to look a value up without keeping it."""

    def derive(self, purpose: str, data: bytes) -> bytes:
        """HMAC-SHA-256 as a pseudo-random function, 32 bytes: codes, tokens, decoys."""


class Hasher(Protocol):
    """argon2id over a keyed digest, in a bounded pool. Raises Busy when its queue is full."""

    async def hash(self, secret: str) -> str: ...

    async def verify(self, hashed: str | None, secret: str) -> bool:
        """Compare. None costs the same and is False."""

    def needs_rehash(self, hashed: str) -> bool: ...

    @property
    def is_full(self) -> bool:
        """Say whether the next password would be told that we are busy."""


class CoreBank(Protocol):
    """Who holds this card, which number is bound to it, is this its PIN. Raises Unreachable."""

    async def holder(self, card_number: str) -> CardHolder | None: ...

    async def cards_of(self, core_ref: str) -> tuple[CardHolder, ...]:
        """Every active card of a person, oldest first."""

    async def cards_bound_to(self, phone: str) -> tuple[CardHolder, ...]: ...

    async def person(self, core_ref: str) -> Person | None: ...

    async def people_called(self, name: str, tail: str = "") -> tuple[Person, ...]:
        """People of this name, `normal_name`; `tail`: the last four of their document. At most PEOPLE_MAX."""

    async def people_with_document(self, number: str) -> tuple[Person, ...]:
        """People whose document has this number, of whatever type."""

    async def set_document_expiry(self, core_ref: str, expires_on: str | None, issued_on: str | None = None) -> None:
        """A person's document is valid until then (ISO date; None: long-term). Said twice it is said once.

        `issued_on`: ISO date; None: nobody said, and what stood there was of the old one.
        """

    async def renew_document(
        self, core_ref: str, number: str, expires_on: str | None, issued_on: str | None = None
    ) -> None:
        """A person's document has this number and is valid until then. Said twice it is said once."""

    async def documents_ending(self, first: str, last: str, after: tuple[str, str], limit: int) -> tuple[Person, ...]:
        """People whose document's last day is `first` to `last`, in the order of that day and `core_ref`.

        `after`: day and `core_ref` of the last one had; ("", "") for the first page.
        """

    async def is_pin(self, card_number: str | None, pin: str) -> bool:
        """Compare; None (no such card) costs the same and is False. Counting failures is the caller's."""


class Throttle(Protocol):
    """Counts requests per source. It slows scripts down; it never decides about a person."""

    async def hit(self, key: str, per_minute: int) -> int:
        """Count one and return 0, or the seconds to wait when there were `per_minute` in this minute already."""
