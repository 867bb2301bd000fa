"""Where a customer stands: what they hold, in which lanes they may sign in, which proofs the bank does not take now.

"My ways in" and the counter's verdict judge by it; what the bank knows of a customer besides is for the findings.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Final, NamedTuple

import msgspec

from foregate.rules.permission import Permission


class Lost(StrEnum):
    """What a customer may say they have not got any more."""

    PHONE = "phone"  # the number registered for e-banking
    BOUND_PHONE = "bound-phone"  # the number bound to their card
    CARD = "card"
    PIN = "pin"
    PASSWORD = "password"
    DEVICE = "device"
    PASSKEY = "passkey"
    FACE = "face"
    SOCIAL = "social"


REGISTERED_SIM: Final = "registered_sim"
BOUND_SIM: Final = "bound_sim"


class Footing(NamedTuple):
    """Where a customer stands. `off` are proofs that are not taken now, with the cause, by lane."""

    holds: frozenset[str]
    everywhere: Permission = Permission.OPEN
    unknown: Permission = Permission.OPEN
    device: Permission = Permission.OPEN
    off: frozenset[tuple[str, str]] = frozenset()
    off_on_device: frozenset[tuple[str, str]] = frozenset()
    is_registered: bool = True
    is_document_valid: bool = True
    is_document_lapsed: bool = False  # expired for longer than the grace lasts
    has_card: bool = True
    cooling: frozenset[str] = frozenset()  # proofs too new to buy a seasoned row
    taken_over: frozenset[str] = frozenset()  # numbers that changed hands: their codes count nowhere that asks


class Known(msgspec.Struct, frozen=True, kw_only=True):
    """What the bank knows of a customer, apart from the footing: for the findings."""

    lost: frozenset[Lost] = frozenset()
    has_password: bool = False
    has_device: bool = False
    has_active_card: bool = False
    has_bound_phone: bool = False
    is_bound_registered: bool = False  # both numbers are one
    blocked_seconds: Mapping[str, int] = {}  # by proof, in the lane of unknown devices
    cooling_seconds: int = 0
    codes_wait_seconds: int = 0
    idle_days: int = 0
    has_face: bool = False  # also one whose time is over: that is in `Footing.off`
    has_passkey: bool = False
    passkey_cools_seconds: int = 0  # the newest, where all of them cool
    has_social: bool = False
    document_days_left: int | None = None  # until its end, or that of the grace; see `documents.Standing`


def footing(at: Footing, known: Known) -> Footing:
    """Return `at` with what the bank knows the customer to have, less what they say they lost."""
    lost = known.lost
    has_lost_bound = Lost.BOUND_PHONE in lost or (known.is_bound_registered and Lost.PHONE in lost)
    has = {
        REGISTERED_SIM: at.is_registered and Lost.PHONE not in lost,
        BOUND_SIM: known.has_bound_phone and not has_lost_bound,
        "device": known.has_device and Lost.DEVICE not in lost,
        "password": known.has_password and Lost.PASSWORD not in lost,
        "card_pin": known.has_active_card and Lost.PIN not in lost and Lost.CARD not in lost,
        "passkey": known.has_passkey and Lost.PASSKEY not in lost,
        "face": known.has_face and Lost.FACE not in lost,
        "social": known.has_social and Lost.SOCIAL not in lost,
    }
    return at._replace(
        holds=at.holds | {name for name, is_held in has.items() if is_held},
        has_card=known.has_active_card and Lost.CARD not in lost,
    )
