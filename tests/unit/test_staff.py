"""The rules of the counter: who may do what, and who consents to whom."""

from typing import Any

import pytest

from foregate.counter.timeline import GROUP_OF, GROUPS
from foregate.doors.text import catalog
from foregate.rules import limits, staff
from foregate.rules.findings import FINDINGS
from foregate.rules.footing import Lost
from foregate.rules.staff import COUNTER_ACTS, OBJECTIONS, RIGHTS, WHO_MAY, Proposed, Right, Role, Standing
from foregate.rules.verdict import HEADLINES

NOW = 1_800_000_000
SHOWN = b"d" * 32

# Held against the table by somebody who did not write it (TEL-03): roles by their first letters.
EXPECTED = {
    "search": "tsua", "see-file": "tsu", "see-timeline": "tsu", "see-verdict": "tsu", "see-proposals": "tsua",
    "propose-replace-phone": "ts", "consent-replace-phone": "ts", "propose-unfreeze": "ts", "consent-unfreeze": "ts",
    "propose-correct-document": "ts", "consent-correct-document": "ts", "end-sessions": "ts",
    "hand-over-appointment": "ts", "run-queue": "ts", "release-hold": "sa", "see-staff": "sua", "create-staff": "a",
    "change-staff": "a", "deactivate-staff": "a",
    "reactivate-staff": "a", "reset-credentials": "a", "propose-administrator": "a",
    "consent-administrator": "a", "propose-administrator-reset": "a", "consent-administrator-reset": "a",
    "manage-outlets": "a", "manage-services": "a", "manage-hours": "a", "audit-customer": "ua", "audit-staff": "ua",
    "export-audit": "ua",
}  # fmt: skip
LETTERS = {"t": Role.TELLER, "s": Role.SUPERVISOR, "u": Role.AUDITOR, "a": Role.ADMINISTRATOR}


def a_member(staff_id: str = "maker", **changes: Any) -> Standing:
    values: dict[str, Any] = {"staff_id": staff_id, "role": Role.TELLER, "outlet_id": "east"}
    return Standing(**{**values, **changes})


def a_proposal(**changes: Any) -> Proposed:
    values: dict[str, Any] = {
        "act": "replace-phone", "maker": "maker", "outlet_id": "east", "state": "proposed", "digest": SHOWN,
        "awaits_code": False, "expires_at": NOW + 1,
    }  # fmt: skip
    return Proposed(**{**values, **changes})


def test_who_may_what() -> None:
    """Every verb has exactly the roles that were meant, and no role a verb that was not."""
    assert {right: {LETTERS[letter] for letter in roles} for right, roles in EXPECTED.items()} == {
        right.value: set(roles) for right, roles in WHO_MAY.items()
    }
    assert set(Right) == set(WHO_MAY)
    assert all(RIGHTS[role] == {right for right in Right if role in WHO_MAY[right]} for role in Role)


def test_nobody_who_administers_touches_a_customer() -> None:
    """Who makes tellers is none, and who audits changes nothing."""
    acts = {right for act in COUNTER_ACTS.values() if not act.is_on_staff for right in (act.propose, act.consent)}
    for role in (Role.ADMINISTRATOR, Role.AUDITOR):
        assert set() == RIGHTS[role] & acts
    assert all(right.value.startswith(("search", "see-", "audit-", "export-")) for right in RIGHTS[Role.AUDITOR])


@pytest.mark.parametrize(
    ("changes", "is_open", "core_ref", "objection"),
    [
        ({}, True, "C9", None),
        ({}, True, None, None),
        ({"is_active": False}, True, None, "not-active"),
        ({"role": Role.AUDITOR, "outlet_id": None}, True, None, "no-right"),
        ({"outlet_id": None}, True, None, "no-right"),
        ({}, False, None, "outside-hours"),
        ({"core_ref": "C9"}, True, "C9", "own-login"),
        ({"core_ref": "C9"}, True, None, None),
        ({"is_held": True}, True, None, "on-hold"),
    ],
)
def test_who_may_act(changes: dict[str, Any], is_open: bool, core_ref: str | None, objection: str | None) -> None:
    """Active, of the right role, at an outlet that is open, not on their own login, not on hold."""
    right = Right.PROPOSE_REPLACE_PHONE
    assert objection == staff.may(a_member(**changes), right, is_open=is_open, core_ref=core_ref)


def test_who_stands_at_no_counter_has_no_hours() -> None:
    """Auditors and administrators work when they work."""
    auditor = a_member(role=Role.AUDITOR, outlet_id=None)
    assert None is staff.may(auditor, Right.AUDIT_STAFF, is_open=False)


