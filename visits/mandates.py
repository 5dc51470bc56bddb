"""Whom a lawyer may visit: asked with papers, checked for conflicts, ended by the detainee."""

from __future__ import annotations

from datetime import date

from django.db.models import Exists, OuterRef, Q
from django.utils.translation import gettext_lazy as _

from detention.custody import CustodyNotOpen
from detention.errors import Refusal
from detention.models import Custody
from visits.models import (
    Case,
    CaseParty,
    Credential,
    Mandate,
    Permission,
    Request,
    Restriction,
    Slot,
)


class MandateNotLive(Refusal):
    code = "mandate_not_live"
    message = _("You have no valid mandate for this client, so nothing can be booked.")


class PapersNotValid(Refusal):
    code = "papers_not_valid"
    message = _("Your %(paper)s is not accepted or not valid on that day. Hand in a new one.")


class PermissionMissing(Refusal):
    code = "permission_missing"
    message = _("This visit needs the permission of the investigating body. It was asked for.")


class VisitsRestricted(Refusal):
    code = "visits_restricted"
    message = _("An order does not allow visits to this person at that time.")


def check_fit(request: Request, slot: Slot) -> None:
    """Check everything a visit in this slot needs, as of now.

    request: locked, with its mandate and custody. Papers are judged at the end of the slot.
    Refuses CustodyNotOpen, MandateNotLive, PapersNotValid, PermissionMissing, VisitsRestricted.
    """
    if not request.custody.is_open:
        raise CustodyNotOpen
    if request.mandate.state != Mandate.State.LIVE:
        raise MandateNotLive
    missing = papers_missing(request.mandate, slot.on)
    if missing:
        raise PapersNotValid(paper=Credential.Kind(missing[0]).label)
    needs_permission, is_restricted = _hindrances(request.custody, slot)
    if needs_permission and not has_permission(request.mandate, slot.on):
        raise PermissionMissing
    if is_restricted:
        raise VisitsRestricted


def papers_missing(mandate: Mandate, on: date) -> list[str]:
    """Return the kinds of paper that are not accepted and valid on a local date."""
    needed = [
        str(Credential.Kind.PRACTISING),
        str(Credential.Kind.FIRM_LETTER),
        str(mandate.authority.kind),
    ]
    valid = set(
        Credential.objects.filter(
            Q(pk__in=[mandate.firm_letter_id, mandate.authority_id])
            | Q(lawyer=mandate.lawyer_id, kind=Credential.Kind.PRACTISING),
            state=Credential.State.ACCEPTED,
            valid_from__lte=on,
            valid_until__gte=on,
        ).values_list("kind", flat=True)
    )
    return [kind for kind in needed if kind not in valid]


_GUARDED = Q(
    case__stage=Case.Stage.INVESTIGATION,
    case__category__in=[Case.Category.STATE_SECURITY, Case.Category.TERRORISM],
)


def _hindrances(custody: Custody, slot: Slot) -> tuple[bool, bool]:
    guarded = CaseParty.objects.filter(_GUARDED, custody=OuterRef("pk"))
    restricted = Restriction.objects.filter(
        custody=OuterRef("pk"), begins_at__lt=slot.ends_at, ends_at__gt=slot.begins_at
    )
    row = Custody.objects.filter(pk=custody.pk).values_list(Exists(guarded), Exists(restricted))
    needs, is_restricted = row.get()
    return bool(needs), bool(is_restricted)


def needs_permission(custody: Custody) -> bool:
    """Tell whether a case of this person needs the investigating body's permission."""
    return CaseParty.objects.filter(_GUARDED, custody=custody).exists()


def has_permission(mandate: Mandate, on: date) -> bool:
    """Tell whether permission on paper covers a local date."""
    return Permission.objects.filter(
        mandate=mandate, state=Permission.State.GRANTED, valid_until__gte=on
    ).exists()
