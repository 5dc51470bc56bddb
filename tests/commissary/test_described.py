"""What relatives and officers read about purchases."""

import pytest
from django.urls import reverse
from django.utils import timezone

from accounts import statements, trail
from accounts.statements import EVERYTHING
from commissary import fulfilment, orders
from detention import custody
from detention.models import Custody
from tests import situations
from tests.commissary import shop

pytestmark = pytest.mark.django_db


def _details(done, level):
    told = statements.describe([("handover", done.pk)], level)
    return told["handover", done.pk].details


@pytest.mark.parametrize(
    ("level", "details"),
    [
        (Custody.Visible.AMOUNTS, ()),
        (Custody.Visible.CATEGORIES, ("daily类", "food类", "其他商品")),
        (Custody.Visible.PRODUCTS, ("soap品 × 2", "milk品 × 1", "noodles品 × 1", "其他商品")),
        (EVERYTHING, ("soap品 × 2", "milk品 × 1", "noodles品 × 1", "ointment品 × 1")),
    ],
)
def test_medical_goods_are_masked_at_every_level_but_the_officers(level, details):
    done = shop.handed_over(soap=2, milk=1, noodles=1, ointment=1)

    assert _details(done, level) == details


def test_what_was_cut_to_nothing_is_not_told():
    order = shop.picked(soap=1, milk=1)
    soap = shop.lines(order)["soap"]
    done = fulfilment.hand_over(
        order,
        delivered={soap.pk: 0},
        reasons={soap.pk: "damaged"},
        signature=shop.SIGNED,
        by=situations.officer(order.facility),
        at=timezone.now(),
    )

    assert _details(done, EVERYTHING) == ("milk品 × 1",)


def test_the_relatives_statement_shows_the_purchase_at_the_level_chosen():
    link = situations.verified_link()
    held = situations.funded(link.custody, 100_00)
    goods = shop.open_shop(held.facility)
    custody.choose_visible(held, Custody.Visible.PRODUCTS, by=held, at=timezone.now())
    guard = situations.officer(held.facility)
    order = shop.place(held, goods, soap=1, ointment=1)
    fulfilment.hand_over(
        fulfilment.pick(_approved(order, guard), by=guard, at=timezone.now()),
        signature=shop.SIGNED,
        by=guard,
        at=timezone.now(),
    )
    link.custody.refresh_from_db()

    (row,) = statements.for_relative(link).rows

    assert (row.amount, row.described.text) == (-16_50, "购物")
    assert row.described.details == ("soap品 × 1", "其他商品")


def _approved(order, guard):
    return orders.approve(order, by=guard, at=timezone.now())


def test_the_trail_finds_an_order_by_its_number_and_only_at_home():
    done = shop.handed_over()
    order = done.order

    here = trail.search(order.facility, order.number.lower())
    elsewhere = trail.search(situations.held_person().facility, order.number)

    assert [doc for doc, _told in here.documents] == [("order", order.pk), ("handover", done.pk)]
    assert {told.url for _doc, told in here.documents} == {reverse("order", args=[order.public_id])}
    assert elsewhere.documents == []


def test_many_documents_are_told_with_a_fixed_number_of_questions(django_assert_num_queries):
    first, second, third = (shop.handed_over() for _ in range(3))

    for some in ([first], [first, second, third]):
        with django_assert_num_queries(4):
            statements.describe([("handover", done.pk) for done in some], EVERYTHING)
