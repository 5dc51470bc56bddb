"""The simulator's own door for programs, and where it must not be."""

from __future__ import annotations

import importlib

import pytest
from django.core import checks
from django.urls import NoReverseMatch, reverse

from accounts.gateways import gateway
from accounts.gateways.stub.models import CheckoutSession, Fault, Payment
from config import urls

pytestmark = pytest.mark.django_db


def post(client, path, body=None):
    return client.post(f"/gateway/simulator/{path}", body or {}, content_type="application/json")


def test_totals_are_nothing_at_first(client):
    assert client.get("/gateway/simulator/totals").json() == {}


def test_totals_count_what_came_in_and_what_went_back(client, open_checkout):
    for amount in (20_000, 30_008):
        post(client, f"checkout/{open_checkout(amount=amount).id}/pay")
    declined = open_checkout(amount=10_001)
    post(client, f"checkout/{declined.id}/pay")
    payment = Payment.objects.get(amount=20_000)
    kept = gateway().refund(payment_id=payment.id, amount=500, reference="a", idempotency_key="a")
    back = gateway().refund(payment_id=payment.id, amount=70, reference="b", idempotency_key="b")
    post(client, f"refund/{back.id}/fail")

    assert client.get("/gateway/simulator/totals").json() == {
        "CNY": {"paid": 50_007, "refunded": kept.amount, "count": 2}
    }


def test_a_program_pays_like_a_person(client, open_checkout):
    checkout = open_checkout()

    answer = post(client, f"checkout/{checkout.id}/pay", {"method": "alipay", "notice": "twice"})

    assert answer.json() == {
        "session": checkout.id,
        "status": "complete",
        "payment": Payment.objects.get().id,
        "declined": "",
        "success_url": f"https://example.org/paid?session={checkout.id}",
    }
    assert gateway().fetch_checkout(checkout.id).method == "alipay"
    assert client.get("/gateway/simulator/letters").json() == {
        "waiting": 2,
        "accepted": 0,
        "given_up": 0,
    }


@pytest.mark.parametrize(
    ("act", "status", "declined"),
    [
        ("decline", "open", "card_declined"),
        ("no_funds", "open", "insufficient_funds"),
        ("expire", "expired", ""),
    ],
)
def test_a_program_lets_a_payment_fail(client, open_checkout, act, status, declined):
    answer = post(client, f"checkout/{open_checkout().id}/{act}").json()

    assert (answer["status"], answer["declined"]) == (status, declined)


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("checkout/{id}/pay", "{no json", 400),
        ("checkout/{id}/pay", [1], 400),
        ("checkout/{id}/pay", {"notice": "by pigeon"}, 400),
        ("checkout/{id}/pay", {"method": "cash"}, 400),
        ("checkout/{id}/pay", {"delay_s": "soon"}, 400),
        ("checkout/{id}/steal", {}, 400),
        ("checkout/cs_unknown/pay", {}, 404),
        ("refund/re_unknown/fail", {}, 404),
        ("faults", {"kind": "earthquake"}, 400),
    ],
)
def test_a_wrong_wish_is_refused_and_changes_nothing(client, open_checkout, path, body, status):
    checkout = open_checkout()

    answer = post(client, path.format(id=checkout.id), body)

    assert answer.status_code == status
    assert CheckoutSession.objects.get().status == "open"
    assert Payment.objects.count() == Fault.objects.count() == 0


def test_a_closed_page_is_a_conflict(client, open_checkout):
    path = f"checkout/{open_checkout().id}/pay"
    post(client, path)

    assert post(client, path).status_code == 409


def test_a_fault_is_ordered(client):
    post(client, "faults", {"kind": "lost", "where": "POST /v1/refunds", "times": 2})

    fault = Fault.objects.get()
    assert (fault.kind, fault.where, fault.left) == ("lost", "POST /v1/refunds", 2)


def test_the_console_shows_what_happened_and_lets_a_refund_come_back(client, open_checkout):
    checkout = open_checkout()
    post(client, f"checkout/{checkout.id}/pay")
    payment_id = Payment.objects.get().id
    refund = gateway().refund(payment_id=payment_id, amount=1, reference="a", idempotency_key="a")

    page = client.get("/gateway/simulator/").content.decode()
    client.post("/gateway/simulator/", {"refund": refund.id})

    assert checkout.reference in page
    assert refund.id in page
    assert gateway().fetch_refund(refund.id).state == "failed"


def test_the_console_does_not_know_other_refunds(client):
    assert client.post("/gateway/simulator/", {"refund": "re_unknown"}).status_code == 404


def test_without_the_simulator_its_pages_do_not_exist(settings):
    settings.GATEWAY = "stripe"
    importlib.reload(urls)
    try:
        with pytest.raises(NoReverseMatch):
            reverse("gateway_stub:console", urlconf=urls)
    finally:
        settings.GATEWAY = "stub"
        importlib.reload(urls)


def errors():
    return sorted(message.id for message in checks.run_checks() if message.is_serious())


def test_the_demo_starts_with_the_simulator():
    assert errors() == []


def test_production_does_not_start_with_the_simulator(settings):
    settings.PRODUCTION = True
    settings.STRIPE_API_KEY = "sk_live_1"

    assert errors() == ["gateway_stub.E001"]


@pytest.mark.parametrize("key", ["sk_test_1", "sk_test_simulator", "rk_test_1", "pk_live_1", ""])
def test_production_does_not_start_with_a_key_that_is_not_live(settings, key):
    settings.PRODUCTION = True
    settings.STRIPE_API_KEY = key

    assert errors() == ["accounts.E001", "gateway_stub.E001"]
