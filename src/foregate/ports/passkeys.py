"""Customers' passkeys, and what their authenticators have to sign: as they cross a port."""

from __future__ import annotations

from typing import Protocol

import msgspec


class PasskeyRow(msgspec.Struct, frozen=True, kw_only=True):
    """A key pair that a customer's phone or security key keeps: the public half, and how often it was used."""

    customer_id: str
    passkey_id: str
    credential_id: bytes  # sealed in the store, found by its digest
    public_key: bytes  # COSE
    sign_count: int  # 0: this authenticator does not count
    is_synced_kind: bool  # may be copied between its owner's devices, so it is not bound to one
    is_backed_up: bool  # has been
    name: str  # what its owner calls it, sealed in the store; empty: it is called by the browser that made it
    agent: str
    created_at: int
    used_at: int  # 0: never yet


class PasskeyChallenge(msgspec.Struct, frozen=True, kw_only=True):
    """What an authenticator has to sign, for one journey and so for one browser."""

    journey_id: str
    challenge: bytes
    expires_at: int


class Passkeys(Protocol):
    """Passkeys by customer; the digest of a credential leads to its customer, as a name to sign in by does."""

    async def insert(self, row: PasskeyRow, digest: bytes) -> None:
        """Raises Taken("passkey") when this credential is known already, whoever's it is."""

    async def find(self, digest: bytes) -> PasskeyRow | None:
        """By the digest of the credential."""

    async def of(self, customer_id: str) -> tuple[PasskeyRow, ...]:
        """Every passkey of a customer, the oldest first."""

    async def use(self, row: PasskeyRow, *, sign_count: int, is_backed_up: bool, now: int) -> bool:
        """Guarded by the count it was compared with. False: it was used meanwhile, or it is gone."""

    async def rename(self, customer_id: str, passkey_id: str, name: str) -> bool:
        """False: it is not there."""

    async def remove(self, customer_id: str, passkey_id: str) -> bool:
        """Forget it, and the name that led to it. False: it was not there."""

    async def put_challenge(self, row: PasskeyChallenge) -> None:
        """At most one for each journey: a newer one replaces the older."""

    async def live_challenge(self, journey_id: str, now: int) -> bytes | None:
        """What this journey waits for, without using it."""

    async def take_challenge(self, journey_id: str, now: int) -> bytes | None:
        """Use it up, in one guarded statement; None: used, expired, or never there."""
