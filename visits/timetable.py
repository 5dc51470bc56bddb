"""Which days are open, at which ten times, in which rooms, with which escorts."""

from __future__ import annotations

import functools
import itertools
import re
from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import holidays
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from detention import access, audit, events, policy
from detention.errors import Refusal
from detention.models import Facility, Role, User
from detention.verbs import verb
from visits.models import (
    CalendarDay,
    DayKind,
    Duty,
    Room,
    RoomClosure,
    Slot,
    SlotRoom,
    StandingDuty,
    Timetable,
    TimetableSlot,
)
from visits.models.places import SLOTS_A_DAY

policy.declare(
    "visits_horizon", _("Days open for booking ahead"), unit="days", default=14, low=1, high=60
)
policy.declare(
    "visits_reserve_rooms",
    _("Rooms kept for the green channel in each slot"),
    unit="times",
    default=1,
    high=20,
)
policy.declare(
    "visits_walk_in_rooms",
    _("Rooms kept for walk-ins in each slot"),
    unit="times",
    default=0,
    high=20,
)


class NotTenSlots(Refusal):
    code = "not_ten_slots"
    status = 422
    message = _("An open day has exactly ten slots, a closed day none.")


class SlotsOverlap(Refusal):
    code = "slots_overlap"
    status = 422
    message = _("Each slot must end after it begins, and before the next begins.")


class VersionExists(Refusal):
    code = "timetable_exists"
    message = _("There are already hours for this kind of day from this date on.")
    constraint = "timetable_version_unique"


class DateOver(Refusal):
    code = "date_over"
    status = 422
    message = _("This date has passed.")


class DayAlreadyOpen(Refusal):
    code = "day_already_open"
    message = _("This day is already open for booking. Close its rooms instead.")


class RoomExists(Refusal):
    code = "room_exists"
    message = _("There is already a room with this name.")
    constraint = "room_code_unique"


class ClosureEmpty(Refusal):
    code = "closure_empty"
    status = 422
    message = _("The closure must end after it begins.")
    constraint = "closure_ends_after_begin"


class NotAnEscort(Refusal):
    code = "not_an_escort"
    status = 422
    message = _("This person is not a guard of this centre.")


def zone(facility: Facility) -> ZoneInfo:
    return ZoneInfo(facility.time_zone)


def today(facility: Facility, at: datetime) -> date:
    """Return the local date of the facility at that instant."""
    return at.astimezone(zone(facility)).date()


@functools.cache
def public_calendar(year: int) -> tuple[frozenset[date], frozenset[date]]:
    """Return the public holidays and the make-up working days of a Chinese year.

    The package names each exchanged day "… (由 2026-01-04 调休)": the date inside is worked.
    """
    off = holidays.country_holidays("CN", years=year, language="zh_CN")
    worked = {
        date.fromisoformat(found)
        for name in off.values()
        for found in re.findall(r"(\d{4}-\d{2}-\d{2}) 调休", name)
    }
    return frozenset(off), frozenset(worked)


def kind_of_date(on: date) -> DayKind:
    """Return what the public calendar says about a date."""
    off, worked = public_calendar(on.year)
    # A day before New Year can be worked in exchange for one after it.
    worked |= public_calendar(on.year + 1)[1]
    if on in off:
        return DayKind.HOLIDAY
    if on.weekday() >= 5 and on not in worked:
        return DayKind.WEEKEND
    return DayKind.WEEKDAY


def kind_of_day(facility: Facility, on: date) -> DayKind:
    """Return the kind of day: the administrator's word, else the public calendar's."""
    said = CalendarDay.objects.filter(facility=facility, on=on).first()
    return DayKind(said.kind) if said else kind_of_date(on)


@verb
def set_day(
    facility: Facility, on: date, *, kind: DayKind, note: str, by: User, at: datetime
) -> CalendarDay:
    """Say what kind of day a date is: a make-up working day, a holiday by decree.

    Refuses NotAllowed, DateOver, DayAlreadyOpen (its slots and bookings stay as they are).
    """
    access.require(by, facility, Role.ADMINISTRATOR)
    if on < today(facility, at):
        raise DateOver(field="on")
    if Slot.objects.filter(facility=facility, on=on).exists():
        raise DayAlreadyOpen(field="on")
    day, _made = CalendarDay.objects.update_or_create(
        facility=facility, on=on, defaults={"kind": kind, "note": note}
    )
    audit.record(
        "calendar.day_set", by=by, at=at, subject=day, facility=facility, on=f"{on}", kind=str(kind)
    )
    return day


