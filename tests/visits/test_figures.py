"""The figures and the board, recomputed by plain SQL from the rows."""

from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from tests import situations as people
from tests.visits import situations
from visits import board, bookings, figures, gate, green, tickets
from visits.figures import percentile
from visits.models import GreenGrant, Request

pytestmark = pytest.mark.django_db


def _sql(query, *values):
    with connection.cursor() as cursor:
        cursor.execute(query, values)
        return cursor.fetchone()[0]


@pytest.mark.parametrize(
    ("label", "values", "rank", "found"),
    [
        ("nothing", [], 0.5, None),
        ("one", [7], 0.9, 7),
        ("middle of three", [1, 2, 3], 0.5, 2),
        ("nine of ten", list(range(1, 11)), 0.9, 9),
        ("nine of eleven", list(range(1, 12)), 0.9, 10),
    ],
)
def test_percentile(label, values, rank, found):
    assert percentile(values, rank) == found


def _a_day():
    """Return a facility on a day with visits, a no-show, a walk-in, a cancellation, a rating."""
    facility = situations.visiting_facility(rooms=3, reserved=1)
    guard = people.officer(facility)
    slots = situations.slots_of(facility)
    met = [situations.booked_visit(slot) for slot in slots[:3]]
    urgent = situations.ready_request(facility)
    green.grant(urgent, reason=GreenGrant.Reason.MEDICAL, proof="M1", by=guard, at=timezone.now())
    situations.booked_visit(slots[0], request=Request.objects.get(pk=urgent.pk))
    situations.booked_visit(slots[3])
    cancelled = situations.booked_visit(slots[5])
    bookings.cancel(cancelled, by=cancelled.request.lawyer.user, at=timezone.now())
    for number, booking in enumerate(met):
        begins = booking.slot.begins_at
        gate.check_in(facility, booking.reference, by=guard, at=begins)
        gate.enter(booking, by=guard, at=begins + timedelta(minutes=2))
        gate.leave(booking, by=guard, at=begins + timedelta(minutes=30 + number))
        booking.refresh_from_db()
        gate.rate(booking, score=3 + number, by=booking.request.lawyer.user, at=timezone.now())
    tickets.take(situations.live_mandate(facility), by=guard, at=slots[3].begins_at)
    gate.mark_no_shows(at=slots[3].begins_at + timedelta(minutes=15))
    return facility, slots


def test_the_figures_agree_with_plain_sql():
    facility, _slots = _a_day()
    today = timezone.localdate()

    found = figures.compute(facility, first=today, last=today + timedelta(days=1))

    kept = "('booked','checked_in','in_room','completed','no_show','refused','terminated')"
    of_bookings = (
        "FROM visits_booking b JOIN visits_slot s ON s.id = b.slot_id"
        f" WHERE s.facility_id = %s AND b.state IN {kept}"
    )
    assert found.met == _sql(
        "SELECT count(*) FROM visits_request WHERE facility_id = %s AND state = 'met'", facility.pk
    )
    assert found.visits == _sql(f"SELECT count(*) {of_bookings}", facility.pk)
    assert found.places_taken == _sql(
        f"SELECT count(*) FROM (SELECT DISTINCT b.slot_id, b.room_id {of_bookings}) taken",
        facility.pk,
    )
    assert found.no_shows == _sql(
        f"SELECT count(*) {of_bookings} AND b.state = 'no_show'", facility.pk
    )
    assert found.green == _sql(f"SELECT count(*) {of_bookings} AND b.is_green", facility.pk)
    assert found.places == _sql(
        "SELECT count(*) FROM visits_slotroom r JOIN visits_slot s ON s.id = r.slot_id"
        " WHERE s.facility_id = %s AND r.is_open",
        facility.pk,
    )
    assert found.satisfied == _sql("SELECT count(*) FROM visits_rating WHERE score >= 4")


def test_the_figures_of_a_known_day_are_these():
    facility, _slots = _a_day()
    today = timezone.localdate()

    found = figures.compute(facility, first=today, last=today + timedelta(days=1))

    assert (found.met, found.met_in_time, found.breaches) == (3, 3, 0)
    assert (found.places, found.visits, found.no_shows, found.green) == (60, 6, 2, 1)
    assert (found.minutes_open, found.minutes_used) == (60 * 45, 28 + 29 + 30)
    assert (found.ratings, found.satisfied, found.in_time_share) == (3, 2, 1.0)
    assert (found.no_show_share, found.green_share) == (2 / 6, 1 / 6)


def test_a_place_refilled_after_a_no_show_is_taken_once():
    facility = situations.visiting_facility(rooms=1)
    slot = situations.slots_of(facility)[0]
    situations.booked_visit(slot)
    guard = people.officer(facility)
    tickets.take(situations.live_mandate(facility), by=guard, at=slot.begins_at)

    gate.mark_no_shows(at=slot.begins_at + timedelta(minutes=15))

    found = figures.compute(facility, first=slot.on, last=slot.on)
    assert (found.places, found.places_taken, found.visits) == (10, 1, 2)
    assert (found.fill_share, found.no_show_share) == (1 / 10, 1 / 2)


@pytest.mark.parametrize(
    ("label", "states", "escorts", "shown"),
    [
        ("enough", ["free", "taken", "green"], 2, ["free", "taken", "green"]),
        ("one short", ["free", "taken", "green"], 1, ["free", "taken", "no_escort"]),
        ("none", ["free", "closed"], 0, ["no_escort", "closed"]),
    ],
)
def test_a_room_without_escort_is_not_shown_as_free(label, states, escorts, shown):
    assert board.with_escorts(states, escorts) == shown


def test_the_board_agrees_with_plain_sql():
    facility, slots = _a_day()
    at = slots[0].begins_at - timedelta(hours=1)

    shown = board.day(facility, slots[0].on, at=at)

    states = [cell.state for row in shown.rows for cell in row.cells]
    taken = _sql(
        "SELECT count(*) FROM visits_claim c JOIN visits_slot s ON s.id = c.slot_id"
        " WHERE s.facility_id = %s AND c.kind = 'room' AND c.active",
        facility.pk,
    )
    general = _sql(
        "SELECT count(*) FROM visits_slotroom r JOIN visits_slot s ON s.id = r.slot_id"
        " WHERE s.facility_id = %s AND s.sequence <= 10 AND s.id IN"
        " (SELECT id FROM visits_slot WHERE facility_id = %s) AND r.pool = 'general' AND s.id = %s",
        facility.pk,
        facility.pk,
        slots[9].pk,
    )
    assert (len(states), states.count("taken")) == (30, taken)
    assert [cell.state for cell in shown.rows[9].cells].count("free") == general
    assert shown.free == states.count("free")
