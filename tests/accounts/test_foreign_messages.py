"""Somebody else may use the same provider; their payments are no deposits of ours."""

from __future__ import annotations

import datetime as dt

import pytest
from django.utils import timezone

from accounts import provider
from accounts.gateways import gateway
from accounts.gateways.stub import shopper
from accounts.models import Deposit, GatewayEvent
from tests.queue import run_queued

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("reference", ["order 17", ""])
def test_a_message_about_a_foreign_payment_waits_and_is_let_go(reference):
    now = timezone.now()
    checkout = gateway().create_checkout(
        reference=reference,
        amount=20_000,
        currency="CNY",
        methods=["card"],
        description="Flowers",
        success_url="https://example.org/",
        cancel_url="https://example.org/",
        expires_at=now + dt.timedelta(minutes=40),
        locale="en",
        idempotency_key="foreign",
    )
    payment = shopper.pay(checkout.id, method="card", at=now)
    gateway().refund(payment_id=payment.id, amount=1, reference="refund 17", idempotency_key="back")

    run_queued()

    paid, refunded = GatewayEvent.objects.order_by("pk")
    assert [paid.error, refunded.error] == ["unknown object", "unknown object"]
    assert [paid.processed_at, refunded.processed_at] == [None, None]
    assert Deposit.objects.count() == 0
    for message in (paid, refunded):
        provider.process(message, at=now + dt.timedelta(days=4))
        message.refresh_from_db()
        assert message.processed_at is not None
