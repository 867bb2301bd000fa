"""What a page is held to, whoever looks: how large, how far apart, nothing sideways, nothing on top of something.

A look is a language, care mode or none, light or dark, and a width. Language and care are chosen by cookies before a
page is asked for, so what is seen is what the server made; scheme and width are turned while it stands there.
"""

# ruff: noqa: E501  # lines of JavaScript

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import combinations, cycle, groupby, product
from typing import Any, Final, NamedTuple

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from foregate.doors.pages import assets

AXE: Final = Axe()
CLASS: Final = re.compile(r"(?<![\w\])-])\.([a-z][\w-]*)")  # not what only narrows another, as in .key.out
# Contrast of 7:1 is what we aim at everywhere; axe asks for 4.5:1 unless told.
USUAL: Final = {"resultTypes": ["violations"]}
OPTIONS: Final = {**USUAL, "rules": {"color-contrast-enhanced": {"enabled": True}}}

# Everything that can be tapped: where it is, how large, and whether it stands within a line of text.
TARGETS = """() => {
  const found = [];
  for (const e of document.querySelectorAll('a[href], button, input, select, summary, textarea')) {
    const label = e.closest('label.tick');
    const box = (label || e).getBoundingClientRect();
    const style = getComputedStyle(e);
    if (!e.checkVisibility() || !box.width || box.bottom < 0 || e.closest('[aria-hidden=true], svg.map')) continue;
    const isInline = e.tagName === 'A' && style.display === 'inline';
    const isMain = /^(BUTTON|INPUT|SELECT)$/.test(e.tagName) && !label && !e.closest('.tongue, .rows form, .bad li, .hide, .eye')
      || e.classList.contains('go');
    found.push({name: (e.textContent || e.id || e.name).trim().slice(0, 30), width: box.width, height: box.height, isInline, isMain});
  }
  return found;
}"""

# Every piece of text: its size, its lines, and how far the next paragraph is.
WORDS = """() => {
  const found = [], walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const node = walker.currentNode, e = node.parentElement;
    if (!node.data.trim() || /^(SCRIPT|STYLE|TITLE)$/.test(e.tagName) || e.closest('svg, [aria-hidden=true]')) continue;
    if (!e.checkVisibility()) continue;
    const style = getComputedStyle(e), size = parseFloat(style.fontSize);
    found.push({text: node.data.trim().slice(0, 30), size, line: parseFloat(style.lineHeight) / size,
                isHeading: !!e.closest('h1, h2, h3, button, .go, .sum')});
  }
  return found;
}"""
GAPS = """() => [...document.querySelectorAll('p + p')].filter(e => e.checkVisibility() && e.textContent.trim() && e.previousElementSibling.checkVisibility()
  && !e.closest('.outs, .acts, .field') && !e.matches('.sum, .sum + p') && getComputedStyle(e).position !== 'absolute').map(e => {
  const gap = e.getBoundingClientRect().top - e.previousElementSibling.getBoundingClientRect().bottom;
  return {text: e.textContent.trim().slice(0, 30), ratio: gap / parseFloat(getComputedStyle(e).lineHeight)};
})"""

# Two texts on top of each other, or a text that is cut off.
OVERLAPS = """() => {
  const boxes = [], walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT), found = [];
  while (walker.nextNode()) {
    const e = walker.currentNode.parentElement;
    if (!walker.currentNode.data.trim() || !e.checkVisibility() || e.closest('svg, .say, .jump, .idle, option')) continue;
    const range = document.createRange();
    range.selectNodeContents(walker.currentNode);
    for (const box of range.getClientRects()) if (box.width > 1 && box.height > 1)
      boxes.push({e, text: walker.currentNode.data.trim().slice(0, 20), l: box.left, r: box.right, t: box.top + box.height * .25, b: box.bottom - box.height * .25});
  }
  boxes.sort((one, other) => one.t - other.t);
  for (let i = 0; i < boxes.length; i++) for (let j = i + 1; j < boxes.length && boxes[j].t < boxes[i].b; j++) {
    const a = boxes[i], b = boxes[j];
    if (a.e !== b.e && Math.min(a.r, b.r) - Math.max(a.l, b.l) > 2 && Math.min(a.b, b.b) - b.t > 1) found.push([a.text, b.text]);
  }
  for (const e of document.querySelectorAll('button, .go, .tongue a, summary, label, h1, h2'))
    if (e.checkVisibility() && e.scrollWidth > e.clientWidth + 2 && getComputedStyle(e).display !== 'inline') found.push([e.textContent.trim().slice(0, 20), 'cut off']);
  return found;
}"""


