"""Access tokens: a program reads or acts for one officer, in one facility, until a day."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext_lazy as _

from detention import access, audit
from detention.errors import NotAllowed, Refusal
from detention.identity import digest, fresh_token
from detention.models import AccessToken, Appointment, Facility, Role, User
from detention.verbs import verb


class AlreadyEnded(Refusal):
    code = "already_ended"
    message = _("This token has already been ended.")


@dataclass(frozen=True, kw_only=True)
class Grant:
    """What a token opens: an officer's present roles in one facility."""

    user: User
    facility: Facility
    roles: frozenset[str]

    def demand(self, *allowed: Role) -> Facility:
        """Return the facility if one of these roles is held. Refuses NotAllowed."""
        if not self.roles & set(allowed):
            raise NotAllowed
        return self.facility


@verb
def issue(
    user: User, facility: Facility, *, name: str, expires_at: datetime, by: User, at: datetime
) -> tuple[AccessToken, str]:
    """Make a token for a program that acts for `user`; returns (row, the token itself, once).

    Only a digest is stored. Refuses NotAllowed unless `by` administers the facility and `user`
    holds a role there.
    """
    access.require(by, facility, Role.ADMINISTRATOR)
    access.require(user, facility, *Role)
    token = fresh_token()
    row = AccessToken.objects.create(
        user=user,
        facility=facility,
        name=name,
        token_digest=digest(token, purpose="access_token"),
        issued_by=by,
        issued_at=at,
        expires_at=expires_at,
    )
    audit.record("token.issued", by=by, at=at, subject=row, facility=facility)
    return row, token


@verb
def end(token: AccessToken, *, by: User, at: datetime) -> AccessToken:
    """Shut a token out from now on. Refuses NotAllowed, AlreadyEnded. Locks the token."""
    found = AccessToken.objects.select_for_update(of=("self",)).get(pk=token.pk)
    access.require(by, found.facility, Role.ADMINISTRATOR)
    if found.ended_at is not None:
        raise AlreadyEnded
    found.ended_at = at
    found.save(update_fields=["ended_at"])
    audit.record("token.ended", by=by, at=at, subject=found, facility=found.facility)
    return found


def grant(token: str, *, at: datetime) -> Grant | None:
    """Return what a live token opens now, None for a wrong, ended or old one.

    Roles are read afresh each time: an officer whose appointment ended takes the token with them.
    """
    row = (
        AccessToken.objects.select_related("user", "facility")
        .filter(
            token_digest=digest(token, purpose="access_token"), ended_at=None, expires_at__gt=at
        )
        .first()
    )
    if row is None or not row.user.is_active:
        return None
    held = Appointment.objects.valid(at).filter(user=row.user, facility=row.facility)
    roles = frozenset(held.values_list("role", flat=True))
    return Grant(user=row.user, facility=row.facility, roles=roles)
