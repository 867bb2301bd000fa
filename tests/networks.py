"""The mobile networks' service for tests: CAMARA's SIM Swap and its token endpoint, in this process.

It reads the wire strictly: what the interface does not allow is answered as the interface says, and written down in
`faults`, so that a test sees what was wrong and not only that something was.
"""

from __future__ import annotations

import asyncio
import base64
import json
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from functools import cache
from typing import Any
from urllib.parse import parse_qs

import httpx2
from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, SECP256R1, EllipticCurvePrivateKey, generate_private_key
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

from foregate.gateways.numbers.credentials import ByAssertion, BySecret, Credentials
from foregate.gateways.numbers.sim_swap import SimSwap
from foregate.ports import Clock

API = "https://networks.test/sim-swap/v2"
TOKEN_URL = "https://networks.test/oauth2/token"
CLIENT, SECRET, KEY_ID = "bank:client", "s3cret/with+signs", "key-1"
SCOPE = "dpv:FraudPreventionAndDetection sim-swap:retrieve-date"
ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


@cache
def our_key() -> EllipticCurvePrivateKey:
    return generate_private_key(SECP256R1())


@dataclass
class Networks:
    """`answers` are what is said of a number; a number that is not there is not known."""

    clock: Clock
    public_key: Any = field(default_factory=lambda: our_key().public_key())
    answers: dict[str, dict[str, Any]] = field(default_factory=dict)
    token_seconds: int | None = 300
    asked: list[str] = field(default_factory=list)  # numbers, in order
    tokens: int = 0  # given out
    faults: list[str] = field(default_factory=list)
    says: list[tuple[int, bytes]] = field(default_factory=list)  # in place of the next answers about numbers
    hangs: bool = False
    _good: set[str] = field(default_factory=set)
    _jtis: set[str] = field(default_factory=set)

    def client(self, credentials: Credentials | None = None) -> SimSwap:
        """The gateway, with this service at the other end."""
        who = credentials or ByAssertion(CLIENT, our_key(), KEY_ID)
        return SimSwap(API, TOKEN_URL, who, self.clock, transport=httpx2.ASGITransport(app=self.app))

    def revoke(self) -> None:
        """No token that was given out is taken any more."""
        self._good.clear()

    async def app(
        self, scope: Any, receive: Callable[[], Awaitable[Any]], send: Callable[[Any], Awaitable[None]]
    ) -> None:
        body = b""
        while (message := await receive())["type"] == "http.request":
            body += message.get("body", b"")
            if not message.get("more_body"):
                break
        if self.hangs:
            await asyncio.sleep(3600)
        headers = {name.decode(): value.decode() for name, value in scope["headers"]}
        status, answer = self._answer(scope["method"], scope["path"], scope["query_string"], headers, body)
        kind = [(b"content-type", b"application/json")]
        await send({"type": "http.response.start", "status": status, "headers": kind})
        await send({"type": "http.response.body", "body": answer})

    def _answer(self, method: str, path: str, query: bytes, headers: dict[str, str], body: bytes) -> tuple[int, bytes]:
        try:
            assert ("POST", b"") == (method, query), "another method, or something in the address"
            assert "application/json" == headers["accept"]
            if path == "/oauth2/token":
                return 200, json.dumps(self._token(headers, body)).encode()
            assert "/sim-swap/v2/retrieve-date" == path, path
            return self._about(headers, body)
        except (AssertionError, KeyError, ValueError) as fault:
            self.faults.append(f"{path}: {fault!r}")
            return 400, json.dumps({"status": 400, "code": "INVALID_ARGUMENT", "message": "no"}).encode()

    def _token(self, headers: dict[str, str], body: bytes) -> dict[str, Any]:
        assert "application/x-www-form-urlencoded" == headers["content-type"]
        form = parse_qs(body.decode("ascii"), strict_parsing=True)
        assert all(len(values) == 1 for values in form.values()), "a parameter twice"
        given = {name: values[0] for name, values in form.items()}
        assert "client_credentials" == given.pop("grant_type")
        assert SCOPE == given.pop("scope"), "exactly one purpose, and what is wanted"
        if "authorization" in headers:
            pair = base64.b64decode(headers["authorization"].removeprefix("Basic "), validate=True).decode()
            assert "bank%3Aclient:s3cret%2Fwith%2Bsigns" == pair
        else:
            assert ASSERTION == given.pop("client_assertion_type")
            self._check(given.pop("client_assertion"))
        assert not given, f"nobody asked for {sorted(given)}"
        self.tokens += 1
        token = f"token-{self.tokens}"
        self._good.add(token)
        lives = {} if self.token_seconds is None else {"expires_in": self.token_seconds}
        return {"access_token": token, "token_type": "Bearer", "scope": SCOPE, **lives}

    def _check(self, assertion: str) -> None:
        head, claims, signature = assertion.split(".")
        assert "=" not in assertion
        said = json.loads(_raw(head))
        if isinstance(self.public_key, RSAPublicKey):
            assert {"typ": "JWT", "alg": "RS256"} == said
            self.public_key.verify(_raw(signature), f"{head}.{claims}".encode(), PKCS1v15(), SHA256())
        else:
            assert {"typ": "JWT", "alg": "ES256", "kid": KEY_ID} == said
            raw = _raw(signature)
            assert 64 == len(raw)
            der = encode_dss_signature(int.from_bytes(raw[:32]), int.from_bytes(raw[32:]))
            self.public_key.verify(der, f"{head}.{claims}".encode(), ECDSA(SHA256()))
        told, now = json.loads(_raw(claims)), self.clock.now()
        assert CLIENT == told["iss"] == told["sub"]
        assert TOKEN_URL == told["aud"]
        assert told["iat"] == now < told["exp"] <= now + 300, "an assertion lives 300 seconds at most"
        assert told["jti"] not in self._jtis, "the same assertion twice"
        self._jtis.add(told["jti"])

    def _about(self, headers: dict[str, str], body: bytes) -> tuple[int, bytes]:
        if headers["authorization"].removeprefix("Bearer ") not in self._good:
            return 401, json.dumps({"status": 401, "code": "UNAUTHENTICATED", "message": "no"}).encode()
        assert "application/json" == headers["content-type"]
        assert re.fullmatch(r"[a-zA-Z0-9-_:;./<>{}]{0,256}", headers["x-correlator"])
        told = json.loads(body)
        assert ["phoneNumber"] == list(told), "a number and nothing else"
        phone = told["phoneNumber"]
        assert re.fullmatch(r"\+[1-9][0-9]{4,14}", phone), phone
        self.asked.append(phone)
        if self.says:
            return self.says.pop(0)
        if phone not in self.answers:
            return 404, json.dumps({"status": 404, "code": "IDENTIFIER_NOT_FOUND", "message": "no"}).encode()
        return 200, json.dumps(self.answers[phone]).encode()


def by_secret() -> BySecret:
    return BySecret(CLIENT, SECRET)


def _raw(part: str) -> bytes:
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))
