"""The trail: from a deposit to what it paid for and back, in at most three clicks."""

import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts import trail
from accounts.ledger.models import Journal
from commissary import fulfilment, orders
from detention.models import Role
from tests import situations
from tests.commissary import shop

pytestmark = pytest.mark.django_db


@pytest.fixture
def bought():
    """Return a deposit and the hand-over of goods that were paid from it."""
    held, goods = shop.shopper(0)
    deposit = situations.credited_deposit(situations.verified_link(held), 50_000)
    return deposit, _buy(held, goods)


def _buy(held, goods):
    order = shop.place(held, goods, soap=2)
    guards = [situations.officer(held.facility) for _ in range(2)]
    now = timezone.now()
    orders.approve(order, by=guards[0], at=now)
    fulfilment.pick(order, by=guards[0], at=now)
    return fulfilment.hand_over(order, signature=shop.SIGNED, by=guards[1], at=now)


@pytest.fixture
def auditor(client, bought):
    client.force_login(situations.officer(bought[0].facility, Role.AUDITOR))
    return client


def links(page):
    return set(re.findall(r'href="(/office/[^"]+)"', page.content.decode()))


def captured():
    return Journal.objects.get(kind="order_captured")


def test_from_a_deposit_to_the_goods_in_at_most_three_clicks(auditor, bought):
    deposit, done = bought
    paid_for_goods = reverse("trail_journal", args=[captured().pk])
    about_it = reverse("trail_document", args=["handover", done.pk])

    found = auditor.get(reverse("trail"), {"q": deposit.number})
    one = auditor.get(reverse("desk_deposit", args=[deposit.number]))
    two = auditor.get(paid_for_goods)
    three = auditor.get(about_it)

    assert reverse("desk_deposit", args=[deposit.number]) in links(found)
    assert paid_for_goods in links(one)
    assert about_it in links(two)
    assert three.status_code == 200


def test_from_the_goods_back_to_the_deposit_in_at_most_three_clicks(auditor, bought):
    deposit, done = bought

    one = auditor.get(reverse("trail_document", args=["handover", done.pk]))

    assert reverse("desk_deposit", args=[deposit.number]) in links(one)


def test_the_trail_of_a_deposit_says_what_was_spent_and_what_is_left(bought):
    deposit, done = bought

    (step,) = trail.of_deposit(deposit)

    (use,) = step.spent_later
    assert (use.amount, use.journal) == (done.captured, captured())
    assert step.opened[0].remaining == 50_000 - done.captured


def test_the_journal_of_the_goods_names_the_lots_it_was_paid_from(bought):
    deposit, done = bought

    step = trail.journal(deposit.facility, captured().pk)

    (source,) = step.paid_from
    assert (source.amount, source.document.reference) == (done.captured, deposit.number)
    assert step.spent_later == []


def test_another_facilitys_officer_finds_nothing(client, bought):
    deposit, done = bought
    elsewhere = situations.held_person().facility
    client.force_login(situations.officer(elsewhere, Role.AUDITOR))

    answers = [
        client.get(reverse("desk_deposit", args=[deposit.number])),
        client.get(reverse("trail_journal", args=[captured().pk])),
        client.get(reverse("trail_document", args=["handover", done.pk])),
        client.get(reverse("trail_document", args=["deposit", deposit.pk])),
        client.get(reverse("trail_person", args=[deposit.custody.public_id])),
    ]
    searched = client.get(reverse("trail"), {"q": deposit.custody.number})

    assert [answer.status_code for answer in answers] == [404] * 5
    assert "data-found" not in searched.content.decode()


@pytest.mark.parametrize("by", ["deposit number", "custody number", "name"])
def test_search_finds_by_number_and_by_name(auditor, bought, by):
    deposit, _done = bought
    asked = {
        "deposit number": deposit.number.lower(),
        "custody number": deposit.custody.number,
        "name": deposit.custody.detainee.name,
    }[by]

    page = auditor.get(reverse("trail"), {"q": asked}).content.decode()

    assert page.count("data-found") == 1
    assert deposit.custody.detainee.name not in page.replace(f'value="{asked}"', "")


def test_an_auditor_sees_no_buttons_to_decide_with(client):
    waiting = situations.waiting_deposit()
    client.force_login(situations.officer(waiting.facility, Role.AUDITOR))

    page = client.get(reverse("desk_deposit", args=[waiting.number])).content.decode()

    assert "data-form" not in page


def test_the_trail_finds_an_order_by_its_number_and_leads_to_its_page(auditor, bought):
    _deposit, done = bought

    found = auditor.get(reverse("trail"), {"q": done.order.number})
    about = auditor.get(reverse("trail_document", args=["handover", done.pk]))

    assert reverse("trail_document", args=["handover", done.pk]) in links(found)
    page = about.content.decode()
    assert reverse("order", args=[done.order.public_id]) in page


def test_the_steps_of_a_deposit_cost_the_same_however_much_was_bought(bought):
    deposit, done = bought
    with CaptureQueriesContext(connection) as once:
        trail.of_deposit(deposit)

    goods = {line.product.sku: line.product for line in done.order.lines.all()}
    _buy(deposit.custody, goods)
    _buy(deposit.custody, goods)
    with CaptureQueriesContext(connection) as thrice:
        (step,) = trail.of_deposit(deposit)

    # refunds, journals, entries, lots, uses, deposits, hand-overs with lines, products, categories
    assert (len(once), len(thrice)) == (10, 10)
    assert len(step.spent_later) == 3
