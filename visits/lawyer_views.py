"""The lawyers' portal: papers, clients, requests, visits."""

from __future__ import annotations

from datetime import timedelta
from itertools import groupby
from uuid import UUID, uuid4

from django.contrib import messages
from django.contrib.auth import login
from django.contrib.auth.decorators import login_not_required
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST

from detention import policy
from detention.errors import Refusal
from detention.forms import refusals_on
from detention.views import page
from visits import (
    allocation,
    bookings,
    calendars,
    credentials,
    files,
    gate,
    green,
    mandates,
    passes,
    requests,
)
from visits.access import lawyer_of, lawyers
from visits.forms import (
    KeyForm,
    LawyerForm,
    MandateForm,
    PaperForm,
    RateForm,
    SlotForm,
    WaitForm,
)
from visits.models import Booking, Credential, GreenGrant, Notice, Request, Slot
from visits.models.flow import OPEN_REQUEST

AHEAD = ("reserved", "booked", "checked_in", "in_room")


@login_not_required
@sensitive_post_parameters("password")
def register(request: HttpRequest) -> HttpResponse:
    """Make a lawyer's account and sign in."""
    form = LawyerForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        with refusals_on(form):
            lawyer = credentials.register(
                **form.cleaned_data,
                language=str(getattr(request, "LANGUAGE_CODE", "zh-hans")),
                at=timezone.now(),
            )
            login(request, lawyer.user, "django.contrib.auth.backends.ModelBackend")
            return redirect("lawyer_papers")
    return page(request, "visits/register.html", form)


@lawyers
def home(request: HttpRequest) -> HttpResponse:
    """Show what is ahead, what waits, what was, and the newest messages."""
    lawyer = lawyer_of(request)
    rows = Booking.objects.filter(request__lawyer=lawyer).select_related(
        "slot", "room", "request__custody__detainee", "request__facility"
    )
    wishes = Request.objects.filter(lawyer=lawyer, state__in=OPEN_REQUEST).exclude(
        state=Request.State.BOOKED
    )
    return render(
        request,
        "visits/home.html",
        {
            "lawyer": lawyer,
            "ahead": rows.filter(state__in=AHEAD).order_by("slot__begins_at"),
            "past": rows.exclude(state__in=[*AHEAD, "expired"]).order_by("-slot__begins_at")[:10],
            "wishes": wishes.select_related("custody__detainee", "facility").order_by("due_at"),
            "notices": Notice.objects.filter(lawyer=lawyer)
            .select_related("booking__slot")
            .order_by("-at", "-pk")[:8],
            "has_clients": lawyer.mandates.exists(),
            "has_papers": lawyer.credentials.exists(),
        },
    )


@lawyers
def papers(request: HttpRequest) -> HttpResponse:
    """List the papers with their state and end."""
    found = lawyer_of(request).credentials.order_by("kind", "-pk")
    return render(request, "visits/papers.html", {"papers": found})


@lawyers
def add_paper(request: HttpRequest) -> HttpResponse:
    """Hand in one paper; its file is known by its content."""
    form = PaperForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        with refusals_on(form):
            typed = dict(form.cleaned_data)
            upload = typed.pop("file")
            typed["kind"] = Credential.Kind(typed["kind"])
            try:
                paper = files.read(upload)
            except Refusal as refusal:
                # Too large or of a wrong kind is put right on this page like an empty field.
                form.add_error("file", refusal.text())
                return page(request, "visits/add_paper.html", form)
            credentials.submit(lawyer_of(request), **typed, paper=paper, at=timezone.now())
            messages.success(request, _("Received. The system compares it now."))
            return redirect("lawyer_papers")
    return page(request, "visits/add_paper.html", form)


@lawyers
def paper_file(request: HttpRequest, public_id: UUID) -> FileResponse:
    """Send the lawyer's own file back, as a download and never as a page."""
    return as_download(credentials.of_lawyer(lawyer_of(request), public_id))


def as_download(credential: Credential) -> FileResponse:
    """Answer with a paper's file under a plain name, not to be shown or guessed at."""
    path = files.path_of(credential.file_name)
    if not path.exists():
        raise Http404
    answer = FileResponse(
        path.open("rb"),
        as_attachment=True,
        filename=f"{credential.kind}-{credential.pk}{path.suffix}",
        content_type=credential.file_type,
    )
    answer["Cache-Control"] = "no-store"
    return answer


@lawyers
def clients(request: HttpRequest) -> HttpResponse:
    """List the mandates; a live one has a button to ask for a visit."""
    found = (
        lawyer_of(request)
        .mandates.select_related("custody__detainee", "custody__facility", "authority")
        .order_by("-asked_at")
    )
    return render(request, "visits/clients.html", {"mandates": found, "form": KeyForm()})


@lawyers
def add_client(request: HttpRequest) -> HttpResponse:
    """Ask to visit the person with this custody number and name."""
    lawyer = lawyer_of(request)
    form = MandateForm(request.POST or None, lawyer=lawyer)
    if request.method == "POST" and form.is_valid():
        with refusals_on(form):
            mandates.ask(lawyer, **form.cleaned_data, at=timezone.now())
            messages.success(request, _("Received. You are told as soon as you can book."))
            return redirect("lawyer_clients")
    return page(request, "visits/add_client.html", form)


