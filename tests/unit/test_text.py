"""The catalogue: nothing missing in any language, nothing said too early, and messages that fit."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import foregate
from foregate.demo.people import Situation
from foregate.desk.identify import CLAIMS, PickAnswer
from foregate.doors.text import catalog
from foregate.gateways.sms import OUTLET_CHARS
from foregate.local_time import say_when
from foregate.outlets.appointments import LINK_CHARS
from foregate.rules.appointments import State
from foregate.rules.booking_inputs import PEOPLE
from foregate.rules.causes import CAUSES, REMEDY_ACTIONS, TWIN
from foregate.rules.inputs import DocumentType, Kind, fields_of
from foregate.rules.journeys import EVERYTHING, JOURNEYS
from foregate.rules.policy import POLICY
from foregate.rules.services import BRING, SERVICES
from foregate.rules.words import Tier, Who
from tests.unit.front_door import ACTS, PROOFS

SOURCE = Path(foregate.__file__).parent
TEMPLATES = [*SOURCE.glob("doors/*/templates/*.html"), *SOURCE.glob("demo/templates/*.html")]
INPUTS = [act.INPUT for act in ACTS if act.INPUT is not None]
ANSWERS = [*CLAIMS.values(), *(proof.ANSWER for proof in PROOFS), *INPUTS, PickAnswer]
MESSAGES = (
    "code", "password-changed", "reopened", "frozen", "registered", "signed-in-elsewhere", "device-remembered",
    "number-replaced", "number-replaced-old", "permit-issued", "document-corrected", "sessions-ended",
    "statement-ready", "alerts-changed", "money-in", "money-out", "basic-sign-in",
    "document-expiring", "document-expired", "document-renewed", "face-renewed", "face-withdrawn",
    "face-expiring", "face-expired", "passkey-added",
    "passkey-removed", "passkey-copied",
    "linked-wechat", "linked-alipay", "unlinked-wechat", "unlinked-alipay",
)  # fmt: skip

# What a message says about a visit; it ends in the link of the appointment.
VISIT_MESSAGES = ("appointment-booked", "appointment-moved", "appointment-tomorrow", "appointment-soon")

each_language = pytest.mark.parametrize("language", catalog.languages())


def needed() -> Iterator[str]:
    """Every key that the tables ask for."""
    for cause in CAUSES.values():
        yield from (f"cause.{cause.name}.title", f"cause.{cause.name}.detail")
        yield from (f"remedy.{remedy}" for remedy in cause.remedies)
    yield from (f"remedy.{name}" for name in (*REMEDY_ACTIONS, *JOURNEYS))
    yield from (f"demo.situation.{situation}" for situation in Situation)
    for name in JOURNEYS:
        yield from (f"journey.{name}.title", f"journey.{name}.lead")
    for act in POLICY:
        yield from (f"outcome.{act}.title", f"outcome.{act}.detail")
    yield from (f"way.{name}" for name in (*Who, *EVERYTHING.proofs))
    steps = [*CLAIMS, *(p.PROOF.name for p in PROOFS), "pick", *(n for a in ACTS if a.INPUT for n in a.ACTS)]
    for step in steps:
        yield from (f"step.{step}.{part}" for part in ("title", "lead", "submit"))
    for field in (field for answer in ANSWERS for field in fields_of(answer)):
        yield from (f"field.{field.name}.label", f"field.{field.name}.hint")
        if field.kind is Kind.CODE:
            yield f"field.{field.name}.hint-long"
    yield from (f"option.{kind}" for kind in DocumentType)
    yield from ("action.resend", "action.text-us")
    yield from (f"input.{code}" for code in input_codes())
    yield from (f"sms.{name}" for name in (*MESSAGES, *VISIT_MESSAGES))
    yield from (f"service.{code}.{part}" for code in SERVICES for part in ("name", "detail"))
    yield from (f"option.{code}" for code in (*SERVICES, *PEOPLE))
    yield from (f"bring.{thing}" for thing in BRING)
    yield from (f"appointment.state.{state}" for state in State)
    yield from (f"when.month.{month}" for month in range(1, 13))
    yield from (f"when.weekday.{weekday}" for weekday in range(1, 8))


def input_codes() -> set[str]:
    """Every code that says what is wrong with a field, as the source raises it."""
    codes = {"empty", "shape", "taken", "not-offered"}
    for path in (path for layer in ("rules", "proofs", "acts", "desk") for path in SOURCE.glob(f"{layer}/*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name | ast.Attribute)):
                continue
            name = node.func.id if isinstance(node.func, ast.Name) else node.func.attr
            if name == "BadInput" and node.args and isinstance(node.args[0], ast.Constant):
                codes.add(str(node.args[0].value))
    return codes


def messages_asked_for() -> set[str]:
    """Every message that the source sends."""
    source = "".join(path.read_text("utf-8") for path in SOURCE.rglob("*.py"))
    return set(re.findall(r'"sms\.([a-z-]+)"', source))


@each_language
def test_every_key_that_the_tables_need_is_there(language: str) -> None:
    """No visitor ever sees a key, or a page in two languages."""
    assert [] == sorted({key for key in needed() if not catalog.has(language, key)})


@each_language
def test_every_key_that_a_template_names_is_there(language: str) -> None:
    """What a template says outright stands in the catalogue."""
    named = {key for path in TEMPLATES for key in re.findall(r'\bt\("([\w.-]+)"[,)]', path.read_text("utf-8"))}
    assert [] == sorted(key for key in named if not catalog.has(language, key))


def test_every_message_that_is_sent_has_a_text() -> None:
    """A new message begins with its text."""
    assert messages_asked_for() <= {*MESSAGES, *VISIT_MESSAGES}


@each_language
def test_languages_say_the_same_things(language: str) -> None:
    """The same keys, and each takes the same facts; a form for one is a language's own business."""
    first, other = catalog.texts(catalog.languages()[0]), catalog.texts(language)
    plain = {key for key in other if not key.endswith("-one")}
    assert set() == {key for key in first if not key.endswith("-one")} ^ plain
    assert [] == [key for key in plain if catalog.facts_of(first[key]) != catalog.facts_of(other[key])]


