"""What staff may do: rights by role, the counter's acts, and who may consent to what. One table each, on one screen.

Rules
  1. A verb that is not a right here does not exist, and every verb asks for its own right: no right includes another.
  2. Who stands at an outlet works in its hours, on customers who came there. Nobody ever acts on their own login.
  3. What changes who can get in takes two people: a maker and a checker, at the same outlet, each signed in.
  4. What is consented to is exactly what was proposed: a consent carries the digest that its giver was shown.
  5. An objection that no honest hand brings about by accident raises an alarm.

Theory of operation
  Nothing here reads a clock or a row. `may` is asked before anything is shown or done, with the member as the
  database knows them now; `may_consent` decides nothing by itself either: the same conditions stand in the guarded
  UPDATE that consents, and maker and checker differ by a CHECK constraint as well.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

import msgspec

from foregate.rules import limits


class Role(StrEnum):
    """What a member of staff is."""

    TELLER = "teller"
    SUPERVISOR = "supervisor"
    AUDITOR = "auditor"
    ADMINISTRATOR = "administrator"


AT_AN_OUTLET: Final = frozenset({Role.TELLER, Role.SUPERVISOR})


class Right(StrEnum):
    """One verb of the console."""

    SEARCH = "search"
    SEE_FILE = "see-file"
    SEE_TIMELINE = "see-timeline"
    SEE_VERDICT = "see-verdict"
    SEE_PROPOSALS = "see-proposals"
    PROPOSE_REPLACE_PHONE = "propose-replace-phone"
    CONSENT_REPLACE_PHONE = "consent-replace-phone"
    PROPOSE_UNFREEZE = "propose-unfreeze"
    CONSENT_UNFREEZE = "consent-unfreeze"
    PROPOSE_CORRECT_DOCUMENT = "propose-correct-document"
    CONSENT_CORRECT_DOCUMENT = "consent-correct-document"
    END_SESSIONS = "end-sessions"
    HAND_OVER_APPOINTMENT = "hand-over-appointment"
    RUN_QUEUE = "run-queue"
    RELEASE_HOLD = "release-hold"
    SEE_STAFF = "see-staff"
    CREATE_STAFF = "create-staff"
    CHANGE_STAFF = "change-staff"
    DEACTIVATE_STAFF = "deactivate-staff"
    REACTIVATE_STAFF = "reactivate-staff"
    RESET_CREDENTIALS = "reset-credentials"
    PROPOSE_ADMINISTRATOR = "propose-administrator"
    CONSENT_ADMINISTRATOR = "consent-administrator"
    PROPOSE_ADMINISTRATOR_RESET = "propose-administrator-reset"
    CONSENT_ADMINISTRATOR_RESET = "consent-administrator-reset"
    MANAGE_OUTLETS = "manage-outlets"
    MANAGE_SERVICES = "manage-services"
    MANAGE_HOURS = "manage-hours"
    AUDIT_CUSTOMER = "audit-customer"
    AUDIT_STAFF = "audit-staff"
    EXPORT_AUDIT = "export-audit"


_T, _S, _A, _X = Role.TELLER, Role.SUPERVISOR, Role.AUDITOR, Role.ADMINISTRATOR
_COUNTER, _RECORD, _HOUSE = (_T, _S), (_A, _X), (_X,)

# fmt: off
WHO_MAY: Final[Mapping[Right, tuple[Role, ...]]] = {
    # At the counter.
    Right.SEARCH:                       (_T, _S, _A, _X),
    Right.SEE_FILE:                     (_T, _S, _A),
    Right.SEE_TIMELINE:                 (_T, _S, _A),
    Right.SEE_VERDICT:                  (_T, _S, _A),
    Right.SEE_PROPOSALS:                (_T, _S, _A, _X),
    Right.PROPOSE_REPLACE_PHONE:        _COUNTER,
    Right.CONSENT_REPLACE_PHONE:        _COUNTER,
    Right.PROPOSE_UNFREEZE:             _COUNTER,
    Right.CONSENT_UNFREEZE:             _COUNTER,
    Right.PROPOSE_CORRECT_DOCUMENT:     _COUNTER,
    Right.CONSENT_CORRECT_DOCUMENT:     _COUNTER,
    Right.END_SESSIONS:                 _COUNTER,
    Right.HAND_OVER_APPOINTMENT:        _COUNTER,
    Right.RUN_QUEUE:                    _COUNTER,
    Right.RELEASE_HOLD:                 (_S, _X),
    # The house.
    Right.SEE_STAFF:                    (_S, _A, _X),
    Right.CREATE_STAFF:                 _HOUSE,
    Right.CHANGE_STAFF:                 _HOUSE,
    Right.DEACTIVATE_STAFF:             _HOUSE,
    Right.REACTIVATE_STAFF:             _HOUSE,
    Right.RESET_CREDENTIALS:            _HOUSE,
    Right.PROPOSE_ADMINISTRATOR:        _HOUSE,
    Right.CONSENT_ADMINISTRATOR:        _HOUSE,
    Right.PROPOSE_ADMINISTRATOR_RESET:  _HOUSE,
    Right.CONSENT_ADMINISTRATOR_RESET:  _HOUSE,
    Right.MANAGE_OUTLETS:               _HOUSE,
    Right.MANAGE_SERVICES:              _HOUSE,
    Right.MANAGE_HOURS:                 _HOUSE,
    # The record.
    Right.AUDIT_CUSTOMER:               _RECORD,
    Right.AUDIT_STAFF:                  _RECORD,
    Right.EXPORT_AUDIT:                 _RECORD,
}
# fmt: on

RIGHTS: Final[Mapping[Role, frozenset[Right]]] = {
    role: frozenset(right for right, roles in WHO_MAY.items() if role in roles) for role in Role
}


class CounterAct(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that staff do for a customer, or to another member. `persons` is its risk class: one, or two.

    `shows_document`: the teller sees the ID document and types its number and expiry. `needs_code`: a code sent to
    the new number is read out by the customer before anybody can consent.
    """

    name: str
    persons: int
    propose: Right
    consent: Right | None = None
    expires_seconds: int = 0
    shows_document: bool = False
    renews_document: bool = False  # the expiry typed is the new one, not the one the bank holds
    needs_code: bool = False
    needs_login: bool = True  # only for who is registered for e-banking
    is_on_staff: bool = False  # about a member of staff, not a customer; bound to no outlet


