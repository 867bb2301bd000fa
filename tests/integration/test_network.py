"""The network check over HTTP: probes, verdicts, reports, and how the services do, from what really happens to them."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx2
import msgspec
import pytest
from structlog.testing import capture_logs

from foregate.counter.guard import chain_of
from foregate.desk.network import NetworkCheck
from foregate.desk.status import Status
from foregate.doors.cli_diagnosis import diagnosis as read_code
from foregate.gateways.core_bank.fineract import FineractAccounts
from foregate.ids import new_id
from foregate.ports import Message, Rejected, Unreachable
from foregate.ports.counter import Role
from foregate.rules import diagnosis, limits
from foregate.rules.causes import CAUSES
from foregate.rules.limits import DAY
from foregate.rules.network import FILLERS, Figures
from tests import services
from tests.bank import LI, Bank, open_bank
from tests.staff import Console, hire, open_outlet
from tests.unit.test_network import WELL

pytestmark = pytest.mark.anyio

PHONE = "Mozilla/5.0 (Linux; Android 9) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/61.0.3163.98 Mobile Safari/537.36"


@pytest.fixture
def copied(tmp_path: Path, migrated_sqlite: Path) -> str:
    """Return the URL of a migrated database."""
    (tmp_path / "bank.db").write_bytes(migrated_sqlite.read_bytes())
    return f"sqlite:///{tmp_path / 'bank.db'}"


@pytest.fixture
async def here(copied: str) -> AsyncIterator[Bank]:
    """Yield a bank that asks for Chrome 80."""
    bank = await open_bank(copied, minimum_versions=("chrome=80",))
    await bank.settle(LI)
    yield bank
    await bank.close()


async def judged(client: httpx2.AsyncClient, figures: Figures, **more: Any) -> dict[str, Any]:
    answer = await client.post("/v1/network/verdict", json={"figures": msgspec.to_builtins(figures), **more})
    assert 200 == answer.status_code, answer.text
    body: dict[str, Any] = answer.json()
    return body


async def test_a_probe_says_again_what_was_asked(here: Bank) -> None:
    """With our time and a mark; what is no nonce is no question."""
    client = here.visitor().client
    body = (await client.get("/v1/network/probe?nonce=00ff")).json()
    assert {"nonce": "00ff", "server_seconds": here.clock.now(), "mark": body["mark"]} == body
    assert 32 == len(body["mark"])
    for wrong in ("", "xyz", "0" * (limits.NETWORK_NONCE_CHARS + 1), "00FF"):
        assert 422 == (await client.get("/v1/network/probe", params={"nonce": wrong})).status_code
    assert 200 == (await client.get(f"/v1/network/probe?nonce={'0' * limits.NETWORK_NONCE_CHARS}")).status_code


async def test_figures_in_verdict_out(here: Bank) -> None:
    """The sentence, the code that says the same, and every row; counted and logged, with nobody in it."""
    client = here.visitor().client
    with capture_logs() as logged:
        body = await judged(client, msgspec.structs.replace(WELL, median_ms=1849))
    said = diagnosis.read(body["code"])
    assert said is not None
    assert ("slow", "slow", "bad") == (body["verdict"], said.verdict, body["level"])
    assert "1.8" in body["title"]
    assert {"name", "level", "title", "value", "advice"} == set(body["rows"][0])
    (line,) = [entry for entry in logged if entry["event"] == "network-checked"]
    assert {"event", "log_level", "verdict", "diagnosis"} == set(line)


async def test_an_answer_that_we_did_not_make_is_somebody_elses(here: Bank) -> None:
    """Whatever the page believed: another mark, another time, or ours of long ago."""
    client = here.visitor().client
    proof = (await client.get("/v1/network/probe?nonce=abc123")).json()
    assert "good" == (await judged(client, WELL, proof=proof))["verdict"]
    for change in ({"mark": "0" * 32}, {"nonce": "abc124"}, {"server_seconds": proof["server_seconds"] + 1}):
        assert "portal" == (await judged(client, WELL, proof=proof | change))["verdict"]
    here.clock.turn(limits.NETWORK_PROOF_SECONDS)
    assert "good" == (await judged(client, WELL, proof=proof))["verdict"]
    here.clock.turn(1)
    assert "portal" == (await judged(client, WELL, proof=proof))["verdict"]


async def test_bytes_are_as_many_as_asked(here: Bank) -> None:
    """Two sizes and no other; nothing makes them fewer on the way."""
    client = here.visitor().client
    for size in FILLERS:
        answer = await client.get(f"/v1/network/filler/{size}", headers={"Accept-Encoding": "gzip, br"})
        assert size == len(answer.content)
        assert "content-encoding" not in answer.headers
    assert 404 == (await client.get(f"/v1/network/filler/{FILLERS[1] + 1}")).status_code


async def test_a_cookie_comes_back_or_does_not(here: Bank) -> None:
    """The second answer says it; on the page without script, a redirect does."""
    client = here.visitor().client
    assert [False, True] == [(await client.get("/v1/network/cookie")).json()["came"] for _ in range(2)]
    keeping, other = here.visitor().client, here.visitor().client
    to = await keeping.get("/network/cookies")
    assert (303, "/network/server?asked=1") == (to.status_code, to.headers["location"])
    assert 'data-verdict="good"' in (await keeping.get(to.headers["location"])).text
    assert 'data-verdict="cookies"' in (await other.get("/network/server?asked=1")).text
    assert 'data-verdict="good"' in (await other.get("/network/server")).text


async def test_the_page_may_be_kept(here: Bank) -> None:
    """No cookie, no token, the same for two visitors; asked for again by its validator. The other one is not kept."""
    one, other = [await here.visitor().client.get("/network") for _ in range(2)]
    assert one.content == other.content
    assert "set-cookie" not in one.headers
    assert "no-cache" == one.headers["cache-control"]
    again = await here.visitor().client.get("/network", headers={"If-None-Match": one.headers["etag"]})
    assert 304 == again.status_code
    assert "no-store" == (await here.visitor().client.get("/network/server")).headers["cache-control"]


async def test_the_server_says_what_it_sees(here: Bank) -> None:
    """Kind of address and never the address, HTTP, encryption, program; an old one is told first."""
    page = await here.visitor().client.get("/network/server", headers={"User-Agent": PHONE, "Accept-Language": "en"})
    for said in ("IPv4, private", "HTTP/1.1", "yes (HTTPS)", "chrome 61.0.3163.98", 'data-verdict="too-old"'):
        assert said in page.text
    assert "203.0.113.7" not in page.text


@pytest.mark.parametrize("agent", [PHONE, "somebody's own program"])
@pytest.mark.parametrize(
    ("language", "said"),
    [("zh", "正常 · 银行没有要求最低版本"), ("en", "good · this bank asks for no minimum version")],
)
async def test_a_bank_without_minimums_says_so(copied: str, agent: str, language: str, said: str) -> None:
    """Whatever somebody came with is good, understood or not; over the API as on the page."""
    bank = await open_bank(copied)
    client = bank.visitor().client
    headers = {"User-Agent": agent, "Accept-Language": language}
    status = (await client.get("/status", headers=headers)).json()
    assert (False, False) == (status["asks_minimum"], status["is_too_old"])
    assert said in (await client.get("/network/server", headers=headers)).text
    figures = msgspec.structs.replace(WELL, asks_minimum=False)
    answer = await client.post(
        "/v1/network/verdict", json={"figures": msgspec.to_builtins(figures)}, headers={"Accept-Language": language}
    )
    (row,) = [row for row in answer.json()["rows"] if row["name"] == "version"]
    assert ("good", said.partition(" · ")[2], "") == (row["level"], row["value"], row["advice"])
    await bank.close()


async def test_a_bank_with_minimums_says_nothing_of_what_it_cannot_read(here: Bank) -> None:
    """It was asked for and not measured: the row is left out, and nobody is told that there is no minimum."""
    client = here.visitor().client
    headers = {"User-Agent": "somebody's own program", "Accept-Language": "en"}
    status = (await client.get("/status", headers=headers)).json()
    assert (True, None) == (status["asks_minimum"], status["is_too_old"])
    assert "<b>Version</b>" not in (await client.get("/network/server", headers=headers)).text


async def test_what_a_trusted_proxy_says_of_the_link_is_believed(copied: str) -> None:
    """And of nobody else."""
    bank = await open_bank(copied, trusted_proxies=("10.0.0.0/8",))
    headers = {"X-Forwarded-For": "2001:4860:4860::8888", "X-Forwarded-Proto": "http", "Accept-Language": "en"}
    by_proxy = await bank.visitor(peer=("10.1.2.3", 1)).client.get("/network/server", headers=headers)
    assert "IPv6, public, by way of our own gate" in by_proxy.text
    assert "<dd>none</dd>" in by_proxy.text
    by_stranger = await bank.visitor().client.get("/network/server", headers=headers)
    assert "IPv4, private" in by_stranger.text
    assert "<dd>yes (HTTPS)</dd>" in by_stranger.text
    await bank.close()


# ---------------------------------------------------------------- how the services do


async def states(bank: Bank) -> dict[str, Any]:
    """Return how they do, looked at anew."""
    inner: Any = bank.house.app
    inner._app.state.status = Status(bank.house.world)
    body = (await bank.visitor().client.get("/status")).json()
    return {name: body[name] for name in ("sign_in", "sms", "face", "core_bank")}


async def test_all_is_well_in_a_bank_that_works(bank: Bank) -> None:
    """Over both databases; face is not open here, so nothing is said of it."""
    await bank.visitor().start("sign-in-basic", "phone", phone=LI.phone)
    assert {"sign_in": "ok", "sms": "ok", "face": None, "core_bank": "ok"} == await states(bank)


async def test_a_database_that_does_not_answer_is_down(here: Bank, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is told in time; whoever wants to sign in meanwhile gets a 503 with the check among the remedies."""
    monkeypatch.setattr(here.house.store.database, "_wait_seconds", 0.2)
    async with here.house.store.database.transaction():
        assert "down" == (await states(here))["sign_in"]
        begin = {"journey": "sign-in-basic", "step": "phone", "answer": {"phone": LI.phone}}
        answer = await here.visitor().client.post("/v1/journeys", json=begin)
        page = await here.visitor().client.get("/network/server")
    assert (503, "busy") == (answer.status_code, answer.json()["cause"])
    assert "/network" in [remedy["href"] for remedy in answer.json()["remedies"]]
    assert 'data-verdict="busy"' in page.text
    assert "ok" == (await states(here))["sign_in"]


