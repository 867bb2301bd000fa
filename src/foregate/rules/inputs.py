"""What people type, and what it means: normal forms, and the one sentence that is wrong with it otherwise.

People paste codes with blanks, write their number with +86, type on full-width keyboards, and their names carry
middle dots and rare characters. Everything is brought to one normal form first and judged after (CWE-180); two
spellings of one thing are one thing, for limits and comparisons too.

Raises BadInput with a stable code; the doors say it in the visitor's language.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping
from datetime import date
from enum import StrEnum
from functools import cache
from typing import Annotated, Any, Final, TypeVar, get_type_hints

import msgspec
from stdnum import luhn

from foregate.rules import booking_inputs, document_inputs, limits
from foregate.rules.document_inputs import DocumentType as DocumentType
from foregate.rules.document_inputs import normal_document as normal_document
from foregate.rules.document_inputs import normal_document_type as normal_document_type
from foregate.rules.phones import normal_phone as normal_phone
from foregate.rules.services import SERVICES
from foregate.rules.social import Attribute, Provider, Surface, inert
from foregate.rules.spelling import BadInput as BadInput
from foregate.rules.spelling import normal_name as normal_name
from foregate.rules.spelling import plain as plain
from foregate.rules.spelling import without_separators


class Kind(StrEnum):
    """What a field holds: decides keyboard, autofill, masking and normal form."""

    PHONE = "phone"
    CARD = "card"
    USER_NAME = "user-name"
    NEW_USER_NAME = "new-user-name"
    NAME = "name"
    DOCUMENT_TYPE = "document-type"
    DOCUMENT_NUMBER = "document-number"
    DAY = "day"
    CODE = "code"
    PASSWORD = "password"
    NEW_PASSWORD = "new-password"
    PIN = "pin"
    CHOICE = "choice"
    SURNAME = "surname"
    OUTLET = "outlet"
    SERVICE = "service"
    MOMENT = "moment"
    PEOPLE = "people"
    CASE = "case-number"
    YES_NO = "yes-no"
    PERMIT = "permit"
    LINK = "link"
    PICTURES = "pictures"
    CREDENTIAL = "credential"
    LABEL = "label"
    PROVIDER_CODE = "provider-code"
    PROVIDER_STATE = "provider-state"
    PROVIDER = "provider"
    SURFACE = "surface"
    ATTRIBUTE = "attribute"
    OWN_WORD = "own-word"


def _typed(kind: Kind, longest: int = int(limits.FIELD_CHARS)) -> msgspec.Meta:
    return msgspec.Meta(max_length=longest, extra={"kind": kind}, extra_json_schema={"x-kind": kind.value})


# Answers are Structs of these; `normalise` brings each to its normal form.
Phone = Annotated[str, _typed(Kind.PHONE)]
Card = Annotated[str, _typed(Kind.CARD)]
UserName = Annotated[str, _typed(Kind.USER_NAME)]
NewUserName = Annotated[str, _typed(Kind.NEW_USER_NAME)]
Name = Annotated[str, _typed(Kind.NAME)]
DocumentKind = Annotated[str, _typed(Kind.DOCUMENT_TYPE)]
DocumentNumber = Annotated[str, _typed(Kind.DOCUMENT_NUMBER)]
Day = Annotated[str, _typed(Kind.DAY)]
Code = Annotated[str, _typed(Kind.CODE)]
Permit = Annotated[str, _typed(Kind.PERMIT)]
Link = Annotated[str, _typed(Kind.LINK)]
Credential = Annotated[str, _typed(Kind.CREDENTIAL, int(limits.CREDENTIAL_CHARS))]
Label = Annotated[str, _typed(Kind.LABEL)]
Password = Annotated[str, _typed(Kind.PASSWORD)]
NewPassword = Annotated[str, _typed(Kind.NEW_PASSWORD)]
Pin = Annotated[str, _typed(Kind.PIN)]
Choice = Annotated[str, _typed(Kind.CHOICE)]
Surname = Annotated[str, _typed(Kind.SURNAME)]
OutletId = Annotated[str, _typed(Kind.OUTLET)]
ServiceCode = Annotated[str, _typed(Kind.SERVICE)]
Moment = Annotated[str, _typed(Kind.MOMENT)]
People = Annotated[str, _typed(Kind.PEOPLE)]
CaseNumber = Annotated[str, _typed(Kind.CASE)]
# Base64 of JPEG, PNG or WebP. How many bytes they are is judged where they are decoded.
Pictures = Annotated[
    tuple[str, ...],
    msgspec.Meta(
        min_length=1,
        max_length=int(limits.FACE_FRAMES),
        extra={"kind": Kind.PICTURES},
        extra_json_schema={"x-kind": "pictures"},
    ),
]
ProviderCode = Annotated[str, _typed(Kind.PROVIDER_CODE, int(limits.SOCIAL_CODE_CHARS))]
ProviderState = Annotated[str, _typed(Kind.PROVIDER_STATE, int(limits.SOCIAL_CODE_CHARS))]
ProviderWord = Annotated[str, _typed(Kind.PROVIDER)]
SurfaceWord = Annotated[str, _typed(Kind.SURFACE)]
AttributeWord = Annotated[str, _typed(Kind.ATTRIBUTE)]
OwnWord = Annotated[str, _typed(Kind.OWN_WORD)]
YesNo = Annotated[bool, msgspec.Meta(extra={"kind": Kind.YES_NO}, extra_json_schema={"x-kind": "yes-no"})]


class Answer(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Base of everything that a visitor may send: typed, closed, nothing coerced."""


