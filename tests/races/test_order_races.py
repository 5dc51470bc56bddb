"""Orders at the same moment: two tablets, two guards, one hand-over, a release in between."""

from __future__ import annotations

import pytest
from django.utils import timezone

from accounts.errors import NotEnoughMoney
from accounts.ledger import proofs
from commissary import errors, fulfilment, limits, orders
from commissary.models import HandOver, Order
from detention import custody
from detention.models import Custody
from tests import situations
from tests.commissary import shop

pytestmark = [pytest.mark.race, pytest.mark.usefixtures("race_db")]


def _placing(held, sent):
    return lambda: orders.place(held, sent, by=held, at=timezone.now())


def _kinds(results):
    return sorted(
        type(result).__name__ if isinstance(result, Exception) else "done" for result in results
    )


def test_two_tablets_of_one_person_cannot_spend_the_same_money(together):
    held, goods = shop.shopper(30_00)
    calls = [_placing(held, shop.envelope(goods, milk=4)) for _ in range(4)]

    results = together(calls, threads=4)

    assert _kinds(results) == ["NotEnoughMoney"] * 3 + ["done"]
    assert all(isinstance(r, (Order, NotEnoughMoney)) for r in results)
    assert shop.money(held) == (30_00, 24_00)
    assert Order.objects.filter(custody=held).count() == 1


def test_two_tablets_of_one_person_cannot_break_the_limit_together(together):
    held, goods = shop.shopper(2_000_00)
    calls = [_placing(held, shop.envelope(goods, noodles=10, milk=5)) for _ in range(12)]

    results = together(calls, threads=4)

    assert _kinds(results) == ["TooManyOrders"] * 4 + ["done"] * 8
    assert any(isinstance(r, limits.TooManyOrders) for r in results)
    assert shop.money(held) == (2_000_00, 480_00)


def test_the_same_envelope_from_everywhere_at_once_is_one_order(together):
    held, goods = shop.shopper()
    device, _ = situations.enrolled_tablet(held)
    sent = shop.envelope(goods, device=device, sequence=1, soap=1)

    results = together([_placing(held, sent)] * 6, threads=6)

    assert {result.pk for result in results} == {Order.objects.get(custody=held).pk}
    assert shop.money(held) == (500_00, 4_50)


def test_the_same_client_id_with_two_bodies_is_one_order_and_one_conflict(together):
    held, goods = shop.shopper()
    first = shop.envelope(goods, soap=1)
    second = shop.envelope(goods, client_id=first.client_id, soap=2)

    results = together([_placing(held, first), _placing(held, second)], threads=2)

    assert _kinds(results) == ["OrderConflict", "done"]
    assert Order.objects.filter(custody=held).count() == 1


def test_of_two_guards_at_once_one_decides_and_the_other_is_told(together):
    order = shop.placed()
    guards = [situations.officer(order.facility) for _ in range(2)]

    def reject(guard):
        return lambda: orders.reject(order, reason="too_many", by=guard, at=timezone.now())

    def approve(guard):
        return lambda: orders.approve(order, by=guard, at=timezone.now())

    results = together([approve(guards[0]), reject(guards[1])], threads=2)

    assert _kinds(results) == ["AlreadyDecided", "done"]
    (decided,) = [result for result in results if isinstance(result, Order)]
    assert Order.objects.get(pk=order.pk).state == decided.state
    held = 0 if decided.state == "rejected" else 18_00
    assert shop.money(order.custody) == (500_00, held)


def test_two_guards_at_one_cell_door_pay_the_vendor_once(together):
    order = shop.picked()
    guards = [situations.officer(order.facility) for _ in range(3)]

    def hand_over(guard):
        return lambda: fulfilment.hand_over(
            order, signature=shop.SIGNED, by=guard, at=timezone.now()
        )

    results = together([hand_over(guard) for guard in guards], threads=3)

    assert _kinds(results) == ["AlreadyDecided"] * 2 + ["done"]
    assert any(isinstance(r, errors.AlreadyDecided) for r in results)
    assert HandOver.objects.filter(order=order).count() == 1
    assert shop.money(order.custody) == (482_00, 0)
    assert shop.owed(order.facility) == {"Household Ltd": 9_00, "Foods Ltd": 9_00}


def test_an_approval_and_the_end_of_the_custody_leave_no_money_set_aside(together):
    order = shop.placed()
    guard, boss = (situations.officer(order.facility) for _ in range(2))

    def approve():
        return orders.approve(order, by=guard, at=timezone.now())

    def close():
        return custody.close(
            order.custody, reason=Custody.Reason.RELEASED, by=boss, at=timezone.now()
        )

    together([approve, close], threads=2)
    orders.close_all(order.custody_id, at=timezone.now())

    assert Order.objects.get(pk=order.pk).state == "cancelled"
    assert shop.money(order.custody) == (500_00, 0)


def test_an_expiry_and_an_approval_at_once_leave_one_outcome(together):
    order = shop.placed()
    guard = situations.officer(order.facility)

    def approve():
        return orders.approve(order, by=guard, at=timezone.now())

    results = together([approve, lambda: orders.expire(order.pk, at=order.expires_at)], threads=2)

    state = Order.objects.get(pk=order.pk).state
    assert state in ("approved", "expired")
    assert shop.money(order.custody) == (500_00, 18_00 if state == "approved" else 0)
    assert len([r for r in results if isinstance(r, Order)]) >= 1


def test_after_all_these_races_the_ledger_is_proven():
    assert proofs.run(at=timezone.now()).ok
