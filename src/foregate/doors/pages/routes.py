"""The addresses of the pages. Each journey of the table has its own, at its name."""

from __future__ import annotations

from starlette.routing import BaseRoute, Route

from foregate.doors.pages import (
    accounts,
    appointments,
    entry,
    help,
    journey,
    network,
    offline,
    outlet_map,
    outlets,
    signed_in,
    social,
    statements,
    tongue,
    ways,
    wishes,
)
from foregate.rules.journeys import JOURNEYS


def routes() -> list[BaseRoute]:
    """Return the routes of all pages. The rows that are not open are there too, and say so."""
    fixed = [
        Route("/", entry.show_door, methods=["GET"]),
        Route("/", entry.change_door_look, methods=["POST"]),
        Route("/j/{journey_id}", journey.show_journey, methods=["GET"]),
        Route("/j/{journey_id}", journey.answer_journey, methods=["POST"]),
        Route("/j/{journey_id}/pictures", journey.answer_with_pictures, methods=["POST"]),
        Route("/stop/{token}", help.show_stop, methods=["GET"]),
        Route("/home", signed_in.show_home, methods=["GET"]),
        Route("/ways", ways.show_ways, methods=["GET"]),
        Route("/stay", signed_in.stay, methods=["POST"]),
        Route("/signed-out", signed_in.show_signed_out, methods=["GET"]),
        Route("/cannot-get-in", help.show_stuck, methods=["GET"]),
        Route("/help/outlet", help.show_outlet, methods=["GET"]),
        Route("/help/code", help.show_code, methods=["GET"]),
        Route("/language/{language}", tongue.change_language, methods=["GET"]),
        Route("/care/{care}", tongue.change_care, methods=["GET"]),
        Route("/.well-known/change-password", help.change_password, methods=["GET"]),
        Route("/.well-known/passkey-endpoints", help.passkey_endpoints, methods=["GET"]),
        Route("/.well-known/webauthn", help.related_origins, methods=["GET"]),
        Route("/help/update", help.show_update, methods=["GET"]),
        Route("/s/{name}", help.serve_asset, methods=["GET"]),
    ]
    begun = [
        Route(f"/{name}", handler, methods=[method])
        for name in JOURNEYS
        for handler, method in ((entry.show_entry, "GET"), (entry.begin, "POST"))
    ]
    return [
        *social.routes(),
        *statements.routes(),
        *accounts.routes(),
        *wishes.routes(),
        *appointments.routes(),
        *offline.routes(),
        *outlet_map.routes(),
        *outlets.routes(),
        *network.routes(),
        *fixed,
        *begun,
    ]
