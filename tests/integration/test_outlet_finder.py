"""The finder for who comes from a refusal, and for who reads no Chinese."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from foregate.demo.outlets import settle_outlets
from foregate.doors.text import catalog
from foregate.outlets.importing import import_outlets
from foregate.rules import limits, places
from foregate.rules.appointments import CASE_SYMBOLS, spelled
from tests.bank import LI, NOW, ORIGIN, Bank, open_bank

CASE = spelled(4711, CASE_SYMBOLS)
HEADER = "outlet_id,name,name_latin,city,district,address,latitude,longitude,country,time_zone\n"


@pytest.fixture
async def city(tmp_path: Path, anyio_backend: str) -> AsyncIterator[Bank]:
    """A bank with the demo's outlets."""
    opened = await open_bank(f"sqlite:///{tmp_path / 'bank.db'}")
    await settle_outlets(opened.house)
    yield opened
    await opened.close()


async def page(bank: Bank, query: str, path: str = "/outlets", language: str = "zh") -> str:
    answer = await bank.visitor().client.get(f"{path}?{query}", headers={"accept-language": language})
    assert 200 == answer.status_code
    return answer.text


# ---------------------------------------------------------------- from a refusal


@pytest.mark.parametrize("language", catalog.languages())
async def test_what_for_is_known_and_where_is_asked(city: Bank, language: str) -> None:
    """The form is open with the service chosen, the number is shown, and nothing from the other end of the country."""
    text = await page(city, f"service=phone-change&case={CASE}", language=language)
    assert CASE in re.sub(r"<[^>]+>", " ", text)
    assert catalog.text(language, "outlets.case.detail", days=int(limits.CASE_DAYS)) in text
    assert '<option value="phone-change" selected>' in text
    assert 'class="outs"' not in text
    assert "details open" in text
    assert catalog.text(language, "outlets.say-where") not in text
    assert 'id="f-q"' in text[: text.index("<details open")]


async def test_the_number_and_the_service_go_along(city: Bank) -> None:
    """Through the list, an outlet and back: the number is still shown, and the booking knows both."""
    brought = f"?service=phone-change&amp;case={CASE}"
    text = await page(city, f"q=湖滨&service=phone-change&case={CASE}")
    assert catalog.text("zh", "outlets.case.title") in text
    assert f'href="/outlets/D001{brought}"' in text
    text = await page(city, f"service=phone-change&case={CASE}", "/outlets/D001")
    assert f'href="/book-appointment?outlet=D001&amp;service=phone-change&amp;case={CASE}"' in text
    assert f'href="/outlets{brought}"' in text
    assert CASE in re.sub(r"<[^>]+>", " ", text)
    nothing = await page(city, f"q=火星&service=phone-change&case={CASE}")
    assert f'href="/outlets{brought}"' in nothing


async def test_a_search_without_a_place_is_asked_for_one(city: Bank) -> None:
    """It says so, keeps what was ticked, and still lists everything for who wants that."""
    text = await page(city, "q=&city=&service=cash&open=1")
    assert catalog.text("zh", "outlets.say-where") in text
    assert '<option value="cash" selected>' in text
    assert 'class="outs"' not in text
    everywhere = re.search(r'href="(/outlets\?[^"]*by=all[^"]*)"', text)
    assert everywhere
    listed = (await city.visitor().client.get(everywhere[1].replace("&amp;", "&"))).text
    assert 'class="outs"' in listed
    assert "service=cash" in listed


@pytest.mark.parametrize("case", ["CALL-95001", CASE[:-1] + ("A" if CASE[-1] != "A" else "B"), "K7-22", ""])
async def test_nobody_puts_words_on_the_page_by_its_address(city: Bank, case: str) -> None:
    """What can be no case number is shown to nobody."""
    text = await page(city, f"service=phone-change&case={case}")
    assert catalog.text("zh", "outlets.case.title") not in text


async def test_a_journey_leads_to_the_open_form(city: Bank) -> None:
    """The real way: refused, what to bring, the number, the form."""
    await city.settle(LI)
    visitor = city.visitor()
    begun = await visitor.start("sign-in", "phone", phone=LI.phone)
    place = f"/j/{begun.journey['id']}/outlet"
    seen = await visitor.client.get(f"{place}?told=face-expired")
    assert catalog.text("zh", "service.face-update.detail") in seen.text
    sent = await visitor.client.post(place, data={"told": "face-expired"}, headers={"origin": ORIGIN})
    assert 303 == sent.status_code
    text = (await visitor.client.get(sent.headers["location"])).text
    number = re.search(r'<p class="digits">([0-9A-Z]{10})</p>', text)
    assert number
    assert '<option value="face-update" selected>' in text
    async with city.house.store.begin() as tx:
        case = await tx.cases.find(number[1], city.clock.now())
    assert case is not None
    assert ("face-update", "face-expired") == (case.service, case.facts["told"])


