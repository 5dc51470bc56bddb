"""Doors of the officers' desk: relatives who wait for review, tablets, the choice of facility."""

from __future__ import annotations

from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from detention import access, devices, qr, relatives
from detention.errors import NotFound
from detention.forms import InviteForm, ReasonForm, refusals_on
from detention.models import Role
from detention.views import page

SHOWN_ONCE = "enrolment_code"


@access.officers(Role.GUARD, Role.ADMINISTRATOR)
def waiting(request: HttpRequest) -> HttpResponse:
    """List the relatives who wait for an answer, oldest first."""
    return render(
        request,
        "detention/desk/relatives.html",
        {"links": relatives.waiting(access.desk(request)), "now": timezone.now()},
    )


@access.officers(Role.GUARD, Role.ADMINISTRATOR)
def review(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Show one request; the two buttons verify it or refuse it with a reason."""
    link = access.link_at_desk(access.desk(request), public_id)
    by, at = access.signed_in(request), timezone.now()
    if request.POST.get("answer") == "verify":
        relatives.verify(link, by=by, at=at)
        messages.success(request, _("Verified. The relative may send money now."))
        return redirect("desk_relatives")
    form = ReasonForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        with refusals_on(form):
            relatives.refuse(link, reason=form.cleaned_data["reason"], by=by, at=at)
            messages.success(request, _("Refused. The relative reads your reason."))
            return redirect("desk_relatives")
    return page(request, "detention/desk/review.html", form, link=link)


@access.officers(Role.GUARD, Role.ADMINISTRATOR)
def tablets(request: HttpRequest) -> HttpResponse:
    """List the facility's tablets with their state and when they were last heard of."""
    found = devices.of_facility(access.desk(request))
    return render(request, "detention/desk/tablets.html", {"devices": found})


@access.officers(Role.GUARD, Role.ADMINISTRATOR)
def invite(request: HttpRequest) -> HttpResponse:
    """Register a new tablet; the one-time code is shown on the next page, once."""
    form = InviteForm(request.POST or None, facility=access.desk(request))
    if request.method == "POST" and form.is_valid():
        with refusals_on(form):
            invited = devices.invite(
                form.cleaned_data["cell"],
                name=form.cleaned_data["name"],
                by=access.signed_in(request),
                at=timezone.now(),
            )
            request.session[SHOWN_ONCE] = [str(invited.device.public_id), invited.code]
            return redirect("desk_tablet_code", invited.device.public_id)
    return page(request, "detention/desk/invite.html", form)


@access.officers(Role.GUARD, Role.ADMINISTRATOR)
def code(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Show the one-time code big and as a square code; a second look shows none."""
    device = access.device(access.desk(request), public_id)
    shown_for, plain = request.session.pop(SHOWN_ONCE, ["", ""])
    if shown_for != str(device.public_id):
        return render(request, "detention/desk/code.html", {"device": device})
    # After the # sign, so that the code never stands in a server's log.
    address = f"{settings.PUBLIC_URL}/tablet/#code={plain}"
    drawn = qr.svg(address, label=_("Square code that opens the tablet page with this code"))
    answer = render(
        request, "detention/desk/code.html", {"device": device, "code": plain, "drawn": drawn}
    )
    answer["Cache-Control"] = "no-store"
    return answer


@access.officers(Role.GUARD, Role.ADMINISTRATOR)
def revoke(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Ask once more, then shut a tablet out for good."""
    device = access.device(access.desk(request), public_id)
    if request.method == "POST":
        devices.revoke(device, by=access.signed_in(request), at=timezone.now())
        messages.success(request, _("The tablet is shut out."))
        return redirect("desk_tablets")
    return render(request, "detention/desk/revoke.html", {"device": device})


@require_POST
def choose_facility(request: HttpRequest) -> HttpResponse:
    """Work in another facility in which the officer holds a role. Refuses NotFound."""
    wanted = request.POST.get("facility", "")
    held = {a.facility.code: a.facility for a in access.appointments(access.signed_in(request))}
    if wanted not in held:
        raise NotFound
    request.session[access.FACILITY_KEY] = held[wanted].pk
    return redirect("start")
