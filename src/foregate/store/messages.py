"""Messages to be sent: written with the state they tell about. `outbox.py` sends them after the commit."""

from __future__ import annotations

from typing import Final

import msgspec
from sqlalchemy import func, select

from foregate.ports import Message
from foregate.ports.network import Outgoing
from foregate.store.keyring import Keys
from foregate.store.last import Last
from foregate.store.statements import Connection, Row, Statement, insert_into, time_of, word
from foregate.store.tables import outbox

_FACTS: Final = msgspec.json.Decoder(dict[str, str])
_PUT: Final = Statement(insert_into(outbox))
_o = outbox.c
# A decoy's message has no number, and says nothing about the gateway.
_WAITING: Final = Statement(
    select(func.min(_o.created_at).label("since")).where(_o.status == word("waiting"), _o.phone_sealed.is_not(None))
)
_ENDED: Final = Statement(
    select(_o.status, func.count().label("number"))
    .where(_o.status != word("waiting"), _o.ended_at > time_of("since"))
    .group_by(_o.status)
)


class OutboxIn:
    """`ports.Outbox` in one transaction."""

    __slots__ = ("_connection", "_keys", "_last", "has_rows")

    def __init__(self, connection: Connection, keys: Keys, last: Last) -> None:
        self._connection, self._keys, self._last = connection, keys, last
        self.has_rows = False

    async def put(self, message: Message, now: int) -> None:
        """Have the message sent once this transaction is committed."""
        self.has_rows = True
        seal, message_id, phone = self._keys.encrypt, message.message_id, message.phone
        values = {
            "message_id": message_id,
            "customer_id": message.customer_id,
            "phone_sealed": None if phone is None else seal(phone.encode(), f"outbox.phone:{message_id}"),
            "template": message.template,
            "language": message.language,
            "facts_sealed": seal(msgspec.json.encode(message.facts), f"outbox.facts:{message_id}"),
            "nonce": message.nonce,
            "created_at": now,
            "expires_at": message.expires_at,
            "status": "waiting",
            "tries": 0,
            "next_at": now,
            "ended_at": 0,
        }
        self._last.keep("message", message_id, _PUT, values)

    async def outgoing(self, since: int, now: int) -> Outgoing:
        """How messages go out."""
        await self._last.write()
        oldest = await self._connection.one(_WAITING)
        ended = {row["status"]: row["number"] for row in await self._connection.all(_ENDED, since=since)}
        waits_since = oldest["since"] if oldest is not None else None
        return Outgoing(
            waiting_seconds=0 if waits_since is None else max(0, now - waits_since),
            sent=ended.get("sent", 0),
            given_up=ended.get("failed", 0) + ended.get("expired", 0),
        )


def message_of(row: Row, keys: Keys) -> Message:
    """Return a stored message that has not ended."""
    message_id = row["message_id"]
    return Message(
        message_id=message_id,
        customer_id=row["customer_id"],
        phone=keys.decrypt(row["phone_sealed"], f"outbox.phone:{message_id}").decode(),
        template=row["template"],
        language=row["language"],
        facts=_FACTS.decode(keys.decrypt(row["facts_sealed"], f"outbox.facts:{message_id}")),
        nonce=row["nonce"],
        expires_at=row["expires_at"],
    )
