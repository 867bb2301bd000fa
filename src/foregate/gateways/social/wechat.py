"""WeChat: QR code on a screen, a page inside WeChat, the bank's app with WeChat's SDK.

Errors come with status 200 and `errcode`; the body calls itself text and is JSON in UTF-8. There is neither PKCE nor
a nonce: what protects is `state`, a code that lives ten minutes and works once, and a secret that only the server has.
Sex and region are no longer told (WeChat's notice of 2021-09-26), so they are usually empty.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import quote

import httpx2
import msgspec

from foregate.gateways.social.wire import Wire, log
from foregate.ports.social import CodeRefused, Grant, NotAPerson, Profile, ProviderDown
from foregate.rules.social import Provider, Surface, inert

# The code, or the token that it was worth, is none any more; or the person may not use the app (50001, 50002).
OVER: Final = frozenset({40003, 40014, 40029, 40030, 40163, 41008, 41009, 42001, 42002, 42003, 42007, 50001, 50002})
TOKEN_OVER: Final = frozenset({40014, 42001})
SEXES: Final = {1: "male", 2: "female"}


class App(msgspec.Struct, frozen=True):
    """What WeChat knows one surface of the bank by."""

    app_id: str
    secret: str

    def __repr__(self) -> str:
        return f"App({self.app_id})"


class WeChat:
    """Fits `ports.social.SocialProvider`.

    Args:
        apps: what WeChat knows each surface by; a surface that is missing is not offered.
        authorize: where pages of WeChat are, e.g. https://open.weixin.qq.com
        api: where its web services are, e.g. https://api.weixin.qq.com
        callback: our own address that visitors come back to.
    """

    provider = Provider.WECHAT

    def __init__(
        self,
        apps: Mapping[Surface, App],
        *,
        authorize: str,
        api: str,
        callback: str,
        transport: httpx2.AsyncBaseTransport | None = None,
    ) -> None:
        self._apps = dict(apps)
        self._authorize, self._api, self._callback = authorize, api, callback
        self._wire = Wire(self.provider, transport)

    @property
    def surfaces(self) -> frozenset[Surface]:
        """Where visitors can confirm."""
        return frozenset(self._apps)

    def app_id(self, surface: Surface) -> str:
        """Return the app id of a surface."""
        return self._apps[surface].app_id

    def authorize(self, surface: Surface, state: str, *, profile: bool) -> str:
        """Return the address of WeChat's page. Inside WeChat the order of parameters matters."""
        is_inside = surface is Surface.INSIDE
        page = "oauth2/authorize" if is_inside else "qrconnect"
        scope = ("snsapi_userinfo" if profile else "snsapi_base") if is_inside else "snsapi_login"
        return (
            f"{self._authorize}/connect/{page}?appid={quote(self.app_id(surface), safe='')}"
            f"&redirect_uri={quote(self._callback, safe='')}&response_type=code"
            f"&scope={scope}&state={quote(state, safe='')}#wechat_redirect"
        )

    async def token(self, code: str, surface: Surface) -> Grant:
        """Spend the code."""
        app = self._app(surface)
        params = {"appid": app.app_id, "secret": app.secret, "code": code, "grant_type": "authorization_code"}
        answer = await self._ask("/sns/oauth2/access_token", params, spends=True)
        if answer.get("is_snapshotuser") in (1, "1", True):
            raise NotAPerson("a snapshot page's stand-in")
        return _grant(answer, app, surface)

    async def refresh(self, grant: Grant) -> Grant:
        """Return a grant that lives longer: the same token with more time, or a new one."""
        app = self._app(grant.surface)
        params = {"appid": app.app_id, "grant_type": "refresh_token", "refresh_token": grant.refresh_token}
        again = _grant(await self._ask("/sns/oauth2/refresh_token", params, spends=False), app, grant.surface)
        # A refreshed token comes without the union id; it is the same person or it is refused.
        if again.names[-1] != grant.names[-1]:
            raise CodeRefused("another account's token")
        return msgspec.structs.replace(again, names=grant.names)

    async def profile(self, grant: Grant) -> Profile:
        """Return what may be known; a token that is over is refreshed once."""
        try:
            return await self._profile(grant)
        except _TokenOver:
            return await self._profile(await self.refresh(grant))

    async def _profile(self, grant: Grant) -> Profile:
        openid = grant.names[-1].rpartition(":")[2]
        params = {"access_token": grant.access_token, "openid": openid, "lang": "zh_CN"}
        answer = await self._ask("/sns/userinfo", params, spends=False)
        if answer.get("openid") != openid:
            raise CodeRefused("another account's profile")
        region = " ".join(part for part in (_text(answer, "province"), _text(answer, "city")) if part)
        return Profile(
            avatar_url=_text(answer, "headimgurl"),
            nickname=inert(_text(answer, "nickname")),
            region=inert(region),
            gender=SEXES.get(_number(answer.get("sex")), ""),
        )

    async def _ask(self, path: str, params: Mapping[str, str], *, spends: bool) -> dict[str, Any]:
        answer = await self._wire.get(self._api + path, params, _decoded, spends=spends)
        code = _number(answer.get("errcode", 0))
        if code == 0:
            return answer
        log.warning("provider refused", provider="wechat", errcode=code)
        if code in TOKEN_OVER and path == "/sns/userinfo":
            raise _TokenOver(str(code))
        if code in OVER:
            raise CodeRefused(str(code))
        # Busy, out of quota, or set up wrongly: nothing that the visitor could mend.
        raise ProviderDown(str(code))

    def _app(self, surface: Surface) -> App:
        if surface not in self._apps:
            raise CodeRefused("no app for this surface")
        return self._apps[surface]

    async def close(self) -> None:
        """Close the connections."""
        await self._wire.close()


class _TokenOver(CodeRefused):
    """The access token is over; its refresh token may not be."""


def _decoded(body: bytes) -> dict[str, Any]:
    try:
        return msgspec.json.decode(body, type=dict[str, Any])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise ProviderDown("no JSON") from None


def _grant(answer: Mapping[str, Any], app: App, surface: Surface) -> Grant:
    openid, token = _text(answer, "openid"), _text(answer, "access_token")
    if not openid or not token or ":" in openid:
        raise ProviderDown("an answer without an account")
    union = _text(answer, "unionid")
    # The union id is one for all apps of the bank; the open id is the app's own, and always there.
    names = (f"union:{union}",) * bool(union) + (f"open:{app.app_id}:{openid}",)
    return Grant(access_token=token, refresh_token=_text(answer, "refresh_token"), names=names, surface=surface)


def _text(answer: Mapping[str, Any], name: str) -> str:
    value = answer.get(name)
    return value[:2048] if isinstance(value, str) else ""


def _number(value: Any) -> int:
    try:
        return int(value)
    except (TypeError, ValueError):
        return -1
