"""The tablet's JSON doors: who, which shape, which answer."""

import json
from uuid import uuid4

import pytest
from django.utils import timezone

from commissary import orders
from commissary.models import Order
from detention import custody, devices
from detention.models import Custody
from tests import situations
from tests.commissary import shop

pytestmark = pytest.mark.django_db


class Tablet:
    """A tablet that speaks to the real doors through the test client."""

    def __init__(self, client, held, token):
        self.client, self.held, self.token, self.session, self.sequence = client, held, token, "", 0

    def call(self, method, path, body=None, **headers):
        sent = {"Authorization": f"Bearer {self.token}", "Accept-Language": "en", **headers}
        if self.session:
            sent["X-Tablet-Session"] = self.session
        return getattr(self.client, method)(
            f"/api/tablet/{path}",
            **({"data": body, "content_type": "application/json"} if body is not None else {}),
            headers=sent,
        )

    def sign_in(self, pin=situations.PIN):
        answer = self.call("post", "sign-in", {"number": self.held.number, "pin": pin})
        self.session = answer.json().get("session", "")
        return answer

    def envelope(self, *, client_id=None, **wanted):
        self.sequence += 1
        return {
            "client_id": str(client_id or uuid4()),
            "sequence": self.sequence,
            "catalogue_version": 1,
            "lines": [
                {"sku": sku, "quantity": n, "shown_price": shop.GOODS[sku][2]}
                for sku, n in wanted.items()
            ],
        }


@pytest.fixture
def tablet(client):
    held, _ = shop.shopper(100_00)
    _, token = situations.enrolled_tablet(held)
    tablet = Tablet(client, held, token)
    tablet.sign_in()
    return tablet


def test_an_officers_code_enrols_the_tablet_once(client):
    held = situations.held_person()
    now = timezone.now()
    invited = devices.invite(held.cell, name="T1", by=situations.officer(held.facility), at=now)

    def enrol():
        return client.post(
            "/api/tablet/enrol", {"code": invited.code}, content_type="application/json"
        )

    first, again = enrol(), enrol()

    assert first.status_code == 200
    assert devices.by_token(first.json()["token"]) == invited.device
    assert first.json()["cell"] == held.cell.code
    assert (again.status_code, again.json()["code"]) == (404, "bad_enrolment_code")


def test_guessing_codes_is_slowed_down(client):
    answers = [
        client.post(
            "/api/tablet/enrol", {"code": f"AAAA{n}"}, content_type="application/json"
        ).status_code
        for n in range(12)
    ]

    assert answers == [404] * 10 + [429] * 2


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("get", "shelf"),
        ("get", "me"),
        ("get", "orders"),
        ("post", "orders"),
        ("post", "sign-in"),
        ("post", "sign-out"),
        ("post", f"orders/{uuid4()}/cancel"),
    ],
)
def test_a_tablet_nobody_enrolled_is_answered_401(client, method, path):
    answer = getattr(client, method)(
        f"/api/tablet/{path}", headers={"Authorization": "Bearer guessed"}
    )

    assert (answer.status_code, answer.json()["code"]) == (401, "device_unknown")
    assert answer["Content-Type"] == "application/problem+json"


@pytest.mark.parametrize(
    ("method", "path"), [("get", "me"), ("get", "orders"), ("post", f"orders/{uuid4()}/cancel")]
)
def test_nobody_signed_in_is_answered_401(tablet, method, path):
    tablet.session = ""

    answer = tablet.call(method, path)

    assert (answer.status_code, answer.json()["code"]) == (401, "sign_in_needed")


def test_an_officers_browser_session_is_worth_nothing_here(client):
    held, _ = shop.shopper()
    client.force_login(situations.officer(held.facility))

    assert client.get("/api/tablet/shelf").status_code == 401


def test_a_wrong_pin_is_counted_and_answered_alike(tablet):
    wrong = tablet.sign_in(pin="0000")

    assert (wrong.status_code, wrong.json()["code"]) == (403, "wrong_pin")
    tablet.held.refresh_from_db()
    assert tablet.held.pin_failures == 1


