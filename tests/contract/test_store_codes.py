"""Codes, what may be sent, guesses in a row, and texts that came in."""

from collections.abc import Sequence

import pytest

from foregate.ids import new_id
from foregate.ports import CodeRow, RangeVerdict, SendVerdict, Tried
from foregate.rules import limits
from foregate.store.codes import _LOOK_AT_SENDS
from foregate.store.unit_of_work import SqlStore
from tests.contract.samples import NOW, a_code, at_once, in_one

pytestmark = pytest.mark.anyio
KEY = b"k" * 32
MINUTE, HOUR, DAY = 60, 3600, 86400


def passed(results: Sequence[object]) -> int:
    """Count those who may go on."""
    return sum(1 for result in results if result is not None and result is not False)


async def issue(store: SqlStore, **changes: object) -> CodeRow:
    return await in_one(store, lambda tx: tx.codes.issue(a_code(new_id(), **changes)))


async def test_a_code_comes_back_as_it_was(store: SqlStore) -> None:
    """What was issued is what is found."""
    code = a_code(new_id(), is_long=True)
    assert code == await in_one(store, lambda tx: tx.codes.issue(code))
    assert code == await in_one(store, lambda tx: tx.codes.find(code.journey_id))
    assert None is await in_one(store, lambda tx: tx.codes.find(new_id()))


async def test_another_code_brings_no_new_tries(store: SqlStore) -> None:
    """Asking again replaces digits, length and times; tries stay, sends grow by one."""
    first = await issue(store)
    await in_one(store, lambda tx: tx.codes.charge(first.journey_id, 5))
    again = a_code(
        first.journey_id,
        nonce=b"m" * 16,
        is_long=True,
        sent_at=NOW + 60,
        expires_at=NOW + 360,
        purpose="other",
        sends=9,
    )

    issued = await in_one(store, lambda tx: tx.codes.issue(again))

    expected = a_code(
        first.journey_id, nonce=b"m" * 16, is_long=True, sent_at=NOW + 60, expires_at=NOW + 360, tries=1, sends=2
    )
    assert expected == issued


async def test_a_used_code_is_not_revived(store: SqlStore) -> None:
    """Another code in a journey whose code was used stays used."""
    code = await issue(store)
    assert await in_one(store, lambda tx: tx.codes.consume(code.journey_id))
    again = await in_one(store, lambda tx: tx.codes.issue(a_code(code.journey_id)))
    assert again.is_used
    assert None is await in_one(store, lambda tx: tx.codes.charge(code.journey_id, 5))


@pytest.mark.parametrize(("tries", "left"), [(0, 5), (4, 1), (5, 0)])
async def test_tries_end(store: SqlStore, tries: int, left: int) -> None:
    """As many guesses as are left are let through, and each says how many there were."""
    code = await issue(store, tries=tries)
    charged = [await in_one(store, lambda tx: tx.codes.charge(code.journey_id, 5)) for _ in range(7)]
    assert [tries + n + 1 for n in range(left)] == [row.tries for row in charged if row]


async def test_a_thousand_guesses_at_once(store: SqlStore) -> None:
    """Exactly five of a thousand parallel guesses are evaluated."""
    code = await issue(store)
    assert 5 == passed(await at_once(store, 1000, lambda tx: tx.codes.charge(code.journey_id, limits.CODE_TRIES)))


async def test_a_code_succeeds_once(store: SqlStore) -> None:
    """Exactly one of five hundred parallel right answers wins."""
    code = await issue(store)
    assert 1 == passed(await at_once(store, 500, lambda tx: tx.codes.consume(code.journey_id)))


async def test_no_code_no_guess(store: SqlStore) -> None:
    """Where no code is, nothing is charged."""
    assert None is await in_one(store, lambda tx: tx.codes.charge(new_id(), 5))
    assert not await in_one(store, lambda tx: tx.codes.consume(new_id()))


# ---------------------------------------------------------------- sends


def verdict(is_allowed: bool, wait_seconds: int = 0, is_spent: bool = False, streak: int = 0) -> SendVerdict:
    return SendVerdict(is_allowed=is_allowed, wait_seconds=wait_seconds, is_spent=is_spent, streak=streak)


async def spend(store: SqlStore, at: int, key: bytes = KEY) -> SendVerdict:
    return await in_one(store, lambda tx: tx.codes.spend_send(key, at))


