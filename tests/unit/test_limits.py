"""Every limit says what it counts, why, and who says so; those that the rules apply hold at n and n + 1."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from foregate.rules import limits
from foregate.rules.engine import block_seconds
from foregate.rules.limits import Limit, every_limit

ALL = every_limit()


@pytest.mark.parametrize("name", ALL)
def test_a_limit_explains_itself(name: str) -> None:
    """Unit, reason and source are written out; a limit bounds something."""
    limit = ALL[name]

    assert limit > 0
    assert limit.unit
    assert len(limit.why) >= 10 or limit.source != "own"
    assert limit.source


def test_a_limit_is_a_number() -> None:
    """Code compares with it and reckons with it as with any int."""
    assert limits.CODE_TRIES == 5
    assert limits.CODE_TRIES + 1 == 6
    assert isinstance(limits.CODE_TRIES, int)


def test_a_limit_keeps_its_words() -> None:
    """They are what the reference page prints."""
    limit = Limit(7, "samurai", "a film needs that many", "Kurosawa")

    assert (int(limit), limit.unit, limit.why, limit.source) == (7, "samurai", "a film needs that many", "Kurosawa")


def test_all_limits_are_found() -> None:
    """The documentation draws from here, so none may be missing."""
    assert {name for name in vars(limits) if isinstance(getattr(limits, name), Limit)} == set(ALL)
    assert len(ALL) > 40


@pytest.mark.parametrize(
    ("failures", "seconds"),
    [
        (0, 0),
        (limits.ROW_FAILURES - 1, 0),
        (limits.ROW_FAILURES, limits.BLOCK_SECONDS),
        (limits.ROW_FAILURES + 1, 0),
        (limits.ROW_FAILURES * 2, limits.BLOCK_SECONDS * 2),
        (limits.ROW_FAILURES * 3, limits.BLOCK_SECONDS * 4),
        (limits.ROW_FAILURES * 7, limits.BLOCK_SECONDS * 64),
        (limits.ROW_FAILURES * 8, limits.BLOCK_SECONDS_MAX),
        (limits.ROW_FAILURES * 9, limits.BLOCK_SECONDS_MAX),
    ],
)
def test_blocks_double_up_to_a_day(failures: int, seconds: int) -> None:
    """Fifteen minutes after five in a row, then twice as long for each further five."""
    assert block_seconds(failures) == seconds


@given(st.integers(min_value=0, max_value=10_000))
def test_a_block_never_lasts_longer_than_a_day(failures: int) -> None:
    """And it begins only with a full row of failures."""
    seconds = block_seconds(failures)

    assert 0 <= seconds <= limits.BLOCK_SECONDS_MAX
    assert bool(seconds) == (failures > 0 and failures % limits.ROW_FAILURES == 0)


def test_the_limits_agree_with_one_another() -> None:
    """A code outlives the wait for the next, a journey its codes, a session its idleness; blocks precede closing."""
    assert limits.RESEND_SECONDS < limits.CODE_TTL_SECONDS < limits.JOURNEY_SECONDS
    assert limits.IDLE_WARNING_SECONDS < limits.IDLE_SECONDS < limits.SESSION_SECONDS
    assert limits.OFFER_REOPEN_FROM < limits.ROW_FAILURES < limits.PERMISSION_FAILURES < limits.TOTAL_FAILURES
    assert limits.SENDS_PER_JOURNEY <= limits.SENDS_PER_HOUR <= limits.SENDS_PER_DAY
    assert limits.PASSWORD_MAX < limits.FIELD_CHARS < limits.BODY_BYTES


def test_guessing_a_code_is_hopeless() -> None:
    """Five tries at a million codes, and from a streak on more than 64 bits (NIST SP 800-63B-4, 3.2.2)."""
    assert limits.CODE_TRIES / 10**limits.CODE_DIGITS <= 5e-6
    assert limits.LONG_CODE_SYMBOLS * 5 >= 64
