"""Adds up, while the house is open, what messages cost: alarms at each mark of the day's budget, and from one of them
on strangers get no codes.

Who owns a range of numbers earns by each message to it, and has a bank send as many as it will. Limits per number do
not help against ten thousand numbers: `proofs/phone_code.py` counts each range, and this is what all ranges together
may cost. Notices go out whatever the budget says, and so do codes for remembered devices.
Sources: GSMA, Artificially Inflated Traffic; ASVS 5.0, 2.4.1.
"""

from __future__ import annotations

from prometheus_client import Gauge

from foregate.counter.guard import raise_alarm
from foregate.counter.telling import Told
from foregate.ports import Clock, Store
from foregate.rules import limits
from foregate.store.loops import Loop

ALARM = "messages-budget"
SENT = Gauge("foregate_messages_day", "Messages sent within 24 hours, by all processes")
BUDGET = Gauge("foregate_messages_day_budget", "How many may be sent within 24 hours")


class SpendingWatch(Loop):
    """`ports.messages.MessageBudget`, kept up to date. What was sent is written down every BUDGET_LOOK_SECONDS.

    A process that is killed forgets what it sent since it last looked: some seconds of the day's messages. One that is
    stopped forgets nothing.
    """

    def __init__(
        self, store: Store, clock: Clock, per_day: int, pause_seconds: float = limits.BUDGET_LOOK_SECONDS
    ) -> None:
        super().__init__(pause_seconds)
        self._store, self._clock, self._per_day = store, clock, per_day
        self._sent = 0  # by this process, not written down yet
        self._percent = 0
        self._told = Told[int](limits.DAY)  # once for each mark: a day that goes on above it is the same bill
        BUDGET.set(per_day)

    @property
    def is_for_holders_only(self) -> bool:
        """Whether what is left is kept for those who hold a device or were let in."""
        return self._percent >= limits.BUDGET_FOR_STRANGERS_PERCENT

    def note(self, sent: int) -> None:
        """So many messages went out."""
        self._sent += sent

    async def stop(self) -> None:
        """Let the round under way finish, and write down what was sent since. To be stopped after whoever sends."""
        await super().stop()
        if self._sent:
            await self._round()

    async def once(self) -> None:
        """Write down what was sent, look what all processes sent, and tell."""
        now, mine = self._clock.now(), self._sent
        async with self._store.begin() as tx:
            if mine:
                await tx.spending.add(mine, now)
            sent = await tx.spending.of_the_day(now)
            percent = sent * 100 // self._per_day
            due = [mark for mark in limits.BUDGET_TOLD_PERCENT if percent >= mark and self._told.is_due(mark, now)]
            if due:  # the highest says it all
                mark, of = due[-1], self._per_day
                await raise_alarm(tx, now, ALARM, actor="foregate", source="", percent=mark, sent=sent, of=of)
        self._sent -= mine
        self._percent = percent
        self._told.note(due, now)
        SENT.set(sent)
