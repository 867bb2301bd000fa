"""To a provider's page and back: where the visitor is sent, what comes back, and whether it is theirs.

Theory of operation
  `state` names the journey, the version at which it was shown, the provider and the surface, and carries a keyed
  digest over these and the visitor's cookie. So it works in the browser that was shown it, at that step, for that
  provider, once (the answer moves the version) and for SOCIAL_STATE_SECONDS. Nothing has to be stored for it.

  The code is spent outside any transaction. Whatever comes of it, the version moves: a second try begins with a new
  state and a new code.
"""

from __future__ import annotations

from collections.abc import Mapping
from hmac import compare_digest
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

import msgspec

from foregate.acts.social import Found
from foregate.desk.answers import Answered, Slow, typed
from foregate.desk.state import Errand
from foregate.desk.view import Option, Reply, StepView
from foregate.ports import Keyring
from foregate.ports.social import CodeRefused, NotAPerson, Profile, ProviderDown, SocialProvider
from foregate.rules import engine, limits
from foregate.rules.engine import Identify, Inform
from foregate.rules.inputs import Field
from foregate.rules.journeys import Journey
from foregate.rules.social import Attribute, Provider, Surface, inside
from foregate.rules.social_inputs import Returned, Wanted
from foregate.rules.words import Who
from foregate.situation import Refused, World

if TYPE_CHECKING:
    from foregate.desk.turn import House, Turn  # which shows what is said here

AUTHORIZE: Final = "authorize"
_MAC_BYTES: Final = 16
_PROVIDERS, _SURFACES = tuple(Provider), tuple(Surface)
WHO: Final[Mapping[Who, Provider]] = {Who.WECHAT: Provider.WECHAT, Who.ALIPAY: Provider.ALIPAY}


class Ticket(msgspec.Struct, frozen=True, kw_only=True):
    """What a state says once it was found to be ours."""

    journey_id: str
    version: int
    provider: Provider
    surface: Surface
    step: str
    at: int


class Trip(msgspec.Struct, frozen=True, kw_only=True):
    """What has to be asked of a provider, between two transactions."""

    provider: Provider
    surface: Surface
    code: str
    wants: tuple[Attribute, ...] = ()
    links: bool = False


# ---------------------------------------------------------------- state


def state_for(ticket: Ticket, visitor_digest: bytes, keyring: Keyring) -> str:
    """Return the state that the provider hands back: 80 hexadecimal digits, which every provider takes."""
    is_linking = ticket.step not in set(Who)
    kind = _PROVIDERS.index(ticket.provider) << 4 | _SURFACES.index(ticket.surface) << 1 | is_linking
    place = UUID(ticket.journey_id).bytes + ticket.version.to_bytes(3, "big")
    raw = place + bytes([kind]) + ticket.at.to_bytes(4, "big")
    return (raw + _mac(raw, visitor_digest, keyring)).hex()


def ticket_of(state: str, visitor_digest: bytes, keyring: Keyring, steps: tuple[str, str]) -> Ticket | None:
    """Return what a state says, or None when it is not ours or not this visitor's.

    Args:
        steps: the answer's step for whoever says who they are (the provider's name, when empty), and to link.
    """
    try:
        whole = bytes.fromhex(state)
    except ValueError:
        return None
    raw, mac = whole[:-_MAC_BYTES], whole[-_MAC_BYTES:]
    if len(raw) != 24 or not compare_digest(mac, _mac(raw, visitor_digest, keyring)):
        return None
    provider = _PROVIDERS[raw[19] >> 4]
    return Ticket(
        journey_id=str(UUID(bytes=raw[:16])),
        version=int.from_bytes(raw[16:19], "big"),
        provider=provider,
        surface=_SURFACES[raw[19] >> 1 & 7],
        step=steps[raw[19] & 1] or provider.value,
        at=int.from_bytes(raw[20:24], "big"),
    )


def _mac(raw: bytes, visitor_digest: bytes, keyring: Keyring) -> bytes:
    return keyring.derive("social-state", visitor_digest + raw)[:_MAC_BYTES]


# ---------------------------------------------------------------- there


def facts(turn: Turn, step: str, provider: Provider, *, profile: bool) -> dict[str, str | int]:
    """Return where to send the visitor; for the bank's own app, what the provider's SDK asks for."""
    client = turn.house.world.social[provider]
    surface = _surface(client, turn.caller.agent)
    ticket = Ticket(
        journey_id=turn.stored.journey_id,
        version=turn.stored.version,
        provider=provider,
        surface=surface,
        step=step,
        at=turn.now,
    )
    state = state_for(ticket, turn.caller.visitor_digest, turn.house.world.keyring)
    found: dict[str, str | int] = {
        "provider": provider.value,
        "authorize": client.authorize(surface, state, profile=profile),
        "state": state,
        "state_expires_in_seconds": int(limits.SOCIAL_STATE_SECONDS),
    }
    if Surface.APP in client.surfaces:
        found["app_id"] = client.app_id(Surface.APP)
    return found