async def test_messages_that_wait_are_late_and_then_stuck(here: Bank, monkeypatch: pytest.MonkeyPatch) -> None:
    """By how long the oldest waits; a decoy's message, which goes nowhere, says nothing."""

    async def unreachable(message: Message) -> None:
        raise Unreachable("no gateway")

    monkeypatch.setattr(here.house.dispatcher, "_deliver", unreachable)
    decoys = Message(
        message_id=new_id(), customer_id=None, phone=None, template="sms.code", language="zh", facts={}, nonce=None,
        expires_at=0,
    )  # fmt: skip
    async with here.house.store.begin() as tx:
        await tx.outbox.put(decoys, here.clock.now())
    here.clock.turn(limits.SMS_DOWN_SECONDS + 1)
    assert "ok" == (await states(here))["sms"]
    await here.visitor().start("sign-in-basic", "phone", phone=LI.phone)
    here.clock.turn(int(limits.SMS_LATE_SECONDS))
    assert "ok" == (await states(here))["sms"]
    here.clock.turn(1)
    assert "slow" == (await states(here))["sms"]
    here.clock.turn(limits.SMS_DOWN_SECONDS - limits.SMS_LATE_SECONDS)
    assert "down" == (await states(here))["sms"]


async def test_messages_that_are_given_up_mean_that_the_gateway_is_down(
    here: Bank, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Some of them are wrong numbers; so many, and none that went out, are not. They are forgotten after a while."""

    async def rejected(message: Message) -> None:
        raise Rejected("no")

    monkeypatch.setattr(here.house.dispatcher, "_deliver", rejected)
    for count in range(int(limits.SMS_FAILURES)):
        assert "ok" == (await states(here))["sms"], count
        await here.visitor().start("sign-in-basic", "phone", phone=LI.phone)
        here.clock.turn(limits.RESEND_SECONDS + 1)
    assert "down" == (await states(here))["sms"]
    here.clock.turn(int(limits.SMS_LOOKED_AT_SECONDS))
    assert "ok" == (await states(here))["sms"]


async def test_a_core_bank_that_stopped_answering_is_slow(here: Bank) -> None:
    """Nobody listens there: its last answers are the signal."""
    url = f"http://127.0.0.1:{services.free_port()}"
    accounts = FineractAccounts(url, "default", b"reader:secret", here.clock)
    status = Status(dataclasses.replace(here.house.world, accounts=accounts))
    assert "ok" == (await status.look()).core_bank
    with pytest.raises(Unreachable):
        await accounts.accounts_of("C001")
    assert "slow" == (await Status(dataclasses.replace(here.house.world, accounts=accounts)).look()).core_bank
    await accounts.close()


async def test_one_look_answers_all_who_ask(here: Bank) -> None:
    """However many come at once, and for some seconds after."""
    status = Status(here.house.world)
    looks = await asyncio.gather(*(status.look() for _ in range(20)))
    assert 1 == len({id(look) for look in looks})


# ---------------------------------------------------------------- reports


async def test_a_report_is_kept_for_some_days(bank: Bank) -> None:
    """With what it says and which program it came from; then the janitor takes it."""
    client = bank.visitor().client
    body = {"figures": msgspec.to_builtins(WELL), "agrees": True}
    answer = await client.post("/v1/network/reports", json=body, headers={"User-Agent": PHONE})
    assert (201, diagnosis.code_of(WELL)) == (answer.status_code, answer.json()["code"])
    async with bank.house.store.begin() as tx:
        (kept,) = await tx.network_reports.of(diagnosis.code_of(WELL), bank.clock.now())
    assert (WELL, "chrome 61.0.3163.98") == (kept.figures, kept.client)
    bank.clock.turn(limits.NETWORK_REPORT_DAYS * DAY - 1)
    assert 0 == (await bank.house.janitor.sweep())["network_report"]
    bank.clock.turn(1)
    async with bank.house.store.begin() as tx:
        assert () == await tx.network_reports.of(diagnosis.code_of(WELL), bank.clock.now())
    assert 1 == (await bank.house.janitor.sweep())["network_report"]


async def test_the_newest_of_a_code_are_shown(bank: Bank) -> None:
    """So many and no more, the newest first."""
    network = NetworkCheck(bank.house.world)
    for count in range(limits.NETWORK_REPORTS_SHOWN + 1):
        await network.keep(network.judge(WELL), f"chrome {count}")
        bank.clock.turn(1)
    async with bank.house.store.begin() as tx:
        shown = await tx.network_reports.of(diagnosis.code_of(WELL), bank.clock.now())
    assert [f"chrome {count}" for count in range(limits.NETWORK_REPORTS_SHOWN, 0, -1)] == [r.client for r in shown]


@pytest.mark.parametrize("cause", ["busy", "internal-error", "still-working", "too-many-requests", "provider-down"])
def test_what_smells_of_the_network_leads_to_the_check(cause: str) -> None:
    """It is among the remedies, so pages, API and apps show it alike."""
    assert "check-network" in CAUSES[cause].remedies


# ---------------------------------------------------------------- at the counter


async def test_a_code_is_understood_at_the_counter(here: Bank) -> None:
    """With its reports; the search is written down like any other, and a file of somebody is no part of it."""
    await open_outlet(here)
    console = Console(here)
    hired = await hire(here, "zhou.teller", Role.TELLER, outlet_id="0001")
    await console.sign_in(hired)
    code = diagnosis.code_of(msgspec.structs.replace(WELL, median_ms=1849))
    bare = await console.post("/console/search", query=code, reason="call")
    assert all(word in bare.words for word in ("The network is slow", "1 to 2 s", "Nobody sent the whole result"))
    body = {"figures": msgspec.to_builtins(msgspec.structs.replace(WELL, median_ms=1849)), "agrees": True}
    assert 201 == (await here.visitor().client.post("/v1/network/reports", json=body)).status_code
    told = await console.post("/console/search", query=diagnosis.in_groups(code).lower(), reason="call")
    assert "usually 1849 ms" in told.words
    unclear = await console.post("/console/search", query=code, reason="", why="")
    assert 422 == unclear.status
    async with here.house.store.begin() as tx:
        kinds = [event.details.get("by") for event in await tx.trail.of(chain_of(hired.member.staff_id))
                 if event.kind == "customer-searched"]  # fmt: skip
    assert ["diagnosis", "diagnosis"] == kinds


def test_the_command_line_reads_a_code(capsys: pytest.CaptureFixture[str]) -> None:
    """In either language, as it is read out; what is none is said to be none."""
    code = diagnosis.in_groups(diagnosis.code_of(WELL)).lower()
    assert 0 == read_code(code, language="en")
    assert "All is well" in capsys.readouterr().out
    assert 0 == read_code(code)
    assert "一切正常" in capsys.readouterr().out
    assert 2 == read_code("K7M-2QX", language="en")
    assert "misheard" in capsys.readouterr().err
