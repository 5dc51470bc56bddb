"""Walk-ins: a right, so there is always a ticket; one order beside the bookings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import uuid4

from django.db.models import Max
from django.utils.translation import gettext_lazy as _

from detention import access, audit
from detention.errors import Refusal
from detention.lifecycle import move
from detention.models import Facility, Role, User
from detention.verbs import assert_in_transaction, verb
from visits import bookings, requests, timetable
from visits.models import Booking, Mandate, Request, Slot, Ticket


class NothingFree(Refusal):
    code = "nothing_free"
    message = _("No place is free for anybody who waits. The next one is called by itself.")


@verb
def take(mandate: Mandate, *, by: User, at: datetime) -> Ticket:
    """Give a lawyer who came without booking, or too late, the next ticket of the day.

    The 48 hours of a new wish begin now. Repeat while waiting: the same ticket.
    Refuses NotAllowed, CustodyNotOpen, MandateNotLive; never for want of a booking.
    """
    custody = mandate.custody
    access.require(by, custody.facility, Role.GUARD)
    request = requests.ask_in(mandate, key=uuid4(), channel=Request.Channel.WALK_IN, by=by, at=at)
    waiting = Ticket.objects.filter(request=request, state=Ticket.State.WAITING).first()
    if waiting is not None:
        return waiting
    on = timetable.today(custody.facility, at)
    last = Ticket.objects.filter(facility=custody.facility, on=on).aggregate(n=Max("number"))["n"]
    missed = Booking.objects.filter(
        request__lawyer=request.lawyer,
        request__custody=request.custody,
        slot__on=on,
        state=Booking.State.NO_SHOW,
    )
    ticket = Ticket.objects.create(
        facility=custody.facility,
        on=on,
        number=(last or 0) + 1,
        request=request,
        taken_at=at,
        is_late_booker=missed.exists(),
    )
    audit.record("ticket.taken", by=by, at=at, subject=ticket, facility=custody.facility)
    return ticket


def waiting(facility: Facility, *, at: datetime) -> list[Ticket]:
    """Return today's waiting tickets in the order in which they are called.

    Late bookers first, then who has least of the 48 hours left, then who came first.
    """
    return list(
        Ticket.objects.filter(
            facility=facility, on=timetable.today(facility, at), state=Ticket.State.WAITING
        )
        .select_related("request__lawyer__user", "request__custody__detainee")
        .order_by("-is_late_booker", "request__due_at", "taken_at", "number")
    )


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """When a ticket will probably be called; None when not today."""

    ticket: Ticket
    at: datetime | None


def estimates(
    tickets: Sequence[Ticket], places: Sequence[tuple[datetime, int]], *, now: datetime
) -> list[Estimate]:
    """Give each ticket, in order, the next free place of the day. Pure.

    places: (begin of slot, free places in it), earliest first, the running slot included.
    """
    moments = [max(begins_at, now) for begins_at, count in places for _place in range(count)]
    return [
        Estimate(ticket=ticket, at=moments[number] if number < len(moments) else None)
        for number, ticket in enumerate(tickets)
    ]


@verb
def call(facility: Facility, *, by: User, at: datetime) -> Ticket:
    """Call the first ticket that fits a place which is free now.

    Refuses NotAllowed, NothingFree.
    """
    access.require(by, facility, Role.GUARD)
    for slot in Slot.objects.filter(facility=facility, begins_at__lte=at, ends_at__gt=at):
        ticket = call_into(slot, at=at)
        if ticket is not None:
            return ticket
    raise NothingFree


def call_into(slot: Slot, *, at: datetime) -> Ticket | None:
    """Give a running slot's free place to the first ticket whom it fits. A move.

    Returns the ticket, called and with a booking that counts as arrived, or None.
    """
    assert_in_transaction()
    if not slot.begins_at <= at < slot.ends_at:
        return None
    for ticket in waiting(slot.facility, at=at):
        request = requests.lock_if_idle(ticket.request_id)
        if request is None or request.state not in (Request.State.READY, Request.State.WAITING):
            continue
        booking = bookings.place_in(request, {slot.pk: slot}, at=at, is_walk_in=True)
        if booking is None:
            continue
        bookings.settle(booking, [], by=None, at=at)
        move(booking, Booking.State.CHECKED_IN)
        booking.arrived_at = at
        booking.save(update_fields=["state", "arrived_at"])
        move(ticket, Ticket.State.CALLED)
        ticket.called_at = at
        ticket.booking = booking
        ticket.save(update_fields=["state", "called_at", "booking"])
        audit.record("ticket.called", by=None, at=at, subject=ticket, facility=slot.facility)
        return ticket
    return None


@verb
def leave(ticket: Ticket, *, by: User, at: datetime) -> Ticket:
    """Take a lawyer who went away out of the line; the wish lives on. Refuses WrongMove."""
    access.require(by, ticket.facility, Role.GUARD)
    ticket = Ticket.objects.select_for_update(of=("self",)).get(pk=ticket.pk)
    move(ticket, Ticket.State.LEFT)
    ticket.save(update_fields=["state"])
    audit.record("ticket.left", by=by, at=at, subject=ticket, facility=ticket.facility)
    return ticket
