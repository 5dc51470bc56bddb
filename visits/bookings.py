"""Taking a place, keeping it, moving it, giving it back. Nothing is taken twice."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from uuid import UUID, uuid4

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy as _

from detention import audit, policy
from detention.errors import NotFound, Refusal
from detention.identity import fresh_code
from detention.lifecycle import move
from detention.models import Facility, User
from detention.verbs import assert_in_transaction, verb
from visits import allocation, claims, clock, mandates, notices, requests
from visits.allocation import Place
from visits.models import Booking, Claim, Lawyer, Notice, Request, Slot
from visits.models.flow import HOLDING

policy.declare(
    "visits_hold", _("Minutes a place is held while the form is filled in"), unit="minutes",
    default=10, low=1, high=60,
)  # fmt: skip
policy.declare(
    "visits_open_per_lawyer", _("Open bookings of one lawyer"), unit="times",
    default=6, low=1, high=1000,
)  # fmt: skip

# How many places are tried before what is free is read once more.
TRIES = 5
# How many of the ranked places are candidates at all: a day of a large facility.
CANDIDATES = 120
# How many of the waiting list are looked at for one free place.
LOOKED_AT = 20


class SlotFull(Refusal):
    code = "slot_full"
    message = _("This time is full. Choose another one, or join the waiting list.")
    constraint = "claim_active_unique"


class ClientBusy(Refusal):
    code = "client_busy"
    message = _("Your client has another appointment at that time.")


class LawyerBusy(Refusal):
    code = "lawyer_busy"
    message = _("You have another visit at that time.")


class SlotOver(Refusal):
    code = "slot_over"
    status = 422
    message = _("This time has already begun or passed.")


class TooManyBookings(Refusal):
    code = "too_many_bookings"
    message = _("You have %(limit)s open bookings. Use or cancel one first.")


class NotBookable(Refusal):
    code = "request_not_bookable"
    message = _("This request cannot be booked now. Its page says why.")


class ReservationOver(Refusal):
    code = "reservation_over"
    message = _("The place was held for you until the time shown. Choose a time again.")


def reserve(
    request: Request, *, wish: Sequence[Slot], key: UUID, by: audit.Actor, at: datetime
) -> Booking:
    """Hold a place while a form is filled in; an earlier hold for the request is given up.

    wish: the slots that suit, best first; the system picks the room and the escort. A booked
    request keeps its booking until the new place is confirmed.
    Repeat with the same key: the same booking. Refuses as `book`.
    """
    minutes = policy.number(request.facility, "visits_hold", at=at)
    return _obtain(
        request, wish=wish, key=key, by=by, at=at, expires_at=at + timedelta(minutes=minutes)
    )


def book(
    request: Request, *, wish: Sequence[Slot], key: UUID, by: audit.Actor, at: datetime
) -> Booking:
    """Book a place at once, or move the booking that the request already has.

    Losing costs one read without lock. Repeat with the same key: the same booking.
    Refuses SlotFull, ClientBusy, LawyerBusy, SlotOver, NotBookable, TooManyBookings and what
    `mandates.check_fit` refuses. Locks custody, lawyer, mandate and request.
    """
    return _obtain(request, wish=wish, key=key, by=by, at=at, expires_at=None)


def _obtain(
    request: Request,
    *,
    wish: Sequence[Slot],
    key: UUID,
    by: audit.Actor,
    at: datetime,
    expires_at: datetime | None,
) -> Booking:
    slots = {slot.pk: slot for slot in wish if slot.begins_at > at}
    if not slots:
        raise SlotOver(field="slot")
    for is_last in (False, True):
        free = allocation.free(
            request,
            at=at,
            since=min(slot.begins_at for slot in slots.values()),
            until=max(slot.ends_at for slot in slots.values()),
            key=key,
        )
        if free.booking is not None:
            return Booking.objects.select_related("slot", "room", "request").get(pk=free.booking)
        places = places_for(request, free, slots=slots, at=at)
        if not places:
            raise _why_none(free, slots)
        try:
            return _claim(
                request,
                places[:CANDIDATES],
                slots=slots,
                key=key,
                by=by,
                at=at,
                expires_at=expires_at,
            )
        except SlotFull:
            # Others were quicker at all of these; what is free now is read once more.
            if is_last:
                raise
    raise AssertionError("unreachable")


def places_for(
    request: Request, free: allocation.Free, *, slots: dict[int, Slot], at: datetime
) -> list[Place]:
    """Rank what is free for a request by the slots' order and the pools it may use."""
    pools = {pk: allocation.pools_of(request, slot, at=at) for pk, slot in slots.items()}
    found = [place for pk, place in free.slots.items() if pk in slots]
    # Several slots without preference are asked for as a set of a day; one is a wish.
    wish = list(slots) if len(slots) <= 3 else []
    return allocation.ranked(found, pools=pools, wish=wish, salt=request.pk)


