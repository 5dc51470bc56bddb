"""What a payer is told about a deposit: always first whether money was taken."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.translation import gettext_lazy as _

from accounts.models import Deposit, Refund

State = Deposit.State


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """One answer. taken: what happened to the money. final: nothing will change by itself soon.

    tone: good, info, warn or bad, always shown with a word. payable: the page may still be paid.
    """

    code: str
    tone: str
    title: Any
    taken: Any
    further: Any
    final: bool
    payable: bool = False


RECEIVED = Outcome(
    code="received",
    tone="good",
    title=_("Money received"),
    taken=_("The money was taken and stands on the account."),
    further=_("It can be spent at once."),
    final=True,
)
PART = Outcome(
    code="part",
    tone="warn",
    title=_("A part was received"),
    taken=_("The money was taken. A part stands on the account, the rest comes back to you."),
    further=_("More cannot be received at present. The rest goes back the way you paid."),
    final=True,
)
CHECKING = Outcome(
    code="checking",
    tone="info",
    title=_("Your payment is being checked"),
    taken=_("The money was taken and is kept safe. It is not on the account yet."),
    further=_("You need not call. If it is not accepted, all of it comes back the way you paid."),
    final=True,
)
DECLINED = Outcome(
    code="declined",
    tone="bad",
    title=_("The payment was declined"),
    taken=_("No money was taken."),
    further=_("Your bank or wallet said no. Try again, or pay another way."),
    final=False,
    payable=True,
)
CANCELLED = Outcome(
    code="cancelled",
    tone="warn",
    title=_("You stopped the payment"),
    taken=_("No money was taken."),
    further=_("You can still pay until the time runs out, or simply leave."),
    final=False,
    payable=True,
)
STOPPED = Outcome(
    code="stopped",
    tone="warn",
    title=_("You stopped the payment"),
    taken=_("No money was taken."),
    further=_("You can start again whenever you like."),
    final=True,
)
UNKNOWN = Outcome(
    code="unknown",
    tone="info",
    title=_("We do not know yet whether you have paid"),
    taken=_("If you have paid, do not pay again. We keep asking the payment service."),
    further=_("This page shows the answer as soon as we have it. You may also come back later."),
    final=False,
    payable=True,
)
OPENING = Outcome(
    code="opening",
    tone="info",
    title=_("The payment page is not ready yet"),
    taken=_("No money was taken."),
    further=_("The payment service does not answer. We keep trying; look again in a minute."),
    final=False,
)
EXPIRED = Outcome(
    code="expired",
    tone="warn",
    title=_("The time for this payment ran out"),
    taken=_("No money was taken."),
    further=_("You can start again whenever you like."),
    final=True,
)
FAILED = Outcome(
    code="failed",
    tone="bad",
    title=_("The payment page could not be opened"),
    taken=_("No money was taken."),
    further=_("The payment service refused the payment. Start again, or ask the centre."),
    final=True,
)
REFUNDING = Outcome(
    code="refunding",
    tone="warn",
    title=_("Not accepted: your money is on its way back"),
    taken=_("The money was taken and all of it goes back the way you paid."),
    further=_("Your bank or wallet may need some days to show it."),
    final=False,
)
STUCK = Outcome(
    code="refund_stuck",
    tone="bad",
    title=_("Not accepted: sending the money back did not work"),
    taken=_("The money was taken. It is safe and still yours; it is not on the account."),
    further=_("The centre looks after it and will contact you. Keep the reference."),
    final=True,
)
REFUNDED = Outcome(
    code="refunded",
    tone="info",
    title=_("Not accepted: your money was sent back"),
    taken=_("The money was taken and all of it was sent back the way you paid."),
    further=_("Your bank or wallet may need some days to show it."),
    final=True,
)


def of(deposit: Deposit, refunds: Sequence[Refund], *, at: datetime) -> Outcome:
    """Return what to tell about a deposit. refunds: all of it."""
    if deposit.state == State.AWAITING_PAYMENT:
        return _unpaid(deposit, at=at)
    if deposit.state == State.REFUSED:
        stuck = any(refund.state == Refund.State.FAILED for refund in refunds)
        return STUCK if stuck else REFUNDING
    if deposit.state == State.CREDITED:
        return RECEIVED if deposit.amount_credited == deposit.amount_received else PART
    if deposit.state == State.EXPIRED and deposit.cancelled_at is not None:
        return STOPPED
    return {
        State.AWAITING_DECISION: CHECKING,
        State.REFUNDED: REFUNDED,
        State.EXPIRED: EXPIRED,
        State.FAILED: FAILED,
    }[State(deposit.state)]


def _unpaid(deposit: Deposit, *, at: datetime) -> Outcome:
    if not deposit.checkout_id:
        return OPENING
    if at >= deposit.expires_at:
        # Whether it was paid at the last moment only the provider knows.
        return UNKNOWN
    if deposit.declined_at is not None:
        return DECLINED
    return CANCELLED if deposit.cancelled_at is not None else UNKNOWN
