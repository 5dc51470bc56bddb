"""Attacks on the ledger from behind the program's back: each is refused by the database itself.

The name of the guard that refuses stands beside each attack, so that no attack is stopped by
accident by something else.
"""

from contextlib import contextmanager

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction

from accounts.ledger import posting
from accounts.ledger.models import (
    Account,
    AccountEvent,
    BalanceRow,
    Book,
    Day,
    Entry,
    Gate,
    Hold,
    Journal,
    Lot,
    LotUse,
)
from accounts.ledger.posting import Line
from tests.accounts.ledger_situations import (
    AT,
    account,
    captured,
    deposited,
    held,
    open_book,
    post,
    rows,
)

pytestmark = pytest.mark.django_db
SQLITE = connection.vendor == "sqlite"


@pytest.fixture
def scene():
    """A deposit, a hold captured in part, and a stopped account: every table has a row."""
    escrow = account(open_book())
    deposited(escrow, 100_00)
    hold = held(escrow, 60_00)
    captured(hold, 20_00, vendor=account(escrow.book, "VENDOR"))
    AccountEvent.objects.create(account=escrow, event="frozen_debit", reason="court", at=AT)
    Day.objects.create(book=escrow.book, day="2026-11-01", cutoff_journal_id=0, closed_at=AT)
    return escrow


def refused(statement, *values, by, error=IntegrityError):
    """Run a statement and return once the database has refused it in the name of `by`."""
    before = rows()
    with pytest.raises(error, match=by), transaction.atomic():
        _execute_and_check(statement, values)
    assert rows() == before


def _execute(statement, values=()):
    with connection.cursor() as cursor:
        cursor.execute(statement, values)


def _execute_and_check(statement, values):
    _execute(statement, values)
    connection.check_constraints()


NEVER_CHANGED = {
    "ledger_journal": "reason = 'x'",
    "ledger_entry": "amount = amount * 2",
    "ledger_lotuse": "amount = 1",
    "ledger_account": "owner = NULL",
    "ledger_accountevent": "reason = 'x'",
    "ledger_day": "cutoff_journal_id = 1",
}
NEVER_REMOVED = [
    *NEVER_CHANGED,
    "ledger_hold",
    "ledger_lot",
    "ledger_balance",
    "ledger_gate",
    "ledger_book",
]


@pytest.mark.parametrize("table", NEVER_CHANGED)
def test_no_row_is_changed(scene, table):
    refused(f"UPDATE {table} SET {NEVER_CHANGED[table]}", by=f"{table}_no_update")


@pytest.mark.parametrize("table", NEVER_CHANGED)
def test_not_even_a_change_that_changes_nothing_passes(scene, table):
    column = NEVER_CHANGED[table].split(" = ")[0]

    refused(f"UPDATE {table} SET {column} = {column}", by=f"{table}_no_update")


@pytest.mark.parametrize("table", NEVER_REMOVED)
def test_no_row_is_deleted(scene, table):
    refused(f"DELETE FROM {table}", by=f"{table}_no_delete")


@pytest.mark.parametrize("model", [Journal, Entry, Hold, Lot, LotUse, BalanceRow, Account])
def test_the_orm_deletes_nothing_either(scene, model):
    before = rows()

    with pytest.raises(DatabaseError, match="no_delete"), transaction.atomic():
        model.objects.all()._raw_delete("default")

    assert rows() == before


@pytest.mark.parametrize("table", NEVER_REMOVED)
@pytest.mark.parametrize("how", ["", " CASCADE"])
def test_no_table_is_emptied(scene, table, how):
    if SQLITE:
        refused(f"DELETE FROM {table} WHERE 1 = 1", by=f"{table}_no_delete")
        return
    connection.check_constraints()  # else pending foreign keys refuse first, by accident

    refused(
        f"TRUNCATE {table}{how}", by="_no_truncate|referenced in a foreign key", error=DatabaseError
    )


