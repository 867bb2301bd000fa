"""ENU: nobody learns whether somebody is a customer. Twins: one request about a customer, one about nobody."""

import json
import re
import statistics
import time
from typing import Any

import pytest

from foregate.rules import limits
from foregate.store.keyring import Keys
from tests.bank import LI, Bank, Visitor, open_bank

pytestmark = [pytest.mark.anyio, pytest.mark.attack]

NOBODY_CARD, NOBODY_NAME = "6222020000000000067", "nobodyatall"
SOMEBODY = {"name": "某人", "document_type": "RESIDENT_ID", "document_number": LI.document_number}
TWINS: list[tuple[str, str, dict[str, str], dict[str, str]]] = [
    ("sign-in", "card", {"card_number": LI.card}, {"card_number": NOBODY_CARD}),
    ("sign-in", "user_name", {"user_name": LI.user_name}, {"user_name": NOBODY_NAME}),
    ("sign-in", "phone", {"phone": LI.phone}, {"phone": "15000000000"}),
    ("sign-in-basic", "phone", {"phone": LI.phone}, {"phone": "15000000000"}),
    ("reset-password", "card", {"card_number": LI.card}, {"card_number": NOBODY_CARD}),
    ("reset-password", "user_name", {"user_name": LI.user_name}, {"user_name": NOBODY_NAME}),
    ("freeze", "card", {"card_number": LI.card}, {"card_number": NOBODY_CARD}),
    (
        "reopen", "card_and_phone",
        {"card_number": LI.card, "phone": "15000000001"}, {"card_number": NOBODY_CARD, "phone": "15000000002"},
    ),
    (
        "register", "card_name_document",
        {"card_number": LI.card, **SOMEBODY}, {"card_number": NOBODY_CARD, **SOMEBODY},
    ),
]  # fmt: skip
IDS = [f"{journey}-by-{step}" for journey, step, _, _ in TWINS]


def shown(raw: Any) -> tuple[int, str, list[str]]:
    """Return an answer with what differs for everybody taken out: ids, references, digits to text, masked numbers."""
    body = json.loads(raw.text)
    text = json.dumps(body, ensure_ascii=False, sort_keys=True)
    text = re.sub(r"[0-9a-f]{8}-[0-9a-f-]{27}", "ID", text)
    text = re.sub(r'"support_ref": "[0-9a-f]+"', '"support_ref": ""', text)
    text = re.sub(r'"text_us": "\d+"', '"text_us": ""', text)
    text = re.sub(r"\d{3}\*{4}\d{4}", "MASKED", text)
    headers = [
        f"{name}: {value}" for name, value in raw.headers.items() if name not in ("set-cookie", "content-length")
    ]
    return raw.status_code, text, sorted(headers)


async def trace(visitor: Visitor, journey: str, step: str, facts: dict[str, str]) -> list[tuple[int, str, list[str]]]:
    """Walk seven requests as a guesser would, and return all that was answered."""
    answers = [await visitor.start(journey, step, **facts)]
    answers += [await visitor.answer("phone_code", code="000000"), await visitor.answer("resend")]
    for _ in range(5):
        answers.append(await visitor.answer("phone_code", code="000001"))
    answers.append(await visitor.look())
    answers.append(await visitor.start(journey, step, **facts))
    return [shown(answer.raw) for answer in answers]


@pytest.mark.parametrize(("journey", "step", "known", "unknown"), TWINS, ids=IDS)
async def test_enu_01_and_03_twins_are_answered_alike_in_every_step(
    bank: Bank, journey: str, step: str, known: dict[str, str], unknown: dict[str, str]
) -> None:
    """Status, body, headers, cool-downs and lock-outs are the same along a whole run of guesses."""
    first = await trace(bank.visitor(), journey, step, known)
    second = await trace(bank.visitor(), journey, step, unknown)
    assert first == second


def auc(first: list[float], second: list[float]) -> float:
    """Return the chance that a `second` is above a `first`: 0.5 tells nothing."""
    order = sorted([(value, 0) for value in first] + [(value, 1) for value in second])
    ranks = sum(rank for rank, (_, which) in enumerate(order, 1) if which)
    return (ranks - len(second) * (len(second) + 1) / 2) / (len(first) * len(second))


@pytest.mark.parametrize(("journey", "step", "known", "unknown"), TWINS, ids=IDS)
async def test_enu_02_twins_open_as_many_sealed_values(
    bank: Bank, journey: str, step: str, known: dict[str, str], unknown: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Opening a value costs about 20 microseconds: a customer's ten would be heard in the time of the answer."""
    opened: list[str] = []
    decrypt = Keys.decrypt

    def counted(keys: Keys, sealed: bytes, place: str) -> bytes:
        opened.append(place)
        return decrypt(keys, sealed, place)

    monkeypatch.setattr(Keys, "decrypt", counted)
    counts = []
    for facts in (known, unknown):
        opened.clear()
        await bank.visitor().start(journey, step, **facts)
        # The outbox sends in a task of its own, to somebody and nobody alike, before or after the answer.
        counts.append(sum(not place.startswith("outbox.") for place in opened))
    assert counts[0] == counts[1]


@pytest.mark.alone
@pytest.mark.slow
@pytest.mark.parametrize(
    ("database", "twin"),
    [("postgres", 0), ("sqlite", 1)],
    ids=["postgres-card", "sqlite-user-name"],
    indirect=["database"],
)
async def test_enu_02_twins_take_the_same_time(database: str, twin: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two thousand interleaved pairs: the floors differ by no more than 2 ms, the order tells nothing."""
    monkeypatch.setattr(limits, "STARTS_PER_MINUTE", limits.Limit(10**6, "starts", "this test"))
    journey, step, known, unknown = TWINS[twin]
    bank = await open_bank(database)
    await bank.settle(LI)
    visitor = bank.visitor()
    await visitor.get("/healthz")
    times: tuple[list[float], list[float]] = ([], [])
    for pair in range(2000):
        bank.clock.turn(3600 * 25)  # everybody's limits are fresh again
        for which in (0, 1) if pair % 2 else (1, 0):
            body = {"journey": journey, "step": step, "answer": (known, unknown)[which]}
            began = time.perf_counter()
            raw = await visitor.client.post("/v1/journeys", json=body)
            times[which].append(time.perf_counter() - began)
            assert 201 == raw.status_code
    await bank.close()
    floors = [statistics.mean(sorted(sample)[:20]) * 1000 for sample in times]
    assert abs(floors[0] - floors[1]) <= 2
    assert 0.45 <= auc(*times) <= 0.55
