"""Outlets in both databases: the nearest are the nearest, words are found, and what is the same is not written."""

from __future__ import annotations

import asyncio
import random
from datetime import date
from typing import Any

import msgspec
import pytest

from foregate.ports.outlets import HoursException, Outlet, Own, Position, Wanted, Written
from foregate.rules import limits, places
from foregate.rules.outlet_words import plain_city, typed_words
from foregate.rules.places import Place, place
from foregate.store.unit_of_work import SqlStore
from tests.contract.samples import NOW

# Outlets crowd in cities, stand on one spot, and are scattered to both ends of the earth.
CITIES = (place(30.25, 120.17), place(-16.9, 179.99), place(64.2, -179.98), place(89.9, 30), place(-89.95, -100))


def an_outlet(outlet_id: str, **more: Any) -> Outlet:
    return Outlet(**{"outlet_id": outlet_id, "name": f"示范银行{outlet_id}支行", **more})


def scattered(how_many: int) -> list[Outlet]:
    chance = random.Random(7)  # noqa: S311 -- places on a map, no secrets
    found = []
    for number in range(how_many):
        city = CITIES[number % len(CITIES)]
        north, east = (chance.gauss(0, 0.2) for _ in "ne") if number % 3 else (0.0, 0.0)
        longitude = (city.longitude + east + 180) % 360 - 180
        where = place(max(-90, min(90, city.latitude + north)), longitude)
        if number % 7 == 0:
            where = place(chance.uniform(-90, 90), chance.uniform(-180, 180))
        service = ("cash",) if number % 2 else ("loan", "cash")
        found.append(
            an_outlet(f"N{number:04}", latitude=where.latitude, longitude=where.longitude, services=service,
                      wheelchair="yes" if number % 4 == 0 else "no")
        )  # fmt: skip
    return found


async def put(store: SqlStore, *outlets: Outlet) -> Written:
    written = Written()
    for start in range(0, len(outlets), limits.OUTLET_BATCH):
        async with store.begin() as tx:
            batch = await tx.outlets.put(outlets[start : start + limits.OUTLET_BATCH], NOW)
        written = Written(
            written.added + batch.added, written.changed + batch.changed, written.unchanged + batch.unchanged
        )
    return written


async def names(store: SqlStore, text: str = "", **more: Any) -> list[str]:
    async with store.glance() as outlets:
        found = await outlets.page(Wanted(words=typed_words(text), **more), 50)
    return [one.outlet.outlet_id for one in found]


def by_brute_force(outlets: list[Outlet], centre: Place) -> list[float]:
    return sorted(places.metres_between(centre, one.place) for one in outlets if one.place)


async def test_the_nearest_are_those_of_brute_force(store: SqlStore) -> None:
    """From anywhere: in the crowd, in the desert, at the poles and on both sides of the antimeridian."""
    everything = scattered(900)
    await put(store, *everything, an_outlet("NOWHERE"))
    chance = random.Random(11)  # noqa: S311 -- places on a map, no secrets
    centres = [*CITIES, place(0, 180), place(0, -180), place(90, 0), place(-90, 0)]
    centres += [place(chance.uniform(-90, 90), chance.uniform(-180, 180)) for _ in range(15)]
    for city in CITIES[:3]:  # beside the crowd: those in the corner of a box are farther than some outside it
        centres += [place(city.latitude + chance.gauss(0, 0.2), min(city.longitude + 0.01 * n, 180)) for n in range(10)]
    for centre in centres:
        async with store.glance() as outlets:
            found = await outlets.page(Wanted(centre=centre), 20)
        expected = by_brute_force(everything, centre)[:20]
        assert expected == pytest.approx([one.metres for one in found], abs=3)
        assert len({one.outlet.outlet_id for one in found}) == 20


async def test_pages_follow_each_other_without_gap_or_double(store: SqlStore) -> None:
    """All outlets with a place, nearest first, seven at a time; many stand on the very same spot."""
    everything = scattered(100)
    await put(store, *everything, an_outlet("NOWHERE"))
    seen: list[str] = []
    after: Position | None = None
    distances: list[float] = []
    while True:
        async with store.glance() as outlets:
            page = await outlets.page(Wanted(centre=CITIES[0]), 7, after)
        seen += [one.outlet.outlet_id for one in page]
        distances += [one.metres or 0.0 for one in page]
        if len(page) < 7:
            break
        after = page[-1].position
    assert sorted(one.outlet_id for one in everything) == sorted(seen)
    assert sorted(distances) == distances


