"""Acts `add-passkey`, `remove-passkey` and `rename-passkey`.

Rules
  1. A passkey is added by whoever gave two categories just now, and told of by message. For COOLING_SECONDS it signs
     in and buys nothing that lasts: a thief who added one has a day of nothing, its owner a day to object.
  2. What an authenticator made is taken once, for the challenge of this very journey.
  3. The last way in is not removed: whoever could get in by a passkey alone keeps it until there is another way.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from foregate.acts import Done, record, tell
from foregate.acts.end_sessions import End
from foregate.ids import new_id
from foregate.passkey_options import Owner, to_enrol
from foregate.ports import PasskeyRow, Taken
from foregate.proofs import held, passkey
from foregate.rules import inputs, limits, masks
from foregate.situation import Refused, Situation, Subject, World


class Made(inputs.Answer, frozen=True):
    """What the authenticator made, as the browser's JSON, and what to call it."""

    credential: inputs.Credential
    passkey_name: inputs.Label = ""


class Add(End):
    """`add-passkey`: sign in by fingerprint, face or screen lock from now on."""

    ACTS = ("add-passkey",)
    INPUT = Made

    async def admit(self, at: Situation) -> Refused | None:
        """Whoever has enough of them removes one first. Everybody else gets a challenge."""
        if len(await at.tx.passkeys.of(at.subject.customer_id)) >= limits.PASSKEYS_PER_CUSTOMER:
            return Refused(cause="too-many-passkeys")
        await passkey.draw(at)
        return None

    async def prepare(self, given: Made, subject: Subject, world: World) -> Made:
        """Load what reads an authenticator's answer."""
        await passkey.ready()
        return given

    async def perform(self, prepared: Made, at: Situation) -> Done | Refused:
        """Keep it, and tell its owner."""
        from foregate import passkey_wire

        customer = at.customer
        if customer is None:
            return Refused(cause="not-registered")
        challenge = await at.tx.passkeys.take_challenge(at.journey_id, at.now)
        made = passkey_wire.made(at.world.site, prepared.credential, challenge) if challenge else None
        if made is None:
            return Refused(cause="passkey-not-made")
        if len(await at.tx.passkeys.of(customer.customer_id)) >= limits.PASSKEYS_PER_CUSTOMER:
            return Refused(cause="too-many-passkeys")
        row = PasskeyRow(
            customer_id=customer.customer_id,
            passkey_id=new_id(),
            credential_id=made.credential_id,
            public_key=made.public_key,
            sign_count=made.sign_count,
            is_synced_kind=made.is_synced_kind,
            is_backed_up=made.is_backed_up,
            name=prepared.passkey_name,
            agent=at.agent,
            created_at=at.now,
            used_at=0,
        )
        try:
            await at.tx.passkeys.insert(row, passkey.digest_of(at.world.keyring, made.credential_id))
        except Taken:
            return Refused(cause="passkey-not-made")
        await tell(at, "sms.passkey-added", customer.phone)
        await record(at, "passkey-added", passkey=row.passkey_id, synced=int(made.is_backed_up))
        return Done()


async def facts(at: Situation) -> Mapping[str, str | int]:
    """Return what the authenticator is to make, while there is a challenge for it."""
    challenge = await at.tx.passkeys.live_challenge(at.journey_id, at.now)
    customer = await at.tx.customers.find(at.subject.customer_id)
    if challenge is None or customer is None:
        return {}
    known = await at.tx.passkeys.of(customer.customer_id)
    owner = Owner(
        passkey.handle_of(customer.customer_id),
        customer.user_name or masks.mask_phone(customer.phone),
        masks.mask_name(customer.name),
    )
    return {"options": to_enrol(at.world.site, owner, challenge, [row.credential_id for row in known])}


class Which(inputs.Answer, frozen=True):
    """Which passkey, by its id from the list."""

    passkey_id: inputs.Choice


class Removal(msgspec.Struct, frozen=True):
    """Which one goes, and whether its owner could do without any."""

    passkey_id: str
    is_spare: bool


class Remove(End):
    """`remove-passkey`: it signs in no more, and the sessions that passkeys opened elsewhere end."""

    ACTS = ("remove-passkey",)
    INPUT = Which

    async def prepare(self, given: Which, subject: Subject, world: World) -> Removal:
        """Look whether there would be a way in without any passkey: that asks the core bank about cards."""
        return Removal(given.passkey_id, await held.gets_in_without(subject.customer_id, passkey.PROOF.name, world))

    async def perform(self, prepared: Removal, at: Situation) -> Done | Refused:
        """Remove it; what is not the customer's own does not exist."""
        customer_id = at.subject.customer_id
        rows = {row.passkey_id: row for row in await at.tx.passkeys.of(customer_id)}
        row = rows.get(prepared.passkey_id)
        if row is None:
            return Refused(cause="no-such-passkey")
        if len(rows) == 1 and not prepared.is_spare:
            return Refused(cause="last-way-in")
        await at.tx.passkeys.remove(customer_id, row.passkey_id)
        ends_this = await self._end_sessions(at, is_new=row.created_at + limits.COOLING_SECONDS > at.now)
        await tell(at, "sms.passkey-removed", at.subject.phone)
        await record(at, "passkey-removed", passkey=row.passkey_id)
        return Done(ends_session=ends_this)

    async def _end_sessions(self, at: Situation, *, is_new: bool) -> bool:
        """End what a passkey opened elsewhere; here too when it was new, or it would outlive its cooling."""
        ends_this = False
        for session in await at.tx.sessions.of(at.subject.customer_id):
            is_this = session.session_id == at.session_id
            if any(proof == passkey.PROOF.name for proof, _ in session.evidence) and (is_new or not is_this):
                await at.tx.sessions.end(session.customer_id, session.session_id)
                ends_this = ends_this or is_this
        return ends_this


class Renamed(inputs.Answer, frozen=True):
    """Which passkey, and what it is called from now on; nothing: by what made it."""

    passkey_id: inputs.Choice
    passkey_name: inputs.Label = ""


class Rename(End):
    """`rename-passkey`: called otherwise, nothing else."""

    ACTS = ("rename-passkey",)
    INPUT = Renamed

    async def perform(self, prepared: Any, at: Situation) -> Done | Refused:
        """Call it so."""
        if not await at.tx.passkeys.rename(at.subject.customer_id, prepared.passkey_id, prepared.passkey_name):
            return Refused(cause="no-such-passkey")
        await record(at, "passkey-renamed", passkey=prepared.passkey_id[:36])
        return Done()


ADD, REMOVE, RENAME = Add(), Remove(), Rename()
