"""Deposits: a relative starts one, the provider says it was paid, rules or a person decide."""

from __future__ import annotations

import logging
import uuid
from datetime import datetime, timedelta

from django.db import OperationalError, transaction
from django.utils.translation import gettext_lazy as _

from accounts import clocks, entries, limits, refunds, screening
from accounts.errors import KeyConflict, MoneyRefusal
from accounts.gateways import CHECKOUT_LIFE
from accounts.models import Deposit, Refund, ScreeningFinding
from detention import access, audit, custody, events
from detention.errors import Refusal
from detention.identity import fresh_code
from detention.lifecycle import move
from detention.models import Custody, Relationship, Relative, Role, User
from detention.relatives import ReasonMissing
from detention.verbs import assert_in_transaction, is_lock_trouble, verb

log = logging.getLogger(__name__)

DECIDE_WITHIN = timedelta(hours=24)
HARD_STOP_AFTER = timedelta(hours=72)
CURRENCY = "CNY"


class NotLinked(Refusal):
    """P01."""

    code = "not_linked"
    status = 403
    message = _("Only a relative whose link was confirmed can send money to this person.")


class DepositsClosed(Refusal):
    """P02."""

    code = "deposits_closed"
    message = _("This person cannot receive money at present. No money was taken.")


class OverSingleMax(MoneyRefusal):
    """L01."""

    code = "over_single_max"
    status = 422
    message = _("One payment may be at most %(limit)s. No money was taken.")


class NoRoom(MoneyRefusal):
    """L02 and L03 with one answer: which cap it was would tell what stands on the account."""

    code = "no_room"
    status = 422
    message = _("At most %(room)s can be sent to this person at present. No money was taken.")


class AlreadyDecided(Refusal):
    code = "already_decided"
    message = _("Another officer has already decided the opposite.")


class NotWaiting(Refusal):
    code = "not_waiting"
    message = _("This deposit is not waiting for a decision.")


class OtherCurrency(Refusal):
    code = "other_currency"
    message = _("Money in another currency can only be sent back.")


@verb
def start(
    relationship: Relationship,
    amount: int,
    *,
    once: uuid.UUID,
    provider: str,
    language: str = "zh-hans",
    by: Relative,
    at: datetime,
) -> Deposit:
    """Write down that a relative is about to pay `amount` fen for a person in custody.

    once: made by the form; the same again returns the same deposit, or refuses KeyConflict (409)
    when it names another person or amount. What is in flight counts towards the caps.
    Refuses NotLinked, DepositsClosed, OverSingleMax, NoRoom. Locks the custody.
    Nothing is posted; the door or the sweep then opens the payment page.
    """
    held = custody.lock(relationship.custody_id)
    known = Deposit.objects.filter(payer=by, once=once).with_people().first()
    if known is not None:
        if (known.relationship_id, known.amount) != (relationship.pk, amount):
            raise KeyConflict
        return known
    link = Relationship.objects.select_related("custody").get(pk=relationship.pk)
    if link.relative_id != by.pk:
        raise NotLinked
    link.custody = held
    check(link, amount, at=at)
    deposit = Deposit.objects.create(
        number=f"D{fresh_code(7)}",
        facility=held.facility,
        custody=held,
        relationship=link,
        payer=by,
        once=once,
        amount=amount,
        provider=provider,
        language=language,
        started_at=at,
        expires_at=at + CHECKOUT_LIFE,
        next_ask_at=clocks.next_ask(at, at=at),
    )
    audit.record(
        "deposit.started",
        by=by.user,
        at=at,
        subject=deposit,
        facility=held.facility,
        deposit=deposit.number,
        amount=amount,
    )
    return deposit


def check(link: Relationship, amount: int, *, at: datetime) -> None:
    """Refuse a deposit of `amount` fen that the rules would not let in; writes nothing.

    Refuses NotLinked, DepositsClosed, OverSingleMax, NoRoom. Under the custody's lock the answer
    holds; without it, it is what a page may say before the button is pressed.
    """
    in_force = limits.in_force(link.custody.facility, at=at)
    facts = limits.facts(link.custody, link, amount=amount, at=at)
    codes = {finding.code for finding in screening.findings(facts, in_force)}
    if "P01" in codes:
        raise NotLinked
    if "P02" in codes:
        raise DepositsClosed
    if "L01" in codes:
        raise OverSingleMax(field="amount", limit=in_force.single_max)
    if codes & {"L02", "L03"}:
        raise NoRoom(field="amount", room=screening.room(facts, in_force))


