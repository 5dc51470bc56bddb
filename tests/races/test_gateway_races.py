"""The provider as many at once meet it: one page for one key, one payment for one page."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from uuid import uuid4

import pytest
from django.utils import timezone

from accounts.gateways import Checkout, GatewayRefused, gateway
from accounts.gateways.stub import letters, shopper
from accounts.gateways.stub.models import CheckoutSession, Delivery, Payment, Refund
from accounts.models import GatewayEvent

pytestmark = [pytest.mark.race, pytest.mark.usefixtures("race_db")]


def new_checkout(key, *, now):
    return gateway().create_checkout(
        reference=key,
        amount=1_000,
        currency="CNY",
        methods=["card"],
        description="Deposit",
        success_url="https://example.org/paid",
        cancel_url="https://example.org/back",
        expires_at=now + dt.timedelta(minutes=40),
        locale="en",
        idempotency_key=key,
    )


def pay(checkout):
    return shopper.pay(checkout.id, method="card", at=timezone.now())


def test_one_key_makes_one_page_for_all(together):
    key, now = str(uuid4()), timezone.now()

    results = together([lambda: new_checkout(key, now=now)] * 10, threads=10)

    assert {type(result) for result in results} == {Checkout}
    assert {result.id for result in results} == {CheckoutSession.objects.get(reference=key).id}


def test_one_page_is_paid_once(together):
    checkout = new_checkout(str(uuid4()), now=timezone.now())

    results = together([lambda: pay(checkout)] * 10, threads=10)

    kinds = Counter(type(result).__name__ for result in results)
    assert kinds == {"Payment": 1, "PageClosed": 9}
    assert Payment.objects.filter(session=checkout.id).count() == 1
    assert Delivery.objects.filter(event__object_id=checkout.id).count() == 1


def test_refunds_together_never_give_back_more_than_came_in(together):
    payment = pay(new_checkout(str(uuid4()), now=timezone.now()))

    def refund():
        key = str(uuid4())
        return gateway().refund(
            payment_id=payment.id, amount=300, reference=key, idempotency_key=key
        )

    results = together([refund] * 10, threads=10)

    refused = [result for result in results if isinstance(result, GatewayRefused)]
    given = Refund.objects.filter(payment=payment).values_list("amount", flat=True)
    assert (len(refused), list(given)) == (7, [300, 300, 300])


def test_ten_equal_letters_at_once_become_one_message(together):
    checkout = new_checkout(str(uuid4()), now=timezone.now())
    shopper.pay(checkout.id, method="card", at=timezone.now(), notice=shopper.Notice.TEN)
    mine = Delivery.objects.filter(event__object_id=checkout.id)
    keys = list(mine.values_list("pk", flat=True))

    together([lambda pk=pk: letters.deliver(pk) for pk in keys], threads=10)

    assert list(mine.values_list("answer", flat=True)) == ["200 OK"] * 10
    assert GatewayEvent.objects.filter(object_id=checkout.id).count() == 1
