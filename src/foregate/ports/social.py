"""WeChat and Alipay: the providers as clients see them, what is kept of an account, and the ledger of consents."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

import msgspec

from foregate.rules.consents import Purpose
from foregate.rules.social import Attribute, Provider, Surface


class ProviderDown(Exception):
    """The provider did not answer, or not so that it can be believed. Nothing is known; other ways stay open."""


class CodeRefused(Exception):
    """The code is none, expired, used, or another app's. A new one has to be asked for."""


class NotAPerson(Exception):
    """The account is a stand-in that the provider made up for a preview (`is_snapshotuser`): nobody's."""


class Grant(msgspec.Struct, frozen=True, kw_only=True):
    """What a code was worth. `names` are the account's, the most lasting first; the tokens are kept nowhere."""

    access_token: str
    refresh_token: str
    names: tuple[str, ...]
    surface: Surface


class Profile(msgspec.Struct, frozen=True, kw_only=True):
    """What the provider tells of a person, inert. Empty: it tells nothing, which is usual."""

    avatar_url: str = ""
    nickname: str = ""
    region: str = ""
    gender: str = ""


class SocialProvider(Protocol):
    """One provider. All but `authorize` raise ProviderDown."""

    @property
    def provider(self) -> Provider: ...

    @property
    def surfaces(self) -> frozenset[Surface]:
        """Where visitors can confirm: what the bank has an app id for."""

    def authorize(self, surface: Surface, state: str, *, profile: bool) -> str:
        """Return the address that the visitor is sent to. `profile`: more than the account's name is wanted."""

    def app_id(self, surface: Surface) -> str:
        """Return the app id of a surface, which the provider's own SDK asks for."""

    async def token(self, code: str, surface: Surface) -> Grant:
        """Spend the code. Raises CodeRefused, NotAPerson. Called again with the same code it is refused."""

    async def refresh(self, grant: Grant) -> Grant:
        """Return a grant that lives longer. Raises CodeRefused when it is too late."""

    async def profile(self, grant: Grant) -> Profile:
        """Return what may be known. Raises CodeRefused when the account is another than the grant's."""

    async def close(self) -> None: ...


class Pictures(Protocol):
    """Fetches pictures from addresses that a provider named, and trusts neither."""

    async def fetch(self, address: str) -> bytes | None:
        """Return a small JPEG made anew, or None when there is none to be had. Never raises for what it finds."""

    async def close(self) -> None: ...


class SocialAccount(msgspec.Struct, frozen=True, kw_only=True):
    """A provider's account that belongs to a customer."""

    customer_id: str
    provider: Provider
    names: tuple[str, ...]
    linked_at: int
    used_at: int


class Trait(msgspec.Struct, frozen=True, kw_only=True):
    """One attribute as kept. `origin`: the provider's name, or `person` who told it themselves."""

    attribute: Attribute
    value: bytes
    origin: str
    taken_at: int


class Consent(msgspec.Struct, frozen=True, kw_only=True):
    """How one purpose stands in the ledger. `withdrawn_at` 0: it holds."""

    purpose: str
    text_version: str
    given_at: int
    withdrawn_at: int = 0

    @property
    def holds(self) -> bool:
        """Whether what was agreed to is still agreed to."""
        return self.withdrawn_at == 0


class SocialAccounts(Protocol):
    """Accounts and who holds them. The caller holds the customer."""

    async def link(self, row: SocialAccount, digests: tuple[bytes, ...]) -> None:
        """Claim the account's names and write it down.

        Raises Taken: with the provider's name, when a name is another customer's; with `social_account`, when this
        customer has one of that provider. Then nothing was written.
        """

    async def holder(self, provider: Provider, digests: tuple[bytes, ...]) -> str | None:
        """Return whose account has one of these names; None when nobody's, or when they are of several people."""

    async def of(self, customer_id: str) -> tuple[SocialAccount, ...]: ...

    async def touch(self, customer_id: str, provider: Provider, now: int) -> None: ...

    async def unlink(self, customer_id: str, provider: Provider) -> bool:
        """Let go of the account, its names and what was taken from it. False: there was none."""


class SocialProfiles(Protocol):
    """What was taken along, sealed. The caller holds the customer and looked at the ledger."""

    async def put(self, customer_id: str, provider: Provider, trait: Trait) -> None: ...

    async def of(self, customer_id: str, provider: Provider) -> Mapping[Attribute, Trait]: ...

    async def delete(self, customer_id: str, provider: Provider, attribute: Attribute) -> bool: ...


class Consents(Protocol):
    """The ledger: lines are added and never changed. The caller holds the customer."""

    async def give(self, customer_id: str, purpose: Purpose, text_version: str, now: int) -> bool:
        """Write that it was given. False: it was, with this very text."""

    async def withdraw(self, customer_id: str, purpose: Purpose, now: int) -> bool:
        """Write that it was taken back. False: there was nothing to take back."""

    async def of(self, customer_id: str) -> Mapping[str, Consent]:
        """Return how every purpose stands that was ever given."""