class Field(msgspec.Struct, frozen=True, omit_defaults=True):
    """One thing to type or tick. Labels are the doors' business; `name` is stable."""

    name: str
    kind: Kind
    required: bool = True
    options: tuple[str, ...] = ()


@cache
def fields_of(answer: type[Answer]) -> tuple[Field, ...]:
    """Return what a form for `answer` has to ask."""
    hints = get_type_hints(answer, include_extras=True)
    required = len(answer.__struct_fields__) - len(answer.__struct_defaults__)
    return tuple(
        Field(name, _kind(hints[name]), required=place < required, options=_options(_kind(hints[name])))
        for place, name in enumerate(answer.__struct_fields__)
    )


def _kind(hint: Any) -> Kind:
    return next(Kind(meta.extra["kind"]) for meta in hint.__metadata__ if meta.extra)


def _options(kind: Kind) -> tuple[str, ...]:
    return OPTIONS.get(kind, ())


OPTIONS: Final[Mapping[Kind, tuple[str, ...]]] = {
    Kind.DOCUMENT_TYPE: tuple(DocumentType),
    Kind.SERVICE: tuple(SERVICES),
    Kind.PEOPLE: booking_inputs.PEOPLE,
    Kind.PROVIDER: tuple(Provider),
    Kind.ATTRIBUTE: tuple(Attribute),
}


class InvalidFields(ValueError):
    """Some fields cannot be right: name to code, see BadInput."""

    def __init__(self, fields: Mapping[str, str]) -> None:
        super().__init__(", ".join(f"{name}: {code}" for name, code in fields.items()))
        self.fields = dict(fields)


AnAnswer = TypeVar("AnAnswer", bound=Answer)


def normalise(answer: AnAnswer) -> AnAnswer:
    """Return `answer` with every field in its normal form. Raises InvalidFields with all that is wrong at once."""
    normal: dict[str, str] = {}
    wrong: dict[str, str] = {}
    for field in fields_of(type(answer)):
        value = getattr(answer, field.name)
        if not isinstance(value, str):
            continue
        try:
            normal[field.name] = (
                _normal_document_of(answer, value) if field.kind is Kind.DOCUMENT_NUMBER else NORMAL[field.kind](value)
            )
        except BadInput as bad:
            wrong[field.name] = bad.code
    if wrong:
        raise InvalidFields(wrong)
    return msgspec.structs.replace(answer, **normal)


def _normal_document_of(answer: Answer, number: str) -> str:
    return normal_document(plain(getattr(answer, "document_type", "")).upper(), number)


def normal_card(text: str) -> str:
    """Return a card number as 12 to 19 digits with a right check digit (ISO/IEC 7812)."""
    digits = without_separators(text)
    if not digits:
        raise BadInput("empty")
    if not re.fullmatch(r"[0-9]{12,19}", digits):
        raise BadInput("card-not-a-number")
    if not luhn.is_valid(digits):
        raise BadInput("card-check-digit")
    return digits


_LONG_CODE_LETTERS: Final = str.maketrans({"O": "0", "I": "1", "L": "1", "U": "V"})


def normal_code(text: str) -> str:
    """Return a code: digits, or the long form's base32 (Crockford) in capitals; blanks and dashes are dropped."""
    code = without_separators(text).upper()
    if not code:
        raise BadInput("empty")
    if re.fullmatch(rf"[0-9]{{{limits.CODE_DIGITS:d}}}", code):
        return code
    code = code.translate(_LONG_CODE_LETTERS)
    if re.fullmatch(rf"[0-9A-HJKMNP-TV-Z]{{{limits.LONG_CODE_SYMBOLS:d}}}", code):
        return code
    raise BadInput("code-shape")


def _symbols(text: str, length: int, code: str) -> str:
    symbols = without_separators(text).upper().translate(_LONG_CODE_LETTERS)
    if not symbols:
        raise BadInput("empty")
    if not re.fullmatch(rf"[0-9A-HJKMNP-TV-Z]{{{length:d}}}", symbols):
        raise BadInput(code)
    return symbols


def normal_permit(text: str) -> str:
    """Return the symbols of a permit in capitals; groups, blanks and look-alikes are forgiven."""
    return _symbols(text, limits.LONG_CODE_SYMBOLS, "permit-shape")


def normal_link(text: str) -> str:
    """Return what a link in a notice ends in."""
    return _symbols(text, limits.STOP_LINK_SYMBOLS, "link-shape")