@pytest.mark.parametrize(
    ("checker", "maker", "proposal", "objection"),
    [
        ({}, {}, {}, None),
        ({"role": Role.SUPERVISOR}, {}, {}, None),
        ({"staff_id": "maker"}, {}, {}, "same-person"),
        ({"outlet_id": "west"}, {}, {}, "other-outlet"),
        ({}, {"outlet_id": "west"}, {}, "other-outlet"),
        ({}, {}, {"outlet_id": "west"}, "other-outlet"),
        ({"role": Role.AUDITOR}, {}, {}, "no-right"),
        ({}, {"is_active": False}, {}, "not-active"),
        ({}, {"is_held": True}, {}, "on-hold"),
        ({}, {"core_ref": "C9"}, {}, "own-login"),
        ({"core_ref": "C9"}, {}, {}, "own-login"),
        ({}, {}, {"expires_at": NOW}, "proposal-expired"),
        ({}, {}, {"state": "expired"}, "proposal-expired"),
        ({}, {}, {"state": "consented"}, "proposal-settled"),
        ({}, {}, {"state": "done"}, "proposal-settled"),
        ({}, {}, {"state": "refused"}, "proposal-settled"),
        ({}, {}, {"digest": b"x" * 32}, "proposal-swapped"),
        ({}, {}, {"awaits_code": True}, "number-not-proved"),
        ({}, {}, {"act": "end-sessions"}, "no-right"),
    ],
)
def test_who_may_consent(
    checker: dict[str, Any], maker: dict[str, Any], proposal: dict[str, Any], objection: str | None
) -> None:
    """A second person at the same outlet, to what was shown, in time, once; and both still may."""
    found = staff.may_consent(
        a_member(**maker), a_member(**{"staff_id": "checker", **checker}), a_proposal(**proposal), SHOWN,
        now=NOW, is_open=True, core_ref="C9",
    )  # fmt: skip
    assert objection == found


def test_acts_on_staff_are_bound_to_no_outlet() -> None:
    """Two administrators, wherever they are."""
    maker, checker = (a_member(name, role=Role.ADMINISTRATOR, outlet_id=None) for name in ("maker", "checker"))
    proposal = a_proposal(act="make-administrator", outlet_id=None)
    assert None is staff.may_consent(maker, checker, proposal, SHOWN, now=NOW, is_open=False, core_ref=None)


def test_what_changes_who_gets_in_takes_two() -> None:
    """One person alone only takes away; proposals wait for half an hour, or a day where nobody stands waiting."""
    assert {"end-sessions"} == {act.name for act in COUNTER_ACTS.values() if act.persons == 1}
    for act in COUNTER_ACTS.values():
        assert (act.persons == 2) == (act.consent is not None)
        assert act.expires_seconds <= limits.PROPOSAL_SECONDS_MAX
        assert act.is_on_staff != act.shows_document
    assert {"replace-phone"} == {act.name for act in COUNTER_ACTS.values() if act.needs_code}


def test_a_hold_is_lifted_by_somebody_else_at_the_same_outlet() -> None:
    """Or by an administrator; never by oneself."""
    held = a_member("held", is_held=True)
    supervisor = a_member("supervisor", role=Role.SUPERVISOR)
    far = a_member("far", role=Role.SUPERVISOR, outlet_id="west")
    administrator = a_member("administrator", role=Role.ADMINISTRATOR, outlet_id=None)
    assert [None, "other-outlet", None, "no-right", "same-person"] == [
        staff.may_release(who, whom, is_open=True)
        for who, whom in (
            (supervisor, held), (far, held), (administrator, held), (a_member("teller"), held),
            (supervisor, supervisor),
        )
    ]  # fmt: skip


def test_every_objection_names_a_way_on() -> None:
    """Each has remedies that a page can offer, and words; so has all that a file or a timeline says."""
    assert all(objection.remedies for objection in OBJECTIONS.values())
    assert {remedy for objection in OBJECTIONS.values() for remedy in objection.remedies} <= staff.CONSOLE_REMEDIES
    needed = [f"objection.{name}.{part}" for name in (*OBJECTIONS, *staff.ALARMS) for part in ("title", "detail")]
    needed += [f"proposal.remedy.{name}" for name in staff.CONSOLE_REMEDIES]
    needed += [f"proposal.{part}.{name}" for name in COUNTER_ACTS for part in ("act", "lead")]
    needed += [f"proposal.done.{name}.{part}" for name in COUNTER_ACTS for part in ("title", "detail")]
    needed += [f"timeline.{kind}" for kind in (*GROUP_OF, "other")]
    needed += [f"timeline.group.{group}" for group in (*GROUPS, "other")]
    needed += [f"verdict.headline.{name}" for name in HEADLINES] + [f"verdict.finding.{name}" for name in FINDINGS]
    needed += [f"verdict.lost.{lost}" for lost in Lost]
    for language in catalog.languages():
        assert [] == [key for key in needed if not catalog.has(language, key)]
