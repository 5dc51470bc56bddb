"""Many at once at the same money: the database lets exactly the right ones through."""

from __future__ import annotations

import datetime as dt
import random
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import pytest
from django.db import IntegrityError, connection, connections, transaction

from accounts import escrow
from accounts.ledger import days, posting, proofs
from accounts.ledger.models import Account, Day, Entry, Gate, Journal, Lot
from accounts.ledger.posting import Balance, Line
from detention.verbs import verb
from tests.accounts.ledger_situations import (
    AT,
    account,
    captured,
    deposited,
    fresh_key,
    held,
    open_book,
    post,
)

pytestmark = [pytest.mark.race, pytest.mark.usefixtures("race_db")]


def outcomes(results) -> Counter:
    """Count what came out: journals, and errors by their name."""
    return Counter(
        type(result).__name__ if isinstance(result, Exception) else "done" for result in results
    )


def as_verb(kind, *lines, **told):
    """Return a call that posts these lines in a verb of its own, as a door would."""

    @verb
    def act():
        settings = {"key": fresh_key(kind), "at": AT, "by": 1, "approved_by": 2, "reason": "race"}
        book = lines[0].account.book
        return posting.post(kind, book=book, lines=lines, **{**settings, **told})

    return act


@pytest.mark.parametrize("trial", range(5))
def test_of_eight_who_take_sixty_out_of_a_hundred_one_gets_it(together, trial):
    purse = account(open_book())
    deposited(purse, 100)
    payouts = [account(purse.book, "PAYOUT") for _ in range(8)]

    results = together(
        [as_verb("payout_planned", Line(purse, -60), Line(payout, 60)) for payout in payouts],
        threads=8,
    )

    assert outcomes(results) == {"done": 1, "NotEnoughMoney": 7}
    assert posting.balance(purse) == Balance(posted=40, held=0)
    assert Entry.objects.filter(account=purse).count() == 2
    assert sum(posting.balance(payout).posted for payout in payouts) == 60


@pytest.mark.parametrize("trial", range(5))
def test_of_eight_orders_that_fit_once_one_holds_the_money(together, trial):
    purse = account(open_book())
    deposited(purse, 100)

    results = together(
        [as_verb("order_held", Line(purse, 0, held=60, hold=posting.NewHold())) for _ in range(8)],
        threads=8,
    )

    assert outcomes(results) == {"done": 1, "NotEnoughMoney": 7}
    assert posting.balance(purse) == Balance(posted=100, held=60)


@pytest.mark.parametrize("live", [True, False], ids=["a detainee's account", "house accounts"])
def test_the_same_key_at_once_makes_one_journal_that_all_get(together, live):
    book = open_book()
    kinds = ("GATEWAY", "ESCROW") if live else ("BANK", "FACILITY")
    accounts = [account(book, kind) for kind in kinds]
    lines = (Line(accounts[0], -5), Line(accounts[1], 5))
    call = as_verb("deposit_captured" if live else "facility_funded", *lines, key=fresh_key())

    results = together([call] * 6, threads=6)

    assert outcomes(results) == {"done": 6}
    assert len({journal.pk for journal in results}) == 1
    assert posting.balance(accounts[1]).posted == 5
    assert Journal.objects.filter(book=book).count() == 1


def test_the_same_key_at_once_never_takes_the_money_twice(together):
    purse = account(open_book())
    deposited(purse, 100)
    lines = (Line(purse, -60), Line(account(purse.book, "PAYOUT"), 60))
    call = as_verb("payout_planned", *lines, key=fresh_key())

    results = together([call] * 6, threads=6)

    assert outcomes(results) == {"done": 6}
    assert posting.balance(purse).posted == 40


def test_the_same_key_at_once_with_other_contents_is_a_conflict_for_all_but_one(together):
    purse = account(open_book())
    gateway = posting.account(purse.book, "GATEWAY")
    key = fresh_key()

    results = together(
        [
            as_verb("deposit_captured", Line(gateway, -fen), Line(purse, fen), key=key)
            for fen in range(1, 7)
        ],
        threads=6,
    )

    assert outcomes(results) == {"done": 1, "KeyConflict": 5}
    assert Entry.objects.filter(account=purse).count() == 1


def test_an_account_that_two_open_at_once_is_one(together):
    book, owner = open_book(), uuid4()

    @verb
    def act():
        return posting.account(book, "ESCROW", owner)

    results = together([act] * 6, threads=6)

    assert outcomes(results) == {"done": 6}
    assert len({found.pk for found in results}) == 1
    assert Account.objects.filter(owner=owner).count() == 1


def test_a_capture_and_the_expiry_of_its_hold_share_no_money(together):
    purse = account(open_book())
    vendor = account(purse.book, "VENDOR")
    deposited(purse, 100)
    hold = held(purse, 60)

    results = together(
        [
            as_verb("order_captured", Line(purse, -60, held=-60, hold=hold), Line(vendor, 60)),
            as_verb("order_released", Line(purse, 0, held=-60, hold=hold)),
        ],
        threads=2,
    )

    assert outcomes(results) == {"done": 1, "HoldUsedUp": 1}
    assert posting.balance(purse).held == 0
    assert posting.balance(purse).posted + posting.balance(vendor).posted == 100


def test_goods_come_back_once_however_many_say_so(together):
    purse = account(open_book())
    vendor = uuid4()
    deposited(purse, 100)
    journal = captured(held(purse, 60), 60, vendor=account(purse.book, "VENDOR", vendor))

    @verb
    def bring_back():
        # The caller of the move holds the custody; here the balance row stands for it.
        posting.BalanceRow.objects.select_for_update().get(pk=purse.pk)
        return escrow.goods_returned(
            journal, 40, vendor=vendor, key=fresh_key(), doc=("return", 1), by=None, at=AT
        )

    results = together([bring_back] * 4, threads=4)

    assert outcomes(results) == {"done": 1, "LotUsedUp": 3}
    assert posting.balance(purse).posted == 80
    assert Lot.objects.get(account=purse).remaining == 80


