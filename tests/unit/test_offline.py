"""What phones keep and run: how large it is, which language it is written in, and what a browser may keep."""

from __future__ import annotations

import gzip
import re
from collections.abc import Iterator
from pathlib import Path

import esprima
import msgspec
import pytest
from starlette.testclient import TestClient

from foregate.doors.console.render import content_security_policy as console_policy
from foregate.doors.pages import assets, content_security_policy, offline
from foregate.doors.text import catalog
from foregate.rules import limits
from tests.unit.front_door import FrontDoor

KIB = 1024
WORKER_BYTES, LINK_BYTES, OUTBOX_BYTES, OFFLINE_BYTES = 1.5 * KIB, 2 * KIB, 1 * KIB, 2 * KIB
SCRIPTS = sorted(path for path in assets.FOLDER.glob("*.js"))
# What a script may be made of that a browser of 2012 reads (ECMA-262, 5.1, chapters 11 to 14).
ES5 = {
    "Program", "EmptyStatement", "BlockStatement", "ExpressionStatement", "IfStatement", "BreakStatement",
    "ContinueStatement", "SwitchStatement", "SwitchCase", "ReturnStatement", "ThrowStatement", "TryStatement",
    "CatchClause", "WhileStatement", "DoWhileStatement", "ForStatement", "ForInStatement", "FunctionDeclaration",
    "VariableDeclaration", "VariableDeclarator", "ThisExpression", "ArrayExpression", "ObjectExpression",
    "Property", "FunctionExpression", "SequenceExpression", "UnaryExpression", "BinaryExpression",
    "AssignmentExpression", "UpdateExpression", "LogicalExpression", "ConditionalExpression", "CallExpression",
    "NewExpression", "MemberExpression", "StaticMemberExpression", "ComputedMemberExpression", "Identifier",
    "Literal", "Directive", "RegexLiteral",
}  # fmt: skip
each_language = pytest.mark.parametrize("language", catalog.languages())


def newer_than_es5(text: str) -> set[str]:
    """Return what in a script is newer than ES5."""
    found: set[str] = set()

    def look(node: object, _: object) -> None:
        kind = str(getattr(node, "type", ""))
        if kind not in ES5:
            found.add(kind)
        if kind == "VariableDeclaration" and getattr(node, "kind", "") != "var":
            found.add(str(getattr(node, "kind", "")))
        if kind == "Property" and (getattr(node, "shorthand", False) or getattr(node, "method", False)):
            found.add("shorthand")

    esprima.parseScript(text, {}, look)
    return found


@pytest.fixture
def door() -> FrontDoor:
    return FrontDoor()


@pytest.fixture
def browser(door: FrontDoor) -> Iterator[TestClient]:
    with TestClient(door.app, base_url="https://login.bank.example", follow_redirects=False) as client:
        client.get("/")  # the visitor's cookie is there from now on
        yield client


# ---------------------------------------------------------------- size and syntax


@each_language
def test_what_phones_load_is_small(door: FrontDoor, language: str) -> None:
    """The worker with gzip, the scripts with brotli, as the budgets count them."""
    worker = offline.worker(door.settings, language)
    assert len(gzip.compress(worker, 9)) <= WORKER_BYTES
    assert len(assets.link(language).small) <= LINK_BYTES
    assert len(assets.outbox().small) <= OUTBOX_BYTES
    assert len(assets.offline().small) <= OFFLINE_BYTES


@pytest.mark.parametrize("path", SCRIPTS, ids=[path.name for path in SCRIPTS])
def test_scripts_are_es5(path: Path) -> None:
    """A phone of ten years ago reads them whole. Browsers that know workers know arrows: the worker has those."""
    expected = {"ArrowFunctionExpression"} if path.name == "worker.js" else set()
    assert expected == newer_than_es5(path.read_text("utf-8"))


@pytest.mark.parametrize(
    ("text", "expected"),
    [("var a = function () { return /x/g; };", set()), ("let a = 1;", {"let"}), ("var f = a => a;", {"Arrow"}),
     ("var o = {a};", {"shorthand"}), ("var t = `a`;", {"Template"}), ("f(...a);", {"Spread"})],
)  # fmt: skip
def test_newer_syntax_is_found(text: str, expected: set[str]) -> None:
    """The check above can fail."""
    assert {re.sub(r"(FunctionExpression|Literal|Element)$", "", kind) for kind in newer_than_es5(text)} >= expected
    assert bool(newer_than_es5(text)) == bool(expected)


