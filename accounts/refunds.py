"""Refunds: money of one deposit on its way back to where it came from."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from django.utils.translation import gettext_lazy as _

from accounts import clocks, entries
from accounts.models import Deposit, Refund
from detention import access, audit, custody, events
from detention.errors import Refusal
from detention.lifecycle import may_move, move
from detention.models import Role, User
from detention.verbs import assert_in_transaction, verb


class NothingToRepeat(Refusal):
    code = "refund_not_failed"
    message = _("Only a refund that failed can be tried again.")


def request(
    deposit: Deposit,
    amount: int,
    *,
    cause: Refund.Cause,
    key: str,
    by: User | None,
    at: datetime,
) -> Refund:
    """Write down that `amount` fen of the deposit's suspense money go back, and queue the sending.

    key: what this refund is for; the same one again violates `refund_key_once`.
    Within the caller's transaction, under the locks of custody and deposit.
    """
    assert_in_transaction()
    refund = Refund.objects.create(
        deposit=deposit,
        key=key,
        cause=cause,
        amount=amount,
        requested_by=by,
        requested_at=at,
        next_ask_at=clocks.next_ask(at, at=at),
    )
    audit.record(
        "refund.requested",
        by=by,
        at=at,
        subject=refund,
        facility=deposit.facility,
        deposit=deposit.number,
        amount=amount,
        cause=str(cause),
    )
    events.announce("refund_requested", refund.pk)
    return refund


@verb
def sending(refund: Refund, *, at: datetime) -> Refund:
    """Note, before the provider is asked, that the request may reach it from now on.

    Keeps the first moment on repeat. Locks custody, deposit, refund.
    """
    refund = _lock(refund)
    if refund.sent_at is None:
        refund.sent_at = at
        refund.save(update_fields=["sent_at"])
    return refund


@verb
def unknown(refund: Refund, *, at: datetime) -> Refund:
    """Note that the provider's answer was lost; it is asked again by the clock.

    Changes nothing once a result is known. Locks custody, deposit, refund.
    """
    refund = _lock(refund)
    if may_move(refund, Refund.State.UNKNOWN):
        move(refund, Refund.State.UNKNOWN)
    if refund.state in (Refund.State.UNKNOWN, Refund.State.PENDING):
        _ask_later(refund, at)
        refund.save(update_fields=["state", "next_ask_at"])
    return refund


@verb
def result(
    refund: Refund,
    *,
    refund_id: str,
    state: Literal["pending", "succeeded", "failed"],
    failure: str = "",
    at: datetime,
) -> Refund:
    """Take in what the provider says about a refund now, and post what follows.

    succeeded posts refund_paid; failed after it had succeeded posts refund_failed: the money is
    owed from SUSPENSE again and waits for a person. The same answer again changes nothing.
    Locks custody, deposit, refund.
    """
    refund = _lock(refund)
    target = {
        "pending": Refund.State.PENDING,
        "succeeded": Refund.State.SUCCEEDED,
        "failed": Refund.State.FAILED,
    }[state]
    if refund.state == target or not may_move(refund, target):
        if refund.state == target == Refund.State.PENDING:
            _ask_later(refund, at)
            refund.save(update_fields=["next_ask_at"])
        return refund
    was_paid = refund.state == Refund.State.SUCCEEDED
    move(refund, target)
    refund.refund_id = refund_id or refund.refund_id
    refund.failure = failure[:200]
    deposit = refund.deposit
    if target == Refund.State.PENDING:
        _ask_later(refund, at)
    else:
        refund.next_ask_at = None
        refund.settled_at = at
    refund.save()
    _follow(deposit, target, at)
    audit.record(
        f"refund.{target}",
        by=None,
        at=at,
        subject=refund,
        facility=deposit.facility,
        deposit=deposit.number,
        failure=failure,
    )
    if target == Refund.State.SUCCEEDED:
        entries.refund_paid(refund, at=at)
    elif was_paid:
        entries.refund_failed(refund, at=at)
    if target != Refund.State.PENDING:
        events.announce("refund_settled", refund.pk)
    return refund


@verb
def again(refund: Refund, *, by: User, at: datetime) -> Refund:
    """Try a failed refund once more, as a refund of its own; return the new one.

    The same request again returns the refund that replaced it. Refuses NotAllowed (finance of the
    facility), NothingToRepeat. Locks custody, deposit, refund.
    """
    refund = _lock(refund)
    deposit = refund.deposit
    access.require(by, deposit.facility, Role.FINANCE)
    key = f"again:{refund.pk}"
    if refund.state == Refund.State.REPLACED:
        return Refund.objects.get(deposit=deposit, key=key)
    if refund.state != Refund.State.FAILED:
        raise NothingToRepeat
    move(refund, Refund.State.REPLACED)
    refund.save(update_fields=["state"])
    return request(deposit, refund.amount, cause=Refund.Cause(refund.cause), key=key, by=by, at=at)


@verb
def take(refund: Refund, *, by: User, at: datetime) -> Refund:
    """Become the officer who looks after a failed refund. Refuses NotAllowed. Locks the refund."""
    refund = _lock(refund)
    access.require(by, refund.deposit.facility, Role.FINANCE)
    if refund.owner_id != by.pk:
        refund.owner = by
        refund.save(update_fields=["owner"])
        audit.record("refund.taken", by=by, at=at, subject=refund, facility=refund.deposit.facility)
    return refund


def _lock(refund: Refund) -> Refund:
    """Lock custody, deposit and refund, in this order, whatever the custody's state."""
    custody.lock(refund.deposit.custody_id)
    deposit = (
        Deposit.objects.locked().select_related("facility", "custody").get(pk=refund.deposit_id)
    )
    found = Refund.objects.locked().get(pk=refund.pk)
    found.deposit = deposit
    return found


def _ask_later(refund: Refund, at: datetime) -> None:
    refund.next_ask_at = clocks.next_ask(refund.requested_at, at=at)


def _follow(deposit: Deposit, target: Refund.State, at: datetime) -> None:
    """A refused deposit is sent back when all its refunds are, and no longer when one failed."""
    left = deposit.refunds.exclude(state__in=[Refund.State.SUCCEEDED, Refund.State.REPLACED])
    if deposit.state == Deposit.State.REFUSED and not left.exists():
        move(deposit, Deposit.State.REFUNDED)
        deposit.save(update_fields=["state"])
    elif deposit.state == Deposit.State.REFUNDED and target == Refund.State.FAILED:
        move(deposit, Deposit.State.REFUSED)
        deposit.save(update_fields=["state"])
