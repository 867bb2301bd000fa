"""What people type: many spellings, one meaning; and for what cannot be right, the one sentence that helps."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from datetime import date

import phonenumbers
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from foregate.rules import inputs, limits, masks
from foregate.rules.inputs import BadInput, DocumentType, InvalidFields, Kind


def refusal(normal: Callable[..., str], *typed: str) -> str | None:
    """Return the code that `typed` is refused with, or None."""
    try:
        normal(*typed)
    except BadInput as bad:
        return bad.code
    return None


# ---------------------------------------------------------------- phones

SPELLINGS = [
    "13800138000",
    "138 0013 8000",
    "138-0013-8000",
    "138.0013.8000",
    "(138)00138000",
    "（138）0013 8000",
    "+8613800138000",
    "+86 138 0013 8000",
    "+86-138-0013-8000",
    "+86 (138) 0013-8000",
    "008613800138000",
    "0086 138 0013 8000",
    "00 86 138 0013 8000",
    "8613800138000",
    "013800138000",
    "１３８００１３８０００",
    "＋８６　１３８　００１３　８０００",
    "  13800138000\n",
    "138\u200b0013\u200b8000",
    "\u202a138‐0013–8000\u202c",
    "138·0013·8000",
    "138\u00a00013\u30008000",
    "tel:13800138000",
]


@pytest.mark.parametrize("typed", SPELLINGS)
def test_one_number_has_many_spellings(typed: str) -> None:
    """Blanks, dashes, prefixes, full width, invisible characters: one number, for limits too."""
    assert "+8613800138000" == inputs.normal_phone(typed)


@pytest.mark.parametrize(
    ("typed", "code"),
    [
        ("", "empty"),
        ("  \u200b ", "empty"),
        ("1380013800", "phone-not-a-number"),
        ("138001380000", "phone-not-a-number"),
        ("12345678901", "phone-not-a-number"),
        ("hello", "phone-not-a-number"),
        ("1" * 500, "phone-not-a-number"),
        ("010 6655 1234", "phone-not-mobile"),
        ("400 820 8820", "phone-not-mobile"),
        ("+1 212 555 0100", "phone-elsewhere"),
        ("+852 5123 4567", "phone-elsewhere"),
        ("0044 7911 123456", "phone-elsewhere"),
    ],
)
def test_a_number_that_cannot_get_a_code(typed: str, code: str) -> None:
    """Landlines, foreign numbers and slips of the finger are told apart."""
    assert code == refusal(inputs.normal_phone, typed)


@given(st.from_regex(r"(\+86|0086|86|)1[0-9]{9,11}", fullmatch=True))
@example("17912345678")  # begins like a carrier's prefix
def test_the_short_way_to_a_number_is_the_librarys(typed: str) -> None:
    """What is read without the library's parser comes out as with it, accepted or refused."""
    compact = "+" + typed[2:] if typed.startswith("00") else typed
    try:
        number = phonenumbers.parse(compact, "CN")
        is_mobile = phonenumbers.number_type(number) == phonenumbers.PhoneNumberType.MOBILE
    except phonenumbers.NumberParseException:
        is_mobile = False
    if is_mobile:
        expected = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
        assert expected == inputs.normal_phone(typed)
    else:
        assert refusal(inputs.normal_phone, typed) in ("phone-not-a-number", "phone-not-mobile", "phone-elsewhere")


# ---------------------------------------------------------------- cards and PINs


@pytest.mark.parametrize(
    "typed",
    [
        "6222020000000000018",
        "6222 0200 0000 0000 018",
        "6222-0200-0000-0000-018",
        "６２２２０２０００００００００００１８",
    ],
)
def test_a_card_number_as_it_stands_on_the_card(typed: str) -> None:
    """In groups or not, full width or not."""
    assert "6222020000000000018" == inputs.normal_card(typed)


@pytest.mark.parametrize(
    ("typed", "code"),
    [
        ("", "empty"),
        ("6222020000000000019", "card-check-digit"),
        ("6222020000000000081", "card-check-digit"),
        ("62220200000", "card-not-a-number"),
        ("622202000000000001830", "card-not-a-number"),
        ("622202000000000001X", "card-not-a-number"),
        ("٦٢٢٢٠٢٠٠٠٠٠٠٠٠٠٠٠١٨", "card-not-a-number"),
    ],
)
def test_a_card_number_that_cannot_be(typed: str, code: str) -> None:
    """A swapped or wrong digit is told from too few or too many; digits of other scripts are none of a card's."""
    assert code == refusal(inputs.normal_card, typed)


