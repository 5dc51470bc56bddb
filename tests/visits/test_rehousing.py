"""What the ground does to bookings: closed custody, closed room, sick escort, restriction."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.utils import timezone

from detention import custody
from detention.models import Custody, Role
from tests import situations as people
from tests.queue import run_queued
from tests.visits import situations
from visits import bookings, cases, tasks, timetable
from visits.models import Booking, Claim, Notice, Request

pytestmark = pytest.mark.django_db


def _close_room(booking, hours=1):
    facility = booking.request.facility
    timetable.close_room(
        booking.room,
        begins_at=booking.slot.begins_at,
        ends_at=booking.slot.begins_at + timedelta(hours=hours),
        reason="water",
        by=people.officer(facility, Role.ADMINISTRATOR),
        at=timezone.now(),
    )
    run_queued()
    booking.refresh_from_db()


def _codes(lawyer):
    return list(lawyer.notices.order_by("pk").values_list("code", flat=True))


def _active():
    return Claim.objects.filter(active=True).count()


def test_a_closed_custody_ends_its_visits_and_tells_the_lawyer_at_once():
    facility = situations.visiting_facility(rooms=1)
    slot = situations.slots_of(facility)[0]
    booking = situations.booked_visit(slot)
    waiting = situations.ready_request(facility)
    bookings.wait(waiting, until=slot.on, by=None, at=timezone.now())

    custody.close(
        booking.request.custody,
        reason=Custody.Reason.RELEASED,
        by=people.officer(facility),
        at=timezone.now(),
    )
    run_queued()

    booking.refresh_from_db()
    waiting.refresh_from_db()
    assert (booking.state, booking.reason) == ("cancelled", "client_gone")
    assert Request.objects.get(pk=booking.request_id).state == "ended"
    assert _codes(booking.request.lawyer) == ["booked", "client_gone"]
    assert waiting.state == "booked"


def test_a_lost_event_about_a_closed_custody_is_taken_up_by_the_sweep():
    facility = situations.visiting_facility(rooms=1)
    booking = situations.booked_visit(situations.slots_of(facility)[0])
    custody.close(
        booking.request.custody,
        reason=Custody.Reason.RELEASED,
        by=people.officer(facility),
        at=timezone.now(),
    )

    tasks.sweep_visits(at=timezone.now())

    booking.refresh_from_db()
    assert booking.state == "cancelled"


def test_a_closed_room_moves_its_visit_to_another_room_in_the_same_slot():
    facility = situations.visiting_facility(rooms=2)
    booking = situations.booked_visit(situations.slots_of(facility)[0])
    old = booking.room_id

    _close_room(booking)

    assert booking.state == "booked"
    assert booking.room_id != old
    assert _codes(booking.request.lawyer) == ["booked", "room_changed"]
    assert _active() == 4


def test_without_another_room_the_visit_moves_to_the_earliest_slot_in_time():
    facility = situations.visiting_facility(rooms=1)
    first = situations.slots_of(facility)[0]
    booking = situations.booked_visit(first)

    _close_room(booking, hours=0.5)

    new = Booking.objects.get(replaces=booking)
    earliest = min(
        (
            slot
            for day in (0, 1)
            for slot in situations.slots_of(facility, day)
            if slot.begins_at > timezone.now() and slot.pk != first.pk
        ),
        key=lambda slot: slot.begins_at,
    )
    assert (booking.state, new.state, new.slot) == ("moved", "booked", earliest)
    assert _codes(booking.request.lawyer)[-1] == "moved"
    assert _active() == 4


def test_without_any_place_the_visit_goes_first_on_the_waiting_list():
    facility = situations.visiting_facility(rooms=1)
    booking = situations.booked_visit(situations.slots_of(facility)[0])
    due = booking.request.due_at
    timetable.close_room(
        booking.room,
        begins_at=timezone.now() - timedelta(days=1),
        ends_at=timezone.now() + timedelta(days=30),
        reason="flood",
        by=people.officer(facility, Role.ADMINISTRATOR),
        at=timezone.now(),
    )

    run_queued()

    request = Request.objects.get(pk=booking.request_id)
    assert (request.state, request.was_displaced, request.due_at) == ("waiting", True, due)
    assert _codes(request.lawyer) == ["booked", "cancelled"]
    assert _active() == 0


def test_a_sick_escort_is_replaced_by_one_who_is_free():
    facility = situations.visiting_facility(rooms=1, escorts=2)
    booking = situations.booked_visit(situations.slots_of(facility)[0])
    sick = booking.escort

    timetable.report_ill(
        facility,
        sick,
        begins_at=booking.slot.begins_at,
        ends_at=booking.slot.ends_at,
        by=people.officer(facility),
        at=timezone.now(),
    )
    run_queued()

    booking.refresh_from_db()
    assert booking.state == "booked"
    assert booking.escort_id != sick.pk
    assert _active() == 4


def test_a_restriction_cancels_what_is_booked_in_its_time_and_stops_the_clock():
    facility = situations.visiting_facility(rooms=2)
    slot = situations.slots_of(facility)[0]
    booking = situations.booked_visit(slot)
    now = timezone.now()

    cases.restrict(
        booking.request.custody,
        begins_at=now - timedelta(minutes=1),
        ends_at=slot.ends_at,
        paper_number="Q1",
        by=people.officer(facility),
        at=now,
    )
    run_queued()
    booking.refresh_from_db()
    request = Request.objects.get(pk=booking.request_id)
    paused = request.pauses.get()
    tasks.sweep_visits(at=slot.ends_at + timedelta(hours=1))

    due = request.due_at
    request.refresh_from_db()
    assert (booking.state, booking.reason) == ("cancelled", "restriction")
    assert (paused.reason, paused.ends_at) == ("restriction", None)
    assert request.due_at > due


def test_rehousing_twice_changes_nothing():
    facility = situations.visiting_facility(rooms=2)
    booking = situations.booked_visit(situations.slots_of(facility)[0])
    _close_room(booking)
    room, notices = booking.room_id, Notice.objects.count()

    tasks.rehouse(0, at=timezone.now())

    booking.refresh_from_db()
    assert (booking.room_id, Notice.objects.count()) == (room, notices)


def test_a_visit_booked_through_a_reservation_holds_its_new_room_for_good():
    slot = situations.slots_of(situations.visiting_facility(rooms=2))[0]
    request, now = situations.ready_request(slot.facility), timezone.now()
    held = bookings.reserve(request, wish=[slot], key=uuid4(), by=None, at=now)
    booking = bookings.confirm(held, by=None, at=now)

    _close_room(booking)

    claims = Claim.objects.filter(booking=booking, active=True)
    assert list(claims.values_list("expires_at", flat=True)) == [None] * 4
    assert _codes(request.lawyer) == ["booked", "room_changed"]
