"""Which credit a fen came from: lots are spent oldest first and given back where they came from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.db import connection
from django.db.models import Sum

from accounts.errors import LotUsedUp
from accounts.ledger.models import Account, Journal, Lot, LotUse


@dataclass(frozen=True)
class LotPart:
    """Part of one lot, in fen, greater than 0; returns: the use that gets it back, if any."""

    lot: int
    amount: int
    returns: int | None = None


def oldest_first(account_id: int, amount: int) -> list[LotPart]:
    """Choose the lots that a debit of `amount` fen spends, oldest first; writes nothing.

    The caller holds the account's balance row.
    """
    parts = []
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT id, remaining FROM ledger_lot"
            " WHERE account_id = %s AND remaining > 0 ORDER BY id",
            [account_id],
        )
        # Read lot by lot: a debit rarely needs more than the first two.
        while amount and (row := cursor.fetchone()):
            taken = min(amount, row[1])
            parts.append(LotPart(lot=row[0], amount=taken))
            amount -= taken
    assert amount == 0, "the lots of an account sum to its balance"
    return parts


def of_one(lot: Lot, amount: int) -> list[LotPart]:
    """Take `amount` fen from this lot only: a refund or a dispute touches no other money."""
    return [LotPart(lot=lot.pk, amount=amount)]


def given_back(journal: Journal, account: Account, amount: int) -> list[LotPart]:
    """Choose the uses of `journal` that get `amount` fen back, the last spent first.

    Refuses LotUsedUp when less than that is left to be given back. Writes nothing; the caller
    holds the account's balance row or the custody.
    """
    parts = []
    uses = (
        LotUse.objects.filter(journal=journal, lot__account=account, amount__gt=0)
        .annotate(back=Sum("given_back__amount", default=0))
        .order_by("-lot_id")
    )
    for use in uses:
        taken = min(amount, use.amount + use.back)
        if taken > 0:
            parts.append(LotPart(lot=use.lot_id, amount=taken, returns=use.pk))
            amount -= taken
    if amount:
        raise LotUsedUp
    return parts


def open_lot(account_id: int, journal_id: int, kind: str, amount: int) -> None:
    """Write the lot that a credit opens. Within `post`."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO ledger_lot (account_id, journal_id, kind, amount, remaining)"
            " VALUES (%s, %s, %s, %s, %s)",
            [account_id, journal_id, kind, amount, amount],
        )


def use(journal_id: int, parts: Sequence[LotPart]) -> None:
    """Write the uses of these parts and what then remains of their lots. Within `post`.

    Refuses LotUsedUp when a named lot has less left. Lots are touched in ascending order.
    """
    ids = sorted({part.lot for part in parts})
    marks = ", ".join(["%s"] * len(ids))
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT id, remaining FROM ledger_lot WHERE id IN ({marks})", ids)
        remaining = dict(cursor.fetchall())
        for part in parts:
            remaining[part.lot] += part.amount if part.returns else -part.amount
            if remaining[part.lot] < 0:
                raise LotUsedUp
        rows = ", ".join(["(%s, %s, %s, %s)"] * len(parts))
        values: list[int | None] = []
        for part in parts:
            change = -part.amount if part.returns else part.amount
            values += [part.lot, journal_id, change, part.returns]
        cursor.execute(
            f"INSERT INTO ledger_lotuse (lot_id, journal_id, amount, returns_id) VALUES {rows}",
            values,
        )
        cursor.execute(
            "UPDATE ledger_lot SET remaining = amount -"
            " (SELECT SUM(u.amount) FROM ledger_lotuse u WHERE u.lot_id = ledger_lot.id)"
            f" WHERE id IN ({marks})",
            ids,
        )
