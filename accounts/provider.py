"""Asking the payment provider, and taking its answers to the verbs.

Every call goes out while no transaction is open; what it brings back goes through one verb.
Nothing here trusts a message: the object itself is fetched.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext

from accounts import deposits, inbox, refunds
from accounts.gateways import (
    Checkout,
    GatewayRefused,
    GatewayUnavailable,
    Method,
    RefundResult,
    ResultUnknown,
    gateway,
)
from accounts.models import Deposit, GatewayEvent, Refund

METHODS: tuple[Method, ...] = ("alipay", "card")
# The provider keeps idempotency keys for at least 24 hours; after that it must be searched first.
KEY_LIVES = timedelta(hours=23)


def open_checkout(deposit: Deposit, *, at: datetime) -> Deposit:
    """Have the provider make the payment page; no answer leaves the deposit to the clock.

    The same key and the same words each time, so that a repeat finds the same page.
    """
    if deposit.checkout_id or deposit.state != Deposit.State.AWAITING_PAYMENT:
        return deposit
    try:
        page = _create(deposit)
    except (GatewayUnavailable, ResultUnknown):
        return deposits.asked(deposit, at=at)
    except GatewayRefused:
        return _settle_refused(deposit, at=at)
    return deposits.opened(deposit, checkout_id=page.id, url=page.url, at=at)


def _create(deposit: Deposit) -> Checkout:
    with translation.override(deposit.language):
        description = gettext("Deposit %(number)s") % {"number": deposit.number}
    back = [deposit.public_id]
    return gateway().create_checkout(
        reference=str(deposit.public_id),
        amount=deposit.amount,
        currency=deposit.currency,
        methods=METHODS,
        description=description,
        success_url=settings.PUBLIC_URL + reverse("deposit_result", args=back),
        cancel_url=settings.PUBLIC_URL + reverse("deposit_cancelled", args=back),
        expires_at=deposit.expires_at,
        locale=deposit.language,
        idempotency_key=str(deposit.public_id),
    )


def _settle_refused(deposit: Deposit, *, at: datetime) -> Deposit:
    """A refusal ends the deposit only when no earlier try had made a page after all."""
    try:
        page = _search(deposit)
    except (GatewayUnavailable, ResultUnknown):
        return deposits.asked(deposit, at=at)
    if page is None:
        return deposits.fail(deposit, at=at)
    return deposits.opened(deposit, checkout_id=page.id, url=page.url, at=at)


def _search(deposit: Deposit) -> Checkout | None:
    since = deposit.started_at - timedelta(minutes=5)  # their clock is not ours
    return gateway().find_checkout(str(deposit.public_id), since=since)


def ask_deposit(deposit: Deposit, *, at: datetime) -> Deposit:
    """Ask the provider how a payment stands, and take in the answer.

    Errors: GatewayUnavailable and GatewayRefused are noted and left to the clock.
    """
    if deposit.state != Deposit.State.AWAITING_PAYMENT and deposit.is_captured:
        return deposit
    if not deposit.checkout_id:
        deposit = open_checkout(deposit, at=at)
        if not deposit.checkout_id:
            return deposit
    try:
        page = gateway().fetch_checkout(deposit.checkout_id)
    except (GatewayUnavailable, GatewayRefused):
        return deposits.asked(deposit, at=at)
    return _take_in(deposit, page, at=at)


def _take_in(deposit: Deposit, page: Checkout, *, at: datetime) -> Deposit:
    if page.state == "paid":
        return deposits.capture(
            deposit,
            payment_id=page.payment_id,
            amount=page.amount,
            currency=page.currency,
            method=page.method,
            at=at,
        )
    if page.state == "expired":
        return deposits.expire(deposit, at=at)
    if page.declined:
        deposit = deposits.declined(deposit, at=at)
    return deposits.asked(deposit, at=at)


def give_up(deposit: Deposit, *, at: datetime) -> Deposit:
    """Have the provider end the page of a payer who does not want to pay any more.

    If it was paid in the same moment, the money is taken in instead. Repeat changes nothing.
    """
    if deposit.state != Deposit.State.AWAITING_PAYMENT or not deposit.checkout_id:
        return deposit
    deposit = deposits.cancelled(deposit, at=at)
    try:
        page = gateway().expire_checkout(deposit.checkout_id)
    except (GatewayUnavailable, ResultUnknown, GatewayRefused):
        return ask_deposit(deposit, at=at)
    return _take_in(deposit, page, at=at)


def send_refund(refund: Refund, *, at: datetime) -> Refund:
    """Have the provider send money back, or find out what became of an earlier try.

    The refund's public id is the key: a repeat within a day cannot send twice; after that the
    provider's list is searched before anything is tried.
    """
    if refund.state in (Refund.State.SUCCEEDED, Refund.State.FAILED, Refund.State.REPLACED):
        return refund
    if refund.refund_id:
        return ask_refund(refund, at=at)
    payment_id = refund.deposit.payment_id
    refund = refunds.sending(refund, at=at)
    reference = str(refund.public_id)
    try:
        answer: RefundResult | None = None
        if refund.sent_at is not None and at - refund.sent_at > KEY_LIVES:
            answer = gateway().find_refund(reference, payment_id=payment_id)
        if answer is None:
            answer = gateway().refund(
                payment_id=payment_id,
                amount=refund.amount,
                reference=reference,
                idempotency_key=reference,
            )
    except GatewayRefused as refusal:
        return refunds.result(refund, refund_id="", state="failed", failure=refusal.code, at=at)
    except (GatewayUnavailable, ResultUnknown):
        return refunds.unknown(refund, at=at)
    return _take_in_refund(refund, answer, at=at)


def ask_refund(refund: Refund, *, at: datetime) -> Refund:
    """Ask the provider how a refund stands, and take in the answer."""
    try:
        answer = gateway().fetch_refund(refund.refund_id)
    except (GatewayUnavailable, GatewayRefused):
        return refunds.unknown(refund, at=at)
    return _take_in_refund(refund, answer, at=at)


def _take_in_refund(refund: Refund, answer: RefundResult, *, at: datetime) -> Refund:
    return refunds.result(
        refund, refund_id=answer.id, state=answer.state, failure=answer.failure, at=at
    )


def process(stored: GatewayEvent, *, at: datetime) -> GatewayEvent:
    """Do what follows from a message: fetch the object it names and move its row forward.

    A message about something unknown here waits for its parent, and is let go after three days.
    """
    if stored.processed_at is not None:
        return stored
    try:
        known = _follow(stored, at=at)
    except (GatewayUnavailable, GatewayRefused) as error:
        return inbox.postponed(stored, error=str(error))
    if known:
        return inbox.processed(stored, at=at)
    if at - stored.received_at > inbox.GIVE_UP_AFTER:
        return inbox.processed(stored, note="unknown object", at=at)
    return inbox.postponed(stored, error="unknown object")


def _follow(stored: GatewayEvent, *, at: datetime) -> bool:
    """Tell whether the message was about a row of ours, or about nothing that concerns us."""
    if stored.object_type == "checkout":
        return _follow_checkout(stored.object_id, at=at)
    if stored.object_type == "refund":
        return _follow_refund(stored.object_id, at=at)
    return True


def _follow_checkout(checkout_id: str, *, at: datetime) -> bool:
    page = gateway().fetch_checkout(checkout_id)
    deposit = Deposit.objects.filter(checkout_id=checkout_id).first()
    if deposit is None:
        # Our note of the page's id was lost, or is not written yet: our reference tells.
        deposit = Deposit.objects.filter(public_id=_ours(page.reference), checkout_id="").first()
        if deposit is None:
            return False
        deposit = deposits.opened(deposit, checkout_id=page.id, url=page.url, at=at)
    _take_in(deposit, page, at=at)
    return True


def _follow_refund(refund_id: str, *, at: datetime) -> bool:
    answer = gateway().fetch_refund(refund_id)
    refund = Refund.objects.filter(public_id=_ours(answer.reference)).first()
    if refund is None:
        return False
    _take_in_refund(refund, answer, at=at)
    return True


def _ours(reference: str) -> UUID:
    """Return our id, or nobody's: others at the same provider have references of their own."""
    try:
        return UUID(reference)
    except ValueError:
        return UUID(int=0)