@pytest.mark.parametrize(("length", "is_right"), [(11, False), (12, True), (19, True), (20, False)])
def test_a_card_number_has_12_to_19_digits(length: int, is_right: bool) -> None:
    """ISO/IEC 7812, at both ends."""
    assert is_right == (refusal(inputs.normal_card, "0" * length) is None)


@pytest.mark.parametrize(
    ("typed", "code"), [("274913", None), (" 274 913 ", None), ("２７４９１３", None), ("27491", "pin-shape"),
                        ("2749133", "pin-shape"), ("27491a", "pin-shape"), ("", "empty")]
)  # fmt: skip
def test_a_card_pin_has_six_digits(typed: str, code: str | None) -> None:
    """No fewer, no more."""
    assert code == refusal(inputs.normal_pin, typed)


# ---------------------------------------------------------------- names


@pytest.mark.parametrize(
    ("typed", "normal"),
    [
        ("李小明", "李小明"),
        (" 李 小 明 ", "李小明"),
        ("李\u3000小明", "李小明"),
        ("阿卜杜拉·买买提", "阿卜杜拉·买买提"),
        ("阿卜杜拉•买买提", "阿卜杜拉·买买提"),
        ("阿卜杜拉・买买提", "阿卜杜拉·买买提"),
        ("阿卜杜拉‧买买提", "阿卜杜拉·买买提"),
        ("阿卜杜拉.买买提", "阿卜杜拉·买买提"),
        ("阿卜杜拉．买买提", "阿卜杜拉·买买提"),
        ("阿卜杜拉 · 买买提", "阿卜杜拉·买买提"),
        ("𠮷田㛃", "𠮷田㛃"),
        ("王𬱖", "王𬱖"),
        ("anna maria o'neill", "ANNA MARIA O'NEILL"),
        ("  Jean-Luc   PICARD ", "JEAN-LUC PICARD"),
        ("ＪＯＨＮ　ＳＭＩＴＨ", "JOHN SMITH"),
        ("Müller", "MÜLLER"),
        ("Mu\u0308ller", "MÜLLER"),
        ("Nguyễn Thị Minh", "NGUYỄN THỊ MINH"),
    ],
)
def test_names_are_compared_in_one_form(typed: str, normal: str) -> None:
    """Dots are one dot, layout is no letter, Latin names keep their words; rare characters stay as they are."""
    assert normal == inputs.normal_name(typed)


@pytest.mark.parametrize(
    ("typed", "code"),
    [
        ("", "empty"),
        (" \u200b", "empty"),
        ("李" * 60, None),
        ("李" * 61, "name-too-long"),
        ("R2D2", "name-characters"),
        ("李<b>", "name-characters"),
        ("李😀", "name-characters"),
    ],
)
def test_what_is_no_name(typed: str, code: str | None) -> None:
    """Digits, signs and pictures stand in no identity document; nor do more than sixty characters."""
    assert code == refusal(inputs.normal_name, typed)


def test_different_rare_characters_are_different_names() -> None:
    """What stands outside the basic plane is compared, not dropped."""
    assert inputs.normal_name("王𬱖") != inputs.normal_name("王𬱗")


# ---------------------------------------------------------------- documents


@pytest.mark.parametrize(
    ("kind", "typed", "normal"),
    [
        (DocumentType.RESIDENT_ID, "11010519491231002X", "11010519491231002X"),
        (DocumentType.RESIDENT_ID, "11010519491231002x", "11010519491231002X"),
        (DocumentType.RESIDENT_ID, "110105 19491231 002ｘ", "11010519491231002X"),
        (DocumentType.RESIDENT_ID, "440308199901101512", "440308199901101512"),
        (DocumentType.RESIDENT_ID, "４４０３０８１９９９０１１０１５１２", "440308199901101512"),
        (DocumentType.TEMP_RESIDENT_ID, "440308199901101512", "440308199901101512"),
        (DocumentType.RESIDENCE_PERMIT_HKMO, "810000199408230021", "810000199408230021"),
        (DocumentType.RESIDENCE_PERMIT_TW, "830000199201300022", "830000199201300022"),
        (DocumentType.FOREIGN_PR_ID, "fra110077081015", "FRA110077081015"),
        (DocumentType.MAINLAND_PERMIT_HKMO, "h01234567", "H01234567"),
        (DocumentType.MAINLAND_PERMIT_HKMO, "M0123456701", "M0123456701"),
        (DocumentType.MAINLAND_PERMIT_TW, "0123 4567", "01234567"),
        (DocumentType.PASSPORT_CN, "e12345678", "E12345678"),
        (DocumentType.PASSPORT_FOREIGN, "x-1234567", "X1234567"),
    ],
)
def test_document_numbers_as_they_stand(kind: str, typed: str, normal: str) -> None:
    """The vectors of GB 11643, with x and X, and one of every other document."""
    assert normal == inputs.normal_document(kind, typed)


