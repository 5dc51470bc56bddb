"""Orders: placed with money set aside, then approved, rejected, cancelled or expired."""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count, F, Q, Sum
from django.db.models.functions import Coalesce
from django.utils.translation import gettext_lazy as _

from accounts import escrow
from accounts.errors import SpendingFrozen
from commissary import catalogue, limits
from commissary.errors import (
    AlreadyDecided,
    BadOrder,
    NeedsConfirmation,
    NothingLeft,
    OrderConflict,
    OrderExpired,
    ReasonMissing,
    SelfApproval,
)
from commissary.models import MOST_LINES, MOST_OF_ONE, Line, Order, Price, Reason
from commissary.quantities import reduced
from detention import access, audit, custody, policy
from detention.audit import Actor
from detention.errors import NotFound
from detention.identity import fresh_code
from detention.lifecycle import may_move, move
from detention.models import Custody, Device, Facility, Role, User
from detention.verbs import assert_in_transaction, verb

policy.declare(
    "order_approval_hours",
    _("Time in which an order must be approved"),
    unit="hours",
    default=48,
    low=1,
    high=24 * 14,
)
policy.declare(
    "order_delivery_days",
    _("Time in which an approved order must be taken from the shelf"),
    unit="days",
    default=7,
    low=1,
    high=60,
)


@dataclass(frozen=True, kw_only=True)
class Wish:
    """One wished line: how many of a product, at the price the person saw (fen)."""

    sku: str
    quantity: int
    shown_price: int


@dataclass(frozen=True, kw_only=True)
class Envelope:
    """An order as it comes in, with what is needed to recognise it when it comes again.

    lines: in the person's own order of importance. device and sequence: both or neither.
    selected_at: by the tablet's own clock; kept, believed by nobody.
    """

    client_id: uuid.UUID
    catalogue_version: int
    lines: Sequence[Wish]
    device: Device | None = None
    sequence: int | None = None
    selected_at: datetime | None = None

    def body_hash(self, custody: Custody) -> str:
        """Return a digest of everything that must be the same when it comes again."""
        body = [
            custody.pk,
            self.catalogue_version,
            self.device.pk if self.device else None,
            self.sequence,
            [[wish.sku, wish.quantity, wish.shown_price] for wish in self.lines],
        ]
        return hashlib.sha256(json.dumps(body).encode()).hexdigest()


@verb
def place(held: Custody, envelope: Envelope, *, by: Actor, at: datetime) -> Order:
    """Take an order in and set its money aside; it waits for an officer's approval.

    by: the detainee's own custody (tablet) or a guard who records a paper order.
    Writes the order with its lines, one hold of the whole amount, and the device's count.
    A price that fell is charged at the lower price.
    Refuses BadOrder, OrderConflict, CustodyNotOpen, NeedsConfirmation (a price rose or a product
    is gone; facts say which), TooManyOfOne, TooManyOrders, OverMonthlyLimit, NotEnoughMoney,
    SpendingFrozen, NotAllowed.
    Lock: the custody row, so that two tablets of one person come one after the other.
    The same envelope again returns its order, also when nothing may be ordered any more.
    """
    _check_form(envelope)
    if isinstance(by, User):
        access.require(by, held.facility, Role.GUARD)
    else:
        assert by == held, "a detainee orders for nobody else"
    held = custody.lock(held.pk)
    body_hash = envelope.body_hash(held)
    if earlier := _earlier(envelope):
        if earlier.body_hash != body_hash:
            raise OrderConflict(record=lambda: _keep_conflict(earlier, by=by, at=at))
        return earlier
    held = custody.lock_open(held.pk)
    if held.spending_frozen:
        raise SpendingFrozen
    prices = _confirm_prices(held.facility, envelope, at=at)
    _check_limits(held, envelope, prices, at=at)
    order, total = _write(held, envelope, prices, body_hash=body_hash, by=by, at=at)
    audit.record("order.placed", by=by, at=at, subject=order, facility=held.facility)
    # Long enough for every later step, whose own clock is `expires_at` of the order.
    days = policy.number(held.facility, "order_delivery_days", at=at)
    order.hold = escrow.hold(
        held,
        total,
        key=f"order:{order.pk}:hold",
        doc=("order", order.pk),
        expires_at=order.expires_at + timedelta(days=2 * days),
        by=by,
        at=at,
        source="tablet" if envelope.device else "web",
    )
    order.save(update_fields=["hold"])
    return order