@verb
def publish(
    facility: Facility,
    *,
    day_kind: DayKind,
    effective_on: date,
    times: Sequence[tuple[time, time]],
    by: User,
    at: datetime,
) -> Timetable:
    """Publish the hours of one kind of day from a date on; `times` empty means closed.

    times: ten (begin, end) pairs in local time. Slots already opened keep their times.
    Refuses NotAllowed, NotTenSlots, SlotsOverlap, VersionExists, DateOver.
    """
    access.require(by, facility, Role.ADMINISTRATOR)
    if effective_on < today(facility, at):
        raise DateOver(field="effective_on")
    if len(times) not in (0, SLOTS_A_DAY):
        raise NotTenSlots
    borders = [border for pair in times for border in pair]
    in_order = all(first <= second for first, second in itertools.pairwise(borders))
    if not in_order or any(begins == ends for begins, ends in times):
        raise SlotsOverlap
    timetable = Timetable.objects.create(
        facility=facility, day_kind=day_kind, effective_on=effective_on, published_by=by
    )
    TimetableSlot.objects.bulk_create(
        TimetableSlot(timetable=timetable, sequence=sequence, begins=begins, ends=ends)
        for sequence, (begins, ends) in enumerate(times, start=1)
    )
    audit.record("timetable.published", by=by, at=at, subject=timetable, facility=facility)
    return timetable


def timetable_for(facility: Facility, on: date) -> Timetable | None:
    """Return the hours in force on a date, or None when none were ever published."""
    return (
        Timetable.objects.filter(
            facility=facility, day_kind=kind_of_day(facility, on), effective_on__lte=on
        )
        .order_by("-effective_on")
        .first()
    )


@verb
def add_room(facility: Facility, *, code: str, kind: Room.Kind, by: User, at: datetime) -> Room:
    """Add a room; it is in every day opened from now on, and in the days already open.

    Refuses NotAllowed, RoomExists.
    """
    access.require(by, facility, Role.ADMINISTRATOR)
    room = Room.objects.create(facility=facility, code=code.strip(), kind=kind)
    pool = SlotRoom.Pool.BORROWED if kind == Room.Kind.INTERROGATION else SlotRoom.Pool.GENERAL
    SlotRoom.objects.bulk_create(
        SlotRoom(slot=slot, room=room, pool=pool)
        for slot in Slot.objects.filter(facility=facility, begins_at__gt=at)
    )
    audit.record("room.added", by=by, at=at, subject=room, facility=facility)
    return room


@verb
def close_room(
    room: Room, *, begins_at: datetime, ends_at: datetime, reason: str, by: User, at: datetime
) -> RoomClosure:
    """Close a room for a time; a reaction moves the visits that stand in it.

    Refuses NotAllowed, ClosureEmpty.
    """
    access.require(by, room.facility, Role.ADMINISTRATOR)
    if begins_at >= ends_at:
        raise ClosureEmpty(field="ends_at")
    closure = RoomClosure.objects.create(
        room=room, begins_at=begins_at, ends_at=ends_at, reason=reason, closed_by=by
    )
    SlotRoom.objects.filter(
        room=room, slot__begins_at__lt=ends_at, slot__ends_at__gt=max(begins_at, at)
    ).update(is_open=False)
    audit.record("room.closed", by=by, at=at, subject=closure, facility=room.facility)
    events.announce("room_closed", closure.pk)
    return closure


@verb
def stand_duty(
    facility: Facility,
    officer: User,
    *,
    weekday: int,
    first: int = 1,
    last: int = SLOTS_A_DAY,
    by: User,
    at: datetime,
) -> StandingDuty:
    """Give an escort weekly hours: slots `first` to `last` on a weekday (Monday is 0).

    Adds single duties to the days already open. Repeat: replaces the hours of days to come.
    Refuses NotAllowed, NotAnEscort.
    """
    access.require(by, facility, Role.ADMINISTRATOR)
    guards = officer.appointments.valid(at).filter(facility=facility, role=Role.GUARD)
    if not guards.exists():
        raise NotAnEscort(field="officer")
    duty, _made = StandingDuty.objects.update_or_create(
        facility=facility,
        officer=officer,
        weekday=weekday,
        defaults={"first": first, "last": last},
    )
    slots = Slot.objects.filter(
        facility=facility, begins_at__gt=at, sequence__gte=first, sequence__lte=last
    )
    Duty.objects.bulk_create(
        [Duty(slot=slot, officer=officer) for slot in slots if slot.on.weekday() == weekday],
        ignore_conflicts=True,
    )
    audit.record("duty.standing", by=by, at=at, subject=duty, facility=facility)
    return duty


