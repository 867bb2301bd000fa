"""The network check is open to everybody, so it is held against everybody: hostile figures, floods, nobody in it."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx2
import msgspec
import pytest
from prometheus_client import generate_latest
from sqlalchemy import func, select
from structlog.testing import capture_logs

from foregate.ids import new_id
from foregate.rules import diagnosis, limits
from foregate.rules.network import VERDICTS
from foregate.store.network import _INSERT
from foregate.store.network_tables import network_report
from foregate.store.statements import Statement
from tests.bank import LI, Bank, open_bank
from tests.unit.test_network import WELL

pytestmark = [pytest.mark.anyio, pytest.mark.attack]

FIGURES = msgspec.to_builtins(WELL)
HOSTILE = [
    '{"figures": {"median_ms": NaN}}',
    '{"figures": {"median_ms": Infinity}}',
    '{"figures": {"median_ms": -1}}',
    '{"figures": {"median_ms": 600001}}',
    '{"figures": {"median_ms": 12.5}}',
    '{"figures": {"median_ms": "12"}}',
    '{"figures": {"median_ms": true}}',
    '{"figures": {"answered": 9}}',
    '{"figures": {"clock_ahead_ms": 1' + "0" * 400 + "}}",
    '{"figures": {"bits_per_second": 100000000001}}',
    '{"figures": {"keeps": "<script>alert(1)</script>"}}',
    '{"figures": {"sms": "fine"}}',
    '{"figures": {"is_online": 1}}',
    '{"figures": {"phone": "+8613800138000"}}',
    '{"figures": [], "proof": null}',
    '{"figures": {}, "proof": {"nonce": "0", "server_seconds": -1, "mark": ""}}',
    '{"figures": {}, "proof": {"nonce": "' + "0" * 33 + '", "server_seconds": 0, "mark": ""}}',
    '{"figures": {}, "proof": {"nonce": "0", "server_seconds": 0, "mark": "' + "é" * 33 + '"}}',
    "[" * 5000,
    "null",
    "",
]


@pytest.fixture
def copied(tmp_path: Path, migrated_sqlite: Path) -> str:
    """Return the URL of a migrated database."""
    (tmp_path / "bank.db").write_bytes(migrated_sqlite.read_bytes())
    return f"sqlite:///{tmp_path / 'bank.db'}"


@pytest.fixture
async def bank(copied: str) -> AsyncIterator[Bank]:
    """Yield a bank of one customer."""
    bank = await open_bank(copied)
    await bank.settle(LI)
    yield bank
    await bank.close()


async def post(client: httpx2.AsyncClient, path: str, body: str | bytes) -> httpx2.Response:
    return await client.post(path, content=body, headers={"Content-Type": "application/json"})


async def test_hostile_figures_are_refused(bank: Bank) -> None:
    """As a shape that is not ours: no failure, no verdict, nothing kept."""
    client = bank.visitor().client
    for body in HOSTILE:
        answer = await post(client, "/v1/network/verdict", body)
        assert (422, "input-invalid") == (answer.status_code, answer.json()["cause"]), body[:80]
    for body in ('{"figures": {}}', '{"figures": {}, "agrees": false}', '{"figures": {}, "agrees": "yes"}'):
        assert 422 == (await post(client, "/v1/network/reports", body)).status_code
    assert 0 == await kept(bank)
    # A mark of ours is compared whatever its letters.
    odd = {"nonce": "0", "server_seconds": bank.clock.now(), "mark": "é" * 32}
    answer = await post(client, "/v1/network/verdict", json.dumps({"figures": FIGURES, "proof": odd}))
    assert "portal" == answer.json()["verdict"]


async def test_nothing_of_a_person_goes_into_a_report(bank: Bank) -> None:
    """Signed in or not, with whatever a browser says of itself: figures, a program's name, a time."""
    visitor = bank.visitor()
    await visitor.sign_in(LI)
    agent = f"Mozilla/5.0 ({LI.phone}; {LI.name}) Chrome/99.1.2 Safari/537 {LI.card}"
    body = {"figures": FIGURES, "agrees": True}
    with capture_logs() as logged:
        answer = await visitor.client.post("/v1/network/reports", json=body, headers=[(b"User-Agent", agent.encode())])
    assert 201 == answer.status_code
    async with bank.house.store.database.snapshot() as connection:
        (row,) = await connection.all(Statement(select(network_report)))
    said = {name: row[name] for name in [column.name for column in network_report.columns]}
    assert "chrome 99.1.2" == said["client"]
    told = json.dumps(said, ensure_ascii=False) + json.dumps(logged, default=str, ensure_ascii=False) + answer.text
    secrets = (LI.phone, LI.phone[3:], LI.name, LI.card, bank.customer_id(LI), "203.0.113.7", LI.document_number)
    assert [] == [secret for secret in secrets if secret in told]


