import pytest

from accounts import escrow
from tests import situations
from tests.accounts.money_situations import kinds, standing

pytestmark = pytest.mark.django_db


def test_a_paid_deposit_that_passes_stands_on_the_account_at_once():
    deposit = situations.credited_deposit(amount=20_000)

    assert (deposit.state, deposit.amount_credited) == ("credited", 20_000)
    assert escrow.balance(deposit.custody).available == 20_000
    assert standing(deposit.custody) == {"ESCROW": 20_000, "GATEWAY": -20_000}
    assert kinds() == ["deposit_captured"]