@pytest.mark.parametrize(
    ("kind", "typed", "code"),
    [
        (DocumentType.RESIDENT_ID, "", "empty"),
        (DocumentType.RESIDENT_ID, "440308199901101513", "document-check-digit"),
        (DocumentType.RESIDENT_ID, "110105194912310020", "document-check-digit"),
        (DocumentType.RESIDENT_ID, "440308199902301510", "document-check-digit"),
        (DocumentType.RESIDENT_ID, "44030819990110151", "document-number"),
        (DocumentType.RESIDENT_ID, "4403081999011015122", "document-number"),
        (DocumentType.RESIDENT_ID, "X40308199901101512", "document-number"),
        (DocumentType.RESIDENT_ID, "440308990110151", "document-number"),
        (DocumentType.FOREIGN_PR_ID, "FR1100770810150", "document-number"),
        (DocumentType.MAINLAND_PERMIT_HKMO, "A01234567", "document-number"),
        (DocumentType.MAINLAND_PERMIT_TW, "012345678", "document-number"),
        (DocumentType.PASSPORT_CN, "E123", "document-number"),
        (DocumentType.PASSPORT_FOREIGN, "护照12345", "document-number"),
        ("", "440308199901101512", "document-type"),
        ("DRIVING_LICENCE", "440308199901101512", "document-type"),
    ],
)
def test_document_numbers_that_cannot_be(kind: str, typed: str, code: str) -> None:
    """A wrong check digit or an impossible birthday is told from a number of another shape."""
    assert code == refusal(inputs.normal_document, kind, typed)


@pytest.mark.parametrize("last", "0123456789X")
def test_one_check_digit_in_eleven_is_right(last: str) -> None:
    """Of all last characters of a resident number one alone is taken."""
    assert ("X" == last) == (refusal(inputs.normal_document, "RESIDENT_ID", "11010519491231002" + last) is None)


@pytest.mark.parametrize(
    ("typed", "code"), [("resident_id ", None), ("PASSPORT", "document-type"), ("", "document-type")]
)
def test_document_types(typed: str, code: str | None) -> None:
    """One of those listed, in capitals or not."""
    assert code == refusal(inputs.normal_document_type, typed)


# ---------------------------------------------------------------- codes


@pytest.mark.parametrize(
    ("typed", "normal"),
    [
        ("123456", "123456"),
        (" 123 456 ", "123456"),
        ("123-456", "123456"),
        ("１２３４５６", "123456"),
        ("1 2 3 4 5 6\n", "123456"),
        ("\u200e123456\u200e", "123456"),
        ("000000", "000000"),
        ("0ABCDEFGHJKMN", "0ABCDEFGHJKMN"),
        ("0abc defg hjkmn", "0ABCDEFGHJKMN"),
        ("0ABC-DEFG-HJKMN", "0ABCDEFGHJKMN"),
        ("oABCDEFGHJKMN", "0ABCDEFGHJKMN"),
        ("OABCDEFGHIKML", "0ABCDEFGH1KM1"),
        ("oabcdefghikml", "0ABCDEFGH1KM1"),
    ],
)
def test_codes_are_pasted_in_many_ways(typed: str, normal: str) -> None:
    """Blanks, dashes, full width; in the long form O, I and l are what they look like."""
    assert normal == inputs.normal_code(typed)


@pytest.mark.parametrize(
    ("typed", "code"),
    [("", "empty"), ("12345", "code-shape"), ("1234567", "code-shape"), ("12345O", "code-shape"),
     ("0ABCDEFGHJKM", "code-shape"), ("0ABCDEFGHJKMNP", "code-shape"), ("0ABCDEFGHJKM!", "code-shape"),
     ("验证码是六位数", "code-shape")],
)  # fmt: skip
def test_what_is_no_code(typed: str, code: str) -> None:
    """One too few, one too many, or other signs: said before a try is spent."""
    assert code == refusal(inputs.normal_code, typed)


# ---------------------------------------------------------------- user names and passwords


