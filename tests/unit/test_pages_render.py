"""The pages as they are served: small, complete without script, and with nothing inline but the one style."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from typing import Any

import brotli
import pytest
from httpx2 import Response
from starlette.testclient import TestClient

from foregate.desk.view import Reply, Told
from foregate.doors.agents import device_name
from foregate.doors.pages import assets, content_security_policy, render, tongue
from foregate.doors.text import catalog
from foregate.rules import limits
from foregate.rules.journeys import JOURNEYS
from foregate.rules.words import Level, Who
from tests.unit.front_door import JOURNEY_ID, FrontDoor, view

KEY = r"\b(?:cause|page|step|field|remedy|way)\.[a-z_-]+\.?[a-z-]*\b"
AUTOFILL = {
    "username", "username webauthn", "current-password", "new-password", "one-time-code", "cc-number", "name", "off",
}  # fmt: skip
ENTRIES = [name for name, row in JOURNEYS.items() if row.is_public and Who.SESSION not in row.who]
PUBLIC = ["/", "/cannot-get-in", "/help/outlet", "/help/code", *(f"/{name}" for name in ENTRIES)]
STEPS = ["phone_code", "password", "card_pin", "permit", "pick", "register", "set-password"]

each_language = pytest.mark.parametrize("language", catalog.languages())


class Tags(HTMLParser):
    """Every start tag of a page with its attributes, and the page's text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    def all(self, name: str) -> list[dict[str, str | None]]:
        return [attributes for tag, attributes in self.tags if tag == name]


@pytest.fixture
def door() -> FrontDoor:
    return FrontDoor()


@pytest.fixture
def browser(door: FrontDoor) -> Iterator[TestClient]:
    with TestClient(door.app, base_url="https://login.bank.example", follow_redirects=False) as client:
        yield client


def refused(cause: str, **more: Any) -> Told:
    return Told(cause=cause, status=403, remedies=("try-again", "ask-new-code", "text-us", "visit-outlet"), **more)


def every_page(door: FrontDoor, browser: TestClient, language: str) -> Iterator[tuple[str, Response]]:
    """Serve every kind of page once."""
    speaks = {"accept-language": language}
    for path in (*PUBLIC, "/signed-out", "/home"):
        yield path, browser.get(path, headers=speaks)
    for asked in STEPS:
        door.desk.reply = Reply(view=view(asked, others=("card_pin",)))
        yield asked, browser.get(f"/j/{JOURNEY_ID}", headers=speaks)
    wrong = {"card_number": "card-check-digit", "name": "empty"}
    told = Told(cause="input-invalid", status=422, remedies=("try-again",), fields=wrong, journey_name="register")
    door.desk.reply = Reply(told=told)
    yield "input-invalid", browser.post("/register", headers=speaks, data={"step": "card_name_document"})
    door.desk.reply = Reply(view=view("phone_code"), told=refused("code-wrong", tries_left=2, retry_in_seconds=60))
    yield "code-wrong", browser.post(f"/j/{JOURNEY_ID}", headers=speaks, data={"step": "phone_code"})
    for journey in ("set-password", "reopen", "freeze", "sign-out"):
        name = "reset-password" if journey == "set-password" else journey
        door.desk.reply = Reply(view=view(None, name, status="done"))
        yield f"done {name}", browser.get(f"/j/{JOURNEY_ID}", headers=speaks)
    for level in Level:
        door.sessions.level = level
        for path in ("/home", "/home?done=revoke-session", "/sign-out", "/finish-sign-in"):
            if (path, level) != ("/finish-sign-in", Level.FULL):  # nothing to finish: that leads home
                yield f"{path} {level}", browser.get(path, headers=speaks)
    door.sessions.level = None


# ---------------------------------------------------------------- small


@each_language
def test_the_first_page_is_small(browser: TestClient, language: str) -> None:
    """One TCP window on a slow network holds it, certificate and all."""
    page = browser.get("/", headers={"accept-language": language})
    assert 200 == page.status_code
    assert len(brotli.compress(page.content, quality=11)) <= limits.FIRST_PAGE_BYTES


@each_language
def test_every_page_is_small(door: FrontDoor, browser: TestClient, language: str) -> None:
    """Compressed as it is served, with the style inside."""
    sizes = {name: len(brotli.compress(page.content, quality=5)) for name, page in every_page(door, browser, language)}
    assert {} == {name: size for name, size in sizes.items() if size > limits.PAGE_BYTES}


def test_the_script_is_small() -> None:
    """Nobody waits for it, but somebody pays for it."""
    assert len(assets.script().small) + len(assets.passkeys().small) <= limits.SCRIPT_BYTES


