"""The limits by table: pure numbers, no database."""

import datetime as dt
from zoneinfo import ZoneInfo

import pytest

from commissary.limits import Item, Limits, Usage, check, month_of, room

SHANGHAI = ZoneInfo("Asia/Shanghai")
MONTH = month_of(dt.datetime(2026, 11, 22, 12, tzinfo=SHANGHAI), "Asia/Shanghai")
LIMITS = Limits(spend_month=600_00, orders_month=8)


def item(amount=100_00, *, quantity=1, most=5, counts=True):
    return Item(product="soap", quantity=quantity, most=most, amount=amount, counts=counts)


@pytest.mark.parametrize(
    ("case", "items", "usage", "code", "facts"),
    [
        ("nothing used", [item()], Usage(spent=0, orders=0), None, None),
        ("exactly full", [item(600_00)], Usage(spent=0, orders=0), None, None),
        (
            "one fen over",
            [item(600_01)],
            Usage(spent=0, orders=0),
            "over_monthly_limit",
            {"left": 600_00, "limit": 600_00, "again_on": "2026-12-01"},
        ),
        (
            "together over",
            [item(60_00), item(50_00)],
            Usage(spent=500_00, orders=1),
            "over_monthly_limit",
            {"left": 100_00, "limit": 600_00, "again_on": "2026-12-01"},
        ),
        (
            "already over after a lower limit",
            [item(1)],
            Usage(spent=700_00, orders=1),
            "over_monthly_limit",
            {"left": 0, "limit": 600_00, "again_on": "2026-12-01"},
        ),
        ("outside the limit", [item(900_00, counts=False)], Usage(spent=0, orders=0), None, None),
        (
            "books beside soap",
            [item(900_00, counts=False), item(600_00)],
            Usage(spent=0, orders=0),
            None,
            None,
        ),
        ("the last order", [item()], Usage(spent=0, orders=7), None, None),
        (
            "one order too many",
            [item()],
            Usage(spent=0, orders=8),
            "too_many_orders",
            {"limit": 8, "again_on": "2026-12-01"},
        ),
        ("as many as allowed", [item(quantity=5)], Usage(spent=0, orders=0), None, None),
        (
            "too many of one, told before what only waiting helps",
            [item(quantity=6)],
            Usage(spent=600_00, orders=8),
            "too_many_of_one",
            {"product": "soap", "limit": 5},
        ),
    ],
)
def test_check(case, items, usage, code, facts):
    refusal = check(items, limits=LIMITS, usage=usage, period=MONTH)

    assert (refusal and refusal.code) == code, case
    assert (refusal and refusal.facts) == facts, case


@pytest.mark.parametrize(
    ("case", "at", "start", "end"),
    [
        ("in the middle", "2026-11-22T12:00+08:00", "2026-11-01", "2026-12-01"),
        ("its first moment", "2026-11-01T00:00+08:00", "2026-11-01", "2026-12-01"),
        ("its last moment", "2026-11-30T23:59:59+08:00", "2026-11-01", "2026-12-01"),
        (
            "the next month there, still this one in UTC",
            "2026-11-30T16:00Z",
            "2026-12-01",
            "2027-01-01",
        ),
        ("December", "2026-12-31T10:00+08:00", "2026-12-01", "2027-01-01"),
        ("a leap February", "2028-02-29T10:00+08:00", "2028-02-01", "2028-03-01"),
    ],
)
def test_the_month_is_the_facilitys_own(case, at, start, end):
    period = month_of(dt.datetime.fromisoformat(at), "Asia/Shanghai")

    assert (f"{period.start:%F %T%z}", f"{period.end:%F %T%z}") == (
        f"{start} 00:00:00+0800",
        f"{end} 00:00:00+0800",
    ), case


def test_room_never_falls_below_zero():
    assert room(LIMITS, Usage(spent=250_00, orders=0)) == 350_00
    assert room(LIMITS, Usage(spent=650_00, orders=0)) == 0
