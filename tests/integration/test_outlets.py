"""Outlets as people and programs meet them: the import, the API, the pages."""

from __future__ import annotations

import gzip
import json
import os
import resource
import statistics
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import brotli
import pytest

from foregate.demo.outlets import settle_outlets
from foregate.doors.pages import assets
from foregate.doors.text import catalog
from foregate.outlets.importing import Imported, import_outlets
from foregate.outlets.reading import NotOutlets
from foregate.ports.outlets import HoursException, Wanted
from foregate.rules import limits
from foregate.rules.places import place
from tests import ready
from tests.bank import LI, NOW, Bank, open_bank

HEADER = "outlet_id,name,address,latitude,longitude,hours,services\n"
MAPPINGS = Path(__file__).parents[1] / "mappings"
NEAREST_MS = 5  # in the server, for the nearest twenty of all
REAL = Path(__file__).parents[3] / "shared" / "data" / "outlets"


@pytest.fixture
async def bank(tmp_path: Path, anyio_backend: str) -> AsyncIterator[Bank]:
    """A bank without outlets."""
    opened = await open_bank(f"sqlite:///{tmp_path / 'bank.db'}")
    yield opened
    await opened.close()


@pytest.fixture
async def city(bank: Bank) -> Bank:
    """A bank with the demo's outlets. It is four o'clock on a Friday afternoon there."""
    await settle_outlets(bank.house)
    return bank


async def bring(bank: Bank, file: Path, **more: Any) -> tuple[Imported, list[tuple[int, str, str]]]:
    told: list[tuple[int, str, str]] = []
    counts = await import_outlets(bank.house.store, file, NOW, lambda *what: told.append(what), **more)
    return counts, told


def written(folder: Path, text: str, name: str = "outlets.csv") -> Path:
    path = folder / name
    path.write_text(text, "utf-8")
    return path


# ---------------------------------------------------------------- import


async def test_bad_records_are_said_and_good_ones_are_taken(bank: Bank, tmp_path: Path) -> None:
    """Each by its line and its reason; a quote that is never closed takes no other line with it."""
    text = HEADER + (
        "A,甲支行,一号,30.1,120.1,Mo-Fr 09:00-17:00,cash;loan\n"
        "B,,二号,30.1,120.1,,\n"
        "C,丙支行,三号,91,120.1,,\n"
        "D,丁支行,四号,30.1,,,\n"
        "E,戊支行,五号,30.1,120.1,whenever,\n"
        "F,己支行,六号,30.1,120.1,,magic\n"
        "A,又是甲,七号,30.1,120.1,,\n"
        "no good,庚支行,八号,,,,\n"
        "H,辛支行,九号\n"
        'I,"壬支行,十号,,,,\n'
        "J,癸支行,十一号,0,0,,\n"
        'K,子支行,"十二号\n后门",,,,\n'
        "\n"
        "L,丑支行,十三号,,,,\n"
    )
    counts, told = await bring(bank, written(tmp_path, text))
    assert [3, 4, 5, 6, 7, 8, 9, 10, 11, 12] == [number for number, _, _ in told]
    assert ["B", "C", "D", "E", "F", "A"] == [outlet_id for _, outlet_id, _ in told[:6]]
    words = ["name", "coordinates", "coordinates", "hours", "services", "already", "outlet_id", "3 columns", "quote",
             "sea"]  # fmt: skip
    assert [] == [(word, reason) for word, (_, _, reason) in zip(words, told, strict=True) if word not in reason]
    assert (13, 3, 10, 2) == (counts.records, counts.added, counts.rejected, counts.without_place)


