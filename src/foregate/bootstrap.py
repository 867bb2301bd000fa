"""The only place that builds things: settings in, a house with open doors out."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import structlog
from starlette.routing import BaseRoute
from starlette.types import ASGIApp

from foregate.accounts.exports import ExportMaker
from foregate.acts import (
    ActKind,
    book_appointment,
    close_permission,
    devices,
    end_sessions,
    open_session,
    passkeys,
    register,
    renew_document,
    renew_face,
    reopen,
    set_password,
    social,
)
from foregate.acts.by_proposal import ByProposal
from foregate.acts.tell_expiry import ExpiryNotices
from foregate.counter.counter import Counter
from foregate.counter.guessing import GuessWatch
from foregate.counter.spending import SpendingWatch
from foregate.desk.accounts import MyAccounts
from foregate.desk.bookings import Bookings
from foregate.desk.desk import Desk
from foregate.desk.linked import Linked
from foregate.desk.network import NetworkCheck
from foregate.desk.sessions import Sessions
from foregate.desk.statements import Statements
from foregate.desk.status import Status
from foregate.desk.turn import House
from foregate.desk.ways import MyWays
from foregate.desk.wishes import Wishes
from foregate.doors import app as doors
from foregate.doors.cookies import Cookies
from foregate.doors.pages.paper import paper_of
from foregate.doors.text import catalog
from foregate.gateways.core_bank.accounts import EmbeddedAccounts
from foregate.gateways.core_bank.embedded import EmbeddedCoreBank
from foregate.gateways.document_registry.embedded import EmbeddedRegistry
from foregate.gateways.hashing import Argon2Hasher, which_build
from foregate.gateways.inbox import Inbox
from foregate.gateways.numbers.opened import open_numbers
from foregate.gateways.paper import PdfPrinter
from foregate.gateways.sms import Postman, SmsGateway
from foregate.gateways.sms.opened import open_gateway
from foregate.gateways.sms.simulated import SimulatedPhones
from foregate.gateways.social.opened import open_pictures, open_providers
from foregate.gateways.throttle import RequestThrottle
from foregate.outlets.counter_hours import CounterHours
from foregate.outlets.upkeep import Upkeep
from foregate.passkey_site import Site
from foregate.ports import Clock
from foregate.ports.accounts import Accounts
from foregate.ports.face import FaceEngine
from foregate.proofs import ProofKind, card_pin, face, held, passkey, password, permit, phone_code
from foregate.rules import limits
from foregate.rules.journeys import BUILT, BUILT_WITH_FACE, JOURNEYS, Built, Table, with_face
from foregate.rules.policy import POLICY, Policy
from foregate.rules.verdict import Rules
from foregate.settings import BadSettings, Settings, refuse_bad_map, refuse_weak, secret_of
from foregate.sim_swap_settings import REFUSE
from foregate.situation import World
from foregate.store.anchors import refuse_behind
from foregate.store.durability import DurabilityWatch
from foregate.store.janitor import Janitor
from foregate.store.keyring import Keys, load_keys
from foregate.store.outbox import Dispatcher
from foregate.store.postgres import open_postgres
from foregate.store.sealer import Sealer
from foregate.store.sqlite import open_sqlite
from foregate.store.unit_of_work import SqlStore
from foregate.symbols import code_of

log = structlog.get_logger("foregate")

# A new way to sign in is a module here, and a mention in the table.
PROOFS: tuple[ProofKind, ...] = (phone_code, password, card_pin, passkey, permit, face)
ACTS: tuple[ActKind, ...] = (
    open_session,
    register,
    reopen,
    set_password,
    renew_document,
    renew_face,
    renew_face.WITHDRAW,
    close_permission,
    end_sessions.END,
    end_sessions.END_ALL,
    end_sessions.REVOKE,
    devices.REMEMBER,
    devices.FORGET,
    passkeys.ADD,
    passkeys.REMOVE,
    passkeys.RENAME,
    book_appointment,
    *social.KINDS,
)


class SystemClock:
    """The machine's clock. Fits `ports.Clock`."""

    def now(self) -> int:
        """Seconds since 1970."""
        return int(time.time())


