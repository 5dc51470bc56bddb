"""The simulator holds requests and answers to the SDK's own classes."""

from __future__ import annotations

import json
from urllib.parse import urlencode

import pytest
import stripe
from django.utils import timezone

from accounts.gateways.stub import server, shapes
from accounts.gateways.stub.models import CheckoutSession
from accounts.gateways.stub.parameters import ApiError, checked, decode

GOOD = {
    "mode": "payment",
    "client_reference_id": "r1",
    "allowed_payment_method_types[0]": "card",
    "line_items[0][quantity]": "1",
    "line_items[0][price_data][currency]": "cny",
    "line_items[0][price_data][unit_amount]": "500",
    "line_items[0][price_data][product_data][name]": "Deposit",
    "success_url": "https://example.org/paid",
    "locale": "zh",
}


def ask(method, path, given=None, *, authorization="Bearer sk_test_x"):
    answer = server.answer(
        server.Request(
            method=method,
            path=path,
            text=urlencode(given or {}),
            authorization=authorization,
            idempotency_key="",
            at=timezone.now(),
        )
    )
    return answer.status, json.loads(answer.body)


def test_decode_builds_the_tree():
    assert decode("a[0][b]=1&a[1][b]=&c=x%20y") == {
        "a": {"0": {"b": "1"}, "1": {"b": ""}},
        "c": "x y",
    }


def test_checked_gives_numbers_and_lists():
    assert checked(
        stripe.params.checkout.SessionListParams, "created[gte]=5&limit=3&expand[]=a"
    ) == {
        "created": {"gte": 5},
        "limit": 3,
        "expand": ["a"],
    }


@pytest.mark.django_db
def test_the_good_request_is_served():
    status, session = ask("POST", "/v1/checkout/sessions", GOOD)

    assert (status, session["amount_total"], session["status"]) == (200, 500, "open")


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("changes", "param"),
    [
        ({"payment_method_types[0]": "card"}, "payment_method_types"),
        ({"line_items[0][price_data][tax]": "1"}, "line_items[0][price_data][tax]"),
        ({"mode": "gift"}, "mode"),
        ({"mode": "setup"}, "mode"),
        ({"mode": None}, "mode"),
        ({"success_url": None}, "success_url"),
        ({"locale": "tlh"}, "locale"),
        ({"expires_at": "soon"}, "expires_at"),
        ({"expires_at": "1"}, "expires_at"),
        ({"line_items": "x"}, "line_items"),
        (
            {"line_items[0][price_data][currency]": None},
            "line_items[0][price_data][currency]",
        ),
        (
            {"line_items[0][price_data][unit_amount]": "5.5"},
            "line_items[0][price_data][unit_amount]",
        ),
        ({"line_items[0][quantity]": "2"}, "line_items"),
        ({"allowed_payment_method_types[0]": "barter"}, "allowed_payment_method_types[0]"),
        ({"allowed_payment_method_types[0]": "wechat_pay"}, "allowed_payment_method_types"),
        ({"allow_promotion_codes": "true"}, "allow_promotion_codes"),
        ({"client_reference_id": "r" * 201}, "client_reference_id"),
        ({"expand[0]": "customer"}, "expand"),
    ],
    ids=[
        "outdated name",
        "unknown name deep inside",
        "unknown word",
        "word the simulator does not play",
        "missing mode",
        "missing address",
        "unknown language",
        "time not a number",
        "time in the past",
        "text in place of a list",
        "missing deep inside",
        "half a fen",
        "two pieces",
        "unknown way to pay",
        "way to pay not played",
        "known to Stripe, not played",
        "reference too long",
        "not to be expanded",
    ],
)
def test_a_wrong_parameter_is_refused_and_named(changes, param):
    given = {name: value for name, value in (GOOD | changes).items() if value is not None}
    if "line_items" in changes:
        given = {name: value for name, value in given.items() if "[price" not in name}
        given.pop("line_items[0][quantity]")

    status, answer = ask("POST", "/v1/checkout/sessions", given)

    assert (status, answer["error"].get("param")) == (400, param)
    assert CheckoutSession.objects.count() == 0


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("method", "path", "given", "status"),
    [
        ("GET", "/v1/customers", {}, 404),
        ("DELETE", "/v1/refunds", {}, 404),
        ("GET", "/v1/checkout/sessions", {"limit": "0"}, 400),
        ("GET", "/v1/checkout/sessions", {"limit": "101"}, 400),
        ("GET", "/v1/checkout/sessions", {"starting_after": "cs_unknown"}, 404),
        ("GET", "/v1/checkout/sessions", {"status": "open"}, 400),
        ("GET", "/v1/refunds", {"charge": "ch_1"}, 400),
        ("POST", "/v1/checkout/sessions/cs_unknown/expire", {}, 404),
    ],
)
def test_a_request_the_simulator_does_not_play_is_refused(method, path, given, status):
    assert ask(method, path, given)[0] == status


@pytest.mark.django_db
def test_only_an_open_page_expires():
    _status, session = ask("POST", "/v1/checkout/sessions", GOOD)
    path = f"/v1/checkout/sessions/{session['id']}/expire"

    assert ask("POST", path)[1]["status"] == "expired"
    assert ask("POST", path)[0] == 400


@pytest.mark.parametrize("authorization", ["", "Bearer pk_test_1", "Basic sk_test_1"])
def test_a_request_without_a_secret_test_key_is_turned_away(authorization):
    assert ask("GET", "/v1/refunds", authorization=authorization)[0] == 401


def test_an_answer_with_a_field_the_sdk_does_not_know_is_a_mistake():
    with pytest.raises(AssertionError, match="colour"):
        shapes.shape(stripe.Refund, colour="red")


def test_an_answer_without_a_field_the_sdk_needs_is_a_mistake():
    with pytest.raises(AssertionError, match="Refund needs"):
        shapes.shape(stripe.Refund, id="re_1")


def test_a_nested_text_is_no_object():
    with pytest.raises(ApiError):
        checked(stripe.params.RefundCreateParams, "metadata=x")
