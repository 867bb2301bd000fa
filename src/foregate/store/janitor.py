"""What is kept for how long, and the janitor who takes the rest away.

Every table stands in RETENTION. The janitor deletes in bites of PURGE_BATCH rows, each a transaction of its own:
locks are short, and whoever stops it half-way loses nothing but the rest of the round.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import msgspec
from sqlalchemy import ColumnElement, Table, and_, bindparam, delete, or_, select, tuple_

from foregate.rules import limits
from foregate.rules.limits import DAY
from foregate.store import document_tables, face_tables, network_tables, passkey_tables, tables
from foregate.store.accounts import export_tables
from foregate.store.counter import credential_tables, permit_tables
from foregate.store.counter import tables as counter_tables
from foregate.store.every_table import metadata
from foregate.store.loops import Loop
from foregate.store.outlets import appointment_tables
from foregate.store.statements import Statement, number, time_of, word
from foregate.store.unit_of_work import SqlStore

SWEEP_SECONDS: Final = 60
# An expired journey still says what to do next, and repeats its last reply.
JOURNEY_KEPT_SECONDS: Final = DAY
# For support: was the message sent? Number and text were erased when it ended.
MESSAGE_KEPT_SECONDS: Final = 7 * DAY
# A place that was held and never confirmed: nobody will ask for it.
HOLD_KEPT_SECONDS: Final = DAY
# Numbers begin anew each day; another time zone may still be in yesterday.
TICKETS_KEPT_SECONDS: Final = 3 * DAY

# Whoever comes late hears that the permit is over, and where to get another.
PERMIT_KEPT_SECONDS: Final = 7 * DAY

_now: Final = time_of("now")


class Purged(msgspec.Struct, frozen=True):
    """Rows go when they are over. `over` is a condition on the table, given `now`."""

    table: Table
    over: ColumnElement[bool]


class PurgedWith(msgspec.Struct, frozen=True):
    """Rows go together with the row they belong to, found by `column`."""

    owner: str
    column: str


class Kept(msgspec.Struct, frozen=True):
    """Rows stay, for this reason."""

    why: str


def _before(column: ColumnElement[int], seconds: int) -> ColumnElement[bool]:
    return column <= _now - number(seconds)


_g = tables.send_guard.c
_appointment = appointment_tables.appointment.c
RETENTION: Final[Mapping[str, Purged | PurgedWith | Kept]] = {
    "journey": Purged(tables.journey, _before(tables.journey.c.expires_at, JOURNEY_KEPT_SECONDS)),
    # Never before its journey: a code that is issued anew would have all its tries again.
    "code": PurgedWith("journey", "journey_id"),
    "session": Purged(tables.session, tables.session.c.expires_at <= _now),
    "device": Purged(tables.device, _before(tables.device.c.seen_at, limits.DEVICE_DAYS * DAY)),
    "counter": Purged(tables.counter, _before(tables.counter.c.touched_at, limits.COUNTER_DAYS * DAY)),
    # Guesses in a row outlive the day's quota, or a patient guesser would get new ones every day.
    "send_guard": Purged(
        tables.send_guard,
        and_(
            _before(_g.touched_at, DAY),
            or_(_g.streak == number(0), _before(_g.touched_at, limits.COUNTER_DAYS * DAY)),
        ),
    ),
    "message_hour": Purged(tables.message_hour, _before(tables.message_hour.c.hour_from, 2 * DAY)),
    "inbound_text": Purged(tables.inbound_text, tables.inbound_text.c.expires_at <= _now),
    "outbox": Purged(
        tables.outbox,
        and_(tables.outbox.c.status != word("waiting"), _before(tables.outbox.c.ended_at, MESSAGE_KEPT_SECONDS)),
    ),
    "staff_session": Purged(credential_tables.staff_session, credential_tables.staff_session.c.expires_at <= _now),
    "staff_enrolment": Purged(
        credential_tables.staff_enrolment, credential_tables.staff_enrolment.c.expires_at <= _now
    ),
    "staff_challenge": Purged(
        credential_tables.staff_challenge, credential_tables.staff_challenge.c.expires_at <= _now
    ),
    # Tries in a row are forgotten when nobody tried for a day: a lock lasts half an hour.
    "staff_tries": Purged(credential_tables.staff_tries, _before(credential_tables.staff_tries.c.touched_at, DAY)),
    "staff_passkey": Kept("until its owner enrols anew or leaves"),
    "staff_secret": Kept("until its owner enrols anew or leaves"),
    "permit": Purged(permit_tables.permit, _before(permit_tables.permit.c.created_at, PERMIT_KEPT_SECONDS)),
    "stop_link": Purged(permit_tables.stop_link, permit_tables.stop_link.c.expires_at <= _now),
    "appointment": Purged(
        appointment_tables.appointment,
        or_(
            and_(_appointment.state == word("expired"), _before(_appointment.held_until, HOLD_KEPT_SECONDS)),
            _before(_appointment.ends_at, limits.APPOINTMENT_DAYS * DAY),
        ),
    ),
    "appointment_unit": Purged(
        appointment_tables.appointment_unit, _before(appointment_tables.appointment_unit.c.slot_start, DAY)
    ),
    # Longer than a pause lasts, or a number could wait it out from one day to the next.
    "booker": Purged(
        appointment_tables.booker, _before(appointment_tables.booker.c.touched_at, limits.APPOINTMENT_DAYS * DAY)
    ),
    "ticket_counter": Purged(
        appointment_tables.ticket_counter,
        _before(appointment_tables.ticket_counter.c.touched_at, TICKETS_KEPT_SECONDS),
    ),
    "case_file": Purged(appointment_tables.case_file, appointment_tables.case_file.c.expires_at <= _now),
    "document_notice": Purged(
        document_tables.document_notice,
        _before(document_tables.document_notice.c.told_at, limits.DOCUMENT_TOLD_DAYS * DAY),
    ),
    "passkey": Kept("until its owner removes it, as long as the bank has the customer"),
    "passkey_challenge": Purged(
        passkey_tables.passkey_challenge, passkey_tables.passkey_challenge.c.expires_at <= _now
    ),
    "social_account": Kept("until its owner unlinks it"),
    "profile_attribute": Kept("as long as its consent: withdrawing and unlinking delete it in the same transaction"),
    "consent": Kept("the ledger: what was agreed to is shown for as long as somebody may ask"),
    "registry_document": Kept("the embedded registry's own data"),
    # Expired it is no use but to say so, for a while.
    "face_template": Purged(
        face_tables.face_template,
        _before(face_tables.face_template.c.expires_at, limits.FACE_KEPT_DAYS * DAY),
    ),
    # What was seen of a face goes with its journey, proved or not.
    "face_challenge": Purged(face_tables.face_challenge, face_tables.face_challenge.c.expires_at <= _now),
    "face_picture": Purged(face_tables.face_picture, face_tables.face_picture.c.expires_at <= _now),
    "network_report": Purged(network_tables.network_report, network_tables.network_report.c.expires_at <= _now),
    "outlet_service": Kept("what the bank said of its outlets"),
    "proposal": Purged(
        counter_tables.proposal,
        and_(
            counter_tables.proposal.c.state.not_in((word("proposed"), word("consented"))),
            _before(counter_tables.proposal.c.ended_at, limits.PROPOSAL_KEPT_DAYS * DAY),
        ),
    ),
    # A window is a day at most; what was counted before counts no more.
    "staff_tally": Purged(counter_tables.staff_tally, _before(counter_tables.staff_tally.c.window_from, 2 * DAY)),
    "staff": Kept("as long as somebody may ask who did what"),
    "customer": Kept("as long as the bank has the customer"),
    "login_name": Kept("as long as the customer"),
    "permission": Kept("as long as the customer; one row for each lane ever closed"),
    "audit_event": Kept("the record; how long is the bank's law, and nobody shortens a chain unseen"),
    "audit_head": Kept("one row for each chain"),
    "audit_seal": Kept("with the record, which is checked by it"),
    "audit_sealed_head": Kept("with the record, which is checked by it"),
    "core_person": Kept("the embedded core bank's own data"),
    "core_card": Kept("the embedded core bank's own data"),
    "account": Kept("the embedded ledger's own data, as long as the bank has the account"),
    "posting": Kept("the ledger; how long is the bank's law"),
    "entry": Kept("with the ledger; one that waits goes when the bank says what became of it"),
    "balance": Kept("one row for each account and type"),
    "statement": Kept("with the ledger: the same statement is imported once"),
    "account_export": Purged(export_tables.account_export, export_tables.account_export.c.expires_at <= _now),
    "alert_choice": Kept("as long as the customer; what they want to be told"),
    # Longer than an entry counts as news: nobody hears of it twice.
    "alert_told": Purged(
        export_tables.alert_told, _before(export_tables.alert_told.c.told_at, limits.ALERT_FRESH_DAYS * 2 * DAY)
    ),
    "outlet": Kept("the bank's own data; what was retired may come back"),
    "outlet_words": Kept("with its outlet"),
    "outlet_own": Kept("what the bank said of its outlets"),
    "hours_exception": Kept("the bank's own calendar; a few rows a year"),
}

# A code at the counter stands where a journey's does, and no journey takes it along: no proposal is open so long.
_counter_codes: Final = Purged(
    tables.code,
    and_(tables.code.c.purpose == word("replace-phone-at-counter"), _before(tables.code.c.expires_at, 2 * DAY)),
)


def _bite(purged: Purged) -> Statement:
    key = tuple(purged.table.primary_key.columns)
    which = select(*key).where(purged.over).limit(number(limits.PURGE_BATCH))
    row = key[0] if len(key) == 1 else tuple_(*key)
    return Statement(delete(purged.table).where(row.in_(which)).returning(*key))


_BITES: Final = {name: _bite(rule) for name, rule in RETENTION.items() if isinstance(rule, Purged)}
_BITES["code"] = _bite(_counter_codes)
_WITH: Final = {
    rule.owner: (
        rule.column,
        Statement(delete(owned := metadata.tables[name]).where(owned.c[rule.column] == bindparam(rule.column))),
    )
    for name, rule in RETENTION.items()
    if isinstance(rule, PurgedWith)
}


class Janitor(Loop):
    """Purges what is over, table by table."""

    def __init__(self, store: SqlStore, pause_seconds: float = SWEEP_SECONDS) -> None:
        super().__init__(pause_seconds)
        self._store = store

    async def once(self) -> None:
        """Do one round."""
        await self.sweep()

    async def sweep(self) -> dict[str, int]:
        """Purge every table until nothing in it is over. Returns how many rows went, by table."""
        now = self._store.clock.now()
        return {name: await self._purge(name, now) for name in _BITES}

    async def _purge(self, name: str, now: int) -> int:
        gone = 0
        while not self.is_stopping:
            bite = await self.bite(name, now)
            gone += bite
            if bite < limits.PURGE_BATCH:
                break
        return gone

    async def bite(self, name: str, now: int) -> int:
        """Purge at most PURGE_BATCH rows of one table. Returns how many went."""
        async with self._store.database.transaction() as connection:
            rows = await connection.all(_BITES[name], now=now)
            if rows and name in _WITH:
                column, statement = _WITH[name]
                await connection.run_many(statement, [{column: row[column]} for row in rows])
        return len(rows)