async def test_filters_hold_for_the_nearest(store: SqlStore) -> None:
    """The nearest of those that do it, however far they are; machines that list nothing do nothing."""
    everything = scattered(200)
    machine = an_outlet("ATM", kind="atm", latitude=30.25, longitude=120.17)
    unlisted = an_outlet("ALL", latitude=30.25, longitude=120.17)
    await put(store, *everything, machine, unlisted)
    async with store.glance() as outlets:
        found = await outlets.page(Wanted(centre=CITIES[0], service="loan", is_step_free=True), 10)
        some = await outlets.page(Wanted(centre=CITIES[0], service="loan"), 3)
    able = [one for one in everything if "loan" in one.services and one.wheelchair == "yes"]
    assert by_brute_force(able, CITIES[0])[:10] == pytest.approx([one.metres for one in found], abs=3)
    assert "ALL" == some[0].outlet.outlet_id
    assert "ATM" not in [one.outlet.outlet_id for one in some]


async def test_words(store: SqlStore) -> None:
    """Pieces of the name, sounds, places; the name that begins so comes first; every word has to fit."""
    await put(
        store,
        an_outlet("W1", name="招商支行", city="杭州市", district="西湖区", address="文二路 12 号"),
        an_outlet("W2", name="西湖支行", name_latin="West Lake", city="杭州市"),
        an_outlet("W3", name="東門分行", city="臺北市"),
        an_outlet("W4", name="HDFC BANK CONNAUGHT PLACE", city="DELHI", country="IN"),
    )
    assert ["W2", "W1"] == await names(store, "西湖")
    assert ["W1"] == await names(store, "招商 西湖")
    assert ["W1"] == await names(store, "zszh")
    assert ["W1"] == await names(store, "zhaoshang")
    assert ["W3"] == await names(store, "台北")
    assert ["W4"] == await names(store, "connaught hdfc")
    assert ["W2"] == await names(store, "west lake")
    assert ["W1"] == await names(store, "文二路12号")
    assert [] == await names(store, "西湖 东门")


async def test_signs_of_the_pattern_are_no_pattern(store: SqlStore) -> None:
    """A percent sign finds nothing by itself, and an underscore is not any character."""
    await put(store, an_outlet("W1", name="甲乙支行"))
    assert ["W1"] == await names(store, "甲%乙")
    assert [] == await names(store, "甲_支")


async def test_words_with_filters_and_with_a_centre(store: SqlStore) -> None:
    """Within a city, under either of its names; and nearest first, those without a place last."""
    await put(
        store,
        an_outlet("A", city="杭州市", latitude=30.0, longitude=120.0),
        an_outlet("B", city="杭州市", latitude=30.3, longitude=120.0),
        an_outlet("C", city="宁波市", latitude=30.2, longitude=120.0),
        an_outlet("D", city="杭州市"),
    )
    assert ["A", "B", "D"] == await names(store, "示范", city=plain_city("杭州"))
    assert ["A", "B", "D"] == await names(store, city=plain_city("杭州市"))
    assert ["B", "C", "A", "D"] == await names(store, "示范", centre=place(30.31, 120.0))


async def test_what_is_the_same_is_not_written(store: SqlStore) -> None:
    """New, changed and unchanged are told apart; what changed is found by its new words alone."""
    first, second = an_outlet("A", name="旧名支行"), an_outlet("B")
    assert Written(2, 0, 0) == await put(store, first, second)
    assert Written(0, 0, 2) == await put(store, first, second)
    assert Written(1, 1, 1) == await put(store, an_outlet("A", name="新名支行"), second, an_outlet("C"))
    assert ["A"] == await names(store, "新名")
    assert [] == await names(store, "旧名")


