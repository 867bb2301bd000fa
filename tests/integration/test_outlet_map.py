"""The map of outlets as it is served: with a tile server and without, and what its policy opens to."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import brotli
import pytest

from foregate.demo.outlets import settle_outlets
from foregate.demo.run import map_of
from foregate.doors.pages import assets, content_security_policy
from foregate.doors.text import catalog
from foregate.outlets.importing import import_outlets
from foregate.rules import limits, places
from foregate.settings import BadSettings, load
from tests.bank import NOW, Bank, open_bank

TILES = "https://tiles.bank.test:8443/map/{z}/{x}/{y}.png?key=public"
MAP: dict[str, Any] = {"map_tiles_url": TILES, "map_attribution": "© Maps & <Friends>"}
NEAR = "/outlets/map?lat=30.25&lon=120.17"
SAVING = {"save-data": "on"}
AT = re.compile(r'data-(?:at|here)="([0-9.-]+),([0-9.-]+)"')
FILES = re.compile(r'(?:src|href)="(/s/(?:map|leaflet)\.[^"]+)"')


async def opened(tmp_path: Path, **settings: Any) -> AsyncIterator[Bank]:
    bank = await open_bank(f"sqlite:///{tmp_path / 'bank.db'}", **settings)
    await settle_outlets(bank.house)
    yield bank
    await bank.close()


@pytest.fixture
async def bare(tmp_path: Path, anyio_backend: str) -> AsyncIterator[Bank]:
    """A bank without a map."""
    async for bank in opened(tmp_path):
        yield bank


@pytest.fixture
async def city(tmp_path: Path, anyio_backend: str) -> AsyncIterator[Bank]:
    """A bank with a map."""
    async for bank in opened(tmp_path, **MAP):
        yield bank


def sources(policy: str, directive: str) -> list[str]:
    return next(part.split()[1:] for part in policy.split("; ") if part.split()[0] == directive)


# ---------------------------------------------------------------- with and without


async def test_without_a_tile_server_there_is_no_map(bare: Bank) -> None:
    """No link, no page, no file."""
    client = bare.visitor().client
    assert "/outlets/map" not in (await client.get("/outlets?lat=30.25&lon=120.17")).text
    assert "/outlets/map" not in (await client.get("/outlets/D007")).text
    assert 404 == (await client.get(NEAR)).status_code
    assert 404 == (await client.get(assets.map_files()[1].path)).status_code


async def test_the_map_shows_what_the_list_shows(city: Bank) -> None:
    """The same outlets under the same numbers, the second page of a list as its first; back leads to the list."""
    client = city.visitor().client
    for search in (
        "?lat=30.25&lon=120.17",
        "?q=滨江区&by=near",
        "?lat=30.25&lon=120.17&open=1&service=cash",
    ):
        finder = (await client.get(f"/outlets{search}")).text
        while True:
            link = re.search(r'href="(/outlets/map[^"]+)"', finder)
            assert link
            page = await client.get(link[1].replace("&amp;", "&"))
            assert 200 == page.status_code
            assert re.findall(r"<h3>.*</h3>", finder) == re.findall(r"<h3>.*</h3>", page.text)
            assert link[1].replace("/map", "") in page.text
            more = re.search(r'href="(/outlets\?[^"]+after=[^"]+)"', finder)
            if more is None:
                break
            finder = (await client.get(more[1].replace("&amp;", "&"))).text


async def test_one_outlet_on_the_map(city: Bank) -> None:
    """From its page; nobody's position is in it."""
    client = city.visitor().client
    assert '"/outlets/map?outlet=D007"' in (await client.get("/outlets/D007")).text
    page = (await client.get("/outlets/map?outlet=D007")).text
    assert 1 == page.count("data-at=")
    assert "data-here=" not in page
    assert 'href="/outlets/D007"' in page


