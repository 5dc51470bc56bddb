"""The day of the visit: arriving, entering, leaving, not coming."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.utils.translation import gettext_lazy as _

from detention import access, audit, policy
from detention.errors import Refusal
from detention.lifecycle import move
from detention.models import Facility, Role, User
from detention.verbs import verb
from visits import claims, mandates, passes, requests, tickets, timetable
from visits.green import GearNotOff
from visits.models import Booking, CheckIn, Rating, Request

policy.declare(
    "visits_late_minutes",
    _("Minutes after which a lawyer who has not come counts as no-show"),
    unit="minutes",
    default=15,
    low=5,
    high=60,
)

EARLY = timedelta(hours=1)
Answer = CheckIn.Answer
_GONE = (
    Booking.State.RESERVED,
    Booking.State.EXPIRED,
    Booking.State.CANCELLED,
    Booking.State.MOVED,
)


class RoomOccupied(Refusal):
    code = "room_occupied"
    message = _("The visit before is still in this room. Give this one another room.")


class WitnessMissing(Refusal):
    code = "witness_missing"
    status = 422
    message = _("Another officer must witness the refusal.")


class PaperMissing(Refusal):
    code = "paper_missing"
    status = 422
    message = _("Write the number of the report.")


class ScoreOutOfRange(Refusal):
    code = "score_out_of_range"
    status = 422
    message = _("Choose one of the five answers.")
    constraint = "rating_one_to_five"


@dataclass(frozen=True, kw_only=True)
class Arrival:
    """What decides about a scanned pass; `on` and `today` are local dates."""

    is_here: bool
    state: str
    on: date
    today: date
    begins_in: timedelta
    late_after: timedelta
    has_papers: bool
    has_permission: bool


def answer_to(arrival: Arrival) -> CheckIn.Answer:
    """Give the one answer of the closed list. Pure."""
    if not arrival.is_here:
        return Answer.ELSEWHERE
    if arrival.state in _GONE:
        return Answer.CANCELLED
    if arrival.state == Booking.State.NO_SHOW:
        return Answer.LATE
    if arrival.state != Booking.State.BOOKED:
        return Answer.USED
    if arrival.on != arrival.today:
        return Answer.WRONG_DAY
    if not arrival.has_papers:
        return Answer.PAPERS_EXPIRED
    if not arrival.has_permission:
        return Answer.PERMISSION_MISSING
    if arrival.begins_in > EARLY:
        return Answer.TOO_EARLY
    if -arrival.begins_in > arrival.late_after:
        return Answer.LATE
    return Answer.WELCOME


@verb
def check_in(facility: Facility, text: str, *, by: User, at: datetime) -> CheckIn:
    """Answer to a pass shown at the gate, or to the short reference typed from it.

    Writes one CheckIn for every scan; the answer WELCOME also marks the booking as arrived.
    A pass of another facility and an invented one are told apart only by their signature.
    Refuses NotAllowed. Locks the request, then the booking.
    """
    access.require(by, facility, Role.GUARD)
    booking = _of_pass(facility, text)
    if booking is None:
        found = CheckIn.objects.create(facility=facility, answer=Answer.FORGED, at=at, by=by)
        audit.record("gate.forged", by=by, at=at, subject=found, facility=facility)
        return found
    request = requests.lock(booking.request_id)
    booking = _locked(booking, request)
    late = timedelta(minutes=policy.number(facility, "visits_late_minutes", at=at))
    on = booking.slot.on
    needs = mandates.needs_permission(request.custody)
    answer = answer_to(
        Arrival(
            is_here=request.facility_id == facility.pk,
            state=booking.state,
            on=on,
            today=timetable.today(facility, at),
            begins_in=booking.slot.begins_at - at,
            late_after=late,
            has_papers=not mandates.papers_missing(request.mandate, on),
            has_permission=not needs or mandates.has_permission(request.mandate, on),
        )
    )
    if answer == Answer.WELCOME:
        move(booking, Booking.State.CHECKED_IN)
        booking.arrived_at = at
        booking.save(update_fields=["state", "arrived_at"])
    found = CheckIn.objects.create(facility=facility, booking=booking, answer=answer, at=at, by=by)
    audit.record(
        "gate.scanned", by=by, at=at, subject=booking, facility=facility, answer=str(answer)
    )
    return found


def _of_pass(facility: Facility, text: str) -> Booking | None:
    public_id = passes.read(text)
    if public_id is not None:
        return Booking.objects.filter(public_id=public_id).first()
    reference = text.strip().upper()
    # A typed reference proves nothing, so it opens only this facility's own bookings.
    return Booking.objects.filter(reference=reference, request__facility=facility).first()


def _locked(booking: Booking, request: Request) -> Booking:
    found = (
        Booking.objects.select_for_update(of=("self",), no_key=True)
        .select_related("slot", "room")
        .get(pk=booking.pk)
    )
    found.request = request
    return found


def _at_desk(booking: Booking, *, by: User) -> tuple[Booking, Request]:
    access.require(by, booking.request.facility, Role.GUARD)
    request = requests.lock(booking.request_id)
    return _locked(booking, request), request


@verb
def enter(booking: Booking, *, by: User, at: datetime) -> Booking:
    """Write down that lawyer and client are in the room: the 48 hours end here.

    Refuses NotAllowed, WrongMove, RoomOccupied, GearNotOff (borrowed room). Locks the request.
    """
    booking, request = _at_desk(booking, by=by)
    inside = Booking.objects.filter(
        room=booking.room_id, state=Booking.State.IN_ROOM, left_at=None
    ).exclude(pk=booking.pk)
    if inside.exists():
        raise RoomOccupied
    if booking.is_borrowed and booking.gear_off_at is None:
        raise GearNotOff
    move(booking, Booking.State.IN_ROOM)
    booking.entered_at = at
    booking.save(update_fields=["state", "entered_at"])
    move(request, Request.State.MET)
    request.met_at = at
    request.save(update_fields=["state", "met_at"])
    audit.record("visit.entered", by=by, at=at, subject=booking, facility=request.facility)
    return booking


@verb
def leave(booking: Booking, *, by: User, at: datetime) -> Booking:
    """Write down that the visit is over; what is left of the slot is free for a walk-in.

    Refuses NotAllowed, WrongMove. Locks the request.
    """
    booking, request = _at_desk(booking, by=by)
    _finish(booking, Booking.State.COMPLETED, at=at)
    audit.record("visit.left", by=by, at=at, subject=booking, facility=request.facility)
    return booking


@verb
def terminate(booking: Booking, *, report_number: str, by: User, at: datetime) -> Booking:
    """Stop a visit for a serious breach; the report goes to firm, association and bureau.

    report_number: of the written report; what happened is not stored here.
    Refuses NotAllowed, PaperMissing, WrongMove. Locks the request.
    """
    if not report_number.strip():
        raise PaperMissing(field="report_number")
    booking, request = _at_desk(booking, by=by)
    _finish(booking, Booking.State.TERMINATED, at=at)
    audit.record(
        "visit.terminated",
        by=by,
        at=at,
        subject=booking,
        facility=request.facility,
        report=report_number.strip(),
    )
    return booking


def _finish(booking: Booking, state: Booking.State, *, at: datetime) -> None:
    move(booking, state)
    booking.left_at = booking.ended_at = at
    booking.save(update_fields=["state", "left_at", "ended_at"])
    claims.end(booking, at=at)


@verb
def detainee_refuses(booking: Booking, *, witness: User, by: User, at: datetime) -> Booking:
    """Write down that the client does not want the visit, signed before two officers.

    Does not count as a no-show. Refuses NotAllowed, WitnessMissing, WrongMove.
    """
    if witness.pk == by.pk:
        raise WitnessMissing(field="witness")
    booking, request = _at_desk(booking, by=by)
    access.require(witness, request.facility, Role.GUARD, Role.ADMINISTRATOR)
    move(booking, Booking.State.REFUSED)
    booking.ended_at = at
    booking.save(update_fields=["state", "ended_at"])
    claims.end(booking, at=at)
    move(request, Request.State.ENDED)
    request.save(update_fields=["state"])
    audit.record(
        "visit.refused_by_detainee",
        by=by,
        at=at,
        subject=booking,
        facility=request.facility,
        witness=witness.pk,
    )
    tickets.call_into(booking.slot, at=at)
    return booking


def mark_no_shows(*, at: datetime) -> int:
    """Mark who has not come in time and give their places to walk-ins. Returns how many.

    For the sweep; each visit is its own transaction. Safe to run twice.
    """
    missed = (
        Booking.objects.filter(state=Booking.State.BOOKED, slot__begins_at__lt=at)
        .select_related("slot", "request__facility")
        .order_by("slot__begins_at", "pk")
    )
    return sum(_mark(booking, at=at) for booking in missed)


@verb
def _mark(booking: Booking, *, at: datetime) -> int:
    request = requests.lock(booking.request_id)
    booking = _locked(booking, request)
    late = timedelta(minutes=policy.number(request.facility, "visits_late_minutes", at=at))
    if booking.state != Booking.State.BOOKED or booking.slot.begins_at + late > at:
        return 0
    move(booking, Booking.State.NO_SHOW)
    booking.ended_at = at
    booking.save(update_fields=["state", "ended_at"])
    claims.end(booking, at=at)
    move(request, Request.State.MISSED)
    request.save(update_fields=["state"])
    audit.record("visit.no_show", by=None, at=at, subject=booking, facility=request.facility)
    tickets.call_into(booking.slot, at=at)
    return 1


def overruns(facility: Facility, *, at: datetime) -> list[Booking]:
    """Return the visits still in a room after their slot, longest first."""
    return list(
        Booking.objects.filter(
            request__facility=facility, state=Booking.State.IN_ROOM, slot__ends_at__lt=at
        )
        .select_related("slot", "room")
        .order_by("slot__ends_at", "pk")
    )


@verb
def rate(booking: Booking, *, score: int, by: User, at: datetime) -> Rating:
    """Store how satisfied the lawyer was, from 1 to 5. Repeat: the first answer stays.

    Refuses WrongMove before the visit is completed, ScoreOutOfRange.
    """
    if not 1 <= score <= 5:
        raise ScoreOutOfRange(field="score")
    if booking.state != Booking.State.COMPLETED:
        raise requests.NotYet
    rating, made = Rating.objects.get_or_create(
        booking=booking, defaults={"score": score, "at": at}
    )
    if made:
        audit.record("visit.rated", by=by, at=at, subject=booking, score=score)
    return rating
