"""Every table says what a restore makes of it."""

import re

from foregate.store.after_restore import AFTER_A_RESTORE, Closes, Doubted, Ends, Settled, Stays, statements, unknown
from foregate.store.every_table import metadata
from foregate.store.statements import Dialect

# What a row has that gets somebody in, or counts once.
OPENS = frozenset(
    {
        "secret_digest", "token_digest", "code_digest", "visitor_digest", "browser_digest", "nonce", "challenge",
        "expires_at", "lent_until", "is_used", "used_at", "password_hash", "public_key", "template_sealed",
    }
)  # fmt: skip
# They have such a column and stay all the same; why stands in the table.
MAY_STAY = frozenset(
    {
        "appointment", "case_file", "face_picture", "network_report", "social_account", "staff_passkey", "staff_secret",
        "stop_link",
    }
)  # fmt: skip


def test_every_table_says_what_a_restore_makes_of_it() -> None:
    """A new table without a word on it would live again, and nobody would have thought of it."""
    assert set(metadata.tables) == set(AFTER_A_RESTORE)


def test_what_lets_somebody_in_does_not_stay() -> None:
    """Secrets, challenges and whatever expires end or can be thrown out, but for those that are named here."""
    opening = {name for name, table in metadata.tables.items() if OPENS & set(table.columns.keys())}
    assert MAY_STAY == {name for name in opening if isinstance(AFTER_A_RESTORE[name], Stays)}


def test_reasons_are_given() -> None:
    """Ending and staying take a reason, what may be closed says what it is for."""
    rules = AFTER_A_RESTORE.values()
    assert all(rule.why for rule in rules if isinstance(rule, Ends | Settled | Stays))
    assert all(rule.unknown for rule in rules if isinstance(rule, Closes))


def test_rules_write_their_own_table() -> None:
    """No rule touches another table than the one that it stands under."""
    for dialect in Dialect:
        for name, statement in statements(closes=True, forgets=True).items():
            sql = statement.text(dialect).sql
            assert [name] == re.findall(r"(?:DELETE FROM|UPDATE|INSERT INTO) (\w+)", sql)[:1], sql


def test_less_is_asked_less_is_done() -> None:
    """Sign-in is closed and credentials are thrown out when the bank says so; else it is told what it cannot know."""
    always, closing, all_of_it = (
        set(statements(closes=closes, forgets=forgets))
        for closes, forgets in ((False, False), (True, False), (True, True))
    )
    assert {"permission"} == closing - always
    assert {name for name, rule in AFTER_A_RESTORE.items() if isinstance(rule, Doubted)} == all_of_it - closing
    frozen, passkeys = (
        "sign-in that customers froze, or that the bank closed, since",
        "passkeys that were removed since",
    )
    assert {frozen, passkeys} <= set(unknown(closes=False, forgets=False))
    assert not {frozen, passkeys} & set(unknown(closes=True, forgets=True))
    assert "numbers that were replaced since" in unknown(closes=True, forgets=True)
