"""What a page is held to, whoever looks: how large, how far apart, nothing sideways, nothing on top of something."""

from __future__ import annotations

from typing import Any, Final

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

AXE: Final = Axe()
# Contrast of 7:1 is what we aim at everywhere; axe asks for 4.5:1 unless told.
OPTIONS: Final = {"rules": {"color-contrast-enhanced": {"enabled": True}}}

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
  && !e.closest('.outs, .acts') && getComputedStyle(e).position !== 'absolute').map(e => {
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


def complaints(page: Page) -> list[Any]:
    """What axe finds."""
    found = AXE.run(page, options=OPTIONS).response["violations"]
    return [(violation["id"], [node["html"][:160] for node in violation["nodes"]][:3]) for violation in found]


def is_wide(page: Page) -> bool:
    """Whether the page scrolls sideways."""
    return bool(page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth"))


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
