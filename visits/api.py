"""JSON for programs: what is free, the day's visits, the gate. Opened by an officer's token."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from django.http import HttpRequest
from django.utils import timezone
from ninja import Router, Schema

from detention.models import Role
from detention.tokens import Grant
from visits import board, figures, gate, timetable
from visits.models import Booking

router = Router(tags=["visits"])

READERS = (Role.GUARD, Role.ADMINISTRATOR, Role.AUDITOR)


class CellOut(Schema):
    room: str
    state: str


class RowOut(Schema):
    sequence: int
    begins_at: datetime
    ends_at: datetime
    cells: list[CellOut]


class DayOut(Schema):
    on: date
    free: int
    next_free: datetime | None
    waiting: int
    rows: list[RowOut]


class VisitOut(Schema):
    """One visit without names: who, is answered by the desk."""

    public_id: UUID
    reference: str
    state: str
    begins_at: datetime
    ends_at: datetime
    room: str
    is_green: bool


class ScanIn(Schema):
    text: str


class ScanOut(Schema):
    answer: str
    text: str
    reference: str | None


class FiguresOut(Schema):
    first: date
    last: date
    values: dict[str, float | None]


def _grant(request: HttpRequest) -> Grant:
    found: Grant = request.auth  # type: ignore[attr-defined]
    return found


@router.get("/day", response=DayOut, url_name="visits_day")
def day(request: HttpRequest, on: date | None = None) -> board.Day:
    """Return one day of the board; today when no day is named."""
    facility = _grant(request).demand(*READERS)
    at = timezone.now()
    return board.day(facility, on or timetable.today(facility, at), at=at)


@router.get("/bookings", response=list[VisitOut], url_name="visits_bookings")
def bookings(request: HttpRequest, on: date) -> list[VisitOut]:
    """Return the visits of one day, in the order of the slots."""
    facility = _grant(request).demand(*READERS)
    found = (
        Booking.objects.filter(request__facility=facility, slot__on=on)
        .exclude(state__in=["reserved", "expired"])
        .select_related("slot", "room")
        .order_by("slot__sequence", "room__code", "pk")
    )
    return [
        VisitOut(
            public_id=booking.public_id,
            reference=booking.reference,
            state=booking.state,
            begins_at=booking.slot.begins_at,
            ends_at=booking.slot.ends_at,
            room=booking.room.code,
            is_green=booking.is_green,
        )
        for booking in found
    ]


@router.post("/scans", response=ScanOut, url_name="visits_scan")
def scan(request: HttpRequest, sent: ScanIn) -> ScanOut:
    """Answer to a pass shown at a gate that reads it by itself."""
    facility = _grant(request).demand(Role.GUARD)
    found = gate.check_in(facility, sent.text[:200], by=_grant(request).user, at=timezone.now())
    return ScanOut(
        answer=found.answer,
        text=str(found.get_answer_display()),
        reference=found.booking.reference if found.booking else None,
    )


@router.get("/figures", response=FiguresOut, url_name="visits_figures")
def show_figures(request: HttpRequest, first: date, last: date) -> FiguresOut:
    """Return the figures of a period, both days included."""
    facility = _grant(request).demand(Role.ADMINISTRATOR, Role.AUDITOR)
    counted = figures.rows(figures.compute(facility, first=first, last=last))
    return FiguresOut(first=first, last=last, values={line.name: line.value for line in counted})