async def test_running_it_again_writes_what_changed(bank: Bank, tmp_path: Path) -> None:
    """Nothing the second time; what the file no longer holds stays, unless it is asked away."""
    await bring(bank, written(tmp_path, HEADER + "A,甲支行,,,,,\nB,乙支行,,,,,\n"))
    again, _ = await bring(bank, written(tmp_path, HEADER + "A,甲支行,,,,,\nB,乙支行,,,,,\n"))
    assert (0, 0, 2) == (again.added, again.changed, again.unchanged)
    newer, _ = await bring(bank, written(tmp_path, HEADER + "A,新甲支行,,,,,\nC,丙支行,,,,,\n"))
    assert (1, 1, 0, None) == (newer.added, newer.changed, newer.unchanged, newer.retired)
    broken, _ = await bring(bank, written(tmp_path, HEADER + "A,新甲支行,,,,,\nB,,,,,,\n"), retire_missing=True)
    assert broken.retired is None
    whole, _ = await bring(bank, written(tmp_path, HEADER + "A,新甲支行,,,,,\n"), retire_missing=True)
    assert 2 == whole.retired
    async with bank.house.store.glance() as outlets:
        assert ["A"] == [one.outlet.outlet_id for one in await outlets.page(Wanted(), 10)]


async def test_a_mapping_says_which_column_is_what(bank: Bank, tmp_path: Path) -> None:
    """Templates, joined parts, replaced pieces, translated words, defaults, shifted coordinates, another encoding."""
    mapping = written(tmp_path, """
        [fields]
        outlet_id = "{编号}"
        name = ["{行名}", "{网点}"]
        city = "{城市}"
        latitude = "{纬度}"
        longitude = "{经度}"
        hours = ["Mo-Fr {开}-{关}", "Sa {周六}"]
        services = "{业务}"
        kind = "{类}"
        [join]
        name = ""
        [replace.hours]
        "：" = ":"
        [translate.kind]
        "自助" = "self-service"
        [translate.services]
        "换号" = "phone-change"
        "停车" = ""
        [empty]
        city = "杭州"
        kind = "branch"
        [coordinates]
        datum = "gcj02"
        unknown = [[30.0, 120.0]]
        [format]
        encoding = "gb18030"
        delimiter = ";"
    """, "m.toml")  # fmt: skip
    file = tmp_path / "x.csv.gz"
    rows = (
        "编号;行名;网点;城市;纬度;经度;开;关;周六;业务;类\n"
        "1;示范;湖滨;;30.2500;120.1700;09：00;17：00;;换号|停车;\n"
        "2;示范;;宁波;30.0;120.0;;;10:00-12:00;;自助\n"
    )
    file.write_bytes(gzip.compress(rows.encode("gb18030")))
    counts, told = await bring(bank, file, mapping_file=mapping)
    assert [] == told
    assert 1 == counts.without_place
    async with bank.house.store.glance() as outlets:
        first, second = await outlets.find("1"), await outlets.find("2")
    assert first is not None
    assert second is not None
    assert ("示范湖滨", "杭州", "Mo-Fr 09:00-17:00", ("phone-change",), "branch") == (
        first.name, first.city, first.hours, first.services, first.kind,
    )  # fmt: skip
    assert (30.2524, 120.1653) == pytest.approx((first.latitude, first.longitude), abs=0.0002)
    assert ("示范", "宁波", "Sa 10:00-12:00", "self-service", None) == (
        second.name, second.city, second.hours, second.kind, second.latitude,
    )  # fmt: skip


async def test_geojson(bank: Bank, tmp_path: Path) -> None:
    """Points with properties; what is no point is said; a broken file is refused as a whole."""

    def feature(outlet_id: str, geometry: Any) -> dict[str, Any]:
        return {"type": "Feature", "geometry": geometry, "properties": {"outlet_id": outlet_id, "name": "点支行",
                "services": ["cash", "loan"], "ignored": {"a": 1}}}  # fmt: skip

    features = [
        feature("A", {"type": "Point", "coordinates": [120.17, 30.25]}),
        feature("B", {"type": "LineString", "coordinates": [[1, 2], [3, 4]]}),
        feature("C", None),
    ]
    text = json.dumps({"type": "FeatureCollection", "name": "outlets", "features": features}, indent=1)
    counts, told = await bring(bank, written(tmp_path, text, "x.geojson"))
    assert (3, 2, 1, 1) == (counts.records, counts.added, counts.rejected, counts.without_place)
    assert [(2, "its geometry is no point")] == [(number, why) for number, _, why in told]
    for broken in (text[:-80], '{"type": "Feature"}', "[]"):
        with pytest.raises(NotOutlets):
            await bring(bank, written(tmp_path, broken, "y.geojson"))