async def test_what_is_read_is_what_was_written(store: SqlStore) -> None:
    """Every field, coordinates to the millionth."""
    whole = Outlet(
        outlet_id="X.1-a", name="全套", kind="sub-branch", name_latin="Full", address="一号", country="HK",
        province="p", city="c", district="d",
        latitude=-12.345678, longitude=179.999999, phone="+852 1", services=("cash", "loan"),
        languages=("zh", "en-GB"), wheelchair="limited", hours="24/7", time_zone="Asia/Hong_Kong",
    )  # fmt: skip
    await put(store, whole)
    async with store.begin() as tx:
        assert whole == await tx.outlets.find("X.1-a")
        assert await tx.outlets.find("X") is None


async def test_a_retired_outlet_is_found_by_nobody_and_may_come_back(store: SqlStore) -> None:
    """Not by id, not by words, not by distance; put again, it counts as changed."""
    gone = an_outlet("A", latitude=30.0, longitude=120.0)
    await put(store, gone, an_outlet("B"))
    async with store.begin() as tx:
        assert ("A", "B") == await tx.outlets.ids("", 10)
        assert ("B",) == await tx.outlets.ids("A", 10)
        assert 1 == await tx.outlets.retire(("A", "Z"), NOW)
        assert 0 == await tx.outlets.retire(("A",), NOW)
        assert await tx.outlets.find("A") is None
    assert ["B"] == await names(store, "示范")
    assert [] == await names(store, centre=place(30, 120))
    assert Written(0, 1, 0) == await put(store, gone)
    assert ["A", "B"] == await names(store, "示范")


async def test_exceptions_to_the_hours(store: SqlStore) -> None:
    """Of the outlets asked for and of countries, by day; a second word replaces the first; taken back once."""

    def said(outlet_id: str, day: str, hours: str) -> HoursException:
        return HoursException(outlet_id=outlet_id, country="CN", day=day, hours=hours, reason="装修")

    async with store.begin() as tx:
        for one in (said("A", "2026-10-01", "off"), said("B", "2026-10-01", "off"), said("", "2026-10-02", "off")):
            await tx.outlets.put_exception(one)
        await tx.outlets.put_exception(said("A", "2026-10-01", "10:00-12:00"))
    async with store.glance() as outlets:
        expected = (said("A", "2026-10-01", "10:00-12:00"), said("", "2026-10-02", "off"))
        assert expected == await outlets.exceptions(("A",), "2026-09-30", "2026-10-03")
        assert expected[1:] == await outlets.exceptions((), "2026-10-02", "2026-10-02")
        assert expected == await outlets.exceptions_of(an_outlet("A"), date(2026, 10, 1), date(2026, 10, 2))
        assert 3 == len(await outlets.every_exception("2026-10-01", 10))
        assert 2 == len(await outlets.every_exception("2026-10-01", 2))
    async with store.begin() as tx:
        assert await tx.outlets.delete_exception("A", "CN", "2026-10-01")
        assert not await tx.outlets.delete_exception("A", "CN", "2026-10-01")


async def test_how_much_is_asked_at_once(store: SqlStore) -> None:
    """OUTLET_BATCH outlets and OUTLETS_PER_PAGE_MAX exceptions fit; one more is refused, not cut off."""
    outlets = [an_outlet(f"B{number}") for number in range(limits.OUTLET_BATCH + 1)]
    ids = [outlet.outlet_id for outlet in outlets[: limits.OUTLETS_PER_PAGE_MAX + 1]]
    async with store.begin() as tx:
        assert Written(limits.OUTLET_BATCH, 0, 0) == await tx.outlets.put(outlets[:-1], NOW)
        assert () == await tx.outlets.exceptions(ids[:-1], "2026-01-01", "2026-12-31")
        with pytest.raises(ValueError, match="is the most"):
            await tx.outlets.put(outlets, NOW)
        with pytest.raises(ValueError, match="is the most"):
            await tx.outlets.exceptions(ids, "2026-01-01", "2026-12-31")


# ---------------------------------------------------------------- what the console says above the file


async def say(store: SqlStore, outlet_id: str, own: Own) -> None:
    async with store.begin() as tx:
        managed = await tx.own_outlets.find(outlet_id)
        assert managed is not None
        await tx.own_outlets.say(managed, own, NOW)


