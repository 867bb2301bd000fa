"""How a customer stands, in one look: what the engine has to know after possession, from all the tables that say it.

One statement in place of five, for everybody alike: it costs a customer who has all of this what it costs nobody.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from sqlalchemy import exists, select, union_all

from foregate.ports import Condition, CounterRow
from foregate.rules.permission import Permission
from foregate.rules.words import FACE, PASSKEY, PERMIT
from foregate.store.counter.permit_tables import permit
from foregate.store.face_tables import face_template
from foregate.store.passkey_tables import passkey
from foregate.store.statements import Row, Statement, number, text_of, word
from foregate.store.tables import counter, customer, permission

_of = text_of("of_customer")
_c, _p = counter.c, permission.c

_KEPT: Final = ((FACE, face_template), (PASSKEY, passkey), (PERMIT, permit))
_NOTHING: Final = number(0)


CONDITION: Final = Statement(
    union_all(
        select(
            word("counter").label("what"), _c.counter.label("name"), _c.lane.label("lane"),
            _c.in_a_row.label("first"), _c.total.label("second"), _c.blocked_until.label("third"),
        ).where(_c.customer_id == _of),
        select(word("permission"), _p.state, _p.lane, _NOTHING, _NOTHING, _NOTHING).where(_p.customer_id == _of),
        *(
            select(word("keeps"), word(proof.name), word(""), _NOTHING, _NOTHING, _NOTHING)
            .where(exists().where(table.c.customer_id == _of))
            for proof, table in _KEPT
        ),
        select(
            word("customer"), word(""), word(""), customer.c.last_sign_in_at, customer.c.cooling_until, _NOTHING
        ).where(customer.c.customer_id == _of),
    )
)  # fmt: skip


def condition_of(rows: Sequence[Row]) -> Condition:
    """Return what the rows of CONDITION say."""
    counters: list[CounterRow] = []
    lanes: dict[str, Permission] = {}
    keeps: set[str] = set()
    last_sign_in_at, cooling_until = None, 0
    for row in rows:
        match row["what"]:
            case "counter":
                counters.append(CounterRow(row["name"], row["lane"], row["first"], row["second"], row["third"]))
            case "permission":
                lanes[row["lane"]] = Permission(row["name"])
            case "keeps":
                keeps.add(row["name"])
            case "customer":
                last_sign_in_at, cooling_until = row["first"], row["second"]
    return Condition(
        counters=tuple(counters),
        permission=lanes,
        keeps=frozenset(keeps),
        last_sign_in_at=last_sign_in_at,
        cooling_until=cooling_until,
    )
