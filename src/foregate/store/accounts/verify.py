"""Whether the ledger is what its postings say. Nothing is believed that was written beside them."""

from __future__ import annotations

from typing import Final

from sqlalchemy import and_, case, func, or_, select

from foregate.store.accounts import tables
from foregate.store.statements import Connection, Row, Statement, number, text_of, time_of

_a, _e, _p = tables.account.c, tables.entry.c, tables.posting.c
_mine: Final = _e.account_id == text_of("of_account")

_NEXT: Final = Statement(
    select(_a.account_id, _a.booked_minor, _a.last_sequence, _a.anchored_on)
    .where(_a.account_id > text_of("after"), _a.core_ref != text_of("nobody"))
    .order_by(_a.account_id)
    .limit(time_of("how_many"))
)
_GOT: Final = Statement(
    select(tables.total(_p.amount_minor).label("minor")).where(_p.credit_account_id == text_of("of_account"))
)
_GAVE: Final = Statement(
    select(tables.total(_p.amount_minor).label("minor")).where(_p.debit_account_id == text_of("of_account"))
)
_moved: Final = case((_p.credit_account_id == _e.account_id, _p.amount_minor), else_=-_p.amount_minor)
# An entry that moved money, and the posting that it names: of this account, and of this amount.
_WITHOUT_POSTING: Final = Statement(
    select(func.count().label("entries"))
    .select_from(tables.entry)
    .outerjoin(
        tables.posting,
        and_(
            _p.posting_id == _e.posting_id,
            or_(_p.credit_account_id == _e.account_id, _p.debit_account_id == _e.account_id),
            _moved == _e.amount_minor,
        ),
    )
    .where(_mine, _e.status == tables.BOOKED, _e.amount_minor != number(0), _p.posting_id.is_(None))
)
_running: Final = (
    select(
        _e.sequence,
        _e.balance_after_minor,
        func.sum(_e.amount_minor).over(order_by=_e.sequence).label("should_be"),
    )
    .where(_mine, _e.status == tables.BOOKED)
    .subquery()
)
_WRONG_AFTER: Final = Statement(
    select(func.count().label("entries"))
    .select_from(_running)
    .where(_running.c.balance_after_minor != _running.c.should_be)
)
_LAST: Final = Statement(select(func.coalesce(func.max(_e.sequence), number(0)).label("sequence")).where(_mine))


async def verify_accounts(connection: Connection, after: str, limit: int) -> tuple[tuple[str, str], ...]:
    """Recompute the next `limit` accounts behind `after`; say of each what is wrong with it."""
    rows = await connection.all(_NEXT, after=after, nobody="", how_many=limit)
    return tuple([(row["account_id"], await _wrong_with(connection, row)) for row in rows])


async def _wrong_with(connection: Connection, account: Row) -> str:
    """Return what is wrong with an account, empty for nothing. Amounts stay out of it: it is printed."""
    mine = account["account_id"]
    got = await connection.one(_GOT, of_account=mine)
    gave = await connection.one(_GAVE, of_account=mine)
    if got is None or gave is None or got["minor"] - gave["minor"] != account["booked_minor"]:
        return "what is booked is not the sum of the postings"
    strange = await connection.one(_WITHOUT_POSTING, of_account=mine)
    if strange is None or strange["entries"]:
        return "an entry has no posting of its amount"
    last = await connection.one(_LAST, of_account=mine)
    if last is None or last["sequence"] > account["last_sequence"]:
        return "an entry has a number that was never given out"
    if account["anchored_on"] == tables.LIVE:
        wrong = await connection.one(_WRONG_AFTER, of_account=mine)
        if wrong is None or wrong["entries"]:
            return "a balance after an entry is not the sum up to it"
    return ""
