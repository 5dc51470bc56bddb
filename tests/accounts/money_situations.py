"""Where money of deposits stands, read from the ledger itself."""

from __future__ import annotations

from django.db.models import Sum

from accounts import escrow
from accounts.ledger.models import Entry, Journal
from accounts.models import Deposit
from detention.models import Custody
from tests.queue import queued


def standing(custody: Custody) -> dict[str, int]:
    """Return the sums of this facility's accounts by kind, in fen, credits positive; no zeros."""
    sums = (
        Entry.objects.filter(account__book__ref=custody.facility.public_id)
        .values_list("account__kind")
        .annotate(sum=Sum("amount"))
        .order_by("account__kind")
    )
    return {kind: total for kind, total in sums if total}


def kinds() -> list[str]:
    """Return the kinds of all journals, oldest first."""
    return list(Journal.objects.order_by("pk").values_list("kind", flat=True))


def trace(custody: Custody) -> tuple:
    """Return everything that must stay the same when an act is refused."""
    return (
        escrow.balance(custody),
        standing(custody),
        kinds(),
        list(Deposit.objects.order_by("pk").values()),
        queued(),
    )
