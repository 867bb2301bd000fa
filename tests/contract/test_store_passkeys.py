"""Customers' passkeys: one credential is one customer's, a use is counted once, a challenge is used up."""

from __future__ import annotations

import msgspec
import pytest
from sqlalchemy import select

from foregate.ids import new_id
from foregate.ports import PasskeyChallenge, PasskeyRow, Taken
from foregate.store.janitor import Janitor
from foregate.store.passkey_tables import passkey
from foregate.store.statements import Statement
from foregate.store.unit_of_work import SqlStore
from tests.contract.samples import NOW, at_once, in_one

pytestmark = pytest.mark.anyio

DIGEST, OTHER = b"d" * 32, b"e" * 32


def a_passkey(customer_id: str, credential_id: bytes = b"credential-one", **changes: object) -> PasskeyRow:
    row = PasskeyRow(
        customer_id=customer_id, passkey_id=new_id(), credential_id=credential_id, public_key=b"public", sign_count=3,
        is_synced_kind=True, is_backed_up=False, name="老手机", agent="Chrome", created_at=NOW, used_at=0,
    )  # fmt: skip
    return msgspec.structs.replace(row, **changes)


async def test_a_credential_leads_to_its_customer(store: SqlStore) -> None:
    """What was written is read back, by the digest and by the customer; another digest leads nowhere."""
    row = a_passkey(new_id())
    await in_one(store, lambda tx: tx.passkeys.insert(row, DIGEST))
    assert row == await in_one(store, lambda tx: tx.passkeys.find(DIGEST))
    assert (row,) == await in_one(store, lambda tx: tx.passkeys.of(row.customer_id))
    assert None is await in_one(store, lambda tx: tx.passkeys.find(OTHER))
    assert () == await in_one(store, lambda tx: tx.passkeys.of(new_id()))


async def test_a_credential_is_one_customers(store: SqlStore) -> None:
    """Of twelve who claim it at the same moment one gets it; the others have written nothing."""
    rows = [a_passkey(new_id()) for _ in range(12)]

    async def claim(row: PasskeyRow) -> bool:
        try:
            await in_one(store, lambda tx: tx.passkeys.insert(row, DIGEST))
        except Taken:
            return False
        return True

    assert 1 == sum([await claim(row) for row in rows])
    async with store.begin() as tx:
        assert 1 == sum([len(await tx.passkeys.of(row.customer_id)) for row in rows])


async def test_neither_credential_nor_name_is_kept_in_clear(store: SqlStore) -> None:
    """A dump tells neither what a phone is called nor which credential it holds."""
    await in_one(store, lambda tx: tx.passkeys.insert(a_passkey(new_id()), DIGEST))
    async with store.database.snapshot() as connection:
        row = await connection.one(Statement(select(passkey)))
    assert row is not None
    kept = b"".join(bytes(row[name]) for name in ("credential_digest", "credential_sealed", "name_sealed"))
    assert b"credential-one" not in kept
    assert "老手机".encode() not in kept


async def test_a_use_is_counted_once(store: SqlStore) -> None:
    """Of many who used it at the same count one goes on; a copy that is behind does not."""
    row = a_passkey(new_id())
    await in_one(store, lambda tx: tx.passkeys.insert(row, DIGEST))
    used = await at_once(store, 30, lambda tx: tx.passkeys.use(row, sign_count=4, is_backed_up=True, now=NOW + 1))
    assert 1 == sum(used)
    now = await in_one(store, lambda tx: tx.passkeys.find(DIGEST))
    assert msgspec.structs.replace(row, sign_count=4, is_backed_up=True, used_at=NOW + 1) == now


async def test_a_removed_passkey_is_gone_and_may_be_added_again(store: SqlStore) -> None:
    """The credential is free again; only its owner removes or renames it."""
    row, stranger = a_passkey(new_id()), new_id()
    await in_one(store, lambda tx: tx.passkeys.insert(row, DIGEST))
    assert not await in_one(store, lambda tx: tx.passkeys.rename(stranger, row.passkey_id, "mine"))
    assert not await in_one(store, lambda tx: tx.passkeys.remove(stranger, row.passkey_id))
    assert await in_one(store, lambda tx: tx.passkeys.rename(row.customer_id, row.passkey_id, "新手机"))
    found = await in_one(store, lambda tx: tx.passkeys.find(DIGEST))
    assert found is not None
    assert "新手机" == found.name
    assert await in_one(store, lambda tx: tx.passkeys.remove(row.customer_id, row.passkey_id))
    assert not await in_one(store, lambda tx: tx.passkeys.remove(row.customer_id, row.passkey_id))
    assert None is await in_one(store, lambda tx: tx.passkeys.find(DIGEST))
    await in_one(store, lambda tx: tx.passkeys.insert(a_passkey(stranger), DIGEST))


async def test_a_challenge_is_taken_once(store: SqlStore) -> None:
    """By one of many; not when it is over, not of another journey; a newer one replaces it."""
    journey = new_id()
    older = PasskeyChallenge(journey_id=journey, challenge=b"older", expires_at=NOW + 10)
    newer = PasskeyChallenge(journey_id=journey, challenge=b"newer", expires_at=NOW + 10)
    await in_one(store, lambda tx: tx.passkeys.put_challenge(older))
    await in_one(store, lambda tx: tx.passkeys.put_challenge(newer))
    assert None is await in_one(store, lambda tx: tx.passkeys.take_challenge(new_id(), NOW))
    assert None is await in_one(store, lambda tx: tx.passkeys.take_challenge(journey, NOW + 10))
    assert b"newer" == await in_one(store, lambda tx: tx.passkeys.live_challenge(journey, NOW))
    taken = await at_once(store, 30, lambda tx: tx.passkeys.take_challenge(journey, NOW))
    assert [b"newer"] == [challenge for challenge in taken if challenge]
    assert None is await in_one(store, lambda tx: tx.passkeys.live_challenge(journey, NOW))


async def test_what_is_over_is_swept(store: SqlStore) -> None:
    """Challenges go with their time; passkeys stay."""
    row = a_passkey(new_id(), created_at=0)
    await in_one(store, lambda tx: tx.passkeys.insert(row, DIGEST))
    over = PasskeyChallenge(journey_id=new_id(), challenge=b"over", expires_at=NOW)
    await in_one(store, lambda tx: tx.passkeys.put_challenge(over))
    swept = await Janitor(store).sweep()
    assert 1 == swept["passkey_challenge"]
    assert None is not await in_one(store, lambda tx: tx.passkeys.find(DIGEST))
