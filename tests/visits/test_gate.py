from datetime import date, timedelta
from uuid import uuid4

import pytest
from django.core import signing
from django.utils import timezone

from detention.errors import NotAllowed, WrongMove
from tests import situations as people
from tests.visits import situations
from visits import bookings, gate, passes, requests, tickets
from visits.gate import Arrival
from visits.models import Booking, CheckIn, Credential, Rating, Ticket

pytestmark = pytest.mark.django_db


@pytest.fixture
def facility():
    return situations.visiting_facility(rooms=2)


@pytest.fixture
def slot(facility):
    return situations.slots_of(facility)[0]


@pytest.fixture
def guard(facility):
    return people.officer(facility)


def _arrival(**changes):
    usual = {
        "is_here": True,
        "state": "booked",
        "on": date(2030, 1, 2),
        "today": date(2030, 1, 2),
        "begins_in": timedelta(minutes=20),
        "late_after": timedelta(minutes=15),
        "has_papers": True,
        "has_permission": True,
    }
    return Arrival(**{**usual, **changes})


@pytest.mark.parametrize(
    ("label", "changes", "answer"),
    [
        ("in time", {}, "welcome"),
        ("an hour early", {"begins_in": timedelta(hours=1)}, "welcome"),
        ("too early", {"begins_in": timedelta(minutes=61)}, "too_early"),
        ("15 minutes late", {"begins_in": timedelta(minutes=-15)}, "welcome"),
        ("16 minutes late", {"begins_in": timedelta(minutes=-16)}, "late"),
        ("marked as no-show", {"state": "no_show"}, "late"),
        ("tomorrow's", {"on": date(2030, 1, 3)}, "wrong_day"),
        ("cancelled", {"state": "cancelled"}, "cancelled"),
        ("moved", {"state": "moved"}, "cancelled"),
        ("only reserved", {"state": "reserved"}, "cancelled"),
        ("shown twice", {"state": "checked_in"}, "used"),
        ("after the visit", {"state": "completed"}, "used"),
        ("papers expired", {"has_papers": False}, "papers_expired"),
        ("no permission", {"has_permission": False}, "permission_missing"),
        ("of another centre", {"is_here": False, "state": "cancelled"}, "elsewhere"),
    ],
)
def test_answer_to_an_arrival(label, changes, answer):
    assert gate.answer_to(_arrival(**changes)) == answer


def test_a_pass_is_welcome_once(facility, slot, guard):
    booking = situations.booked_visit(slot)
    text = passes.token(booking)

    answers = [gate.check_in(facility, text, by=guard, at=slot.begins_at).answer for _ in range(2)]

    booking.refresh_from_db()
    assert answers == ["welcome", "used"]
    assert (booking.state, booking.arrived_at) == ("checked_in", slot.begins_at)


@pytest.mark.parametrize(
    ("label", "text"),
    [
        ("nonsense", "hello"),
        ("not signed", uuid4().hex),
        ("signed for something else", signing.Signer(salt="other", sep=".").sign(uuid4().hex)),
        ("signed but nobody's", signing.Signer(salt="visits.pass", sep=".").sign(uuid4().hex)),
    ],
)
def test_a_forged_pass_is_turned_away_and_kept(facility, guard, label, text):
    found = gate.check_in(facility, text, by=guard, at=timezone.now())

    assert (found.answer, found.booking) == ("forged", None)
    assert CheckIn.objects.count() == 1


@pytest.mark.parametrize("made_up", ["{id}", "{id}.", "{id}.AAAA", "{id}.{signature}x"])
def test_a_real_booking_without_our_signature_is_forged(facility, slot, guard, made_up):
    booking = situations.booked_visit(slot)
    signature = passes.token(booking).partition(".")[2]
    text = made_up.format(id=booking.public_id.hex, signature=signature)

    found = gate.check_in(facility, text, by=guard, at=slot.begins_at)

    booking.refresh_from_db()
    assert (found.answer, booking.state) == ("forged", "booked")


def test_a_pass_with_one_letter_changed_is_forged(facility, slot, guard):
    text = passes.token(situations.booked_visit(slot))
    changed = ("1" if text[0] == "0" else "0") + text[1:]

    found = gate.check_in(facility, changed, by=guard, at=slot.begins_at)

    assert found.answer == "forged"


