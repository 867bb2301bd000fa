"""An appointment as a calendar file (RFC 5545), in the outlet's own time zone."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

from foregate import __version__
from foregate.desk.bookings import Booked
from foregate.doors.text import catalog
from foregate.local_time import at_place
from foregate.rules.appointments import State
from foregate.rules.services import SERVICES
from foregate.settings import Settings

OVER: Final = frozenset({State.CANCELLED, State.NO_SHOW, State.NOT_CALLED})


def calendar_of(booked: Booked, settings: Settings, token: str, language: str) -> bytes:
    """Return the file. Opened again after a move or a cancellation it replaces what it made before."""
    from icalendar import Calendar, Event  # takes a third of a second to load: not at every start

    row, outlet = booked.row, booked.outlet

    def say(key: str, **facts: object) -> str:
        return catalog.text(language, key, **facts)

    things = [say(f"bring.{thing}") for thing in SERVICES[row.service].bring]
    link = f"{settings.origin}/appointments/{token}"
    service = say(f"service.{row.service}.name")
    event = Event()
    event.add("uid", f"{row.appointment_id}@{settings.host}")
    event.add("dtstamp", datetime.fromtimestamp(booked.now, UTC))
    event.add("sequence", (booked.now - row.created_at) // 60)  # grows, so the newer file wins
    event.add("dtstart", at_place(row.starts_at, outlet.time_zone))
    event.add("dtend", at_place(row.ends_at, outlet.time_zone))
    event.add("summary", say("ics.summary", bank=settings.bank_name, service=service))
    event.add("location", " ".join(part for part in (outlet.name, outlet.address) if part))
    event.add("description", say("ics.description", reference=row.reference, bring="; ".join(things), link=link))
    event.add("url", link)
    event.add("status", "CANCELLED" if row.state in OVER else "CONFIRMED")
    calendar = Calendar()
    calendar.add("prodid", f"-//Foregate//{__version__}//EN")
    calendar.add("version", "2.0")
    calendar.add("method", "PUBLISH")
    calendar.add_component(event)
    calendar.add_missing_timezones()
    made: bytes = calendar.to_ical()
    return made
