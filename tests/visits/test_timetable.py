from datetime import date, time, timedelta

import pytest
from django.utils import timezone

from detention.errors import NotAllowed
from detention.models import Role
from tests import situations as people
from tests.factories import FacilityFactory
from tests.visits import situations
from visits import timetable
from visits.models import DayKind, Room, Slot, SlotRoom, Timetable

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("label", "on", "kind"),
    [
        ("ordinary Monday", date(2026, 11, 23), DayKind.WEEKDAY),
        ("ordinary Sunday", date(2026, 11, 22), DayKind.WEEKEND),
        ("make-up Sunday before New Year's exchange", date(2026, 1, 4), DayKind.WEEKDAY),
        ("make-up Saturday", date(2026, 2, 14), DayKind.WEEKDAY),
        ("spring festival", date(2026, 2, 17), DayKind.HOLIDAY),
        ("New Year", date(2027, 1, 1), DayKind.HOLIDAY),
        ("last day of the year", date(2026, 12, 31), DayKind.WEEKDAY),
    ],
)
def test_kind_of_date_follows_the_public_calendar(label, on, kind):
    assert timetable.kind_of_date(on) == kind


def test_set_day_wins_over_the_public_calendar():
    facility = FacilityFactory()
    boss = people.officer(facility, Role.ADMINISTRATOR)
    sunday = date(2030, 6, 2)

    timetable.set_day(facility, sunday, kind=DayKind.WEEKDAY, note="", by=boss, at=timezone.now())

    assert timetable.kind_of_day(facility, sunday) == DayKind.WEEKDAY


def test_set_day_is_refused_for_a_day_that_is_already_open():
    facility = situations.visiting_facility(rooms=1)
    boss = people.officer(facility, Role.ADMINISTRATOR)
    open_day = situations.slots_of(facility)[0].on

    with pytest.raises(timetable.DayAlreadyOpen):
        timetable.set_day(
            facility, open_day, kind=DayKind.HOLIDAY, note="", by=boss, at=timezone.now()
        )

    assert timetable.kind_of_day(facility, open_day) == timetable.kind_of_date(open_day)


@pytest.mark.parametrize(
    ("label", "times", "refusal"),
    [
        ("nine slots", situations.TIMES[:9], timetable.NotTenSlots),
        ("eleven slots", [*situations.TIMES, (time(18), time(19))], timetable.NotTenSlots),
        ("overlap", [(time(8), time(9)), *situations.TIMES[1:]], timetable.SlotsOverlap),
        ("empty slot", [(time(8), time(8)), *situations.TIMES[1:]], timetable.SlotsOverlap),
        ("backwards", list(reversed(situations.TIMES)), timetable.SlotsOverlap),
    ],
)
def test_publish_refuses_hours_that_are_not_ten_slots_in_order(label, times, refusal):
    facility = FacilityFactory()

    with pytest.raises(refusal):
        timetable.publish(
            facility,
            day_kind=DayKind.WEEKDAY,
            effective_on=date(2090, 1, 1),
            times=times,
            by=people.officer(facility, Role.ADMINISTRATOR),
            at=timezone.now(),
        )

    assert Timetable.objects.count() == 0


def test_publish_is_refused_to_a_guard():
    facility = FacilityFactory()

    with pytest.raises(NotAllowed):
        timetable.publish(
            facility,
            day_kind=DayKind.WEEKDAY,
            effective_on=date(2090, 1, 1),
            times=[],
            by=people.officer(facility),
            at=timezone.now(),
        )


def test_open_day_makes_exactly_ten_slots_once():
    facility = situations.visiting_facility(rooms=2, days=1)
    on = timetable.today(facility, timezone.now())

    again = timetable.open_day(facility, on, at=timezone.now())

    assert [slot.sequence for slot in again] == list(range(1, 11))
    assert Slot.objects.filter(facility=facility).count() == 10
    assert SlotRoom.objects.filter(slot__facility=facility).count() == 20


def test_open_horizon_crosses_the_new_year():
    facility = situations.visiting_facility(rooms=1, days=1)
    last_days = timezone.datetime(2090, 12, 25, 3, tzinfo=timezone.get_current_timezone())

    timetable.open_horizon(facility, at=last_days)

    opened = Slot.objects.filter(facility=facility, on__gte=date(2090, 12, 25))
    assert len(set(opened.values_list("on", flat=True))) == 15
    assert opened.filter(on=date(2091, 1, 1)).count() == 10


def test_a_new_timetable_leaves_days_already_open_as_they_are():
    facility = situations.visiting_facility(rooms=1, days=3)
    boss = people.officer(facility, Role.ADMINISTRATOR)
    slots = situations.slots_of(facility)
    later = [(time(b.hour + 1, b.minute), time(e.hour + 1, e.minute)) for b, e in situations.TIMES]

    for kind in DayKind:
        timetable.publish(
            facility,
            day_kind=kind,
            effective_on=slots[0].on,
            times=later,
            by=boss,
            at=timezone.now(),
        )
    kept = timetable.open_day(facility, slots[0].on, at=timezone.now())
    new = timetable.open_day(facility, slots[0].on + timedelta(days=4), at=timezone.now())

    assert [slot.begins_at for slot in kept] == [slot.begins_at for slot in slots]
    assert timezone.localtime(new[0].begins_at).time() == time(9, 0)


def test_a_closed_room_is_not_open_in_the_slots_it_touches():
    facility = situations.visiting_facility(rooms=2)
    boss = people.officer(facility, Role.ADMINISTRATOR)
    slots = situations.slots_of(facility)
    room = Room.objects.filter(facility=facility).first()

    timetable.close_room(
        room,
        begins_at=slots[2].begins_at,
        ends_at=slots[3].ends_at,
        reason="painting",
        by=boss,
        at=timezone.now(),
    )

    closed = SlotRoom.objects.filter(room=room, is_open=False)
    assert sorted(closed.values_list("slot", flat=True)) == [slots[2].pk, slots[3].pk]


def test_pools_never_keep_the_only_room():
    facility = situations.visiting_facility(rooms=1, borrowable=1)
    rooms = list(Room.objects.filter(facility=facility).order_by("pk"))

    pools = timetable.pools_of(rooms, reserved=2, walk_in=2)

    assert pools == {rooms[0].pk: "general", rooms[1].pk: "borrowed"}