@lawyers
@require_POST
def ask(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Ask for a visit to one client; asking again shows the wish that is open."""
    lawyer = lawyer_of(request)
    form = KeyForm(request.POST)
    key = form.cleaned_data["key"] if form.is_valid() else uuid4()
    asked = requests.ask(
        mandates.of_lawyer(lawyer, public_id), key=key, by=lawyer.user, at=timezone.now()
    )
    return redirect("lawyer_request", asked.public_id)


@lawyers
def wish(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Show one request: its latest lawful time, and the times that are free."""
    asked = requests.of_lawyer(lawyer_of(request), public_id)
    form = SlotForm(request.POST or None)
    nearest: list[Slot] = []
    if request.method == "POST":
        slot = get_object_or_404(
            Slot, facility=asked.facility, pk=form.cleaned_data["slot"] if form.is_valid() else 0
        )
        try:
            held = bookings.reserve(
                asked,
                wish=[slot],
                key=form.cleaned_data["key"],
                by=asked.lawyer.user,
                at=timezone.now(),
            )
            return redirect("lawyer_check", held.public_id)
        except (bookings.SlotFull, bookings.ClientBusy, bookings.LawyerBusy) as refusal:
            form.add_error(None, refusal.text())
            free = [one for one, _n in _free(asked)]
            nearest = allocation.nearest(free, to=slot)
    return page(request, "visits/request.html", form, **_wish_page(asked, nearest))


def _free(asked: Request) -> list[tuple[Slot, int]]:
    at = timezone.now()
    days = policy.number(asked.facility, "visits_horizon", at=at) + 1
    return requests.free_slots(asked, days=days, at=at)


def _wish_page(asked: Request, nearest: list[Slot]) -> dict[str, object]:
    at = timezone.now()
    choosable = asked.state in ("ready", "waiting", "booked")
    free = _free(asked) if choosable else []
    if choosable:
        days = policy.number(asked.facility, "visits_horizon", at=at) + 1
        requests.offer(asked, days=days, at=at)
    by_day = [(on, list(slots)) for on, slots in groupby(free, key=lambda found: found[0].on)]
    return {
        "asked": asked,
        "days": by_day,
        "nearest": nearest,
        "wait": WaitForm(initial={"until": (at + timedelta(days=7)).date()}),
        "pauses": asked.pauses.order_by("begins_at"),
        "current": asked.bookings.filter(state="booked").select_related("slot").first(),
        "is_legal_aid": asked.mandate.is_legal_aid,
    }


@lawyers
@require_POST
def wait(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Join the waiting list until a day."""
    asked = requests.of_lawyer(lawyer_of(request), public_id)
    form = WaitForm(request.POST)
    if form.is_valid():
        bookings.wait(
            asked, until=form.cleaned_data["until"], by=asked.lawyer.user, at=timezone.now()
        )
        messages.success(request, _("You are on the waiting list. You are told at once."))
    return redirect("lawyer_request", public_id)


@lawyers
@require_POST
def use_green(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Open the green channel with the legal-aid letter, or consent to a borrowed room."""
    asked = requests.of_lawyer(lawyer_of(request), public_id)
    by, at = asked.lawyer.user, timezone.now()
    if "consent" in request.POST:
        requests.consent(asked, by=by, at=at)
    else:
        green.grant(asked, reason=GreenGrant.Reason.LEGAL_AID, proof="", by=by, at=at)
    return redirect("lawyer_request", public_id)


@lawyers
@require_POST
def withdraw(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Take a wish back that is not booked."""
    asked = requests.of_lawyer(lawyer_of(request), public_id)
    requests.withdraw(asked, by=asked.lawyer.user, at=timezone.now())
    messages.success(request, _("Withdrawn."))
    return redirect("lawyer_home")


@lawyers
def check(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Show the held place once more; the button books it."""
    booking = bookings.of_lawyer(lawyer_of(request), public_id)
    if request.method == "POST":
        by, at = booking.request.lawyer.user, timezone.now()
        if "give_up" in request.POST:
            bookings.give_up(booking, by=by, at=at)
            return redirect("lawyer_request", booking.request.public_id)
        bookings.confirm(booking, by=by, at=at)
        return redirect("lawyer_visit", public_id)
    if booking.state != Booking.State.RESERVED:
        return redirect("lawyer_visit", public_id)
    return render(request, "visits/check.html", {"booking": booking, "now": timezone.now()})


@lawyers
def visit(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Show one visit with its pass."""
    booking = bookings.of_lawyer(lawyer_of(request), public_id)
    answer = render(
        request,
        "visits/visit.html",
        {
            "booking": booking,
            "drawn": passes.picture(booking) if booking.is_ahead else "",
            "form": RateForm(),
            "is_rated": hasattr(booking, "rating"),
        },
    )
    answer["Cache-Control"] = "no-store"
    return answer


@lawyers
def calendar(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Send the visit as a calendar file."""
    booking = bookings.of_lawyer(lawyer_of(request), public_id)
    answer = HttpResponse(
        calendars.calendar_file(booking, at=timezone.now()), content_type="text/calendar"
    )
    answer["Content-Disposition"] = f'attachment; filename="visit-{booking.reference}.ics"'
    return answer


@lawyers
def cancel(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Ask once more, then cancel."""
    booking = bookings.of_lawyer(lawyer_of(request), public_id)
    if request.method == "POST":
        bookings.cancel(booking, by=booking.request.lawyer.user, at=timezone.now())
        messages.success(request, _("Cancelled. The place goes to somebody who waits."))
        return redirect("lawyer_home")
    return render(request, "visits/cancel.html", {"booking": booking})


@lawyers
@require_POST
def rate(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Store how satisfied the lawyer was."""
    booking = bookings.of_lawyer(lawyer_of(request), public_id)
    form = RateForm(request.POST)
    if form.is_valid():
        gate.rate(
            booking,
            score=form.cleaned_data["score"],
            by=booking.request.lawyer.user,
            at=timezone.now(),
        )
        messages.success(request, _("Thank you."))
    return redirect("lawyer_visit", public_id)