@each_language
def test_the_form_for_one_belongs_to_a_key(language: str) -> None:
    """`tries-left-one` is used because `tries-left` is."""
    texts = catalog.texts(language)
    assert [] == [k for k in texts if k.endswith("-one") and "count" not in catalog.facts_of(texts[k[:-4]])]


@each_language
def test_no_text_is_left_blank(language: str) -> None:
    """Hints may be empty, nothing else."""
    texts = catalog.texts(language)
    assert [] == [key for key, said in texts.items() if not said.strip() and not key.endswith(".hint")]


# Words that tell a stranger something about the customer.
HINTS = {
    "zh": ("注册", "冻结", "关闭", "锁", "停用", "不存在", "过期", "密码", "验证码", "次"),
    "en": ("regist", "frozen", "froze", "closed", "lock", "exist", "expired", "password", "code", "tries", "account"),
}


@each_language
def test_the_public_twin_hints_at_nothing(language: str) -> None:
    """A stranger reads the same words whatever the reason, and none that names one."""
    told = catalog.text(language, f"cause.{TWIN}.title") + catalog.text(language, f"cause.{TWIN}.detail")
    assert [] == [word for word in HINTS[language] if word in told.lower()]


EARNED = {
    "zh": ("没有注册", "还没注册", "已冻结", "登录关闭", "被关"),
    "en": ("not registered", "has registered", "is frozen", "is closed", "was closed"),
}


@each_language
def test_what_anyone_may_hear_tells_nothing_about_the_customer(language: str) -> None:
    """Causes of the tier `anyone` speak of what was typed and of the visitor's own journey."""
    open_to_all = [cause.name for cause in CAUSES.values() if cause.tier is Tier.ANYONE]
    told = {name: " ".join(catalog.text(language, f"cause.{name}.{part}") for part in ("title", "detail"))
            for name in open_to_all}  # fmt: skip
    assert [] == [(name, word) for name, said in told.items() for word in EARNED[language] if word in said.lower()]


FACTS = {"hotline": "95000", "host": "login.bank.example", "purpose": "", "origin": "https://login.bank.example"}
FACTS |= {"token": "0123456789ABCDEFGHJKMNPQRS", "day": "2035-12-31"}
BANK = {"zh": "示范商业银行", "en": "Demo Commercial Bank"}
# What one message holds: 70 in UCS-2, 160 of the GSM alphabet.
LONGEST = {"zh": 70, "en": 160}
GSM = set("@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿"
          "abcdefghijklmnopqrstuvwxyzäöñüà")  # fmt: skip


def message(language: str, name: str, journey: str, code: str) -> str:
    purpose = catalog.text(language, f"journey.{journey}.title")
    facts = FACTS | {"purpose": purpose, "amount": catalog.text(language, "language.yuan", number="1234567.89")}
    return catalog.text(language, f"sms.{name}", bank=BANK[language], code=code, **facts)


