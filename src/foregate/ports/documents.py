"""Identity documents: the registry that knows which ones are good, and what customers were told about theirs."""

from __future__ import annotations

from enum import StrEnum
from typing import Protocol

from foregate.rules.documents import Document


class RegistryVerdict(StrEnum):
    """What the registry says of a document."""

    VALID = "valid"
    EXPIRED = "expired"
    UNKNOWN = "unknown"  # no document of this type has this number
    MISMATCH = "mismatch"  # there is one, of another name, end or day of issue, or it succeeds somebody else's


class DocumentRegistry(Protocol):
    """Whoever gives out documents, or keeps the list of them. Raises Unreachable."""

    async def confirm(self, document: Document, *, replaces: str | None = None) -> RegistryVerdict:
        """Say whether this document exists as written and is good today.

        A day of issue is compared where both know one.

        `replaces`: the number of an earlier document of the same type; VALID then says that both are one person's.
        """


class DocumentNotices(Protocol):
    """What customers were told about the end of their documents."""

    async def note(self, customer_id: str, expires_on: str, which: str, now: int) -> bool:
        """Remember that it is told now. False: it was told before, perhaps by another node."""