async def test_one_message_a_minute(store: SqlStore) -> None:
    """Within a minute the second is refused, and looking costs nothing."""
    look = [await in_one(store, lambda tx: tx.codes.look_at_sends(KEY, NOW)) for _ in range(3)]
    assert [verdict(True)] * 3 == look
    assert verdict(True) == await spend(store, NOW)
    assert verdict(False, 60) == await in_one(store, lambda tx: tx.codes.look_at_sends(KEY, NOW))
    assert verdict(False, 1) == await spend(store, NOW + 59)
    assert verdict(True) == await spend(store, NOW + 60)
    assert verdict(True) == await spend(store, NOW + 60, key=b"other")


async def test_the_hour_s_quota(store: SqlStore) -> None:
    """SENDS_PER_HOUR go out, one more waits for the end of the hour that the first one began."""
    for n in range(limits.SENDS_PER_HOUR):
        assert verdict(True) == await spend(store, NOW + n * MINUTE)
    late = NOW + limits.SENDS_PER_HOUR * MINUTE
    assert verdict(False, NOW + HOUR - late, is_spent=True) == await spend(store, late)
    assert verdict(False, 1, is_spent=True) == await spend(store, NOW + HOUR - 1)
    assert verdict(True) == await spend(store, NOW + HOUR)


async def test_the_day_s_quota(store: SqlStore) -> None:
    """SENDS_PER_DAY go out however they are spread, one more waits for the next day."""
    for n in range(limits.SENDS_PER_DAY):
        assert verdict(True) == await spend(store, NOW + n * HOUR)
    late = NOW + limits.SENDS_PER_DAY * HOUR
    assert verdict(False, NOW + DAY - late, is_spent=True) == await spend(store, late)
    assert verdict(True) == await spend(store, NOW + DAY)


async def test_a_clock_that_goes_back(store: SqlStore) -> None:
    """An earlier hour brings no new messages."""
    await spend(store, NOW)
    assert not (await spend(store, NOW - HOUR)).is_allowed
    assert not (await spend(store, NOW - DAY)).is_allowed


async def test_a_thousand_requests_to_send(store: SqlStore) -> None:
    """Exactly one of a thousand parallel requests sends."""
    verdicts = await at_once(store, 1000, lambda tx: tx.codes.spend_send(KEY, NOW))
    assert 1 == sum(verdict.is_allowed for verdict in verdicts)


# ---------------------------------------------------------------- a range of numbers

RANGE = b"r" * 32
FULL = int(limits.RANGE_UNANSWERED)


async def spend_both(store: SqlStore, number: int, at: int = NOW) -> tuple[SendVerdict, RangeVerdict]:
    """Send a code to one of the numbers of a range."""
    return await in_one(store, lambda tx: tx.codes.spend_sends(b"number %d" % number, RANGE, at))


async def test_a_range_of_numbers_has_its_end(store: SqlStore) -> None:
    """RANGE_UNANSWERED codes within the hour that the first one began; the last of them says so."""
    verdicts = [await spend_both(store, number, NOW + number) for number in range(FULL)]
    assert [(verdict(True), RangeVerdict(True, number == FULL - 1, 0)) for number in range(FULL)] == verdicts
    assert (verdict(True), RangeVerdict(False, False, HOUR - FULL)) == await spend_both(store, FULL, NOW + FULL)
    assert (verdict(True), RangeVerdict(True, False, 0)) == await spend_both(store, FULL + 1, NOW + HOUR)


async def test_a_number_and_its_range_are_guarded_each_by_its_own(store: SqlStore) -> None:
    """A number's minute is its own; the range has none."""
    assert (verdict(True), RangeVerdict(True, False, 0)) == await spend_both(store, 1)
    assert (verdict(False, 60), RangeVerdict(True, False, 0)) == await spend_both(store, 1)
    assert (verdict(True), RangeVerdict(True, False, 0)) == await spend_both(store, 2)


async def test_an_answered_code_is_none(store: SqlStore) -> None:
    """One more may go out for each; below nothing it does not go."""
    await in_one(store, lambda tx: tx.codes.answered(RANGE))
    await spend_both(store, 0)
    for _ in range(2):
        await in_one(store, lambda tx: tx.codes.answered(RANGE))
    verdicts = [await spend_both(store, number) for number in range(1, FULL + 2)]
    assert FULL == sum(ours.is_allowed for _, ours in verdicts)


async def test_many_numbers_of_a_range_at_once(store: SqlStore) -> None:
    """Exactly as many go out as the range has left."""
    numbers = iter(range(3 * FULL))
    verdicts = await at_once(store, 3 * FULL, lambda tx: tx.codes.spend_sends(b"number %d" % next(numbers), RANGE, NOW))
    assert FULL == sum(ours.is_allowed for _, ours in verdicts)


