"""Tokens of sessions and devices: what travels in the cookie, and what opens."""

from __future__ import annotations

import base64
import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from foregate.ids import new_id
from foregate.tokens import Token, parse

CUSTOMER, SESSION = "01890a5d-ac96-874b-bcce-b302099a8057", "01890a5d-ac97-7000-8000-0123456789ab"
TOKEN = Token(CUSTOMER, SESSION, b"s" * 32)


@given(st.uuids(), st.uuids(), st.binary(min_size=32, max_size=32))
def test_a_token_travels_whole(customer: object, session: object, secret: bytes) -> None:
    """What is written into a cookie is read out of it, in letters that a cookie may hold."""
    token = Token(str(customer), str(session), secret)
    text = token.text()
    assert token == parse(text)
    assert (86, True) == (
        len(text),
        set(text) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"),
    )


@given(st.one_of(st.text(max_size=120), st.text(alphabet="AZaz09-_=+/é\n ", min_size=86, max_size=86)))
def test_nothing_else_is_a_token_and_nothing_falls_over_it(text: str) -> None:
    """Anything that a stranger puts into the cookie is a token of the right shape, or none at all."""
    token = parse(text)
    assert token is None or 32 == len(token.secret)


@pytest.mark.parametrize(
    "text",
    [
        None,
        "",
        TOKEN.text()[:-1],
        TOKEN.text() + "A",
        TOKEN.text() + "==",
        TOKEN.text()[:-1] + "é",
        TOKEN.text()[:-1] + "=",
        " " + TOKEN.text()[1:],
        base64.urlsafe_b64encode(b"x" * 63).decode(),
    ],
)
def test_what_is_no_token(text: str | None) -> None:
    """Too short, too long, of other letters: none."""
    assert parse(text) is None


def test_the_secret_alone_opens() -> None:
    """One bit more or less does not, and the digest itself is no key."""
    digest = hashlib.sha256(b"s" * 32).digest()
    assert TOKEN.opens(digest)
    assert not Token(CUSTOMER, SESSION, b"s" * 31 + b"r").opens(digest)
    assert not Token(CUSTOMER, SESSION, digest).opens(digest)
    assert not TOKEN.opens(b"")
    assert not TOKEN.opens(digest[:-1])


def test_what_is_kept_does_not_hold_the_secret() -> None:
    """A stolen database opens no session: SHA-256 of 256 random bits."""
    assert (32, False) == (len(TOKEN.digest), b"s" * 8 in TOKEN.digest)


def test_ids_are_read_as_they_were_written() -> None:
    """The customer's and the session's id come back in their usual text form."""
    session = new_id()
    token = parse(Token(CUSTOMER, session, b"s" * 32).text())
    assert token is not None
    assert (CUSTOMER, session) == (token.customer_id, token.id)
