"""Hosts that are this machine: what travels to them leaves it for nobody to read."""

from __future__ import annotations

from typing import Final

LOOPBACK: Final = frozenset({"127.0.0.1", "localhost", "::1"})
