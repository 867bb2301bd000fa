"""Accounts elsewhere as their owner sees them: which are linked, what is kept of each, and what was agreed to."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from foregate.ports import SessionRow
from foregate.ports.social import Consent, SocialAccount, Trait
from foregate.rules.consents import Purpose, purpose_of
from foregate.rules.social import ASKED_OF_THE_PERSON, Attribute, Provider
from foregate.situation import World


class AttributeView(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that may be kept. `value` None: nothing is kept; a picture's is its address."""

    attribute: Attribute
    is_agreed: bool
    value: str | None
    is_own_word: bool  # the person said it, not the provider
    may_be_told: bool  # nothing is kept, and the person may say it
    text_version: str | None  # of the words that were agreed to, also where it was taken back
    given_seconds_ago: int | None
    withdrawn_seconds_ago: int | None


class ConsentView(msgspec.Struct, frozen=True, kw_only=True):
    """One purpose that was ever agreed to, and how it stands."""

    purpose: Purpose
    is_agreed: bool
    text_version: str
    given_seconds_ago: int
    withdrawn_seconds_ago: int | None


class LinkedView(msgspec.Struct, frozen=True, kw_only=True):
    """One provider, linked or not."""

    provider: Provider
    is_linked: bool
    is_set_up: bool
    linked_seconds_ago: int | None
    used_seconds_ago: int | None
    attributes: tuple[AttributeView, ...]


class Linked:
    """What doors ask about accounts elsewhere."""

    def __init__(self, world: World) -> None:
        self._world = world

    async def of(self, session: SessionRow) -> tuple[LinkedView, ...]:
        """Return every provider that is set up or linked."""
        now, found = self._world.clock.now(), []
        async with self._world.store.begin() as tx:
            accounts = {row.provider: row for row in await tx.social.of(session.customer_id)}
            consents = await tx.consents.of(session.customer_id)
            for provider in Provider:
                traits = await tx.profiles.of(session.customer_id, provider)
                attributes = tuple(
                    _attribute(provider, attribute, consents.get(purpose_of(provider, attribute)), traits, now)
                    for attribute in Attribute
                    if attribute in self._world.attributes or purpose_of(provider, attribute) in consents
                )
                found.append(self._view(provider, accounts.get(provider), attributes, now))
        return tuple(view for view in found if view.is_linked or view.is_set_up)

    async def consents(self, session: SessionRow) -> tuple[ConsentView, ...]:
        """Return every purpose that was ever agreed to, the face among them."""
        now = self._world.clock.now()
        async with self._world.store.begin() as tx:
            ledger = await tx.consents.of(session.customer_id)
        return tuple(
            ConsentView(
                purpose=purpose,
                is_agreed=consent.holds,
                text_version=consent.text_version,
                given_seconds_ago=max(0, now - consent.given_at),
                withdrawn_seconds_ago=None if consent.holds else max(0, now - consent.withdrawn_at),
            )
            for purpose in Purpose
            if (consent := ledger.get(purpose)) is not None
        )

    def _view(
        self, provider: Provider, account: SocialAccount | None, attributes: tuple[AttributeView, ...], now: int
    ) -> LinkedView:
        return LinkedView(
            provider=provider,
            is_linked=account is not None,
            is_set_up=provider in self._world.social,
            linked_seconds_ago=max(0, now - account.linked_at) if account else None,
            used_seconds_ago=max(0, now - account.used_at) if account else None,
            attributes=attributes,
        )

    async def picture(self, session: SessionRow, provider: Provider) -> bytes | None:
        """Return the customer's own picture, if one is kept."""
        async with self._world.store.begin() as tx:
            trait = (await tx.profiles.of(session.customer_id, provider)).get(Attribute.AVATAR)
        return trait.value if trait else None


def _attribute(
    provider: Provider, attribute: Attribute, consent: Consent | None, traits: Mapping[Attribute, Trait], now: int
) -> AttributeView:
    trait = traits.get(attribute)
    holds = consent is not None and consent.holds
    text = None
    if trait is not None:
        text = f"/linked/{provider}/picture" if attribute is Attribute.AVATAR else trait.value.decode()
    return AttributeView(
        attribute=attribute,
        is_agreed=holds,
        value=text,
        is_own_word=trait is not None and trait.origin != provider.value,
        may_be_told=holds and trait is None and attribute in ASKED_OF_THE_PERSON,
        text_version=consent.text_version if consent else None,
        given_seconds_ago=max(0, now - consent.given_at) if consent else None,
        withdrawn_seconds_ago=max(0, now - consent.withdrawn_at) if consent and not consent.holds else None,
    )