def test_the_shelf_shows_prices_in_both_languages_and_its_number(tablet):
    answer = tablet.call("get", "shelf")

    shelf = answer.json()
    assert [category["code"] for category in shelf["categories"]] == [
        "daily",
        "food",
        "books",
        "medical",
    ]
    assert shelf["products"][0] == {
        "sku": "soap",
        "category": "daily",
        "name_zh": "soap品",
        "name_en": "Soap",
        "unit_zh": "个",
        "unit_en": "piece",
        "picture": "/static/commissary/products/soap.svg",
        "price": 4_50,
        "max_per_order": 3,
        "outside_limit": False,
    }
    assert [product["sku"] for product in shelf["products"] if product["outside_limit"]] == ["book"]


def test_an_unchanged_shelf_is_not_sent_again_and_a_new_price_is(tablet):
    first = tablet.call("get", "shelf")
    tag = first["ETag"]

    same = tablet.call("get", "shelf", **{"If-None-Match": tag})
    product = tablet.held.facility.products.get(sku="soap")
    shop.reprice(product, 4_00)
    changed = tablet.call("get", "shelf", **{"If-None-Match": tag})

    assert (same.status_code, same.content) == (304, b"")
    assert changed.status_code == 200
    assert changed.json()["catalogue_version"] > first.json()["catalogue_version"]


def test_me_shows_a_masked_name_the_balance_and_the_room_left(tablet):
    tablet.call("post", "orders", tablet.envelope(soap=2))

    me = tablet.call("get", "me")

    assert me["Cache-Control"] == "no-store"
    assert "王小明" not in me.content.decode()
    body = me.json()
    assert (body["name"], body["balance"]) == ("王*明", 91_00)
    assert (body["limit"]["amount"], body["limit"]["room"]) == (600_00, 591_00)
    assert (body["limit"]["orders"], body["limit"]["orders_left"]) == (8, 7)


def test_an_order_is_answered_with_its_number_state_and_total(tablet):
    sent = tablet.envelope(soap=2, noodles=1)

    answer = tablet.call("post", "orders", sent)

    body = answer.json()
    order = Order.objects.get()
    assert answer.status_code == 200
    assert (body["id"], body["number"]) == (str(order.public_id), order.number)
    assert (body["state"], body["total"], body["can_cancel"]) == ("placed", 12_00, True)
    assert [(line["sku"], line["ordered"]) for line in body["lines"]] == [
        ("soap", 2),
        ("noodles", 1),
    ]
    assert (order.device.pk, order.sequence) == (devices.by_token(tablet.token).pk, 1)
    assert order.hold.journal.source == "tablet"


def test_the_same_envelope_twice_is_one_order_and_one_answer(tablet):
    sent = tablet.envelope(soap=1)

    first, again = (tablet.call("post", "orders", sent) for _ in range(2))

    assert first.json() == again.json()
    assert shop.money(tablet.held) == (100_00, 4_50)


def test_the_same_envelope_with_another_body_is_answered_409(tablet):
    sent = tablet.envelope(soap=1)
    tablet.call("post", "orders", sent)
    sent["lines"][0]["quantity"] = 2

    answer = tablet.call("post", "orders", sent)

    assert (answer.status_code, answer.json()["code"]) == (409, "idempotency_conflict")
    assert shop.money(tablet.held) == (100_00, 4_50)


def test_a_price_that_rose_is_told_with_both_prices(tablet):
    shop.reprice(tablet.held.facility.products.get(sku="soap"), 5_00)

    answer = tablet.call("post", "orders", tablet.envelope(soap=1))

    assert (answer.status_code, answer.json()["code"]) == (409, "needs_confirmation")
    assert answer.json()["facts"]["changes"] == [{"sku": "soap", "shown_price": 450, "price": 500}]
    assert shop.money(tablet.held) == (100_00, 0)


@pytest.mark.parametrize(
    ("language", "sentence"),
    [
        ("en", "There is not enough money in the account."),
        ("zh-CN", "账户余额不足。"),
    ],
)
def test_too_little_money_is_told_in_the_persons_language(tablet, language, sentence):
    answer = tablet.call("post", "orders", tablet.envelope(book=5), **{"Accept-Language": language})

    assert (answer.status_code, answer.json()["code"]) == (409, "insufficient_funds")
    assert answer.json()["detail"] == sentence
    assert shop.money(tablet.held) == (100_00, 0)


def _broken(**changes):
    return lambda sent: {**sent, **changes}


def _line(**changes):
    return lambda sent: {**sent, "lines": [{**sent["lines"][0], **changes}]}


