"""A bank with WeChat and Alipay: the doubles are in this process, and a visitor can go there and come back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx2

from foregate.gateways.social.pictures import GuardedPictures
from foregate.rules.social import Provider
from tests.bank import Answer, Bank, Person, Visitor, open_bank
from tests.doubles import Providers

WECHAT, ALIPAY = Provider.WECHAT, Provider.ALIPAY
NAMES = {"code", "auth_code"}


async def nowhere(host: str, port: int) -> list[str]:
    """A resolver that knows this machine alone."""
    return ["127.0.0.1"]


@dataclass
class SocialBank:
    """The bank, and the providers beside it."""

    bank: Bank
    providers: Providers

    async def link(
        self,
        visitor: Visitor,
        provider: Provider,
        account: str = "xiaoming",
        wants: tuple[str, ...] = (),
        *,
        person: Person,
    ) -> Answer:
        """Signed in a moment ago: choose, agree, confirm, come back."""
        await visitor.start("link-social", "choose", way=provider.value)
        await self.prove(visitor, person)
        ticked: dict[str, Any] = dict.fromkeys(wants, True)
        await visitor.answer("authorize", provider=provider.value, **ticked)
        return await self.go(visitor, account)

    async def prove(self, visitor: Visitor, person: Person) -> None:
        """Give what is asked until the account may be linked: nothing, when one has just signed in."""
        while visitor.last is not None and visitor.last.step in ("phone_code", "password"):
            given = {"code": await self.bank.code(person.phone)} if visitor.last.step == "phone_code" else None
            await visitor.answer(**(given or {"password": person.password}))

    def facts(self, visitor: Visitor) -> Mapping[str, Any]:
        """What the step that is asked says."""
        assert visitor.last is not None
        facts: dict[str, Any] = visitor.last.journey["step"]["facts"]
        return facts

    async def back(self, visitor: Visitor, account: str = "xiaoming", but: tuple[str, ...] = ()) -> dict[str, str]:
        """Go to the provider and agree there; return what the bank's callback would get."""
        return await self.providers.agree(str(self.facts(visitor)["authorize"]), account, but)

    async def go(self, visitor: Visitor, account: str = "xiaoming", but: tuple[str, ...] = ()) -> Answer:
        """Go to the provider, agree, and answer with what came back, as an app does."""
        came = await self.back(visitor, account, but)
        code = next(value for name, value in came.items() if name in NAMES)
        return await visitor.answer(auth_code=code, state=came["state"])

    async def call_back(self, visitor: Visitor, provider: Provider, **params: str) -> httpx2.Response:
        """Call the callback, as a browser does that was sent back."""
        response = await visitor.client.get(f"/social/{provider}/callback", params=params)
        await self.bank.deliver()
        return response

    async def linked(self, visitor: Visitor) -> dict[str, dict[str, Any]]:
        """What is linked, by provider, and of each what is kept, by attribute."""
        rows = (await visitor.get("/v1/linked")).body["list"]
        return {row["provider"]: row | {"attributes": {a["attribute"]: a for a in row["attributes"]}} for row in rows}


def query_of(location: str) -> dict[str, str]:
    """The parameters of an address."""
    return {name: values[0] for name, values in parse_qs(urlsplit(location).query).items()}


async def open_social_bank(database: str, *people: Person, draws: bool = True, **changes: Any) -> SocialBank:
    """Open a bank with both providers; without `draws` it has nothing that draws pictures anew."""
    providers = Providers()
    pictures = GuardedPictures((), allows_loopback=True, resolve=nowhere, transport=providers.transport)
    there = {
        "social": {WECHAT: providers.wechat, ALIPAY: providers.alipay},
        "pictures": pictures if draws else None,
    }
    bank = await open_bank(database, parts={"there": there}, **changes)
    providers.clock = providers.alipay._clock = bank.clock  # type: ignore[assignment]  # both have `at` and `now`
    await bank.settle(*people)
    return SocialBank(bank, providers)


__all__ = ["ALIPAY", "WECHAT", "SocialBank", "open_social_bank", "query_of"]
