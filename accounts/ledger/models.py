"""The ledger's rows: other people's money, line by line.

The ledger knows nobody: a book and an account's owner are UUIDs, officers are plain numbers.
Only `posting` and `days` write here; triggers (see `triggers`) refuse everything else.
"""

from __future__ import annotations

from datetime import datetime

from django.db import models
from django.db.models import F, Q

from accounts.chart import (
    DEFERRED_KINDS,
    JOURNAL_KINDS,
    LIVE_KINDS,
    REASON_KINDS,
    TWO_OFFICER_KINDS,
)
from accounts.money import LARGEST_FEN, FenField


class Book(models.Model):
    """One facility's money: its accounts, its business day. Opened once, never deleted."""

    ref = models.UUIDField()  # the facility, seen from outside
    code = models.CharField(max_length=20)
    time_zone = models.CharField(max_length=40)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["ref"], name="ledger_book_ref_once"),
            models.UniqueConstraint(fields=["code"], name="ledger_book_code_unique"),
        ]

    def __str__(self) -> str:
        return self.code


class Gate(models.Model):
    """Which business day a book has open; moved only by `days.roll`, only forward."""

    book = models.OneToOneField(Book, models.PROTECT, primary_key=True)
    open_day = models.DateField()
    closed_through = models.DateField()
    # No journal at or below this id may appear any more: its day is counted.
    cutoff_journal_id = models.BigIntegerField(default=0)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(closed_through__lt=F("open_day")), name="ledger_gate_day_ahead"
            )
        ]

    def __str__(self) -> str:
        return f"{self.book_id} {self.open_day:%F}"


class GateLock(models.Model):
    """Always empty: only its table lock is used, so that a day closes between two postings."""

    x = models.SmallIntegerField()

    def __str__(self) -> str:
        return "never"


class Day(models.Model):
    """One business day of a book that is over; written once by `days.roll`."""

    book = models.ForeignKey(Book, models.PROTECT, related_name="days")
    day = models.DateField()
    cutoff_journal_id = models.BigIntegerField()
    closed_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["book", "day"], name="ledger_day_once")]

    def __str__(self) -> str:
        return f"{self.book_id} {self.day:%F}"


class Account(models.Model):
    """Whose money, or which pot, within a book. Opened at first use; a row never changes."""

    book = models.ForeignKey(Book, models.PROTECT, related_name="accounts")
    kind = models.CharField(max_length=12)
    owner = models.UUIDField(null=True)  # detainee, deposit, payout, provider or vendor
    currency = models.CharField(max_length=3, default="CNY")
    live = models.BooleanField()  # as its kind says: has a balance row

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["book", "kind", "owner", "currency"],
                condition=Q(owner__isnull=False),
                name="ledger_account_once",
            ),
            # NULLs are distinct, so pots without an owner need an index of their own.
            models.UniqueConstraint(
                fields=["book", "kind", "currency"],
                condition=Q(owner=None),
                name="ledger_account_ownerless_once",
            ),
            models.CheckConstraint(
                condition=Q(live=True, kind__in=LIVE_KINDS)
                | Q(live=False, kind__in=DEFERRED_KINDS),
                name="ledger_account_live_by_kind",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.owner or self.book_id}"


class BalanceRow(models.Model):
    """Where a live account stands after its newest entry; the CHECK here refuses overdraft."""

    account = models.OneToOneField(
        Account, models.PROTECT, primary_key=True, related_name="balance_row"
    )
    posted = FenField(default=0)
    held = FenField(default=0)
    seq = models.BigIntegerField(default=0)
    floor = FenField(null=True, default=0)
    no_debit = models.BooleanField(default=False)
    no_credit = models.BooleanField(default=False)

    class Meta:
        db_table = "ledger_balance"
        constraints = [
            models.CheckConstraint(condition=Q(held__gte=0), name="ledger_balance_held_positive"),
            models.CheckConstraint(
                condition=Q(floor=None) | Q(posted__gte=F("floor") + F("held")),
                name="ledger_balance_covers_held",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.account_id}: {self.posted} fen, {self.held} held"


class AccountEvent(models.Model):
    """Spending or credit of an account stopped or allowed again, by whom and why; append-only."""

    class Event(models.TextChoices):
        FROZEN_DEBIT = "frozen_debit"
        FROZEN_CREDIT = "frozen_credit"
        UNFROZEN = "unfrozen"

    account = models.ForeignKey(Account, models.PROTECT, related_name="events")
    event = models.CharField(max_length=15, choices=Event)
    actor_id = models.BigIntegerField(null=True)
    reason = models.CharField(max_length=60)
    at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(event__in=["frozen_debit", "frozen_credit", "unfrozen"]),
                name="ledger_accountevent_known",
            ),
            models.CheckConstraint(condition=~Q(reason=""), name="ledger_accountevent_has_reason"),
        ]

    def __str__(self) -> str:
        return f"{self.account_id} {self.event}"