@pytest.mark.parametrize(
    ("path", "back"),
    [
        ("/outlets/map", "/outlets"),
        ("/outlets/map?outlet=nobody", "/outlets"),
        ("/outlets/map?outlet=" + "x" * 5000, "/outlets"),
        ("/outlets/map?q=%E7%81%AB%E6%98%9F", "/outlets?q=%E7%81%AB%E6%98%9F"),
        ("/outlets/map?outlet=nowhere", "/outlets/nowhere"),
    ],
)
async def test_nothing_to_draw_leads_back(city: Bank, tmp_path: Path, path: str, back: str) -> None:
    """To the list, which says why; an outlet whose place nobody knows, to its page."""
    file = tmp_path / "outlets.csv"
    file.write_text("outlet_id,name,latitude,longitude\nnowhere,某处支行,,\nmap,地图支行,,\n", "utf-8")
    told: list[tuple[int, str, str]] = []
    await import_outlets(city.house.store, file, NOW, lambda *what: told.append(what))
    assert ["map"] == [outlet_id for _, outlet_id, _ in told]  # its address would be that of the map
    answer = await city.visitor().client.get(path)
    assert (303, back) == (answer.status_code, answer.headers["location"])


async def test_how_often_one_source_may_look(city: Bank) -> None:
    """A map counts as a search."""
    client = city.visitor().client
    seen = [(await client.get("/outlets/map?outlet=D007")).status_code for _ in range(limits.OUTLET_LOOKS_PER_MINUTE)]
    assert {200} == set(seen)
    assert 429 == (await client.get("/outlets/map?outlet=D007")).status_code


# ---------------------------------------------------------------- what it loads


async def test_the_policy_opens_to_the_tile_server_alone(city: Bank) -> None:
    """For pictures, and nowhere but on this page; its scripts and styles are ours, and nothing inline runs."""
    client = city.visitor().client
    policy = (await client.get(NEAR)).headers["content-security-policy"]
    assert ["'self'", "https://tiles.bank.test:8443", "data:"] == sources(policy, "img-src")
    assert ["'self'"] == sources(policy, "script-src") == sources(policy, "connect-src")
    assert ["'self'", f"'{assets.style_hash('outlets')}'"] == sources(policy, "style-src")
    assert ["'none'"] == sources(policy, "default-src") == sources(policy, "frame-ancestors")
    assert ["'script'"] == sources(policy, "require-trusted-types-for")
    assert ["default", "worker"] == sources(policy, "trusted-types")
    assert 1 == policy.count("tiles.bank.test")
    assert "unsafe" not in policy
    for path in ("/", "/outlets?lat=30.25&lon=120.17", "/outlets/D007", "/outlets/map?outlet=none"):
        policy = (await client.get(path)).headers["content-security-policy"]
        assert policy in (content_security_policy(), content_security_policy("outlets"))


async def test_the_files_are_kept_for_a_year_and_travel_small(city: Bank) -> None:
    """Leaflet as it is released, under a name that changes with it; our own part of it stays small."""
    client = city.visitor().client
    names = FILES.findall((await client.get(NEAR)).text)
    assert [file.path for file in assets.map_files()] == names
    policy, library, *_ = names
    assert policy.startswith("/s/map.")  # before what it holds
    assert library.startswith("/s/leaflet.")
    for name, kind in zip(names, ("javascript", "javascript", "css", "css"), strict=True):
        answer = await client.get(name, headers={"accept-encoding": "br"})
        assert (200, "br") == (answer.status_code, answer.headers["content-encoding"])
        assert kind in answer.headers["content-type"]
        assert "immutable" in answer.headers["cache-control"]
    assert "(c) 2010-2023 Vladimir Agafonkin" in (await client.get(library)).text
    assert sum(len(file.small) for file in assets.map_files()) <= 45 * 1024
    assert len(assets.map_files()[0].small) <= 2 * 1024


