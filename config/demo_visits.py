"""The demo's visiting rooms, hours and escorts, made through the verbs."""

from __future__ import annotations

import secrets
from datetime import datetime, time

from detention import facilities
from detention.models import Facility, Role, User
from visits import timetable
from visits.models import DayKind, Room

# Five slots in the morning and five in the afternoon, on every kind of day.
TIMES = tuple(
    (time(begins // 60, begins % 60), time((begins + 45) // 60, (begins + 45) % 60))
    for begins in (480, 530, 580, 630, 680, 810, 860, 910, 960, 1010)
)
ROOMS = (
    *((f"会见{number}", Room.Kind.LAWYER) for number in range(1, 7)),
    ("讯问1", Room.Kind.INTERROGATION),
)
# They fetch people for visits and need no log-in in the demo.
ESCORTS = ("郑提押", "冯提押", "陈提押", "褚提押", "卫提押", "蒋提押")


def build(facility: Facility, *, at: datetime) -> None:
    """Open a facility for lawyers: six rooms, ten slots a day, escorts; again changes nothing."""
    if Room.objects.filter(facility=facility).exists():
        return
    boss = User.objects.get(login=f"{facility.code}-admin-1")
    for code, kind in ROOMS:
        timetable.add_room(facility, code=code, kind=kind, by=boss, at=at)
    for day_kind in DayKind:
        timetable.publish(
            facility,
            day_kind=day_kind,
            effective_on=timetable.today(facility, at),
            times=TIMES,
            by=boss,
            at=at,
        )
    for number, name in enumerate(ESCORTS, start=1):
        escort = facilities.enlist(
            login=f"{facility.code}-escort-{number}",
            name=name,
            password=secrets.token_urlsafe(24),
            at=at,
        )
        facilities.appoint(escort, facility, Role.GUARD, at=at)
        for weekday in range(7):
            timetable.stand_duty(facility, escort, weekday=weekday, by=boss, at=at)
    timetable.open_horizon(facility, at=at)
