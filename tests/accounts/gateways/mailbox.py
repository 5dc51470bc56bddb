"""A merchant's address that only writes down what arrives; stands in for our own webhook door."""

from __future__ import annotations

from dataclasses import dataclass, field

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.urls import path
from django.views.decorators.csrf import csrf_exempt

from accounts.gateways import BadSignature, Event, gateway
from config.urls import urlpatterns as ours


@dataclass
class Mailbox:
    """What arrived: events in order, and how many letters had to be refused.

    statuses: what to answer to the next letters; 200 when used up.
    """

    events: list[Event] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    statuses: list[int] = field(default_factory=list)


box = Mailbox()


@csrf_exempt
@login_not_required
def receive(request: HttpRequest) -> HttpResponse:
    if box.statuses:
        return HttpResponse(status=box.statuses.pop(0))
    try:
        event = gateway().read_event(request.body, request.headers.get("Stripe-Signature", ""))
    except BadSignature as error:
        box.refused.append(str(error))
        return HttpResponse(status=400)
    box.events.append(event)
    return HttpResponse()


urlpatterns = [*ours, path("mailbox/", receive, name="gateway_webhook")]
