"""LCK-04, LCK-09, TEL-04 and the permit's twins: what strangers, thieves and bad luck can do to the last way back."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from foregate.counter.codes import CounterCodes
from foregate.gateways.core_bank.embedded import EmbeddedCoreBank
from foregate.gateways.hashing import Argon2Hasher
from foregate.ids import new_id
from foregate.ports import Busy, Unreachable
from foregate.rules import limits
from foregate.situation import Refused
from tests.at_counter import permit_of
from tests.bank import CHEN, LI, NOW, WANG, Bank, Person, Visitor

pytestmark = [pytest.mark.anyio, pytest.mark.attack]

NEW = "+8613500007777"

# ---------------------------------------------------------------- LCK-04: what may be sent


async def exhaust(bank: Bank, person: Person) -> None:
    """Have codes sent to the person's number, by every name of theirs, until no more are."""
    for _ in range(limits.SENDS_PER_DAY):
        stranger = bank.visitor(peer=("198.51.100.66", 4711))  # one that keeps its cookies finds its own journeys again
        for step, facts in (
            ("phone", {"phone": person.phone}),
            ("card", {"card_number": person.card}),
            ("user_name", {"user_name": person.user_name}),
        ):
            await stranger.start("sign-in", step, **facts)
        bank.clock.turn(limits.RESEND_SECONDS + 1)
    before = len(await bank.texts(person.phone))
    await bank.visitor().start("sign-in", "phone", phone=person.phone)
    assert before == len(await bank.texts(person.phone)), "the quota is not used up"


async def test_lck_04_a_remembered_device_still_gets_a_code(bank: Bank) -> None:
    """Its messages are counted by itself: a stranger who used up the number's has used up none of them."""
    device = bank.visitor()
    await bank.remember(device, LI)
    await exhaust(bank, LI)
    before = len(await bank.texts(LI.phone))

    asked = await device.start("sign-in-basic", "phone", phone=LI.phone)

    assert ("phone_code", None) == (asked.step, asked.cause)
    assert before + 1 == len(await bank.texts(LI.phone))
    assert "done" == (await device.answer(code=await bank.code(LI.phone))).journey["status"]


async def test_lck_04_the_reserve_has_an_end(bank: Bank) -> None:
    """A remembered device has the same limits as anybody, of its own."""
    device = bank.visitor()
    await bank.remember(device, LI)
    sent = []
    for _ in range(limits.SENDS_PER_HOUR + 1):
        before = len(await bank.texts(LI.phone))
        await device.start("sign-in-basic", "phone", phone=LI.phone)
        sent.append(len(await bank.texts(LI.phone)) - before)
        bank.clock.turn(limits.RESEND_SECONDS + 1)
        device.client.cookies.delete("__Host-visitor")  # or it would find the journey that it began
    assert [1] * limits.SENDS_PER_HOUR + [0] == sent


async def test_lck_04_somebody_elses_device_is_no_reserve(bank: Bank) -> None:
    """A stranger who is a customer too, with a remembered device, sends Li no message more for it."""
    await exhaust(bank, LI)
    chen = bank.visitor()
    await bank.remember(chen, CHEN)
    nobody = bank.visitor()
    before = len(await bank.texts(LI.phone))
    answers = [await visitor.start("sign-in-basic", "phone", phone=LI.phone) for visitor in (chen, nobody)]
    assert before == len(await bank.texts(LI.phone))
    assert 1 == len({answer.cause for answer in answers})


async def test_lck_04_the_counter_still_sends(bank: Bank) -> None:
    """To the number that a stranger used up, by a key of the counter's own; and that has its end too."""
    await exhaust(bank, LI)
    codes, tx_facts = CounterCodes(bank.house.world), {"language": "zh", "actor": "staff-1", "source": "10.0.0.8"}
    sent: list[Refused | None] = []
    proposal = new_id()
    for round_ in range(limits.SENDS_PER_HOUR + 1):
        proposal = new_id() if round_ % 3 == 0 else proposal
        async with bank.house.store.begin() as tx:
            sent.append(
                await codes.send(
                    tx, bank.clock.now(), proposal_id=proposal, customer_id=bank.customer_id(WANG), phone=LI.phone,
                    **tx_facts,
                )
            )  # fmt: skip
        if round_ == 0:
            code = await bank.code(LI.phone)
            async with bank.house.store.begin() as tx:
                right = await codes.check(tx, bank.clock.now(), proposal_id=proposal, phone=LI.phone, code=code)
            assert right is None
            proposal = new_id()
        bank.clock.turn(limits.RESEND_SECONDS + 1)
    assert [None] * limits.SENDS_PER_HOUR == sent[:-1]
    assert sent[-1] is not None
    assert "codes-spent" == sent[-1].cause


