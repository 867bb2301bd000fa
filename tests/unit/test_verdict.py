"""Why can't they get in? What the verdict promises, the checker's model agrees to."""

from itertools import product
from typing import Any

import pytest

from foregate.rules import verdict
from foregate.rules.causes import CAUSES
from foregate.rules.check.customers import Condition, Customers, Kit, Lanes
from foregate.rules.check.model import Factor, World
from foregate.rules.findings import FINDINGS
from foregate.rules.footing import BOUND_SIM, REGISTERED_SIM, Footing, Known, Lost, footing
from foregate.rules.journeys import BUILT, BUILT_WITH_FACE, JOURNEYS, with_face
from foregate.rules.permission import Permission
from foregate.rules.policy import POLICY
from foregate.rules.verdict import HEADLINES, Rules, can_do, way_in

RULES = Rules(JOURNEYS, BUILT)
LIST = Known(has_password=True, has_active_card=True, has_bound_phone=True, is_bound_registered=True)
P = Permission


def judged(known: Known = LIST, at: Footing = Footing(frozenset())) -> verdict.Verdict:  # noqa: B008 -- frozen
    return verdict.verdict(footing(at, known), known, RULES)


def lost(*what: Lost, known: Known = LIST) -> Known:
    return Known(**{name: getattr(known, name) for name in Known.__struct_fields__} | {"lost": frozenset(what)})


@pytest.mark.parametrize(
    ("known", "at", "headline", "alone", "at_counter"),
    [
        (LIST, {}, "nothing-wrong", "sign-in", None),
        (LIST, {"everywhere": P.CLOSED_BY_CUSTOMER}, "closed-by-customer", "reopen sign-in", None),
        (LIST, {"everywhere": P.CLOSED_BY_DISUSE}, "closed-by-disuse", "reopen sign-in", None),
        (LIST, {"everywhere": P.CLOSED_BY_BANK}, "closed-by-bank", None, "unfreeze-at-counter sign-in"),
        (LIST, {"unknown": P.CLOSED_BY_FAILURES}, "closed-by-failures", "reopen sign-in", None),
        (lost(Lost.PASSWORD), {}, "another-way", "sign-in", None),
        (lost(Lost.PHONE), {}, "number-lost", None, "replace-phone-at-counter sign-in"),
        (
            lost(Lost.PHONE, Lost.PASSWORD, Lost.PIN), {}, "number-and-password-lost", None,
            "replace-phone-at-counter reset-password sign-in",
        ),
        (
            lost(Lost.PHONE), {"is_document_valid": False}, "number-lost", None,
            "correct-document-at-counter replace-phone-at-counter sign-in",
        ),
        (LIST, {"is_document_valid": False}, "nothing-wrong", "sign-in", None),
        (
            LIST, {"everywhere": P.CLOSED_BY_BANK, "is_document_valid": False}, "closed-by-bank", None,
            "renew-document unfreeze-at-counter sign-in",
        ),
        (LIST, {"is_registered": False}, "not-registered", "register", None),
        (LIST, {"is_registered": False, "is_document_valid": False}, "not-registered", "register", None),
        (
            LIST, {"is_registered": False, "is_document_valid": False, "is_document_lapsed": True},
            "not-registered-stuck", None, "correct-document-at-counter register",
        ),
        (lost(Lost.PHONE), {"is_registered": False}, "not-registered-stuck", None, None),
    ],
)  # fmt: skip
def test_why(known: Known, at: dict[str, object], headline: str, alone: str | None, at_counter: str | None) -> None:
    """One sentence, and the shortest way that works: alone where there is one, else at the counter."""
    found = judged(known, Footing(frozenset(), **at))  # type: ignore[arg-type]  # the cases are right
    ways = [way.split() if way else None for way in (alone, at_counter)]
    assert (headline, ways) == (found.headline, [list(w) if w else None for w in (found.alone, found.at_counter)])


def test_a_blocked_proof_is_told_with_its_minutes() -> None:
    """What ends by itself says when."""
    known = Known(
        has_password=True, has_active_card=True, has_bound_phone=True, blocked_seconds={"password": 61},
        lost=frozenset({Lost.PIN}),
    )  # fmt: skip
    found = judged(known, Footing(frozenset(), off=frozenset({("password", "proof-blocked")})))
    assert "proof-blocked" == found.headline
    assert {"minutes": 2} == next(f.facts for f in found.findings if f.name == "password-blocked")


@pytest.mark.parametrize(
    ("at", "days_left", "finding", "facts"),
    [
        (Footing(frozenset()), None, "document-valid", {}),
        (Footing(frozenset()), 31, "document-valid", {}),
        (Footing(frozenset()), 30, "document-expiring", {"days": 30}),
        (Footing(frozenset(), is_document_valid=False), 89, "document-grace", {"days": 89}),
        (Footing(frozenset(), is_document_valid=False, is_document_lapsed=True), None, "document-expired", {}),
    ],
)
def test_how_the_document_stands(at: Footing, days_left: int | None, finding: str, facts: dict[str, int]) -> None:
    """Told in every state, with the days where there are any."""
    found = judged(Known(document_days_left=days_left), at)
    assert (finding, facts) == next((f.name, f.facts) for f in found.findings if f.name.startswith("document-"))


