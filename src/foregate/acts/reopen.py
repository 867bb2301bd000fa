"""Act `reopen`: login permission is open again in every lane, and the counters of what people know start anew.

It does not sign in (design: after reopen nobody is signed in), and the totals towards the hundredth failure stay.
"""

from __future__ import annotations

from typing import Any

from foregate.acts import Done, prepare_nothing, record, tell
from foregate.rules.permission import ALL, Permission
from foregate.situation import Refused, Situation

ACTS = ("reopen",)
INPUT = None
prepare = prepare_nothing
CLEARED = ("password", "card_pin", "face")


async def admit(at: Situation) -> Refused | None:
    """What the bank closed only the bank opens."""
    state = (await at.tx.permissions.of(at.subject.customer_id)).get(ALL, Permission.OPEN)
    return Refused(cause="closed-by-bank") if state is Permission.CLOSED_BY_BANK else None


async def perform(prepared: Any, at: Situation) -> Done | Refused:
    """Open every lane; a customer who was only long away is current again."""
    customer = at.customer
    if customer is None:
        return Refused(cause="not-registered")
    await at.tx.permissions.open_all(customer.customer_id, at.now)
    await at.tx.counters.clear(customer.customer_id, CLEARED)
    await at.tx.customers.signed_in(customer.customer_id, at.now)  # disuse is counted from here
    await tell(at, "sms.reopened", customer.phone)
    await record(at, "permission-reopened")
    return Done()
