"""A language more is a file: complete, it is spoken everywhere; incomplete, it is told by name and nothing starts."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from html.parser import HTMLParser
from pathlib import Path

import pytest

from foregate.doors import amounts
from foregate.doors.text import catalog
from foregate.rules.money import Money
from foregate.settings import BadSettings
from tests import pseudo
from tests.bank import LI, Bank, open_bank
from tests.pseudo import CLOSES, OPENS

pytestmark = pytest.mark.anyio

SPEAKS = {"Accept-Language": "qps-ploc, en;q=0.5"}
PAGES = ["/", "/cannot-get-in", "/sign-in?way=card", "/register", "/outlets", "/help/outlet", "/help/code",
         "/help/update", "/book-appointment", "/freeze", "/signed-out", "/nowhere", "/home", "/console"]  # fmt: skip
SIGNED_IN = ["/home", "/ways", "/accounts", "/alerts", "/linked", "/sign-out"]
# What no language says: names, numbers, what stands between two texts.
DATA = re.compile(
    r"(https://login.bank.test/console|CN¥|测试银行|中文|English|Pseudo|lixiaoming|\*+明|[\d*•,. :()/_-]|·)*"
)


class Said(HTMLParser):
    """Every piece of text that a page shows or a screen reader says."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.pieces: list[str] = []
        self._is_style = False
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._is_style = tag == "style"
        self.pieces += [value for name, value in attrs if name in ("aria-label", "alt") and value]

    def handle_endtag(self, tag: str) -> None:
        self._is_style = False

    def handle_data(self, data: str) -> None:
        if not self._is_style:
            self.pieces.append(data)


def left_over(page: str) -> list[str]:
    """What a page says in no language of ours: pieces that stand in no brackets."""
    bare = [
        re.sub(f"{OPENS}[^{OPENS}{CLOSES}]*{CLOSES}", "", re.sub(r"\s+", " ", piece)) for piece in Said(page).pieces
    ]
    # A text in a text leaves its own brackets behind.
    bare = []
    for piece in Said(page).pieces:
        inner, rest = None, re.sub(r"\s+", " ", piece)
        while inner != rest:  # a text in a text: from the inside out
            inner, rest = rest, re.sub(f"{OPENS}[^{OPENS}{CLOSES}]*{CLOSES}", "", rest)
        bare.append(rest)
    return [piece for piece in bare if not DATA.fullmatch(piece.strip())]


@pytest.fixture
async def bank(tmp_path: Path) -> AsyncIterator[Bank]:
    """A bank that speaks a third language, from a folder of its own."""
    folder = tmp_path / "texts"
    folder.mkdir()
    with pseudo.spoken(pseudo.write(folder, pseudo.texts())):
        bank = await open_bank(f"sqlite:///{tmp_path / 'bank.db'}", texts_folder=str(folder), is_demo=True)
        await bank.settle(LI)
        yield bank
        await bank.close()


async def test_every_page_is_in_it(bank: Bank) -> None:
    """The browser wants it: `lang`, the header and every word say so; nothing is left in another language."""
    client = bank.visitor(headers=SPEAKS).client
    for path in PAGES:
        page = await client.get(path, follow_redirects=True)
        assert ("qps", '<html lang="qps">' in page.text) == (page.headers["content-language"], True), path
        assert [] == left_over(page.text), path


async def test_a_whole_sign_in_is_in_it(bank: Bank) -> None:
    """The journey's pages, its error, its text message, home and the pages behind it."""
    visitor = bank.visitor(headers=SPEAKS)
    await visitor.client.get("/")
    begun = await visitor.client.post(
        "/sign-in", data={"step": "phone", "phone": LI.phone}, headers={"Origin": "https://login.bank.test"}
    )
    place = begun.headers["location"]
    page = await visitor.client.get(place)
    assert [] == left_over(page.text)
    text = (await bank.texts(LI.phone))[0]
    assert text.startswith(OPENS)
    code = await bank.code(LI.phone)
    assert f"{CLOSES}\n@login.bank.test #{code}" in text
    assert catalog.text("qps", "journey.sign-in.title") in text

    async def answer(step: str, **typed: str) -> str:
        seen = (await visitor.client.get(place)).text
        version = re.search(r'name="version" value="(\d+)"', seen)
        assert version is not None
        form = {"step": step, "version": version[1]} | typed
        sent = await visitor.client.post(place, data=form, headers={"Origin": "https://login.bank.test"})
        return sent.text

    wrong = await answer("phone_code", code="000000" if code != "000000" else "111111")
    assert f"<title>{catalog.text('qps', 'page.error-prefix')}" in wrong
    assert [] == left_over(wrong)
    await answer("phone_code", code=code)
    await answer("password", password=LI.password)
    for path in SIGNED_IN:
        page = await visitor.client.get(path)
        assert 200 == page.status_code, path
        assert [] == left_over(page.text), path


