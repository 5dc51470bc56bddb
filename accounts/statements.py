"""Statements: what happened on a detainee's account, told at the level the reader may see.

The apps above register how their documents are told; this app knows only its own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.ledger import posting
from accounts.ledger.models import Account, Entry
from accounts.models import Deposit
from detention.models import Custody, Facility, Relationship

PAGE = 25

# What officers see: everything. Relatives see what `Custody.Visible` says.
EVERYTHING = "everything"


@dataclass(frozen=True, kw_only=True)
class Described:
    """One document told to a reader.

    text: one line ("Purchase", "Fruit, stationery"). details: further lines (products).
    reference: its human number. url: the officers' page of it, "" if there is none.
    """

    text: str
    details: tuple[str, ...] = ()
    reference: str = ""
    url: str = ""


# Takes document ids and the level (a Custody.Visible value or EVERYTHING); must leave out what the
# level does not show, and mask medical items on every level but EVERYTHING.
type Describe = Callable[[Sequence[int], str], Mapping[int, Described]]
# Takes what an officer typed into the trail's search; returns ids of documents of the facility.
type Find = Callable[[Facility, str], Sequence[int]]


@dataclass(frozen=True)
class Describer:
    describe: Describe
    find: Find | None = None


DESCRIBERS: dict[str, Describer] = {}


def describer(doc_type: str, describe: Describe, *, find: Find | None = None) -> None:
    """Make known how documents of `doc_type` are told and found; called at app ready."""
    DESCRIBERS[doc_type] = Describer(describe, find)


def describe(documents: Sequence[tuple[str, int]], level: str) -> dict[tuple[str, int], Described]:
    """Tell many documents at once: one call to each describer, whatever the number of rows."""
    by_type: dict[str, list[int]] = {}
    for doc_type, doc_id in documents:
        by_type.setdefault(doc_type, []).append(doc_id)
    told: dict[tuple[str, int], Described] = {}
    for doc_type, ids in by_type.items():
        known = DESCRIBERS.get(doc_type)
        if known is not None:
            found = known.describe(ids, level)
            told.update({(doc_type, doc_id): text for doc_id, text in found.items()})
    return told


@dataclass(frozen=True, kw_only=True)
class Row:
    """One line of a statement. amount: fen, above 0 came in, below 0 went out."""

    seq: int
    at: datetime
    amount: int
    described: Described
    kind: str
    journal_id: int
    posted_after: int

    @property
    def month(self) -> date:
        """Return the first of the month it happened in, by the facility's clock."""
        return timezone.localtime(self.at).date().replace(day=1)


@dataclass(frozen=True, kw_only=True)
class Page:
    """A page of a statement, newest first; `more` is what the next page starts before."""

    rows: list[Row]
    more: int | None


# What a journal is called when nobody describes its document.
KIND_TEXTS: dict[str, Any] = {
    "deposit_captured": _("Deposit"),
    "deposit_accepted": _("Deposit"),
    "refund_requested": _("Sent back to the payer"),
    "order_captured": _("Purchase"),
    "goods_returned": _("Goods returned"),
    "allowance": _("Allowance"),
    "goodwill": _("Goodwill"),
    "damage_recovered": _("Damage paid"),
    "cash_in": _("Cash paid in"),
    "cash_out": _("Cash paid out"),
    "payout_planned": _("Paid out at the end"),
    "transfer_out": _("Moved to another centre"),
    "transfer_in": _("Moved from another centre"),
    "dispute_lost": _("Taken back by the payer's bank"),
    "adjustment": _("Correction"),
    "reversal": _("Correction"),
    "opening": _("Opening balance"),
}
# Deposits of other relatives are their own affair, and would tell the balance.
_DEPOSITS = ("deposit_captured", "deposit_accepted", "refund_requested", "dispute_lost")


def for_relative(link: Relationship, *, before: int | None = None, limit: int = PAGE) -> Page:
    """Return what a relative may see: own deposits, and what was spent, as the detainee consented.

    Never the balance. Costs the page, however long the account is.
    """
    own = set(
        Deposit.objects.filter(payer_id=link.relative_id, custody_id=link.custody_id).values_list(
            "pk", flat=True
        )
    )

    def mine(entry: Entry) -> bool:
        journal = entry.journal
        return journal.kind not in _DEPOSITS or (
            journal.doc_type == "deposit" and journal.doc_id in own
        )

    return _page(link.custody, str(link.custody.visible), before=before, limit=limit, shown=mine)


def whole(custody: Custody, *, before: int | None = None, limit: int = PAGE) -> Page:
    """Return everything on a detainee's account, for finance and auditors."""
    return _page(custody, EVERYTHING, before=before, limit=limit, shown=lambda entry: True)


def _page(
    custody: Custody,
    level: str,
    *,
    before: int | None,
    limit: int,
    shown: Callable[[Entry], bool],
) -> Page:
    account = Account.objects.filter(
        kind="ESCROW", owner=custody.detainee.public_id, book__ref=custody.facility.public_id
    ).first()
    if account is None:
        return Page(rows=[], more=None)
    entries = posting.statement(account, before_seq=before, limit=limit + 1)
    more = entries[limit - 1].seq if len(entries) > limit else None
    # Money only set aside or given back is told where orders are shown.
    kept = [entry for entry in entries[:limit] if entry.amount and shown(entry)]
    documents = [
        (entry.journal.doc_type, entry.journal.doc_id)
        for entry in kept
        if entry.journal.doc_id is not None
    ]
    told = describe(documents, level)
    return Page(rows=[_row(entry, told) for entry in kept], more=more)


def _row(entry: Entry, told: Mapping[tuple[str, int], Described]) -> Row:
    journal = entry.journal
    assert entry.seq is not None, "a live account numbers its entries"
    assert entry.posted_after is not None, "a live account keeps its balance"
    plain = Described(text=str(KIND_TEXTS.get(journal.kind, journal.kind)))
    return Row(
        seq=entry.seq,
        at=journal.posted_at,
        amount=entry.amount,
        described=told.get((journal.doc_type, journal.doc_id or 0), plain),
        kind=journal.kind,
        journal_id=journal.pk,
        posted_after=entry.posted_after,
    )
