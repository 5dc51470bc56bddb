"""What people do at the provider: payers on the hosted page, and the bank behind it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _

from accounts.gateways.stub import letters, shapes
from accounts.gateways.stub.models import CheckoutSession, Delivery, Fault, Payment, Refund

SLOW_S = 8
# Long enough for a refund to be asked for and told first.
OVERTAKEN_S = 60


class PageClosed(Exception):
    """The page was paid already or its time is over."""


class NotOffered(ValueError):
    """The page does not offer this way to pay."""


class Declined(TextChoices):
    GENERIC = "card_declined", _("the bank declines")
    NO_FUNDS = "insufficient_funds", _("not enough money")


class Notice(TextChoices):
    """How the merchant hears of a payment."""

    NOW = "now", _("at once")
    LATE = "late", _("late")
    TWICE = "twice", _("twice")
    TEN = "ten", _("ten times at once")
    NEVER = "never", _("never; only asking tells")
    WRONG_SIGNATURE = "wrong_signature", _("with a wrong signature only")
    OLD = "old", _("with an old timestamp only")
    SHORT = "short", _("with 1 fen less than asked for")
    FAIL_ONCE = "fail_once", _("and the provider's next answer is an error")
    OUT_OF_ORDER = "out_of_order", _("a minute late, after all that follows it")


@dataclass(frozen=True)
class _Post:
    """How the letters of one kind of notice travel."""

    copies: int = 1
    signature: str = Delivery.Signature.TRUE
    delay_s: float = 0


_POST = {
    Notice.TWICE: _Post(copies=2),
    Notice.TEN: _Post(copies=10),
    Notice.NEVER: _Post(copies=0),
    Notice.WRONG_SIGNATURE: _Post(signature=Delivery.Signature.WRONG),
    Notice.OLD: _Post(signature=Delivery.Signature.OLD),
    Notice.OUT_OF_ORDER: _Post(delay_s=OVERTAKEN_S),
}

# The last two digits of an amount decide where nobody chose: a test needs no person at the page.
DECLINED_ENDINGS = {1: Declined.GENERIC, 2: Declined.NO_FUNDS}
NOTICE_ENDINGS = {
    4: Notice.LATE,
    5: Notice.TWICE,
    6: Notice.NEVER,
    8: Notice.SHORT,
    10: Notice.FAIL_ONCE,
}


@transaction.atomic
def look(session_id: str, *, at: datetime) -> CheckoutSession:
    """Return the page as it is at `at`; one whose time is over expires now, with its letter.

    Errors: CheckoutSession.DoesNotExist.
    """
    session = CheckoutSession.objects.select_for_update().get(pk=session_id)
    if session.status == session.Status.OPEN and not session.is_open(at):
        _expire(session, at=at)
    return session


@transaction.atomic
def pay(
    session_id: str,
    *,
    method: str,
    at: datetime,
    notice: Notice | None = None,
    delay_s: float = SLOW_S,
) -> Payment:
    """Pay the page, or be declined where the amount's ending says so.

    notice: how the merchant hears of it; None lets the amount's ending decide.
    delay_s: for a late notice. Errors: PageClosed, NotOffered.
    """
    session = _open(session_id, method=method, at=at)
    ending = session.amount % 100
    if ending in DECLINED_ENDINGS:
        return _decline(session, DECLINED_ENDINGS[ending], method=method, at=at)
    notice = notice or NOTICE_ENDINGS.get(ending, Notice.NOW)
    received = session.amount - 1 if notice == Notice.SHORT else session.amount
    payment, _made = Payment.objects.update_or_create(
        session=session,
        defaults={
            "status": Payment.Status.SUCCEEDED,
            "amount": session.amount,
            "amount_received": received,
            "currency": session.currency,
            "method": method,
            "failure_code": "",
            "created_at": at,
        },
    )
    session.status = session.Status.COMPLETE
    session.save(update_fields=["status"])
    if notice == Notice.FAIL_ONCE:
        where = f"GET /v1/checkout/sessions/{session.id}"
        Fault.objects.create(kind=Fault.Kind.ERROR, where=where)
    post = _Post(delay_s=delay_s) if notice == Notice.LATE else _POST.get(notice, _Post())
    letters.write(
        "checkout.session.completed",
        shapes.session(session),
        at=at,
        copies=post.copies,
        signature=post.signature,
        delay_s=post.delay_s,
    )
    return payment


@transaction.atomic
def decline(session_id: str, reason: Declined, *, method: str, at: datetime) -> Payment:
    """Try to pay and be turned down; the page stays open. Errors: PageClosed, NotOffered."""
    session = _open(session_id, method=method, at=at)
    return _decline(session, reason, method=method, at=at)


@transaction.atomic
def expire(session_id: str, *, at: datetime) -> CheckoutSession:
    """End the page's time now. Errors: PageClosed."""
    session = _open(session_id, at=at)
    _expire(session, at=at)
    return session


@transaction.atomic
def fail_refund(refund_id: str, *, at: datetime) -> Refund:
    """The payer's bank sends a refund back, as it may days after it succeeded.

    Again: nothing more happens. Errors: Refund.DoesNotExist.
    """
    refund = Refund.objects.select_for_update(of=("self",)).get(pk=refund_id)
    if refund.status != Refund.Status.FAILED:
        refund.status = Refund.Status.FAILED
        refund.failure_reason = "expired_or_canceled_card"
        refund.save(update_fields=["status", "failure_reason"])
        letters.write("refund.failed", shapes.refund(refund), at=at)
    return refund


def _open(session_id: str, *, at: datetime, method: str = "") -> CheckoutSession:
    session = look(session_id, at=at)
    if session.status != session.Status.OPEN:
        raise PageClosed(session.status)
    if method and method not in session.methods:
        raise NotOffered(method)
    return session


def _decline(session: CheckoutSession, reason: Declined, *, method: str, at: datetime) -> Payment:
    payment, _made = Payment.objects.update_or_create(
        session=session,
        defaults={
            "status": Payment.Status.FAILED,
            "amount": session.amount,
            "currency": session.currency,
            "method": method,
            "failure_code": reason,
            "created_at": at,
        },
    )
    return payment


def _expire(session: CheckoutSession, *, at: datetime) -> None:
    session.status = session.Status.EXPIRED
    session.save(update_fields=["status"])
    letters.write("checkout.session.expired", shapes.session(session), at=at)
