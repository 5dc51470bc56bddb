"""Quantities only shrink on the way from the order to the hand-over."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from commissary.errors import BadQuantity
from commissary.models import Line


def reduced(
    lines: Sequence[Line], wanted: Mapping[int, int] | None, *, most: Callable[[Line], int]
) -> dict[int, int]:
    """Return line id → quantity: what is wanted, or all that `most` allows where nothing is said.

    Refuses BadQuantity for a negative number, more than `most`, or a line of another order.
    """
    wanted = wanted or {}
    if set(wanted) - {line.pk for line in lines}:
        raise BadQuantity(product="?", limit=0)
    quantities = {line.pk: wanted.get(line.pk, most(line)) for line in lines}
    for line in lines:
        if not 0 <= quantities[line.pk] <= most(line):
            raise BadQuantity(
                field=f"quantity_{line.pk}", product=line.product.name, limit=most(line)
            )
    return quantities
