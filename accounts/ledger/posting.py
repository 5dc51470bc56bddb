"""`post`: the only way money moves. Also the reads that people see: balance and statement.

One portable path of short statements. The order is what carries the rules: gate lock first (so a
day closes between two postings), balance rows by ascending account, then the key, then entries,
holds and lots, the journal last, whose guard checks the whole set.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import Sum

from accounts import errors
from accounts.chart import ACCOUNT_KINDS, JOURNAL_KINDS, JournalKind
from accounts.ledger import lots
from accounts.ledger.lots import LotPart
from accounts.ledger.models import Account, BalanceRow, Book, Entry, Hold, Journal, Lot
from accounts.money import LARGEST_FEN

# Row locks of one journal are held for well under 0.1 s up to here; larger runs are cut in pieces.
MOST_LINES = 500


@dataclass(frozen=True)
class NewHold:
    """Asks `post` to set a line's `held` aside as a new hold. expires_at: None never expires."""

    expires_at: datetime | None = None


@dataclass(frozen=True)
class Line:
    """One line to post, all amounts in fen.

    amount: above 0 credits, below 0 debits. held: change of what is set aside; above 0 with a
    NewHold, below 0 with the Hold it comes from. lots: which lots a debit spends or a credit gives
    back; without it a debit spends the oldest and a credit opens a new one.
    """

    account: Account
    amount: int
    held: int = 0
    hold: Hold | NewHold | None = None
    lots: Sequence[LotPart] | None = None


@dataclass(frozen=True)
class Balance:
    """Where an account stands, in fen. Credit is positive; available = posted - held."""

    posted: int
    held: int

    @property
    def available(self) -> int:
        """Return what may be spent."""
        return self.posted - self.held


def book(ref: UUID) -> Book:
    """Return the book of this facility; Book.DoesNotExist when it was never opened."""
    return Book.objects.get(ref=ref)


def account(book: Book, kind: str, owner: UUID | None = None, currency: str = "CNY") -> Account:
    """Return the account of this kind and owner, opening it (and its balance) at first use.

    Two callers at once: the loser meets `ledger_account_once` and its verb tries again.
    """
    found = Account.objects.filter(book=book, kind=kind, owner=owner, currency=currency).first()
    if found is None:
        live = ACCOUNT_KINDS[kind].live
        found = Account.objects.create(
            book=book, kind=kind, owner=owner, currency=currency, live=live
        )
        if live:
            BalanceRow.objects.create(account=found)
    return found


def find(key: str) -> Journal | None:
    """Return the journal posted under this key, if there is one."""
    return Journal.objects.filter(key=key).first()


def post(
    kind: str,
    *,
    book: Book,
    key: str,
    lines: Sequence[Line],
    at: datetime,
    by: int | None,
    by_custody: int | None = None,
    approved_by: int | None = None,
    doc: tuple[str, int] | None = None,
    source: str = "web",
    reason: str = "",
    group: UUID | None = None,
    reverses: Journal | None = None,
) -> Journal:
    """Write one balanced journal, its entries, holds and lots; return it.

    key: business key, kept for ever (`order:12:capture:3`). by: number of the person who caused it,
    by_custody: of the custody whose detainee did, neither for the system. doc: what it is about.
    The business day is the one the book has open, never the caller's.
    Refuses NotEnoughMoney, SpendingFrozen, CreditFrozen, HoldUsedUp, LotUsedUp, TwoOfficersNeeded,
    ReasonNeeded, and KeyConflict when the key was used for something else.
    Within the caller's transaction, last of what it does: takes the gate lock, then the balance
    rows by ascending account. Same key and same contents again: returns the first journal.
    """
    assert connection.in_atomic_block, "money moves inside a verb's transaction"
    rule = JOURNAL_KINDS[kind]
    _assert_well_formed(rule, book, lines)
    request = _request_hash(kind, book, lines, doc, reverses)
    _enter_gate()
    balances = _lock_balances([line.account for line in lines])
    day, journal_id, earlier, earlier_request = _look_up(book, key)
    if earlier is not None:
        if bytes(earlier_request) != request:
            raise errors.KeyConflict
        return Journal.objects.get(pk=earlier)
    _refuse_by_rule(rule, by, approved_by, reason)
    for line in lines:
        _refuse_by_account(line, balances.get(line.account.pk))
    journal = Journal(
        id=journal_id,
        book=book,
        kind=kind,
        key=key,
        request_hash=request,
        business_date=day,
        posted_at=at,
        actor_id=by,
        actor_custody_id=by_custody,
        approved_by_id=approved_by,
        source=source,
        reason=reason,
        reverses=reverses,
        group=group,
        doc_type=doc[0] if doc else "",
        doc_id=doc[1] if doc else None,
        line_count=len(lines),
    )
    holds = [_hold_of(line, journal) for line in lines]
    _write_entries(journal, lines, holds)
    _settle_holds([line.hold.pk for line in lines if isinstance(line.hold, Hold)])
    for line in lines:
        _write_lots(rule, journal, line)
    journal.save(force_insert=True)
    return journal


