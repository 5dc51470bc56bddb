"""Screening: what the rules say about one deposit, as a pure function without the database."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.translation import gettext_lazy as _

from accounts.models import ScreeningFinding
from detention import policy

Action = ScreeningFinding.Action

policy.declare(
    "deposit_single_max",
    _("L01: largest single deposit"),
    unit="fen",
    default=100_000,
    low=100,
    high=10_000_000,
)
policy.declare(
    "deposit_month_max",
    _("L02: deposits to one detainee in a calendar month, all payers"),
    unit="fen",
    default=300_000,
    low=100,
    high=100_000_000,
)
policy.declare(
    "deposit_month_times",
    _("L02: payments to one detainee in a calendar month"),
    unit="times",
    default=4,
    low=1,
    high=1000,
)
policy.declare(
    "deposit_balance_max",
    _("L03: most that may stand on a detainee's account"),
    unit="fen",
    default=500_000,
    low=100,
    high=100_000_000,
)
policy.declare(
    "deposit_open_to_strangers",
    _("P01: hold instead of refusing when the payer's link has ended"),
    unit="yes",
    default=0,
    high=1,
)

# What officers read; payers never do.
TEXTS = {
    "A01": _("other amount or currency than asked for"),
    "A02": _("came after the payment had ended"),
    "L01": _("above the largest single deposit"),
    "L02": _("above the limit of the month"),
    "L03": _("above the limit of the balance"),
    "P01": _("the payer's link has ended"),
    "P02": _("not held here, or closed for deposits"),
    "X01": _("the check could not be made"),
}

# Ten yuan: the number shown must not tell the balance to the fen.
STEP = 1000


@dataclass(frozen=True, kw_only=True)
class Limits:
    """The rules' numbers in force; amounts in fen."""

    single_max: int
    month_max: int
    month_times: int
    balance_max: int
    open_to_strangers: bool


@dataclass(frozen=True, kw_only=True)
class Facts:
    """What is known about a deposit and its receiver, without the deposit itself.

    amount: fen. month_total, month_times: received this calendar month or in flight, all payers.
    balance: on the account, in suspense for it, and in flight.
    """

    amount: int
    linked: bool
    held_here: bool
    deposits_frozen: bool
    month_total: int
    month_times: int
    balance: int
    # Only known once the money came.
    as_asked: bool = True
    in_time: bool = True


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One rule's answer; measured and limit in `unit` (fen, times), None where none is measured."""

    code: str
    action: Action
    measured: int | None = None
    limit: int | None = None
    unit: str = ""


def findings(facts: Facts, limits: Limits) -> list[Finding]:
    """Return what the rules object to, in the order of their codes; an empty list passes.

    P01 payer not linked · P02 not held here or frozen for deposits · L01 single amount · L02 the
    month's sum or count · L03 balance · A01 other amount or currency than asked · A02 too late.
    """
    found: list[Finding] = []
    if not facts.as_asked:
        found.append(Finding(code="A01", action=Action.HOLD))
    if not facts.in_time:
        found.append(Finding(code="A02", action=Action.HOLD))
    if facts.amount > limits.single_max:
        found.append(_over("L01", facts.amount, limits.single_max))
    if facts.month_times + 1 > limits.month_times:
        found.append(_over("L02", facts.month_times + 1, limits.month_times, unit="times"))
    elif facts.month_total + facts.amount > limits.month_max:
        found.append(_over("L02", facts.month_total + facts.amount, limits.month_max))
    if facts.balance + facts.amount > limits.balance_max:
        found.append(_over("L03", facts.balance + facts.amount, limits.balance_max))
    if not facts.linked:
        action = Action.HOLD if limits.open_to_strangers else Action.REFUSE
        found.append(Finding(code="P01", action=action))
    if not facts.held_here or facts.deposits_frozen:
        found.append(Finding(code="P02", action=Action.REFUSE))
    return found


def failed() -> list[Finding]:
    """Return the one finding that stands for a screening that could not be done (X01)."""
    return [Finding(code="X01", action=Action.HOLD)]


def verdict(found: list[Finding]) -> Action | None:
    """Return the highest action among the findings; None passes."""
    order = [Action.NOTE, Action.HOLD, Action.REFUSE]
    return max((finding.action for finding in found), key=order.index, default=None)


def only_too_much(found: list[Finding]) -> bool:
    """Tell whether nothing but the amount is in the way, so that a part of it may pass."""
    return bool(found) and all(
        finding.code in ("L01", "L02", "L03") and finding.action == Action.REFUSE
        for finding in found
    )


def fitting(facts: Facts, limits: Limits) -> int:
    """Return how much of the deposit's amount the caps still take, in fen; never below zero."""
    if facts.month_times >= limits.month_times:
        return 0
    left = [
        facts.amount,
        limits.single_max,
        limits.month_max - facts.month_total,
        limits.balance_max - facts.balance,
    ]
    return max(0, min(left))


def room(facts: Facts, limits: Limits) -> int:
    """Return the one number shown before typing: the smallest room, rounded down to ten yuan."""
    if not facts.held_here or facts.deposits_frozen or facts.month_times >= limits.month_times:
        return 0
    left = [
        limits.single_max,
        limits.month_max - facts.month_total,
        limits.balance_max - facts.balance,
    ]
    return max(0, min(left)) // STEP * STEP


def _over(code: str, measured: int, limit: int, *, unit: str = "fen") -> Finding:
    return Finding(code=code, action=Action.REFUSE, measured=measured, limit=limit, unit=unit)