@pytest.mark.parametrize(
    ("name", "text", "mapping"),
    [
        ("x.csv", "name,address\nA,B\n", None),
        ("x.csv", "", None),
        ("x.txt", HEADER, None),
        ("x.csv", HEADER, '[fields]\noutlet_id = "{nr}"\nname = "{name}"\n'),
        ("x.csv", HEADER, '[fields]\noutlet_id = "{outlet_id}"\nnickname = "{name}"\n'),
        ("x.csv", HEADER, '[fields]\noutlet_id = "{outlet_id}"\n'),
        ("x.csv", HEADER, "no toml"),
    ],
)
async def test_a_file_or_mapping_that_is_none(
    bank: Bank, tmp_path: Path, name: str, text: str, mapping: str | None
) -> None:
    """Is refused before anything is written."""
    given = written(tmp_path, mapping, "m.toml") if mapping else None
    with pytest.raises(NotOutlets):
        await bring(bank, written(tmp_path, text, name), mapping_file=given)


async def test_how_long_a_record_may_be(bank: Bank, tmp_path: Path) -> None:
    """OUTLET_TEXT_CHARS and OUTLET_ID_CHARS fit, one more does not; a record ends at OUTLET_ROW_CHARS."""
    long, ident = "甲" * limits.OUTLET_TEXT_CHARS, "A" * limits.OUTLET_ID_CHARS
    text = (
        HEADER + f"{ident},{long},,,,,\n{ident}B,乙,,,,,\nC,{long}丙,,,,,\nD,丁,{'x' * limits.OUTLET_ROW_CHARS},,,,\n"
    )
    counts, told = await bring(bank, written(tmp_path, text))
    assert (1, 3) == (counts.added, counts.rejected)
    assert ["outlet_id", "name", "longer"] == [why.partition(":")[0].split()[0] for _, _, why in told]


# ---------------------------------------------------------------- API


async def test_the_nearest_over_the_api(city: Bank) -> None:
    """Distances in metres, whether open, seconds until that changes; page by page, each outlet once."""
    visitor = city.visitor()
    seen: list[str] = []
    metres: list[int] = []
    query = "near=30.25,120.17&limit=12"
    after = ""
    while True:
        answer = await visitor.get(f"/v1/outlets?{query}{after}")
        assert 200 == answer.status
        seen += [one["outlet_id"] for one in answer.body["outlets"]]
        metres += [one["metres"] for one in answer.body["outlets"]]
        if answer.body["next"] is None:
            break
        after = f"&after={answer.body['next']}"
    assert 29 == len(seen) == len(set(seen))  # the van has no place
    assert sorted(metres) == metres
    assert "D002" == seen[0]
    first = (await visitor.get("/v1/outlets/D002")).body
    assert (True, 3600) == (first["is_open"], first["changes_in_seconds"])


async def test_search_over_the_api(city: Bank) -> None:
    """Words, filters, near a place that is typed; nothing found is an empty list."""

    async def found(query: str) -> list[str]:
        answer = await city.visitor().get(f"/v1/outlets?{query}")
        return [one["outlet_id"] for one in answer.body["outlets"]]

    assert ["D001"] == await found("q=hubin")
    assert ["D020"] == await found("q=未来城")
    assert "D029" in await found("q=富阳区")
    assert ["D017"] == await found("q=机场&service=cash&step_free=1")
    assert [] == await found("q=火星")
    assert {"D021", "D022"} == set((await found("q=钱塘区&by=near&service=open-account"))[:2])
    city.clock.turn(12 * 3600)  # four in the morning
    assert ["D023", "D027", "D024"] == (await found("near=30.25,120.17&open=1"))[:3]


async def test_what_the_api_cannot_read(city: Bank) -> None:
    """Is a problem that names the parameter; an outlet that is not there is not found."""
    visitor = city.visitor()
    for query, name in (
        ("near=30.25", "near"),
        ("near=95,10", "near"),
        ("limit=0", "limit"),
        (f"limit={limits.OUTLETS_PER_PAGE_MAX + 1}", "limit"),
        ("after=x", "after"),
        ("after=9999999999999999999.A", "after"),
        ("service=magic", "service"),
        ("open=maybe", "open"),
        ("by=far", "by"),
        (f"q={'x' * (limits.OUTLET_QUERY_CHARS + 1)}", "q"),
    ):
        answer = await visitor.get(f"/v1/outlets?{query}")
        assert ("input-invalid", [name]) == (answer.cause, [field["name"] for field in answer.body["fields"]])
    assert 200 == (await visitor.get(f"/v1/outlets?limit={limits.OUTLETS_PER_PAGE_MAX}")).status
    assert "not-found" == (await visitor.get("/v1/outlets/D999")).cause


