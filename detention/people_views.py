"""The desk's pages about people in custody: who is here, admission, PIN, consent, the end."""

from __future__ import annotations

import uuid

from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from detention import access, custody
from detention.forms import refusals_on
from detention.identity import folded, plain_number
from detention.models import Custody, Role
from detention.people_forms import AdmitForm, CloseForm, MoveForm, VisibleForm

PAGE = 25
DESK = (Role.GUARD, Role.ADMINISTRATOR)


@access.officers(*DESK)
def people(request: HttpRequest) -> HttpResponse:
    """List who is in custody here, searched by number or name."""
    facility = access.desk(request)
    asked = folded(request.GET.get("q", ""))
    found = Custody.objects.filter(facility=facility).select_related("detainee", "cell")
    if asked:
        found = found.filter(
            Q(number__startswith=plain_number(asked)) | Q(detainee__name__contains=asked)
        )
    else:
        found = found.open()
    page = Paginator(found.order_by("cell__code", "number"), PAGE).get_page(request.GET.get("page"))
    return render(request, "detention/people.html", {"page": page, "asked": asked})


@access.officers(*DESK)
def admit(request: HttpRequest) -> HttpResponse:
    """Admit a person; the PIN is shown once, on the page that follows."""
    facility = access.desk(request)
    form = AdmitForm(request.POST or None, facility=facility)
    if request.method == "POST" and form.is_valid():
        with refusals_on(form):
            held = custody.admit(
                facility, **form.cleaned_data, by=access.signed_in(request), at=timezone.now()
            )
            return _show_new_pin(request, held)
    return render(request, "detention/admit.html", {"form": form})


@access.officers(*DESK)
def person(request: HttpRequest, public_id: uuid.UUID) -> HttpResponse:
    """Show one person in custody with what the desk may do for them."""
    held = access.custody(access.desk(request), public_id)
    forms = {
        "visible_form": VisibleForm(initial={"visible": held.visible}),
        "move_form": MoveForm(initial={"cell": held.cell}, facility=held.facility),
        "close_form": CloseForm(),
    }
    shown = {"held": held, "roles": access.roles_of(request), **forms}
    return render(request, "detention/person.html", shown)


@access.officers(*DESK)
@require_POST
def new_pin(request: HttpRequest, public_id: uuid.UUID) -> HttpResponse:
    """Give the person a new PIN, shown once; lifts the lock after wrong tries."""
    return _show_new_pin(request, access.custody(access.desk(request), public_id))


def _show_new_pin(request: HttpRequest, held: Custody) -> HttpResponse:
    pin = custody.fresh_pin()
    custody.set_pin(held, pin, by=access.signed_in(request), at=timezone.now())
    answer = render(request, "detention/new_pin.html", {"held": held, "pin": pin})
    answer["Cache-Control"] = "no-store"
    return answer


@access.officers(*DESK)
@require_POST
def choose_visible(request: HttpRequest, public_id: uuid.UUID) -> HttpResponse:
    """Store what the detainee lets relatives see."""
    held = access.custody(access.desk(request), public_id)
    form = VisibleForm(request.POST)
    if form.is_valid():
        visible = Custody.Visible(form.cleaned_data["visible"])
        custody.choose_visible(held, visible, by=access.signed_in(request), at=timezone.now())
        messages.success(request, _("The choice is stored."))
    return redirect("person", public_id=held.public_id)


@access.officers(*DESK)
@require_POST
def move(request: HttpRequest, public_id: uuid.UUID) -> HttpResponse:
    """Move the person to another cell."""
    held = access.custody(access.desk(request), public_id)
    form = MoveForm(request.POST, facility=held.facility)
    if form.is_valid():
        custody.move_to_cell(
            held, form.cleaned_data["cell"], by=access.signed_in(request), at=timezone.now()
        )
        messages.success(request, _("The person was moved."))
    return redirect("person", public_id=held.public_id)


@access.officers(Role.ADMINISTRATOR)
@require_POST
def close(request: HttpRequest, public_id: uuid.UUID) -> HttpResponse:
    """Begin the end of the custody, after a confirmation."""
    held = access.custody(access.desk(request), public_id)
    form = CloseForm(request.POST)
    if not form.is_valid():
        return render(request, "detention/close.html", {"held": held, "form": form}, status=422)
    reason = Custody.Reason(form.cleaned_data["reason"])
    if not form.cleaned_data["confirmed"]:
        return render(request, "detention/close.html", {"held": held, "form": form})
    custody.close(held, reason=reason, by=access.signed_in(request), at=timezone.now())
    messages.success(request, _("The custody is closing."))
    return redirect("person", public_id=held.public_id)
