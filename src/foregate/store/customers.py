"""Customers, and the names they sign in by."""

from __future__ import annotations

from typing import Final

from sqlalchemy import bindparam, delete, select, update

from foregate.ports import Condition, Customer, Taken
from foregate.store.condition import CONDITION, condition_of
from foregate.store.keyring import Keys
from foregate.store.last import Last
from foregate.store.statements import Connection, Row, Statement, insert_into, text_of, time_of
from foregate.store.tables import customer, login_name

# What a row keeps sealed; a miss opens as many.
SEALED: Final = ("core_ref", "name", "phone", "user_name")

_is_customer: Final = customer.c.customer_id == text_of("of_customer")

_FIND: Final = Statement(select(customer).where(_is_customer))
_HOLD: Final = Statement(select(customer).where(_is_customer).with_for_update())
_BY_LOGIN: Final = Statement(
    select(customer)
    .join(login_name, login_name.c.customer_id == customer.c.customer_id)
    .where(login_name.c.kind == bindparam("kind"), login_name.c.digest == bindparam("digest"))
)
_CLAIM: Final = Statement(insert_into(login_name).on_conflict_do_nothing().returning(login_name.c.kind))
_GIVE_BACK: Final = Statement(
    delete(login_name).where(login_name.c.kind == bindparam("kind"), login_name.c.digest == bindparam("digest"))
)
_INSERT: Final = Statement(insert_into(customer).on_conflict_do_nothing().returning(customer.c.customer_id))
_SET_PASSWORD: Final = Statement(update(customer).where(_is_customer).values(password_hash=text_of("password_hash")))
_MOVE_PHONE: Final = Statement(
    update(customer)
    .where(_is_customer)
    .values(phone_sealed=bindparam("new_phone_sealed"), cooling_until=time_of("until"))
)
_END_EARLIER: Final = Statement(update(customer).where(_is_customer).values(ended_at=time_of("now")))
_SIGNED_IN: Final = Statement(update(customer).where(_is_customer).values(last_sign_in_at=time_of("now")))


class CustomersIn:
    """`ports.Customers` in one transaction."""

    __slots__ = ("_connection", "_keys", "_last")

    def __init__(self, connection: Connection, keys: Keys, last: Last) -> None:
        self._connection, self._keys, self._last = connection, keys, last

    async def find(self, customer_id: str) -> Customer | None:
        """Return the customer, or None: a decoy is nobody."""
        await self._last.write()
        return self._opened(await self._connection.one(_FIND, of_customer=customer_id))

    async def hold(self, customer_id: str) -> Customer | None:
        """Read and hold until the transaction ends: acts on one customer happen one after the other."""
        await self._last.write()
        return self._opened(await self._connection.one(_HOLD, of_customer=customer_id))

    async def condition(self, customer_id: str) -> Condition:
        """How this customer stands, in one look that holds and opens nothing."""
        await self._last.write()
        return condition_of(await self._connection.all(CONDITION, of_customer=customer_id))

    async def by_login(self, kind: str, digest: bytes) -> Customer | None:
        """kind: phone | user_name | core_ref. One statement, whether found or not."""
        await self._last.write()
        return self._opened(await self._connection.one(_BY_LOGIN, kind=kind, digest=digest))

    async def insert(self, customer: Customer, logins: dict[str, bytes]) -> None:
        """Claim the names (kind to digest) and write the row. Raises Taken(kind), and then has written nothing."""
        # In one order for everybody: two who claim the same names wait for each other, and never in a circle.
        mine: list[tuple[str, bytes]] = []
        for kind, digest in sorted(logins.items()):
            claimed = await self._connection.one(_CLAIM, kind=kind, digest=digest, customer_id=customer.customer_id)
            if claimed is None:
                await self._give_back(mine)
                raise Taken(kind)
            mine.append((kind, digest))
        if await self._connection.one(_INSERT, **self._sealed(customer)) is None:
            await self._give_back(mine)
            raise Taken("customer_id")

    async def _give_back(self, names: list[tuple[str, bytes]]) -> None:
        # Whoever catches Taken may go on and commit; names claimed for nobody would then be lost for ever.
        for kind, digest in names:
            await self._connection.run(_GIVE_BACK, kind=kind, digest=digest)

    async def set_password(self, customer_id: str, password_hash: str) -> None:
        """Replace the password's hash."""
        await self._connection.run(_SET_PASSWORD, of_customer=customer_id, password_hash=password_hash)

    async def move_phone(self, customer_id: str, phone: str, *, was: bytes, to: bytes, cooling_until: int) -> None:
        """Claim the new number, let go of the old one, write it down. Raises Taken("phone"), having written nothing."""
        if await self._connection.one(_CLAIM, kind="phone", digest=to, customer_id=customer_id) is None:
            raise Taken("phone")
        await self._connection.run(_GIVE_BACK, kind="phone", digest=was)
        sealed = self._keys.encrypt(phone.encode(), f"customer.phone:{customer_id}")
        await self._connection.run(_MOVE_PHONE, of_customer=customer_id, new_phone_sealed=sealed, until=cooling_until)

    async def signed_in(self, customer_id: str, now: int) -> None:
        """Disuse is counted from here. Written at the end; the caller holds the customer."""
        self._last.keep("signed-in", customer_id, _SIGNED_IN, {"of_customer": customer_id, "now": now})

    async def end_earlier(self, customer_id: str, now: int) -> None:
        """What was begun up to now ends: see `Customer.ended_at`."""
        await self._connection.run(_END_EARLIER, of_customer=customer_id, now=now)

    def _sealed(self, customer: Customer) -> dict[str, str | int | bytes | None]:
        def seal(column: str, value: str) -> bytes:
            return self._keys.encrypt(value.encode(), f"customer.{column}:{customer.customer_id}")

        user_name = customer.user_name
        return {
            "customer_id": customer.customer_id,
            "core_ref_sealed": seal("core_ref", customer.core_ref),
            "name_sealed": seal("name", customer.name),
            "phone_sealed": seal("phone", customer.phone),
            "user_name_sealed": None if user_name is None else seal("user_name", user_name),
            "password_hash": customer.password_hash,
            "created_at": customer.created_at,
            "last_sign_in_at": customer.last_sign_in_at,
            "ended_at": customer.ended_at,
            "cooling_until": customer.cooling_until,
        }

    def _opened(self, row: Row | None) -> Customer | None:
        if row is None:
            self._keys.spend(len(SEALED))
            return None
        customer_id: str = row["customer_id"]

        def unseal(column: str) -> str:
            return self._keys.decrypt(row[f"{column}_sealed"], f"customer.{column}:{customer_id}").decode()

        return Customer(
            customer_id=customer_id,
            core_ref=unseal("core_ref"),
            name=unseal("name"),
            phone=unseal("phone"),
            user_name=None if row["user_name_sealed"] is None else unseal("user_name"),
            password_hash=row["password_hash"],
            created_at=row["created_at"],
            last_sign_in_at=row["last_sign_in_at"],
            ended_at=row["ended_at"],
            cooling_until=row["cooling_until"],
        )
