"""Bring the demo's accounts in: one for each card, with the life of whoever holds it."""

from __future__ import annotations

from datetime import date

from foregate.accounts.alerts import alert
from foregate.bootstrap import Foregate
from foregate.demo.lives import YEARS, ZONE, batches, life_of, paid_now
from foregate.demo.people import PEOPLE, Card, Person
from foregate.local_time import day_of
from foregate.ports.accounts import Account, Servicer
from foregate.ports.ledger import Told
from foregate.rules import limits
from foregate.situation import World


async def settle_accounts(house: Foregate) -> None:
    """Open every card's account, and let two years pass. Does nothing for a bank that has them already."""
    if await house.world.accounts.accounts_of(PEOPLE[-1].core_ref):
        return
    today = day_of(house.world.clock.now(), ZONE.key)
    for person in PEOPLE:
        for number, card in enumerate(person.cards):
            # The second card is one that was asked for and never used.
            await _open(house, person, card, today, life_of(person, today) if number == 0 else [])


async def _open(house: Foregate, person: Person, card: Card, today: date, told: list[Told]) -> None:
    now = house.world.clock.now()
    account = Account(
        account_id="",
        core_ref=person.core_ref,
        scheme_name="PAN",
        identification=card.number,
        currency="CNY",
        product="借记卡",
        account_class="I",
        owner_name=person.name,
        opened_on=today.replace(year=today.year - YEARS, day=1).isoformat(),
        servicer=Servicer(bicfi="FGTECNBJXXX", clearing_member_id="999100000017", name=house.settings.bank_name),
    )
    async with house.store.begin() as tx:
        account = await tx.ledger.open(account, now, is_live=True)
    for batch in batches(told, limits.ENTRY_BATCH):
        async with house.store.begin() as tx:
            await tx.ledger.tell(account, batch, now, source="outside")


async def pay(world: World, person: Person) -> int:
    """Let 300 yuan come to this person's card, now. Returns how many messages told them: none if they chose none."""
    accounts = await world.accounts.accounts_of(person.core_ref)
    if not accounts or not world.accounts.tells_of_money:
        return 0
    account, now = accounts[0], world.clock.now()
    told = [paid_now(person, now)]
    async with world.store.begin() as tx:
        await tx.ledger.hold(account)
        await tx.ledger.tell(account, told, now, source="outside")
        return await alert(tx, account, told, now)
