from uuid import uuid4

import pytest
from django.db import connection, transaction

from accounts import errors
from accounts.ledger import posting
from accounts.ledger.models import BalanceRow, Entry, Hold, Journal
from accounts.ledger.posting import Balance, Line, NewHold
from tests.accounts.ledger_situations import (
    AT,
    account,
    captured,
    deposited,
    fresh_key,
    held,
    open_book,
    post,
    rows,
)

pytestmark = pytest.mark.django_db
# LOCK TABLE and nothing else is one statement more on PostgreSQL.
GATE = 1 if connection.vendor == "postgresql" else 0


@pytest.fixture
def escrow():
    """Return an escrow account with 100 yuan."""
    found = account(open_book())
    deposited(found, 100_00)
    return found


def test_a_deposit_writes_one_journal_with_who_when_and_what_about():
    escrow = account(open_book())

    journal = deposited(escrow, 200_00, key="stripe:ch_1:deposit", by=7, doc=("deposit", 3))

    kept = Journal.objects.get()
    assert kept == journal
    assert {
        "kind": kept.kind,
        "key": kept.key,
        "posted_at": kept.posted_at,
        "business_date": str(kept.business_date),
        "actor": (kept.actor_id, kept.actor_custody_id, kept.approved_by_id),
        "doc": (kept.doc_type, kept.doc_id),
        "lines": kept.line_count,
    } == {
        "kind": "deposit_captured",
        "key": "stripe:ch_1:deposit",
        "posted_at": AT,
        "business_date": "2026-11-02",
        "actor": (7, None, 2),
        "doc": ("deposit", 3),
        "lines": 2,
    }
    assert list(
        Entry.objects.order_by("line").values_list("line", "amount", "seq", "posted_after")
    ) == [(1, -200_00, None, None), (2, 200_00, 1, 200_00)]


def test_available_is_what_is_neither_spent_nor_set_aside(escrow):
    vendor = account(escrow.book, "VENDOR")
    hold = held(escrow, 60_00)
    aside = posting.balance(escrow)

    captured(hold, 45_00, release=15_00, vendor=vendor)

    assert (aside.posted, aside.held, aside.available) == (100_00, 60_00, 40_00)
    assert posting.balance(escrow) == Balance(posted=55_00, held=0)
    assert posting.balance(vendor) == Balance(posted=45_00, held=0)
    assert Hold.objects.get(pk=hold.pk).remaining == 0


def test_a_hold_is_captured_in_several_parts(escrow):
    vendor = account(escrow.book, "VENDOR")
    hold = held(escrow, 60_00)

    captured(hold, 20_00, vendor=vendor)
    captured(Hold.objects.get(pk=hold.pk), 30_00, vendor=vendor)

    assert Hold.objects.get(pk=hold.pk).remaining == 10_00
    assert posting.balance(escrow) == Balance(posted=50_00, held=10_00)


def test_a_second_hold_beyond_what_is_available_is_refused(escrow):
    held(escrow, 60_00)
    before = rows()

    with pytest.raises(errors.NotEnoughMoney) as refused, transaction.atomic():
        held(escrow, 40_01)

    assert refused.value.facts == {"available": 40_00}
    assert rows() == before


def test_held_money_cannot_be_spent_by_anything_else(escrow):
    held(escrow, 60_00)
    payout = account(escrow.book, "PAYOUT")
    before = rows()

    with pytest.raises(errors.NotEnoughMoney), transaction.atomic():
        post("payout_planned", Line(escrow, -50_00), Line(payout, 50_00))

    assert rows() == before


def test_more_than_the_hold_cannot_be_captured_even_when_there_is_money(escrow):
    hold = held(escrow, 60_00)
    vendor = account(escrow.book, "VENDOR")
    before = rows()

    with pytest.raises(errors.HoldUsedUp), transaction.atomic():
        captured(hold, 60_01, vendor=vendor)

    assert rows() == before


def test_a_hold_cannot_be_captured_and_then_released_in_full(escrow):
    hold = held(escrow, 60_00)
    captured(hold, 45_00, vendor=account(escrow.book, "VENDOR"))
    before = rows()

    with pytest.raises(errors.HoldUsedUp), transaction.atomic():
        post("order_released", Line(escrow, 0, held=-60_00, hold=hold))

    assert rows() == before


