"""Codes, what may still be sent, guesses in a row, and texts that came in.

Every charge is one statement whose guard and whose change the database does together: whoever gets a row back may
go on, and there are exactly as many such rows as the limit says.
"""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import ColumnElement, and_, bindparam, case, delete, func, or_, select, update
from sqlalchemy.dialects.postgresql import insert

from foregate.ports import CodeRow, RangeVerdict, SendVerdict, Tried
from foregate.rules import limits
from foregate.rules.limits import DAY, HOUR
from foregate.store.last import Last
from foregate.store.statements import Connection, Row, Statement, insert_into, number, text_of, time_of
from foregate.store.tables import code, inbound_text, send_guard

_ISSUING: Final = insert_into(code)
# The journey's tries and whether a code was used stay as they are: another code brings nothing new but digits.
_ISSUE: Final = Statement(
    _ISSUING.on_conflict_do_update(
        index_elements=[code.c.journey_id],
        set_={
            "nonce": _ISSUING.excluded.nonce,
            "is_long": _ISSUING.excluded.is_long,
            "sent_at": _ISSUING.excluded.sent_at,
            "expires_at": _ISSUING.excluded.expires_at,
            "sends": code.c.sends + number(1),
        },
    ).returning(code)
)
_CHARGE: Final = Statement(
    update(code)
    .where(
        code.c.journey_id == text_of("journey_id"),
        code.c.is_used == number(0),
        code.c.tries < time_of("tries_max"),
    )
    .values(tries=code.c.tries + number(1))
    .returning(code)
)
_CONSUME: Final = Statement(
    update(code)
    .where(code.c.journey_id == text_of("journey_id"), code.c.is_used == number(0))
    .values(is_used=number(1))
)
_FIND: Final = Statement(select(code).where(code.c.journey_id == text_of("journey_id")))

# ---------------------------------------------------------------- sends

_guard, _now = send_guard.c, time_of("now")
_hour_over: Final = _guard.hour_from <= _now - number(HOUR)
_day_over: Final = _guard.day_from <= _now - number(DAY)


def _from_here(
    is_over: ColumnElement[bool], otherwise: ColumnElement[int], start: ColumnElement[int]
) -> ColumnElement[int]:
    return case((is_over, start), else_=otherwise)


_SPENT: Final = {
    "last_at": _now,
    "hour_from": _from_here(_hour_over, _guard.hour_from, _now),
    "hour_count": _from_here(_hour_over, _guard.hour_count + number(1), number(1)),
    "day_from": _from_here(_day_over, _guard.day_from, _now),
    "day_count": _from_here(_day_over, _guard.day_count + number(1), number(1)),
    "touched_at": _now,
}
_MAY_SEND: Final = and_(
    _guard.last_at <= _now - number(limits.RESEND_SECONDS),
    or_(_hour_over, _guard.hour_count < number(limits.SENDS_PER_HOUR)),
    or_(_day_over, _guard.day_count < number(limits.SENDS_PER_DAY)),
)
_SPEND_SEND: Final = Statement(
    insert_into(send_guard)
    .on_conflict_do_update(index_elements=[_guard.key], set_=_SPENT, where=_MAY_SEND)
    .returning(_guard.streak)
)
# Two rows in one statement, the number's first: whoever else waits for them takes them in this order too. A range has
# no guesses in a row: its `streak` says how often it was filled within the hour, for each answer makes room in it.
_RANGE: Final = bindparam("range_key", type_=_guard.key.type)
_STREAK: Final = case(
    (_guard.key != _RANGE, _guard.streak),
    (_hour_over, number(0)),
    (_guard.hour_count >= number(limits.RANGE_UNANSWERED - 1), _guard.streak + number(1)),
    else_=_guard.streak,
)
_ONE_EACH: Final[dict[str, ColumnElement[Any]]] = {column.name: bindparam(column.name) for column in send_guard.columns}
_SPEND_SENDS: Final = Statement(
    insert(send_guard)
    .values([_ONE_EACH, {**_ONE_EACH, "key": _RANGE}])
    .on_conflict_do_update(
        index_elements=[_guard.key],
        set_={**_SPENT, "streak": _STREAK},
        where=case(
            (_guard.key == _RANGE, or_(_hour_over, _guard.hour_count < number(limits.RANGE_UNANSWERED))),
            else_=_MAY_SEND,
        ),
    )
    .returning(_guard.key, _guard.streak, _guard.hour_count)
)
# Whose row is being charged right now is passed over: nobody waits at the end of a transaction, and one more or less
# in a hundred decides nothing.
_ANSWERED: Final = Statement(
    update(send_guard)
    .where(
        _guard.key.in_(
            select(_guard.key)
            .where(_guard.key == bindparam("answered_key"), _guard.hour_count > number(0))
            .with_for_update(skip_locked=True)
        )
    )
    .values(hour_count=_guard.hour_count - number(1))
)
_GIVE_BACK: Final = Statement(
    update(send_guard)
    .where(_guard.key == bindparam("spent_key"), _guard.hour_count > number(0))
    .values(last_at=number(0), hour_count=_guard.hour_count - number(1), day_count=_guard.day_count - number(1))
)
_LOOK_AT_SENDS: Final = Statement(select(send_guard).where(_guard.key == bindparam("key")))