def test_scripts_go_by_the_limits(door: FrontDoor) -> None:
    """A script cannot import them, so its numbers are compared here."""
    said = dict(re.findall(r"\b([A-Z]+) = (\d+)", (assets.FOLDER / "link.js").read_text("utf-8")))
    expected = {
        "TRIES": limits.LINK_TRIES,
        "SLOW": limits.SLOW_AFTER_SECONDS,
        "PATIENCE": limits.LINK_PATIENCE_SECONDS,
        "UPLOAD": limits.UPLOAD_PATIENCE_SECONDS,
    }
    assert expected == {name: int(value) for name, value in said.items()}
    worker = offline.worker(door.settings, "zh").decode()
    assert f'"entries":{limits.KEPT_PAGES},"race":5000,"patience":20000' in worker
    assert limits.RACE_SECONDS < limits.LINK_PATIENCE_SECONDS


# ---------------------------------------------------------------- what may be kept, and what may run


def test_every_page_that_may_be_kept_is_public(browser: TestClient) -> None:
    """The worker keeps what is exactly `no-cache` with a validator: those pages say the same to everybody."""
    for path in ("/", "/offline", "/help/outlet", "/help/code", "/cannot-get-in", "/freeze"):
        answer = browser.get(path)
        assert ("no-cache", True) == (answer.headers["cache-control"], bool(answer.headers["etag"])), path
        assert 'name="key"' not in answer.text
    for path in ("/signed-out", "/home", "/nothing", "/manifest.webmanifest"):
        assert "no-cache" != browser.get(path).headers.get("cache-control"), path


def test_a_first_visit_is_not_kept(door: FrontDoor) -> None:
    """Its answer sets a cookie, which is somebody's own."""
    with TestClient(door.app, base_url="https://login.bank.example") as stranger:
        assert "private, no-cache" == stranger.get("/offline").headers["cache-control"]


def test_one_policy_makes_one_address() -> None:
    """Trusted Types let one named policy through, on the customers' pages alone; its source holds one address."""
    assert "trusted-types worker" in content_security_policy()
    assert "worker-src 'self'; manifest-src 'self'" in content_security_policy()
    assert "trusted-types 'none'" in console_policy()
    text = (assets.FOLDER / "link.js").read_text("utf-8")
    assert ["url === OUTBOX ? url : '/sw.js'"] == re.findall(
        r"createScriptURL: function \(url\) \{ return ([^;]*); \}", text
    )
    assert 1 == sum(path.read_text("utf-8").count("createPolicy('worker'") for path in SCRIPTS)


# ---------------------------------------------------------------- releases and languages


def test_the_worker_is_asked_for_anew(browser: TestClient) -> None:
    """A browser that has it hears so; in another language, or in a release with other words, it is another one."""
    first = browser.get("/sw.js", headers={"accept-language": "zh"})
    assert ("no-cache", "text/javascript; charset=utf-8") == (
        first.headers["cache-control"],
        first.headers["content-type"],
    )
    again = browser.get("/sw.js", headers={"accept-language": "zh", "if-none-match": first.headers["etag"]})
    assert (304, b"") == (again.status_code, again.content)
    assert first.headers["etag"] != browser.get("/sw.js", headers={"accept-language": "en"}).headers["etag"]


def test_another_release_has_another_name(door: FrontDoor) -> None:
    """What the offline page is made of names the cache: the same twice, another for another hotline."""
    other = msgspec.structs.replace(door.settings, hotline="95001")
    names = [offline.worker(settings, "zh")[:40] for settings in (door.settings, FrontDoor().settings, other)]
    assert [True, False] == [name == names[0] for name in names[1:]]


@each_language
def test_the_offline_page_is_whole_without_script(browser: TestClient, language: str) -> None:
    """The hotline and the way to book stand there; what a script fills in is hidden."""
    page = browser.get("/offline", headers={"accept-language": language})
    assert 'href="tel:95000"' in page.text
    assert 'href="/book-appointment"' in page.text
    hidden = re.findall(r'<section id="(\w+)"[^>]* hidden', page.text)
    assert ["waiting", "seen", "book"] == hidden


@each_language
def test_the_manifest(browser: TestClient, language: str) -> None:
    """In the visitor's language, without a raster image."""
    answer = browser.get("/manifest.webmanifest", headers={"accept-language": language})
    manifest = answer.json()
    assert ("application/manifest+json", language) == (answer.headers["content-type"], manifest["lang"])
    assert catalog.text(language, "offline.app") == manifest["description"]
    icons = [browser.get(icon["src"]) for icon in manifest["icons"]]
    assert ["image/svg+xml"] * 2 == [icon.headers["content-type"] for icon in icons]


@pytest.mark.parametrize(
    ("path", "stem"), [("/s/f.0123456789.js", "f"), ("/s/l_zh.0123456789.js", "l_zh"), ("/s/f.012345678.js", "")]
)
def test_a_script_of_another_release(path: str, stem: str) -> None:
    """A page that is open goes on with today's script; what is no such name is nothing."""
    found = assets.same_stem(path, (assets.script(), *assets.links()))
    assert stem == (found.path[3:].partition(".")[0] if found else "")