def test_the_same_key_with_the_same_contents_returns_the_first_journal(escrow):
    first = deposited(escrow, 5_00, key="twice")
    before = rows()

    again = deposited(escrow, 5_00, key="twice")

    assert again == first
    assert again.posted_at == first.posted_at
    assert rows() == before


@pytest.mark.parametrize(
    ("changed", "contents"),
    [
        ("amount", {"amount": 5_01}),
        ("doc", {"doc": ("deposit", 2)}),
    ],
)
def test_the_same_key_with_other_contents_is_a_conflict(escrow, changed, contents):
    first = {"amount": 5_00, "doc": ("deposit", 1), "key": "twice"}
    deposited(escrow, **first)
    before = rows()

    with pytest.raises(errors.KeyConflict) as refused, transaction.atomic():
        deposited(escrow, **{**first, **contents})

    assert (refused.value.code, refused.value.status) == ("idempotency_conflict", 409)
    assert rows() == before


def test_a_repeat_succeeds_although_the_money_it_took_is_gone(escrow):
    payout = account(escrow.book, "PAYOUT")
    everything = (Line(escrow, -100_00), Line(payout, 100_00))
    first = post("payout_planned", *everything, key="all")

    again = post("payout_planned", *everything, key="all")

    assert again == first
    assert posting.balance(escrow) == Balance(0, 0)


def test_a_stopped_account_lets_nothing_new_out_but_finishes_what_is_held(escrow):
    hold = held(escrow, 60_00)
    vendor = account(escrow.book, "VENDOR")
    BalanceRow.objects.filter(account=escrow).update(no_debit=True)
    before = rows()

    with pytest.raises(errors.SpendingFrozen), transaction.atomic():
        held(escrow, 1)
    with pytest.raises(errors.SpendingFrozen), transaction.atomic():
        post("damage_recovered", Line(escrow, -1), Line(account(escrow.book, "FACILITY"), 1))
    refused = rows()
    captured(hold, 10_00, release=50_00, vendor=vendor)

    assert [refused[name] for name in ("Journal", "Entry", "Hold", "balances")] == [
        before[name] for name in ("Journal", "Entry", "Hold", "balances")
    ]
    assert posting.balance(escrow) == Balance(90_00, 0)


def test_an_account_that_takes_no_money_refuses_credit(escrow):
    BalanceRow.objects.filter(account=escrow).update(no_credit=True)
    before = rows()

    with pytest.raises(errors.CreditFrozen), transaction.atomic():
        deposited(escrow, 1)

    assert rows() == before


@pytest.mark.parametrize(("by", "approved_by"), [(1, 1), (1, None), (None, 2), (None, None)])
def test_cash_needs_two_different_officers(escrow, by, approved_by):
    lines = (Line(account(escrow.book, "CASH"), -5_00), Line(escrow, 5_00))
    before = rows()

    with pytest.raises(errors.TwoOfficersNeeded), transaction.atomic():
        post("cash_in", *lines, by=by, approved_by=approved_by)

    assert rows() == before


def test_goodwill_needs_a_reason(escrow):
    lines = (Line(account(escrow.book, "FACILITY"), -5_00), Line(escrow, 5_00))
    before = rows()

    with pytest.raises(errors.ReasonNeeded), transaction.atomic():
        post("goodwill", *lines, reason="")

    assert rows() == before


def test_only_a_programmer_can_ask_for_a_journal_that_makes_no_sense(escrow):
    gateway = posting.account(escrow.book, "GATEWAY")
    elsewhere = account(open_book())
    hold = held(escrow, 1_00)
    nonsense = {
        "unbalanced": (Line(gateway, -5), Line(escrow, 4)),
        "twice": (Line(gateway, -5), Line(escrow, 2), Line(escrow, 3)),
        "other book": (Line(gateway, -5), Line(elsewhere, 5)),
        "fraction": (Line(gateway, -5.0), Line(escrow, 5.0)),
        "boolean": (Line(gateway, -1), Line(escrow, True)),
        "beyond": (Line(gateway, -(10**12) - 1), Line(escrow, 10**12 + 1)),
        "wrong way": (Line(gateway, 5), Line(escrow, -5)),
        "nothing": (),
        "hold grows": (Line(escrow, 0, held=5, hold=hold),),
        "hold unnamed": (Line(escrow, 0, held=-5),),
    }
    before = rows()

    for lines in nonsense.values():
        with pytest.raises(AssertionError), transaction.atomic():
            posting.post(
                "deposit_captured",
                book=escrow.book,
                key=fresh_key(),
                lines=lines,
                at=AT,
                by=None,
            )

    assert rows() == before


