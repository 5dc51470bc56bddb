"""What the database refuses about money, whoever asks.

The order of writing is what makes balance checkable without deferred triggers: balances, entries,
holds and lots first, the journal last; the journal's guard looks at the whole set, and nothing can
be added to a journal once its row exists.
"""

from __future__ import annotations

from accounts.chart import LOT_KINDS
from detention.triggers import INSERT, UPDATE, Guard, append_only, never_removed

_LOT_KINDS = ", ".join(f"'{kind}'" for kind in LOT_KINDS)
_HEADER_EXISTS = (
    "its journal is already posted",
    "EXISTS (SELECT 1 FROM ledger_journal j WHERE j.id = NEW.journal_id)",
)


def _differs(*columns: str) -> str:
    """Return the condition that one of these columns changes; safe for NULL."""
    return " OR ".join(
        f"NEW.{name} <> OLD.{name} OR (NEW.{name} IS NULL) <> (OLD.{name} IS NULL)"
        for name in columns
    )


_BOOKS = [
    *never_removed("ledger_book", unique=["r.ref = NEW.ref", "r.code = NEW.code"]),
    Guard(
        name="ledger_book_same",
        table="ledger_book",
        event=UPDATE,
        rules=(("a book stays the same facility's", _differs("id", "ref", "code")),),
    ),
    *never_removed("ledger_gate", key="book_id"),
    Guard(
        name="ledger_gate_forward",
        table="ledger_gate",
        event=UPDATE,
        rules=(
            (
                "days only move forward",
                "NEW.book_id <> OLD.book_id OR NEW.open_day < OLD.open_day"
                " OR NEW.closed_through < OLD.closed_through"
                " OR NEW.cutoff_journal_id < OLD.cutoff_journal_id",
            ),
        ),
    ),
    Guard(
        name="ledger_gatelock_empty",
        table="ledger_gatelock",
        event=INSERT,
        rules=(("this table stays empty", "TRUE"),),
    ),
    *append_only("ledger_day", unique=["r.book_id = NEW.book_id AND r.day = NEW.day"]),
]

_ACCOUNTS = [
    *append_only(
        "ledger_account",
        unique=[
            "r.book_id = NEW.book_id AND r.kind = NEW.kind AND r.currency = NEW.currency"
            " AND (r.owner = NEW.owner OR (r.owner IS NULL AND NEW.owner IS NULL))"
        ],
    ),
    *append_only("ledger_accountevent"),
    *never_removed("ledger_balance", key="account_id"),
    Guard(
        name="ledger_balance_begins",
        table="ledger_balance",
        event=INSERT,
        rules=(
            (
                "a balance begins at zero",
                "NEW.posted <> 0 OR NEW.held <> 0 OR NEW.seq <> 0",
            ),
            (
                "only live accounts have a balance",
                "EXISTS (SELECT 1 FROM ledger_account a"
                " WHERE a.id = NEW.account_id AND NOT a.live)",
            ),
        ),
    ),
    Guard(
        name="ledger_balance_steps",
        table="ledger_balance",
        event=UPDATE,
        rules=(
            (
                "a balance moves with one numbered entry",
                "NEW.account_id <> OLD.account_id OR (NEW.seq <> OLD.seq + 1 AND"
                " (NEW.seq <> OLD.seq OR NEW.posted <> OLD.posted OR NEW.held <> OLD.held))",
            ),
        ),
    ),
]

_PREVIOUS = "SELECT p.{0}_after FROM ledger_entry p WHERE p.account_id = NEW.account_id"

