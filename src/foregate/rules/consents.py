"""What a customer may agree to, purpose by purpose, and for how long what came of it is kept.

Rules
  1. One purpose, one yes. Nobody is asked for a bundle, and nothing else depends on the answer.
  2. What is agreed to is a text: `TEXT_VERSION` changes when its words change their meaning, and the ledger keeps
     which one was shown.
  3. Withdrawing is as easy as giving, and deletes what was kept.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from foregate.rules.social import Attribute, Provider


class Purpose(StrEnum):
    """What is kept, and of whom it came. Names never change their meaning: the ledger keeps them."""

    WECHAT_AVATAR = "wechat-avatar"
    WECHAT_NICKNAME = "wechat-nickname"
    WECHAT_REGION = "wechat-region"
    WECHAT_GENDER = "wechat-gender"
    ALIPAY_AVATAR = "alipay-avatar"
    ALIPAY_NICKNAME = "alipay-nickname"
    ALIPAY_REGION = "alipay-region"
    ALIPAY_GENDER = "alipay-gender"
    FACE = "face"


# The words shown beside the boxes (`consent.*` in the catalogue); changed when their meaning changes.
TEXT_VERSION: Final = "2026-11"


def purpose_of(provider: Provider, attribute: Attribute) -> Purpose:
    """Return what is agreed to when one attribute may be taken from one provider."""
    return Purpose(f"{provider}-{attribute}")
