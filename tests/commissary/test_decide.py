"""Deciding an order: one other officer, once; what is not allowed is given back."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from commissary import errors, fulfilment, orders
from commissary.models import Order
from config.reactions import react
from config.tasks import sweep
from detention import custody
from detention.errors import NotAllowed, NotFound, WrongMove
from detention.models import AuditRecord, Custody, Role
from detention.verbs import keep_record
from tests import situations
from tests.commissary import shop
from tests.queue import run_queued

pytestmark = pytest.mark.django_db


def _guard(order):
    return situations.officer(order.facility)


def test_approving_moves_no_money():
    order = shop.placed()
    guard = _guard(order)
    now = timezone.now()
    journals = shop.moved()[0]

    done = orders.approve(order, by=guard, at=now)

    assert (done.state, done.approved_by, done.decided_at) == ("approved", guard, now)
    assert done.expires_at == now + timedelta(days=7)
    assert {sku: line.approved for sku, line in shop.lines(done).items()} == {
        "soap": 2,
        "noodles": 3,
    }
    assert shop.money(order.custody) == (500_00, 18_00)
    assert shop.moved()[0] == journals


def test_allowing_less_releases_the_rest_at_once():
    order = shop.placed()
    noodles = shop.lines(order)["noodles"]

    done = orders.approve(
        order, quantities={noodles.pk: 1}, reason="too_many", by=_guard(order), at=timezone.now()
    )

    assert done.state == "part_approved"
    assert shop.money(order.custody) == (500_00, 12_00)
    cut = shop.lines(done)["noodles"]
    assert (cut.ordered, cut.approved, cut.reason) == (3, 1, "too_many")


def test_allowing_less_needs_a_reason():
    order = shop.placed()
    line = shop.lines(order)["soap"]

    with pytest.raises(errors.ReasonMissing):
        orders.approve(order, quantities={line.pk: 0}, by=_guard(order), at=timezone.now())

    assert shop.money(order.custody) == (500_00, 18_00)
    assert Order.objects.get().state == "placed"


@pytest.mark.parametrize(("case", "quantity"), [("more than ordered", 3), ("less than none", -1)])
def test_a_quantity_outside_the_order_is_refused(case, quantity):
    order = shop.placed()
    line = shop.lines(order)["soap"]

    with pytest.raises(errors.BadQuantity):
        orders.approve(
            order,
            quantities={line.pk: quantity},
            reason="too_many",
            by=_guard(order),
            at=timezone.now(),
        )

    assert Order.objects.get().state == "placed"
    assert shop.money(order.custody) == (500_00, 18_00)


def test_a_line_of_another_order_is_refused():
    order, other = shop.placed(), shop.placed()

    with pytest.raises(errors.BadQuantity):
        orders.approve(
            order,
            quantities={shop.lines(other)["soap"].pk: 1},
            by=_guard(order),
            at=timezone.now(),
        )

    assert shop.money(order.custody) == (500_00, 18_00)


def test_allowing_nothing_is_a_rejection():
    order = shop.placed(soap=1)
    line = shop.lines(order)["soap"]

    with pytest.raises(errors.NothingLeft):
        orders.approve(
            order,
            quantities={line.pk: 0},
            reason="too_many",
            by=_guard(order),
            at=timezone.now(),
        )

    assert Order.objects.get().state == "placed"


def test_the_officer_who_recorded_an_order_cannot_decide_it_and_the_attempt_is_kept():
    held, goods = shop.shopper()
    guard = situations.officer(held.facility)
    order = orders.place(held, shop.envelope(goods, soap=1), by=guard, at=timezone.now())

    for decide in (
        lambda: orders.approve(order, by=guard, at=timezone.now()),
        lambda: orders.reject(order, reason="too_many", by=guard, at=timezone.now()),
    ):
        with pytest.raises(errors.SelfApproval) as refused:
            decide()
        keep_record(refused.value)

    assert Order.objects.get().state == "placed"
    assert shop.money(held) == (500_00, 4_50)
    kept = AuditRecord.objects.filter(action="order.self_approval_refused", user=guard)
    assert [record.subject_id for record in kept] == [order.pk] * 2


@pytest.mark.parametrize("state", ["approved", "rejected", "picked", "handed_over", "closed"])
def test_the_database_refuses_self_approval_and_an_approval_by_nobody(state):
    held, goods = shop.shopper()
    guard = situations.officer(held.facility)
    order = orders.place(held, shop.envelope(goods, soap=1), by=guard, at=timezone.now())
    row = Order.objects.filter(pk=order.pk)

    for approver in (guard, None):
        with pytest.raises(IntegrityError, match="order_not_self_approved"), transaction.atomic():
            row.update(state=state, reason="too_many", approved_by=approver)

    assert row.get().state == "placed"


def test_the_second_guard_is_told_who_was_faster():
    order = shop.placed()
    faster = _guard(order)
    orders.approve(order, by=faster, at=timezone.now())

    with pytest.raises(errors.AlreadyDecided) as refused:
        orders.approve(order, by=_guard(order), at=timezone.now())

    assert refused.value.facts["officer"] == faster.name
    with pytest.raises(errors.AlreadyDecided):
        orders.reject(order, reason="too_many", by=_guard(order), at=timezone.now())
    assert shop.money(order.custody) == (500_00, 18_00)


def test_the_same_guard_again_with_the_same_gets_the_same_answer_and_with_other_a_refusal():
    order = shop.placed()
    guard = _guard(order)
    first = orders.approve(order, by=guard, at=timezone.now())

    again = orders.approve(order, by=guard, at=timezone.now() + timedelta(minutes=1))

    assert (again.pk, again.decided_at) == (first.pk, first.decided_at)
    line = shop.lines(order)["soap"]
    with pytest.raises(errors.AlreadyDecided):
        orders.approve(
            order, quantities={line.pk: 1}, reason="too_many", by=guard, at=timezone.now()
        )
    assert shop.money(order.custody) == (500_00, 18_00)


def test_rejecting_gives_all_the_money_back_and_keeps_the_reason():
    order = shop.placed()
    guard = _guard(order)

    done = orders.reject(order, reason="medical", by=guard, at=timezone.now())
    again = orders.reject(order, reason="medical", by=guard, at=timezone.now())

    assert (done.state, done.reason, done.approved_by) == ("rejected", "medical", guard)
    assert again == done
    assert shop.money(order.custody) == (500_00, 0)
    assert Order.objects.get().hold.remaining == 0


@pytest.mark.parametrize("reason", ["", "because"])
def test_a_rejection_needs_a_known_reason(reason):
    order = shop.placed()

    with pytest.raises(errors.ReasonMissing):
        orders.reject(order, reason=reason, by=_guard(order), at=timezone.now())

    assert shop.money(order.custody) == (500_00, 18_00)


@pytest.mark.parametrize("role", [Role.FINANCE, Role.AUDITOR, Role.ADMINISTRATOR])
def test_only_guards_decide(role):
    order = shop.placed()
    officer = situations.officer(order.facility, role)

    for decide in (
        lambda: orders.approve(order, by=officer, at=timezone.now()),
        lambda: orders.reject(order, reason="too_many", by=officer, at=timezone.now()),
        lambda: orders.cancel(order, by=officer, at=timezone.now()),
    ):
        with pytest.raises(NotAllowed):
            decide()

    assert Order.objects.get().state == "placed"


def test_a_guard_of_another_facility_decides_nothing_here():
    order, elsewhere = shop.placed(), shop.placed()

    with pytest.raises(NotAllowed):
        orders.approve(order, by=_guard(elsewhere), at=timezone.now())

    assert shop.money(order.custody) == (500_00, 18_00)


def test_the_detainee_cancels_until_it_is_picked():
    order = shop.approved()

    done = orders.cancel(order, by=order.custody, at=timezone.now())
    again = orders.cancel(order, by=order.custody, at=timezone.now())

    assert (done.state, again.state) == ("cancelled", "cancelled")
    assert shop.money(order.custody) == (500_00, 0)


def test_a_picked_order_cannot_be_cancelled():
    order = shop.picked()

    with pytest.raises(WrongMove):
        orders.cancel(order, by=order.custody, at=timezone.now())

    assert shop.money(order.custody) == (500_00, 18_00)


def test_nobody_cancels_anothers_order():
    order = shop.placed()
    neighbour = situations.held_person(order.facility)

    with pytest.raises(NotFound):
        orders.cancel(order, by=neighbour, at=timezone.now())

    assert shop.money(order.custody) == (500_00, 18_00)


def test_an_order_nobody_decided_expires_by_itself_and_its_money_is_back():
    order = shop.placed()
    fresh = shop.placed()
    late = order.expires_at

    assert orders.expire_overdue(at=late - timedelta(seconds=1)) == 0
    assert shop.money(order.custody) == (500_00, 18_00)
    Order.objects.filter(pk=fresh.pk).update(expires_at=late + timedelta(seconds=1))
    assert orders.expire_overdue(at=late) == 1
    assert orders.expire_overdue(at=late) == 0

    assert Order.objects.get(pk=order.pk).state == "expired"
    assert shop.money(order.custody) == (500_00, 0)
    assert shop.money(fresh.custody) == (500_00, 18_00)


def test_an_order_decided_just_before_the_sweep_reached_it_does_not_expire():
    order = shop.placed()
    deadline = order.expires_at
    orders.approve(order, by=_guard(order), at=deadline - timedelta(seconds=1))

    orders.expire(order.pk, at=deadline)

    assert Order.objects.get().state == "approved"
    assert shop.money(order.custody) == (500_00, 18_00)


def test_an_approved_order_nobody_picked_expires_too():
    order = shop.approved()

    orders.expire_overdue(at=order.expires_at)

    assert Order.objects.get().state == "expired"
    assert shop.money(order.custody) == (500_00, 0)


def test_an_expired_order_is_not_approved_even_before_the_sweep():
    order = shop.placed()

    with pytest.raises(errors.OrderExpired):
        orders.approve(order, by=_guard(order), at=order.expires_at)

    assert Order.objects.get().state == "placed"


def test_the_minute_sweep_expires_orders():
    order = shop.placed()
    Order.objects.update(expires_at=timezone.now() - timedelta(seconds=1))

    sweep()

    assert Order.objects.get().state == "expired"
    assert shop.money(order.custody) == (500_00, 0)


def test_the_end_of_a_custody_ends_its_orders_but_not_those_on_their_way():
    held, goods = shop.shopper()
    waiting = shop.place(held, goods, soap=1)
    approved = orders.approve(
        shop.place(held, goods, milk=1), by=situations.officer(held.facility), at=timezone.now()
    )
    on_its_way = _picked(shop.place(held, goods, noodles=2))
    custody.close(held, reason=Custody.Reason.RELEASED, by=_guard(waiting), at=timezone.now())

    run_queued()
    react("custody_closing", held.pk)

    states = {order.pk: order.state for order in Order.objects.all()}
    assert states == {
        waiting.pk: "cancelled",
        approved.pk: "cancelled",
        on_its_way.pk: "picked",
    }
    assert shop.money(held) == (500_00, 6_00)


def _picked(order):
    done = orders.approve(order, by=_guard(order), at=timezone.now())
    return fulfilment.pick(done, by=_guard(order), at=timezone.now())


def test_nothing_is_approved_once_the_custody_is_closing():
    order = shop.placed()
    custody.close(
        order.custody, reason=Custody.Reason.RELEASED, by=_guard(order), at=timezone.now()
    )

    with pytest.raises(custody.CustodyNotOpen):
        orders.approve(order, by=_guard(order), at=timezone.now())

    assert Order.objects.get().state == "placed"


def test_close_all_leaves_an_open_custody_alone():
    order = shop.placed()

    assert orders.close_all(order.custody_id, at=timezone.now()) == 0
    assert Order.objects.get().state == "placed"
