import pytest

from accounts.ledger import posting
from accounts.ledger.models import Hold, Lot
from accounts.ledger.posting import Balance
from tests.accounts.ledger_situations import (
    account,
    captured,
    deposited,
    held,
    open_book,
)

pytestmark = pytest.mark.django_db


def test_a_deposit_reaches_the_detainee_and_opens_a_lot():
    escrow = account(open_book())

    journal = deposited(escrow, 20_000)

    assert posting.balance(escrow) == Balance(posted=20_000, held=0)
    assert posting.balance(posting.account(escrow.book, "GATEWAY")) == Balance(-20_000, 0)
    lot = Lot.objects.get(journal=journal)
    assert (lot.account, lot.kind, lot.amount, lot.remaining) == (
        escrow,
        "deposit_captured",
        20_000,
        20_000,
    )


def test_a_hold_is_captured_in_part_and_the_rest_is_given_back():
    escrow = account(open_book())
    vendor = account(escrow.book, "VENDOR")
    deposited(escrow, 10_000)
    hold = held(escrow, 6_000)
    aside = posting.balance(escrow)

    captured(hold, 4_500, release=1_500, vendor=vendor)

    assert aside == Balance(posted=10_000, held=6_000)
    assert posting.balance(escrow) == Balance(posted=5_500, held=0)
    assert posting.balance(vendor) == Balance(posted=4_500, held=0)
    assert Hold.objects.get(pk=hold.pk).remaining == 0
    assert list(Lot.objects.values_list("remaining", flat=True)) == [5_500]
