"""Sessions: is this one alive, what does its owner see, and how does a tap keep it.

A check is one read by key. It changes nothing but `seen_at`, and that at most every SESSION_TOUCH_SECONDS.
"""

from __future__ import annotations

from contextlib import suppress
from datetime import date

import msgspec

from foregate.ports import Busy, CardHolder, DeviceRow, Person, SessionRow
from foregate.ports.face_records import FaceTemplateRow
from foregate.rules import documents, limits, masks
from foregate.rules.consents import Purpose
from foregate.rules.documents import State
from foregate.rules.faces import Ending, ending_at
from foregate.rules.inputs import age_on
from foregate.rules.words import Level
from foregate.situation import World
from foregate.tokens import parse


class SessionView(msgspec.Struct, frozen=True, kw_only=True):
    """One session in the list."""

    id: str
    level: Level
    agent: str
    is_this: bool
    started_seconds_ago: int
    seen_seconds_ago: int


class DeviceView(msgspec.Struct, frozen=True, kw_only=True):
    """One remembered device in the list."""

    id: str
    agent: str
    is_this: bool
    remembered_seconds_ago: int
    seen_seconds_ago: int


class CardView(msgspec.Struct, frozen=True, kw_only=True):
    """A card, masked."""

    card: str


class DocumentView(msgspec.Struct, frozen=True, kw_only=True):
    """How the customer's ID document stands. `days_left`: to its last day, or to the end of the grace after it."""

    state: State
    days_left: int | None


class FaceView(msgspec.Struct, frozen=True):
    """Where the face on file stands, and how many days it lasts."""

    state: Ending
    days_left: int


class Me(msgspec.Struct, frozen=True, kw_only=True):
    """What a signed-in customer is greeted with."""

    name: str
    user_name: str | None
    phone: str
    level: Level
    cards: tuple[CardView, ...]
    is_device_remembered: bool
    idle_in_seconds: int
    ends_in_seconds: int
    document: DocumentView | None = None  # None: the bank holds none
    face: FaceView | None = None  # None: there is none on file
    may_withdraw_face: bool = False  # there is one on file, or a consent to it that still holds
    may_want_care: bool = False  # by the birth date that the bank holds: large print may be offered, and no more


class Sessions:
    """What doors ask about sessions."""

    def __init__(self, world: World) -> None:
        self._world = world

    async def check(self, text: str | None) -> SessionRow | None:
        """Return the live session that a token opens, or None."""
        token = parse(text)
        if token is None:
            return None
        session = await self._world.store.session(token.customer_id, token.id)
        if session is None or not token.opens(session.secret_digest):
            return None
        now = self._world.clock.now()
        if session.expires_at <= now or session.seen_at + idle_seconds(session) <= now:
            return None
        if session.seen_at + limits.SESSION_TOUCH_SECONDS <= now:
            # Who is signed in stays so while everybody else queues: the next request writes it down.
            with suppress(Busy):
                await self._world.store.touch_session(session.customer_id, session.session_id, now)
        return session

    async def me(self, session: SessionRow) -> Me | None:
        """Return the greeting: name, number and cards masked. None when the customer is gone."""
        async with self._world.store.begin() as tx:
            customer = await tx.customers.find(session.customer_id)
            face = await tx.faces.find(session.customer_id)
            consent = None if face else (await tx.consents.of(session.customer_id)).get(Purpose.FACE)
        if customer is None:
            return None
        cards = await self._world.core.cards_of(customer.core_ref)
        holder = cards[0] if cards else await self._world.core.person(customer.core_ref)
        now = self._world.clock.now()
        return Me(
            name=masks.mask_name(customer.name),
            user_name=customer.user_name,
            phone=masks.mask_phone(customer.phone),
            level=session.level,
            cards=tuple(CardView(card=masks.mask_card(card.card_number)) for card in cards),
            is_device_remembered=session.device_id is not None,
            idle_in_seconds=int(idle_seconds(session)),
            ends_in_seconds=max(0, session.expires_at - now),
            document=_document_view(holder, now) if holder else None,
            face=_face_view(face, self._world, now) if face else None,
            may_withdraw_face=face is not None or (consent is not None and consent.holds),
            may_want_care=_may_want_care(holder, now) if holder else False,
        )

    async def sessions_of(self, session: SessionRow) -> tuple[SessionView, ...]:
        """Return the customer's live sessions, this one marked."""
        now = self._world.clock.now()
        async with self._world.store.begin() as tx:
            rows = await tx.sessions.of(session.customer_id)
        return tuple(_session_view(row, session, now) for row in rows if row.seen_at + idle_seconds(row) > now)

    async def devices_of(self, session: SessionRow) -> tuple[DeviceView, ...]:
        """Return the customer's remembered devices, this one marked."""
        now = self._world.clock.now()
        async with self._world.store.begin() as tx:
            rows = await tx.devices.of(session.customer_id)
        return tuple(_device_view(row, session, now) for row in rows)


def idle_seconds(session: SessionRow) -> int:
    """Return how long this session may be left alone."""
    return limits.IDLE_SECONDS if session.level is Level.FULL else limits.IDLE_BASIC_SECONDS


def _document_view(holder: CardHolder | Person, now: int) -> DocumentView:
    standing = documents.standing_on(holder.document_expires_on, documents.day_of(now))
    return DocumentView(state=standing.state, days_left=standing.days_left)


def _face_view(face: FaceTemplateRow, world: World, now: int) -> FaceView:
    if world.faces is not None and world.faces.engine_id != face.engine_id:
        return FaceView(Ending.EXPIRED, 0)  # no engine that is left can compare with it
    return FaceView(*ending_at(face.expires_at, now))


def _may_want_care(holder: CardHolder | Person, now: int) -> bool:
    return age_on(documents.day_of(now), date.fromisoformat(holder.birth_date)) >= limits.CARE_AGE


def _session_view(row: SessionRow, this: SessionRow, now: int) -> SessionView:
    return SessionView(
        id=row.session_id,
        level=row.level,
        agent=row.agent,
        is_this=row.session_id == this.session_id,
        started_seconds_ago=max(0, now - row.created_at),
        seen_seconds_ago=max(0, now - row.seen_at),
    )


def _device_view(row: DeviceRow, this: SessionRow, now: int) -> DeviceView:
    return DeviceView(
        id=row.device_id,
        agent=row.agent,
        is_this=row.device_id == this.device_id,
        remembered_seconds_ago=max(0, now - row.created_at),
        seen_seconds_ago=max(0, now - row.seen_at),
    )