_ENTRIES = [
    *append_only(
        "ledger_entry",
        unique=[
            "r.journal_id = NEW.journal_id AND r.line = NEW.line",
            "r.account_id = NEW.account_id AND r.seq = NEW.seq",
        ],
    ),
    Guard(
        name="ledger_entry_joins",
        table="ledger_entry",
        event=INSERT,
        rules=(
            _HEADER_EXISTS,
            (
                "a live line needs its number, a deferred line has none",
                "(SELECT a.live FROM ledger_account a WHERE a.id = NEW.account_id)"
                " <> (NEW.seq IS NOT NULL)",
            ),
            (
                "the entry before is missing",
                "NEW.seq > 1 AND NOT EXISTS (SELECT 1 FROM ledger_entry p"
                " WHERE p.account_id = NEW.account_id AND p.seq = NEW.seq - 1)",
            ),
            (
                "the balance does not continue",
                "NEW.seq IS NOT NULL AND ("
                f"COALESCE(({_PREVIOUS.format('posted')} AND p.seq = NEW.seq - 1), 0)"
                " + NEW.amount <> NEW.posted_after"
                f" OR COALESCE(({_PREVIOUS.format('held')} AND p.seq = NEW.seq - 1), 0)"
                " + NEW.held <> NEW.held_after)",
            ),
            (
                "the hold is another account's",
                "NEW.hold_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM ledger_hold h"
                " WHERE h.id = NEW.hold_id AND h.account_id = NEW.account_id)",
            ),
            (
                "the hold is used up",
                "NEW.hold_id IS NOT NULL AND NOT"
                " COALESCE((SELECT SUM(e.held) FROM ledger_entry e"
                " WHERE e.hold_id = NEW.hold_id), 0)"
                " + NEW.held BETWEEN 0 AND"
                " (SELECT h.amount FROM ledger_hold h WHERE h.id = NEW.hold_id)",
            ),
        ),
    ),
]

_HOLDS = [
    *never_removed("ledger_hold", unique=["r.journal_id = NEW.journal_id"]),
    Guard(
        name="ledger_hold_begins",
        table="ledger_hold",
        event=INSERT,
        rules=(_HEADER_EXISTS, ("a hold begins whole", "NEW.remaining <> NEW.amount")),
    ),
    Guard(
        name="ledger_hold_follows",
        table="ledger_hold",
        event=UPDATE,
        rules=(
            (
                "only what remains of a hold changes",
                _differs(
                    "id", "account_id", "journal_id", "amount", "doc_type", "doc_id", "expires_at"
                ),
            ),
            (
                "a hold is what its entries say",
                "NEW.remaining <>"
                " COALESCE((SELECT SUM(e.held) FROM ledger_entry e WHERE e.hold_id = NEW.id), 0)",
            ),
        ),
    ),
]

_LOTS = [
    *never_removed(
        "ledger_lot", unique=["r.journal_id = NEW.journal_id AND r.account_id = NEW.account_id"]
    ),
    Guard(
        name="ledger_lot_begins",
        table="ledger_lot",
        event=INSERT,
        rules=(_HEADER_EXISTS, ("a lot begins whole", "NEW.remaining <> NEW.amount")),
    ),
    Guard(
        name="ledger_lot_follows",
        table="ledger_lot",
        event=UPDATE,
        rules=(
            (
                "only what remains of a lot changes",
                _differs("id", "account_id", "journal_id", "kind", "amount"),
            ),
            (
                "a lot is what its uses leave",
                "NEW.remaining <> NEW.amount -"
                " COALESCE((SELECT SUM(u.amount) FROM ledger_lotuse u WHERE u.lot_id = NEW.id), 0)",
            ),
        ),
    ),
    *append_only(
        "ledger_lotuse",
        unique=[
            "r.journal_id = NEW.journal_id AND r.lot_id = NEW.lot_id AND"
            " (r.returns_id = NEW.returns_id OR (r.returns_id IS NULL AND NEW.returns_id IS NULL))"
        ],
    ),
    Guard(
        name="ledger_lotuse_joins",
        table="ledger_lotuse",
        event=INSERT,
        rules=(
            _HEADER_EXISTS,
            (
                "no more can be given back than that use took",
                "NEW.returns_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM ledger_lotuse u"
                " WHERE u.id = NEW.returns_id AND u.lot_id = NEW.lot_id AND u.amount >= -NEW.amount"
                " - COALESCE((SELECT SUM(b.amount) FROM ledger_lotuse b WHERE b.returns_id = u.id),"
                " 0))",
            ),
        ),
    ),
]

_MINE = (
    "FROM ledger_entry e JOIN ledger_account a ON a.id = e.account_id WHERE e.journal_id = NEW.id"
)