def _check_form(envelope: Envelope) -> None:
    lines = envelope.lines
    if not 1 <= len(lines) <= MOST_LINES or len({wish.sku for wish in lines}) < len(lines):
        raise BadOrder(field="lines")
    if not all(1 <= wish.quantity <= MOST_OF_ONE and wish.shown_price > 0 for wish in lines):
        raise BadOrder(field="lines")


def _earlier(envelope: Envelope) -> Order | None:
    """Return the order of this envelope, or one that used its place in the tablet's count."""
    same = Q(client_id=envelope.client_id)
    if envelope.device is not None:
        same |= Q(device=envelope.device, sequence=envelope.sequence)
    return Order.objects.filter(same).order_by("pk").first()


def _keep_conflict(earlier: Order, *, by: Actor, at: datetime) -> None:
    audit.record("order.conflict_refused", by=by, at=at, subject=earlier, facility=earlier.facility)


def _confirm_prices(facility: Facility, envelope: Envelope, *, at: datetime) -> dict[str, Price]:
    """Return sku → price in force. Refuses NeedsConfirmation, with every line concerned."""
    wished = [wish.sku for wish in envelope.lines]
    found = Price.objects.filter(product__facility=facility, product__sku__in=wished)
    prices = {price.product.sku: price for price in found.on_shelf(at)}
    changed = [
        {
            "sku": wish.sku,
            "shown_price": wish.shown_price,
            "price": prices[wish.sku].amount if wish.sku in prices else None,
        }
        for wish in envelope.lines
        if wish.sku not in prices or prices[wish.sku].amount > wish.shown_price
    ]
    if changed:
        version = catalogue.version(facility, at=at)
        raise NeedsConfirmation(changes=changed, catalogue_version=version)
    return prices


def _check_limits(
    held: Custody, envelope: Envelope, prices: Mapping[str, Price], *, at: datetime
) -> None:
    items = []
    for wish in envelope.lines:
        price = prices[wish.sku]
        items.append(
            limits.Item(
                product=price.product.name,
                quantity=wish.quantity,
                most=price.product.most_per_order,
                amount=wish.quantity * price.amount,
                counts=not price.product.category.outside_limit,
            )
        )
    standing = standing_of(held, at=at)
    refusal = limits.check(
        items, limits=standing.rules, usage=standing.usage, period=standing.period
    )
    if refusal is not None:
        raise refusal


def _write(
    held: Custody,
    envelope: Envelope,
    prices: Mapping[str, Price],
    *,
    body_hash: str,
    by: Actor,
    at: datetime,
) -> tuple[Order, int]:
    """Write the order and its lines; return it and what it costs, in fen."""
    hours = policy.number(held.facility, "order_approval_hours", at=at)
    order = Order.objects.create(
        number=fresh_code(6),
        facility=held.facility,
        custody=held,
        client_id=envelope.client_id,
        body_hash=body_hash,
        device=envelope.device,
        sequence=envelope.sequence,
        catalogue_version=envelope.catalogue_version,
        recorded_by=by if isinstance(by, User) else None,
        placed_at=at,
        selected_at=envelope.selected_at,
        expires_at=at + timedelta(hours=hours),
    )
    lines = [
        _line(order, position, wish, prices[wish.sku])
        for position, wish in enumerate(envelope.lines, start=1)
    ]
    Line.objects.bulk_create(lines)
    if envelope.device is not None:
        counted = Device.objects.filter(pk=envelope.device.pk, last_sequence__lt=envelope.sequence)
        counted.update(last_sequence=envelope.sequence)
    return order, sum(line.total for line in lines)


def _line(order: Order, position: int, wish: Wish, price: Price) -> Line:
    return Line(
        order=order,
        product=price.product,
        position=position,
        price=price,
        unit_price=price.amount,
        shown_price=wish.shown_price,
        counts=not price.product.category.outside_limit,
        ordered=wish.quantity,
    )


