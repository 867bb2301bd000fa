"""What a client says it is: what is old is found, what is unknown passes, and hostile claims cost nothing."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from foregate.rules import clients, limits
from foregate.rules.clients import MARKS, BadMinimum, Client, is_refused, is_too_old, minimums_of, read
from foregate.rules.journeys import JOURNEYS

ANDROID = "Mozilla/5.0 (Linux; Android 10; HMA-AL00 Build/HUAWEIHMA-AL00; wv) AppleWebKit/537.36 (KHTML, like Gecko) "
WECHAT = ANDROID + (
    "Version/4.0 Chrome/86.0.4240.99 XWEB/4317 MMWEBSDK/20220903 Mobile Safari/537.36 MMWEBID/5903 "
    "MicroMessenger/8.0.27.2220(0x28001B37) WeChat/arm64 Weixin NetType/WIFI Language/zh_CN ABI/arm64"
)
ALIPAY = (
    ANDROID
    + "Version/4.0 Chrome/83.0.4103.106 UWS/3.22 Mobile Safari/537.36 AlipayClient/10.2.36.8000 Language/zh-Hans"
)
IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 15_4 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "


@pytest.mark.parametrize(
    ("agent", "name", "version"),
    [
        ("ForegateApp/3.4 " + ANDROID, "app", (3, 4)),
        (WECHAT, "wechat", (8, 0, 27, 2220)),
        (ALIPAY, "alipay", (10, 2, 36, 8000)),
        (
            ANDROID + "Version/4.0 Chrome/99.0.4844.88 HuaweiBrowser/13.0.4.302 Mobile Safari/537.36",
            "huawei",
            (13, 0, 4, 302),
        ),
        (ANDROID + "Version/4.0 Chrome/89.0.4389.72 MQQBrowser/12.8 Mobile Safari/537.36", "qq", (12, 8)),
        (
            ANDROID + "Version/4.0 Chrome/78.0.3904.108 UCBrowser/13.4.0.1306 Mobile Safari/537.36",
            "uc",
            (13, 4, 0, 1306),
        ),
        (ANDROID + "Chrome/120.0.0.0 Safari/537.36 Edg/120.0.2210.91", "edge", (120, 0, 2210, 91)),
        (ANDROID + "Chrome/74.0.3729.157 Mobile Safari/537.36", "chrome", (74, 0, 3729, 157)),
        (IPHONE + "CriOS/119.0.6045.109 Mobile/15E148 Safari/604.1", "chrome", (119, 0, 6045, 109)),
        (IPHONE + "FxiOS/120.0 Mobile/15E148 Safari/605.1.15", "firefox", (120, 0)),
        ("Mozilla/5.0 (X11; Linux x86_64; rv:109.0) Gecko/20100101 Firefox/118.0", "firefox", (118, 0)),
        (IPHONE + "Version/15.4 Mobile/15E148 Safari/604.1", "safari", (15, 4)),
    ],
)
def test_programs_are_told_apart(agent: str, name: str, version: tuple[int, ...]) -> None:
    """The first that names itself counts: WeChat names the browser it is made of."""
    assert Client(name, version) == read(agent)


@pytest.mark.parametrize(
    "agent",
    [
        "", "curl/8.4.0", "Mozilla/5.0", "NotForegateApp/1.0", "ForegateApp/", "ForegateApp/x.y", "ForegateApp 1.0",
        "MicroMessenger/", "Chrome/..", "Chrome/９.0", "Chrome/1234567.0", "Version/4.0", "chrome/1.0",
    ],
)  # fmt: skip
def test_what_is_not_understood_passes(agent: str) -> None:
    """A program that the bank never heard of, or that says nonsense, is not too old."""
    assert None is read(agent)
    assert not is_too_old(agent, dict.fromkeys(clients.NAMES, (999999,)))


@pytest.mark.parametrize(
    ("version", "is_old"),
    [
        ("3.1.99", True),
        ("3.2", False),
        ("3.2.0", False),
        ("3.2.0.1", False),
        ("3", True),
        ("4", False),
        ("10.0", False),
    ],
)
def test_old_is_below_the_minimum(version: str, is_old: bool) -> None:
    """By numbers, not by letters; what is left out is 0."""
    assert is_old == is_too_old(f"ForegateApp/{version}", minimums_of(("app=3.2",)))


def test_a_minimum_is_for_its_own_program() -> None:
    """WeChat is not measured by the browser inside it."""
    assert not is_too_old(WECHAT, minimums_of(("chrome=100",)))
    assert is_too_old(WECHAT, minimums_of(("wechat=8.0.30", "chrome=1")))


def test_what_protects_and_what_people_do_is_open_to_every_program() -> None:
    """Freezing, appointments, leaving, and taking back; what signs in or changes a way in is not."""
    minimums = minimums_of(("app=3.2",))
    refused = {name for name, row in JOURNEYS.items() if is_refused(row, "ForegateApp/1.0", minimums)}
    assert not refused & {"freeze", "stop-by-link", "book-appointment", "sign-out", "sign-out-everywhere"}
    assert not refused & {"withdraw-consent", "withdraw-face", "unlink-social"}
    assert {"sign-in", "sign-in-basic", "register", "reopen", "reset-password", "add-passkey"} <= refused
    assert set() == {name for name, row in JOURNEYS.items() if is_refused(row, "", minimums)}


@pytest.mark.parametrize(
    "written",
    ["app", "app=", "app=x", "app=3,2", "app=3.2 beta", "app=3.", "lynx=1", "=1", "app=1.2.3.4.5"],
)
def test_a_minimum_that_cannot_be_read_is_refused(written: str) -> None:
    """At start, and not when the first customer comes."""
    with pytest.raises(BadMinimum):
        minimums_of((written,))


# ---------------------------------------------------------------- hostile claims

NOISE = ("0", "9", ".", "..", "٣", "\x00", "\n", "-1", "e9", "/", " ", "Safari/", "é")
PIECES = st.sampled_from([*(mark for mark, _ in MARKS), *NOISE])
HOSTILE = st.one_of(st.text(max_size=2000), st.lists(PIECES, max_size=200).map("".join))


@given(HOSTILE)
def test_a_hostile_claim_is_read_or_passes(agent: str) -> None:
    """Never an error; never more parts or larger numbers than bounded; and it says the same twice."""
    client = read(agent)
    assert client == read(agent)
    if client is not None:
        assert client.name in clients.NAMES
        assert 1 <= len(client.version) <= limits.AGENT_PARTS
        assert all(0 <= part < 10**limits.AGENT_DIGITS for part in client.version)
        assert not is_too_old(agent, {client.name: client.version})


@given(HOSTILE, HOSTILE)
def test_what_stands_beyond_the_bound_decides_nothing(agent: str, tail: str) -> None:
    """A longer claim is the same claim."""
    full = agent.ljust(int(limits.AGENT_READ_CHARS))[: limits.AGENT_READ_CHARS]
    assert read(full) == read(full + tail)


@given(st.lists(st.integers(0, 10 ** int(limits.AGENT_DIGITS) - 1), min_size=1, max_size=4), st.integers(0, 3))
def test_a_newer_program_is_never_older(version: list[int], place: int) -> None:
    """Growing any part of a version past the minimum's never makes it too old."""
    minimums = {"app": tuple(version)}
    newer = list(version)
    newer[min(place, len(newer) - 1)] += 1
    text = ".".join(str(min(part, 999_999)) for part in newer)
    same = ".".join(map(str, version))
    assert not is_too_old(f"ForegateApp/{same}", minimums)
    assert not is_too_old(f"ForegateApp/{text}", minimums) or max(newer) > 999_999


def test_a_claim_of_a_megabyte_costs_nothing() -> None:
    """What is read is bounded, whatever is sent."""
    began = time.perf_counter()
    for _ in range(100):
        read("MicroMessenger/" + "1." * 500_000)
    assert time.perf_counter() - began < 1