def test_a_journal_reversed_by_two_at_once_is_reversed_once(together):
    book = open_book()
    lines = (Line(account(book, "FACILITY"), -30), Line(account(book), 30))
    allowance = post("allowance", *lines)

    @verb
    def act():
        return posting.reverse(
            allowance, key=fresh_key(), at=AT, by=1, approved_by=2, reason="typo"
        )

    results = together([act] * 4, threads=4)

    assert outcomes(results) == {"done": 1, "AlreadyReversed": 3}
    assert Journal.objects.filter(reverses=allowance).count() == 1


def test_a_storm_over_few_accounts_never_deadlocks_and_loses_nothing(together):
    book = open_book()
    purses = [account(book) for _ in range(12)]
    for purse in purses:
        deposited(purse, 1_000_00)

    def storm():
        """Move money round four purses at a time; without a verb, so nothing is tried again."""
        dice = random.Random()
        for _ in range(12):
            one, two, three, four = dice.sample(purses, 4)
            fen = dice.randint(1, 500)
            post(
                "adjustment",
                *(Line(one, -fen), Line(two, fen), Line(three, -2 * fen), Line(four, 2 * fen)),
            )

    results = together([storm] * 8, threads=8)

    assert outcomes(results) == {"done": 8}
    assert sum(posting.balance(purse).posted for purse in purses) == 12 * 1_000_00
    assert Journal.objects.filter(book=book, kind="adjustment").count() == 96
    assert proofs.run(at=AT, book=book).ok


class InFlight:
    """A posting on a connection of its own that has not been committed yet."""

    def __init__(self, act) -> None:
        self.posted, self.finish = threading.Event(), threading.Event()
        self.pool = ThreadPoolExecutor(1)
        self.result = self.pool.submit(self._run, act)
        assert self.posted.wait(timeout=10)

    def _run(self, act):
        try:
            with transaction.atomic():
                done = act()
                self.posted.set()
                assert self.finish.wait(timeout=10)
            return done
        finally:
            self.posted.set()
            connections["default"].close()

    def commit(self):
        """Let it commit; return what it posted."""
        self.finish.set()
        done = self.result.result(timeout=20)
        self.pool.shutdown()
        return done


def test_a_day_closes_only_after_every_posting_in_flight():
    book = open_book()
    purse = account(book)
    gateway = posting.account(book, "GATEWAY")
    tomorrow = AT + dt.timedelta(days=1)
    posting_ = InFlight(
        lambda: posting.post(
            "deposit_captured",
            book=book,
            key=fresh_key(),
            lines=(Line(gateway, -5), Line(purse, 5)),
            at=AT,
            by=None,
        )
    )

    with ThreadPoolExecutor(1) as closer:
        closing = closer.submit(escrow.roll_day, book, at=tomorrow)
        waited = not _done_within(closing, seconds=0.3)
        journal = posting_.commit()
        closed = closing.result(timeout=20)
        closer.submit(_hang_up).result()

    assert (waited, closed) == (True, 1)
    assert Day.objects.get(book=book).cutoff_journal_id == journal.pk
    assert journal.business_date == AT.date()


def test_a_posting_waits_for_a_day_that_is_closing_and_lands_in_the_next():
    book = open_book()
    purse = account(book)
    tomorrow = AT + dt.timedelta(days=1)
    closing = InFlight(lambda: days.roll(book, at=tomorrow))

    with ThreadPoolExecutor(1) as payer:
        paying = payer.submit(deposited, purse, 5)
        waited = not _done_within(paying, seconds=0.3)
        closing.commit()
        journal = paying.result(timeout=20)
        payer.submit(_hang_up).result()

    assert waited
    assert journal.business_date == tomorrow.date()
    assert journal.pk > Day.objects.get(book=book).cutoff_journal_id


def _hang_up():
    connections["default"].close()


def _done_within(future, *, seconds):
    try:
        future.result(timeout=seconds)
    except TimeoutError:
        return False
    return True


def test_days_that_close_under_load_count_every_journal_once(together):
    book = open_book()
    purse = account(book)
    gateway = posting.account(book, "GATEWAY")
    start = Gate.objects.get(pk=book).open_day

    def pay():
        for _ in range(15):
            as_verb("deposit_captured", Line(gateway, -1), Line(purse, 1))()

    def close():
        for day in range(1, 7):
            escrow.roll_day(book, at=AT + dt.timedelta(days=day))

    results = together([pay, pay, pay, pay, close], threads=5)

    assert outcomes(results) == {"done": 5}
    assert posting.balance(purse).posted == 60
    assert (Gate.objects.get(pk=book).open_day - start).days == 6
    assert proofs.run(at=AT, book=book).ok


def test_entries_without_their_journal_do_not_survive_the_commit():
    vendor = account(open_book(), "VENDOR")

    with pytest.raises(IntegrityError), transaction.atomic():
        Entry.objects.create(
            journal_id=999_999, line=1, account=vendor, amount=5, business_date=AT.date()
        )

    assert not Entry.objects.filter(journal_id=999_999).exists()


def test_the_balance_row_alone_refuses_overdraft_when_the_program_forgets_to_look():
    purse = account(open_book())
    deposited(purse, 100)

    with (
        pytest.raises(IntegrityError, match="ledger_balance_covers_held"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(
            "UPDATE ledger_balance SET posted = posted - 101, seq = seq + 1 WHERE account_id = %s",
            [purse.pk],
        )

    assert posting.balance(purse).posted == 100