class Journal(models.Model):
    """One balanced event, written last: its trigger checks the whole set. Never changes.

    actor_id: the officer or relative who caused it; actor_custody_id: the detainee who did; neither
    means the system. No names and no free text about people: reason is a short code or phrase.
    """

    book = models.ForeignKey(Book, models.PROTECT, related_name="journals", db_index=False)
    kind = models.CharField(max_length=20)
    key = models.CharField(max_length=120)  # business key: who, which object, which step
    request_hash = models.BinaryField(max_length=32)
    business_date = models.DateField()
    posted_at = models.DateTimeField()
    actor_id = models.BigIntegerField(null=True)
    actor_custody_id = models.BigIntegerField(null=True)
    approved_by_id = models.BigIntegerField(null=True)
    source = models.CharField(max_length=10)  # the door: web, tablet, webhook, task, command
    reason = models.CharField(max_length=60, blank=True)
    reverses = models.ForeignKey(
        "self", models.PROTECT, null=True, related_name="reversals", db_index=False
    )
    group = models.UUIDField(null=True)  # ties journals of two books to one transfer
    doc_type = models.CharField(max_length=20, blank=True)
    doc_id = models.BigIntegerField(null=True)
    line_count = models.SmallIntegerField()

    class Meta:
        indexes = [
            models.Index(fields=["doc_type", "doc_id"], name="ledger_journal_doc"),
            models.Index(fields=["book", "business_date", "id"], name="ledger_journal_day"),
        ]
        constraints = [
            models.UniqueConstraint(fields=["key"], name="ledger_journal_key_once"),
            models.UniqueConstraint(
                fields=["reverses"],
                condition=Q(reverses__isnull=False),
                name="ledger_journal_reversed_once",
            ),
            models.CheckConstraint(condition=Q(line_count__gte=1), name="ledger_journal_has_lines"),
            models.CheckConstraint(
                condition=Q(kind__in=list(JOURNAL_KINDS)), name="ledger_journal_kind_known"
            ),
            models.CheckConstraint(
                condition=(Q(kind="reversal") & Q(reverses__isnull=False))
                | (~Q(kind="reversal") & Q(reverses=None)),
                name="ledger_journal_reversal_names_one",
            ),
            # NULL must not slip through: both officers are there, and they differ.
            models.CheckConstraint(
                condition=~Q(kind__in=TWO_OFFICER_KINDS)
                | Q(
                    Q(actor_id__isnull=False),
                    Q(approved_by_id__isnull=False),
                    ~Q(actor_id=F("approved_by_id")),
                ),
                name="ledger_journal_two_officers",
            ),
            models.CheckConstraint(
                condition=~Q(kind__in=REASON_KINDS) | ~Q(reason=""),
                name="ledger_journal_has_reason",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.key}"


class HoldQuerySet(models.QuerySet["Hold"]):
    def open(self) -> HoldQuerySet:
        return self.filter(remaining__gt=0)

    def expired(self, at: datetime) -> HoldQuerySet:
        """Holds whose time is over but whose money is still set aside."""
        return self.open().filter(expires_at__lte=at)


class Hold(models.Model):
    """Money set aside for one thing. Only `remaining` moves, and only as its entries say."""

    account = models.ForeignKey(Account, models.PROTECT, related_name="holds", db_index=False)
    journal = models.ForeignKey(Journal, models.PROTECT, related_name="holds", db_index=False)
    amount = FenField()
    remaining = FenField()
    doc_type = models.CharField(max_length=20, blank=True)
    doc_id = models.BigIntegerField(null=True)
    expires_at = models.DateTimeField(null=True)

    objects = HoldQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(
                fields=["account", "id"], condition=Q(remaining__gt=0), name="ledger_hold_open"
            ),
            models.Index(
                fields=["expires_at"], condition=Q(remaining__gt=0), name="ledger_hold_expiry"
            ),
            models.Index(fields=["doc_type", "doc_id"], name="ledger_hold_doc"),
        ]
        constraints = [
            models.UniqueConstraint(fields=["journal"], name="ledger_hold_journal_once"),
            models.CheckConstraint(condition=Q(amount__gt=0), name="ledger_hold_positive"),
            models.CheckConstraint(
                condition=Q(remaining__gte=0, remaining__lte=F("amount")),
                name="ledger_hold_within_bounds",
            ),
        ]

    def __str__(self) -> str:
        return f"hold {self.pk}: {self.remaining} of {self.amount} fen"


