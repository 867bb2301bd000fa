"""`foregate restored`: after a backup was put back, end what may have ended since, before anybody is let in."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from foregate.settings import Settings

if TYPE_CHECKING:
    from foregate.store.restoring import Gap
    from foregate.store.unit_of_work import SqlStore

_CHOOSE = """\
Say which, for nobody can know who froze their sign-in since the backup:
  --close-permissions   close everybody's: each reopens it with card, the card's number and a second proof.
                        After a gap that you cannot answer for
  --keep-permissions    leave them as the backup has them. When what was lost is seconds, or you close by hand
Nothing was done."""
_NOBODY_ASKED = "\nNobody is here to say yes. Nothing was done; say --yes if it shall be done without asking."


def restored(
    *,
    close_permissions: Annotated[bool | None, Parameter(negative="--keep-permissions")] = None,
    forget_credentials: Annotated[bool, Parameter(negative="")] = False,
    anchor: Annotated[list[Path] | None, Parameter(negative="")] = None,
    anchor_only: Annotated[bool, Parameter(negative="")] = False,
    yes: Annotated[bool, Parameter(negative="")] = False,
    settings: Annotated[str | None, Parameter(name=["--settings", "-s"], help="TOML; FOREGATE_* overrides it.")] = None,
) -> None:
    """End what a restored backup would revive: sessions, devices, codes, journeys, permits, open proposals, messages.

    Run it after `foregate migrate`, before anybody can reach the restored bank. It is one transaction, is written into
    the record for ever, and says what nobody can know. A server with an audit anchor does not open before.

    Exit codes: 0 done; 1 an anchor lost what no restore explains (--anchor-only); 2 nothing was done.

    Examples:

    foregate restored --keep-permissions --settings /etc/foregate.toml

    foregate restored --close-permissions --forget-credentials --anchor /mnt/node2/anchor.jsonl -s /etc/foregate.toml

    foregate restored --anchor-only --settings /etc/node3.toml

    Parameters
    ----------
    close_permissions
        close everybody's sign-in as if they had frozen it; --keep-permissions leaves it as the backup has it
    forget_credentials
        throw out customers' passwords, passkeys and faces too: each sets them anew, with a code and the card PIN
    anchor
        the audit anchors of other nodes, and copies that you verify against; may be said several times
    anchor_only
        an anchor was not at hand at the restore: declare what it lost, end nothing
    yes
        do not ask
    settings
        TOML file; FOREGATE_* overrides it
    """
    from foregate.settings import load

    chosen = load(settings)
    for needed in ("database", "keys_file"):
        if not getattr(chosen, needed):
            _say(f"{needed} is not set: name it in the settings file, or as FOREGATE_{needed.upper()}")
            sys.exit(2)
    if close_permissions is None and not anchor_only:
        _say(_CHOOSE)
        sys.exit(2)
    work = _Work(chosen, anchor or [], closes=bool(close_permissions), forgets=forget_credentials, asks=not yes)
    sys.exit(asyncio.run(work.declare() if anchor_only else work.restored()))


class _Work:
    """What was asked for."""

    def __init__(self, settings: Settings, named: list[Path], *, closes: bool, forgets: bool, asks: bool) -> None:
        self._settings, self._closes, self._forgets, self._asks = settings, closes, forgets, asks
        own = Path(settings.audit_anchor) if settings.audit_anchor else None
        self._own = own if own is not None and own.exists() else None
        if own is not None and self._own is None:
            _say(f"The audit anchor {own} is not there. If there is a copy, put it back and run this again.")
        self._paths: Sequence[Path] = list(dict.fromkeys([*([self._own] if self._own else []), *named]))

    async def restored(self) -> int:
        """End what may have ended. Returns the exit code."""
        from foregate.store import restoring

        store = await self._open()
        try:
            _tell_gap(await restoring.look(store, self._paths), self._paths, store.clock.now())
            if self._asks and not self._is_agreed():
                return 2
            rows = await restoring.end(store, self._paths, closes=self._closes, forgets=self._forgets)
            await self._seal(store)
        finally:
            await store.close()
        self._tell_done(rows)
        return 0

    async def declare(self) -> int:
        """Declare what anchors have lost that were not at hand. Returns the exit code."""
        from foregate.store import restoring

        if not self._paths:
            _say("There is no anchor: name it as audit_anchor in the settings, or by --anchor.")
            return 2
        store = await self._open()
        try:
            gap = await restoring.forgive(store, self._paths)
            if gap.lost:
                await self._seal(store)
        except restoring.Unexplained:
            _say("An anchor knows of seals that are younger than the last restore in the record: this is another loss.")
            _say("Was the database restored again? Then run it without --anchor-only. Nothing was done.")
            return 1
        finally:
            await store.close()
        if gap.lost:
            print(f"Lost by {len(gap.lost)} of {len(self._paths)} anchors, and now in the record:")
            print("\n".join(f"  {path}: {len(held.lost)} lines" for path, held in gap.lost.items()))
        else:
            print("No anchor has lost anything that the record does not explain. Nothing was written.")
        return 0

    async def _open(self) -> SqlStore:
        from foregate.bootstrap import SystemClock, open_store
        from foregate.store.keyring import load_keys
        from foregate.store.restoring import STATEMENT_SECONDS

        keys = load_keys(Path(self._settings.keys_file))
        return await open_store(self._settings, keys, SystemClock(), wait_seconds=STATEMENT_SECONDS)

    async def _seal(self, store: SqlStore) -> None:
        """Seal what was written now, so that nobody can take it away until the next seal."""
        from foregate.store.sealer import Sealer

        try:
            await Sealer(store, self._own).once()
        except OSError as wrong:
            _say(f"{self._own} could not be written ({wrong.strerror}): the next seals stand in it once it can be.")

    def _is_agreed(self) -> bool:
        print("\nThis signs everybody out, staff too, and forgets every remembered device.")
        if self._closes:
            print("It closes everybody's sign-in.")
        if self._forgets:
            print("It throws out every customer's password, passkeys and face.")
        try:
            return input("Nobody may be able to reach this bank now. Go on? Type yes: ").strip() == "yes"
        except EOFError:
            _say(_NOBODY_ASKED)
            return False

    def _tell_done(self, rows: dict[str, int]) -> None:
        from foregate.store.after_restore import AFTER_A_RESTORE, Closes, Doubted, Settled, unknown

        words = {Settled: "expired", Closes: "closed", Doubted: "thrown out"}
        print("\nEnded, in one transaction:")
        for name, count in rows.items():
            print(f"  {name:18} {count:>9} {words.get(type(AFTER_A_RESTORE[name]), 'ended')}")
        print("\nNobody can know, and you have to look after:")
        for what in unknown(closes=self._closes, forgets=self._forgets):
            print(f"  - {what}")
        print("\nIt is written into the record, and `foregate audit verify` tells of it from now on.")


def _tell_gap(gap: Gap, paths: Sequence[Path], now: int) -> None:
    from foregate.store.anchors import told_at

    last = f"seal {gap.seal}, made on {told_at(gap.sealed_at)}" if gap.seal else "no seal at all"
    print(f"The database ends at {last}.")
    if not paths:
        age = f" That seal is {_lasting(now - gap.sealed_at)} old." if gap.seal else ""
        print(f"There is no audit anchor, so nobody can say how much is lost.{age}")
    elif gap.lost:
        lasted = f", {_lasting(gap.until_at - gap.from_at)} of the bank's life" if gap.from_at else ""
        print(f"The anchors go on to seal {gap.last_seal}, made on {told_at(gap.until_at)}.")
        many = gap.first_seal < gap.last_seal
        which = f"seals {gap.first_seal} to {gap.last_seal}" if many else f"seal {gap.last_seal}"
        print(f"Lost: {which}{lasted}, and what came after.")
    else:
        print("The anchors know of nothing that the database has not: what is lost came after the last seal, if any.")
    for path, held in gap.compared.items():
        if held.damaged:
            _say(f"{path}: {len(held.damaged)} damaged lines, the first is line {held.damaged[0]}")


def _lasting(seconds: int) -> str:
    hours, rest = divmod(max(0, seconds), 3600)
    return f"{hours} h {rest // 60} min {rest % 60} s"


def _say(words: str) -> None:
    print(words, file=sys.stderr)