@pytest.mark.parametrize(
    ("typed", "normal"),
    [
        ("LiXiaoMing", "lixiaoming"),
        ("ＬｉＸｉａｏＭｉｎｇ", "lixiaoming"),
        ("  li.xiao_ming-8 ", "li.xiao_ming-8"),
        ("李小明九九", "李小明九九"),
        ("STRASSE", "strasse"),
        ("Straße", "strasse"),
    ],
)
def test_user_names_have_one_spelling(typed: str, normal: str) -> None:
    """Whoever types it in capitals or full width means the same name."""
    assert normal == inputs.normal_user_name(typed)


@pytest.mark.parametrize(
    ("typed", "code"),
    [
        ("", "empty"),
        ("abc", "user-name-length"),
        ("abcd", None),
        ("a" * 32, None),
        ("a" * 33, "user-name-length"),
        ("li xiaoming", "user-name-characters"),
        ("li@bank.example", "user-name-characters"),
        ("<script>", "user-name-characters"),
        ("pаypal", "user-name-scripts"),  # a Cyrillic а
        ("li小明明", "user-name-scripts"),
        ("13800138000", "user-name-number"),
        ("a13800138", None),
        ("a138001380", "user-name-number"),
        ("12345678", "user-name-number"),
        ("....", "user-name-number"),
    ],
)
def test_user_names_that_mislead(typed: str, code: str | None) -> None:
    """None that looks like another's, or like a phone or card number; the lengths at n and n + 1."""
    assert code == refusal(inputs.normal_user_name, typed)


@pytest.mark.parametrize("typed", ["li xiaoming", "x", "a" * 200, "13800138000"])
def test_a_claimed_name_that_could_never_exist_is_simply_unknown(typed: str) -> None:
    """At sign-in nobody is taught which names may be; such a claim matches no name that could be chosen."""
    claimed = inputs.claimed_user_name(typed)
    assert refusal(inputs.normal_user_name, claimed)


@pytest.mark.parametrize(
    ("typed", "code"), [("", "empty"), (" ", None), ("p" * limits.PASSWORD_MAX, None),
                        ("p" * (limits.PASSWORD_MAX + 1), "password-too-long")]
)  # fmt: skip
def test_a_typed_password_is_bounded(typed: str, code: str | None) -> None:
    """At n characters it is taken, at n + 1 refused; blanks are characters."""
    assert code == refusal(inputs.typed_password, typed)


def test_a_typed_password_keeps_what_was_typed() -> None:
    """Blanks at its ends, capitals and full width stay; only composition is made one."""
    assert " Ｐässword " == inputs.typed_password(" Ｐa\u0308ssword ")


# ---------------------------------------------------------------- whole answers


class Everything(inputs.Answer, frozen=True):
    phone: inputs.Phone
    code: inputs.Code
    document_type: inputs.DocumentKind
    document_number: inputs.DocumentNumber
    remember: inputs.YesNo = False


def test_an_answer_is_normalised_whole() -> None:
    """Every field by its kind; a document by the type beside it."""
    answer = Everything("138 0013 8000", "１２３ ４５６", "resident_id", "11010519491231002x", True)
    assert Everything("+8613800138000", "123456", "RESIDENT_ID", "11010519491231002X", True) == inputs.normalise(answer)


def test_all_that_is_wrong_is_told_at_once() -> None:
    """Nobody corrects a form one field at a time."""
    with pytest.raises(InvalidFields) as caught:
        inputs.normalise(Everything("", "12", "PASSPORT_CN", "护照"))
    assert {"phone": "empty", "code": "code-shape", "document_number": "document-number"} == caught.value.fields


def test_fields_say_what_they_hold() -> None:
    """Names, kinds, whether required, and what there is to choose."""
    fields = {field.name: field for field in inputs.fields_of(Everything)}
    assert [Kind.PHONE, Kind.CODE, Kind.DOCUMENT_TYPE, Kind.DOCUMENT_NUMBER, Kind.YES_NO] == [
        field.kind for field in fields.values()
    ]
    assert ["remember"] == [field.name for field in fields.values() if not field.required]
    assert tuple(DocumentType) == fields["document_type"].options


def test_every_kind_of_text_has_a_normal_form() -> None:
    """A new kind cannot be forgotten; a document number needs its type, ticks and pictures are no text."""
    assert set(Kind) - {Kind.DOCUMENT_NUMBER, Kind.YES_NO, Kind.PICTURES} == set(inputs.NORMAL)