@verb
def opened(deposit: Deposit, *, checkout_id: str, url: str, at: datetime) -> Deposit:
    """Store the provider's payment page; on repeat keeps the first. Locks custody and deposit."""
    deposit = _lock(deposit)
    if not deposit.checkout_id:
        deposit.checkout_id = checkout_id
        deposit.checkout_url = url
        deposit.save(update_fields=["checkout_id", "checkout_url"])
    return deposit


@verb
def fail(deposit: Deposit, *, at: datetime) -> Deposit:
    """Give up a deposit whose payment page the provider refused; no money was taken.

    Changes nothing once a page exists or money came. Locks custody and deposit.
    """
    deposit = _lock(deposit)
    if deposit.state == Deposit.State.AWAITING_PAYMENT and not deposit.checkout_id:
        _end_unpaid(deposit, Deposit.State.FAILED, at)
    return deposit


@verb
def expire(deposit: Deposit, *, at: datetime) -> Deposit:
    """End a deposit whose page the provider says can never be paid any more.

    Changes nothing once money came. Locks custody and deposit.
    """
    deposit = _lock(deposit)
    if deposit.state == Deposit.State.AWAITING_PAYMENT:
        _end_unpaid(deposit, Deposit.State.EXPIRED, at)
    return deposit


def _end_unpaid(deposit: Deposit, state: Deposit.State, at: datetime) -> None:
    move(deposit, state)
    deposit.next_ask_at = None
    deposit.save(update_fields=["state", "next_ask_at"])
    audit.record(
        f"deposit.{state}",
        by=None,
        at=at,
        subject=deposit,
        facility=deposit.facility,
        deposit=deposit.number,
    )


@verb
def cancelled(deposit: Deposit, *, at: datetime) -> Deposit:
    """Note that the payer came back without paying; the page ends by its own clock.

    Keeps counting towards the caps until then, because it can still be paid.
    """
    deposit = _lock(deposit)
    if deposit.state == Deposit.State.AWAITING_PAYMENT and deposit.cancelled_at is None:
        deposit.cancelled_at = at
        deposit.save(update_fields=["cancelled_at"])
    return deposit


@verb
def declined(deposit: Deposit, *, at: datetime) -> Deposit:
    """Note that the provider refused one try; another may follow on the same page."""
    deposit = _lock(deposit)
    if deposit.state == Deposit.State.AWAITING_PAYMENT:
        deposit.declined_at = at
        deposit.save(update_fields=["declined_at"])
    return deposit


@verb
def asked(deposit: Deposit, *, at: datetime) -> Deposit:
    """Note that the provider was asked and knew nothing new. Locks custody and deposit."""
    deposit = _lock(deposit)
    if deposit.next_ask_at is not None:
        deposit.asked_at = at
        deposit.next_ask_at = clocks.next_ask(deposit.started_at, at=at)
        deposit.save(update_fields=["asked_at", "next_ask_at"])
    return deposit


@verb
def ask_soon(deposit: Deposit, *, at: datetime) -> Deposit:
    """Queue a question to the provider because somebody looks at the result page.

    At most one every few seconds, however often the page is refreshed. Locks the deposit.
    """
    if not _worth_asking(deposit, at):
        # No lock: a page that is refreshed every few seconds must not stand in others' way.
        return deposit
    deposit = _lock(deposit)
    if _worth_asking(deposit, at):
        deposit.asked_at = at
        deposit.save(update_fields=["asked_at"])
        events.announce("deposit_doubtful", deposit.pk)
    return deposit


def _worth_asking(deposit: Deposit, at: datetime) -> bool:
    recently = deposit.asked_at is not None and deposit.asked_at > at - clocks.ASK_SOON
    return deposit.state == Deposit.State.AWAITING_PAYMENT and not recently