# What makes a page too wide.
WIDE = """() => [...document.body.querySelectorAll('*')].filter(e => e.checkVisibility() && e.getBoundingClientRect().right > innerWidth + 1
  && !e.closest('.scroll')).map(e => e.tagName + ' ' + e.className + ' ' + e.textContent.trim().slice(0, 20)).slice(-3)"""
# The classes that stand on a page, and the rules that reach it: none where the policy has refused its style.
WORN = "[...new Set([...document.querySelectorAll('[class]')].flatMap(e => [...e.classList]))]"
RULES = "[...document.styleSheets].flatMap(s => [...s.cssRules].map(r => r.cssText)).join(' ')"
UNFOLD = "document.querySelectorAll('details:not([open])').forEach(function (e) { e.open = true; e.dataset.shut = 1; })"
FOLD = "document.querySelectorAll('details[data-shut]').forEach(function (e) { e.open = false; })"
UNFOLD_ASIDE = "document.querySelectorAll('details.aside').forEach(function (e) { e.open = true; })"


def complaints(page: Page, options: dict[str, Any] = OPTIONS) -> list[Any]:
    """What axe finds: the rules that are broken, and what breaks them."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE.axe_script)
    found = page.evaluate("options => axe.run(options)", options)["violations"]
    return [(violation["id"], [node["html"][:160] for node in violation["nodes"]][:3]) for violation in found]


def is_wide(page: Page) -> bool:
    """Whether the page scrolls sideways."""
    return bool(page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth"))


def bare(page: Page) -> list[str]:
    """The classes on this page that a sheet of ours styles, but none of the page's own."""
    ours = {name for sheet in assets.FOLDER.glob("*.css") for name in CLASS.findall(sheet.read_text("utf-8"))}
    return sorted((ours & set(page.evaluate(WORN))) - set(CLASS.findall(page.evaluate(RULES))))


def small_targets(page: Page, *, care: bool) -> list[Any]:
    """What is too small to be hit: in care mode 60 px for what one came for and 44 for the rest, else 44."""
    found = page.evaluate(TARGETS)
    assert found, page.url
    too_small = []
    for each in found:
        least = 60 if care and each["isMain"] else 44
        if not each["isInline"] and (each["height"] < least - 0.5 or each["width"] < min(least, 44) - 0.5):
            too_small.append((each["name"], round(each["width"]), round(each["height"]), least))
    return too_small


def small_words(page: Page) -> list[Any]:
    """What care mode is held to and is not: text under 18 px, lines under 1.5, paragraphs under 1.3 lines apart."""
    found: list[Any] = [w for w in page.evaluate(WORDS) if w["size"] < 18 or (w["line"] < 1.5 and not w["isHeading"])]
    return found + [gap for gap in page.evaluate(GAPS) if gap["ratio"] < 1.3]


# ---------------------------------------------------------------- looks


Mode = tuple[str, bool]  # what cookies say: the language, and whether care mode was chosen


class Look(NamedTuple):
    """How a page is looked at."""

    language: str
    care: bool
    scheme: str
    width: int

    def __str__(self) -> str:
        """A name for reports."""
        return f"{self.language}-{'care' if self.care else 'standard'}-{self.scheme}-{self.width}"


VALUES: Final = (("zh", "en"), (False, True), ("light", "dark"), (320, 360, 768))
EVERY_LOOK: Final = tuple(Look(*values) for values in product(*VALUES))
# Six that bring each value together with each of another kind.
COVERING: Final = (
    Look("zh", False, "light", 320), Look("en", True, "dark", 320), Look("zh", True, "light", 360),
    Look("en", False, "dark", 360), Look("zh", True, "dark", 768), Look("en", False, "light", 768),
)  # fmt: skip


