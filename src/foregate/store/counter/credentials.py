"""What members of staff sign in with, in one transaction."""

from __future__ import annotations

from typing import Final

from sqlalchemy import bindparam, case, delete, select, update

from foregate.ports import Taken
from foregate.ports.credentials import Enrolment, StaffChallenge, StaffPasskey, StaffSecret
from foregate.rules import limits
from foregate.store.counter.credential_tables import (
    staff_challenge,
    staff_enrolment,
    staff_passkey,
    staff_secret,
    staff_tries,
)
from foregate.store.keyring import Keys
from foregate.store.statements import Connection, Row, Statement, insert_into, number, text_of, time_of

_now: Final = time_of("now")

# ---------------------------------------------------------------- enrolment

_e = staff_enrolment.c
_putting_enrolment = insert_into(staff_enrolment)
_PUT_ENROLMENT: Final = Statement(
    _putting_enrolment.on_conflict_do_update(
        index_elements=[_e.staff_id],
        set_={c.name: _putting_enrolment.excluded[c.name] for c in staff_enrolment.columns if c.name != "staff_id"},
    )
)
_by_code: Final = (_e.code_digest == bindparam("of_code"), _e.expires_at > _now)
_FIND_ENROLMENT: Final = Statement(select(staff_enrolment).where(*_by_code))
_USE_ENROLMENT: Final = Statement(delete(staff_enrolment).where(*_by_code).returning(*staff_enrolment.columns))
_FORGET_ENROLMENT: Final = Statement(delete(staff_enrolment).where(_e.staff_id == text_of("of_staff")))

# ---------------------------------------------------------------- password and one-time codes

_s = staff_secret.c
_of_staff: Final = _s.staff_id == text_of("of_staff")
_putting_secret = insert_into(staff_secret)
_PUT_SECRET: Final = Statement(
    _putting_secret.on_conflict_do_update(
        index_elements=[_s.staff_id],
        set_={c.name: _putting_secret.excluded[c.name] for c in staff_secret.columns if c.name != "staff_id"},
    )
)
_SECRET_OF: Final = Statement(select(staff_secret).where(_of_staff))
_REHASH: Final = Statement(
    update(staff_secret).where(_of_staff, _s.password_hash == text_of("was")).values(password_hash=text_of("to"))
)
# The password that was compared is the one still stored, and no code of this moment or a later one was taken.
_ACCEPT_STEP: Final = Statement(
    update(staff_secret)
    .where(_of_staff, _s.password_hash == text_of("of_hash"), _s.last_step < time_of("step"))
    .values(last_step=time_of("step"))
)
_FORGET_SECRET: Final = Statement(delete(staff_secret).where(_of_staff))

# ---------------------------------------------------------------- passkeys

_p = staff_passkey.c
_of_credential: Final = _p.credential_id == bindparam("of_credential")
_INSERT_PASSKEY: Final = Statement(insert_into(staff_passkey).on_conflict_do_nothing().returning(_p.credential_id))
_FIND_PASSKEY: Final = Statement(select(staff_passkey).where(_of_credential))
_PASSKEYS_OF: Final = Statement(
    select(staff_passkey).where(_p.staff_id == text_of("of_staff")).order_by(_p.created_at, _p.credential_id)
)
_USE_PASSKEY: Final = Statement(
    update(staff_passkey)
    .where(_of_credential, _p.sign_count == time_of("was"))
    .values(sign_count=time_of("counted"), used_at=_now)
)
_FORGET_PASSKEYS: Final = Statement(delete(staff_passkey).where(_p.staff_id == text_of("of_staff")))

# ---------------------------------------------------------------- challenges

