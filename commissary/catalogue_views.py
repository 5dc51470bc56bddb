"""The office's pages about the shelf: products, proposed prices, the second officer."""

from __future__ import annotations

import uuid
from datetime import datetime, time
from zoneinfo import ZoneInfo

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from accounts import money
from commissary import catalogue
from commissary.forms import PriceForm
from commissary.models import Price, Product
from detention import access
from detention.errors import NotFound
from detention.forms import refusals_on
from detention.models import Facility, Role

OFFICE = (Role.ADMINISTRATOR, Role.FINANCE)


@access.officers(*OFFICE, Role.AUDITOR)
def products(request: HttpRequest) -> HttpResponse:
    """List the products with their prices, and what waits for a second officer."""
    facility = access.desk(request)
    now = timezone.now()
    in_force = {p.product_id: p for p in catalogue.shelf(facility, at=now).prices}
    found = (
        Product.objects.filter(facility=facility)
        .select_related("category", "vendor")
        .order_by("category__position", "position", "pk")
    )
    rows = [(product, in_force.get(product.pk)) for product in found]
    shown = {
        "rows": rows,
        "proposed": _proposed(facility),
        "version": catalogue.version(facility, at=now),
    }
    return render(request, "commissary/products.html", shown)


def _proposed(facility: Facility) -> list[Price]:
    found = Price.objects.filter(product__facility=facility, state=Price.State.PROPOSED)
    return list(found.select_related("product", "proposed_by").order_by("proposed_at", "pk"))


@access.officers(*OFFICE)
def product(request: HttpRequest, public_id: uuid.UUID) -> HttpResponse:
    """Show one product with all its prices; a new one is proposed here."""
    found = _product(request, public_id)
    form = PriceForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        with refusals_on(form):
            catalogue.propose_price(
                found,
                money.parse(form.cleaned_data["amount"]),
                effective_at=_begin(found.facility, form),
                by=access.signed_in(request),
                at=timezone.now(),
            )
            messages.success(request, _("The price is proposed. Another officer must approve it."))
            return redirect("products")
    prices = found.prices.select_related("proposed_by", "approved_by").order_by("-pk")
    shown = {
        "product": found,
        "prices": prices,
        "form": form,
        "may_withdraw": Role.ADMINISTRATOR in access.roles_of(request),
    }
    return render(request, "commissary/product.html", shown, status=422 if form.errors else 200)


def _begin(facility: Facility, form: PriceForm) -> datetime:
    on = form.cleaned_data["begins_on"]
    if on is None:
        return timezone.now()
    return datetime.combine(on, time(), ZoneInfo(facility.time_zone))


@access.officers(*OFFICE)
@require_POST
def decide_price(request: HttpRequest, public_id: uuid.UUID) -> HttpResponse:
    """Approve or reject another officer's proposed price."""
    price = Price.objects.filter(
        product__facility=access.desk(request), public_id=public_id
    ).first()
    if price is None:
        raise NotFound
    decide = catalogue.approve_price if "approve" in request.POST else catalogue.reject_price
    decide(price, by=access.signed_in(request), at=timezone.now())
    messages.success(request, _("The decision is stored."))
    return redirect("products")


@access.officers(Role.ADMINISTRATOR)
@require_POST
def offer_product(request: HttpRequest, public_id: uuid.UUID) -> HttpResponse:
    """Take a product off the shelf or put it back."""
    found = _product(request, public_id)
    change = catalogue.withdraw if "withdraw" in request.POST else catalogue.offer
    change(found, by=access.signed_in(request), at=timezone.now())
    return redirect("product", public_id=public_id)


def _product(request: HttpRequest, public_id: uuid.UUID) -> Product:
    found = (
        Product.objects.filter(facility=access.desk(request), public_id=public_id)
        .select_related("facility", "category", "vendor")
        .first()
    )
    if found is None:
        raise NotFound
    return found
