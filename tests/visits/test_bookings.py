from datetime import timedelta
from uuid import uuid4

import pytest
from django.utils import timezone

from detention import custody
from detention.models import AuditRecord, Custody
from tests import situations as people
from tests.visits import situations
from visits import bookings, mandates, requests
from visits.models import Booking, Claim, Credential, Mandate, Notice, Request, Restriction

pytestmark = pytest.mark.django_db


def _nothing_moved():
    return (
        Booking.objects.count(),
        Claim.objects.filter(active=True).count(),
        AuditRecord.objects.count(),
        Notice.objects.count(),
    )


def _refused(refusal, act):
    before = _nothing_moved()
    with pytest.raises(refusal) as caught:
        act()
    assert _nothing_moved() == before
    return caught.value


def _book(request, *slots, key=None, at=None):
    return bookings.book(
        request,
        wish=slots,
        key=key or uuid4(),
        by=request.lawyer.user,
        at=at or timezone.now(),
    )


def _reserve(request, *slots, key=None, at=None):
    return bookings.reserve(
        request,
        wish=slots,
        key=key or uuid4(),
        by=request.lawyer.user,
        at=at or timezone.now(),
    )


def _claims(booking):
    return sorted(Claim.objects.filter(booking=booking, active=True).values_list("kind", flat=True))


def test_book_takes_room_escort_lawyer_and_detainee():
    facility = situations.visiting_facility(rooms=1)
    [slot, *_] = situations.slots_of(facility)
    request = situations.ready_request(facility)

    booking = _book(request, slot)

    request.refresh_from_db()
    assert (booking.state, request.state) == ("booked", "booked")
    assert _claims(booking) == ["detainee", "escort", "lawyer", "room"]
    assert [notice.code for notice in Notice.objects.filter(lawyer=request.lawyer)] == ["booked"]


def test_book_with_the_same_key_returns_the_same_booking():
    facility = situations.visiting_facility(rooms=2)
    [slot, *_] = situations.slots_of(facility)
    request = situations.ready_request(facility)
    key = uuid4()

    first = _book(request, slot, key=key)
    second = _book(request, slot, key=key)

    assert second == first
    assert Booking.objects.count() == 1


def test_a_full_slot_is_refused():
    facility = situations.visiting_facility(rooms=1)
    [slot, *_] = situations.slots_of(facility)
    situations.booked_visit(slot)
    request = situations.ready_request(facility)

    _refused(bookings.SlotFull, lambda: _book(request, slot))


def test_losing_costs_one_read(django_assert_num_queries):
    facility = situations.visiting_facility(rooms=1)
    [slot, *_] = situations.slots_of(facility)
    situations.booked_visit(slot)
    asked = situations.ready_request(facility)
    request = Request.objects.select_related("custody", "lawyer__user").get(pk=asked.pk)

    with django_assert_num_queries(1), pytest.raises(bookings.SlotFull):
        _book(request, slot)


def test_a_slot_without_escort_is_full():
    facility = situations.visiting_facility(rooms=2, escorts=1)
    [slot, *_] = situations.slots_of(facility)
    situations.booked_visit(slot)
    request = situations.ready_request(facility)

    _refused(bookings.SlotFull, lambda: _book(request, slot))


def test_a_slot_that_has_begun_is_refused():
    facility = situations.visiting_facility(rooms=1)
    [slot, *_] = situations.slots_of(facility)
    request = situations.ready_request(facility)

    _refused(bookings.SlotOver, lambda: _book(request, slot, at=slot.begins_at))


def test_a_slot_of_another_facility_is_refused():
    facility = situations.visiting_facility(rooms=1)
    [foreign, *_] = situations.slots_of(situations.visiting_facility(rooms=1))
    request = situations.ready_request(facility)

    _refused(bookings.SlotFull, lambda: _book(request, foreign))


def test_a_client_with_another_visit_at_that_time_is_refused_with_the_reason():
    facility = situations.visiting_facility(rooms=3)
    [slot, *_] = situations.slots_of(facility)
    held = people.held_person(facility)
    mine, yours = (situations.live_mandate(facility, held=held) for _ in range(2))
    situations.booked_visit(slot, request=situations.ready_request(facility, mandate=mine))
    request = situations.ready_request(facility, mandate=yours)

    _refused(bookings.ClientBusy, lambda: _book(request, slot))


def test_a_lawyer_expected_at_another_centre_at_that_time_is_refused():
    here, there = (situations.visiting_facility() for _ in range(2))
    lawyer = situations.lawyer_with_papers()
    one, two = (situations.live_mandate(place, lawyer=lawyer) for place in (here, there))
    first, second, *_ = situations.slots_of(here)
    situations.booked_visit(first, request=situations.ready_request(here, mandate=one))
    request = situations.ready_request(there, mandate=two)
    same, later, *_ = situations.slots_of(there)

    _refused(bookings.LawyerBusy, lambda: _book(request, same))
    assert _book(request, later).slot == later
    assert first.begins_at == same.begins_at < second.begins_at