@verb
def report_ill(
    facility: Facility,
    officer: User,
    *,
    begins_at: datetime,
    ends_at: datetime,
    by: User,
    at: datetime,
) -> int:
    """Take an escort off all slots of a time; a reaction finds another for each visit.

    Returns the number of slots. Refuses NotAllowed.
    """
    access.require(by, facility, Role.GUARD, Role.ADMINISTRATOR)
    count = Duty.objects.filter(
        officer=officer,
        slot__facility=facility,
        slot__begins_at__lt=ends_at,
        slot__ends_at__gt=begins_at,
    ).update(is_present=False)
    audit.record("duty.ill", by=by, at=at, subject=officer, facility=facility, slots=count)
    events.announce("escort_absent", officer.pk)
    return count


@verb
def open_day(facility: Facility, on: date, *, at: datetime) -> list[Slot]:
    """Make the ten slots of one day, with their rooms, pools and escorts.

    Returns the slots, none when the day is closed. Repeat: returns the slots that exist.
    """
    made = list(Slot.objects.filter(facility=facility, on=on))
    timetable = timetable_for(facility, on)
    if made or timetable is None:
        return made
    local = zone(facility)
    slots = Slot.objects.bulk_create(
        Slot(
            facility=facility,
            on=on,
            sequence=line.sequence,
            begins_at=datetime.combine(on, line.begins, tzinfo=local),
            ends_at=datetime.combine(on, line.ends, tzinfo=local),
            timetable=timetable,
        )
        for line in timetable.lines.order_by("sequence")
    )
    if not slots:
        return slots
    _furnish(facility, slots, at=at)
    audit.record("day.opened", by=None, at=at, subject=slots[0], facility=facility, on=f"{on}")
    return slots


def _furnish(facility: Facility, slots: list[Slot], *, at: datetime) -> None:
    reserved = policy.number(facility, "visits_reserve_rooms", at=at)
    walk_in = policy.number(facility, "visits_walk_in_rooms", at=at)
    rooms = list(Room.objects.filter(facility=facility).order_by("code", "pk"))
    closures = list(
        RoomClosure.objects.filter(
            Q(room__facility=facility),
            begins_at__lt=slots[-1].ends_at,
            ends_at__gt=slots[0].begins_at,
        )
    )
    pools = pools_of(rooms, reserved=reserved, walk_in=walk_in)
    SlotRoom.objects.bulk_create(
        SlotRoom(
            slot=slot,
            room=room,
            pool=pools[room.pk],
            is_open=not any(
                c.room_id == room.pk and c.begins_at < slot.ends_at and c.ends_at > slot.begins_at
                for c in closures
            ),
        )
        for slot in slots
        for room in rooms
    )
    standing = StandingDuty.objects.filter(facility=facility, weekday=slots[0].on.weekday())
    Duty.objects.bulk_create(
        Duty(slot=slot, officer_id=duty.officer_id)
        for duty in standing
        for slot in slots
        if duty.first <= slot.sequence <= duty.last
    )


def pools_of(rooms: Sequence[Room], *, reserved: int, walk_in: int) -> dict[int, SlotRoom.Pool]:
    """Say which rooms are kept for whom: the last ones, and never the only one.

    rooms: all rooms of a facility in their order. Interrogation rooms are always borrowed.
    """
    pools: dict[int, SlotRoom.Pool] = {}
    own = [room for room in rooms if room.kind != Room.Kind.INTERROGATION]
    kept = [SlotRoom.Pool.RESERVE] * reserved + [SlotRoom.Pool.WALK_IN] * walk_in
    for room in rooms:
        pools[room.pk] = SlotRoom.Pool.BORROWED
    for place, room in enumerate(reversed(own)):
        is_kept = place < min(len(kept), len(own) - 1)
        pools[room.pk] = kept[place] if is_kept else SlotRoom.Pool.GENERAL
    return pools


def open_horizon(facility: Facility, *, at: datetime) -> int:
    """Open every day up to the horizon that is not open yet; returns how many are missing.

    Each day is its own transaction; safe to run at any time and twice.
    """
    first = today(facility, at)
    days = policy.number(facility, "visits_horizon", at=at) + 1
    wanted = {first + timedelta(days=offset) for offset in range(days)}
    opened = Slot.objects.filter(facility=facility, on__gte=first).values_list("on", flat=True)
    missing = sorted(wanted - set(opened.order_by("on").distinct()))
    for on in missing:
        open_day(facility, on, at=at)
    return len(missing)
