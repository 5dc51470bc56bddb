"""Races beside booking itself: moving, cancelling with a waiting list, the last ticket."""

from __future__ import annotations

from uuid import uuid4

import pytest
from django.utils import timezone

from tests import situations as people
from tests.visits import situations
from visits import bookings, tickets
from visits.models import Booking, Claim, Request, Ticket

pytestmark = [pytest.mark.race, pytest.mark.usefixtures("race_db")]


def _move(request, slot):
    return lambda: bookings.book(
        request, wish=[slot], key=uuid4(), by=request.lawyer.user, at=timezone.now()
    )


def _active(slots):
    return Claim.objects.filter(slot__in=slots, active=True).count()


def test_two_who_swap_places_at_once_keep_one_place_each(together):
    facility = situations.visiting_facility(rooms=1)
    one, other = situations.slots_of(facility)[:2]
    mine, yours = (situations.booked_visit(slot).request for slot in (one, other))

    together([_move(mine, other), _move(yours, one)], threads=2)

    held = Booking.objects.filter(request__in=[mine, yours], state="booked")
    assert held.count() == 2
    assert _active([one, other]) == 8


def test_many_who_move_to_one_free_place_leave_no_place_doubled_or_lost(together):
    facility = situations.visiting_facility(rooms=1)
    slots = situations.slots_of(facility)[:5]
    requests = [situations.booked_visit(slot).request for slot in slots[:4]]

    results = together([_move(request, slots[4]) for request in requests], threads=4)

    assert sum(isinstance(result, Booking) for result in results) == 1
    assert Booking.objects.filter(request__in=requests, state="booked").count() == 4
    assert _active(slots) == 16


def test_cancelling_and_the_waiting_list_never_fill_a_place_twice(together):
    facility = situations.visiting_facility(rooms=2)
    [slot] = situations.slots_of(facility)[:1]
    booked = [situations.booked_visit(slot) for _ in range(2)]
    waiting = [situations.ready_request(facility) for _ in range(3)]
    for request in waiting:
        bookings.wait(request, until=slot.on, by=None, at=timezone.now())

    together(
        [lambda b=b: bookings.cancel(b, by=None, at=timezone.now()) for b in booked], threads=2
    )

    states = sorted(Request.objects.filter(pk__in=[r.pk for r in waiting]).values_list("state"))
    assert states == [("booked",), ("booked",), ("waiting",)]
    assert _active([slot]) == 8


def test_two_desks_that_call_at_once_call_two_tickets_for_two_rooms(together):
    facility = situations.visiting_facility(rooms=2)
    [slot] = situations.slots_of(facility)[:1]
    guard = people.officer(facility)
    for _ in range(3):
        tickets.take(situations.live_mandate(facility), by=guard, at=slot.begins_at)

    together([lambda: tickets.call(facility, by=guard, at=slot.begins_at)] * 4, threads=4)

    called = Ticket.objects.filter(facility=facility, state="called")
    assert 1 <= called.count() <= 2
    assert _active([slot]) == 4 * called.count()
