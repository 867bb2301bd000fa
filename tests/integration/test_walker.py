"""A client that knows the contract of the API and no journey: it ends every open one well, by every way there is."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import count
from typing import Any
from uuid import UUID

import httpx2
import pytest
from stdnum import luhn
from stdnum.cn import ric

from foregate.ids import new_id
from foregate.ports import PasskeyRow
from foregate.ports.social import SocialAccount
from foregate.proofs.passkey import digest_of
from foregate.rules.consents import Purpose
from foregate.rules.social import Provider
from tests.appointments import HALL, put_outlet
from tests.at_counter import stop_link
from tests.authenticator import Authenticator, b64
from tests.bank import LI, ORIGIN, Bank, Person

pytestmark = pytest.mark.anyio

Fact = str | bool | Callable[[], Awaitable[str | None]] | Authenticator | None
Facts = Mapping[str, Fact]
Path = tuple[str, ...]
STEPS_MAX = 12  # no journey asks a person for more


@dataclass(frozen=True)
class Ending:
    """How one walk ended: the names of the steps it took, what it was offered on the way, and done or not."""

    path: Path
    offered: frozenset[Path]
    status: str


@dataclass
class Walker:
    """Follows `step.fields` with the facts of one person; `wrong` are facts of the same shape that are not theirs."""

    client: httpx2.AsyncClient
    facts: Facts
    wrong: Facts
    tried: set[str] = field(default_factory=set)  # places that were found to be there, by any walker of a town

    async def journeys(self) -> list[dict[str, Any]]:
        """Return what is open."""
        kinds: list[dict[str, Any]] = await self._ask("GET", "/v1/journeys")
        return kinds

    async def walk(self, journey: str, wanted: Path = ()) -> Ending:
        """Walk a journey, by the ways `wanted` as far as they go and by the first that is offered from there on."""
        path: Path = ()
        offered: set[Path] = set()
        now = await self._ask("POST", "/v1/journeys", {"journey": journey})
        while now.get("status") == "open":
            assert len(path) < STEPS_MAX, (journey, path)
            ways = [now["step"]["name"], *(way["name"] for way in now["other_ways"])]
            offered |= {(*path, way) for way in ways}
            way = wanted[len(path)] if len(path) < len(wanted) else ways[0]
            if way != ways[0]:
                now = await self._answer(now, "choose", {"way": way})
            if now.get("status") != "open":
                break
            assert way == now["step"]["name"]
            path = (*path, way)
            after = await self._take(now)
            if after is None or after.get("version") == now["version"]:
                return Ending(path, frozenset(offered), "stuck")
            now = after
        return Ending(path, frozenset(offered), str(now.get("status", "refused")))

    async def _take(self, now: dict[str, Any]) -> dict[str, Any] | None:
        """Answer a step: first with nothing, a proof then with a wrong fact, at last rightly."""
        step = now["step"]
        if any(asked.get("required", True) for asked in step["fields"]):
            assert now["version"] == (await self._answer(now, step["name"], {}, refused=True))["version"]
        if step["kind"] == "prove":
            now = await self._answer(now, step["name"], await self._fill(step, self.wrong) or {}, refused=True)
        answer = await self._fill(now["step"], self.facts)  # a refusal may ask anew, with another challenge
        return None if answer is None else await self._answer(now, step["name"], answer)

    async def _fill(self, step: dict[str, Any], facts: Facts) -> dict[str, str | bool] | None:
        """Return the answer to a step, or None when this person knows it not."""
        answer: dict[str, str | bool] = {}
        for asked in step["fields"]:
            known = facts.get(asked["name"], _offered(asked))
            if isinstance(known, Authenticator):
                value: str | bool | None = _signed(known, step)
            else:
                value = await known() if callable(known) else known
            if value is None:
                return None
            answer[asked["name"]] = value
        return answer

    async def _answer(
        self, now: dict[str, Any], step: str, answer: dict[str, str | bool], *, refused: bool = False
    ) -> dict[str, Any]:
        body = {"version": now["version"], "step": step, "answer": answer}
        after: dict[str, Any] = await self._ask("POST", f"/v1/journeys/{now['id']}/answers", body, refused=refused)
        return after

    async def _ask(self, method: str, path: str, body: object = None, *, refused: bool | None = None) -> Any:
        """Ask; return the journey, from inside a refusal too. Every refusal has to name ways on that are there."""
        raw = await self.client.request(method, path, json=body)
        assert raw.status_code < 500, raw.text
        if raw.status_code < 400:
            assert not refused, (path, body, raw.text)
            return raw.json()
        assert "application/problem+json" == raw.headers["content-type"]
        problem = raw.json()
        assert problem["remedies"], problem
        await self._try_out([remedy["href"] for remedy in problem["remedies"]])
        return problem.get("journey") or {"status": "refused"}

    async def _try_out(self, places: list[str]) -> None:
        for place in places:
            kind = re.sub(r"[0-9a-f-]{36}", "ID", place)
            if kind in self.tried:
                continue
            self.tried.add(kind)
            page = await self.client.get(place)
            assert page.status_code < 500, place
            assert page.status_code != 404, place


def _signed(key: Authenticator, step: Mapping[str, Any]) -> str | None:
    """Answer what an authenticator is asked: to make a key, or to use the one it has."""
    if "options" not in step["facts"]:
        return None
    options = json.loads(step["facts"]["options"])
    return json.dumps(Authenticator(ORIGIN).create(options) if "user" in options else key.get(options))


def _offered(asked: dict[str, Any]) -> str | None:
    """Return the first thing to choose."""
    return next((option["value"] for option in asked.get("options", ())), None)


@dataclass(frozen=True)
class Situation:
    """In what state a person comes to the door: registered or not, remembered here or not, signed in or not."""

    registered: bool = True
    remembered: bool = False
    level: str | None = None


SITUATIONS = (
    Situation(registered=False),
    Situation(),
    Situation(remembered=True),
    Situation(level="basic"),
    Situation(level="full"),
    Situation(remembered=True, level="full"),
)


@dataclass
class Town:
    """People without end, each of whom came to the door once."""

    bank: Bank
    numbers: count[int] = field(default_factory=lambda: count(1))
    tried: set[str] = field(default_factory=set)

    @cached_property
    def home(self) -> httpx2.AsyncClient:
        """A browser that only looks."""
        return self.bank.visitor().client

    def person(self, number: int) -> Person:
        """Return a person like nobody before; one number serves the card and e-banking."""
        card, document = f"62220209{number:010d}", f"44030819900101{number:03d}"
        phone = f"+86139{number:04d}{number:04d}"  # each in a range of its own
        letters = "".join("abcdefghij"[int(digit)] for digit in f"{number:04d}")
        return replace(
            LI, core_ref=f"W{number}", card=card + luhn.calc_check_digit(card), phone=phone, bound=phone,
            user_name=f"walker{letters}", document_number=document + ric.calc_check_digit(f"{document}?"),
        )  # fmt: skip

    async def walker(self, situation: Situation) -> Walker:
        """Return somebody new in this situation, with all that they know."""
        number = next(self.numbers)
        person = self.person(number)
        await self.bank.settle(person, registered=situation.registered)
        await self.bank.give_document(person, "2040-01-01")
        if situation.registered:
            await self.link(person)
        visitor = self.bank.visitor(peer=(f"198.51.100.{number % 250}", 4711))
        if situation.remembered:
            await self.bank.remember(visitor, person)

        async def code() -> str | None:
            await self.bank.deliver()
            return next((m.code for m in await self.bank.phones.messages(person.phone) if m.code), None)

        async def free_time() -> str | None:
            times = await visitor.client.get(f"/v1/outlets/{HALL.outlet_id}/times", params={"service": "other"})
            return str(times.json()["starts_at"][number])

        async def link() -> str:
            return await stop_link(self.bank, person)

        facts: dict[str, Fact] = {
            "token": link,
            "surname": "王", "outlet": HALL.outlet_id, "service": "other", "starts_at": free_time, "case_number": "",
            "phone": person.phone, "card_number": person.card, "user_name": person.user_name, "name": person.name,
            "document_type": person.document_type, "document_number": person.document_number, "code": code,
            "password": person.password, "card_pin": person.pin, "new_user_name": f"new.{person.user_name}",
            "expires_on": "2040-01-01", "issued_on": "", "long_term": False,
            "provider": "wechat", "attribute": "region", "value": "杭州",
            "new_password": "nine lanterns over 4 rivers", "remember_device": True,
        }  # fmt: skip
        wrong = facts | {"code": "000001", "password": "not mine", "card_pin": "000001"}
        if situation.registered:
            facts["credential"] = await self.passkey(person)
        facts |= {"passkey_name": "mine"}
        wrong |= {"credential": "{}", "passkey_name": "mine"}
        walker = Walker(visitor.client, facts, wrong, self.tried)
        if situation.level is not None:
            await self.sign_in(walker, situation.level)
        return walker

    async def passkey(self, person: Person) -> Authenticator:
        """Let somebody have had a passkey for two days."""
        key, customer_id = Authenticator(ORIGIN), self.bank.customer_id(person)
        key.create({"user": {"id": b64(UUID(customer_id).bytes)}, "rp": {"id": "login.bank.test"}, "challenge": ""})
        row = PasskeyRow(
            customer_id=customer_id, passkey_id=new_id(), credential_id=key.credential_id, public_key=key.public,
            sign_count=0, is_synced_kind=False, is_backed_up=False, name="", agent="test",
            created_at=self.bank.clock.now() - 2 * 86400, used_at=0,
        )  # fmt: skip
        async with self.bank.house.store.begin() as tx:
            await tx.passkeys.insert(row, digest_of(self.bank.keys, key.credential_id))
        return key

    async def link(self, person: Person) -> None:
        """Let the person have linked WeChat and agreed to their region, which it does not tell."""
        who, now = self.bank.customer_id(person), self.bank.clock.now()
        account = SocialAccount(
            customer_id=who, provider=Provider.WECHAT, names=(person.core_ref,), linked_at=now, used_at=now
        )
        async with self.bank.house.store.begin() as tx:
            await tx.social.link(account, (self.bank.keys.digest("social", person.core_ref),))
            await tx.consents.give(who, Purpose.WECHAT_REGION, "v1", now)

    async def sign_in(self, walker: Walker, level: str) -> None:
        """Walk the first journey that opens such a session for somebody who has none and is registered."""
        kinds = [k for k in await walker.journeys() if k["session"] == level and "session" not in k["who"]]
        endings = [await walker.walk(kind["journey"]) for kind in kinds if "phone" in kind["who"]]
        assert "done" in {ending.status for ending in endings}
        self.bank.clock.turn(61)  # the next code may be sent

    async def explore(self, journey: str, situation: Situation) -> list[Ending]:
        """Walk a journey along every way that is offered, each time as somebody new."""
        endings: list[Ending] = []
        walked: set[Path] = {()}
        ahead: list[Path] = [()]
        while ahead:
            ending = await (await self.walker(situation)).walk(journey, ahead.pop())
            endings.append(ending)
            walked |= {ending.path[:n] for n in range(len(ending.path) + 1)}
            new = ending.offered - walked
            walked |= new
            ahead += sorted(new)
        return endings


@pytest.fixture
async def town(bank: Bank) -> Town:
    await put_outlet(bank)
    return Town(bank)


@pytest.mark.slow
async def test_every_open_journey_ends_well_by_every_way(town: Town) -> None:
    """Whatever is offered on the way, somebody gets through by it; nothing is a wall, and no answer is a failure."""
    onlooker = Walker(town.home, {}, {})
    ended: dict[str, list[Ending]] = defaultdict(list)
    kinds = {kind["journey"]: kind for kind in await onlooker.journeys()}
    for journey in kinds:
        for situation in SITUATIONS:
            ended[journey] += await town.explore(journey, situation)

    assert kinds
    for journey, endings in ended.items():
        done = {ending.path[:n] for ending in endings if ending.status == "done" for n in range(len(ending.path) + 1)}
        assert done, f"nobody gets through {journey}"
        assert set() == {path for ending in endings for path in ending.offered} - done, journey
        assert {"done", "refused", "stuck"} >= {ending.status for ending in endings}


async def test_every_who_of_a_journey_is_offered(town: Town) -> None:
    """Who begins a journey without saying who they are is offered exactly the ways that the list names."""
    onlooker = Walker(town.home, {}, {})
    for kind in await onlooker.journeys():
        ending = await (await town.walker(Situation())).walk(kind["journey"])
        offered = {path[0] for path in ending.offered if len(path) == 1}
        assert set(kind["who"]) - {"session"} == offered, kind