@each_language
@pytest.mark.parametrize("name", MESSAGES)
@pytest.mark.parametrize("code", ["123456", "0123456789ABC"])
def test_a_message_fits_into_one(language: str, name: str, code: str) -> None:
    """Whatever it is for and however long the code; the last line, for the browser or to tap, may make it two."""
    texts = [message(language, name, journey, code).partition("\n")[0] for journey in JOURNEYS]
    assert [] == [text for text in texts if len(text) > LONGEST[language]]


# Two messages in one: 67 or 153 each, the rest tells the phone that they belong together.
LONGEST_OF_TWO = {"zh": 134, "en": 306}


@each_language
@pytest.mark.parametrize("name", VISIT_MESSAGES)
def test_a_message_about_a_visit_fits_into_two(language: str, name: str) -> None:
    """With the longest name that an outlet may have there; the link stands alone on the last line, and is ours."""
    said = catalog.text(
        language, f"sms.{name}", bank=BANK[language],
        when=say_when(catalog.text, language, 1_797_641_100, "Asia/Shanghai"),
        outlet="示" * OUTLET_CHARS, reference="AB12CD7",
        origin="https://login.bank.example", path="/appointments/" + "x" * LINK_CHARS,
    )  # fmt: skip
    assert len(said) <= LONGEST_OF_TWO["zh" if language == "zh" else "en"]
    assert "https://login.bank.example/appointments/" + "x" * LINK_CHARS == said.splitlines()[-1]
    assert 1 == said.count("http")


@pytest.mark.parametrize("name", MESSAGES)
def test_english_messages_keep_to_the_alphabet_of_the_network(name: str) -> None:
    """One sign outside it would halve what a message holds."""
    assert set() == set(message("en", name, "register", "123456")) - GSM


@each_language
def test_the_last_line_of_a_code_is_for_the_browser(language: str) -> None:
    """`@host #code`, so that a phone fills it in on our page and on no other."""
    assert "@login.bank.example #123456" == message(language, "code", "sign-in", "123456").splitlines()[-1]


@each_language
def test_a_code_says_whose_and_what_for(language: str) -> None:
    """Who reads it to somebody on the phone has been warned first."""
    said = message(language, "code", "reset-password", "123456")
    assert BANK[language] in said
    assert catalog.text(language, "journey.reset-password.title") in said
    assert ("谁要都别给" if language == "zh" else "Tell nobody") in said


@each_language
@pytest.mark.parametrize("name", [name for name in MESSAGES if name != "code"])
def test_a_notice_says_what_to_do_if_it_was_not_you(language: str, name: str) -> None:
    """The number to call stands in it; no link does, for a thief would send one too.

    But for the number that was given up: who has it can prove nothing else any more, and the link only freezes.
    """
    said = message(language, name, "sign-in", "")
    assert "95000" in said
    links = [word for word in said.split() if "http" in word]
    stop = ["https://login.bank.example/stop/0123456789ABCDEFGHJKMNPQRS"]
    assert links == (stop if name == "number-replaced-old" else [])


@pytest.mark.parametrize(
    ("header", "cookie", "language"),
    [
        (None, None, "zh"),
        ("", "", "zh"),
        ("en-GB,en;q=0.9", None, "en"),
        ("fr-FR,en;q=0.5,zh;q=0.8", None, "zh"),
        ("fr", None, "zh"),
        ("EN", None, "en"),
        ("en;q=0,zh", None, "zh"),
        ("en;q=rubbish,;;,,q=1", None, "zh"),
        ("zh-CN", "en", "en"),
        ("en", "../../etc/passwd", "en"),
    ],
)
def test_which_language_is_spoken(header: str | None, cookie: str | None, language: str) -> None:
    """The choice made before, else the browser's wish, else Chinese."""
    assert language == catalog.choose(header, cookie)


def test_an_unknown_key_is_a_fault() -> None:
    """It is found by a test, not by a customer."""
    with pytest.raises(KeyError):
        catalog.text("zh", "cause.of-everything")


def test_one_is_said_as_one() -> None:
    """English has a form for one, Chinese has none."""
    assert "One try left." == catalog.text("en", "page.tries-left", count=1)
    assert "2 tries left." == catalog.text("en", "page.tries-left", count=2)
    assert "还可以试 1 次。" == catalog.text("zh", "page.tries-left", count=1)


def test_braces_in_a_fact_stay_what_they_are() -> None:
    """A fact is put in, never read as a text."""
    assert "用户名 {name.__class__}" == catalog.text("zh", "home.user-name", name="{name.__class__}")
