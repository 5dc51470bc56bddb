"""When the ground gives way under a booking: another room, another time, or the waiting list."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import uuid4

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from detention import access, audit
from detention.custody import CustodyNotOpen
from detention.errors import Refusal, WrongMove
from detention.lifecycle import move
from detention.models import Custody, Role, User
from detention.verbs import verb
from visits import allocation, bookings, claims, mandates, notices, requests
from visits.models import Booking, Duty, Notice, Request, Slot, SlotRoom
from visits.models.flow import OPEN_REQUEST

AHEAD = (Booking.State.RESERVED, Booking.State.BOOKED, Booking.State.CHECKED_IN)
SEARCHED_DAYS = 14

_REASONS: dict[type[Refusal], Booking.Reason] = {
    CustodyNotOpen: Booking.Reason.CLIENT_GONE,
    mandates.MandateNotLive: Booking.Reason.PAPERS,
    mandates.PapersNotValid: Booking.Reason.PAPERS,
    mandates.PermissionMissing: Booking.Reason.PERMISSION,
    mandates.VisitsRestricted: Booking.Reason.RESTRICTION,
}


@verb
def recheck(request: Request, *, at: datetime) -> Request:
    """Look at a request again after something changed; a booking that no longer fits is ended.

    The lawyer is told at once, the place goes to the waiting list, and the request waits for
    what is missing. Repeat: no change. Locks as a booking does.
    """
    request = requests.lock(request.pk)
    if not request.is_open:
        return request
    for booking in _ahead(request):
        booking.request = request
        try:
            mandates.check_fit(request, booking.slot)
        except tuple(_REASONS) as refusal:
            bookings.cancel_by_centre(booking, _REASONS[type(refusal)], by=None, at=at)
            bookings.refill(booking.slot, at=at)
    return requests.settle_state(request, at=at)


def _ahead(request: Request) -> list[Booking]:
    return list(
        Booking.objects.select_for_update(of=("self",), no_key=True)
        .select_related("slot")
        .filter(request=request, state__in=AHEAD)
        .order_by("pk")
    )


@verb
def rehouse(booking: Booking, reason: Booking.Reason, *, at: datetime) -> Booking:
    """Find another place for a visit whose room or escort is gone.

    First another room and escort in the same slot, then the earliest slot within the 48 hours,
    then any; else the visit is cancelled by the centre and goes first on the waiting list.
    Returns the booking that holds now, or the cancelled one. Repeat: no change when its room
    and escort are there. Locks as a booking does.
    """
    request = requests.lock(booking.request_id)
    booking = (
        Booking.objects.select_for_update(of=("self",), no_key=True)
        .select_related("slot")
        .get(pk=booking.pk)
    )
    booking.request = request
    if booking.state not in AHEAD or _stands(booking):
        return booking
    if _change_room(booking, at=at):
        notices.tell(request.lawyer, Notice.Code.ROOM_CHANGED, at=at, booking=booking)
        return booking
    if booking.state == Booking.State.BOOKED:
        new = _change_time(booking, at=at)
        if new is not None:
            bookings.settle(new, [], by=None, at=at)
            notices.tell(request.lawyer, Notice.Code.MOVED, at=at, booking=new, detail=str(reason))
            return new
    bookings.cancel_by_centre(booking, reason, by=None, at=at)
    if request.state == Request.State.READY:
        move(request, Request.State.WAITING)
        request.waiting_at = at
        request.waiting_until = timezone.localdate(at + timedelta(days=SEARCHED_DAYS))
        request.was_displaced = True
        request.save(update_fields=["state", "waiting_at", "waiting_until", "was_displaced"])
    return booking


@verb
def another_room(booking: Booking, *, by: User, at: datetime) -> Booking:
    """Give a visit another room now, because the one before it overruns.

    Refuses NotAllowed, SlotFull when no other room is free, WrongMove once it is inside.
    """
    access.require(by, booking.request.facility, Role.GUARD)
    request = requests.lock(booking.request_id)
    booking = _ahead_or_wrong(booking, request)
    old = booking.room_id
    if not _change_room(booking, at=at, but_room=old):
        raise bookings.SlotFull
    audit.record(
        "visit.room_changed", by=by, at=at, subject=booking, facility=request.facility, old=old
    )
    notices.tell(request.lawyer, Notice.Code.ROOM_CHANGED, at=at, booking=booking)
    return booking


def _ahead_or_wrong(booking: Booking, request: Request) -> Booking:
    found = next((one for one in _ahead(request) if one.pk == booking.pk), None)
    if found is None:
        raise WrongMove(state=booking.state)
    found.request = request
    return found


def _stands(booking: Booking) -> bool:
    room = SlotRoom.objects.filter(slot=booking.slot, room=booking.room_id, is_open=True)
    escort = Duty.objects.filter(slot=booking.slot, officer=booking.escort_id, is_present=True)
    return room.exists() and escort.exists()


def _change_room(booking: Booking, *, at: datetime, but_room: int | None = None) -> bool:
    """Swap the claims for those of another place in the same slot; false when there is none."""
    request, slot = booking.request, booking.slot
    room, escort = booking.room_id, booking.escort_id
    claims.end(booking, at=at)
    free = allocation.free(request, at=at, since=slot.begins_at, until=slot.ends_at)
    left = free.slots.get(slot.pk, allocation.FreeSlot(slot=slot.pk))
    left.rooms = [free_room for free_room in left.rooms if free_room.room != but_room]
    for place in _candidates(booking, left, at=at):
        booking.room_id, booking.escort_id = place.room, place.escort
        booking.is_borrowed = place.is_borrowed
        if not claims.take(booking, at=at):
            booking.save(update_fields=["room", "escort", "is_borrowed"])
            return True
    booking.room_id, booking.escort_id = room, escort
    return False


def _candidates(
    booking: Booking, left: allocation.FreeSlot, *, at: datetime
) -> list[allocation.Place]:
    slot = booking.slot
    pools = {slot.pk: allocation.pools_of(booking.request, slot, at=at)}
    # The centre's own trouble opens its reserves.
    pools[slot.pk] += [
        pool
        for pool in (SlotRoom.Pool.RESERVE, SlotRoom.Pool.WALK_IN)
        if pool not in pools[slot.pk]
    ]
    return allocation.ranked([left], pools=pools, wish=[slot.pk], salt=booking.pk)


def _change_time(booking: Booking, *, at: datetime) -> Booking | None:
    request = booking.request
    free = requests.free_slots(request, days=SEARCHED_DAYS, at=at)
    in_time = [slot for slot, _rooms in free if slot.begins_at <= request.due_at]
    for slot in in_time or [slot for slot, _rooms in free]:
        new = _try(booking, slot, at=at)
        if new is not None:
            return new
    return None


def _try(booking: Booking, slot: Slot, *, at: datetime) -> Booking | None:
    free = allocation.free(booking.request, at=at, since=slot.begins_at, until=slot.ends_at)
    places = bookings.places_for(booking.request, free, slots={slot.pk: slot}, at=at)
    try:
        with bookings.attempt():
            return bookings.take_first(
                booking.request,
                places,
                slots={slot.pk: slot},
                key=uuid4(),
                at=at,
                expires_at=None,
                own=[booking],
            )
    except Refusal:
        booking.refresh_from_db(fields=["state", "ended_at", "reason"])
        return None


def recheck_custody(custody: Custody, *, at: datetime) -> int:
    """Recheck every open request for one person; returns how many."""
    return _each(Request.objects.filter(custody=custody), at=at)


def _each(rows: QuerySet[Request], *, at: datetime) -> int:
    found = list(rows.filter(state__in=OPEN_REQUEST).order_by("pk"))
    for request in found:
        recheck(request, at=at)
    return len(found)


def recheck_mandate(mandate_pk: int, *, at: datetime) -> int:
    """Recheck every open request on one mandate; returns how many."""
    return _each(Request.objects.filter(mandate=mandate_pk), at=at)


def recheck_lawyer(lawyer_pk: int, *, at: datetime) -> int:
    """Recheck every open request of one lawyer; returns how many."""
    return _each(Request.objects.filter(lawyer=lawyer_pk), at=at)


def homeless(*, at: datetime) -> list[Booking]:
    """Return the visits ahead whose room is closed or whose escort is away, soonest first."""
    room_open = SlotRoom.objects.filter(slot=OuterRef("slot"), room=OuterRef("room"), is_open=True)
    on_duty = Duty.objects.filter(
        slot=OuterRef("slot"), officer=OuterRef("escort"), is_present=True
    )
    return list(
        Booking.objects.annotate(has_room=Exists(room_open), has_escort=Exists(on_duty))
        .filter(Q(has_room=False) | Q(has_escort=False), state__in=AHEAD, slot__ends_at__gt=at)
        .order_by("slot__begins_at", "pk")
    )


def rehouse_all(*, at: datetime) -> int:
    """Rehouse everything homeless; each visit is its own transaction. Returns how many."""
    found = homeless(at=at)
    for booking in found:
        reason = Booking.Reason.ESCORT if booking.has_room else Booking.Reason.ROOM  # type: ignore[attr-defined]
        rehouse(booking, reason, at=at)
    return len(found)


def recheck_stranded(*, at: datetime) -> int:
    """Recheck what an event should have reached: closed custodies, pauses by order that ended.

    For the sweep; safe to run twice.
    """
    closed = Request.objects.exclude(custody__state=Custody.State.OPEN)
    paused = Request.objects.filter(pauses__ends_at=None, pauses__reason="restriction")
    return _each(closed, at=at) + _each(paused, at=at)
