"""WeChat and Alipay accounts: what may be taken from one, and what their texts become before anybody reads them.

A name that somebody chose elsewhere is a stranger's text: it may turn the line around, hide letters, be a page long.
What is left of it here is one short line of visible characters, and nothing that it says is ever believed.
"""

from __future__ import annotations

import unicodedata
from enum import StrEnum
from typing import Final

from foregate.rules import limits


class Provider(StrEnum):
    """Who vouches for the account."""

    WECHAT = "wechat"
    ALIPAY = "alipay"


class Surface(StrEnum):
    """Where the visitor confirms: a browser's page, the provider's own app around our page, or the bank's app."""

    WEB = "web"
    INSIDE = "inside"
    APP = "app"


class Attribute(StrEnum):
    """What may be taken along, each only with a yes of its own."""

    AVATAR = "avatar"
    NICKNAME = "nickname"
    REGION = "region"
    GENDER = "gender"


# What a person may type when the provider does not tell: a picture or a nickname nobody types.
ASKED_OF_THE_PERSON: Final = (Attribute.REGION, Attribute.GENDER)
GENDERS: Final = ("female", "male", "other")

# Fillers that look like nothing and are letters to Unicode; variation selectors and the like are marks of no letter.
_BLANK: Final = frozenset("\u115f\u1160\u3164\uffa0\u2800\u00ad\u034f\u17b4\u17b5")
_MARKS_IN_A_ROW: Final = 2


def inert(text: str, longest: int = int(limits.SOCIAL_TEXT_CHARS)) -> str:
    """Return one short line of visible characters: no controls, no direction marks, nothing of zero width.

    Every letter carries two marks at most, so that no name climbs over its neighbours. Empty when nothing is left.
    """
    kept: list[str] = []
    marks = 0
    for c in unicodedata.normalize("NFC", text[: 8 * longest]):
        if c.isspace():
            c = " "
        if c in _BLANK or unicodedata.category(c) in ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"):
            continue
        marks = marks + 1 if unicodedata.combining(c) or unicodedata.category(c) in ("Mn", "Me") else 0
        if marks > _MARKS_IN_A_ROW or (marks and not kept):
            continue
        kept.append(c)
    line = " ".join("".join(kept).split())
    return line[:longest].strip()


def needs_another_screen(provider: str, agent: str) -> bool:
    """Say whether the provider's page would show this device a code that only another one can scan.

    That is WeChat's, in the browser of a phone: it opens no app from there. `Mobi` is what browsers of phones say.
    """
    return provider == Provider.WECHAT and "Mobi" in agent and inside(agent) is not Provider.WECHAT


def inside(agent: str) -> Provider | None:
    """Return whose app shows our page, as the browser calls itself. A lie here only shows another of our links."""
    if "MicroMessenger" in agent:
        return Provider.WECHAT
    return Provider.ALIPAY if "AlipayClient" in agent else None
