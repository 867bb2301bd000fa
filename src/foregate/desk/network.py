"""The network check, as far as the server has a part in it: it signs probes, decides, and keeps what it is sent.

A probe is answered with what was asked, our time and a mark that only we can make. The page sees by the first that
nobody answered in our place; when the figures come in, the mark is looked at again, and one that is not ours counts as
an altered probe, whatever the page thought.
"""

from __future__ import annotations

from hmac import compare_digest
from typing import Annotated, Final

import msgspec

from foregate.ids import new_id
from foregate.ports.network import NetworkReport
from foregate.rules import diagnosis, limits, network
from foregate.rules.limits import DAY
from foregate.rules.network import Figures, Verdict
from foregate.situation import World

MARK_CHARS: Final = 32
PURPOSE: Final = "network-probe"
Nonce = Annotated[str, msgspec.Meta(pattern=rf"^[0-9a-f]{{1,{int(limits.NETWORK_NONCE_CHARS)}}}$")]


class Probe(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a probe is answered with. `server_seconds` since 1970, to the second."""

    nonce: Nonce
    server_seconds: Annotated[int, msgspec.Meta(ge=0, le=10**11)]
    mark: Annotated[str, msgspec.Meta(max_length=MARK_CHARS)]


class Judged(msgspec.Struct, frozen=True):
    """What follows from figures: the sentence, the code, and the figures as they counted."""

    verdict: Verdict
    code: str
    figures: Figures


class NetworkCheck:
    """Answers probes, judges figures, keeps reports."""

    def __init__(self, world: World) -> None:
        self._world = world

    def probe(self, nonce: str) -> Probe:
        """Answer one probe."""
        now = self._world.clock.now()
        return Probe(nonce, now, self._mark(nonce, now))

    def judge(self, figures: Figures, proof: Probe | None = None) -> Judged:
        """Return what follows from `figures`; `proof` is one answer of ours that came with them."""
        if proof is not None and not self._is_ours(proof):
            figures = msgspec.structs.replace(figures, altered=max(1, figures.altered or 0))
        return Judged(network.verdict_of(figures), diagnosis.code_of(figures), figures)

    async def keep(self, judged: Judged, client: str) -> None:
        """Keep a report that somebody chose to send, for NETWORK_REPORT_DAYS."""
        now = self._world.clock.now()
        report = NetworkReport(
            report_id=new_id(),
            code=judged.code,
            figures=judged.figures,
            client=client,
            created_at=now,
            expires_at=now + limits.NETWORK_REPORT_DAYS * DAY,
        )
        async with self._world.store.begin() as tx:
            await tx.network_reports.insert(report)

    def _is_ours(self, proof: Probe) -> bool:
        age = self._world.clock.now() - proof.server_seconds
        is_fresh = -1 <= age <= limits.NETWORK_PROOF_SECONDS
        return is_fresh and compare_digest(self._mark(proof.nonce, proof.server_seconds).encode(), proof.mark.encode())

    def _mark(self, nonce: str, seconds: int) -> str:
        return self._world.keyring.derive(PURPOSE, f"{nonce}:{seconds}".encode()).hex()[:MARK_CHARS]