def normal_pin(text: str) -> str:
    """Return a card PIN of six digits."""
    pin = without_separators(text)
    if not pin:
        raise BadInput("empty")
    if not re.fullmatch(r"[0-9]{6}", pin):
        raise BadInput("pin-shape")
    return pin


def normal_user_name(text: str) -> str:
    """Return a user name in its one spelling: NFKC, casefolded. One script, no look-alike of a number."""
    name = unicodedata.normalize("NFKC", plain(text).casefold())
    if not name:
        raise BadInput("empty")
    if not limits.USER_NAME_MIN <= len(name) <= limits.USER_NAME_MAX:
        raise BadInput("user-name-length")
    if not all(c.isalnum() or c in "_-." for c in name):
        raise BadInput("user-name-characters")
    if len(_scripts(name)) > 1:
        raise BadInput("user-name-scripts")
    if sum(c.isdigit() for c in name) > 8 or not any(c.isalpha() for c in name):
        raise BadInput("user-name-number")
    return name


def claimed_user_name(text: str) -> str:
    """Return what somebody typed as their user name; a name that could never exist is simply unknown."""
    try:
        return normal_user_name(text)
    except BadInput as bad:
        if bad.code == "empty":
            raise
        return "\N{REPLACEMENT CHARACTER}" + plain(text).casefold()[: limits.USER_NAME_MAX]


def _scripts(name: str) -> set[str]:
    """Return the scripts of the letters, by the first word of their Unicode names."""
    scripts = {unicodedata.name(c, "UNKNOWN").split()[0] for c in name if c.isalpha()}
    return {"CJK" if s in {"CJK", "HIRAGANA", "KATAKANA"} else s for s in scripts}


def typed_password(text: str) -> str:
    """Return a password for comparison, in NFC as people's keyboards make it; nothing else is touched."""
    if not text:
        raise BadInput("empty")
    password = unicodedata.normalize("NFC", text)
    if len(password) > limits.PASSWORD_MAX:
        raise BadInput("password-too-long")
    return password


def age_on(day: date, birth_date: date) -> int:
    """Return the age in whole years on `day`."""
    return day.year - birth_date.year - ((day.month, day.day) < (birth_date.month, birth_date.day))


def _one_of(words: tuple[str, ...], *, may_be_empty: bool = False) -> Callable[[str], str]:
    def normal(text: str) -> str:
        word = _choice(text) if text or not may_be_empty else ""
        if word and word not in words:
            raise BadInput("not-offered")
        return word

    return normal


def _symbols_of_theirs(text: str) -> str:
    """Return a code or a state as the provider gave it: opaque, visible, and of one word."""
    if not text:
        raise BadInput("empty")
    if not text.isascii() or not text.isprintable() or " " in text:
        raise BadInput("shape")
    return text


def _own_word(text: str) -> str:
    word = inert(text)
    if not word:
        raise BadInput("empty")
    return word


def _choice(text: str) -> str:
    choice = plain(text)
    if not choice:
        raise BadInput("empty")
    return choice


def _credential(text: str) -> str:
    """Return what an authenticator said, as JSON. Nobody types it, so there is nothing to bring into shape."""
    if not text.strip():
        raise BadInput("empty")
    return text


def normal_label(text: str) -> str:
    """Return what somebody calls a thing of theirs: one line; empty, and it is called by what it is."""
    label = re.sub(r"\s+", " ", plain(text))
    if len(label) > limits.PASSKEY_NAME_CHARS:
        raise BadInput("label-too-long")
    return label


NORMAL: Final[Mapping[Kind, Callable[[str], str]]] = {
    Kind.PHONE: normal_phone,
    Kind.CARD: normal_card,
    Kind.USER_NAME: claimed_user_name,
    Kind.NEW_USER_NAME: normal_user_name,
    Kind.NAME: normal_name,
    Kind.DOCUMENT_TYPE: normal_document_type,
    Kind.DAY: document_inputs.normal_day,
    Kind.CODE: normal_code,
    Kind.PASSWORD: typed_password,
    Kind.NEW_PASSWORD: typed_password,
    Kind.PIN: normal_pin,
    Kind.CHOICE: _choice,
    Kind.PERMIT: normal_permit,
    Kind.LINK: normal_link,
    Kind.CREDENTIAL: _credential,
    Kind.LABEL: normal_label,
    Kind.SURNAME: booking_inputs.normal_surname,
    Kind.OUTLET: booking_inputs.normal_outlet,
    Kind.SERVICE: booking_inputs.normal_service,
    Kind.MOMENT: booking_inputs.normal_moment,
    Kind.PEOPLE: booking_inputs.normal_people,
    Kind.CASE: booking_inputs.normal_case,
    Kind.PROVIDER_CODE: _symbols_of_theirs,
    Kind.PROVIDER_STATE: _symbols_of_theirs,
    Kind.PROVIDER: _one_of(tuple(Provider)),
    Kind.SURFACE: _one_of(tuple(Surface), may_be_empty=True),
    Kind.ATTRIBUTE: _one_of(tuple(Attribute)),
    Kind.OWN_WORD: _own_word,
}
