"""A bank to test with: a real house over a real database, a clock to turn, phones to read, visitors to send.

bank = await open_bank(database_url)
visitor = bank.visitor()
await visitor.start("sign-in-basic", "phone", phone=LI.phone)
await visitor.answer(code=await bank.code(LI.phone))
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field, replace
from typing import Any

import httpx2
import msgspec
from sqlalchemy import bindparam, select

from foregate import bootstrap
from foregate.desk.identify import customer_id_of
from foregate.gateways.sms.simulated import SimulatedPhones
from foregate.ids import new_id
from foregate.ports import Customer, DeviceRow
from foregate.rules.documents import Document
from foregate.settings import Settings
from foregate.store.keyring import Keys
from foregate.store.statements import Statement
from foregate.store.tables import audit_event, outbox
from foregate.tokens import Token
from tests import ready

ORIGIN = "https://login.bank.test"
NOW = 1_800_000_000  # 2027-01-15: the holidays of two years are near, and no test depends on today


@dataclass(frozen=True)
class Person:
    """Facts about one fictional person, as they would know them. `bound` is the number bound to the card."""

    core_ref: str
    name: str
    card: str
    pin: str
    bound: str
    phone: str
    user_name: str
    password: str
    document_number: str
    document_type: str = "RESIDENT_ID"
    birth_date: str = "1990-01-01"
    document_expires_on: str | None = None


LI = Person(
    "C001", "李小明", "6222020000000000018", "274913", "+8613800138000", "+8613800138000", "lixiaoming",
    "correct horse 8 battery", "440308199901101512", birth_date="1999-01-10",
)  # fmt: skip
WANG = Person(
    "C002", "王芳", "6222020000000000026", "580264", "+8613911112222", "+8613700001111", "wangfang88",
    "staple gun 4 evening", "11010519491231002X", birth_date="1949-12-31",
)  # fmt: skip
CHEN = replace(
    LI, core_ref="C003", name="陈晨", card="6222020000000000034", pin="917350", bound="+8613600009999",
    phone="+8613600009999", user_name="chenchen", document_number="11010119900307109X", birth_date="1990-03-07",
)  # fmt: skip


@dataclass
class Clock:
    """A clock that a test turns."""

    at: int = NOW

    def now(self) -> int:
        """Seconds since 1970."""
        return self.at

    def turn(self, seconds: int) -> None:
        """Let time pass, or run back."""
        self.at += seconds


@dataclass
class Answer:
    """What the bank answered: status, body, and the raw response."""

    status: int
    body: dict[str, Any]
    raw: httpx2.Response

    @property
    def cause(self) -> str | None:
        """The refusal's cause."""
        return self.body.get("cause")

    @property
    def journey(self) -> dict[str, Any]:
        """The journey, in a refusal too."""
        found = self.body.get("journey") if "cause" in self.body else self.body
        return found if isinstance(found, dict) else {}

    @property
    def step(self) -> str | None:
        """What is asked now."""
        step = self.journey.get("step")
        return step["name"] if step else None

    @property
    def remedies(self) -> list[str]:
        """Ways that work."""
        return [remedy["journey"] for remedy in self.body.get("remedies", [])]


@dataclass
class Visitor:
    """One browser, with its cookies and the journey it is on."""

    bank: Bank
    client: httpx2.AsyncClient
    last: Answer | None = None
    headers: dict[str, str] = field(default_factory=dict)

    async def start(self, journey: str, step: str | None = None, **answer: Any) -> Answer:
        """Begin a journey, and answer its first step."""
        body: dict[str, Any] = {"journey": journey}
        if step is not None:
            body |= {"step": step, "answer": answer}
        return await self._keep(await self.client.post("/v1/journeys", json=body, headers=self.headers))

    async def answer(self, step: str | None = None, key: str | None = None, **answer: Any) -> Answer:
        """Answer the step that is asked, or the one named."""
        assert self.last is not None
        journey = self.last.journey
        body = {"version": journey["version"], "step": step or self.last.step, "answer": answer}
        headers = self.headers | ({"Idempotency-Key": key} if key else {})
        return await self._keep(
            await self.client.post(f"/v1/journeys/{journey['id']}/answers", json=body, headers=headers)
        )

    async def look(self) -> Answer:
        """See where the journey stands."""
        assert self.last is not None
        return await self._keep(await self.client.get(f"/v1/journeys/{self.last.journey['id']}", headers=self.headers))

    async def get(self, path: str) -> Answer:
        """Read a page of the API."""
        raw = await self.client.get(path, headers=self.headers)
        return Answer(raw.status_code, {"list": raw.json()} if raw.text.startswith("[") else raw.json(), raw)

    async def _keep(self, raw: httpx2.Response) -> Answer:
        answer = Answer(raw.status_code, raw.json(), raw)
        if answer.journey:
            self.last = answer
        await self.bank.deliver()
        return answer

    # ------------------------------------------------------------ whole journeys

    async def sign_in_basic(self, person: Person) -> Answer:
        """Sign in by phone and code."""
        await self.start("sign-in-basic", "phone", phone=person.phone)
        return await self.answer(code=await self.bank.code(person.phone))

    async def sign_in(self, person: Person) -> Answer:
        """Sign in whole: phone, code, password."""
        await self.start("sign-in", "phone", phone=person.phone)
        await self.answer(code=await self.bank.code(person.phone))
        return await self.answer(password=person.password)

    async def level(self) -> str | None:
        """The level of this browser's session; None: not signed in."""
        answer = await self.get("/v1/session")
        return answer.body.get("level") if answer.status == 200 else None


