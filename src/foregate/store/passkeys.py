"""Customers' passkeys in one transaction. Their credentials are claimed like names to sign in by."""

from __future__ import annotations

from typing import Final

from sqlalchemy import and_, bindparam, delete, select, update

from foregate.ports import Taken
from foregate.ports.passkeys import PasskeyChallenge, PasskeyRow
from foregate.store.keyring import Keys
from foregate.store.passkey_tables import passkey, passkey_challenge
from foregate.store.statements import Connection, Row, Statement, insert_into, text_of, time_of, word
from foregate.store.tables import login_name

# What a row keeps sealed; a miss opens as many.
SEALED: Final = ("credential", "name")

_p, _l, _c = passkey.c, login_name.c, passkey_challenge.c
_of_customer: Final = _p.customer_id == text_of("of_customer")
_this: Final = and_(_of_customer, _p.passkey_id == text_of("of_passkey"))

_CLAIM: Final = Statement(insert_into(login_name).on_conflict_do_nothing().returning(_l.kind))
_INSERT: Final = Statement(insert_into(passkey))
_FIND: Final = Statement(
    select(passkey)
    .join(login_name, and_(_l.customer_id == _p.customer_id, _l.digest == _p.credential_digest))
    .where(_l.kind == word("passkey"), _l.digest == bindparam("of_digest"))
)
_OF: Final = Statement(select(passkey).where(_of_customer).order_by(_p.created_at, _p.passkey_id))
_USE: Final = Statement(
    update(passkey)
    .where(_this, _p.sign_count == time_of("was"))
    .values(sign_count=time_of("counted"), is_backed_up=time_of("backed_up"), used_at=time_of("now"))
)
_RENAME: Final = Statement(update(passkey).where(_this).values(name_sealed=bindparam("to_sealed")))
_REMOVE: Final = Statement(delete(passkey).where(_this).returning(_p.credential_digest))
_GIVE_BACK: Final = Statement(delete(login_name).where(_l.kind == word("passkey"), _l.digest == bindparam("of_digest")))

_putting = insert_into(passkey_challenge)
_PUT_CHALLENGE: Final = Statement(
    _putting.on_conflict_do_update(
        index_elements=[_c.journey_id],
        set_={"challenge": _putting.excluded.challenge, "expires_at": _putting.excluded.expires_at},
    )
)
_is_live: Final = and_(_c.journey_id == text_of("of_journey"), _c.expires_at > time_of("now"))
_LIVE_CHALLENGE: Final = Statement(select(_c.challenge).where(_is_live))
_TAKE_CHALLENGE: Final = Statement(delete(passkey_challenge).where(_is_live).returning(_c.challenge))


class PasskeysIn:
    """`ports.Passkeys` in one transaction."""

    __slots__ = ("_connection", "_keys")

    def __init__(self, connection: Connection, keys: Keys) -> None:
        self._connection, self._keys = connection, keys

    async def insert(self, row: PasskeyRow, digest: bytes) -> None:
        """Claim the credential and write the row. Raises Taken("passkey"), having written nothing."""
        claimed = await self._connection.one(_CLAIM, kind="passkey", digest=digest, customer_id=row.customer_id)
        if claimed is None:
            raise Taken("passkey")
        await self._connection.run(
            _INSERT,
            customer_id=row.customer_id,
            passkey_id=row.passkey_id,
            credential_digest=digest,
            credential_sealed=self._keys.encrypt(row.credential_id, f"passkey.credential:{row.passkey_id}"),
            public_key=row.public_key,
            sign_count=row.sign_count,
            is_synced_kind=int(row.is_synced_kind),
            is_backed_up=int(row.is_backed_up),
            name_sealed=self._sealed_name(row.passkey_id, row.name),
            agent=row.agent,
            created_at=row.created_at,
            used_at=row.used_at,
        )

    async def find(self, digest: bytes) -> PasskeyRow | None:
        """Return the passkey of this credential. A look-up that finds nobody costs as much."""
        row = await self._connection.one(_FIND, of_digest=digest)
        if row is None:
            self._keys.spend(len(SEALED))
            return None
        return self._opened(row)

    async def of(self, customer_id: str) -> tuple[PasskeyRow, ...]:
        """Return every passkey of a customer, the oldest first."""
        return tuple(self._opened(row) for row in await self._connection.all(_OF, of_customer=customer_id))

    async def use(self, row: PasskeyRow, *, sign_count: int, is_backed_up: bool, now: int) -> bool:
        """Count a use. False: it was used meanwhile, or it is gone."""
        used = await self._connection.run(
            _USE,
            of_customer=row.customer_id,
            of_passkey=row.passkey_id,
            was=row.sign_count,
            counted=sign_count,
            backed_up=int(is_backed_up),
            now=now,
        )
        return used == 1

    async def rename(self, customer_id: str, passkey_id: str, name: str) -> bool:
        """Call it otherwise. False: it is not there."""
        sealed = self._sealed_name(passkey_id, name)
        return (
            await self._connection.run(_RENAME, of_customer=customer_id, of_passkey=passkey_id, to_sealed=sealed) == 1
        )

    async def remove(self, customer_id: str, passkey_id: str) -> bool:
        """Forget it. False: it was not there."""
        removed = await self._connection.one(_REMOVE, of_customer=customer_id, of_passkey=passkey_id)
        if removed is None:
            return False
        await self._connection.run(_GIVE_BACK, of_digest=removed["credential_digest"])
        return True

    async def put_challenge(self, row: PasskeyChallenge) -> None:
        """At most one for each journey: a newer one replaces the older."""
        await self._connection.run(
            _PUT_CHALLENGE, journey_id=row.journey_id, challenge=row.challenge, expires_at=row.expires_at
        )

    async def live_challenge(self, journey_id: str, now: int) -> bytes | None:
        """Return what this journey waits for, without using it."""
        row = await self._connection.one(_LIVE_CHALLENGE, of_journey=journey_id, now=now)
        return row["challenge"] if row else None

    async def take_challenge(self, journey_id: str, now: int) -> bytes | None:
        """Use it up; None: used, expired, or never there."""
        row = await self._connection.one(_TAKE_CHALLENGE, of_journey=journey_id, now=now)
        return row["challenge"] if row else None

    def _sealed_name(self, passkey_id: str, name: str) -> bytes:
        return self._keys.encrypt(name.encode(), f"passkey.name:{passkey_id}")

    def _opened(self, row: Row) -> PasskeyRow:
        passkey_id: str = row["passkey_id"]
        return PasskeyRow(
            customer_id=row["customer_id"],
            passkey_id=passkey_id,
            credential_id=self._keys.decrypt(row["credential_sealed"], f"passkey.credential:{passkey_id}"),
            public_key=row["public_key"],
            sign_count=row["sign_count"],
            is_synced_kind=bool(row["is_synced_kind"]),
            is_backed_up=bool(row["is_backed_up"]),
            name=self._keys.decrypt(row["name_sealed"], f"passkey.name:{passkey_id}").decode(),
            agent=row["agent"],
            created_at=row["created_at"],
            used_at=row["used_at"],
        )
