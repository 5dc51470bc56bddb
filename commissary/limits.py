"""How much may be ordered: pure rules over numbers, each refusal with the day it ends."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, time
from zoneinfo import ZoneInfo

from django.utils.translation import gettext_lazy as _

from accounts.errors import MoneyRefusal
from detention import policy
from detention.errors import Refusal

policy.declare(
    "spend_limit_month",
    _("Most that one person may spend in a calendar month"),
    unit="fen",
    default=600_00,
)
policy.declare(
    "orders_per_month",
    _("Most orders of one person in a calendar month"),
    unit="times",
    default=8,
    high=100,
)


class OverMonthlyLimit(MoneyRefusal):
    """The order would pass what may be spent in one month."""

    code = "over_monthly_limit"
    message = _("This month %(left)s of %(limit)s can still be spent. From %(again_on)s again.")


class TooManyOrders(Refusal):
    """The number of orders of this month is used up."""

    code = "too_many_orders"
    message = _("All %(limit)s orders of this month are used. From %(again_on)s again.")


class TooManyOfOne(Refusal):
    """More of one product than one order may hold; the next order may have more."""

    code = "too_many_of_one"
    message = _("%(product)s: at most %(limit)s in one order.")


@dataclass(frozen=True, kw_only=True)
class Period:
    """The calendar month at the facility; `end` is exclusive and the day room is there again."""

    start: datetime
    end: datetime


@dataclass(frozen=True, kw_only=True)
class Limits:
    """The numbers in force: fen a month, orders a month."""

    spend_month: int
    orders_month: int


@dataclass(frozen=True, kw_only=True)
class Usage:
    """What this period has used: fen set aside or paid, and orders that did not come to nothing."""

    spent: int
    orders: int


@dataclass(frozen=True, kw_only=True)
class Item:
    """One wished line. amount: fen for all of it; counts: against the monthly limit."""

    product: str
    quantity: int
    most: int
    amount: int
    counts: bool


def month_of(at: datetime, time_zone: str) -> Period:
    """Return the calendar month around `at` in the facility's time zone."""
    zone = ZoneInfo(time_zone)
    first = at.astimezone(zone).date().replace(day=1)
    following = first.replace(year=first.year + first.month // 12, month=first.month % 12 + 1)
    return Period(
        start=datetime.combine(first, time(), zone), end=datetime.combine(following, time(), zone)
    )


def room(limits: Limits, usage: Usage) -> int:
    """Return what can still be spent in the period, in fen; never below 0."""
    return max(limits.spend_month - usage.spent, 0)


def check(items: Iterable[Item], *, limits: Limits, usage: Usage, period: Period) -> Refusal | None:
    """Return the first rule that these items would break, or None.

    Quantity per product first, then number of orders, then money: the person can mend the first
    by hand, the others only by waiting.
    """
    items = list(items)
    again_on = f"{period.end:%F}"
    for item in items:
        if item.quantity > item.most:
            return TooManyOfOne(product=item.product, limit=item.most)
    if usage.orders >= limits.orders_month:
        return TooManyOrders(limit=limits.orders_month, again_on=again_on)
    if sum(item.amount for item in items if item.counts) > room(limits, usage):
        return OverMonthlyLimit(
            left=room(limits, usage), limit=limits.spend_month, again_on=again_on
        )
    return None