@pytest.mark.parametrize(
    ("table", "values"),
    [
        ("ledger_journal", "id, 'k', key"),
        ("ledger_entry", "id, 5, amount"),
    ],
)
def test_no_row_is_overwritten_by_an_upsert(scene, table, values):
    columns = {"ledger_journal": "reason", "ledger_entry": "amount"}[table]
    everything = _columns(table)
    by = f"{table}_no_(update|replace)|ledger_entry_joins|ledger_journal_whole"

    refused(
        f"INSERT INTO {table} ({everything}) SELECT {everything} FROM {table} WHERE 1 = 1"
        f" ON CONFLICT (id) DO UPDATE SET {columns} = excluded.{columns}",
        by=by,
    )


@pytest.mark.parametrize("table", NEVER_REMOVED)
def test_no_row_is_replaced(scene, table):
    everything = _columns(table)
    insert = "INSERT OR REPLACE INTO" if SQLITE else "INSERT INTO"
    by = "_no_replace|_no_delete|joins|whole|begins|_pkey"

    refused(f"{insert} {table} ({everything}) SELECT {everything} FROM {table}", by=by)


@contextmanager
def delete_triggers_off():
    """SQLite as other tools open it: REPLACE then deletes without firing delete triggers."""
    if SQLITE:
        _execute("PRAGMA recursive_triggers = OFF")
    try:
        yield
    finally:
        if SQLITE:
            _execute("PRAGMA recursive_triggers = ON")


@pytest.mark.parametrize("table", NEVER_REMOVED)
def test_no_row_is_replaced_on_a_connection_that_fires_no_delete_triggers(scene, table):
    everything = _columns(table)

    with delete_triggers_off():
        refused(
            f"{'REPLACE' if SQLITE else 'INSERT'} INTO {table} ({everything})"
            f" SELECT {everything} FROM {table}",
            by="_no_replace|joins|whole|begins|_pkey",
        )


def test_a_journal_is_not_replaced_by_its_key_instead_of_its_id(scene):
    columns = [name for name in _columns("ledger_journal").split(", ") if name != '"id"']
    listed = ", ".join(columns)
    insert = "INSERT OR REPLACE INTO" if SQLITE else "INSERT INTO"

    refused(
        f"{insert} ledger_journal ({listed}) SELECT {listed} FROM ledger_journal",
        by="ledger_journal_no_replace|ledger_journal_whole",
    )


def test_nothing_is_added_to_a_journal_that_is_posted(scene):
    journal = Journal.objects.get(kind="deposit_captured")
    vendor = Account.objects.get(kind="VENDOR")

    refused(
        "INSERT INTO ledger_entry (journal_id, line, account_id, amount, held, business_date)"
        " VALUES (%s, 3, %s, 5, 0, %s)",
        journal.pk,
        vendor.pk,
        str(journal.business_date),
        by="ledger_entry_joins",
    )
    refused(
        "INSERT INTO ledger_lot (journal_id, account_id, kind, amount, remaining)"
        " VALUES (%s, %s, 'deposit_captured', 5, 5)",
        journal.pk,
        vendor.pk,
        by="ledger_lot_begins",
    )
    refused(
        "INSERT INTO ledger_hold (journal_id, account_id, amount, remaining, doc_type)"
        " VALUES (%s, %s, 5, 5, '')",
        journal.pk,
        scene.pk,
        by="ledger_hold_begins",
    )
    refused(
        "INSERT INTO ledger_lotuse (journal_id, lot_id, amount) SELECT %s, id, 5 FROM ledger_lot",
        journal.pk,
        by="ledger_lotuse_joins",
    )


def test_entries_without_a_journal_are_refused_at_commit(scene):
    vendor = Account.objects.get(kind="VENDOR")

    refused(
        "INSERT INTO ledger_entry (journal_id, line, account_id, amount, held, business_date)"
        " VALUES (999999, 1, %s, 5, 0, '2026-11-02')",
        vendor.pk,
        by="foreign key|FOREIGN KEY",
    )


