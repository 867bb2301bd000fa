"""Act `close-permission` (the journey `freeze`): "I lost my phone". Closed at once, everywhere, by one proof.

Every session ends and every journey under way dies, so the finder of the phone is out as well. The way back is
`reopen`, which asks for two categories.
"""

from __future__ import annotations

from typing import Any

from foregate.acts import Done, admit_anybody, prepare_nothing, record, tell
from foregate.rules import permission
from foregate.rules.permission import ALL, Permission
from foregate.situation import Refused, Situation

ACTS = ("close-permission",)
INPUT = None
admit = admit_anybody  # anybody may protect themselves
prepare = prepare_nothing


async def perform(prepared: Any, at: Situation) -> Done | Refused:
    """Close, end, void, tell. Doing it twice is doing it once."""
    customer = at.customer
    if customer is None:
        return Refused(cause="not-registered")
    was = (await at.tx.permissions.of(customer.customer_id)).get(ALL, Permission.OPEN)
    to = permission.after(was, permission.Event.FROZEN)
    await at.tx.permissions.move(customer.customer_id, ALL, was, to, at.now)
    await at.tx.sessions.end_all(customer.customer_id)
    await at.tx.customers.end_earlier(customer.customer_id, at.now)
    await at.tx.journeys.void_others(customer.customer_id, at.journey_id)
    await at.tx.permits.end_all(customer.customer_id)
    await tell(at, "sms.frozen", customer.phone)
    await record(at, "permission-closed", by="customer")
    return Done(ends_session=True)
