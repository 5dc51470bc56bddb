"""Proofs: what must hold of every row, asked of the database as it stands.

A proof reports and never repairs; a person posts an adjustment. Each invariant is one SQL question
that runs on both databases and names the rows that break it.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

from django.db import connection

from accounts.chart import JOURNAL_KINDS, LOT_KINDS
from accounts.ledger.models import Book, Entry, ProofRun
from detention import triggers

# The first rows name the trouble; the number of all of them is reported beside.
NAMED_ROWS = 20
_LOT_KINDS = ", ".join(f"'{kind}'" for kind in LOT_KINDS)
_MIRRORED = ", ".join(f"'{kind.code}'" for kind in JOURNAL_KINDS.values() if kind.reversible)


@dataclass(frozen=True)
class Invariant:
    """examined counts the rows looked at; broken selects one label for each row that breaks it.

    Both take `:book`, the condition on the book that the run is limited to, of journals j or
    accounts a.
    """

    code: str
    title: str
    examined: str
    broken: str


@dataclass(frozen=True)
class Finding:
    """What one invariant came to: rows examined, violations, and the labels of the first ones."""

    code: str
    title: str
    rows: int
    violations: int
    named: list[str] = field(default_factory=list)


_JOURNALS = "SELECT COUNT(*) FROM ledger_journal j WHERE :book_j"
_ENTRIES = (
    "SELECT COUNT(*) FROM ledger_entry e JOIN ledger_account a ON a.id = e.account_id WHERE :book_a"
)
_LIVE_ENTRIES = f"{_ENTRIES} AND e.seq IS NOT NULL"
_BALANCES = (
    "SELECT COUNT(*) FROM ledger_balance b JOIN ledger_account a ON a.id = b.account_id"
    " WHERE :book_a"
)
_ENTRY = "'entry ' || e.id || ' of journal ' || e.journal_id"
_ACCOUNT = "'account ' || a.id || ' ' || a.kind"

INVARIANTS = (
    Invariant(
        "I1",
        "every journal balances and has all its lines",
        _JOURNALS,
        "SELECT 'journal ' || j.id FROM ledger_journal j"
        " LEFT JOIN ledger_entry e ON e.journal_id = j.id WHERE :book_j"
        " GROUP BY j.id, j.line_count HAVING COUNT(e.id) <> j.line_count"
        " UNION SELECT 'journal ' || j.id FROM ledger_journal j"
        " JOIN ledger_entry e ON e.journal_id = j.id JOIN ledger_account a ON a.id = e.account_id"
        " WHERE :book_j GROUP BY j.id, a.currency HAVING SUM(e.amount) <> 0",
    ),
    Invariant(
        "I2",
        "no entry, hold, lot or lot use without its journal, no account of another book",
        _ENTRIES,
        f"SELECT {_ENTRY} FROM ledger_entry e JOIN ledger_account a ON a.id = e.account_id"
        " LEFT JOIN ledger_journal j ON j.id = e.journal_id"
        " WHERE :book_a AND (j.id IS NULL OR j.book_id <> a.book_id)"
        " UNION ALL SELECT 'hold ' || h.id FROM ledger_hold h"
        " JOIN ledger_account a ON a.id = h.account_id"
        " LEFT JOIN ledger_journal j ON j.id = h.journal_id WHERE :book_a AND j.id IS NULL"
        " UNION ALL SELECT 'lot ' || l.id FROM ledger_lot l"
        " JOIN ledger_account a ON a.id = l.account_id"
        " LEFT JOIN ledger_journal j ON j.id = l.journal_id WHERE :book_a AND j.id IS NULL"
        " UNION ALL SELECT 'lot use ' || u.id FROM ledger_lotuse u"
        " JOIN ledger_lot l ON l.id = u.lot_id JOIN ledger_account a ON a.id = l.account_id"
        " LEFT JOIN ledger_journal j ON j.id = u.journal_id WHERE :book_a AND j.id IS NULL",
    ),
    Invariant(
        "I3",
        "every live account's entries are numbered without gap and each continues the one before",
        _LIVE_ENTRIES,
        f"SELECT {_ENTRY} FROM (SELECT e.id, e.journal_id, e.seq, e.amount, e.held,"
        " e.posted_after, e.held_after, LAG(e.seq, 1, 0) OVER w AS seq_before,"
        " LAG(e.posted_after) OVER w AS posted_before, LAG(e.held_after) OVER w AS held_before"
        " FROM ledger_entry e JOIN ledger_account a ON a.id = e.account_id"
        " WHERE :book_a AND e.seq IS NOT NULL"
        " WINDOW w AS (PARTITION BY e.account_id ORDER BY e.seq)) e"
        " WHERE e.seq <> e.seq_before + 1"
        " OR e.posted_after <> COALESCE(e.posted_before, 0) + e.amount"
        " OR e.held_after <> COALESCE(e.held_before, 0) + e.held",
    ),
    Invariant(
        "I4",
        "every balance is what its newest entry says",
        _BALANCES,
        f"SELECT {_ACCOUNT} FROM ledger_account a"
        " LEFT JOIN ledger_balance b ON b.account_id = a.id"
        " LEFT JOIN ledger_entry e ON e.account_id = a.id AND e.seq ="
        " (SELECT MAX(n.seq) FROM ledger_entry n WHERE n.account_id = a.id AND n.seq IS NOT NULL)"
        " WHERE :book_a AND a.live AND (b.account_id IS NULL OR b.seq <> COALESCE(e.seq, 0)"
        " OR b.posted <> COALESCE(e.posted_after, 0) OR b.held <> COALESCE(e.held_after, 0))",
    ),
    Invariant(
        "I5",
        "no account is overdrawn, held money included",
        _BALANCES,
        f"SELECT {_ACCOUNT} FROM ledger_balance b JOIN ledger_account a ON a.id = b.account_id"
        " WHERE :book_a AND (b.held < 0 OR b.posted - b.held < b.floor)",
    ),
    Invariant(
        "I6",
        "lines of live accounts are numbered, lines of deferred ones are not",
        _ENTRIES,
        f"SELECT {_ENTRY} FROM ledger_entry e JOIN ledger_account a ON a.id = e.account_id"
        " WHERE :book_a AND a.live <> (e.seq IS NOT NULL)",
    ),
    Invariant(
        "I7",
        "business days never fall and closed days stay closed",
        _JOURNALS,
        "SELECT 'journal ' || j.id FROM ledger_journal j"
        " JOIN ledger_gate g ON g.book_id = j.book_id"
        " WHERE :book_j AND j.business_date > g.open_day"
        " UNION SELECT 'journal ' || j.id FROM ledger_journal j"
        " JOIN ledger_day d ON d.book_id = j.book_id WHERE :book_j"
        " AND ((j.business_date = d.day AND j.id > d.cutoff_journal_id)"
        " OR (j.business_date > d.day AND j.id <= d.cutoff_journal_id))"
        " UNION SELECT 'journal ' || j.id FROM ledger_journal j"
        " JOIN ledger_entry e ON e.journal_id = j.id"
        " WHERE :book_j AND e.business_date <> j.business_date"
        " UNION SELECT 'journal ' || e.journal_id FROM (SELECT e.journal_id, e.business_date,"
        " LAG(e.business_date) OVER (PARTITION BY e.account_id ORDER BY e.seq) AS day_before"
        " FROM ledger_entry e JOIN ledger_account a ON a.id = e.account_id"
        " WHERE :book_a AND e.seq IS NOT NULL) e WHERE e.business_date < e.day_before",
    ),
    Invariant(
        "I8",
        "holds are what their entries say and make up what accounts have set aside",
        "SELECT COUNT(*) FROM ledger_hold h JOIN ledger_account a ON a.id = h.account_id"
        " WHERE :book_a",
        "SELECT 'hold ' || h.id FROM ledger_hold h JOIN ledger_account a ON a.id = h.account_id"
        " LEFT JOIN ledger_entry e ON e.hold_id = h.id WHERE :book_a"
        " GROUP BY h.id, h.amount, h.remaining HAVING COALESCE(SUM(e.held), 0) <> h.remaining"
        " OR h.remaining < 0 OR h.remaining > h.amount"
        f" UNION ALL SELECT {_ACCOUNT} FROM ledger_balance b"
        " JOIN ledger_account a ON a.id = b.account_id WHERE :book_a AND b.held <>"
        " COALESCE((SELECT SUM(h.remaining) FROM ledger_hold h"
        " WHERE h.account_id = a.id AND h.remaining > 0), 0)",
    ),
    Invariant(
        "I9",
        "a reversal mirrors its journal exactly and once; no use gives back more than it took",
        f"{_JOURNALS} AND j.reverses_id IS NOT NULL",
        "SELECT 'journal ' || j.id FROM ledger_journal j"
        " JOIN ledger_journal o ON o.id = j.reverses_id"
        " LEFT JOIN ledger_entry e ON e.journal_id = j.id"
        " LEFT JOIN ledger_entry m ON m.journal_id = o.id AND m.account_id = e.account_id"
        " AND m.amount = -e.amount AND m.held = -e.held"
        f" WHERE :book_j AND (m.id IS NULL OR o.kind NOT IN ({_MIRRORED})"
        " OR o.line_count <> j.line_count)"
        " UNION SELECT 'journal ' || MAX(j.id) FROM ledger_journal j WHERE :book_j"
        " AND j.reverses_id IS NOT NULL GROUP BY j.reverses_id HAVING COUNT(*) > 1"
        " UNION SELECT 'lot use ' || u.id FROM ledger_lotuse u"
        " JOIN ledger_lot l ON l.id = u.lot_id JOIN ledger_account a ON a.id = l.account_id"
        " JOIN ledger_lotuse r ON r.returns_id = u.id WHERE :book_a"
        " GROUP BY u.id, u.amount HAVING u.amount + SUM(r.amount) < 0",
    ),
    Invariant(
        "L1",
        "lots are what their uses leave and add up to what their account has",
        "SELECT COUNT(*) FROM ledger_lot l JOIN ledger_account a ON a.id = l.account_id"
        " WHERE :book_a",
        "SELECT 'lot ' || l.id FROM ledger_lot l JOIN ledger_account a ON a.id = l.account_id"
        " LEFT JOIN ledger_lotuse u ON u.lot_id = l.id WHERE :book_a"
        " GROUP BY l.id, l.amount, l.remaining"
        " HAVING l.amount - COALESCE(SUM(u.amount), 0) <> l.remaining"
        f" UNION ALL SELECT {_ACCOUNT} FROM ledger_balance b"
        f" JOIN ledger_account a ON a.id = b.account_id WHERE :book_a AND a.kind IN ({_LOT_KINDS})"
        " AND b.posted <>"
        " COALESCE((SELECT SUM(l.remaining) FROM ledger_lot l"
        " WHERE l.account_id = a.id AND l.remaining > 0), 0)"
        f" UNION ALL SELECT {_ENTRY} FROM ledger_entry e"
        f" JOIN ledger_account a ON a.id = e.account_id WHERE :book_a AND a.kind IN ({_LOT_KINDS})"
        " AND e.amount <> COALESCE((SELECT SUM(l.amount) FROM ledger_lot l"
        " WHERE l.journal_id = e.journal_id AND l.account_id = a.id), 0)"
        " - COALESCE((SELECT SUM(u.amount) FROM ledger_lotuse u JOIN ledger_lot l"
        " ON l.id = u.lot_id WHERE u.journal_id = e.journal_id AND l.account_id = a.id), 0)",
    ),
)


def run(
    *,
    at: datetime,
    book: Book | None = None,
    progress: Callable[[str, int], object] | None = None,
) -> ProofRun:
    """Check every invariant, of one book or of all; keep the result and return it.

    progress: called with a code and the rows examined after each invariant.
    Writes one ProofRun, ok only when nothing is violated. Changes nothing else, repairs nothing.
    """
    findings = []
    with _unhurried():
        for finding in _findings(book):
            findings.append(finding)
            if progress:
                progress(finding.code, finding.rows)
    return ProofRun.objects.create(
        at=at,
        ok=not any(finding.violations for finding in findings),
        rows=sum(finding.rows for finding in findings),
        result=[asdict(finding) for finding in findings],
    )


def size(book: Book | None = None) -> int:
    """Return how many rows a run will examine, for a progress bar."""
    counted: int = sum(_ask(invariant.examined, book)[0][0] for invariant in INVARIANTS)
    entries: int = _entries_of(book).count()
    return counted + entries + len(_expected_triggers())


def last() -> ProofRun | None:
    """Return the newest result, if there ever was one."""
    return ProofRun.objects.order_by("-pk").first()


def _findings(book: Book | None) -> Iterator[Finding]:
    for invariant in INVARIANTS:
        rows = _ask(invariant.examined, book)[0][0]
        yield _finding(
            invariant.code,
            invariant.title,
            rows,
            [label for (label,) in _ask(invariant.broken, book)],
        )
    yield _patterns(book)
    yield _finding(
        "T1",
        "every guard of the database is in place and unchanged",
        len(_expected_triggers()),
        triggers.check(connection),
    )


def _finding(code: str, title: str, rows: int, labels: list[str]) -> Finding:
    return Finding(code, title, rows, len(labels), sorted(labels)[:NAMED_ROWS])


def _patterns(book: Book | None) -> Finding:
    """Compare the lines of every journal with the chart; reads in pieces, however many."""
    lines = (
        _entries_of(book)
        .order_by("journal_id", "line")
        .values_list("journal_id", "journal__kind", "account__kind", "amount", "held")
        .iterator(chunk_size=5000)
    )
    rows = 0
    broken = []
    for (journal, kind), group in itertools.groupby(lines, key=lambda row: (row[0], row[1])):
        shape = [(row[2], row[3], row[4]) for row in group]
        rows += len(shape)
        rule = JOURNAL_KINDS.get(kind)
        if rule is None or not rule.admits(shape):
            broken.append(f"journal {journal} {kind}")
    return _finding("I10", "lines follow the pattern of their journal's kind", rows, broken)


def _entries_of(book: Book | None) -> Any:
    entries = Entry.objects.all()
    return entries.filter(account__book=book) if book else entries


def _expected_triggers() -> list[str]:
    return [
        guard.name
        for group in triggers.declared().values()
        for guard in group
        if guard.exists_on(connection.vendor)
    ]


def _ask(question: str, book: Book | None) -> list[Any]:
    for alias in ("j", "a"):
        condition = f"{alias}.book_id = {book.pk:d}" if book else "TRUE"
        question = question.replace(f":book_{alias}", condition)
    with connection.cursor() as cursor:
        cursor.execute(question)
        return list(cursor.fetchall())


@contextmanager
def _unhurried() -> Iterator[None]:
    """Lift PostgreSQL's limit on long statements while the proof reads everything."""
    if connection.vendor != "postgresql":
        yield
        return
    with connection.cursor() as cursor:
        cursor.execute("SET statement_timeout = 0")
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute("RESET statement_timeout")