def test_one_request_makes_a_page_usable(browser: TestClient) -> None:
    """No style, font or picture blocks it; the scripts are deferred; nothing comes from elsewhere."""
    tags = Tags(browser.get("/").text)
    assert [assets.icon().path, "/manifest.webmanifest"] == [link["href"] for link in tags.all("link")]
    assert [True, True, True] == ["defer" in script for script in tags.all("script")]
    assert [] == tags.all("img")
    addresses = [a[n] or "" for _, a in tags.tags for n in ("src", "href", "action") if n in a]
    assert [] == [address for address in addresses if not re.match(r"/(?!/)|#|tel:", address)]


def test_pages_come_compressed(browser: TestClient) -> None:
    """Brotli where the browser reads it, gzip where it does not, plain for the rest."""
    codings = {coding: browser.get("/", headers={"accept-encoding": coding}) for coding in ("br", "gzip", "")}
    assert ["br", "gzip", None] == [page.headers.get("content-encoding") for page in codings.values()]
    assert 1 == len({page.text for page in codings.values()})


# ---------------------------------------------------------------- nothing inline, nothing unsafe


def test_the_policy_allows_one_style_and_nothing_unsafe() -> None:
    """By its hash; a hash of anything else, or `unsafe-`, opens the page to strangers."""
    policy = content_security_policy()
    assert "unsafe" not in policy
    assert "default-src 'none'" in policy
    assert f"style-src '{assets.style_hash()}'" in policy


@each_language
def test_nothing_is_inline_but_the_style(door: FrontDoor, browser: TestClient, language: str) -> None:
    """No handler, no style attribute, no script text: the policy would refuse them, and rightly."""
    for name, page in every_page(door, browser, language):
        tags = Tags(page.text)
        assert [] == [(tag, a) for tag, a in tags.tags for n in a if n.startswith("on") or n == "style"], name
        style = page.text.partition("<style>")[2].partition("</style>")[0]
        assert f"style-src '{assets.hash_of(style)}'" in page.headers.get(
            "content-security-policy", content_security_policy()
        ), name
        assert [] == re.findall(r"<script(?![^>]*\bsrc=)", page.text), name
        assert 1 == page.text.count("<style>"), name


ES6 = {
    "arrow": r"=>",
    "template": r"`",
    "let or const": r"\b(let|const)\s+[\w{\[]",
    "class": r"\bclass\s+\w+\s*(\{|extends)",
    "spread": r"\.\.\.",
    "async": r"\basync\s+function|\bawait\b",
    "for of": r"\bfor\s*\([^)]*\bof\b",
    "default": r"function\s*\w*\([^)]*=[^)]*\)",
}


def test_the_script_is_of_the_old_kind() -> None:
    """A browser of 2014 that meets one newer sign reads none of it."""
    script = assets.script().body.decode()
    bare = re.sub(r"'[^'\n]*'", "''", script)
    assert {} == {name: found.group() for name, sign in ES6.items() if (found := re.search(sign, bare))}


def test_the_script_asks_no_clock_for_the_time() -> None:
    """A phone's clock is wrong; seconds come from the server, and only their passing is measured here."""
    assert "Date.now" not in assets.script().body.decode()


# ---------------------------------------------------------------- forms


@each_language
def test_browsers_know_what_to_fill_in(door: FrontDoor, browser: TestClient, language: str) -> None:
    """Every field that is typed has a valid autofill token and a label; none cuts what is pasted."""
    for name, page in every_page(door, browser, language):
        tags = Tags(page.text)
        typed = [i for i in tags.all("input") if i.get("type") not in ("hidden", "checkbox", "radio")]
        labelled = {label.get("for") for label in tags.all("label")}
        assert [] == [i for i in typed if i.get("autocomplete") not in AUTOFILL], name
        assert [] == [i for i in typed if "maxlength" in i or "placeholder" in i or "onpaste" in i], name
        assert [] == [i for i in typed if i.get("aria-hidden") != "true" and i.get("id") not in labelled], name


@each_language
def test_ids_are_told_apart_and_led_to(door: FrontDoor, browser: TestClient, language: str) -> None:
    """Each id once; every `for`, `aria-` reference and link within the page leads somewhere."""
    for name, page in every_page(door, browser, language):
        tags = Tags(page.text)
        ids = [a["id"] for _, a in tags.tags if "id" in a]
        assert len(ids) == len(set(ids)), name
        wanted = [
            a[n] or "" for _, a in tags.tags for n in ("for", "form", "aria-describedby", "aria-labelledby") if n in a
        ]
        wanted += [(a["href"] or "")[1:] for _, a in tags.tags if (a.get("href") or "").startswith("#")]
        assert set() == {part for ids_ in wanted for part in ids_.split()} - set(ids), name