async def test_what_is_said_above_the_file_stays_there(store: SqlStore) -> None:
    """An import writes what is new under it, and nothing when nothing is; taken back, the file's newest is seen."""
    filed = an_outlet("A", phone="1", hours="24/7", services=("cash",))
    await put(store, filed, an_outlet("B"))
    await say(store, "A", Own(name="新名支行", phone="2", services=()))
    assert Written(0, 0, 2) == await put(store, filed, an_outlet("B"))
    newer = msgspec.structs.replace(filed, phone="3", hours="Mo-Fr 09:00-17:00")
    assert Written(0, 1, 0) == await put(store, newer)
    assert ["A"] == await names(store, "新名")
    async with store.begin() as tx:
        managed = await tx.own_outlets.find("A")
        assert await tx.own_outlets.find("C") is None
    assert managed is not None
    assert (newer, Own(name="新名支行", phone="2", services=())) == (managed.filed, managed.own)
    assert ("2", (), "Mo-Fr 09:00-17:00") == (managed.outlet.phone, managed.outlet.services, managed.outlet.hours)
    await say(store, "A", Own())
    async with store.begin() as tx:
        assert newer == await tx.outlets.find("A")
    assert Written(0, 0, 1) == await put(store, newer)
    assert [] == await names(store, "新名")


async def test_what_was_closed_at_the_console_no_file_brings_back(store: SqlStore) -> None:
    """Nor is it counted as changed again and again; reopened once, it is as the newest file says."""
    outlet = an_outlet("A", latitude=30.0, longitude=120.0)
    await put(store, outlet, an_outlet("B", country="TW", time_zone="Asia/Taipei"))
    async with store.begin() as tx:
        assert ("CN", "TW") == await tx.own_outlets.countries()
        assert await tx.own_outlets.close("A", NOW)
        assert not await tx.own_outlets.close("A", NOW)
        assert ("TW",) == await tx.own_outlets.countries()
        assert ("A",) == tuple(one.outlet_id for one in await tx.own_outlets.closed(10))
    assert Written(0, 0, 1) == await put(store, outlet)
    newer = msgspec.structs.replace(outlet, name="新名支行")
    assert Written(0, 1, 0) == await put(store, newer)
    assert [] == await names(store, "新名")
    assert [] == await names(store, centre=place(30, 120))
    async with store.begin() as tx:
        assert 0 == await tx.outlets.retire(("A",), NOW)
        managed = await tx.own_outlets.find("A")
        assert managed is not None
        assert (True, False) == (managed.is_closed, managed.is_gone)
        assert await tx.own_outlets.reopen(managed, NOW)
        assert not await tx.own_outlets.reopen(managed, NOW)
        assert newer == await tx.outlets.find("A")
    assert ["A"] == await names(store, "新名")


async def test_what_left_the_file_is_not_brought_back_by_a_word(store: SqlStore) -> None:
    """What is said of an outlet that is gone from the file waits for the file to hold it again."""
    await put(store, an_outlet("A"))
    async with store.begin() as tx:
        await tx.outlets.retire(("A",), NOW)
    await say(store, "A", Own(phone="2"))
    async with store.begin() as tx:
        managed = await tx.own_outlets.find("A")
        assert managed is not None
        assert (False, True) == (managed.is_closed, managed.is_gone)
        assert not await tx.own_outlets.reopen(managed, NOW)
        assert await tx.outlets.find("A") is None
    assert [] == await names(store, "示范")
    await put(store, an_outlet("A"))
    async with store.begin() as tx:
        back = await tx.outlets.find("A")
    assert back is not None
    assert "2" == back.phone


async def test_an_outlet_stays_open_while_somebody_books(store: SqlStore) -> None:
    """Who closes it waits, and then sees the booking; who comes after that finds nothing to book."""
    await put(store, an_outlet("A"))
    has_read, order = asyncio.Event(), []

    async def book() -> None:
        async with store.begin() as tx:
            assert await tx.outlets.find_to_book("A") is not None
            has_read.set()
            await asyncio.sleep(0.1)
            order.append("booked")

    async def close() -> None:
        await has_read.wait()
        async with store.begin() as tx:
            assert await tx.own_outlets.find("A") is not None
            order.append("looked")
            assert await tx.own_outlets.close("A", NOW)

    await asyncio.gather(book(), close())
    assert ["booked", "looked"] == order
    async with store.begin() as tx:
        assert await tx.outlets.find_to_book("A") is None
