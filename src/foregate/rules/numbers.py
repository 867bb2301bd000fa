"""A number that changed hands: how long a change counts as recent, and what that makes of a right code.

Rules
  1. A change that is younger than NUMBER_RECENT_SECONDS is recent: a code to that number counts for nothing where the
     row asks (`asks_number`). It was right all the same, so its holder is told why.
  2. What the counter saw later than the change is worth more than the network's word: two members of staff had the
     person, their ID card and a code to this very number before them.
  3. What nobody knows is trusted or refused as the bank's settings say. What the counter saw lately is no longer unknown.
"""

from __future__ import annotations

from typing import Final

import msgspec

from foregate.rules import limits

# Told where the code of a doubted number was right.
CAUSE: Final = "number-changed-hands"


class LastChange(msgspec.Struct, frozen=True):
    """What the network says: when a number last came to another SIM.

    `at`: seconds since 1970; 0: not within the time that the network looks back, which is long enough.
    """

    is_known: bool
    at: int = 0


UNKNOWN: Final = LastChange(is_known=False)


class Standing(msgspec.Struct, frozen=True):
    """What that makes of a code. `until`: when a recent change will be none any more; 0: nobody can say."""

    is_trusted: bool
    until: int = 0


def standing(change: LastChange, *, now: int, seen_at: int, trusts_unknown: bool) -> Standing:
    """Judge a number. `seen_at`: when the counter last saw its holder with it, 0 for never."""
    if not change.is_known:
        return Standing(trusts_unknown or seen_at + limits.NUMBER_RECENT_SECONDS > now)
    if change.at <= seen_at:
        return Standing(True)
    # A network's clock may be ahead of ours: then it was just now.
    until = min(change.at, now) + limits.NUMBER_RECENT_SECONDS
    return Standing(False, until) if until > now else Standing(True)
