"""Case numbers: what somebody tried at the door goes with them to the counter, so that they need not explain again.

The visitor gets a number of 45 bits and a check symbol. What it stands for stays on the server, sealed: the journey's
real facts, which the visitor may not have earned. Staff read it at the console, and that is audited.
"""

from __future__ import annotations

import secrets
from typing import Final

from foregate.ports import Event, UnitOfWork
from foregate.ports.outlets import CaseFile
from foregate.rules import limits
from foregate.rules.appointments import CASE_SYMBOLS, spelled
from foregate.rules.limits import DAY
from foregate.rules.services import service_for

DRAWS: Final = 3  # two live cases with one number come up once in many lifetimes; a third draw is never needed


async def open_case(
    tx: UnitOfWork, journey_id: str, journey: str, told: str | None, facts: dict[str, str], chain: str, now: int
) -> CaseFile | None:
    """Return the case of a journey for what was `told` on it, opened now unless there is one. None: it has enough."""
    service = service_for(told, journey)
    for known in await tx.cases.of_journey(journey_id):
        if known.service == service.code:
            return known
    for _ in range(DRAWS):
        case = CaseFile(
            case_no=spelled(secrets.randbits(5 * CASE_SYMBOLS), CASE_SYMBOLS),
            journey_id=journey_id,
            service=service.code,
            facts={"journey": journey, "told": told or "", **facts},
            created_at=now,
            expires_at=now + limits.CASE_DAYS * DAY,
        )
        if await tx.cases.insert(case):
            event = Event(chain=chain, kind="case-opened", journey_id=journey_id, details={"service": service.code})
            await tx.audit.record(event, now)
            return case
    return None
