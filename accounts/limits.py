"""What a deposit is measured against: the caps in force, and what already counts towards them."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from django.db.models import Case, Count, F, Sum, When
from django.db.models.functions import Coalesce

from accounts import escrow, screening
from accounts.models import Deposit
from accounts.screening import Facts, Limits
from detention import policy
from detention.models import Custody, Facility, Relationship

_CAME_IN = (Deposit.State.CREDITED, Deposit.State.AWAITING_DECISION)


def in_force(facility: Facility, *, at: datetime) -> Limits:
    """Return the facility's caps at `at`, in fen and times."""
    return Limits(
        single_max=policy.number(facility, "deposit_single_max", at=at),
        month_max=policy.number(facility, "deposit_month_max", at=at),
        month_times=policy.number(facility, "deposit_month_times", at=at),
        balance_max=policy.number(facility, "deposit_balance_max", at=at),
        open_to_strangers=bool(policy.number(facility, "deposit_open_to_strangers", at=at)),
    )


def month_start(facility: Facility, at: datetime) -> datetime:
    """Return when the facility's calendar month of `at` began."""
    local = at.astimezone(ZoneInfo(facility.time_zone))
    return local.replace(day=1, hour=0, minute=0, second=0, microsecond=0)


def facts(
    custody: Custody,
    link: Relationship,
    *,
    amount: int,
    at: datetime,
    arrived: Deposit | None = None,
    as_asked: bool = True,
    in_time: bool = True,
) -> Facts:
    """Read what screening must know about a deposit of `amount` fen to this custody.

    Before a payment everything still being paid counts, so that two payments together cannot pass
    a cap. arrived: the deposit whose money is here; it does not count against itself, and what
    others have only started does not either: it may never come, and is measured when it does.
    Under the custody's lock the answer holds until the end of the transaction; without it, it is
    good enough to show.
    """
    others = Deposit.objects.filter(custody=custody)
    started = others.in_flight()
    if arrived is not None:
        others = others.exclude(pk=arrived.pk)
        started = started.none()
    flight = started.aggregate(sum=Coalesce(Sum("amount"), 0), times=Count("pk"))
    month = others.filter(
        state__in=_CAME_IN, captured_at__gte=month_start(custody.facility, at)
    ).aggregate(sum=Coalesce(Sum(_kept()), 0), times=Count("pk"))
    suspense = others.waiting().aggregate(sum=Coalesce(Sum("amount_received"), 0))
    return Facts(
        amount=amount,
        linked=link.state == Relationship.State.VERIFIED,
        held_here=custody.is_open and link.custody_id == custody.pk,
        deposits_frozen=custody.deposits_frozen or not escrow.takes_money(custody),
        month_total=month["sum"] + flight["sum"],
        month_times=month["times"] + flight["times"],
        balance=escrow.balance(custody).posted + suspense["sum"] + flight["sum"],
        as_asked=as_asked,
        in_time=in_time,
    )


def room(link: Relationship, *, at: datetime) -> int:
    """Return the room left for a deposit, in fen: one number, the smallest, rounded down.

    Shown before typing, to verified relatives only.
    """
    found = facts(link.custody, link, amount=0, at=at)
    return screening.room(found, in_force(link.custody.facility, at=at))


def _kept() -> Case:
    """What of a deposit counts: credited, or the whole while it waits for a decision."""
    return Case(
        When(state=Deposit.State.CREDITED, then=F("amount_credited")),
        default=F("amount_received"),
    )
