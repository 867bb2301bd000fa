"""Clients that nobody here wrote, against our doubles: Alipay's own, and the one that WeChat developers have used.

What they accept of the doubles, signatures verified both ways, the real ones would send; so what ours accepts counts.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from http.client import HTTPConnection
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key

from foregate.demo.providers.accounts import ALIPAY_APP, ATTRIBUTES, INSIDE_APP, WEB_APP, WECHAT_APPS
from tests import doubles


@pytest.fixture(scope="module")
def origin() -> Iterator[str]:
    with doubles.process() as origin:
        yield origin


@pytest.fixture
def at_its_port(origin: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """Alipay's client takes no port and calls port 80, which may be somebody else's: lead it to the double's."""
    web_utils = pytest.importorskip("alipay.aop.api.util.WebUtils")
    theirs, double = web_utils.get_http_connection, urlsplit(origin)

    def lead(url: str, query: str, timeout: int) -> tuple[str, HTTPConnection]:
        address, connection = theirs(url, query, timeout)
        connection.port = double.port
        return address, connection

    monkeypatch.setattr(web_utils, "get_http_connection", lead)
    return f"http://{double.hostname}"


@pytest.fixture
def in_beijing(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """That client writes the machine's own time, which has to be Beijing's."""
    monkeypatch.setenv("TZ", "Asia/Shanghai")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def agreed(address: str, account: str) -> dict[str, str]:
    """Confirm on the provider's page, as a person does; return what the bank's callback gets."""
    with httpx2.Client(trust_env=False, timeout=30) as client:
        hidden = dict(doubles._hidden(client.get(address.partition("#")[0]).text))
        form = {**hidden, **dict.fromkeys(ATTRIBUTES, "yes"), "account": account, "answer": "yes"}
        parts = urlsplit(address)
        location = client.post(f"{parts.scheme}://{parts.netloc}/agree", data=form).headers["location"]
    return {name: values[0] for name, values in parse_qs(urlsplit(location).query).items()}


def test_alipays_own_client_gets_token_and_profile(origin: str, at_its_port: str, in_beijing: None) -> None:
    """The double verifies the client's signature, the client the double's; a bad one is noticed by either."""
    config_module = pytest.importorskip("alipay.aop.api.AlipayClientConfig")
    from alipay.aop.api.DefaultAlipayClient import DefaultAlipayClient
    from alipay.aop.api.exception.Exception import ResponseException
    from alipay.aop.api.request.AlipaySystemOauthTokenRequest import AlipaySystemOauthTokenRequest
    from alipay.aop.api.request.AlipayUserInfoShareRequest import AlipayUserInfoShareRequest
    from alipay.aop.api.response.AlipaySystemOauthTokenResponse import AlipaySystemOauthTokenResponse
    from alipay.aop.api.response.AlipayUserInfoShareResponse import AlipayUserInfoShareResponse

    def client_with(key_file: str) -> DefaultAlipayClient:
        config = config_module.AlipayClientConfig()
        config.server_url = f"{at_its_port}/gateway.do"
        config.app_id = ALIPAY_APP
        config.app_private_key = _bare(key_file)
        config.alipay_public_key = _bare("alipay.pub")
        return DefaultAlipayClient(alipay_client_config=config)

    def ask_token(client: DefaultAlipayClient, code: str) -> AlipaySystemOauthTokenResponse:
        request = AlipaySystemOauthTokenRequest()
        request.grant_type, request.code = "authorization_code", code
        response = AlipaySystemOauthTokenResponse()
        response.parse_response_content(client.execute(request))
        return response

    address = f"{origin}/oauth2/publicAppAuthorize.htm?app_id={ALIPAY_APP}&scope=auth_user&state=S"
    callback = "&redirect_uri=https%3A%2F%2Flogin.bank.test%2Fsocial%2Falipay%2Fcallback"
    code = agreed(address + callback, "tricky")["auth_code"]
    client = client_with("app.pem")

    token = ask_token(client, code)
    assert token.is_success()
    share = AlipayUserInfoShareRequest()
    share.udf_params = {"auth_token": token.access_token}
    profile = AlipayUserInfoShareResponse()
    profile.parse_response_content(client.execute(share))
    assert profile.is_success()
    assert '"},"sign":"x"} {\\" 反斜杠' == profile.nick_name

    again = ask_token(client, code)
    assert ("40002", "isv.code-invalid") == (again.code, again.sub_code)
    assert "isv.invalid-signature" == ask_token(client_with("other.pem"), code).sub_code
    with pytest.raises(ResponseException, match="verify failed"), _mode(origin, "alipay", "tampered"):
        client.execute(share)


def test_a_client_of_wechats_developers_gets_token_and_profile(origin: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Token, refresh, check and profile; the error of a code that was used is the one it knows."""
    wechatpy_oauth = pytest.importorskip("wechatpy.oauth")
    from wechatpy.exceptions import WeChatOAuthException

    monkeypatch.setattr(wechatpy_oauth.WeChatOAuth, "API_BASE_URL", f"{origin}/")
    monkeypatch.setattr(wechatpy_oauth.WeChatOAuth, "OAUTH_BASE_URL", f"{origin}/connect/")
    back_at = "https://login.bank.test/social/wechat/callback"
    for app_id, page in ((INSIDE_APP, "authorize_url"), (WEB_APP, "qrconnect_url")):
        oauth = wechatpy_oauth.WeChatOAuth(app_id, WECHAT_APPS[app_id].secret, back_at, "snsapi_userinfo", "S")
        oauth._http.trust_env = False
        back = agreed(getattr(oauth, page), "fang")
        assert "S" == back["state"]
        token = oauth.fetch_access_token(back["code"])
        assert {"openid", "unionid", "scope", "access_token", "refresh_token", "expires_in"} == set(token)
        assert oauth.check_access_token()
        assert oauth.refresh_access_token(token["refresh_token"])["openid"] == token["openid"]
        profile = oauth.get_user_info()
        assert ("芳芳的花园 🌷", 0, "") == (profile["nickname"], profile["sex"], profile["city"])
        with pytest.raises(WeChatOAuthException) as refused:
            oauth.fetch_access_token(back["code"])
        assert 40163 == refused.value.errcode
        oauth._http.close()


def _bare(name: str) -> str:
    """A key as that client reads it: base64, a private one in the older form."""
    text = (doubles.folder() / name).read_text("ascii")
    if name.endswith(".pem"):
        key = load_pem_private_key(text.encode(), None)
        text = key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption()).decode()
    lines = text.splitlines()
    return "".join(line for line in lines if not line.startswith("-----"))


class _mode:  # noqa: N801 -- reads as a word of the `with`
    """Let a double misbehave for a while."""

    def __init__(self, origin: str, provider: str, mode: str) -> None:
        self._origin, self._provider, self._mode = origin, provider, mode

    def __enter__(self) -> None:
        self._set(self._mode)

    def __exit__(self, *wrong: object) -> None:
        self._set("fine")

    def _set(self, mode: str) -> None:
        body = {"provider": self._provider, "mode": mode}
        assert 204 == httpx2.post(f"{self._origin}/double", json=body, trust_env=False, timeout=30).status_code
