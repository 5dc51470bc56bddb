"""The desk's pages: orders waiting, one order, paper orders, picking and hand-over."""

from __future__ import annotations

import uuid
from typing import Any

from django.contrib import messages
from django.contrib.auth import authenticate
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST

from accounts.money import capitals
from commissary import catalogue, fulfilment, orders, worklists
from commissary.errors import NeedsConfirmation
from commissary.forms import ApproveForm, HandOverForm, PaperForm, PickForm, RejectForm
from commissary.models import HandOver, Order
from commissary.orders import Envelope, Wish
from detention import access
from detention.errors import Refusal
from detention.forms import refusals_on
from detention.identity import folded, plain_number
from detention.models import Custody, Role, User
from detention.verbs import keep_record

PAGE = 25
READERS = (Role.GUARD, Role.FINANCE, Role.AUDITOR, Role.ADMINISTRATOR)


@access.officers(Role.GUARD)
def waiting(request: HttpRequest) -> HttpResponse:
    """List the orders that wait for a decision, oldest first; `?cell=` narrows to one cell."""
    facility = access.desk(request)
    cells = worklists.cells_waiting(facility)
    cell = request.GET.get("cell", "")
    found = worklists.waiting(facility, cell=cell if cell in cells else "")
    page = Paginator(found, PAGE).get_page(request.GET.get("page"))
    rows = worklists.rows(page.object_list, at=timezone.now())
    return render(
        request,
        "commissary/waiting.html",
        {"page": page, "rows": rows, "cells": cells, "cell": cell},
    )


@access.officers(*READERS)
def order(request: HttpRequest, public_id: uuid.UUID) -> HttpResponse:
    """Show one order; a guard who may decide it finds the quantities and the buttons."""
    found = worklists.order_of(access.desk(request), public_id)
    return _order_page(request, found)


def _order_page(
    request: HttpRequest,
    found: Order,
    *,
    approve: ApproveForm | None = None,
    reject: RejectForm | None = None,
) -> HttpResponse:
    row = worklists.row(found, at=timezone.now())
    is_guard = Role.GUARD in access.roles_of(request)
    standing = orders.standing_of(found.custody, at=timezone.now())
    shown = {
        "row": row,
        "order": found,
        "is_guard": is_guard,
        "reads_books": bool(access.roles_of(request) & {Role.FINANCE, Role.AUDITOR}),
        "is_own": found.recorded_by_id == request.user.pk,
        "hand_over": HandOver.objects.filter(order=found).select_related("officer").first(),
        "standing": standing,
        "form": approve or ApproveForm(lines=row.lines),
        "reject": reject or RejectForm(),
        "steps": _steps(found),
    }
    bad = any(form is not None and form.errors for form in (approve, reject))
    return render(request, "commissary/order.html", shown, status=422 if bad else 200)


def _steps(found: Order) -> list[tuple[str, Any, str]]:
    """Return (what, when, who) of an order's life so far."""
    steps: list[tuple[str, Any, str]] = [
        (
            _("Recorded from paper") if found.recorded_by else _("Ordered on the tablet"),
            found.placed_at,
            found.recorded_by.name if found.recorded_by else "",
        )
    ]
    if found.approved_by is not None:
        word = _("Rejected") if found.state == Order.State.REJECTED else _("Approved")
        steps.append((word, found.decided_at, found.approved_by.name))
    if found.picked_by is not None:
        steps.append((_("Picked"), found.picked_at, found.picked_by.name))
    if found.ended_at is not None and found.state != Order.State.REJECTED:
        steps.append((found.get_state_display(), found.ended_at, ""))
    return steps


@access.officers(Role.GUARD)
@require_POST
def approve(request: HttpRequest, public_id: uuid.UUID) -> HttpResponse:
    """Ask once more, then approve an order in full or in part."""
    found = worklists.order_of(access.desk(request), public_id)
    row = worklists.row(found, at=timezone.now())
    form = ApproveForm(request.POST, lines=row.lines)
    if form.is_valid():
        if not form.cleaned_data["confirmed"]:
            return render(
                request, "commissary/approve.html", {"order": found, "row": row, "form": form}
            )
        with refusals_on(form):
            done = orders.approve(
                found,
                quantities=form.quantities(),
                reason=form.cleaned_data["reason"],
                by=access.signed_in(request),
                at=timezone.now(),
            )
            return _told(request, done)
    return _order_page(request, worklists.order_of(found.facility, public_id), approve=form)


