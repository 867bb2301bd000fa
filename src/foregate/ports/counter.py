"""The counter: staff, proposals, permits, as they cross a port."""

from __future__ import annotations

from enum import StrEnum

import msgspec


class Role(StrEnum):
    """What a member of staff is. What each may do stands in `rules.staff`."""

    TELLER = "teller"
    SUPERVISOR = "supervisor"
    AUDITOR = "auditor"
    ADMINISTRATOR = "administrator"


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


class StaffSessionRow(msgspec.Struct, frozen=True, kw_only=True):
    """A member of staff, signed in. `method` is passkey or password+totp."""

    staff_id: str
    session_id: str
    secret_digest: bytes
    method: str
    created_at: int
    seen_at: int
    expires_at: int
