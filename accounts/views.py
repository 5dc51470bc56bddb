"""The family's doors: whom to send money to, how much, what became of it."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.db.models import Max
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import gettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts import deposits, limits, outcomes, provider, receipts, statements
from accounts.forms import AmountForm, CheckForm, PayForm, place
from accounts.gateways import gateway, onward
from accounts.models import Deposit, DepositQuerySet
from detention import access, qr
from detention.errors import NotFound
from detention.forms import refusals_on
from detention.models import Relationship, Relative

QUICK_YUAN = (50, 100, 200, 500)
PAGE = 25
# A second payment like one of the last minutes is asked about once more.
SAME_WITHIN = timedelta(minutes=10)


@access.relatives
@require_GET
def my_people(request: HttpRequest) -> HttpResponse:
    """Show everyone the relative has asked for, newest first: state, room left, last deposit."""
    relative, now = access.relative_of(request), timezone.now()
    links = relative.relationships.select_related(
        "custody__detainee", "custody__facility"
    ).order_by("-requested_at", "-pk")
    own = _own(relative)
    last = own.values("relationship").annotate(last=Max("pk")).values("last")
    newest = {deposit.relationship_id: deposit for deposit in own.filter(pk__in=last)}
    cards = [
        {"link": link, "room": _room(link, now), "last": newest.get(link.pk)} for link in links
    ]
    return render(request, "accounts/people.html", {"cards": cards})


def _room(link: Relationship, now: datetime) -> int:
    """Return the room left in fen, told to verified relatives of somebody held here only."""
    if link.state != Relationship.State.VERIFIED or not link.custody.is_open:
        return 0
    return limits.room(link, at=now)


@access.relatives
@require_GET
def send_money(request: HttpRequest, public_id: uuid.UUID) -> HttpResponse:
    """Ask how much; the room left is shown before anything is typed."""
    link = access.verified_relationship(access.relative_of(request), public_id)
    form = AmountForm({"amount": request.GET["amount"]}) if "amount" in request.GET else None
    return _amount_page(request, link, form or AmountForm())


@access.relatives
@require_GET
def check_payment(request: HttpRequest, public_id: uuid.UUID) -> HttpResponse:
    """Show once more who gets how much, with the button that pays."""
    link = access.verified_relationship(access.relative_of(request), public_id)
    form = AmountForm(request.GET)
    if not form.is_valid():
        return _amount_page(request, link, form, status=422)
    amount = form.cleaned_data["amount"]
    now = timezone.now()
    with refusals_on(form):
        deposits.check(link, amount, at=now)
    if not form.is_valid():
        return _amount_page(request, link, form, status=422)
    twin = (
        _own(link.relative)
        .filter(relationship=link, amount=amount, started_at__gt=now - SAME_WITHIN)
        .exclude(state__in=[Deposit.State.EXPIRED, Deposit.State.FAILED])
        .order_by("-started_at")
        .first()
    )
    pay = PayForm(initial={"amount": amount, "once": uuid.uuid4()})
    shown = {"link": link, "amount": amount, "pay": pay, "twin": twin}
    return render(request, "accounts/check.html", shown)


@access.relatives
@require_POST
def pay(request: HttpRequest, public_id: uuid.UUID) -> HttpResponse:
    """Start the deposit and send the payer to the provider's page; again leads to the same page."""
    relative = access.relative_of(request)
    link = access.verified_relationship(relative, public_id)
    form = PayForm(request.POST)
    if not form.is_valid():
        return redirect("send_money", link.public_id)
    now = timezone.now()
    deposit = deposits.start(
        link,
        form.cleaned_data["amount"],
        once=form.cleaned_data["once"],
        provider=gateway().name,
        language=translation.get_language() or "zh-hans",
        by=relative,
        at=now,
    )
    deposit = provider.open_checkout(deposit, at=now)
    if deposit.state == Deposit.State.AWAITING_PAYMENT and deposit.checkout_url:
        return redirect(onward(deposit.checkout_url))
    return redirect("deposit_result", deposit.public_id)


@access.relatives
@never_cache
@require_GET
def deposit_result(request: HttpRequest, public_id: uuid.UUID) -> HttpResponse:
    """Show what became of a deposit; never posts, but has the provider asked while it is open."""
    deposit = _deposit(request, public_id)
    deposits.ask_soon(deposit, at=timezone.now())
    return render(request, "accounts/result.html", _told(deposit))


