import datetime as dt

import pytest
import time_machine
from django.db import transaction

from accounts import escrow as moves
from accounts.ledger import days, proofs
from accounts.ledger.models import Day, Gate
from config.tasks import sweep
from tests.accounts.ledger_situations import AT, account, deposited, open_book

pytestmark = pytest.mark.django_db


def rolled(book, at):
    with transaction.atomic():
        return days.roll(book, at=at)


def utc(day, hour, minute=0):
    return dt.datetime(2026, 11, day, hour, minute, tzinfo=dt.UTC)


@pytest.mark.parametrize(
    ("at", "open_day"),
    [
        (utc(1, 15, 59), dt.date(2026, 11, 1)),
        (utc(1, 16, 0), dt.date(2026, 11, 2)),  # midnight in Shanghai
    ],
)
def test_a_book_opens_with_the_day_that_it_is_there(at, open_day):
    book = open_book(at=at)

    gate = Gate.objects.get(pk=book)

    assert (gate.open_day, gate.closed_through) == (open_day, open_day - dt.timedelta(days=1))


def test_opening_a_book_again_changes_nothing():
    book = open_book()

    with transaction.atomic():
        again = days.open_book(ref=book.ref, code="other", time_zone="UTC", at=utc(9, 9))

    assert again == book
    assert Gate.objects.get(pk=book).open_day == dt.date(2026, 11, 2)


def test_the_day_rolls_at_the_books_own_midnight():
    book = open_book()

    early = rolled(book, utc(2, 15, 59))
    late = rolled(book, utc(2, 16, 0))
    again = rolled(book, utc(2, 16, 1))

    assert (early, late, again) == ([], [dt.date(2026, 11, 2)], [])


def test_after_a_stop_every_missed_day_is_closed_in_order():
    book = open_book()
    journal = deposited(account(book), 5_00)

    closed = rolled(book, utc(5, 3))

    assert closed == [dt.date(2026, 11, day) for day in (2, 3, 4)]
    assert list(Day.objects.order_by("day").values_list("day", "cutoff_journal_id")) == [
        (day, journal.pk) for day in closed
    ]
    assert Gate.objects.get(pk=book).open_day == dt.date(2026, 11, 5)


def test_a_journal_takes_the_day_that_is_open_and_never_the_callers():
    book = open_book()
    escrow = account(book)
    before = deposited(escrow, 1_00, at=utc(9, 9))
    rolled(book, utc(3, 3))

    after = deposited(escrow, 1_00, at=AT)

    assert before.business_date == dt.date(2026, 11, 2)
    assert after.business_date == dt.date(2026, 11, 3)
    assert proofs.run(at=AT).ok


def test_one_books_day_is_no_others():
    here, there = open_book(), open_book()

    rolled(here, utc(3, 3))

    assert Gate.objects.get(pk=there).open_day == dt.date(2026, 11, 2)


def test_the_minute_task_rolls_through_a_verb():
    book = open_book()

    assert moves.roll_day(book, at=utc(4, 3)) == 2
    assert moves.roll_day(book, at=utc(4, 3)) == 0


def test_the_sweep_of_every_minute_rolls_every_book():
    here, there = open_book(), open_book(at=utc(4, 3))

    with time_machine.travel(utc(5, 3), tick=False):
        sweep()

    assert [Gate.objects.get(pk=book).open_day for book in (here, there)] == [
        dt.date(2026, 11, 5),
        dt.date(2026, 11, 5),
    ]
    assert Day.objects.count() == 4


def test_rolling_when_nothing_is_over_costs_one_statement(django_assert_num_queries):
    book = open_book()

    with transaction.atomic(), django_assert_num_queries(1):
        days.roll(book, at=AT)