@each_language
def test_pages_say_their_language(door: FrontDoor, browser: TestClient, language: str) -> None:
    """For screen readers and fonts; the other languages are named in their own."""
    for name, page in every_page(door, browser, language):
        tags = Tags(page.text)
        assert [{"zh": "zh-CN"}.get(language, language)] == [h["lang"] for h in tags.all("html")], name
        assert language == page.headers["content-language"], name
        assert [] == re.findall(KEY, " ".join(tags.words)), name


def test_what_was_typed_is_kept_and_secrets_are_not(door: FrontDoor, browser: TestClient) -> None:
    """A refused form comes back filled in, but for passwords, PINs and codes; what was typed is inert."""
    told = Told(
        cause="input-invalid", status=422, remedies=("try-again",), fields={"name": "empty"}, journey_name="register"
    )
    door.desk.reply = Reply(told=told)
    typed = {
        "step": "card_name_document",
        "card_number": '6222"><script>alert(1)</script>',
        "document_type": "PASSPORT_CN",
    }
    page = browser.post("/register", data=typed)
    assert 422 == page.status_code
    assert "6222&#34;&gt;&lt;script&gt;" in page.text
    assert "<script>alert" not in page.text
    assert '<option value="PASSPORT_CN" selected>' in page.text
    door.desk.reply = Reply(view=view("password"), told=refused("password-wrong", tries_left=3))
    page = browser.post(f"/j/{JOURNEY_ID}", data={"step": "password", "password": "hunter2 hunter2"})
    assert 403 == page.status_code
    assert "hunter2" not in page.text


def test_a_refusal_is_said_in_the_title_the_summary_and_at_the_field(door: FrontDoor, browser: TestClient) -> None:
    """Title for who has many tabs, summary with links for the ear, the same words beside the field."""
    wrong = {"card_number": "card-check-digit"}
    told = Told(cause="input-invalid", status=422, remedies=("try-again",), fields=wrong, journey_name="register")
    door.desk.reply = Reply(told=told)
    page = browser.post("/register", data={"step": "card_name_document"})
    sentence = catalog.text("zh", "input.card-check-digit")
    assert "<title>错误：" in page.text
    assert 2 == page.text.count(sentence)
    field = next(i for i in Tags(page.text).all("input") if i.get("id") == "f-card_number")
    assert ("true", "f-card_number-wrong f-card_number-hint") == (field["aria-invalid"], field["aria-describedby"])


