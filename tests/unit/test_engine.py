"""The engine: what is asked next, what is told, and what is held back until something was shown."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from foregate.rules import engine, limits
from foregate.rules.causes import CAUSES, TWIN
from foregate.rules.engine import (
    Around,
    Identify,
    Inform,
    Perform,
    Pick,
    Progress,
    Prove,
    Stuck,
    decide,
    refuse,
    tier_of,
)
from foregate.rules.journeys import BUILT, EVERYTHING, JOURNEYS, Built, Journey, Table, all_open, table
from foregate.rules.words import (
    CARD_PIN,
    DEVICE,
    PASSKEY,
    PASSWORD,
    PERMIT,
    PHONE_CODE,
    SOCIAL,
    Tier,
    Who,
    is_satisfied,
    proofs_of,
)

SIGN_IN = JOURNEYS["sign-in"]
FREEZE = JOURNEYS["freeze"]
ALL_OPEN: Table = all_open(JOURNEYS)

ROWS = st.sampled_from(list(ALL_OPEN.values()))
BUILTS = st.sampled_from([BUILT, EVERYTHING])
CAUSE_NAMES = st.sampled_from(sorted(CAUSES))
WHY = st.sampled_from(["proof-blocked", "proof-disabled"])


@st.composite
def places(draw: st.DrawFn) -> tuple[Journey, Progress, Built]:
    """A row, somewhere on it, in one of the worlds."""
    row, built = draw(ROWS), draw(BUILTS)
    names = st.sampled_from([proof.name for proof in proofs_of(row.prove)])
    progress = Progress(
        who=row.who[0],
        proved=draw(st.frozensets(names)),
        chosen=draw(st.none() | names),
        unusable=draw(st.dictionaries(names, WHY)),
        must_pick=draw(st.booleans()),
        must_inform=draw(st.booleans()),
    )
    return row, progress, built


def asked(row: Journey, *proved: str, built: Built = BUILT, **more: object) -> tuple[str, ...]:
    """Return the proofs that may be given next, the one shown first."""
    decision = decide(row, Progress(who=row.who[0], proved=frozenset(proved), **more), built)  # type: ignore[arg-type]  # test shorthand
    assert isinstance(decision, Prove)
    return tuple(proof.name for proof in (decision.proof, *decision.others))


# ---------------------------------------------------------------- what comes next


def test_first_who_you_are() -> None:
    """In every way that is built, in the order of the table."""
    by = (Who.PHONE, Who.CARD, Who.USER_NAME, Who.PASSKEY, Who.WECHAT, Who.ALIPAY)
    assert decide(SIGN_IN, Progress(), BUILT) == Identify(by)


def test_then_something_you_hold() -> None:
    """A stranger is never asked for a password, so never gets to charge it."""
    assert asked(SIGN_IN) == ("phone_code", "passkey")
    assert asked(JOURNEYS["sign-in-basic"]) == ("phone_code",)


def test_then_something_you_know_by_any_way_still_open() -> None:
    """No page is a wall: every other way is offered with the first."""
    assert asked(SIGN_IN, "phone_code") == ("password", "card_pin", "passkey")
    assert asked(SIGN_IN, "phone_code", built=EVERYTHING) == ("password", "card_pin", "face", "passkey")


def test_a_remembered_device_counts_without_being_asked_for() -> None:
    """It is looked at; the code remains as another way."""
    assert asked(SIGN_IN, "device") == ("password", "card_pin", "phone_code", "passkey")


def test_a_chosen_way_is_shown_first() -> None:
    """`I can't use this, show me another way`; a way that is not open is not shown for being chosen."""
    assert asked(SIGN_IN, "phone_code", chosen="card_pin") == ("card_pin", "password", "passkey")
    assert asked(SIGN_IN, "phone_code", chosen="face") == ("password", "card_pin", "passkey")


def test_what_cannot_be_used_is_left_out_after_possession() -> None:
    """A blocked password is not asked for; the PIN is."""
    assert asked(SIGN_IN, "phone_code", unusable={"password": "proof-blocked"}) == ("card_pin", "passkey")


def test_before_possession_nothing_of_the_customer_shows() -> None:
    """The ways offered to a stranger are those of the table."""
    everything_off = {"phone_code": "proof-disabled", "password": "proof-blocked", "card_pin": "proof-disabled"}

    assert asked(SIGN_IN, unusable=everything_off) == asked(SIGN_IN)


def test_when_no_way_is_left_the_cause_says_why() -> None:
    """Only after possession; the remedies of the cause lead out of the journey."""
    off = {"password": "proof-blocked", "card_pin": "proof-disabled", "passkey": "proof-disabled"}
    stuck = decide(SIGN_IN, Progress(who=Who.PHONE, proved=frozenset({"phone_code"}), unusable=off), BUILT)

    assert stuck == Stuck("proof-blocked")


def test_a_stranger_who_is_stuck_hears_the_twin() -> None:
    """A journey that begins with a device nobody brought ends the same for everybody."""
    row = msgspec.structs.replace(ALL_OPEN["sign-in-social"], prove=SOCIAL & DEVICE)
    stuck = decide(row, Progress(who=Who.WECHAT, unusable={"social": "proof-disabled"}), EVERYTHING)

    assert stuck == Stuck(TWIN)


def test_freeze_asks_for_the_pin_alone() -> None:
    """Who lost the phone has the card: its PIN is charged to a counter that hurts nothing else."""
    assert asked(FREEZE) == ("phone_code", "card_pin")


def test_the_pin_alone_is_not_asked_where_it_is_charged_to_the_shared_counter() -> None:
    """Or a stranger could block it for signing in."""
    shared = msgspec.structs.replace(FREEZE, charges=("phone_code", "card_pin"))

    assert asked(shared) == ("phone_code",)


def test_a_guessable_proof_without_a_counter_is_never_asked_for() -> None:
    """Nor is its way open."""
    uncharged = msgspec.structs.replace(SIGN_IN, charges=("phone_code", "card_pin"))

    assert asked(uncharged, "phone_code") == ("card_pin", "passkey")


def test_a_permit_is_asked_for_after_the_code() -> None:
    """It is no possession: whoever found the slip is asked for the phone, and for nothing of the customer's."""
    row = JOURNEYS["reset-password"]

    first = decide(row, Progress(who=Who.PHONE), BUILT)
    later = decide(row, Progress(who=Who.PHONE, proved=frozenset({"phone_code"})), BUILT)
    slip = decide(row, Progress(who=Who.PHONE, proved=frozenset({"permit"})), BUILT)

    assert first == Prove(PHONE_CODE, (PASSKEY,))
    assert later == Prove(CARD_PIN, (PERMIT, PASSKEY))
    assert slip == Prove(PHONE_CODE, (PASSKEY,))
    assert tier_of(row, frozenset({"permit"})) is Tier.ANYONE


