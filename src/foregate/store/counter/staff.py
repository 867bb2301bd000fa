"""Members of staff, their holds, and how often they did what is counted."""

from __future__ import annotations

from typing import Final

from sqlalchemy import bindparam, case, delete, select, update

from foregate.ports import Taken
from foregate.ports.counter import Role, StaffMember
from foregate.rules import limits
from foregate.store.counter.tables import staff, staff_tally
from foregate.store.keyring import Keys
from foregate.store.statements import (
    Connection,
    Row,
    Statement,
    Value,
    insert_into,
    number,
    text_of,
    time_of,
    word,
)

_s, _t = staff.c, staff_tally.c
_this: Final = _s.staff_id == text_of("of_staff")

_INSERT: Final = Statement(insert_into(staff).on_conflict_do_nothing().returning(_s.staff_id))
_FIND: Final = Statement(select(staff).where(_this))
_HOLD: Final = Statement(select(staff).where(_this).with_for_update())
_BY_USER_NAME: Final = Statement(select(staff).where(_s.user_name_digest == bindparam("digest")))
_listed = select(staff).where(_s.staff_id > text_of("after")).order_by(_s.staff_id).limit(number(limits.STAFF_LISTED))
_ALL: Final = Statement(_listed)
_AT: Final = Statement(_listed.where(_s.outlet_id == text_of("of_outlet")))
_CHANGE: Final = Statement(update(staff).where(_this).values(role=text_of("to_role"), outlet_id=text_of("to_outlet")))
_DEACTIVATE: Final = Statement(update(staff).where(_this, _s.is_active == number(1)).values(is_active=number(0)))
_REACTIVATE: Final = Statement(update(staff).where(_this, _s.is_active == number(0)).values(is_active=number(1)))
_SET_CORE_REF: Final = Statement(update(staff).where(_this).values(core_ref_sealed=bindparam("to_core_ref")))
_PUT_ON_HOLD: Final = Statement(
    update(staff).where(_this, _s.hold == word("")).values(hold=text_of("why"), held_at=time_of("now"))
)
_RELEASE: Final = Statement(update(staff).where(_this, _s.hold != word("")).values(hold=word(""), held_at=number(0)))

_counting = insert_into(staff_tally)
_is_over: Final = _t.window_from <= time_of("now") - time_of("window")
# One statement: however many arrive at once, each is counted and gets another number.
_COUNT: Final = Statement(
    _counting.on_conflict_do_update(
        index_elements=[_t.staff_id, _t.what],
        set_={
            "window_from": case((_is_over, time_of("now")), else_=_t.window_from),
            "count": case((_is_over, number(1)), else_=_t.count + number(1)),
        },
    ).returning(_t.count)
)
_FORGET: Final = Statement(delete(staff_tally).where(_t.staff_id == text_of("of_staff")))


