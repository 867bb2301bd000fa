"""Forms: from the fields that the desk asks for to what stands on the page, and from a posted form to an answer."""

from __future__ import annotations

import base64
import hashlib
import secrets
from collections.abc import Iterable, Mapping
from typing import Any, Final

import msgspec
from starlette.datastructures import FormData
from starlette.requests import Request

from foregate.desk.answers import Answered
from foregate.desk.identify import CLAIMS, PickAnswer
from foregate.desk.turn import House
from foregate.desk.view import Option, StepView
from foregate.doors.agents import label_of
from foregate.doors.text import catalog
from foregate.rules import limits
from foregate.rules.inputs import Field, Kind, fields_of
from foregate.rules.social_inputs import Wanted

FORM_FIELDS: Final = 24  # the longest form has eight

# How the keyboard comes up, and what the browser may fill in (HTML autofill tokens).
INPUTS: Final[Mapping[Kind, Mapping[str, str]]] = {
    Kind.PHONE: {"type": "tel", "inputmode": "tel", "autocomplete": "username webauthn"},
    Kind.CARD: {"inputmode": "numeric", "autocomplete": "cc-number"},
    Kind.USER_NAME: {"autocomplete": "username webauthn", "autocapitalize": "none", "spellcheck": "false"},
    Kind.NEW_USER_NAME: {"autocomplete": "username", "autocapitalize": "none", "spellcheck": "false"},
    Kind.NAME: {"autocomplete": "name", "spellcheck": "false"},
    Kind.DOCUMENT_NUMBER: {"autocomplete": "off", "autocapitalize": "characters", "spellcheck": "false"},
    Kind.LABEL: {"autocomplete": "off"},
    Kind.DAY: {"inputmode": "numeric", "autocomplete": "off"},
    Kind.SURNAME: {"autocomplete": "family-name", "spellcheck": "false"},
    Kind.CODE: {"inputmode": "numeric", "autocomplete": "one-time-code", "class": "code"},
    Kind.PERMIT: {"autocomplete": "off", "autocapitalize": "characters", "spellcheck": "false", "class": "code"},
    Kind.LINK: {"autocomplete": "off", "autocapitalize": "characters", "spellcheck": "false"},
    Kind.PASSWORD: {"type": "password", "autocomplete": "current-password"},
    Kind.NEW_PASSWORD: {"type": "password", "autocomplete": "new-password"},
    # A card PIN is not the site's password: no manager should offer to keep it.
    Kind.PIN: {"type": "password", "inputmode": "numeric", "autocomplete": "off", "class": "code"},
}
SECRET: Final = frozenset({Kind.CODE, Kind.PERMIT, Kind.PASSWORD, Kind.NEW_PASSWORD, Kind.PIN})


class Widget(msgspec.Struct, frozen=True, kw_only=True):
    """One field as it stands on the page. `error` is the sentence beside it, `shown` the words of its
    reveal button and of the caps lock."""

    name: str
    kind: str
    label: str
    hint: str
    required: bool
    value: str = ""
    error: str | None = None
    attributes: Mapping[str, str] = {}
    options: tuple[Option, ...] = ()
    shown: tuple[str, str, str] | None = None

    @property
    def id(self) -> str:
        """The element's id, stable over languages and renderings."""
        return f"f-{self.name}"

    @property
    def described_by(self) -> str:
        """The ids of what explains it: the fault first."""
        parts = [f"{self.id}-wrong"] * bool(self.error) + [f"{self.id}-hint"] * bool(self.hint)
        return " ".join(parts)


class Typed(msgspec.Struct, frozen=True):
    """What came with a form: the values that may be shown again, and what was wrong with which field."""

    values: Mapping[str, str] = {}
    wrong: Mapping[str, str] = {}


NOTHING: Final = Typed()


def widgets(
    language: str, fields: Iterable[Field], typed: Typed = NOTHING, step: StepView | None = None
) -> list[Widget]:
    """Return the fields as widgets; `step` brings the options to pick from and the length of the code.

    What an authenticator says is no field: nobody types it, the page's own form carries it.
    """
    return [_widget(language, field, typed, step) for field in fields if field.kind is not Kind.CREDENTIAL]


