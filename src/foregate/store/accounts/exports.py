"""Files that customers asked for, and what they want to be told. No row read earlier decides who makes a file."""

from __future__ import annotations

from typing import Final

from sqlalchemy import bindparam, select, update

from foregate.ids import customer_id_of
from foregate.ports.exports import Alerts, Export, Format
from foregate.rules import limits
from foregate.store.accounts.export_tables import account_export, alert_choice, alert_told
from foregate.store.keyring import Keys
from foregate.store.statements import Connection, Row, Statement, insert_into, number, text_of, time_of, word

_x, _now = account_export.c, time_of("now")
_LISTED: Final = [column for column in account_export.columns if column.name != "body_sealed"]
_PUT: Final = Statement(insert_into(account_export).on_conflict_do_nothing().returning(account_export.c.export_id))
_OF: Final = Statement(
    select(*_LISTED)
    .where(_x.customer_id == text_of("of_customer"), _x.expires_at > _now)
    .order_by(_x.created_at.desc(), _x.export_id.desc())
    .limit(number(limits.EXPORTS_PER_CUSTOMER))
)
_FIND: Final = Statement(
    select(account_export).where(
        _x.export_id == text_of("of_export"), _x.customer_id == text_of("of_customer"), _x.expires_at > _now
    )
)
_CLAIM: Final = Statement(
    update(account_export)
    .where(
        _x.export_id.in_(
            select(_x.export_id)
            .where(_x.status == word("waiting"), _x.next_at <= _now)
            .order_by(_x.next_at)
            .limit(number(1))
            .with_for_update(skip_locked=True)
        )
    )
    .values(tries=_x.tries + number(1), next_at=time_of("later"), done=number(0))
    .returning(*_LISTED)
)
_mine: Final = (
    _x.export_id == text_of("of_export"),
    _x.status == word("waiting"),
    _x.tries == time_of("of_try"),
)
_NOTE: Final = Statement(
    update(account_export).where(*_mine).values(done=bindparam("entries"), next_at=time_of("later"))
)
_END: Final = Statement(
    update(account_export)
    .where(*_mine)
    .values(status=bindparam("outcome"), done=bindparam("entries"), body_sealed=bindparam("body"))
)
_CHOICE: Final = Statement(select(alert_choice).where(alert_choice.c.customer_id == text_of("of_customer")))
_insert = insert_into(alert_choice)
_CHOOSE: Final = Statement(
    _insert.on_conflict_do_update(
        index_elements=["customer_id"],
        set_={c.name: _insert.excluded[c.name] for c in alert_choice.columns if c.name != "customer_id"},
    )
)
_TOLD: Final = Statement(insert_into(alert_told).on_conflict_do_nothing().returning(alert_told.c.customer_id))


class ExportsIn:
    """`ports.exports.Exports` in one transaction."""

    __slots__ = ("_connection", "_keys")

    def __init__(self, connection: Connection, keys: Keys) -> None:
        self._connection, self._keys = connection, keys

    async def put(self, row: Export) -> bool:
        """Have it made once this transaction is committed. False: it was asked for before."""
        put = await self._connection.one(
            _PUT,
            **{name: getattr(row, name) for name in _PLAIN},
            format=row.format.value,
            core_ref_sealed=self._keys.encrypt(row.core_ref.encode(), f"account_export.core_ref:{row.export_id}"),
            body_sealed=None,
        )
        return put is not None

    async def of(self, customer_id: str, now: int) -> tuple[Export, ...]:
        """Those that have not expired, the newest first."""
        rows = await self._connection.all(_OF, of_customer=customer_id, now=now)
        return tuple(self._export(row) for row in rows)

    async def find(self, customer_id: str, export_id: str, now: int) -> Export | None:
        """One of this customer's, with its body."""
        row = await self._connection.one(_FIND, of_customer=customer_id, of_export=export_id, now=now)
        if row is None:
            return None
        sealed = row["body_sealed"]
        body = None if sealed is None else self._keys.decrypt(sealed, f"account_export.body:{export_id}")
        return self._export(row, body)

    async def claim(self, now: int, lease_seconds: int) -> Export | None:
        """Take one up."""
        row = await self._connection.one(_CLAIM, now=now, later=now + lease_seconds)
        return self._export(row) if row else None

    async def note(self, export_id: str, tries: int, done: int, next_at: int) -> bool:
        """Say how far it is."""
        said = await self._connection.run(_NOTE, of_export=export_id, of_try=tries, entries=done, later=next_at)
        return said == 1

    async def end(self, row: Export, status: str, body: bytes | None) -> bool:
        """It is ready, or it failed."""
        sealed = None if body is None else self._keys.encrypt(body, f"account_export.body:{row.export_id}")
        ended = await self._connection.run(
            _END, of_export=row.export_id, of_try=row.tries, entries=row.done, outcome=status, body=sealed
        )
        return ended == 1

    def _export(self, row: Row, body: bytes | None = None) -> Export:
        place = f"account_export.core_ref:{row['export_id']}"
        return Export(
            **{name: row[name] for name in _PLAIN},
            format=Format(row["format"]),
            core_ref=self._keys.decrypt(row["core_ref_sealed"], place).decode(),
            body=body,
        )


_PLAIN: Final = (
    "export_id", "customer_id", "account_id", "language", "date_from", "date_to", "status", "done", "tries",
    "created_at", "next_at", "expires_at",
)  # fmt: skip


class AlertChoicesIn:
    """`ports.exports.AlertChoices` in one transaction."""

    __slots__ = ("_connection", "_keys")

    def __init__(self, connection: Connection, keys: Keys) -> None:
        self._connection, self._keys = connection, keys

    def customer_id(self, core_ref: str) -> str:
        """The id that a person of the core bank has here."""
        return customer_id_of(self._keys, core_ref)

    async def of(self, customer_id: str) -> Alerts | None:
        """What this customer chose; None: nothing ever."""
        row = await self._connection.one(_CHOICE, of_customer=customer_id)
        if row is None:
            return None
        return Alerts(
            customer_id=customer_id,
            money_in=bool(row["money_in"]),
            out_above_minor=row["out_above_minor"],
            sign_in=bool(row["sign_in"]),
            language=row["language"],
        )

    async def put(self, alerts: Alerts, now: int) -> None:
        """Remember what they chose."""
        await self._connection.run(
            _CHOOSE,
            customer_id=alerts.customer_id,
            money_in=int(alerts.money_in),
            out_above_minor=alerts.out_above_minor,
            sign_in=int(alerts.sign_in),
            language=alerts.language,
            changed_at=now,
        )

    async def note(self, customer_id: str, fingerprint: bytes, now: int) -> bool:
        """Remember that this was told."""
        row = await self._connection.one(_TOLD, customer_id=customer_id, fingerprint=fingerprint, told_at=now)
        return row is not None