def kit_of(at: Footing) -> Kit:
    """The same customer as the model has them."""
    off = dict(at.off)
    condition = {
        "proof-blocked": Condition.BLOCKED, "proof-disabled": Condition.DISABLED, "face-off": Condition.DISABLED,
        "face-expired": Condition.EXPIRED,
    }  # fmt: skip
    names = ("password", "card_pin", "face")
    return Kit(
        frozenset(Factor(name) for name in at.holds),
        tuple(condition[off[name]] if name in off else Condition.OK for name in names),
        at.is_document_valid,
        at.is_registered,
    )


def every_footing() -> list[Footing]:
    """Everything that somebody may hold, in every state of permission, with every proof on or off."""
    things = (REGISTERED_SIM, BOUND_SIM, "device", "password", "card_pin")
    off = (None, "proof-blocked", "proof-disabled")
    whole = [state for state in P if state is not P.CLOSED_BY_FAILURES]
    lane = (P.OPEN, P.CLOSED_BY_FAILURES)
    found = []
    for held, password, pin, everywhere, unknown, document in product(
        product((True, False), repeat=len(things)), off, off, whole, lane, (True, False)
    ):
        holds = frozenset(name for name, is_held in zip(things, held, strict=True) if is_held)
        is_off = frozenset((n, why) for n, why in (("password", password), ("card_pin", pin)) if why)
        for device in lane if "device" in holds else (P.OPEN,):
            found.append(Footing(holds, everywhere, unknown, device, is_off, is_off, True, document))
    unregistered = ({BOUND_SIM, "card_pin"}, {BOUND_SIM}, {"card_pin"}, set[str]())
    found += [Footing(frozenset(holds), is_registered=False) for holds in unregistered]
    found += [
        Footing(frozenset(holds), is_registered=False, is_document_valid=False, is_document_lapsed=True)
        for holds in unregistered
    ]
    return found


def test_what_the_verdict_promises_the_model_agrees_to() -> None:
    """In every state: a way that is named gets in; and where one gets in without waiting, one is named."""
    customers = Customers(World(JOURNEYS, POLICY, CAUSES, BUILT))
    named = 0
    for at in every_footing():
        way = way_in(at, RULES, is_at_counter=False)
        gets_in = customers.gets_in(kit_of(at), Lanes(at.everywhere, at.unknown, at.device), counter=False)
        named += way is not None
        assert gets_in or way is None, f"{way} is promised to {at}"
        assert way or not gets_in or "proof-blocked" in dict(at.off).values(), f"a way is kept back from {at}"
    assert named > 500


def test_the_counter_helps_everybody_who_is_registered() -> None:
    """A way with the counter's help is always named, and the model agrees to it."""
    customers = Customers(World(JOURNEYS, POLICY, CAUSES, BUILT))
    for at in every_footing()[::23]:
        gets_in = customers.gets_in(kit_of(at), Lanes(at.everywhere, at.unknown, at.device), counter=True)
        way = way_in(at, RULES, is_at_counter=True)
        assert gets_in or way is None, f"{way} is promised to {at}"
        assert way or not at.is_registered, f"the counter cannot help {at}"


def test_a_lost_card_closes_what_needs_its_number() -> None:
    """Whoever cannot read the card out cannot name it."""
    with_card = footing(Footing(frozenset()), LIST)
    without = footing(Footing(frozenset()), lost(Lost.CARD))
    reopen = JOURNEYS["reopen"]
    assert can_do(reopen, with_card, RULES, is_at_counter=False)
    assert not can_do(reopen, without, RULES, is_at_counter=False)


def test_every_headline_and_finding_is_listed() -> None:
    """What is said has a text: the lists that the catalogue is held against are whole."""
    for at in every_footing()[::41]:
        for what in (frozenset[Lost](), frozenset(Lost)):
            known = Known(
                lost=what, has_password=True, has_device=True, has_active_card=True, has_bound_phone=True,
                cooling_seconds=1, codes_wait_seconds=1,
            )  # fmt: skip
            found = verdict.verdict(at, known, RULES)
            assert found.headline in HEADLINES
            assert {finding.name for finding in found.findings} <= set(FINDINGS)


# ---------------------------------------------------------------- what may be added: passkey, face, WeChat and Alipay

WITH_FACE = Rules(with_face(JOURNEYS), BUILT_WITH_FACE)
NOTHING = Footing(frozenset())
FACE_OFF = (None, "proof-blocked", "face-off", "face-expired")


