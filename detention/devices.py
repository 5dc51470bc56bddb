"""Tablets: enrolment with a one-time code, the device's token, a detainee's short sign-in."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils.translation import gettext_lazy as _

from detention import access, audit, custody
from detention.errors import Refusal
from detention.identity import digest, fresh_code, fresh_token, plain_number
from detention.lifecycle import move
from detention.models import Cell, Custody, Device, Facility, Role, TabletSession, User
from detention.verbs import verb

CODE_LIFE = timedelta(minutes=15)
SESSION_LIFE = timedelta(minutes=40)


class BadCode(Refusal):
    code = "bad_enrolment_code"
    status = 404
    message = _("This code is not right or no longer valid. Ask for a new one.")


class DeviceUnknown(Refusal):
    code = "device_unknown"
    status = 401
    message = _("This tablet is not enrolled. Call the officer.")


class SignInNeeded(Refusal):
    code = "sign_in_needed"
    status = 401
    message = _("Sign in again with your number and PIN.")


@dataclass(frozen=True, kw_only=True)
class Enrolment:
    """What the officer sees once: the new device and the code to type into it."""

    device: Device
    code: str


@dataclass(frozen=True, kw_only=True)
class SignIn:
    """What the tablet gets: the token of the session, valid until its `expires_at`."""

    session: TabletSession
    token: str


@verb
def invite(cell: Cell, *, name: str, by: User, at: datetime) -> Enrolment:
    """Register a new tablet for a cell; returns the one-time code, valid for 15 minutes.

    Only a digest of the code is stored. Refuses NotAllowed (guard or administrator).
    """
    access.require(by, cell.facility, Role.GUARD, Role.ADMINISTRATOR)
    code = fresh_code()
    device = Device.objects.create(
        facility=cell.facility,
        cell=cell,
        name=name.strip() or cell.code,
        enrolled_by=by,
        code_digest=digest(code, purpose="device_code"),
        code_expires_at=at + CODE_LIFE,
    )
    audit.record("device.invited", by=by, at=at, subject=device, facility=cell.facility)
    return Enrolment(device=device, code=code)


@verb
def enrol(code: str, *, at: datetime) -> tuple[Device, str]:
    """Turn a one-time code into a device token, once; returns (device, token).

    Refuses BadCode for a wrong, used or old code. Locks the device.
    """
    device = (
        Device.objects.select_for_update(of=("self",))
        .select_related("facility", "cell")
        .filter(code_digest=digest(plain_number(code), purpose="device_code"))
        .exclude(code_digest="")
        .first()
    )
    if device is None or device.code_expires_at is None or device.code_expires_at <= at:
        raise BadCode(field="code")
    token = fresh_token()
    move(device, Device.State.ACTIVE)
    device.code_digest = ""
    device.token_digest = digest(token, purpose="device_token")
    device.enrolled_at = device.seen_at = at
    device.save()
    audit.record("device.enrolled", by=None, at=at, subject=device, facility=device.facility)
    return device, token


def by_token(token: str) -> Device:
    """Return the active device that holds this token. Refuses DeviceUnknown."""
    device = (
        Device.objects.select_related("facility", "cell")
        .filter(
            token_digest=digest(token, purpose="device_token"),
            state=Device.State.ACTIVE,
        )
        .first()
    )
    if device is None:
        raise DeviceUnknown
    return device


@verb
def revoke(device: Device, *, by: User, at: datetime) -> Device:
    """Shut a tablet out for good. Refuses NotAllowed, WrongMove. Locks the device."""
    device = Device.objects.select_for_update(of=("self",)).get(pk=device.pk)
    access.require(by, device.facility, Role.GUARD, Role.ADMINISTRATOR)
    move(device, Device.State.REVOKED)
    device.token_digest = device.code_digest = ""
    device.save(update_fields=["state", "token_digest", "code_digest"])
    audit.record("device.revoked", by=by, at=at, subject=device, facility=device.facility)
    return device


@verb
def sign_in(device: Device, *, number: str, pin: str, at: datetime) -> SignIn:
    """Sign a detainee in on a tablet; an earlier sign-in on the same tablet ends.

    Refuses WrongPin, PinLocked. Locks the custody row.
    """
    held: Custody = custody.match_pin(device.facility, number, pin, at=at)
    device.sessions.filter(ended_at=None).update(ended_at=at)
    token = fresh_token()
    session = TabletSession.objects.create(
        device=device,
        custody=held,
        token_digest=digest(token, purpose="tablet_session"),
        expires_at=at + SESSION_LIFE,
    )
    audit.record("tablet.signed_in", by=held, at=at, subject=device, facility=device.facility)
    return SignIn(session=session, token=token)


def session_by_token(device: Device, token: str, *, at: datetime) -> TabletSession:
    """Return the live session of this device that holds the token. Refuses SignInNeeded."""
    session = (
        TabletSession.objects.filter(
            device=device,
            token_digest=digest(token, purpose="tablet_session"),
            ended_at=None,
            expires_at__gt=at,
        )
        .select_related("custody__detainee", "custody__facility", "custody__cell")
        .first()
    )
    if session is None:
        raise SignInNeeded
    return session


@verb
def sign_out(session: TabletSession, *, at: datetime) -> None:
    """End a detainee's sign-in; again is harmless."""
    TabletSession.objects.filter(pk=session.pk, ended_at=None).update(ended_at=at)


def of_facility(facility: Facility) -> list[Device]:
    """Return the facility's devices, newest first, revoked ones last."""
    found = Device.objects.filter(facility=facility).select_related("cell")
    return sorted(found, key=lambda d: (d.state == Device.State.REVOKED, -d.pk))
