"""What travels over `/v1`, as types. The OpenAPI document is generated from these."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

import msgspec

from foregate.desk.view import Outcome, Told, View
from foregate.doors.agents import label_of
from foregate.doors.text import catalog
from foregate.rules.words import Level

Short = Annotated[str, msgspec.Meta(max_length=64)]


class StartJourney(msgspec.Struct, forbid_unknown_fields=True):
    """Begin a journey. `step` and `answer` may answer its first step in the same request."""

    journey: Short
    step: Short | None = None
    answer: dict[str, str | bool] = {}


class AnswerStep(msgspec.Struct, forbid_unknown_fields=True):
    """Answer the step that the journey asks, as seen at `version`. `choose`, `resend` and `text-us` are steps too."""

    version: Annotated[int, msgspec.Meta(ge=1, le=100_000)]
    step: Short
    answer: dict[str, str | bool] = {}


class AnswerPictures(msgspec.Struct, forbid_unknown_fields=True):
    """As `AnswerStep`, for steps with pictures: base64 of JPEG, PNG or WebP, uncropped and not mirrored."""

    version: Annotated[int, msgspec.Meta(ge=1, le=100_000)]
    step: Short
    answer: dict[str, str | bool | Annotated[list[str], msgspec.Meta(max_length=24)]] = {}


class FieldOut(msgspec.Struct, omit_defaults=True):
    """One thing to type."""

    name: str
    kind: str
    label: str
    required: bool = True
    options: list[OptionOut] = []


class OptionOut(msgspec.Struct):
    """One thing to choose."""

    value: str
    label: str


class ActionOut(msgspec.Struct):
    """Something else to do at this step: answer with `step` set to its name."""

    step: str
    title: str


class StepOut(msgspec.Struct):
    """What is asked now. `facts` are seconds, lengths and masked numbers worth showing, and what is confirmed."""

    name: str
    kind: str
    title: str
    fields: list[FieldOut]
    actions: dict[str, ActionOut]
    facts: Mapping[str, str | int]


class WayOut(msgspec.Struct):
    """Another way: answer with step `choose` and `{"way": name}`."""

    name: str
    kind: str
    title: str


class RestingWayOut(msgspec.Struct):
    """A way that too many failures in a row closed for a while: it is among `other_ways` again in so many seconds."""

    name: str
    title: str
    retry_in_seconds: int


class JourneyOut(msgspec.Struct):
    """Where a journey stands. `status` is open, done, refused or expired."""

    id: str
    journey: str
    version: int
    status: str
    step: StepOut | None
    other_ways: list[WayOut]
    resting_ways: list[RestingWayOut]
    expires_in_seconds: int
    outcome: Outcome | None


class Remedy(msgspec.Struct):
    """A way that works: the journey (or action) and where a person finds it."""

    journey: str
    title: str
    href: str


class FieldProblem(msgspec.Struct):
    """What is wrong with one field, and what to do."""

    name: str
    code: str
    detail: str


class Problem(msgspec.Struct, omit_defaults=True):
    """RFC 9457 problem details. `cause` is stable, `remedies` never empty, times are seconds from now."""

    type: str
    title: str
    status: int
    detail: str
    cause: str
    remedies: Annotated[list[Remedy], msgspec.Meta(min_length=1)]
    support_ref: str
    retry_in_seconds: int | None = None
    tries_left: int | None = None
    fields: list[FieldProblem] = []
    journey: JourneyOut | None = None


class SessionOut(msgspec.Struct):
    """The session of this browser."""

    level: Level
    idle_in_seconds: int
    ends_in_seconds: int


class JourneyKind(msgspec.Struct):
    """One open journey of the table."""

    journey: str
    title: str
    who: list[str]
    session: Level | None
    href: str


class InboundText(msgspec.Struct, forbid_unknown_fields=True):
    """A text message that the SMS gateway received for us."""

    phone: Annotated[str, msgspec.Meta(max_length=32)]
    text: Annotated[str, msgspec.Meta(max_length=400)]


class OutletOut(msgspec.Struct, kw_only=True):
    """One outlet. `datum`: wgs84, unless gcj02 was asked for: then coordinates are where Chinese maps show it, which
    is elsewhere in mainland China alone. `changes_in_seconds`: until it closes or opens; null: far or unknown."""

    outlet_id: str
    name: str
    kind: str
    name_latin: str
    address: str
    country: str
    province: str
    city: str
    district: str
    latitude: float | None
    longitude: float | None
    datum: str
    phone: str
    services: tuple[str, ...]
    languages: tuple[str, ...]
    wheelchair: str
    hours: str
    time_zone: str
    metres: int | None
    is_open: bool | None
    changes_in_seconds: int | None


class OutletsOut(msgspec.Struct):
    """Outlets in order. `next`: send it as `after` for the ones behind; null: these were the last."""

    outlets: list[OutletOut]
    next: str | None


class Health(msgspec.Struct):
    """Alive. `status` is `ok`, or `weak-durability` (503) while the database may lose what it acknowledges. `face` is
    `open`, or `not open` where the models are not there."""

    status: str
    face: str


def journey_out(view: View, language: str) -> JourneyOut:
    """Add the words to a view."""

    def say(key: str) -> str:
        return catalog.text(language, key)

    step = view.step
    step_out = None
    if step is not None:
        picks = [OptionOut(option.value, label_of(language, option)) for option in step.options]
        fields = [
            FieldOut(
                name=field.name,
                kind=field.kind.value,
                label=say(f"field.{field.name}.label"),
                required=field.required,
                options=picks or [OptionOut(value, say(f"option.{value}")) for value in field.options],
            )
            for field in step.fields
        ]
        actions = {name: ActionOut(name, say(f"action.{name}")) for name in step.actions}
        step_out = StepOut(step.name, step.kind, say(f"step.{step.name}.title"), fields, actions, step.facts)
    return JourneyOut(
        id=view.id,
        journey=view.journey,
        version=view.version,
        status=view.status,
        step=step_out,
        other_ways=[WayOut(way.name, way.kind, say(f"way.{way.name}")) for way in view.other_ways],
        resting_ways=[
            RestingWayOut(way.name, say(f"way.{way.name}"), way.retry_in_seconds) for way in view.resting_ways
        ],
        expires_in_seconds=view.expires_in_seconds,
        outcome=view.outcome,
    )


def problem_out(told: Told, view: View | None, language: str, support_ref: str) -> Problem:
    """Add the words to a refusal."""
    here = f"/j/{view.id}" if view else f"/{told.journey_name}" if told.journey_name else "/"

    def href(remedy: str) -> str:
        match remedy:
            case "visit-outlet":
                return "/help/outlet"
            case "update-client":
                return "/help/update"
            case "check-network":
                return "/network"
            case "try-again" | "ask-new-code" | "text-us" | "another-way" | "wait":
                return here
            case "another-time":
                return "/book-appointment"
            case "start-again":
                return f"/{told.journey_name}" if told.journey_name else "/"
        return f"/{remedy}"

    return Problem(
        type=f"urn:foregate:cause:{told.cause}",
        title=catalog.text(language, f"cause.{told.cause}.title"),
        status=told.status,
        detail=catalog.text(language, f"cause.{told.cause}.detail"),
        cause=told.cause,
        remedies=[Remedy(name, catalog.text(language, f"remedy.{name}"), href(name)) for name in told.remedies],
        support_ref=support_ref,
        retry_in_seconds=told.retry_in_seconds,
        tries_left=told.tries_left,
        fields=[
            FieldProblem(name, code, catalog.text(language, f"input.{code}")) for name, code in told.fields.items()
        ],
        journey=journey_out(view, language) if view else None,
    )
