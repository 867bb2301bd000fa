"""A visitor who knows pages and no journey: reads the forms, fills them in with facts, and goes on until the end.

walks(JOURNEYS)         what is to be walked: rows of the table, the situations they can be begun in, the ways
Walker(...).walk(walk)  walks one of them in a browser; `at_each_page(page, journey, step)` is called on each page

Rules
  1. The table says what is walked, the page says what is asked, the newcomer's facts answer it. A field without a
     fact, a page without a form, a refusal that nobody expected: each fails the walk, with what the page says.
  2. What a browser cannot do (no script, so no authenticator) the page has to say in words, and offer another way.
  3. A step is called as the page calls it when it posts it; what is no step has a name of its own: `confirm` (asked
     before an act), `booking` (outlet, service and time), `out` (on the way to a provider), `end`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from playwright.sync_api import Page
from sqlalchemy import bindparam, func, select

from foregate.desk import social
from foregate.rules.engine import who_open
from foregate.rules.journeys import BUILT, Built, Journey, Table
from foregate.rules.words import PERMIT, CodeTo, Who, proofs_of
from foregate.store.statements import Statement
from foregate.store.tables import journey as table
from tests.browser.bank import Bank
from tests.browser.crowd import (
    AGED,
    BASIC,
    FAMILY,
    FULL,
    NOBODY,
    REMEMBERED,
    STRANGER,
    Crowd,
    Newcomer,
    Situation,
)

Hook = Callable[[Page, str, str], None]
PAGES_MAX: Final = 24  # no journey has more
TYPED: Final = frozenset({"text", "tel", "password", "search", "date", "textarea"})
ENDS: Final = ("/home", "/signed-out")
# Where a page has no form of its own the way on is a link: to the finder, an outlet, a service, a time.
LINKS: Final = ("a[href^='/book-appointment?outlet=']", ".outs h3 a", "a[href*='service={service}']", ".times a",
                "a.go[href^='/outlets']")  # fmt: skip
READ: Final = Path(__file__).with_name("read_page.js").read_text("utf-8")


@dataclass(frozen=True)
class Walk:
    """One journey to be walked. `who`: the way of saying who one is; `prefer`: proofs to take where offered."""

    journey: str
    situation: Situation
    who: str | None = None
    prefer: tuple[str, ...] = ()

    def __str__(self) -> str:
        """A name for tests."""
        return "-".join([self.journey, self.situation.name, *filter(None, [self.who]), *self.prefer])


# ---------------------------------------------------------------- what is walked


def begins_in(row: Journey) -> tuple[Situation, ...]:
    """Return the situations in which a row can be begun, the plainest first. It follows from the row alone."""
    if "customer" in row.changes:
        return (STRANGER,)
    signed_in = (BASIC, FULL, AGED) if Who.SESSION in row.who else ()
    alone = (NOBODY, REMEMBERED) if set(row.who) - {Who.SESSION} else ()
    shared = (FAMILY,) if row.code_to is CodeTo.EITHER and Who.PHONE in row.who else ()
    return (*alone, *signed_in, *shared)


def walks(table: Table, built: Built = BUILT, *, every: bool = False) -> list[Walk]:
    """Return what is to be walked: each row in each situation, by each way of saying who one is, by each proof.

    Unless `every` combination is asked for: the other whos in one situation, each proof in one journey that takes it.
    """
    found: list[Walk] = []
    for row in (row for row in table.values() if row.is_public):
        whos = [who.value for who in who_open(row, built) if who is not Who.SESSION]
        for situation in begins_in(row):
            mine = whos if situation.session is None else [None]
            found += [Walk(row.name, situation, who) for who in (mine if every else mine[:1])]
        if not every:
            found += [Walk(row.name, begins_in(row)[0], who) for who in whos[1:]]
    return found + list(_by_proofs(table, built, every=every))


def _by_proofs(table: Table, built: Built, *, every: bool) -> Iterator[Walk]:
    seen: set[str] = set()
    for row in (row for row in table.values() if row.is_public):
        for proof in proofs_of(row.prove):
            name, situation = proof.name, begins_in(row)[0]
            if proof.silent or name not in built.proofs or (name in seen and not every) or name == "social":
                continue
            seen.add(name)
            who = next((w.value for w in who_open(row, built) if w is not Who.SESSION), None)
            yield Walk(row.name, AGED if who is None else situation, who, (name,))


def covering(table: Table, built: Built = BUILT) -> list[Walk]:
    """Return fewer walks: each row once, each way of saying who one is once a row, each proof once, each situation."""
    found: list[Walk] = []
    for number, row in enumerate(row for row in table.values() if row.is_public):
        places = begins_in(row)
        whos = [who.value for who in who_open(row, built) if who is not Who.SESSION]
        place = places[number % len(places)]
        found.append(Walk(row.name, place, whos[0] if whos and place.session is None else None))
        found += [Walk(row.name, places[0], who) for who in whos[place.session is None :]]
        found += [Walk(row.name, FAMILY, "phone")] if FAMILY in places and place is not FAMILY else []
    found += _by_proofs(table, built, every=False)
    seen = {walk.situation for walk in found}
    everything = walks(table, built)
    missing = {walk.situation: walk for walk in reversed(everything) if walk.situation not in seen}
    return found + list(missing.values())


# ---------------------------------------------------------------- what a page says


@dataclass(frozen=True)
class Control:
    """One thing to type, choose or tick."""

    name: str
    kind: str
    is_hidden: bool
    values: tuple[str, ...]


@dataclass(frozen=True)
class Form:
    """One form. `way`: another way that its button takes; `ceremony`: what an authenticator is asked."""

    at: int
    id: str
    action: str
    is_visible: bool
    ceremony: str
    controls: tuple[Control, ...]
    buttons: tuple[Mapping[str, str], ...]

    @property
    def step(self) -> str:
        """The step that it answers, as it is posted."""
        hidden = next((c.values[0] for c in self.controls if c.name == "step"), "")
        return hidden or next((b["value"] for b in self.buttons if b["name"] == "step"), "")

    @property
    def way(self) -> str:
        """The other way that it leads to."""
        return next((b["value"] for b in self.buttons if b["name"] == "way"), "") if self.step == "choose" else ""

    @property
    def asked(self) -> tuple[Control, ...]:
        """What a person sees and answers."""
        return tuple(control for control in self.controls if not control.is_hidden)


@dataclass(frozen=True)
class Standing:
    """What a page says: where it is, its forms, whether it ends or refuses, and what it says in words."""

    url: str
    title: str
    problem: str
    is_good: bool
    forms: tuple[Form, ...]
    tabs: Mapping[str, str]
    out: str
    lacks: str
    links: tuple[str, ...]
    text: str

    @property
    def path(self) -> str:
        """Where it is."""
        return urlsplit(self.url).path

    @property
    def is_end(self) -> bool:
        """Whether what was wanted is done."""
        return not self.problem and (self.path in ENDS or self.is_good)


def read(page: Page) -> Standing:
    """Read a page."""
    raw: dict[str, Any] = page.evaluate(READ)
    forms = tuple(
        Form(
            **{**form, "controls": tuple(Control(**{**c, "values": tuple(c["values"])}) for c in form["controls"]),
               "buttons": tuple(form["buttons"])}
        )
        for form in raw.pop("forms")
    )  # fmt: skip
    return Standing(forms=forms, links=tuple(raw.pop("links")), **raw)


# ---------------------------------------------------------------- walking


def _is_outside(url: str) -> bool:
    return "appid=" in url or "app_id=" in url


class Lost(AssertionError):
    """The walk cannot go on: what it walked, and what the page says."""


@dataclass
class Ending:
    """How a walk ended: the steps it took, and where it was left.

    `lacks`: what the page said that this browser has not, when the walk needed it; `instead`: what else it offered.
    """

    path: tuple[str, ...]
    url: str
    lacks: str = ""
    instead: tuple[str, ...] = ()


@dataclass
class Walker:
    """Somebody with a browser, and facts. `files`: pictures for a page that asks for them, by what they shall show."""

    bank: Bank
    crowd: Crowd
    page: Page
    has_script: bool
    at_each_page: Hook = lambda page, journey, step: None
    files: Callable[[str], Sequence[Path]] | None = None
    newcomer: Newcomer | None = None
    switch: Callable[[bool], None] | None = None
    path: list[str] = field(default_factory=list)
    is_over: bool = False  # whoever came back found it done

    def walk(self, walk: Walk) -> Ending:
        """Walk a journey to its end, as somebody new."""
        self.come(walk)
        self.begin(walk)
        return self.go_on(walk)

    def come(self, walk: Walk) -> Newcomer:
        """Be somebody new, with the browser that this walk needs."""
        house = self.bank.house.desk.house
        self.newcomer = self.crowd.newcomer(
            walk.situation,
            self.page.context,
            has_permit=PERMIT.name in walk.prefer,
            is_linked=not social.links(house, house.journeys[walk.journey].act),
        )
        # A page that leads out by itself is held, to be looked at; the link on it leads out when it is followed.
        self.page.route(_is_outside, lambda route: route.abort("aborted"))
        takes_key = "passkey" in (walk.who, *walk.prefer)
        if self.has_script:
            self.switch = self.crowd.authenticator(self.page, self.newcomer if takes_key else None)
        return self.newcomer

    def begin(self, walk: Walk) -> None:
        """Open the journey's own page."""
        self.page.goto(f"{self.bank.url}/{walk.journey}")

    def go_on(self, walk: Walk) -> Ending:
        """From whatever page is open to the end."""
        for _ in range(PAGES_MAX):
            if self.is_over:
                return Ending(tuple(self.path), self.page.url)
            here = read(self.page)
            step = self._step_of(here, walk)
            self.at_each_page(self.page, walk.journey, step)
            self.path.append(step)
            if here.is_end:
                return Ending(tuple(self.path), here.url)
            if here.problem:
                raise Lost(f"{walk}: refused after {self.path}: {here.problem}")
            if here.lacks and self._needs_more(here, walk):
                ways = tuple(form.way or form.step for form in here.forms if form.is_visible)
                return Ending(tuple(self.path), here.url, here.lacks, (*ways, *here.links))
            self.take(here, walk)
        raise Lost(f"{walk}: no end in sight: {self.path}")

    def take(self, here: Standing, walk: Walk) -> None:
        """Do what the page asks for."""
        if here.out:
            self._go_out(here)
            return
        tab = here.tabs.get(walk.who or "")
        if tab is not None:
            self._away(lambda: self.page.locator(f"a[href='{tab}']").first.click())
            return
        form = self._form(here, walk)
        if form is None:
            self._follow(here, walk)
            return
        self.fill(form, here, walk)
        self.send(form)

    def _form(self, here: Standing, walk: Walk) -> Form | None:
        visible = [form for form in here.forms if form.is_visible]
        own = [form for form in visible if not form.way]
        if walk.who == "passkey" and here.path == f"/{walk.journey}":
            return next((form for form in own if form.ceremony), None)
        main = next((form for form in own if form.id == "main-form"), None) or next(iter(own), None)
        preferred = next((form for form in visible if form.way in walk.prefer), None)
        if preferred is not None and (main is None or main.step not in walk.prefer):
            return preferred
        return main

    def _follow(self, here: Standing, walk: Walk) -> None:
        assert self.newcomer is not None
        for link in LINKS:
            found = self.page.locator(link.format(service=self.newcomer.facts["service"]))
            if found.count():
                self._away(found.first.click)
                return
        raise Lost(f"{walk}: nothing to do at {here.url} after {self.path}: {here.text}")

    def fill(self, form: Form, here: Standing, walk: Walk) -> None:
        """Type, choose and tick what is asked, by the facts. What there is no fact for fails the walk."""
        assert self.newcomer is not None
        place = self.page.locator("form").nth(form.at)
        for control in form.asked:
            if control.kind == "file":
                self._show(place, form)
                continue
            if control.kind == "radio" and control.name not in self.newcomer.facts:
                fact: Any = control.values[0]  # one of one's own: the first will do
            elif control.name in self.newcomer.facts:
                fact = self.newcomer.facts[control.name]
            else:
                raise Lost(f"{walk}: nobody knows {control.name!r}, which {form.step!r} asks for at {here.url}")
            self._set(place, control, fact() if callable(fact) else fact)

    def _set(self, place: Any, control: Control, value: str | bool) -> None:
        field_ = place.locator(f"[name='{control.name}']")
        if control.kind == "checkbox":
            field_.first.set_checked(bool(value))
        elif control.kind == "radio":
            place.locator(f"[name='{control.name}'][value='{value}']").check()
        elif control.kind == "select":
            field_.first.select_option(str(value))
        elif control.kind in TYPED:
            field_.first.fill(str(value))
        else:
            raise Lost(f"nobody knows how to answer a {control.kind} ({control.name})")

    def _show(self, place: Any, form: Form) -> None:
        part = next((c.values[0] for c in form.controls if c.name == "part"), "look-straight")
        if self.files is None:
            raise Lost(f"{form.step!r} asks for pictures, and there are none")
        place.locator("input[type=file]").set_input_files(list(self.files(part)))

    def send(self, form: Form) -> None:
        """Press the form's button."""
        place = self.page.locator("form").nth(form.at)
        button = place.locator("button:visible:not([name=language]):not([type=button])").first
        if form.ceremony and self.switch is not None:
            if form.step == "add-passkey" and self.path[-2:-1] == ["passkey"]:
                self.switch(False)  # that one holds a passkey of theirs already, and none holds two
                self.switch = self.crowd.authenticator(self.page, transport="usb")
            self.switch(True)
        self._away(button.click)

    def _away(self, act: Callable[[], None]) -> None:
        with self.page.expect_navigation(wait_until="load"):
            act()
        if "go=1" in self.page.url:
            self.page.goto(self.page.url.partition("?")[0])

    def _needs_more(self, here: Standing, walk: Walk) -> bool:
        """Say whether the page asks an authenticator, or the walk wanted to, and this browser has none."""
        ceremonies = [form for form in here.forms if form.ceremony]
        is_chosen = here.path.startswith("/j/") or walk.who == "passkey"
        return is_chosen and not any(form.is_visible for form in ceremonies)

    # ------------------------------------------------------------ to a provider and back

    def _go_out(self, here: Standing) -> None:
        assert self.newcomer is not None
        self.page.unroute(_is_outside)
        with self.page.expect_navigation():
            self.page.locator("a.go[rel=noreferrer]").first.click()
        self.page.locator("select[name=account]").select_option(str(self.newcomer.facts["account"]))
        self._away(self.page.get_by_role("button", name="Agree").click)

    def _step_of(self, here: Standing, walk: Walk) -> str:
        if here.is_end:
            return "end"
        if here.problem:
            return "problem"
        if here.out:
            return "out"
        ceremony = next((form for form in here.forms if form.ceremony and here.path.startswith("/j/")), None)
        form = ceremony or self._form(here, walk)
        if form is None or (form.action.startswith("/outlets") and walk.journey != "outlets"):
            return "booking"
        return form.step or "confirm"


def count_done(bank: Bank, journey: str) -> int:
    """Return how many journeys of this name are done."""
    query = Statement(
        select(func.count().label("count")).where(table.c.name == bindparam("name"), table.c.status == bindparam("is"))
    )

    async def count() -> int:
        async with bank.house.store.database.snapshot() as connection:
            return int((await connection.all(query, name=journey, **{"is": "done"}))[0]["count"])

    return bank.run(count())
