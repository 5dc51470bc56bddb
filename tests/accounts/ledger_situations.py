"""Money in known places, put there through the ledger's own moves."""

from __future__ import annotations

import datetime as dt
import itertools
from uuid import UUID, uuid4

from django.db import transaction

from accounts.ledger import days, posting
from accounts.ledger.models import Account, Book, Entry, Hold, Journal, Lot, LotUse
from accounts.ledger.posting import Line, NewHold

AT = dt.datetime(2026, 11, 2, 9, 30, tzinfo=dt.UTC)
_keys = itertools.count(1)


def fresh_key(step: str = "test") -> str:
    """Return a business key that nothing else in this process uses."""
    return f"{step}:{next(_keys)}"


def open_book(time_zone: str = "Asia/Shanghai", *, at: dt.datetime = AT) -> Book:
    """Return a book that has the day of `at` open."""
    with transaction.atomic():
        return days.open_book(ref=uuid4(), code=fresh_key("book")[:20], time_zone=time_zone, at=at)


def account(book: Book, kind: str = "ESCROW", owner: UUID | None = None) -> Account:
    """Return an account; live ones get an owner of their own."""
    with transaction.atomic():
        return posting.account(book, kind, owner or (uuid4() if kind != "GATEWAY" else None))


def post(kind: str, *lines: Line, key: str | None = None, **more) -> Journal:
    """Post these lines in a transaction of their own."""
    settings = {"at": AT, "by": 1, "reason": "test", "approved_by": 2, **more}
    with transaction.atomic():
        return posting.post(
            kind, book=lines[0].account.book, key=key or fresh_key(kind), lines=lines, **settings
        )


def deposited(account: Account, amount: int, **more) -> Journal:
    """Bring `amount` fen from the gateway to this account."""
    gateway = posting.account(account.book, "GATEWAY")
    return post("deposit_captured", Line(gateway, -amount), Line(account, amount), **more)


def held(account: Account, amount: int, **more) -> Hold:
    """Set `amount` fen of this account aside."""
    journal = post("order_held", Line(account, 0, held=amount, hold=NewHold()), **more)
    return Hold.objects.get(journal=journal)


def captured(hold: Hold, amount: int, *, release: int = 0, vendor: Account, **more) -> Journal:
    """Pay the vendor out of a hold."""
    spent = Line(hold.account, -amount, held=-(amount + release), hold=hold)
    return post("order_captured", spent, Line(vendor, amount), **more)


def rows() -> dict[str, list]:
    """Return everything the ledger holds, to prove that a refusal moved nothing."""
    tables = (Journal, Entry, Hold, Lot, LotUse)
    found = {model.__name__: list(model.objects.order_by("pk").values()) for model in tables}
    found["balances"] = list(
        Account.objects.filter(live=True)
        .order_by("pk")
        .values_list("pk", "balance_row__posted", "balance_row__held", "balance_row__seq")
    )
    return found