_c = staff_challenge.c
_putting_challenge = insert_into(staff_challenge)
_PUT_CHALLENGE: Final = Statement(
    _putting_challenge.on_conflict_do_update(
        index_elements=[_c.browser_digest],
        set_={c.name: _putting_challenge.excluded[c.name] for c in staff_challenge.columns if not c.primary_key},
    )
)
_TAKE_CHALLENGE: Final = Statement(
    delete(staff_challenge)
    .where(_c.browser_digest == bindparam("of_browser"), _c.purpose == text_of("of_purpose"), _c.expires_at > _now)
    .returning(_c.challenge)
)

# ---------------------------------------------------------------- tries

_t = staff_tries.c
_of_key: Final = _t.key == bindparam("of_key")
_row_after: Final = _t.in_a_row + number(1)
_trying = insert_into(staff_tries)
_CHARGE: Final = Statement(
    _trying.on_conflict_do_update(
        index_elements=[_t.key],
        set_={
            "in_a_row": _row_after,
            "locked_until": case(
                (
                    _row_after % number(limits.STAFF_TRIES) == number(0),
                    _trying.excluded.touched_at + number(limits.STAFF_LOCK_SECONDS),
                ),
                else_=number(0),
            ),
            "touched_at": _trying.excluded.touched_at,
        },
        where=_t.locked_until <= _trying.excluded.touched_at,
    ).returning(_t.in_a_row)
)
_LOCKED_UNTIL: Final = Statement(select(_t.locked_until).where(_of_key))
_SUCCEED: Final = Statement(delete(staff_tries).where(_of_key))


