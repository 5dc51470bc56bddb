"""Whatever happens, in whatever order, the invariants of bookings hold."""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta
from uuid import uuid4

import hypothesis.strategies as st
import pytest
from django.db import transaction
from django.utils import timezone
from hypothesis import HealthCheck, settings
from hypothesis.extra.django import TestCase
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from detention import custody
from detention.errors import Refusal
from detention.models import Custody, Role
from tests import situations as people
from tests.visits import situations
from visits import bookings, clock, mandates, rehousing, tasks, timetable
from visits.models import Booking, Claim, Mandate, Request, Room, Slot, SlotRoom
from visits.models.flow import HOLDING, OPEN_REQUEST

LAWYERS, SLOTS = 4, 3


class Visits(RuleBasedStateMachine):
    """A small centre: two rooms, two escorts, three slots, four lawyers, two clients."""

    @initialize()
    def open_the_centre(self):
        self.at = timezone.now()
        self.facility = situations.visiting_facility(rooms=2, escorts=2, days=2)
        self.slots = situations.slots_of(self.facility)[:SLOTS]
        self.boss = people.officer(self.facility, Role.ADMINISTRATOR)
        held = [people.held_person(self.facility) for _ in range(2)]
        self.requests = [
            situations.ready_request(
                self.facility,
                mandate=situations.live_mandate(self.facility, held=held[number % 2]),
                at=self.at,
            )
            for number in range(LAWYERS)
        ]

    def attempt(self, act):
        # What is refused has changed nothing, which the invariants check.
        with suppress(Refusal):
            act()

    def request(self, number):
        return Request.objects.select_related("custody", "lawyer__user", "mandate").get(
            pk=self.requests[number].pk
        )

    @rule(number=st.integers(0, LAWYERS - 1), slot=st.integers(0, SLOTS - 1))
    def book(self, number, slot):
        self.attempt(
            lambda: bookings.book(
                self.request(number), wish=[self.slots[slot]], key=uuid4(), by=None, at=self.at
            )
        )

    @rule(number=st.integers(0, LAWYERS - 1), slot=st.integers(0, SLOTS - 1))
    def reserve(self, number, slot):
        self.attempt(
            lambda: bookings.reserve(
                self.request(number), wish=[self.slots[slot]], key=uuid4(), by=None, at=self.at
            )
        )

    @rule(number=st.integers(0, LAWYERS - 1))
    def confirm(self, number):
        for booking in Booking.objects.filter(request=self.requests[number], state="reserved"):
            self.attempt(lambda b=booking: bookings.confirm(b, by=None, at=self.at))

    @rule(number=st.integers(0, LAWYERS - 1))
    def cancel(self, number):
        for booking in Booking.objects.filter(request=self.requests[number], state="booked"):
            self.attempt(lambda b=booking: bookings.cancel(b, by=None, at=self.at))

    @rule(number=st.integers(0, LAWYERS - 1))
    def wait(self, number):
        until = self.slots[0].on
        self.attempt(lambda: bookings.wait(self.request(number), until=until, by=None, at=self.at))

    @rule(minutes=st.integers(1, 12))
    def time_passes(self, minutes):
        self.at += timedelta(minutes=minutes)
        bookings.expire(at=self.at)

    @rule(slot=st.integers(0, SLOTS - 1), room=st.integers(0, 1))
    def close_a_room(self, slot, room):
        rooms = list(Room.objects.filter(facility=self.facility).order_by("pk"))
        timetable.close_room(
            rooms[room],
            begins_at=self.slots[slot].begins_at,
            ends_at=self.slots[slot].ends_at,
            reason="x",
            by=self.boss,
            at=self.at,
        )
        rehousing.rehouse_all(at=self.at)

    @rule(number=st.integers(0, LAWYERS - 1))
    def end_a_mandate(self, number):
        mandate = Mandate.objects.get(pk=self.requests[number].mandate_id)
        self.attempt(lambda: mandates.revoke(mandate, by=self.boss, at=self.at))
        tasks.follow_mandate(mandate.pk, at=self.at)

    @rule()
    def release_somebody(self):
        held = self.request(0).custody
        self.attempt(
            lambda: custody.close(held, reason=Custody.Reason.RELEASED, by=self.boss, at=self.at)
        )
        tasks.close_custody(held.pk, at=self.at)

    @invariant()
    def nothing_is_taken_twice(self):
        active = list(Claim.objects.filter(active=True).values_list("slot", "kind", "resource"))
        assert len(active) == len(set(active))

    @invariant()
    def each_holding_booking_has_all_four_and_no_other_has_any(self):
        for booking in Booking.objects.all():
            kinds = sorted(booking.claims.filter(active=True).values_list("kind", flat=True))
            expected = ["detainee", "escort", "lawyer", "room"] if booking.state in HOLDING else []
            assert kinds == expected

    @invariant()
    def a_slot_never_holds_more_than_its_open_rooms(self):
        for slot in Slot.objects.filter(claims__active=True).distinct():
            rooms = SlotRoom.objects.filter(slot=slot, is_open=True).count()
            assert slot.claims.filter(kind="room", active=True).count() <= rooms

    @invariant()
    def no_booking_stands_without_a_live_mandate_and_an_open_custody(self):
        wrong = Booking.objects.filter(state="booked").exclude(
            request__mandate__state="live", request__custody__state="open"
        )
        assert not wrong.exists()

    @invariant()
    def every_open_request_is_somewhere(self):
        for request in Request.objects.filter(state__in=OPEN_REQUEST):
            has_booking = request.bookings.filter(state="booked").exists()
            assert has_booking == (request.state == "booked")

    @invariant()
    def the_due_time_moves_only_with_a_reason(self):
        moved = [r for r in Request.objects.all() if r.due_at != r.clock_at + clock.FULL]
        assert all(request.pauses.filter(ends_at__isnull=False).exists() for request in moved)


class _Rollback(Visits):
    """Each example in a transaction that is rolled back, as a test of its own would be."""

    def __init__(self):
        super().__init__()
        self._ground = transaction.atomic()
        self._ground._from_testcase = True
        self._ground.__enter__()

    def teardown(self):
        transaction.set_rollback(True)
        self._ground.__exit__(None, None, None)


@pytest.mark.django_db
class TestLifeOfBookings(_Rollback.TestCase, TestCase):
    settings = settings(
        max_examples=12,
        stateful_step_count=14,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        derandomize=True,
    )
