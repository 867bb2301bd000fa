"""Customers, their names to sign in by, their sessions and devices."""

import asyncio

import msgspec
import pytest

from foregate.ids import new_id
from foregate.ports import Customer, Taken
from foregate.rules import limits
from foregate.store.unit_of_work import SqlStore
from tests.contract.samples import NOW, a_customer, a_device, a_session, at_once, count, in_one, sql

pytestmark = pytest.mark.anyio
LOGINS = {"phone": b"phone-digest", "user_name": b"name-digest"}


async def register(store: SqlStore, customer: Customer, logins: dict[str, bytes] | None = None) -> None:
    await in_one(store, lambda tx: tx.customers.insert(customer, LOGINS if logins is None else logins))


async def test_a_customer_comes_back_as_registered(store: SqlStore) -> None:
    """By id and by each claimed name, and by nothing else."""
    customer = a_customer()
    await register(store, customer)
    async with store.begin() as tx:
        assert customer == await tx.customers.find(customer.customer_id)
        assert customer == await tx.customers.hold(customer.customer_id)
        assert customer == await tx.customers.by_login("phone", b"phone-digest")
        assert customer == await tx.customers.by_login("user_name", b"name-digest")
        assert None is await tx.customers.by_login("user_name", b"phone-digest")
        assert None is await tx.customers.find(new_id())
        assert None is await tx.customers.hold(new_id())


async def test_a_customer_without_names(store: SqlStore) -> None:
    """What a customer does not have is None, not empty."""
    customer = a_customer(user_name=None, password_hash=None)
    await register(store, customer, {})
    assert customer == await in_one(store, lambda tx: tx.customers.find(customer.customer_id))


async def test_a_name_belongs_to_one(store: SqlStore) -> None:
    """A second claim is refused by its kind, and claims nothing, even when the transaction goes on."""
    await register(store, a_customer())
    second = a_customer()
    async with store.begin() as tx:
        with pytest.raises(Taken, match="user_name"):
            await tx.customers.insert(second, {"phone": b"another-phone", "user_name": b"name-digest"})
    assert None is await in_one(store, lambda tx: tx.customers.find(second.customer_id))
    await register(store, a_customer(), {"phone": b"another-phone"})


async def test_a_customer_is_registered_once(store: SqlStore) -> None:
    """The same person twice is refused."""
    customer = a_customer()
    await register(store, customer)
    with pytest.raises(Taken, match="customer_id"):
        await register(store, customer, {})


async def test_many_claim_one_name(store: SqlStore) -> None:
    """Of many parallel registrations with the same names exactly one succeeds, and none waits in a circle."""

    async def claim(number: int) -> bool:
        names = list(LOGINS.items())
        logins = dict(names if number % 2 else reversed(names))
        try:
            await register(store, a_customer(), logins)
        except Taken:
            return False
        return True

    await at_once(store, 10, lambda tx: tx.customers.find(""))  # from here on nobody waits for a connection
    assert 1 == sum(await asyncio.gather(*(claim(number) for number in range(100))))
    assert 2 == await count(store, "login_name")


async def test_nothing_personal_is_readable(store: SqlStore) -> None:
    """The stored row shows neither name nor number, in any spelling."""
    await register(store, a_customer())
    stored = await sql(store, "SELECT * FROM customer")
    for column in ("core_ref", "name", "phone", "user_name"):
        plain = getattr(a_customer(), column).encode()
        assert plain not in stored[0][f"{column}_sealed"]


async def test_a_sealed_value_moved_to_another_row(store: SqlStore) -> None:
    """A phone number copied from one customer to another does not open."""
    mine, theirs = a_customer(), a_customer()
    await register(store, mine, {"phone": b"mine"})
    await register(store, theirs, {"phone": b"theirs"})
    await sql(
        store,
        f"UPDATE customer SET phone_sealed = (SELECT phone_sealed FROM customer WHERE customer_id = "
        f"'{mine.customer_id}') WHERE customer_id = '{theirs.customer_id}' RETURNING 1",
    )
    with pytest.raises(ValueError, match="moved from another row"):
        await in_one(store, lambda tx: tx.customers.find(theirs.customer_id))


async def test_password_and_sign_in_are_written(store: SqlStore) -> None:
    """Each changes its own column of its own customer."""
    mine, theirs = a_customer(), a_customer()
    await register(store, mine, {})
    await register(store, theirs, {})
    async with store.begin() as tx:
        await tx.customers.set_password(mine.customer_id, "new")
        await tx.customers.signed_in(mine.customer_id, NOW + 5)
        expected = msgspec.structs.replace(mine, password_hash="new", last_sign_in_at=NOW + 5)
        assert expected == await tx.customers.find(mine.customer_id)
        assert theirs == await tx.customers.find(theirs.customer_id)


# ---------------------------------------------------------------- sessions


async def test_a_session_is_seen_at_once_and_gone_at_once(store: SqlStore) -> None:
    """The read of every request sees a session from its commit to its end, and not before."""
    who = new_id()
    session = a_session(who, device_id="d")
    async with store.begin() as tx:
        await tx.sessions.insert(session)
        assert session == await tx.sessions.find(who, session.session_id)
    assert session == await store.session(who, session.session_id)
    assert None is await store.session(new_id(), session.session_id)
    async with store.begin() as tx:
        assert await tx.sessions.end(who, session.session_id)
        assert not await tx.sessions.end(who, session.session_id)
    assert None is await store.session(who, session.session_id)


