"""The camera page, at 360 px, with a camera that shows pictures of the folder beside the project."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe
from numpy.typing import NDArray
from playwright.sync_api import Browser, expect

from foregate.demo.people import PIN, person
from foregate.doors.text import catalog
from tests import services
from tests.browser.bank import Bank, Visitor, open_bank
from tests.faces import data, frames, models

LOCALES = {"zh": "zh-CN", "en": "en-GB"}
Come = Callable[[Path | None, str], AbstractContextManager[Visitor]]


@pytest.fixture(scope="module")
def bank(chromium: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bank]:
    """A bank that compares faces."""
    data("clips")
    with open_bank(tmp_path_factory.mktemp("bank"), face_models=str(models())) as bank:
        yield bank


@pytest.fixture
def come(bank: Bank, chromium: Browser, shots: Path) -> Come:
    """Let somebody come with a camera that shows a film; without one there is no camera at all."""

    @contextmanager
    def visit(film: Path | None, language: str) -> Iterator[Visitor]:
        flags = ["--use-fake-device-for-media-stream", f"--use-file-for-fake-video-capture={film}"] if film else []
        browser = chromium.browser_type.launch(
            executable_path=services.find_chromium(), args=[*services.CHROMIUM_ARGS, *flags]
        )
        options: dict[str, Any] = {"permissions": ["camera"]} if film else {"java_script_enabled": False}
        context = browser.new_context(locale=LOCALES[language], viewport={"width": 360, "height": 740}, **options)
        context.set_default_timeout(20_000)
        yield Visitor(bank, context.new_page(), language, shots, f"face-{film.stem if film else 'plain'}-{language}")
        browser.close()

    return visit


def filmed(path: Path, pictures: list[NDArray[np.uint8]]) -> Path:
    """Write a film that a browser takes for its camera."""
    height, width = pictures[0].shape[:2]
    with path.open("wb") as file:
        file.write(f"YUV4MPEG2 W{width} H{height} F5:1 Ip A1:1 C420jpeg\n".encode())
        for picture in pictures:
            file.write(b"FRAME\n" + cv2.cvtColor(picture, cv2.COLOR_BGR2YUV_I420).tobytes())
    return path


def somebody(first: int = 1040) -> list[NDArray[np.uint8]]:
    """Return what a camera sees of somebody who looks straight. Each enrolment has its own: pictures count once."""
    files = frames("cap12_edit", range(first, first + 70, 5))
    return [np.asarray(cv2.imdecode(np.frombuffer(file, np.uint8), cv2.IMREAD_COLOR), np.uint8) for file in files]


def reach_the_camera(visitor: Visitor, bank: Bank, who: str) -> None:
    """Phone, code, card PIN: then the camera page."""
    login = person(who).login
    assert login is not None
    before = visitor.codes(login.phone)
    visitor.go("/renew-face")
    visitor.fill("phone", login.phone)
    visitor.press("step.phone.submit")
    visitor.prove_phone(login.phone, before)
    visitor.give("card_pin", "card_pin", PIN)
    visitor.sees("step.renew-face.title")


@pytest.mark.parametrize(("language", "who"), [("zh", "fine"), ("en", "two-cards")])
def test_enrol_with_the_camera(bank: Bank, come: Come, tmp_path: Path, language: str, who: str) -> None:
    """Permission is explained, consent asked for; a few seconds later it is done."""
    with come(filmed(tmp_path / "enrol.y4m", somebody({"zh": 1040, "en": 1042}[language])), language) as visitor:
        reach_the_camera(visitor, bank, who)
        visitor.sees("face.permission")
        assert 0 == Axe().run(visitor.page).violations_count
        visitor.shoot("before")
        visitor.page.locator("#f-consent").check()
        sent: list[int] = []
        visitor.page.on("request", lambda r: sent.append(len(r.post_data or "")) if "/pictures" in r.url else None)
        visitor.press("action.begin")
        visitor.sees("face.part-look-straight")
        visitor.shoot("camera")
        visitor.sees("outcome.renew-face.title")
        visitor.shoot("done")
        assert sent[0] * 3 / 4 <= 41_000


@pytest.mark.parametrize(("language", "who"), [("zh", "same-name-one"), ("en", "document-expiring")])
def test_two_faces_are_told_in_words(bank: Bank, come: Come, tmp_path: Path, language: str, who: str) -> None:
    """Somebody stands beside: said in the live region, with a way on, and tried again by one tap."""
    two = [np.asarray(cv2.resize(np.hstack([seen, seen]), (640, 240)), np.uint8) for seen in somebody()]
    two = [np.asarray(cv2.copyMakeBorder(seen, 120, 120, 0, 0, cv2.BORDER_REPLICATE), np.uint8) for seen in two]
    with come(filmed(tmp_path / "two.y4m", two), language) as visitor:
        reach_the_camera(visitor, bank, who)
        visitor.page.locator("#f-consent").check()
        visitor.press("action.begin")
        expect(visitor.page.locator("#face .say")).to_contain_text(visitor.t("cause.several-faces.title"))
        expect(visitor.page.locator("#face .say")).to_be_focused()
        visitor.shoot("two-faces")
        assert 0 == Axe().run(visitor.page).violations_count
        visitor.press("face.again")
        visitor.sees("face.part-look-straight")


@pytest.mark.parametrize("language", ["zh", "en"])
def test_without_script_pictures_are_chosen(bank: Bank, come: Come, tmp_path: Path, language: str) -> None:
    """No script, no camera page: consent and pictures from a form, and what is missing is said."""
    who = {"zh": "password-blocked", "en": "device-remembered"}[language]
    files = [tmp_path / f"{index}.jpg" for index in range(5)]
    offset = {"zh": 1051, "en": 1052}[language]
    for path, picture in zip(files, frames("cap12_edit", range(offset, offset + 50, 10)), strict=True):
        path.write_bytes(picture)
    with come(None, language) as visitor:
        reach_the_camera(visitor, bank, who)
        visitor.shoot("form")
        other = {"zh": "en", "en": "zh"}[language]
        for wanted in (other, language):
            visitor.page.get_by_role("link", name=catalog.text(wanted, "language.name")).click()
            visitor.language = wanted
            visitor.sees("step.renew-face.title")
        visitor.page.locator("#f-consent").check()
        visitor.page.locator("#f-pictures").set_input_files(files[:2])
        visitor.press("step.renew-face.submit")
        visitor.is_told("face-unreadable")
        visitor.page.locator("#f-consent").check()
        visitor.page.locator("#f-pictures").set_input_files(files)
        visitor.press("step.renew-face.submit")
        visitor.sees("outcome.renew-face.title")