def test_what_is_done_at_the_counter_is_no_remedy() -> None:
    """A button that leads to a row of the counter would lead nowhere."""
    at_counter = [name for name, row in JOURNEYS.items() if row.is_at_counter]
    cause = msgspec.structs.replace(CAUSES["closed-by-bank"], remedies=(*at_counter, "visit-outlet"))

    told = refuse("closed-by-bank", Tier.CUSTOMER, Around(), JOURNEYS, {**CAUSES, "closed-by-bank": cause})

    assert len(at_counter) == 4
    assert told.remedies == ("visit-outlet",)


def test_who_shares_a_number_picks_after_possession() -> None:
    """Never before: that several people share it is theirs to know."""
    shared = Progress(who=Who.PHONE, must_pick=True)

    assert isinstance(decide(SIGN_IN, shared, BUILT), Prove)
    assert decide(SIGN_IN, msgspec.structs.replace(shared, proved=frozenset({"phone_code"})), BUILT) == Pick()


def test_last_what_the_act_needs_to_know() -> None:
    """The new password is asked for when everything is proved, and then the act is done."""
    row = JOURNEYS["reset-password"]
    proved = Progress(who=Who.PHONE, proved=frozenset({"phone_code", "card_pin"}), must_inform=True)

    assert decide(row, proved, BUILT) == Inform()
    assert decide(row, msgspec.structs.replace(proved, must_inform=False), BUILT) == Perform()