def test_a_lawyer_with_another_visit_at_that_time_is_refused_with_the_reason():
    facility = situations.visiting_facility(rooms=3)
    [slot, *_] = situations.slots_of(facility)
    lawyer = situations.lawyer_with_papers()
    mandate_one, mandate_two = (situations.live_mandate(facility, lawyer=lawyer) for _ in range(2))
    situations.booked_visit(slot, request=situations.ready_request(facility, mandate=mandate_one))
    request = situations.ready_request(facility, mandate=mandate_two)

    _refused(bookings.LawyerBusy, lambda: _book(request, slot))


def test_the_number_of_open_bookings_of_a_lawyer_is_limited():
    facility = situations.visiting_facility(rooms=1)
    situations.set_policy(facility, "visits_open_per_lawyer", 1)
    first, second, *_ = situations.slots_of(facility)
    lawyer = situations.lawyer_with_papers()
    mandate_one, mandate_two = (situations.live_mandate(facility, lawyer=lawyer) for _ in range(2))
    situations.booked_visit(first, request=situations.ready_request(facility, mandate=mandate_one))
    request = situations.ready_request(facility, mandate=mandate_two)

    refusal = _refused(bookings.TooManyBookings, lambda: _book(request, second))

    assert refusal.facts == {"limit": 1}


def _expired_certificate(request, slot):
    Credential.objects.filter(lawyer=request.lawyer, kind="practising").update(
        valid_until=slot.on - timedelta(days=1)
    )


def _revoked_mandate(request, slot):
    Mandate.objects.filter(pk=request.mandate_id).update(state=Mandate.State.REVOKED)


def _closed_custody(request, slot):
    custody.close(
        request.custody,
        reason=Custody.Reason.RELEASED,
        by=people.officer(request.facility),
        at=timezone.now(),
    )


def _restriction(request, slot):
    Restriction.objects.create(
        custody=request.custody,
        begins_at=slot.begins_at - timedelta(hours=1),
        ends_at=slot.ends_at,
        paper_number="R1",
        ordered_by=people.officer(request.facility),
    )


CHANGES = [
    ("certificate expired", _expired_certificate, mandates.PapersNotValid),
    ("mandate revoked", _revoked_mandate, mandates.MandateNotLive),
    ("custody closed", _closed_custody, custody.CustodyNotOpen),
    ("visits restricted", _restriction, mandates.VisitsRestricted),
]


@pytest.mark.parametrize(("label", "change", "refusal"), CHANGES)
def test_book_refuses_what_no_longer_holds(label, change, refusal):
    facility = situations.visiting_facility(rooms=1)
    [slot, *_] = situations.slots_of(facility)
    request = situations.ready_request(facility)
    change(request, slot)

    _refused(refusal, lambda: _book(request, slot))


@pytest.mark.parametrize(("label", "change", "refusal"), CHANGES)
def test_confirm_refuses_what_ended_between_form_and_submit(label, change, refusal):
    facility = situations.visiting_facility(rooms=1)
    [slot, *_] = situations.slots_of(facility)
    request = situations.ready_request(facility)
    reservation = _reserve(request, slot)
    change(request, slot)

    _refused(
        refusal,
        lambda: bookings.confirm(reservation, by=request.lawyer.user, at=timezone.now()),
    )


def test_a_reservation_holds_the_place_for_ten_minutes():
    facility = situations.visiting_facility(rooms=1)
    [slot, *_] = situations.slots_of(facility)
    now = timezone.now()
    held = _reserve(situations.ready_request(facility), slot, at=now)
    other = situations.ready_request(facility)

    _refused(bookings.SlotFull, lambda: _book(other, slot, at=now + timedelta(minutes=9)))
    taken = _book(other, slot, at=now + timedelta(minutes=10))

    held.refresh_from_db()
    assert (held.state, taken.state) == ("expired", "booked")
    assert _claims(held) == []


def test_confirm_after_the_hold_is_over_is_refused():
    facility = situations.visiting_facility(rooms=1)
    [slot, *_] = situations.slots_of(facility)
    now = timezone.now()
    request = situations.ready_request(facility)
    held = _reserve(request, slot, at=now)

    _refused(
        bookings.ReservationOver,
        lambda: bookings.confirm(held, by=request.lawyer.user, at=now + timedelta(minutes=10)),
    )


def test_confirm_twice_is_one_booking():
    facility = situations.visiting_facility(rooms=1)
    [slot, *_] = situations.slots_of(facility)
    request = situations.ready_request(facility)
    held = _reserve(request, slot)

    first = bookings.confirm(held, by=request.lawyer.user, at=timezone.now())
    second = bookings.confirm(held, by=request.lawyer.user, at=timezone.now())

    assert (first, second.state) == (second, "booked")
    assert Notice.objects.filter(lawyer=request.lawyer).count() == 1


