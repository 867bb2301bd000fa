"""The ledger of consents: a line for every yes and for every one taken back; no line is ever changed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from sqlalchemy import select

from foregate.ports.social import Consent
from foregate.rules.consents import Purpose
from foregate.store.social_tables import consent
from foregate.store.statements import Connection, Row, Statement, insert_into, text_of

GIVEN, WITHDRAWN = "given", "withdrawn"

_c = consent.c
_of_customer: Final = _c.customer_id == text_of("of_customer")
_INSERT: Final = Statement(insert_into(consent))
_OF: Final = Statement(select(consent).where(_of_customer).order_by(_c.purpose, _c.seq))


class ConsentsIn:
    """`ports.social.Consents` in one transaction."""

    __slots__ = ("_connection",)

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def give(self, customer_id: str, purpose: Purpose, text_version: str, now: int) -> bool:
        """Write that it was given. False: it was, with this very text."""
        last = await self._last(customer_id, purpose)
        if last is not None and last["verb"] == GIVEN and last["text_version"] == text_version:
            return False
        await self._write(customer_id, purpose, last, GIVEN, text_version, now)
        return True

    async def withdraw(self, customer_id: str, purpose: Purpose, now: int) -> bool:
        """Write that it was taken back. False: there was nothing to take back."""
        last = await self._last(customer_id, purpose)
        if last is None or last["verb"] == WITHDRAWN:
            return False
        await self._write(customer_id, purpose, last, WITHDRAWN, last["text_version"], now)
        return True

    async def of(self, customer_id: str) -> Mapping[str, Consent]:
        """Return how every purpose stands that was ever given."""
        found: dict[str, Consent] = {}
        for row in await self._connection.all(_OF, of_customer=customer_id):
            purpose, before = row["purpose"], found.get(row["purpose"])
            is_given = row["verb"] == GIVEN
            found[purpose] = Consent(
                purpose=purpose,
                text_version=row["text_version"],
                given_at=row["at"] if is_given or before is None else before.given_at,
                withdrawn_at=0 if is_given else row["at"],
            )
        return found

    async def _last(self, customer_id: str, purpose: Purpose) -> Row | None:
        rows = await self._connection.all(_OF, of_customer=customer_id)
        return next((row for row in reversed(rows) if row["purpose"] == purpose.value), None)

    async def _write(
        self, customer_id: str, purpose: Purpose, last: Row | None, verb: str, text_version: str, now: int
    ) -> None:
        await self._connection.run(
            _INSERT,
            customer_id=customer_id,
            purpose=purpose.value,
            seq=last["seq"] + 1 if last is not None else 1,
            verb=verb,
            text_version=text_version,
            at=now,
        )