def test_a_pass_of_another_centre_is_turned_away_and_stays_usable(facility, slot):
    booking = situations.booked_visit(slot)
    other = situations.visiting_facility(rooms=1, days=1)

    found = gate.check_in(other, passes.token(booking), by=people.officer(other), at=slot.begins_at)

    booking.refresh_from_db()
    assert (found.answer, booking.state) == ("elsewhere", "booked")


def test_a_typed_reference_of_another_centre_says_nothing(slot):
    booking = situations.booked_visit(slot)
    other = situations.visiting_facility(rooms=1, days=1)

    found = gate.check_in(other, booking.reference, by=people.officer(other), at=slot.begins_at)

    assert (found.answer, found.booking) == ("forged", None)


def test_papers_that_ended_meanwhile_are_found_at_the_gate(facility, slot, guard):
    booking = situations.booked_visit(slot)
    Credential.objects.filter(lawyer=booking.request.lawyer, kind="practising").update(
        valid_until=slot.on - timedelta(days=1)
    )

    found = gate.check_in(facility, passes.token(booking), by=guard, at=slot.begins_at)

    booking.refresh_from_db()
    assert (found.answer, booking.state) == ("papers_expired", "booked")


def test_the_gate_is_closed_to_administrators_of_elsewhere(facility, slot):
    stranger = people.officer(situations.visiting_facility(rooms=1, days=1))

    with pytest.raises(NotAllowed):
        gate.check_in(facility, "x", by=stranger, at=slot.begins_at)

    assert CheckIn.objects.count() == 0


def _arrived(slot, guard):
    booking = situations.booked_visit(slot)
    gate.check_in(slot.facility, booking.reference, by=guard, at=slot.begins_at)
    return booking


def test_in_and_out_end_the_clock_and_free_the_room(facility, slot, guard):
    booking = _arrived(slot, guard)
    entered_at = slot.begins_at + timedelta(minutes=3)

    gate.enter(booking, by=guard, at=entered_at)
    left = gate.leave(booking, by=guard, at=entered_at + timedelta(minutes=20))

    booking.request.refresh_from_db()
    assert (left.state, booking.request.state, booking.request.met_at) == (
        "completed",
        "met",
        entered_at,
    )
    assert not left.claims.filter(active=True).exists()


def test_nobody_enters_without_having_arrived(slot, guard):
    booking = situations.booked_visit(slot)

    with pytest.raises(WrongMove):
        gate.enter(booking, by=guard, at=slot.begins_at)

    booking.refresh_from_db()
    assert (booking.state, booking.entered_at) == ("booked", None)


def test_a_room_in_which_a_visit_overruns_cannot_be_entered(guard):
    facility = situations.visiting_facility(rooms=1)
    first, second = situations.slots_of(facility)[:2]
    officer = people.officer(facility)
    running = _arrived(first, officer)
    gate.enter(running, by=officer, at=first.begins_at)
    waiting = _arrived(second, officer)

    with pytest.raises(gate.RoomOccupied):
        gate.enter(waiting, by=officer, at=second.begins_at)

    assert gate.overruns(facility, at=second.begins_at) == [running]


def test_a_visit_is_stopped_only_with_a_report(slot, guard):
    booking = _arrived(slot, guard)
    gate.enter(booking, by=guard, at=slot.begins_at)

    with pytest.raises(gate.PaperMissing):
        gate.terminate(booking, report_number="", by=guard, at=slot.begins_at)
    stopped = gate.terminate(booking, report_number="B7", by=guard, at=slot.begins_at)

    assert stopped.state == "terminated"


def test_a_refusal_by_the_detainee_needs_a_second_officer(facility, slot, guard):
    booking = _arrived(slot, guard)

    with pytest.raises(gate.WitnessMissing):
        gate.detainee_refuses(booking, witness=guard, by=guard, at=slot.begins_at)
    refused = gate.detainee_refuses(
        booking, witness=people.officer(facility), by=guard, at=slot.begins_at
    )

    booking.request.refresh_from_db()
    assert (refused.state, booking.request.state) == ("refused", "ended")


