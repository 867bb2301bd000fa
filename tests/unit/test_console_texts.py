"""Everything that the console's templates compose has its words, in every language."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from foregate.counter import sessions, sign_in, sign_in_enrol
from foregate.counter.timeline import GROUPS
from foregate.doors.console.files import FILTERS
from foregate.doors.console.queue import ENDED, STEPS
from foregate.doors.console.render import REASONS, TABS
from foregate.doors.console.sign_in import SAID
from foregate.doors.text import catalog
from foregate.rules.appointments import OPEN
from foregate.rules.footing import Lost
from foregate.rules.permission import Permission
from foregate.rules.staff import COUNTER_ACTS, OBJECTIONS, Role

REFUSALS = (
    sign_in.NOT_RECOGNISED, sign_in.RESTING, sign_in_enrol.CODE_UNKNOWN, sign_in_enrol.NOT_MADE, "busy-here",
)  # fmt: skip
CHANGED = ("phone", "document_expires_on", "document_issued_on", "permission", "sessions", "role")
STATES = ("consented", "done", "refused", "withdrawn", "expired")


def composed() -> Iterator[str]:
    """Every key that is put together from a name."""
    yield from (f"console.role.{role}" for role in Role)
    yield from (f"console.tab.{name}" for name, _, _ in TABS)
    yield from (f"console.method.{method}" for method in (sessions.PASSKEY, sessions.PASSWORD))
    yield from (f"console.reason.{reason}" for reason in REASONS)
    yield from (f"console.refused.{cause}.{part}" for cause in REFUSALS for part in ("title", "detail"))
    yield from (f"console.sign-in.{said}.{part}" for said in SAID for part in ("title", "detail"))
    yield from (f"console.queue.{step}" for step in STEPS)
    yield from (
        f"console.queue.said.{said}"
        for said in (*STEPS, "called", "nobody", "drawn", "refused", "texted", "texted-already")
    )
    yield from (f"console.queue.state-{state}" for state in (*ENDED, *OPEN))
    yield from (f"console.change.{field}" for field in CHANGED)
    yield from (f"console.permission.{state}" for state in Permission)
    yield from (f"console.proposal.state-{state}" for state in STATES)
    yield from (f"console.proposal.over-{state}" for state in STATES[2:])
    yield from (f"console.steps.{name}" for name in ("document", "number", "consent", "done"))
    yield from (f"console.found.by-{by}" for by in ("phone", "card", "document", "name", "case"))
    yield from (f"console.lane.{lane}" for lane in ("all", "unknown"))
    yield from (f"console.audit.{what}" for what in ("alarms", "staff", "customer"))
    for act in COUNTER_ACTS:
        yield from (f"proposal.act.{act}", f"proposal.done.{act}.title", f"proposal.done.{act}.detail")
        yield f"proposal.lead.{act}"
    for name, objection in OBJECTIONS.items():
        yield from (f"objection.{name}.title", f"objection.{name}.detail")
        yield from (f"proposal.remedy.{remedy}" for remedy in objection.remedies)
    yield from (f"timeline.group.{group}" for group in FILTERS)
    yield from (f"timeline.{kind}" for kinds in GROUPS.values() for kind in kinds)
    yield from (f"verdict.lost.{lost}" for lost in Lost)


@pytest.mark.parametrize("language", catalog.languages())
def test_every_composed_key_is_there(language: str) -> None:
    """No member of staff ever sees a key."""
    assert [] == sorted({key for key in composed() if not catalog.has(language, key)})
