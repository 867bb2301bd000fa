"""A number that changed hands: when a change is recent, what a doubted code is worth, and that the checker looks."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from foregate import sim_swap_settings
from foregate.gateways.numbers.embedded import EmbeddedNumbers
from foregate.gateways.numbers.opened import open_numbers
from foregate.gateways.numbers.sim_swap import SimSwap
from foregate.rules import engine, limits, verdict
from foregate.rules.causes import CAUSES
from foregate.rules.check import expected
from foregate.rules.check.customers import CODE, NUMBERS, Customers, Kit, Lanes
from foregate.rules.check.model import Factor, World
from foregate.rules.engine import Perform, Progress, Prove, Stuck
from foregate.rules.journeys import BUILT, EVERYTHING, JOURNEYS, Built, Journey, all_open
from foregate.rules.numbers import CAUSE, UNKNOWN, LastChange, Standing, standing
from foregate.rules.permission import Permission
from foregate.rules.policy import POLICY
from foregate.rules.words import Level, Proof, Tier, Who, proofs_of
from foregate.settings import BadSettings, Settings
from tests.bank import Clock
from tests.networks import our_key
from tests.unit.test_check_flaws import AS_IT_STANDS, DEAD_END, SECOND_DOOR, both, cause, row, stories
from tests.unit.test_verdict import RULES, every_footing, kit_of

NOW, DAYS = 1_800_000_000, limits.NUMBER_RECENT_SECONDS


def changed(ago: int) -> LastChange:
    return LastChange(is_known=True, at=NOW - ago)


# ---------------------------------------------------------------- when a change is recent


@pytest.mark.parametrize(
    ("change", "seen_at", "expected_standing"),
    [
        (changed(DAYS), 0, Standing(True)),
        (changed(DAYS - 1), 0, Standing(False, NOW + 1)),
        (changed(0), 0, Standing(False, NOW + DAYS)),
        (LastChange(is_known=True), 0, Standing(True)),
        # A network's clock that is ahead.
        (changed(-3600), 0, Standing(False, NOW + DAYS)),
        # The counter saw the person with this number: in the same second or later is after the change.
        (changed(100), NOW - 100, Standing(True)),
        (changed(100), NOW - 101, Standing(False, NOW - 100 + DAYS)),
    ],
)
def test_a_change_that_is_known(change: LastChange, seen_at: int, expected_standing: Standing) -> None:
    """To the second, whatever the bank makes of what nobody knows."""
    for trusts in (True, False):
        assert expected_standing == standing(change, now=NOW, seen_at=seen_at, trusts_unknown=trusts)


@pytest.mark.parametrize(
    ("trusts", "seen_at", "is_trusted"),
    [(True, 0, True), (False, 0, False), (False, NOW - DAYS, False), (False, NOW - DAYS + 1, True)],
)
def test_a_change_that_nobody_knows_of(trusts: bool, seen_at: int, is_trusted: bool) -> None:
    """As the bank says, unless the counter saw the number as lately as a change would count."""
    assert Standing(is_trusted) == standing(UNKNOWN, now=NOW, seen_at=seen_at, trusts_unknown=trusts)


# ---------------------------------------------------------------- which rows ask


def lasts(row: Journey) -> bool:
    """Whether somebody who holds a SIM alone would be in, or back in later, by this row."""
    changes = row.act not in expected.ONLY_TAKES and bool(expected.CREDENTIALS & set(row.changes))
    return "phone_code" in {proof.name for proof in proofs_of(row.prove)} and (changes or row.session is Level.FULL)


def test_every_row_that_lasts_asks_about_the_number() -> None:
    """By what a row changes, open or not; and no row besides, for what protects has to work for everybody."""
    asking = {name for name, row in JOURNEYS.items() if row.asks_number}
    assert asking == {name for name, row in JOURNEYS.items() if lasts(row)}
    assert {
        "sign-in",
        "finish-sign-in",
        "reset-password",
        "reopen",
        "register",
        "replace-phone",
        "remember-device",
    } < asking
    assert not asking & {"freeze", "sign-in-basic", "sign-out", "forget-device", "book-appointment"}


# ---------------------------------------------------------------- what the engine makes of doubt


def of_doubt(name: str, *proved: str, **more: Any) -> engine.Decision:
    row = JOURNEYS[name]
    progress = Progress(who=row.who[0], proved=frozenset(proved), doubted={"phone_code": CAUSE}, **more)
    return engine.decide(row, progress, EVERYTHING)


def test_a_doubted_code_closes_the_ways_that_rest_on_it() -> None:
    """A passkey is asked for; where none is kept, the cause is told, and no password is asked."""
    decision = of_doubt("sign-in")
    assert isinstance(decision, Prove)
    assert ("passkey", ()) == (decision.proof.name, decision.others)
    assert Stuck(CAUSE) == of_doubt("sign-in", unusable={"passkey": "proof-disabled"})
    assert Stuck(CAUSE) == of_doubt("register")


def test_a_remembered_device_needs_no_code() -> None:
    """Beside it the doubt changes nothing."""
    decision = of_doubt("sign-in", "device", unusable={"passkey": "proof-disabled"})
    assert isinstance(decision, Prove)
    assert {"password", "card_pin", "face"} == {proof.name for proof in (decision.proof, *decision.others)}
    assert Perform() == of_doubt("sign-in", "device", "password")


def test_what_a_doubted_code_earns() -> None:
    """Its holder showed something: they may hear why. The customer they are not."""
    row = JOURNEYS["sign-in"]
    assert Tier.POSSESSION is engine.tier_of(row, frozenset(), {"phone_code"})
    assert Tier.POSSESSION is engine.tier_of(row, frozenset({"password"}), {"phone_code"})
    assert Tier.ANYONE is engine.tier_of(row, frozenset(), ())


# ---------------------------------------------------------------- what the checker sees


ASKING = sorted(name for name, row in JOURNEYS.items() if row.asks_number)


@pytest.mark.parametrize("names", [ASKING[::2], ASKING[1::2]], ids=["these", "those"])
def test_a_row_that_no_longer_asks_is_found(names: list[str]) -> None:
    """Each of them: a thief with a new SIM comes in, and the story says where."""
    flaw = both(*(row(name, asks_number=False) for name in names))
    told = stories(flaw(AS_IT_STANDS), SECOND_DOOR)
    assert names == [name for name in names if any(f"`{name}` at once: it gives" in story for story in told)], told


def test_a_freeze_that_asks_is_found_and_a_cause_that_offers_less() -> None:
    """Who has to protect themselves is asked for one thing; who hears of the number hears what gets past it."""
    flaw = both(row("freeze", asks_number=True), cause(CAUSE, remedies=("start-again",)))
    told = stories(flaw(AS_IT_STANDS), DEAD_END)
    assert any("asks for `freeze` and is asked for more: too late" in story for story in told), told
    assert any(f"hears `{CAUSE}` is not offered another-way, visit-outlet and wait" in story for story in told), told


def takes_doubted_codes(patch: pytest.MonkeyPatch) -> None:
    """A doubted proof counts after all."""
    decide = engine.decide

    def counting(row: Journey, progress: Progress, built: Built) -> engine.Decision:
        proved = progress.proved.union(progress.doubted)
        return decide(row, msgspec.structs.replace(progress, proved=proved, doubted={}), built)

    patch.setattr(engine, "decide", counting)


def asks_on_the_strength_of_doubt(patch: pytest.MonkeyPatch) -> None:
    """The ways that rest on a doubted proof stay open, and it is possession enough to guess."""
    askable = engine.askable

    def asking(row: Journey, progress: Progress, built: Built) -> tuple[Proof, ...]:
        proved = progress.proved.union(progress.doubted)
        return askable(row, msgspec.structs.replace(progress, proved=proved, doubted={}), built)

    patch.setattr(engine, "askable", asking)


@pytest.mark.parametrize(
    ("flaw", "words"),
    [
        (takes_doubted_codes, "though the code counts for nothing"),
        (asks_on_the_strength_of_doubt, "he may guess at password"),
    ],
)
def test_an_engine_that_forgets_the_doubt_is_found(
    flaw: Callable[[pytest.MonkeyPatch], None], words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The checker runs the engine itself."""
    flaw(monkeypatch)
    told = stories(AS_IT_STANDS, SECOND_DOOR)
    assert any(words in story for story in told), told