class StaffCredentialsIn:
    """`ports.StaffCredentials` in one transaction."""

    __slots__ = ("_connection", "_keys")

    def __init__(self, connection: Connection, keys: Keys) -> None:
        self._connection, self._keys = connection, keys

    async def put_enrolment(self, enrolment: Enrolment) -> None:
        """At most one for each member: a newer one replaces the older."""
        await self._connection.run(
            _PUT_ENROLMENT,
            staff_id=enrolment.staff_id,
            code_digest=enrolment.code_digest,
            totp_secret_sealed=self._seal("staff_enrolment", enrolment.staff_id, enrolment.totp_secret),
            expires_at=enrolment.expires_at,
        )

    async def find_enrolment(self, code_digest: bytes, now: int) -> Enrolment | None:
        """Return the leave that a code gives, while it does."""
        return self._enrolment(await self._connection.one(_FIND_ENROLMENT, of_code=code_digest, now=now))

    async def use_enrolment(self, code_digest: bytes, now: int) -> Enrolment | None:
        """Use it up. None: used, replaced, expired, or never there."""
        return self._enrolment(await self._connection.one(_USE_ENROLMENT, of_code=code_digest, now=now))

    async def put_secret(self, secret: StaffSecret) -> None:
        """Insert, or replace."""
        await self._connection.run(
            _PUT_SECRET,
            staff_id=secret.staff_id,
            password_hash=secret.password_hash,
            totp_secret_sealed=self._seal("staff_secret", secret.staff_id, secret.totp_secret),
            last_step=secret.last_step,
            created_at=secret.created_at,
        )

    async def secret_of(self, staff_id: str) -> StaffSecret | None:
        """Return the password's hash and the secret of the codes."""
        row = await self._connection.one(_SECRET_OF, of_staff=staff_id)
        if row is None:
            return None
        return StaffSecret(
            staff_id=staff_id,
            password_hash=row["password_hash"],
            totp_secret=self._unseal("staff_secret", row),
            last_step=row["last_step"],
            created_at=row["created_at"],
        )

    async def rehash(self, staff_id: str, was: str, password_hash: str) -> None:
        """Store the same password, hashed as today."""
        await self._connection.run(_REHASH, of_staff=staff_id, was=was, to=password_hash)

    async def accept_step(self, staff_id: str, password_hash: str, step: int) -> bool:
        """Take a one-time code. False: this one or a newer was taken, or the secret is new."""
        return await self._connection.run(_ACCEPT_STEP, of_staff=staff_id, of_hash=password_hash, step=step) == 1

    async def insert_passkey(self, passkey: StaffPasskey) -> None:
        """Raises Taken when this credential is known already."""
        written = await self._connection.one(
            _INSERT_PASSKEY,
            credential_id=passkey.credential_id,
            staff_id=passkey.staff_id,
            public_key=passkey.public_key,
            sign_count=passkey.sign_count,
            is_backed_up=int(passkey.is_backed_up),
            created_at=passkey.created_at,
            used_at=passkey.used_at,
        )
        if written is None:
            raise Taken("passkey")

    async def find_passkey(self, credential_id: bytes) -> StaffPasskey | None:
        """Return the passkey of this id."""
        row = await self._connection.one(_FIND_PASSKEY, of_credential=credential_id)
        return _passkey(row) if row else None

    async def passkeys_of(self, staff_id: str) -> tuple[StaffPasskey, ...]:
        """Return every passkey of a member, oldest first."""
        return tuple(_passkey(row) for row in await self._connection.all(_PASSKEYS_OF, of_staff=staff_id))

    async def use_passkey(self, credential_id: bytes, was: int, sign_count: int, now: int) -> bool:
        """Count a use. False: it was used meanwhile, or it is gone."""
        used = await self._connection.run(
            _USE_PASSKEY, of_credential=credential_id, was=was, counted=sign_count, now=now
        )
        return used == 1

    async def forget_all(self, staff_id: str) -> None:
        """Drop passkeys, password, one-time codes and any leave to choose new ones."""
        for statement in (_FORGET_PASSKEYS, _FORGET_SECRET, _FORGET_ENROLMENT):
            await self._connection.run(statement, of_staff=staff_id)

    async def put_challenge(self, challenge: StaffChallenge) -> None:
        """At most one for each browser: a newer one replaces the older."""
        await self._connection.run(
            _PUT_CHALLENGE,
            browser_digest=challenge.browser_digest,
            purpose=challenge.purpose,
            challenge=challenge.challenge,
            expires_at=challenge.expires_at,
        )

    async def take_challenge(self, browser_digest: bytes, purpose: str, now: int) -> bytes | None:
        """Use it up; None: used, expired, or another purpose."""
        row = await self._connection.one(_TAKE_CHALLENGE, of_browser=browser_digest, of_purpose=purpose, now=now)
        return row["challenge"] if row else None

    async def charge(self, key: bytes, now: int) -> int | None:
        """Count one try. None: locked now, and nothing was counted."""
        row = await self._connection.one(_CHARGE, key=key, in_a_row=1, locked_until=0, touched_at=now)
        return row["in_a_row"] if row else None

    async def locked_seconds(self, key: bytes, now: int) -> int:
        """How long the lock lasts still."""
        row = await self._connection.one(_LOCKED_UNTIL, of_key=key)
        return max(0, row["locked_until"] - now) if row else 0

    async def succeed(self, key: bytes) -> None:
        """The comparison was right: forget the tries."""
        await self._connection.run(_SUCCEED, of_key=key)

    def _enrolment(self, row: Row | None) -> Enrolment | None:
        if row is None:
            return None
        return Enrolment(
            staff_id=row["staff_id"],
            code_digest=row["code_digest"],
            totp_secret=self._unseal("staff_enrolment", row),
            expires_at=row["expires_at"],
        )

    def _seal(self, table: str, staff_id: str, secret: str) -> bytes:
        return self._keys.encrypt(secret.encode(), f"{table}.totp_secret:{staff_id}")

    def _unseal(self, table: str, row: Row) -> str:
        return self._keys.decrypt(row["totp_secret_sealed"], f"{table}.totp_secret:{row['staff_id']}").decode()


def _passkey(row: Row) -> StaffPasskey:
    return StaffPasskey(
        credential_id=row["credential_id"],
        staff_id=row["staff_id"],
        public_key=row["public_key"],
        sign_count=row["sign_count"],
        is_backed_up=bool(row["is_backed_up"]),
        created_at=row["created_at"],
        used_at=row["used_at"],
    )
