"""A face at the door, in a browser whose camera sees filmed heads (`tests.browser.camera` says what is simulated)."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import cv2
import pytest
from playwright.sync_api import Browser, expect

from foregate.demo.people import PIN, Person, person
from foregate.doors.text import catalog
from tests import services
from tests.browser.bank import Bank, Visitor, open_bank
from tests.browser.camera import LATER, STRAIGHT, Camera, act, beside, dark, film, stranger
from tests.browser.looking import found_by_axe
from tests.conftest import PATIENCE_SECONDS
from tests.face_bank import GESTURES
from tests.faces import data, jpeg, models

LOCALES = {"zh": "zh-CN", "en": "en-GB"}
Come = Callable[..., Visitor]
# Every run tells each story in one language, in turns; FOREGATE_BOTH=1 tells all of them in both.
BOTH = bool(os.environ.get("FOREGATE_BOTH"))
WITHOUT_CAMERA = "Object.defineProperty(navigator, 'mediaDevices', {value: undefined})"


def told_in(language: str) -> pytest.MarkDecorator:
    """Tell a story in this language; in the other one too, when both are asked for."""
    return pytest.mark.parametrize("language", sorted(LOCALES) if BOTH else [language])


# Told twice, a story needs a bank in which it was not told yet.
@pytest.fixture(scope="function" if BOTH else "module")
def bank(chromium: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bank]:
    """A bank that compares faces."""
    data("clips")
    with open_bank(tmp_path_factory.mktemp("bank"), face_models=str(models())) as bank:
        yield bank


@pytest.fixture(scope="module")
def camera(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Camera]:
    """The camera of everybody's phone."""
    data("clips")
    with Camera(tmp_path_factory.mktemp("camera") / "camera.y4m") as camera:
        yield camera


@pytest.fixture(scope="module")
def phone(chromium: Browser, camera: Camera) -> Iterator[Browser]:
    """A browser with that camera."""
    flags = ("--use-fake-device-for-media-stream", f"--use-file-for-fake-video-capture={camera.path}")
    browser = chromium.browser_type.launch(
        executable_path=services.find_chromium(), args=[*services.CHROMIUM_ARGS, *flags]
    )
    yield browser
    browser.close()


@pytest.fixture
def come(bank: Bank, phone: Browser, shots: Path, request: pytest.FixtureRequest) -> Iterator[Come]:
    """Let somebody come, 360 px wide. Their page's clock stands still but for what `act` lets pass."""
    opened: list[Any] = []

    def visit(language: str, *, is_allowed: bool = True, script: str = "", **options: Any) -> Visitor:
        context = phone.new_context(
            locale=LOCALES[language], viewport={"width": 360, "height": 740},
            permissions=["camera"] if is_allowed else [], **options,
        )  # fmt: skip
        opened.append(context)
        context.set_default_timeout(PATIENCE_SECONDS * 1000)
        page = context.new_page()
        if script:
            page.add_init_script(script)
        story = request.node.name.removeprefix("test_").partition("[")[0]
        return Visitor(bank, page, language, shots, f"{story}-{language}")

    yield visit
    for context in opened:
        context.close()


def stop_the_clock(visitor: Visitor) -> None:
    """From here on the page's time passes picture by picture."""
    visitor.page.clock.install()


def reach_the_camera(visitor: Visitor, who: Person) -> None:
    """Phone, code, card PIN, consent: then the camera."""
    assert who.login is not None
    before = visitor.codes(who.login.phone)
    visitor.go("/renew-face")
    visitor.fill("phone", who.login.phone)
    visitor.press("step.phone.submit")
    visitor.prove_phone(who.login.phone, before)
    visitor.give("card_pin", "card_pin", PIN)
    visitor.sees("step.renew-face.title")
    visitor.page.locator("#f-consent").check()


def enrol(visitor: Visitor, camera: Camera, who: Person, pictures: list[Any]) -> None:
    """Enrol with the camera."""
    reach_the_camera(visitor, who)
    camera.show(pictures)
    visitor.press("action.begin")
    act(visitor, camera, pictures, visitor.t("outcome.renew-face.title"))


def choose_the_face(visitor: Visitor, bank: Bank, who: Person) -> None:
    """Sign in by phone and code, then by face."""
    assert who.login is not None
    bank.let_pass(60)
    before = visitor.codes(who.login.phone)
    visitor.go("/sign-in?way=phone")
    visitor.fill("phone", who.login.phone)
    visitor.press("step.phone.submit")
    visitor.prove_phone(who.login.phone, before)
    visitor.sees("step.password.title")
    visitor.press("way.face")


