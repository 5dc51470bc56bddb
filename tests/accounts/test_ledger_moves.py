"""Moves belong to a verb's transaction. These tests have no database at all."""

import pytest

from accounts.ledger import days, posting
from accounts.ledger.models import Book
from tests.accounts.ledger_situations import AT

BOOK = Book(pk=1, code="nowhere", time_zone="Asia/Shanghai")
MOVES = {
    "post": lambda: posting.post("opening", book=BOOK, key="k", lines=(), at=AT, by=None),
    "open_book": lambda: days.open_book(ref=BOOK.ref, code="n", time_zone="UTC", at=AT),
    "roll": lambda: days.roll(BOOK, at=AT),
}


@pytest.mark.parametrize("move", MOVES)
def test_no_move_of_the_ledger_runs_outside_a_transaction(move):
    with pytest.raises(AssertionError, match="inside a verb's transaction"):
        MOVES[move]()
