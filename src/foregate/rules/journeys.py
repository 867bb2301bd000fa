"""The journeys: who may come, what they prove, what the bank then does. One table, on one screen.

Rules
  1. A way into the bank, or back into it, that is not a row here does not exist.
  2. `prove` says which proofs buy the act; `who` says how a visitor is told apart. Only this table joins them.
  3. `charges` names the counter that each wrong answer is charged to. A guessable proof without one may not be
     asked for.
  4. A row that is not open is never offered, nor a proof or a `who` that is not built (`BUILT`); the checker
     explores the world as it stands and the world with everything open.

Everything else is drawn from here: the engine runs it, pages and OpenAPI list it, the diagrams in
docs/reference/journeys.md are generated from it, the step fuzzer walks it, `foregate check` explores it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from foregate.rules.words import (
    CARD_PIN,
    COUNTER_ID,
    DEVICE,
    FACE,
    NOTICE_LINK,
    PASSKEY,
    PASSWORD,
    PERMIT,
    PHONE_CODE,
    PROOFS,
    SOCIAL,
    CodeTo,
    Formula,
    Level,
    Proof,
    Who,
    as_json,
    proofs_of,
)


class Journey(msgspec.Struct, frozen=True, kw_only=True, cache_hash=True):
    """One row. `charges` are counter names: a proof's own, or `proof@journey` for a counter kept apart."""

    name: str
    who: tuple[Who, ...]
    prove: Formula
    act: str
    session: Level | None = None
    code_to: CodeTo = CodeTo.REGISTERED
    needs_permission: bool = False  # refused while login permission is closed
    changes: tuple[str, ...] = ()
    charges: tuple[str, ...] = ()
    cooling: bool = False  # for a while, what was changed vouches for nothing but signing in
    seasoned: bool = False  # lets somebody in later, so nothing that is cooling itself buys it
    asks_number: bool = False  # a code counts only where its number did not change hands lately
    open: bool = True

    @property
    def is_at_counter(self) -> bool:
        """True when people do it at an outlet, the customer before them."""
        return Who.IN_PERSON in self.who

    @property
    def is_public(self) -> bool:
        """True when the front door offers and begins it. What is done at the counter only the console performs."""
        return self.open and not self.is_at_counter

    def counter_for(self, proof: Proof) -> str | None:
        """Return the counter that a wrong `proof` is charged to, or None when the row names none."""
        own = (c for c in self.charges if c == proof.name or c.startswith(proof.name + "@"))
        return next(own, None)


Table = Mapping[str, Journey]


def table(*rows: Journey) -> Table:
    """Return the rows by name. Raises ValueError when two rows share a name."""
    by_name = {row.name: row for row in rows}
    if len(by_name) != len(rows):
        raise ValueError("two journeys share a name")
    return by_name


KNOWN_OR_SEEN = PASSWORD | CARD_PIN | FACE
FULL = PHONE_CODE & KNOWN_OR_SEEN | DEVICE & KNOWN_OR_SEEN | PASSKEY
PHONE, CARD, NAME, SESSION = Who.PHONE, Who.CARD, Who.USER_NAME, Who.SESSION
ELSEWHERE = (Who.PASSKEY, Who.WECHAT, Who.ALIPAY)
GUESSED = ("phone_code", "password", "card_pin", "face")

