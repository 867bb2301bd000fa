"""Alipay: its page in a browser or in its own app, its gateway for everything else.

Every request is signed with the bank's key, every answer verified with Alipay's over the exact bytes of its node,
before anything in it is believed. Newer apps are given an open id and no user id; lifetimes come as numbers or texts.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, Final
from urllib.parse import urlencode

import httpx2
import msgspec
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey

from foregate.gateways.social import signing
from foregate.gateways.social.wire import Wire, log
from foregate.ports import Clock
from foregate.ports.social import CodeRefused, Grant, Profile, ProviderDown
from foregate.rules.social import Provider, Surface, inert

BEIJING: Final = timedelta(hours=8)
OVER: Final = frozenset({"isv.code-invalid", "isv.refresh-token-invalid", "isv.refresh-token-time-out"})
TOKEN_OVER: Final = frozenset({"aop.auth-token-time-out", "aop.invalid-auth-token"})
GENDERS: Final = {"m": "male", "f": "female"}

_NODES: Final = msgspec.json.Decoder(dict[str, msgspec.Raw])
_NODE: Final = msgspec.json.Decoder(dict[str, Any])


class AlipayKeys(msgspec.Struct, frozen=True):
    """Ours, to sign with; theirs, to verify with."""

    own: RSAPrivateKey
    theirs: RSAPublicKey

    def __repr__(self) -> str:
        return "AlipayKeys(***)"


class Alipay:
    """Fits `ports.social.SocialProvider`.

    Args:
        authorize: Alipay's page, e.g. https://openauth.alipay.com/oauth2/publicAppAuthorize.htm
        gateway: e.g. https://openapi.alipay.com/gateway.do
        callback: our own address that visitors come back to.
    """

    provider = Provider.ALIPAY
    surfaces = frozenset({Surface.WEB, Surface.INSIDE, Surface.APP})

    def __init__(
        self,
        app_id: str,
        keys: AlipayKeys,
        clock: Clock,
        *,
        authorize: str,
        gateway: str,
        callback: str,
        transport: httpx2.AsyncBaseTransport | None = None,
    ) -> None:
        self._app_id, self._keys, self._clock = app_id, keys, clock
        self._authorize, self._gateway, self._callback = authorize, gateway, callback
        self._wire = Wire(self.provider, transport)

    def app_id(self, surface: Surface) -> str:
        """Return the app id, which is one for all surfaces."""
        return self._app_id

    def authorize(self, surface: Surface, state: str, *, profile: bool) -> str:
        """Return the address of Alipay's page."""
        scope = "auth_user" if profile else "auth_base"
        asked = {"app_id": self._app_id, "scope": scope, "redirect_uri": self._callback, "state": state}
        return f"{self._authorize}?{urlencode(asked)}"

    async def token(self, code: str, surface: Surface) -> Grant:
        """Spend the code."""
        asked = {"grant_type": "authorization_code", "code": code}
        return self._grant(await self._call("alipay.system.oauth.token", asked, spends=True), surface)

    async def refresh(self, grant: Grant) -> Grant:
        """Return a grant that lives longer."""
        asked = {"grant_type": "refresh_token", "refresh_token": grant.refresh_token}
        again = self._grant(await self._call("alipay.system.oauth.token", asked, spends=True), grant.surface)
        if not set(again.names) & set(grant.names):
            raise CodeRefused("another account's token")
        return again

    async def profile(self, grant: Grant) -> Profile:
        """Return what may be known; a token that is over is refreshed once."""
        try:
            return await self._profile(grant)
        except _TokenOver:
            return await self._profile(await self.refresh(grant))

    async def _profile(self, grant: Grant) -> Profile:
        node = await self._call("alipay.user.info.share", {"auth_token": grant.access_token}, spends=False)
        named = self._names(node)
        if named and not set(named) & set(grant.names):
            raise CodeRefused("another account's profile")
        region = " ".join(part for part in (_text(node, "province"), _text(node, "city")) if part)
        return Profile(
            avatar_url=_text(node, "avatar"),
            nickname=inert(_text(node, "nick_name")),
            region=inert(region),
            gender=GENDERS.get(_text(node, "gender").lower(), ""),
        )

    def _grant(self, node: Mapping[str, Any], surface: Surface) -> Grant:
        names, token = self._names(node), _text(node, "access_token")
        if not names or not token:
            raise ProviderDown("an answer without an account")
        return Grant(access_token=token, refresh_token=_text(node, "refresh_token"), names=names, surface=surface)

    def _names(self, node: Mapping[str, Any]) -> tuple[str, ...]:
        open_id, user_id = _text(node, "open_id"), _text(node, "user_id")
        of_app = (f"open:{self._app_id}:{open_id}",) if open_id else ()
        return (*of_app, f"user:{user_id}") if user_id else of_app

    async def _call(self, method: str, business: Mapping[str, str], *, spends: bool) -> dict[str, Any]:
        now = datetime.fromtimestamp(self._clock.now(), UTC) + BEIJING
        common = {
            "app_id": self._app_id,
            "method": method,
            "format": "JSON",
            "charset": "utf-8",
            "sign_type": "RSA2",
            "timestamp": now.strftime("%Y-%m-%d %H:%M:%S"),
            "version": "1.0",
        }
        sent = signing.signed({**common, **business}, self._keys.own)
        params = {name: value for name, value in sent.items() if name not in business}
        form = {name: value for name, value in sent.items() if name in business}
        believed = partial(self._believed, expected=method.replace(".", "_") + "_response")
        node = await self._wire.post(self._gateway, params, form, believed, spends=spends)
        code = _text(node, "code") or "10000"
        if code == "10000":
            return node
        sub_code = _text(node, "sub_code")
        log.warning("provider refused", provider="alipay", errcode=code[:8], reason=sub_code[:64])
        if sub_code in TOKEN_OVER:
            raise _TokenOver(sub_code)
        if sub_code in OVER:
            raise CodeRefused(sub_code)
        raise ProviderDown(code)

    def _believed(self, body: bytes, expected: str) -> dict[str, Any]:
        """Return the node of an answer, if Alipay signed it: `expected`, or a refusal."""
        try:
            nodes = _NODES.decode(body)
            name = expected if expected in nodes else "error_response"
            raw, signature = bytes(nodes[name]), msgspec.json.decode(nodes["sign"], type=str)
            if not signing.is_signed(raw, signature, self._keys.theirs):
                raise ValueError("its signature is not Alipay's")
            node = _NODE.decode(raw)
        except (msgspec.DecodeError, UnicodeDecodeError, KeyError, ValueError, RecursionError):
            # An app that Alipay does not know is answered without a signature: nothing in it can be believed.
            raise ProviderDown("no signed answer") from None
        # What is called an error is one, whatever its code says.
        return node if name == expected else {"code": "error"} | {k: v for k, v in node.items() if v != "10000"}

    async def close(self) -> None:
        """Close the connections."""
        await self._wire.close()


class _TokenOver(CodeRefused):
    """The access token is over; its refresh token may not be."""


def _text(node: Mapping[str, Any], name: str) -> str:
    value = node.get(name)
    return value[:2048] if isinstance(value, str) else ""