def _why_none(free: allocation.Free, slots: dict[int, Slot]) -> Refusal:
    busy = {free.busy.get(pk) for pk in slots}
    if busy == {"detainee"}:
        return ClientBusy(field="slot")
    if busy == {"lawyer"}:
        return LawyerBusy(field="slot")
    return SlotFull(field="slot")


@verb
def _claim(
    request: Request,
    places: Sequence[Place],
    *,
    slots: dict[int, Slot],
    key: UUID,
    by: audit.Actor,
    at: datetime,
    expires_at: datetime | None,
) -> Booking:
    request = requests.lock(request.pk)
    held = list(Booking.objects.filter(request__lawyer=request.lawyer, state__in=HOLDING))
    own = [booking for booking in held if booking.request_id == request.pk]
    for booking in own:
        if booking.key == key:
            return booking
    require_bookable(request, own)
    others = len({booking.request_id for booking in held} - {request.pk})
    limit = policy.number(request.facility, "visits_open_per_lawyer", at=at)
    if others >= limit:
        raise TooManyBookings(limit=limit)
    booking = take_first(
        request, places, slots=slots, key=key, at=at, expires_at=expires_at, own=own
    )
    if booking.state == Booking.State.BOOKED:
        settle(booking, own, by=by, at=at)
    return booking


def require_bookable(request: Request, own: Sequence[Booking]) -> None:
    """Refuse NotBookable unless the request waits for a place or may move one that is ahead."""
    current = [b for b in own if b.state != Booking.State.RESERVED]
    if request.state == Request.State.BOOKED and all(b.is_ahead for b in current):
        return
    if request.state not in (Request.State.READY, Request.State.WAITING):
        raise NotBookable(state=request.state)


def take_first(
    request: Request,
    places: Sequence[Place],
    *,
    slots: dict[int, Slot],
    key: UUID,
    at: datetime,
    expires_at: datetime | None,
    own: Sequence[Booking] = (),
) -> Booking:
    """Make a booking on the first of these places that is still to be had.

    A move: within the caller's transaction; the request is locked by `requests.lock`.
    Gives up the request's earlier reservation. Refuses SlotFull and what `check_fit` refuses.
    """
    assert_in_transaction()
    for booking in own:
        if booking.state == Booking.State.RESERVED:
            _end(booking, Booking.State.EXPIRED, at=at)
    current = next((b for b in own if b.is_ahead), None)
    made: Booking | None = None
    checked: set[int] = set()
    left = list(places)
    for _try in range(TRIES):
        place = claims.pick(left, at=at)
        if place is None:
            break
        left = [one for one in left if (one.slot, one.room) != (place.slot, place.room)]
        slot = slots[place.slot]
        if slot.pk not in checked:
            mandates.check_fit(request, slot)
            _check_elsewhere(request, slot, at=at)
            checked.add(slot.pk)
        if made is None:
            made = Booking(
                reference=fresh_code(),
                key=key,
                request=request,
                state=Booking.State.BOOKED if expires_at is None else Booking.State.RESERVED,
                made_at=at,
                booked_at=at if expires_at is None else None,
                expires_at=expires_at,
                is_green=request.is_green,
                replaces=current if expires_at is None else None,
            )
        made.slot, made.room_id, made.escort_id = slot, place.room, place.escort
        made.is_borrowed = place.is_borrowed
        if expires_at is None and current is not None and current.state != Booking.State.MOVED:
            _end(current, Booking.State.MOVED, reason=Booking.Reason.MOVED, at=at)
        made.save()
        if not claims.take(made, at=at):
            return made
        # Perhaps only a reservation that has run out stands in the way.
        if claims.end_expired(slot.pk, at=at) and not claims.take(made, at=at):
            return made
    raise SlotFull(field="slot")


def _check_elsewhere(request: Request, slot: Slot, *, at: datetime) -> None:
    """Refuse LawyerBusy when the lawyer is expected at another centre at that time.

    Slots belong to a centre, so the index on claims cannot see this; the lawyer's row, which
    every booking locks, keeps two centres from booking the lawyer at once.
    """
    elsewhere = Claim.objects.filter(
        Q(expires_at=None) | Q(expires_at__gt=at),
        kind=Claim.Kind.LAWYER,
        resource=request.lawyer_id,
        active=True,
        slot__begins_at__lt=slot.ends_at,
        slot__ends_at__gt=slot.begins_at,
    ).exclude(slot__facility=slot.facility_id)
    if elsewhere.exists():
        raise LawyerBusy(field="slot")


