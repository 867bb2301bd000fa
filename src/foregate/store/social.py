"""WeChat and Alipay accounts: names claimed like every name to sign in by, attributes sealed each by itself."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import msgspec
from sqlalchemy import and_, bindparam, delete, select, update

from foregate.ports.errors import Taken
from foregate.ports.social import SocialAccount, Trait
from foregate.rules.social import Attribute, Provider
from foregate.store.keyring import Keys
from foregate.store.social_tables import profile_attribute, social_account
from foregate.store.statements import Connection, Row, Statement, insert_into, text_of, time_of
from foregate.store.tables import login_name

_a, _n, _p = social_account.c, login_name.c, profile_attribute.c
_account: Final = and_(_a.customer_id == text_of("of_customer"), _a.provider == text_of("of_provider"))
_profile: Final = and_(_p.customer_id == text_of("of_customer"), _p.provider == text_of("of_provider"))

_CLAIM: Final = Statement(insert_into(login_name).on_conflict_do_nothing().returning(_n.kind))
_HOLDER: Final = Statement(select(_n.customer_id).where(_n.kind == bindparam("kind"), _n.digest == bindparam("digest")))
_GIVE_BACK: Final = Statement(delete(login_name).where(_n.kind == bindparam("kind"), _n.digest == bindparam("digest")))
_LET_GO: Final = Statement(
    delete(login_name).where(_n.kind == text_of("of_provider"), _n.customer_id == text_of("of_customer"))
)
_INSERT: Final = Statement(insert_into(social_account).on_conflict_do_nothing().returning(_a.provider))
_OF: Final = Statement(select(social_account).where(_a.customer_id == text_of("of_customer")).order_by(_a.provider))
_TOUCH: Final = Statement(update(social_account).where(_account).values(used_at=time_of("now")))
_UNLINK: Final = Statement(delete(social_account).where(_account))

_upsert: Final = insert_into(profile_attribute)
_PUT: Final = Statement(
    _upsert.on_conflict_do_update(
        index_elements=[_p.customer_id, _p.provider, _p.attribute],
        set_={name: _upsert.excluded[name] for name in ("value_sealed", "origin", "taken_at")},
    )
)
_PROFILE: Final = Statement(select(profile_attribute).where(_profile))
_FORGET: Final = Statement(delete(profile_attribute).where(_profile, _p.attribute == text_of("of_attribute")))
_FORGET_ALL: Final = Statement(delete(profile_attribute).where(_profile))

_NAMES: Final = msgspec.json.Decoder(tuple[str, ...])


class SocialAccountsIn:
    """`ports.social.SocialAccounts` in one transaction."""

    __slots__ = ("_connection", "_keys")

    def __init__(self, connection: Connection, keys: Keys) -> None:
        self._connection, self._keys = connection, keys

    async def link(self, row: SocialAccount, digests: tuple[bytes, ...]) -> None:
        """Claim the names and write the account. Raises Taken, and then has written nothing."""
        mine: list[bytes] = []
        # In one order for everybody: two who claim the same names wait for each other, and never in a circle.
        for digest in sorted(set(digests)):
            claimed = await self._connection.one(
                _CLAIM, kind=row.provider.value, digest=digest, customer_id=row.customer_id
            )
            if claimed is None:
                await self._give_back(row.provider, mine)
                is_own = await self._holder(row.provider, digest) == row.customer_id
                raise Taken("social_account" if is_own else row.provider.value)
            mine.append(digest)
        inserted = await self._connection.one(
            _INSERT,
            customer_id=row.customer_id,
            provider=row.provider.value,
            names_sealed=self._keys.encrypt(msgspec.json.encode(row.names), _place(row.customer_id, row.provider)),
            linked_at=row.linked_at,
            used_at=row.used_at,
        )
        if inserted is None:
            await self._give_back(row.provider, mine)
            raise Taken("social_account")

    async def _give_back(self, provider: Provider, digests: list[bytes]) -> None:
        # Whoever catches Taken may go on and commit; names claimed for nobody would then be lost for ever.
        for digest in digests:
            await self._connection.run(_GIVE_BACK, kind=provider.value, digest=digest)

    async def _holder(self, provider: Provider, digest: bytes) -> str | None:
        row = await self._connection.one(_HOLDER, kind=provider.value, digest=digest)
        return row["customer_id"] if row else None

    async def holder(self, provider: Provider, digests: tuple[bytes, ...]) -> str | None:
        """Return whose account has one of these names; None when nobody's, or when they are of several people."""
        found = [await self._holder(provider, digest) for digest in digests]
        holders = {customer_id for customer_id in found if customer_id is not None}
        return holders.pop() if len(holders) == 1 else None

    async def of(self, customer_id: str) -> tuple[SocialAccount, ...]:
        """Return the accounts of a customer."""
        return tuple(map(self._opened, await self._connection.all(_OF, of_customer=customer_id)))

    async def touch(self, customer_id: str, provider: Provider, now: int) -> None:
        """It was used now."""
        await self._connection.run(_TOUCH, of_customer=customer_id, of_provider=provider.value, now=now)

    async def unlink(self, customer_id: str, provider: Provider) -> bool:
        """Let go of the account, its names and what was taken from it. False: there was none."""
        which = {"of_customer": customer_id, "of_provider": provider.value}
        await self._connection.run(_FORGET_ALL, **which)
        await self._connection.run(_LET_GO, **which)
        return await self._connection.run(_UNLINK, **which) == 1

    def _opened(self, row: Row) -> SocialAccount:
        provider = Provider(row["provider"])
        names = self._keys.decrypt(row["names_sealed"], _place(row["customer_id"], provider))
        return SocialAccount(
            customer_id=row["customer_id"],
            provider=provider,
            names=_NAMES.decode(names),
            linked_at=row["linked_at"],
            used_at=row["used_at"],
        )


class SocialProfilesIn:
    """`ports.social.SocialProfiles` in one transaction."""

    __slots__ = ("_connection", "_keys")

    def __init__(self, connection: Connection, keys: Keys) -> None:
        self._connection, self._keys = connection, keys

    async def put(self, customer_id: str, provider: Provider, trait: Trait) -> None:
        """Write one attribute, over what was there."""
        await self._connection.run(
            _PUT,
            customer_id=customer_id,
            provider=provider.value,
            attribute=trait.attribute.value,
            value_sealed=self._keys.encrypt(trait.value, _place_of(customer_id, provider, trait.attribute)),
            origin=trait.origin,
            taken_at=trait.taken_at,
        )

    async def of(self, customer_id: str, provider: Provider) -> Mapping[Attribute, Trait]:
        """Return what was taken from one provider."""
        rows = await self._connection.all(_PROFILE, of_customer=customer_id, of_provider=provider.value)
        found = {}
        for row in rows:
            attribute = Attribute(row["attribute"])
            value = self._keys.decrypt(row["value_sealed"], _place_of(customer_id, provider, attribute))
            found[attribute] = Trait(attribute=attribute, value=value, origin=row["origin"], taken_at=row["taken_at"])
        return found

    async def delete(self, customer_id: str, provider: Provider, attribute: Attribute) -> bool:
        """Delete one attribute. False: there was none."""
        which = {"of_customer": customer_id, "of_provider": provider.value, "of_attribute": attribute.value}
        return await self._connection.run(_FORGET, **which) == 1


def _place(customer_id: str, provider: Provider) -> str:
    return f"social_account.names:{customer_id}:{provider}"


def _place_of(customer_id: str, provider: Provider, attribute: Attribute) -> str:
    return f"profile_attribute.value:{customer_id}:{provider}:{attribute}"
