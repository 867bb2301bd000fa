"""WeChat's web services, doubled: status 200 whatever happens, text/plain, `errcode` with a rid."""

from __future__ import annotations

import secrets
from typing import Any, Final

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from foregate.demo.providers.accounts import WECHAT_APPS
from foregate.demo.providers.desk import CODE_SECONDS, TOKEN_SECONDS, Counterpart, Given

MESSAGES: Final = {
    -1: "system error", 40001: "invalid credential", 40003: "invalid openid", 40013: "invalid appid",
    40014: "invalid access_token", 40029: "invalid code", 40030: "invalid refresh_token", 40125: "invalid appsecret",
    40163: "code been used", 41002: "appid missing", 41004: "appsecret missing", 41008: "missing code",
    41009: "missing openid", 42001: "access_token expired", 42002: "refresh_token expired", 42003: "code expired",
    48001: "api unauthorized",
}  # fmt: skip


class Refused(Exception):
    """One of WeChat's errors, by its number."""


class WeChatDouble:
    """The web services of WeChat."""

    def __init__(self, counterpart: Counterpart, origin: str) -> None:
        self.counterpart, self._origin = counterpart, origin

    async def access_token(self, request: Request) -> Response:
        """`/sns/oauth2/access_token`"""
        return await self._answer(request, self._token)

    async def refresh_token(self, request: Request) -> Response:
        """`/sns/oauth2/refresh_token`"""
        return await self._answer(request, self._refresh)

    async def userinfo(self, request: Request) -> Response:
        """`/sns/userinfo`"""
        return await self._answer(request, self._userinfo)

    async def auth(self, request: Request) -> Response:
        """`/sns/auth`"""
        return await self._answer(request, self._auth)

    async def _answer(self, request: Request, service: Any) -> Response:
        await self.counterpart.behave(request.url.path)
        mode = self.counterpart.mode
        if mode == "broken":
            return Response("<html>502 Bad Gateway</html>", 502)
        if mode in ("garbage", "endless"):
            return Response(b"\xff\xfe<!doctype" if mode == "garbage" else b'{"x":"' + b"a" * 200_000 + b'"}')
        try:
            if mode == "busy":
                raise Refused(-1)
            body = service(dict(request.query_params))
        except Refused as refused:
            code = refused.args[0]
            rid = "-".join(secrets.token_hex(4) for _ in range(3))
            body = {"errcode": code, "errmsg": f"{MESSAGES[code]}, rid: {rid}"}
        # Served as text, without a charset: clients that trust the header read Chinese names wrongly.
        return Response(msgspec.json.encode(body), headers={"Content-Type": "text/plain"})

    def _token(self, asked: dict[str, str]) -> dict[str, Any]:
        app_id = _app(asked, with_secret=True)
        if not asked.get("code"):
            raise Refused(41008)
        given = self.counterpart.codes.get(asked["code"])
        if given is None or given.app_id != app_id:
            raise Refused(40029)
        if given.is_used or self.counterpart.mode == "used":
            raise Refused(40163)
        if given.at + CODE_SECONDS <= self.counterpart.now() or self.counterpart.mode == "expired":
            given.is_used = True
            raise Refused(42003)
        self.counterpart.tokens_for(given, WECHAT_APPS[app_id].refresh_seconds)
        body: dict[str, Any] = self._tokens(given)
        if given.account.has_union:
            body["unionid"] = f"oUnion{given.account.number}"
        if given.account.is_snapshot:
            body["is_snapshotuser"] = 1
        return body

    def _tokens(self, given: Given) -> dict[str, Any]:
        return {
            "access_token": given.token,
            "expires_in": TOKEN_SECONDS,
            "refresh_token": given.refresh,
            "openid": open_id(given),
            "scope": scope_of(given),
        }

    def _refresh(self, asked: dict[str, str]) -> dict[str, Any]:
        _app(asked, with_secret=False)
        given = self.counterpart.by_refresh(asked.get("refresh_token", ""))
        if given is None or given.app_id != asked["appid"]:
            raise Refused(40030)
        if given.refresh_until <= self.counterpart.now():
            raise Refused(42002)
        given.token_until = self.counterpart.now() + TOKEN_SECONDS  # the same token, with more time
        if self.counterpart.mode == "token-over":
            self.counterpart.mode = "fine"
        return self._tokens(given)

    def _held(self, asked: dict[str, str]) -> Given:
        given = self.counterpart.by_token(asked.get("access_token", ""))
        if given is None:
            raise Refused(40014)
        if given.token_until <= self.counterpart.now() or self.counterpart.mode == "token-over":
            raise Refused(42001)
        if not asked.get("openid"):
            raise Refused(41009)
        if asked["openid"] != open_id(given):
            raise Refused(40003)
        return given

    def _auth(self, asked: dict[str, str]) -> dict[str, Any]:
        self._held(asked)
        return {"errcode": 0, "errmsg": "ok"}

    def _userinfo(self, asked: dict[str, str]) -> dict[str, Any]:
        given = self._held(asked)
        if scope_of(given) == "snsapi_base":
            raise Refused(48001)
        account, allowed = given.account, given.allowed
        picture = f"{self._origin}/pictures/{account.key}/132"
        return {
            "openid": open_id(given) if self.counterpart.mode != "another" else "oSomebodyElse",
            "nickname": account.nickname if "nickname" in allowed else "",
            # Since 2021-10-20 neither is told to anybody; the fields stayed.
            "sex": 0, "language": "", "city": "", "province": "", "country": "",
            "headimgurl": picture if "avatar" in allowed and self.counterpart.mode != "blank" else "",
            "privilege": [],
        } | ({"unionid": f"oUnion{account.number}"} if account.has_union else {})  # fmt: skip


def scope_of(given: Given) -> str:
    """Return what the person was asked for; nothing said is the most that the app may ask for."""
    return given.scope or WECHAT_APPS[given.app_id].scopes[0]


def open_id(given: Given) -> str:
    """Return the id that this app, and no other, knows the account by."""
    return f"o{given.app_id[-5:]}-{given.account.number}"


def _app(asked: dict[str, str], *, with_secret: bool) -> str:
    if not asked.get("appid"):
        raise Refused(41002)
    if asked["appid"] not in WECHAT_APPS:
        raise Refused(40013)
    if with_secret and not asked.get("secret"):
        raise Refused(41004)
    if with_secret and asked["secret"] != WECHAT_APPS[asked["appid"]].secret:
        raise Refused(40125)
    return asked["appid"]
