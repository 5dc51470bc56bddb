"""Named situations of lawyer visits, reached through the verbs."""

from __future__ import annotations

import itertools
from datetime import date, datetime, time, timedelta
from uuid import uuid4
from zoneinfo import ZoneInfo

from django.utils import timezone

from detention import policy
from detention.models import Custody, Facility, Role, User
from tests import situations
from tests.factories import AppointmentFactory, FacilityFactory, UserFactory
from visits import bookings, requests, timetable
from visits.models import (
    Booking,
    Credential,
    DayKind,
    LawFirm,
    Lawyer,
    Mandate,
    Request,
    Room,
    Slot,
)

_serial = itertools.count(1)

TIMES = [
    (time(8, 0), time(8, 45)),
    (time(8, 50), time(9, 35)),
    (time(9, 40), time(10, 25)),
    (time(10, 30), time(11, 15)),
    (time(11, 20), time(12, 5)),
    (time(13, 30), time(14, 15)),
    (time(14, 20), time(15, 5)),
    (time(15, 10), time(15, 55)),
    (time(16, 0), time(16, 45)),
    (time(16, 50), time(17, 35)),
]


def morning(days: int = 1) -> datetime:
    """Return 07:00 local time some days from now: before the first slot of that day."""
    local = timezone.now().astimezone(ZoneInfo("Asia/Shanghai"))
    start = datetime.combine(local.date() + timedelta(days=days), time(7), tzinfo=local.tzinfo)
    return start.astimezone(ZoneInfo("UTC"))


def visiting_facility(
    *,
    rooms: int = 2,
    escorts: int | None = None,
    days: int = 2,
    borrowable: int = 0,
    reserved: int = 0,
) -> Facility:
    """Return a facility whose next days are open: ten slots, these rooms, these escorts.

    reserved: how many of the rooms are kept for the green channel.
    """
    facility = FacilityFactory()
    boss = situations.officer(facility, Role.ADMINISTRATOR)
    set_policy(facility, "visits_reserve_rooms", reserved)
    now = timezone.now()
    for number in range(rooms):
        timetable.add_room(facility, code=f"R{number + 1}", kind=Room.Kind.LAWYER, by=boss, at=now)
    for number in range(borrowable):
        timetable.add_room(
            facility, code=f"X{number + 1}", kind=Room.Kind.INTERROGATION, by=boss, at=now
        )
    for kind in DayKind:
        timetable.publish(
            facility,
            day_kind=kind,
            effective_on=timetable.today(facility, now),
            times=TIMES,
            by=boss,
            at=now,
        )
    guards = [situations.officer(facility) for _ in range(rooms if escorts is None else escorts)]
    first = timetable.today(facility, now)
    for offset in range(days):
        on = first + timedelta(days=offset)
        for guard in guards:
            timetable.stand_duty(facility, guard, weekday=on.weekday(), by=boss, at=now)
        timetable.open_day(facility, on, at=now)
    return facility


def set_policy(facility: Facility, code: str, value: int) -> None:
    """Put a value into force, proposed by one officer and approved by another."""
    one, other = (situations.officer(facility, Role.ADMINISTRATOR) for _ in range(2))
    now = timezone.now()
    version = policy.propose(facility, code, value, effective_at=now, by=one, at=now)
    policy.approve(version, by=other, at=now)


def slots_of(facility: Facility, days: int = 1) -> list[Slot]:
    """Return the ten slots of one day, today being 0."""
    on = timetable.today(facility, timezone.now()) + timedelta(days=days)
    return list(Slot.objects.filter(facility=facility, on=on).order_by("sequence"))


def lawyer_with_papers(*, until: date | None = None) -> Lawyer:
    """Return a lawyer whose practising certificate is accepted."""
    serial = next(_serial)
    firm = LawFirm.objects.create(name=f"第{serial}律师事务所", licence_number=f"F{serial:06d}")
    lawyer = Lawyer.objects.create(user=UserFactory(), firm=firm, licence_number=f"L{serial:08d}")
    accepted_paper(lawyer, Credential.Kind.PRACTISING, until=until)
    return lawyer


def accepted_paper(lawyer: Lawyer, kind: str, *, until: date | None = None) -> Credential:
    """Return a paper that was compared with the register and accepted."""
    now = timezone.now()
    return Credential.objects.create(
        lawyer=lawyer,
        kind=kind,
        number=f"N{next(_serial)}",
        issuer="司法局",
        valid_from=now.date() - timedelta(days=30),
        valid_until=until or now.date() + timedelta(days=300),
        state=Credential.State.ACCEPTED,
        submitted_at=now,
        checked_at=now,
        source=Credential.Source.REGISTER,
        file_name="x",
        file_type="application/pdf",
        file_size=1,
        file_sha256="0" * 64,
    )


def live_mandate(
    facility: Facility, *, held: Custody | None = None, lawyer: Lawyer | None = None
) -> Mandate:
    """Return a mandate with which its lawyer can book."""
    held = held or situations.held_person(facility)
    lawyer = lawyer or lawyer_with_papers()
    now = timezone.now()
    return Mandate.objects.create(
        lawyer=lawyer,
        custody=held,
        firm_letter=accepted_paper(lawyer, Credential.Kind.FIRM_LETTER),
        authority=accepted_paper(lawyer, Credential.Kind.POWER),
        state=Mandate.State.LIVE,
        seat=Mandate.objects.live().filter(custody=held).count() + 1,
        asked_at=now,
        decided_at=now,
    )


def ready_request(
    facility: Facility, *, mandate: Mandate | None = None, at: datetime | None = None
) -> Request:
    """Return a request that may be booked."""
    mandate = mandate or live_mandate(facility)
    return requests.ask(mandate, key=uuid4(), by=mandate.lawyer.user, at=at or timezone.now())


def booked_visit(
    slot: Slot, *, request: Request | None = None, at: datetime | None = None
) -> Booking:
    """Return a visit booked in this slot."""
    request = request or ready_request(slot.facility)
    return bookings.book(
        request, wish=[slot], key=uuid4(), by=request.lawyer.user, at=at or timezone.now()
    )


def guard_of(facility: Facility) -> User:
    """Return another guard, who is on no roster."""
    return AppointmentFactory(facility=facility, role=Role.GUARD).user
