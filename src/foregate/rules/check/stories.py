"""Words for what the checker found: how it breaks, as one would tell it to a colleague at the counter."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from foregate.rules.check.model import Factor, categories
from foregate.rules.journeys import Journey
from foregate.rules.policy import Evidence
from foregate.rules.words import Level, Who

FACTORS: Final[Mapping[Factor, str]] = {
    Factor.REGISTERED_SIM: "the phone (SIM)",
    Factor.BOUND_SIM: "the SIM of the number bound to the card",
    Factor.DEVICE: "the remembered device",
    Factor.PASSWORD: "the password",
    Factor.CARD_PIN: "the card PIN",
    Factor.FACE: "the face",
    Factor.PASSKEY: "the passkey",
    Factor.SOCIAL: "the WeChat or Alipay account",
    Factor.PERMIT: "the counter's permit",
}

WHO: Final[Mapping[Who, str]] = {
    Who.PHONE: "by phone number",
    Who.CARD: "by card number",
    Who.USER_NAME: "by user name",
    Who.CARD_AND_PHONE: "by card and phone number",
    Who.CARD_NAME_DOCUMENT: "by card, name and document",
    Who.SESSION: "signed in",
    Who.PASSKEY: "by passkey",
    Who.WECHAT: "by WeChat",
    Who.ALIPAY: "by Alipay",
    Who.LINK: "by the link in a notice",
    Who.IN_PERSON: "at the counter",
    Who.ANYBODY: "as anybody",
}

SHOWS: Final[Mapping[str, str]] = {
    "phone_code": "shows the phone code",
    "device": "comes on the remembered device",
    "password": "gives the password",
    "card_pin": "gives the card PIN",
    "face": "shows the face",
    "passkey": "uses the passkey",
    "social": "confirms with WeChat or Alipay",
    "counter_id": "has the ID card seen by two tellers",
    "permit": "brings the counter's permit",
    "notice_link": "opens the link in the notice",
}

ACTS: Final[Mapping[str, str]] = {
    "open-basic-session": "a basic session",
    "open-full-session": "a full session",
    "register": "a registration, and a full session",
    "reopen": "login permission open again",
    "set-password": "a new password",
    "renew-document": "a renewed document",
    "renew-face": "a new face on file",
    "withdraw-face": "the face taken off file",
    "replace-phone": "a new registered number",
    "replace-phone-at-counter": "a new registered number and a permit",
    "unfreeze-at-counter": "login permission open again, whoever closed it",
    "correct-document-at-counter": "a document with another expiry",
    "end-sessions-at-counter": "all sessions ended",
    "remember-device": "a remembered device",
    "link-social": "a linked WeChat or Alipay account",
    "give-consent": "a consent given",
    "add-passkey": "a new passkey",
    "remove-passkey": "a passkey removed",
    "rename-passkey": "a passkey called otherwise",
    "close-permission": "the login closed",
    "end-session": "the session ended",
    "end-all-sessions": "all sessions ended",
    "revoke-session": "another session ended",
    "forget-device": "a device forgotten",
    "book-appointment": "an appointment",
}


def listed(words: Iterable[str], last: str = "and", none: str = "nothing") -> str:
    """Return `a, b and c`."""
    items = list(words)
    if not items:
        return none
    if len(items) == 1:
        return items[0]
    return f"{', '.join(items[:-1])} {last} {items[-1]}"


def factors(held: Iterable[Factor]) -> str:
    """Return what somebody holds, in the order of the list above."""
    kept = frozenset(held)
    return listed(word for factor, word in FACTORS.items() if factor in kept)


def way(proofs: Iterable[str]) -> str:
    """Return a set of proofs as the tables write it."""
    return " & ".join(sorted(proofs)) or "nothing"


def step(row: Journey, who: Who, shown: Iterable[str], brought: Iterable[str]) -> str:
    """Return one journey taken, from asking for it to what it gave."""
    kept = frozenset(brought)
    done = [SHOWS[name] for name in shown if name not in kept]
    if kept:
        done.insert(0, f"brings {way(kept)} along in the session")
    act = ACTS.get(row.act, f"`{row.act}`")
    if row.session is Level.FULL and row.act not in ("open-full-session", "register"):
        act += ", and a full session"
    return f"asks for `{row.name}` {WHO[who]}, {listed(done, none='shows nothing')}: {act}"


def thief(starts_with: frozenset[Factor], stale: frozenset[str] | None) -> str:
    """Return who the thief is."""
    if stale is None:
        return f"A thief who holds {factors(starts_with)}"
    stolen = f"a stolen session opened a while ago with {way(stale)}"
    return f"A thief who holds {factors(starts_with)} and {stolen}" if starts_with else f"A thief who holds {stolen}"


def judgement(act: str, own: frozenset[str], evidence: Evidence | None) -> str:
    """Return why that is a second door."""
    if evidence is None:
        return f"the policy has no line for `{act}`"
    found = sorted(category.value for category in categories(own))
    kinds = f"{len(found)} categor{'y' if len(found) == 1 else 'ies'} ({', '.join(found)})" if found else "no evidence"
    asked = listed((way(alternative) for alternative in evidence.alternatives), "or")
    return f"that is {kinds} of the thief's own; for `{act}` the policy asks for {evidence.min_categories}: {asked}"