async def test_the_switch_leads_there_and_back(bank: Bank) -> None:
    """Each page names the others in their own language; the choice is kept; what the API says follows."""
    client = bank.visitor().client
    page = await client.get("/cannot-get-in")
    assert '<a href="/language/qps?back=/cannot-get-in" lang="qps" hreflang="qps">Pseudo</a>' in page.text
    went = await client.get("/language/qps?back=/cannot-get-in")
    assert "/cannot-get-in" == went.headers["location"]
    page = await client.get("/cannot-get-in")
    assert '<html lang="qps">' in page.text
    assert {"zh-CN", "en"} <= set(re.findall(r'hreflang="([\w-]+)"', page.text))
    refused = await client.post("/v1/journeys", json={"journey": "sign-in", "step": "phone", "answer": {"phone": "1"}})
    assert refused.json()["title"].startswith(OPENS)


def test_amounts_are_written_its_own_way(tmp_path: Path) -> None:
    """Grouping, the point and the place of the currency's sign are in the file."""
    with pseudo.spoken(pseudo.write(tmp_path, pseudo.texts())):
        catalog.look_in(tmp_path)
        euros, yen = Money(123_456_789, "EUR"), Money(5_000, "JPY")
        assert ("1.234.567,89 €", "5.000 ¥") == (amounts.plain("qps", euros), amounts.plain("qps", yen))
    assert "¥1,234.50" == amounts.plain("zh", Money(123_450, "CNY"))


FAULTS: dict[str, tuple[dict[str, str | None], str]] = {
    "missing": ({"door.title": None}, "qps: door.title is missing"),
    "fact": ({"page.wait": "wait"}, "qps: page.wait must mention the same facts: time"),
    "another-fact": ({"page.skip": "{who}"}, "qps: page.skip must mention the same facts: who"),
    "brace": ({"page.skip": "{"}, "qps: page.skip has a brace too many or too few"),
    "unknown": ({"page.oops": "?"}, "qps: page.oops is asked for nowhere"),
    "direction": ({"language.dir": "up"}, "qps: language.dir must be ltr or rtl"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_faulty_file_is_told_by_name(tmp_path: Path, fault: str) -> None:
    """The message says which key and why, and what was spoken before is spoken still."""
    changes, told = FAULTS[fault]
    found = {key: text for key, text in (pseudo.texts() | changes).items() if text is not None}
    with pseudo.spoken(pseudo.write(tmp_path, found)):
        with pytest.raises(catalog.BadTexts, match=re.escape(told)):
            catalog.look_in(tmp_path)
        assert ("zh", "en") == catalog.languages()


async def test_nothing_starts_with_a_faulty_file(tmp_path: Path) -> None:
    """A page in two languages helps nobody, so the bank hears of it before its customers do."""
    with (
        pseudo.spoken(
            pseudo.write(tmp_path, {key: text for key, text in pseudo.texts().items() if key != "door.title"})
        ),
        pytest.raises(BadSettings, match=r"texts_folder: qps: door\.title is missing"),
    ):
        await open_bank(f"sqlite:///{tmp_path / 'bank.db'}", texts_folder=str(tmp_path))


@pytest.mark.parametrize(("written", "told"), [("[", "cannot be read"), (None, "is no folder")])
def test_a_folder_that_cannot_be_read(tmp_path: Path, written: str | None, told: str) -> None:
    """Broken TOML, or no folder at all."""
    folder = tmp_path / "texts"
    if written is not None:
        folder.mkdir()
        (folder / "qps.toml").write_text(written)
    with pseudo.spoken(folder), pytest.raises(catalog.BadTexts, match=told):
        catalog.look_in(folder)


def test_many_faults_are_told_in_part(tmp_path: Path) -> None:
    """Somebody who begins to translate reads a dozen, and how many more there are."""
    few = {key: text for key, text in pseudo.texts().items() if key.startswith("language.")}
    with pseudo.spoken(pseudo.write(tmp_path, few)), pytest.raises(catalog.BadTexts) as caught:
        catalog.look_in(tmp_path)
    assert catalog.NAMED_MAX == str(caught.value).count(" is missing")
    assert re.search(r"; and \d{3,} more$", str(caught.value))


def test_a_bank_says_it_in_its_own_words(tmp_path: Path) -> None:
    """A file for a language of ours changes single texts of it, and no others."""
    with pseudo.spoken(pseudo.write(tmp_path, {"door.title": "Welcome"}, "en.bank")):
        catalog.look_in(tmp_path)
        assert ("Welcome", "登录") == (catalog.text("en", "door.title"), catalog.text("zh", "door.title"))
    assert "Sign in" == catalog.text("en", "door.title")


def test_the_nearest_language_is_spoken(tmp_path: Path) -> None:
    """A regional file is for those who want the region; others get the language itself."""
    with pseudo.spoken(pseudo.write(tmp_path, pseudo.texts(), "zh-hant")):
        catalog.look_in(tmp_path)
        wanted = {"zh-Hant-HK": "zh-hant", "zh-Hant": "zh-hant", "zh-HK": "zh", "zh": "zh"}
        assert wanted == {asked: catalog.choose(asked, None) for asked in wanted}
