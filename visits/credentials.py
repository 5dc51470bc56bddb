"""Lawyers' accounts and papers: handed in, compared by the system, judged at the visit's end."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from uuid import UUID

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from detention import access, audit, events
from detention.errors import NotFound, Refusal
from detention.identity import folded, login_name, plain_number
from detention.lifecycle import move
from detention.models import Facility, Role, User
from detention.relatives import LoginTaken, ReasonMissing, WeakPassword
from detention.verbs import verb
from visits import files, notices
from visits.models import Credential, LawFirm, Lawyer, Notice
from visits.registers import Entry, differences

WARN_DAYS = (14, 3, 1)


class LicenceTaken(Refusal):
    code = "licence_taken"
    message = _("There is already an account with this licence number. Sign in, or ask the centre.")
    constraint = "lawyer_licence_unique"


class LicenceMissing(Refusal):
    code = "licence_missing"
    status = 422
    message = _("Write the number as it stands on the certificate.")


class PaperOver(Refusal):
    code = "paper_over"
    status = 422
    message = _("This paper is no longer valid.")


class PaperDatesWrong(Refusal):
    code = "paper_dates_wrong"
    status = 422
    message = _("The last day must not be before the first day.")
    constraint = "credential_dates_in_order"


class PaperKnown(Refusal):
    code = "paper_known"
    message = _("You have already handed in this paper.")


@verb
def register(
    *,
    login: str,
    password: str,
    name: str,
    licence_number: str,
    firm_name: str,
    firm_licence: str,
    language: str = "zh-hans",
    at: datetime,
) -> Lawyer:
    """Create a lawyer's account. It can book nothing before its papers are accepted.

    Refuses BadLogin, WeakPassword, LicenceMissing, LoginTaken, LicenceTaken.
    """
    login = login_name(login)
    name, licence = folded(name), plain_number(licence_number)
    if not licence or not plain_number(firm_licence):
        raise LicenceMissing(field="licence_number" if not licence else "firm_licence")
    try:
        validate_password(password, User(login=login, name=name))
    except ValidationError as error:
        raise WeakPassword(field="password") from error
    if User.objects.filter(login=login).exists():
        raise LoginTaken
    if Lawyer.objects.filter(licence_number=licence).exists():
        raise LicenceTaken(field="licence_number")
    firm, _made = LawFirm.objects.get_or_create(
        licence_number=plain_number(firm_licence), defaults={"name": folded(firm_name)}
    )
    user = User.objects.create_user(login, password, name=name, language=language)
    lawyer = Lawyer.objects.create(user=user, firm=firm, licence_number=licence)
    audit.record("lawyer.registered", by=user, at=at, subject=lawyer)
    return lawyer


def submit(
    lawyer: Lawyer,
    *,
    kind: Credential.Kind,
    number: str,
    issuer: str,
    valid_from: date,
    valid_until: date,
    paper: files.Paper,
    at: datetime,
) -> Credential:
    """Hand in one paper with its file; the register is asked by a task.

    valid_until: the last valid day. The file is written first, under a name of ours, and taken
    away again when the paper is refused. Refuses PaperOver, PaperDatesWrong, PaperKnown.
    """
    name = files.store(paper)
    try:
        return _submit(
            lawyer,
            kind=kind,
            number=plain_number(number),
            issuer=folded(issuer),
            valid_from=valid_from,
            valid_until=valid_until,
            paper=paper,
            file_name=name,
            at=at,
        )
    except BaseException:
        files.path_of(name).unlink(missing_ok=True)
        raise


@verb
def _submit(
    lawyer: Lawyer,
    *,
    kind: Credential.Kind,
    number: str,
    issuer: str,
    valid_from: date,
    valid_until: date,
    paper: files.Paper,
    file_name: str,
    at: datetime,
) -> Credential:
    if not number:
        raise LicenceMissing(field="number")
    if valid_until < valid_from:
        raise PaperDatesWrong(field="valid_until")
    if valid_until < timezone.localdate(at):
        raise PaperOver(field="valid_until")
    live = [Credential.State.CHECKING, Credential.State.ACCEPTED]
    if lawyer.credentials.filter(kind=kind, number=number, state__in=live).exists():
        raise PaperKnown(field="number")
    credential = Credential.objects.create(
        lawyer=lawyer,
        kind=kind,
        number=number,
        issuer=issuer,
        valid_from=valid_from,
        valid_until=valid_until,
        submitted_at=at,
        file_name=file_name,
        file_type=paper.content_type,
        file_size=len(paper.content),
        file_sha256=paper.sha256,
    )
    audit.record(
        "credential.submitted",
        by=lawyer.user,
        at=at,
        subject=credential,
        kind=str(kind),
        sha256=paper.sha256,
    )
    events.announce("credential_submitted", credential.pk)
    return credential


@verb
def judge(credential: Credential, entry: Entry | None, *, at: datetime) -> Credential:
    """Write down what the register said: agrees, differs, or is silent.

    entry: None when the register is silent; then an officer must decide.
    Repeat, or after an officer's decision: no change. Locks the paper.
    """
    credential = _locked(credential.pk)
    if credential.state != Credential.State.CHECKING:
        return credential
    if entry is None:
        credential.silent_at = credential.silent_at or at
        credential.save(update_fields=["silent_at"])
        return credential
    wrong = differences(credential, entry)
    _decide(
        credential,
        Credential.State.REFUSED if wrong else Credential.State.ACCEPTED,
        source=Credential.Source.REGISTER,
        reason=f"register: {', '.join(wrong)}" if wrong else "",
        by=None,
        at=at,
    )
    return credential


@verb
def accept(credential: Credential, *, facility: Facility, by: User, at: datetime) -> Credential:
    """Accept a paper about which the register is silent, after looking at it.

    facility: where the officer works. Refuses NotAllowed, NotFound, WrongMove. Locks the paper.
    """
    access.require(by, facility, Role.GUARD, Role.ADMINISTRATOR)
    at_desk(facility, credential.public_id)
    credential = _locked(credential.pk)
    _decide(
        credential,
        Credential.State.ACCEPTED,
        source=Credential.Source.OFFICER,
        reason="",
        by=by,
        at=at,
        facility=facility,
    )
    return credential


@verb
def refuse(
    credential: Credential, *, reason: str, facility: Facility, by: User, at: datetime
) -> Credential:
    """Refuse a paper with a reason that the lawyer reads.

    Refuses NotAllowed, ReasonMissing, NotFound, WrongMove. Locks the paper.
    """
    return _end(credential, Credential.State.REFUSED, reason, facility=facility, by=by, at=at)


@verb
def revoke(
    credential: Credential, *, reason: str, facility: Facility, by: User, at: datetime
) -> Credential:
    """Withdraw an accepted paper (suspended licence, forged letter); visits with it end.

    Refuses NotAllowed, ReasonMissing, NotFound, WrongMove. Locks the paper.
    """
    return _end(credential, Credential.State.REVOKED, reason, facility=facility, by=by, at=at)


def _end(
    credential: Credential,
    state: Credential.State,
    reason: str,
    *,
    facility: Facility,
    by: User,
    at: datetime,
) -> Credential:
    access.require(by, facility, Role.GUARD, Role.ADMINISTRATOR)
    if not reason.strip():
        raise ReasonMissing(field="reason")
    at_desk(facility, credential.public_id)
    credential = _locked(credential.pk)
    _decide(
        credential,
        state,
        source=Credential.Source.OFFICER,
        reason=reason.strip(),
        by=by,
        at=at,
        facility=facility,
    )
    return credential


def _decide(
    credential: Credential,
    state: Credential.State,
    *,
    source: Credential.Source,
    reason: str,
    by: User | None,
    at: datetime,
    facility: Facility | None = None,
) -> None:
    move(credential, state)
    credential.source = source
    credential.reason = reason
    credential.checked_by = by
    credential.checked_at = at
    credential.save(update_fields=["state", "source", "reason", "checked_by", "checked_at"])
    audit.record(f"credential.{state}", by=by, at=at, subject=credential, facility=facility)
    accepted = state == Credential.State.ACCEPTED
    notices.tell(
        credential.lawyer,
        Notice.Code.PAPER_ACCEPTED if accepted else Notice.Code.PAPER_REFUSED,
        at=at,
        detail=reason,
    )
    events.announce("credential_decided", credential.pk)


def _locked(pk: int) -> Credential:
    return (
        Credential.objects.select_for_update(of=("self",), no_key=True)
        .select_related("lawyer__user")
        .get(pk=pk)
    )


def warn_expiring(*, today: date, at: datetime) -> int:
    """Tell lawyers whose papers end in 14, 3 or 1 days, once for each. Returns how many.

    For the sweep; each paper is its own transaction. Safe to run twice.
    """
    near = Credential.objects.filter(
        state=Credential.State.ACCEPTED,
        valid_until__gte=today,
        valid_until__lte=today + timedelta(days=max(WARN_DAYS)),
    )
    return sum(_warn(pk, today=today, at=at) for pk in near.values_list("pk", flat=True))


@verb
def _warn(pk: int, *, today: date, at: datetime) -> int:
    credential = _locked(pk)
    left = (credential.valid_until - today).days
    level = min((days for days in WARN_DAYS if left <= days), default=None)
    if level is None or (credential.warned_days or max(WARN_DAYS) + 1) <= level:
        return 0
    credential.warned_days = level
    credential.save(update_fields=["warned_days"])
    notices.tell(credential.lawyer, Notice.Code.PAPER_EXPIRES, at=at, detail=str(left))
    return 1


def of_lawyer(lawyer: Lawyer, public_id: UUID) -> Credential:
    """Return one of the lawyer's own papers. Refuses NotFound."""
    found = Credential.objects.filter(lawyer=lawyer, public_id=public_id).first()
    if found is None:
        raise NotFound
    return found


def of_facility(facility: Facility) -> QuerySet[Credential]:
    """Return the papers that concern a facility's desk.

    Those of lawyers with a client here, and of lawyers who have named no client anywhere yet,
    for whom some desk must look first.
    """
    concerned = Q(lawyer__mandates=None) | Q(lawyer__mandates__custody__facility=facility)
    return Credential.objects.filter(concerned).distinct()


def at_desk(facility: Facility, public_id: UUID) -> Credential:
    """Return a paper that concerns the officer's desk. Refuses NotFound."""
    found = (
        of_facility(facility)
        .filter(public_id=public_id)
        .select_related("lawyer__user", "lawyer__firm", "checked_by")
        .first()
    )
    if found is None:
        raise NotFound
    return found