def every_footing_with_more() -> list[Footing]:
    """What may be added, beside what everybody has, with a face in every condition and sign-in open and closed."""
    basic = (REGISTERED_SIM, BOUND_SIM, "device", "password", "card_pin")
    added = ("passkey", "face", "social")
    found = []
    for held, more, face, everywhere, unknown in product(
        product((True, False), repeat=len(basic)), product((True, False), repeat=len(added)), FACE_OFF,
        (P.OPEN, P.CLOSED_BY_CUSTOMER, P.CLOSED_BY_BANK), (P.OPEN, P.CLOSED_BY_FAILURES),
    ):  # fmt: skip
        holds = frozenset(n for n, is_held in zip((*basic, *added), (*held, *more), strict=True) if is_held)
        if face and "face" not in holds:
            continue
        off = frozenset({("face", face)}) if face else frozenset[tuple[str, str]]()
        found.append(Footing(holds, everywhere, unknown, P.OPEN, off, off))
    return found


def test_what_may_be_added_counts_as_the_model_counts_it() -> None:
    """A passkey alone gets in, a face with a code does unless it has expired, WeChat alone never does."""
    customers = Customers(World(WITH_FACE.journeys, POLICY, CAUSES, BUILT_WITH_FACE))
    named = 0
    for at in every_footing_with_more():
        way = way_in(at, WITH_FACE, is_at_counter=False)
        gets_in = customers.gets_in(kit_of(at), Lanes(at.everywhere, at.unknown, at.device), counter=False)
        named += way is not None
        assert gets_in or way is None, f"{way} is promised to {at}"
        assert way or not gets_in or "proof-blocked" in dict(at.off).values(), f"a way is kept back from {at}"
    assert named > 500


def had(at: Footing = NOTHING, rules: Rules = WITH_FACE, **more: Any) -> verdict.Verdict:
    known = Known(**{n: getattr(LIST, n) for n in Known.__struct_fields__} | more)
    return verdict.verdict(footing(at, known), known, rules)


def test_a_passkey_keeps_its_owner_from_the_counter() -> None:
    """Number and password are gone: who has a passkey signs in at home, and nobody sends them to the counter."""
    gone = frozenset({Lost.PHONE, Lost.PASSWORD})
    found = had(lost=gone, has_passkey=True)
    assert ("another-way", ("sign-in",), None) == (found.headline, found.alone, found.at_counter)
    assert "replace-phone-at-counter" in (had(lost=gone | {Lost.PASSKEY}, has_passkey=True).at_counter or ())


def test_a_passkey_that_cools_opens_nothing_that_was_closed() -> None:
    """It signs in; sign-in that the customer froze it does not open, as the door would not let it."""
    closed = Footing(frozenset(), P.CLOSED_BY_CUSTOMER)
    new: dict[str, Any] = {"lost": frozenset({Lost.PHONE}), "has_passkey": True, "passkey_cools_seconds": 3601}
    assert ("reopen", "sign-in") == had(closed, **new | {"passkey_cools_seconds": 0}).alone
    assert None is had(closed._replace(cooling=frozenset({"passkey"})), **new).alone
    assert ("sign-in",) == had(Footing(frozenset(), cooling=frozenset({"passkey"})), **new).alone


OVER = frozenset({("face", "face-expired")})


@pytest.mark.parametrize(
    ("known", "off", "finding"),
    [
        ({}, frozenset(), "face-none"),
        ({"has_face": True}, frozenset(), "face-usable"),
        ({"has_face": True}, OVER, "face-expired"),
        ({"has_face": True}, frozenset({("face", "face-off")}), "face-disabled"),
        ({"has_face": True, "blocked_seconds": {"face": 1}}, frozenset({("face", "proof-blocked")}), "face-blocked"),
        ({"has_face": True, "lost": frozenset({Lost.FACE})}, frozenset(), "face-lost"),
        ({}, frozenset(), "passkey-none"),
        ({"has_passkey": True}, frozenset(), "passkey-held"),
        ({"has_passkey": True, "passkey_cools_seconds": 9}, frozenset(), "passkey-new"),
        ({"has_passkey": True, "lost": frozenset({Lost.PASSKEY})}, frozenset(), "passkey-lost"),
        ({"has_social": True}, frozenset(), "social-held"),
        ({"has_social": True, "lost": frozenset({Lost.SOCIAL})}, frozenset(), "social-lost"),
    ],
)
def test_what_is_said_of_what_may_be_added(
    known: dict[str, Any], off: frozenset[tuple[str, str]], finding: str
) -> None:
    """Each in every state; and all of it has its words."""
    found = had(Footing(frozenset(), off=off, off_on_device=off), **known)
    told = [each.name for each in found.findings]
    assert finding in told
    assert set(told) <= set(FINDINGS)


def test_what_is_not_open_here_is_not_spoken_of() -> None:
    """A bank without models has no faces: one that expired changes neither the sentence nor the list."""
    found = had(Footing(frozenset(), off=OVER, off_on_device=OVER), rules=RULES, has_face=True)
    assert "nothing-wrong" == found.headline
    assert [] == [each.name for each in found.findings if each.name.startswith("face")]
