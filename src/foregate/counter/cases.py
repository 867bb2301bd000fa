"""What somebody tried at the door, by the number that they bring along: so that nobody has to explain it again.

The facts are the journey's real ones, of which the visitor may have heard less. Whoever reads them has looked for the
case with a reason, and that they read it is written down: on their own chain, and on the customer's where there is one.
"""

from __future__ import annotations

from foregate.counter.guard import Doing
from foregate.counter.views import CaseView
from foregate.ports.outlets import CaseFile


async def read_case(doing: Doing, case_no: str) -> tuple[CaseView, str] | None:
    """Return a case and whose it is ("": nobody was recognised); None: there is none. `case_no` in normal form."""
    case = await doing.tx.cases.find(case_no, doing.now)
    if case is None:
        return None
    customer_id = case.facts.get("customer_id", "")
    await doing.record("case-read", subject=customer_id or None, journey=case.facts.get("journey", ""))
    return view_of(case), customer_id


def view_of(case: CaseFile) -> CaseView:
    """Return a case as shown. Nothing of whose it is stands in it: that is the file's to show, masked."""
    proved = case.facts.get("proved", "")
    return CaseView(
        case_no=case.case_no,
        service=case.service,
        journey=case.facts.get("journey", ""),
        status=case.facts.get("status", ""),
        who=case.facts.get("who", ""),
        told=case.facts.get("told", ""),
        kept_back=case.facts.get("flaw", ""),
        proved=tuple(proved.split("+")) if proved else (),
        opened_at=case.created_at,
        expires_at=case.expires_at,
    )
