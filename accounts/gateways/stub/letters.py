"""The provider's letters: written when something happens, signed, carried by the worker.

A letter is never sent from inside a web request: the merchant's own server may have one process.
"""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any

import requests
import stripe
from django.conf import settings
from django.db import transaction
from django.urls import reverse
from django.utils import timezone
from django_q.brokers.orm import ORM
from django_q.models import OrmQ
from django_q.tasks import async_task

from accounts.gateways.stub import shapes
from accounts.gateways.stub.models import Delivery, Event

# Seconds until the next attempt. The real provider goes on for three days.
BACK_OFF_S = (2, 10, 30, 120, 600, 1800)
TIMEOUT_S = 10
OLD_S = 600
WRONG_SECRET = "whsec_somebody_else"  # noqa: S105


class Later(ORM):
    """The queue on the same database, with tasks that become visible at a later moment."""

    def __init__(self, delay_s: float) -> None:
        super().__init__()
        self.delay = timedelta(seconds=delay_s)

    def enqueue(self, task: str) -> int:
        """Store a task so that no worker sees it before its time; returns its row's key."""
        pk: int = super().enqueue(task)  # type: ignore[no-untyped-call]
        OrmQ.objects.filter(pk=pk).update(lock=timezone.now() + self.delay)
        return pk


def write(
    type: str,
    thing: dict[str, Any],
    *,
    at: datetime,
    copies: int = 1,
    signature: str = Delivery.Signature.TRUE,
    delay_s: float = 0,
) -> Event:
    """Record that something happened and send `copies` of the same letter.

    thing: the object as it is now; the letter keeps it so. Within the caller's transaction.
    """
    event = Event(type=type, object_id=thing["id"], created_at=at)
    event.body = json.dumps(shapes.event(event, thing))
    event.save(force_insert=True)
    for _copy in range(copies):
        letter = Delivery.objects.create(
            event=event, signature=signature, due_at=at + timedelta(seconds=delay_s)
        )
        _queue(letter, delay_s)
    return event


def signed(letter: Delivery, *, at: datetime) -> tuple[bytes, str]:
    """Return a letter's body and its `Stripe-Signature`, made with the provider's algorithm."""
    body = letter.event.body
    secret = settings.STRIPE_WEBHOOK_SECRET
    moment = int(at.timestamp())
    if letter.signature == Delivery.Signature.WRONG:
        secret = WRONG_SECRET
    if letter.signature == Delivery.Signature.OLD:
        moment -= OLD_S
    header = stripe.WebhookSignature.generate_signature_header(body, secret, moment)
    return body.encode(), header


def deliver(letter_id: int) -> None:
    """Carry one letter to the merchant once; try again later while it is not accepted.

    A badly signed letter is sent once: nobody forges the same letter for days. Repeat: a letter
    that was accepted or given up is not sent again; one whose answer got lost may arrive twice.
    """
    letter = Delivery.objects.select_related("event").filter(pk=letter_id).first()
    if letter is None or letter.state != Delivery.State.WAITING:
        return
    body, signature = signed(letter, at=timezone.now())
    status, answer = carry(settings.PUBLIC_URL + reverse("gateway_webhook"), body, signature)
    with transaction.atomic():
        letter.attempts += 1
        letter.answer = answer[:200]
        if 200 <= status < 300:
            letter.state = Delivery.State.ACCEPTED
        elif letter.signature != Delivery.Signature.TRUE or letter.attempts > len(BACK_OFF_S):
            letter.state = Delivery.State.GIVEN_UP
        else:
            delay_s = BACK_OFF_S[letter.attempts - 1]
            letter.due_at = timezone.now() + timedelta(seconds=delay_s)
            _queue(letter, delay_s)
        letter.save()


def carry(url: str, body: bytes, signature: str) -> tuple[int, str]:
    """Post one letter; return the status and what to note. Status 0: nobody answered."""
    headers = {"Content-Type": "application/json; charset=utf-8", "Stripe-Signature": signature}
    try:
        answer = requests.post(
            url, data=body, headers=headers, timeout=TIMEOUT_S, allow_redirects=False
        )
    except requests.RequestException as error:
        return 0, type(error).__name__
    return answer.status_code, f"{answer.status_code} {answer.reason}"


def _queue(letter: Delivery, delay_s: float) -> None:
    async_task(
        "accounts.gateways.stub.letters.deliver",
        letter.pk,
        task_name=f"letter:{letter.pk}:{letter.attempts}",
        broker=Later(delay_s),
    )