@pytest.mark.parametrize(
    ("case", "spoil"),
    [
        ("no lines", _broken(lines=[])),
        ("51 lines", lambda sent: {**sent, "lines": sent["lines"] * 51}),
        ("one product twice", lambda sent: {**sent, "lines": sent["lines"] * 2}),
        ("quantity 0", _line(quantity=0)),
        ("quantity 100", _line(quantity=100)),
        ("negative quantity", _line(quantity=-1)),
        ("quantity as text", _line(quantity="1")),
        ("half a piece", _line(quantity=1.5)),
        ("quantity true", _line(quantity=True)),
        ("price 0", _line(shown_price=0)),
        ("price beyond any limit", _line(shown_price=10**13)),
        ("price as a float", _line(shown_price=4.5)),
        ("unknown field", _line(discount=1)),
        ("no client id", lambda sent: {k: v for k, v in sent.items() if k != "client_id"}),
        ("client id that is none", _broken(client_id="1")),
        ("sequence 0", _broken(sequence=0)),
        ("sequence beyond 64 bits", _broken(sequence=10**30)),
        ("device clock without zone", _broken(placed_at="2026-11-22T10:00:00")),
        ("a list", lambda sent: [sent]),
    ],
)
def test_a_broken_envelope_is_refused_and_moves_nothing(tablet, case, spoil):
    before = shop.moved()

    answer = tablet.call("post", "orders", json.dumps(spoil(tablet.envelope(soap=1))))

    assert answer.status_code == 422, case
    assert answer["Content-Type"] == "application/problem+json"
    assert shop.moved() == before
    assert shop.money(tablet.held) == (100_00, 0)


def test_a_body_that_is_no_json_is_answered_400(tablet):
    answer = tablet.call("post", "orders", "lines=1")

    assert (answer.status_code, answer.json()["code"]) == (400, "unreadable")
    assert Order.objects.count() == 0


def test_own_orders_are_listed_newest_first_and_nobody_elses(tablet):
    neighbour = situations.funded(situations.held_person(tablet.held.facility), 100_00)
    goods = {product.sku: product for product in tablet.held.facility.products.all()}
    shop.place(neighbour, goods, milk=1)
    older = shop.place(tablet.held, goods, soap=1)
    newer = shop.place(tablet.held, goods, soap=2)

    answer = tablet.call("get", "orders").json()["orders"]

    assert [order["number"] for order in answer] == [newer.number, older.number]


def test_a_rejected_order_tells_its_reason(tablet):
    goods = {product.sku: product for product in tablet.held.facility.products.all()}
    order = shop.place(tablet.held, goods, soap=1)
    guard = situations.officer(order.facility)
    orders.reject(order, reason="out_of_stock", by=guard, at=timezone.now())

    (told,) = tablet.call("get", "orders").json()["orders"]

    assert (told["state"], told["reason"]) == ("rejected", "out_of_stock")


def test_an_own_order_is_cancelled_and_the_money_is_back(tablet):
    placed = tablet.call("post", "orders", tablet.envelope(soap=1)).json()

    answer = tablet.call("post", f"orders/{placed['id']}/cancel", {})

    assert (answer.status_code, answer.json()["state"]) == (200, "cancelled")
    assert shop.money(tablet.held) == (100_00, 0)


def test_another_persons_order_cannot_be_cancelled(tablet):
    neighbour = situations.funded(situations.held_person(tablet.held.facility), 100_00)
    goods = {product.sku: product for product in tablet.held.facility.products.all()}
    theirs = shop.place(neighbour, goods, milk=1)

    answer = tablet.call("post", f"orders/{theirs.public_id}/cancel", {})

    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
    assert shop.money(neighbour) == (100_00, 6_00)


def test_nothing_is_ordered_once_the_custody_is_closing(tablet):
    custody.close(
        tablet.held,
        reason=Custody.Reason.RELEASED,
        by=situations.officer(tablet.held.facility),
        at=timezone.now(),
    )

    answer = tablet.call("post", "orders", tablet.envelope(soap=1))

    assert (answer.status_code, answer.json()["code"]) == (409, "custody_not_open")
    assert Order.objects.count() == 0


def test_signing_out_ends_the_session(tablet):
    left = tablet.call("post", "sign-out")

    assert left.status_code == 204
    assert tablet.call("get", "me").status_code == 401
