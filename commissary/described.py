"""How orders and hand-overs are told in statements and on the trail.

Relatives read what the detainee chose to show; medical goods are masked at every level.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from django.urls import reverse
from django.utils.translation import gettext as _

from accounts import statements
from accounts.statements import EVERYTHING, Described
from commissary.models import HandOver, Line, Order
from detention.identity import plain_number
from detention.models import Custody, Facility


def register() -> None:
    """Make orders and hand-overs known; called at app ready."""
    statements.describer("order", _orders, find=_find_orders)
    statements.describer("handover", _hand_overs, find=_find_hand_overs)


def _orders(ids: Sequence[int], level: str) -> Mapping[int, Described]:
    found = Order.objects.filter(pk__in=ids).prefetch_related("lines__product__category")
    return {order.pk: _told(_("Order"), order, level) for order in found}


def _hand_overs(ids: Sequence[int], level: str) -> Mapping[int, Described]:
    found = HandOver.objects.filter(pk__in=ids).select_related("order")
    return {
        done.pk: _told(_("Purchase"), done.order, level)
        for done in found.prefetch_related("order__lines__product__category")
    }


def _told(text: str, order: Order, level: str) -> Described:
    lines = sorted(order.lines.all(), key=lambda line: line.position)
    return Described(
        text=text,
        details=details(lines, level),
        reference=order.number,
        url=reverse("order", args=[order.public_id]),
    )


def details(lines: Iterable[Line], level: str) -> tuple[str, ...]:
    """Return what this level shows of the goods that were not cut to nothing.

    Amounts only: nothing. Categories: their names. Products: names and numbers. What stands on a
    sensitive shelf is "other goods" for everybody but officers.
    """
    kept = [line for line in lines if line.quantity]
    if level == EVERYTHING:
        return tuple(f"{line.product.name} × {line.quantity}" for line in kept)
    if level not in (Custody.Visible.CATEGORIES, Custody.Visible.PRODUCTS):
        return ()
    by_product = level == Custody.Visible.PRODUCTS
    words = [
        _("Other goods")
        if line.product.category.sensitive
        else f"{line.product.name} × {line.quantity}"
        if by_product
        else line.product.category.name
        for line in kept
    ]
    return tuple(dict.fromkeys(words))


def _find_orders(facility: Facility, text: str) -> Sequence[int]:
    found = Order.objects.filter(facility=facility, number=plain_number(text))
    return list(found.values_list("pk", flat=True))


def _find_hand_overs(facility: Facility, text: str) -> Sequence[int]:
    found = HandOver.objects.filter(order__in=_find_orders(facility, text))
    return list(found.values_list("pk", flat=True))