class Forgery:
    """Writes a journal by hand, right in every point but the one that a test bends."""

    def __init__(self, book: Book) -> None:
        self.book = book
        self.id = Journal.objects.latest("pk").pk + 1000
        self.day = Gate.objects.get(pk=book).open_day
        self.lines = 0

    def entry(self, account, amount, **bent):
        """Write one line and move its balance."""
        self.lines += 1
        row = {
            "journal_id": self.id,
            "line": self.lines,
            "account": account,
            "amount": amount,
            "business_date": self.day,
            **bent,
        }
        if account.live and "seq" not in bent:
            balance = BalanceRow.objects.get(pk=account.pk)
            balance.posted += amount
            balance.held += bent.get("held", 0)
            balance.seq += 1
            balance.save()
            after = {"posted_after": balance.posted, "held_after": balance.held}
            row = {"seq": balance.seq, **after, **row}
        return Entry.objects.create(**row)

    def lot(self, account, amount):
        """Open the lot of a credit."""
        row = {"journal_id": self.id, "account": account, "kind": "deposit_captured"}
        return Lot.objects.create(amount=amount, remaining=amount, **row)

    def journal(self, **bent):
        """Write the header, which the database checks against everything above."""
        return Journal.objects.create(
            **{
                "id": self.id,
                "book": self.book,
                "kind": "deposit_captured",
                "key": "forged",
                "request_hash": b"",
                "business_date": self.day,
                "posted_at": AT,
                "source": "web",
                "line_count": self.lines,
                **bent,
            }
        )


@pytest.fixture
def forgery(scene):
    return Forgery(scene.book)


@pytest.fixture
def gateway(scene):
    return posting.account(scene.book, "GATEWAY")


@pytest.fixture
def vendor(scene):
    return Account.objects.get(kind="VENDOR")


def test_a_journal_written_by_hand_passes_when_it_is_right_in_every_point(scene, forgery, gateway):
    forgery.entry(gateway, -5)
    forgery.entry(scene, 5)
    forgery.lot(scene, 5)

    forgery.journal()

    assert posting.balance(scene).posted == 80_05


def bent(sentence):
    return pytest.raises(IntegrityError, match=sentence)


REPLACEMENTS = {
    "ledger_entry": "(id, journal_id, line, account_id, amount, held, business_date)"
    " SELECT id, {forged}, 1, account_id, -5, 0, business_date FROM ledger_entry WHERE seq IS NULL",
    "ledger_hold": "(id, journal_id, account_id, amount, remaining, doc_type)"
    " SELECT id, {forged}, account_id, 5, 5, '' FROM ledger_hold",
    "ledger_lot": "(id, journal_id, account_id, kind, amount, remaining)"
    " SELECT id, {forged}, account_id, kind, 5, 5 FROM ledger_lot",
    "ledger_lotuse": "(id, journal_id, lot_id, amount) SELECT id, {forged}, lot_id, 5"
    " FROM ledger_lotuse",
    "ledger_balance": "(account_id, posted, held, seq, floor, no_debit, no_credit)"
    " SELECT account_id, 0, 0, 0, 0, FALSE, FALSE FROM ledger_balance",
    "ledger_day": "(id, book_id, day, cutoff_journal_id, closed_at)"
    " SELECT id, book_id, '2026-10-31', 7, closed_at FROM ledger_day",
}


@pytest.mark.parametrize("table", REPLACEMENTS)
def test_a_row_is_not_replaced_by_one_that_would_pass_on_its_own(forgery, table):
    """Right in every other point: only the guard against replacing stands in the way."""
    columns_and_rows = REPLACEMENTS[table].format(forged=forgery.id)

    with delete_triggers_off():
        refused(
            f"{'REPLACE' if SQLITE else 'INSERT'} INTO {table} {columns_and_rows}",
            by=f"{table}_no_replace" if SQLITE else f"{table}_pkey",
        )


