"""The business day of a book: opened once, rolled at the book's own midnight."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db import connection
from django.db.models import Max

from accounts.ledger.models import Book, Day, Gate, Journal


def open_book(*, ref: UUID, code: str, time_zone: str, at: datetime) -> Book:
    """Return the book of a facility, opening it with the day that `at` falls on there.

    Within the caller's transaction. Same ref again: the same book. Two at once: the loser meets
    `ledger_book_ref_once` and its verb tries again.
    """
    assert connection.in_atomic_block, "a book is opened inside a verb's transaction"
    book = Book.objects.filter(ref=ref).first()
    if book is None:
        book = Book.objects.create(ref=ref, code=code, time_zone=time_zone)
        today = _local_day(book, at)
        Gate.objects.create(book=book, open_day=today, closed_through=today - timedelta(days=1))
    return book


def roll(book: Book, *, at: datetime) -> list[date]:
    """Close every day of `book` that is over at `at`; return the days closed, oldest first.

    After a stop it catches up day by day. Writes a Day each and moves the gate.
    Within the caller's transaction, which does nothing else: shuts the gate, so it waits for every
    posting in flight and new ones wait for it. Waits half a second, then its verb tries again.
    Nothing over: writes nothing, locks nothing.
    """
    assert connection.in_atomic_block, "days close inside a verb's transaction"
    today = _local_day(book, at)
    if Gate.objects.get(pk=book.pk).open_day >= today:
        return []
    _shut_gate()
    gate = Gate.objects.select_for_update().get(pk=book.pk)
    newest = Journal.objects.filter(book=book).aggregate(newest=Max("id"))["newest"] or 0
    gate.cutoff_journal_id = max(gate.cutoff_journal_id, newest)
    closed = []
    while gate.open_day < today:
        Day.objects.create(
            book=book, day=gate.open_day, cutoff_journal_id=gate.cutoff_journal_id, closed_at=at
        )
        closed.append(gate.open_day)
        gate.closed_through = gate.open_day
        gate.open_day += timedelta(days=1)
    gate.save()
    return closed


def _local_day(book: Book, at: datetime) -> date:
    return at.astimezone(ZoneInfo(book.time_zone)).date()


def _shut_gate() -> None:
    """Wait for postings in flight and keep new ones out until commit (PostgreSQL).

    SHARE on a table that is always empty: the same on the journals would wait for VACUUM, and an
    exclusive lock would starve behind a running dump. On SQLite BEGIN IMMEDIATE is the gate.
    """
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL lock_timeout = '500ms'")
            cursor.execute("LOCK TABLE ledger_gatelock IN SHARE MODE")
