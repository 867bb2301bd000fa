"""The console's doors: every address and every role against a table written by hand, and hostile words made inert."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from foregate.doors.console.routes import ENTRIES
from foregate.ids import new_id
from foregate.ports import DeviceRow
from foregate.ports.counter import Role
from foregate.rules import limits
from tests.bank import LI, ORIGIN, Bank, open_bank
from tests.staff import Console, hire, open_outlet

pytestmark = [pytest.mark.anyio, pytest.mark.attack]

T, S, A, X = Role.TELLER, Role.SUPERVISOR, Role.AUDITOR, Role.ADMINISTRATOR
ALL = {T, S, A, X}

# TEL-03: computed from nothing. An address that is new has to be put here by somebody who asks who may.
MAY = {
    "GET /console": ALL,
    "GET /console/events": ALL,
    "GET /console/search": ALL,
    "POST /console/search": ALL,
    "GET /console/file/{ref}": {T, S, A},
    "GET /console/file/{ref}/{act}": {T, S},
    "POST /console/file/{ref}/{act}": {T, S},
    "GET /console/proposals/{proposal_id}": ALL,
    "GET /console/proposals/{proposal_id}/events": ALL,
    "POST /console/proposals/{proposal_id}/code": {T, S},
    "POST /console/proposals/{proposal_id}/prove": {T, S},
    "POST /console/proposals/{proposal_id}/withdraw": ALL,
    "POST /console/proposals/{proposal_id}/consent": ALL,
    "POST /console/proposals/{proposal_id}/refuse": ALL,
    "POST /console/proposals/{proposal_id}/finish": ALL,
    "GET /console/queue": {T, S},
    "GET /console/queue/events": {T, S},
    "POST /console/queue/next": {T, S},
    "POST /console/queue/walk-in": {T, S},
    "POST /console/queue/{appointment_id}/check-in": {T, S},
    "POST /console/queue/{appointment_id}/call": {T, S},
    "POST /console/queue/{appointment_id}/served": {T, S},
    "POST /console/queue/{appointment_id}/missed": {T, S},
    "GET /console/queue/{appointment_id}/slip": {T, S},
    "POST /console/queue/{appointment_id}/text": {T, S},
    "GET /console/staff": {S, A, X},
    "POST /console/staff": {X},
    "GET /console/staff/{staff_id}": {S, A, X},
    "POST /console/staff/{staff_id}/change": {X},
    "POST /console/staff/{staff_id}/deactivate": {X},
    "POST /console/staff/{staff_id}/reactivate": {X},
    "POST /console/staff/{staff_id}/reset": {X},
    "POST /console/staff/{staff_id}/release": {S, X},
    "POST /console/staff/{staff_id}/propose-role": {X},
    "POST /console/staff/{staff_id}/propose-reset": {X},
    "GET /console/exports/staff.csv": {S, A, X},
    "GET /console/exports/outlets.csv": {X},
    "GET /console/exports/queue.csv": {T, S},
    # From here on the outlet has no hours any more, and so no counter.
    "GET /console/outlets": {X},
    "GET /console/outlets/{outlet_id}": {X},
    "POST /console/outlets/{outlet_id}/hours": {X},
    "POST /console/outlets/{outlet_id}/capacity": {X},
    "POST /console/outlets/{outlet_id}/exceptions": {X},
    "POST /console/outlets/{outlet_id}/exceptions/delete": {X},
    "POST /console/outlets/{outlet_id}/facts": {X},
    "POST /console/outlets/{outlet_id}/services": {X},
    "POST /console/outlets/{outlet_id}/close": {X},
    "POST /console/outlets/{outlet_id}/reopen": {X},
    "POST /console/country-days": {X},
    "POST /console/country-days/delete": {X},
    "GET /console/audit": {A, X},
    "GET /console/audit/staff/{staff_id}": {A, X},
    "GET /console/audit/customer/{ref}": {A, X},
    "GET /console/exports/staff/{staff_id}.csv": {A, X},
    "GET /console/exports/customer/{ref}.csv": {A, X},
}
NOBODY = "0" * 36
PLACES = {"ref": "nothing", "act": "unfreeze", "proposal_id": NOBODY, "appointment_id": NOBODY, "staff_id": NOBODY,
          "outlet_id": "0001"}  # fmt: skip
ROLE_NAMES = {T: "Teller", S: "Supervisor", A: "Auditor", X: "Administrator"}


@pytest.fixture
async def bank(tmp_path: Path) -> AsyncIterator[Bank]:
    bank = await open_bank(f"sqlite:///{tmp_path / 'bank.db'}")
    await bank.settle(LI)
    await open_outlet(bank)
    yield bank
    await bank.close()


@pytest.fixture
async def consoles(bank: Bank) -> dict[Role, Console]:
    """Somebody of each role, signed in."""
    found = {}
    for role in Role:
        found[role] = Console(bank)
        outlet_id = "0001" if role in (T, S) else None
        hired = await hire(bank, f"one-{role.value}", role, outlet_id=outlet_id)
        assert 303 == (await found[role].sign_in(hired)).status
    return found


def test_every_address_is_in_the_table() -> None:
    """No side door: what the server offers is what somebody thought about."""
    assert set(MAY) == {f"{entry.method} {entry.path}" for entry in ENTRIES}


async def ask(console: Console, address: str) -> tuple[int, str]:
    method, path = address.split(" ")
    for name, value in PLACES.items():
        path = path.replace("{" + name + "}", value)
    page = await (console.get(path) if method == "GET" else console.post(path))
    return page.status, page.words


async def test_tel_03_every_address_and_every_role(
    consoles: dict[Role, Console], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who may not is told who may; who may gets past the door."""
    monkeypatch.setattr(limits, "STREAM_SECONDS", 0)
    wrong = []
    for address, roles in MAY.items():
        for role, console in consoles.items():
            status, words = await ask(console, address)
            if role in roles and status in (401, 403, 500):
                wrong.append((address, role.value, status, words[:80]))
            names_them = all(ROLE_NAMES[each] in words for each in roles)
            if role not in roles and not (status == 403 and names_them):
                wrong.append((address, role.value, status, words[:80]))
    assert [] == wrong


