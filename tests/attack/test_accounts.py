"""ACL-01, ACL-02, ACL-03: every address that shows money, against everybody who may not see it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from sqlalchemy import select
from starlette.routing import Route

from foregate.doors.api import accounts as api
from foregate.doors.pages import accounts as pages
from foregate.doors.pages import statements
from foregate.ports.accounts import Account, Wanted
from foregate.ports.exports import Alerts, Export, Format
from foregate.rules import limits
from foregate.rules.staff import Role
from foregate.store.every_table import metadata
from foregate.store.statements import Statement
from tests.bank import CHEN, LI, ORIGIN, WANG, Bank, Visitor
from tests.money import open_account, told
from tests.staff import Console, hire

pytestmark = [pytest.mark.anyio, pytest.mark.attack]

SECRETS = ("许知远", "300.00", "8888.88", "4711", "0018")
# Whoever is signed in whole sees these, and finds their own things there: no id stands in the address.
ONE_S_OWN = {"/v1/accounts", "/accounts", "/alerts"}
FORMS: dict[str, dict[str, str]] = {
    "/alerts": {"money_in": "yes"},
    "/accounts/{account_id}/statements": {"dateFrom": "2027-01-01", "dateTo": "2027-01-05", "format": "csv"},
}


@dataclass(frozen=True)
class Place:
    """One address as somebody asks it."""

    method: str
    pattern: str
    path: str

    @property
    def form(self) -> dict[str, str]:
        return FORMS[self.pattern]


@dataclass
class Town:
    """Li has money, an entry and a file; Wang has an account too; each of the others is somebody else."""

    bank: Bank
    account: Account
    ids: dict[str, str]

    def places(self, **changed: str) -> Iterator[Place]:
        """Every address of the three modules; `changed` ids stand in it instead of Li's."""
        for route in (*api.routes(), *pages.routes(), *statements.routes()):
            assert isinstance(route, Route)
            assert route.methods is not None
            if route.path == "/accounts/hide":
                continue  # shows nothing: it is a cookie
            for method in route.methods - {"HEAD"}:
                yield Place(method, route.path, route.path.format(**self.ids | changed))

    async def ask(self, visitor: Visitor, place: Place) -> Any:
        """Ask as a browser or an app would."""
        more: dict[str, Any] = {"data": place.form} if place.method == "POST" else {}
        return await visitor.client.request(place.method, place.path, **more)


@pytest.fixture
async def town(bank: Bank, monkeypatch: pytest.MonkeyPatch) -> Town:
    """Yield the town."""
    monkeypatch.setattr(limits, "EXPORTS_PER_MINUTE", limits.Limit(10**6, "files", "this test asks for more"))
    monkeypatch.setattr(limits, "ACCOUNT_LOOKS_PER_MINUTE", limits.Limit(10**6, "looks", "as above"))
    account = await open_account(
        bank, LI, told("2027-01-01", "8888.88", "江南纸鸢"), told("2027-01-03", "300.00", "许知远")
    )
    await open_account(bank, WANG, told("2027-01-03", "1.00", "别人"))
    now, customer_id = bank.clock.now(), bank.customer_id(LI)
    export = Export(
        export_id="01890000-0000-7000-8000-000000000001", customer_id=customer_id, core_ref=LI.core_ref,
        account_id=account.account_id, format=Format.CSV, language="zh", date_from="2027-01-01", date_to="2027-01-05",
        created_at=now, next_at=now, expires_at=now + limits.EXPORT_SECONDS,
    )  # fmt: skip
    async with bank.house.store.begin() as tx:
        await tx.exports.put(export)
        page = await bank.house.world.accounts.entries(account, Wanted(), None, 9)
    await bank.house.exports.once()
    entry_id = page.entries[0].entry_id
    ids = {"account_id": account.account_id, "entry_id": entry_id, "transaction_id": entry_id}
    return Town(bank, account, ids | {"export_id": export.export_id})


async def who(bank: Bank, kind: str) -> Visitor:
    """Return a browser of this kind."""
    visitor = bank.visitor(headers={"Origin": ORIGIN})
    if kind == "basic":
        await visitor.sign_in_basic(LI)
    elif kind != "nobody":
        await visitor.sign_in({"owner": LI, "other": WANG, "without": CHEN}[kind])
    return visitor


def leaks(text: str) -> list[str]:
    """Return what of Li's money stands in an answer."""
    return [secret for secret in SECRETS if secret in text]


async def test_acl_01_the_owner_sees_it_all(town: Town) -> None:
    """The other tests mean something: every address answers its owner."""
    owner = await who(town.bank, "owner")
    for place in town.places():
        answer = await town.ask(owner, place)
        assert (place, True) == (place, answer.status_code in (200, 303))


