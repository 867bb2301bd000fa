"""The document of the API is what the API does: valid, committed as generated, and held against random requests."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import cycle
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, settings
from schemathesis.checks import load_all_checks
from schemathesis.python.asgi import ASGIClient, Receive, Scope, Send, shutdown_lifespans
from schemathesis.specs.openapi.checks import positive_data_acceptance

from foregate.doors.api import openapi
from foregate.rules import limits
from tests.bank import LI, ORIGIN, Bank, Visitor, open_bank
from tests.money import open_account, told

ROOT = Path(__file__).parents[2]
EXAMPLES = 40  # for each operation; all together well below a minute
PATH_CHARS = 64  # what the document allows; a longer one is meant to be refused
NO_LIMIT = limits.Limit(10**9, "requests", "this test sends more than a person")

schema = schemathesis.openapi.from_dict(openapi.document())
load_all_checks()
# Whether a well-formed answer is right only the journey knows: a refusal of it is no fault of the schema.
NOT_FOR_JOURNEYS: list[schemathesis.CheckFunction] = [positive_data_acceptance]


class OpenBank:
    """A bank as an ASGI application that opens with its lifespan, in the event loop that schemathesis runs.

    Schemathesis ends a lifespan with the test that began it, so there is a bank for every test, with keys of its own.
    """

    def __init__(self, folder: Path) -> None:
        self._folder, self._opened = folder, 0
        self.bank: Bank | None = None
        self.signed_in: Visitor | None = None
        self.under_way: list[Visitor] = []
        self.account_id = ""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._live(receive, send)
        else:
            assert self.bank is not None
            await self.bank.house.app(scope, receive, send)  # type: ignore[arg-type]  # schemathesis says dict

    async def _live(self, receive: Receive, send: Send) -> None:
        message = await receive()
        assert "lifespan.startup" == message["type"]
        self._opened += 1
        self.under_way = []
        self.bank = await open_bank(f"sqlite:///{self._folder / f'bank{self._opened}.db'}")
        await self._settle(self.bank)
        await send({"type": "lifespan.startup.complete"})
        message = await receive()
        assert "lifespan.shutdown" == message["type"]
        await self.bank.close()
        await send({"type": "lifespan.shutdown.complete"})

    async def _settle(self, bank: Bank) -> None:
        """Let one person be signed in, and others stand at steps of every kind."""
        await bank.settle(LI)
        entries = (told(f"2027-01-{day:02d}", "300.00", "许知远", "合租") for day in range(1, 9))
        self.account_id = (await open_account(bank, LI, *entries)).account_id
        self.signed_in = bank.visitor()
        await self.signed_in.sign_in(LI)
        await self.signed_in.start("revoke-session")
        bank.clock.turn(61)
        for name in ("sign-in", "register", "reopen", "freeze"):
            visitor = bank.visitor()
            await visitor.start(name)
            self.under_way.append(visitor)
        resetting = bank.visitor()
        await resetting.start("reset-password", "phone", phone=LI.phone)
        await resetting.answer(code=await bank.code(LI.phone))
        assert 200 == (await resetting.answer(card_pin=LI.pin)).status
        self.under_way += [resetting, self.signed_in]


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OpenBank]:
    """Yield an open bank without limits on how often one may ask."""
    app = OpenBank(tmp_path_factory.mktemp("openapi"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(limits, "STARTS_PER_MINUTE", NO_LIMIT)
        patch.setattr(limits, "ANSWERS_PER_MINUTE", NO_LIMIT)
        patch.setattr(limits, "ACCOUNT_LOOKS_PER_MINUTE", NO_LIMIT)
        patch.setattr(limits, "OUTLET_LOOKS_PER_MINUTE", NO_LIMIT)
        with ASGIClient(app, ORIGIN):
            yield app
        shutdown_lifespans()


def client(opened: OpenBank, visitor: Visitor | None) -> ASGIClient:
    """Return a client with the cookies of a visitor, who comes from our own pages."""
    found = ASGIClient(opened, ORIGIN)
    found.headers["Origin"] = ORIGIN
    if visitor is not None:
        for cookie in visitor.client.cookies.jar:
            found.cookies.set_cookie(cookie)
    return found


FUZZED = settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize=True,  # CI says the same thing twice
    database=None,
    phases=(Phase.explicit, Phase.generate),
    suppress_health_check=list(HealthCheck),
)
turns = cycle((True, False))


@schema.parametrize()
@FUZZED
def test_answers_are_as_documented(case: schemathesis.Case[Any], opened: OpenBank) -> None:
    """Whatever is sent, by a stranger or by somebody signed in: no failure, and nothing that the document hides."""
    signed_in = opened.signed_in if next(turns) else None
    if signed_in is not None and 0 < len(str(case.path_parameters.get("account_id", ""))) <= PATH_CHARS:
        case.path_parameters["account_id"] = opened.account_id  # random searches of one's own record
    with client(opened, signed_in) as session:
        case.call_and_validate(base_url=ORIGIN, session=session, excluded_checks=NOT_FOR_JOURNEYS)


at_steps = cycle(range(6))


@schema.include(operation_id="answerStep").parametrize()
@FUZZED
def test_answers_to_open_steps_are_as_documented(case: schemathesis.Case[Any], opened: OpenBank) -> None:
    """The same where a journey is under way: random answers to the very step that is asked."""
    visitor = opened.under_way[next(at_steps)]
    assert visitor.last is not None
    case.path_parameters["journey_id"] = visitor.last.journey["id"]
    if isinstance(case.body, dict):
        case.body |= {"version": visitor.last.journey["version"], "step": visitor.last.step}
    with client(opened, visitor) as session:
        case.call_and_validate(base_url=ORIGIN, session=session, excluded_checks=NOT_FOR_JOURNEYS)


def test_the_document_is_valid() -> None:
    """It is OpenAPI 3.1 by the meta-schema, not only by its version."""
    schema.validate()
    assert "3.1.0" == schema.specification.version


def test_the_committed_document_is_the_generated_one() -> None:
    """Whoever reads the file reads what the server serves."""
    committed: Any = json.loads((ROOT / "docs" / "reference" / "openapi.json").read_text("utf-8"))
    assert json.loads(json.dumps(openapi.document())) == committed
