"""When the provider is away, answers late or not at all: what may be repeated and what not."""

from __future__ import annotations

import datetime as dt

import pytest
import time_machine
from django.db import transaction
from django.utils import timezone

from accounts.gateways import GatewayRefused, GatewayUnavailable, ResultUnknown, gateway, stripe
from accounts.gateways.stub import shopper
from accounts.gateways.stub.client import SimulatorClient
from accounts.gateways.stub.models import CheckoutSession, Fault, Refund, StoredAnswer

pytestmark = pytest.mark.django_db

# The SDK tries a second time by itself; only a fault that lasts reaches the program.
LASTING = 1 + stripe.RETRIES


def order_fault(kind, where="", left=LASTING):
    return Fault.objects.create(kind=kind, where=where, left=left)


@pytest.mark.parametrize("kind", ["down", "lost"])
def test_a_short_break_is_repaired_by_the_sdk_under_one_key(order, kind):
    order_fault(kind, left=1)

    checkout = gateway().create_checkout(**order)

    assert CheckoutSession.objects.get().id == checkout.id


@pytest.mark.parametrize(("kind", "made"), [("down", 0), ("lost", 1), ("error", 0)])
def test_a_checkout_without_an_answer_is_unknown_and_may_be_repeated(order, kind, made):
    order_fault(kind)

    with pytest.raises(ResultUnknown):
        gateway().create_checkout(**order)

    assert CheckoutSession.objects.count() == made
    Fault.objects.all().delete()
    assert gateway().create_checkout(**order).id == CheckoutSession.objects.get().id


def test_a_refund_without_an_answer_is_found_and_never_done_twice(open_checkout):
    payment = shopper.pay(open_checkout().id, method="card", at=timezone.now())
    request = {
        "payment_id": payment.id,
        "amount": 700,
        "reference": "refund-1",
        "idempotency_key": "key-1",
    }
    order_fault("lost", "POST /v1/refunds")

    with pytest.raises(ResultUnknown):
        gateway().refund(**request)

    found = gateway().find_refund("refund-1", payment_id=payment.id)
    assert found == gateway().refund(**request)
    assert Refund.objects.count() == 1


@pytest.mark.parametrize("kind", ["down", "lost", "error"])
def test_a_question_without_an_answer_may_be_asked_again(open_checkout, kind):
    checkout = open_checkout()
    order_fault(kind, "GET /v1/checkout/sessions")

    with pytest.raises(GatewayUnavailable):
        gateway().fetch_checkout(checkout.id)

    Fault.objects.all().delete()
    assert gateway().fetch_checkout(checkout.id) == checkout


def test_a_fault_waits_for_the_request_it_was_ordered_for(open_checkout):
    order_fault("down", "POST /v1/refunds")

    open_checkout()

    assert Fault.objects.get().left == LASTING


def test_failing_once_answers_one_question_with_an_error(open_checkout):
    checkout = open_checkout()
    notice = shopper.Notice.FAIL_ONCE
    shopper.pay(checkout.id, method="card", at=timezone.now(), notice=notice)

    with pytest.raises(GatewayUnavailable):
        gateway().fetch_checkout(checkout.id)

    assert gateway().fetch_checkout(checkout.id).state == "paid"


def test_a_wrong_key_is_an_outage_not_a_refusal(order):
    stranger = stripe.StripeGateway(
        api_key="pk_nonsense", webhook_secret="whsec", http_client=SimulatorClient()
    )

    with pytest.raises(GatewayUnavailable):
        stranger.create_checkout(**order)

    assert CheckoutSession.objects.count() == 0


@pytest.mark.parametrize(
    "call",
    [
        lambda order: gateway().create_checkout(**order),
        lambda _order: gateway().fetch_checkout("cs_test_1"),
        lambda _order: gateway().expire_checkout("cs_test_1"),
        lambda order: gateway().find_checkout(order["reference"], since=timezone.now()),
        lambda _order: gateway().refund(
            payment_id="pi", amount=1, reference="r", idempotency_key="k"
        ),
        lambda _order: gateway().fetch_refund("re_1"),
        lambda _order: gateway().find_refund("r", payment_id="pi_1"),
    ],
    ids=["create", "fetch", "expire", "find", "refund", "fetch refund", "find refund"],
)
def test_no_call_leaves_from_inside_a_transaction(order, call):
    with transaction.atomic(), pytest.raises(AssertionError, match="in a transaction"):
        call(order)

    assert CheckoutSession.objects.count() == 0


def test_a_key_is_remembered_for_a_day(order):
    order["expires_at"] += dt.timedelta(hours=23)
    first = gateway().create_checkout(**order)
    now = timezone.now()

    with time_machine.travel(now + dt.timedelta(hours=23)):
        assert gateway().create_checkout(**order) == first
    with time_machine.travel(now + dt.timedelta(hours=25)), pytest.raises(GatewayRefused):
        # The key is forgotten, so that this is a new request, whose end lies in the past.
        gateway().create_checkout(**order)

    assert StoredAnswer.objects.count() == 0


def test_a_refused_request_does_not_use_up_its_key(order):
    with pytest.raises(GatewayRefused):
        gateway().create_checkout(**order | {"amount": 0})

    assert gateway().create_checkout(**order).state == "open"


def test_a_search_walks_page_after_page(open_checkout):
    oldest = open_checkout()
    row = CheckoutSession.objects.get()
    copies = [CheckoutSession(**_fields(row)) for _copy in range(101)]
    CheckoutSession.objects.bulk_create(copies)

    found = gateway().find_checkout(
        oldest.reference, since=timezone.now() - dt.timedelta(minutes=1)
    )

    assert found == oldest


def test_a_search_that_cannot_see_the_end_does_not_say_that_there_is_nothing(
    open_checkout, monkeypatch
):
    monkeypatch.setattr(stripe, "LOOK_AT_MOST", 2)
    open_checkout()
    open_checkout()

    with pytest.raises(ResultUnknown):
        gateway().find_checkout("unknown", since=timezone.now() - dt.timedelta(minutes=1))


def _fields(row):
    fields = {field.name: getattr(row, field.name) for field in row._meta.fields}
    del fields["id"]
    fields["created_at"] += dt.timedelta(seconds=1)
    return fields | {"reference": "other"}