def test_a_journal_is_not_replaced_by_a_whole_one_with_its_key(forgery, gateway, vendor):
    forgery.entry(gateway, -5)
    forgery.entry(vendor, 5)
    columns = [name for name in _columns("ledger_journal").split(", ") if name != '"id"']
    kept = ", ".join("2" if name == '"line_count"' else name for name in columns)

    with delete_triggers_off():
        refused(
            f"{'REPLACE' if SQLITE else 'INSERT'} INTO ledger_journal (id, {', '.join(columns)})"
            f" SELECT {forgery.id}, {kept} FROM ledger_journal WHERE kind = 'deposit_captured'",
            by="ledger_journal_no_replace" if SQLITE else "ledger_journal_key_once",
        )
    # The forged lines would be refused at commit, as they have no journal.
    transaction.set_rollback(True)


@pytest.mark.parametrize("model", [Hold, Lot])
def test_neither_hold_nor_lot_begins_with_less_than_its_amount(scene, forgery, model):
    kind = {"kind": "deposit_captured"} if model is Lot else {}

    with bent(f"{model._meta.db_table}_begins"):
        model.objects.create(journal_id=forgery.id, account=scene, amount=5, remaining=4, **kind)


def test_a_journal_that_does_not_balance_is_refused(forgery, gateway, vendor):
    forgery.entry(gateway, -5)
    forgery.entry(vendor, 4)

    with bent("ledger_journal_whole: it does not balance"):
        forgery.journal()


@pytest.mark.parametrize("count", [1, 3])
def test_a_journal_with_another_number_of_lines_is_refused(forgery, gateway, vendor, count):
    forgery.entry(gateway, -5)
    forgery.entry(vendor, 5)

    with bent("its lines are not all there"):
        forgery.journal(line_count=count)


def test_a_journal_with_an_account_twice_is_refused(forgery, gateway, vendor):
    forgery.entry(gateway, -5)
    forgery.entry(vendor, 3)
    forgery.entry(vendor, 2)

    with bent("an account stands in it twice"):
        forgery.journal()


def test_a_line_of_another_book_is_refused(forgery, gateway):
    forgery.entry(gateway, -5)
    forgery.entry(account(open_book(), "VENDOR"), 5)

    with bent("a line is of another book or day"):
        forgery.journal()


def test_a_line_of_another_day_is_refused(forgery, gateway, vendor):
    forgery.entry(gateway, -5)
    forgery.entry(vendor, 5, business_date="2026-11-01")

    with bent("a line is of another book or day"):
        forgery.journal()


@pytest.mark.parametrize("day", ["2026-11-01", "2026-11-03"])
def test_a_journal_of_a_day_that_is_not_open_is_refused(forgery, gateway, vendor, day):
    forgery.day = day
    forgery.entry(gateway, -5)
    forgery.entry(vendor, 5)

    with bent("its day is not open"):
        forgery.journal()


def test_a_journal_behind_the_cutoff_is_refused(forgery, gateway, vendor):
    Gate.objects.update(cutoff_journal_id=forgery.id)
    forgery.entry(gateway, -5)
    forgery.entry(vendor, 5)

    with bent("its day is not open"):
        forgery.journal()


def test_money_without_a_lot_is_refused(scene, forgery, gateway):
    forgery.entry(gateway, -5)
    forgery.entry(scene, 5)

    with bent("its lots are not its lines"):
        forgery.journal()


def test_a_lot_of_nobodys_line_is_refused(scene, forgery, gateway, vendor):
    forgery.entry(gateway, -5)
    forgery.entry(vendor, 5)
    forgery.lot(scene, 5)

    with bent("a lot is not of its lines"):
        forgery.journal()


