"""Alipay's gateway, doubled: verifies what it is asked, signs what it answers, fails with status 200."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256
from starlette.requests import Request
from starlette.responses import Response

from foregate.demo.providers.accounts import ALIPAY_APP
from foregate.demo.providers.desk import CODE_SECONDS, REFRESH_SECONDS, TOKEN_SECONDS, Counterpart, Given, Keys
from foregate.gateways.social import signing

SKEW: Final = timedelta(minutes=15)
INVALID, MISSING, TOKEN, BUSY = "40002", "40001", "20001", "20000"
MESSAGES: Final = {
    INVALID: "Invalid Arguments", MISSING: "Missing Required Arguments", TOKEN: "Insufficient Token Permissions",
    BUSY: "Service Currently Unavailable",
}  # fmt: skip


class Refused(Exception):
    """One of Alipay's errors: code and sub code. `is_known` False: the app is unknown, so nothing is signed."""

    def __init__(self, code: str, sub_code: str, *, is_known: bool = True) -> None:
        super().__init__(sub_code)
        self.code, self.sub_code, self.is_known = code, sub_code, is_known


class AlipayDouble:
    """`POST /gateway.do`"""

    def __init__(self, counterpart: Counterpart, keys: Keys, origin: str) -> None:
        self.counterpart, self._keys, self._origin = counterpart, keys, origin

    async def gateway(self, request: Request) -> Response:
        """Take one call: parameters in the address, in the form, or in both, as clients do."""
        await self.counterpart.behave(request.query_params.get("method", ""))
        form = {name: value for name, value in (await request.form()).items() if isinstance(value, str)}
        asked = dict(request.query_params) | form
        mode = self.counterpart.mode
        if mode == "broken":
            return Response("<html>502 Bad Gateway</html>", 502)
        if mode in ("garbage", "endless"):
            return Response(b"\xff\xfe<!doctype" if mode == "garbage" else b'{"x":"' + b"a" * 200_000 + b'"}')
        try:
            if mode == "busy":
                raise Refused(BUSY, "isp.unknow-error")
            self._verify(asked)
            node, body = self._served(asked)
        except Refused as refused:
            node = "error_response"
            body = {"code": refused.code, "msg": MESSAGES[refused.code], "sub_code": refused.sub_code,
                    "sub_msg": "请求失败"}  # fmt: skip
            if not refused.is_known:
                return _json(json.dumps({node: body}, ensure_ascii=False).encode())
        return self._signed(node, body)

    def _verify(self, asked: dict[str, str]) -> None:
        if "app_id" not in asked:
            raise Refused(MISSING, "isv.missing-app-id", is_known=False)
        if asked["app_id"] != ALIPAY_APP:
            raise Refused(INVALID, "isv.invalid-app-id", is_known=False)
        for name in ("method", "sign", "timestamp", "charset", "version"):
            if not asked.get(name):
                raise Refused(MISSING, f"isv.missing-{'signature' if name == 'sign' else name}")
        if not signing.is_signed(signing.content(asked), asked["sign"], self._keys.app.public_key()):
            raise Refused(INVALID, "isv.invalid-signature")
        try:
            at = datetime.strptime(asked["timestamp"], "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC) - timedelta(hours=8)
        except ValueError:
            raise Refused(INVALID, "isv.invalid-timestamp") from None
        if abs(datetime.fromtimestamp(self.counterpart.now(), UTC) - at) > SKEW:
            raise Refused(INVALID, "isv.invalid-timestamp")

    def _served(self, asked: dict[str, str]) -> tuple[str, dict[str, Any]]:
        match asked["method"]:
            case "alipay.system.oauth.token":
                body = self._token(asked)
            case "alipay.user.info.share":
                body = self._share(asked)
            case _:
                raise Refused(INVALID, "isv.invalid-method")
        return asked["method"].replace(".", "_") + "_response", body

    def _token(self, asked: dict[str, str]) -> dict[str, Any]:
        now, mode = self.counterpart.now(), self.counterpart.mode
        if asked.get("grant_type") == "refresh_token":
            given = self.counterpart.by_refresh(asked.get("refresh_token", ""))
            if given is None or given.refresh_until <= now:
                raise Refused(INVALID, "isv.refresh-token-invalid")
            if mode == "token-over":
                self.counterpart.mode = "fine"
        else:
            given = self.counterpart.codes.get(asked.get("code", ""))
            is_over = given is None or given.is_used or given.at + CODE_SECONDS <= now
            if given is None or is_over or mode in ("expired", "used"):
                if given is not None:
                    given.is_used = True
                raise Refused(INVALID, "isv.code-invalid")
        self.counterpart.tokens_for(given)
        lives: tuple[Any, Any] = (TOKEN_SECONDS, REFRESH_SECONDS)
        if mode == "texts":
            lives = (str(lives[0]), str(lives[1]))
        return {
            "access_token": given.token,
            "auth_start": datetime.fromtimestamp(now, UTC).strftime("%Y-%m-%d %H:%M:%S"),
            "expires_in": lives[0],
            "re_expires_in": lives[1],
            "refresh_token": given.refresh,
            **_ids(given),
        }

    def _share(self, asked: dict[str, str]) -> dict[str, Any]:
        given = self.counterpart.by_token(asked.get("auth_token", ""))
        if given is None:
            raise Refused(TOKEN, "aop.invalid-auth-token")
        if given.token_until <= self.counterpart.now() or self.counterpart.mode == "token-over":
            raise Refused(TOKEN, "aop.auth-token-time-out")
        account, allowed = given.account, given.allowed
        body: dict[str, Any] = {"code": "10000", "msg": "Success", **_ids(given)}
        if self.counterpart.mode == "another":
            body |= {"open_id": "somebody-else", "user_id": "2088000000000000"}
        told = {
            "avatar": ("avatar", f"{self._origin}/pictures/{account.key}/160"),
            "nick_name": ("nickname", account.nickname),
            "province": ("region", account.province),
            "city": ("region", account.city),
            "gender": ("gender", account.gender),
        }
        if self.counterpart.mode != "blank":
            body |= {name: value for name, (attribute, value) in told.items() if attribute in allowed and value}
        return body

    def _signed(self, node: str, body: dict[str, Any]) -> Response:
        mode = self.counterpart.mode
        text = json.dumps(body, ensure_ascii=False, separators=(",", ":") if mode != "reordered" else (" , ", " : "))
        raw = text.encode("gbk" if mode == "gbk" else "utf-8", errors="replace")
        key = self._keys.other if mode == "wrong-key" else self._keys.alipay
        sign = base64.b64encode(key.sign(raw, PKCS1v15(), SHA256())).decode()
        if mode == "tampered":
            raw = raw.replace(b"open_id", b"user_id", 1).replace(b'"o', b'"O', 1) + b""
            raw = raw.replace(b"}", b',"extra":1}', 1)
        if mode == "unsigned":
            return _json(b'{"%s":%s}' % (node.encode(), raw))
        if mode == "reordered":
            return _json(b'{ "sign" : "%s" ,\n "%s" : %s }' % (sign.encode(), node.encode(), raw))
        return _json(b'{"%s":%s,"sign":"%s"}' % (node.encode(), raw, sign.encode()))


def _ids(given: Given) -> dict[str, str]:
    every = {"open_id": f"0{given.account.number}Op", "user_id": f"2088{given.account.number[:12]}"}
    return {name: every[name] for name in given.account.ids}


def _json(body: bytes) -> Response:
    return Response(body, headers={"Content-Type": "text/html;charset=utf-8"})  # as the gateway says
