from datetime import timedelta

import pytest
from django.utils import timezone

from detention.relatives import ReasonMissing
from tests import situations as people
from tests.visits import situations
from visits import bookings, clock, requests
from visits.models import Alert, Breach, GreenGrant, Notice

pytestmark = pytest.mark.django_db


@pytest.fixture
def facility():
    return situations.visiting_facility(rooms=1, days=6)


def _sweep(request, hours):
    clock.sweep(at=request.clock_at + timedelta(hours=hours))
    request.refresh_from_db()


@pytest.mark.parametrize(
    ("label", "hours", "level"),
    [
        ("just asked", 0, None),
        ("a minute before", 23.98, None),
        ("a day", 24, 24),
        ("a day and a half", 36, 36),
        ("four hours left", 44, 44),
        ("long over", 200, 44),
    ],
)
def test_level(label, hours, level):
    assert clock.level(hours) == level


def test_alerts_are_raised_once_at_each_level(facility):
    request = situations.ready_request(facility)

    raised = []
    for hours in (23, 24, 24, 36, 44, 47):
        _sweep(request, hours)
        raised.append(list(Alert.objects.order_by("hours").values_list("hours", flat=True)))

    assert raised == [[], [24], [24], [24, 36], [24, 36, 44], [24, 36, 44]]


def test_at_36_hours_the_rule_itself_opens_the_green_channel(facility):
    request = situations.ready_request(facility)

    _sweep(request, 36)
    _sweep(request, 37)

    grant = GreenGrant.objects.get()
    assert (grant.reason, grant.granted_by, request.is_green) == ("statutory", None, True)
    assert Notice.objects.filter(lawyer=request.lawyer, code="green").count() == 1


def test_a_booked_request_needs_no_green_channel(facility):
    slot = situations.slots_of(facility, days=1)[0]
    booking = situations.booked_visit(slot)

    _sweep(booking.request, 36)

    assert not booking.request.is_green


def test_a_request_not_met_in_time_is_a_breach_in_the_register(facility):
    request = situations.ready_request(facility)
    requests.offer(request, days=3, at=request.clock_at)

    _sweep(request, 47.9)
    before = Breach.objects.count()
    _sweep(request, 48)
    _sweep(request, 60)

    breach = Breach.objects.get()
    assert before == 0
    assert (breach.request, breach.due_at) == (request, request.due_at)
    assert breach.places_offered == request.offers.get().within_due


def test_choosing_later_than_an_offer_in_time_moves_the_due_time_with_the_reason(facility):
    request = situations.ready_request(facility)
    offer = requests.offer(request, days=6, at=timezone.now())
    late = situations.slots_of(facility, days=4)[0]

    bookings.book(request, wish=[late], key=request.key, by=None, at=timezone.now())

    request.refresh_from_db()
    assert offer.within_due > 0
    assert request.due_at == late.ends_at
    assert request.pauses.get().reason == "later"


def test_without_an_offer_in_time_a_late_booking_stays_late(facility):
    request = situations.ready_request(facility)
    due = request.due_at
    late = situations.slots_of(facility, days=4)[0]

    bookings.book(request, wish=[late], key=request.key, by=None, at=timezone.now())

    request.refresh_from_db()
    assert (request.due_at, request.pauses.count()) == (due, 0)


def test_the_same_offer_is_stored_once(facility):
    request = situations.ready_request(facility)
    now = timezone.now()

    one, two = (requests.offer(request, days=2, at=now) for _ in range(2))
    situations.booked_visit(situations.slots_of(facility, days=1)[0])
    three = requests.offer(request, days=2, at=now)

    assert two == one
    assert len(three.places) == len(one.places) - 1


def test_an_alert_is_answered_only_with_words(facility):
    request = situations.ready_request(facility)
    _sweep(request, 44)
    alert = Alert.objects.get(hours=44)
    guard = people.officer(facility)

    with pytest.raises(ReasonMissing):
        clock.answer(alert, text=" ", by=guard, at=timezone.now())
    clock.answer(alert, text="room borrowed", by=guard, at=timezone.now())

    alert.refresh_from_db()
    assert (alert.answer, alert.answered_by) == ("room borrowed", guard)
