"""The visit desk: arrivals, rooms, walk-ins, and what an officer decides about lawyers."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from uuid import UUID

from django.contrib import messages
from django.http import FileResponse, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from detention import access
from detention.errors import NotFound
from detention.forms import refusals_on
from detention.identity import plain_number
from detention.models import Custody, Facility, Role
from detention.views import page
from visits import (
    board,
    bookings,
    cases,
    clock,
    credentials,
    gate,
    green,
    mandates,
    rehousing,
    tickets,
    timetable,
)
from visits.access import held_by_number
from visits.forms import (
    AlertForm,
    CaseForm,
    GreenForm,
    PermissionForm,
    ReasonForm,
    ReportForm,
    RestrictionForm,
    ScanForm,
    TicketForm,
    WitnessForm,
)
from visits.lawyer_views import as_download
from visits.models import (
    Alert,
    Booking,
    Case,
    CheckIn,
    Credential,
    Displacement,
    GreenGrant,
    Mandate,
    Permission,
    Request,
    Ticket,
)
from visits.models.flow import OPEN_REQUEST

GUARD = (Role.GUARD,)
DESK = (Role.GUARD, Role.ADMINISTRATOR)


@access.officers(*GUARD)
def today(request: HttpRequest) -> HttpResponse:
    """Show the day: scan field, who is expected, who is in, who waits."""
    return _today(request, ScanForm(), None)


@access.officers(*GUARD)
@require_POST
def scan(request: HttpRequest) -> HttpResponse:
    """Answer to a pass; the answer stands above the day in words and colour."""
    form = ScanForm(request.POST)
    found = None
    if form.is_valid():
        found = gate.check_in(
            access.desk(request),
            form.cleaned_data["text"],
            by=access.signed_in(request),
            at=timezone.now(),
        )
    return _today(request, ScanForm(), found)


def _today(request: HttpRequest, form: ScanForm, found: CheckIn | None) -> HttpResponse:
    facility, at = access.desk(request), timezone.now()
    on = timetable.today(facility, at)
    shown = board.day(facility, on, at=at)
    places = [
        (row.begins_at, sum(cell.state == "free" for cell in row.cells))
        for row in shown.rows
        if row.ends_at > at
    ]
    line = tickets.waiting(facility, at=at)
    return render(
        request,
        "visits/desk/today.html",
        {
            "form": form,
            "found": found,
            "visits": _of_day(facility, at),
            "estimates": tickets.estimates(line, places, now=at),
            "ticket_form": TicketForm(),
            "overruns": gate.overruns(facility, at=at),
            "now": at,
            "day": shown,
        },
    )


def _of_day(facility: Facility, at: datetime) -> list[Booking]:
    gone = ("expired", "moved", "cancelled", "reserved")
    return list(
        Booking.objects.filter(request__facility=facility, slot__on=timetable.today(facility, at))
        .exclude(state__in=gone)
        .select_related(
            "slot",
            "room",
            "escort",
            "request__lawyer__user",
            "request__lawyer__firm",
            "request__custody__detainee",
            "request__custody__cell",
        )
        .order_by("slot__sequence", "room__code")
    )


@access.officers(*GUARD)
def sheet(request: HttpRequest) -> HttpResponse:
    """Print the day sheet and one movement slip a visit."""
    facility, at = access.desk(request), timezone.now()
    return render(
        request,
        "visits/desk/sheet.html",
        {"visits": _of_day(facility, at), "on": timetable.today(facility, at), "now": at},
    )


@access.officers(*GUARD)
@require_POST
def call(request: HttpRequest) -> HttpResponse:
    """Call the next walk-in who fits."""
    called = tickets.call(access.desk(request), by=access.signed_in(request), at=timezone.now())
    messages.success(request, _("Number %(number)s is called.") % {"number": called.number})
    return redirect("visits_today")


@access.officers(*GUARD)
@require_POST
def ticket(request: HttpRequest) -> HttpResponse:
    """Give a walk-in ticket to the lawyer with this certificate, for this client."""
    form = TicketForm(request.POST)
    facility = access.desk(request)
    mandate = None
    if form.is_valid():
        mandate = (
            Mandate.objects.filter(
                lawyer__licence_number=plain_number(form.cleaned_data["licence_number"]),
                custody__number=plain_number(form.cleaned_data["number"]),
                custody__facility=facility,
            )
            .select_related("custody__facility", "lawyer")
            .order_by("-pk")
            .first()
        )
    if mandate is None:
        messages.warning(request, _("No mandate was found. The lawyer hands in the papers first."))
        return redirect("visits_today")
    given = tickets.take(mandate, by=access.signed_in(request), at=timezone.now())
    messages.success(request, _("Ticket number %(number)s.") % {"number": given.number})
    return redirect("visits_today")


@access.officers(*GUARD)
@require_POST
def ticket_left(request: HttpRequest, pk: int) -> HttpResponse:
    """Take somebody who went away out of the line."""
    found = get_object_or_404(Ticket, pk=pk, facility=access.desk(request))
    tickets.leave(found, by=access.signed_in(request), at=timezone.now())
    return redirect("visits_today")


@access.officers(*GUARD)
def visit(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Show one visit with the buttons for what can happen next."""
    booking = bookings.of_facility(access.desk(request), public_id)
    return render(
        request,
        "visits/desk/visit.html",
        {
            "booking": booking,
            "witness": WitnessForm(facility=booking.request.facility),
            "report": ReportForm(),
            "check_ins": booking.check_ins.select_related("by").order_by("at"),
        },
    )