def test_the_idle_warning_comes_when_the_limits_say(
    door: FrontDoor, browser: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """How long before the end it comes stands on the page, from the one place where it is decided."""
    door.sessions.level = Level.FULL
    monkeypatch.setattr(limits, "IDLE_WARNING_SECONDS", limits.Limit(45, "seconds", "this test"))
    (body,) = Tags(browser.get("/home").text).all("body")
    assert (str(int(limits.IDLE_SECONDS)), "45") == (body["data-idle"], body["data-warn"])
    assert b"data-warn" in assets.script().body


def test_every_rendering_has_a_key_of_its_own(door: FrontDoor, browser: TestClient) -> None:
    """The same form sent twice is one answer; two renderings are two."""
    door.desk.reply = Reply(view=view("phone_code"))
    keys = [set(re.findall(r'name="key" value="([^"]+)"', browser.get(f"/j/{JOURNEY_ID}").text)) for _ in range(2)]
    assert [1, 1] == [len(key) for key in keys]
    assert keys[0] != keys[1]


def test_what_a_form_answers(door: FrontDoor, browser: TestClient) -> None:
    """Version, step, key and the fields of that step; what else was sent is left out, an unticked box is no."""
    door.desk.reply = Reply(view=view("register", "register"))
    form = {"step": "register", "version": "3", "key": "k", "new_user_name": "lin", "new_password": "p", "extra": "x"}
    browser.post(f"/j/{JOURNEY_ID}", data=form)
    _, answered = door.desk.asked[-1]
    expected = {"new_user_name": "lin", "new_password": "p", "remember_device": False}
    assert (3, "register", "k", expected) == (answered.version, answered.step, answered.key, answered.answer)


def test_another_way_is_chosen(door: FrontDoor, browser: TestClient) -> None:
    """The buttons below the form answer with `choose`."""
    door.desk.reply = Reply(view=view("password"))
    answer = browser.post(f"/j/{JOURNEY_ID}", data={"step": "choose", "way": "card_pin", "version": "3"})
    _, answered = door.desk.asked[-1]
    assert ("choose", {"way": "card_pin"}) == (answered.step, answered.answer)
    assert (303, f"/j/{JOURNEY_ID}") == (answer.status_code, answer.headers["location"])


# ---------------------------------------------------------------- what may be kept


@pytest.mark.parametrize("path", PUBLIC)
def test_public_pages_carry_no_token_and_are_asked_for_again(browser: TestClient, path: str) -> None:
    """The same for everybody, so a browser may keep it; the validator says whether it is still right."""
    browser.get("/")  # the visitor's cookie is there from now on
    first = browser.get(path)
    assert "no-cache" == first.headers["cache-control"]
    assert 'type="hidden" name="key"' not in first.text
    assert "set-cookie" not in first.headers
    assert 304 == browser.get(path, headers={"if-none-match": first.headers["etag"]}).status_code


def test_a_page_that_greets_a_new_visitor_is_private(browser: TestClient) -> None:
    """A cache between must not hand one visitor's cookie to the next."""
    page = browser.get("/")
    assert "private, no-cache" == page.headers["cache-control"]
    assert "__Host-visitor=" in page.headers["set-cookie"]


def test_the_script_is_kept_for_good(browser: TestClient) -> None:
    """Its name changes with what it holds."""
    answer = browser.get(assets.script().path)
    assert "public, max-age=31536000, immutable" == answer.headers["cache-control"]
    assert assets.script().body.decode() == answer.text
    other_release = browser.get("/s/f.0000000000.js")
    assert ("no-store", answer.text) == (other_release.headers["cache-control"], other_release.text)
    unknown = ("/s/x.0000000000.js", "/s/f.0000000000.css", "/s/f.js", "/s/f.000000000.js")
    assert [404] * 4 == [browser.get(path).status_code for path in unknown]


def test_somebody_signed_in_is_not_asked_to_sign_in(door: FrontDoor, browser: TestClient) -> None:
    """The sign-in page leads home; the way to finish leads home once there is nothing to finish."""
    door.sessions.level = Level.FULL
    assert "/home" == browser.get("/").headers["location"]
    assert "/home" == browser.get("/finish-sign-in").headers["location"]


def test_what_is_missing_is_asked_in_place(door: FrontDoor, browser: TestClient) -> None:
    """A basic session shows the password field at once, with the user name for the password manager."""
    door.sessions.level = Level.BASIC
    tags = Tags(browser.get("/home").text)
    assert ["username", "current-password"] == [i["autocomplete"] for i in tags.all("input") if "autocomplete" in i]
    assert "/finish-sign-in" in [form["action"] for form in tags.all("form")]


def test_a_link_alone_does_nothing(door: FrontDoor, browser: TestClient) -> None:
    """Signing out by a link asks first: a picture on another site could be that link."""
    door.sessions.level = Level.FULL
    page = browser.get("/sign-out")
    assert 200 == page.status_code
    assert [] == door.desk.asked


# ---------------------------------------------------------------- language


@pytest.mark.parametrize("path", ["/", "/freeze", "/reset-password"])
def test_the_language_switch_keeps_what_was_typed(door: FrontDoor, browser: TestClient, path: str) -> None:
    """It is a button of the form; the page comes back in the other language, filled in, and begins nothing."""
    page = browser.post(path, data={"language": "en", "step": "phone", "phone": "138 0013 8000"})
    assert 200 == page.status_code
    assert '<html lang="en">' in page.text
    assert 'value="138 0013 8000"' in page.text
    assert "language=en" in page.headers["set-cookie"]
    assert [] == door.desk.asked


@pytest.mark.parametrize("path", ["/", "/sign-in", "/freeze", "/outlets"])
def test_enter_sends_the_form_and_not_the_language(browser: TestClient, path: str) -> None:
    """The first button of a form is what Enter presses, wherever on the page the button stands."""
    tags = Tags(browser.get(path).text)
    of_the_form = [a for tag, a in tags.tags if tag == "button" and a.get("form") == "main-form"]
    assert [None, "care", "language"] == [button.get("name") for button in of_the_form]
    # Nobody meets it: it is there for Enter alone.
    assert ("-1", "true") == (of_the_form[0]["tabindex"], of_the_form[0]["aria-hidden"])


@pytest.mark.parametrize("back", ["/help/outlet", "/home", f"/j/{JOURNEY_ID}", "/sign-in?way=card", "/"])
def test_the_language_link_leads_back(browser: TestClient, back: str) -> None:
    """To the page it was tapped on."""
    assert back == browser.get("/language/en", params={"back": back}).headers["location"]


@pytest.mark.parametrize(
    "back",
    ["//evil.example", "/\\evil.example", "https://evil.example", "https:evil.example", "\t//evil.example", "/%09/evil",
     "javascript:alert(1)", "/@evil.example", "evil.example", "/home\nX: y", "", "/home?next=//evil.example", "///x"],
)  # fmt: skip
def test_the_language_link_leads_nowhere_else(back: str) -> None:
    """Only to pages of ours; anything else is the sign-in page."""
    assert "/" == tongue.own_page(back)


# ---------------------------------------------------------------- remedies


def test_every_remedy_is_a_link_or_a_button_that_works(door: FrontDoor, browser: TestClient) -> None:
    """On the page of the step: actions act here, journeys begin with the number that is known."""
    remedies = ("try-again", "ask-new-code", "text-us", "another-way", "start-again", "reopen", "wait", "visit-outlet")
    told = Told(cause="not-recognised", status=403, remedies=remedies, retry_in_seconds=900, journey_name="sign-in")
    door.desk.reply = Reply(view=view("phone_code", others=("password",)), told=told)
    page = browser.post(f"/j/{JOURNEY_ID}", data={"step": "phone_code"})
    box = page.text[page.text.index('id="problem"') : page.text.index('id="main-form"')]
    links = [a["href"] for a in Tags(box).all("a")]
    beyond, outlet = f"?from={JOURNEY_ID}", f"/j/{JOURNEY_ID}/outlet?told=not-recognised"
    assert ["#f-code", "#text-us", "#ways", f"/sign-in{beyond}", f"/reopen{beyond}", outlet] == links
    assert ["resend"] == [b["value"] for b in Tags(box).all("button")]
    assert "15 分钟" in box
    assert "900" == page.headers["retry-after"]


def test_a_problem_that_stands_alone_has_ways_on(door: FrontDoor, browser: TestClient) -> None:
    """Over is not the end: begin again, with the number kept, or another way."""
    told = Told(cause="journey-expired", status=410, remedies=("start-again", "sign-in", "visit-outlet"),
                journey_name="sign-in-basic")  # fmt: skip
    door.desk.reply = Reply(view=view(None, "sign-in-basic", status="expired"), told=told)
    page = browser.get(f"/j/{JOURNEY_ID}")
    assert 410 == page.status_code
    assert f'href="/sign-in-basic?from={JOURNEY_ID}"' in page.text


def test_password_managers_find_the_page(browser: TestClient) -> None:
    """The well-known address leads to the page, and what must not exist does not."""
    assert "/reset-password" == browser.get("/.well-known/change-password").headers["location"]
    odd = "/.well-known/resource-that-should-not-exist-whose-status-code-should-not-be-200"
    assert 404 == browser.get(odd).status_code


def test_the_demo_says_that_it_is_one() -> None:
    """On every page, with the way to its people."""
    with TestClient(FrontDoor(is_demo=True).app, base_url="https://login.bank.example") as browser:
        assert 'href="/demo"' in browser.get("/help/code").text


@pytest.mark.parametrize(
    ("seconds", "is_past", "said"),
    [(0, False, "1 秒"), (59, False, "59 秒"), (60, False, "60 秒"), (119, False, "119 秒"), (121, False, "3 分钟"),
     (119, True, "1 分钟"), (900, False, "15 分钟"), (7201, False, "3 小时"), (9_000_000, True, "104 天")],
)  # fmt: skip
def test_lengths_of_time(seconds: int, is_past: bool, said: str) -> None:
    """Rounded up where one waits, down where it is past."""
    assert said == render.duration("zh", seconds, is_past=is_past)


@pytest.mark.parametrize(
    ("agent", "name"),
    [
        (
            "Mozilla/5.0 (Linux; Android 10; HarmonyOS; ANA) Chrome/114.0 HuaweiBrowser/14.0 Mobile",
            "Huawei Browser · HarmonyOS",
        ),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 16_0) AppleWebKit Mobile MicroMessenger/8.0", "WeChat · iPhone"),
        ("Mozilla/5.0 (Windows NT 10.0) Chrome/120 Safari/537 Edg/120", "Edge · Windows"),
        ("curl/8", "不认识的设备"),
    ],
)
def test_devices_have_names_that_people_know(agent: str, name: str) -> None:
    """Not what the browser calls itself."""
    assert name == device_name("zh", agent)