def pairs(looks: Iterable[Look]) -> set[tuple[Any, ...]]:
    """Return which two values were seen together."""
    return {(one, look[one], other, look[other]) for look in looks for one, other in combinations(range(4), 2)}


@dataclass
class Eye:
    """Looks at pages. `modes` are what somebody's cookies say, each with the looks that are judged in it."""

    is_thorough: bool
    seen: dict[tuple[str, Mode], list[Look]] = field(default_factory=dict)
    _next: Iterator[Look] = field(default_factory=lambda: cycle(COVERING))

    def modes(self) -> dict[Mode, list[Look]]:
        """Return how to look at what comes now: in every look, or in the next of those that cover every pair."""
        looks = sorted(EVERY_LOOK) if self.is_thorough else [next(self._next)]
        return {mode: list(some) for mode, some in groupby(looks, key=lambda look: (look.language, look.care))}

    def judge(self, page: Page, name: str, looks: list[Look]) -> list[Any]:
        """Judge a page as it stands, in looks of one mode, once; return what is wrong with it."""
        mode = (looks[0].language, looks[0].care)
        if (name, mode) in self.seen:
            return []
        self.seen[name, mode] = looks
        page.wait_for_load_state()  # a page that is still coming is not one to judge
        worn = page.evaluate(
            "[document.documentElement.lang.slice(0, 2), document.documentElement.className === 'care']"
        )
        assert [*mode] == worn, name
        page.evaluate(UNFOLD)
        found: list[Any] = [(name, "has no style for", each) for each in bare(page)]
        for look in looks:
            page.set_viewport_size({"width": look.width, "height": 740})
            page.emulate_media(color_scheme=look.scheme)  # type: ignore[arg-type]  # light or dark
            found += [(name, str(look), *wrong) for wrong in complaints(page)]
            found += [(name, str(look), "scrolls sideways")] if is_wide(page) else []
        found += [(name, str(looks[-1]), *wrong) for wrong in twice_as_large(page)]
        found += [(name, str(looks[-1]), "too small", *wrong) for wrong in small_targets(page, care=mode[1])]
        if mode[1]:
            found += [(name, str(looks[-1]), "hard to read", str(wrong)) for wrong in small_words(page)]
        page.evaluate(FOLD)
        return found

    @property
    def pages(self) -> set[str]:
        """The names of what was looked at."""
        return {name for name, _ in self.seen}

    @property
    def looks(self) -> list[Look]:
        """Every look at a page."""
        return [look for looks in self.seen.values() for look in looks]


def found_by_axe(page: Page) -> list[Any]:
    """What axe finds by its usual rules, once all of the page has come."""
    page.wait_for_load_state()
    return complaints(page, USUAL)


def twice_as_large(page: Page) -> list[Any]:
    """What is wrong on the narrowest screen with letters of twice the size."""
    page.set_viewport_size({"width": 320, "height": 740})
    page.evaluate(
        "document.documentElement.style.fontSize = parseFloat(getComputedStyle(document.documentElement).fontSize) / 8 + '00%'"
    )
    found = [("twice as large, on top of each other", *two) for two in page.evaluate(OVERLAPS)]
    found += [("twice as large, scrolls sideways", *page.evaluate(WIDE))] if is_wide(page) else []
    page.evaluate("document.documentElement.style.fontSize = ''")
    page.set_viewport_size({"width": 360, "height": 740})
    return found


def wear(page: Page, origin: str, mode: Mode) -> None:
    """Give the browser the cookies of a mode; what care mode puts aside is unfolded on each page it opens."""
    values = {"language": mode[0], "care": "1" if mode[1] else "0"}
    page.context.add_cookies([{"name": f"foregate-{n}", "value": v, "url": origin} for n, v in values.items()])
    page.add_init_script(f"document.addEventListener('DOMContentLoaded', function () {{ {UNFOLD_ASIDE} }})")


def told(found: list[Any]) -> str:
    """Return what was found, a line each, as a failing test shows it."""
    return "\n".join(" | ".join(map(str, wrong)) for wrong in found)
