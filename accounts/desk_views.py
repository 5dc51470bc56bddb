"""The office's money doors: today, what waits, one deposit with its decision, the trail."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.db.models import Count, QuerySet, Sum
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from accounts import deposits, escrow, refunds, screening, statements, trail
from accounts.forms import AcceptForm, RefuseForm, SearchForm, place
from accounts.ledger.models import ProofRun
from accounts.models import Deposit, Refund
from detention import access
from detention.errors import NotFound
from detention.forms import refusals_on
from detention.models import Facility, Role

OFFICE = (Role.FINANCE, Role.AUDITOR)
PAGE = 50


@access.officers(*OFFICE)
@require_GET
def finance_today(request: HttpRequest) -> HttpResponse:
    """Show what came in today, what waits for a decision, what is on its way back."""
    facility, now = access.desk(request), timezone.now()
    today = timezone.localtime(now).replace(hour=0, minute=0, second=0, microsecond=0)
    came = Deposit.objects.filter(facility=facility, captured_at__gte=today)
    waiting = Deposit.objects.filter(facility=facility).waiting()
    going = _refunds(facility).filter(
        state__in=[Refund.State.REQUESTED, Refund.State.PENDING, Refund.State.UNKNOWN]
    )
    shown = {
        "came": _sum(came, "amount_received"),
        "waiting": _sum(waiting, "amount_received"),
        "overdue": waiting.filter(decide_by__lt=now).count(),
        "going": _sum(going, "amount"),
        "stuck": _sum(_refunds(facility).filter(state=Refund.State.FAILED), "amount"),
        "failed": _refunds(facility).filter(state=Refund.State.FAILED).order_by("requested_at"),
        "proof": ProofRun.objects.order_by("pk").last(),
        "may_decide": Role.FINANCE in access.roles_of(request),
    }
    return render(request, "accounts/today.html", shown)


@access.officers(*OFFICE)
@require_GET
def suspense(request: HttpRequest) -> HttpResponse:
    """List the deposits that wait for a decision, oldest first."""
    now = timezone.now()
    rows = list(
        Deposit.objects.filter(facility=access.desk(request))
        .waiting()
        .with_people()
        .select_related("owner")
        .prefetch_related("findings")
        .order_by("captured_at", "pk")[:PAGE]
    )
    shown = [(row, row.is_overdue(now)) for row in rows]
    return render(request, "accounts/suspense.html", {"rows": shown})


@access.officers(*OFFICE)
@require_GET
def desk_deposits(request: HttpRequest) -> HttpResponse:
    """List the facility's deposits, newest first, all or those in one state."""
    found = Deposit.objects.filter(facility=access.desk(request)).with_people()
    state = request.GET.get("state", "")
    if state in Deposit.State.values:
        found = found.filter(state=state)
    before = place(request.GET.get("before"))
    if before is not None:
        found = found.filter(pk__lt=before)
    rows = list(found.order_by("-pk")[: PAGE + 1])
    shown = {
        "rows": rows[:PAGE],
        "more": rows[PAGE - 1].pk if len(rows) > PAGE else None,
        "states": Deposit.State.choices,
        "state": state,
    }
    return render(request, "accounts/desk_deposits.html", shown)


@access.officers(*OFFICE)
@require_GET
def desk_deposit(request: HttpRequest, number: str) -> HttpResponse:
    """Show one deposit with everything that followed from it; finance may decide here."""
    return _deposit_page(request, _deposit(request, number))


@access.officers(Role.FINANCE)
@require_POST
def take_deposit(request: HttpRequest, number: str) -> HttpResponse:
    """Become the officer who looks after the deposit."""
    deposit = _deposit(request, number)
    deposits.take(deposit, by=access.signed_in(request), at=timezone.now())
    return redirect("desk_deposit", number)


@access.officers(Role.FINANCE)
@require_POST
def accept_deposit(request: HttpRequest, number: str) -> HttpResponse:
    """Accept a waiting deposit, as far as the caps take it."""
    deposit = _deposit(request, number)
    form = AcceptForm(request.POST, auto_id="accept_%s")
    return _decide(
        request,
        deposit,
        form,
        lambda reason: deposits.accept(
            deposit, reason=reason, by=access.signed_in(request), at=timezone.now()
        ),
    )


@access.officers(Role.FINANCE)
@require_POST
def refuse_deposit(request: HttpRequest, number: str) -> HttpResponse:
    """Refuse a waiting deposit with a reason; the money goes back."""
    deposit = _deposit(request, number)
    form = RefuseForm(request.POST, auto_id="refuse_%s")
    return _decide(
        request,
        deposit,
        form,
        lambda reason: deposits.refuse(
            deposit, reason=reason, by=access.signed_in(request), at=timezone.now()
        ),
    )


