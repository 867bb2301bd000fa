"""Reports of the network check, and how messages go out: what they look like when they cross a port."""

from __future__ import annotations

from typing import Protocol

import msgspec

from foregate.rules.network import Figures


class NetworkReport(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody sent us of a check. Figures and the name of a program: nothing says whose they are."""

    report_id: str
    code: str
    figures: Figures
    client: str  # the program and its version, as `rules.clients` reads it; never the whole claim
    created_at: int
    expires_at: int


class NetworkReports(Protocol):
    """Reports, for a few days."""

    async def insert(self, report: NetworkReport) -> None:
        """At most NETWORK_REPORTS_KEPT stay; the oldest goes."""

    async def of(self, code: str, now: int) -> tuple[NetworkReport, ...]:
        """The newest of this code that have not expired, at most NETWORK_REPORTS_SHOWN."""


class Outgoing(msgspec.Struct, frozen=True):
    """How messages go out, in numbers of the house: of whom they were is not among them."""

    waiting_seconds: int  # how long the oldest waits; 0: none does
    sent: int  # of those that ended since
    given_up: int
