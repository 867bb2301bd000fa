"""The doubles as one application: pages where a person agrees, the services, pictures, and the knob for tests."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from html import escape
from urllib.parse import urlencode, urlsplit

import msgspec
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from foregate.demo.providers.accounts import ACCOUNTS, ALIPAY_APP, ATTRIBUTES, WECHAT_APPS
from foregate.demo.providers.alipay import AlipayDouble
from foregate.demo.providers.desk import MODES, Counterpart, Keys
from foregate.demo.providers.pictures import picture_of
from foregate.demo.providers.wechat import WeChatDouble

WORDS = {"avatar": "头像 Picture", "nickname": "昵称 Nickname", "region": "地区 Region", "gender": "性别 Gender"}
NAMES = {"wechat": "微信（替身） WeChat double", "alipay": "支付宝（替身） Alipay double"}
PAGE = """<!doctype html><html lang="zh-CN"><head><meta charset="utf-8"><title>{title}</title>
<meta name="viewport" content="width=device-width,initial-scale=1"><style>body{{font:1.1rem/1.6 sans-serif;
max-width:22rem;margin:1rem auto;padding:0 1rem;color:#222;background:#fff}}button{{font:inherit;width:100%;
padding:.6rem;margin:.3rem 0}}label{{display:block}}fieldset{{margin:1rem 0}}</style></head>
<body><h1>{title}</h1>{body}</body></html>"""


class Mode(msgspec.Struct, forbid_unknown_fields=True):
    """How a double is to behave from now on."""

    provider: str
    mode: str


class Doubles:
    """Both providers, at one origin. `bank`: where people may be sent back to; empty: anywhere."""

    def __init__(self, keys: Keys, origin: str, bank: str = "", now: Callable[[], float] = time.time) -> None:
        self.counterparts = {"wechat": Counterpart(now), "alipay": Counterpart(now)}
        self.bank = bank
        wechat = WeChatDouble(self.counterparts["wechat"], origin)
        alipay = AlipayDouble(self.counterparts["alipay"], keys, origin)
        self.app = Starlette(
            routes=[
                Route("/connect/qrconnect", self.ask_wechat, methods=["GET"]),
                Route("/connect/oauth2/authorize", self.ask_wechat, methods=["GET"]),
                Route("/oauth2/publicAppAuthorize.htm", self.ask_alipay, methods=["GET"]),
                Route("/agree", self.agree, methods=["POST"]),
                Route("/sns/oauth2/access_token", wechat.access_token, methods=["GET"]),
                Route("/sns/oauth2/refresh_token", wechat.refresh_token, methods=["GET"]),
                Route("/sns/userinfo", wechat.userinfo, methods=["GET"]),
                Route("/sns/auth", wechat.auth, methods=["GET"]),
                Route("/gateway.do", alipay.gateway, methods=["POST"]),
                Route("/pictures/{key}/{size}", picture_of, methods=["GET"]),
                Route("/double", self.set_mode, methods=["POST"]),
            ]
        )

    async def ask_wechat(self, request: Request) -> Response:
        """WeChat's page: which account, and what the bank may know."""
        asked = request.query_params
        if asked.get("appid") not in WECHAT_APPS:
            return _refusal("AppID 参数错误")
        if asked.get("scope") not in WECHAT_APPS[asked["appid"]].scopes:
            return _refusal("Scope 参数错误或没有 Scope 权限")
        return self._ask("wechat", asked["appid"], asked, asked["scope"])

    async def ask_alipay(self, request: Request) -> Response:
        """Alipay's page."""
        asked = request.query_params
        if asked.get("app_id") != ALIPAY_APP:
            return _refusal("isv.invalid-app-id")
        return self._ask("alipay", ALIPAY_APP, asked, asked.get("scope", ""))

    def _ask(self, provider: str, app_id: str, asked: Mapping[str, str], scope: str) -> Response:
        redirect, state = asked.get("redirect_uri", ""), asked.get("state", "")
        if not self._is_configured(redirect):
            return _refusal("redirect_uri 参数错误")
        people = "".join(
            f'<option value="{escape(each.key)}">{escape(each.key)}</option>' for each in ACCOUNTS.values()
        )
        boxes = "".join(
            f'<label><input type="checkbox" name="{name}" value="yes" checked> {WORDS[name]}</label>'
            for name in ATTRIBUTES
        )
        hidden = {"provider": provider, "app_id": app_id, "redirect": redirect, "state": state, "scope": scope}
        fields = "".join(f'<input type="hidden" name="{k}" value="{escape(v)}">' for k, v in hidden.items())
        body = (
            f'<form method="post" action="/agree">{fields}<label>账号 Account <select name="account">{people}</select>'
            f"</label><fieldset><legend>允许银行获得 The bank may know</legend>{boxes}</fieldset>"
            '<button name="answer" value="yes">同意 Agree</button><button name="answer" value="no">拒绝 Refuse</button>'
            "</form>"
        )
        return HTMLResponse(PAGE.format(title=NAMES[provider], body=body))

    def _is_configured(self, redirect: str) -> bool:
        parts = urlsplit(redirect)
        origin = f"{parts.scheme}://{parts.netloc}"
        return bool(parts.netloc) and parts.path.startswith("/social/") and self.bank in ("", origin)

    async def agree(self, request: Request) -> Response:
        """The person chose. Whoever refuses is sent nowhere: the real ones say nothing to the bank either."""
        form = {name: str(value) for name, value in (await request.form()).items()}
        provider, redirect = form.get("provider", ""), form.get("redirect", "")
        if form.get("answer") != "yes" or provider not in self.counterparts or not self._is_configured(redirect):
            return HTMLResponse(PAGE.format(title=NAMES.get(provider, ""), body="<p>已拒绝。Nothing was sent.</p>"))
        allowed = frozenset(name for name in ATTRIBUTES if form.get(name) == "yes")
        counterpart = self.counterparts[provider]
        account, scope = form.get("account", "xiaoming"), form.get("scope", "")
        code = counterpart.give_code(form["app_id"], account, allowed, scope)
        if provider == "wechat":
            back = {"code": code, "state": form["state"]}
        else:
            back = {"app_id": ALIPAY_APP, "source": "alipay_wallet", "scope": scope, "auth_code": code,
                    "state": form["state"]}  # fmt: skip
        return RedirectResponse(f"{redirect}?{urlencode(back)}", 302)

    async def set_mode(self, request: Request) -> Response:
        """For tests, and for whoever wants to see the bank on a bad day."""
        try:
            wanted = msgspec.json.decode(await request.body(), type=Mode)
        except (msgspec.DecodeError, UnicodeDecodeError):
            return Response(status_code=422)
        if wanted.provider not in self.counterparts or wanted.mode not in MODES:
            return Response(status_code=422)
        self.counterparts[wanted.provider].mode = wanted.mode
        return Response(status_code=204)


def _refusal(why: str) -> Response:
    return HTMLResponse(PAGE.format(title="错误 Error", body=f"<p>{escape(why)}</p>"), 200)
