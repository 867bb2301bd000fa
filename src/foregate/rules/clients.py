"""What a client says it is, and whether it is too old to sign in with.

Rules
  1. A client that says nothing that is understood passes: the list of programs is the world's, not ours.
  2. Old means below the minimum that the bank set for that very program; nothing is too old by default.
  3. What works without signing in works with any program: freezing, appointments, outlets, people. So does leaving.

The first program that names itself counts: browsers name their ancestors too, and WeChat names the browser it is made
of. What is read of a claim is bounded, and read by hand: a hostile one costs a few hundred steps and says nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import msgspec

from foregate.rules import limits
from foregate.rules.journeys import Journey

# The mark in the claim, and what a setting calls that program. The first that occurs names it.
MARKS: Final = (
    ("ForegateApp/", "app"),
    ("MicroMessenger/", "wechat"),
    ("AlipayClient/", "alipay"),
    ("HuaweiBrowser/", "huawei"),
    ("MQQBrowser/", "qq"),
    ("QQBrowser/", "qq"),
    ("UCBrowser/", "uc"),
    ("Edg/", "edge"),
    ("EdgA/", "edge"),
    ("FxiOS/", "firefox"),
    ("Firefox/", "firefox"),
    ("CriOS/", "chrome"),
    ("Chrome/", "chrome"),
    ("Version/", "safari"),
)
NAMES: Final = frozenset(name for _, name in MARKS)

# What anybody may do with any program, by its act.
OPEN_TO_ALL: Final = frozenset(
    {
        "close-permission", "book-appointment", "end-session", "end-all-sessions", "revoke-session", "forget-device",
        "remove-passkey", "unlink-social", "withdraw-consent", "withdraw-face",
    }
)  # fmt: skip

Version = tuple[int, ...]
Minimums = Mapping[str, Version]


class BadMinimum(ValueError):
    """A minimum that cannot be read; the text says what to write."""


class Client(msgspec.Struct, frozen=True):
    """A program and its version, as it says."""

    name: str
    version: Version

    @property
    def said(self) -> str:
        """The version as people write it."""
        return ".".join(map(str, self.version))


def read(agent: str) -> Client | None:
    """Return what a client says it is, or None when nothing of it is understood."""
    claim = agent[: limits.AGENT_READ_CHARS]
    for mark, name in MARKS:
        at = claim.find(mark)
        if at < 0 or (at > 0 and claim[at - 1].isalnum()):
            continue
        if name == "safari" and "Safari/" not in claim:
            continue
        version = _version(claim[at + len(mark) :])
        # A program that says its name and no version is that program still, and not the one it was made from.
        return Client(name, version) if version else None
    return None


def _version(text: str) -> Version:
    parts: list[int] = []
    digits = ""
    for character in text + " ":
        if character in "0123456789":
            digits += character
            if len(digits) > limits.AGENT_DIGITS:
                return ()
            continue
        if not digits:
            break
        parts.append(int(digits))
        digits = ""
        if character != "." or len(parts) == limits.AGENT_PARTS:
            break
    return tuple(parts)


def minimums_of(written: tuple[str, ...]) -> Minimums:
    """Return the minimums from `app=3.2`, `wechat=8.0.30`. Raises BadMinimum."""
    found: dict[str, Version] = {}
    for line in written:
        name, _, text = (part.strip() for part in line.partition("="))
        version = _version(text)
        if name not in NAMES:
            raise BadMinimum(f"{name!r} is none of {', '.join(sorted(NAMES))}")
        if not version or ".".join(map(str, version)) != text:
            raise BadMinimum(f"write {name}=3.2, with digits and dots alone")
        found[name] = version
    return found


def is_too_old(agent: str, minimums: Minimums) -> bool:
    """Say whether a client is known, has a minimum, and is below it."""
    client = read(agent)
    if client is None or client.name not in minimums:
        return False
    return _padded(client.version) < _padded(minimums[client.name])


def is_refused(row: Journey, agent: str, minimums: Minimums) -> bool:
    """Say whether this journey is not begun with that client."""
    return row.act not in OPEN_TO_ALL and is_too_old(agent, minimums)


def _padded(version: Version) -> Version:
    return version + (0,) * (int(limits.AGENT_PARTS) - len(version))
