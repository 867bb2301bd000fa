"""The reference page of the API: its examples are sent as they stand, and answered in the shapes that it shows."""

import json
import re
import shlex
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from foregate.demo.people import PEOPLE
from tests.bank import LI, Answer, Bank, Visitor

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "reference" / "api.md").read_text("utf-8")
REQUESTS = re.findall(r"^ask \$demo.*$", PAGE, re.MULTILINE)
SHOWN = [json.loads(block) for block in re.findall(r"^```json\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)]

pytestmark = pytest.mark.anyio


async def send(visitor: Visitor, request: str, **values: str) -> Answer:
    """Send one request of the page, with what its reader put into the variables."""
    words = shlex.split(request)[1:]
    for name, value in ({"demo": ""} | values).items():
        words = [word.replace(f"${name}", value) for word in words]
    headers = dict(words[n + 1].split(": ", 1) for n, word in enumerate(words) if word == "-H")
    if "-d" not in words:
        return await visitor.get(words[0])
    raw = await visitor.client.post(words[0], json=json.loads(words[words.index("-d") + 1]), headers=headers)
    await visitor.bank.deliver()
    return Answer(raw.status_code, raw.json(), raw)


def shape(value: Any) -> Any:
    """Return the names in `value`, and of lists the shape of what is in them."""
    if isinstance(value, dict):
        return {name: shape(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [shape(value[0])] if value else []
    return None


async def test_the_examples_work_and_look_as_shown(bank: Bank) -> None:
    """Begin, code, password, greeting, then a refusal: each as the page has it."""
    person = PEOPLE[0]
    assert person.login is not None
    lin = replace(LI, core_ref="C100", card=person.cards[0].number, bound=person.login.phone, phone=person.login.phone,
                  user_name=person.login.user_name, password=person.login.password)  # fmt: skip
    await bank.settle(lin)
    visitor = bank.visitor(headers={"Accept-Language": "en"})
    begin, code, password, me, refused, *again = REQUESTS

    asked = await send(visitor, begin)
    assert (201, shape(SHOWN[0])) == (asked.status, shape(asked.body))
    assert {name: SHOWN[0]["step"][name] for name in ("name", "kind", "title")} == {
        name: asked.body["step"][name] for name in ("name", "kind", "title")
    }
    journey = asked.body["id"]
    asked = await send(visitor, code, id=journey, code=await bank.code(lin.phone))
    assert ("password", ["card_pin"]) == (asked.step, [way["name"] for way in asked.body["other_ways"]])
    done = await send(visitor, password, id=journey)
    assert ("done", "full") == (done.body["status"], done.body["outcome"]["session"])
    assert 200 == (await send(visitor, me)).status

    problem = await send(visitor, refused)
    assert shape(SHOWN[1]) == shape(problem.body)
    assert [SHOWN[1][name] for name in ("type", "title", "status", "detail", "cause")] == [
        problem.body[name] for name in ("type", "title", "status", "detail", "cause")
    ]
    assert [r["href"] for r in SHOWN[1]["remedies"]] == [r["href"] for r in problem.body["remedies"]]
    assert 1 == len(again)
    ended = await send(visitor, again[0], id=journey, answer=json.dumps({"version": 4, "step": "password"}))
    assert "journey-ended" == ended.cause


async def test_the_addresses_of_the_table_exist(bank: Bank) -> None:
    """Every GET of the table of addresses answers; who is not signed in hears so."""
    visitor = bank.visitor()
    addresses = re.findall(r"`GET (/[\w/.]+)`", PAGE)
    statuses = {address: (await visitor.client.get(address)).status_code for address in addresses}
    assert {200, 401} == set(statuses.values())
    assert {"/v1/journeys", "/v1/openapi.json", "/healthz"} == {a for a, status in statuses.items() if status == 200}
