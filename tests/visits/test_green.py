from datetime import timedelta
from uuid import uuid4

import pytest
from django.utils import timezone

from detention.errors import NotAllowed
from detention.models import AuditRecord, Role
from tests import situations as people
from tests.visits import situations
from visits import bookings, gate, green, requests, timetable
from visits.green import Displaced
from visits.models import Booking, Claim, Credential, GreenGrant, Mandate, Request, Room

pytestmark = pytest.mark.django_db


@pytest.fixture
def facility():
    return situations.visiting_facility(rooms=1, days=5)


def _grant(request, reason=GreenGrant.Reason.MEDICAL, proof="M1", by=None):
    return green.grant(
        request,
        reason=reason,
        proof=proof,
        by=by or people.officer(request.facility),
        at=timezone.now(),
    )


def _legal_aid(mandate):
    Credential.objects.filter(pk=mandate.authority_id).update(kind=Credential.Kind.LEGAL_AID)
    return Mandate.objects.get(pk=mandate.pk)


def _book(request, *slots, at=None):
    return bookings.book(
        request, wish=slots, key=uuid4(), by=request.lawyer.user, at=at or timezone.now()
    )


def test_a_legal_aid_lawyer_opens_the_green_channel_with_the_letter(facility):
    mandate = _legal_aid(situations.live_mandate(facility))
    request = situations.ready_request(facility, mandate=mandate)

    granted = _grant(request, GreenGrant.Reason.LEGAL_AID, proof="", by=mandate.lawyer.user)

    assert granted.is_green
    assert granted.green_grant.proof == mandate.authority.number


@pytest.mark.parametrize(
    ("label", "reason", "proof", "refusal"),
    [
        ("legal aid without letter", "legal_aid", "", green.ReasonNotProven),
        ("nobody grants by law", "statutory", "x", green.ReasonNotProven),
        ("48 hours left", "due_soon", "x", green.ReasonNotProven),
        ("no paper", "medical", " ", green.ProofMissing),
    ],
)
def test_a_reason_that_is_not_proven_is_refused(facility, label, reason, proof, refusal):
    request = situations.ready_request(facility)

    with pytest.raises(refusal):
        _grant(request, reason, proof=proof)

    request.refresh_from_db()
    assert (request.is_green, GreenGrant.objects.count()) == (False, 0)


def test_a_lawyer_cannot_grant_any_other_reason(facility):
    request = situations.ready_request(facility)

    with pytest.raises(NotAllowed):
        _grant(request, by=request.lawyer.user)

    assert GreenGrant.objects.count() == 0


def test_the_green_channel_is_capped_for_each_lawyer(facility):
    situations.set_policy(facility, "visits_green_per_lawyer", 1)
    lawyer = situations.lawyer_with_papers()
    first, second = (
        situations.ready_request(facility, mandate=situations.live_mandate(facility, lawyer=lawyer))
        for _ in range(2)
    )
    _grant(first)

    with pytest.raises(green.GreenCapReached):
        _grant(second)

    assert GreenGrant.objects.count() == 1


def test_the_reserve_is_kept_for_the_green_channel():
    facility = situations.visiting_facility(rooms=2, reserved=1)
    slot = situations.slots_of(facility)[0]
    situations.booked_visit(slot)
    ordinary, urgent = (situations.ready_request(facility) for _ in range(2))
    _grant(urgent)
    urgent.refresh_from_db()

    with pytest.raises(bookings.SlotFull):
        _book(ordinary, slot)
    booking = _book(urgent, slot)

    assert (booking.state, booking.is_green) == ("booked", True)


def test_the_reserve_opens_to_all_three_hours_before():
    facility = situations.visiting_facility(rooms=2, reserved=1)
    slot = situations.slots_of(facility)[0]
    situations.booked_visit(slot)
    ordinary = situations.ready_request(facility)

    booking = _book(ordinary, slot, at=slot.begins_at - timedelta(hours=3))

    assert booking.state == "booked"


def test_an_interrogation_room_is_borrowed_only_with_consent():
    facility = situations.visiting_facility(rooms=1, escorts=2, borrowable=1)
    slot = situations.slots_of(facility)[0]
    situations.booked_visit(slot)
    urgent = situations.ready_request(facility)
    _grant(urgent)
    urgent.refresh_from_db()

    with pytest.raises(bookings.SlotFull):
        _book(urgent, slot)
    consented = requests.consent(urgent, by=urgent.lawyer.user, at=timezone.now())
    booking = _book(consented, slot)

    assert (booking.is_borrowed, booking.room.kind) == (True, "interrogation")


def test_a_borrowed_room_is_not_lent_while_an_interrogation_is_planned():
    facility = situations.visiting_facility(rooms=1, escorts=2, borrowable=1)
    slot = situations.slots_of(facility)[0]
    situations.booked_visit(slot)
    room = Room.objects.get(facility=facility, kind="interrogation")
    green.plan_interrogation(room, slot, by=people.officer(facility), at=timezone.now())
    urgent = situations.ready_request(facility)
    _grant(urgent)
    urgent = requests.consent(urgent, by=urgent.lawyer.user, at=timezone.now())

    with pytest.raises(bookings.SlotFull):
        _book(urgent, slot)