@verb
def approve(
    order: Order,
    *,
    quantities: Mapping[int, int] | None = None,
    reason: str = "",
    by: User,
    at: datetime,
) -> Order:
    """Allow an order, in full or less of some lines; no money moves but the part not allowed.

    quantities: line id → how many; a line not named is allowed in full. reason: a Reason, needed
    when something is cut. Writes the lines' approved quantities; releases the rest of the hold.
    Refuses CustodyNotOpen, NotAllowed (guard), SelfApproval (kept in the audit), OrderExpired,
    AlreadyDecided, WrongMove, BadQuantity, NothingLeft, ReasonMissing.
    Locks the custody, then the order. The same officer again with the same: the same answer.
    """
    custody.lock_open(order.custody_id)
    order = lock(order.pk)
    access.require(by, order.facility, Role.GUARD)
    _refuse_own(order, by=by, at=at)
    lines = list(order.lines.select_related("product"))
    allowed = reduced(lines, quantities, most=lambda line: line.ordered)
    if order.approved_by is not None:
        if order.approved_by == by and all(line.approved == allowed[line.pk] for line in lines):
            return order
        raise AlreadyDecided(officer=order.approved_by.name, state=order.get_state_display())
    if order.state == Order.State.PLACED and at >= order.expires_at:
        raise OrderExpired
    if not any(allowed.values()):
        raise NothingLeft
    cut = sum((line.ordered - allowed[line.pk]) * line.unit_price for line in lines)
    if cut:
        _known_reason(reason)
    move(order, Order.State.PART_APPROVED if cut else Order.State.APPROVED)
    for line in lines:
        line.approved = allowed[line.pk]
        line.reason = reason if line.approved < line.ordered else ""
    Line.objects.bulk_update(lines, ["approved", "reason"])
    days = policy.number(order.facility, "order_delivery_days", at=at)
    order.approved_by = by
    order.decided_at = at
    order.expires_at = at + timedelta(days=days)
    order.save(update_fields=["state", "approved_by", "decided_at", "expires_at"])
    audit.record(f"order.{order.state}", by=by, at=at, subject=order, facility=order.facility)
    if cut:
        release(order, cut, step="approve", by=by, at=at)
    return order


@verb
def reject(order: Order, *, reason: str, by: User, at: datetime) -> Order:
    """Turn an order down; its money is available again in the same transaction.

    reason: a Reason. Refuses NotAllowed (guard), SelfApproval, AlreadyDecided, WrongMove,
    ReasonMissing. Locks the custody, then the order. The same officer again: the same answer.
    """
    custody.lock(order.custody_id)
    order = lock(order.pk)
    access.require(by, order.facility, Role.GUARD)
    _refuse_own(order, by=by, at=at)
    if order.approved_by is not None:
        if order.approved_by == by and order.state == Order.State.REJECTED:
            return order
        raise AlreadyDecided(officer=order.approved_by.name, state=order.get_state_display())
    _known_reason(reason)
    order.approved_by = by
    order.decided_at = at
    return _end(order, Order.State.REJECTED, reason=reason, by=by, at=at)


@verb
def cancel(order: Order, *, reason: str = Reason.NOT_WANTED, by: Actor, at: datetime) -> Order:
    """Take an order back before it is picked; its money is available again.

    by: the detainee's own custody or a guard. Refuses NotFound (another person's order),
    NotAllowed, WrongMove once it is picked. Locks the custody, then the order.
    Again: the same answer.
    """
    custody.lock(order.custody_id)
    order = lock(order.pk)
    if isinstance(by, User):
        access.require(by, order.facility, Role.GUARD)
    elif by is None or by.pk != order.custody_id:
        raise NotFound
    if order.state == Order.State.CANCELLED:
        return order
    _known_reason(reason)
    return _end(order, Order.State.CANCELLED, reason=reason, by=by, at=at)


@verb
def expire(pk: int, *, at: datetime) -> Order:
    """End an order that nobody took up in time; does nothing to any other. Safe to repeat."""
    order = Order.objects.get(pk=pk)
    custody.lock(order.custody_id)
    order = lock(pk)
    if may_move(order, Order.State.EXPIRED) and order.expires_at <= at:
        _end(order, Order.State.EXPIRED, by=None, at=at)
    return order