def _decide(
    request: HttpRequest,
    deposit: Deposit,
    form: AcceptForm | RefuseForm,
    act: Callable[[str], Deposit],
) -> HttpResponse:
    if form.is_valid():
        with refusals_on(form):
            act(form.cleaned_data["reason"])
            messages.success(request, _("The decision is recorded."))
            return redirect("desk_deposit", deposit.number)
    deposit.refresh_from_db()
    return _deposit_page(request, deposit, status=422, form=form)


@access.officers(Role.FINANCE)
@require_POST
def take_refund(request: HttpRequest, public_id: uuid.UUID) -> HttpResponse:
    """Become the officer who looks after a failed refund."""
    refund = _refund(request, public_id)
    refunds.take(refund, by=access.signed_in(request), at=timezone.now())
    return redirect("desk_deposit", refund.deposit.number)


@access.officers(Role.FINANCE)
@require_POST
def refund_again(request: HttpRequest, public_id: uuid.UUID) -> HttpResponse:
    """Try a failed refund once more."""
    refund = _refund(request, public_id)
    refunds.again(refund, by=access.signed_in(request), at=timezone.now())
    messages.success(request, _("The refund is tried again."))
    return redirect("desk_deposit", refund.deposit.number)


@access.officers(*OFFICE)
@require_GET
def trail_search(request: HttpRequest) -> HttpResponse:
    """Find where to begin: a deposit, an order, a person."""
    form = SearchForm(request.GET)
    asked = form.cleaned_data["q"] if form.is_valid() else ""
    shown: dict[str, Any] = {"form": form, "asked": asked}
    if asked:
        shown["found"] = trail.search(access.desk(request), asked)
    shown["proof"] = ProofRun.objects.order_by("pk").last()
    return render(request, "accounts/trail.html", shown)


@access.officers(*OFFICE)
@require_GET
def trail_journal(request: HttpRequest, pk: int) -> HttpResponse:
    """Show one journal with its lines, the lots it opened and the lots it was paid from."""
    step = trail.journal(access.desk(request), pk)
    return render(request, "accounts/trail_journal.html", {"steps": [step], "step": step})


@access.officers(*OFFICE)
@require_GET
def trail_document(request: HttpRequest, doc_type: str, pk: int) -> HttpResponse:
    """Show the journals about one document: an order, a hand-over."""
    steps = trail.of_document(access.desk(request), doc_type, pk)
    shown = {"steps": steps, "document": steps[0].document, "doc_type": doc_type}
    return render(request, "accounts/trail_document.html", shown)


@access.officers(*OFFICE)
@require_GET
def trail_person(request: HttpRequest, public_id: uuid.UUID) -> HttpResponse:
    """Show everything on one person's account, newest first, with the balance after each line."""
    held = trail.person(access.desk(request), public_id)
    page = statements.whole(held, before=place(request.GET.get("before")))
    shown = {"held": held, "page": page, "balance": escrow.balance(held)}
    return render(request, "accounts/trail_person.html", shown)


def _deposit_page(
    request: HttpRequest,
    deposit: Deposit,
    *,
    status: int = 200,
    form: AcceptForm | RefuseForm | None = None,
) -> HttpResponse:
    shown = {
        "deposit": deposit,
        "overdue": deposit.is_overdue(timezone.now()),
        "findings": [(f, screening.TEXTS.get(f.code, f.code)) for f in deposit.findings.all()],
        "refunds": deposit.refunds.select_related("owner", "requested_by").order_by("pk"),
        "steps": trail.of_deposit(deposit),
        "may_decide": Role.FINANCE in access.roles_of(request),
        "is_waiting": deposit.state == Deposit.State.AWAITING_DECISION,
        "form": form,
        "accept": form if isinstance(form, AcceptForm) else AcceptForm(auto_id="accept_%s"),
        "refuse": form if isinstance(form, RefuseForm) else RefuseForm(auto_id="refuse_%s"),
    }
    return render(request, "accounts/desk_deposit.html", shown, status=status)


def _deposit(request: HttpRequest, number: str) -> Deposit:
    """Return a deposit of the officer's facility. Refuses NotFound."""
    found = (
        Deposit.objects.filter(facility=access.desk(request), number=number)
        .with_people()
        .select_related("owner", "decided_by")
        .first()
    )
    if found is None:
        raise NotFound
    return found


def _refund(request: HttpRequest, public_id: uuid.UUID) -> Refund:
    found = _refunds(access.desk(request)).filter(public_id=public_id).first()
    if found is None:
        raise NotFound
    return found


def _refunds(facility: Facility) -> QuerySet[Refund]:
    return Refund.objects.filter(deposit__facility=facility).select_related("deposit", "owner")


def _sum(rows: QuerySet[Any], field: str) -> dict[str, int]:
    """Return number and sum (fen) of these rows."""
    found = rows.aggregate(number=Count("pk"), sum=Sum(field))
    return {"number": found["number"], "sum": found["sum"] or 0}
