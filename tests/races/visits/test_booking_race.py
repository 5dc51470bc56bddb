"""Many lawyers want the same places: the one partial unique index has the last word."""

from __future__ import annotations

from collections import Counter
from uuid import uuid4

import pytest
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from tests import situations as people
from tests.visits import situations
from visits import bookings, claims
from visits.models import Booking, Claim, Room

pytestmark = [pytest.mark.race, pytest.mark.usefixtures("race_db")]

INDEX = (
    "CREATE UNIQUE INDEX claim_active_unique ON visits_claim (slot_id, kind, resource) WHERE active"
)


def _doubled() -> Counter[str]:
    """Count, by plain SQL, the resources that stand twice in one slot."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT kind, count(*) FROM (SELECT kind FROM visits_claim WHERE active"
            " GROUP BY slot_id, kind, resource HAVING count(*) > 1) AS d GROUP BY kind"
        )
        return Counter(dict(cursor.fetchall()))


def _ask(request, slots):
    return lambda: bookings.book(
        request, wish=slots, key=uuid4(), by=request.lawyer.user, at=timezone.now()
    )


@pytest.fixture
def _without_the_index(race_db):
    with connection.cursor() as cursor:
        cursor.execute("DROP INDEX claim_active_unique")
    yield
    with connection.cursor() as cursor:
        cursor.execute("UPDATE visits_claim SET active = false, ended_at = made_at WHERE active")
        cursor.execute(INDEX)


def test_a_rush_fills_every_place_once_and_doubles_nothing(together):
    facility = situations.visiting_facility(rooms=2)
    slots = situations.slots_of(facility)[:5]
    requests = [situations.ready_request(facility) for _ in range(24)]

    results = together([_ask(request, slots) for request in requests], threads=8)

    granted = [result for result in results if isinstance(result, Booking)]
    lost = [result for result in results if not isinstance(result, Booking)]
    assert {type(result) for result in lost} == {bookings.SlotFull}
    assert (len(granted), len(lost)) == (10, 14)
    assert _doubled() == {}
    assert Counter(
        Claim.objects.filter(slot__in=slots, active=True).values_list("kind", flat=True)
    ) == {"room": 10, "escort": 10, "lawyer": 10, "detainee": 10}


def test_two_lawyers_of_one_client_never_meet_in_one_slot(together):
    facility = situations.visiting_facility(rooms=4)
    [slot] = situations.slots_of(facility)[:1]
    held = people.held_person(facility)
    requests = [
        situations.ready_request(facility, mandate=situations.live_mandate(facility, held=held))
        for _ in range(2)
    ]

    results = together([_ask(request, [slot]) for request in requests], threads=2)

    assert sorted(type(result).__name__ for result in results) in (
        ["Booking", "ClientBusy"],
        ["Booking", "SlotFull"],
    )
    assert _doubled() == {}


def test_the_same_form_sent_twice_at_once_makes_one_booking(together):
    facility = situations.visiting_facility(rooms=4)
    slots = situations.slots_of(facility)
    request = situations.ready_request(facility)
    key = uuid4()

    def send():
        return bookings.book(
            request, wish=slots, key=key, by=request.lawyer.user, at=timezone.now()
        )

    results = together([send] * 4, threads=4)

    assert len({result.pk for result in results}) == 1
    assert Booking.objects.filter(request=request).count() == 1


class _Taken(Exception):
    """Somebody else has the room."""


def _take_room(request, slot, room):
    """Claim one room without first picking what nobody is busy with: only the index decides."""

    @transaction.atomic
    def take():
        booking = Booking.objects.create(
            reference=uuid4().hex[:10],
            key=uuid4(),
            request=request,
            slot=slot,
            room=room,
            escort=request.lawyer.user,
            state=Booking.State.BOOKED,
            made_at=timezone.now(),
        )
        if claims.take(booking, at=timezone.now()):
            raise _Taken
        return booking

    return take


def _race_for_one_room(together):
    facility = situations.visiting_facility(rooms=1)
    [slot] = situations.slots_of(facility)[:1]
    requests = [situations.ready_request(facility) for _ in range(8)]
    room = Room.objects.get(facility=facility)
    return together([_take_room(request, slot, room) for request in requests], threads=8)


def test_with_the_index_one_of_eight_gets_the_room(together):
    results = _race_for_one_room(together)

    assert sum(isinstance(result, Booking) for result in results) == 1
    assert _doubled() == {}


@pytest.mark.usefixtures("_without_the_index")
def test_without_the_index_the_protection_is_gone(together):
    if connection.vendor == "sqlite":
        # SQLite lets one writer in at a time, so the second insert is made by hand.
        facility = situations.visiting_facility(rooms=1)
        _claim_again(situations.booked_visit(situations.slots_of(facility)[0]))
    else:
        _race_for_one_room(together)

    assert _doubled()["room"] == 1


def test_with_the_index_a_second_claim_by_hand_is_refused():
    facility = situations.visiting_facility(rooms=1)
    booking = situations.booked_visit(situations.slots_of(facility)[0])

    with pytest.raises(IntegrityError, match=r"claim_active_unique|visits_claim\.slot_id"):
        _claim_again(booking)

    assert _doubled() == {}


@transaction.atomic
def _claim_again(booking):
    Claim.objects.create(
        kind=Claim.Kind.ROOM,
        resource=booking.room_id,
        slot=booking.slot,
        booking=booking,
        made_at=timezone.now(),
    )
