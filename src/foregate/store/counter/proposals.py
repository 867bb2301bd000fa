"""Proposals. One guarded statement consents; what was read before it decides nothing."""

from __future__ import annotations

from typing import Final

from sqlalchemy import bindparam, select, update

from foregate.ports.counter import ProposalRow
from foregate.rules import limits
from foregate.store.counter.tables import proposal
from foregate.store.keyring import Keys
from foregate.store.statements import (
    Connection,
    Row,
    Statement,
    Value,
    insert_into,
    number,
    text_of,
    time_of,
    word,
)

_p, _now = proposal.c, time_of("now")
_this: Final = _p.proposal_id == text_of("of_proposal")
_is_open: Final = _p.state == word("proposed")
_is_waiting: Final = (_is_open, _p.expires_at > _now)
_listed: Final = select(proposal).where(*_is_waiting).order_by(_p.created_at, _p.proposal_id)
_page: Final = _listed.limit(number(limits.PROPOSALS_LISTED))

_INSERT: Final = Statement(insert_into(proposal).on_conflict_do_nothing().returning(_p.proposal_id))
_FIND: Final = Statement(select(proposal).where(_this))
_OPEN_AT: Final = Statement(_page.where(_p.outlet_id == text_of("of_outlet")))
_OPEN_NOWHERE: Final = Statement(_page.where(_p.outlet_id.is_(None)))
_OPEN_FOR: Final = Statement(_page.where(_p.subject_id == text_of("of_subject")))
_PROVE_CODE: Final = Statement(
    update(proposal).where(_this, *_is_waiting, _p.awaits_code == number(1)).values(awaits_code=number(0))
)
_ending: Final = {"checker": text_of("by"), "note": text_of("why"), "ended_at": _now}
_consenting: Final = (
    update(proposal)
    .where(_this, *_is_waiting, _p.digest == bindparam("shown"), _p.awaits_code == number(0))
    .values(state=word("consented"), **_ending)
)
# Two people: the second is not the first, and stands at the same outlet. One person: the maker alone.
_of_two: Final = _consenting.where(_p.maker != text_of("by"))
_CONSENT_AT: Final = Statement(_of_two.where(_p.outlet_id == text_of("of_outlet")))
_CONSENT_NOWHERE: Final = Statement(_of_two.where(_p.outlet_id.is_(None)))
_CONSENT_ALONE: Final = Statement(_consenting.where(_p.persons == number(1)))
_FINISH: Final = Statement(
    update(proposal).where(_this, _p.state == word("consented")).values(state=word("done"), ended_at=_now)
)
_REFUSE: Final = Statement(
    update(proposal).where(_this, *_is_waiting, _p.maker != text_of("by")).values(state=word("refused"), **_ending)
)
_WITHDRAW: Final = Statement(
    update(proposal)
    .where(_this, *_is_waiting, _p.maker == text_of("by"))
    .values(state=word("withdrawn"), note=text_of("why"), ended_at=_now)
)
_over: Final = (
    select(_p.proposal_id)
    .where(_is_open, _p.expires_at <= _now)
    .order_by(_p.expires_at)
    .limit(number(limits.PURGE_BATCH))
)
_EXPIRE: Final = Statement(
    update(proposal)
    .where(_is_open, _p.expires_at <= _now, _p.proposal_id.in_(_over))
    .values(state=word("expired"), ended_at=_now)
    .returning(proposal)
)


