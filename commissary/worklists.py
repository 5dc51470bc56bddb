"""What waits at the desk: orders to decide, to pick, to hand over; reads only."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby

from django.utils.translation import gettext_lazy as _

from commissary.models import Line, Order, OrderQuerySet
from detention.errors import NotFound
from detention.models import Facility

SOON = timedelta(hours=6)
MOST_TICKED = 25


@dataclass(frozen=True, kw_only=True)
class Row:
    """One order in a list: with its lines in order, what it costs now (fen), and its flags."""

    order: Order
    lines: list[Line]
    total: int
    flags: list[tuple[str, str]]  # word, tone of the chip

    @property
    def pieces(self) -> int:
        """Return how many things it holds now."""
        return sum(line.quantity for line in self.lines)


def row(order: Order, *, at: datetime) -> Row:
    """Return an order with what the desk looks at first."""
    lines = sorted(order.lines.all(), key=lambda line: line.position)
    return Row(
        order=order,
        lines=lines,
        total=sum(line.total for line in lines),
        flags=list(_flags(order, lines, at)),
    )


def _flags(order: Order, lines: list[Line], at: datetime) -> Iterable[tuple[str, str]]:
    if order.state == Order.State.PLACED and order.expires_at <= at + SOON:
        yield str(_("expires soon")), "bad"
    if order.recorded_by_id is not None:
        yield str(_("from paper")), "info"
    if any(line.product.category.sensitive for line in lines):
        yield str(_("medical")), "warn"
    if not order.custody.is_open:
        yield str(_("leaving")), "bad"


def rows(found: OrderQuerySet | Iterable[Order], *, at: datetime) -> list[Row]:
    return [row(order, at=at) for order in found]


def waiting(facility: Facility, *, cell: str = "") -> OrderQuerySet:
    """Return the facility's orders that wait for a decision, oldest first."""
    found = _of(facility).waiting().order_by("placed_at", "pk")
    return found.filter(custody__cell__code=cell) if cell else found


def ticked(facility: Facility, public_ids: Iterable[str]) -> OrderQuerySet:
    """Return those of the named orders that are the facility's, oldest first, at most a page."""
    known = [text for text in list(public_ids)[:MOST_TICKED] if _is_uuid(text)]
    return _of(facility).filter(public_id__in=known).order_by("placed_at", "pk")


def _is_uuid(text: str) -> bool:
    try:
        uuid.UUID(text)
    except ValueError:
        return False
    return True


def to_pick(facility: Facility) -> OrderQuerySet:
    """Return approved orders by cell, oldest first."""
    return _of(facility).to_pick().order_by("custody__cell__code", "decided_at", "pk")


def to_hand_over(facility: Facility) -> OrderQuerySet:
    """Return orders on their way by cell, oldest first."""
    return _of(facility).to_hand_over().order_by("custody__cell__code", "picked_at", "pk")


def by_cell(found: Iterable[Row]) -> list[tuple[str, list[Row]]]:
    """Group rows that come in the order of their cells."""
    groups = groupby(found, key=lambda row: row.order.custody.cell.code)
    return [(code, list(group)) for code, group in groups]


def cells_waiting(facility: Facility) -> list[str]:
    """Return the codes of cells from which an order waits for a decision."""
    found = Order.objects.filter(facility=facility).waiting()
    return sorted(set(found.values_list("custody__cell__code", flat=True)))


def order_of(facility: Facility, public_id: uuid.UUID) -> Order:
    """Return one order of the officer's own facility. Refuses NotFound."""
    found = _of(facility).filter(public_id=public_id).first()
    if found is None:
        raise NotFound
    return found


def _of(facility: Facility) -> OrderQuerySet:
    return (
        Order.objects.filter(facility=facility)
        .select_related("custody__detainee", "custody__cell", "facility", "recorded_by")
        .select_related("approved_by", "picked_by")
        .prefetch_related("lines__product__category")
    )


def count_waiting(facility: Facility) -> int:
    return Order.objects.filter(facility=facility).waiting().count()


def count_to_pick(facility: Facility) -> int:
    return Order.objects.filter(facility=facility).to_pick().count()


def count_to_hand_over(facility: Facility) -> int:
    return Order.objects.filter(facility=facility).to_hand_over().count()