# fmt: off
JOURNEYS: Final[Table] = table(
    # Get in.
    Journey(name="register", who=(Who.CARD_NAME_DOCUMENT,), prove=PHONE_CODE & CARD_PIN, code_to=CodeTo.BOUND,
            act="register", session=Level.FULL, changes=("customer", "user_name", "password", "device"),
            charges=("phone_code", "card_pin"), asks_number=True),
    Journey(name="sign-in-basic", who=(PHONE,), prove=PHONE_CODE, act="open-basic-session", session=Level.BASIC,
            needs_permission=True, charges=("phone_code",)),
    Journey(name="sign-in", who=(PHONE, CARD, NAME, *ELSEWHERE), prove=FULL, act="open-full-session", session=Level.FULL,
            needs_permission=True, charges=GUESSED, asks_number=True),
    Journey(name="finish-sign-in", who=(SESSION,), prove=FULL, act="open-full-session", session=Level.FULL,
            needs_permission=True, charges=GUESSED, asks_number=True),
    Journey(name="sign-in-social", who=(Who.WECHAT, Who.ALIPAY), prove=SOCIAL & DEVICE | SOCIAL & PHONE_CODE,
            act="open-basic-session", session=Level.BASIC, needs_permission=True, charges=("phone_code",)),
    # Get back in.
    Journey(name="reopen", who=(Who.CARD_AND_PHONE,), prove=PHONE_CODE & (CARD_PIN | PASSWORD | FACE) | PASSKEY,
            code_to=CodeTo.BOUND, act="reopen", changes=("login_permission", "counters"), charges=GUESSED,
            seasoned=True, asks_number=True),
    Journey(name="reset-password", who=(PHONE, CARD, NAME),
            prove=PHONE_CODE & (CARD_PIN | FACE) | PASSKEY | PERMIT & PHONE_CODE, act="set-password",
            changes=("password", "sessions", "counters", "login_permission", "other_devices", "new_passkeys",
                     "new_links"),
            charges=("phone_code", "card_pin", "face"), seasoned=True, asks_number=True),
    Journey(name="renew-document", who=(SESSION, PHONE, CARD), prove=FULL, act="renew-document",
            changes=("document",), charges=GUESSED),
    Journey(name="renew-face", who=(SESSION, PHONE, CARD),
            prove=PHONE_CODE & CARD_PIN | DEVICE & CARD_PIN | PASSKEY, act="renew-face", changes=("face",),
            charges=("phone_code", "card_pin"), seasoned=True, asks_number=True, open=False),
    # Consent is taken back with as little as it takes to protect oneself, whether or not faces are compared here.
    Journey(name="withdraw-face", who=(SESSION,), prove=PHONE_CODE | FULL | SOCIAL & DEVICE, act="withdraw-face",
            changes=("face",), charges=GUESSED),
    # Protect yourself: never more than one thing of your own.
    Journey(name="freeze", who=(PHONE, CARD), prove=PHONE_CODE | CARD_PIN, code_to=CodeTo.EITHER,
            act="close-permission", changes=("login_permission", "sessions"), charges=("phone_code", "card_pin@freeze")),
    Journey(name="stop-by-link", who=(Who.LINK,), prove=NOTICE_LINK, act="close-permission",
            changes=("login_permission", "sessions")),
    Journey(name="sign-out", who=(SESSION,), prove=PHONE_CODE | FULL | SOCIAL & DEVICE, act="end-session",
            changes=("session",), charges=GUESSED),
    Journey(name="sign-out-everywhere", who=(SESSION,), prove=PHONE_CODE | FULL | SOCIAL & DEVICE,
            act="end-all-sessions", changes=("sessions",), charges=GUESSED),
    Journey(name="revoke-session", who=(SESSION,), prove=PHONE_CODE | FULL | SOCIAL & DEVICE, act="revoke-session",
            changes=("session",), charges=GUESSED),
    Journey(name="forget-device", who=(SESSION,), prove=PHONE_CODE | FULL | SOCIAL & DEVICE, act="forget-device",
            changes=("device", "sessions"), charges=GUESSED),
    # Change what you hold, signed in, two categories afresh.
    Journey(name="replace-phone", who=(SESSION,), prove=FULL, act="replace-phone",
            changes=("registered_phone", "sessions"), charges=GUESSED, cooling=True, seasoned=True, asks_number=True,
            open=False),
    Journey(name="remember-device", who=(SESSION,), prove=FULL, act="remember-device", changes=("device",),
            charges=GUESSED, seasoned=True, asks_number=True),
    Journey(name="link-social", who=(SESSION,), prove=FULL, act="link-social", changes=("social",),
            charges=GUESSED, seasoned=True, asks_number=True),
    Journey(name="unlink-social", who=(SESSION,), prove=PHONE_CODE | FULL | SOCIAL & DEVICE, act="unlink-social",
            changes=("social", "profile"), charges=GUESSED),
    Journey(name="withdraw-consent", who=(SESSION,), prove=PHONE_CODE | FULL | SOCIAL & DEVICE,
            act="withdraw-consent", changes=("profile",), charges=GUESSED),
    Journey(name="give-consent", who=(SESSION,), prove=PHONE_CODE | FULL | SOCIAL & DEVICE,
            act="give-consent", changes=("profile",), charges=GUESSED),
    Journey(name="fill-in-profile", who=(SESSION,), prove=PHONE_CODE | FULL | SOCIAL & DEVICE,
            act="fill-in-profile", changes=("profile",), charges=GUESSED),
    Journey(name="add-passkey", who=(SESSION,), prove=FULL, act="add-passkey", changes=("passkey",),
            charges=GUESSED, cooling=True, seasoned=True, asks_number=True),
    Journey(name="remove-passkey", who=(SESSION,), prove=FULL, act="remove-passkey", changes=("passkey", "sessions"),
            charges=GUESSED),
    Journey(name="rename-passkey", who=(SESSION,), prove=FULL, act="rename-passkey", charges=GUESSED),
    # At the counter: the console performs these, nobody else.
    Journey(name="replace-phone-at-counter", who=(Who.IN_PERSON,), prove=COUNTER_ID, act="replace-phone-at-counter",
            changes=("registered_phone", "sessions", "devices", "permit", "login_permission", "counters")),
    Journey(name="unfreeze-at-counter", who=(Who.IN_PERSON,), prove=COUNTER_ID, act="unfreeze-at-counter",
            changes=("login_permission", "counters")),
    Journey(name="correct-document-at-counter", who=(Who.IN_PERSON,), prove=COUNTER_ID,
            act="correct-document-at-counter", changes=("document",)),
    Journey(name="end-sessions-at-counter", who=(Who.IN_PERSON,), prove=COUNTER_ID, act="end-sessions-at-counter",
            changes=("sessions",)),
    # Nobody in particular.
    Journey(name="book-appointment", who=(Who.ANYBODY,), prove=PHONE_CODE, code_to=CodeTo.TYPED,
            act="book-appointment", changes=("appointment",), charges=("phone_code",)),
)
# fmt: on