_WAITING: Final = int(limits.PROPOSAL_SECONDS)

# fmt: off
COUNTER_ACTS: Final[Mapping[str, CounterAct]] = {act.name: act for act in (
    CounterAct(name="replace-phone", persons=2, propose=Right.PROPOSE_REPLACE_PHONE,
               consent=Right.CONSENT_REPLACE_PHONE, expires_seconds=_WAITING, shows_document=True, needs_code=True),
    CounterAct(name="unfreeze", persons=2, propose=Right.PROPOSE_UNFREEZE,
               consent=Right.CONSENT_UNFREEZE, expires_seconds=_WAITING, shows_document=True),
    CounterAct(name="correct-document", persons=2, propose=Right.PROPOSE_CORRECT_DOCUMENT,
               consent=Right.CONSENT_CORRECT_DOCUMENT, expires_seconds=_WAITING, shows_document=True,
               renews_document=True, needs_login=False),
    # It only takes something away: one person is enough.
    CounterAct(name="end-sessions", persons=1, propose=Right.END_SESSIONS, shows_document=True),
    # Who administers staff decides who can get in everywhere. The other administrator may be on another shift.
    CounterAct(name="make-administrator", persons=2, propose=Right.PROPOSE_ADMINISTRATOR,
               consent=Right.CONSENT_ADMINISTRATOR, expires_seconds=int(limits.PROPOSAL_SECONDS_MAX),
               is_on_staff=True),
    CounterAct(name="reset-administrator", persons=2, propose=Right.PROPOSE_ADMINISTRATOR_RESET,
               consent=Right.CONSENT_ADMINISTRATOR_RESET, expires_seconds=int(limits.PROPOSAL_SECONDS_MAX),
               is_on_staff=True),
)}
# fmt: on


class Objection(msgspec.Struct, frozen=True):
    """Why not. `remedies` are counter acts or things to do at once; an alarming one is told to the risk officer too."""

    name: str
    remedies: tuple[str, ...]
    is_alarm: bool = False


# Things that a page of the console can offer at once.
CONSOLE_REMEDIES: Final = frozenset(
    {"correct-document", "renew-document", "propose-again", "ask-a-colleague", "ask-a-supervisor", "ask-an-administrator", "type-again",
     "search-again", "send-code", "come-in-hours", "finish-later"}
)  # fmt: skip


def _rows(*objections: Objection) -> Mapping[str, Objection]:
    return {objection.name: objection for objection in objections}


