"""A detainee's money, as the rest of the system may move it.

Every move demands the caller's transaction, in which the caller has locked the Custody row, and is
called last. `by` is who acts: a user, a custody (the detainee on a tablet), or None for the system.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from django.db.models import Sum
from django.utils import timezone

from accounts import errors
from accounts.ledger import days, lots, posting
from accounts.ledger.lots import LotPart
from accounts.ledger.models import (
    Account,
    AccountEvent,
    BalanceRow,
    Book,
    Entry,
    Hold,
    Journal,
)
from accounts.ledger.posting import Balance, Line, NewHold
from detention.audit import Actor
from detention.models import Custody, Facility, User
from detention.verbs import assert_in_transaction, verb

type Doc = tuple[str, int]


def book_of(facility: Facility) -> Book:
    """Return the facility's book, opening it at first use.

    The day it opens with is the installation's own first day, not an input of anybody's act;
    hence the clock, here and nowhere else.
    """
    try:
        return posting.book(facility.public_id)
    except Book.DoesNotExist:
        return days.open_book(
            ref=facility.public_id,
            code=facility.code,
            time_zone=facility.time_zone,
            at=timezone.now(),
        )


def find_book(facility: Facility) -> Book | None:
    """Return the facility's book, None before its first money; for pages that only read."""
    return Book.objects.filter(ref=facility.public_id).first()


def account_of(custody: Custody) -> Account:
    """Return the detainee's escrow account in the book of the facility that holds them."""
    return posting.account(book_of(custody.facility), "ESCROW", custody.detainee.public_id)


def balance(custody: Custody) -> Balance:
    """Return posted, held and available fen of the detainee; zero before the first deposit.

    Writes nothing and locks nothing: what a page shows is an estimate, only the posting decides.
    """
    row = BalanceRow.objects.filter(
        account__kind="ESCROW",
        account__owner=custody.detainee.public_id,
        account__book__ref=custody.facility.public_id,
    ).first()
    return Balance(posted=row.posted, held=row.held) if row else Balance(posted=0, held=0)


def takes_money(custody: Custody) -> bool:
    """Tell whether money may enter the detainee's account at present; locks nothing."""
    return not BalanceRow.objects.filter(
        account__kind="ESCROW",
        account__owner=custody.detainee.public_id,
        account__book__ref=custody.facility.public_id,
        no_credit=True,
    ).exists()


def hold(
    custody: Custody,
    amount: int,
    *,
    key: str,
    doc: Doc,
    expires_at: datetime | None,
    by: Actor,
    at: datetime,
    source: str = "web",
) -> Hold:
    """Set aside `amount` fen, greater than 0, of the detainee's available money for one order.

    Writes one journal and a Hold; returns the Hold.
    Refuses NotEnoughMoney (insufficient_funds), SpendingFrozen (spending_frozen), KeyConflict.
    Same key again: the existing Hold.
    """
    line = Line(account_of(custody), 0, held=amount, hold=NewHold(expires_at))
    journal = _post("order_held", line, key=key, doc=doc, by=by, at=at, source=source)
    return Hold.objects.get(journal=journal)


def release_hold(
    hold: Hold, amount: int, *, key: str, doc: Doc, by: Actor, at: datetime, source: str = "web"
) -> Journal:
    """Give back `amount` fen, greater than 0, of what is set aside; it is available again.

    Refuses HoldUsedUp (hold_used_up) when less remains. Same key again: the first journal.
    """
    line = Line(hold.account, 0, held=-amount, hold=hold)
    return _post("order_released", line, key=key, doc=doc, by=by, at=at, source=source)


def expire(hold: Hold, *, doc: Doc, at: datetime) -> Journal:
    """Give back all that remains of a hold whose time is over; the sweep's move.

    Refuses HoldUsedUp when a capture came first. Again: the first journal.
    """
    key = f"hold:{hold.pk}:expire"
    if earlier := posting.find(key):
        return earlier
    fresh = Hold.objects.get(pk=hold.pk)
    assert fresh.expires_at is not None, "this hold never expires"
    assert fresh.expires_at <= at, "its time is not over"
    if not fresh.remaining:
        raise errors.HoldUsedUp
    return release_hold(fresh, fresh.remaining, key=key, doc=doc, by=None, at=at, source="task")


def capture(
    hold: Hold,
    amount: int,
    *,
    release: int = 0,
    vendors: Mapping[UUID, int],
    key: str,
    doc: Doc,
    by: Actor,
    at: datetime,
    source: str = "web",
) -> Journal:
    """Pay vendors `amount` fen, greater than 0, out of a hold; give `release` fen of it back.

    vendors: vendor → fen, summing to `amount`. One journal: ESCROW -amount, held
    -(amount + release), each VENDOR +its part. It cannot fail for lack of money, which is already
    set aside. Spends the oldest lots.
    Refuses HoldUsedUp when less remains of the hold. Same key again: the first journal.
    """
    spent = Line(hold.account, -amount, held=-(amount + release), hold=hold)
    book = hold.account.book
    owed = [Line(posting.account(book, "VENDOR", v), fen) for v, fen in sorted(vendors.items())]
    return _post("order_captured", spent, *owed, key=key, doc=doc, by=by, at=at, source=source)