def settle(booking: Booking, own: Sequence[Booking], *, by: audit.Actor, at: datetime) -> None:
    """Write down that a request has its place; fill the place that it leaves, if any. A move."""
    request = booking.request
    moved = [old for old in own if old.state == Booking.State.MOVED]
    if request.state != Request.State.BOOKED:
        move(request, Request.State.BOOKED)
        request.waiting_at = None
        request.save(update_fields=["state", "waiting_at"])
    clock.chosen(request, booking.slot, at=at)
    audit.record(
        "visit.moved" if moved else "visit.booked",
        by=by,
        at=at,
        subject=booking,
        facility=request.facility,
        slot=booking.slot_id,
        room=booking.room_id,
        green=booking.is_green,
    )
    code = Notice.Code.MOVED if moved else Notice.Code.BOOKED
    notices.tell(request.lawyer, code, at=at, booking=booking)
    for old in moved:
        refill(old.slot, at=at)


@verb
def confirm(booking: Booking, *, by: audit.Actor, at: datetime) -> Booking:
    """Turn a held place into a booking; a booking that the request had is given up for it.

    Repeat: the booking. Refuses ReservationOver, and what `mandates.check_fit` refuses, for a
    mandate or a paper can end between form and submit. Locks as `book`.
    """
    request = requests.lock(booking.request_id)
    booking = _locked(booking)
    booking.request = request
    if booking.state == Booking.State.BOOKED:
        return booking
    expires_at = booking.expires_at
    if booking.state != Booking.State.RESERVED or expires_at is None or expires_at <= at:
        raise ReservationOver
    own = list(
        Booking.objects.select_related("slot")
        .filter(request=request, state__in=HOLDING)
        .exclude(pk=booking.pk)
    )
    require_bookable(request, own)
    mandates.check_fit(request, booking.slot)
    if not claims.keep(booking):
        raise ReservationOver
    for old in own:
        _end(old, Booking.State.MOVED, reason=Booking.Reason.MOVED, at=at)
        booking.replaces = old
    move(booking, Booking.State.BOOKED)
    booking.booked_at = at
    booking.save(update_fields=["state", "booked_at", "replaces"])
    settle(booking, own, by=by, at=at)
    return booking


@verb
def give_up(booking: Booking, *, by: audit.Actor, at: datetime) -> Booking:
    """Give back a held place before it is confirmed. Repeat: no change. Refuses WrongMove."""
    requests.lock(booking.request_id)
    booking = _locked(booking)
    if booking.state == Booking.State.EXPIRED:
        return booking
    _end(booking, Booking.State.CANCELLED, reason=Booking.Reason.LAWYER, at=at)
    refill(booking.slot, at=at)
    return booking


@verb
def cancel(booking: Booking, *, by: audit.Actor, at: datetime) -> Booking:
    """Cancel for the lawyer; the request is withdrawn, and the waiting list gets the place.

    Repeat: no change. Refuses WrongMove once the lawyer has arrived.
    """
    request = requests.lock(booking.request_id)
    booking = _locked(booking)
    if booking.state == Booking.State.CANCELLED:
        return booking
    _end(booking, Booking.State.CANCELLED, reason=Booking.Reason.LAWYER, at=at)
    move(request, Request.State.WITHDRAWN)
    request.save(update_fields=["state"])
    audit.record("visit.cancelled", by=by, at=at, subject=booking, facility=request.facility)
    refill(booking.slot, at=at)
    return booking


@verb
def wait(request: Request, *, until: date, by: audit.Actor, at: datetime) -> Request:
    """Put a request on the waiting list: the next place that fits is booked for it at once.

    until: the last local day that suits. Repeat: changes the day and keeps the place in the
    line. Refuses NotBookable.
    """
    request = requests.lock(request.pk)
    if request.state == Request.State.READY:
        move(request, Request.State.WAITING)
        request.waiting_at = at
    elif request.state != Request.State.WAITING:
        raise NotBookable(state=request.state)
    request.waiting_until = until
    request.save(update_fields=["state", "waiting_at", "waiting_until"])
    audit.record("visit.waits", by=by, at=at, subject=request, facility=request.facility)
    return request