def test_who_is_helped_when_the_number_changed_hands() -> None:
    """A device or a passkey gets in; who has neither is helped by the counter, which settles the number."""
    customers = Customers(World(JOURNEYS, POLICY, CAUSES, BUILT))
    sims = {Factor.REGISTERED_SIM, Factor.BOUND_SIM, Factor.PASSWORD, Factor.CARD_PIN}

    def gets_in(*more: Factor, counter: bool = False, lanes: Lanes = Lanes()) -> bool:  # noqa: B008 -- frozen
        return customers.gets_in(Kit(frozenset({*sims, *more}), taken_over=NUMBERS), lanes, counter=counter)

    assert [False, True, True] == [gets_in(), gets_in(Factor.DEVICE), gets_in(Factor.PASSKEY)]
    assert gets_in(counter=True)
    assert not gets_in(Factor.DEVICE, lanes=Lanes(everywhere=Permission.CLOSED_BY_CUSTOMER))
    assert gets_in(Factor.DEVICE, lanes=Lanes(everywhere=Permission.CLOSED_BY_CUSTOMER), counter=True)
    new = Kit(frozenset({Factor.BOUND_SIM, Factor.CARD_PIN}), registered=False)
    assert customers.gets_in(new, Lanes(), counter=False)
    assert not customers.gets_in(new._replace(taken_over=NUMBERS), Lanes(), counter=True)