def reverse(
    journal: Journal,
    *,
    key: str,
    at: datetime,
    by: int,
    approved_by: int,
    reason: str,
    source: str = "web",
) -> Journal:
    """Post the mirror of a whole journal: what it credited is debited, lots included.

    Refuses NotReversible (its kind has a counterpart of its own), AlreadyReversed, LotUsedUp when
    money it brought is already spent, and what `post` refuses. Same key again: the first reversal.
    """
    assert connection.in_atomic_block, "money moves inside a verb's transaction"
    if not JOURNAL_KINDS[journal.kind].reversible:
        raise errors.NotReversible
    entries = list(journal.entries.select_related("account").order_by("line"))
    # Locked before looking, so that a twin which has just committed is seen.
    _enter_gate()
    _lock_balances([entry.account for entry in entries])
    earlier = Journal.objects.filter(reverses=journal).first()
    if earlier is not None and earlier.key != key:
        raise errors.AlreadyReversed
    if earlier is not None:
        return earlier
    lines = [
        Line(entry.account, -entry.amount, lots=_mirrored_lots(journal, entry)) for entry in entries
    ]
    return post(
        "reversal",
        book=journal.book,
        key=key,
        lines=lines,
        at=at,
        by=by,
        approved_by=approved_by,
        doc=(journal.doc_type, journal.doc_id) if journal.doc_id is not None else None,
        source=source,
        reason=reason,
        reverses=journal,
    )


def _mirrored_lots(journal: Journal, entry: Entry) -> list[LotPart] | None:
    if not ACCOUNT_KINDS[entry.account.kind].lots:
        return None
    if entry.amount < 0:
        return lots.given_back(journal, entry.account, -entry.amount)
    lot = Lot.objects.get(journal=journal, account=entry.account)
    return lots.of_one(lot, lot.amount)


def _assert_well_formed(rule: JournalKind, book: Book, lines: Sequence[Line]) -> None:
    assert 1 <= len(lines) <= MOST_LINES, "a journal has 1 to 500 lines"
    accounts = {line.account.pk for line in lines}
    assert len(accounts) == len(lines), "an account stands at most once in a journal"
    sums: dict[str, int] = {}
    for line in lines:
        for number in (line.amount, line.held):
            assert type(number) is int, "amounts are integer fen"
            assert abs(number) <= LARGEST_FEN, "the amount is beyond any limit"
        assert line.account.book_id == book.pk, "a journal belongs to one book"
        assert line.held <= 0 or isinstance(line.hold, NewHold), "money set aside is a new hold"
        assert line.held >= 0 or isinstance(line.hold, Hold), "name the hold it comes from"
        currency = line.account.currency
        sums[currency] = sums.get(currency, 0) + line.amount
    assert not any(sums.values()), "debits and credits are equal"
    shape = [(line.account.kind, line.amount, line.held) for line in lines]
    assert rule.admits(shape), f"{rule.code} has no such lines: {shape}"