async def test_a_browser_that_saves_data_is_asked_first(city: Bank) -> None:
    """Not one file is loaded; the sketch is there, and a link that loads the map all the same."""
    client = city.visitor().client
    saving = (await client.get(NEAR, headers=SAVING)).text
    assert [] == FILES.findall(saving)
    assert "tiles.bank.test" not in saving
    assert catalog.text("zh", "outlets.map.saving") in saving
    assert '<svg class="map"' in saving
    assert 'href="/outlets/map?lat=30.25&amp;lon=120.17&amp;load=1"' in saving
    for path, headers in ((f"{NEAR}&load=1", SAVING), (NEAR, {"save-data": "off"})):
        assert 4 == len(FILES.findall((await client.get(path, headers=headers)).text))


async def test_words_are_text(city: Bank) -> None:
    """Whose map it is, and what was typed, are written as they are."""
    page = (await city.visitor().client.get("/outlets/map?q=滨江区&by=near&service=%3Cb%3E")).text
    assert "© Maps &amp; &lt;Friends&gt;" in page
    assert f'data-tiles="{TILES.replace("&", "&amp;")}"' in page
    assert "<b>" not in page


@pytest.mark.parametrize("language", catalog.languages())
async def test_the_page_is_small(city: Bank, language: str) -> None:
    """Twenty outlets, the sketch, and the words around them."""
    page = (await city.visitor().client.get(NEAR, headers={"accept-language": language})).text
    assert len(brotli.compress(page.encode(), quality=5)) <= 6 * 1024


# ---------------------------------------------------------------- where the tiles show a place


@pytest.mark.anyio
async def test_tiles_that_are_shifted(tmp_path: Path) -> None:
    """On a Chinese map every place of the mainland is shown shifted, and no other: not even across a river."""
    file = tmp_path / "outlets.csv"
    file.write_text(
        "outlet_id,name,country,time_zone,latitude,longitude\n"
        "D,丹东支行,CN,,40.124000,124.394000\nS,Sinuiju,KP,Asia/Pyongyang,40.100000,124.398000\n",
        "utf-8",
    )
    seen = {}
    for datum in ("wgs84", "gcj02"):
        bank = await open_bank(f"sqlite:///{tmp_path / f'{datum}.db'}", **MAP, map_datum=datum)
        await import_outlets(bank.house.store, file, NOW, lambda *what: None)
        page = (await bank.visitor().client.get("/outlets/map?lat=40.12&lon=124.39")).text
        seen[datum] = [(float(latitude), float(longitude)) for latitude, longitude in AT.findall(page)]
        await bank.close()
    here, inside, beyond = (40.12, 124.39), (40.124, 124.394), (40.1, 124.398)
    assert [here, inside, beyond] == seen["wgs84"]
    shifted = [places.to_gcj02(places.place(*where)) for where in (here, inside)]
    assert [*((where.latitude, where.longitude) for where in shifted), beyond] == seen["gcj02"]
    assert 300 < places.metres_between(places.place(*inside), shifted[1]) < 800


# ---------------------------------------------------------------- the demo


def test_the_demo_reads_its_map_from_the_environment() -> None:
    """And nothing else of it."""
    environ = {"FOREGATE_MAP_TILES_URL": TILES, "FOREGATE_MAP_DATUM": "gcj02", "FOREGATE_ORIGIN": "https://x.example"}
    found = load(environ=map_of(environ), is_demo=True)
    assert (TILES, "gcj02", "") == (found.map_tiles_url, found.map_datum, found.origin)


@pytest.mark.anyio
async def test_a_demo_whose_map_cannot_work_is_not_built(tmp_path: Path) -> None:
    """It may be weak; a page that shows nothing it may not."""
    with pytest.raises(BadSettings, match=r"map_tiles_url: use https://"):
        await open_bank(f"sqlite:///{tmp_path / 'bank.db'}", **MAP | {"map_tiles_url": TILES.replace("https", "http")})