def test_a_lot_whose_use_is_not_taken_from_it_is_refused(scene, forgery, vendor):
    forgery.entry(scene, -5)
    forgery.entry(vendor, 5)
    LotUse.objects.create(journal_id=forgery.id, lot=Lot.objects.get(), amount=5)

    with bent("a lot is not what its uses leave"):
        forgery.journal()


def test_a_live_line_without_its_number_is_refused(scene, forgery):
    with bent("a live line needs its number"):
        forgery.entry(scene, 5, seq=None)


def test_a_deferred_line_with_a_number_is_refused(forgery, vendor):
    with bent("a live line needs its number"):
        forgery.entry(vendor, 5, seq=1, posted_after=5, held_after=0)


@pytest.mark.parametrize(
    "after",
    [{"posted_after": 80_06, "held_after": 40_00}, {"posted_after": 80_05, "held_after": 0}],
)
def test_a_running_balance_that_does_not_continue_is_refused(scene, forgery, after):
    with bent("the balance does not continue"):
        forgery.entry(scene, 5, seq=4, **after)


def test_a_gap_in_the_numbers_is_refused(scene, forgery):
    with bent("the entry before is missing"):
        forgery.entry(scene, 5, seq=6, posted_after=80_05, held_after=40_00)


def test_an_entry_whose_balance_did_not_move_is_refused(scene, forgery, gateway):
    forgery.entry(gateway, -5)
    forgery.entry(scene, 5, seq=4, posted_after=80_05, held_after=40_00)
    forgery.lot(scene, 5)

    with bent("a balance is not what its entry says"):
        forgery.journal()


def test_a_hold_of_another_account_is_refused(scene, forgery):
    other = account(scene.book)
    BalanceRow.objects.filter(pk=other.pk).update(floor=None)

    with bent("the hold is another account's"):
        forgery.entry(other, 0, held=1, hold=Hold.objects.get())


@pytest.mark.parametrize("held", [20_01, -40_01])
def test_a_hold_is_neither_overfilled_nor_overdrawn(scene, forgery, held):
    BalanceRow.objects.filter(pk=scene.pk).update(floor=None)

    with bent("the hold is used up|ledger_balance_held_positive"):
        forgery.entry(scene, 0, held=held, hold=Hold.objects.get())


def test_an_entry_that_its_hold_does_not_follow_is_refused(scene, forgery):
    forgery.entry(scene, 0, held=-5, hold=Hold.objects.get())

    with bent("a hold is not what its entries say"):
        forgery.journal(kind="order_released")


def test_a_reversal_that_is_no_mirror_is_refused(scene, forgery, gateway):
    original = Journal.objects.get(kind="deposit_captured")
    forgery.entry(gateway, 5)
    forgery.entry(scene, -5)
    lot = Lot.objects.get()
    LotUse.objects.create(journal_id=forgery.id, lot=lot, amount=5)
    Lot.objects.filter(pk=lot.pk).update(remaining=lot.remaining - 5)

    with bent("it does not mirror what it reverses"):
        forgery.journal(
            kind="reversal", reverses=original, reason="r", actor_id=1, approved_by_id=2
        )


@pytest.mark.parametrize(
    ("columns", "constraint"),
    [
        ({"kind": "cash_in", "actor_id": 1, "approved_by_id": 1}, "ledger_journal_two_officers"),
        ({"kind": "cash_in", "actor_id": 1}, "ledger_journal_two_officers"),
        ({"kind": "cash_in", "approved_by_id": 1}, "ledger_journal_two_officers"),
        ({"kind": "goodwill"}, "ledger_journal_has_reason"),
        ({"kind": "gift"}, "ledger_journal_kind_known"),
        ({"kind": "reversal"}, "ledger_journal_(reversal_names_one|two_officers|has_reason)"),
    ],
)
def test_the_rules_of_a_kind_are_constraints_too(forgery, gateway, vendor, columns, constraint):
    forgery.entry(gateway, -5)
    forgery.entry(vendor, 5)

    with bent(constraint):
        forgery.journal(**columns)


