import pytest
from django.db import transaction

from accounts import errors
from accounts.ledger import posting, proofs
from accounts.ledger.models import Lot
from accounts.ledger.posting import Balance, Line
from tests.accounts.ledger_situations import (
    AT,
    account,
    deposited,
    fresh_key,
    held,
    open_book,
    post,
    rows,
)

pytestmark = pytest.mark.django_db


def reversed_(journal, **changes):
    given = {"key": fresh_key("reverse"), "at": AT, "by": 1, "approved_by": 2, "reason": "typo"}
    with transaction.atomic():
        return posting.reverse(journal, **{**given, **changes})


@pytest.fixture
def allowance():
    """Return an allowance of 30 yuan."""
    book = open_book()
    return post("allowance", Line(account(book, "FACILITY"), -30_00), Line(account(book), 30_00))


def balances(journal):
    return [posting.balance(entry.account) for entry in journal.entries.order_by("line")]


def test_a_reversal_mirrors_the_journal_and_its_lots(allowance):
    mirror = reversed_(allowance)

    assert mirror.reverses == allowance
    assert list(mirror.entries.order_by("line").values_list("amount", flat=True)) == [
        30_00,
        -30_00,
    ]
    assert balances(allowance) == [Balance(0, 0), Balance(0, 0)]
    assert Lot.objects.get(journal=allowance).remaining == 0
    assert proofs.run(at=AT).ok


def test_a_reversed_debit_goes_back_to_the_lots_it_took(allowance):
    escrow = allowance.entries.get(line=2).account
    damage = post(
        "damage_recovered", Line(escrow, -10_00), Line(account(escrow.book, "FACILITY"), 10_00)
    )

    reversed_(damage)

    assert Lot.objects.get().remaining == 30_00
    assert proofs.run(at=AT).ok


def test_a_journal_is_reversed_once(allowance):
    reversed_(allowance)
    before = rows()

    with pytest.raises(errors.AlreadyReversed), transaction.atomic():
        reversed_(allowance)

    assert rows() == before


def test_the_same_reversal_again_is_the_first_one(allowance):
    first = reversed_(allowance, key="same")
    before = rows()

    assert reversed_(allowance, key="same") == first
    assert rows() == before


def test_a_reversal_is_not_reversed(allowance):
    mirror = reversed_(allowance)

    with pytest.raises(errors.NotReversible), transaction.atomic():
        reversed_(mirror)


@pytest.mark.parametrize("officers", [{"approved_by": 1}, {"approved_by": None}, {"by": None}])
def test_a_reversal_needs_two_officers(allowance, officers):
    before = rows()

    with pytest.raises(errors.TwoOfficersNeeded), transaction.atomic():
        reversed_(allowance, **officers)

    assert rows() == before


def test_a_deposit_is_refunded_and_never_reversed():
    journal = deposited(account(open_book()), 5_00)

    with pytest.raises(errors.NotReversible), transaction.atomic():
        reversed_(journal)


def test_what_was_spent_or_set_aside_cannot_be_reversed_away(allowance):
    escrow = allowance.entries.get(line=2).account
    held(escrow, 30_00)
    before = rows()

    with pytest.raises(errors.NotEnoughMoney), transaction.atomic():
        reversed_(allowance)

    assert rows() == before


def test_another_deposit_does_not_pay_for_a_reversal(allowance):
    escrow = allowance.entries.get(line=2).account
    post("damage_recovered", Line(escrow, -10_00), Line(account(escrow.book, "FACILITY"), 10_00))
    deposited(escrow, 50_00)
    before = rows()

    with pytest.raises(errors.LotUsedUp), transaction.atomic():
        reversed_(allowance)

    assert rows() == before
