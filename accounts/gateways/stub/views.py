"""The simulated provider's pages: the hosted checkout and the console behind it."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from accounts.gateways import onward
from accounts.gateways.stub import shapes, shopper
from accounts.gateways.stub.forms import Act, PageForm
from accounts.gateways.stub.models import CheckoutSession, Delivery, Refund
from detention import qr

SHOWN = 50


@login_not_required
@require_http_methods(["GET", "POST"])
def checkout(request: HttpRequest, session_id: str) -> HttpResponse:
    """Show the hosted page, and do what the payer presses."""
    try:
        session = shopper.look(session_id, at=timezone.now())
    except CheckoutSession.DoesNotExist:
        raise Http404 from None
    if request.method == "POST":
        form = PageForm(request.POST, methods=session.methods)
        if form.is_valid():
            return _press(request, session, form.cleaned_data)
        return _page(request, session, form, status=422)
    return _page(request, session, PageForm(methods=session.methods))


@login_not_required
@require_http_methods(["GET", "POST"])
def console(request: HttpRequest) -> HttpResponse:
    """Show the newest payments, refunds and letters; let a refund come back."""
    if request.method == "POST":
        try:
            shopper.fail_refund(request.POST.get("refund", ""), at=timezone.now())
        except Refund.DoesNotExist:
            raise Http404 from None
        return redirect("gateway_stub:console")
    deliveries = Delivery.objects.select_related("event").order_by("-pk")[:SHOWN]
    return render(
        request,
        "gateway_stub/console.html",
        {
            "sessions": CheckoutSession.objects.select_related("payment")[:SHOWN],
            "refunds": Refund.objects.select_related("payment")[:SHOWN],
            "deliveries": deliveries,
        },
    )


def _press(request: HttpRequest, session: CheckoutSession, chosen: dict[str, Any]) -> HttpResponse:
    act, method, at = chosen["act"], chosen["method"], timezone.now()
    if act == Act.CANCEL:
        return _to_merchant(session.cancel_url, session)
    try:
        if act == Act.EXPIRE:
            shopper.expire(session.id, at=at)
            return redirect("gateway_stub:checkout", session.id)
        if act in (Act.DECLINE, Act.NO_FUNDS):
            reason = shopper.Declined.NO_FUNDS if act == Act.NO_FUNDS else shopper.Declined.GENERIC
            payment = shopper.decline(session.id, reason, method=method, at=at)
        else:
            payment = shopper.pay(
                session.id,
                method=method,
                at=at,
                notice=shopper.Notice(chosen["notice"]) if chosen["notice"] else None,
                delay_s=shopper.SLOW_S if chosen["delay_s"] is None else chosen["delay_s"],
            )
    except shopper.PageClosed:
        return redirect("gateway_stub:checkout", session.id)
    if payment.status == payment.Status.FAILED:
        return redirect(f"{request.path}?method={method}")
    if act == Act.LOSE:
        return render(request, "gateway_stub/lost.html")
    return _to_merchant(session.success_url, session)


def _to_merchant(url: str, session: CheckoutSession) -> HttpResponse:
    return HttpResponseRedirect(_filled(url, session))


def _filled(url: str, session: CheckoutSession) -> str:
    return onward(url.replace("{CHECKOUT_SESSION_ID}", session.id))


def _page(
    request: HttpRequest, session: CheckoutSession, form: PageForm, *, status: int = 200
) -> HttpResponse:
    asked = request.POST.get("method") or request.GET.get("method", "")
    method = asked if asked in session.methods else session.methods[0]
    attempt = getattr(session, "payment", None)
    paid = session.status == session.Status.COMPLETE
    return render(
        request,
        "gateway_stub/checkout.html",
        {
            "session": session,
            "form": form,
            "method": method,
            "onward": _filled(session.success_url if paid else session.cancel_url, session),
            "declined": _reason(attempt.failure_code) if attempt else "",
            "minutes_left": max(
                0, int((session.expires_at - timezone.now()).total_seconds() // 60)
            ),
            "qr": qr.svg(shapes.address(session), label=_("Pay on this phone"))
            if method == "alipay"
            else "",
        },
        status=status,
    )


def _reason(failure_code: str) -> str:
    return str(shopper.Declined(failure_code).label) if failure_code else ""


def _square(session: CheckoutSession) -> SafeString:
    """Draw the page's own address: a phone that reads it opens the page and can pay there."""
    return qr.svg(shapes.address(session), label=_("Pay on this phone"))