@pytest.mark.parametrize("kind", ["other", "without"])
async def test_acl_01_what_is_not_yours_is_not_there(town: Town, kind: str) -> None:
    """404 for another customer's ids, and byte for byte what an id that nobody has gets."""
    visitor = await who(town.bank, kind)
    nobodys = dict.fromkeys(("account_id", "export_id"), "01890000-0000-7000-8000-00000000000f")
    for place, missing in zip(town.places(), town.places(**nobodys), strict=True):
        answer = await town.ask(visitor, place)
        assert (place, []) == (place, leaks(answer.text))
        if place.pattern not in ONE_S_OWN:
            absent = await town.ask(visitor, missing)
            assert (place, 404, 404) == (place, answer.status_code, absent.status_code)
            assert _bare(answer.text) == _bare(absent.text)


def _bare(text: str) -> str:
    """Leave out what differs with every answer: the reference for support, and the address itself."""
    return re.sub(r"0189[0-9a-f-]+|[0-9a-f]{8}-[0-9a-f-]{27,}|[0-9a-f]{10}", "", text)


@pytest.mark.parametrize(
    ("kind", "status", "cause"), [("nobody", 401, "not-signed-in"), ("basic", 403, "needs-full-session")]
)
async def test_acl_03_half_a_sign_in_shows_no_money(town: Town, kind: str, status: int, cause: str) -> None:
    """Every address refuses, whether the ids are right or not, and says how to complete it."""
    visitor = await who(town.bank, kind)
    for place in (*town.places(), *town.places(account_id="nobodys", export_id="nobodys")):
        answer = await town.ask(visitor, place)
        assert (place, status) == (place, answer.status_code)
        assert (place, []) == (place, leaks(answer.text))
        if place.path.startswith("/v1"):
            assert cause == answer.json()["cause"]
            remedy = "finish-sign-in" if kind == "basic" else "sign-in"
            assert remedy == answer.json()["remedies"][0]["journey"]
        elif kind == "basic":
            assert 'href="/finish-sign-in"' in answer.text
    async with town.bank.house.store.begin() as tx:
        assert await tx.alerts.of(town.bank.customer_id(LI)) is None
        assert 1 == len(await tx.exports.of(town.bank.customer_id(LI), town.bank.clock.now()))


async def test_acl_01_staff_see_no_money(town: Town) -> None:
    """Whoever is signed in at the console is nobody here: another cookie, another house."""
    console = Console(town.bank)
    hired = await hire(town.bank, "curious", Role.AUDITOR)
    assert 303 == (await console.sign_in(hired)).status
    assert console.token
    console.client.headers["Origin"] = ORIGIN
    visitor = Visitor(town.bank, console.client)
    for place in town.places():
        answer = await town.ask(visitor, place)
        assert (place, 401, []) == (place, answer.status_code, leaks(answer.text))


async def test_acl_01_hostile_ids_find_nothing(town: Town) -> None:
    """No address makes the database stumble, and none finds a way around the owner."""
    visitor = await who(town.bank, "other")
    mine = f"{town.account.account_id}%00"
    for hostile in ("%00", "..%5C", "'%20OR%201=1--", "%F0%9F%92%B0", "A" * 200, "9" * 40, "-1", mine):
        for place in town.places(account_id=hostile, entry_id=hostile, transaction_id=hostile, export_id=hostile):
            if place.pattern not in ONE_S_OWN:
                assert (place, 404) == (place, (await town.ask(visitor, place)).status_code)


async def test_acl_01_an_entry_belongs_to_its_account(town: Town) -> None:
    """One's own account opens no entry of another one."""
    visitor = await who(town.bank, "other")
    (mine,) = (await visitor.get("/v1/accounts")).body["accounts"]
    answer = await visitor.get(f"/v1/accounts/{mine['account']['accountId']}/transactions/{town.ids['entry_id']}")
    assert (404, []) == (answer.status, leaks(answer.raw.text))


async def test_acl_02_mass_assignment_changes_nobody_else(town: Town) -> None:
    """Whoever names another customer in a form has chosen for themselves."""
    visitor = await who(town.bank, "other")
    form = {"money_in": "yes", "customer_id": town.bank.customer_id(LI), "core_ref": LI.core_ref}
    await visitor.client.post("/alerts", data=form)
    async with town.bank.house.store.begin() as tx:
        assert await tx.alerts.of(town.bank.customer_id(LI)) is None
        wangs = await tx.alerts.of(town.bank.customer_id(WANG))
    assert Alerts(customer_id=town.bank.customer_id(WANG), money_in=True, language="zh") == wangs


async def test_dat_01_a_file_is_sealed_where_it_lies(town: Town) -> None:
    """DAT-01: neither names nor amounts stand in the table in clear."""
    table = metadata.tables["account_export"]
    async with town.bank.house.store.database.snapshot() as connection:
        rows = await connection.all(Statement(select(table)))
    (row,) = rows
    assert row["status"] == "ready"
    for secret in (*SECRETS, LI.core_ref):
        assert secret.encode() not in row["body_sealed"] + row["core_ref_sealed"]
