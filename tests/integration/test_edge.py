"""The edge: what every request passes and every answer carries, whatever happens behind it."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any, NoReturn

import httpx2
import pytest
import structlog
from sqlalchemy import bindparam, select
from structlog.testing import capture_logs

from foregate.ports import Busy, Unreachable
from foregate.rules import limits
from foregate.store.statements import Statement
from foregate.store.tables import audit_event
from tests.bank import CHEN, LI, ORIGIN, WANG, Bank, open_bank

pytestmark = pytest.mark.anyio

METRICS_TOKEN = "qX7-metrics-token-of-the-tests-0123456789"
PROXY, STRANGER = "10.1.2.3", "203.0.113.7"
BALANCERS = ("10.0.0.0/8", "fd00::/8")
START = {"journey": "sign-in"}


@pytest.fixture
async def bank(tmp_path: Path) -> AsyncIterator[Bank]:
    """Yield a bank behind a balancer, with metrics."""
    token = tmp_path / "token"
    token.write_text(METRICS_TOKEN + "\n")
    bank = await open_bank(
        f"sqlite:///{tmp_path / 'bank.db'}", metrics_token_file=str(token), trusted_proxies=BALANCERS
    )
    await bank.settle(LI, WANG, CHEN)
    yield bank
    await bank.close()


@pytest.fixture
def client(bank: Bank) -> httpx2.AsyncClient:
    return bank.visitor().client


def break_desk(bank: Bank, monkeypatch: pytest.MonkeyPatch, wrong: Exception) -> None:
    """Let everything that looks at a journey fail."""

    async def look(*_: object) -> NoReturn:
        raise wrong

    monkeypatch.setattr(type(bank.house.desk), "look", look)


# ---------------------------------------------------------------- what every answer carries

EVERYWHERE = {
    "Content-Security-Policy": r"(?!.*unsafe)(?=.*default-src 'none')(?=.*frame-ancestors 'none')",
    "X-Content-Type-Options": "nosniff$",
    "Referrer-Policy": "same-origin$",
    "Cross-Origin-Opener-Policy": "same-origin$",
    "Cross-Origin-Resource-Policy": "same-origin$",
    "Permissions-Policy": r".*camera=\(self\)",
    "Strict-Transport-Security": "max-age=31536000; includeSubDomains$",
    "Cache-Control": "no-store|private|public|no-cache",
}
JSON = {"content-type": "application/json"}
REQUESTS: list[tuple[int, str, str, dict[str, Any]]] = [
    (200, "GET", "/v1/journeys", {}),
    (200, "HEAD", "/v1/journeys", {}),
    (200, "GET", "/healthz", {}),
    (200, "GET", "/", {}),
    (200, "GET", "/sign-in", {}),
    (200, "GET", "/help/outlet", {}),
    (201, "POST", "/v1/journeys", {"json": START}),
    (303, "GET", "/language/en", {}),
    (401, "GET", "/v1/me", {}),
    (403, "POST", "/v1/journeys", {"json": START, "headers": {"Origin": "https://evil.example"}}),
    (403, "POST", "/sign-in", {"data": {"phone": "1"}, "headers": {"Sec-Fetch-Site": "cross-site"}}),
    (404, "GET", "/v1/nothing", {}),
    (404, "GET", "/nothing", {}),
    (404, "GET", "/metrics", {}),
    (404, "GET", "/v1/journeys/" + "0" * 36, {}),
    (405, "DELETE", "/v1/journeys", {"headers": {"Origin": ORIGIN}}),
    (405, "PUT", "/home", {"headers": {"Origin": ORIGIN}}),
    (413, "POST", "/v1/journeys", {"content": b" " * (limits.BODY_BYTES + 1), "headers": JSON}),
    (415, "POST", "/v1/journeys", {"content": b"a=b", "headers": {"Origin": ORIGIN}}),
    (421, "GET", "/", {"headers": {"Host": "evil.example"}}),
    (421, "GET", "/v1/journeys", {"headers": {"Host": "login.bank.test.evil.example"}}),
    (422, "POST", "/v1/journeys", {"content": b"{", "headers": JSON}),
    (500, "GET", "/v1/journeys/broken", {}),
    (500, "GET", "/j/broken", {}),
]


@pytest.mark.parametrize(
    ("status", "method", "path", "options"), REQUESTS, ids=[f"{r[0]} {r[1]} {r[2]} {n}" for n, r in enumerate(REQUESTS)]
)
async def test_every_answer_carries_the_headers(
    bank: Bank, monkeypatch: pytest.MonkeyPatch, status: int, method: str, path: str, options: dict[str, Any]
) -> None:
    """Pages, API, redirects, refusals and failures alike say to the browser what it may do with them."""
    if status == 500:
        break_desk(bank, monkeypatch, RuntimeError("broken"))
    raw = await bank.visitor().client.request(method, path, **options)

    assert status == raw.status_code
    assert [] == [name for name, shape in EVERYWHERE.items() if not re.match(shape, raw.headers.get(name, ""))]
    if status >= 400 and path.startswith("/v1"):
        assert "application/problem+json" == raw.headers["content-type"]
        assert raw.json()["remedies"]


async def test_what_tells_about_the_server_is_not_said(client: httpx2.AsyncClient) -> None:
    """No header names a program or its version."""
    raw = await client.get("/")
    assert set() == {"server", "x-powered-by", "via"} & {name.lower() for name in raw.headers}


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("DELETE", "/v1/journeys", "GET, HEAD, POST"),
        ("POST", "/v1/session", "GET, HEAD"),
        ("PATCH", "/sign-in", "GET, HEAD, POST"),
        ("OPTIONS", "/v1/sms/inbound", "POST"),
    ],
)
async def test_405_says_what_is_allowed(client: httpx2.AsyncClient, method: str, path: str, allowed: str) -> None:
    """All methods of an address are named, whichever routes they stand in."""
    raw = await client.request(method, path, headers={"Origin": ORIGIN})
    assert (405, allowed) == (raw.status_code, raw.headers["allow"])


# ---------------------------------------------------------------- the body


def body_of(size: int) -> bytes:
    return b'{"journey": "sign-in"}'.ljust(size)


async def in_pieces(body: bytes) -> AsyncIterator[bytes]:
    for start in range(0, len(body), 1000):
        yield body[start : start + 1000]


async def with_length(client: httpx2.AsyncClient, body: bytes) -> httpx2.Response:
    return await client.post("/v1/journeys", content=body, headers=JSON)


async def without_length(client: httpx2.AsyncClient, body: bytes) -> httpx2.Response:
    return await client.post("/v1/journeys", content=in_pieces(body), headers=JSON)


async def with_a_lie(client: httpx2.AsyncClient, body: bytes) -> httpx2.Response:
    return await client.post("/v1/journeys", content=in_pieces(body), headers=JSON | {"Content-Length": "21"})


@pytest.mark.parametrize("send", [with_length, without_length, with_a_lie])
@pytest.mark.parametrize(("more", "status"), [(0, 201), (1, 413)])
async def test_the_body_is_bounded(
    client: httpx2.AsyncClient, send: Callable[..., Any], more: int, status: int
) -> None:
    """At n bytes it is read, at n + 1 refused: by the header, or by counting where the header is missing or lies."""
    raw = await send(client, body_of(limits.BODY_BYTES + more))
    assert (status, "too-large" if more else None) == (raw.status_code, raw.json().get("cause"))


async def test_a_form_is_bounded(client: httpx2.AsyncClient) -> None:
    """A page's form knows the same bound, and tells it as a page."""
    form = {"Content-Type": "application/x-www-form-urlencoded", "Origin": ORIGIN}
    raw = await client.post("/sign-in", content=in_pieces(b"phone=" + b"1" * limits.BODY_BYTES), headers=form)
    assert (413, True) == (raw.status_code, raw.headers["content-type"].startswith("text/html"))