def test_picking_comes_before_informing() -> None:
    """Whose password it is has to be known first."""
    row = JOURNEYS["reset-password"]
    both = Progress(who=Who.PHONE, proved=frozenset({"phone_code", "card_pin"}), must_pick=True, must_inform=True)

    assert decide(row, both, BUILT) == Pick()


@given(places())
def test_the_act_is_done_exactly_when_the_formula_is_satisfied(place: tuple[Journey, Progress, Built]) -> None:
    """However far one got, by whatever way: nothing else buys it."""
    row, progress, built = place
    is_done = isinstance(decide(row, progress, built), Perform | Inform)

    assert not is_done or is_satisfied(row.prove, progress.proved)
    assert is_done == (is_satisfied(row.prove, progress.proved) and not progress.must_pick)


@given(places())
def test_only_what_is_built_charged_and_not_yet_shown_is_asked_for(place: tuple[Journey, Progress, Built]) -> None:
    """And nothing twice; silent proofs never."""
    row, progress, built = place
    options = engine.askable(row, progress, built)

    assert len(set(options)) == len(options)
    for proof in options:
        assert proof.name in built.proofs
        assert proof.name not in progress.proved
        assert not proof.silent
        assert not proof.guessable or row.counter_for(proof)


@given(places())
def test_strangers_are_asked_only_what_cannot_hurt(place: tuple[Journey, Progress, Built]) -> None:
    """Before possession: something held, or a proof with a counter of its own."""
    row, progress, built = place
    if not engine.has_possession(row, progress.proved):
        for proof in engine.askable(row, progress, built):
            assert proof.is_possession or "@" in (row.counter_for(proof) or "")


@given(places())
def test_each_answer_brings_the_end_nearer(place: tuple[Journey, Progress, Built]) -> None:
    """Giving what is asked for, one gets there: no way runs in a circle."""
    row, progress, built = place
    for _ in range(len(proofs_of(row.prove)) + 3):
        match decide(row, progress, built):
            case Prove(proof=proof):
                progress = msgspec.structs.replace(progress, proved=progress.proved | {proof.name})
            case Pick():
                progress = msgspec.structs.replace(progress, must_pick=False)
            case Inform():
                progress = msgspec.structs.replace(progress, must_inform=False)
            case _:
                return
    raise AssertionError("still asked for something")


# ---------------------------------------------------------------- how much was shown


@pytest.mark.parametrize(
    ("row", "proved", "tier"),
    [
        (SIGN_IN, (), Tier.ANYONE),
        (SIGN_IN, ("password",), Tier.ANYONE),
        (SIGN_IN, ("phone_code",), Tier.POSSESSION),
        (SIGN_IN, ("device",), Tier.POSSESSION),
        (SIGN_IN, ("phone_code", "password"), Tier.CUSTOMER),
        (FREEZE, ("card_pin",), Tier.CUSTOMER),
    ],
)
def test_what_earns_which_tier(row: Journey, proved: tuple[str, ...], tier: Tier) -> None:
    """Possession earns causes, the whole formula the rest; knowing alone earns nothing."""
    assert tier_of(row, frozenset(proved)) is tier


# ---------------------------------------------------------------- what is told


def test_a_stranger_hears_the_twin_and_nothing_of_the_cause() -> None:
    """Name, status, remedies and times are the twin's."""
    blocked = refuse("proof-blocked", Tier.ANYONE, Around(retry_in_seconds=900), JOURNEYS)

    assert blocked == refuse(TWIN, Tier.ANYONE, Around(), JOURNEYS)
    assert blocked.retry_in_seconds is None


def test_a_twin_never_says_when_to_come_back() -> None:
    """Even where it was raised itself: only somebody's block has an end."""
    assert refuse(TWIN, Tier.ANYONE, Around(retry_in_seconds=900), JOURNEYS).retry_in_seconds is None


def test_after_possession_the_cause_is_told_with_its_end() -> None:
    """And waiting is offered where there is something to wait for."""
    blocked = refuse("proof-blocked", Tier.POSSESSION, Around(retry_in_seconds=900), JOURNEYS)

    assert blocked.cause.name == "proof-blocked"
    assert blocked.retry_in_seconds == 900
    assert "wait" in blocked.remedies
    assert "wait" not in refuse("proof-blocked", Tier.POSSESSION, Around(), JOURNEYS).remedies