class Entry(models.Model):
    """One line of a journal. Never changes.

    amount > 0 credits, < 0 debits the account; held is the change of what is set aside. A live
    account's entries are numbered without gap and carry the balance after them.
    """

    journal = models.ForeignKey(Journal, models.PROTECT, related_name="entries", db_index=False)
    line = models.SmallIntegerField()
    account = models.ForeignKey(Account, models.PROTECT, related_name="entries", db_index=False)
    amount = FenField()
    held = FenField(default=0)
    hold = models.ForeignKey(
        Hold, models.PROTECT, null=True, related_name="entries", db_index=False
    )
    seq = models.BigIntegerField(null=True)
    posted_after = FenField(null=True)
    held_after = FenField(null=True)
    business_date = models.DateField()

    class Meta:
        verbose_name_plural = "entries"
        indexes = [
            # A house account's balance is the sum of its open day, read from this index alone.
            models.Index(
                fields=["account", "business_date", "id", "amount"],
                condition=Q(seq=None),
                name="ledger_entry_house",
            ),
            models.Index(
                fields=["hold"], condition=Q(hold__isnull=False), name="ledger_entry_hold"
            ),
        ]
        constraints = [
            models.UniqueConstraint(fields=["journal", "line"], name="ledger_entry_line_unique"),
            models.UniqueConstraint(
                fields=["account", "seq"],
                condition=Q(seq__isnull=False),
                name="ledger_entry_seq_once",
            ),
            models.CheckConstraint(
                condition=~Q(amount=0) | ~Q(held=0), name="ledger_entry_moves_something"
            ),
            models.CheckConstraint(
                condition=Q(amount__gte=-LARGEST_FEN, amount__lte=LARGEST_FEN),
                name="ledger_entry_amount_bounded",
            ),
            models.CheckConstraint(
                condition=Q(held=0, hold=None) | (~Q(held=0) & Q(hold__isnull=False)),
                name="ledger_entry_held_names_hold",
            ),
            models.CheckConstraint(
                condition=Q(seq=None, posted_after=None, held_after=None)
                | Q(seq__gte=1, posted_after__isnull=False, held_after__isnull=False),
                name="ledger_entry_live_is_whole",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.journal_id}/{self.line} {self.amount} fen on {self.account_id}"


class Lot(models.Model):
    """What one credit brought to an account, and what of it is not yet spent.

    Opened by `post` for accounts that keep lots. Only `remaining` moves, as its uses say.
    """

    account = models.ForeignKey(Account, models.PROTECT, related_name="lots", db_index=False)
    journal = models.ForeignKey(Journal, models.PROTECT, related_name="lots", db_index=False)
    kind = models.CharField(max_length=20)  # of the journal that opened it
    amount = FenField()
    remaining = FenField()

    class Meta:
        indexes = [
            models.Index(
                fields=["account", "id"], condition=Q(remaining__gt=0), name="ledger_lot_unspent"
            )
        ]
        constraints = [
            models.UniqueConstraint(fields=["journal", "account"], name="ledger_lot_once"),
            models.CheckConstraint(condition=Q(amount__gt=0), name="ledger_lot_positive"),
            models.CheckConstraint(
                condition=Q(remaining__gte=0, remaining__lte=F("amount")),
                name="ledger_lot_within_bounds",
            ),
        ]

    def __str__(self) -> str:
        return f"lot {self.pk}: {self.remaining} of {self.amount} fen"


class LotUse(models.Model):
    """Part of a lot spent by a journal (amount > 0), or given back to it (< 0). Never changes."""

    lot = models.ForeignKey(Lot, models.PROTECT, related_name="uses", db_index=False)
    journal = models.ForeignKey(Journal, models.PROTECT, related_name="lot_uses")
    amount = FenField()
    # The use that this one takes back.
    returns = models.ForeignKey(
        "self", models.PROTECT, null=True, related_name="given_back", db_index=False
    )

    class Meta:
        indexes = [
            models.Index(fields=["lot", "amount"], name="ledger_lotuse_lot"),
            models.Index(
                fields=["returns"], condition=Q(returns__isnull=False), name="ledger_lotuse_returns"
            ),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["journal", "lot", "returns"],
                condition=Q(returns__isnull=False),
                name="ledger_lotuse_return_unique",
            ),
            models.UniqueConstraint(
                fields=["journal", "lot"],
                condition=Q(returns=None),
                name="ledger_lotuse_unique",
            ),
            models.CheckConstraint(
                condition=Q(amount__gt=0, returns=None) | Q(amount__lt=0, returns__isnull=False),
                name="ledger_lotuse_return_names_use",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.amount} fen of lot {self.lot_id} by {self.journal_id}"


class ProofRun(models.Model):
    """The result of one proof of the ledger, kept so that the auditor sees the last one."""

    at = models.DateTimeField()
    ok = models.BooleanField()
    rows = models.BigIntegerField()  # examined, over all invariants
    result = models.JSONField()

    class Meta:
        get_latest_by = "id"

    def __str__(self) -> str:
        return f"{self.at:%F %T} {'ok' if self.ok else 'BROKEN'}"