class StaffIn:
    """`ports.counter.Staff` in one transaction."""

    __slots__ = ("_connection", "_keys")

    def __init__(self, connection: Connection, keys: Keys) -> None:
        self._connection, self._keys = connection, keys

    async def insert(self, member: StaffMember) -> None:
        """Write a new member. Raises Taken("user_name")."""
        core_ref = member.core_ref
        row = await self._connection.one(
            _INSERT,
            staff_id=member.staff_id,
            user_name_digest=self._user_name_digest(member.user_name),
            user_name_sealed=self._seal("user_name", member.staff_id, member.user_name),
            name_sealed=self._seal("name", member.staff_id, member.name),
            role=member.role.value,
            outlet_id=member.outlet_id,
            core_ref_sealed=None if core_ref is None else self._seal("core_ref", member.staff_id, core_ref),
            is_active=int(member.is_active),
            hold=member.hold,
            held_at=0,
            created_at=member.created_at,
        )
        if row is None:
            raise Taken("user_name")

    async def find(self, staff_id: str) -> StaffMember | None:
        """Return the member, active or not."""
        return self._opened(await self._connection.one(_FIND, of_staff=staff_id))

    async def hold(self, staff_id: str) -> StaffMember | None:
        """Read and hold the row until the transaction ends: what a member does happens one after the other."""
        return self._opened(await self._connection.one(_HOLD, of_staff=staff_id))

    async def by_user_name(self, user_name: str) -> StaffMember | None:
        """`user_name` in normal form. One statement, whether found or not."""
        return self._opened(await self._connection.one(_BY_USER_NAME, digest=self._user_name_digest(user_name)))

    async def all(self, outlet_id: str | None = None, after: str = "") -> tuple[StaffMember, ...]:
        """At most STAFF_LISTED of one outlet or of the whole bank, in the order of their ids, those after `after`."""
        if outlet_id is None:
            rows = await self._connection.all(_ALL, after=after)
        else:
            rows = await self._connection.all(_AT, after=after, of_outlet=outlet_id)
        return tuple(member for row in rows if (member := self._opened(row)) is not None)

    async def change(self, staff_id: str, *, role: Role, outlet_id: str | None) -> bool:
        """Give another role, another outlet. False: unknown."""
        changed = await self._connection.run(_CHANGE, of_staff=staff_id, to_role=role.value, to_outlet=outlet_id)
        return changed == 1

    async def deactivate(self, staff_id: str) -> bool:
        """Guarded. False: unknown, or not active any more."""
        return await self._connection.run(_DEACTIVATE, of_staff=staff_id) == 1

    async def reactivate(self, staff_id: str) -> bool:
        """Guarded. False: unknown, or active already."""
        return await self._connection.run(_REACTIVATE, of_staff=staff_id) == 1

    async def set_core_ref(self, staff_id: str, core_ref: str | None) -> bool:
        """Write a member's own customer number; None: they do not bank here. False: unknown."""
        sealed = None if core_ref is None else self._seal("core_ref", staff_id, core_ref)
        return await self._connection.run(_SET_CORE_REF, of_staff=staff_id, to_core_ref=sealed) == 1

    async def put_on_hold(self, staff_id: str, why: str, now: int) -> bool:
        """Guarded. False: held already."""
        return await self._connection.run(_PUT_ON_HOLD, of_staff=staff_id, why=why, now=now) == 1

    async def release(self, staff_id: str) -> bool:
        """Guarded. False: not held. Also forgets what was counted."""
        if await self._connection.run(_RELEASE, of_staff=staff_id) != 1:
            return False
        await self._connection.run(_FORGET, of_staff=staff_id)
        return True

    async def count(self, staff_id: str, what: str, window_seconds: int, now: int) -> int:
        """Count one and return how many there were since the window was opened, in one statement."""
        values: dict[str, Value] = {"staff_id": staff_id, "what": what, "window_from": now, "count": 1}
        row = await self._connection.one(_COUNT, **values, now=now, window=window_seconds)
        assert row is not None, "an upsert without a guard returns its row"  # noqa: S101 -- the engine's own claim
        return int(row["count"])

    def _user_name_digest(self, user_name: str) -> bytes:
        return self._keys.digest("staff-user-name", user_name)

    def _seal(self, column: str, staff_id: str, value: str) -> bytes:
        return self._keys.encrypt(value.encode(), f"staff.{column}:{staff_id}")

    def _opened(self, row: Row | None) -> StaffMember | None:
        if row is None:
            return None
        staff_id: str = row["staff_id"]

        def unseal(column: str) -> str:
            return self._keys.decrypt(row[f"{column}_sealed"], f"staff.{column}:{staff_id}").decode()

        return StaffMember(
            staff_id=staff_id,
            user_name=unseal("user_name"),
            name=unseal("name"),
            role=Role(row["role"]),
            outlet_id=row["outlet_id"],
            core_ref=None if row["core_ref_sealed"] is None else unseal("core_ref"),
            is_active=bool(row["is_active"]),
            created_at=row["created_at"],
            hold=row["hold"],
        )
