"""The fictional people who have accounts at the doubles, and the apps that the doubles know."""

from __future__ import annotations

from typing import Final

import msgspec

ATTRIBUTES: Final = ("avatar", "nickname", "region", "gender")


class Account(msgspec.Struct, frozen=True, kw_only=True):
    """One account. `ids`: what Alipay tells of it; `has_union`: whether WeChat tells the id that all apps share."""

    key: str
    nickname: str
    gender: str = "f"
    province: str = "浙江省"
    city: str = "杭州市"
    colour: tuple[int, int, int] = (90, 120, 60)
    has_union: bool = True
    is_snapshot: bool = False
    ids: tuple[str, ...] = ("open_id",)

    @property
    def number(self) -> str:
        """Sixteen digits that follow from the key, as account numbers have."""
        return f"{sum(ord(c) * 131**i for i, c in enumerate(self.key)) % 10**14:014d}"


class WeChatApp(msgspec.Struct, frozen=True):
    """What WeChat knows of an app, and lets it do. `scopes`: what it may ask for, the first where nothing is said.

    A website shows a code to scan; inside WeChat the id alone is told without asking; a phone's app asks for all.
    """

    secret: str
    scopes: tuple[str, ...]
    refresh_seconds: int = 30 * 86400


ACCOUNTS: Final = {
    account.key: account
    for account in (
        Account(key="xiaoming", nickname="小明爱摄影", gender="m"),
        Account(key="fang", nickname="芳芳的花园 🌷", colour=(160, 90, 120), ids=("open_id", "user_id")),
        Account(key="old", nickname="老照片", colour=(40, 90, 160), has_union=False, ids=("user_id",)),
        Account(key="silent", nickname="", province="", city="", gender="", colour=(60, 60, 60)),
        Account(key="preview", nickname="微信用户", is_snapshot=True),
        Account(key="tricky", nickname='"},"sign":"x"} {\\" 反斜杠', colour=(20, 20, 160)),
        Account(key="hidden", nickname="\u202e\u200b客服\u2066<b>admin</b>\x00", colour=(20, 160, 160)),
    )
}

WEB_APP, INSIDE_APP, MOBILE_APP = "wx00000000000web01", "wx0000000inside02", "wx0000000000app03"
WECHAT_APPS: Final = {
    WEB_APP: WeChatApp("wechat-web-secret-of-the-demo", ("snsapi_login",)),
    INSIDE_APP: WeChatApp("wechat-inside-secret-of-the-demo", ("snsapi_userinfo", "snsapi_base")),
    MOBILE_APP: WeChatApp("wechat-app-secret-of-the-demo", ("snsapi_userinfo",), refresh_seconds=180 * 86400),
}
ALIPAY_APP: Final = "2021000000000001"