def sign_in(visitor: Visitor, camera: Camera, bank: Bank, who: Person) -> None:
    """Sign in by phone and face: look straight, then whatever is asked for."""
    choose_the_face(visitor, bank, who)
    visitor.press("action.begin")
    act(visitor, camera, film(LATER), visitor.t("home.full"))
    visitor.sees("home.full")


@told_in("zh")
def test_enrol_then_sign_in(bank: Bank, camera: Camera, come: Come, language: str) -> None:
    """Permission is explained first; the dark is told while the camera runs; 40 KB later the face is known."""
    visitor, who = come(language), person("face-to-try")
    stop_the_clock(visitor)
    sent: list[int] = []
    visitor.page.on("request", lambda r: sent.append(len(r.post_data or "")) if "/pictures" in r.url else None)
    reach_the_camera(visitor, who)
    visitor.sees("face.permission")
    assert [] == found_by_axe(visitor.page)
    visitor.shoot("before")
    camera.show(dark(film(STRAIGHT)))
    visitor.press("action.begin")
    act(visitor, camera, dark(film(STRAIGHT)), visitor.t("face.dark"))
    assert [] == sent
    act(visitor, camera, dark(film(STRAIGHT)), visitor.t("cause.face-too-dark.title"))
    visitor.shoot("too-dark")
    camera.show(film(STRAIGHT))
    act(visitor, camera, film(STRAIGHT), visitor.t("outcome.renew-face.title"))
    visitor.shoot("done")
    assert all(length * 3 / 4 <= 41_000 for length in sent), sent
    choose_the_face(visitor, bank, who)
    visitor.shoot("sign-in")
    assert [] == found_by_axe(visitor.page)
    visitor.press("action.begin")
    act(visitor, camera, film(LATER), visitor.t("face.sending"))
    visitor.shoot("camera")
    act(visitor, camera, film(LATER), visitor.t("home.full"))


@told_in("en")
def test_an_expired_face_is_renewed(bank: Bank, camera: Camera, come: Come, language: str) -> None:
    """Chosen at sign-in it says that it has expired, and where to renew it; renewed it signs in."""
    visitor, who = come(language), person("face-expired")
    stop_the_clock(visitor)
    choose_the_face(visitor, bank, who)
    visitor.is_told("face-expired")
    visitor.shoot("expired")
    expect(visitor.page.get_by_role("link", name=visitor.t("remedy.renew-face")).first).to_be_visible()
    bank.let_pass(60)
    enrol(visitor, camera, who, film(STRAIGHT))
    sign_in(visitor, camera, bank, who)


@told_in("zh")
def test_an_expired_document_is_renewed_first(bank: Bank, camera: Camera, come: Come, language: str) -> None:
    """An expired ID card takes no face; renewed, then the face enrolled, it signs in."""
    visitor, who = come(language), person("document-expired")
    assert who.login is not None
    assert who.renewed is not None
    stop_the_clock(visitor)
    reach_the_camera(visitor, who)
    camera.show(film(STRAIGHT))
    visitor.press("action.begin")
    act(visitor, camera, film(STRAIGHT), visitor.t("cause.document-expired.title"))
    visitor.shoot("document-expired")
    before = visitor.codes(who.login.phone)
    bank.let_pass(60)
    visitor.follow("remedy.renew-document")
    visitor.fill("phone", who.login.phone)
    visitor.press("step.phone.submit")
    visitor.prove_phone(who.login.phone, before)
    visitor.press("way.card_pin")
    visitor.give("card_pin", "card_pin", PIN)
    visitor.page.locator("#f-document_type").select_option(who.document_type)
    visitor.fill("name", who.name)
    visitor.fill("document_number", who.renewed.number)
    visitor.fill("expires_on", who.renewed.expires_on)
    visitor.press("step.renew-document.submit")
    visitor.sees("outcome.renew-document.title")
    bank.let_pass(60)
    enrol(visitor, camera, who, film(STRAIGHT))
    sign_in(visitor, camera, bank, who)


