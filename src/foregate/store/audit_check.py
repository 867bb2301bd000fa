"""Hold the audit record against itself, its seals and its anchor, and say in plain words what does not fit.

Reads everything as of one moment, a page at a time, while the bank goes on. Each chain is named once, with the
first event from which it can no longer be trusted.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Sequence
from pathlib import Path
from typing import Final

import msgspec
from sqlalchemy import and_, exists, or_, select

from foregate.store.anchors import compare
from foregate.store.audit import GENESIS, Record, event_hash, seal_hash, seal_root
from foregate.store.keyring import Keys
from foregate.store.statements import Connection, Row, Statement, number, text_of, time_of
from foregate.store.tables import audit_event, audit_head, audit_seal, audit_sealed_head

PAGE: Final = 500

_e, _h, _s, _k = audit_event.c, audit_head.c, audit_seal.c, audit_sealed_head.c

_EVENTS: Final = Statement(
    select(audit_event, _h.seq.label("head_seq"), _h.hash.label("head_hash"))
    .outerjoin(audit_head, _h.chain == _e.chain)
    .where(
        or_(_e.chain > text_of("after_chain"), and_(_e.chain == text_of("after_chain"), _e.seq > time_of("after_seq")))
    )
    .order_by(_e.chain, _e.seq)
    .limit(number(PAGE))
)
_CHAIN: Final = Statement(
    select(audit_event, _h.seq.label("head_seq"), _h.hash.label("head_hash"))
    .outerjoin(audit_head, _h.chain == _e.chain)
    .where(_e.chain == text_of("of_chain"), _e.seq > time_of("after_seq"))
    .order_by(_e.seq)
    .limit(number(PAGE))
)
_CHAIN_HEAD: Final = Statement(select(_h.seq).where(_h.chain == text_of("of_chain")))
_CHAIN_SEALED: Final = Statement(
    select(_k.seq, _k.seal).where(_k.chain == text_of("of_chain")).order_by(_k.seq.desc()).limit(number(1))
)
_HEADS: Final = Statement(
    select(
        _h.chain,
        _h.seq,
        _h.is_sealed,
        exists().where(_e.chain == _h.chain).label("has_events"),
        exists().where(_k.chain == _h.chain, _k.seq >= _h.seq).label("is_covered"),
    )
    .where(_h.chain > text_of("after"))
    .order_by(_h.chain)
    .limit(number(PAGE))
)
_SEALS: Final = Statement(select(audit_seal).where(_s.seal > time_of("after")).order_by(_s.seal).limit(number(PAGE)))
_SEALED: Final = Statement(
    select(_k.chain, _k.seq, _e.hash)
    .outerjoin(audit_event, and_(_e.chain == _k.chain, _e.seq == _k.seq))
    .where(_k.seal == time_of("of_seal"))
)


class Finding(msgspec.Struct, frozen=True):
    """Something that does not fit. `seq` is the first event (or seal) that cannot be trusted."""

    chain: str  # a chain, or `seals`
    seq: int
    what: str

    def __str__(self) -> str:
        return f"{self.chain}, from number {self.seq}: {self.what}"


SEALS: Final = "seals"


async def verify(record: Record, anchor: Path | None = None) -> list[Finding]:
    """Check every event, every seal and, when given, the anchor. An empty list: nothing was tampered with.

    Raises FileNotFoundError when there is no such anchor.
    """
    findings: dict[str, Finding] = {}

    def note(finding: Finding) -> None:
        known = findings.get(finding.chain)
        if known is None or finding.seq < known.seq:
            findings[finding.chain] = finding

    async with record.database.snapshot() as connection:
        async for finding in _check_chains(connection, record.keys):
            note(finding)
        async for finding in _check_seals(connection, record.keys):
            note(finding)
        async for finding in _check_heads(connection):
            note(finding)
        if anchor is not None:
            async for finding in _check_anchor(connection, record.keys, anchor):
                note(finding)
    return list(findings.values())


async def verify_chain(record: Record, chain: str) -> list[Finding]:
    """Check one chain: every event of it, its head, and that it is as long as the newest seal over it says."""
    last: Row | None = None
    async with record.database.snapshot() as connection:
        head = await connection.one(_CHAIN_HEAD, of_chain=chain)
        sealed = await connection.one(_CHAIN_SEALED, of_chain=chain)
        while True:
            page = await connection.all(_CHAIN, of_chain=chain, after_seq=last["seq"] if last else 0)
            for event in page:
                if finding := _check_event(record.keys, event, last):
                    return [finding]
                last = event
            if len(page) < PAGE:
                break
    if last is None:
        return [Finding(chain, 1, "every event of this chain was removed")] if head or sealed else []
    if finding := _check_end(last):
        return [finding]
    if sealed is not None and sealed["seq"] > last["seq"]:
        gone = f"the newest events, up to {sealed['seq']}, were there when seal {sealed['seal']} was made"
        return [Finding(chain, last["seq"] + 1, gone)]
    return []


# ---------------------------------------------------------------- chains


async def _check_chains(connection: Connection, keys: Keys) -> AsyncIterator[Finding]:
    last: Row | None = None
    is_good = True
    async for event in _events(connection):
        if last is None or event["chain"] != last["chain"]:
            if last is not None and is_good and (finding := _check_end(last)):
                yield finding
            last, is_good = None, True
        if is_good and (finding := _check_event(keys, event, last)):
            is_good = False
            yield finding
        last = event
    if last is not None and is_good and (finding := _check_end(last)):
        yield finding


async def _check_heads(connection: Connection) -> AsyncIterator[Finding]:
    chain = ""
    while True:
        page = await connection.all(_HEADS, after=chain)
        for head in page:
            chain = head["chain"]
            if not head["has_events"]:
                yield Finding(chain, 1, "every event of this chain was removed")
            elif head["is_sealed"] and not head["is_covered"]:
                yield Finding(chain, head["seq"], "the event was sealed, and the seal is gone: seals were removed")
        if len(page) < PAGE:
            return


async def _events(connection: Connection) -> AsyncIterator[Row]:
    chain, seq = "", 0
    while True:
        page = await connection.all(_EVENTS, after_chain=chain, after_seq=seq)
        for event in page:
            yield event
        if len(page) < PAGE:
            return
        chain, seq = page[-1]["chain"], page[-1]["seq"]


def _check_event(keys: Keys, event: Row, before: Row | None) -> Finding | None:
    chain, seq = event["chain"], event["seq"]
    expected = before["seq"] + 1 if before else 1
    if seq != expected:
        gone = f"event {expected} was" if seq == expected + 1 else f"events {expected} to {seq - 1} were"
        return Finding(chain, expected, f"{gone} removed")
    if event["hash"] != event_hash(keys, event):
        return Finding(chain, seq, "the event was changed, moved, or not written by Foregate")
    if event["prev"] != (before["hash"] if before else GENESIS):
        return Finding(chain, seq, "the event does not follow the one before it: two records were spliced")
    return None


def _check_end(last: Row) -> Finding | None:
    chain, seq = last["chain"], last["seq"]
    if last["head_seq"] is None:
        return Finding(chain, seq, "the head of this chain was removed")
    if last["head_seq"] > seq:
        return Finding(chain, seq + 1, f"the newest events, up to {last['head_seq']}, were removed")
    if last["head_seq"] < seq or last["head_hash"] != last["hash"]:
        return Finding(chain, seq, "the head of this chain is not its newest event")
    return None


# ---------------------------------------------------------------- seals


async def _check_seals(connection: Connection, keys: Keys) -> AsyncIterator[Finding]:
    before: Row | None = None
    while True:
        page = await connection.all(_SEALS, after=before["seal"] if before else 0)
        for seal in page:
            if finding := _check_seal(keys, seal, before):
                yield finding
            for finding in _check_sealed(seal, await connection.all(_SEALED, of_seal=seal["seal"])):
                yield finding
            before = seal
        if len(page) < PAGE:
            return


def _check_seal(keys: Keys, seal: Row, before: Row | None) -> Finding | None:
    expected = before["seal"] + 1 if before else 1
    if seal["seal"] != expected:
        return Finding(SEALS, expected, f"the seals before {seal['seal']} were removed")
    if seal["hash"] != seal_hash(keys, seal):
        return Finding(SEALS, seal["seal"], "the seal was changed, or not made by Foregate")
    if seal["prev"] != (before["hash"] if before else GENESIS):
        return Finding(SEALS, seal["seal"], "the seal does not follow the one before it")
    return None


def _check_sealed(seal: Row, heads: Sequence[Row]) -> Iterator[Finding]:
    missing = [head for head in heads if head["hash"] is None]
    for head in missing:
        yield Finding(head["chain"], head["seq"], f"the event was there when seal {seal['seal']} was made, and is gone")
    if len(heads) != seal["heads"]:
        yield Finding(SEALS, seal["seal"], f"the seal covered {seal['heads']} chains, {len(heads)} are left")
    elif not missing and seal_root(heads) != seal["root"]:
        yield Finding(SEALS, seal["seal"], "the events are not those that were sealed: the record was rewritten")


# ---------------------------------------------------------------- the anchor


async def _check_anchor(connection: Connection, keys: Keys, anchor: Path) -> AsyncIterator[Finding]:
    held = await compare(connection, keys, anchor)
    for place in held.damaged:
        yield Finding(SEALS, 0, f"line {place} of the anchor file is damaged")
    for line in held.lost:
        if line.seal in held.rewritten:
            yield Finding(SEALS, line.seal, "the seal is not the one in the anchor: the record was rewritten")
        else:
            yield Finding(SEALS, line.seal, "the anchor has this seal, the database has not: the end was cut off")
