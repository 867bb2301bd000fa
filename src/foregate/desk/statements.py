"""Files of a record and alerts, as a session may have them: whole sessions alone, and one's own alone."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping

import msgspec

from foregate.accounts.exports import ExportMaker, faults_of
from foregate.desk.accounts import NOT_FOUND, MyAccounts
from foregate.ids import derived_id, new_id
from foregate.ports import Event, Message, SessionRow
from foregate.ports.accounts import Account
from foregate.ports.exports import Alerts, Export, Format
from foregate.rules import limits
from foregate.rules.money import BadMoney, money
from foregate.situation import Refused, World


class Statements:
    """What doors ask about files and alerts."""

    def __init__(self, world: World, accounts: MyAccounts, maker: ExportMaker) -> None:
        self._world, self._accounts, self._maker = world, accounts, maker

    async def ask(
        self, session: SessionRow | None, account: Account, form: Mapping[str, str], language: str, reference: str
    ) -> Export | Refused:
        """Have a file made of the days and in the format that `form` names. The same form sent again is one file."""
        owner = await self._accounts.owner(session)
        if isinstance(owner, Refused):
            return owner
        first, last, wanted = (form.get(name, "")[:10] for name in ("dateFrom", "dateTo", "format"))
        faults = faults_of(self._world, account, first, last)
        if wanted not in list(Format):
            faults["format"] = "shape"
        if faults:
            return Refused(cause="input-invalid", fields=faults)
        now = self._world.clock.now()
        row = Export(
            export_id=self._id(owner.customer_id, account, form),
            customer_id=owner.customer_id,
            core_ref=owner.core_ref,
            account_id=account.account_id,
            format=Format(wanted),
            language=language,
            date_from=first,
            date_to=last,
            created_at=now,
            next_at=now,
            expires_at=now + limits.EXPORT_SECONDS,
        )
        async with self._world.store.begin() as tx:
            others = await tx.exports.of(owner.customer_id, now)
            if row.export_id in {other.export_id for other in others}:
                return row
            if len(others) >= limits.EXPORTS_PER_CUSTOMER:
                return Refused(cause="too-many-requests", retry_in_seconds=int(limits.EXPORT_SECONDS))
            if not await tx.exports.put(row):
                return row
            details: dict[str, str | int] = {"format": wanted, "from": first, "to": last, "support": reference}
            await tx.audit.record(Event(chain=owner.customer_id, kind="statement-asked-for", details=details), now)
        await self._maker.soon()
        return row

    def _id(self, customer_id: str, account: Account, form: Mapping[str, str]) -> str:
        said = [form.get(name, "")[: limits.KEY_CHARS] for name in ("key", "dateFrom", "dateTo", "format")]
        if not said[0]:
            return new_id()
        return derived_id(self._world.keyring, "export", " ".join([customer_id, account.account_id, *said]))

    async def made(self, session: SessionRow | None, account: Account) -> tuple[Export, ...]:
        """Return what was asked for of this account and is not gone yet, the newest first."""
        owner = await self._accounts.owner(session)
        if isinstance(owner, Refused):
            return ()
        async with self._world.store.begin() as tx:
            rows = await tx.exports.of(owner.customer_id, self._world.clock.now())
        return tuple(row for row in rows if row.account_id == account.account_id)

    async def file(self, session: SessionRow | None, export_id: str) -> Export | Refused:
        """Return a file that is ready, with its body, to the customer who asked for it."""
        owner = await self._accounts.owner(session)
        if isinstance(owner, Refused):
            return owner
        now = self._world.clock.now()
        async with self._world.store.begin() as tx:
            found = await tx.exports.find(owner.customer_id, export_id[:64].replace("\0", ""), now)
            if found is None or found.body is None:
                return NOT_FOUND
            details: dict[str, str | int] = {"format": found.format.value}
            await tx.audit.record(Event(chain=owner.customer_id, kind="statement-fetched", details=details), now)
        return found

    @property
    def tells_of_money(self) -> bool:
        """Whether somebody may choose to be told of money: only where the accounts say when it moves."""
        return self._world.accounts.tells_of_money

    async def alerts(self, session: SessionRow | None) -> Alerts | Refused:
        """Return what this customer chose to be told."""
        owner = await self._accounts.owner(session)
        if isinstance(owner, Refused):
            return owner
        async with self._world.store.begin() as tx:
            return await tx.alerts.of(owner.customer_id) or Alerts(customer_id=owner.customer_id)

    async def choose(
        self, session: SessionRow | None, form: Mapping[str, str], currency: str, language: str
    ) -> tuple[Alerts, Mapping[str, str]] | Refused:
        """Choose what to be told. The number is told of the choice: a thief would choose silence first. Who chooses
        what is chosen already changes nothing, and nobody is told."""
        owner = await self._accounts.owner(session)
        if isinstance(owner, Refused):
            return owner
        alerts = Alerts(
            customer_id=owner.customer_id,
            money_in=self.tells_of_money and form.get("money_in") == "yes",
            sign_in=form.get("sign_in") == "yes",
            language=language,
        )
        if self.tells_of_money and form.get("money_out") == "yes":
            typed = form.get("above", "")[:40]
            try:
                above = money(unicodedata.normalize("NFKC", typed).replace(",", "").strip() or "0", currency)
            except BadMoney:
                return alerts, {"above": typed}
            alerts = msgspec.structs.replace(alerts, out_above_minor=abs(above).minor)
        now = self._world.clock.now()
        message = Message(
            message_id=new_id(), customer_id=owner.customer_id, phone=owner.phone, template="sms.alerts-changed",
            language=language, facts={}, expires_at=now + limits.DAY,
        )  # fmt: skip
        async with self._world.store.begin() as tx:
            if await tx.alerts.of(owner.customer_id) == alerts:
                return alerts, {}
            await tx.alerts.put(alerts, now)
            await tx.outbox.put(message, now)
            await tx.audit.record(Event(chain=owner.customer_id, kind="alerts-chosen"), now)
        return alerts, {}