@access.officers(Role.GUARD)
@require_POST
def reject(request: HttpRequest, public_id: uuid.UUID) -> HttpResponse:
    """Ask once more, then turn an order down with a reason."""
    found = worklists.order_of(access.desk(request), public_id)
    form = RejectForm(request.POST)
    if form.is_valid():
        if not form.cleaned_data["confirmed"]:
            row = worklists.row(found, at=timezone.now())
            return render(
                request, "commissary/reject.html", {"order": found, "row": row, "form": form}
            )
        with refusals_on(form):
            done = orders.reject(
                found,
                reason=form.cleaned_data["reason"],
                by=access.signed_in(request),
                at=timezone.now(),
            )
            return _told(request, done)
    return _order_page(request, worklists.order_of(found.facility, public_id), reject=form)


@access.officers(Role.GUARD)
@require_POST
def approve_many(request: HttpRequest) -> HttpResponse:
    """Ask once more, then approve the ticked orders in full, each for itself.

    Only orders without a flag can be ticked. One that changed meanwhile is left out, and told.
    """
    found = worklists.ticked(access.desk(request), request.POST.getlist("order"))
    rows = [row for row in worklists.rows(found, at=timezone.now()) if not row.flags]
    if not rows:
        messages.info(request, _("Tick at least one order."))
        return redirect("orders")
    if "confirmed" not in request.POST:
        total = sum(row.total for row in rows)
        return render(request, "commissary/approve_many.html", {"rows": rows, "total": total})
    approved = sum(_approve_one(request, row.order) for row in rows)
    if approved:
        messages.success(
            request,
            ngettext("%(count)s order approved.", "%(count)s orders approved.", approved)
            % {"count": approved},
        )
    return redirect("orders")


def _approve_one(request: HttpRequest, found: Order) -> bool:
    try:
        orders.approve(found, by=access.signed_in(request), at=timezone.now())
    except Refusal as refusal:
        keep_record(refusal)
        messages.warning(
            request,
            _("Order %(number)s was left out: %(reason)s")
            % {"number": found.number, "reason": refusal.text()},
        )
        return False
    return True


def _told(request: HttpRequest, done: Order) -> HttpResponse:
    messages.success(
        request,
        _("Order %(number)s: %(state)s.")
        % {"number": done.number, "state": done.get_state_display()},
    )
    return redirect("orders")


@access.officers(Role.GUARD)
def cancel(request: HttpRequest, public_id: uuid.UUID) -> HttpResponse:
    """Ask once more, then take an order back that is not yet picked."""
    found = worklists.order_of(access.desk(request), public_id)
    form = RejectForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        with refusals_on(form):
            orders.cancel(
                found,
                reason=form.cleaned_data["reason"],
                by=access.signed_in(request),
                at=timezone.now(),
            )
            messages.success(request, _("The order is cancelled, the money is available again."))
            return redirect("order", public_id=public_id)
    row = worklists.row(found, at=timezone.now())
    shown = {"order": found, "row": row, "form": form}
    return render(request, "commissary/cancel.html", shown, status=422 if form.errors else 200)


@access.officers(Role.GUARD)
def paper(request: HttpRequest) -> HttpResponse:
    """Record an order from paper: fill in, look at it once more, place it.

    Another officer must approve it. Prices that rose meanwhile are shown and asked about again.
    """
    facility = access.desk(request)
    shelf = catalogue.shelf(facility, at=timezone.now())
    data = request.POST.copy() if request.method == "POST" else None
    form = PaperForm(data, prices=shelf.prices, version=shelf.version)
    if data is not None and form.is_valid():
        held = None if "back" in data else _held(facility.pk, form)
        if held is not None and not form.cleaned_data["confirmed"]:
            return _paper_check(request, form, held)
        if held is not None:
            with refusals_on(form):
                try:
                    placed = _place(request, form, held)
                except NeedsConfirmation:
                    for price in shelf.prices:
                        data[f"shown_{price.product.sku}"] = str(price.amount)
                    raise
                messages.success(
                    request, _("Order %(number)s is recorded.") % {"number": placed.number}
                )
                return redirect("order", public_id=placed.public_id)
    shown = {"form": form}
    return render(request, "commissary/paper.html", shown, status=422 if form.errors else 200)


def _held(facility_id: int, form: PaperForm) -> Custody | None:
    number = plain_number(form.cleaned_data["number"])
    found = Custody.objects.filter(facility_id=facility_id, number=number).select_related(
        "facility", "detainee", "cell"
    )
    if (held := found.first()) is None:
        form.add_error("number", _("Nobody here has this number."))
    return held