def refill(slot: Slot, *, at: datetime) -> Booking | None:
    """Give a place that became free in a slot to the first on the waiting list whom it fits.

    Longest waiting first, displaced visits before all others. A move: in the transaction that
    freed the place. Returns the booking, or None when nobody fits.
    """
    assert_in_transaction()
    if slot.begins_at <= at:
        return None
    waiting = Request.objects.filter(
        facility=slot.facility_id, state=Request.State.WAITING, waiting_until__gte=slot.on
    ).order_by("-was_displaced", "waiting_at", "pk")
    for pk in waiting.values_list("pk", flat=True)[:LOOKED_AT]:
        request = requests.lock_if_idle(pk)
        if request is None or request.state != Request.State.WAITING:
            continue
        booking = place_in(request, {slot.pk: slot}, at=at)
        if booking is not None:
            settle(booking, [], by=None, at=at)
            notices.tell(request.lawyer, Notice.Code.WAITING_FILLED, at=at, booking=booking)
            return booking
    return None


def place_in(
    request: Request, slots: dict[int, Slot], *, at: datetime, is_walk_in: bool = False
) -> Booking | None:
    """Try to book a locked request in one of these slots; None when it does not fit. A move.

    is_walk_in: the lawyer stands at the desk, so the walk-ins' rooms are open too.
    """
    assert_in_transaction()
    free = allocation.free(
        request,
        at=at,
        since=min(slot.begins_at for slot in slots.values()),
        until=max(slot.ends_at for slot in slots.values()),
    )
    if is_walk_in:
        request.channel = Request.Channel.WALK_IN
    places = places_for(request, free, slots=slots, at=at)
    try:
        with attempt():
            return take_first(
                request, places[:CANDIDATES], slots=slots, key=uuid4(), at=at, expires_at=None
            )
    except Refusal:
        return None


def attempt() -> transaction.Atomic:
    """Return a savepoint: a place that cannot be had leaves nothing behind."""
    assert_in_transaction()
    return transaction.atomic()


def expire(*, at: datetime) -> int:
    """End all reservations that have run out, and fill their places. Returns how many.

    For the sweep: each slot is its own transaction. Safe to run twice.
    """
    slots = Slot.objects.filter(
        bookings__state=Booking.State.RESERVED, bookings__expires_at__lte=at
    ).distinct()
    return sum(_expire(slot, at=at) for slot in slots)


@verb
def _expire(slot: Slot, *, at: datetime) -> int:
    ended = claims.end_expired(slot.pk, at=at)
    for _place in range(ended):
        refill(slot, at=at)
    return ended


def _locked(booking: Booking) -> Booking:
    return (
        Booking.objects.select_for_update(of=("self",), no_key=True)
        .select_related("slot", "room")
        .get(pk=booking.pk)
    )


def _end(
    booking: Booking, state: Booking.State, *, at: datetime, reason: Booking.Reason | str = ""
) -> None:
    move(booking, state)
    booking.ended_at = at
    booking.reason = reason
    booking.save(update_fields=["state", "ended_at", "reason"])
    claims.end(booking, at=at)


def cancel_by_centre(
    booking: Booking, reason: Booking.Reason, *, by: User | None, at: datetime
) -> Request:
    """End a visit that the centre cannot hold; the request lives on with its own clock.

    A move, for verbs and reactions that hold the request's lock. Tells the lawyer.
    """
    assert_in_transaction()
    request = booking.request
    _end(booking, Booking.State.CANCELLED, reason=reason, at=at)
    if request.state == Request.State.BOOKED:
        move(request, Request.State.READY)
        request.save(update_fields=["state"])
    audit.record(
        "visit.cancelled_by_centre",
        by=by,
        at=at,
        subject=booking,
        facility=request.facility,
        reason=str(reason),
    )
    gone = reason == Booking.Reason.CLIENT_GONE
    code = Notice.Code.CLIENT_GONE if gone else Notice.Code.CANCELLED
    notices.tell(request.lawyer, code, at=at, booking=booking, detail=str(reason))
    return request


def of_lawyer(lawyer: Lawyer, public_id: UUID) -> Booking:
    """Return one of the lawyer's own bookings. Refuses NotFound, also for another lawyer's."""
    return _found(Booking.objects.filter(request__lawyer=lawyer, public_id=public_id))


def of_facility(facility: Facility, public_id: UUID) -> Booking:
    """Return a booking of the officer's own facility. Refuses NotFound."""
    return _found(Booking.objects.filter(request__facility=facility, public_id=public_id))


def _found(rows: QuerySet[Booking]) -> Booking:
    found = rows.select_related(
        "slot",
        "room",
        "escort",
        "request__custody__detainee",
        "request__custody__cell",
        "request__facility",
        "request__lawyer__user",
        "request__lawyer__firm",
    ).first()
    if found is None:
        raise NotFound
    return found
