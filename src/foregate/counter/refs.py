"""What opens a customer's file: made by a search, for the member who searched, for one customer's turn.

It is sealed, so an address in the browser's history says nothing, and nobody opens a file that they did not look for
with a reason.
"""

from __future__ import annotations

import base64
import binascii

import msgspec

from foregate.counter.guard import Objected
from foregate.counter.views import Actor
from foregate.ids import customer_id_of
from foregate.ports import Keyring
from foregate.rules import limits

REF_CHARS_MAX = 1024


class Ref(msgspec.Struct, frozen=True):
    """Whose file, opened for which reason, when; `case_no`: by which case, if by one."""

    core_ref: str
    customer_id: str
    reason: str
    at: int
    case_no: str = ""


def ref_of(keyring: Keyring, actor: Actor, core_ref: str, reason: str, now: int, case_no: str = "") -> str:
    """Return what opens the file of a person of the core bank."""
    ref = Ref(core_ref, customer_id_of(keyring, core_ref), reason, now, case_no)
    sealed = keyring.encrypt(msgspec.json.encode(ref), _place(actor))
    return base64.urlsafe_b64encode(sealed).decode().rstrip("=")


def read_ref(keyring: Keyring, actor: Actor, text: str, now: int) -> Ref:
    """Return what `text` opens. Raises Objected: somebody else's, too old, or none at all."""
    try:
        if len(text) > REF_CHARS_MAX:
            raise ValueError
        sealed = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        ref = msgspec.json.decode(keyring.decrypt(sealed, _place(actor)), type=Ref)
    except (binascii.Error, ValueError, msgspec.DecodeError):
        raise Objected("file-closed") from None
    if ref.at + limits.FILE_SECONDS <= now:
        raise Objected("file-closed")
    return ref


def _place(actor: Actor) -> str:
    return f"counter.ref:{actor.staff_id}"
