"""What a restore makes of each table. A backup remembers what has ended since: codes that were used, sessions that were
signed out, devices that were forgotten. Restored as it is, all of that would live again.

Rules
  1. Every table stands in AFTER_A_RESTORE; a test fails for one that does not.
  2. What gets somebody in, or does something once, ends: nobody can tell which of it was used or ended since.
  3. Two things may be closed on top, when the bank cannot answer for the gap: sign-in, and what customers sign in with.
  4. What stays says why, and what of it nobody can know. `foregate restored` prints the latter.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import msgspec
from sqlalchemy import ColumnElement, delete, null, select, update
from sqlalchemy.dialects.postgresql import insert

from foregate.store import face_tables, passkey_tables, tables
from foregate.store.counter import tables as counter_tables
from foregate.store.every_table import metadata
from foregate.store.statements import Statement, number, time_of, word


class Ends(msgspec.Struct, frozen=True):
    """Its rows go, all or those of `which`, for this reason."""

    why: str
    which: ColumnElement[bool] | None = None


class Settled(msgspec.Struct, frozen=True):
    """`how` ends what is open in it, given `now`, and leaves the rest to be read."""

    why: str
    how: Statement


class Closes(msgspec.Struct, frozen=True):
    """`how` closes it for everybody, given `now`, when the bank asks for that; `unknown` is what may be open again."""

    unknown: str
    how: Statement


class Doubted(msgspec.Struct, frozen=True):
    """`how` throws out what customers sign in with, when the bank asks for that; `unknown` is what may be back."""

    unknown: str
    how: Statement


class Stays(msgspec.Struct, frozen=True):
    """Its rows stay, for this reason. `unknown`: what may be different since, and nobody here can tell."""

    why: str
    unknown: str = ""


Rule = Ends | Settled | Closes | Doubted | Stays

_now: Final = time_of("now")
_permission = tables.permission.c
_closing = insert(tables.permission).from_select(
    ["customer_id", "lane", "state", "changed_at"],
    # WHERE, because SQLite would take ON CONFLICT for the ON of a join.
    select(tables.customer.c.customer_id, word("all"), word("closed-by-customer"), _now).where(number(1) == number(1)),
)
_CLOSE_EVERYBODY: Final = Statement(
    _closing.on_conflict_do_update(
        index_elements=[_permission.customer_id, _permission.lane],
        set_={"state": _closing.excluded.state, "changed_at": _closing.excluded.changed_at},
        where=_permission.state != word("closed-by-bank"),
    )
)
_proposal = counter_tables.proposal
_SETTLE_PROPOSALS: Final = Statement(
    update(_proposal)
    .where(_proposal.c.state.in_((word("proposed"), word("consented"))))
    .values(state=word("expired"), ended_at=_now)
)
_FORGET_PASSWORDS: Final = Statement(
    update(tables.customer).where(tables.customer.c.password_hash.is_not(null())).values(password_hash=null())
)
_FORGET_PASSKEY_NAMES: Final = Statement(delete(tables.login_name).where(tables.login_name.c.kind == word("passkey")))

_FILE: Final = "the bank's own data: import the newest file again"
_RECORD: Final = "the record: nobody shortens a chain; the restore itself is written into it"

AFTER_A_RESTORE: Final[Mapping[str, Rule]] = {
    # ------------------------------------------------ what gets somebody in, or does something once
    "session": Ends("signed out since, it would be open again"),
    "device": Ends("forgotten since, it would be remembered again"),
    "journey": Ends("finished since, it would be half done again, with what was proved in it; reply keys go with it"),
    "code": Ends("used since, it would be good again; tries that were spent would be back"),
    "inbound_text": Ends("taken since, it would prove possession again"),
    "permit": Ends("spent since, it would buy a password again"),
    "passkey_challenge": Ends("answered since, it could be answered again"),
    "face_challenge": Ends("answered since, it could be answered again"),
    "outbox": Ends(
        "sent since, it would be sent again; what had ended stays, for support",
        tables.outbox.c.status == word("waiting"),
    ),
    "account_export": Ends("asked for in a session that is over; whoever wants the file asks again"),
    "staff_session": Ends("signed out since, it would be open again"),
    "staff_enrolment": Ends("used since, its code would be good again; an administrator hands out another"),
    "staff_challenge": Ends("answered since, it could be answered again"),
    "proposal": Settled("done since, it would be done twice; what is open expires", _SETTLE_PROPOSALS),
    # ------------------------------------------------ what the bank may close
    "permission": Closes("sign-in that customers froze, or that the bank closed, since", _CLOSE_EVERYBODY),
    "customer": Doubted("passwords that were changed and numbers that were replaced since", _FORGET_PASSWORDS),
    "login_name": Doubted("", _FORGET_PASSKEY_NAMES),
    "passkey": Doubted("passkeys that were removed since", Statement(delete(passkey_tables.passkey))),
    "face_template": Doubted("faces that were withdrawn since", Statement(delete(face_tables.face_template))),
    # ------------------------------------------------ what stays
    "counter": Stays("failures of before count on; those since are forgotten, a block that is missing comes again"),
    "send_guard": Stays("messages of before count on; those since are forgotten"),
    "message_hour": Stays("messages of before count on; those since are forgotten"),
    "stop_link": Stays("it only closes: used since, it may close once more"),
    "face_picture": Stays("what was accepted stays refused"),
    "social_account": Stays("by itself it opens nothing", "WeChat and Alipay accounts that were unlinked since"),
    "profile_attribute": Stays("with its account"),
    "consent": Stays("the ledger is added to and never changed", "consents that were taken back since"),
    "document_notice": Stays("who was told since is told once more"),
    "alert_choice": Stays("what customers want to be told", "alerts that were chosen or turned off since"),
    "alert_told": Stays("who was told since may be told once more, when statements are imported again"),
    "appointment": Stays("places that were given stay given", "appointments that were made, moved or cancelled since"),
    "appointment_unit": Stays("with its appointment; what was held and not confirmed lapses"),
    "booker": Stays("pauses of before stay"),
    "ticket_counter": Stays("numbers go on from here; a line ends with its day"),
    "case_file": Stays("it opens nothing and is over in days"),
    "network_report": Stays("nothing in it says whose it is"),
    "staff": Stays("who works here", "members of staff who left, changed or were put on hold since"),
    "staff_passkey": Stays("staff go on", "staff passkeys and passwords that were changed since"),
    "staff_secret": Stays("staff go on; no one-time code of before is good any more: it has long changed"),
    "staff_tries": Stays("locks of before stay"),
    "staff_tally": Stays("what was counted before counts on"),
    "audit_event": Stays(_RECORD),
    "audit_head": Stays(_RECORD),
    "audit_seal": Stays(_RECORD),
    "audit_sealed_head": Stays(_RECORD),
    "core_person": Stays(_FILE, "people and cards of the embedded core bank that changed since"),
    "core_card": Stays(_FILE),
    "registry_document": Stays(_FILE, "documents of the embedded registry that changed since"),
    "account": Stays("the ledger; import the newest statements again"),
    "posting": Stays("the ledger; import the newest statements again", "postings of the embedded ledger since"),
    "entry": Stays("the ledger; import the newest statements again"),
    "balance": Stays("the ledger; import the newest statements again"),
    "statement": Stays("the ledger; import the newest statements again"),
    "outlet": Stays(_FILE, "outlets, opening hours and capacities that were changed since"),
    "outlet_words": Stays(_FILE),
    "outlet_own": Stays("what the bank said of its outlets"),
    "outlet_service": Stays("what the bank said of its outlets"),
    "hours_exception": Stays("the bank's own calendar"),
}


def _ending(name: str, rule: Ends) -> Statement:
    gone = delete(metadata.tables[name])
    return Statement(gone if rule.which is None else gone.where(rule.which))


def statements(*, closes: bool, forgets: bool) -> dict[str, Statement]:
    """Return what is run for each table, in the order in which it is run."""
    chosen: dict[str, Statement] = {}
    for name, rule in AFTER_A_RESTORE.items():
        if isinstance(rule, Ends):
            chosen[name] = _ending(name, rule)
        elif not isinstance(rule, Stays) and _is_asked(rule, closes=closes, forgets=forgets):
            chosen[name] = rule.how
    return chosen


def _is_asked(rule: Settled | Closes | Doubted, *, closes: bool, forgets: bool) -> bool:
    return isinstance(rule, Settled) or (isinstance(rule, Closes) and closes) or (isinstance(rule, Doubted) and forgets)


def unknown(*, closes: bool, forgets: bool) -> list[str]:
    """Return what nobody can know of the time since the backup, and nothing here has closed."""
    rules = AFTER_A_RESTORE.values()
    told = [rule.unknown for rule in rules if isinstance(rule, Closes) and not closes]
    told += [rule.unknown for rule in rules if isinstance(rule, Doubted) and not forgets]
    # Who has the old one receives codes again, whatever was closed and thrown out.
    told += ["numbers that were replaced since"] if forgets else []
    told += [rule.unknown for rule in rules if isinstance(rule, Stays)]
    return [each for each in told if each]
