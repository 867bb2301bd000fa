"""The routes of `/v1`. Handlers translate and nothing else: bytes to a type, the desk's reply to an answer."""

from __future__ import annotations

import hashlib
import hmac
from typing import Any, TypeVar

import msgspec
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from foregate.desk.answers import Answered
from foregate.desk.linked import ConsentView, LinkedView
from foregate.desk.sessions import DeviceView, Me, SessionView, idle_seconds
from foregate.desk.social import who_offered
from foregate.desk.view import Reply, Told
from foregate.desk.ways import WaysView
from foregate.doors import clients
from foregate.doors.api import schema
from foregate.doors.requests import (
    asks_for_pictures,
    caller_of,
    having_sent,
    language_of,
    seconds_to_hold,
    seconds_to_wait,
    session_of,
    with_cookies,
)
from foregate.doors.text import catalog
from foregate.ports import SessionRow
from foregate.rules import limits
from foregate.rules.words import Level

T = TypeVar("T")


async def start_journey(request: Request) -> Response:
    """Begin a journey."""
    body = await body_of(request, schema.StartJourney)
    if isinstance(body, Response):
        return body
    if clients.is_too_old(request, body.journey):
        return await refuse(request, "client-too-old")
    first, key = None, _key(request)
    if body.step is not None:
        first = Answered(version=1, step=body.step, answer=body.answer, key=key)
    if await seconds_to_wait(request, "start", limits.STARTS_PER_MINUTE) or await seconds_to_hold(request, body.step):
        return await refuse(request, "too-many-requests")
    caller = await caller_of(request)
    reply = await request.app.state.desk.start(body.journey, caller, first, key)
    return _answer(request, reply, 201 if reply.is_new else 200)


async def show_journey(request: Request) -> Response:
    """Say where a journey stands."""
    reply = await request.app.state.desk.look(request.path_params["journey_id"][:64], await caller_of(request))
    return _answer(request, reply)


async def answer_step(request: Request) -> Response:
    """Answer a step."""
    body = await body_of(request, schema.AnswerStep)
    if isinstance(body, Response):
        return body
    if await seconds_to_wait(request, "answer", limits.ANSWERS_PER_MINUTE) or await seconds_to_hold(request, body.step):
        return await refuse(request, "too-many-requests")
    answered = Answered(version=body.version, step=body.step, answer=body.answer, key=_key(request))
    caller = await caller_of(request)
    reply = await request.app.state.desk.answer(request.path_params["journey_id"][:64], caller, answered)
    return _answer(request, reply)


async def answer_pictures(request: Request) -> Response:
    """Answer a step with pictures. They are not even read unless the journey asks for some."""
    if await seconds_to_wait(request, "answer", limits.ANSWERS_PER_MINUTE):
        return await refuse(request, "too-many-requests")
    journey_id, desk = request.path_params["journey_id"][:64], request.app.state.desk
    caller = await caller_of(request)
    began, looked = desk.house.world.clock.now(), await desk.look(journey_id, caller)
    if not asks_for_pictures(looked):
        return _answer(request, looked) if looked.told else await refuse(request, "journey-moved-on")
    if isinstance(body := await body_of(request, schema.AnswerPictures), Response):
        return body
    answered = Answered(version=body.version, step=body.step, answer=body.answer, key=_key(request))
    return _answer(request, await desk.answer(journey_id, having_sent(caller, request, began), answered))


async def list_journeys(request: Request) -> Response:
    """List the open journeys of the table, and greet a new visitor, whose first beginning can then be sent again."""
    language, house = (await caller_of(request)).language, request.app.state.desk.house
    rows = [
        schema.JourneyKind(
            journey=row.name,
            title=catalog.text(language, f"journey.{row.name}.title"),
            who=[who.value for who in who_offered(row, house)],
            session=row.session,
            href=f"/{row.name}",
        )
        for row in house.journeys.values()
        if row.is_public and who_offered(row, house)
    ]
    return with_cookies(_json(rows), None, request)