@verb
def capture(
    deposit: Deposit,
    *,
    payment_id: str,
    amount: int,
    currency: str,
    method: str,
    at: datetime,
) -> Deposit:
    """Take in a payment that the provider confirmed, screen it and post it, all at once.

    amount: fen that really came. Passed goes to the detainee; what only passes a cap goes in as
    far as it fits and the rest back; everything else waits in SUSPENSE for a person or is refused
    and sent back. Screening that fails leaves the money in SUSPENSE (X01): the facts are read in a
    savepoint. A custody that has ended meanwhile refuses (P02). The same payment again returns the
    deposit unchanged. Locks custody, deposit; posts deposit_captured, deposit_accepted for a part.
    """
    assert amount > 0, "a paid checkout brought nothing"
    deposit = _lock(deposit)
    if deposit.is_captured:
        # One checkout has one payment; a second one would be money without a place.
        assert deposit.payment_id == payment_id, "a second payment for one checkout"
        return deposit
    found, fits = _screen(deposit, amount=amount, currency=currency, at=at)
    deposit.payment_id = payment_id
    deposit.amount_received = amount
    deposit.currency_received = currency
    deposit.method = method
    deposit.captured_at = at
    deposit.next_ask_at = None
    ScreeningFinding.objects.bulk_create(
        ScreeningFinding(deposit=deposit, at=at, **vars(finding)) for finding in found
    )
    verdict = screening.verdict(found)
    if verdict in (None, ScreeningFinding.Action.NOTE):
        _credit(deposit, amount, by=None, at=at)
        _record("deposit.credited", deposit, by=None, at=at)
        entries.captured(deposit, to_escrow=True, at=at)
    elif screening.only_too_much(found) and fits:
        _credit(deposit, fits, by=None, at=at)
        _record("deposit.credited_in_part", deposit, by=None, at=at)
        _send_back(deposit, amount - fits, cause=Refund.Cause.EXCESS, by=None, at=at)
        entries.captured(deposit, to_escrow=False, at=at)
        entries.accepted(deposit, fits, by=None, at=at)
    elif verdict == ScreeningFinding.Action.REFUSE:
        _end_refused(deposit, cause=Refund.Cause.RULES, reason="", by=None, at=at)
        entries.captured(deposit, to_escrow=False, at=at)
    else:
        move(deposit, Deposit.State.AWAITING_DECISION)
        deposit.decide_by = at + DECIDE_WITHIN
        deposit.hard_stop_at = at + HARD_STOP_AFTER
        deposit.save()
        _record("deposit.held", deposit, by=None, at=at)
        entries.captured(deposit, to_escrow=False, at=at)
    events.announce("deposit_captured", deposit.pk)
    return deposit


def _screen(
    deposit: Deposit, *, amount: int, currency: str, at: datetime
) -> tuple[list[screening.Finding], int]:
    """Return the findings and how much would fit; whatever breaks here holds the money (X01)."""
    try:
        with transaction.atomic():
            facts = limits.facts(
                deposit.custody,
                deposit.relationship,
                amount=amount,
                at=at,
                arrived=deposit,
                as_asked=(amount, currency) == (deposit.amount, deposit.currency),
                in_time=deposit.state == Deposit.State.AWAITING_PAYMENT,
            )
            in_force = limits.in_force(deposit.facility, at=at)
            return screening.findings(facts, in_force), screening.fitting(facts, in_force)
    except Exception as error:
        # A deadlock or a busy database says nothing about the deposit: the verb tries again.
        if isinstance(error, OperationalError) and is_lock_trouble(error):
            raise
        log.exception("screening of deposit %s failed; held", deposit.number)
        return screening.failed(), 0


@verb
def take(deposit: Deposit, *, by: User, at: datetime) -> Deposit:
    """Become the officer who looks after a waiting deposit; anyone in finance may take it over.

    Refuses NotAllowed, NotWaiting. Locks custody and deposit.
    """
    deposit = _lock(deposit)
    access.require(by, deposit.facility, Role.FINANCE)
    if deposit.state != Deposit.State.AWAITING_DECISION:
        raise NotWaiting
    if deposit.owner_id != by.pk:
        deposit.owner = by
        deposit.save(update_fields=["owner"])
        _record("deposit.taken", deposit, by=by, at=at)
    return deposit


@verb
def accept(deposit: Deposit, *, reason: str = "", by: User, at: datetime) -> Deposit:
    """Credit a waiting deposit as far as the caps take it; the rest goes back to the payer.

    No second officer is needed; whoever confirmed the relationship may decide too. The caps bind
    a person as well. The same decision again, by whomever, returns the deposit unchanged.
    Refuses NotAllowed, NotWaiting, AlreadyDecided (409), DepositsClosed (the custody has ended),
    OtherCurrency, NoRoom. Locks custody and deposit; posts deposit_accepted.
    """
    deposit = _lock(deposit)
    access.require(by, deposit.facility, Role.FINANCE)
    if deposit.state in (Deposit.State.REFUSED, Deposit.State.REFUNDED):
        raise AlreadyDecided
    if deposit.state == Deposit.State.CREDITED and deposit.decide_by is not None:
        return deposit
    if deposit.state != Deposit.State.AWAITING_DECISION:
        raise NotWaiting
    if deposit.currency_received != CURRENCY:
        raise OtherCurrency
    received = _received(deposit)
    facts = limits.facts(
        deposit.custody, deposit.relationship, amount=received, at=at, arrived=deposit
    )
    if not facts.held_here or facts.deposits_frozen:
        raise DepositsClosed
    fits = screening.fitting(facts, limits.in_force(deposit.facility, at=at))
    if not fits:
        raise NoRoom(room=0)
    deposit.reason = reason.strip()[:200]
    deposit.owner = deposit.owner or by
    _credit(deposit, fits, by=by, at=at)
    _record("deposit.accepted", deposit, by=by, at=at)
    if fits < received:
        _send_back(deposit, received - fits, cause=Refund.Cause.EXCESS, by=by, at=at)
    events.announce("deposit_decided", deposit.pk)
    entries.accepted(deposit, fits, by=by.pk, at=at)
    return deposit