def _request_hash(
    kind: str,
    book: Book,
    lines: Sequence[Line],
    doc: tuple[str, int] | None,
    reverses: Journal | None,
) -> bytes:
    # Without lots: which of them a repeat would name depends on what happened since.
    contents = [
        kind,
        book.pk,
        [
            [
                line.account.pk,
                line.amount,
                line.held,
                line.hold.pk if isinstance(line.hold, Hold) else None,
            ]
            for line in lines
        ],
        list(doc) if doc else None,
        reverses.pk if reverses else None,
    ]
    return hashlib.sha256(json.dumps(contents, separators=(",", ":")).encode()).digest()


def _enter_gate() -> None:
    """Stay outside the closing of a day: whoever closes waits for us, or we for them.

    PostgreSQL takes this table lock before the next statement's snapshot, and the journal's id is
    drawn after it, so a journal never lands behind a cutoff. On SQLite BEGIN IMMEDIATE is the gate.
    """
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("LOCK TABLE ledger_gatelock IN ROW EXCLUSIVE MODE")


def _lock_balances(
    accounts: Sequence[Account],
) -> dict[int, tuple[int, int, int | None, bool, bool]]:
    """Lock the live accounts' balances by ascending account, which is what prevents deadlocks."""
    ids = sorted(account.pk for account in accounts if account.live)
    if not ids:
        return {}
    marks = ", ".join(["%s"] * len(ids))
    lock = "FOR NO KEY UPDATE" if connection.vendor == "postgresql" else ""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT account_id, posted, held, floor, no_debit, no_credit FROM ledger_balance"
            f" WHERE account_id IN ({marks}) ORDER BY account_id {lock}",
            ids,
        )
        return {row[0]: row[1:] for row in cursor.fetchall()}


def _look_up(book: Book, key: str) -> tuple[date, int, int | None, Any]:
    """Read the open day, a journal id to use, and the journal that already has this key.

    After the balances are locked, so that a twin which has just committed is seen.
    """
    next_id = (
        "nextval(pg_get_serial_sequence('ledger_journal', 'id'))"
        if connection.vendor == "postgresql"
        else "(SELECT COALESCE(MAX(id), 0) + 1 FROM ledger_journal)"
    )
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT g.open_day, {next_id}, j.id, j.request_hash FROM ledger_gate g"
            " LEFT JOIN ledger_journal j ON j.key = %s WHERE g.book_id = %s",
            [key, book.pk],
        )
        row: tuple[date, int, int | None, Any] = cursor.fetchone()
        return row


def _refuse_by_rule(
    rule: JournalKind, by: int | None, approved_by: int | None, reason: str
) -> None:
    if rule.two_officers and (by is None or approved_by is None or by == approved_by):
        raise errors.TwoOfficersNeeded
    if rule.needs_reason and not reason:
        raise errors.ReasonNeeded


def _refuse_by_account(line: Line, balance: tuple[int, int, int | None, bool, bool] | None) -> None:
    """Say in plain words what the balance row's CHECK would say in the database's."""
    if isinstance(line.hold, Hold):
        remaining = Hold.objects.values_list("remaining", flat=True).get(pk=line.hold.pk)
        if remaining + line.held < 0:
            raise errors.HoldUsedUp
    if not line.account.live:
        return
    assert balance is not None, "a live account has a balance row"
    posted, held, floor, no_debit, no_credit = balance
    # Money already set aside may still be captured or let go while spending is stopped.
    spends = line.held > 0 or (line.amount < 0 and line.held == 0)
    if no_debit and spends:
        raise errors.SpendingFrozen
    if no_credit and line.amount > 0:
        raise errors.CreditFrozen
    if floor is not None and posted + line.amount < floor + held + line.held:
        raise errors.NotEnoughMoney(available=max(posted - held - floor, 0))


