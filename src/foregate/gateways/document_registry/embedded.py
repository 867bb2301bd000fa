"""A registry of documents in our own database: for a trial, for the demo, and for a bank that is sent a file.

It keeps keyed digests: it can say whether a document is as written, and cannot be read.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import bindparam, select

from foregate.ports import Clock
from foregate.ports.documents import RegistryVerdict
from foregate.rules.documents import Document, day_of
from foregate.rules.inputs import normal_name
from foregate.store.document_tables import registry_document
from foregate.store.keyring import Keys
from foregate.store.statements import Row, Statement, insert_into
from foregate.store.unit_of_work import SqlStore

_FIND: Final = Statement(
    select(registry_document).where(registry_document.c.document_digest == bindparam("document_digest"))
)
_putting = insert_into(registry_document)
_PUT: Final = Statement(
    _putting.on_conflict_do_update(
        index_elements=[registry_document.c.document_digest],
        set_={name: _putting.excluded[name] for name in ("holder_digest", "name_digest", "expires_on", "issued_on")},
    )
)


class EmbeddedRegistry:
    """A `ports.documents.DocumentRegistry` over `registry_document`. What it is given is in normal form."""

    def __init__(self, store: SqlStore, keys: Keys, clock: Clock) -> None:
        self._database, self._keys, self._clock = store.database, keys, clock

    async def confirm(self, document: Document, *, replaces: str | None = None) -> RegistryVerdict:
        """Say whether this document exists as written and is good today; see the port."""
        found = await self._find(document.document_type, document.number)
        if found is None:
            return RegistryVerdict.UNKNOWN
        if found["name_digest"] != self._name(document.name) or found["expires_on"] != document.expires_on:
            return RegistryVerdict.MISMATCH
        if document.issued_on is not None and found["issued_on"] not in (None, document.issued_on):
            return RegistryVerdict.MISMATCH
        if replaces is not None:
            earlier = await self._find(document.document_type, replaces)
            if earlier is None or earlier["holder_digest"] != found["holder_digest"]:
                return RegistryVerdict.MISMATCH
        if document.expires_on is not None and document.expires_on < day_of(self._clock.now()).isoformat():
            return RegistryVerdict.EXPIRED
        return RegistryVerdict.VALID

    async def put(self, holder: str, document: Document) -> None:
        """Add a document, or bring one up to date. `holder`: the same for every document of one person."""
        async with self._database.transaction() as connection:
            await connection.run(
                _PUT,
                document_digest=self._document(document.document_type, document.number),
                holder_digest=self._keys.digest("registry-holder", holder),
                name_digest=self._name(document.name),
                expires_on=document.expires_on,
                issued_on=document.issued_on,
            )

    async def _find(self, document_type: str, number: str) -> Row | None:
        return await self._database.read_one(_FIND, document_digest=self._document(document_type, number))

    def _document(self, document_type: str, number: str) -> bytes:
        return self._keys.digest("registry-document", f"{document_type}:{number}")

    def _name(self, name: str) -> bytes:
        return self._keys.digest("registry-name", normal_name(name))
