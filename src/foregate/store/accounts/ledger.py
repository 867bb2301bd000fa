"""The embedded ledger: postings, and the entries that follow from them.

Theory of operation
  Whoever changes an account holds its row first, so its entries get their numbers one after the other, and what is
  read between holding and writing stays true. The bank's own accounts are never held: nothing is read from them, their
  balance is the sum of their postings whenever somebody asks.
  What was told before is known by its fingerprint, a posting by its reference; both are unique in the database.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import msgspec
from sqlalchemy import BindParameter, LargeBinary, bindparam, delete, select, update

from foregate.ids import derived_id, new_id
from foregate.ports.accounts import Account, Balance, EntryStatus
from foregate.ports.errors import Taken
from foregate.ports.ledger import Held, Outcome, StatementRow, Told
from foregate.rules import limits
from foregate.rules.money import BadMoney, Money
from foregate.store.accounts import tables
from foregate.store.accounts.rows import account_of, identification_digest, sealed_account, sealed_entry, signs_of
from foregate.store.accounts.verify import verify_accounts
from foregate.store.keyring import Keys
from foregate.store.statements import Connection, Row, Statement, Value, insert_into, number, text_of, time_of

CARRIED: Final = "carried"
_a, _b, _e, _s = tables.account.c, tables.balance.c, tables.entry.c, tables.statement.c
_this: Final = _a.account_id == text_of("of_account")
_mine: Final = _e.account_id == text_of("of_account")


def _bytes_of(name: str) -> BindParameter[bytes]:
    return bindparam(name, type_=LargeBinary())


_BY_NUMBER: Final = Statement(select(tables.account).where(_a.identification_digest == _bytes_of("digest")))
_OPEN: Final = Statement(insert_into(tables.account).on_conflict_do_nothing())
_BY_ID: Final = Statement(select(tables.account).where(_this))
_HOLD: Final = Statement(select(_a.booked_minor, _a.last_sequence, _a.anchored_on).where(_this).with_for_update())
_MOVE: Final = Statement(
    update(tables.account)
    .where(_this)
    .values(
        booked_minor=_a.booked_minor + time_of("moved"),
        last_sequence=_a.last_sequence + time_of("added"),
        version=_a.version + number(1),
        changed_at=time_of("now"),
    )
)
_TOUCH: Final = Statement(update(tables.account).where(_this).values(version=_a.version + number(1)))
_KNOWN: Final = Statement(
    select(_e.fingerprint, _e.sequence, _e.status).where(
        _mine, _e.fingerprint.in_([_bytes_of(f"fingerprint_{n}") for n in range(limits.ENTRY_BATCH)])
    )
)
_POST: Final = Statement(insert_into(tables.posting))
_POST_ONCE: Final = Statement(
    insert_into(tables.posting)
    .on_conflict_do_nothing(index_elements=["reference_digest"])
    .returning(tables.posting.c.posting_id)
)
_ENTER: Final = Statement(insert_into(tables.entry))
_FORGET: Final = Statement(
    delete(tables.entry).where(_mine, _e.fingerprint == _bytes_of("fingerprint"), _e.status != tables.BOOKED)
)
_reporting = insert_into(tables.balance)
_REPORT: Final = Statement(
    _reporting.on_conflict_do_update(
        index_elements=["account_id", "balance_type"],
        set_={
            name: _reporting.excluded[name]
            for name in ("reference_date", "amount_minor", "credit_line_included", "reported_at")
        },
        where=_b.reference_date <= _reporting.excluded.reference_date,
    )
)
_IMPORTED: Final = Statement(
    select(_s.number).where(_s.account_id == text_of("of_account"), _s.digest == _bytes_of("of_digest"))
)
_CLOSE: Final = Statement(insert_into(tables.statement).on_conflict_do_nothing())
_NEWEST: Final = Statement(
    select(_s.digest, _s.closing_day, _s.closing_minor)
    .where(_s.account_id == text_of("of_account"), _s.closing_day > text_of("no_day"))
    .order_by(_s.closing_day.desc(), _s.number.desc())
    .limit(number(2))
)
_ANCHOR: Final = Statement(update(tables.account).where(_this).values(anchored_on=text_of("day")))
_AFTER: Final = Statement(
    select(tables.total(_e.amount_minor).label("moved")).where(
        _mine, _e.status == tables.BOOKED, _e.day > text_of("day")
    )
)


class LedgerIn:
    """`ports.ledger.Ledger` in one transaction."""

    __slots__ = ("_connection", "_keys", "_own")

    def __init__(self, connection: Connection, keys: Keys) -> None:
        self._connection, self._keys = connection, keys
        self._own: dict[tuple[str, str], str] = {}

    async def open(self, account: Account, now: int, *, is_live: bool, credit_line: Money | None = None) -> Account:
        """Open an account, or return the one that has this identification and currency."""
        made = msgspec.structs.replace(account, account_id=account.account_id or new_id())
        row = sealed_account(self._keys, made, now)
        row["anchored_on"] = tables.LIVE if is_live else ""
        row["credit_line_minor"] = None if credit_line is None else credit_line.minor
        await self._connection.run(_OPEN, **row)
        found = await self._connection.one(_BY_NUMBER, digest=row["identification_digest"])
        if found is None:
            raise Taken("account_id")
        return account_of(self._keys, found)

    async def find(
        self, scheme_name: str, identification: str, currency: str, *, clearing_member_id: str = ""
    ) -> Account | None:
        """The account with this number, whoever owns it."""
        digest = identification_digest(self._keys, scheme_name, identification, currency, clearing_member_id)
        row = await self._connection.one(_BY_NUMBER, digest=digest)
        return account_of(self._keys, row) if row else None

    async def hold(self, account: Account) -> Held | None:
        """Nobody else changes this account until the transaction ends."""
        row = await self._connection.one(_HOLD, of_account=account.account_id)
        if row is None:
            return None
        return Held(
            is_live=row["anchored_on"] == tables.LIVE,
            booked=Money(row["booked_minor"], account.currency),
            last_sequence=row["last_sequence"],
        )

    async def tell(self, account: Account, told: Sequence[Told], now: int, *, source: str) -> Outcome:
        """Write entries in this order, those that are not there yet; post those that are booked."""
        held = await self._held(account)
        known = await self._known(account, [one.fingerprint for one in told])
        new = [one for one in {one.fingerprint: one for one in told}.values() if one.fingerprint not in known]
        other = await self._bank_account(source, account.currency, now)
        postings: list[dict[str, Value]] = []
        posting_ids: list[str | None] = []
        for one in new:
            moved = one.entry.signed.minor if one.entry.status is EntryStatus.BOOKED else 0
            posting_ids.append(new_id() if moved else None)
            if moved:
                reference = f"{account.account_id}:{one.fingerprint.hex()}"
                postings.append(self._posting(posting_ids[-1], reference, account, other, moved, now))
        await self._connection.run_many(_POST, postings)
        replaced = await self._enter(account, held, new, posting_ids, now)
        return Outcome(added=len(new), unchanged=len(told) - len(new), replaced=replaced)

    async def transfer(self, payer: Account, payee: Account, paid: Told, got: Told, now: int) -> bool:
        """One posting between two accounts here, and an entry in each."""
        if paid.entry.signed != -got.entry.signed or paid.entry.signed.minor >= 0:
            raise BadMoney("a transfer takes from one what it gives to the other")
        # In the order of their ids, so that nobody waits in a circle.
        held = {one.account_id: await self._held(one) for one in sorted((payer, payee), key=lambda one: one.account_id)}
        reference = f"{payer.account_id}:{payee.account_id}:{paid.fingerprint.hex()}"
        posting = self._posting(new_id(), reference, payer, payee.account_id, paid.entry.signed.minor, now)
        row = await self._connection.one(_POST_ONCE, **posting)
        if row is None:
            return False
        for account, told in ((payer, paid), (payee, got)):
            await self._enter(account, held[account.account_id], [told], [row["posting_id"]], now)
        return True

    async def forget_waiting(self, account: Account, fingerprint: bytes) -> bool:
        """An entry that was not booked is no more."""
        gone = await self._connection.run(_FORGET, of_account=account.account_id, fingerprint=fingerprint)
        if gone:
            await self._connection.run(_TOUCH, of_account=account.account_id)
        return bool(gone)

    async def report(self, account: Account, balances: Sequence[Balance], now: int) -> None:
        """Remember what a statement said; of each type the latest day stays."""
        rows: list[Mapping[str, Value]] = [
            {
                "account_id": account.account_id,
                "balance_type": balance.balance_type,
                "reference_date": balance.reference_date,
                "amount_minor": balance.signed.minor,
                "credit_line_included": int(balance.credit_line_included),
                "reported_at": now,
            }
            for balance in balances
        ]
        await self._connection.run_many(_REPORT, rows)

    async def is_imported(self, account: Account, digest: bytes) -> bool:
        """Whether this statement was imported whole."""
        row = await self._connection.one(_IMPORTED, of_account=account.account_id, of_digest=digest)
        return row is not None

    async def close_statement(self, account: Account, row: StatementRow, now: int) -> Money | None:
        """Remember a statement, and make the ledger agree with the newest one."""
        held = await self._held(account)
        if held.is_live:
            raise ValueError("a live account is told everything: no statement says what it holds")
        await self._connection.run(_MOVE, of_account=account.account_id, moved=0, added=0, now=now)
        moved = await self._connection.one(_BY_ID, of_account=account.account_id)
        values: dict[str, Value] = {
            "account_id": account.account_id,
            "digest": row.digest,
            "kind": row.kind,
            "closing_day": row.closing_day if row.closing is not None else "",
            "opening_minor": None if row.opening is None else row.opening.minor,
            "closing_minor": None if row.closing is None else row.closing.minor,
            "entries": row.entries,
            "number": moved["version"] if moved else 0,
            "imported_at": now,
        }
        if not await self._connection.run(_CLOSE, **values) or row.closing is None:
            return None
        return await self._carry(account, held, row.digest, now)

    async def _carry(self, account: Account, held: Held, digest: bytes, now: int) -> Money | None:
        """Post what the entries do not explain, so that booked is what the newest statement and what followed say."""
        mine = account.account_id
        statements = await self._connection.all(_NEWEST, of_account=mine, no_day="")
        newest = statements[0]
        after = await self._connection.one(_AFTER, of_account=mine, day=newest["closing_day"])
        target = newest["closing_minor"] + (after["moved"] if after else 0)
        missing = target - held.booked.minor
        if missing:
            other = await self._bank_account(CARRIED, account.currency, now)
            reference = f"{mine}:{CARRIED}:{digest.hex()}"
            await self._connection.run(_POST, **self._posting(new_id(), reference, account, other, missing, now))
            await self._connection.run(_MOVE, of_account=mine, moved=missing, added=0, now=now)
        await self._connection.run(_ANCHOR, of_account=mine, day=newest["closing_day"])
        is_gap = missing and len(statements) > 1 and newest["digest"] == digest
        return Money(missing, account.currency) if is_gap else None

    async def verify(self, after: str, limit: int) -> tuple[tuple[str, str], ...]:
        """Recompute the next accounts; say of each what is wrong with it, nothing when nothing is."""
        return await verify_accounts(self._connection, after, limit)

    async def _held(self, account: Account) -> Held:
        held = await self.hold(account)
        if held is None:
            raise LookupError("no such account")
        return held

    async def _known(self, account: Account, fingerprints: Sequence[bytes]) -> dict[bytes, Row]:
        if not fingerprints:
            return {}
        padded = {
            f"fingerprint_{n}": fingerprints[n] if n < len(fingerprints) else b"" for n in range(limits.ENTRY_BATCH)
        }
        rows = await self._connection.all(_KNOWN, of_account=account.account_id, **padded)
        return {bytes(row["fingerprint"]): row for row in rows}

    async def _enter(
        self, account: Account, held: Held, told: Sequence[Told], posting_ids: Sequence[str | None], now: int
    ) -> int:
        """Write entries, and move the account by those that are booked. Returns how many replaced a waiting one."""
        waiting = await self._known(account, [one.waiting for one in told if one.waiting])
        replaces = {
            fingerprint: row["sequence"] for fingerprint, row in waiting.items() if row["status"] != EntryStatus.BOOKED
        }
        booked, signs = held.booked, signs_of(self._keys, account.account_id)
        rows: list[dict[str, Value]] = []
        for n, (one, posting_id) in enumerate(zip(told, posting_ids, strict=True), held.last_sequence + 1):
            _refuse_strange(account, one)
            if one.entry.status is EntryStatus.BOOKED:
                booked += one.entry.signed
            old = replaces.get(one.waiting, 0)
            entry = msgspec.structs.replace(
                one.entry,
                account_id=account.account_id,
                sequence=n,
                replaces_entry_id=str(old) if old else None,
                balance_after_transaction=one.entry.balance_after_transaction
                or (booked if held.is_live and one.entry.status is EntryStatus.BOOKED else None),
            )
            row = sealed_entry(self._keys, signs, entry)
            rows.append(row | {"posting_id": posting_id, "fingerprint": one.fingerprint})
        if abs(booked.minor) > limits.AMOUNT_MINOR_MAX:
            raise BadMoney("more than anybody owns")
        gone: list[dict[str, Value]] = [
            {"of_account": account.account_id, "fingerprint": fingerprint} for fingerprint in replaces
        ]
        await self._connection.run_many(_FORGET, gone)
        await self._connection.run_many(_ENTER, rows)
        moved = (booked - held.booked).minor
        if rows:
            await self._connection.run(_MOVE, of_account=account.account_id, moved=moved, added=len(rows), now=now)
        return len(replaces)

    async def _bank_account(self, name: str, currency: str, now: int) -> str:
        """Return the id of one of the bank's own accounts; the first to ask opens it."""
        found = self._own.get((name, currency))
        if found is None:
            found = derived_id(self._keys, "ledger-account", f"{name}:{currency}")
            own = Account(account_id=found, core_ref="", scheme_name="INTERNAL", identification=name, currency=currency)
            await self._connection.run(_OPEN, **sealed_account(self._keys, own, now))
            self._own[name, currency] = found
        return found

    def _posting(
        self, posting_id: str | None, reference: str, account: Account, other: str, moved: int, now: int
    ) -> dict[str, Value]:
        """Return a posting that moves `account` by `moved` minor units, up or down."""
        sides = (other, account.account_id) if moved > 0 else (account.account_id, other)
        return {
            "posting_id": posting_id,
            "reference_digest": self._keys.digest("posting", reference),
            "debit_account_id": sides[0],
            "credit_account_id": sides[1],
            "currency": account.currency,
            "amount_minor": abs(moved),
            "posted_at": now,
        }


def _refuse_strange(account: Account, told: Told) -> None:
    """Raises BadMoney for what no entry of this account can be."""
    entry = told.entry
    if entry.amount.currency != account.currency:
        raise BadMoney("an entry is in the currency of its account")
    if entry.amount.minor < 0:
        raise BadMoney("an entry's sign is its indicator")