_CHARGE_STREAK: Final = Statement(
    insert_into(send_guard)
    .on_conflict_do_update(
        index_elements=[_guard.key],
        set_={"streak": _guard.streak + number(1), "touched_at": _now},
        where=_guard.streak < time_of("streak_max"),
    )
    .returning(_guard.streak)
)
_CLEAR_STREAK: Final = Statement(
    update(send_guard).where(_guard.key == bindparam("guard_key"), _guard.streak > number(0)).values(streak=number(0))
)

# ---------------------------------------------------------------- texts that came in

_PUT_INBOUND: Final = Statement(
    (_inserting := insert_into(inbound_text)).on_conflict_do_update(
        index_elements=[inbound_text.c.phone_digest, inbound_text.c.token_digest],
        set_={"expires_at": _inserting.excluded.expires_at},
    )
)
_TAKE_INBOUND: Final = Statement(
    delete(inbound_text).where(
        inbound_text.c.phone_digest == bindparam("phone_digest"),
        inbound_text.c.token_digest == bindparam("token_digest"),
        inbound_text.c.expires_at > bindparam("now"),
    )
)

_NEVER: Final = 0
_OPEN_WINDOW: Final = {"last_at": _NEVER, "hour_from": _NEVER, "hour_count": 0, "day_from": _NEVER, "day_count": 0}


# Who has typed nothing yet has tried nothing; who typed wrong and then right has not failed.
_failing = case((and_(code.c.tries > number(0), code.c.is_used == number(0)), code.c.phone_digest))
_TRIED: Final = Statement(
    select(
        func.count(code.c.phone_digest.distinct()).label("number"), func.count(_failing.distinct()).label("failing")
    ).where(code.c.sent_at > time_of("since"), code.c.sent_at <= time_of("until"))
)