def expire_overdue(*, at: datetime) -> int:
    """Expire what is overdue, oldest first, each order in a transaction of its own (sweep)."""
    overdue = Order.objects.overdue(at).order_by("expires_at", "pk")
    found = list(overdue.values_list("pk", flat=True)[:500])
    for pk in found:
        expire(pk, at=at)
    return len(found)


@verb
def close_all(custody_pk: int, /, *, at: datetime) -> int:
    """End every order of a closing custody that is not yet on its way (reaction).

    An order already picked keeps its money until its hand-over. Returns how many ended; safe to
    run twice. Locks the custody, then its orders.
    """
    held = custody.lock(custody_pk)
    if held.is_open:
        return 0
    endable = [s for s, to in Order.moves.items() if Order.State.CANCELLED in to]
    found = Order.objects.filter(custody=held, state__in=endable).order_by("pk")
    orders = list(found.select_for_update(of=("self",)).select_related("facility", "hold"))
    for order in orders:
        _end(order, Order.State.CANCELLED, reason=Reason.RELEASED, by=None, at=at)
    return len(orders)


def release(order: Order, amount: int, *, step: str, by: Actor, at: datetime) -> None:
    """Give back part of what an order holds (fen). Within the caller's transaction, last."""
    assert_in_transaction()
    assert order.hold is not None, "an order in the database has its hold"
    escrow.release_hold(
        order.hold, amount, key=f"order:{order.pk}:{step}", doc=("order", order.pk), by=by, at=at
    )


def _end(order: Order, state: str, *, reason: str = "", by: Actor, at: datetime) -> Order:
    """Bring an order to nothing: state, reason, audit, and all that it still holds."""
    move(order, state)
    order.reason = reason
    order.ended_at = at
    order.save(update_fields=["state", "reason", "ended_at", "approved_by", "decided_at"])
    audit.record(f"order.{state}", by=by, at=at, subject=order, facility=order.facility)
    assert order.hold is not None, "an order in the database has its hold"
    release(order, order.hold.remaining, step=state, by=by, at=at)
    return order


def lock(pk: int) -> Order:
    """Lock one order; the custody is locked before."""
    return (
        Order.objects.select_for_update(of=("self",))
        .select_related("facility", "hold", "approved_by")
        .get(pk=pk)
    )


def _refuse_own(order: Order, *, by: User, at: datetime) -> None:
    if order.recorded_by_id == by.pk:
        raise SelfApproval(
            record=lambda: audit.record(
                "order.self_approval_refused",
                by=by,
                at=at,
                subject=order,
                facility=order.facility,
            )
        )


def _known_reason(reason: str) -> None:
    if reason not in Reason.values:
        raise ReasonMissing(field="reason")


@dataclass(frozen=True, kw_only=True)
class Standing:
    """Where a person stands in this period's limits."""

    rules: limits.Limits
    usage: limits.Usage
    period: limits.Period

    @property
    def room(self) -> int:
        """Return what can still be spent in the period, in fen."""
        return limits.room(self.rules, self.usage)


def standing_of(held: Custody, *, at: datetime) -> Standing:
    """Return the limits in force for a person and what the period has used.

    Counts what is set aside and what was handed over. Exact only under the custody's lock.
    """
    period = limits.month_of(at, held.facility.time_zone)
    orders = Order.objects.counted().filter(
        custody=held, placed_at__gte=period.start, placed_at__lt=period.end
    )
    stands_at = Coalesce("lines__delivered", "lines__picked", "lines__approved", "lines__ordered")
    used = orders.aggregate(
        spent=Sum(stands_at * F("lines__unit_price"), filter=Q(lines__counts=True), default=0),
        orders=Count("pk", distinct=True),
    )
    return Standing(
        rules=limits.Limits(
            spend_month=policy.number(held.facility, "spend_limit_month", at=at),
            orders_month=policy.number(held.facility, "orders_per_month", at=at),
        ),
        usage=limits.Usage(spent=used["spent"], orders=used["orders"]),
        period=period,
    )
