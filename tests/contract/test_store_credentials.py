"""What staff sign in with: enrolment once, codes once, tries counted, challenges used up, sessions ended."""

import pytest

from foregate.ids import new_id
from foregate.ports import Taken
from foregate.ports.counter import StaffSessionRow
from foregate.ports.credentials import Enrolment, StaffChallenge, StaffPasskey, StaffSecret
from foregate.rules import limits
from foregate.store.unit_of_work import SqlStore
from tests.contract.samples import NOW, at_once, in_one

pytestmark = pytest.mark.anyio

CODE, OTHER_CODE = b"c" * 32, b"d" * 32
SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"


def an_enrolment(staff_id: str, code: bytes = CODE, expires_at: int = NOW + 10) -> Enrolment:
    return Enrolment(staff_id=staff_id, code_digest=code, totp_secret=SECRET, expires_at=expires_at)


def a_secret(staff_id: str, last_step: int = 0) -> StaffSecret:
    return StaffSecret(
        staff_id=staff_id, password_hash="$hash", totp_secret=SECRET, last_step=last_step, created_at=NOW
    )


def a_passkey(staff_id: str, credential_id: bytes = b"key", sign_count: int = 3) -> StaffPasskey:
    return StaffPasskey(
        credential_id=credential_id, staff_id=staff_id, public_key=b"public", sign_count=sign_count,
        is_backed_up=True, created_at=NOW, used_at=0,
    )  # fmt: skip


def a_session(staff_id: str, session_id: str = "", seen_at: int = NOW) -> StaffSessionRow:
    return StaffSessionRow(
        staff_id=staff_id, session_id=session_id or new_id(), secret_digest=b"s" * 32, method="passkey",
        created_at=NOW, seen_at=seen_at, expires_at=NOW + 100,
    )  # fmt: skip


async def test_an_enrolment_code_works_once(store: SqlStore) -> None:
    """Of fifty who use it at the same moment one is enrolled, with the secret that the page showed."""
    who = new_id()
    await in_one(store, lambda tx: tx.staff_credentials.put_enrolment(an_enrolment(who)))
    assert an_enrolment(who) == await in_one(store, lambda tx: tx.staff_credentials.find_enrolment(CODE, NOW))
    used = await at_once(store, 50, lambda tx: tx.staff_credentials.use_enrolment(CODE, NOW))
    assert [an_enrolment(who)] == [row for row in used if row]
    assert None is await in_one(store, lambda tx: tx.staff_credentials.find_enrolment(CODE, NOW))


async def test_an_enrolment_code_dies(store: SqlStore) -> None:
    """With its time, and with the next one that is issued."""
    who = new_id()
    await in_one(store, lambda tx: tx.staff_credentials.put_enrolment(an_enrolment(who)))
    assert None is await in_one(store, lambda tx: tx.staff_credentials.use_enrolment(CODE, NOW + 10))
    await in_one(store, lambda tx: tx.staff_credentials.put_enrolment(an_enrolment(who, OTHER_CODE)))
    assert None is await in_one(store, lambda tx: tx.staff_credentials.use_enrolment(CODE, NOW))
    assert None is not await in_one(store, lambda tx: tx.staff_credentials.use_enrolment(OTHER_CODE, NOW))


async def test_a_one_time_code_is_taken_once(store: SqlStore) -> None:
    """Of many at once one is taken; never the same again, never an older one, never after the password changed."""
    who = new_id()
    await in_one(store, lambda tx: tx.staff_credentials.put_secret(a_secret(who, last_step=100)))
    assert a_secret(who, last_step=100) == await in_one(store, lambda tx: tx.staff_credentials.secret_of(who))
    taken = await at_once(store, 50, lambda tx: tx.staff_credentials.accept_step(who, "$hash", 101))
    assert 1 == sum(taken)
    assert not await in_one(store, lambda tx: tx.staff_credentials.accept_step(who, "$hash", 100))
    assert not await in_one(store, lambda tx: tx.staff_credentials.accept_step(who, "$older", 102))
    assert await in_one(store, lambda tx: tx.staff_credentials.accept_step(who, "$hash", 102))


async def test_a_hash_is_renewed_only_for_the_password_it_was_compared_with(store: SqlStore) -> None:
    """Whoever set another one meanwhile keeps it."""
    who = new_id()
    await in_one(store, lambda tx: tx.staff_credentials.put_secret(a_secret(who)))
    await in_one(store, lambda tx: tx.staff_credentials.rehash(who, "$another", "$new"))
    assert a_secret(who) == await in_one(store, lambda tx: tx.staff_credentials.secret_of(who))
    await in_one(store, lambda tx: tx.staff_credentials.rehash(who, "$hash", "$new"))
    found = await in_one(store, lambda tx: tx.staff_credentials.secret_of(who))
    assert found is not None
    assert "$new" == found.password_hash


async def test_the_tenth_try_in_a_row_locks(store: SqlStore) -> None:
    """Nine are counted, the tenth is counted and locks, the eleventh is neither; then it goes on."""
    counted = [await in_one(store, lambda tx: tx.staff_credentials.charge(b"k", NOW)) for _ in range(11)]
    assert [*range(1, limits.STAFF_TRIES + 1), None] == counted
    lock = int(limits.STAFF_LOCK_SECONDS)
    assert lock == await in_one(store, lambda tx: tx.staff_credentials.locked_seconds(b"k", NOW))
    assert None is await in_one(store, lambda tx: tx.staff_credentials.charge(b"k", NOW + lock - 1))
    assert 11 == await in_one(store, lambda tx: tx.staff_credentials.charge(b"k", NOW + lock))
    await in_one(store, lambda tx: tx.staff_credentials.succeed(b"k"))
    assert 1 == await in_one(store, lambda tx: tx.staff_credentials.charge(b"k", NOW + lock))


