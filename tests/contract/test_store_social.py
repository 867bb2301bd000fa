"""Accounts elsewhere, what was taken along, and the ledger of consents, over both databases."""

from __future__ import annotations

import asyncio

import pytest
import sqlalchemy

from foregate.ids import new_id
from foregate.ports import Taken
from foregate.ports.social import SocialAccount, Trait
from foregate.rules.consents import Purpose
from foregate.rules.social import Attribute, Provider
from foregate.store.grants import APPEND_ONLY
from foregate.store.social_tables import profile_attribute, social_account
from foregate.store.statements import Statement
from foregate.store.unit_of_work import SqlStore

WECHAT, ALIPAY = Provider.WECHAT, Provider.ALIPAY
ONE, TWO = (b"1" * 32, b"2" * 32), (b"2" * 32, b"3" * 32)


def account(customer_id: str, provider: Provider = WECHAT) -> SocialAccount:
    return SocialAccount(
        customer_id=customer_id, provider=provider, names=("union:u", "open:a:o"), linked_at=10, used_at=10
    )


async def test_an_account_is_found_by_each_of_its_names(store: SqlStore) -> None:
    """The union id, which is not always there, or the open id: either leads to the holder."""
    mine = new_id()
    async with store.begin() as tx:
        await tx.social.link(account(mine), ONE)
    async with store.begin() as tx:
        assert (mine, mine) == (await tx.social.holder(WECHAT, ONE[:1]), await tx.social.holder(WECHAT, ONE[1:]))
        assert await tx.social.holder(ALIPAY, ONE) is None
        assert (account(mine),) == await tx.social.of(mine)
        await tx.social.touch(mine, WECHAT, 99)
        assert 99 == (await tx.social.of(mine))[0].used_at


async def test_one_account_belongs_to_one_customer(store: SqlStore) -> None:
    """A name that is somebody's is refused, and what was claimed on the way is free again."""
    mine, other = new_id(), new_id()
    async with store.begin() as tx:
        await tx.social.link(account(mine), ONE)
    async with store.begin() as tx:
        with pytest.raises(Taken, match="wechat"):
            await tx.social.link(account(other), (b"0" * 32, *TWO))
    async with store.begin() as tx:
        assert await tx.social.holder(WECHAT, (b"0" * 32,)) is None
        assert await tx.social.holder(WECHAT, TWO[1:]) is None
        assert () == await tx.social.of(other)


async def test_a_customer_has_one_account_of_each_provider(store: SqlStore) -> None:
    """A second one is refused whatever its names; one of the other provider is not."""
    mine = new_id()
    async with store.begin() as tx:
        await tx.social.link(account(mine), ONE)
        await tx.social.link(account(mine, ALIPAY), ONE)
    for digests in (ONE, (b"8" * 32,)):
        async with store.begin() as tx:
            with pytest.raises(Taken, match="social_account"):
                await tx.social.link(account(mine), digests)
    async with store.begin() as tx:
        assert await tx.social.holder(WECHAT, (b"8" * 32,)) is None


async def test_names_of_two_people_lead_to_nobody(store: SqlStore) -> None:
    """An answer that names two customers at once is not believed."""
    mine, other = new_id(), new_id()
    async with store.begin() as tx:
        await tx.social.link(account(mine), (b"1" * 32,))
        await tx.social.link(account(other), (b"2" * 32,))
        assert await tx.social.holder(WECHAT, ONE) is None


async def test_twenty_people_link_one_account_at_once(store: SqlStore) -> None:
    """One of them has it, the others are refused, and nobody has half of it."""
    people = [new_id() for _ in range(20)]

    async def link(who: str) -> bool:
        try:
            async with store.begin() as tx:
                await tx.social.link(account(who), ONE)
        except Taken:
            return False
        return True

    linked = await asyncio.gather(*(link(who) for who in people))
    assert 1 == sum(linked)
    async with store.begin() as tx:
        assert people[linked.index(True)] == await tx.social.holder(WECHAT, ONE)


