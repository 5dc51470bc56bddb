"""Whom a lawyer may visit: asked with papers, checked for conflicts, ended by the detainee."""

from __future__ import annotations

from datetime import date, datetime
from uuid import UUID

from django.db.models import Exists, OuterRef, Q
from django.utils.translation import gettext_lazy as _

from detention import access, audit, events
from detention.custody import CustodyNotOpen, lock, lock_open
from detention.errors import NotFound, Refusal
from detention.lifecycle import move
from detention.models import Custody, Facility, Role, User
from detention.relatives import ReasonMissing, find_held
from detention.verbs import verb
from visits import notices
from visits.models import (
    Case,
    CaseLink,
    CaseParty,
    Credential,
    Lawyer,
    Mandate,
    Notice,
    Permission,
    Request,
    Restriction,
    Slot,
)
from visits.timetable import today

SEATS = (1, 2)


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


class PapersMixedUp(Refusal):
    code = "papers_mixed_up"
    status = 422
    message = _("Choose a firm letter, and a power of attorney or a legal-aid letter, of yours.")


class TooManyDefenders(Refusal):
    code = "too_many_defenders"
    message = _("This person already has two defenders. One of them must be ended first.")


@verb
def ask(
    lawyer: Lawyer,
    *,
    number: str,
    name: str,
    firm_letter: Credential,
    authority: Credential,
    at: datetime,
) -> Mandate:
    """Ask to visit the person with this custody number and name, on these two papers.

    The practising certificate is always the lawyer's newest. A task reviews the mandate.
    Repeat while one is current: that one. Refuses NoSuchPerson (one message for every mismatch),
    TooManyTries, PapersMixedUp. Locks the custody.
    """
    custody = find_held(lawyer.user, number=number, name=name, at=at)
    allowed = (Credential.Kind.POWER, Credential.Kind.LEGAL_AID)
    fits = firm_letter.kind == Credential.Kind.FIRM_LETTER and authority.kind in allowed
    if not fits or {firm_letter.lawyer_id, authority.lawyer_id} != {lawyer.pk}:
        raise PapersMixedUp(field="authority")
    current = [Mandate.State.CHECKING, Mandate.State.CONFLICT, Mandate.State.LIVE]
    found = Mandate.objects.filter(lawyer=lawyer, custody=custody, state__in=current).first()
    if found is not None:
        return found
    mandate = Mandate.objects.create(
        lawyer=lawyer,
        custody=custody,
        firm_letter=firm_letter,
        authority=authority,
        asked_at=at,
    )
    audit.record("mandate.asked", by=lawyer.user, at=at, subject=mandate, facility=custody.facility)
    events.announce("mandate_asked", mandate.pk)
    return mandate


@verb
def review(mandate: Mandate, *, at: datetime) -> Mandate:
    """Move a mandate on as far as its papers and the conflict rule allow.

    All three papers accepted: live, or in conflict, which only an officer may clear. A refused
    paper refuses the mandate. Repeat: no change. Locks custody and mandate.
    """
    lock(mandate.custody_id)
    mandate = _locked(mandate.pk)
    if mandate.state != Mandate.State.CHECKING or not mandate.custody.is_open:
        return mandate
    states = {mandate.firm_letter.state, mandate.authority.state}
    bad = {Credential.State.REFUSED, Credential.State.REVOKED}
    if states & bad:
        return _decide(mandate, Mandate.State.REFUSED, by=None, reason="papers", at=at)
    if papers_missing(mandate, today(mandate.custody.facility, at)):
        return mandate
    if _free_seat(mandate.custody) is None or conflicts(mandate):
        return _decide(mandate, Mandate.State.CONFLICT, by=None, reason="", at=at)
    return _go_live(mandate, by=None, at=at)


@verb
def clear(mandate: Mandate, *, by: User, at: datetime) -> Mandate:
    """Let a mandate in conflict go live; the officer answers for it by name.

    Refuses NotAllowed, TooManyDefenders, WrongMove, CustodyNotOpen. Locks custody and mandate.
    """
    custody = lock_open(mandate.custody_id)
    access.require(by, custody.facility, Role.GUARD, Role.ADMINISTRATOR)
    return _go_live(_locked(mandate.pk), by=by, at=at)


@verb
def refuse(mandate: Mandate, *, reason: str, by: User, at: datetime) -> Mandate:
    """Refuse a mandate with a reason that the lawyer reads; never the other client's name.

    Refuses NotAllowed, ReasonMissing, WrongMove. Locks custody and mandate.
    """
    if not reason.strip():
        raise ReasonMissing(field="reason")
    custody = lock(mandate.custody_id)
    access.require(by, custody.facility, Role.GUARD, Role.ADMINISTRATOR)
    return _decide(_locked(mandate.pk), Mandate.State.REFUSED, by=by, reason=reason.strip(), at=at)