@access.relatives
@never_cache
@require_GET
def deposit_state(request: HttpRequest, public_id: uuid.UUID) -> HttpResponse:
    """Return only the changing part of the result page."""
    deposit = _deposit(request, public_id)
    deposits.ask_soon(deposit, at=timezone.now())
    return render(request, "accounts/parts/outcome.html", _told(deposit))


@access.relatives
@require_GET
def deposit_cancelled(request: HttpRequest, public_id: uuid.UUID) -> HttpResponse:
    """Take back a payer who left the provider's page; the result page says what that means."""
    deposit = _deposit(request, public_id)
    deposits.cancelled(deposit, at=timezone.now())
    return redirect("deposit_result", deposit.public_id)


@access.relatives
@require_POST
def give_up_deposit(request: HttpRequest, public_id: uuid.UUID) -> HttpResponse:
    """End an open payment for good, which makes its room free again at once."""
    deposit = provider.give_up(_deposit(request, public_id), at=timezone.now())
    return redirect("deposit_result", deposit.public_id)


@access.relatives
@require_GET
def deposit_receipt(request: HttpRequest, public_id: uuid.UUID) -> HttpResponse:
    """Show the receipt of a credited deposit, made to be printed."""
    deposit = _deposit(request, public_id)
    if deposit.state != Deposit.State.CREDITED:
        raise NotFound
    address = settings.PUBLIC_URL + reverse("verify_number", args=[deposit.number])
    shown = {
        "deposit": deposit,
        "code": receipts.check_code(deposit),
        "address": address,
        "square": qr.svg(address, label=gettext("Check this receipt")),
    }
    return render(request, "accounts/receipt.html", shown)


@access.relatives
@require_GET
def my_deposits(request: HttpRequest) -> HttpResponse:
    """List the relative's own payments, newest first."""
    own = _own(access.relative_of(request)).with_people()
    before = place(request.GET.get("before"))
    if before is not None:
        own = own.filter(pk__lt=before)
    rows = list(own.order_by("-pk")[: PAGE + 1])
    more = rows[PAGE - 1].pk if len(rows) > PAGE else None
    return render(request, "accounts/my_deposits.html", {"rows": rows[:PAGE], "more": more})


@access.relatives
@require_GET
def history(request: HttpRequest, public_id: uuid.UUID) -> HttpResponse:
    """Show what happened with the money, at the level that the detainee consented to."""
    link = access.verified_relationship(access.relative_of(request), public_id)
    before = place(request.GET.get("before"))
    page = statements.for_relative(link, before=before)
    return render(request, "accounts/history.html", {"link": link, "page": page})


# No log-in: whoever holds a receipt may check it.
@login_not_required
@never_cache
@require_http_methods(["GET", "POST"])
def verify(request: HttpRequest, number: str = "") -> HttpResponse:
    """Tell anybody who types a receipt's number and check code whether it is genuine."""
    form = CheckForm(request.POST or None, initial={"number": number})
    shown: dict[str, Any] = {"form": form, "asked": False}
    if request.method == "POST" and form.is_valid():
        shown["asked"] = True
        shown["genuine"] = receipts.check(**form.cleaned_data, at=timezone.now())
    return render(request, "accounts/verify.html", shown)


def _amount_page(
    request: HttpRequest, link: Relationship, form: AmountForm, *, status: int = 200
) -> HttpResponse:
    room = limits.room(link, at=timezone.now())
    quick = [yuan * 100 for yuan in QUICK_YUAN if yuan * 100 <= room]
    shown = {"link": link, "form": form, "room": room, "quick": quick}
    return render(request, "accounts/amount.html", shown, status=status)


def _deposit(request: HttpRequest, public_id: uuid.UUID) -> Deposit:
    """Return one of the asker's own deposits. Refuses NotFound."""
    found = _own(access.relative_of(request)).with_people().filter(public_id=public_id).first()
    if found is None:
        raise NotFound
    return found


def _own(relative: Relative) -> DepositQuerySet:
    return Deposit.objects.filter(payer=relative)


def _told(deposit: Deposit) -> dict[str, Any]:
    sent_back = list(deposit.refunds.order_by("pk"))
    return {
        "deposit": deposit,
        "refunds": sent_back,
        "back": sum(r.amount for r in sent_back if r.state != "replaced"),
        "outcome": outcomes.of(deposit, sent_back, at=timezone.now()),
        "payment_page": onward(deposit.checkout_url),
    }