def _surface(client: SocialProvider, agent: str) -> Surface:
    is_inside = inside(agent) is client.provider and Surface.INSIDE in client.surfaces
    return Surface.INSIDE if is_inside else Surface.WEB


def is_set_up(who: Who, world: World) -> bool:
    """Say whether the provider that this needs is there; other ways of saying who one is need none."""
    return who not in WHO or WHO[who] in world.social


def who_offered(row: Journey, house: House) -> tuple[Who, ...]:
    """Return the ways of saying who one is that work here; none for a row that is nothing without a provider."""
    if links(house, row.act) and not house.world.social:
        return ()
    return tuple(who for who in engine.who_open(row, house.built) if is_set_up(who, house.world))


def links(house: House, act: str) -> bool:
    """Say whether an act is done with what comes back from a provider."""
    kind = house.acts.get(act)
    return kind is not None and kind.INPUT is not None and issubclass(kind.INPUT, Returned)


def is_asked(decision: Any, turn: Turn) -> bool:
    """Say whether the journey stands where an account is to be linked."""
    return isinstance(decision, Inform) and links(turn.house, turn.row.act)


def inform_step(turn: Turn, fields: tuple[Field, ...]) -> StepView:
    """Return the step that links an account of one of the providers: what to agree to first, then where to go."""
    return StepView(
        name=turn.row.act,
        kind="inform",
        fields=fields,
        actions=(AUTHORIZE,),
        facts=_inform_facts(turn),
        options=tuple(Option(provider.value) for provider in turn.house.world.social),
    )


def _inform_facts(turn: Turn) -> dict[str, str | int]:
    """Return the account chosen, and once it was agreed what is taken, where to go."""
    errand = turn.state.errand
    if errand is None or errand.provider not in turn.house.world.social:
        return {}
    if errand.wants is None:
        return {"provider": errand.provider.value}
    return facts(turn, turn.row.act, errand.provider, profile=bool(errand.wants))


async def begin(turn: Turn, answered: Answered) -> Reply:
    """The visitor chose what may be taken along: remembered, and the address shown."""
    wanted = typed(Wanted, answered.answer)
    provider = Provider(wanted.provider)
    if provider not in turn.house.world.social:
        return await turn.told(Refused(cause="input-invalid"), {"provider": "not-offered"})
    wants = tuple(each for each in wanted.attributes if each in turn.house.world.attributes)
    turn.change(errand=Errand(provider=provider, wants=wants))
    await turn.save(moved=True)
    return Reply(view=await turn.view())


# ---------------------------------------------------------------- and back


async def returned(turn: Turn, answered: Answered, given: Returned, decision: Any) -> Reply | Slow:
    """Look whether what came back is this visitor's, of this step and of this provider; then it may be asked about."""
    is_linking = is_asked(decision, turn)
    errand = turn.state.errand
    provider = WHO.get(Who(answered.step)) if isinstance(decision, Identify) else errand.provider if errand else None
    ticket = ticket_of(
        given.state, turn.caller.visitor_digest, turn.house.world.keyring, ("", turn.row.act if is_linking else "")
    )
    if ticket is None or provider is None or not _fits(ticket, turn, answered, provider):
        return await turn.told(Refused(cause="social-state"))
    if is_linking and (errand is None or errand.wants is None):
        return await turn.told(Refused(cause="journey-moved-on"))
    wants = errand.wants if is_linking and errand and errand.wants else ()
    surface = Surface.APP if given.surface == Surface.APP else ticket.surface
    return Slow(social=Trip(provider=provider, surface=surface, code=given.auth_code, wants=wants, links=is_linking))


def _fits(ticket: Ticket, turn: Turn, answered: Answered, provider: Provider) -> bool:
    return (
        ticket.journey_id == turn.stored.journey_id
        and ticket.version == turn.stored.version
        and ticket.provider is provider
        and ticket.step == answered.step
        and 0 <= turn.now - ticket.at <= limits.SOCIAL_STATE_SECONDS
    )


async def ask(trip: Trip, world: World) -> Found | Refused:
    """Spend the code, outside any transaction; take along what was agreed to and nothing else."""
    client = world.social[trip.provider]
    try:
        grant = await client.token(trip.code, trip.surface)
        profile = await client.profile(grant) if trip.wants else Profile()
    except ProviderDown:
        return Refused(cause="provider-down")
    except NotAPerson:
        return Refused(cause="social-preview")
    except CodeRefused:
        return Refused(cause="social-refused")
    taken: dict[Attribute, bytes] = {}
    for attribute in trip.wants:
        if attribute is Attribute.AVATAR:
            picture = await world.pictures.fetch(profile.avatar_url) if world.pictures else None
            taken |= {attribute: picture} if picture else {}
        elif text := getattr(profile, attribute.value):
            taken[attribute] = text.encode()
    return Found(provider=trip.provider, names=grant.names, wants=trip.wants, taken=taken)
