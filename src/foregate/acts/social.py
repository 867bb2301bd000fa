"""Acts `link-social`, `unlink-social`, `withdraw-consent`, `give-consent` and `fill-in-profile`: accounts elsewhere.

Linking makes an account a proof, so the row asks for two categories afresh; taking away asks for any session.
What was taken along goes in the transaction in which its consent is taken back. Tokens of providers are not kept, so
what a provider tells is taken along by confirming there once more: linking what is linked already does no other thing.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from foregate.acts import Done, admit_anybody, prepare_nothing, record, tell
from foregate.acts.end_sessions import End
from foregate.acts.throw_out import unlink
from foregate.ports import Keyring, Taken
from foregate.ports.social import SocialAccount, Trait
from foregate.rules import inputs
from foregate.rules.consents import TEXT_VERSION, purpose_of
from foregate.rules.engine import opens_without
from foregate.rules.social import ASKED_OF_THE_PERSON, GENDERS, Attribute, Provider, inert
from foregate.rules.social_inputs import Returned
from foregate.rules.words import SOCIAL
from foregate.situation import Refused, Situation

BY_THE_PERSON = "person"


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """An account that its holder confirmed just now, and what may be kept of it."""

    provider: Provider
    names: tuple[str, ...]
    wants: tuple[Attribute, ...] = ()
    taken: Mapping[Attribute, bytes] = {}


def digests_of(provider: Provider, names: tuple[str, ...], keyring: Keyring) -> tuple[bytes, ...]:
    """Return what an account is found by."""
    return tuple(keyring.digest("social", f"{provider}:{name}") for name in names)


class Link:
    """`link-social`: from now on this account says who its holder is."""

    ACTS = ("link-social",)
    INPUT: type[inputs.Answer] | None = Returned
    admit, prepare = staticmethod(admit_anybody), staticmethod(prepare_nothing)

    async def perform(self, prepared: Found, at: Situation) -> Done | Refused:
        """Claim the account, write down what was agreed to, keep that and nothing else, and tell."""
        customer = at.customer
        if customer is None:
            return Refused(cause="not-registered")
        provider, who = prepared.provider, customer.customer_id
        digests = digests_of(provider, prepared.names, at.world.keyring)
        is_linked = await at.tx.social.holder(provider, digests) == who
        if is_linked and not prepared.wants:
            return Refused(cause="social-linked-already")
        if not is_linked and (refused := await self._claim(prepared, digests, at)) is not None:
            return refused
        for attribute in prepared.wants:
            await at.tx.consents.give(who, purpose_of(provider, attribute), TEXT_VERSION, at.now)
            if value := prepared.taken.get(attribute):
                trait = Trait(attribute=attribute, value=value, origin=provider.value, taken_at=at.now)
                await at.tx.profiles.put(who, provider, trait)
        if is_linked:
            await record(at, "consent-given", purpose="+".join(purpose_of(provider, each) for each in prepared.wants))
        else:
            await tell(at, f"sms.linked-{provider}", customer.phone)
            await record(at, "social-linked", provider=provider.value, agreed="+".join(prepared.wants))
        return Done(facts={"provider": provider.value})

    async def _claim(self, prepared: Found, digests: tuple[bytes, ...], at: Situation) -> Refused | None:
        provider, who = prepared.provider, at.subject.customer_id
        account = SocialAccount(
            customer_id=who, provider=provider, names=prepared.names, linked_at=at.now, used_at=at.now
        )
        try:
            await at.tx.social.link(account, digests)
        except Taken as taken:
            return Refused(cause="social-taken" if str(taken) == provider.value else "social-linked-already")
        return None


class Which(inputs.Answer, frozen=True):
    """Which account."""

    provider: inputs.ProviderWord


class Unlink(End):
    """`unlink-social`: this account says nothing about anybody any more, and nothing of it is kept."""

    ACTS = ("unlink-social",)
    INPUT = Which

    async def perform(self, prepared: Which, at: Situation) -> Done | Refused:
        """Let go of it, unless it is the last way in. What was agreed to for it is taken back with it."""
        customer, provider = at.customer, Provider(prepared.provider)
        if customer is None:
            return Refused(cause="not-registered")
        if not opens_without(SOCIAL, at.journeys, at.built):
            return Refused(cause="last-way-in")
        if not await unlink(at, customer.customer_id, provider, customer.phone):
            return Refused(cause="no-such-link")
        await record(at, "social-unlinked", provider=provider.value)
        return Done(facts={"provider": provider.value})


class WhichAttribute(inputs.Answer, frozen=True):
    """Of which account, and what."""

    provider: inputs.ProviderWord
    attribute: inputs.AttributeWord


class Withdraw(End):
    """`withdraw-consent`: no longer agreed to, no longer kept."""

    ACTS = ("withdraw-consent",)
    INPUT = WhichAttribute

    async def perform(self, prepared: WhichAttribute, at: Situation) -> Done | Refused:
        """Write it into the ledger and delete what was kept. Doing it twice is doing it once."""
        customer = at.customer
        if customer is None:
            return Refused(cause="not-registered")
        provider, attribute = Provider(prepared.provider), Attribute(prepared.attribute)
        purpose = purpose_of(provider, attribute)
        await at.tx.consents.withdraw(customer.customer_id, purpose, at.now)
        await at.tx.profiles.delete(customer.customer_id, provider, attribute)
        await record(at, "consent-withdrawn", purpose=purpose.value)
        return Done(facts={"provider": provider.value})


class Give(End):
    """`give-consent`: agreed to after all, whether it was declined when linking or taken back since."""

    ACTS = ("give-consent",)
    INPUT = WhichAttribute

    async def perform(self, prepared: WhichAttribute, at: Situation) -> Done | Refused:
        """Write it into the ledger, with the text of today. Nothing is kept by it alone. Twice is once."""
        customer = at.customer
        if customer is None:
            return Refused(cause="not-registered")
        provider, attribute = Provider(prepared.provider), Attribute(prepared.attribute)
        if provider not in {account.provider for account in await at.tx.social.of(customer.customer_id)}:
            return Refused(cause="no-such-link")
        purpose = purpose_of(provider, attribute)
        await at.tx.consents.give(customer.customer_id, purpose, TEXT_VERSION, at.now)
        await record(at, "consent-given", purpose=purpose.value, text=TEXT_VERSION)
        return Done(facts={"provider": provider.value})


class Filled(inputs.Answer, frozen=True):
    """What the person says themselves."""

    provider: inputs.ProviderWord
    attribute: inputs.AttributeWord
    value: inputs.OwnWord


class FillIn(End):
    """`fill-in-profile`: what the provider does not tell, the person may."""

    ACTS = ("fill-in-profile",)
    INPUT = Filled

    async def perform(self, prepared: Filled, at: Situation) -> Done | Refused:
        """Keep it, if keeping it was agreed to and nobody has told it yet."""
        customer = at.customer
        if customer is None:
            return Refused(cause="not-registered")
        provider, attribute = Provider(prepared.provider), Attribute(prepared.attribute)
        consent = (await at.tx.consents.of(customer.customer_id)).get(purpose_of(provider, attribute))
        value = _own_word(attribute, prepared.value)
        if consent is None or not consent.holds or value is None:
            return Refused(cause="no-such-link")
        trait = Trait(attribute=attribute, value=value.encode(), origin=BY_THE_PERSON, taken_at=at.now)
        await at.tx.profiles.put(customer.customer_id, provider, trait)
        await record(at, "profile-filled-in", purpose=purpose_of(provider, attribute).value)
        return Done(facts={"provider": provider.value})


def _own_word(attribute: Attribute, value: str) -> str | None:
    if attribute not in ASKED_OF_THE_PERSON:
        return None
    if attribute is Attribute.GENDER:
        return value if value in GENDERS else None
    return inert(value) or None


LINK, UNLINK, WITHDRAW, GIVE, FILL_IN = Link(), Unlink(), Withdraw(), Give(), FillIn()
KINDS: tuple[Any, ...] = (LINK, UNLINK, WITHDRAW, GIVE, FILL_IN)