def test_a_borrowed_room_is_entered_only_with_its_gear_confirmed_off():
    facility = situations.visiting_facility(rooms=1, escorts=2, borrowable=1)
    slot = situations.slots_of(facility)[0]
    situations.booked_visit(slot)
    urgent = situations.ready_request(facility)
    _grant(urgent)
    booking = _book(requests.consent(urgent, by=None, at=timezone.now()), slot)
    guard = people.officer(facility)
    gate.check_in(facility, booking.reference, by=guard, at=slot.begins_at)

    with pytest.raises(green.GearNotOff):
        gate.enter(booking, by=guard, at=slot.begins_at)
    green.confirm_gear_off(booking, by=guard, at=slot.begins_at)
    entered = gate.enter(booking, by=guard, at=slot.begins_at)

    assert (entered.state, entered.gear_off_by) == ("in_room", guard)


def _facts(**changes):
    usual = {"begins_in": timedelta(hours=25), "is_first_or_aid": False, "was_displaced": False}
    return Displaced(**{**usual, **changes})


@pytest.mark.parametrize(
    ("label", "changes", "rules"),
    [
        ("none", {}, []),
        ("exactly a day ahead", {"begins_in": timedelta(hours=24)}, []),
        ("within a day", {"begins_in": timedelta(hours=23)}, ["a"]),
        ("legal aid", {"is_first_or_aid": True}, ["b"]),
        ("displaced before", {"was_displaced": True}, ["c"]),
        (
            "all",
            {"begins_in": timedelta(0), "is_first_or_aid": True, "was_displaced": True},
            ["a", "b", "c"],
        ),
    ],
)
def test_rules_against_displacement(label, changes, rules):
    assert green.rules_against(_facts(**changes)) == rules


def _displaceable(facility):
    """Return a visit in two days that may give way, and an urgent request."""
    slot = situations.slots_of(facility, days=2)[3]
    booking = situations.booked_visit(slot)
    Request.objects.filter(pk=booking.request_id).update(
        due_at=slot.begins_at + timedelta(hours=20)
    )
    urgent = situations.ready_request(facility)
    _grant(urgent)
    return booking, Request.objects.get(pk=urgent.pk)


def _propose(booking, urgent, by):
    return green.propose(booking, urgent, reason="surgery", by=by, at=timezone.now())


def test_displacement_gives_an_equal_place_before_it_takes_the_old_one(facility):
    booking, urgent = _displaceable(facility)
    one, other = (people.officer(facility) for _ in range(2))
    proposed = _propose(booking, urgent, one)

    done = green.approve(proposed, by=other, at=timezone.now())

    booking.refresh_from_db()
    urgent.refresh_from_db()
    taken = urgent.bookings.get()
    new = done.replacement
    assert (booking.state, booking.reason) == ("moved", "displaced")
    assert (taken.slot_id, taken.room_id) == (booking.slot_id, booking.room_id)
    assert (new.state, new.request_id) == ("booked", booking.request_id)
    assert new.slot.begins_at <= booking.slot.begins_at + timedelta(hours=24)
    assert len(proposed.offered) == 3
    assert Request.objects.get(pk=booking.request_id).was_displaced
    assert Claim.objects.filter(active=True).count() == 8


def test_displacement_by_one_officer_alone_is_refused(facility):
    booking, urgent = _displaceable(facility)
    one = people.officer(facility)
    proposed = _propose(booking, urgent, one)
    before = (Booking.objects.count(), AuditRecord.objects.count())

    with pytest.raises(green.SecondOfficer):
        green.approve(proposed, by=one, at=timezone.now())

    proposed.refresh_from_db()
    booking.refresh_from_db()
    assert (proposed.state, booking.state) == ("proposed", "booked")
    assert (Booking.objects.count(), AuditRecord.objects.count()) == before


def test_an_ordinary_request_displaces_nobody(facility):
    booking, _urgent = _displaceable(facility)
    ordinary = situations.ready_request(facility)

    with pytest.raises(green.MayNotDisplace):
        _propose(booking, ordinary, people.officer(facility))

    booking.refresh_from_db()
    assert booking.state == "booked"


def test_a_visit_tomorrow_morning_is_not_displaced(facility):
    booking = situations.booked_visit(situations.slots_of(facility, days=1)[0])
    urgent = situations.ready_request(facility)
    _grant(urgent)
    urgent.refresh_from_db()

    with pytest.raises(green.MayNotDisplace) as caught:
        green.propose(
            booking,
            urgent,
            reason="surgery",
            by=people.officer(facility),
            at=booking.slot.begins_at - timedelta(hours=23),
        )

    assert caught.value.facts == {"rules": "a"}


def test_without_an_equal_offer_nobody_is_displaced():
    facility = situations.visiting_facility(rooms=1, days=3)
    booking, urgent = _displaceable(facility)
    boss = people.officer(facility, Role.ADMINISTRATOR)
    now = timezone.now()
    times = [(now, booking.slot.begins_at), (booking.slot.ends_at, now + timedelta(days=30))]
    for begins_at, ends_at in times:
        timetable.close_room(
            booking.room, begins_at=begins_at, ends_at=ends_at, reason="x", by=boss, at=now
        )

    with pytest.raises(green.NoEqualOffer):
        _propose(booking, urgent, people.officer(facility))

    booking.refresh_from_db()
    assert booking.state == "booked"