@dataclass(slots=True)
class Foregate:
    """A house with open doors. `app` is served; the rest is for the command line, the demo and the tests."""

    settings: Settings
    world: World
    store: SqlStore
    keys: Keys
    desk: Desk
    counter: Counter
    core: EmbeddedCoreBank
    registry: EmbeddedRegistry
    hasher: Argon2Hasher
    gateway: SmsGateway
    postman: Postman
    dispatcher: Dispatcher
    sealer: Sealer
    janitor: Janitor
    durability: DurabilityWatch
    upkeep: Upkeep
    guesses: GuessWatch
    spending: SpendingWatch
    notices: ExpiryNotices
    printer: PdfPrinter
    exports: ExportMaker
    inbox: Inbox
    throttle: RequestThrottle
    app: ASGIApp = field(init=False)

    async def close(self) -> None:
        """Let go of everything."""
        await self.throttle.close()
        await self.gateway.close()
        await self.world.accounts.close()
        self.hasher.close()
        self.printer.close()
        if self.world.faces is not None:
            self.world.faces.close()
        for provider in self.world.social.values():
            await provider.close()
        if self.world.pictures is not None:
            await self.world.pictures.close()
        if self.world.numbers is not None:
            await self.world.numbers.close()
        await self.store.close()


def tables(
    journeys: Table = JOURNEYS,
    policy: Policy = POLICY,
    built: Built = BUILT,
    proofs: tuple[ProofKind, ...] = PROOFS,
    acts: tuple[ActKind, ...] = ACTS,
) -> dict[str, Any]:
    """Return the tables and kinds that a house runs; a test may add a row and a proof."""
    return {
        "journeys": journeys,
        "policy": policy,
        "built": built,
        "proofs": {kind.PROOF.name: kind for kind in proofs},
        "acts": {name: kind for kind in acts for name in kind.ACTS},
    }


async def build(
    settings: Settings,
    *,
    clock: Clock | None = None,
    gateway: SmsGateway | None = None,
    run: Mapping[str, Any] | None = None,
    routes: tuple[BaseRoute, ...] = (),
    keys: Keys | None = None,
    state: Mapping[str, Any] | None = None,
    there: Mapping[str, Any] | None = None,
) -> Foregate:
    """Build a house. Raises BadSettings when it would be weak; the demo alone may be.

    `there` stands in for what `providers` opens.
    """
    (refuse_bad_map if settings.is_demo else refuse_weak)(settings)
    _read_texts(settings)
    clock = clock or SystemClock()
    keys = keys or load_keys(Path(settings.keys_file))
    store = await _open_up_to_date(settings, keys, clock)
    hasher = Argon2Hasher(keys)
    core = EmbeddedCoreBank(store, keys, hasher)
    registry = EmbeddedRegistry(store, keys, clock)
    faces, accounts = open_faces(settings), _accounts(settings, store, clock)
    outside = there or providers(settings, clock)
    run = run or (tables(with_face(JOURNEYS), built=BUILT_WITH_FACE) if faces else tables())
    rules = Rules(run["journeys"], run["built"])
    spending = SpendingWatch(store, clock, settings.messages_per_day)
    world = World(
        store, clock, keys, hasher, core, registry, Site.of(settings), rules, accounts, faces, messages=spending,
        **outside,
    )  # fmt: skip
    desk = Desk(House(world=world, **run))
    inbox = Inbox(store, keys, clock)
    gateway = gateway or open_gateway(settings, inbox.take)
    postman = Postman(gateway, catalog.text, lambda nonce, is_long: code_of(keys, nonce, is_long), _facts(settings))
    house = Foregate(
        settings=settings,
        world=world,
        store=store,
        keys=keys,
        desk=desk,
        counter=Counter(world, CounterHours(store), ByProposal(world), held.of_customer, rules),
        core=core,
        registry=registry,
        hasher=hasher,
        gateway=gateway,
        postman=postman,
        dispatcher=Dispatcher(store, postman.deliver, note=spending.note),
        sealer=Sealer(store, anchor=Path(settings.audit_anchor) if settings.audit_anchor else None),
        janitor=Janitor(store),
        durability=DurabilityWatch(store),
        upkeep=Upkeep(world),
        guesses=GuessWatch(world),
        spending=spending,
        notices=ExpiryNotices(world),
        printer=(printer := PdfPrinter()),
        exports=ExportMaker(world, catalog.text, paper_of(settings), printer),
        inbox=inbox,
        throttle=RequestThrottle(settings.valkey),
    )
    if isinstance(gateway, SimulatedPhones):
        gateway.on_text = house.inbox.take
    parts = _parts(house) | dict(state or {})
    _, house.app = doors.build(settings, parts, lambda app: _running(house), routes)
    return house


def _read_texts(settings: Settings) -> None:
    """Read the bank's own texts besides ours. Raises BadSettings, which names the keys, when they are not complete."""
    try:
        catalog.look_in(*([Path(settings.texts_folder)] if settings.texts_folder else []))
    except catalog.BadTexts as bad:
        raise BadSettings(f"texts_folder: {bad}") from None


