"""What happens to visits by the clock and because something happened; each calls one verb."""

from __future__ import annotations

from datetime import datetime

from django.utils import timezone

from detention.models import Custody, Facility
from visits import (
    bookings,
    cases,
    clock,
    credentials,
    gate,
    mandates,
    registers,
    rehousing,
    timetable,
)
from visits.models import Case, Credential, Mandate, Restriction


def compare_credential(pk: int, *, at: datetime) -> None:
    """Ask the register about a paper, outside any transaction, and write down its answer."""
    credential = Credential.objects.get(pk=pk)
    if credential.state == Credential.State.CHECKING:
        entry = registers.register().look_up(credential.kind, credential.number)
        credentials.judge(credential, entry, at=at)


def follow_credential(pk: int, *, at: datetime) -> None:
    """Review the mandates that waited for a paper, and the visits that stood on it."""
    credential = Credential.objects.get(pk=pk)
    waiting = Mandate.objects.filter(lawyer=credential.lawyer_id, state=Mandate.State.CHECKING)
    for mandate in waiting.order_by("pk"):
        mandates.review(mandate, at=at)
    rehousing.recheck_lawyer(credential.lawyer_id, at=at)


def review_mandate(pk: int, *, at: datetime) -> None:
    mandates.review(Mandate.objects.get(pk=pk), at=at)


def follow_mandate(pk: int, *, at: datetime) -> None:
    """Ask for permission where it is needed, and look at the mandate's visits again."""
    mandate = Mandate.objects.get(pk=pk)
    if mandate.state == Mandate.State.LIVE:
        cases.ask_permission(mandate, at=at)
    rehousing.recheck_mandate(pk, at=at)


def follow_case(pk: int, *, at: datetime) -> None:
    """Look again at every mandate for the people accused in a case."""
    parties = Case.objects.get(pk=pk).parties.values_list("custody", flat=True)
    for mandate in Mandate.objects.live().filter(custody__in=parties).order_by("pk"):
        follow_mandate(mandate.pk, at=at)


def follow_restriction(pk: int, *, at: datetime) -> None:
    rehousing.recheck_custody(Restriction.objects.get(pk=pk).custody, at=at)


def close_custody(pk: int, *, at: datetime) -> None:
    """End the visits and requests of a person who is no longer held here; nobody travels."""
    rehousing.recheck_custody(Custody.objects.get(pk=pk), at=at)


def rehouse(_pk: int, *, at: datetime) -> None:
    """After a closed room or an absent escort: find other places, soonest visit first."""
    rehousing.rehouse_all(at=at)


def sweep_papers(*, at: datetime) -> None:
    """Compare what still waits for the register, review what waits for papers, warn of ends."""
    waiting = Credential.objects.filter(state=Credential.State.CHECKING, silent_at=None)
    for pk in waiting.values_list("pk", flat=True):
        compare_credential(pk, at=at)
    for mandate in Mandate.objects.filter(state=Mandate.State.CHECKING).order_by("pk"):
        mandates.review(mandate, at=at)
    credentials.warn_expiring(today=timezone.localdate(at), at=at)


def sweep_visits(*, at: datetime) -> None:
    """Take up everything about visits that waits longer than it should."""
    bookings.expire(at=at)
    gate.mark_no_shows(at=at)
    rehousing.rehouse_all(at=at)
    rehousing.recheck_stranded(at=at)
    clock.sweep(at=at)


def open_days(*, at: datetime) -> None:
    """Open the days up to the horizon in every facility that has published hours."""
    for facility in Facility.objects.filter(timetables__isnull=False).distinct():
        timetable.open_horizon(facility, at=at)