def test_another_reservation_gives_up_the_first():
    facility = situations.visiting_facility(rooms=1)
    one, two, *_ = situations.slots_of(facility)
    request = situations.ready_request(facility)
    first = _reserve(request, one)

    second = _reserve(request, two)

    first.refresh_from_db()
    assert (first.state, second.state) == ("expired", "reserved")
    assert (_claims(first), len(_claims(second))) == ([], 4)


def test_moving_keeps_the_old_place_until_the_new_one_is_sure():
    facility = situations.visiting_facility(rooms=1)
    one, two, *_ = situations.slots_of(facility)
    request = situations.ready_request(facility)
    old = _book(request, one)

    new = _reserve(request, two)
    held_while_choosing = (_claims(old), _claims(new))
    new = bookings.confirm(new, by=request.lawyer.user, at=timezone.now())

    old.refresh_from_db()
    assert [len(held) for held in held_while_choosing] == [4, 4]
    assert (old.state, new.state, new.replaces_id) == ("moved", "booked", old.pk)
    assert (_claims(old), len(_claims(new))) == ([], 4)


def test_moving_to_a_full_slot_is_refused_and_the_old_place_stays():
    facility = situations.visiting_facility(rooms=1)
    one, two, *_ = situations.slots_of(facility)
    request = situations.ready_request(facility)
    old = _book(request, one)
    situations.booked_visit(two)

    _refused(bookings.SlotFull, lambda: _book(request, two))

    old.refresh_from_db()
    assert old.state == "booked"


def test_cancel_frees_the_place_for_the_first_on_the_waiting_list():
    facility = situations.visiting_facility(rooms=1)
    [slot, *_] = situations.slots_of(facility)
    booking = situations.booked_visit(slot)
    now = timezone.now()
    second, first = (situations.ready_request(facility) for _ in range(2))
    for request, since in [(first, now), (second, now + timedelta(minutes=1))]:
        bookings.wait(request, until=slot.on, by=request.lawyer.user, at=since)

    bookings.cancel(booking, by=booking.request.lawyer.user, at=now + timedelta(minutes=2))

    first.refresh_from_db()
    second.refresh_from_db()
    booking.request.refresh_from_db()
    assert (first.state, second.state) == ("booked", "waiting")
    assert booking.request.state == "withdrawn"
    assert [notice.code for notice in Notice.objects.filter(lawyer=first.lawyer)] == [
        "booked",
        "waiting_filled",
    ]


def test_the_waiting_list_skips_whom_the_place_does_not_fit():
    facility = situations.visiting_facility(rooms=1)
    one, *_ = situations.slots_of(facility)
    booking = situations.booked_visit(one)
    now = timezone.now()
    too_late, expired, fits = (situations.ready_request(facility) for _ in range(3))
    days = {too_late: one.on - timedelta(days=1), expired: one.on, fits: one.on}
    for number, (request, until) in enumerate(days.items()):
        bookings.wait(
            request, until=until, by=request.lawyer.user, at=now + timedelta(seconds=number)
        )
    _expired_certificate(expired, one)

    bookings.cancel(booking, by=booking.request.lawyer.user, at=now + timedelta(minutes=2))

    states = [Request.objects.get(pk=r.pk).state for r in (too_late, expired, fits)]
    assert states == ["waiting", "waiting", "booked"]
    assert Claim.objects.filter(active=True, slot=one).count() == 4


def test_expire_ends_what_ran_out_and_fills_it():
    facility = situations.visiting_facility(rooms=1)
    [slot, *_] = situations.slots_of(facility)
    now = timezone.now()
    held = _reserve(situations.ready_request(facility), slot, at=now)
    waiting = situations.ready_request(facility)
    bookings.wait(waiting, until=slot.on, by=None, at=now)

    ended = [bookings.expire(at=now + timedelta(minutes=11)) for _ in range(2)]

    held.refresh_from_db()
    waiting.refresh_from_db()
    assert (ended, held.state, waiting.state) == ([1, 0], "expired", "booked")


def test_asking_twice_for_one_client_returns_the_open_request():
    facility = situations.visiting_facility(rooms=1)
    mandate = situations.live_mandate(facility)
    first = situations.ready_request(facility, mandate=mandate)

    second = situations.ready_request(facility, mandate=mandate)

    assert second == first


def test_the_clock_ends_48_hours_after_the_request():
    facility = situations.visiting_facility(rooms=1)
    now = timezone.now()

    request = situations.ready_request(facility, at=now)

    assert (request.clock_at, request.due_at) == (now, now + timedelta(hours=48))


def test_ask_is_refused_without_a_mandate():
    facility = situations.visiting_facility(rooms=1)
    mandate = situations.live_mandate(facility)
    Mandate.objects.filter(pk=mandate.pk).update(state=Mandate.State.REVOKED)

    _refused(
        mandates.MandateNotLive,
        lambda: requests.ask(mandate, key=uuid4(), by=mandate.lawyer.user, at=timezone.now()),
    )
