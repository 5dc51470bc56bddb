"""Picking and handing over: only what was signed for is paid, everything else goes back."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts.ledger.models import Journal, Lot
from commissary import errors, fulfilment, orders
from commissary.fulfilment import Signature
from commissary.models import HandOver, Order
from detention import custody
from detention.errors import NotAllowed, WrongMove
from detention.models import Custody, Role
from tests import situations
from tests.commissary import shop

pytestmark = pytest.mark.django_db


def _guard(order):
    return situations.officer(order.facility)


def _hand_over(order, **changes):
    details = {"signature": shop.SIGNED, "by": _guard(order), "at": timezone.now(), **changes}
    return fulfilment.hand_over(order, **details)


def test_a_signed_hand_over_pays_every_vendor_in_one_journal():
    order = shop.picked(soap=2, noodles=3)
    before = Journal.objects.count()

    done = _hand_over(order)

    assert Order.objects.get().state == "handed_over"
    assert (done.proof, done.captured, done.released) == ("screen", 18_00, 0)
    assert done.strokes_hash == shop.SIGNED.digest
    assert shop.money(order.custody) == (482_00, 0)
    assert shop.owed(order.facility) == {"Household Ltd": 9_00, "Foods Ltd": 9_00}
    assert Journal.objects.count() == before + 1
    journal = Journal.objects.get(doc_type="handover", doc_id=done.pk)
    assert journal.kind == "order_captured"
    assert Lot.objects.get().remaining == 482_00


def test_a_short_line_is_not_paid_and_goes_back_with_its_reason():
    order = shop.picked(soap=2, noodles=3)
    noodles = shop.lines(order)["noodles"]

    done = _hand_over(order, delivered={noodles.pk: 1}, reasons={noodles.pk: "damaged"})

    assert Order.objects.get().state == "part"
    assert (done.captured, done.released) == (12_00, 6_00)
    assert shop.money(order.custody) == (488_00, 0)
    assert shop.owed(order.facility) == {"Household Ltd": 9_00, "Foods Ltd": 3_00}
    line = shop.lines(order)["noodles"]
    assert (line.picked, line.delivered, line.reason) == (3, 1, "damaged")


def test_a_short_line_needs_its_reason():
    order = shop.picked()
    soap = shop.lines(order)["soap"]

    with pytest.raises(errors.ReasonMissing) as refused:
        _hand_over(order, delivered={soap.pk: 0})

    assert refused.value.field == f"reason_{soap.pk}"
    _nothing_happened(order)


def test_more_than_was_picked_cannot_be_handed_over():
    order = shop.picked()
    soap = shop.lines(order)["soap"]

    with pytest.raises(errors.BadQuantity):
        _hand_over(order, delivered={soap.pk: 3})

    _nothing_happened(order)


def test_nothing_handed_over_gives_everything_back_and_needs_a_witness():
    order = shop.picked(soap=1)
    soap = shop.lines(order)["soap"]
    nothing = {"delivered": {soap.pk: 0}, "reasons": {soap.pk: "absent"}, "signature": None}

    with pytest.raises(errors.WitnessNeeded):
        _hand_over(order, **nothing)
    done = _hand_over(order, **nothing, witness=_guard(order))

    assert Order.objects.get().state == "undelivered"
    assert (done.proof, done.captured, done.released) == ("none", 0, 4_50)
    assert shop.money(order.custody) == (500_00, 0)
    assert shop.owed(order.facility) == {}


def test_a_signature_cannot_stand_for_goods_that_were_not_handed_over():
    order = shop.picked(soap=1)
    soap = shop.lines(order)["soap"]

    with pytest.raises(errors.WitnessNeeded):
        _hand_over(order, delivered={soap.pk: 0}, reasons={soap.pk: "absent"})

    assert shop.money(order.custody) == (500_00, 4_50)


def test_a_signature_on_paper_needs_another_officer_of_the_facility():
    order = shop.picked()
    guard = _guard(order)
    stranger = situations.officer(situations.held_person().facility)
    finance = situations.officer(order.facility, Role.FINANCE)

    with pytest.raises(errors.WitnessNeeded):
        _hand_over(order, signature=None, by=guard)
    with pytest.raises(errors.WitnessIsSelf):
        _hand_over(order, signature=None, by=guard, witness=guard)
    for witness in (stranger, finance):
        with pytest.raises(NotAllowed):
            _hand_over(order, signature=None, by=guard, witness=witness)
    _nothing_happened(order)

    done = _hand_over(order, signature=None, by=guard, witness=_guard(order))

    assert (done.proof, done.strokes, done.captured) == ("paper", [], 18_00)


def _nothing_happened(order):
    assert Order.objects.get(pk=order.pk).state == "picked"
    assert HandOver.objects.count() == 0
    assert shop.money(order.custody) == (500_00, 18_00)
    assert shop.owed(order.facility) == {}


def test_the_same_hand_over_again_is_the_same_and_pays_once():
    order = shop.picked()
    guard = _guard(order)
    first = _hand_over(order, by=guard)

    again = _hand_over(order, by=guard)

    assert again == first
    assert shop.money(order.custody) == (482_00, 0)


def test_another_officer_or_other_numbers_come_too_late():
    order = shop.picked()
    guard = _guard(order)
    _hand_over(order, by=guard)
    soap = shop.lines(order)["soap"]

    with pytest.raises(errors.AlreadyDecided):
        _hand_over(order)
    with pytest.raises(errors.AlreadyDecided):
        _hand_over(order, by=guard, delivered={soap.pk: 1}, reasons={soap.pk: "damaged"})

    assert shop.money(order.custody) == (482_00, 0)


@pytest.mark.parametrize("situation", [shop.placed, shop.approved])
def test_only_what_was_picked_is_handed_over(situation):
    order = situation()

    with pytest.raises(WrongMove):
        _hand_over(order)

    assert shop.money(order.custody) == (500_00, 18_00)
    assert shop.owed(order.facility) == {}


def test_only_a_guard_hands_over():
    order = shop.picked()

    with pytest.raises(NotAllowed):
        _hand_over(order, by=situations.officer(order.facility, Role.FINANCE))

    _nothing_happened(order)


def test_goods_on_their_way_are_handed_over_while_the_custody_is_closing():
    order = shop.picked()
    custody.close(
        order.custody, reason=Custody.Reason.RELEASED, by=_guard(order), at=timezone.now()
    )
    orders.close_all(order.custody_id, at=timezone.now())

    _hand_over(order)

    assert shop.money(order.custody) == (482_00, 0)


def test_what_is_out_of_stock_at_picking_is_given_back_at_once():
    order = shop.approved()
    soap = shop.lines(order)["soap"]

    done = fulfilment.pick(order, quantities={soap.pk: 1}, by=_guard(order), at=timezone.now())

    assert done.state == "picked"
    assert shop.money(order.custody) == (500_00, 13_50)
    line = shop.lines(order)["soap"]
    assert (line.approved, line.picked, line.reason) == (2, 1, "out_of_stock")
    _hand_over(done)
    assert shop.money(order.custody) == (486_50, 0)


def test_picking_nothing_or_twice_or_before_approval():
    order = shop.approved(soap=1)
    soap = shop.lines(order)["soap"]
    guard = _guard(order)

    with pytest.raises(errors.NothingLeft):
        fulfilment.pick(order, quantities={soap.pk: 0}, by=guard, at=timezone.now())
    first = fulfilment.pick(order, by=guard, at=timezone.now())
    assert fulfilment.pick(order, by=guard, at=timezone.now()) == first
    with pytest.raises(WrongMove):
        fulfilment.pick(order, by=_guard(order), at=timezone.now())
    waiting = shop.placed()
    with pytest.raises(WrongMove):
        fulfilment.pick(waiting, by=_guard(waiting), at=timezone.now())


@pytest.mark.parametrize(
    ("case", "strokes"),
    [
        ("nothing", []),
        ("no list", "scribble"),
        ("one point", [[[10, 10]]]),
        ("a dot", [[[10, 10], [12, 11]]]),
        ("outside the box", [[[10, 10], [1001, 100]]]),
        ("negative", [[[-1, 10], [100, 100]]]),
        ("floats", [[[1.5, 10], [100, 100]]]),
        ("booleans", [[[True, 10], [100, 100]]]),
        ("three numbers", [[[1, 2, 3], [100, 100, 100]]]),
        ("too many strokes", [[[0, 0], [100, 100]]] * 201),
        ("too many points", [[[0, 0], [100, 100]] * 3001]),
        ("a dictionary", [{"x": 1}]),
    ],
)
def test_what_is_no_signature_is_refused(case, strokes):
    with pytest.raises(errors.BadSignature):
        Signature(strokes)


def test_the_database_keeps_the_rules_of_a_hand_over():
    done = shop.handed_over()
    row = HandOver.objects.filter(pk=done.pk)

    for name, changes in {
        "handover_proven": {"strokes_hash": ""},
        "handover_witness_is_another": {"witness": done.officer},
        "handover_paid_only_if_signed": {"captured": 0},
    }.items():
        with pytest.raises(IntegrityError, match=name), transaction.atomic():
            row.update(**changes)


def test_quantities_only_shrink_in_the_database_too():
    order = shop.picked()
    line = order.lines.filter(pk=shop.lines(order)["soap"].pk)

    for name, changes in {
        "line_approved_within_ordered": {"approved": 3},
        "line_picked_within_approved": {"approved": 1},
        "line_delivered_within_picked": {"delivered": 3},
        "line_never_dearer_than_shown": {"unit_price": 4_51},
    }.items():
        with pytest.raises(IntegrityError, match=name), transaction.atomic():
            line.update(**changes)


def test_a_handed_over_order_closes_when_the_time_for_complaints_is_over():
    done = shop.handed_over()

    assert fulfilment.close_finished(at=done.at + timedelta(days=7, seconds=-1)) == 0
    assert fulfilment.close_finished(at=done.at + timedelta(days=7)) == 1

    assert Order.objects.get().state == "closed"
    assert orders.standing_of(done.order.custody, at=done.at).usage.spent == 18_00
