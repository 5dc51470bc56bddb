"""The hosted page as a payer meets it, and what the adapter then tells."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pytest
import time_machine
from django.utils import timezone

from accounts.gateways import Checkout, GatewayRefused, gateway
from accounts.gateways.stub.models import CheckoutSession, Payment
from tests.queue import queued

pytestmark = pytest.mark.django_db


def press(client, checkout, act, **more):
    return client.post(checkout.url, {"act": act, "method": "card", **more})


def test_the_page_shows_amount_and_says_in_both_languages_that_no_money_moves(
    client, open_checkout
):
    page = client.get(open_checkout(amount=20_000).url).content.decode()

    assert "¥200.00 CNY" in page
    assert "测试页面：不会扣任何钱。" in page
    assert "TEST: no money moves." in page


def test_the_alipay_side_shows_a_code_to_scan(client, open_checkout):
    page = client.get(open_checkout().url + "?method=alipay").content.decode()

    assert page.count('<div class="qr"><svg') == 1


@pytest.mark.parametrize("method", ["card", "alipay"])
def test_paying_leads_back_and_the_checkout_is_paid(client, open_checkout, method):
    checkout = open_checkout()

    answer = press(client, checkout, "pay", method=method)

    payment = Payment.objects.get()
    assert answer.headers["Location"] == f"https://example.org/paid?session={checkout.id}"
    assert gateway().fetch_checkout(checkout.id) == Checkout(
        id=checkout.id,
        url="",
        state="paid",
        payment_id=payment.id,
        amount=20_000,
        currency="CNY",
        method=method,
        reference=checkout.reference,
    )


def test_a_paid_page_cannot_be_paid_again(client, open_checkout):
    checkout = open_checkout()
    press(client, checkout, "pay")
    before = queued()

    answer = press(client, checkout, "pay")

    assert answer.headers["Location"] == f"/gateway/checkout/{checkout.id}/"
    assert Payment.objects.count() == 1
    assert queued() == before


@pytest.mark.parametrize(("act", "reason"), [("decline", "银行拒绝"), ("no_funds", "余额不足")])
def test_a_declined_payer_may_try_again_and_nothing_is_told(client, open_checkout, act, reason):
    checkout = open_checkout()

    declined = press(client, checkout, act)

    page = client.get(declined.headers["Location"]).content.decode()
    assert f"付款没有成功：{reason}。没有扣钱，可以再试一次。" in page
    assert gateway().fetch_checkout(checkout.id) == replace(checkout, declined=True)
    assert queued() == []
    press(client, checkout, "pay")
    assert gateway().fetch_checkout(checkout.id).state == "paid"
    assert gateway().fetch_checkout(checkout.id).declined is False


def test_going_back_leaves_the_page_open(client, open_checkout):
    checkout = open_checkout()

    answer = press(client, checkout, "cancel")

    assert answer.headers["Location"] == "https://example.org/back"
    assert gateway().fetch_checkout(checkout.id) == checkout


def test_a_page_whose_time_runs_out_can_never_be_paid(client, open_checkout):
    checkout = open_checkout()

    press(client, checkout, "expire")
    press(client, checkout, "pay")

    assert gateway().fetch_checkout(checkout.id).state == "expired"
    assert Payment.objects.count() == 0


def test_a_page_expires_by_itself_at_its_end(client, open_checkout):
    checkout = open_checkout()

    with time_machine.travel(timezone.now() + dt.timedelta(minutes=36)):
        press(client, checkout, "pay")
        found = gateway().fetch_checkout(checkout.id)

    assert found.state == "expired"
    assert Payment.objects.count() == 0


def test_a_lost_connection_leads_nowhere_but_the_money_was_taken(client, open_checkout):
    checkout = open_checkout()

    answer = press(client, checkout, "lose")

    assert answer.status_code == 200
    assert "example.org" not in answer.content.decode()
    assert gateway().fetch_checkout(checkout.id).state == "paid"


def test_a_way_to_pay_that_was_not_offered_is_refused(client, open_checkout):
    checkout = open_checkout(methods=["card"])

    answer = press(client, checkout, "pay", method="alipay")

    assert answer.status_code == 422
    assert gateway().fetch_checkout(checkout.id) == checkout


@pytest.mark.parametrize(
    ("amount", "state", "received"),
    [
        (10_001, "open", 10_001),
        (10_002, "open", 10_002),
        (10_008, "paid", 10_007),
        (10_000, "paid", 10_000),
    ],
    ids=["01 declined", "02 no funds", "08 one fen less", "00 paid"],
)
def test_the_last_two_digits_decide_where_nobody_chose(
    client, open_checkout, amount, state, received
):
    checkout = open_checkout(amount=amount)

    press(client, checkout, "pay")

    found = gateway().fetch_checkout(checkout.id)
    assert (found.state, found.amount) == (state, received)


def test_a_chosen_notice_wins_over_the_digits(client, open_checkout):
    checkout = open_checkout(amount=10_008)

    press(client, checkout, "pay", notice="now")

    assert gateway().fetch_checkout(checkout.id).amount == 10_008


def test_an_unknown_page_is_not_found(client):
    assert client.get("/gateway/checkout/cs_test_unknown/").status_code == 404


def test_a_button_that_does_not_exist_changes_nothing(client, open_checkout):
    checkout = open_checkout()

    answer = press(client, checkout, "steal")

    assert answer.status_code == 422
    assert CheckoutSession.objects.get().status == "open"


def test_a_paid_checkout_cannot_be_ended(client, open_checkout):
    checkout = open_checkout()
    press(client, checkout, "pay")

    with pytest.raises(GatewayRefused):
        gateway().expire_checkout(checkout.id)

    assert gateway().fetch_checkout(checkout.id).state == "paid"
