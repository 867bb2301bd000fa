"""The addresses of the console, each with the right that it asks for. One table, on one screen.

A member of staff without the right is told who has it; somebody who is not signed in is asked to. `OPEN` stand before
sign-in. Nothing of this is linked from the customers' pages.
"""

from __future__ import annotations

from functools import partial
from typing import Final, NamedTuple

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from foregate.doors.console import audit, desk, exports, files, outlet_facts, outlets, proposals, queue, sign_in, staff
from foregate.doors.console.duty import Handler, staffed
from foregate.doors.console.render import script
from foregate.doors.pages import assets
from foregate.rules.staff import Right


class Entry(NamedTuple):
    """One address. `is_guarded`: the door asks for the right in full, because no verb of `counter` is behind it;
    `is_used`: asking keeps the session."""

    method: str
    path: str
    handler: Handler
    right: Right | None
    is_guarded: bool = False
    is_used: bool = True


R = Right
_asked = partial(Entry, is_guarded=True)

# fmt: off
ENTRIES: Final = (
    Entry("GET", "/console", desk.show_desk, R.SEE_PROPOSALS),
    _asked("GET", "/console/events", desk.watch_desk, R.SEE_PROPOSALS, is_used=False),
    # A customer.
    _asked("GET", "/console/search", files.show_search, R.SEARCH),
    Entry("POST", "/console/search", files.search, R.SEARCH),
    Entry("GET", "/console/file/{ref}", files.show_file, R.SEE_FILE),
    Entry("GET", "/console/file/{ref}/{act}", files.show_act, R.SEE_FILE),
    Entry("POST", "/console/file/{ref}/{act}", files.propose, R.SEE_FILE),
    # A proposal.
    Entry("GET", "/console/proposals/{proposal_id}", proposals.show_proposal, R.SEE_PROPOSALS),
    Entry("GET", "/console/proposals/{proposal_id}/events", proposals.watch_proposal, R.SEE_PROPOSALS, is_used=False),
    Entry("POST", "/console/proposals/{proposal_id}/code", proposals.send_code, R.PROPOSE_REPLACE_PHONE),
    Entry("POST", "/console/proposals/{proposal_id}/prove", proposals.prove_code, R.PROPOSE_REPLACE_PHONE),
    Entry("POST", "/console/proposals/{proposal_id}/withdraw", proposals.withdraw, R.SEE_PROPOSALS),
    Entry("POST", "/console/proposals/{proposal_id}/consent", proposals.consent, R.SEE_PROPOSALS),
    Entry("POST", "/console/proposals/{proposal_id}/refuse", proposals.refuse, R.SEE_PROPOSALS),
    Entry("POST", "/console/proposals/{proposal_id}/finish", proposals.finish, R.SEE_PROPOSALS),
    # The queue.
    _asked("GET", "/console/queue", queue.show_queue, R.RUN_QUEUE),
    _asked("GET", "/console/queue/events", queue.watch_queue, R.RUN_QUEUE, is_used=False),
    _asked("POST", "/console/queue/next", queue.call_next, R.RUN_QUEUE),
    _asked("POST", "/console/queue/walk-in", queue.draw_ticket, R.RUN_QUEUE),
    _asked("POST", "/console/queue/{appointment_id}/check-in", queue.moved_by("check-in"), R.RUN_QUEUE),
    _asked("POST", "/console/queue/{appointment_id}/call", queue.moved_by("call"), R.RUN_QUEUE),
    _asked("POST", "/console/queue/{appointment_id}/served", queue.moved_by("served"), R.RUN_QUEUE),
    _asked("POST", "/console/queue/{appointment_id}/missed", queue.moved_by("missed"), R.RUN_QUEUE),
    _asked("GET", "/console/queue/{appointment_id}/slip", queue.show_slip, R.HAND_OVER_APPOINTMENT),
    _asked("POST", "/console/queue/{appointment_id}/text", queue.text_link, R.HAND_OVER_APPOINTMENT),
    # Staff.
    Entry("GET", "/console/staff", staff.show_staff, R.SEE_STAFF),
    Entry("POST", "/console/staff", staff.add, R.CREATE_STAFF),
    Entry("GET", "/console/staff/{staff_id}", staff.show_member, R.SEE_STAFF),
    Entry("POST", "/console/staff/{staff_id}/change", staff.change, R.CHANGE_STAFF),
    Entry("POST", "/console/staff/{staff_id}/deactivate", staff.deactivate, R.DEACTIVATE_STAFF),
    Entry("POST", "/console/staff/{staff_id}/reactivate", staff.reactivate, R.REACTIVATE_STAFF),
    Entry("POST", "/console/staff/{staff_id}/reset", staff.reset, R.RESET_CREDENTIALS),
    Entry("POST", "/console/staff/{staff_id}/release", staff.release, R.RELEASE_HOLD),
    Entry("POST", "/console/staff/{staff_id}/propose-role", staff.propose_administrator, R.PROPOSE_ADMINISTRATOR),
    Entry("POST", "/console/staff/{staff_id}/propose-reset", staff.propose_reset, R.PROPOSE_ADMINISTRATOR_RESET),
    # Outlets.
    _asked("GET", "/console/outlets", outlets.show_outlets, R.MANAGE_OUTLETS),
    _asked("GET", "/console/outlets/{outlet_id}", outlets.show_outlet, R.MANAGE_OUTLETS),
    _asked("POST", "/console/outlets/{outlet_id}/hours", outlets.set_hours, R.MANAGE_HOURS),
    _asked("POST", "/console/outlets/{outlet_id}/capacity", outlets.set_capacity, R.MANAGE_SERVICES),
    _asked("POST", "/console/outlets/{outlet_id}/exceptions", outlets.put_exception, R.MANAGE_HOURS),
    _asked("POST", "/console/outlets/{outlet_id}/exceptions/delete", outlets.take_exception_back, R.MANAGE_HOURS),
    _asked("POST", "/console/outlets/{outlet_id}/facts", outlet_facts.set_facts, R.MANAGE_OUTLETS),
    _asked("POST", "/console/outlets/{outlet_id}/services", outlet_facts.set_services, R.MANAGE_SERVICES),
    _asked("POST", "/console/outlets/{outlet_id}/close", outlet_facts.close, R.MANAGE_OUTLETS),
    _asked("POST", "/console/outlets/{outlet_id}/reopen", outlet_facts.reopen, R.MANAGE_OUTLETS),
    _asked("POST", "/console/country-days", outlets.put_country_day, R.MANAGE_HOURS),
    _asked("POST", "/console/country-days/delete", outlets.take_country_day_back, R.MANAGE_HOURS),
    # The record.
    Entry("GET", "/console/audit", audit.show_alarms, R.AUDIT_STAFF),
    Entry("GET", "/console/audit/staff/{staff_id}", audit.show_staff_audit, R.AUDIT_STAFF),
    Entry("GET", "/console/audit/customer/{ref}", audit.show_customer_audit, R.AUDIT_CUSTOMER),
    # Tables.
    Entry("GET", "/console/exports/staff/{staff_id}.csv", exports.export_staff_record, R.EXPORT_AUDIT),
    Entry("GET", "/console/exports/customer/{ref}.csv", exports.export_customer_record, R.EXPORT_AUDIT),
    Entry("GET", "/console/exports/staff.csv", exports.export_staff, R.SEE_STAFF),
    Entry("GET", "/console/exports/outlets.csv", exports.export_outlets, R.MANAGE_OUTLETS),
    _asked("GET", "/console/exports/queue.csv", exports.export_queue, R.RUN_QUEUE),
)
# fmt: on

