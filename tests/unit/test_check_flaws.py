"""The checker is only worth its seconds if it catches flaws: each of these is seeded alone, and has to be named."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple, cast

import msgspec
import pytest

from foregate.rules import causes as causes_module
from foregate.rules import documents, engine, permission
from foregate.rules.causes import CAUSES, Causes
from foregate.rules.check import check
from foregate.rules.documents import State
from foregate.rules.journeys import BUILT, EVERYTHING, FULL, JOURNEYS, Built, Journey, Table, all_open
from foregate.rules.permission import Event, Permission
from foregate.rules.policy import POLICY, SESSION_LONG, Evidence, Policy
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
    SOCIAL,
    CodeTo,
    Level,
    Tier,
    Who,
)


class Tables(NamedTuple):
    """What is checked."""

    journeys: Table = JOURNEYS
    policy: Policy = POLICY
    causes: Causes = CAUSES
    built: Built = BUILT


AS_IT_STANDS = Tables()
EVERYTHING_OPEN = Tables(journeys=all_open(JOURNEYS), built=EVERYTHING)
COUNTER = "replace-phone-at-counter"

DEAD_END, SECOND_DOOR, LEAK, LOCK_OUT = "no dead end", "no second door", "no leak", "no lock-out"

Flaw = Callable[[Tables], Tables]


def stories(tables: Tables, promise: str) -> tuple[str, ...]:
    """Explore one promise."""
    promises = {each.name: each for each in check(*tables).promises}
    return promises[promise].explore().stories


# ---------------------------------------------------------------- how to spoil a table


def row(name: str, **changes: Any) -> Flaw:
    """Change one row."""
    return lambda tables: tables._replace(
        journeys={**tables.journeys, name: msgspec.structs.replace(tables.journeys[name], **changes)}
    )


def no_row(name: str) -> Flaw:
    """Drop one row."""
    return lambda tables: tables._replace(journeys={n: r for n, r in tables.journeys.items() if n != name})


def new_row(**fields: Any) -> Flaw:
    """Add one row."""
    journey = Journey(**fields)
    return lambda tables: tables._replace(journeys={**tables.journeys, journey.name: journey})


def policy(act: str, least: int, seconds: int, *alternatives: str) -> Flaw:
    """Rewrite one line of the policy."""
    evidence = Evidence(least, seconds, tuple(frozenset(each.split("+")) for each in alternatives))
    return lambda tables: tables._replace(policy={**tables.policy, act: evidence})


def no_policy(act: str) -> Flaw:
    """Drop one line of the policy."""
    return lambda tables: tables._replace(policy={a: e for a, e in tables.policy.items() if a != act})


def cause(name: str, **changes: Any) -> Flaw:
    """Change one cause."""
    return lambda tables: tables._replace(
        causes={**tables.causes, name: msgspec.structs.replace(tables.causes[name], **changes)}
    )


def without(name: str, remedy: str) -> Flaw:
    """Drop one remedy of a cause."""
    return cause(name, remedies=tuple(each for each in CAUSES[name].remedies if each != remedy))


def no_cause(name: str) -> Flaw:
    """Drop one cause."""
    return lambda tables: tables._replace(causes={n: c for n, c in tables.causes.items() if n != name})


def both(*flaws: Flaw) -> Flaw:
    """Seed one flaw that takes several edits."""

    def seed(tables: Tables) -> Tables:
        for flaw in flaws:
            tables = flaw(tables)
        return tables

    return seed


TWIN_THAT_DIFFERS = both(
    lambda tables: tables._replace(
        causes={**tables.causes, "sorry": causes_module.Cause("sorry", Tier.ANYONE, ("visit-outlet",))}
    ),
    cause("closed-by-customer", twin="sorry"),
)

SEEDED: dict[str, tuple[str, Tables, Flaw, str]] = {
    # ------------------------------------------------------------ second doors
    "sign in by phone code alone": (
        SECOND_DOOR, AS_IT_STANDS, row("sign-in", prove=PHONE_CODE),
        "A thief who holds the phone (SIM) asks for `sign-in` by phone number, shows the phone code: a full session",
    ),
    "reset password by phone code alone": (
        SECOND_DOOR, AS_IT_STANDS, row("reset-password", prove=PHONE_CODE),
        "A thief who holds the phone (SIM) asks for `reset-password` by phone number, shows the phone code",
    ),
    "reset password by the password": (
        SECOND_DOOR, AS_IT_STANDS,
        row("reset-password", prove=PHONE_CODE & PASSWORD, charges=("phone_code", "password")),
        "`reset-password`",
    ),
    "reopen by the locked factor alone": (
        SECOND_DOOR, AS_IT_STANDS, row("reopen", prove=PASSWORD, charges=("password@reopen",)), "`reopen`",
    ),
    "reopen signs in": (
        SECOND_DOOR, AS_IT_STANDS, row("reopen", session=Level.FULL), "`reopen` signs in",
    ),
    "reopen what the bank closed by an online row": (
        SECOND_DOOR, EVERYTHING_OPEN,
        row("replace-phone-at-counter", who=(Who.PHONE,),
        prove=PHONE_CODE & CARD_PIN, charges=("phone_code", "card_pin")),
        "`replace-phone-at-counter`",
    ),
    "a category dropped from registration": (
        SECOND_DOOR, AS_IT_STANDS, row("register", prove=PHONE_CODE), "`register`",
    ),
    "device remembered for a password alone": (
        SECOND_DOOR, AS_IT_STANDS, row("remember-device", prove=PASSWORD | FULL), "`remember-device`",
    ),
    "device remembered in a basic session": (
        SECOND_DOOR, AS_IT_STANDS, row("remember-device", prove=PHONE_CODE),
        "A thief who holds the phone (SIM) asks for `sign-in-basic`",
    ),
    "number replaced by the old phone alone": (
        SECOND_DOOR, EVERYTHING_OPEN, row("replace-phone", prove=PHONE_CODE), "`replace-phone`",
    ),
    "replaced number need not cool": (
        SECOND_DOOR, EVERYTHING_OPEN, row("replace-phone", cooling=False), "asks for `replace-phone`",
    ),
    "passkey need not cool": (
        SECOND_DOOR, EVERYTHING_OPEN, row("add-passkey", cooling=False), "asks for `add-passkey`",
    ),
    "social linked by the phone alone": (
        SECOND_DOOR, EVERYTHING_OPEN, row("link-social", prove=PHONE_CODE), "`link-social`",
    ),
    "social alone opens a basic session": (
        SECOND_DOOR, EVERYTHING_OPEN, row("sign-in-social", prove=SOCIAL),
        "A thief who holds the WeChat or Alipay account asks for `sign-in-social`",
    ),
    "passkey added from a stale session": (
        SECOND_DOOR, EVERYTHING_OPEN, policy("add-passkey", 2, SESSION_LONG, "phone_code+password", "passkey"),
        "stolen session",
    ),
    "face renewed from a stale session": (
        SECOND_DOOR, EVERYTHING_OPEN,
        policy("renew-face", 2, SESSION_LONG, "phone_code+card_pin", "device+card_pin", "passkey"),
        "stolen session",
    ),
    "document renewed by phone code alone": (
        SECOND_DOOR, AS_IT_STANDS, row("renew-document", prove=PHONE_CODE),
        "A thief who holds a stolen session opened a while ago with phone_code asks for `renew-document` signed in",
    ),
    "document renewed from a basic session": (
        SECOND_DOOR, AS_IT_STANDS, row("renew-document", who=(Who.SESSION,), prove=PHONE_CODE | PASSKEY),
        "`renew-document`",
    ),
    "an expired document is not told how to renew": (
        DEAD_END, AS_IT_STANDS, without("document-expired", "renew-document"),
        "A customer who hears `document-expired` is not offered renew-document.",
    ),
    "strangers hear that a document expired": (
        LEAK, AS_IT_STANDS, cause("document-expired", tier=Tier.ANYONE),
        "`document-expired` tells about the customer; it may be told from `customer` on, not to `anyone`.",
    ),
    "a wrong document number is told to whoever holds the phone": (
        LEAK, AS_IT_STANDS, cause("document-mismatch", tier=Tier.POSSESSION),
        "`document-mismatch` tells about the customer; it may be told from `customer` on, not to `possession`.",
    ),
    "face renewed by a password that the face bought": (
        SECOND_DOOR, EVERYTHING_OPEN,
        both(row("renew-face", prove=PHONE_CODE & (PASSWORD | CARD_PIN),
        charges=("phone_code", "password", "card_pin")),
             policy("renew-face", 2, 300, "phone_code+password", "phone_code+card_pin")),
        "then asks for `re",
    ),
    "counter row without the second teller": (
        SECOND_DOOR, EVERYTHING_OPEN,
        row("replace-phone-at-counter", prove=COUNTER_ID | PHONE_CODE),
        "`replace-phone-at-counter`",
    ),
    "permit alone sets a password": (
        SECOND_DOOR, EVERYTHING_OPEN, row("reset-password", prove=PHONE_CODE & CARD_PIN | PERMIT),
        "Whoever gives permit gets `set-password` by `reset-password`",
    ),
    "permit signs in": (
        SECOND_DOOR, AS_IT_STANDS, row("sign-in", prove=FULL | PHONE_CODE & PERMIT),
        "`sign-in` takes permit, which is for `set-password` and nothing else",
    ),
    "permit taken for the person": (
        SECOND_DOOR, AS_IT_STANDS, row("unfreeze-at-counter", prove=COUNTER_ID | PERMIT),
        "Whoever gives permit gets `unfreeze-at-counter`",
    ),
    "policy takes a permit for the person": (
        SECOND_DOOR, AS_IT_STANDS, policy("unfreeze-at-counter", 1, 300, "counter_id", "permit"),
        "The policy lets permit buy `unfreeze-at-counter` without two tellers",
    ),
    "the counter's door opened to the phone": (
        SECOND_DOOR, AS_IT_STANDS, row("replace-phone-at-counter", who=(Who.IN_PERSON, Who.PHONE)),
        "`replace-phone-at-counter` does `replace-phone-at-counter` for somebody who is not at the counter",
    ),
    "counter row without the ID card": (
        SECOND_DOOR, AS_IT_STANDS, row("correct-document-at-counter", prove=PHONE_CODE, charges=("phone_code",)),
        "Whoever gives phone_code gets `correct-document-at-counter`",
    ),
    "two tellers asked for online": (
        SECOND_DOOR, AS_IT_STANDS, row("reset-password", prove=PHONE_CODE & CARD_PIN | COUNTER_ID & PHONE_CODE),
        "`reset-password` asks for counter_id of somebody who is not at the counter",
    ),
    "tellers sign in as the customer": (
        SECOND_DOOR, AS_IT_STANDS,
        new_row(name="sign-in-at-counter", who=(Who.IN_PERSON,), prove=COUNTER_ID, act="open-basic-session",
                session=Level.BASIC),
        "`sign-in-at-counter` lets tellers do `open-basic-session`",
    ),
    "a replaced number leaves the sessions open": (
        SECOND_DOOR, AS_IT_STANDS, row(COUNTER, changes=("registered_phone", "permit", "login_permission")),
        "`replace-phone-at-counter` does `replace-phone-at-counter` and leaves the sessions open",
    ),
    "a reset leaves the thief's device": (
        SECOND_DOOR, AS_IT_STANDS, row("reset-password", changes=("password", "sessions", "new_passkeys", "new_links")),
        "`reset-password` does `set-password` and leaves other_devices: what a thief left behind lets him back in",
    ),
    "a link that does more than freeze": (
        SECOND_DOOR, AS_IT_STANDS, row("reset-password", prove=PHONE_CODE & CARD_PIN | NOTICE_LINK & CARD_PIN),
        "`reset-password` takes notice_link, which is for `close-permission` and nothing else",
    ),
    "policy loosened to one category": (
        SECOND_DOOR, AS_IT_STANDS,
        policy("set-password", 1, 300, "phone_code"),
        "The policy lets `set-password` cost 1",
    ),
    "policy lets the password vouch for itself": (
        SECOND_DOOR, AS_IT_STANDS,
        policy("set-password", 2,
        300, "phone_code+card_pin", "phone_code+face", "passkey", "permit+phone_code", "phone_code+password"),
        "vouch for its own successor",
    ),
    "an act without policy": (
        SECOND_DOOR, AS_IT_STANDS, no_policy("remember-device"), "no line",
    ),
    "a policy without act": (
        SECOND_DOOR, AS_IT_STANDS, policy("open-the-vault", 2, 300, "phone_code+card_pin"), "`open-the-vault`",
    ),
    "a charge dropped": (
        SECOND_DOOR, AS_IT_STANDS, row("sign-in", charges=("phone_code", "card_pin", "face")), "charges no counter",
    ),
    "a code to whatever number the visitor types": (
        SECOND_DOOR, AS_IT_STANDS, row("sign-in", code_to=CodeTo.TYPED), "sends its code to the typed number",
    ),
    "reopen by the number registered online": (
        SECOND_DOOR, AS_IT_STANDS, row("reopen", code_to=CodeTo.REGISTERED), "takes one to the bound number",
    ),
    "a change nobody knows": (
        SECOND_DOOR, AS_IT_STANDS, row("freeze", changes=("login_permission", "everything")), "`everything`",
    ),
    "a new door beside the table's doors": (
        SECOND_DOOR, AS_IT_STANDS,
        new_row(name="sign-in-fast", who=(Who.USER_NAME,), prove=PASSWORD, act="open-full-session", session=Level.FULL,
                charges=("password@sign-in-fast",)),
        "A thief who holds the password asks for `sign-in-fast`",
    ),
    # ------------------------------------------------------------ dead ends
    "freeze asks for two": (
        DEAD_END, AS_IT_STANDS, row("freeze", prove=PHONE_CODE & CARD_PIN), "`freeze` and is asked for more",
    ),
    "freeze charges the shared counter": (
        DEAD_END, AS_IT_STANDS,
        row("freeze", charges=("phone_code", "card_pin")),
        "only card_pin left asks for `freeze`",
    ),
    "reopen is closed": (
        DEAD_END, AS_IT_STANDS, row("reopen", open=False), "has lost nothing",
    ),
    "reopen asks for permission": (
        DEAD_END, AS_IT_STANDS, row("reopen", needs_permission=True), "has lost nothing",
    ),
    "a remedy removed": (
        DEAD_END, AS_IT_STANDS, without("closed-by-customer", "reopen"), "no answer names it",
    ),
    "nothing offered": (
        DEAD_END, AS_IT_STANDS, cause("proof-blocked", remedies=()), "offered nothing at all",
    ),
    "remedies that go round": (
        DEAD_END, AS_IT_STANDS, cause("internal-error", remedies=("try-again", "start-again")), "round in a circle",
    ),
    "a remedy that does not exist": (
        DEAD_END, AS_IT_STANDS, cause("code-expired", remedies=("ask-nicely", "visit-outlet")), "ask-nicely",
    ),
    "remedies that vanish where they are needed": (
        DEAD_END, AS_IT_STANDS, cause("code-wrong", remedies=("try-again", "ask-new-code", "another-way")), "no way on",
    ),
    "the outlet removed": (
        DEAD_END, AS_IT_STANDS, without("closed-by-bank", "visit-outlet"), "`closed-by-bank`",
    ),
    "a cause told too late": (
        DEAD_END, AS_IT_STANDS, cause("closed-by-failures", tier=Tier.CUSTOMER), "is not told `closed-by-failures`",
    ),
    "a cause gone": (
        DEAD_END, AS_IT_STANDS, no_cause("not-registered"), "`not-registered` is gone",
    ),
    "an open row whose proofs are not built": (
        DEAD_END, AS_IT_STANDS,
        new_row(name="sign-in-by-face", who=(Who.PHONE,), prove=PHONE_CODE & FACE, act="open-full-session",
                session=Level.FULL, charges=("phone_code", "face")),
        "`sign-in-by-face` is open, but no way to prove it",
    ),
    "an open row that nobody can name themselves for": (
        DEAD_END, AS_IT_STANDS,
        row("sign-in", who=()),
        "`sign-in` is open, but no way of saying who one is",
    ),
    "nobody undoes what the bank closed": (
        DEAD_END, AS_IT_STANDS, no_row("unfreeze-at-counter"),
        "login permission is closed-by-bank, begins at `sign-in` and finds no way back in: not even the counter helps",
    ),
    "a permit that nobody takes": (
        DEAD_END, AS_IT_STANDS, row("reset-password", prove=PHONE_CODE & CARD_PIN), "not even the counter helps",
    ),
    "the wrong permit, and no way on": (
        DEAD_END, AS_IT_STANDS, cause("permit-wrong", remedies=("try-again",)), "goes round in a circle",
    ),
    "a new number tells strangers": (
        LEAK, AS_IT_STANDS, cause("cooling-off", tier=Tier.ANYONE), "`cooling-off`",
    ),
    "a counter that gives nothing": (
        DEAD_END, AS_IT_STANDS, row("replace-phone-at-counter", changes=("sessions",)), "not even the counter helps",
    ),
    # ------------------------------------------------------------ leaks
    "a cause told too early": (
        LEAK, AS_IT_STANDS, cause("closed-by-bank", tier=Tier.ANYONE), "`closed-by-bank`",
    ),
    "a twin dropped": (
        LEAK, AS_IT_STANDS, cause("proof-blocked", twin=None), "says `proof-blocked`, about nobody",
    ),
    "a twin that differs": (
        LEAK, AS_IT_STANDS, TWIN_THAT_DIFFERS, "says `sorry`, about nobody",
    ),
    "a twin that waits": (
        LEAK, AS_IT_STANDS,
        cause("not-recognised", remedies=("wait", *CAUSES["not-recognised"].remedies)),
        "it offers wait",
    ),
    "the twin gone": (
        LEAK, AS_IT_STANDS, no_cause("not-recognised"), "is missing",
    ),
    "a cause nobody classified": (
        LEAK, AS_IT_STANDS,
        lambda tables: tables._replace(causes={**tables.causes, "is-rich": causes_module.Cause("is-rich",
        Tier.ANYONE, ("sign-in",))}),
        "`is-rich` is new",
    ),
    # ------------------------------------------------------------ lock-outs
    "text-us not offered when codes are spent": (
        LOCK_OUT, AS_IT_STANDS, without("codes-spent", "text-us"), "`codes-spent`",
    ),
    "text-us not offered when it is too soon": (
        LOCK_OUT, AS_IT_STANDS, without("code-too-soon", "text-us"), "`code-too-soon`",
    ),
    "sign-in shares the counter of freeze": (
        LOCK_OUT, AS_IT_STANDS,
        row("sign-in", charges=("phone_code", "password", "card_pin@freeze", "face")),
        "card_pin@freeze",
    ),
    "face asked of strangers": (
        LOCK_OUT, EVERYTHING_OPEN,
        row("sign-in", charges=("phone_code", "password", "card_pin", "face@sign-in")),
        "face@sign-in",
    ),
    "password asked before possession": (
        LOCK_OUT, AS_IT_STANDS,
        row("sign-in", charges=("phone_code", "password@sign-in", "card_pin", "face")),
        "password@sign-in",
    ),
    "sign-in charges no password": (
        LOCK_OUT, AS_IT_STANDS, row("sign-in", charges=("phone_code", "card_pin", "face")), "password & phone_code",
    ),
}  # fmt: skip


@pytest.mark.parametrize("flaw", SEEDED)
def test_a_seeded_flaw_is_caught_by_the_promise_it_breaks(flaw: str) -> None:
    """Each flaw is told in a story that names it."""
    promise, sound, seed, words = SEEDED[flaw]

    told = stories(seed(sound), promise)

    assert any(words in story for story in told), told


def test_there_are_flaws_enough() -> None:
    """FML-04 asks for twenty; the project for twenty-four."""
    assert len(SEEDED) >= 24


# ---------------------------------------------------------------- flaws in the engine


def skip_a_proof(patch: pytest.MonkeyPatch) -> None:
    """CVE-2026-18963: a step is taken for done."""
    decide = engine.decide

    def skipping(row: Journey, progress: engine.Progress, built: Built) -> engine.Decision:
        if row.name == "reset-password" and progress.who is not None:
            return engine.Perform()
        return decide(row, progress, built)

    patch.setattr(engine, "decide", skipping)


def any_part_is_enough(patch: pytest.MonkeyPatch) -> None:
    """`&` read as `|`."""
    patch.setattr(engine, "is_satisfied", lambda formula, proved: bool(proved))


def possession_last(patch: pytest.MonkeyPatch) -> None:
    """Passwords and faces may be asked for first."""
    patch.setattr(engine, "_may_be_first", lambda row, proof: True)


def one_lane_for_all(patch: pytest.MonkeyPatch) -> None:
    """Remembered devices share the lane of unknown ones."""
    patch.setattr(permission, "lane_of", lambda device_id: permission.UNKNOWN)


def looks_before_possession(patch: pytest.MonkeyPatch) -> None:
    """What the customer cannot use is left out of what a stranger is offered."""
    patch.setattr(engine, "has_possession", lambda row, proved: True)


def tells_everything(patch: pytest.MonkeyPatch) -> None:
    """Tiers are not looked at."""
    patch.setattr(engine, "visible", lambda cause, earned, causes: cause)


def tells_how_long(patch: pytest.MonkeyPatch) -> None:
    """How long a block lasts is told with the twin."""
    refuse = engine.refuse

    def telling(
        cause: str, earned: Tier, around: engine.Around, journeys: Table, causes: Causes = CAUSES
    ) -> engine.Refusal:
        told = refuse(cause, earned, around, journeys, causes)
        return msgspec.structs.replace(told, retry_in_seconds=around.retry_in_seconds)

    patch.setattr(engine, "refuse", telling)


def picks_before_possession(patch: pytest.MonkeyPatch) -> None:
    """Who shares the number is asked at once."""
    decide = engine.decide

    def picking(row: Journey, progress: engine.Progress, built: Built) -> engine.Decision:
        return engine.Pick() if progress.who and progress.must_pick else decide(row, progress, built)

    patch.setattr(engine, "decide", picking)


def reopens_for_the_bank(patch: pytest.MonkeyPatch) -> None:
    """A customer's own proof lifts what the bank closed."""
    moved = {**permission.TRANSITIONS, (Permission.CLOSED_BY_BANK, Event.REOPENED): Permission.OPEN}
    patch.setattr(permission, "TRANSITIONS", moved)