def _widget(language: str, field: Field, typed: Typed, step: StepView | None) -> Widget:
    def say(key: str) -> str:
        return catalog.text(language, key)

    is_long = field.kind is Kind.CODE and step is not None and step.facts.get("code_length", 6) != limits.CODE_DIGITS
    attributes = dict(INPUTS.get(field.kind, {}))
    if is_long:
        attributes |= {"inputmode": "text", "autocapitalize": "characters"}
    code = typed.wrong.get(field.name)
    options = tuple(Option(value, say(f"option.{value}")) for value in field.options)
    if not options and step is not None and field.kind is Kind.CHOICE:
        options = tuple(Option(option.value, label_of(language, option)) for option in step.options)
    return Widget(
        name=field.name,
        kind=field.kind.value,
        label=say(f"field.{field.name}.label"),
        hint=say(f"field.{field.name}.hint-long" if is_long else f"field.{field.name}.hint"),
        required=field.required,
        value="" if field.kind in SECRET else typed.values.get(field.name, ""),
        error=say(f"input.{code}") if code else None,
        attributes=attributes,
        options=options,
        shown=(say("page.show"), say("page.hide"), say("page.caps"))
        if field.kind in SECRET - {Kind.CODE, Kind.PERMIT}
        else None,
    )


def new_key() -> str:
    """Return a fresh idempotency key for one rendering of a form."""
    return secrets.token_urlsafe(16)


async def posted(request: Request) -> dict[str, str]:
    """Return the posted form; files and repeated names are nobody's honest answer and are left out."""
    form: FormData = await request.form(max_files=0, max_fields=FORM_FIELDS)
    return {name: value for name, value in form.items() if isinstance(value, str)}


async def posted_pictures(request: Request) -> dict[str, Any]:
    """Return a posted form with its pictures, as text like everything else. They stay in memory."""
    async with request.form(max_files=int(limits.FACE_FRAMES), max_fields=FORM_FIELDS) as form:
        files = [file for name, file in form.multi_items() if name == "pictures" and not isinstance(file, str)]
        fields: dict[str, Any] = {name: value for name, value in form.items() if isinstance(value, str)}
        pictures = [base64.b64encode(await file.read()).decode() for file in files]
    # Somebody who chose no picture hears that there are too few, not that something is wrong with the form.
    return fields | {"pictures": pictures or [""]}


def answered(form: Mapping[str, Any], house: House) -> Answered:
    """Return the answer that a form gives."""
    step = form.get("step", "")[:64]
    version = form.get("version", "")
    return Answered(
        version=int(version) if version.isdecimal() and len(version) < 7 else 0,
        step=step,
        answer=_answer(step, form, house),
        key=form.get("key", "")[: limits.KEY_CHARS] or None,
    )


def beginning(form: Mapping[str, str], journey: str, house: House) -> tuple[Answered | None, str | None]:
    """Return the first answer with which a form begins a journey, if it gives one, and the key that makes it one.

    A page has one key, and each of its buttons its own: which session is ended, say.
    """
    first = answered({"version": "1"} | dict(form), house) if form.get("step") else None
    said = f"{form.get('key', '')[: limits.KEY_CHARS]} {journey} {first.digest.hex() if first else ''}"
    key = hashlib.sha256(said.encode()).hexdigest() if form.get("key") else None
    return (msgspec.structs.replace(first, key=key) if first is not None else None), key


def _answer(step: str, form: Mapping[str, Any], house: House) -> dict[str, Any]:
    if step == "choose":
        return {"way": form.get("way", "")}
    answer: dict[str, Any] = {}
    for field in fields_of_step(step, house):
        if field.kind is Kind.YES_NO:
            answer[field.name] = form.get(field.name) == "yes"
        elif field.name in form:
            answer[field.name] = form[field.name]
    return answer


def fields_of_step(step: str, house: House) -> tuple[Field, ...]:
    """Return what a step asks for; nothing for a step that does not exist."""
    by_step: dict[str, Any] = {who.value: kind for who, kind in CLAIMS.items()}
    by_step |= {name: proof.ANSWER for name, proof in house.proofs.items()}
    by_step |= {name: act.INPUT for name, act in house.acts.items()}
    by_step["pick"] = PickAnswer
    by_step["authorize"] = Wanted
    kind = by_step.get(step)
    return fields_of(kind) if kind is not None else ()


def typed_of(form: Mapping[str, str], wrong: Mapping[str, str]) -> Typed:
    """Return what may be shown again of a form."""
    return Typed(values=dict(form), wrong=wrong)
