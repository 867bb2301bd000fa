"""The OpenAPI 3.1 document, generated from the very types that the API decodes and encodes."""

from __future__ import annotations

import re
from typing import Any, Final

import msgspec

from foregate import __version__
from foregate.desk import identify
from foregate.desk.linked import ConsentView, LinkedView
from foregate.desk.network import Nonce, Probe
from foregate.desk.sessions import DeviceView, Me, SessionView
from foregate.desk.ways import WaysView
from foregate.doors import account_query
from foregate.doors.api import account_schema, appointments, network, schema
from foregate.rules import limits
from foregate.rules.categories import Category
from foregate.rules.services import SERVICES

_JSON = "application/json"
_PROBLEM = "application/problem+json"

# method, path, id, summary, body type, success status, success type
_OPERATIONS: tuple[tuple[str, str, str, str, Any, int, Any], ...] = (
    ("get", "/v1/journeys", "listJourneys", "The open journeys of the table", None, 200, list[schema.JourneyKind]),
    ("post", "/v1/journeys", "startJourney", "Begin a journey", schema.StartJourney, 201, schema.JourneyOut),
    ("get", "/v1/journeys/{journey_id}", "showJourney", "Where a journey stands", None, 200, schema.JourneyOut),
    ("post", "/v1/journeys/{journey_id}/answers", "answerStep", "Answer a step", schema.AnswerStep, 200,
     schema.JourneyOut),
    ("post", "/v1/journeys/{journey_id}/pictures", "answerPictures", "Answer a step with pictures of a face",
     schema.AnswerPictures, 200, schema.JourneyOut),
    ("get", "/v1/session", "showSession", "The session of this browser", None, 200, schema.SessionOut),
    ("get", "/v1/me", "showMe", "The greeting, masked", None, 200, Me),
    ("get", "/v1/me/ways", "showWays", "What one gets in with, and what a loss would mean", None, 200, WaysView),
    ("get", "/v1/sessions", "listSessions", "Live sessions", None, 200, list[SessionView]),
    ("get", "/v1/devices", "listDevices", "Remembered devices", None, 200, list[DeviceView]),
    ("get", "/v1/linked", "listLinked", "Accounts at WeChat and Alipay, and what is kept", None, 200, list[LinkedView]),
    ("get", "/v1/consents", "listConsents", "Every purpose that was ever agreed to", None, 200, list[ConsentView]),
    ("post", "/v1/sms/inbound", "takeText", "A text message received by the SMS gateway", schema.InboundText, 204,
     None),
    ("get", "/v1/outlets", "listOutlets", "Outlets, the nearest first, or the best fitting", None, 200,
     schema.OutletsOut),
    ("get", "/v1/outlets/{outlet_id}", "showOutlet", "One outlet", None, 200, schema.OutletOut),
    ("get", "/v1/outlets/{outlet_id}/services", "listServices", "What an outlet does by appointment", None, 200,
     appointments.OutletServicesOut),
    ("get", "/v1/outlets/{outlet_id}/times", "listTimes", "Free times, a week at once", None, 200,
     appointments.TimesOut),
    ("get", "/v1/appointments/{token}", "showAppointment", "What a link leads to", None, 200,
     appointments.AppointmentOut),
    ("post", "/v1/appointments/{token}/cancel", "cancelAppointment", "Cancel; twice is once", None, 200,
     appointments.AppointmentOut),
    ("post", "/v1/appointments/{token}/check-in", "checkIn", "Draw the ticket; twice is once", None, 200,
     appointments.AppointmentOut),
    ("post", "/v1/appointments/{token}/move", "moveAppointment", "Take another time", appointments.MoveAppointment, 200,
     appointments.AppointmentOut),
    ("get", "/v1/accounts", "listAccounts", "Accounts and their balances; a full session", None, 200,
     account_schema.AccountsOut),
    ("get", "/v1/accounts/{account_id}/balances", "listBalances", "Every balance of an account", None, 200,
     account_schema.BalancesOut),
    ("get", "/v1/accounts/{account_id}/transactions", "listTransactions", "The record, newest first", None, 200,
     account_schema.TransactionsOut),
    ("get", "/v1/accounts/{account_id}/transactions/{transaction_id}", "showTransaction", "One entry", None, 200,
     account_schema.TransactionOut),
    ("get", "/status", "showStatus", "How the bank's services do", None, 200, network.StatusOut),
    ("get", "/v1/network/probe", "showProbe", "A small answer, to measure the way there and back", None, 200, Probe),
    ("get", "/v1/network/filler/{size}", "showFiller", "So many bytes, to measure the speed", None, 200,
     network.FillerOut),
    ("get", "/v1/network/cookie", "showCookie", "Whether a cookie comes back", None, 200, network.CookieOut),
    ("post", "/v1/network/verdict", "judgeNetwork", "What follows from what was measured", network.NetworkFigures, 200,
     network.VerdictOut),
    ("post", "/v1/network/reports", "sendNetworkReport", "Keep a report that somebody chose to send",
     network.NetworkReportIn, 201, network.ReportOut),
    ("get", "/healthz", "showHealth", "Alive", None, 200, schema.Health),
)  # fmt: skip
_DATUM: tuple[str, dict[str, Any], str] = (
    "datum", {"type": "string", "enum": ["wgs84", "gcj02"]},
    "gcj02: `near` and the coordinates of the answer are as maps published in mainland China have them",
)  # fmt: skip
# name, type, what it asks, example of the query of `listOutlets`
_OUTLET_QUERY: tuple[tuple[str, dict[str, Any], str], ...] = (
    ("near", {"type": "string", "pattern": r"^-?\d{1,3}(\.\d{1,9})?,-?\d{1,3}(\.\d{1,9})?$"},
     "latitude,longitude (WGS-84, unless `datum` says otherwise): the nearest first"),
    _DATUM,
    ("q", {"type": "string", "maxLength": 100}, "words: a piece of a name, pinyin or its initials, an address"),
    ("by", {"type": "string", "enum": ["near"]}, "near: `q` is a place, and the nearest to it are wanted"),
    ("city", {"type": "string", "maxLength": 100}, "in this city alone"),
    ("service", {"type": "string", "enum": list(SERVICES)}, "which do this"),
    ("open", {"type": "string", "enum": ["1", "true"]}, "which are open now"),
    ("step_free", {"type": "string", "enum": ["1", "true"]}, "with an entrance without steps"),
    ("limit", {"type": "integer", "minimum": 1, "maximum": int(limits.OUTLETS_PER_PAGE_MAX)}, "how many"),
    ("after", {"type": "string", "pattern": r"^[0-9]{1,18}\.[A-Za-z0-9._-]{1,64}$"}, "`next` of the page before"),
)  # fmt: skip
_TIMES_QUERY: tuple[tuple[str, dict[str, Any], str], ...] = (
    ("service", {"type": "string", "enum": list(SERVICES)}, "for which service"),
    ("from", {"type": "string", "format": "date"}, "from this day on, where the outlet stands"),
)
_TRANSACTIONS_QUERY: tuple[tuple[str, dict[str, Any], str], ...] = (
    ("dateFrom", {"type": "string", "format": "date"}, "on this day or later, by the account's clock"),
    ("dateTo", {"type": "string", "format": "date"}, "on this day or earlier"),
    ("valueDateFrom", {"type": "string", "format": "date"}, "with this value date or a later one; none fits nothing"),
    ("valueDateTo", {"type": "string", "format": "date"}, "with this value date or an earlier one"),
    ("status", {"type": "string", "pattern": f"^{account_query.STATUS}$"}, "these alone, with commas between them"),
    ("amountFrom", {"type": "string", "pattern": f"^{account_query.AMOUNT}$"}, "this much or more, either way"),
    ("amountTo", {"type": "string", "pattern": f"^{account_query.AMOUNT}$"}, "this much or less, either way"),
    ("creditDebitIndicator", {"type": "string", "enum": ["CRDT", "DBIT"]}, "money in, or money out"),
    ("category", {"type": "string", "enum": list(Category)}, "what it was for, as far as codes and words tell"),
    ("text", {"type": "string", "minLength": 1, "maxLength": int(limits.ENTRY_QUERY_CHARS)},
     "words that all occur in names, accounts or remittance, anywhere in them"),
    ("cursor", {"type": "string", "pattern": f"^{account_query.CURSOR}$"}, "`next` of the page before"),
    ("limit", {"type": "integer", "minimum": 1, "maximum": int(limits.ENTRIES_PER_PAGE_MAX)}, "how many"),
)  # fmt: skip
_PROBE_QUERY: tuple[tuple[str, dict[str, Any], str], ...] = (
    ("nonce", msgspec.json.schema(Nonce), "hexadecimal digits by chance, which the answer repeats; at least one"),
)
_QUERIES: Final = {
    "showProbe": _PROBE_QUERY,
    "listTimes": _TIMES_QUERY,
    "listOutlets": _OUTLET_QUERY,
    "showOutlet": (_DATUM,),
    "listTransactions": _TRANSACTIONS_QUERY,
}
# Said twice they say the same, or are one more report in a list that has an end.
_WITHOUT_KEY: Final = frozenset({"judgeNetwork", "sendNetworkReport"})
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
        parameters = [_path_parameter(found) for found in re.findall(r"{(\w+)}", path)]
        parameters += [_query_parameter(*one) for one in _QUERIES.get(name, ())]
        if method == "post" and name not in _WITHOUT_KEY:
            parameters.append(_key_parameter())
        if parameters:
            operation["parameters"] = parameters
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
    if name in ("listAccounts", "listBalances", "listTransactions", "showTransaction"):
        responses["304"] = {"description": "Nothing is new since the ETag that If-None-Match names"}
    problem = {"description": "Refused", "content": {_PROBLEM: {"schema": by_kind[id(schema.Problem)]}}}
    return responses | {str(refusal): problem for refusal in _REFUSALS}


def _path_parameter(name: str) -> dict[str, Any]:
    return {"name": name, "in": "path", "required": True, "schema": {"type": "string", "maxLength": 64}}


def _query_parameter(name: str, schema: dict[str, Any], description: str) -> dict[str, Any]:
    return {"name": name, "in": "query", "required": False, "description": description, "schema": schema}


def _key_parameter() -> dict[str, Any]:
    return {
        "name": "Idempotency-Key",
        "in": "header",
        "required": False,
        "description": "The same key with the same answer gets the first reply again.",
        "schema": {"type": "string", "maxLength": 64, "pattern": "^[A-Za-z0-9_-]+$"},
    }
