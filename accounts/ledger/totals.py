"""What stands in a book, by kind of account: the trial balance."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import Count, Sum

from accounts.chart import ACCOUNT_KINDS
from accounts.ledger.models import Account, BalanceRow, Book, Entry


@dataclass(frozen=True, kw_only=True)
class Total:
    """One kind of account in a book; amounts in fen.

    posted: credit is positive. shown: the same on the kind's normal side, as people read it.
    held: the part of it that is set aside.
    """

    kind: str
    accounts: int
    posted: int
    held: int

    @property
    def shown(self) -> int:
        return self.posted * ACCOUNT_KINDS[self.kind].normal


def by_kind(book: Book) -> list[Total]:
    """Return one total for each kind of account the book has used, in the chart's order.

    All `posted` together are zero. Three statements; live kinds come from their balances, the
    others from their entries.
    """
    counted = Account.objects.filter(book=book).values_list("kind").annotate(n=Count("pk"))
    live = BalanceRow.objects.filter(account__book=book).values_list("account__kind")
    house = Entry.objects.filter(account__book=book, seq=None).values_list("account__kind")
    sums: dict[str, tuple[int, int]] = {
        kind: (posted, held)
        for kind, posted, held in live.annotate(posted=Sum("posted"), held=Sum("held"))
    }
    sums |= {kind: (posted, 0) for kind, posted in house.annotate(posted=Sum("amount"))}
    accounts = dict(counted)
    return [
        Total(kind=kind, accounts=accounts[kind], posted=posted, held=held)
        for kind in ACCOUNT_KINDS
        if kind in accounts
        for posted, held in [sums.get(kind, (0, 0))]
    ]