# ---------------------------------------------------------------- in Latin letters


async def found(bank: Bank, query: str) -> list[str]:
    answer = await bank.visitor().get(f"/v1/outlets?limit=50&{query}")
    assert 200 == answer.status
    return [one["outlet_id"] for one in answer.body["outlets"]]


async def test_places_in_latin_letters(city: Bank) -> None:
    """Cities and districts by their sound, as words, as a place to be near, and as the city to look in."""
    assert set(await found(city, "q=西湖区")) <= set(await found(city, "q=Xihu"))
    assert await found(city, "city=杭州") == await found(city, "city=Hangzhou")
    assert await found(city, "city=杭州&service=cash&step_free=1") == await found(
        city, "city=Hangzhou City&service=cash&step_free=1"
    )
    assert 30 == len(await found(city, "q=hangzhou"))
    assert (await found(city, "q=西湖&by=near"))[:1] == (await found(city, "q=Xihu District&by=near"))[:1]
    assert [] == await found(city, "city=Atlantis")
    assert (await found(city, "city=杭州&near=30.25,120.17"))[:5] == (
        await found(city, "city=Hangzhou&near=30.25,120.17")
    )[:5]


async def test_a_city_that_is_written_in_letters_is_compared_as_it_is(city: Bank, tmp_path: Path) -> None:
    """Delhi is Delhi, and no street of that name elsewhere; a Chinese bank's name puts nobody into its city."""
    file = tmp_path / "more.csv"
    rows = (
        "I1,State Bank,,DELHI,,1 Main Road,,,IN,Asia/Kolkata\n"
        "I2,State Bank,,PUNE,,2 Delhi Road,,,IN,Asia/Kolkata\n"
        "I3,杭州银行上海分行,Bank of Hangzhou,上海市,黄浦区,一号,,,CN,\n"
    )
    file.write_text(HEADER + rows, "utf-8")
    counts = await import_outlets(city.house.store, file, NOW, lambda *_: None)
    assert 3 == counts.added
    assert ["I1"] == await found(city, "city=Delhi")
    assert ["I3"] == await found(city, "city=Shanghai")
    assert "I3" not in await found(city, "city=Hangzhou")
    assert "Bank of Hangzhou" in await page(city, "q=黄浦")


# ---------------------------------------------------------------- as Chinese maps have it


async def test_coordinates_of_chinese_maps(city: Bank) -> None:
    """In and out at the edge alone: the same outlets at the same distances, shown where such a map has them."""
    visitor = city.visitor()
    plain = (await visitor.get("/v1/outlets?near=30.25,120.17&limit=5")).body["outlets"]
    there = places.to_gcj02(places.place(30.25, 120.17))
    shifted = (await visitor.get(f"/v1/outlets?near={there.latitude},{there.longitude}&datum=gcj02&limit=5")).body[
        "outlets"
    ]
    assert [(one["outlet_id"], one["metres"]) for one in plain] == [
        (one["outlet_id"], one["metres"]) for one in shifted
    ]
    assert [{"wgs84"}, {"gcj02"}] == [{one["datum"] for one in some} for some in (plain, shifted)]
    for one, other in zip(plain, shifted, strict=True):
        where = places.place(one["latitude"], one["longitude"])
        assert places.to_gcj02(where) == places.place(other["latitude"], other["longitude"])
        assert 300 < places.metres_between(where, places.place(other["latitude"], other["longitude"])) < 800
    alone = (await visitor.get("/v1/outlets/D001?datum=gcj02")).body
    assert "gcj02" == alone["datum"]
    assert alone["latitude"] != (await visitor.get("/v1/outlets/D001")).body["latitude"]


async def test_a_datum_that_nobody_speaks(city: Bank) -> None:
    """Is a fault that names it: coordinates half a kilometre off would be no answer."""
    for path in ("/v1/outlets?near=30.25,120.17&datum=bd09", "/v1/outlets/D001?datum=GCJ02", "/v1/outlets?datum="):
        answer = await city.visitor().get(path)
        assert ("input-invalid", ["datum"]) == (answer.cause, [field["name"] for field in answer.body["fields"]])


async def test_abroad_nothing_is_shifted(city: Bank, tmp_path: Path) -> None:
    """Not across the border, where the shape of the shift would still reach."""
    file = tmp_path / "abroad.csv"
    file.write_text(HEADER + "V1,Bac Ninh,,,,,21.18,106.07,VN,Asia/Ho_Chi_Minh\nV2,No place,,,,,,,CN,\n", "utf-8")
    await import_outlets(city.house.store, file, NOW, lambda *_: None)
    there = (await city.visitor().get("/v1/outlets/V1?datum=gcj02")).body
    assert (21.18, 106.07) == (there["latitude"], there["longitude"])
    assert (await city.visitor().get("/v1/outlets/V2?datum=gcj02")).body["latitude"] is None