def goods_returned(
    captured: Journal,
    amount: int,
    *,
    vendor: UUID,
    key: str,
    doc: Doc,
    by: Actor,
    at: datetime,
    source: str = "web",
) -> Journal:
    """Take `amount` fen back from the vendor, to the lots that the goods were paid from.

    captured: the order_captured journal; vendor: one that it paid.
    Refuses LotUsedUp when more comes back than this vendor was paid in it.
    Same key again: the first journal.
    """
    assert_in_transaction()
    entries = list(captured.entries.select_related("account"))
    escrow = next(entry.account for entry in entries if entry.account.kind == "ESCROW")
    paid = next(entry for entry in entries if entry.account.owner == vendor)
    parts: list[LotPart] = []
    if posting.find(key) is None:
        if amount > paid.amount - _brought_back(captured, paid.account):
            raise errors.LotUsedUp
        parts = lots.given_back(captured, escrow, amount)
    taken = Line(paid.account, -amount)
    given = Line(escrow, amount, lots=parts)
    return _post("goods_returned", taken, given, key=key, doc=doc, by=by, at=at, source=source)


def _brought_back(captured: Journal, vendor: Account) -> int:
    """Return the fen that this vendor has given back of this capture so far."""
    back = Journal.objects.filter(lot_uses__returns__journal=captured)
    entries = Entry.objects.filter(journal__in=back, account=vendor)
    return -(entries.aggregate(total=Sum("amount"))["total"] or 0)


def freeze(
    custody: Custody,
    amount: int,
    *,
    key: str,
    doc: Doc,
    reason: str,
    by: Actor,
    at: datetime,
    source: str = "web",
) -> Hold:
    """Set aside `amount` fen by order of a court or for a dispute, until `unfreeze`.

    Refuses NotEnoughMoney, ReasonNeeded. Same key again: the existing Hold.
    """
    line = Line(account_of(custody), 0, held=amount, hold=NewHold())
    journal = _post("frozen", line, key=key, doc=doc, by=by, at=at, reason=reason, source=source)
    return Hold.objects.get(journal=journal)


def unfreeze(
    hold: Hold,
    amount: int,
    *,
    key: str,
    doc: Doc,
    reason: str,
    by: Actor,
    at: datetime,
    source: str = "web",
) -> Journal:
    """Make `amount` fen of a freeze available again.

    Refuses HoldUsedUp, ReasonNeeded. Same key again: the first journal.
    """
    line = Line(hold.account, 0, held=-amount, hold=hold)
    return _post("unfrozen", line, key=key, doc=doc, by=by, at=at, reason=reason, source=source)


def stop_spending(custody: Custody, *, reason: str, by: User, at: datetime) -> None:
    """Let nothing leave the account any more, except what is already set aside.

    Writes an AccountEvent. Again: writes another event, changes nothing.
    """
    _flag(custody, AccountEvent.Event.FROZEN_DEBIT, reason=reason, by=by, at=at, no_debit=True)


def stop_credit(custody: Custody, *, reason: str, by: User, at: datetime) -> None:
    """Let nothing enter the account any more. Writes an AccountEvent."""
    _flag(custody, AccountEvent.Event.FROZEN_CREDIT, reason=reason, by=by, at=at, no_credit=True)


def allow_again(custody: Custody, *, reason: str, by: User, at: datetime) -> None:
    """Take both stops away. Writes an AccountEvent."""
    _flag(
        custody,
        AccountEvent.Event.UNFROZEN,
        reason=reason,
        by=by,
        at=at,
        no_debit=False,
        no_credit=False,
    )


def _flag(
    custody: Custody, event: str, *, reason: str, by: User, at: datetime, **flags: bool
) -> None:
    assert_in_transaction()
    if not reason:
        raise errors.ReasonNeeded
    account = account_of(custody)
    AccountEvent.objects.create(account=account, event=event, actor_id=by.pk, reason=reason, at=at)
    BalanceRow.objects.filter(account=account).update(**flags)


def roll_days(*, at: datetime) -> int:
    """Close the days that are over in every book, each on its own; return how many.

    The sweep of every minute. Again: closes nothing more.
    """
    return sum(roll_day(book, at=at) for book in Book.objects.order_by("pk"))


@verb
def roll_day(book: Book, *, at: datetime) -> int:
    """Close the days of this book that are over, after a stop one by one; return how many.

    Again: closes nothing more. Errors: Busy when postings kept the gate open for too long; the
    next minute tries again.
    """
    return len(days.roll(book, at=at))


def _post(
    kind: str,
    *lines: Line,
    key: str,
    doc: Doc,
    by: Actor,
    at: datetime,
    source: str,
    reason: str = "",
) -> Journal:
    return posting.post(
        kind,
        book=lines[0].account.book,
        key=key,
        lines=lines,
        at=at,
        by=by.pk if isinstance(by, User) else None,
        by_custody=by.pk if isinstance(by, Custody) else None,
        doc=doc,
        source=source,
        reason=reason,
    )
