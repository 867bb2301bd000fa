"""Files of a record that a customer asked for, and what they want to be told: rows, and where they are kept."""

from __future__ import annotations

from enum import StrEnum
from typing import Protocol

import msgspec


class Format(StrEnum):
    """What a statement may be had as."""

    PDF = "pdf"
    CSV = "csv"
    OFX = "ofx"
    CAMT = "camt"


class Why(StrEnum):
    """Why a file was not made: what its `status` says then, and the page in words."""

    FAILED = "failed"  # something broke, and broke again
    TOO_MANY = "too-many-entries"
    NO_BALANCE = "no-balance"
    NO_PRINTER = "no-printer"
    NO_ACCOUNT = "no-account"


class Export(msgspec.Struct, frozen=True, kw_only=True):
    """A file that was asked for. `status`: waiting, ready, or a `Why`; `body` only where it was asked for."""

    export_id: str
    customer_id: str
    core_ref: str
    account_id: str
    format: Format
    language: str
    date_from: str  # ISO dates, both included
    date_to: str
    status: str = "waiting"
    done: int = 0  # entries written so far
    tries: int = 0
    created_at: int
    next_at: int  # when somebody may take it up: it is being made until then
    expires_at: int
    body: bytes | None = None


class Alerts(msgspec.Struct, frozen=True, kw_only=True):
    """What a customer wants to be told by text message. Amounts are in minor units of each account's currency."""

    customer_id: str
    money_in: bool = False
    out_above_minor: int | None = None  # None: not told of money that goes out
    sign_in: bool = False
    language: str = "zh"


class Exports(Protocol):
    """Files that customers asked for, in one transaction."""

    async def put(self, row: Export) -> bool:
        """Have it made. False: one of this id was asked for before."""

    async def of(self, customer_id: str, now: int) -> tuple[Export, ...]:
        """Those that have not expired, without their bodies, the newest first."""

    async def find(self, customer_id: str, export_id: str, now: int) -> Export | None:
        """One of this customer's that has not expired, with its body."""

    async def claim(self, now: int, lease_seconds: int) -> Export | None:
        """Take up the one that waits longest, so that nobody else does until the lease is over."""

    async def note(self, export_id: str, tries: int, done: int, next_at: int) -> bool:
        """Say how far it is, and hold it longer. False: somebody else took it up."""

    async def end(self, row: Export, status: str, body: bytes | None) -> bool:
        """It is ready, with its body, or it failed. False: somebody else took it up."""


class AlertChoices(Protocol):
    """What customers want to be told, in one transaction."""

    def customer_id(self, core_ref: str) -> str:
        """The id that a person of the core bank has here, registered or not."""

    async def of(self, customer_id: str) -> Alerts | None: ...

    async def put(self, alerts: Alerts, now: int) -> None: ...

    async def note(self, customer_id: str, fingerprint: bytes, now: int) -> bool:
        """Remember that this was told. False: it was told before."""


class NoPrinter(Exception):
    """What makes PDF is not installed here; the message says how to have it."""


class Printer(Protocol):
    """From a page of HTML to a PDF."""

    @property
    def is_there(self) -> bool:
        """Whether PDFs can be made here, as far as is known: where not, nobody is offered one."""

    async def __call__(self, html: str) -> bytes:
        """Print. Raises NoPrinter."""