class ProposalsIn:
    """`ports.counter.Proposals` in one transaction."""

    __slots__ = ("_connection", "_keys")

    def __init__(self, connection: Connection, keys: Keys) -> None:
        self._connection, self._keys = connection, keys

    async def insert(self, row: ProposalRow) -> bool:
        """False: another one is open for this subject and act, or is over and was not ended yet: see `expire`."""
        return await self._connection.one(_INSERT, **self._sealed(row)) is not None

    async def find(self, proposal_id: str) -> ProposalRow | None:
        """Return the proposal, in any state."""
        row = await self._connection.one(_FIND, of_proposal=proposal_id)
        return self._opened(row) if row else None

    async def open_at(self, outlet_id: str | None, now: int) -> tuple[ProposalRow, ...]:
        """What is open at an outlet (None: proposals about staff), the oldest first, at most PROPOSALS_LISTED."""
        if outlet_id is None:
            rows = await self._connection.all(_OPEN_NOWHERE, now=now)
        else:
            rows = await self._connection.all(_OPEN_AT, of_outlet=outlet_id, now=now)
        return tuple(self._opened(row) for row in rows)

    async def open_for(self, subject_id: str, now: int) -> tuple[ProposalRow, ...]:
        """What is open for one customer or member of staff."""
        rows = await self._connection.all(_OPEN_FOR, of_subject=subject_id, now=now)
        return tuple(self._opened(row) for row in rows)

    async def prove_code(self, proposal_id: str, now: int) -> bool:
        """The customer read out the code. Guarded by being open and awaiting it."""
        return await self._connection.run(_PROVE_CODE, of_proposal=proposal_id, now=now) == 1

    async def consent(
        self, proposal_id: str, *, checker: str | None, outlet_id: str | None, digest: bytes, note: str, now: int
    ) -> bool:
        """From proposed to consented, in one guarded statement.

        Guarded by state, digest, expiry, outlet, the code, and the checker not being the maker; no checker is for acts
        of one person. False: one of these does not hold.
        """
        values: dict[str, Value] = {
            "of_proposal": proposal_id, "by": checker, "shown": digest, "why": note, "now": now,
        }  # fmt: skip
        if checker is None:
            return await self._connection.run(_CONSENT_ALONE, **values) == 1
        if outlet_id is None:
            return await self._connection.run(_CONSENT_NOWHERE, **values) == 1
        return await self._connection.run(_CONSENT_AT, **values, of_outlet=outlet_id) == 1

    async def finish(self, proposal_id: str, now: int) -> bool:
        """What was consented to is done: in the transaction of the consent, or after the core bank did its part."""
        return await self._connection.run(_FINISH, of_proposal=proposal_id, now=now) == 1

    async def end(self, proposal_id: str, *, to: str, by: str, note: str, now: int) -> bool:
        """Refuse it (anybody but the maker) or withdraw it (the maker), while it is open. Guarded."""
        statement = {"refused": _REFUSE, "withdrawn": _WITHDRAW}[to]
        return await self._connection.run(statement, of_proposal=proposal_id, by=by, why=note, now=now) == 1

    async def expire(self, now: int) -> tuple[ProposalRow, ...]:
        """End those whose time is over, at most PURGE_BATCH, and return them."""
        return tuple(self._opened(row) for row in await self._connection.all(_EXPIRE, now=now))

    def _sealed(self, row: ProposalRow) -> dict[str, Value]:
        return {
            "subject_id": row.subject_id,
            "proposal_id": row.proposal_id,
            "act": row.act,
            "persons": row.persons,
            "outlet_id": row.outlet_id,
            "maker": row.maker,
            "payload_sealed": self._keys.encrypt(row.payload, f"proposal.payload:{row.proposal_id}"),
            "digest": row.digest,
            "document_type": row.document_type,
            "document_digest": row.document_digest,
            "document_expires_on": row.document_expires_on,
            "awaits_code": int(row.awaits_code),
            "state": row.state,
            "checker": row.checker,
            "note": row.note,
            "created_at": row.created_at,
            "expires_at": row.expires_at,
            "ended_at": row.ended_at,
        }

    def _opened(self, row: Row) -> ProposalRow:
        proposal_id: str = row["proposal_id"]
        return ProposalRow(
            proposal_id=proposal_id,
            subject_id=row["subject_id"],
            act=row["act"],
            persons=row["persons"],
            outlet_id=row["outlet_id"],
            maker=row["maker"],
            payload=self._keys.decrypt(row["payload_sealed"], f"proposal.payload:{proposal_id}"),
            digest=row["digest"],
            document_type=row["document_type"],
            document_digest=row["document_digest"],
            document_expires_on=row["document_expires_on"],
            awaits_code=bool(row["awaits_code"]),
            state=row["state"],
            checker=row["checker"],
            note=row["note"],
            created_at=row["created_at"],
            expires_at=row["expires_at"],
            ended_at=row["ended_at"],
        )