@told_in("en")
def test_who_is_not_let_in(bank: Bank, camera: Camera, come: Come, language: str) -> None:
    """Two faces are told and cost nothing; a still is not alive; another person is not recognised. Other ways stay."""
    visitor, who = come(language), person("two-cards")
    stop_the_clock(visitor)
    enrol(visitor, camera, who, stranger())
    choose_the_face(visitor, bank, who)
    camera.show(beside(film(STRAIGHT)))
    visitor.press("action.begin")
    act(visitor, camera, beside(film(STRAIGHT)), visitor.t("cause.several-faces.title"))
    visitor.shoot("two-faces")
    camera.show(film(STRAIGHT[:1]), is_frozen=True)
    act(visitor, camera, None, visitor.t("cause.face-not-live.title"))
    expect(visitor.page.locator("#face .say")).to_be_focused()
    expect(visitor.page.get_by_role("link", name=visitor.t("remedy.another-way"))).to_be_visible()
    visitor.shoot("replayed-still")
    assert [] == found_by_axe(visitor.page)
    visitor.press("face.again")
    act(visitor, camera, film(LATER), visitor.t("cause.face-not-you.title"))
    visitor.shoot("another-person")
    visitor.press("way.password")
    visitor.sees("step.password.title")


@told_in("zh")
def test_a_camera_that_may_not_be_used(come: Come, language: str) -> None:
    """Refused by the browser: how to allow it, pictures instead, and the other ways."""
    visitor = come(language, is_allowed=False)
    reach_the_camera(visitor, person("fine"))
    visitor.press("action.begin")
    visitor.sees("face.denied")
    expect(visitor.page.locator("#f-pictures")).to_be_visible()
    visitor.shoot("denied")
    assert [] == found_by_axe(visitor.page)


@told_in("en")
def test_a_phone_without_camera_page_sends_smaller_pictures(come: Come, tmp_path: Path, language: str) -> None:
    """Where scripts run and no camera can be had, pictures of any size are chosen and made smaller on the way."""
    visitor = come(language, script=WITHOUT_CAMERA)
    reach_the_camera(visitor, person("same-name-one"))
    files = [tmp_path / f"{index}.png" for index in range(5)]
    for path, picture in zip(files, film(range(1051, 1100, 10)), strict=True):
        cv2.imwrite(str(path), cv2.resize(picture, (2560, 1920)))
    assert min(path.stat().st_size for path in files) > 1_000_000
    visitor.shoot("choose")
    visitor.page.locator("#f-pictures").set_input_files(files)
    visitor.press("step.renew-face.submit")
    visitor.sees("outcome.renew-face.title")


def send(visitor: Visitor) -> None:
    """Send pictures, and wait for what comes of them: until then the page is the one before."""
    with visitor.page.expect_navigation():
        visitor.press("step.face.submit")


def test_without_script(bank: Bank, come: Come, tmp_path: Path) -> None:
    """Pictures from a form: consent, what is missing is said, then a sign-in gesture by gesture."""
    visitor, who = come("zh", java_script_enabled=False), person("document-expiring")
    reach_the_camera(visitor, who)
    visitor.shoot("form")
    visitor.page.get_by_role("link", name=catalog.text("en", "language.name")).click()
    visitor.language = "en"
    visitor.page.locator("#f-consent").check()
    choose(visitor, tmp_path, range(1052, 1072, 10))
    visitor.press("step.renew-face.submit")
    visitor.is_told("face-unreadable")
    visitor.page.locator("#f-consent").check()
    choose(visitor, tmp_path, range(1052, 1102, 10))
    visitor.press("step.renew-face.submit")
    visitor.sees("outcome.renew-face.title")
    choose_the_face(visitor, bank, who)
    visitor.press("action.begin")
    choose(visitor, tmp_path, range(0, 25, 5))
    send(visitor)
    for _ in range(2):
        asked = next(g for g in GESTURES if visitor.page.get_by_text(visitor.t(f"face.part-{g}")).count())
        visitor.shoot(asked.value)
        choose(visitor, tmp_path, GESTURES[asked])
        send(visitor)
    visitor.sees("home.full")


def test_no_picture_shows_two_gestures() -> None:
    """Each is taken once, so whoever is asked for both would be refused for the second."""
    every = [index for wanted in GESTURES.values() for index in wanted]
    assert len(every) == len(set(every))


def choose(visitor: Visitor, folder: Path, wanted: range) -> None:
    """Choose these frames of the film as pictures."""
    files = [folder / f"{index}.jpg" for index in wanted]
    for path, picture in zip(files, film(wanted), strict=True):
        path.write_bytes(jpeg(picture, 80))
    visitor.page.locator("#f-pictures").set_input_files(files)