def test_a_cause_for_anyone_says_when_to_come_back() -> None:
    """It depends on the visitor's own journey."""
    assert refuse("code-too-soon", Tier.ANYONE, Around(retry_in_seconds=60), JOURNEYS).retry_in_seconds == 60


def test_remedies_about_codes_stand_where_a_code_is_asked_for() -> None:
    """Elsewhere they would be buttons that do nothing."""
    at_code = refuse("code-wrong", Tier.ANYONE, Around(step="phone_code"), JOURNEYS)
    elsewhere = refuse("code-wrong", Tier.ANYONE, Around(step="password"), JOURNEYS)

    assert {"ask-new-code", "text-us"} <= set(at_code.remedies)
    assert not {"ask-new-code", "text-us"} & set(elsewhere.remedies)


def test_another_way_is_offered_where_there_is_one() -> None:
    """And not where there is none."""
    assert "another-way" in refuse("code-wrong", Tier.ANYONE, Around(has_other_ways=True), JOURNEYS).remedies
    assert "another-way" not in refuse("code-wrong", Tier.ANYONE, Around(), JOURNEYS).remedies


@pytest.mark.parametrize(
    ("failures", "is_offered"), [(limits.OFFER_REOPEN_FROM - 1, False), (int(limits.OFFER_REOPEN_FROM), True)]
)
def test_reopen_is_offered_from_the_second_failure(failures: int, is_offered: bool) -> None:
    """Who fails twice has usually forgotten, not mistyped."""
    around = Around(failures_in_a_row=failures)

    assert is_offered == ("reopen" in refuse("password-wrong", Tier.POSSESSION, around, JOURNEYS).remedies)


def test_a_journey_is_no_remedy_for_itself() -> None:
    """That would lead round in a circle; nor is one that is not open."""
    assert "reopen" not in refuse("password-wrong", Tier.POSSESSION, Around(journey="reopen"), JOURNEYS).remedies
    assert "renew-face" not in refuse("proof-disabled", Tier.POSSESSION, Around(), JOURNEYS).remedies
    assert "renew-face" in refuse("proof-disabled", Tier.POSSESSION, Around(), ALL_OPEN).remedies


AROUNDS = st.builds(
    Around,
    step=st.sampled_from([None, "phone_code", "password"]),
    has_other_ways=st.booleans(),
    retry_in_seconds=st.none() | st.integers(1, 86400),
    failures_in_a_row=st.integers(0, 20),
    journey=st.none() | st.sampled_from(sorted(JOURNEYS)),
)


@given(CAUSE_NAMES, st.sampled_from(list(Tier)), AROUNDS)
def test_no_refusal_is_without_a_way_on(cause: str, earned: Tier, around: Around) -> None:
    """Whatever the reason, wherever it is told."""
    told = refuse(cause, earned, around, JOURNEYS)

    assert "visit-outlet" in told.remedies
    assert set(told.remedies) <= set(told.cause.remedies)


@given(CAUSE_NAMES, CAUSE_NAMES, AROUNDS, st.none() | st.integers(1, 86400))
def test_to_a_stranger_all_of_a_customers_causes_look_alike(
    one: str, other: str, around: Around, seconds: int | None
) -> None:
    """However long each of them would last."""
    if CAUSES[one].twin and CAUSES[other].twin:
        later = msgspec.structs.replace(around, retry_in_seconds=seconds)
        assert refuse(one, Tier.ANYONE, around, JOURNEYS) == refuse(other, Tier.ANYONE, later, JOURNEYS)


# ---------------------------------------------------------------- tables


def test_two_journeys_may_not_share_a_name() -> None:
    """The second would silently replace the first."""
    with pytest.raises(ValueError, match="share a name"):
        table(SIGN_IN, SIGN_IN)


def test_a_row_charges_a_proof_to_its_own_counter() -> None:
    """By the proof's name, or by the name kept apart; a proof whose name begins alike is another."""
    assert FREEZE.counter_for(CARD_PIN) == "card_pin@freeze"
    assert SIGN_IN.counter_for(PASSWORD) == "password"
    assert JOURNEYS["sign-in-basic"].counter_for(PASSWORD) is None
    assert SIGN_IN.counter_for(PHONE_CODE) == "phone_code"