def _parts(house: Foregate) -> dict[str, Any]:
    """Return what the doors open on, by the names under which they ask for it."""
    settings, world = house.settings, house.world
    return {
        "desk": house.desk,
        "counter": house.counter,
        "sessions": Sessions(world),
        "linked": Linked(world),
        "bookings": Bookings(world),
        "wishes": Wishes(house.desk),
        "accounts": (accounts := MyAccounts(world)),
        "statements": Statements(world, accounts, house.exports),
        "printer": house.printer,
        "ways": MyWays(world),
        "durability": house.durability,
        "network": NetworkCheck(world),
        "status": Status(world),
        "cookies": Cookies(settings, house.keys),
        "throttle": house.throttle,
        "inbox": house.inbox,
        "inbound_secret": secret_of(settings.inbound_secret_file),
        "metrics_token": secret_of(settings.metrics_token_file),
        "proxies": settings.trusted_proxies,
    }


def open_faces(settings: Settings) -> FaceEngine | None:
    """Open the engine that looks at faces. None where its packages or its models are not: face is not open then."""
    from foregate.gateways.face import lock
    from foregate.gateways.face.engine import Engine

    folder = Path(settings.face_models) if settings.face_models else lock.default_folder()
    try:
        return Engine(folder)
    except ModuleNotFoundError as missing:
        log.info("face is not open", why=f"{missing.name} is not installed: install foregate[face]")
        return None
    except lock.ModelsMissing as missing:
        log.info("face is not open", why=str(missing))
        return None


def providers(settings: Settings, clock: Clock) -> dict[str, Any]:
    """Return who is asked outside, as far as they are set up: WeChat, Alipay and their pictures; the networks."""
    social = open_providers(settings, clock)
    return {
        "social": social,
        "pictures": open_pictures(settings) if social else None,
        "numbers": open_numbers(settings, clock),
        "trusts_unknown_numbers": settings.sim_swap_unknown != REFUSE,
    }


async def open_store(
    settings: Settings, keys: Keys, clock: Clock, *, wait_seconds: float = limits.DATABASE_WAIT_SECONDS
) -> SqlStore:
    """Open the database that the settings name."""
    if settings.database.startswith("sqlite:///"):
        path = Path(settings.database.removeprefix("sqlite:///"))
        return await open_sqlite(path, keys, clock, wait_seconds=wait_seconds)
    return await open_postgres(settings.database, keys, clock, pool_size=settings.pool_size, wait_seconds=wait_seconds)


async def _open_up_to_date(settings: Settings, keys: Keys, clock: Clock) -> SqlStore:
    """Open the database that people will come to. Raises BehindItsAnchor when it was restored, and nothing ended."""
    store = await open_store(settings, keys, clock)
    if not settings.audit_anchor:
        return store
    try:
        await refuse_behind(store.database, keys, Path(settings.audit_anchor))
    except OSError as unreadable:
        # It is another machine's disk: that one is away must not keep a bank shut.
        log.warning("whether the database lies behind is not known", why=f"the audit anchor: {unreadable.strerror}")
    except BaseException:
        await store.close()
        raise
    return store


@asynccontextmanager
async def _running(house: Foregate) -> AsyncIterator[None]:
    """While the application is served: messages go out, heads are sealed, the janitor sweeps."""
    log.info(
        "open", origin=house.settings.origin, hashing=which_build(), face="open" if house.world.faces else "not open"
    )
    workers = [
        house.dispatcher,
        house.sealer,
        house.janitor,
        house.durability,
        house.upkeep,
        house.guesses,
        house.spending,
        house.notices,
        house.exports,
        *house.store.loops,
    ]
    await house.gateway.open()
    tasks = [asyncio.create_task(worker.run()) for worker in workers]
    try:
        yield
    finally:
        await asyncio.gather(*(worker.stop() for worker in workers if worker is not house.spending))
        await house.spending.stop()  # last, for the dispatcher sends to its end
        await asyncio.wait(tasks, timeout=10)
        await house.close()


def _accounts(settings: Settings, store: SqlStore, clock: Clock) -> Accounts:
    """Return whatever knows the accounts: the embedded ledger, or a bank that the settings name."""
    if not settings.fineract:
        return EmbeddedAccounts(store, clock)
    from foregate.gateways.core_bank.fineract import FineractAccounts

    secret = secret_of(settings.fineract_secret_file)
    return FineractAccounts(settings.fineract, settings.fineract_tenant, secret, clock, bank=settings.bank_name)


def _facts(settings: Settings) -> dict[str, str]:
    return {"bank": settings.bank_name, "hotline": settings.hotline, "host": settings.host, "origin": settings.origin}