def _hold_of(line: Line, journal: Journal) -> int | None:
    """Write the new hold that a line asks for; return the number of the hold it stands on."""
    if isinstance(line.hold, Hold):
        return line.hold.pk
    if line.hold is None:
        return None
    hold = Hold.objects.create(
        account=line.account,
        journal_id=journal.pk,
        amount=line.held,
        remaining=line.held,
        doc_type=journal.doc_type,
        doc_id=journal.doc_id,
        expires_at=line.hold.expires_at,
    )
    return hold.pk


def _write_entries(journal: Journal, lines: Sequence[Line], holds: Sequence[int | None]) -> None:
    """Move each live balance in ascending order and write all entries in one statement."""
    after: dict[int, tuple[int, int, int]] = {}
    with connection.cursor() as cursor:
        for line in sorted(lines, key=lambda line: line.account.pk):
            if line.account.live:
                cursor.execute(
                    "UPDATE ledger_balance SET posted = posted + %s, held = held + %s,"
                    " seq = seq + 1 WHERE account_id = %s RETURNING seq, posted, held",
                    [line.amount, line.held, line.account.pk],
                )
                after[line.account.pk] = cursor.fetchone()
        values: list[Any] = []
        day = connection.ops.adapt_datefield_value(journal.business_date)
        for number, (line, hold) in enumerate(zip(lines, holds, strict=True), start=1):
            seq, posted, held = after.get(line.account.pk, (None, None, None))
            values += [journal.pk, number, line.account.pk, line.amount, line.held, hold]
            values += [seq, posted, held, day]
        row = "(" + ", ".join(["%s"] * 10) + ")"
        cursor.execute(
            "INSERT INTO ledger_entry (journal_id, line, account_id, amount, held, hold_id,"
            " seq, posted_after, held_after, business_date)"
            f" VALUES {', '.join([row] * len(lines))}",
            values,
        )


def _settle_holds(ids: Sequence[int]) -> None:
    """Bring what remains of these holds in line with their entries."""
    with connection.cursor() as cursor:
        for hold in sorted(ids):
            cursor.execute(
                "UPDATE ledger_hold SET remaining ="
                " (SELECT SUM(e.held) FROM ledger_entry e WHERE e.hold_id = ledger_hold.id)"
                " WHERE id = %s",
                [hold],
            )


def _write_lots(rule: JournalKind, journal: Journal, line: Line) -> None:
    if line.amount == 0 or not ACCOUNT_KINDS[line.account.kind].lots:
        return
    if line.amount > 0 and not rule.gives_back:
        lots.open_lot(line.account.pk, journal.pk, journal.kind, line.amount)
        return
    parts = line.lots
    if parts is None:
        assert line.amount < 0, f"{rule.code} gives back to the lots it names"
        parts = lots.oldest_first(line.account.pk, -line.amount)
    lots.use(journal.pk, parts)


def balance(account: Account) -> Balance:
    """Return where an account stands; one statement.

    Live: its balance row. Deferred: the sum of its entries, of which day totals will later spare
    the closed days. For display an account that the book owns (bank, cash) is turned by its normal
    side.
    """
    if account.live:
        row = BalanceRow.objects.get(pk=account.pk)
        return Balance(posted=row.posted, held=row.held)
    total = Entry.objects.filter(account=account, seq=None).aggregate(total=Sum("amount"))["total"]
    return Balance(posted=total or 0, held=0)


def statement(account: Account, *, before_seq: int | None = None, limit: int = 25) -> list[Entry]:
    """Return a page of a live account's entries, newest first, with their journals.

    before_seq: the last seq of the page before. Costs the page, however long the account is.
    """
    entries = Entry.objects.filter(account=account, seq__isnull=False)
    if before_seq is not None:
        entries = entries.filter(seq__lt=before_seq)
    return list(entries.select_related("journal").order_by("-seq")[:limit])