# fmt: off
OBJECTIONS: Final[Mapping[str, Objection]] = _rows(
    # Who asks.
    Objection("not-active", ("ask-an-administrator",), is_alarm=True),
    Objection("no-right", ("ask-a-colleague",), is_alarm=True),
    Objection("outside-hours", ("come-in-hours", "ask-an-administrator"), is_alarm=True),
    Objection("own-login", ("ask-a-colleague",), is_alarm=True),
    Objection("on-hold", ("ask-a-supervisor",)),
    Objection("too-many-searches", ("ask-a-supervisor",), is_alarm=True),
    Objection("too-many-changes", ("ask-a-supervisor",), is_alarm=True),
    # What was typed.
    Objection("reason-missing", ("type-again",)),
    Objection("search-unclear", ("type-again",)),
    Objection("input-invalid", ("type-again",)),
    Objection("file-closed", ("search-again",)),
    Objection("staff-unknown", ("search-again",)),
    Objection("needs-two", ("ask-a-colleague",)),  # an administrator is made and reset by two
    Objection("user-name-taken", ("type-again",)),
    Objection("outlet-missing", ("type-again",)),
    # The customer and their document.
    Objection("not-registered", ("search-again",)),
    Objection("document-mismatch", ("type-again",)),
    Objection("document-expired", ("renew-document", "correct-document")),
    Objection("document-outdated", ("correct-document",)),  # the card shown is newer than what the bank holds
    Objection("document-not-renewed", ("type-again",)),
    Objection("nothing-to-do", ("search-again",)),
    Objection("number-taken", ("type-again",)),
    # The code at the counter.
    Objection("code-wrong", ("type-again", "send-code")),
    Objection("code-expired", ("send-code",)),
    Objection("code-used-up", ("propose-again",)),
    Objection("codes-spent", ("propose-again",)),
    Objection("code-too-soon", ("type-again",)),
    # The proposal.
    Objection("already-proposed", ("ask-a-colleague",)),
    Objection("proposal-unknown", ("propose-again",)),
    Objection("core-unreachable", ("finish-later",)),
    Objection("proposal-expired", ("propose-again",)),
    Objection("number-not-proved", ("send-code",)),
    Objection("note-missing", ("type-again",)),
    Objection("same-person", ("ask-a-colleague",), is_alarm=True),
    Objection("other-outlet", ("ask-a-colleague",), is_alarm=True),
    Objection("proposal-settled", ("propose-again",), is_alarm=True),  # consented to once more: a replay
    Objection("proposal-swapped", ("propose-again",), is_alarm=True),
    Objection("customer-changed", ("propose-again",), is_alarm=True),
)
# fmt: on

# The chain of the record that the risk officer reads.
ALARM_CHAIN: Final = "alarms"

# What raises an alarm besides objections.
ALARMS: Final = frozenset(name for name, objection in OBJECTIONS.items() if objection.is_alarm) | {
    "signed-in-after-number-change",
    "passkey-copied",
    "many-proofs-guessed",
    "many-codes-guessed",
    "codes-unanswered",
    "messages-budget",
}


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """A member of staff as the rules see them."""

    staff_id: str
    role: Role
    outlet_id: str | None
    is_active: bool = True
    core_ref: str | None = None  # their own customer number
    is_held: bool = False


class Proposed(msgspec.Struct, frozen=True, kw_only=True):
    """A proposal as the rules see it. `state` is proposed | consented | done | refused | withdrawn | expired."""

    act: str
    maker: str
    outlet_id: str | None
    state: str
    digest: bytes
    awaits_code: bool
    expires_at: int


def may(member: Standing, right: Right, *, is_open: bool, core_ref: str | None = None) -> str | None:
    """Return the objection to `member` using `right` now, or None.

    `is_open`: the outlet is within its hours and the margin around them; `core_ref`: whom it is about.
    """
    if not member.is_active:
        return "not-active"
    if member.role not in WHO_MAY[right] or (member.role in AT_AN_OUTLET and member.outlet_id is None):
        return "no-right"
    if member.role in AT_AN_OUTLET and not is_open:
        return "outside-hours"
    if core_ref is not None and core_ref == member.core_ref:
        return "own-login"
    if member.is_held:
        return "on-hold"
    return None


def may_consent(
    maker: Standing,
    checker: Standing,
    proposal: Proposed,
    shown: bytes,
    *,
    now: int,
    is_open: bool,
    core_ref: str | None,
) -> str | None:
    """Return the objection to `checker` consenting to what `maker` proposed, or None. `shown` is the digest shown."""
    act = COUNTER_ACTS[proposal.act]
    if act.consent is None:
        return "no-right"
    if checker.staff_id == proposal.maker:
        return "same-person"
    for member, right in ((checker, act.consent), (maker, act.propose)):
        if objection := may(member, right, is_open=is_open, core_ref=core_ref):
            return objection
    if not act.is_on_staff and not (maker.outlet_id == checker.outlet_id == proposal.outlet_id):
        return "other-outlet"
    return _may_be_settled(proposal, shown, now)


def _may_be_settled(proposal: Proposed, shown: bytes, now: int) -> str | None:
    if proposal.state == "expired" or (proposal.state == "proposed" and proposal.expires_at <= now):
        return "proposal-expired"
    if proposal.state != "proposed":
        return "proposal-settled"
    if proposal.digest != shown:
        return "proposal-swapped"
    return "number-not-proved" if proposal.awaits_code else None


def may_release(supervisor: Standing, held: Standing, *, is_open: bool) -> str | None:
    """Return the objection to `supervisor` lifting the hold on `held`, or None: never one's own, nor elsewhere."""
    if supervisor.staff_id == held.staff_id:
        return "same-person"
    if objection := may(supervisor, Right.RELEASE_HOLD, is_open=is_open):
        return objection
    is_elsewhere = supervisor.role in AT_AN_OUTLET and supervisor.outlet_id != held.outlet_id
    return "other-outlet" if is_elsewhere else None
