"""Facilities, their cells, and who serves there as what."""

from __future__ import annotations

from datetime import datetime

from django.utils.translation import gettext_lazy as _

from detention import audit, events
from detention.errors import Refusal
from detention.identity import folded
from detention.models import Appointment, Cell, Facility, Role, User
from detention.verbs import verb


class CodeTaken(Refusal):
    code = "code_taken"
    message = _("This code is already in use.")


class AlreadyAppointed(Refusal):
    code = "already_appointed"
    message = _("This officer already has this role here.")
    constraint = "appointment_current_once"


@verb
def found(
    *,
    code: str,
    name_zh: str,
    name_en: str,
    time_zone: str = "Asia/Shanghai",
    by: User | None = None,
    at: datetime,
) -> Facility:
    """Open a facility; its book, calendar and the like follow by reaction to `facility_founded`.

    by: None when the installation is set up. Refuses CodeTaken.
    """
    if Facility.objects.filter(code=code).exists():
        raise CodeTaken(field="code")
    facility = Facility.objects.create(
        code=code, name_zh=name_zh, name_en=name_en, time_zone=time_zone
    )
    audit.record("facility.founded", by=by, at=at, subject=facility, facility=facility)
    events.announce("facility_founded", facility.pk)
    return facility


@verb
def add_cell(facility: Facility, code: str, *, by: User | None = None, at: datetime) -> Cell:
    """Add a cell. Refuses CodeTaken."""
    code = folded(code)
    if Cell.objects.filter(facility=facility, code=code).exists():
        raise CodeTaken(field="code")
    cell = Cell.objects.create(facility=facility, code=code)
    audit.record("cell.added", by=by, at=at, subject=cell, facility=facility)
    return cell


@verb
def enlist(*, login: str, name: str, password: str, by: User | None = None, at: datetime) -> User:
    """Create an officer's log-in; roles are given by `appoint`. Refuses CodeTaken."""
    if User.objects.filter(login=login).exists():
        raise CodeTaken(field="login")
    user = User.objects.create_user(login, password, name=folded(name))
    audit.record("officer.enlisted", by=by, at=at, subject=user)
    return user


@verb
def appoint(
    user: User, facility: Facility, role: Role, *, by: User | None = None, at: datetime
) -> Appointment:
    """Give an officer a role in a facility from now on. Refuses AlreadyAppointed."""
    appointment = Appointment.objects.create(user=user, facility=facility, role=role, begins_at=at)
    audit.record(
        "officer.appointed", by=by, at=at, subject=appointment, facility=facility, role=str(role)
    )
    return appointment


@verb
def dismiss(appointment: Appointment, *, by: User | None = None, at: datetime) -> Appointment:
    """End an officer's role now; what was decided before stays decided. Again is harmless."""
    appointment = Appointment.objects.select_for_update(of=("self",)).get(pk=appointment.pk)
    if appointment.ends_at is None:
        appointment.ends_at = at
        appointment.save(update_fields=["ends_at"])
        audit.record(
            "officer.dismissed", by=by, at=at, subject=appointment, facility=appointment.facility
        )
    return appointment
