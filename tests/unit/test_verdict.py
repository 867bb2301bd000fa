"""Why can't they get in? What the verdict promises, the checker's model agrees to."""

from itertools import product

import pytest

from foregate.rules import verdict
from foregate.rules.causes import CAUSES
from foregate.rules.check.customers import Condition, Customers, Kit, Lanes
from foregate.rules.check.model import Factor, World
from foregate.rules.journeys import BUILT, JOURNEYS
from foregate.rules.permission import Permission
from foregate.rules.policy import POLICY
from foregate.rules.verdict import FINDINGS, HEADLINES, Footing, Known, Lost, Rules, can_do, footing, way_in

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
            "not-registered-stuck", None, None,
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
    condition = {"proof-blocked": Condition.BLOCKED, "proof-disabled": Condition.DISABLED}
    conditions = tuple(condition[off[name]] if name in off else Condition.OK for name in ("password", "card_pin"))
    return Kit(
        frozenset(Factor(name) for name in at.holds),
        (*conditions, Condition.OK),
        at.is_document_valid,
        at.is_registered,
    )


def every_footing() -> list[Footing]:
    """Everything that somebody may hold, in every state of permission, with every proof on or off."""
    things = (verdict.REGISTERED_SIM, verdict.BOUND_SIM, "device", "password", "card_pin")
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
    unregistered = ({verdict.BOUND_SIM, "card_pin"}, {verdict.BOUND_SIM}, {"card_pin"}, set[str]())
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
