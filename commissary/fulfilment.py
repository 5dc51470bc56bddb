"""From the approved order to the signature at the cell door, which alone moves the money."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.utils.translation import gettext_lazy as _

from accounts import escrow
from commissary import orders
from commissary.errors import (
    AlreadyDecided,
    BadSignature,
    NothingLeft,
    ReasonMissing,
    WitnessIsSelf,
    WitnessNeeded,
)
from commissary.models import HandOver, Line, Order, Reason
from commissary.quantities import reduced
from detention import access, audit, custody, policy
from detention.errors import WrongMove
from detention.lifecycle import may_move, move
from detention.models import Role, User
from detention.verbs import assert_in_transaction, verb

policy.declare(
    "order_return_days",
    _("Time in which goods may be complained about after the hand-over"),
    unit="days",
    default=7,
    high=60,
)

BOX = (1000, 400)  # the field in which one signs
MOST_STROKES = 200
MOST_POINTS = 6000
LEAST_EXTENT = 30  # a dot is no signature

type Strokes = Sequence[Sequence[Sequence[int]]]


@dataclass(frozen=True)
class Signature:
    """What was drawn on the screen: strokes of [x, y] points in a box of 1000 by 400.

    Refuses BadSignature for anything else, for a dot and for a scribble without end.
    """

    strokes: Strokes

    def __post_init__(self) -> None:
        if not _is_signature(self.strokes):
            raise BadSignature(field="signature")

    @property
    def digest(self) -> str:
        """Return the SHA-256 of the strokes as canonical JSON."""
        return hashlib.sha256(json.dumps(self.strokes, separators=(",", ":")).encode()).hexdigest()


def _is_signature(strokes: object) -> bool:
    if not isinstance(strokes, list) or not 1 <= len(strokes) <= MOST_STROKES:
        return False
    if not all(isinstance(stroke, list) for stroke in strokes):
        return False
    points = [point for stroke in strokes for point in stroke]
    if not 2 <= len(points) <= MOST_POINTS or not all(_is_point(point) for point in points):
        return False
    return any(
        max(p[axis] for p in points) - min(p[axis] for p in points) >= LEAST_EXTENT
        for axis in (0, 1)
    )


def _is_point(point: object) -> bool:
    return (
        isinstance(point, list)
        and len(point) == len(BOX)
        and all(type(at) is int and 0 <= at <= most for at, most in zip(point, BOX, strict=True))
    )


@verb
def pick(
    order: Order, *, quantities: Mapping[int, int] | None = None, by: User, at: datetime
) -> Order:
    """Take an approved order from the shelf; what is out of stock releases its money at once.

    quantities: line id → how many; a line not named is picked in full.
    Refuses CustodyNotOpen, NotAllowed (guard), WrongMove, BadQuantity, NothingLeft (cancel it).
    Locks the custody, then the order. The same officer again with the same: the same answer.
    """
    custody.lock_open(order.custody_id)
    order = orders.lock(order.pk)
    access.require(by, order.facility, Role.GUARD)
    lines = list(order.lines.select_related("product"))
    if order.state == Order.State.PICKED and order.picked_by_id == by.pk:
        return order
    move(order, Order.State.PICKED)
    taken = reduced(lines, quantities, most=lambda line: line.approved or 0)
    if not any(taken.values()):
        raise NothingLeft
    short = sum(((line.approved or 0) - taken[line.pk]) * line.unit_price for line in lines)
    for line in lines:
        line.picked = taken[line.pk]
        if line.picked < (line.approved or 0):
            line.reason = Reason.OUT_OF_STOCK
    Line.objects.bulk_update(lines, ["picked", "reason"])
    order.picked_by = by
    order.picked_at = at
    order.save(update_fields=["state", "picked_by", "picked_at"])
    audit.record("order.picked", by=by, at=at, subject=order, facility=order.facility)
    if short:
        orders.release(order, short, step="pick", by=by, at=at)
    return order


@verb
def hand_over(
    order: Order,
    *,
    delivered: Mapping[int, int] | None = None,
    reasons: Mapping[int, str] | None = None,
    signature: Signature | None = None,
    witness: User | None = None,
    by: User,
    at: datetime,
) -> HandOver:
    """Record what was signed for, pay it to the vendors, give the rest back: one journal.

    delivered: line id → how many; a line not named is handed over in full. reasons: line id →
    Reason for each line that got less. Without a signature on the screen a witness stands for the
    signature on the paper copy; when nothing was handed over (refused, absent, damaged) the
    witness stands for that.
    Refuses NotAllowed (guard; the witness too), WrongMove, AlreadyDecided, BadQuantity,
    ReasonMissing, WitnessNeeded, WitnessIsSelf. Works while the custody is closing: the goods are
    on their way. Locks the custody, then the order. The same officer again: the same hand-over.
    """
    custody.lock(order.custody_id)
    order = orders.lock(order.pk)
    access.require(by, order.facility, Role.GUARD)
    lines = list(order.lines.select_related("product__vendor"))
    given = reduced(lines, delivered, most=lambda line: line.picked or 0)
    if done := HandOver.objects.filter(order=order).select_related("officer").first():
        if done.officer == by and all(line.delivered == given[line.pk] for line in lines):
            return done
        raise AlreadyDecided(officer=done.officer.name, state=order.get_state_display())
    if order.state != Order.State.PICKED:
        raise WrongMove(state=order.state)
    _set_delivered(lines, given, reasons or {})
    proof = _proof(any(given.values()), signature, witness, order=order, by=by)
    move(order, _outcome(lines))
    Line.objects.bulk_update(lines, ["delivered", "reason"])
    order.ended_at = at
    order.save(update_fields=["state", "ended_at"])
    assert order.hold is not None, "an order in the database has its hold"
    owed = _owed(lines)
    captured = sum(owed.values())
    done = HandOver.objects.create(
        order=order,
        proof=proof,
        strokes=signature.strokes if signature and proof == HandOver.Proof.SCREEN else [],
        strokes_hash=signature.digest if signature and proof == HandOver.Proof.SCREEN else "",
        officer=by,
        witness=witness,
        captured=captured,
        released=order.hold.remaining - captured,
        at=at,
    )
    audit.record(f"order.{order.state}", by=by, at=at, subject=order, facility=order.facility)
    if captured:
        escrow.capture(
            order.hold,
            captured,
            release=done.released,
            vendors=owed,
            key=f"order:{order.pk}:handover",
            doc=("handover", done.pk),
            by=by,
            at=at,
        )
    else:
        orders.release(order, done.released, step="handover", by=by, at=at)
    return done


def _set_delivered(
    lines: Sequence[Line], given: Mapping[int, int], reasons: Mapping[int, str]
) -> None:
    for line in lines:
        line.delivered = given[line.pk]
        if line.delivered < (line.picked or 0):
            if reasons.get(line.pk) not in Reason.values:
                raise ReasonMissing(field=f"reason_{line.pk}")
            line.reason = reasons[line.pk]


def _proof(
    something: bool, signature: Signature | None, witness: User | None, *, order: Order, by: User
) -> str:
    """Return what stands for this hand-over, after checking the witness if there is one."""
    if witness is not None:
        if witness.pk == by.pk:
            raise WitnessIsSelf(field="witness")
        access.require(witness, order.facility, Role.GUARD, Role.ADMINISTRATOR)
    if something and signature is not None:
        return HandOver.Proof.SCREEN
    if witness is None:
        raise WitnessNeeded(field="witness")
    return HandOver.Proof.PAPER if something else HandOver.Proof.NONE


def _outcome(lines: Sequence[Line]) -> str:
    if all(line.delivered == line.picked for line in lines):
        return Order.State.HANDED_OVER
    return Order.State.PART if any(line.delivered for line in lines) else Order.State.UNDELIVERED


def _owed(lines: Sequence[Line]) -> dict[UUID, int]:
    """Return vendor → fen for what was delivered; vendors that get nothing are left out."""
    owed: dict[UUID, int] = {}
    for line in lines:
        if line.delivered:
            vendor = line.product.vendor.public_id
            owed[vendor] = owed.get(vendor, 0) + line.total
    return owed


@verb
def close(pk: int, *, at: datetime) -> Order:
    """Close a handed-over order when the time for complaints is over; safe to repeat."""
    assert_in_transaction()
    order = orders.lock(pk)
    if may_move(order, Order.State.CLOSED):
        move(order, Order.State.CLOSED)
        order.save(update_fields=["state"])
        audit.record("order.closed", by=None, at=at, subject=order, facility=order.facility)
    return order


def close_finished(*, at: datetime) -> int:
    """Close what was handed over longer ago than its facility's complaint time (sweep)."""
    closed = 0
    found = Order.objects.filter(
        state__in=[Order.State.HANDED_OVER, Order.State.PART]
    ).select_related("facility")
    for order in found.order_by("ended_at", "pk")[:500]:
        days = policy.number(order.facility, "order_return_days", at=at)
        assert order.ended_at is not None, "a handed-over order has ended"
        if order.ended_at + timedelta(days=days) <= at:
            close(order.pk, at=at)
            closed += 1
    return closed