async def show_session(request: Request) -> Response:
    """Say how long the session of this browser lasts."""
    session = await session_of(request)
    if session is None:
        return await refuse(request, "not-signed-in")
    now = request.app.state.desk.house.world.clock.now()
    shown = schema.SessionOut(session.level, int(idle_seconds(session)), max(0, session.expires_at - now))
    return _json(shown)


async def show_me(request: Request) -> Response:
    """Greet the customer, masked."""
    session = await session_of(request)
    me: Me | None = await request.app.state.sessions.me(session) if session else None
    return _json(me) if me else await refuse(request, "not-signed-in")


async def list_sessions(request: Request) -> Response:
    """List the customer's live sessions."""
    session: SessionRow | None = await session_of(request)
    if session is None:
        return await refuse(request, "not-signed-in")
    rows: tuple[SessionView, ...] = await request.app.state.sessions.sessions_of(session)
    return _json(rows)


async def list_devices(request: Request) -> Response:
    """List the customer's remembered devices."""
    session: SessionRow | None = await session_of(request)
    if session is None:
        return await refuse(request, "not-signed-in")
    rows: tuple[DeviceView, ...] = await request.app.state.sessions.devices_of(session)
    return _json(rows)


async def show_ways(request: Request) -> Response:
    """What the customer gets in with, what a loss would mean, and what would help."""
    session: SessionRow | None = await session_of(request)
    if session is None:
        return await refuse(request, "not-signed-in")
    if session.level is not Level.FULL:
        return await refuse(request, "needs-full-session")
    view: WaysView | None = await request.app.state.ways.of(session)
    return _json(view) if view else await refuse(request, "not-signed-in")


async def list_linked(request: Request) -> Response:
    """List accounts elsewhere, what is kept of each, and what was agreed to."""
    session: SessionRow | None = await session_of(request)
    if session is None:
        return await refuse(request, "not-signed-in")
    rows: tuple[LinkedView, ...] = await request.app.state.linked.of(session)
    return _json(rows)


async def list_consents(request: Request) -> Response:
    """List every purpose that was ever agreed to, the face among them: when, to which text, and whether it holds."""
    session: SessionRow | None = await session_of(request)
    if session is None:
        return await refuse(request, "not-signed-in")
    rows: tuple[ConsentView, ...] = await request.app.state.linked.consents(session)
    return _json(rows)


async def take_text(request: Request) -> Response:
    """Take a text message that the SMS gateway received. Signed by the gateway; anything else does not exist."""
    secret: bytes = request.app.state.inbound_secret
    signature = request.headers.get("foregate-signature", "").encode()  # bytes: text may not be compared beyond ASCII
    expected = hmac.new(secret, await request.body(), hashlib.sha256).hexdigest().encode() if secret else None
    if expected is None or not hmac.compare_digest(expected, signature):
        return await refuse(request, "not-found")
    body = await body_of(request, schema.InboundText)
    if isinstance(body, Response):
        return body
    await request.app.state.inbox.take(body.phone, body.text)
    return Response(status_code=204)


async def show_health(request: Request) -> Response:
    """Alive, and fit to be sent customers. A database that would forget what it acknowledged is not."""
    is_open = request.app.state.desk.house.world.faces is not None
    is_fit = request.app.state.durability.weakness is None
    health = schema.Health("ok" if is_fit else "weak-durability", "open" if is_open else "not open")
    return _json(health, 200 if is_fit else 503)


async def show_metrics(request: Request) -> Response:
    """Prometheus metrics, for whoever holds the token; without one in the settings there is no such page."""
    token: bytes = request.app.state.metrics_token
    given = request.headers.get("authorization", "").removeprefix("Bearer ").encode()
    if not token or not hmac.compare_digest(token, given):
        return await refuse(request, "not-found")
    return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)