@verb
def refuse(deposit: Deposit, *, reason: str, by: User, at: datetime) -> Deposit:
    """Refuse a waiting deposit with a reason that the payer reads; the money goes back.

    The same decision again, by whomever, returns the deposit unchanged. Refuses NotAllowed,
    ReasonMissing, NotWaiting, AlreadyDecided (409). Locks custody and deposit. Nothing is posted
    until the provider says that the refund went.
    """
    if not reason.strip():
        raise ReasonMissing(field="reason")
    deposit = _lock(deposit)
    access.require(by, deposit.facility, Role.FINANCE)
    if deposit.state == Deposit.State.CREDITED:
        raise AlreadyDecided
    if deposit.state in (Deposit.State.REFUSED, Deposit.State.REFUNDED):
        return deposit
    if deposit.state != Deposit.State.AWAITING_DECISION:
        raise NotWaiting
    deposit.owner = deposit.owner or by
    _end_refused(deposit, cause=Refund.Cause.REFUSED, reason=reason.strip()[:200], by=by, at=at)
    events.announce("deposit_decided", deposit.pk)
    return deposit


@verb
def stop(deposit: Deposit, *, at: datetime) -> Deposit:
    """Send back a deposit that nobody decided until its hard stop.

    Changes nothing before the hard stop or after a decision. Locks custody and deposit.
    """
    deposit = _lock(deposit)
    waits = deposit.state == Deposit.State.AWAITING_DECISION
    if not waits or deposit.hard_stop_at is None or at < deposit.hard_stop_at:
        return deposit
    _end_refused(deposit, cause=Refund.Cause.HARD_STOP, reason="", by=None, at=at)
    events.announce("deposit_decided", deposit.pk)
    return deposit


@verb
def turn_back(deposit: Deposit, *, at: datetime) -> Deposit:
    """Send back a deposit that still waits for a decision when its custody has ended.

    Changes nothing while the custody is open or after a decision. Locks custody and deposit.
    """
    deposit = _lock(deposit)
    if deposit.state != Deposit.State.AWAITING_DECISION or deposit.custody.is_open:
        return deposit
    _end_refused(deposit, cause=Refund.Cause.RULES, reason="", by=None, at=at)
    events.announce("deposit_decided", deposit.pk)
    return deposit


def _credit(deposit: Deposit, amount: int, *, by: User | None, at: datetime) -> None:
    move(deposit, Deposit.State.CREDITED)
    deposit.amount_credited = amount
    deposit.decided_by = by
    deposit.decided_at = at
    deposit.save()


def _end_refused(
    deposit: Deposit, *, cause: Refund.Cause, reason: str, by: User | None, at: datetime
) -> None:
    move(deposit, Deposit.State.REFUSED)
    deposit.reason = reason
    deposit.decided_by = by
    deposit.decided_at = at
    deposit.save()
    _record("deposit.refused", deposit, by=by, at=at)
    _send_back(deposit, _received(deposit), cause=cause, by=by, at=at)


def _send_back(
    deposit: Deposit, amount: int, *, cause: Refund.Cause, by: User | None, at: datetime
) -> None:
    refunds.request(deposit, amount, cause=cause, key=str(cause), by=by, at=at)


def _lock(deposit: Deposit) -> Deposit:
    """Lock the custody, whatever its state, then the deposit."""
    assert_in_transaction()
    held: Custody = custody.lock(deposit.custody_id)
    found = (
        Deposit.objects.locked()
        .select_related("facility", "relationship", "payer__user")
        .get(pk=deposit.pk)
    )
    found.custody = held
    return found


def _received(deposit: Deposit) -> int:
    assert deposit.amount_received is not None, "nothing was captured"
    return int(deposit.amount_received)


def _record(action: str, deposit: Deposit, *, by: User | None, at: datetime) -> None:
    audit.record(
        action,
        by=by,
        at=at,
        subject=deposit,
        facility=deposit.facility,
        deposit=deposit.number,
        received=deposit.amount_received,
        credited=deposit.amount_credited,
    )