async def test_the_same_trouble_has_the_same_code(bank: Bank) -> None:
    """For a customer and for a stranger, today and tomorrow: so a code tells nothing about who has it."""
    stranger, customer = bank.visitor(), bank.visitor()
    await customer.sign_in(LI)
    bodies = [
        (await visitor.client.post("/v1/network/verdict", json={"figures": FIGURES})).json()
        for visitor in (stranger, customer)
    ]
    assert bodies[0] == bodies[1]
    assert diagnosis.code_of(WELL) == bodies[0]["code"]


async def test_the_status_says_states_and_no_numbers(bank: Bank) -> None:
    """Nobody counts our customers, our messages or our failures by asking."""
    body: dict[str, Any] = (await bank.visitor().client.get("/status")).json()
    services, program = (
        {"sign_in", "sms", "face", "core_bank"},
        {"client", "client_least", "asks_minimum", "is_too_old"},
    )
    assert {*services, "server_seconds", *program} == set(body)
    assert {"ok", None} == {body[name] for name in services}


@pytest.mark.parametrize(
    ("path", "limit"),
    [
        ("/v1/network/probe?nonce=0", limits.NETWORK_PROBES_PER_MINUTE),
        ("/status", limits.NETWORK_CHECKS_PER_MINUTE),
        ("/network/server", limits.NETWORK_CHECKS_PER_MINUTE),
    ],
)
async def test_a_script_is_slowed(bank: Bank, path: str, limit: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """After so many in a minute from one place; the check of another place goes on."""
    client = bank.visitor().client
    throttle = bank.house.throttle
    key = "network-probe" if "probe" in path else "network"
    for _ in range(limit - 1):
        await throttle.hit(f"{key}:203.0.113.7", int(limit))
    assert 200 == (await client.get(path)).status_code
    assert 429 == (await client.get(path)).status_code
    assert 200 == (await bank.visitor(peer=("203.0.113.8", 1)).client.get(path)).status_code


async def test_a_flood_of_reports_is_slowed_and_pushes_out_the_oldest(bank: Bank) -> None:
    """So many a minute; and the list has an end, whoever sends from however many places."""
    client, body = bank.visitor().client, {"figures": FIGURES, "agrees": True}
    answers = [
        await client.post("/v1/network/reports", json=body) for _ in range(limits.NETWORK_REPORTS_PER_MINUTE + 1)
    ]
    assert [201] * limits.NETWORK_REPORTS_PER_MINUTE + [429] == [answer.status_code for answer in answers]
    room = limits.NETWORK_REPORTS_KEPT - limits.NETWORK_REPORTS_PER_MINUTE
    async with bank.house.store.database.transaction() as connection:
        row: dict[str, str | int | bytes | None]
        row = {"code": "222222", "figures": "{}", "client": "", "created_at": 1, "expires_at": 2**40}
        await connection.run_many(_INSERT, [row | {"report_id": new_id()} for _ in range(room)])
    assert limits.NETWORK_REPORTS_KEPT == await kept(bank)
    other = bank.visitor(peer=("203.0.113.9", 1)).client
    assert 201 == (await other.post("/v1/network/reports", json=body)).status_code
    assert limits.NETWORK_REPORTS_KEPT == await kept(bank)


async def test_the_labels_of_the_metrics_are_a_closed_set(bank: Bank) -> None:
    """No visitor can make a new one."""
    client = bank.visitor().client
    await client.post("/v1/network/verdict", json={"figures": FIGURES})
    await post(client, "/v1/network/verdict", '{"figures": {"keeps": "made-up"}}')
    lines = [
        line for line in generate_latest().decode().splitlines() if line.startswith("foregate_network_checks_total{")
    ]
    labels = {line.partition('verdict="')[2].partition('"')[0] for line in lines}
    assert "good" in labels
    assert labels <= {verdict.name for verdict in VERDICTS}


async def kept(bank: Bank) -> int:
    """Count the reports."""
    async with bank.house.store.database.snapshot() as connection:
        row = await connection.one(Statement(select(func.count().label("number")).select_from(network_report)))
    return int(row["number"]) if row is not None else 0