async def test_what_was_sent_hour_by_hour(store: SqlStore) -> None:
    """Added up over processes; an hour counts until its beginning is a day ago."""
    begins = NOW - NOW % HOUR
    for sent, at in ((3, NOW), (4, NOW), (5, NOW + HOUR)):
        async with store.begin() as tx:
            await tx.spending.add(sent, at)
    async with store.begin() as tx:
        sums = [await tx.spending.of_the_day(begins + later) for later in (HOUR, DAY - 1, DAY, DAY + HOUR)]
    assert [12, 12, 5, 0] == sums


# ---------------------------------------------------------------- guesses in a row


async def test_guesses_in_a_row(store: SqlStore) -> None:
    """`streak_max` guesses are let through until one was right; verdicts say how many there were."""
    results = [await in_one(store, lambda tx: tx.codes.charge_streak(KEY, 5, NOW)) for _ in range(7)]
    assert [True] * 5 + [False] * 2 == results
    assert verdict(True, streak=5) == await spend(store, NOW)
    assert verdict(False, 60, streak=5) == await spend(store, NOW)

    await in_one(store, lambda tx: tx.codes.clear_streak(KEY))

    assert await in_one(store, lambda tx: tx.codes.charge_streak(KEY, 5, NOW))
    assert verdict(False, 60, streak=1) == await spend(store, NOW)


async def test_a_streak_that_ends_where_it_is_read(store: SqlStore) -> None:
    """That it ended is kept back to the end of a transaction; whoever reads it in the same one knows."""
    async with store.begin() as tx:
        assert await tx.codes.charge_streak(KEY, 1, NOW)
        await tx.codes.clear_streak(KEY)
        assert await tx.codes.charge_streak(KEY, 1, NOW)
        await tx.codes.clear_streak(KEY)
        assert 0 == (await tx.codes.look_at_sends(KEY, NOW)).streak
        assert await tx.codes.charge_streak(KEY, 1, NOW)
        await tx.codes.clear_streak(KEY)
        assert 0 == (await tx.codes.spend_send(KEY, NOW)).streak


async def test_a_streak_of_a_guard_that_is_not_held_ends_at_once(store: SqlStore) -> None:
    """A long code is not counted, so its number's guard is held by nobody: it is written where it stands, not last."""
    await in_one(store, lambda tx: tx.codes.charge_streak(KEY, 5, NOW))
    async with store.begin() as tx:
        await tx.codes.clear_streak(KEY)
        row = await tx.codes._connection.one(_LOOK_AT_SENDS, key=KEY)
        assert row is not None
        assert 0 == row["streak"]


async def test_how_many_numbers_were_guessed_at(store: SqlStore) -> None:
    """Of those that were sent a code in this time: who typed nothing has not failed, nor who was right in the end."""
    for at, number, tries, is_right in (
        (NOW, b"silent", 0, False), (NOW, b"wrong", 2, False), (NOW, b"right", 2, True), (NOW, b"wrong", 1, False),
        (NOW - 300, b"earlier", 2, False), (NOW + 1, b"later", 2, False),
    ):  # fmt: skip
        row = await issue(store, phone_digest=number, sent_at=at)
        async with store.begin() as tx:
            for _ in range(tries):
                await tx.codes.charge(row.journey_id, 5)
            if is_right:
                await tx.codes.consume(row.journey_id)
    assert Tried(3, 1) == await in_one(store, lambda tx: tx.codes.tried(NOW - 300, NOW))


async def test_a_thousand_guesses_in_a_row(store: SqlStore) -> None:
    """Exactly five of a thousand parallel guesses over all journeys of a number are let through."""
    assert 5 == passed(await at_once(store, 1000, lambda tx: tx.codes.charge_streak(KEY, limits.CODE_STREAK, NOW)))


# ---------------------------------------------------------------- texts


async def test_a_text_is_taken_once(store: SqlStore) -> None:
    """A text that came in proves its number once, and only in time."""
    await in_one(store, lambda tx: tx.codes.put_inbound(b"phone", b"token", NOW + 600))
    await in_one(store, lambda tx: tx.codes.put_inbound(b"phone", b"token", NOW + 700))
    assert not await in_one(store, lambda tx: tx.codes.take_inbound(b"phone", b"other", NOW))
    assert not await in_one(store, lambda tx: tx.codes.take_inbound(b"other", b"token", NOW))
    assert not await in_one(store, lambda tx: tx.codes.take_inbound(b"phone", b"token", NOW + 700))
    assert 1 == passed(await at_once(store, 100, lambda tx: tx.codes.take_inbound(b"phone", b"token", NOW + 699)))
