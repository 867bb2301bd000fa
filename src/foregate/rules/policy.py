"""The policy: the least evidence that each act may ever cost.

Written by hand, by other people and for other reasons than `journeys.py`: nothing here is computed from the
journeys, or the one could not be held against the other. `foregate check` holds them together: no way through
the journeys, alone or combined, may buy an act for less than this.

  min_categories  how many different categories of evidence (have, know, are, in person)
  fresh_seconds   how old evidence brought along in a session may be
  alternatives    the sets of proofs that are enough; a superset is enough too
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import msgspec

SESSION_LONG = 12 * 3600  # evidence lives as long as its session
AFRESH = 5 * 60  # ASVS 7.5.1; PSD2 RTS art. 4: proved again, in this session, just now


class Evidence(msgspec.Struct, frozen=True):
    """What an act costs."""

    min_categories: int
    fresh_seconds: int
    alternatives: tuple[frozenset[str], ...]


Policy = Mapping[str, Evidence]


def _any(*alternatives: str) -> tuple[frozenset[str], ...]:
    return tuple(frozenset(alternative.split("+")) for alternative in alternatives)


TWO_CATEGORIES = _any(
    "phone_code+password",
    "phone_code+card_pin",
    "phone_code+face",
    "phone_code+permit",  # the permit sets the password that is then given: it is worth what it buys
    "device+password",
    "device+card_pin",
    "device+face",
    "passkey",
)
ANYTHING_HELD = _any("phone_code", "passkey", "device+password", "device+card_pin", "device+face", "device+social")

POLICY: Final[Policy] = {
    "open-basic-session": Evidence(1, SESSION_LONG, _any("phone_code", "device+social")),
    "open-full-session": Evidence(2, SESSION_LONG, TWO_CATEGORIES),
    "register": Evidence(2, AFRESH, _any("phone_code+card_pin")),
    # Never by the factor that was locked alone: two categories, one of them the number bound to the card.
    "reopen": Evidence(
        2, AFRESH, _any("phone_code+card_pin", "phone_code+password", "phone_code+face", "phone_code+permit", "passkey")
    ),
    # The password itself cannot buy a new one.
    "set-password": Evidence(2, AFRESH, _any("phone_code+card_pin", "phone_code+face", "passkey", "permit+phone_code")),
    "renew-document": Evidence(2, SESSION_LONG, TWO_CATEGORIES),
    # A face does not vouch for its own successor, nor does the password that a face may have bought; nor does a
    # stolen session, in which a thief would enrol his own.
    "renew-face": Evidence(2, AFRESH, _any("phone_code+card_pin", "device+card_pin", "passkey")),
    "replace-phone": Evidence(2, AFRESH, TWO_CATEGORIES),
    # Two tellers, one ID card, one person present (NIST SP 800-63B-4, 4.2.1.4): in person stands alone.
    "replace-phone-at-counter": Evidence(1, AFRESH, _any("counter_id")),
    "unfreeze-at-counter": Evidence(1, AFRESH, _any("counter_id")),
    "correct-document-at-counter": Evidence(1, AFRESH, _any("counter_id")),
    "end-sessions-at-counter": Evidence(1, AFRESH, _any("counter_id")),
    "remember-device": Evidence(2, AFRESH, TWO_CATEGORIES),
    "link-social": Evidence(2, AFRESH, TWO_CATEGORIES),
    "unlink-social": Evidence(1, SESSION_LONG, ANYTHING_HELD),
    "withdraw-consent": Evidence(1, SESSION_LONG, ANYTHING_HELD),
    "give-consent": Evidence(1, SESSION_LONG, ANYTHING_HELD),
    "fill-in-profile": Evidence(1, SESSION_LONG, ANYTHING_HELD),
    "add-passkey": Evidence(2, AFRESH, TWO_CATEGORIES),
    "remove-passkey": Evidence(2, AFRESH, TWO_CATEGORIES),
    "rename-passkey": Evidence(2, SESSION_LONG, TWO_CATEGORIES),
    # To protect oneself one thing of one's own is enough.
    "close-permission": Evidence(1, AFRESH, _any("phone_code", "card_pin", "notice_link")),
    "end-session": Evidence(1, SESSION_LONG, ANYTHING_HELD),
    "end-all-sessions": Evidence(1, SESSION_LONG, ANYTHING_HELD),
    "revoke-session": Evidence(1, SESSION_LONG, ANYTHING_HELD),
    "forget-device": Evidence(1, SESSION_LONG, ANYTHING_HELD),
    "withdraw-face": Evidence(1, SESSION_LONG, ANYTHING_HELD),
    "book-appointment": Evidence(1, AFRESH, _any("phone_code")),
}


def policy_as_json(policy: Policy = POLICY) -> dict[str, Any]:
    """Return the policy in the shape that `foregate policy --format json` promises."""
    return {
        act: {
            "min_categories": evidence.min_categories,
            "fresh_seconds": evidence.fresh_seconds,
            "alternatives": [sorted(alternative) for alternative in evidence.alternatives],
        }
        for act, evidence in policy.items()
    }