class CodesIn:
    """`ports.Codes` in one transaction.

    What the transaction wrote of a code it remembers: nobody else can write it, the journey is held.
    """

    __slots__ = ("_charged", "_connection", "_last", "_written")

    def __init__(self, connection: Connection, last: Last) -> None:
        self._connection, self._last = connection, last
        self._charged: set[bytes] = set()  # guards that this transaction holds
        self._written: dict[str, CodeRow] = {}

    async def issue(self, row: CodeRow) -> CodeRow:
        """Insert, or replace nonce, length and times of the journey's code. Tries stay, sends grow by one."""
        stored = await self._connection.one(
            _ISSUE,
            journey_id=row.journey_id,
            purpose=row.purpose,
            phone_digest=row.phone_digest,
            nonce=row.nonce,
            is_long=int(row.is_long),
            tries=row.tries,
            sends=row.sends,
            sent_at=row.sent_at,
            expires_at=row.expires_at,
            is_used=int(row.is_used),
        )
        assert stored is not None, "an upsert without a guard returns its row"  # noqa: S101 -- the engine's own claim
        return self._remember(_code(stored))

    def _remember(self, row: CodeRow) -> CodeRow:
        self._written[row.journey_id] = row
        return row

    async def charge(self, journey_id: str, tries_max: int) -> CodeRow | None:
        """Spend one try. None: none left, used, or no code. Returns it as after the try."""
        row = await self._connection.one(_CHARGE, journey_id=journey_id, tries_max=tries_max)
        return self._remember(_code(row)) if row else None

    async def consume(self, journey_id: str) -> bool:
        """Use the code up. False: somebody else did."""
        self._written.pop(journey_id, None)
        return await self._connection.run(_CONSUME, journey_id=journey_id) == 1

    async def find(self, journey_id: str) -> CodeRow | None:
        """Return the journey's code, whatever became of it."""
        if journey_id in self._written:
            return self._written[journey_id]
        row = await self._connection.one(_FIND, journey_id=journey_id)
        return _code(row) if row else None

    async def spend_send(self, key: bytes, now: int) -> SendVerdict:
        """Charge one message to `key`. Only a refusal is read again, to say how long to wait."""
        await self._last.write()
        row = await self._connection.one(_SPEND_SEND, key=key, now=now, **_first(now))
        if row is None:
            return await self.look_at_sends(key, now)
        return SendVerdict(is_allowed=True, wait_seconds=0, is_spent=False, streak=row["streak"])

    async def spend_sends(self, key: bytes, range_key: bytes, now: int) -> tuple[SendVerdict, RangeVerdict]:
        """As `spend_send`, and in the same statement one code to a range of numbers, under RANGE_UNANSWERED."""
        await self._last.write()
        rows = await self._connection.all(_SPEND_SENDS, key=key, range_key=range_key, now=now, **_first(now))
        spent = {bytes(row["key"]): row for row in rows}
        mine, ours = spent.get(key), spent.get(range_key)
        verdict = (
            SendVerdict(is_allowed=True, wait_seconds=0, is_spent=False, streak=mine["streak"])
            if mine
            else await self.look_at_sends(key, now)
        )
        if ours is None:
            return verdict, await self._look_at_range(range_key, now)
        is_last = ours["hour_count"] >= limits.RANGE_UNANSWERED and ours["streak"] == 1
        return verdict, RangeVerdict(is_allowed=True, is_last=is_last, wait_seconds=0)

    async def _look_at_range(self, range_key: bytes, now: int) -> RangeVerdict:
        row = await self._connection.one(_LOOK_AT_SENDS, key=range_key)
        wait = max(0, row["hour_from"] + HOUR - now) if row else 0
        return RangeVerdict(is_allowed=False, is_last=False, wait_seconds=wait)

    async def answered(self, range_key: bytes) -> None:
        """A code to this range was answered: it does not count any more."""
        self._last.keep("answered", range_key.hex(), _ANSWERED, {"answered_key": range_key})

    async def give_back_send(self, key: bytes) -> None:
        """What this transaction charged to `key` was not sent after all: neither quota nor minute is spent."""
        self._last.keep("given-back", key.hex(), _GIVE_BACK, {"spent_key": key})

    async def tried(self, since: int, until: int) -> Tried:
        """How many numbers were sent a code after `since`, by `until`, and at how many of these it was typed wrong."""
        row = await self._connection.one(_TRIED, since=since, until=until)
        return Tried(row["number"], row["failing"]) if row else Tried(0, 0)

    async def look_at_sends(self, key: bytes, now: int) -> SendVerdict:
        """Say whether a message may go out, without charging it."""
        await self._last.write()
        row = await self._connection.one(_LOOK_AT_SENDS, key=key)
        return _verdict(row, now) if row else SendVerdict(is_allowed=True, wait_seconds=0, is_spent=False, streak=0)

    async def charge_streak(self, key: bytes, streak_max: int, now: int) -> bool:
        """Count one guess at a short code of this number; False when `streak_max` were wrong in a row already."""
        await self._last.write()
        row = await self._connection.one(
            _CHARGE_STREAK, key=key, now=now, streak=1, touched_at=now, streak_max=streak_max, **_OPEN_WINDOW
        )
        if row is not None:
            self._charged.add(key)
        return row is not None

    async def clear_streak(self, key: bytes) -> None:
        """A code of this number was right. Kept back where the guard is held already, for a short code was counted."""
        if key in self._charged:
            self._last.keep("streak", key.hex(), _CLEAR_STREAK, {"guard_key": key})
        else:
            await self._connection.run(_CLEAR_STREAK, guard_key=key)

    async def put_inbound(self, phone_digest: bytes, token_digest: bytes, expires_at: int) -> None:
        """A message arrived from this number with this text."""
        await self._connection.run(
            _PUT_INBOUND, phone_digest=phone_digest, token_digest=token_digest, expires_at=expires_at
        )

    async def take_inbound(self, phone_digest: bytes, token_digest: bytes, now: int) -> bool:
        """Consume it; True once."""
        taken = await self._connection.run(_TAKE_INBOUND, phone_digest=phone_digest, token_digest=token_digest, now=now)
        return taken == 1


def _first(now: int) -> dict[str, int]:
    """What stands in a guard after its first message."""
    return {
        "last_at": now, "hour_from": now, "hour_count": 1, "day_from": now, "day_count": 1, "streak": 0,
        "touched_at": now,
    }  # fmt: skip


def _verdict(row: Row, now: int) -> SendVerdict:
    def left(is_out: bool, start: int, length: int) -> int:
        return max(0, start + length - now) if is_out else 0

    minute = left(True, row["last_at"], limits.RESEND_SECONDS)
    quota = max(
        left(row["hour_count"] >= limits.SENDS_PER_HOUR, row["hour_from"], HOUR),
        left(row["day_count"] >= limits.SENDS_PER_DAY, row["day_from"], DAY),
    )
    wait = max(minute, quota)
    return SendVerdict(is_allowed=wait == 0, wait_seconds=wait, is_spent=quota > 0, streak=row["streak"])


def _code(row: Row) -> CodeRow:
    return CodeRow(
        journey_id=row["journey_id"],
        purpose=row["purpose"],
        phone_digest=row["phone_digest"],
        nonce=row["nonce"],
        is_long=bool(row["is_long"]),
        tries=row["tries"],
        sends=row["sends"],
        sent_at=row["sent_at"],
        expires_at=row["expires_at"],
        is_used=bool(row["is_used"]),
    )