async def counter_code(bank: Bank, proposal: str, phone: str, *, code: str | None = None) -> Refused | None:
    """Send a code to `phone` for a proposal, or check one."""
    codes = CounterCodes(bank.house.world)
    async with bank.house.store.begin() as tx:
        if code is not None:
            return await codes.check(tx, bank.clock.now(), proposal_id=proposal, phone=phone, code=code)
        return await codes.send(
            tx, bank.clock.now(), proposal_id=proposal, customer_id=bank.customer_id(LI), phone=phone,
            language="zh", actor="staff-1", source="10.0.0.8",
        )  # fmt: skip


async def test_a_code_at_the_counter_has_five_tries_whatever_is_sent(bank: Bank) -> None:
    """Another code brings no new ones; after five wrong the right one is refused, and no further one is sent."""
    proposal = new_id()
    assert None is await counter_code(bank, proposal, NEW)
    causes = []
    for guess in range(limits.CODE_TRIES):
        if guess == 3:
            bank.clock.turn(limits.RESEND_SECONDS + 1)
            assert None is await counter_code(bank, proposal, NEW)
        refused = await counter_code(bank, proposal, NEW, code=await bank.wrong_code(NEW))
        assert refused is not None
        causes.append((refused.cause, refused.tries_left))
    assert [
        ("code-wrong", 4),
        ("code-wrong", 3),
        ("code-wrong", 2),
        ("code-wrong", 1),
        ("code-used-up", None),
    ] == causes
    assert Refused(cause="code-used-up") == await counter_code(bank, proposal, NEW, code=await bank.code(NEW))
    bank.clock.turn(limits.RESEND_SECONDS + 1)
    assert Refused(cause="code-used-up") == await counter_code(bank, proposal, NEW)


async def test_a_code_at_the_counter_is_bound(bank: Bank) -> None:
    """To its proposal, its number, its five minutes, and one use; a journey's code is none of it."""
    proposal, other = new_id(), new_id()
    assert None is await counter_code(bank, proposal, NEW)
    code = await bank.code(NEW)
    assert Refused(cause="code-used-up") == await counter_code(bank, other, NEW, code=code)
    assert Refused(cause="code-expired") == await counter_code(bank, proposal, CHEN.phone, code=code)
    bank.clock.turn(limits.CODE_TTL_SECONDS)
    assert Refused(cause="code-expired") == await counter_code(bank, proposal, NEW, code=code)
    bank.clock.turn(-1)
    assert None is await counter_code(bank, proposal, NEW, code=code)
    assert Refused(cause="code-used-up") == await counter_code(bank, proposal, NEW, code=code)
    visitor = bank.visitor()
    started = await visitor.start("sign-in-basic", "phone", phone=CHEN.phone)
    sent = await bank.code(CHEN.phone)
    refused = await counter_code(bank, started.journey["id"], CHEN.phone, code=sent)
    assert Refused(cause="code-used-up") == refused


# ---------------------------------------------------------------- LCK-09: nobody failed


async def rows_of(bank: Bank, person: Person) -> list[tuple[str, int, int, int]]:
    """Return the person's counters: name, in a row, total, blocked until."""
    async with bank.house.store.begin() as tx:
        found = await tx.counters.of(bank.customer_id(person))
    return [(row.counter, row.in_a_row, row.total, row.blocked_until) for row in found if row.total]