_JOURNALS = [
    *append_only("ledger_journal", unique=["r.key = NEW.key", "r.reverses_id = NEW.reverses_id"]),
    Guard(
        name="ledger_journal_whole",
        table="ledger_journal",
        event=INSERT,
        rules=(
            (
                "its lines are not all there",
                "(SELECT COUNT(*) FROM ledger_entry e WHERE e.journal_id = NEW.id)"
                " <> NEW.line_count",
            ),
            (
                "it does not balance",
                f"EXISTS (SELECT a.currency {_MINE} GROUP BY a.currency HAVING SUM(e.amount) <> 0)",
            ),
            (
                "an account stands in it twice",
                f"EXISTS (SELECT a.id {_MINE} GROUP BY a.id HAVING COUNT(*) > 1)",
            ),
            (
                "a line is of another book or day",
                f"EXISTS (SELECT 1 {_MINE} AND"
                " (a.book_id <> NEW.book_id OR e.business_date <> NEW.business_date))",
            ),
            (
                "its day is not open",
                "NOT EXISTS (SELECT 1 FROM ledger_gate g WHERE g.book_id = NEW.book_id"
                " AND g.open_day = NEW.business_date AND g.cutoff_journal_id < NEW.id)",
            ),
            (
                "a balance is not what its entry says",
                "EXISTS (SELECT 1 FROM ledger_entry e"
                " LEFT JOIN ledger_balance b ON b.account_id = e.account_id"
                " WHERE e.journal_id = NEW.id AND e.seq IS NOT NULL AND (b.seq IS NULL"
                " OR b.seq <> e.seq OR b.posted <> e.posted_after OR b.held <> e.held_after))",
            ),
            (
                "a hold is not what its entries say",
                "EXISTS (SELECT 1 FROM ledger_entry m JOIN ledger_hold h ON h.id = m.hold_id"
                " WHERE m.journal_id = NEW.id AND h.remaining <>"
                " (SELECT SUM(e.held) FROM ledger_entry e WHERE e.hold_id = h.id))"
                " OR EXISTS (SELECT 1 FROM ledger_hold h WHERE h.journal_id = NEW.id AND NOT EXISTS"
                " (SELECT 1 FROM ledger_entry e WHERE e.journal_id = NEW.id AND e.hold_id = h.id))",
            ),
            (
                "its lots are not its lines",
                f"EXISTS (SELECT 1 {_MINE} AND a.kind IN ({_LOT_KINDS}) AND e.amount <>"
                " COALESCE((SELECT SUM(l.amount) FROM ledger_lot l"
                " WHERE l.journal_id = NEW.id AND l.account_id = a.id), 0)"
                " - COALESCE((SELECT SUM(u.amount) FROM ledger_lotuse u"
                " JOIN ledger_lot l ON l.id = u.lot_id"
                " WHERE u.journal_id = NEW.id AND l.account_id = a.id), 0))",
            ),
            (
                "a lot is not of its lines",
                "EXISTS (SELECT 1 FROM ledger_lot l WHERE l.journal_id = NEW.id AND NOT EXISTS"
                " (SELECT 1 FROM ledger_entry e WHERE e.journal_id = NEW.id"
                " AND e.account_id = l.account_id AND e.amount > 0))"
                " OR EXISTS (SELECT 1 FROM ledger_lotuse u JOIN ledger_lot l ON l.id = u.lot_id"
                " WHERE u.journal_id = NEW.id AND NOT EXISTS (SELECT 1 FROM ledger_entry e"
                " WHERE e.journal_id = NEW.id AND e.account_id = l.account_id AND e.amount <> 0))",
            ),
            (
                "a lot is not what its uses leave",
                "EXISTS (SELECT 1 FROM ledger_lotuse m JOIN ledger_lot l ON l.id = m.lot_id"
                " WHERE m.journal_id = NEW.id AND l.remaining <> l.amount -"
                " (SELECT SUM(u.amount) FROM ledger_lotuse u WHERE u.lot_id = l.id))",
            ),
            (
                "it does not mirror what it reverses",
                "NEW.reverses_id IS NOT NULL AND ((SELECT j.line_count FROM ledger_journal j"
                " WHERE j.id = NEW.reverses_id) <> NEW.line_count OR EXISTS (SELECT 1"
                " FROM ledger_entry e WHERE e.journal_id = NEW.id AND NOT EXISTS (SELECT 1"
                " FROM ledger_entry o WHERE o.journal_id = NEW.reverses_id"
                " AND o.account_id = e.account_id AND o.amount = -e.amount AND o.held = -e.held)))",
            ),
        ),
    ),
]

GUARDS = [*_BOOKS, *_ACCOUNTS, *_ENTRIES, *_HOLDS, *_LOTS, *_JOURNALS]