@access.officers(*GUARD)
@require_POST
def act(request: HttpRequest, public_id: UUID, what: str) -> HttpResponse:
    """Do one of: enter, leave, gear, room, refuse, stop."""
    facility = access.desk(request)
    booking = bookings.of_facility(facility, public_id)
    by, at = access.signed_in(request), timezone.now()
    if what == "refuse":
        form = WitnessForm(request.POST, facility=facility)
        if form.is_valid():
            gate.detainee_refuses(booking, witness=form.cleaned_data["witness"], by=by, at=at)
    elif what == "stop":
        report = request.POST.get("report_number", "")[:60]
        gate.terminate(booking, report_number=report, by=by, at=at)
    elif what == "room":
        rehousing.another_room(booking, by=by, at=at)
    else:
        steps = {"enter": gate.enter, "leave": gate.leave, "gear": green.confirm_gear_off}
        if what not in steps:
            raise NotFound
        steps[what](booking, by=by, at=at)
    return redirect("desk_visit", public_id)


@access.officers(*DESK)
def lawyers(request: HttpRequest) -> HttpResponse:
    """List what waits for an officer: papers, conflicts, permissions, alerts, displacements."""
    facility = access.desk(request)
    open_alerts = Alert.objects.filter(
        request__facility=facility, hours=44, answered_at=None, request__state__in=OPEN_REQUEST
    )
    return render(
        request,
        "visits/desk/lawyers.html",
        {
            "papers": _silent(facility),
            "conflicts": mandates.waiting(facility),
            "permissions": Permission.objects.filter(
                state=Permission.State.ASKED, mandate__custody__facility=facility
            )
            .select_related("mandate__custody__detainee", "mandate__lawyer__user")
            .order_by("due_at"),
            "alerts": open_alerts.select_related(
                "request__lawyer__user", "request__custody__detainee"
            ).order_by("request__due_at"),
            "displacements": Displacement.objects.filter(
                request__facility=facility, state=Displacement.State.PROPOSED
            ).select_related("booking__slot", "request__lawyer__user", "proposed_by"),
            "wishes": Request.objects.filter(facility=facility, state__in=OPEN_REQUEST)
            .select_related("lawyer__user", "custody__detainee")
            .order_by("due_at")[:50],
            "now": timezone.now(),
        },
    )


def _silent(facility: Facility) -> list[Credential]:
    return list(
        credentials.of_facility(facility)
        .filter(state=Credential.State.CHECKING, silent_at__isnull=False)
        .select_related("lawyer__user", "lawyer__firm")
        .order_by("submitted_at", "pk")[:100]
    )


def waiting(facility: Facility) -> int:
    """Count what waits for an officer, for the tile on the start page."""
    asked = Permission.objects.filter(
        state=Permission.State.ASKED, mandate__custody__facility=facility
    )
    return len(_silent(facility)) + len(mandates.waiting(facility)) + asked.count()