async def test_nobody_gets_anywhere_without_signing_in(bank: Bank) -> None:
    """A page leads to the sign-in, a form is told that nothing was done."""
    for address in MAY:
        status, words = await ask(Console(bank), address)
        assert (303 if address.startswith("GET") else 401) == status, address
        assert address.startswith("GET") or "nothing was done" in words


async def test_web_02_nothing_of_the_console_is_kept(consoles: dict[Role, Console]) -> None:
    """no-store on every page, with a policy that allows no inline script or style of anybody else."""
    for path in ("/console", "/console/queue", "/console/search", "/console/sign-in", "/console/enrol"):
        page = await consoles[T].get(path)
        assert "no-store" == page.raw.headers["cache-control"], path
        policy = page.raw.headers["content-security-policy"]
        assert "unsafe" not in policy
        assert "default-src 'none'" in policy


HOSTILE = (
    "<script>alert(1)</script>", "<img src=x onerror=alert(1)>", "\"><svg onload=alert(1)>", "'><b>x</b>",
    "</title><script>alert(1)</script>", "</textarea><script>alert(1)</script>", "<iframe srcdoc='<p>'></iframe>",
    "javascript:alert(1)", "{{7*7}}", "{% raw %}", "${7*7}", "<a href=javascript:alert(1)>x</a>", "<!--", "]]>",
    "<style>*{display:none}</style>", "<base href=//evil.example>", "<form action=//evil.example>", "&lt;b&gt;",
    "<math><mi//xlink:href='data:x,<script>'>", "\u202egnp.exe", "=cmd|' /C calc'!A0", "+1+1", "-1+1", "@SUM(1)",
    "<svg/onload=alert`1`>", "<details open ontoggle=alert(1)>", "<x onclick=alert(1)>x",
    "<input autofocus onfocus=1>",
)  # fmt: skip


async def test_web_03_hostile_words_are_inert(
    bank: Bank, consoles: dict[Role, Console], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A reason, a device's name, a name, a reason for closing: shown as what they are, in pages and tables."""
    monkeypatch.setattr(limits, "SEARCHES_PER_HOUR", 1000)
    for word in HOSTILE:
        await is_inert(bank, consoles, word)


async def is_inert(bank: Bank, consoles: dict[Role, Console], word: str) -> None:
    teller, admin, auditor = consoles[T], consoles[X], consoles[A]
    await device_called(bank, word)
    found = await teller.post("/console/search", query=LI.card, reason="", why=f"{word} because")
    file = await teller.get(found.location)
    pages = [file, await teller.post("/console/search", query=word, reason="review")]
    await admin.post("/console/outlets/0001/exceptions", day="2027-02-02", hours="off", reason=word)
    pages += [await admin.get("/console/outlets/0001"), await admin.post("/console/staff", name=word, user_name=word)]
    pages += [await teller.get(f"/console/queue?desk={word}&said={word}&ticket={word}")]
    found = await auditor.post("/console/search", query=LI.card, reason="review")
    ref = found.location.rsplit("/", 1)[-1]
    pages += [await auditor.get(f"/console/audit/customer/{ref}")]
    table = await auditor.get(f"/console/exports/customer/{ref}.csv")
    assert {page.status for page in pages} <= {200, 422}, word
    if "<" in word:
        assert [] == [page.text for page in pages if word in page.text], word
    assert not any(
        cell.startswith(("=", "+", "-", "@")) for line in table.text.splitlines() for cell in line.split(",")
    )


async def device_called(bank: Bank, agent: str) -> None:
    """Remember a device of this name."""
    now = bank.clock.now()
    row = DeviceRow(
        customer_id=bank.customer_id(LI), device_id=new_id(), secret_digest=b"d" * 32, agent=agent,
        created_at=now, seen_at=now,
    )  # fmt: skip
    async with bank.house.store.begin() as tx:
        await tx.devices.insert(row)


async def test_mass_assignment_is_nobodys_way_up(bank: Bank, consoles: dict[Role, Console]) -> None:
    """Fields that no form has change nothing, and a role that takes two administrators is not given by one."""
    page = await consoles[X].post(
        "/console/staff", name="新人", user_name="newcomer", role="administrator", is_active="1", hold="", staff_id="x"
    )
    assert 409 == page.status
    page = await consoles[X].post(
        "/console/staff", name="新人", user_name="newcomer", role="teller", outlet_id="0001", is_active="0", hold="x"
    )
    assert 200 == page.status
    async with bank.house.store.begin() as tx:
        member = await tx.staff.by_user_name("newcomer")
    assert member is not None
    assert (T, True, "") == (member.role, member.is_active, member.hold)


async def test_acl_01_the_files_of_one_member_are_nobody_elses(bank: Bank, consoles: dict[Role, Console]) -> None:
    """A reference that leaked opens nothing at another's console, and nothing after an hour."""
    found = await consoles[T].post("/console/search", query=LI.card, reason="at-counter")
    assert 200 == (await consoles[T].get(found.location)).status
    assert 404 == (await consoles[S].get(found.location)).status
    for _ in range(7):
        bank.clock.turn(600)
        await consoles[T].client.post("/console/left", headers={"Origin": ORIGIN})
    assert 404 == (await consoles[T].get(found.location)).status