async def test_how_often_one_source_may_look(city: Bank) -> None:
    """OUTLET_LOOKS_PER_MINUTE over API and pages together; the next is told to wait."""
    visitor = city.visitor()
    for _ in range(limits.OUTLET_LOOKS_PER_MINUTE):
        assert 200 == (await visitor.get("/v1/outlets/D001")).status
    assert "too-many-requests" == (await visitor.get("/v1/outlets/D001")).cause
    assert 429 == (await visitor.client.get("/outlets?q=湖滨")).status_code
    assert 200 == (await visitor.client.get("/outlets")).status_code


async def test_outlets_tell_nothing_about_who_asks(city: Bank) -> None:
    """A stranger, and a customer who is signed in, get the same bytes (ENU-01)."""
    await city.settle(LI)
    signed_in, stranger = city.visitor(), city.visitor()
    await signed_in.sign_in(LI)
    for path in ("/v1/outlets?q=支行", "/v1/outlets/D001", "/outlets?q=支行", "/outlets/D001"):
        here, there = await signed_in.client.get(path), await stranger.client.get(path)
        assert here.content == there.content
        assert here.status_code == there.status_code


# ---------------------------------------------------------------- pages


async def test_an_exception_shows_in_both(city: Bank) -> None:
    """What the bank says of today is what people read, with its reason."""
    today = HoursException(outlet_id="D002", country="CN", day="2027-01-15", hours="off", reason="内部装修")
    async with city.house.store.begin() as tx:
        await tx.outlets.put_exception(today)
    visitor = city.visitor()
    assert (await visitor.get("/v1/outlets/D002")).body["is_open"] is False
    page = (await visitor.client.get("/outlets/D002")).text
    assert "内部装修" in page
    assert catalog.text("zh", "outlets.closed-day") in page