async def show_openapi(request: Request) -> Response:
    """The document of this API."""
    from foregate.doors.api import openapi

    return Response(msgspec.json.encode(openapi.document()), media_type="application/json")


def routes() -> list[Route]:
    """Return the routes of the API."""
    # The one that every signed-in screen asks comes first: routes are tried in order.
    return [
        Route("/v1/session", show_session, methods=["GET"]),
        Route("/v1/journeys", list_journeys, methods=["GET"]),
        Route("/v1/journeys", start_journey, methods=["POST"]),
        Route("/v1/journeys/{journey_id}", show_journey, methods=["GET"]),
        Route("/v1/journeys/{journey_id}/answers", answer_step, methods=["POST"]),
        Route("/v1/journeys/{journey_id}/pictures", answer_pictures, methods=["POST"]),
        Route("/v1/me", show_me, methods=["GET"]),
        Route("/v1/me/ways", show_ways, methods=["GET"]),
        Route("/v1/sessions", list_sessions, methods=["GET"]),
        Route("/v1/devices", list_devices, methods=["GET"]),
        Route("/v1/linked", list_linked, methods=["GET"]),
        Route("/v1/consents", list_consents, methods=["GET"]),
        Route("/v1/sms/inbound", take_text, methods=["POST"]),
        Route("/v1/openapi.json", show_openapi, methods=["GET"]),
        Route("/metrics", show_metrics, methods=["GET"]),
        Route("/healthz", show_health, methods=["GET"]),
    ]


# ---------------------------------------------------------------- helpers


_DECODERS: dict[Any, msgspec.json.Decoder[Any]] = {}


def _decoder(kind: Any) -> msgspec.json.Decoder[Any]:
    return _DECODERS.get(kind) or _DECODERS.setdefault(kind, msgspec.json.Decoder(kind, strict=True))


async def body_of(request: Request, kind: type[T]) -> T | Response:
    """Return the body as its type, or the refusal of what is none."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        return await refuse(request, "not-json")
    try:
        decoded: T = _decoder(kind).decode(await request.body())
        return decoded
    except (msgspec.ValidationError, msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        reply = request.app.state.desk.told_outside("input-invalid", fields={"body": "shape"})
        return _answer(request, reply)


def _key(request: Request) -> str | None:
    key = request.headers.get("idempotency-key")
    # A longer one is still one key: cut off, two of them could become the same.
    return hashlib.sha256(key.encode()).hexdigest() if key and len(key) > limits.KEY_CHARS else key or None


def _json(value: Any, status: int = 200, media_type: str = "application/json") -> Response:
    return Response(msgspec.json.encode(value), status, media_type=media_type)


def _answer(request: Request, reply: Reply, status: int = 200) -> Response:
    """Turn a reply into an answer: the journey, or a problem with remedies."""
    language = language_of(request)
    if reply.told is not None:
        response = problem(request, reply.told, reply)
    else:
        assert reply.view is not None  # noqa: S101 -- a reply tells or shows
        response = _json(schema.journey_out(reply.view, language), status)
    response.headers["Content-Language"] = language
    return with_cookies(response, reply, request)


def problem(request: Request, told: Told, reply: Reply | None = None) -> Response:
    """Return a refusal as RFC 9457 problem details."""
    view = reply.view if reply else None
    body = schema.problem_out(told, view, language_of(request), request.state.support_ref)
    response = _json(body, told.status, "application/problem+json")
    if told.retry_in_seconds is not None:
        response.headers["Retry-After"] = str(told.retry_in_seconds)
    return response


async def refuse(request: Request, cause: str) -> Response:
    """Refuse for a cause that belongs to no journey."""
    retry = {"too-many-requests": 60, "busy": 5, "accounts-away": 30}.get(cause)
    reply = request.app.state.desk.told_outside(cause, retry_in_seconds=retry)
    return _answer(request, reply)
