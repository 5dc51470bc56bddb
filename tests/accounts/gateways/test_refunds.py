"""Money back to where it came from, never more than came in."""

from __future__ import annotations

import pytest
from django.utils import timezone

from accounts.gateways import GatewayRefused, RefundResult, gateway
from accounts.gateways.stub import shopper
from accounts.gateways.stub.models import Refund

pytestmark = pytest.mark.django_db


@pytest.fixture
def payment(open_checkout):
    """A card payment of ¥200.00."""
    return shopper.pay(open_checkout(amount=20_000).id, method="card", at=timezone.now())


def refund(payment, amount=5_000, reference="refund-1", key="key-1"):
    return gateway().refund(
        payment_id=payment.id, amount=amount, reference=reference, idempotency_key=key
    )


def test_a_part_goes_back(payment):
    result = refund(payment)

    assert result == RefundResult(
        id=result.id, state="succeeded", amount=5_000, failure="", reference="refund-1"
    )
    assert gateway().fetch_refund(result.id) == result


def test_the_same_key_again_refunds_once(payment):
    first = refund(payment)

    again = refund(payment)

    assert again == first
    assert Refund.objects.count() == 1


def test_a_refund_whose_answer_was_lost_is_found_by_our_reference(payment):
    mine = refund(payment)
    refund(payment, reference="refund-2", key="key-2")

    assert gateway().find_refund("refund-1", payment_id=payment.id) == mine
    assert gateway().find_refund("refund-3", payment_id=payment.id) is None


def test_a_refund_of_another_payment_is_not_found(payment, open_checkout):
    refund(payment)
    other = shopper.pay(open_checkout().id, method="card", at=timezone.now())

    assert gateway().find_refund("refund-1", payment_id=other.id) is None


def test_all_of_it_may_go_back_in_parts_and_then_nothing_more(payment):
    refund(payment, 5_000, key="a")
    refund(payment, 15_000, key="b")

    with pytest.raises(GatewayRefused) as refused:
        refund(payment, 1, key="c")

    assert refused.value.code == "charge_already_refunded"
    assert Refund.objects.count() == 2


@pytest.mark.parametrize("amount", [15_001, 0, -1])
def test_more_than_is_left_or_nothing_is_refused(payment, amount):
    refund(payment, 5_000, key="a")

    with pytest.raises(GatewayRefused):
        refund(payment, amount, key="b")

    assert [row.amount for row in Refund.objects.all()] == [5_000]


def test_a_declined_payment_has_nothing_to_refund(open_checkout):
    declined = shopper.decline(
        open_checkout().id, shopper.Declined.GENERIC, method="card", at=timezone.now()
    )

    with pytest.raises(GatewayRefused) as refused:
        refund(declined)

    assert refused.value.code == "payment_intent_unexpected_state"


def test_a_refund_that_comes_back_fails_and_may_be_tried_again(payment):
    result = refund(payment, 20_000, key="a")

    shopper.fail_refund(result.id, at=timezone.now())

    failed = gateway().fetch_refund(result.id)
    assert (failed.state, failed.failure) == ("failed", "expired_or_canceled_card")
    assert refund(payment, 20_000, key="b").state == "succeeded"


def test_an_unknown_refund_is_refused():
    with pytest.raises(GatewayRefused) as refused:
        gateway().fetch_refund("re_unknown")

    assert refused.value.code == "resource_missing"
