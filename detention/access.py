"""Who may reach what: fetch and permission in one, used by every door.

A row that exists but is not the asker's answers like one that does not exist.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from functools import wraps
from typing import Concatenate

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponseBase
from django.utils import timezone

from detention.errors import NotAllowed, NotFound
from detention.models import (
    Appointment,
    Custody,
    Device,
    Facility,
    Relationship,
    Relative,
    Role,
    User,
)

FACILITY_KEY = "facility"


def signed_in(request: HttpRequest) -> User:
    """Return who is asking; doors open to nobody must not call this."""
    if not isinstance(request.user, User):
        raise PermissionDenied
    return request.user


def appointments(user: User) -> list[Appointment]:
    """Return the officer's valid appointments, by facility and role."""
    found = Appointment.objects.valid(timezone.now()).filter(user=user).select_related("facility")
    return list(found.order_by("facility__code", "role"))


def facility_of(request: HttpRequest) -> Facility | None:
    """Return the facility in which the officer works now: chosen, else the first."""
    cached: Facility | None = getattr(request, "_facility", None)
    if cached is None and isinstance(request.user, User):
        held = appointments(request.user)
        chosen = request.session.get(FACILITY_KEY)
        facilities = [a.facility for a in held]
        cached = next((f for f in facilities if f.pk == chosen), facilities[0] if held else None)
        request._facility = cached  # type: ignore[attr-defined]
        request._roles = {a.role for a in held if a.facility == cached}  # type: ignore[attr-defined]
    return cached


def roles_of(request: HttpRequest) -> set[str]:
    """Return the officer's roles in the facility of `facility_of`."""
    facility_of(request)
    return getattr(request, "_roles", set())


type View[**P] = Callable[Concatenate[HttpRequest, P], HttpResponseBase]


def officers[**P](*allowed: Role) -> Callable[[View[P]], View[P]]:
    """Open a page to officers of any of these roles; everyone else is answered 403."""

    def decorate(view: View[P]) -> View[P]:
        @wraps(view)
        def guarded(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
            if not roles_of(request) & set(allowed):
                raise PermissionDenied
            return view(request, *args, **kwargs)

        return guarded

    return decorate


def relatives[**P](view: View[P]) -> View[P]:
    """Open a page to registered relatives; everyone else is answered 403."""

    @wraps(view)
    def guarded(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        relative_of(request)
        return view(request, *args, **kwargs)

    return guarded


def desk(request: HttpRequest) -> Facility:
    """Return the officer's facility inside a page guarded by `officers`."""
    facility = facility_of(request)
    if facility is None:
        raise PermissionDenied
    return facility


def relative_of(request: HttpRequest) -> Relative:
    """Return the relative who is asking. Errors: PermissionDenied (403) for everyone else."""
    relative = Relative.objects.filter(user=signed_in(request)).select_related("user").first()
    if relative is None:
        raise PermissionDenied
    return relative


def relationship(relative: Relative, public_id: uuid.UUID) -> Relationship:
    """Return one of the relative's own links, verified or not. Refuses NotFound."""
    found = (
        Relationship.objects.filter(relative=relative, public_id=public_id)
        .select_related("custody__detainee", "custody__facility", "relative__user")
        .first()
    )
    if found is None:
        raise NotFound
    return found


def verified_relationship(relative: Relative, public_id: uuid.UUID) -> Relationship:
    """Return one of the relative's verified links. Refuses NotFound."""
    found = relationship(relative, public_id)
    if found.state != Relationship.State.VERIFIED:
        raise NotFound
    return found


def link_at_desk(facility: Facility, public_id: uuid.UUID) -> Relationship:
    """Return a link with a person held in the officer's own facility. Refuses NotFound."""
    found = (
        Relationship.objects.filter(custody__facility=facility, public_id=public_id)
        .select_related("relative", "custody__detainee", "custody__facility", "custody__cell")
        .select_related("decided_by")
        .first()
    )
    if found is None:
        raise NotFound
    return found


def device(facility: Facility, public_id: uuid.UUID) -> Device:
    """Return a tablet of the officer's own facility. Refuses NotFound."""
    found = (
        Device.objects.filter(facility=facility, public_id=public_id).select_related("cell").first()
    )
    if found is None:
        raise NotFound
    return found


def custody(facility: Facility, public_id: uuid.UUID) -> Custody:
    """Return a custody of the officer's own facility. Refuses NotFound."""
    found = (
        Custody.objects.filter(facility=facility, public_id=public_id)
        .select_related("detainee", "facility", "cell")
        .first()
    )
    if found is None:
        raise NotFound
    return found


def require(user: User, facility: Facility, *roles: Role) -> None:
    """Check, inside a verb or a token door, that an officer holds one of these roles now.

    Refuses NotAllowed (not_allowed).
    """
    held = Appointment.objects.valid(timezone.now()).filter(
        user=user, facility=facility, role__in=roles
    )
    if not held.exists():
        raise NotAllowed