@pytest.mark.parametrize(
    ("on", "age"), [(date(2027, 1, 9), 15), (date(2027, 1, 10), 16), (date(2028, 1, 9), 16), (date(2011, 1, 10), 0)]
)
def test_age_turns_on_the_birthday(on: date, age: int) -> None:
    """The day before is a year less."""
    assert age == inputs.age_on(on, date(2011, 1, 10))


def test_who_was_born_on_a_leap_day() -> None:
    """Turns a year older on the first of March."""
    assert [15, 16] == [inputs.age_on(day, date(2008, 2, 29)) for day in (date(2024, 2, 28), date(2024, 3, 1))]


# ---------------------------------------------------------------- masks


@pytest.mark.parametrize(
    ("mask", "value", "masked"),
    [
        (masks.mask_phone, "+8613812345678", "138****5678"),
        (masks.mask_card, "6222020000000000018", "•••• 0018"),
        (masks.mask_name, "张三", "*三"),
        (masks.mask_name, "欧阳小明", "***明"),
        (masks.mask_name, "张", "*张"),
        (masks.mask_name, "ANNA MARIA", "A*** M***"),
        (masks.mask_document, "11010519491231002X", "1******X"),
    ],
)
def test_masks(mask: Callable[[str], str], value: str, masked: str) -> None:
    """What stays is enough to know one's own by."""
    assert masked == mask(value)


# ---------------------------------------------------------------- whatever is typed

# A claimed user name that could never exist is marked as such, so it is no normal form.
NORMALS: dict[str, Callable[[str], str]] = {
    **{kind.value: normal for kind, normal in inputs.NORMAL.items() if kind is not Kind.USER_NAME},
    **{kind.value: lambda text, kind=kind: inputs.normal_document(kind, text) for kind in DocumentType},  # type: ignore[misc]  # the default binds the loop's value
}
NEAR_RIGHT = st.one_of(
    st.from_regex(r"[+0-9０-９ \-x.()·OIl]{0,24}", fullmatch=True),
    st.text(alphabet="LiXiaoMing李小明·•.'- \u0308\u0301\u200bßŉΐ", max_size=70),
    st.text(max_size=600),
)


def normal_or_reason(normal: Callable[[str], str], text: str) -> str | None:
    try:
        return normal(text)
    except BadInput:
        return None


@pytest.mark.parametrize("name", NORMALS)
@settings(deadline=None, max_examples=150)
@given(text=NEAR_RIGHT)
@example(text="\ud800\udfff")
@example(text="\x00" * 9)
def test_whatever_is_typed_has_a_normal_form_or_a_reason(name: str, text: str) -> None:
    """Nothing but BadInput is ever raised, and what is normal already stays as it is."""
    once = normal_or_reason(NORMALS[name], text)
    # COMPOSED, below, holds the characters that composition still changes a second time.
    if once is not None and unicodedata.is_normalized("NFC", once):
        assert once == NORMALS[name](once)


COMPOSED = [
    (inputs.plain, "e\u200b\u0301"),  # an invisible character between a letter and its accent
    (inputs.normal_name, "ANNA E\u200b\u0301VA"),
    (inputs.normal_name, "ΐΐ"),  # three characters each, in capitals
]


@pytest.mark.parametrize(("normal", "typed"), COMPOSED)
def test_a_normal_form_is_composed(normal: Callable[[str], str], typed: str) -> None:
    """Whatever was dropped or written in capitals on the way, the outcome is in NFC and stays as it is."""
    once = normal(typed)
    assert unicodedata.is_normalized("NFC", once)
    assert once == normal(once)


@settings(deadline=None)
@given(number=st.integers(0, 10**8 - 1), blanks=st.lists(st.sampled_from(" -.·\u200b\u3000"), min_size=11, max_size=11))
def test_separators_never_make_another_number(number: int, blanks: list[str]) -> None:
    """Wherever blanks and dashes stand, limits count one number."""
    plain = f"138{number:08d}"
    typed = "".join(digit + blank for digit, blank in zip(plain, blanks, strict=True))
    assert inputs.normal_phone(plain) == inputs.normal_phone(typed)


@given(text=st.text(max_size=80))
def test_a_masked_name_tells_at_most_one_character_of_a_word(text: str) -> None:
    """Whatever the name, its middle does not stand in the mask."""
    try:
        name = inputs.normal_name(text)
    except BadInput:
        return
    masked = masks.mask_name(name)
    assert all(part.count("*") >= len(part) - 1 for part in masked.split(" "))
    assert unicodedata.is_normalized("NFC", masked) or not unicodedata.is_normalized("NFC", name)