@pytest.mark.parametrize(
    ("step", "answer", "kind", "method", "error"),
    [
        ("password", {"password": LI.password}, Argon2Hasher, "verify", Busy("the pool is full")),
        ("card_pin", {"card_pin": LI.pin}, EmbeddedCoreBank, "is_pin", Unreachable("no answer")),
    ],
)
async def test_lck_09_what_could_not_be_compared_is_no_failure(
    bank: Bank, step: str, answer: dict[str, str], kind: Any, method: str, error: Exception,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    """Twenty times busy or away: the counter stands where it stood, and the same answer is taken afterwards."""
    visitor = bank.visitor()
    await visitor.start("sign-in", "phone", phone=LI.phone)
    await visitor.answer(code=await bank.code(LI.phone))
    if step == "card_pin":
        await visitor.answer("choose", way="card_pin")
    wrong = await visitor.answer(step, **dict.fromkeys(answer, "111111"))
    assert wrong.cause in ("password-wrong", "card-pin-wrong")
    assert [(step, 1, 1, 0)] == await rows_of(bank, LI)

    async def fails(*_: object) -> bool:
        raise error

    with monkeypatch.context() as patch:
        patch.setattr(kind, method, fails)
        for _ in range(20):
            refused = await visitor.answer(step, key="the-same-key", **answer)
            assert ("busy", 503) == (refused.cause, refused.status)
            assert [(step, 1, 1, 0)] == await rows_of(bank, LI)

    done = await visitor.answer(step, key="the-same-key", **answer)
    assert "done" == done.journey["status"]
    assert "full" == await visitor.level()


async def test_lck_09_the_block_goes_with_the_failure_that_was_none(
    bank: Bank, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Four wrong, then the house is busy at the fifth: nobody is blocked."""
    visitor = bank.visitor()
    await visitor.start("sign-in", "phone", phone=LI.phone)
    await visitor.answer(code=await bank.code(LI.phone))
    for _ in range(limits.ROW_FAILURES - 1):
        await visitor.answer("password", password="wrong wrong")

    async def fails(*_: object) -> bool:
        raise Busy("the pool is full")

    with monkeypatch.context() as patch:
        patch.setattr(Argon2Hasher, "verify", fails)
        assert "busy" == (await visitor.answer("password", password=LI.password)).cause
    assert "done" == (await visitor.answer("password", password=LI.password)).journey["status"]


# ---------------------------------------------------------------- TEL-04: it was not me


async def link_on(bank: Bank, phone: str) -> str:
    """Return the path of the link in the newest message on a phone."""
    found = re.search(r"https://login\.bank\.test(/stop/([0-9A-Z]{26}))$", (await bank.texts(phone))[0])
    assert found is not None
    return found[1]


async def tap(visitor: Visitor, path: str) -> int:
    """Press the button of the page that the link opens; return the status of where that leads."""
    token = path.rpartition("/")[2]
    headers = {"Origin": "https://login.bank.test"}
    raw = await visitor.client.post(
        "/stop-by-link", data={"step": "link", "token": token}, headers=headers, follow_redirects=True
    )
    return raw.status_code


async def test_tel_04_both_numbers_hear_of_it_in_the_same_transaction(bank: Bank) -> None:
    """The old number gets a link on the configured origin, of at least 128 bits; neither hears the permit."""
    permit = await permit_of(bank, LI, NEW)
    assert {"sms.number-replaced", "sms.number-replaced-old"} <= set(await bank.messages_about(LI))
    said = [*await bank.texts(LI.phone), *await bank.texts(NEW)]
    assert not any(permit.replace("-", "") in text.replace("-", "") for text in said)
    token = (await link_on(bank, LI.phone)).rpartition("/")[2]
    assert 5 * len(token) >= 128


@pytest.mark.parametrize("seconds", [1, limits.STOP_LINK_SECONDS - 2])
async def test_tel_04_the_old_number_freezes_with_one_tap(bank: Bank, seconds: int) -> None:
    """Looking changes nothing; the button ends what the thief has, the permit too, for as long as a day."""
    permit = await permit_of(bank, LI, NEW)
    thief, owner = bank.visitor(), bank.visitor()
    path = await link_on(bank, LI.phone)
    bank.clock.turn(seconds)
    await thief.start("reset-password", "phone", phone=NEW)
    await thief.answer(code=await bank.code(NEW))
    await thief.answer("choose", way="permit")
    await thief.answer(permit=permit)
    for _ in range(10):
        assert 200 == (await owner.client.get(path)).status_code
        assert 200 == (await owner.client.head(path)).status_code
    assert "permission-closed" not in await bank.events(LI)

    assert 200 == await tap(owner, path)

    assert "permission-closed" in await bank.events(LI)
    assert (await thief.answer("set-password", new_password="any other evening")).status >= 400
    assert "password-set" not in await bank.events(LI)
    assert 200 == await tap(bank.visitor(), path)  # tapped twice, or by a scanner after all: the same


async def test_tel_04_the_link_freezes_once_and_for_a_day(bank: Bank) -> None:
    """Who has the old phone cannot freeze a login for ever; a wrong link says the same as an old one."""
    await permit_of(bank, LI, NEW)
    path = await link_on(bank, LI.phone)
    assert 200 == await tap(bank.visitor(), path)
    bank.clock.turn(limits.REPLAY_SECONDS)
    visitor = bank.visitor()
    told = []
    for token in (path.rpartition("/")[2], "0" * 26):
        refused = await visitor.start("stop-by-link", "link", token=token)
        told.append((refused.cause, refused.status, refused.remedies))
    assert [("link-over", 410, ["freeze", "visit-outlet"])] * 2 == told
    assert 1 == (await bank.events(LI)).count("permission-closed")

    await permit_of(bank, CHEN, "+8613500008888")
    late = await link_on(bank, CHEN.phone)
    bank.clock.turn(limits.STOP_LINK_SECONDS)
    assert 410 == await tap(bank.visitor(), late)
    assert "permission-closed" not in await bank.events(CHEN)


async def test_tel_04_a_link_needs_a_page_of_ours(bank: Bank) -> None:
    """Another site's form freezes nobody, and no header changes where the link leads."""
    await permit_of(bank, LI, NEW)
    path = await link_on(bank, LI.phone)
    data = {"step": "link", "token": path.rpartition("/")[2]}
    raw = await bank.visitor().client.post("/stop-by-link", data=data, headers={"Origin": "https://evil.test"})
    assert 403 == raw.status_code
    assert "permission-closed" not in await bank.events(LI)


# ---------------------------------------------------------------- twins, with and without a permit


def shown(raw: Any) -> tuple[int, str]:
    """Return an answer without what differs for everybody."""
    text = json.dumps(json.loads(raw.text), ensure_ascii=False, sort_keys=True)
    text = re.sub(r"[0-9a-f]{8}-[0-9a-f-]{27}", "ID", text)
    text = re.sub(r'"(support_ref|text_us)": "[0-9a-f]+"', "", text)
    return raw.status_code, re.sub(r"\d{3}\*{4}\d{4}", "MASKED", text)


async def test_nobody_learns_who_was_at_the_counter(bank: Bank) -> None:
    """Before the code, whoever has a permit, whoever has none and nobody at all answer alike, word for word."""
    permit = await permit_of(bank, LI, NEW)
    traces = []
    for card in (LI.card, CHEN.card, "6222020000000000067"):
        stranger = bank.visitor()
        answers = [await stranger.start("reset-password", "card", card_number=card)]
        answers += [await stranger.answer("permit", permit=permit), await stranger.answer("choose", way="permit")]
        answers += [await stranger.answer("phone_code", code="000000"), await stranger.answer("resend")]
        traces.append([shown(answer.raw) for answer in answers])
    assert traces[0] == traces[1] == traces[2]


async def test_a_wrong_link_and_no_link_cost_the_same_words(bank: Bank) -> None:
    """What a stranger types as a link leads nowhere, whoever is a customer."""
    assert bank.clock.now() >= NOW
    visitor = bank.visitor()
    told = [await visitor.start("stop-by-link", "link", token=token) for token in ("0" * 26, "Z" * 26)]
    assert shown(told[0].raw) == shown(told[1].raw)
    assert "input-invalid" == (await visitor.start("stop-by-link", "link", token="short")).cause