class Built(msgspec.Struct, frozen=True, cache_hash=True):
    """Which proofs and which ways of saying who one is are built; the engine offers no other."""

    proofs: frozenset[str]
    who: frozenset[Who]


BUILT: Final = Built(
    proofs=frozenset(
        {
            "phone_code",
            "device",
            "password",
            "card_pin",
            "passkey",
            "permit",
            "notice_link",
            "counter_id",
            "social",
        }
    ),
    who=frozenset(
        {
            PHONE,
            CARD,
            NAME,
            SESSION,
            Who.CARD_AND_PHONE,
            Who.CARD_NAME_DOCUMENT,
            Who.PASSKEY,
            Who.LINK,
            Who.IN_PERSON,
            Who.ANYBODY,
            Who.WECHAT,
            Who.ALIPAY,
        }
    ),
)
# Where the models are there, the house runs the same tables with this much more.
BUILT_WITH_FACE: Final = Built(proofs=BUILT.proofs | {"face"}, who=BUILT.who)
EVERYTHING: Final = Built(
    proofs=frozenset(PROOFS),
    who=frozenset(Who),
)


def with_face(journeys: Table) -> Table:
    """Return the table as a house runs it that can compare faces."""
    return {**journeys, "renew-face": msgspec.structs.replace(journeys["renew-face"], open=True)}


def all_open(journeys: Table) -> Table:
    """Return the table with every row open: the second of the checker's two worlds."""
    return {name: msgspec.structs.replace(row, open=True) for name, row in journeys.items()}


def row_as_json(row: Journey) -> dict[str, Any]:
    """Return one row in the shape that `foregate journeys --format json` promises."""
    return {
        "name": row.name,
        "open": row.open,
        "who": [who.value for who in row.who],
        "session": row.session.value if row.session else None,
        "prove": as_json(row.prove),
        "code_to": row.code_to.value if "phone_code" in {p.name for p in proofs_of(row.prove)} else None,
        "needs_permission": row.needs_permission,
        "act": row.act,
        "changes": list(row.changes),
        "charges": list(row.charges),
        "cooling": row.cooling,
        "seasoned": row.seasoned,
        "asks_number": row.asks_number,
    }