@pytest.mark.parametrize("length", ["-1", "1e3", "", "0x10", "\xb2", "9" * 5000, "16385"])
async def test_a_length_that_is_none(bank: Bank, length: str) -> None:
    """What is no number of bytes, or too large a one, is refused before anything is read; nothing falls over it."""
    headers = {"Content-Type": "application/json", "Content-Length": length.encode("latin-1")}
    raw = await bank.visitor().client.post("/v1/journeys", content=in_pieces(body_of(30)), headers=headers)  # type: ignore[arg-type]  # bytes keep what no text header holds
    assert (413, "too-large") == (raw.status_code, raw.json()["cause"])


# ---------------------------------------------------------------- where requests come from

FORM = {"Content-Type": "application/x-www-form-urlencoded"}


@pytest.mark.parametrize(
    ("headers", "is_taken"),
    [
        ({"Origin": ORIGIN}, True),
        ({"Origin": "https://evil.example"}, False),
        ({"Origin": "http://login.bank.test"}, False),
        ({"Origin": "https://login.bank.test.evil.example"}, False),
        ({"Origin": "null"}, False),
        ({"Origin": "https://evil.example", "Sec-Fetch-Site": "same-origin"}, False),
        ({"Sec-Fetch-Site": "same-origin"}, True),
        ({"Sec-Fetch-Site": "none"}, True),
        ({"Sec-Fetch-Site": "same-site"}, False),
        ({"Sec-Fetch-Site": "cross-site"}, False),
        ({"Referer": ORIGIN + "/sign-in"}, True),
        ({"Referer": "https://evil.example/?" + ORIGIN}, False),
        ({"Referer": "https://login.bank.test@evil.example/"}, False),
        ({}, False),
    ],
    ids=str,
)
async def test_a_form_of_another_site_is_refused(
    client: httpx2.AsyncClient, headers: dict[str, str], is_taken: bool
) -> None:
    """Whatever a browser says about where a form came from has to be us; one that says nothing is not believed."""
    raw = await client.post("/sign-in", content=b"step=phone&phone=13800138000", headers=FORM | headers)
    assert is_taken == (raw.status_code != 403)