@verb
def revoke(mandate: Mandate, *, by: audit.Actor, at: datetime) -> Mandate:
    """End a mandate because the detainee says so: on the tablet, or to an officer who signs.

    A reaction cancels what is booked with it. Repeat: no change. Refuses NotAllowed, WrongMove.
    """
    custody = lock(mandate.custody_id)
    if isinstance(by, User):
        access.require(by, custody.facility, Role.GUARD, Role.ADMINISTRATOR)
    elif by != custody:
        raise NotFound
    mandate = _locked(mandate.pk)
    if mandate.state == Mandate.State.REVOKED:
        return mandate
    return _decide(mandate, Mandate.State.REVOKED, by=by, reason="detainee", at=at)


def _go_live(mandate: Mandate, *, by: User | None, at: datetime) -> Mandate:
    seat = _free_seat(mandate.custody)
    if seat is None:
        raise TooManyDefenders
    mandate.seat = seat
    return _decide(mandate, Mandate.State.LIVE, by=by, reason="", at=at)


def _decide(
    mandate: Mandate, state: Mandate.State, *, by: audit.Actor, reason: str, at: datetime
) -> Mandate:
    move(mandate, state)
    mandate.decided_at = at
    mandate.decided_by = by if isinstance(by, User) else None
    mandate.reason = reason
    mandate.save(update_fields=["state", "seat", "decided_at", "decided_by", "reason"])
    audit.record(
        f"mandate.{state}", by=by, at=at, subject=mandate, facility=mandate.custody.facility
    )
    if state != Mandate.State.CONFLICT:
        live = state == Mandate.State.LIVE
        code = Notice.Code.MANDATE_LIVE if live else Notice.Code.MANDATE_ENDED
        notices.tell(mandate.lawyer, code, at=at, detail=reason)
    events.announce("mandate_decided", mandate.pk)
    return mandate


def _locked(pk: int) -> Mandate:
    return (
        Mandate.objects.select_for_update(of=("self",), no_key=True)
        .select_related("custody__facility", "lawyer__user", "firm_letter", "authority")
        .get(pk=pk)
    )


def _free_seat(custody: Custody) -> int | None:
    taken = set(Mandate.objects.live().filter(custody=custody).values_list("seat", flat=True))
    return next((seat for seat in SEATS if seat not in taken), None)


def conflicts(mandate: Mandate) -> list[Mandate]:
    """Return the lawyer's live mandates for other people of the same or a linked case.

    One lawyer may not act for co-accused or linked suspects. For officers only: it names a
    client whom the other one must not learn of.
    """
    own = set(CaseParty.objects.filter(custody=mandate.custody).values_list("case_id", flat=True))
    links = CaseLink.objects.filter(Q(first__in=own) | Q(second__in=own))
    near = own.union(*links.values_list("first_id", "second_id"))
    others = Mandate.objects.live().filter(
        lawyer=mandate.lawyer, custody__case_parties__case__in=near
    )
    return list(
        others.exclude(custody__detainee=mandate.custody.detainee_id)
        .select_related("custody__detainee")
        .distinct()
        .order_by("pk")
    )


def waiting(facility: Facility) -> list[Mandate]:
    """Return the mandates that an officer of the facility must decide, oldest first."""
    return list(
        Mandate.objects.filter(custody__facility=facility, state=Mandate.State.CONFLICT)
        .select_related("custody__detainee", "lawyer__user", "lawyer__firm")
        .order_by("asked_at", "pk")
    )


def of_lawyer(lawyer: Lawyer, public_id: UUID) -> Mandate:
    """Return one of the lawyer's own mandates. Refuses NotFound."""
    found = (
        Mandate.objects.filter(lawyer=lawyer, public_id=public_id)
        .select_related("custody__facility", "lawyer__user", "authority", "firm_letter")
        .first()
    )
    if found is None:
        raise NotFound
    return found


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


def is_restricted(custody: Custody, *, at: datetime) -> bool:
    """Tell whether an order forbids visits to this person right now."""
    return Restriction.objects.filter(custody=custody, begins_at__lte=at, ends_at__gt=at).exists()


def has_permission(mandate: Mandate, on: date) -> bool:
    """Tell whether permission on paper covers a local date."""
    return Permission.objects.filter(
        mandate=mandate, state=Permission.State.GRANTED, valid_until__gte=on
    ).exists()
