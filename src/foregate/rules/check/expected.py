"""What the checker holds the tables against, beyond the policy: written by hand, computed from nothing.

Like `policy.py`, these tables only help because they are independent. A cause that is new has to be classified
here by somebody who asks: what would a stranger learn from it?
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from foregate.rules.permission import Event
from foregate.rules.words import CodeTo, Level, Tier

# ---------------------------------------------------------------- causes

# The cause tells something about the customer: it may be told from this tier on, and has to be.
TELLS_ABOUT_THE_CUSTOMER: Final[Mapping[str, Tier]] = {
    "password-wrong": Tier.POSSESSION,
    "card-pin-wrong": Tier.POSSESSION,
    "proof-blocked": Tier.POSSESSION,
    "proof-disabled": Tier.POSSESSION,
    "not-registered": Tier.POSSESSION,
    "details-mismatch": Tier.POSSESSION,
    "number-changed-hands": Tier.POSSESSION,
    "closed-by-failures": Tier.POSSESSION,
    "closed-by-customer": Tier.POSSESSION,
    "closed-by-disuse": Tier.POSSESSION,
    "closed-by-bank": Tier.POSSESSION,
    "permit-wrong": Tier.POSSESSION,
    "permit-over": Tier.POSSESSION,
    "cooling-off": Tier.POSSESSION,
    "no-face": Tier.POSSESSION,
    "several-faces": Tier.POSSESSION,
    "face-too-far": Tier.POSSESSION,
    "face-too-near": Tier.POSSESSION,
    "face-not-centred": Tier.POSSESSION,
    "face-look-away": Tier.POSSESSION,
    "face-too-dark": Tier.POSSESSION,
    "face-too-bright": Tier.POSSESSION,
    "face-too-blurred": Tier.POSSESSION,
    "face-covered": Tier.POSSESSION,
    "face-unreadable": Tier.POSSESSION,
    "face-gesture-missed": Tier.POSSESSION,
    "face-challenge-over": Tier.POSSESSION,
    "face-not-live": Tier.POSSESSION,
    "face-not-you": Tier.POSSESSION,
    "face-nothing-expired": Tier.POSSESSION,
    "face-expired": Tier.POSSESSION,
    "face-none": Tier.POSSESSION,
    "face-off": Tier.POSSESSION,
    "face-too-young": Tier.CUSTOMER,
    "face-document-expired": Tier.POSSESSION,
    "passkey-too-new": Tier.POSSESSION,
    "already-registered": Tier.CUSTOMER,
    "too-young": Tier.CUSTOMER,
    "number-taken": Tier.CUSTOMER,
    "user-name-taken": Tier.CUSTOMER,
    "password-refused": Tier.CUSTOMER,
    "document-expired": Tier.CUSTOMER,
    "document-lapsed": Tier.CUSTOMER,
    "document-mismatch": Tier.CUSTOMER,
    "document-unconfirmed": Tier.CUSTOMER,
    "document-paused": Tier.CUSTOMER,
    "social-taken": Tier.CUSTOMER,
    "social-linked-already": Tier.CUSTOMER,
    "no-such-link": Tier.CUSTOMER,
    "last-way-in": Tier.CUSTOMER,
    "no-such-device": Tier.CUSTOMER,
    "no-such-session": Tier.CUSTOMER,
    "passkey-not-made": Tier.CUSTOMER,
    "too-many-passkeys": Tier.CUSTOMER,
    "no-such-passkey": Tier.CUSTOMER,
    "booked-already": Tier.CUSTOMER,
    "too-many-bookings": Tier.CUSTOMER,
    "booking-paused": Tier.CUSTOMER,
}

# The cause depends on what was typed, on the visitor's own journey or session, or on the house: told to anyone.
TELLS_NOTHING: Final = frozenset(
    {
        "not-recognised",
        "input-invalid",
        "code-wrong",
        "code-expired",
        "code-used-up",
        "code-too-soon",
        "codes-spent",
        "codes-held-back",  # of the range that was typed, or of the house
        "text-not-arrived",
        "link-over",  # of the link that the visitor opened
        "place-taken",
        "appointment-unknown",
        "appointment-over",
        "check-in-closed",
        # Of the account elsewhere whose holder the visitor has just shown to be, as `link-over` is of their link.
        "provider-down",
        "social-refused",
        "social-state",
        "social-preview",
        "social-not-linked",
        "not-signed-in",
        "session-ended",
        "needs-full-session",
        "journey-unknown",
        "journey-not-open",
        "journey-expired",
        "journey-ended",
        "journey-moved-on",
        "still-working",
        "key-reused",
        "not-found",
        "method-not-allowed",
        "origin-refused",
        "not-json",
        "too-large",
        "too-many-requests",
        "busy",
        "internal-error",
        "misdirected",
        "accounts-away",  # of the bank that keeps the accounts: whether it answers
        "no-printer",  # of the house: whether it can make a PDF
        "client-too-old",  # of the program that the visitor came with
    }
)

# What a person in this spot has to be told about, or they would not know that the way exists.
HAS_TO_OFFER: Final[Mapping[str, frozenset[str]]] = {
    "not-recognised": frozenset({"another-way", "reopen", "reset-password", "visit-outlet"}),
    "password-wrong": frozenset({"another-way", "reset-password", "reopen", "visit-outlet"}),
    "card-pin-wrong": frozenset({"another-way", "visit-outlet"}),
    "proof-blocked": frozenset({"another-way", "wait", "visit-outlet"}),
    "proof-disabled": frozenset({"another-way", "reset-password", "visit-outlet"}),
    "closed-by-failures": frozenset({"reopen", "visit-outlet"}),
    "closed-by-customer": frozenset({"reopen", "visit-outlet"}),
    "closed-by-disuse": frozenset({"reopen", "visit-outlet"}),
    "closed-by-bank": frozenset({"visit-outlet"}),
    "not-registered": frozenset({"register", "visit-outlet"}),
    "document-expired": frozenset({"renew-document", "visit-outlet"}),
    "document-lapsed": frozenset({"visit-outlet"}),
    "document-mismatch": frozenset({"try-again", "visit-outlet"}),
    "document-unconfirmed": frozenset({"try-again", "visit-outlet"}),
    "document-paused": frozenset({"wait", "visit-outlet"}),
    "face-not-live": frozenset({"try-again", "another-way", "visit-outlet"}),
    "face-not-you": frozenset({"try-again", "another-way", "visit-outlet"}),
    "face-nothing-expired": frozenset({"another-way", "visit-outlet"}),
    "face-expired": frozenset({"renew-face", "another-way", "visit-outlet"}),
    "face-off": frozenset({"renew-face", "another-way", "visit-outlet"}),
    "face-document-expired": frozenset({"renew-document", "another-way", "visit-outlet"}),
    "already-registered": frozenset({"sign-in", "reset-password", "visit-outlet"}),
    "number-changed-hands": frozenset({"another-way", "wait", "visit-outlet"}),
    "code-expired": frozenset({"ask-new-code", "text-us", "visit-outlet"}),
    "code-too-soon": frozenset({"text-us", "visit-outlet"}),
    "codes-spent": frozenset({"text-us", "visit-outlet"}),
    "codes-held-back": frozenset({"text-us", "visit-outlet"}),
    "provider-down": frozenset({"another-way", "sign-in-basic", "visit-outlet"}),
    "social-refused": frozenset({"another-way", "sign-in-basic", "visit-outlet"}),
    "social-not-linked": frozenset({"sign-in-basic", "register", "visit-outlet"}),
    "social-linked-already": frozenset({"unlink-social", "visit-outlet"}),
    "place-taken": frozenset({"another-time", "visit-outlet"}),
    "passkey-too-new": frozenset({"start-again", "wait", "visit-outlet"}),
    "too-many-passkeys": frozenset({"remove-passkey", "visit-outlet"}),
    "last-way-in": frozenset({"remember-device", "visit-outlet"}),
    # Nobody is kept from protecting themselves, or from people, by an old program.
    "client-too-old": frozenset({"update-client", "freeze", "book-appointment", "visit-outlet"}),
    "booked-already": frozenset({"visit-outlet"}),
    "too-many-bookings": frozenset({"another-time", "visit-outlet"}),
    "booking-paused": frozenset({"wait", "visit-outlet"}),
}

# Following only these leads round in a circle.
GOES_ROUND: Final = frozenset({"try-again", "start-again", "wait", "ask-new-code"})

# ---------------------------------------------------------------- acts

# Which acts may open a session, and no others: after reset and reopen nobody is signed in.
OPENS: Final[Mapping[Level, frozenset[str]]] = {
    Level.BASIC: frozenset({"open-basic-session"}),
    Level.FULL: frozenset({"open-full-session", "register"}),
}

OPENS_FULL: Final = OPENS[Level.FULL]

# Whoever may do the greater may do the less.
INCLUDED_IN: Final[Mapping[str, str]] = {
    "open-basic-session": "open-full-session",
    "close-permission": "open-full-session",
}

# These only take something away, so they hand a thief nothing.
ONLY_TAKES: Final = frozenset(
    {
        "close-permission",
        "end-session",
        "end-all-sessions",
        "revoke-session",
        "forget-device",
        "withdraw-face",
        "remove-passkey",
        "unlink-social",
        "withdraw-consent",
        "end-sessions-at-counter",
    }
)

# A proof that cools after it was added: what lets somebody in later may not be bought with one that is cooling.
COOLS: Final = frozenset({"passkey"})

# Acts that are done with an ID card before two tellers.
IN_PERSON_ACTS: Final = frozenset(
    {
        "replace-phone-at-counter",
        "unfreeze-at-counter",
        "correct-document-at-counter",
        "end-sessions-at-counter",
    }
)

# What the old credential opened does not outlive it (ASVS 5.0, 7.4.3); what freezes has to throw the finder out.
ENDS_SESSIONS: Final = frozenset({"set-password", "replace-phone", "replace-phone-at-counter", "close-permission"})

# Nor does what a thief who was in left behind to come back by: a device of his, a passkey, a linked account.
THROWS_OUT: Final[Mapping[str, frozenset[str]]] = {
    "set-password": frozenset({"other_devices", "new_passkeys", "new_links"}),
    "replace-phone-at-counter": frozenset({"devices"}),
}

# Handed out by one act and good for one other: nobody signs in with it, so nobody has to be able to.
ONLY_FOR: Final[Mapping[str, str]] = {"permit": "set-password", "notice_link": "close-permission"}

# Where a journey's code may go. The number bound to the card vouches for registering and reopening: it is the one
# that nobody can change online. A code to any number typed proves nothing about a customer.
CODE_GOES_TO: Final[Mapping[str, CodeTo]] = {
    "register": CodeTo.BOUND,
    "reopen": CodeTo.BOUND,
    "close-permission": CodeTo.EITHER,
    "book-appointment": CodeTo.TYPED,
}

# To protect oneself one thing of one's own is enough, so more may not be asked.
PROTECTS: Final = frozenset({"close-permission"})

# The credential that an act replaces does not vouch for its own successor.
MAY_NOT_VOUCH: Final[Mapping[str, str]] = {"set-password": "password", "renew-face": "face"}

# How an act moves login permission. What is not here does not move it.
MOVES: Final[Mapping[str, tuple[Event, ...]]] = {
    "reopen": (Event.REOPENED,),
    "set-password": (Event.REOPENED,),
    "replace-phone-at-counter": (Event.REOPENED,),
    # The only act that undoes what the bank closed: two of its own people do it.
    "unfreeze-at-counter": (Event.BANK_RELEASED, Event.REOPENED),
}
# `set-password` opens only what failures closed: a forgotten password is what closed it.
OPENS_ONLY_FAILURES: Final = frozenset({"set-password"})

# Every word that `changes` may hold.
CHANGES: Final = frozenset(
    {
        "customer",
        "user_name",
        "password",
        "device",
        "devices",
        "other_devices",
        "new_passkeys",
        "new_links",
        "login_permission",
        "counters",
        "session",
        "sessions",
        "document",
        "face",
        "registered_phone",
        "permit",
        "social",
        "profile",
        "passkey",
        "appointment",
    }
)

# Changing one of these changes who can get in.
CREDENTIALS: Final = frozenset(
    {"password", "device", "face", "registered_phone", "permit", "social", "passkey", "login_permission"}
)