@pytest.mark.parametrize("kind", ["application/json", "application/json; charset=utf-8", "Application/JSON"])
async def test_an_app_that_sends_json_needs_no_origin(client: httpx2.AsyncClient, kind: str) -> None:
    """A foreign page cannot send JSON without asking first, and is never answered."""
    raw = await client.post("/v1/journeys", content=body_of(30), headers={"Content-Type": kind})
    assert 201 == raw.status_code


async def starts(bank: Bank, peer: str, *forwarded: str) -> list[int]:
    """Begin a journey once for each X-Forwarded-For, and return the statuses."""
    client = bank.visitor(peer=(peer, 4711)).client
    raws = [await client.post("/v1/journeys", json=START, headers={"X-Forwarded-For": hops}) for hops in forwarded]
    return [raw.status_code for raw in raws]


@pytest.fixture
def one_start(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every source begin one journey a minute, so that being counted together shows."""
    monkeypatch.setattr(limits, "STARTS_PER_MINUTE", limits.Limit(1, "journeys", "this test"))


@pytest.mark.usefixtures("one_start")
@pytest.mark.parametrize("peer", [STRANGER, "", "11.0.0.1", "fe80::1"])
async def test_a_strangers_forwarded_for_is_not_believed(bank: Bank, peer: str) -> None:
    """Who is no proxy of ours is counted by their own address, whatever they write."""
    assert [201, 429] == await starts(bank, peer, "198.51.100.1", "198.51.100.2")


@pytest.mark.usefixtures("one_start")
@pytest.mark.parametrize("peer", [PROXY, "fd00::7"])
async def test_a_configured_proxy_is_believed(bank: Bank, peer: str) -> None:
    """Behind it each visitor is counted by their own address: the last one that is no proxy of ours."""
    assert [201, 201, 429] == await starts(bank, peer, "198.51.100.1", "198.51.100.2", "198.51.100.1")
    assert [429, 429] == await starts(bank, peer, "192.0.2.9, 198.51.100.1", "192.0.2.8, 198.51.100.2, 10.9.9.9")


@pytest.mark.usefixtures("one_start")
async def test_a_proxy_that_names_nobody_counts_as_itself(bank: Bank) -> None:
    """Without a usable address the proxy's own is taken: never none, so the limit holds."""
    assert [201, 429, 429] == await starts(bank, PROXY, "", "10.9.9.9", " , ")


@pytest.mark.usefixtures("one_start")
@pytest.mark.parametrize(
    ("first", "second", "is_one"),
    [
        ("2001:db8:1:2::1", "2001:db8:1:2:ffff:ffff:ffff:ffff", True),
        ("2001:db8:1:2::1", "2001:DB8:1:2::1", True),
        ("2001:db8:1:2::1", "2001:db8:1:3::1", False),
        ("198.51.100.1", "198.51.100.2", False),
        ("::ffff:198.51.100.1", "198.51.100.1", True),
        ("::ffff:198.51.100.1", "::ffff:198.51.100.2", False),
    ],
)
async def test_a_network_of_ipv6_counts_as_one_source(bank: Bank, first: str, second: str, is_one: bool) -> None:
    """Who has 2^64 addresses has one allowance; neighbours have their own."""
    assert [201, 429 if is_one else 201] == await starts(bank, first, "") + await starts(bank, second, "")


@pytest.mark.usefixtures("one_start")
async def test_a_network_of_ipv6_counts_as_one_source_on_pages_and_behind_a_proxy(bank: Bank) -> None:
    """The pages count with the API, and what a proxy says counts like a peer's own address."""
    assert [201, 429] == await starts(bank, PROXY, "2001:db8:1:2::1", "2001:db8:1:2::2")
    client = bank.visitor(peer=("2001:db8:1:2::3", 4711)).client
    raw = await client.post("/sign-in", data={"step": "phone", "phone": "13800138000"}, headers={"Origin": ORIGIN})
    assert 429 == raw.status_code


async def test_the_record_keeps_the_whole_address(bank: Bank) -> None:
    """Counting by network is the throttle's alone: in the record the address stands as it was."""
    visitor = bank.visitor(peer=("2001:db8:1:2::beef", 4711))
    await visitor.sign_in_basic(LI)
    query = select(audit_event.c.source).where(audit_event.c.chain == bindparam("who"))
    async with bank.house.store.database.snapshot() as connection:
        rows = await connection.all(Statement(query), who=bank.customer_id(LI))
    assert {"2001:db8:1:2::beef"} == {row["source"] for row in rows}


async def test_too_many_requests_say_when_to_come_back(bank: Bank, monkeypatch: pytest.MonkeyPatch) -> None:
    """At n journeys a minute they begin, at n + 1 the answer names the seconds."""
    client = bank.visitor().client
    for _ in range(limits.STARTS_PER_MINUTE):
        assert 201 == (await client.post("/v1/journeys", json=START)).status_code
    refused = await client.post("/v1/journeys", json=START)
    assert (429, "too-many-requests", "60") == (
        refused.status_code, refused.json()["cause"], refused.headers["retry-after"],
    )  # fmt: skip


# ---------------------------------------------------------------- what goes wrong inside


async def test_a_failure_becomes_a_problem_and_its_trace_a_log_line(
    bank: Bank, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The visitor gets remedies and a reference, support finds the trace by it, and nothing else is told."""
    break_desk(bank, monkeypatch, RuntimeError("the inner workings"))
    with capture_logs(processors=[structlog.processors.format_exc_info]) as logs:
        raw = await bank.visitor().client.get("/v1/journeys/broken")

    problem = raw.json()
    assert (500, "internal-error") == (raw.status_code, problem["cause"])
    assert ["try-again", "start-again", "check-network", "visit-outlet"] == [r["journey"] for r in problem["remedies"]]
    assert not re.search("Traceback|RuntimeError|inner workings|foregate/", raw.text)
    (failed,) = [line for line in logs if line["event"] == "failed"]
    assert problem["support_ref"] == failed["support_ref"]
    assert "RuntimeError: the inner workings" in failed["exception"]
    assert {problem["support_ref"]} == {line["support_ref"] for line in logs if line["event"] == "answered"}


async def test_a_failure_is_a_page_to_a_person(bank: Bank, monkeypatch: pytest.MonkeyPatch) -> None:
    """On a page the reference stands too, and ways on."""
    break_desk(bank, monkeypatch, RuntimeError("the inner workings"))
    with capture_logs() as logs:
        raw = await bank.visitor().client.get("/j/broken")

    assert (500, True) == (raw.status_code, raw.headers["content-type"].startswith("text/html"))
    assert not re.search("Traceback|RuntimeError|inner workings", raw.text)
    assert {True} == {line["support_ref"] in raw.text for line in logs if line["event"] == "failed"}
    assert "/help/outlet" in raw.text


@pytest.mark.parametrize("wrong", [Busy("no connection"), Unreachable("core bank")], ids=["busy", "unreachable"])
@pytest.mark.parametrize("path", ["/v1/journeys/x", "/j/x"])
async def test_busy_says_when_to_come_back(
    bank: Bank, monkeypatch: pytest.MonkeyPatch, wrong: Exception, path: str
) -> None:
    """Without capacity, or without the core bank, nothing is begun, and the answer says when to try again."""
    break_desk(bank, monkeypatch, wrong)
    raw = await bank.visitor().client.get(path)

    assert (503, "5") == (raw.status_code, raw.headers["retry-after"])
    if path.startswith("/v1"):
        assert ("busy", 5) == (raw.json()["cause"], raw.json()["retry_in_seconds"])
        assert ["wait", "try-again", "check-network", "visit-outlet"] == [r["journey"] for r in raw.json()["remedies"]]


# ---------------------------------------------------------------- metrics and logs


@pytest.mark.parametrize(
    "authorization", [None, "", "Bearer", "Bearer ", "Bearer wrong", "Basic " + METRICS_TOKEN, "Bearer \xe9"]
)
async def test_metrics_need_the_token(client: httpx2.AsyncClient, authorization: str | None) -> None:
    """Without it there is no such page."""
    headers = {} if authorization is None else {"Authorization": authorization.encode("latin-1")}
    raw = await client.get("/metrics", headers=headers)  # type: ignore[arg-type]  # bytes keep what no text header holds
    assert (404, False) == (raw.status_code, "foregate_" in raw.text)


async def test_metrics_are_closed_without_a_token_in_the_settings(tmp_path: Path) -> None:
    """A bank that set no token shows its metrics to nobody, not to an empty token either."""
    bank = await open_bank(f"sqlite:///{tmp_path / 'other.db'}")
    for headers in ({}, {"Authorization": "Bearer "}, {"Authorization": "Bearer None"}):
        assert 404 == (await bank.visitor().client.get("/metrics", headers=headers)).status_code
    await bank.close()


async def test_metrics_and_logs_name_nobody(bank: Bank) -> None:
    """After people came in and failed to: no code, card, number, name, password or address stands anywhere."""
    secrets = {LI.phone[3:], LI.card, LI.name, LI.password, LI.pin, LI.user_name, LI.document_number, "not this one"}
    visitor = bank.visitor()
    with capture_logs() as logs:
        await visitor.start("sign-in", "phone", phone=LI.phone)
        secrets |= {await bank.code(LI.phone), await bank.wrong_code(LI.phone)}
        await visitor.answer(code=await bank.wrong_code(LI.phone))
        await visitor.answer(code=await bank.code(LI.phone))
        await visitor.answer(password="not this one")
        await visitor.answer(password=LI.password)
        await visitor.get("/v1/me")
        await visitor.start("reopen", "card_and_phone", card_number=LI.card, phone=LI.bound)
        await visitor.start("sign-in", "user_name", user_name=LI.user_name)
        await visitor.client.get(f"/v1/nothing/{LI.card}?phone={LI.phone[3:]}")
        await visitor.client.get(f"/{LI.card}")
    raw = await visitor.client.get("/metrics", headers={"Authorization": f"Bearer {METRICS_TOKEN}"})

    assert 200 == raw.status_code
    assert 'foregate_journeys_total{journey="sign-in",outcome="password-wrong"}' in raw.text
    assert [] == [secret for secret in secrets if secret in raw.text]
    assert logs
    assert [] == [secret for secret in secrets if secret in repr(logs)]


async def test_metrics_have_a_bounded_number_of_labels(bank: Bank) -> None:
    """What a stranger types, as an address or as a journey's name, makes no new line."""
    client = bank.visitor().client

    async def lines() -> set[str]:
        raw = await client.get("/metrics", headers={"Authorization": f"Bearer {METRICS_TOKEN}"})
        return {line.rpartition(" ")[0] for line in raw.text.splitlines() if line.startswith("foregate_")}

    async def type_anything(what: str) -> None:
        await client.get(f"/{what}")
        await client.get(f"/v1/journeys/{what}")
        await client.post("/v1/journeys", json={"journey": what})
        await client.request(what.upper(), "/v1/me", headers={"Origin": ORIGIN})

    await type_anything("first")
    await lines()
    before = await lines()
    for what in ("second", "third", "fourth"):
        await type_anything(what)
    assert before == await lines()