async def test_many_tries_at_once_are_ten(store: SqlStore) -> None:
    """However many arrive together, ten are compared."""
    counted = await at_once(store, 100, lambda tx: tx.staff_credentials.charge(b"k", NOW))
    assert limits.STAFF_TRIES == sum(count is not None for count in counted)


async def test_a_challenge_is_used_once_by_its_browser(store: SqlStore) -> None:
    """For its purpose, in its time; a newer one of the same browser replaces it."""

    def challenge(text: bytes) -> StaffChallenge:
        return StaffChallenge(browser_digest=b"b" * 32, purpose="sign-in", challenge=text, expires_at=NOW + 10)

    for text in (b"one", b"two"):
        await in_one(store, lambda tx, text=text: tx.staff_credentials.put_challenge(challenge(text)))  # type: ignore[misc]  # mypy infers no lambda with a default
    for browser, purpose, at in (
        (b"x" * 32, "sign-in", NOW),
        (b"b" * 32, "enrol", NOW),
        (b"b" * 32, "sign-in", NOW + 10),
    ):
        row = (browser, purpose, at)
        assert None is await in_one(store, lambda tx, row=row: tx.staff_credentials.take_challenge(*row))  # type: ignore[misc]  # as above
    taken = await at_once(store, 20, lambda tx: tx.staff_credentials.take_challenge(b"b" * 32, "sign-in", NOW))
    assert [b"two"] == [text for text in taken if text]


async def test_a_passkey_belongs_to_one(store: SqlStore) -> None:
    """A credential that is known is nobody else's, and its count is moved on by whoever saw it last."""
    who = new_id()
    await in_one(store, lambda tx: tx.staff_credentials.insert_passkey(a_passkey(who)))
    with pytest.raises(Taken):
        await in_one(store, lambda tx: tx.staff_credentials.insert_passkey(a_passkey(new_id())))
    assert (a_passkey(who),) == await in_one(store, lambda tx: tx.staff_credentials.passkeys_of(who))
    used = await at_once(store, 20, lambda tx: tx.staff_credentials.use_passkey(b"key", 3, 4, NOW))
    assert 1 == sum(used)
    found = await in_one(store, lambda tx: tx.staff_credentials.find_passkey(b"key"))
    assert found is not None
    assert (4, NOW) == (found.sign_count, found.used_at)


async def test_everything_a_member_signed_in_with_is_dropped_together(store: SqlStore) -> None:
    """Passkeys, password and enrolment; what belongs to others stays."""
    who, other = new_id(), new_id()
    for member, name, code in ((who, b"one", CODE), (other, b"two", OTHER_CODE)):
        await in_one(store, lambda tx, m=member, n=name: tx.staff_credentials.insert_passkey(a_passkey(m, n)))  # type: ignore[misc]  # as above
        await in_one(store, lambda tx, m=member: tx.staff_credentials.put_secret(a_secret(m)))  # type: ignore[misc]  # as above
        await in_one(store, lambda tx, m=member, c=code: tx.staff_credentials.put_enrolment(an_enrolment(m, c)))  # type: ignore[misc]  # as above
    await in_one(store, lambda tx: tx.staff_credentials.forget_all(who))
    assert () == await in_one(store, lambda tx: tx.staff_credentials.passkeys_of(who))
    assert None is await in_one(store, lambda tx: tx.staff_credentials.secret_of(who))
    assert None is await in_one(store, lambda tx: tx.staff_credentials.find_enrolment(CODE, NOW))
    assert 1 == len(await in_one(store, lambda tx: tx.staff_credentials.passkeys_of(other)))
    assert None is not await in_one(store, lambda tx: tx.staff_credentials.secret_of(other))
    assert None is not await in_one(store, lambda tx: tx.staff_credentials.find_enrolment(OTHER_CODE, NOW))


async def test_a_member_has_a_few_sessions(store: SqlStore) -> None:
    """The one unused longest ends; one is ended by itself, or all of them together."""
    who, ids = new_id(), [new_id() for _ in range(limits.SESSIONS_PER_STAFF + 1)]
    for at, session_id in enumerate(ids):
        row = a_session(who, session_id, seen_at=NOW + at)
        await in_one(store, lambda tx, row=row: tx.staff_sessions.insert(row))  # type: ignore[misc]  # as above
    assert None is await in_one(store, lambda tx: tx.staff_sessions.find(who, ids[0]))
    await in_one(store, lambda tx: tx.staff_sessions.touch(who, ids[1], NOW + 50))
    await in_one(store, lambda tx: tx.staff_sessions.touch(who, ids[1], NOW + 40))
    touched = await in_one(store, lambda tx: tx.staff_sessions.find(who, ids[1]))
    assert touched == a_session(who, ids[1], seen_at=NOW + 50)
    assert await in_one(store, lambda tx: tx.staff_sessions.end(who, ids[1]))
    assert not await in_one(store, lambda tx: tx.staff_sessions.end(who, ids[1]))
    assert 2 == await in_one(store, lambda tx: tx.staff_sessions.end_all(who))