@pytest.mark.parametrize(
    ("change", "by"),
    [
        ("posted = posted + 1", "ledger_balance_steps"),
        ("held = 0", "ledger_balance_steps"),
        ("seq = seq + 2", "ledger_balance_steps"),
        ("posted = -1, seq = seq + 1", "ledger_balance_covers_held"),
        ("held = -1, seq = seq + 1", "ledger_balance_held_positive"),
        ("held = posted + 1, seq = seq + 1", "ledger_balance_covers_held"),
    ],
)
def test_a_balance_is_not_moved_by_hand(scene, change, by):
    refused(f"UPDATE ledger_balance SET {change} WHERE account_id = %s", scene.pk, by=by)


def test_a_balance_moved_by_hand_with_its_number_makes_the_next_posting_fail(scene, gateway):
    BalanceRow.objects.filter(pk=scene.pk).update(posted=90_00, seq=4)
    before = rows()

    with bent("ledger_entry_joins"), transaction.atomic():
        post("deposit_captured", Line(gateway, -5), Line(scene, 5))

    assert rows() == before


@pytest.mark.parametrize(
    ("statement", "by"),
    [
        ("UPDATE ledger_hold SET amount = amount + 1", "ledger_hold_follows"),
        ("UPDATE ledger_hold SET remaining = remaining - 1", "ledger_hold_follows"),
        ("UPDATE ledger_hold SET expires_at = '2030-01-01'", "ledger_hold_follows"),
        ("UPDATE ledger_lot SET remaining = remaining - 1", "ledger_lot_follows"),
        ("UPDATE ledger_lot SET kind = 'allowance'", "ledger_lot_follows"),
        ("UPDATE ledger_gate SET open_day = '2026-11-01'", "ledger_gate_(forward|day_ahead)"),
        ("UPDATE ledger_gate SET cutoff_journal_id = -1", "ledger_gate_forward"),
        ("UPDATE ledger_book SET code = 'mine'", "ledger_book_same"),
        ("INSERT INTO ledger_gatelock (x) VALUES (1)", "ledger_gatelock_empty"),
    ],
)
def test_what_follows_from_entries_is_not_set_by_hand(scene, statement, by):
    refused(statement, by=by)


def test_more_is_not_given_back_than_a_use_took(scene, forgery):
    use = LotUse.objects.get()

    with bent("no more can be given back than that use took"):
        LotUse.objects.create(journal_id=forgery.id, lot=use.lot, amount=-20_01, returns=use)


def test_no_balance_begins_with_money(scene):
    fresh = Account.objects.create(book=scene.book, kind="PAYOUT", live=True)

    with bent("ledger_balance_begins"):
        BalanceRow.objects.create(account=fresh, posted=5)


def test_a_deferred_account_gets_no_balance(vendor):
    with bent("only live accounts have a balance"):
        BalanceRow.objects.create(account=vendor)


@pytest.mark.parametrize(("kind", "live"), [("ESCROW", False), ("BANK", True), ("POCKET", True)])
def test_an_account_is_live_as_its_kind_says(scene, kind, live):
    with bent("ledger_account_live_by_kind"):
        Account.objects.create(book=scene.book, kind=kind, live=live)


@pytest.mark.parametrize("owner", [None, "6f1f4d52-2f0b-4d0e-8a1c-5a3f3d1c9e11"])
def test_an_account_exists_once(scene, owner):
    Account.objects.create(book=scene.book, kind="BANK", owner=owner, live=False)

    with bent("ledger_account_(ownerless_)?once|ledger_account_no_replace"):
        Account.objects.create(book=scene.book, kind="BANK", owner=owner, live=False)


def _columns(table):
    with connection.cursor() as cursor:
        described = connection.introspection.get_table_description(cursor, table)
    return ", ".join(f'"{column.name}"' for column in described)