@dataclass
class Bank:
    """A house, its clock and its phones."""

    house: bootstrap.Foregate
    clock: Clock
    phones: SimulatedPhones
    keys: Keys
    visitors: list[Visitor] = field(default_factory=list)

    def visitor(self, **options: Any) -> Visitor:
        """A browser that was never here before."""
        transport = httpx2.ASGITransport(app=self.house.app, client=options.pop("peer", ("203.0.113.7", 4711)))
        client = httpx2.AsyncClient(transport=transport, base_url=ORIGIN, **options)
        visitor = Visitor(self, client)
        self.visitors.append(visitor)
        return visitor

    async def deliver(self) -> None:
        """Let the messages that are due go out."""
        await self.house.dispatcher.dispatch()

    async def code(self, phone: str) -> str:
        """Read the newest code on a phone."""
        await self.deliver()
        codes = [message.code for message in await self.phones.messages(phone) if message.code]
        assert codes, f"no code arrived on {phone}"
        return codes[0]

    async def texts(self, phone: str) -> list[str]:
        """Read what lies on a phone, the newest first."""
        await self.deliver()
        return [message.text for message in await self.phones.messages(phone)]

    async def wrong_code(self, phone: str) -> str:
        """A code of the right shape that is not the newest one."""
        right = await self.code(phone)
        return f"{(int(right) + 1) % 10**6:06d}" if right.isdigit() else right[:-1] + ("0" if right[-1] != "0" else "1")

    async def settle(self, *people: Person, registered: bool = True) -> None:
        """Let people hold their cards, and be registered for e-banking."""
        with ready.known_hashes(self.house.hasher, self.keys):
            for person in people:
                await self._settle(person)
                if registered:
                    await self.register(person)

    async def _settle(self, person: Person) -> None:
        await self.house.core.put_person(
            core_ref=person.core_ref,
            name=person.name,
            birth_date=person.birth_date,
            document_type=person.document_type,
            document_number=person.document_number,
            document_expires_on=person.document_expires_on,
        )
        await self.house.core.put_card(
            core_ref=person.core_ref, card_number=person.card, card_pin=person.pin, bound_phone=person.bound
        )

    async def give_document(
        self, person: Person, expires_on: str | None, number: str | None = None, issued_on: str | None = None
    ) -> None:
        """Let the registry know a document of this person's: the one they hold, or another number."""
        document = Document(
            name=person.name,
            document_type=person.document_type,
            number=number or person.document_number,
            expires_on=expires_on,
            issued_on=issued_on,
        )
        await self.house.registry.put(person.core_ref, document)

    async def register(self, person: Person) -> None:
        """Write a customer as the act `register` would."""
        customer = Customer(
            customer_id=self.customer_id(person),
            core_ref=person.core_ref,
            name=person.name,
            phone=person.phone,
            user_name=person.user_name,
            password_hash=await self.house.hasher.hash(person.password),
            created_at=self.clock.now(),
            last_sign_in_at=self.clock.now(),
        )
        logins = {
            "phone": self.keys.digest("phone", person.phone),
            "user_name": self.keys.digest("user_name", person.user_name),
        }
        async with self.house.store.begin() as tx:
            await tx.customers.insert(customer, logins)

    async def remember(self, visitor: Visitor, person: Person) -> str:
        """Remember a browser for a person; return the device's id."""
        token = Token(self.customer_id(person), new_id(), b"d" * 32)
        device = DeviceRow(
            customer_id=token.customer_id, device_id=token.id, secret_digest=token.digest, agent="test",
            created_at=self.clock.now(), seen_at=self.clock.now(),
        )  # fmt: skip
        async with self.house.store.begin() as tx:
            await tx.devices.insert(device)
        visitor.client.cookies.set("__Host-device", token.text(), domain="login.bank.test", path="/")
        return token.id

    def customer_id(self, person: Person) -> str:
        """The person's id in Foregate."""
        return customer_id_of(self.keys, person.core_ref)

    async def events(self, person: Person) -> list[str]:
        """The kinds of audit events on a person's chain, oldest first."""
        chain = self.customer_id(person)
        query = select(audit_event.c.kind).where(audit_event.c.chain == bindparam("who")).order_by(audit_event.c.seq)
        async with self.house.store.database.snapshot() as connection:
            return [row["kind"] for row in await connection.all(Statement(query), who=chain)]

    async def messages_about(self, person: Person) -> list[str]:
        """The templates of every message to a person, in any state."""
        query = select(outbox.c.template).where(outbox.c.customer_id == bindparam("who"))
        async with self.house.store.database.snapshot() as connection:
            return [row["template"] for row in await connection.all(Statement(query), who=self.customer_id(person))]

    async def close(self) -> None:
        """Close everything."""
        for visitor in self.visitors:
            await visitor.client.aclose()
        await self.house.close()


async def open_bank(
    database: str,
    *,
    keys: Keys | None = None,
    run: dict[str, Any] | None = None,
    parts: dict[str, Any] | None = None,
    **changes: Any,
) -> Bank:
    """Open a bank over a database, which is made ready first. `changes` are settings, `parts` stand in for others."""
    await asyncio.to_thread(ready.make, database)
    clock, keys = Clock(), keys or ready.keys()
    settings = Settings(
        origin=ORIGIN, database=database, bank_name="测试银行", hotline="95000", text_us_number="1069", is_demo=True
    )
    # Whether there are models on this machine is no test's business but those about faces.
    settings = msgspec.structs.replace(settings, **{"face_models": "no-models"} | changes)
    phones = SimulatedPhones(clock)
    parts = {"gateway": phones} | (parts or {})
    house = await bootstrap.build(settings, clock=clock, keys=keys, run=run, **parts)
    return Bank(house, clock, phones, keys)
