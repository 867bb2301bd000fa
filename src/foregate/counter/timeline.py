"""The record of one chain in words: which sentence, which facts, which group the filters choose by."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from foregate.counter.views import Timeline, TimelineLine
from foregate.ports.counter import TrailEntry
from foregate.rules import limits

# Every kind of event that has a sentence of its own, `timeline.<kind>`; any other one is told as `timeline.other`.
GROUPS: Final[Mapping[str, tuple[str, ...]]] = {
    "outlets": (
        "outlet-facts-set", "outlet-services-set", "outlet-closed", "outlet-reopened", "country-day-set",
        "country-day-deleted",
    ),
    "sign-in": (
        "session-opened", "session-ended", "sessions-ended", "proof-refused", "journey-refused", "permission-closed",
        "permission-reopened", "registered",
    ),
    "codes": ("code-sent",),
    "changes": (
        "password-set", "phone-replaced", "permit-issued", "document-corrected", "document-renewed",
        "details-refused", "document-expiring-told", "document-expired-told", "device-remembered", "device-forgotten",
        "passkey-added", "passkey-removed", "passkey-renamed", "passkey-backup-changed", "face-renewed",
        "face-withdrawn", "face-expiring-told", "face-expired-told",
        "social-linked", "social-unlinked", "provider-refused", "consent-withdrawn", "consent-given",
        "profile-filled-in", "alerts-chosen",
    ),
    "statements": ("statement-asked-for", "statement-made", "statement-refused", "statement-fetched"),
    "counter": (
        "customer-searched", "customer-looked-up", "file-seen", "verdict-given", "proposal-made", "proposal-consented",
        "proposal-refused", "proposal-withdrawn", "proposal-expired", "code-proved",
        "case-opened", "case-read", "audit-read", "audit-exported", "hold-released", "counter-refused", "alarm",
        "table-exported", "bank-restored", "anchor-ended",
    ),
    "staff": (
        "staff-created", "staff-changed", "staff-deactivated", "staff-reactivated",
        "staff-signed-in", "staff-signed-out",
        "staff-sign-in-refused", "staff-enrolment-issued", "staff-enrolled",
        "outlet-hours-set", "outlet-capacity-set", "outlet-exception-set", "outlet-exception-deleted",
    ),
    "visits": (
        "appointment-held", "appointment-confirmed", "appointment-moved", "appointment-cancelled", "appointment-lapsed",
        "appointment-checked-in", "appointment-called", "appointment-served", "appointment-missed",
        "appointment-not-called", "appointment-texted", "ticket-drawn",
    ),
}  # fmt: skip
GROUP_OF: Final = {kind: group for group, kinds in GROUPS.items() for kind in kinds}
OTHER: Final = "other"


def kinds_of(groups: tuple[str, ...]) -> tuple[str, ...]:
    """Return the kinds of events in `groups`; none: every kind."""
    return tuple(kind for group in groups for kind in GROUPS.get(group, ()))


# Facts that are names of things: each has a text of its own, by this key.
WORDS: Final[Mapping[str, str]] = {
    "cause": "cause.{}.title",
    "journey": "journey.{}.title",
    "purpose": "journey.{}.title",
    "proof": "way.{}",
    "act": "proposal.act.{}",
    "objection": "objection.{}.title",
    "headline": "verdict.headline.{}",
    "level": "timeline.level.{}",
    "by": "timeline.by.{}",
    "role": "console.role.{}",
    "service": "service.{}.name",
    "provider": "social.name.{}",
    "reason": "console.reason.{}",  # one of those that the console offers; a free one stays as it was typed
}
PLAIN: Final = ("note", "count", "outlet", "day", "format")


def line_of(entry: TrailEntry, names: Mapping[str, str]) -> TimelineLine:
    """Return one event in words. `names` gives staff ids their names."""
    kind = entry.kind if entry.kind in GROUP_OF else OTHER
    # An older event may lack a fact; a sentence with a gap is better than no page.
    facts = dict.fromkeys((*WORDS, *PLAIN), "") | entry.details | {"kind": entry.kind}
    return TimelineLine(
        seq=entry.seq,
        at=entry.at,
        kind=kind,
        key=f"timeline.{kind}",
        facts=facts,
        words={name: key.format(facts[name]) for name, key in WORDS.items() if facts[name] != ""},
        actor=" + ".join(names.get(part.removeprefix("staff:"), part) for part in entry.actor.split("+")),
        source=entry.source,
        group=GROUP_OF.get(entry.kind, OTHER),
    )


def page_of(entries: tuple[TrailEntry, ...], names: Mapping[str, str]) -> Timeline:
    """Return one page, and from where the next one goes on."""
    is_full = len(entries) == limits.TRAIL_LISTED
    return Timeline(
        lines=tuple(line_of(entry, names) for entry in entries),
        before=entries[-1].seq if is_full and entries[-1].seq > 1 else None,
    )
