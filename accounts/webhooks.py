"""The provider's door: a signed message goes into the inbox, everything else is turned away."""

from __future__ import annotations

from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from accounts import inbox
from accounts.gateways import BadSignature, gateway

SIGNATURE = "Stripe-Signature"


# No log-in and no CSRF token: the provider has neither, its signature over the raw body is the
# proof. Nothing touches the database before that proof.
@csrf_exempt
@login_not_required
@require_POST
def gateway_webhook(request: HttpRequest) -> HttpResponse:
    """Store a signed message once; a repeat is answered 200 as well, so that they stop.

    Refuses with 400 whatever is not signed now: altered, forged, replayed later, too big.
    """
    provider = gateway()
    try:
        body = request.body
        event = provider.read_event(body, request.headers.get(SIGNATURE, ""))
    except (BadSignature, RequestDataTooBig):
        problem = {"type": "about:blank", "title": "Bad signature", "status": 400}
        return JsonResponse(problem, status=400, content_type="application/problem+json")
    inbox.receive(provider.name, event, body, at=timezone.now())
    return HttpResponse(status=200)
