"""The simulator's JSON door, for programs that play payers; it exists only with the simulator."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from django.contrib.auth.decorators import login_not_required
from django.db.models import Count, Sum
from django.http import HttpRequest, JsonResponse
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_GET, require_POST

from accounts.gateways.stub import shopper
from accounts.gateways.stub.models import CheckoutSession, Delivery, Fault, Payment, Refund


@login_not_required
@require_GET
def totals(request: HttpRequest) -> JsonResponse:
    """Say what payers paid and got back, per currency, in minor units.

    {"CNY": {"paid": 12345, "refunded": 0, "count": 3}}. A failed refund counts as not refunded.
    """
    paid = (
        Payment.objects.filter(status=Payment.Status.SUCCEEDED)
        .values("currency")
        .annotate(paid=Sum("amount_received"), count=Count("pk"))
    )
    refunded = dict(
        Refund.objects.exclude(status=Refund.Status.FAILED)
        .values_list("payment__currency")
        .annotate(Sum("amount"))
    )
    return JsonResponse(
        {
            row["currency"].upper(): {
                "paid": row["paid"],
                "refunded": refunded.get(row["currency"], 0),
                "count": row["count"],
            }
            for row in paid
        }
    )


@login_not_required
@require_GET
def letters(request: HttpRequest) -> JsonResponse:
    """Say how many letters are on their way, were accepted, were given up."""
    counted = dict(Delivery.objects.values_list("state").annotate(Count("pk")))
    return JsonResponse({state: counted.get(state, 0) for state in Delivery.State.values})


@csrf_exempt  # called by programs without cookies; the simulator moves no money
@login_not_required
@require_POST
def act(request: HttpRequest, session_id: str, act: str) -> JsonResponse:
    """Do what a payer would: pay, decline, no_funds or expire.

    Body (optional): {"method": "card", "notice": "late", "delay_s": 8}; notices as on the page.
    """
    return _served(request, lambda asked: _act(session_id, act, asked))


@csrf_exempt
@login_not_required
@require_POST
def fail_refund(request: HttpRequest, refund_id: str) -> JsonResponse:
    """Let a refund come back from the payer's bank."""

    def serve(asked: dict[str, Any]) -> dict[str, Any]:
        refund = shopper.fail_refund(refund_id, at=timezone.now())
        return {"refund": refund.id, "status": refund.status}

    return _served(request, serve)


@csrf_exempt
@login_not_required
@require_POST
def fault(request: HttpRequest) -> JsonResponse:
    """Order bad weather: {"kind": "down"|"lost"|"error", "where": "POST /v1/refunds", "times": 2}.

    The SDK tries once more by itself after "down" and "lost": two times reach the program.
    """

    def serve(asked: dict[str, Any]) -> dict[str, Any]:
        ordered = Fault.objects.create(
            kind=Fault.Kind(str(asked.get("kind"))),
            where=str(asked.get("where", "")),
            left=int(asked.get("times", 1)),
        )
        return {"kind": ordered.kind, "where": ordered.where, "times": ordered.left}

    return _served(request, serve)


def _act(session_id: str, act: str, asked: dict[str, Any]) -> dict[str, Any]:
    at, method = timezone.now(), str(asked.get("method", "card"))
    if act == "expire":
        shopper.expire(session_id, at=at)
    elif act == "pay":
        notice = asked.get("notice")
        shopper.pay(
            session_id,
            method=method,
            at=at,
            notice=shopper.Notice(notice) if notice else None,
            delay_s=float(asked.get("delay_s", shopper.SLOW_S)),
        )
    elif act == "decline":
        shopper.decline(session_id, shopper.Declined.GENERIC, method=method, at=at)
    elif act == "no_funds":
        shopper.decline(session_id, shopper.Declined.NO_FUNDS, method=method, at=at)
    else:
        raise ValueError(f"unknown act: {act}")
    session = CheckoutSession.objects.select_related("payment").get(pk=session_id)
    attempt = getattr(session, "payment", None)
    return {
        "session": session.id,
        "status": session.status,
        "payment": attempt.id if attempt else None,
        "declined": attempt.failure_code if attempt else "",
        "success_url": session.success_url.replace("{CHECKOUT_SESSION_ID}", session.id),
    }


def _served(
    request: HttpRequest, serve: Callable[[dict[str, Any]], dict[str, Any]]
) -> JsonResponse:
    try:
        asked = json.loads(request.body or b"{}")
        if not isinstance(asked, dict):
            raise ValueError("the body must be a JSON object")
        return JsonResponse(serve(asked))
    except (CheckoutSession.DoesNotExist, Refund.DoesNotExist):
        return JsonResponse({"error": "there is no such object"}, status=404)
    except shopper.PageClosed as error:
        return JsonResponse({"error": f"the page is closed: {error}"}, status=409)
    except (ValueError, TypeError) as error:
        return JsonResponse({"error": str(error)}, status=400)
