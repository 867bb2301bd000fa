"""What the counter shows and is given. Everything about a customer is masked here, so that no page can forget to."""

from __future__ import annotations

import msgspec

from foregate.ports.network import NetworkReport
from foregate.rules.diagnosis import Diagnosis
from foregate.rules.staff import Role


class Actor(msgspec.Struct, frozen=True, kw_only=True):
    """Who works the console. The member behind it is read anew for every verb; nothing read earlier decides."""

    staff_id: str
    source: str = ""
    language: str = "zh"  # what the customer is told, they are told in this language

    @property
    def name(self) -> str:
        """How the record names the member."""
        return f"staff:{self.staff_id}"


class Hit(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody found. `ref` opens their file, for this member alone and for FILE_SECONDS."""

    ref: str
    name: str
    document: str
    document_type: str
    phone: str | None  # registered for e-banking; None: not registered
    cards: tuple[str, ...]
    is_registered: bool


class CaseView(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody tried at the door. `told`: the cause they heard; `kept_back`: the one they had not earned."""

    case_no: str
    service: str
    journey: str
    status: str
    who: str  # how they said who they are: a name of `words.Who`
    told: str
    kept_back: str
    proved: tuple[str, ...]
    opened_at: int
    expires_at: int


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """What a search found. `by`: phone | card | document | name | case | diagnosis.

    `is_cut`: there were more than FOUND_LISTED. `case`: what was tried, when it was looked for by its number; whose it
    is may be nobody that we know. A diagnosis code is about nobody: `diagnosis` is what it says, and `reports` what was
    sent in with it.
    """

    by: str
    hits: tuple[Hit, ...]
    is_cut: bool = False
    case: CaseView | None = None
    diagnosis: Diagnosis | None = None
    reports: tuple[NetworkReport, ...] = ()


class SessionLine(msgspec.Struct, frozen=True, kw_only=True):
    """One live session."""

    level: str
    agent: str
    started_at: int
    seen_at: int
    is_on_remembered_device: bool


class DeviceLine(msgspec.Struct, frozen=True, kw_only=True):
    """One remembered device."""

    agent: str
    remembered_at: int
    seen_at: int


class LaneLine(msgspec.Struct, frozen=True, kw_only=True):
    """Login permission in one lane: `all`, `unknown`, or a remembered device's (named by its agent)."""

    lane: str
    agent: str
    state: str


class CounterLine(msgspec.Struct, frozen=True, kw_only=True):
    """Failures of one proof in one lane."""

    counter: str
    lane: str
    in_a_row: int
    total: int
    blocked_seconds: int


class CardLine(msgspec.Struct, frozen=True, kw_only=True):
    """One card, and the number that was bound to it when it was issued."""

    card: str
    bound_phone: str | None
    is_bound_to_registered: bool


class IdCheck(msgspec.Struct, frozen=True, kw_only=True):
    """The document that the maker holds in their hands, as typed from it. `expires_on` empty: long-term.

    `issued_on` empty: it was not typed, or the document has none.
    """

    document_type: str
    number: str
    expires_on: str
    issued_on: str = ""


class Change(msgspec.Struct, frozen=True):
    """One line of what a proposal changes. `after` is shown whole: it is what the checker consents to."""

    field: str  # phone | document_expires_on | document_issued_on | permission | sessions | role
    before: str
    after: str


class ProposalView(msgspec.Struct, frozen=True, kw_only=True):
    """A proposal as shown. `digest` goes back with the consent."""

    proposal_id: str
    act: str
    persons: int
    state: str
    subject_name: str  # masked, for a customer
    subject_document: str
    outlet_id: str | None
    maker: str
    maker_name: str
    checker_name: str
    changes: tuple[Change, ...]
    document_type: str | None
    document_expires_on: str | None
    awaits_code: bool
    note: str
    digest: str
    created_at: int
    expires_in_seconds: int
    is_mine: bool  # made by whoever looks: may be withdrawn, not consented to


class Performed(msgspec.Struct, frozen=True, kw_only=True):
    """What came of a consent. Permit and enrolment code are told here, once, and never again."""

    proposal: ProposalView
    permit: str | None = None
    permit_expires_at: int = 0
    enrolment_code: str | None = None
    ended_sessions: int = 0


class AppointmentLine(msgspec.Struct, frozen=True, kw_only=True):
    """One appointment booked with the number registered for e-banking."""

    appointment_id: str
    reference: str
    outlet_id: str
    service: str
    state: str
    starts_at: int


class File(msgspec.Struct, frozen=True, kw_only=True):
    """Everything about one customer that a teller may see."""

    ref: str
    customer_id: str
    name: str
    document_type: str
    document: str
    document_expires_on: str | None
    document_issued_on: str | None
    is_document_valid: bool
    is_registered: bool
    registered_at: int
    last_sign_in_at: int
    phone: str | None
    user_name: str | None
    has_password: bool
    cooling_seconds: int
    cards: tuple[CardLine, ...]
    sessions: tuple[SessionLine, ...]
    devices: tuple[DeviceLine, ...]
    permission: tuple[LaneLine, ...]
    counters: tuple[CounterLine, ...]
    codes_sent: tuple[TimelineLine, ...]
    appointments: tuple[AppointmentLine, ...]
    proposals: tuple[ProposalView, ...]
    case: CaseView | None = None  # by whose number the file was opened


class TimelineLine(msgspec.Struct, frozen=True, kw_only=True):
    """One event. Its sentence is `timeline.<kind>` of the catalogue, with `facts`.

    `words`: the facts that are names of things, and the key of what each is called; one that has no text is shown as
    it is.
    """

    seq: int
    at: int
    kind: str
    key: str
    facts: dict[str, str | int]
    words: dict[str, str]
    actor: str  # visitor | system | the name of a member of staff
    source: str
    group: str  # sign-in | codes | changes | counter | other: what the filters choose by


class Timeline(msgspec.Struct, frozen=True, kw_only=True):
    """One page of events, the newest first. `before`: give it back for the next page; None: that was all."""

    lines: tuple[TimelineLine, ...]
    before: int | None


class StaffView(msgspec.Struct, frozen=True, kw_only=True):
    """A member of staff as shown."""

    staff_id: str
    user_name: str
    name: str
    role: Role
    outlet_id: str | None
    is_active: bool
    created_at: int
    hold: str
    core_ref: str | None = None  # their own customer number: nobody acts on their own login


class Audited(msgspec.Struct, frozen=True, kw_only=True):
    """One chain of the record, checked just now. No findings: nothing was altered, removed or put in."""

    chain: str
    timeline: Timeline
    findings: tuple[str, ...]
