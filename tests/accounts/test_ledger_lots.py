import pytest
from django.db import transaction

from accounts import errors
from accounts.ledger import lots, posting, proofs
from accounts.ledger.models import Lot
from accounts.ledger.posting import Balance, Line
from tests.accounts.ledger_situations import (
    AT,
    account,
    captured,
    deposited,
    held,
    open_book,
    post,
    rows,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def escrow():
    """Return an escrow account with lots of 10, 20 and 30 yuan, the oldest first."""
    found = account(open_book())
    for amount in (10_00, 20_00, 30_00):
        deposited(found, amount)
    return found


def left(escrow):
    return list(
        Lot.objects.filter(account=escrow).order_by("pk").values_list("remaining", flat=True)
    )


def returned(escrow, journal, amount):
    vendor = journal.entries.get(account__kind="VENDOR").account
    parts = lots.given_back(journal, escrow, amount)
    return post("goods_returned", Line(vendor, -amount), Line(escrow, amount, lots=parts))


def test_money_is_spent_oldest_first(escrow):
    hold = held(escrow, 25_00)
    untouched = left(escrow)

    captured(hold, 25_00, vendor=account(escrow.book, "VENDOR"))

    assert untouched == [10_00, 20_00, 30_00]
    assert left(escrow) == [0, 5_00, 30_00]


def test_returned_goods_give_money_back_to_the_lots_it_came_from_last_spent_first(escrow):
    journal = captured(held(escrow, 25_00), 25_00, vendor=account(escrow.book, "VENDOR"))

    returned(escrow, journal, 17_00)

    assert left(escrow) == [2_00, 20_00, 30_00]
    assert posting.balance(escrow) == Balance(52_00, 0)
    assert proofs.run(at=AT).ok


def test_no_more_comes_back_than_was_captured(escrow):
    journal = captured(held(escrow, 25_00), 25_00, vendor=account(escrow.book, "VENDOR"))
    returned(escrow, journal, 20_00)
    before = rows()

    with pytest.raises(errors.LotUsedUp), transaction.atomic():
        returned(escrow, journal, 5_01)

    assert rows() == before


def test_a_refund_takes_its_own_lot_and_no_other(escrow):
    newest = Lot.objects.filter(account=escrow).last()
    suspense = account(escrow.book, "SUSPENSE")

    post(
        "refund_requested",
        Line(escrow, -12_00, lots=lots.of_one(newest, 12_00)),
        Line(suspense, 12_00),
    )

    assert left(escrow) == [10_00, 20_00, 18_00]


def test_a_refund_cannot_take_more_than_is_left_of_its_lot(escrow):
    oldest = Lot.objects.filter(account=escrow).first()
    suspense = account(escrow.book, "SUSPENSE")
    before = rows()

    with pytest.raises(errors.LotUsedUp), transaction.atomic():
        post(
            "refund_requested",
            Line(escrow, -10_01, lots=lots.of_one(oldest, 10_01)),
            Line(suspense, 10_01),
        )

    assert rows() == before


def test_the_trail_leads_from_a_deposit_to_the_goods_and_back(escrow):
    first, second, _ = (lot.journal for lot in Lot.objects.filter(account=escrow).order_by("pk"))
    journal = captured(held(escrow, 25_00), 25_00, vendor=account(escrow.book, "VENDOR"))

    opened = first.lots.get()

    assert [(use.journal, use.amount) for use in opened.uses.all()] == [(journal, 10_00)]
    assert [(use.lot.journal, use.amount) for use in journal.lot_uses.order_by("pk")] == [
        (first, 10_00),
        (second, 15_00),
    ]
