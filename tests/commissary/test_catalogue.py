"""The shelf and its prices: two officers, never back in time, a number that only grows."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction
from django.urls import reverse
from django.utils import timezone

from commissary import catalogue, orders
from commissary.models import Price, Product
from detention.errors import NotAllowed, WrongMove
from detention.models import AuditRecord, Role
from detention.verbs import keep_record
from tests import situations
from tests.commissary import shop

pytestmark = pytest.mark.django_db


@pytest.fixture
def goods():
    return shop.open_shop(situations.held_person().facility)


def _boss(product):
    return situations.officer(product.facility, Role.ADMINISTRATOR)


def _proposed(product, fen=5_00, *, by=None, effective_at=None):
    now = timezone.now()
    return catalogue.propose_price(
        product, fen, effective_at=effective_at or now, by=by or _boss(product), at=now
    )


def _price(product):
    shelf = catalogue.shelf(product.facility, at=timezone.now())
    return next((p.amount for p in shelf.prices if p.product == product), None)


def test_a_proposed_price_counts_only_once_another_officer_approved_it(goods):
    price = _proposed(goods["soap"])
    assert _price(goods["soap"]) == 4_50

    catalogue.approve_price(price, by=shop.finance(goods["soap"].facility), at=timezone.now())

    assert _price(goods["soap"]) == 5_00


def test_the_proposer_cannot_decide_and_the_attempt_is_kept(goods):
    boss = _boss(goods["soap"])
    price = _proposed(goods["soap"], by=boss)

    with pytest.raises(catalogue.PriceSelfApproval) as refused:
        catalogue.approve_price(price, by=boss, at=timezone.now())
    keep_record(refused.value)
    with pytest.raises(catalogue.PriceSelfApproval):
        catalogue.reject_price(price, by=boss, at=timezone.now())

    assert Price.objects.get(pk=price.pk).state == "proposed"
    assert _price(goods["soap"]) == 4_50
    assert AuditRecord.objects.filter(action="price.self_approval_refused").count() == 1


@pytest.mark.parametrize("state", ["approved", "rejected"])
def test_the_database_refuses_a_price_behind_which_one_officer_stands(goods, state):
    price = _proposed(goods["soap"])
    row = Price.objects.filter(pk=price.pk)

    for officer in (price.proposed_by, None):
        with pytest.raises(IntegrityError, match="price_two_officers"), transaction.atomic():
            row.update(state=state, approved_by=officer)


def test_a_price_is_decided_once(goods):
    price = _proposed(goods["soap"])
    other = shop.finance(goods["soap"].facility)
    catalogue.reject_price(price, by=other, at=timezone.now())

    with pytest.raises(WrongMove):
        catalogue.approve_price(price, by=other, at=timezone.now())

    assert _price(goods["soap"]) == 4_50


def test_a_price_never_begins_before_it_was_approved(goods):
    past = timezone.now() - timedelta(days=30)
    price = _proposed(goods["soap"], effective_at=past)
    now = timezone.now()

    done = catalogue.approve_price(price, by=shop.finance(price.product.facility), at=now)

    assert done.effective_at == now


def test_a_price_approved_ahead_begins_on_its_day_and_so_does_the_catalogue(goods):
    soap = goods["soap"]
    tomorrow = timezone.now() + timedelta(days=1)
    price = _proposed(soap, effective_at=tomorrow)
    catalogue.approve_price(price, by=shop.finance(soap.facility), at=timezone.now())

    before, after = (
        catalogue.shelf(soap.facility, at=at) for at in (tomorrow - timedelta(seconds=1), tomorrow)
    )

    assert [p.amount for p in before.prices if p.product == soap] == [4_50]
    assert [p.amount for p in after.prices if p.product == soap] == [5_00]
    assert after.version == before.version + 1


def test_the_same_price_is_not_proposed_again(goods):
    with pytest.raises(catalogue.PriceUnchanged) as refused:
        _proposed(goods["soap"], 4_50)

    assert "¥4.50" in refused.value.text()


def test_a_shop_is_filled_through_the_verbs_once():
    facility = situations.held_person().facility
    boss, now = situations.officer(facility, Role.ADMINISTRATOR), timezone.now()

    def fill():
        shelf = catalogue.add_category(
            facility, code="daily", name_zh="日用", name_en="Daily", picture="x", by=boss, at=now
        )
        vendor = catalogue.add_vendor(facility, name="Vendor", by=boss, at=now)
        return shelf, vendor

    shelf, vendor = fill()
    assert fill() == (shelf, vendor)
    product = catalogue.add_product(
        shelf,
        vendor=vendor,
        sku="soap",
        name_zh="香皂",
        name_en="Soap",
        unit_zh="块",
        unit_en="bar",
        picture="soap",
        most_per_order=3,
        by=boss,
        at=now,
    )

    assert _price(product) is None
    shop.reprice(product, 4_50)
    assert _price(product) == 4_50
    assert catalogue.version(facility, at=timezone.now()) == 3


def test_every_change_of_the_shelf_gives_it_a_higher_number(goods):
    soap = goods["soap"]
    numbers = [catalogue.version(soap.facility, at=timezone.now())]
    for change in (catalogue.withdraw, catalogue.offer):
        change(soap, by=_boss(soap), at=timezone.now())
        numbers.append(catalogue.version(soap.facility, at=timezone.now()))
    shop.reprice(soap, 5_00)
    numbers.append(catalogue.version(soap.facility, at=timezone.now()))

    assert numbers == sorted(set(numbers))


def test_a_withdrawn_product_leaves_the_shelf_and_its_orders_go_on(goods):
    held = situations.funded(situations.held_person(goods["soap"].facility), 100_00)
    order = shop.place(held, goods, soap=1)
    catalogue.withdraw(goods["soap"], by=_boss(goods["soap"]), at=timezone.now())

    assert _price(goods["soap"]) is None
    done = orders.approve(order, by=situations.officer(order.facility), at=timezone.now())
    assert done.state == "approved"


def test_only_the_office_of_the_facility_touches_its_shelf(goods):
    soap = goods["soap"]
    stranger = _boss(shop.open_shop(situations.held_person().facility)["soap"])
    for officer in (situations.officer(soap.facility), stranger):
        with pytest.raises(NotAllowed):
            _proposed(soap, by=officer)
        with pytest.raises(NotAllowed):
            catalogue.withdraw(soap, by=officer, at=timezone.now())

    assert _price(soap) == 4_50


def test_a_product_number_is_taken_once_and_vendor_and_shelf_are_of_one_house(goods):
    soap = goods["soap"]
    elsewhere = shop.open_shop(situations.held_person().facility)["soap"]
    new = {
        "name_zh": "皂",
        "name_en": "Soap",
        "unit_zh": "块",
        "unit_en": "bar",
        "picture": "soap",
        "most_per_order": 1,
        "by": _boss(soap),
        "at": timezone.now(),
    }

    with pytest.raises(catalogue.SkuTaken):
        catalogue.add_product(soap.category, vendor=soap.vendor, sku="soap", **new)
    with pytest.raises(catalogue.ElsewhereProduct):
        catalogue.add_product(soap.category, vendor=elsewhere.vendor, sku="new", **new)

    assert Product.objects.filter(facility=soap.facility).count() == len(shop.GOODS)


def test_the_office_proposes_on_one_page_and_another_officer_approves_on_the_other(client, goods):
    soap = goods["soap"]
    boss, other = _boss(soap), shop.finance(soap.facility)
    client.force_login(boss)

    proposed = client.post(reverse("product", args=[soap.public_id]), {"amount": "￥５.20"})
    mine = client.get(reverse("products")).content.decode()
    price = Price.objects.get(state="proposed")
    decide = reverse("decide_price", args=[price.public_id])
    by_hand = client.post(decide, {"approve": "on"})
    client.force_login(other)
    approved = client.post(decide, {"approve": "on"})

    assert proposed.status_code == 302
    assert (decide in mine, "¥5.20" in mine) == (False, True)
    assert (by_hand.status_code, approved.status_code) == (403, 302)
    assert _price(soap) == 5_20


@pytest.mark.parametrize("amount", ["", "0", "-1", "1.234", "1e3", "五元", "4.50"])
def test_an_amount_that_cannot_be_a_price_is_told_at_its_field(client, goods, amount):
    client.force_login(_boss(goods["soap"]))

    answer = client.post(reverse("product", args=[goods["soap"].public_id]), {"amount": amount})

    assert answer.status_code == 422
    assert Price.objects.filter(state="proposed").count() == 0