def test_who_has_not_come_after_15_minutes_is_a_no_show(slot):
    booking = situations.booked_visit(slot)

    early = gate.mark_no_shows(at=slot.begins_at + timedelta(minutes=14))
    marked = [gate.mark_no_shows(at=slot.begins_at + timedelta(minutes=15)) for _ in range(2)]

    booking.refresh_from_db()
    booking.request.refresh_from_db()
    assert (early, marked) == (0, [1, 0])
    assert (booking.state, booking.request.state) == ("no_show", "missed")


def test_a_no_show_gives_the_place_to_the_first_who_waits(guard):
    facility = situations.visiting_facility(rooms=1)
    slot = situations.slots_of(facility)[0]
    situations.booked_visit(slot)
    officer = people.officer(facility)
    ticket = tickets.take(
        situations.live_mandate(facility), by=officer, at=slot.begins_at + timedelta(minutes=1)
    )

    gate.mark_no_shows(at=slot.begins_at + timedelta(minutes=15))

    ticket.refresh_from_db()
    assert (ticket.state, ticket.booking.state) == ("called", "checked_in")
    assert ticket.booking.slot == slot


def test_a_walk_in_is_never_refused_for_want_of_a_booking(facility, slot, guard):
    mandate = situations.live_mandate(facility)

    first, again = (tickets.take(mandate, by=guard, at=slot.begins_at) for _ in range(2))

    assert (first.number, again) == (1, first)
    assert first.request.channel == "walk_in"
    assert first.request.due_at == slot.begins_at + timedelta(hours=48)


def test_tickets_are_called_late_bookers_first_then_by_hours_left(facility, slot, guard):
    late = situations.booked_visit(slot)
    gate.mark_no_shows(at=slot.begins_at + timedelta(minutes=15))
    now = slot.begins_at + timedelta(minutes=16)
    old_request = situations.ready_request(facility, at=now - timedelta(hours=30))
    fresh = tickets.take(situations.live_mandate(facility), by=guard, at=now)
    old = tickets.take(old_request.mandate, by=guard, at=now + timedelta(minutes=1))
    came_late = tickets.take(late.request.mandate, by=guard, at=now + timedelta(minutes=2))

    assert tickets.waiting(facility, at=now) == [came_late, old, fresh]


def test_call_gives_the_free_room_to_the_first_ticket(facility, slot, guard):
    situations.booked_visit(slot)
    first = tickets.take(situations.live_mandate(facility), by=guard, at=slot.begins_at)
    second = tickets.take(situations.live_mandate(facility), by=guard, at=slot.begins_at)

    called = tickets.call(facility, by=guard, at=slot.begins_at)

    assert (called, called.booking.state) == (first, "checked_in")
    with pytest.raises(tickets.NothingFree):
        tickets.call(facility, by=guard, at=slot.begins_at)
    second.refresh_from_db()
    assert second.state == "waiting"


def test_estimates_give_each_ticket_the_next_place():
    now = timezone.now()
    line = [Ticket(number=number) for number in range(1, 5)]
    places = [(now - timedelta(minutes=9), 1), (now + timedelta(hours=1), 2)]

    found = tickets.estimates(line, places, now=now)

    assert [estimate.at for estimate in found] == [
        now,
        now + timedelta(hours=1),
        now + timedelta(hours=1),
        None,
    ]


def test_a_visit_is_rated_once_and_only_after_it(slot, guard):
    booking = _arrived(slot, guard)
    lawyer = booking.request.lawyer.user
    with pytest.raises(requests.NotYet):
        gate.rate(booking, score=5, by=lawyer, at=timezone.now())
    gate.enter(booking, by=guard, at=slot.begins_at)
    booking = gate.leave(booking, by=guard, at=slot.ends_at)

    scores = [gate.rate(booking, score=s, by=lawyer, at=timezone.now()).score for s in (5, 1)]
    with pytest.raises(gate.ScoreOutOfRange):
        gate.rate(booking, score=6, by=lawyer, at=timezone.now())

    assert (scores, Rating.objects.count()) == ([5, 5], 1)


def test_cancelling_after_arrival_is_refused(slot, guard):
    booking = _arrived(slot, guard)
    gate.enter(booking, by=guard, at=slot.begins_at)

    with pytest.raises(WrongMove):
        bookings.cancel(booking, by=booking.request.lawyer.user, at=timezone.now())

    assert Booking.objects.get().state == "in_room"
