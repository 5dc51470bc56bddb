"""Cases, as far as visits depend on them: who is accused together, and what needs permission."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from django.utils.translation import gettext_lazy as _

from detention import access, audit, events, policy
from detention.custody import lock
from detention.errors import Refusal
from detention.lifecycle import move
from detention.models import Custody, Facility, Role, User
from detention.verbs import verb
from visits import mandates, notices
from visits.models import Case, CaseLink, CaseParty, Mandate, Notice, Permission, Restriction

policy.declare(
    "visits_permission_days",
    _("Days within which the investigating body must answer"),
    unit="days",
    default=3,
    low=1,
    high=3,
)


class PaperNumberMissing(Refusal):
    code = "paper_number_missing"
    status = 422
    message = _("Write the number of the paper.")


class RestrictionEmpty(Refusal):
    code = "restriction_empty"
    status = 422
    message = _("The restriction must end after it begins.")
    constraint = "restriction_ends_after_begin"


@verb
def record(
    facility: Facility,
    *,
    number: str,
    stage: Case.Stage,
    category: Case.Category,
    by: User,
    at: datetime,
) -> Case:
    """Write down a case, or what has become of it. A reaction looks at its visits again.

    Refuses NotAllowed.
    """
    access.require(by, facility, Role.GUARD, Role.ADMINISTRATOR)
    case, _made = Case.objects.update_or_create(
        facility=facility, number=number.strip(), defaults={"stage": stage, "category": category}
    )
    audit.record(
        "case.recorded",
        by=by,
        at=at,
        subject=case,
        facility=facility,
        stage=str(stage),
        category=str(category),
    )
    events.announce("case_changed", case.pk)
    return case


@verb
def add_party(case: Case, custody: Custody, *, by: User, at: datetime) -> CaseParty:
    """Say that a person in custody is accused in a case. Repeat: no change. Refuses NotAllowed."""
    access.require(by, case.facility, Role.GUARD, Role.ADMINISTRATOR)
    party, _made = CaseParty.objects.get_or_create(case=case, custody=custody)
    audit.record("case.party_added", by=by, at=at, subject=party, facility=case.facility)
    events.announce("case_changed", case.pk)
    return party


@verb
def link(one: Case, other: Case, *, by: User, at: datetime) -> CaseLink:
    """Say that two cases belong together. Repeat: no change. Refuses NotAllowed."""
    access.require(by, one.facility, Role.GUARD, Role.ADMINISTRATOR)
    first, second = sorted((one, other), key=lambda case: case.pk)
    found, _made = CaseLink.objects.get_or_create(first=first, second=second)
    audit.record("case.linked", by=by, at=at, subject=found, facility=one.facility)
    return found


@verb
def ask_permission(mandate: Mandate, *, at: datetime) -> Permission | None:
    """Ask the investigating body about a mandate that needs it; its three days begin now.

    Returns None when none is needed. Repeat: the one that is current. Locks the custody.
    """
    custody = lock(mandate.custody_id)
    if not mandates.needs_permission(custody):
        return None
    current = [Permission.State.ASKED, Permission.State.GRANTED]
    found = Permission.objects.filter(mandate=mandate, state__in=current).first()
    if found is not None:
        return found
    days = policy.number(custody.facility, "visits_permission_days", at=at)
    permission = Permission.objects.create(
        mandate=mandate, asked_at=at, due_at=at + timedelta(days=days)
    )
    audit.record("permission.asked", by=None, at=at, subject=permission, facility=custody.facility)
    return permission


@verb
def grant(
    permission: Permission, *, paper_number: str, valid_until: date, by: User, at: datetime
) -> Permission:
    """Write down that the investigating body permits the visits, as its paper says.

    valid_until: the last valid day. Refuses NotAllowed, PaperNumberMissing, WrongMove.
    """
    if not paper_number.strip():
        raise PaperNumberMissing(field="paper_number")
    permission = _locked(permission, by=by)
    permission.paper_number = paper_number.strip()
    permission.valid_until = valid_until
    return _answer(permission, Permission.State.GRANTED, by=by, at=at)


@verb
def deny(permission: Permission, *, paper_number: str, by: User, at: datetime) -> Permission:
    """Write down that the investigating body refuses, in writing.

    Refuses NotAllowed, PaperNumberMissing, WrongMove.
    """
    if not paper_number.strip():
        raise PaperNumberMissing(field="paper_number")
    permission = _locked(permission, by=by)
    permission.paper_number = paper_number.strip()
    return _answer(permission, Permission.State.REFUSED, by=by, at=at)


def _locked(permission: Permission, *, by: User) -> Permission:
    custody = lock(permission.mandate.custody_id)
    access.require(by, custody.facility, Role.GUARD, Role.ADMINISTRATOR)
    return (
        Permission.objects.select_for_update(of=("self",), no_key=True)
        .select_related("mandate__lawyer", "mandate__custody__facility")
        .get(pk=permission.pk)
    )


def _answer(
    permission: Permission, state: Permission.State, *, by: User, at: datetime
) -> Permission:
    move(permission, state)
    permission.decided_by = by
    permission.decided_at = at
    permission.save()
    mandate = permission.mandate
    audit.record(
        f"permission.{state}",
        by=by,
        at=at,
        subject=permission,
        facility=mandate.custody.facility,
    )
    notices.tell(mandate.lawyer, Notice.Code.PERMISSION, at=at, detail=str(state))
    events.announce("mandate_decided", mandate.pk)
    return permission


@verb
def restrict(
    custody: Custody,
    *,
    begins_at: datetime,
    ends_at: datetime,
    paper_number: str,
    by: User,
    at: datetime,
) -> Restriction:
    """Write down an order that nobody may visit a person for a time.

    A reaction cancels the visits in that time and tells the lawyers; their requests live on.
    Refuses NotAllowed, PaperNumberMissing, RestrictionEmpty. Locks the custody.
    """
    if not paper_number.strip():
        raise PaperNumberMissing(field="paper_number")
    if begins_at >= ends_at:
        raise RestrictionEmpty(field="ends_at")
    custody = lock(custody.pk)
    access.require(by, custody.facility, Role.GUARD, Role.ADMINISTRATOR)
    restriction = Restriction.objects.create(
        custody=custody,
        begins_at=begins_at,
        ends_at=ends_at,
        paper_number=paper_number.strip(),
        ordered_by=by,
    )
    audit.record("visits.restricted", by=by, at=at, subject=restriction, facility=custody.facility)
    events.announce("visits_restricted", restriction.pk)
    return restriction
