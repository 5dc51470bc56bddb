"""A visit as a calendar file: time and place, and nothing about the client."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.utils.translation import gettext as _
from icalendar import Alarm, Calendar, Event

from visits.models import Booking


def calendar_file(booking: Booking, *, at: datetime) -> bytes:
    """Return an iCalendar file (RFC 5545) with one event and a reminder a day before."""
    facility = booking.request.facility
    event = Event()
    event.add("uid", f"{booking.public_id}@visits")
    event.add("dtstamp", at)
    event.add("dtstart", booking.slot.begins_at)
    event.add("dtend", booking.slot.ends_at)
    event.add("summary", _("Visit %(reference)s") % {"reference": booking.reference})
    event.add("location", f"{facility.name}, {booking.room.code}")
    event.add("status", "CONFIRMED" if booking.is_ahead else "CANCELLED")
    alarm = Alarm()
    alarm.add("action", "DISPLAY")
    alarm.add("description", _("Visit tomorrow"))
    alarm.add("trigger", timedelta(days=-1))
    event.add_component(alarm)
    calendar = Calendar()
    calendar.add("prodid", "-//visits//EN")
    calendar.add("version", "2.0")
    calendar.add_component(event)
    return bytes(calendar.to_ical())
