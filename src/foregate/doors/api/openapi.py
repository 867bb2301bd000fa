"""The OpenAPI 3.1 document, generated from the very types that the API decodes and encodes."""

from __future__ import annotations

from typing import Any

import msgspec

from foregate import __version__
from foregate.desk import identify
from foregate.desk.sessions import DeviceView, Me, SessionView
from foregate.doors.api import schema

_JSON = "application/json"
_PROBLEM = "application/problem+json"

# method, path, id, summary, body type, success status, success type
_OPERATIONS: tuple[tuple[str, str, str, str, Any, int, Any], ...] = (
    ("get", "/v1/journeys", "listJourneys", "The open journeys of the table", None, 200, list[schema.JourneyKind]),
    ("post", "/v1/journeys", "startJourney", "Begin a journey", schema.StartJourney, 201, schema.JourneyOut),
    ("get", "/v1/journeys/{journey_id}", "showJourney", "Where a journey stands", None, 200, schema.JourneyOut),
    ("post", "/v1/journeys/{journey_id}/answers", "answerStep", "Answer a step", schema.AnswerStep, 200,
     schema.JourneyOut),
    ("get", "/v1/session", "showSession", "The session of this browser", None, 200, schema.SessionOut),
    ("get", "/v1/me", "showMe", "The greeting, masked", None, 200, Me),
    ("get", "/v1/sessions", "listSessions", "Live sessions", None, 200, list[SessionView]),
    ("get", "/v1/devices", "listDevices", "Remembered devices", None, 200, list[DeviceView]),
    ("post", "/v1/sms/inbound", "takeText", "A text message received by the SMS gateway", schema.InboundText, 204,
     None),
    ("get", "/healthz", "showHealth", "Alive", None, 200, schema.Health),
)  # fmt: skip
_REFUSALS = (400, 401, 403, 404, 405, 409, 410, 413, 415, 421, 422, 429, 500, 503)


def document() -> dict[str, Any]:
    """Return the document."""
    kinds = [op[4] for op in _OPERATIONS if op[4]] + [op[6] for op in _OPERATIONS if op[6]]
    answers = list(identify.CLAIMS.values())
    every = [*kinds, schema.Problem, *answers]
    shapes, components = msgspec.json.schema_components(every, ref_template="#/components/schemas/{name}")
    by_kind = {id(kind): shape for kind, shape in zip(every, shapes, strict=True)}
    paths: dict[str, Any] = {}
    for method, path, name, summary, body, status, success in _OPERATIONS:
        operation: dict[str, Any] = {"operationId": name, "summary": summary, "responses": {}}
        if "{journey_id}" in path:
            operation["parameters"] = [_path_parameter("journey_id")]
        if method == "post":
            operation.setdefault("parameters", []).append(_key_parameter())
        if body is not None:
            operation["requestBody"] = {"required": True, "content": {_JSON: {"schema": by_kind[id(body)]}}}
        operation["responses"] = _responses(status, by_kind[id(success)] if success else None, by_kind, name)
        paths.setdefault(path, {})[method] = operation
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Foregate",
            "version": __version__,
            "description": "A bank's front door: journeys, their steps, and refusals that name a way on.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "paths": paths,
        "components": {"schemas": components},
    }


def _responses(status: int, shape: Any, by_kind: dict[int, Any], name: str) -> dict[str, Any]:
    success: dict[str, Any] = {"description": "As asked"}
    if shape is not None:
        success["content"] = {_JSON: {"schema": shape}}
    responses: dict[str, Any] = {str(status): success}
    if name == "startJourney":
        responses["200"] = {**success, "description": "The journey that the first tap began"}
    problem = {"description": "Refused", "content": {_PROBLEM: {"schema": by_kind[id(schema.Problem)]}}}
    return responses | {str(refusal): problem for refusal in _REFUSALS}


def _path_parameter(name: str) -> dict[str, Any]:
    return {"name": name, "in": "path", "required": True, "schema": {"type": "string", "maxLength": 64}}


def _key_parameter() -> dict[str, Any]:
    return {
        "name": "Idempotency-Key",
        "in": "header",
        "required": False,
        "description": "The same key with the same answer gets the first reply again.",
        "schema": {"type": "string", "maxLength": 64, "pattern": "^[A-Za-z0-9_-]+$"},
    }
