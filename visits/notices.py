"""Telling a lawyer: a stored message now, other channels later."""

from __future__ import annotations

from datetime import datetime

from detention.verbs import assert_in_transaction
from visits.models import Booking, Lawyer, Notice, Request


def tell(
    lawyer: Lawyer,
    code: Notice.Code,
    *,
    at: datetime,
    booking: Booking | None = None,
    request: Request | None = None,
    detail: str = "",
) -> Notice:
    """Store one message for a lawyer in the transaction that caused it.

    detail: a fact that the sentence needs (days left, a reason); never a client's name.
    """
    assert_in_transaction()
    return Notice.objects.create(
        lawyer=lawyer, code=code, booking=booking, request=request, detail=detail, at=at
    )
