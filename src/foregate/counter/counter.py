"""The counter, as doors use it. Every verb takes an `Actor` first, and raises `guard.Objected` when it may not be."""

from __future__ import annotations

from foregate.counter.administration import Administration
from foregate.counter.files import Files
from foregate.counter.guard import Guard
from foregate.counter.holdings import Holdings
from foregate.counter.performs import Performs
from foregate.counter.proposals import Proposals
from foregate.counter.records import Records
from foregate.counter.search import Search
from foregate.ports.counter import OutletHours
from foregate.rules.verdict import Rules
from foregate.situation import World


class Counter:
    """What staff may do. Verbs of other rooms (outlets, the queue) ask `guard.authorise` for their right."""

    def __init__(self, world: World, hours: OutletHours, performs: Performs, holdings: Holdings, tables: Rules) -> None:
        self.guard = Guard(world, hours)
        self.finding = Search(self.guard)
        self.files = Files(self.guard, holdings, tables)
        self.proposals = Proposals(self.guard, performs)
        self.staff = Administration(self.guard)
        self.records = Records(self.guard)