def hides_other_ways(patch: pytest.MonkeyPatch) -> None:
    """Only the first way is ever offered."""
    askable = engine.askable
    patch.setattr(engine, "askable", lambda row, progress, built: askable(row, progress, built)[:1])


def forgets_the_outlet(patch: pytest.MonkeyPatch) -> None:
    """The engine drops a remedy that the table lists."""
    works = engine._works
    patch.setattr(
        engine, "_works", lambda name, around, journeys: name != "visit-outlet" and works(name, around, journeys)
    )


@pytest.fixture
def forgetful() -> Iterator[None]:
    """The engine remembers what may be asked: let it forget, before a flaw and after it."""
    engine._askable.cache_clear()
    yield
    engine._askable.cache_clear()


@pytest.mark.parametrize(
    ("flaw", "promise", "words"),
    [
        (skip_a_proof, SECOND_DOOR, "A thief who holds nothing asks for `reset-password`"),
        (any_part_is_enough, SECOND_DOOR, "asks for `sign-in`"),
        (reopens_for_the_bank, SECOND_DOOR, "Only the bank may open it"),
        (hides_other_ways, DEAD_END, "the engine never asks for it"),
        (forgets_the_outlet, DEAD_END, "no way"),
        (looks_before_possession, LEAK, "about nobody"),
        (picks_before_possession, LEAK, "who shares the number"),
        (tells_everything, LEAK, "the stranger learns about the customer"),
        (tells_how_long, LEAK, "when to come back"),
        (possession_last, LOCK_OUT, "A stranger who holds nothing fails on purpose"),
        (one_lane_for_all, LOCK_OUT, "A thief who holds the phone (SIM) fails"),
    ],
)
@pytest.mark.usefixtures("forgetful")
def test_a_flaw_in_the_engine_is_caught(
    flaw: Callable[[pytest.MonkeyPatch], None], promise: str, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The checker runs the engine itself, so it sees what the engine does wrong."""
    flaw(monkeypatch)

    told = stories(AS_IT_STANDS, promise)

    assert any(words in story for story in told), told


# ---------------------------------------------------------------- stories


def test_the_shortest_story_of_the_thief_who_had_to_steal_least() -> None:
    """A chain is told from its first step, and no step of it is spare."""
    flawed = row("reset-password", prove=PHONE_CODE)(AS_IT_STANDS)

    first = stories(flawed, SECOND_DOOR)[0]

    assert first == (
        "A thief who holds the phone (SIM) asks for `reset-password` by phone number, shows the phone code: a new "
        "password. But that is 1 category (have) of the thief's own; for `set-password` the policy asks for 2: "
        "card_pin & phone_code, face & phone_code, passkey or permit & phone_code."
    )


def test_a_chain_of_journeys_is_told_as_a_chain() -> None:
    """The new password is the thief's, but it is not his own."""
    flawed = row("reset-password", prove=PHONE_CODE)(AS_IT_STANDS)

    chain = next(story for story in stories(flawed, SECOND_DOOR) if "`sign-in`" in story)

    assert "asks for `reset-password` by phone number, shows the phone code: a new password; then asks for" in chain
    assert "shows the phone code and gives the password: a full session" in chain


def test_alternatives_of_a_formula_do_not_hide_one_another() -> None:
    """A second way that is too cheap is found beside a first that is sound."""
    flawed = row("sign-in", prove=FULL | DEVICE)(AS_IT_STANDS)

    assert any("the remembered device" in story for story in stories(flawed, SECOND_DOOR))


def test_a_passkey_stands_alone() -> None:
    """It is two categories in one (user verification is asked for)."""
    assert not stories(row("sign-in", prove=PASSKEY)(EVERYTHING_OPEN), SECOND_DOOR)


def test_an_expired_document_that_closes_sign_in_is_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever holds everything and an expired card would not hear how to renew it."""
    monkeypatch.setitem(cast(dict[str, State], documents.CLOSES), "open-full-session", State.EXPIRED)
    told = stories(AS_IT_STANDS, DEAD_END)
    assert any("the document has expired" in story and "no answer names it" in story for story in told), told