async def test_unlinking_lets_go_of_everything(store: SqlStore) -> None:
    """Account, names and what was taken along go; the other provider's stay; a second time there is nothing."""
    mine = new_id()
    nickname = Trait(attribute=Attribute.NICKNAME, value="小明".encode(), origin="wechat", taken_at=10)
    async with store.begin() as tx:
        await tx.social.link(account(mine), ONE)
        await tx.social.link(account(mine, ALIPAY), ONE)
        await tx.profiles.put(mine, WECHAT, nickname)
        await tx.profiles.put(mine, ALIPAY, nickname)
    async with store.begin() as tx:
        assert await tx.social.unlink(mine, WECHAT)
        assert not await tx.social.unlink(mine, WECHAT)
        assert [ALIPAY] == [each.provider for each in await tx.social.of(mine)]
        assert await tx.social.holder(WECHAT, ONE) is None
        assert {} == await tx.profiles.of(mine, WECHAT)
        assert {Attribute.NICKNAME: nickname} == await tx.profiles.of(mine, ALIPAY)


async def test_attributes_are_written_over_and_deleted_one_by_one(store: SqlStore) -> None:
    """The newest counts; deleting one leaves the others."""
    mine = new_id()
    picture = Trait(attribute=Attribute.AVATAR, value=b"\xff\xd8" + bytes(range(256)), origin="wechat", taken_at=10)
    region = Trait(attribute=Attribute.REGION, value="杭州".encode(), origin="person", taken_at=10)
    async with store.begin() as tx:
        await tx.profiles.put(mine, WECHAT, picture)
        await tx.profiles.put(mine, WECHAT, Trait(attribute=region.attribute, value=b"x", origin="wechat", taken_at=1))
        await tx.profiles.put(mine, WECHAT, region)
        assert {Attribute.AVATAR: picture, Attribute.REGION: region} == await tx.profiles.of(mine, WECHAT)
        assert await tx.profiles.delete(mine, WECHAT, Attribute.AVATAR)
        assert not await tx.profiles.delete(mine, WECHAT, Attribute.AVATAR)
        assert {Attribute.REGION: region} == await tx.profiles.of(mine, WECHAT)


async def test_what_is_stored_cannot_be_read_without_keys(store: SqlStore) -> None:
    """Neither a name of the account nor anything taken along stands in a row."""
    mine = new_id()
    async with store.begin() as tx:
        await tx.social.link(account(mine), ONE)
        await tx.profiles.put(
            mine, WECHAT, Trait(attribute=Attribute.NICKNAME, value=b"in-the-clear", origin="wechat", taken_at=1)
        )
    async with store.database.snapshot() as connection:
        for table in (social_account, profile_attribute):
            for row in await connection.all(Statement(sqlalchemy.select(table))):
                whole = b"".join(str(row[c.name]).encode() for c in table.columns)
                assert b"in-the-clear" not in whole
                assert b"union:u" not in whole


async def test_the_ledger_tells_how_every_purpose_stands(store: SqlStore) -> None:
    """Given, taken back, given again to new words: each a line, and the last one counts."""
    mine, face, name = new_id(), Purpose.FACE, Purpose.WECHAT_NICKNAME
    async with store.begin() as tx:
        assert not await tx.consents.withdraw(mine, face, 5)
        assert await tx.consents.give(mine, face, "v1", 10)
        assert not await tx.consents.give(mine, face, "v1", 11)
        assert await tx.consents.give(mine, name, "v1", 12)
        assert await tx.consents.withdraw(mine, face, 20)
        assert not await tx.consents.withdraw(mine, face, 21)
    async with store.begin() as tx:
        stands = await tx.consents.of(mine)
        assert (10, 20, False) == (stands["face"].given_at, stands["face"].withdrawn_at, stands["face"].holds)
        assert stands[name].holds
        assert await tx.consents.give(mine, face, "v2", 30)
        assert await tx.consents.give(mine, name, "v2", 30)
        stands = await tx.consents.of(mine)
        assert [("v2", 30, True)] * 2 == [(c.text_version, c.given_at, c.holds) for c in stands.values()]
        assert {} == await tx.consents.of(new_id())


def test_no_line_of_the_ledger_may_be_changed() -> None:
    """The role that Foregate runs under in PostgreSQL may only read it and add to it."""
    assert "consent" in APPEND_ONLY
