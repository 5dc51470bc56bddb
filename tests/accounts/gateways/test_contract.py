"""What every deposit and refund relies on at the provider; the same tests run against real ones.

`STRIPE_TEST_KEY=sk_test_… pytest tests/accounts/gateways/test_contract.py` asks Stripe itself,
as far as a program can go without a person who pays on the hosted page.
"""

from __future__ import annotations

import datetime as dt
import os
import uuid
from dataclasses import replace

import pytest
from django.utils import timezone

from accounts.gateways import Checkout, Gateway, GatewayRefused, gateway
from accounts.gateways.stripe import StripeGateway

pytestmark = pytest.mark.django_db

TEST_KEY = os.environ.get("STRIPE_TEST_KEY", "")

if TEST_KEY:

    @pytest.fixture(autouse=True)
    def _no_outside_world() -> None:
        """Let this one file reach the provider: that is what the key was given for."""


@pytest.fixture
def provider() -> Gateway:
    """The configured provider, or Stripe itself when a test key is given."""
    if TEST_KEY:
        return StripeGateway(api_key=TEST_KEY, webhook_secret="whsec_unused")
    return gateway()


def test_a_new_checkout_is_open_and_has_an_address(provider, order):
    checkout = provider.create_checkout(**order)

    assert checkout == Checkout(
        id=checkout.id,
        url=checkout.url,
        state="open",
        payment_id="",
        amount=20_000,
        currency="CNY",
        method="",
        reference=order["reference"],
    )
    assert checkout.id.startswith("cs_test_")
    assert checkout.url.startswith("http")


def test_the_same_key_again_gives_the_same_checkout(provider, order):
    first = provider.create_checkout(**order)

    again = provider.create_checkout(**order)

    assert again == first


def test_the_same_key_with_another_amount_is_refused(provider, order):
    provider.create_checkout(**order)

    with pytest.raises(GatewayRefused) as refused:
        provider.create_checkout(**order | {"amount": 20_001})

    assert refused.value.code == "idempotency_error"


def test_a_checkout_is_fetched_by_its_id(provider, order):
    made = provider.create_checkout(**order)

    assert provider.fetch_checkout(made.id) == made


def test_a_checkout_whose_answer_was_lost_is_found_by_our_reference(provider, order):
    since = timezone.now() - dt.timedelta(minutes=1)
    made = provider.create_checkout(**order)

    assert provider.find_checkout(order["reference"], since=since) == made
    assert provider.find_checkout(str(uuid.uuid4()), since=since) is None


def test_an_unknown_checkout_is_refused(provider):
    with pytest.raises(GatewayRefused) as refused:
        provider.fetch_checkout("cs_test_unknown")

    assert refused.value.code == "resource_missing"


def test_an_open_checkout_is_ended_once(provider, order):
    made = provider.create_checkout(**order)

    ended = provider.expire_checkout(made.id)

    assert ended == replace(made, state="expired", url="")
    assert provider.fetch_checkout(made.id) == ended
    with pytest.raises(GatewayRefused):
        provider.expire_checkout(made.id)


def test_a_checkout_shorter_than_thirty_minutes_is_refused(provider, order):
    too_soon = timezone.now() + dt.timedelta(minutes=29)

    with pytest.raises(GatewayRefused):
        provider.create_checkout(**order | {"expires_at": too_soon})


@pytest.mark.parametrize("amount", [0, -1, 100_000_000])
def test_an_amount_that_cannot_be_is_refused(provider, order, amount):
    with pytest.raises(GatewayRefused):
        provider.create_checkout(**order | {"amount": amount})


def test_an_unknown_currency_is_refused(provider, order):
    with pytest.raises(GatewayRefused):
        provider.create_checkout(**order | {"currency": "XXX"})


def test_a_refund_of_an_unknown_payment_is_refused(provider):
    with pytest.raises(GatewayRefused) as refused:
        provider.refund(
            payment_id="pi_unknown", amount=1, reference="r", idempotency_key=str(uuid.uuid4())
        )

    assert refused.value.code == "resource_missing"