@pytest.mark.parametrize("kind", ["ESCROW", "GATEWAY"])
@pytest.mark.parametrize("owner", [None, uuid4()])
def test_an_account_is_opened_once(kind, owner):
    book = open_book()

    first = posting.account(book, kind, owner)

    assert posting.account(book, kind, owner) == first
    assert posting.account(book, kind, uuid4()) != first


def test_a_statement_is_read_page_by_page_newest_first(escrow):
    for amount in (1_00, 2_00, 3_00):
        deposited(escrow, amount)

    newest = posting.statement(escrow, limit=2)
    older = posting.statement(escrow, before_seq=newest[-1].seq, limit=2)

    assert [(entry.amount, entry.posted_after) for entry in newest] == [
        (3_00, 106_00),
        (2_00, 103_00),
    ]
    assert [(entry.amount, entry.posted_after) for entry in older] == [
        (1_00, 101_00),
        (100_00, 100_00),
    ]


def test_a_deposit_costs_six_statements_and_the_gate(escrow, django_assert_num_queries):
    gateway = posting.account(escrow.book, "GATEWAY")
    lines = (Line(gateway, -5_00), Line(escrow, 5_00))

    # Lock and read the balance; key, day and id; balance; entries; lot; journal.
    with transaction.atomic(), django_assert_num_queries(6 + GATE):
        posting.post(
            "deposit_captured", book=escrow.book, key=fresh_key(), lines=lines, at=AT, by=None
        )


def test_a_hold_costs_six_statements_and_the_gate(escrow, django_assert_num_queries):
    line = Line(escrow, 0, held=5_00, hold=NewHold())

    with transaction.atomic(), django_assert_num_queries(6 + GATE):
        posting.post("order_held", book=escrow.book, key=fresh_key(), lines=(line,), at=AT, by=None)


@pytest.mark.parametrize("deposits", [1, 3])
def test_a_capture_costs_the_same_over_one_lot_and_over_three(
    escrow, deposits, django_assert_num_queries
):
    for _ in range(deposits - 1):
        deposited(escrow, 10_00)
    hold = held(escrow, posting.balance(escrow).posted)
    vendor = account(escrow.book, "VENDOR")
    lines = (Line(escrow, -hold.amount, held=-hold.amount, hold=hold), Line(vendor, hold.amount))

    # As a deposit, without the lot's one; with two for the hold and four for lots and uses.
    with transaction.atomic(), django_assert_num_queries(5 + 2 + 4 + GATE):
        posting.post(
            "order_captured", book=escrow.book, key=fresh_key(), lines=lines, at=AT, by=None
        )


def test_a_repeat_costs_three_statements_and_the_gate(escrow, django_assert_num_queries):
    lines = (Line(posting.account(escrow.book, "GATEWAY"), -5_00), Line(escrow, 5_00))
    first = post("deposit_captured", *lines, key="again")

    with transaction.atomic(), django_assert_num_queries(3 + GATE):
        again = posting.post(
            "deposit_captured", book=escrow.book, key="again", lines=lines, at=AT, by=None
        )

    assert again == first


@pytest.mark.parametrize("kind", ["ESCROW", "GATEWAY"])
def test_a_balance_costs_one_statement(escrow, kind, django_assert_num_queries):
    asked = escrow if kind == "ESCROW" else posting.account(escrow.book, kind)

    with django_assert_num_queries(1):
        posting.balance(asked)


def test_a_page_of_a_statement_costs_one_statement(escrow, django_assert_num_queries):
    for _ in range(3):
        deposited(escrow, 1_00)

    with django_assert_num_queries(1):
        page = posting.statement(escrow)
        assert [entry.journal.kind for entry in page] == ["deposit_captured"] * 4