def _paper_check(request: HttpRequest, form: PaperForm, held: Custody) -> HttpResponse:
    wanted = [(price, n, n * shown) for price, n, shown in form.wanted()]
    total = sum(cost for _price, _n, cost in wanted)
    shown = {"form": form, "held": held, "wanted": wanted, "total": total}
    return render(request, "commissary/paper_check.html", shown)


def _place(request: HttpRequest, form: PaperForm, held: Custody) -> Order:
    envelope = Envelope(
        client_id=form.cleaned_data["client_id"],
        catalogue_version=form.cleaned_data["version"],
        lines=[
            Wish(sku=price.product.sku, quantity=n, shown_price=shown)
            for price, n, shown in form.wanted()
        ],
    )
    return orders.place(held, envelope, by=access.signed_in(request), at=timezone.now())


@access.officers(Role.GUARD)
def picking(request: HttpRequest) -> HttpResponse:
    """List by cell what is to be taken from the shelf; prints one sheet a cell."""
    rows = worklists.rows(worklists.to_pick(access.desk(request)), at=timezone.now())
    return render(request, "commissary/picking.html", {"cells": worklists.by_cell(rows)})


@access.officers(Role.GUARD)
def pick(request: HttpRequest, public_id: uuid.UUID) -> HttpResponse:
    """Record what of an approved order was taken from the shelf."""
    found = worklists.order_of(access.desk(request), public_id)
    row = worklists.row(found, at=timezone.now())
    form = PickForm(request.POST or None, lines=row.lines)
    if request.method == "POST" and form.is_valid():
        with refusals_on(form):
            fulfilment.pick(
                found,
                quantities=form.quantities(),
                by=access.signed_in(request),
                at=timezone.now(),
            )
            messages.success(request, _("Order %(number)s is picked.") % {"number": found.number})
            return redirect("picking")
    shown = {"order": found, "row": row, "form": form}
    return render(request, "commissary/pick.html", shown, status=422 if form.errors else 200)


@access.officers(Role.GUARD)
def hand_overs(request: HttpRequest) -> HttpResponse:
    """List by cell what is on its way to a person."""
    rows = worklists.rows(worklists.to_hand_over(access.desk(request)), at=timezone.now())
    return render(request, "commissary/hand_overs.html", {"cells": worklists.by_cell(rows)})


@access.officers(Role.GUARD)
@sensitive_post_parameters("witness_password")
def hand_over(request: HttpRequest, public_id: uuid.UUID) -> HttpResponse:
    """Record at the cell door what was handed over and who stands for it."""
    found = worklists.order_of(access.desk(request), public_id)
    row = worklists.row(found, at=timezone.now())
    form = HandOverForm(request.POST or None, lines=row.lines)
    if request.method == "POST" and form.is_valid():
        witness = _witness(request, form)
        if not form.errors:
            with refusals_on(form):
                fulfilment.hand_over(
                    found,
                    delivered=form.quantities(),
                    reasons=form.reasons(),
                    signature=form.cleaned_data["signature"],
                    witness=witness,
                    by=access.signed_in(request),
                    at=timezone.now(),
                )
                messages.success(
                    request, _("Order %(number)s is handed over.") % {"number": found.number}
                )
                return redirect("order_receipt", public_id=public_id)
    shown = {"order": found, "row": row, "form": form}
    return render(request, "commissary/hand_over.html", shown, status=422 if form.errors else 200)


def _witness(request: HttpRequest, form: HandOverForm) -> User | None:
    """Return the officer who typed their own password here; None when nobody is needed."""
    if not form.needs_witness:
        return None
    if not form.cleaned_data["witness"]:
        form.add_error("witness", _("Another officer must sign in as witness."))
        return None
    user = authenticate(
        request,
        username=folded(form.cleaned_data["witness"]).lower(),
        password=form.cleaned_data["witness_password"],
    )
    if isinstance(user, User):
        return user
    form.add_error("witness", _("The log-in or the password is not right."))
    return None


@access.officers(*READERS)
def receipt(request: HttpRequest, public_id: uuid.UUID) -> HttpResponse:
    """Show the slip of an order, twice on paper: to sign before, as a receipt after."""
    found = worklists.order_of(access.desk(request), public_id)
    row = worklists.row(found, at=timezone.now())
    done = HandOver.objects.filter(order=found).select_related("officer", "witness").first()
    strokes = [" ".join(f"{x},{y}" for x, y in stroke) for stroke in (done.strokes if done else [])]
    shown = {
        "order": found,
        "row": row,
        "done": done,
        "strokes": strokes,
        "words": capitals(done.captured if done else row.total),
        "copies": [_("Copy for the person"), _("Copy for the centre")],
    }
    return render(request, "commissary/receipt.html", shown)