async def test_only_so_many_sessions(store: SqlStore) -> None:
    """One more than SESSIONS_PER_CUSTOMER ends the one unused longest, never the one just made."""
    who = new_id()
    sessions = [a_session(who, seen_at=NOW + n) for n in range(limits.SESSIONS_PER_CUSTOMER)]
    newest = a_session(who, seen_at=NOW - 100)
    stranger = a_session(new_id(), seen_at=0)
    async with store.begin() as tx:
        for session in (*sessions, stranger):
            await tx.sessions.insert(session)
        assert tuple(reversed(sessions)) == await tx.sessions.of(who)
        await tx.sessions.insert(newest)
        assert (*reversed(sessions[1:]), newest) == await tx.sessions.of(who)
        assert (stranger,) == await tx.sessions.of(stranger.customer_id)


async def test_use_is_written_and_never_backwards(store: SqlStore) -> None:
    """A clock that jumps back does not make a session look unused."""
    who = new_id()
    session = a_session(who)
    async with store.begin() as tx:
        await tx.sessions.insert(session)
    await store.touch_session(who, session.session_id, NOW + 30)
    await store.touch_session(who, session.session_id, NOW + 10)
    found = await store.session(who, session.session_id)
    assert msgspec.structs.replace(session, seen_at=NOW + 30) == found


async def test_sessions_end_together(store: SqlStore) -> None:
    """All, all but one, or those of one device; other customers keep theirs."""
    who, other = new_id(), new_id()
    first, second, third = (a_session(who, device_id=device) for device in ("a", "b", None))
    theirs = a_session(other, device_id="a")
    async with store.begin() as tx:
        for session in (first, second, third, theirs):
            await tx.sessions.insert(session)
        assert 1 == await tx.sessions.end_on_device(who, "a")
        assert 1 == await tx.sessions.end_all(who, but=third.session_id)
        assert (third,) == await tx.sessions.of(who)
        assert 1 == await tx.sessions.end_all(who)
        assert () == await tx.sessions.of(who)
        assert (theirs,) == await tx.sessions.of(other)


# ---------------------------------------------------------------- devices


async def test_a_device_is_remembered_and_forgotten(store: SqlStore) -> None:
    """Each under its own customer."""
    who = new_id()
    device = a_device(who)
    async with store.begin() as tx:
        await tx.devices.insert(device)
        assert device == await tx.devices.find(who, device.device_id)
        assert None is await tx.devices.find(new_id(), device.device_id)
        await tx.devices.touch(who, device.device_id, NOW + 9)
        await tx.devices.touch(who, device.device_id, NOW + 5)
        assert (msgspec.structs.replace(device, seen_at=NOW + 9),) == await tx.devices.of(who)
        assert not await tx.devices.forget(new_id(), device.device_id)
        assert await tx.devices.forget(who, device.device_id)
        assert None is await tx.devices.find(who, device.device_id)


async def test_only_so_many_devices(store: SqlStore) -> None:
    """One more than DEVICES_PER_CUSTOMER forgets the one unused longest."""
    who = new_id()
    devices = [a_device(who, seen_at=NOW + n) for n in range(limits.DEVICES_PER_CUSTOMER + 1)]
    async with store.begin() as tx:
        for device in devices:
            await tx.devices.insert(device)
        assert tuple(reversed(devices[1:])) == await tx.devices.of(who)


async def test_a_held_customer_is_held(store: SqlStore) -> None:
    """Two acts on one customer happen one after the other."""
    customer = a_customer()
    await register(store, customer)
    order: list[str] = []

    async def act(name: str) -> None:
        async with store.begin() as tx:
            await tx.customers.hold(customer.customer_id)
            order.append(f"{name} in")
            await asyncio.sleep(0.02)
            order.append(f"{name} out")

    await asyncio.gather(act("a"), act("b"))
    assert [order[0].replace("in", "out"), order[2].replace("in", "out")] == [order[1], order[3]]


async def test_a_second_registration_takes_nothing_from_the_first(store: SqlStore) -> None:
    """Registering the same person again, with names old or new, is refused; the first keeps every name, no more."""
    customer = a_customer()
    await register(store, customer)
    for logins in (LOGINS, {**LOGINS, "phone": b"new"}, {"phone": b"new", "user_name": b"new"}):
        async with store.begin() as tx:
            with pytest.raises(Taken):
                await tx.customers.insert(customer, logins)
    async with store.begin() as tx:
        for kind, digest in LOGINS.items():
            assert customer == await tx.customers.by_login(kind, digest)
    assert 2 == await count(store, "login_name")


async def test_what_was_begun_earlier_ends(store: SqlStore) -> None:
    """The moment is written to this customer alone."""
    mine, theirs = a_customer(), a_customer()
    await register(store, mine, {})
    await register(store, theirs, {})
    async with store.begin() as tx:
        await tx.customers.end_earlier(mine.customer_id, NOW + 5)
        assert msgspec.structs.replace(mine, ended_at=NOW + 5) == await tx.customers.find(mine.customer_id)
        assert theirs == await tx.customers.find(theirs.customer_id)