@access.officers(*DESK)
def paper(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Show a paper about which the register is silent; accept it or refuse with a reason."""
    facility = access.desk(request)
    credential = credentials.at_desk(facility, public_id)
    form = ReasonForm(request.POST if request.POST.get("answer") == "refuse" else None)
    by, at = access.signed_in(request), timezone.now()
    if request.POST.get("answer") == "accept":
        credentials.accept(credential, facility=facility, by=by, at=at)
        return redirect("desk_lawyers")
    if form.is_bound and form.is_valid():
        with refusals_on(form):
            end = credentials.revoke if credential.is_accepted else credentials.refuse
            end(credential, reason=form.cleaned_data["reason"], facility=facility, by=by, at=at)
            return redirect("desk_lawyers")
    return page(request, "visits/desk/paper.html", form, paper=credential)


@access.officers(*DESK)
def paper_file(request: HttpRequest, public_id: UUID) -> FileResponse:
    """Send a lawyer's file as a download."""
    return as_download(credentials.at_desk(access.desk(request), public_id))


@access.officers(*DESK)
def mandate(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Show a mandate with what conflicts; clear it, refuse it, or end it for the detainee."""
    found = get_object_or_404(
        Mandate.objects.select_related("custody__detainee", "lawyer__user", "lawyer__firm"),
        public_id=public_id,
        custody__facility=access.desk(request),
    )
    by, at = access.signed_in(request), timezone.now()
    answer = request.POST.get("answer", "")
    form = ReasonForm(request.POST if answer == "refuse" else None)
    if answer == "clear":
        mandates.clear(found, by=by, at=at)
        return redirect("desk_lawyers")
    if answer == "revoke":
        mandates.revoke(found, by=by, at=at)
        return redirect("desk_lawyers")
    if form.is_bound and form.is_valid():
        with refusals_on(form):
            mandates.refuse(found, reason=form.cleaned_data["reason"], by=by, at=at)
            return redirect("desk_lawyers")
    return page(
        request,
        "visits/desk/mandate.html",
        form,
        mandate=found,
        conflicts=mandates.conflicts(found),
        defenders=Mandate.objects.live()
        .filter(custody=found.custody)
        .select_related("lawyer__user"),
    )


@access.officers(*DESK)
def permission(request: HttpRequest, pk: int) -> HttpResponse:
    """Write down what the investigating body answered."""
    found = get_object_or_404(
        Permission.objects.select_related("mandate__custody__detainee", "mandate__lawyer__user"),
        pk=pk,
        mandate__custody__facility=access.desk(request),
    )
    form = PermissionForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        by, at = access.signed_in(request), timezone.now()
        number, until = form.cleaned_data["paper_number"], form.cleaned_data["valid_until"]
        with refusals_on(form):
            if request.POST.get("answer") == "deny":
                cases.deny(found, paper_number=number, by=by, at=at)
                return redirect("desk_lawyers")
            if until:
                cases.grant(found, paper_number=number, valid_until=until, by=by, at=at)
                return redirect("desk_lawyers")
            form.add_error("valid_until", _("Enter the last permitted day."))
    return page(request, "visits/desk/permission.html", form, permission=found)


@access.officers(*DESK)
def alert(request: HttpRequest, pk: int) -> HttpResponse:
    """Write down what was done about a request with less than four hours left."""
    found = get_object_or_404(
        Alert.objects.select_related("request__lawyer__user", "request__custody__detainee"),
        pk=pk,
        request__facility=access.desk(request),
    )
    form = AlertForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        with refusals_on(form):
            clock.answer(
                found,
                text=form.cleaned_data["answer"],
                by=access.signed_in(request),
                at=timezone.now(),
            )
            return redirect("desk_lawyers")
    return page(request, "visits/desk/alert.html", form, alert=found)


@access.officers(*DESK)
def wish(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Show a request: its clock, the green channel, and whom it could displace."""
    facility = access.desk(request)
    asked = get_object_or_404(
        Request.objects.select_related("lawyer__user", "custody__detainee", "facility"),
        public_id=public_id,
        facility=facility,
    )
    form = GreenForm(request.POST if "reason" in request.POST else None)
    if form.is_bound and form.is_valid():
        with refusals_on(form):
            green.grant(
                asked,
                reason=GreenGrant.Reason(form.cleaned_data["reason"]),
                proof=form.cleaned_data["proof"],
                by=access.signed_in(request),
                at=timezone.now(),
            )
            return redirect("desk_request", public_id)
    safe = timezone.now() + green.SAFE
    others = Booking.objects.filter(
        request__facility=facility, state=Booking.State.BOOKED, slot__begins_at__gte=safe
    ).exclude(request=asked)
    return page(
        request,
        "visits/desk/request.html",
        form,
        asked=asked,
        others=others.select_related("slot", "room").order_by("slot__begins_at")[:40]
        if asked.is_green
        else [],
        why=ReasonForm(prefix="why"),
        now=timezone.now(),
    )


@access.officers(*DESK)
@require_POST
def propose(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Propose that a booked visit gives way to this request."""
    facility = access.desk(request)
    asked = get_object_or_404(
        Request.objects.select_related("facility"), public_id=public_id, facility=facility
    )
    booking = get_object_or_404(
        Booking, reference=request.POST.get("booking", ""), request__facility=facility
    )
    green.propose(
        booking,
        asked,
        reason=request.POST.get("why-reason", "")[:200],
        by=access.signed_in(request),
        at=timezone.now(),
    )
    messages.success(request, _("Proposed. Another officer must approve."))
    return redirect("desk_lawyers")


@access.officers(*DESK)
def displacement(request: HttpRequest, pk: int) -> HttpResponse:
    """Show a proposal; another officer approves or rejects it."""
    found = get_object_or_404(
        Displacement.objects.select_related(
            "booking__slot", "booking__request", "request__facility", "proposed_by"
        ),
        pk=pk,
        request__facility=access.desk(request),
    )
    if request.method == "POST":
        decide = green.approve if request.POST.get("answer") == "approve" else green.reject
        decide(found, by=access.signed_in(request), at=timezone.now())
        return redirect("desk_lawyers")
    return render(request, "visits/desk/displacement.html", {"displacement": found})


@access.officers(*DESK)
def case(request: HttpRequest) -> HttpResponse:
    """Record a case, who is accused in it, and which case it is linked with."""
    facility = access.desk(request)
    form = CaseForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        with refusals_on(form):
            _record_case(request, form, facility)
            return redirect("desk_cases")
    found = Case.objects.filter(facility=facility).prefetch_related("parties__custody__detainee")
    return page(request, "visits/desk/cases.html", form, cases=found.order_by("number"))


def _record_case(request: HttpRequest, form: CaseForm, facility: Facility) -> None:
    typed = form.cleaned_data
    by, at = access.signed_in(request), timezone.now()
    found = cases.record(
        facility,
        number=typed["number"],
        stage=Case.Stage(typed["stage"]),
        category=Case.Category(typed["category"]),
        by=by,
        at=at,
    )
    if typed["party"]:
        held = held_by_number(facility, typed["party"])
        cases.add_party(found, held, by=by, at=at)
    if typed["linked"]:
        other = get_object_or_404(Case, facility=facility, number=typed["linked"])
        cases.link(found, other, by=by, at=at)


@access.officers(*DESK)
def restrict(request: HttpRequest) -> HttpResponse:
    """Write down an order that nobody may visit a person for some days."""
    facility = access.desk(request)
    form = RestrictionForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        typed, local = form.cleaned_data, timetable.zone(facility)
        held: Custody = held_by_number(facility, typed["number"])
        midnight = datetime.combine(typed["ends_on"], time(), tzinfo=local)
        with refusals_on(form):
            cases.restrict(
                held,
                begins_at=datetime.combine(typed["begins_on"], time(), tzinfo=local),
                ends_at=midnight + timedelta(days=1),
                paper_number=typed["paper_number"],
                by=access.signed_in(request),
                at=timezone.now(),
            )
            messages.success(request, _("Written down. The lawyers are told."))
            return redirect("visits_today" if "guard" in access.roles_of(request) else "start")
    return page(request, "visits/desk/restrict.html", form)
