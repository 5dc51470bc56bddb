"""Placing an order: money set aside once, or nothing at all."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import transaction
from django.utils import timezone

from accounts import escrow
from accounts.errors import NotEnoughMoney, SpendingFrozen
from commissary import catalogue, errors, limits, orders
from commissary.models import Order
from config.middleware import keep_record
from detention import custody, policy
from detention.errors import NotAllowed
from detention.models import AuditRecord, Custody, Role
from tests import situations
from tests.commissary import shop
from tests.queue import queued

pytestmark = pytest.mark.django_db


def test_an_order_sets_its_whole_price_aside_and_names_version_price_and_line_order():
    held, goods = shop.shopper(500_00)
    now = timezone.now()

    order = orders.place(held, shop.envelope(goods, noodles=3, soap=2), by=held, at=now)

    assert order.state == "placed"
    assert shop.money(held) == (500_00, 18_00)
    assert (order.hold.amount, order.hold.remaining) == (18_00, 18_00)
    assert (order.recorded_by, order.approved_by) == (None, None)
    assert order.expires_at == now + timedelta(hours=48)
    assert [
        (line.position, line.product.sku, line.ordered, line.unit_price, line.price.amount)
        for line in order.lines.order_by("position")
    ] == [(1, "noodles", 3, 3_00, 3_00), (2, "soap", 2, 4_50, 4_50)]
    assert AuditRecord.objects.filter(action="order.placed", custody=held).count() == 1


def test_the_same_envelope_again_returns_the_same_order_and_holds_once():
    held, goods = shop.shopper()
    sent = shop.envelope(goods, soap=1)
    first = orders.place(held, sent, by=held, at=timezone.now())

    again = orders.place(held, sent, by=held, at=timezone.now())

    assert again == first
    assert shop.money(held) == (500_00, 4_50)


def test_the_same_envelope_again_is_answered_even_when_the_custody_is_closing():
    held, goods = shop.shopper()
    sent = shop.envelope(goods, soap=1)
    first = orders.place(held, sent, by=held, at=timezone.now())
    _close(held)

    again = orders.place(held, sent, by=held, at=timezone.now())

    assert again == first


def test_the_same_envelope_with_another_body_is_refused_and_recorded():
    held, goods = shop.shopper()
    client_id = uuid4()
    first = orders.place(
        held, shop.envelope(goods, client_id=client_id, soap=1), by=held, at=timezone.now()
    )
    before = shop.moved()

    with pytest.raises(errors.OrderConflict) as refused:
        orders.place(
            held, shop.envelope(goods, client_id=client_id, soap=2), by=held, at=timezone.now()
        )
    keep_record(refused.value)

    assert shop.moved() == before
    assert shop.money(held) == (500_00, 4_50)
    kept = AuditRecord.objects.get(action="order.conflict_refused")
    assert kept.subject_id == first.pk


def test_another_persons_envelope_is_a_conflict_not_their_order():
    held, goods = shop.shopper()
    sent = shop.envelope(goods, soap=1)
    orders.place(held, sent, by=held, at=timezone.now())
    neighbour = situations.funded(situations.held_person(held.facility), 100_00)

    with pytest.raises(errors.OrderConflict):
        orders.place(neighbour, sent, by=neighbour, at=timezone.now())

    assert shop.money(neighbour) == (100_00, 0)


def test_a_tablets_count_is_used_once():
    held, goods = shop.shopper()
    device, _ = situations.enrolled_tablet(held)
    orders.place(
        held, shop.envelope(goods, device=device, sequence=1, soap=1), by=held, at=timezone.now()
    )
    before = shop.moved()

    with pytest.raises(errors.OrderConflict):
        orders.place(
            held,
            shop.envelope(goods, device=device, sequence=1, milk=1),
            by=held,
            at=timezone.now(),
        )

    assert shop.moved() == before
    device.refresh_from_db()
    assert device.last_sequence == 1


def test_a_price_that_rose_asks_again_and_holds_nothing():
    held, goods = shop.shopper()
    shop.reprice(goods["soap"], 5_00)
    before = shop.moved()
    sent = shop.envelope(goods, soap=2, noodles=1)

    with pytest.raises(errors.NeedsConfirmation) as refused:
        orders.place(held, sent, by=held, at=timezone.now())

    assert refused.value.facts["changes"] == [{"sku": "soap", "shown_price": 4_50, "price": 5_00}]
    assert shop.moved() == before
    assert shop.money(held) == (500_00, 0)


def test_a_price_that_fell_is_charged_at_the_lower_price():
    held, goods = shop.shopper()
    shop.reprice(goods["soap"], 4_00)

    order = orders.place(held, shop.envelope(goods, soap=2), by=held, at=timezone.now())

    line = shop.lines(order)["soap"]
    assert (line.shown_price, line.unit_price, line.price.amount) == (4_50, 4_00, 4_00)
    assert shop.money(held) == (500_00, 8_00)


def test_a_withdrawn_product_asks_again_and_holds_nothing():
    held, goods = shop.shopper()
    boss = situations.officer(held.facility, Role.ADMINISTRATOR)
    catalogue.withdraw(goods["soap"], by=boss, at=timezone.now())

    with pytest.raises(errors.NeedsConfirmation) as refused:
        orders.place(held, shop.envelope(goods, soap=1, milk=1), by=held, at=timezone.now())

    assert [line["price"] for line in refused.value.facts["changes"]] == [None]
    assert shop.money(held) == (500_00, 0)


def test_a_product_of_another_facility_is_gone():
    held, _ = shop.shopper()
    _, elsewhere = shop.shopper(0)
    elsewhere["soap"].sku = "only-there"
    elsewhere["soap"].save()

    with pytest.raises(errors.NeedsConfirmation):
        orders.place(held, shop.envelope(elsewhere, soap=1), by=held, at=timezone.now())

    assert Order.objects.count() == 0


def test_more_than_the_person_has_is_refused():
    held, goods = shop.shopper(17_99)
    before = shop.moved()

    with pytest.raises(NotEnoughMoney):
        orders.place(held, shop.envelope(goods, soap=2, noodles=3), by=held, at=timezone.now())

    assert shop.moved() == before
    assert shop.money(held) == (17_99, 0)


def test_money_set_aside_for_one_order_cannot_pay_another():
    held, goods = shop.shopper(30_00)
    shop.place(held, goods, milk=4)

    with pytest.raises(NotEnoughMoney):
        shop.place(held, goods, milk=2)

    assert shop.money(held) == (30_00, 24_00)


def test_the_monthly_limit_counts_what_is_set_aside_and_tells_the_day_it_ends():
    held, goods = shop.shopper(2_000_00)
    _set_policy(held, "spend_limit_month", 50_00)
    shop.place(held, goods, milk=5)  # 30
    before = shop.moved()

    with pytest.raises(limits.OverMonthlyLimit) as refused:
        shop.place(held, goods, milk=4)

    end = limits.month_of(timezone.now(), "Asia/Shanghai").end
    assert refused.value.facts == {"left": 20_00, "limit": 50_00, "again_on": f"{end:%F}"}
    assert "¥20.00" in refused.value.text()
    assert shop.moved() == before


def test_what_came_to_nothing_or_stands_outside_the_limit_does_not_count():
    held, goods = shop.shopper(2_000_00)
    _set_policy(held, "spend_limit_month", 50_00)
    shop.place(held, goods, book=5)
    cancelled = shop.place(held, goods, milk=5)
    orders.cancel(cancelled, by=held, at=timezone.now())

    shop.place(held, goods, milk=5)

    standing = orders.standing_of(held, at=timezone.now())
    assert (standing.usage.spent, standing.usage.orders, standing.room) == (30_00, 2, 20_00)


def test_the_number_of_orders_in_a_month_is_limited():
    held, goods = shop.shopper()
    _set_policy(held, "orders_per_month", 2)
    shop.place(held, goods, soap=1)
    shop.place(held, goods, soap=1)

    with pytest.raises(limits.TooManyOrders):
        shop.place(held, goods, soap=1)

    assert shop.money(held) == (500_00, 9_00)


def test_last_months_orders_leave_this_months_room_alone():
    held, goods = shop.shopper()
    last_month = limits.month_of(timezone.now(), "Asia/Shanghai").start - timedelta(hours=1)
    Order.objects.filter(pk=shop.place(held, goods, soap=1).pk).update(placed_at=last_month)

    assert orders.standing_of(held, at=timezone.now()).usage == limits.Usage(spent=0, orders=0)
    assert orders.standing_of(held, at=last_month).usage == limits.Usage(spent=4_50, orders=1)


def test_more_of_one_product_than_allowed_is_refused():
    held, goods = shop.shopper()

    with pytest.raises(limits.TooManyOfOne) as refused:
        shop.place(held, goods, soap=4)

    assert refused.value.facts["limit"] == 3
    assert shop.money(held) == (500_00, 0)


@pytest.mark.parametrize(
    ("case", "quantity"), [("nothing", 0), ("less than nothing", -1), ("too many", 100)]
)
def test_a_number_nobody_can_carry_is_refused(case, quantity):
    held, goods = shop.shopper()

    with pytest.raises(errors.BadOrder):
        shop.place(held, goods, noodles=quantity)

    assert Order.objects.count() == 0


def test_an_empty_order_and_a_product_named_twice_are_refused():
    held, goods = shop.shopper()
    wish = shop.envelope(goods, soap=1).lines[0]

    for lines in ([], [wish, wish], [wish] * 51):
        sent = orders.Envelope(client_id=uuid4(), catalogue_version=1, lines=lines)
        with pytest.raises(errors.BadOrder):
            orders.place(held, sent, by=held, at=timezone.now())

    assert Order.objects.count() == 0


def test_nobody_orders_once_the_custody_is_closing():
    held, goods = shop.shopper()
    _close(held)
    before, waiting = shop.moved(), queued()

    with pytest.raises(custody.CustodyNotOpen):
        shop.place(held, goods, soap=1)

    assert shop.moved() == before
    assert queued() == waiting


def test_nobody_orders_while_their_spending_is_stopped():
    held, goods = shop.shopper()
    court = situations.officer(held.facility, Role.ADMINISTRATOR)
    with transaction.atomic():
        escrow.stop_spending(held, reason="court order", by=court, at=timezone.now())
    flagged = situations.funded(situations.held_person(held.facility), 100_00)
    Custody.objects.filter(pk=flagged.pk).update(spending_frozen=True)
    before = shop.moved()

    for person in (held, flagged):
        with pytest.raises(SpendingFrozen):
            shop.place(person, goods, soap=1)

    assert shop.moved() == before


def test_a_guard_records_a_paper_order_under_their_own_name():
    held, goods = shop.shopper()
    guard = situations.officer(held.facility)

    order = orders.place(held, shop.envelope(goods, soap=1), by=guard, at=timezone.now())

    assert order.recorded_by == guard
    assert shop.money(held) == (500_00, 4_50)


def test_only_a_guard_of_the_facility_records_orders():
    held, goods = shop.shopper()
    auditor = situations.officer(held.facility, Role.AUDITOR)
    stranger = situations.officer(situations.held_person().facility)

    for officer in (auditor, stranger):
        with pytest.raises(NotAllowed):
            orders.place(held, shop.envelope(goods, soap=1), by=officer, at=timezone.now())

    assert Order.objects.count() == 0


def _set_policy(held, code, value):
    now = timezone.now()
    boss, other = (situations.officer(held.facility, Role.ADMINISTRATOR) for _ in range(2))
    version = policy.propose(held.facility, code, value, effective_at=now, by=boss, at=now)
    policy.approve(version, by=other, at=now)


def _close(held):
    custody.close(
        held,
        reason=Custody.Reason.RELEASED,
        by=situations.officer(held.facility),
        at=timezone.now(),
    )