OPEN: Final = (
    ("GET", "/console/sign-in", sign_in.show_sign_in),
    ("POST", "/console/sign-in", sign_in.give_password),
    ("POST", "/console/sign-in/passkey/options", sign_in.ask_for_passkey),
    ("POST", "/console/sign-in/passkey", sign_in.give_passkey),
    ("POST", "/console/sign-out", sign_in.sign_out),
    ("GET", "/console/locked", sign_in.show_locked),
    ("GET", "/console/left", sign_in.tell_left),
    ("POST", "/console/left", sign_in.tell_left),
    ("GET", "/console/enrol", sign_in.show_enrol),
    ("POST", "/console/enrol", sign_in.give_enrolment),
    ("POST", "/console/enrol/password", sign_in.choose_password),
    ("POST", "/console/enrol/passkey/options", sign_in.ask_for_new_passkey),
    ("POST", "/console/enrol/passkey", sign_in.choose_passkey),
)


async def serve_script(request: Request) -> Response:
    """The console's script, by the name of what it holds."""
    return assets.serve(request, script())


def routes() -> list[BaseRoute]:
    """Return the routes of the console."""
    fixed = [Route(path, handler, methods=[method]) for method, path, handler in OPEN]
    staff = [
        Route(e.path, staffed(e.handler, e.right, is_used=e.is_used, is_guarded=e.is_guarded), methods=[e.method])
        for e in ENTRIES
    ]
    return [Route(script().path, serve_script, methods=["GET"]), *fixed, *staff]
