"""The counter: staff, proposals and the record as they cross a port, and what is asked of the store about them."""

from __future__ import annotations

from typing import Protocol

import msgspec

from foregate.rules.staff import Proposed, Standing
from foregate.rules.staff import Role as Role


class StaffMember(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody who works for the bank. `core_ref` is their own customer number: nobody acts on their own login."""

    staff_id: str
    user_name: str
    name: str
    role: Role
    outlet_id: str | None  # tellers and supervisors stand at one outlet
    core_ref: str | None
    is_active: bool
    created_at: int
    hold: str = ""  # the objection that put them on hold; empty: not held

    @property
    def standing(self) -> Standing:
        """The member as the rules see them."""
        return Standing(
            staff_id=self.staff_id,
            role=self.role,
            outlet_id=self.outlet_id,
            is_active=self.is_active,
            core_ref=self.core_ref,
            is_held=bool(self.hold),
        )


class StaffSessionRow(msgspec.Struct, frozen=True, kw_only=True):
    """A member of staff, signed in. `method` is passkey or password+totp."""

    staff_id: str
    session_id: str
    secret_digest: bytes
    method: str
    created_at: int
    seen_at: int
    expires_at: int


class ProposalRow(msgspec.Struct, frozen=True, kw_only=True):
    """What a maker proposes. Everything but state, code, checker, note and end is written once."""

    proposal_id: str
    subject_id: str  # the customer's id; for an act on staff, the member's
    act: str  # of `rules.staff.COUNTER_ACTS`
    persons: int
    outlet_id: str | None
    maker: str
    payload: bytes  # sealed in the store
    digest: bytes  # over all that is proposed: what a consent has to carry
    document_type: str | None  # as seen by the maker
    document_digest: bytes | None
    document_expires_on: str | None  # as seen; None: long-term, or no document was needed
    awaits_code: bool  # the customer has not read out the code sent to the new number yet
    state: str  # proposed | consented | done | refused | withdrawn | expired
    checker: str | None
    note: str
    created_at: int
    expires_at: int
    ended_at: int = 0

    @property
    def proposed(self) -> Proposed:
        """The proposal as the rules see it."""
        return Proposed(
            act=self.act,
            maker=self.maker,
            outlet_id=self.outlet_id,
            state=self.state,
            digest=self.digest,
            awaits_code=self.awaits_code,
            expires_at=self.expires_at,
        )


class TrailEntry(msgspec.Struct, frozen=True, kw_only=True):
    """One audit event, read back."""

    chain: str
    seq: int
    at: int
    kind: str
    journey_id: str | None
    actor: str
    source: str
    details: dict[str, str | int]


class Staff(Protocol):
    """Who works for the bank."""

    async def insert(self, member: StaffMember) -> None:
        """Raises Taken("user_name")."""

    async def find(self, staff_id: str) -> StaffMember | None: ...

    async def hold(self, staff_id: str) -> StaffMember | None:
        """Read and hold the row until the transaction ends: what a member does happens one after the other."""

    async def by_user_name(self, user_name: str) -> StaffMember | None:
        """`user_name` in normal form. One statement, whether found or not."""

    async def all(self, outlet_id: str | None = None, after: str = "") -> tuple[StaffMember, ...]:
        """At most STAFF_LISTED of one outlet or of the whole bank, in the order of their ids, those after `after`."""

    async def change(self, staff_id: str, *, role: Role, outlet_id: str | None) -> bool: ...

    async def deactivate(self, staff_id: str) -> bool:
        """Guarded. False: unknown, or not active any more."""

    async def reactivate(self, staff_id: str) -> bool:
        """Guarded. False: unknown, or active already."""

    async def set_core_ref(self, staff_id: str, core_ref: str | None) -> bool:
        """Write a member's own customer number; None: they do not bank here. False: unknown."""

    async def put_on_hold(self, staff_id: str, why: str, now: int) -> bool:
        """Guarded. False: held already."""

    async def release(self, staff_id: str) -> bool:
        """Guarded. False: not held. Also forgets what was counted."""

    async def count(self, staff_id: str, what: str, window_seconds: int, now: int) -> int:
        """Count one and return how many there were since the window was opened, in one statement."""


class Proposals(Protocol):
    """Proposals. One is open for each subject and act."""

    async def insert(self, row: ProposalRow) -> bool:
        """False: another one is open for this subject and act, or is over and was not ended yet: see `expire`."""

    async def find(self, proposal_id: str) -> ProposalRow | None: ...

    async def open_at(self, outlet_id: str | None, now: int) -> tuple[ProposalRow, ...]:
        """What is open at an outlet (None: proposals about staff), the oldest first, at most PROPOSALS_LISTED."""

    async def open_for(self, subject_id: str, now: int) -> tuple[ProposalRow, ...]: ...

    async def prove_code(self, proposal_id: str, now: int) -> bool:
        """The customer read out the code. Guarded by being open and awaiting it."""

    async def consent(
        self, proposal_id: str, *, checker: str | None, outlet_id: str | None, digest: bytes, note: str, now: int
    ) -> bool:
        """From proposed to consented, in one guarded statement.

        Guarded by state, digest, expiry, outlet, the code, and the checker not being the maker; no checker is for acts
        of one person. False: one of these does not hold.
        """

    async def finish(self, proposal_id: str, now: int) -> bool:
        """What was consented to is done: in the transaction of the consent, or after the core bank did its part."""

    async def end(self, proposal_id: str, *, to: str, by: str, note: str, now: int) -> bool:
        """Refuse it (anybody but the maker) or withdraw it (the maker), while it is open. Guarded."""

    async def expire(self, now: int) -> tuple[ProposalRow, ...]:
        """End those whose time is over, at most PURGE_BATCH, and return them."""


class Trail(Protocol):
    """The record, read back."""

    async def of(self, chain: str, *, kinds: tuple[str, ...] = (), before: int | None = None) -> tuple[TrailEntry, ...]:
        """At most TRAIL_LISTED events of one chain, the newest first; `before` is a sequence number."""

    async def onwards(self, chain: str, *, after: int) -> tuple[TrailEntry, ...]:
        """At most TRAIL_LISTED events of one chain behind the sequence number `after`, the oldest first; 0: from the
        beginning."""


class OutletHours(Protocol):
    """When an outlet is open. `bootstrap` fills it from `outlets`."""

    async def is_open(self, outlet_id: str, now: int, margin_seconds: int) -> bool:
        """Say whether `now` is within the outlet's hours or the margin around them. Unknown hours: not open."""