@pytest.mark.parametrize("language", catalog.languages())
async def test_list_and_sketch_are_small(city: Bank, language: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Thirty outlets in no more than 5 KB, gzipped, and the page of twenty within what every page may take and 1 KB."""
    headers = {"accept-language": language}
    page = (await city.visitor().client.get("/outlets?lat=30.25&lon=120.17", headers=headers)).text
    assert len(brotli.compress(page.encode(), quality=5)) <= 6 * 1024
    monkeypatch.setattr(limits, "OUTLETS_PER_PAGE", limits.Limit(30, "outlets", "for this test"))
    page = (await city.visitor().client.get("/outlets?lat=30.25&lon=120.17", headers=headers)).text
    part = page[page.index("<svg class") : page.rindex("</ol>")]
    assert part.count("<li ") >= 29
    assert len(gzip.compress(part.encode())) <= 5 * 1024


async def test_where_a_visitor_is_goes_nowhere_but_into_the_answer(city: Bank) -> None:
    """A finer position than a kilometre is rounded before anything is done with it; the page is kept by no cache."""
    page = await city.visitor().client.get("/outlets?lat=30.254321&lon=120.171234")
    assert "30.25" in page.text
    assert "30.254" not in page.text
    assert "no-store" == page.headers["cache-control"]


async def test_what_the_page_cannot_read_is_said_and_left_out(city: Bank) -> None:
    """A bent address is no dead end."""
    page = await city.visitor().client.get("/outlets?lat=north&lon=east&q=湖滨")
    assert 200 == page.status_code
    assert catalog.text("zh", "outlets.misread") in page.text
    assert "示范银行湖滨支行" in page.text


async def test_what_is_typed_is_text(city: Bank) -> None:
    """Nobody writes into the page through its address."""
    page = await city.visitor().client.get('/outlets?q=<script>alert(1)</script>&by=near&city="><b>')
    assert "<script>alert" not in page.text
    assert "<b>" not in page.text


async def test_the_language_button_keeps_the_search(city: Bank) -> None:
    """It leads back to the very address, without itself."""
    answer = await city.visitor().client.get("/outlets?q=湖滨&language=en")
    assert 303 == answer.status_code
    assert answer.headers["location"].startswith("/outlets?q=")
    assert "language" not in answer.headers["location"]
    assert "language" in answer.headers["set-cookie"]


async def test_every_search_leads_to_a_booking(city: Bank) -> None:
    """Counters can be booked, machines cannot; service and case number go along."""
    page = (await city.visitor().client.get("/outlets?lat=30.25&lon=120.17&service=phone-change&case=K7-22")).text
    assert "/book-appointment?outlet=D002&amp;service=phone-change&amp;case=K7-22" in page
    assert "outlet=D023" not in page
    assert "/book-appointment?outlet=D001" in (await city.visitor().client.get("/outlets/D001")).text


def test_the_script_is_small() -> None:
    """Near me, and nothing else."""
    assert len(assets.finder().small) <= 1024


# ---------------------------------------------------------------- the real files


@pytest.fixture(scope="module")
def real_files() -> tuple[Path, Path]:
    """Return two files that banks' supervisors publish."""
    files = (REAL / "india_branches_geocoded.csv.gz", REAL / "taiwan_branches.csv")
    if not all(file.exists() for file in files):
        pytest.skip("the large outlet files are not on this machine")
    return files


@pytest.fixture(params=["sqlite", "postgres"])
async def real_bank(request: pytest.FixtureRequest, tmp_path: Path, anyio_backend: str) -> AsyncIterator[Bank]:
    """A bank over each database. Loading both takes a minute more, so PostgreSQL waits to be asked for."""
    url = f"sqlite:///{tmp_path / 'bank.db'}"
    if request.param == "postgres":
        if not os.environ.get("FOREGATE_OUTLETS_ON_POSTGRES"):
            pytest.skip("FOREGATE_OUTLETS_ON_POSTGRES=1 loads the large files into PostgreSQL too")
        server = request.getfixturevalue("postgres_server")
        _, url = ready.copy_of(server, request.getfixturevalue("migrated_postgres"))
    opened = await open_bank(url)
    yield opened
    await opened.close()


@pytest.mark.alone
@pytest.mark.slow
async def test_the_real_files_load(real_bank: Bank, real_files: tuple[Path, Path]) -> None:
    """All records but those without a name; a second run writes nothing; pieces of names are found, the nearest in no
    time."""
    bank = real_bank
    large, small = real_files
    began = time.perf_counter()
    counts, told = await bring(bank, large, mapping_file=MAPPINGS / "codes_and_states.toml")
    assert (115_234, 115_148, 86) == (counts.records, counts.added, counts.rejected)
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print(f"\n{counts}: {time.perf_counter() - began:.1f} s, peak of the process {peak_mb} MB")
    assert {"name: empty"} == {why for _, _, why in told}
    counts, _ = await bring(bank, small, mapping_file=MAPPINGS / "extended_hours.toml")
    assert (4_061, 4_061, 0) == (counts.records, counts.added, counts.rejected)
    again, _ = await bring(bank, small, mapping_file=MAPPINGS / "extended_hours.toml")
    assert (0, 0, 4_061) == (again.added, again.changed, again.unchanged)
    body = (await bank.visitor().get("/v1/outlets?q=南投&limit=50")).body
    assert 35 == len(body["outlets"])
    assert (await bank.visitor().get("/v1/outlets?q=nantou&limit=50")).body["outlets"]
    median = await median_ms(bank)
    print(f"nearest 20 of 119,209: median {median:.2f} ms")
    assert median <= NEAREST_MS


async def median_ms(bank: Bank) -> float:
    """How long the server takes for the nearest twenty, from a hundred places."""
    taken = []
    for number in range(100):
        centre = place(12.0 + number * 0.15, 77.0 + (number % 10) * 0.3)
        began = time.perf_counter()
        async with bank.house.store.glance() as outlets:
            assert 20 == len(await outlets.page(Wanted(centre=centre), 20))
        taken.append((time.perf_counter() - began) * 1000)
    return statistics.median(taken)
