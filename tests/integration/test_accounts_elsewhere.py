"""Accounts that a bank elsewhere keeps: home goes on when it does not answer, and what is new is told."""

from __future__ import annotations

import threading
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx2
import pytest

from foregate.doors.text import catalog
from tests.bank import LI, ORIGIN, Bank, Visitor, open_bank
from tests.contract.account_sources import Fineract

pytestmark = pytest.mark.anyio


@dataclass
class Elsewhere:
    """Fineract's double as a server of its own, which may be ill."""

    fineract: Fineract
    is_ill: bool = False

    def answer(self, target: str) -> httpx2.Response:
        """Answer one request."""
        if self.is_ill:
            return httpx2.Response(500)
        return self.fineract.answer(httpx2.Request("GET", f"http://fineract.test{target}"))


@pytest.fixture
def elsewhere() -> Iterator[tuple[Elsewhere, str]]:
    """Yield the bank elsewhere, and its address."""
    there = Elsewhere(Fineract())

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            answer = there.answer(self.path)
            self.send_response(answer.status_code)
            self.send_header("Content-Length", str(len(answer.content)))
            self.end_headers()
            self.wfile.write(answer.content)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield there, f"http://127.0.0.1:{server.server_port}/fineract-provider/api"
    server.shutdown()
    thread.join(10)
    server.server_close()


@pytest.fixture
async def visitor(elsewhere: tuple[Elsewhere, str], tmp_path: Path, anyio_backend: str) -> AsyncIterator[Visitor]:
    """Yield somebody signed in whole, whose accounts are elsewhere."""
    (tmp_path / "secret").write_text("reader:secret")
    bank: Bank = await open_bank(
        f"sqlite:///{tmp_path / 'bank.db'}", fineract=elsewhere[1], fineract_secret_file=str(tmp_path / "secret")
    )
    await bank.settle(LI)
    visitor = bank.visitor()
    await visitor.sign_in(LI)
    yield visitor
    await bank.close()


def said(key: str) -> str:
    return catalog.text("zh", key)


async def test_home_goes_on_without_balances(visitor: Visitor, elsewhere: tuple[Elsewhere, str]) -> None:
    """Signing out, freezing and the devices are there while the balances are not; and these come back."""
    there, _ = elsewhere
    assert said("accounts.home-title") in (await visitor.client.get("/home")).text
    there.is_ill = True
    home = await visitor.client.get("/home")
    there.is_ill = False
    again = await visitor.client.get("/home")

    assert 200 == home.status_code
    assert said("accounts.away") in home.text
    assert all(f'action="/{act}"' in home.text for act in ("sign-out", "sign-out-everywhere"))
    assert 'href="/freeze"' in home.text
    assert said("accounts.away") not in again.text


async def test_the_accounts_say_that_they_are_away(visitor: Visitor, elsewhere: tuple[Elsewhere, str]) -> None:
    """503 with its own cause, when to come back, and ways on: as a page and over the API."""
    elsewhere[0].is_ill = True
    page, problem = await visitor.client.get("/accounts"), await visitor.get("/v1/accounts")

    assert (503, True) == (page.status_code, said("cause.accounts-away.title") in page.text)
    assert "30" == page.headers["retry-after"]
    assert (503, "accounts-away", 30) == (problem.status, problem.cause, problem.body["retry_in_seconds"])
    assert {"try-again", "wait", "visit-outlet"} == set(problem.remedies)


async def test_too_many_payments_for_a_chart(
    visitor: Visitor, elsewhere: tuple[Elsewhere, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The page is there with its balances, and a sentence in the chart's place."""
    monkeypatch.setattr("foregate.gateways.core_bank.fineract.SEARCHES_PER_SUM", 1)
    monkeypatch.setattr("foregate.gateways.core_bank.fineract.SEARCH_SIZE", 2)
    page = await visitor.client.get("/accounts")

    assert 200 == page.status_code
    assert said("accounts.chart-too-much") in page.text
    assert '<svg class="chart"' not in page.text


async def test_what_is_new_is_told_to_whoever_asks_again(visitor: Visitor, elsewhere: tuple[Elsewhere, str]) -> None:
    """The same validator while nothing happened; another as soon as something did, on the same day."""
    there, _ = elsewhere
    place = "/v1/accounts/31/transactions"
    first = await visitor.client.get(place)
    tag = {"If-None-Match": first.headers["etag"]}
    same = await visitor.client.get(place, headers=tag)
    there.fineract.rows.append({**there.fineract.rows[-1], "id": 9999})
    new = await visitor.client.get(place, headers=tag)
    empty = await visitor.client.get(place, headers={"If-None-Match": ""})

    assert (200, 304, 200, 200) == tuple(one.status_code for one in (first, same, new, empty))
    assert new.headers["etag"] != first.headers["etag"]


async def test_nobody_is_offered_to_be_told_of_money(visitor: Visitor) -> None:
    """A bank that is asked says nothing by itself: no such ticks, and a form that has them all the same keeps none."""
    page = (await visitor.client.get("/alerts")).text
    offered = [name for name in ("money_in", "money_out", "above", "sign_in") if f'name="{name}"' in page]
    assert ["sign_in"] == offered
    form = {"money_in": "yes", "money_out": "yes", "above": "1", "sign_in": "yes"}
    assert 303 == (await visitor.client.post("/alerts", data=form, headers={"Origin": ORIGIN})).status_code
    world = visitor.bank.house.world
    async with world.store.begin() as tx:
        kept = await tx.alerts.of(tx.alerts.customer_id(LI.core_ref))
    assert kept is not None
    assert (False, None, True) == (kept.money_in, kept.out_above_minor, kept.sign_in)