def test_the_verdict_promises_no_code_in_doubt() -> None:
    """What a teller is told works, works at the door: with numbers in doubt the model agrees to it in every state."""
    customers, named = Customers(World(JOURNEYS, POLICY, CAUSES, BUILT)), 0
    for plain in every_footing()[::7]:
        at = plain._replace(taken_over=plain.holds & {factor.value for factor in NUMBERS})
        kit = kit_of(at)._replace(taken_over=frozenset(Factor(name) for name in at.taken_over))
        lanes = Lanes(at.everywhere, at.unknown, at.device)
        for counter in (False, True):
            way = verdict.way_in(at, RULES, is_at_counter=counter)
            gets_in = customers.gets_in(kit, lanes, counter=counter)
            named += way is not None
            assert gets_in or way is None, f"{way} is promised to {at}"
            assert way or not gets_in or "proof-blocked" in dict(at.off).values(), f"a way is kept back from {at}"
    assert named > 300


def test_a_session_is_gone_on_with_where_it_was_opened() -> None:
    """A code opens a session in a private window; what the remembered device adds it does not add there."""
    customers = Customers(World(JOURNEYS, POLICY, CAUSES, BUILT))
    kit = Kit(frozenset({Factor.REGISTERED_SIM, Factor.DEVICE, Factor.PASSWORD}), taken_over=NUMBERS)
    assert not customers.gets_in(kit, Lanes(device=Permission.CLOSED_BY_FAILURES), counter=False)


def test_all_numbers_are_tried() -> None:
    """Every kit with a SIM comes as it is and with its numbers in doubt."""
    world = World(all_open(JOURNEYS), POLICY, CAUSES, BUILT)
    kits = set(Customers(world).kits())
    swapped = [kit for kit in kits if kit.taken_over]
    assert len(swapped) > 100
    for kit in swapped:
        assert kit.taken_over == kit.holds & NUMBERS
        assert kit._replace(taken_over=frozenset()) in kits
    customers = Customers(world)
    assert {CODE} == {customers.distrusted(kit, JOURNEYS["reset-password"]) for kit in swapped}
    assert {frozenset[str]()} == {customers.distrusted(kit, JOURNEYS["freeze"]) for kit in swapped}


# ---------------------------------------------------------------- settings

GOOD = Settings(
    sim_swap_api="https://networks.example/sim-swap/v2",
    sim_swap_token_url="https://networks.example/token",
    sim_swap_client_id="bank",
)


@pytest.fixture
def key_file(tmp_path: Path) -> str:
    path = tmp_path / "key.pem"
    path.write_bytes(our_key().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return str(path)


def test_nobody_is_asked_where_nobody_is_named() -> None:
    """As it was before; and nothing more has to be set."""
    assert ([], None) == (sim_swap_settings.faults(Settings()), open_numbers(Settings(), Clock()))


@pytest.mark.anyio
async def test_whoever_is_named_is_asked(key_file: str, tmp_path: Path) -> None:
    """By key or by secret; the demo's own stays in this process."""
    secret = tmp_path / "secret"
    secret.write_text("a secret\n")
    by_key = msgspec.structs.replace(GOOD, sim_swap_key_file=key_file)
    by_secret = msgspec.structs.replace(GOOD, sim_swap_secret_file=str(secret))
    assert [] == sim_swap_settings.faults(by_key) + sim_swap_settings.faults(by_secret)
    for settings, kind in (
        (by_key, SimSwap),
        (by_secret, SimSwap),
        (Settings(sim_swap_api="embedded"), EmbeddedNumbers),
    ):
        opened = open_numbers(settings, Clock())
        assert isinstance(opened, kind)
        await opened.close()
    with pytest.raises(BadSettings, match="sim_swap_key_file"):
        open_numbers(msgspec.structs.replace(GOOD, sim_swap_key_file=str(secret)), Clock())


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"sim_swap_unknown": "maybe"}, "trust or refuse"),
        ({"sim_swap_api": "embedded"}, "the demo's numbers"),
        ({"sim_swap_api": "http://networks.example/sim-swap/v2"}, "sim_swap_api: use https"),
        ({"sim_swap_token_url": ""}, "sim_swap_token_url: use https"),
        ({"sim_swap_token_url": "https://[networks"}, "sim_swap_token_url: use https"),
        ({"sim_swap_client_id": ""}, "sim_swap_client_id"),
        ({"sim_swap_key_file": ""}, "one of the two"),
        ({"sim_swap_secret_file": "both"}, "one of the two"),
        ({"sim_swap_key_file": "not-there"}, "cannot be read"),
        ({"sim_swap_key_file": "/dev/null"}, "is empty"),
    ],
)
def test_settings_that_cannot_work(key_file: str, changes: dict[str, Any], words: str) -> None:
    """Each is refused at the start, with what to set."""
    (fault,) = sim_swap_settings.faults(msgspec.structs.replace(GOOD, **{"sim_swap_key_file": key_file} | changes))
    assert words in fault


def test_who_is_not_stuck_before_a_code() -> None:
    """Nothing about the number is looked at before: the first step is the same for everybody."""
    row = JOURNEYS["reset-password"]
    assert isinstance(engine.decide(row, Progress(who=Who.PHONE), BUILT), Prove)
