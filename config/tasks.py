"""The tasks that belong to no app: the worker's pulse and the sweep of every minute."""

from __future__ import annotations

import logging
from datetime import datetime
from typing import Protocol

from django.utils import timezone

from accounts import escrow
from accounts import tasks as accounts
from commissary import fulfilment, orders
from detention.models import Heartbeat
from visits import tasks as visits

logger = logging.getLogger(__name__)


class Sweep(Protocol):
    """A function that takes up whatever waits longer than it should; safe to run at any time."""

    def __call__(self, *, at: datetime) -> object: ...


# A task out of attempts is dropped: every waiting state has its function here.
SWEEPS: tuple[Sweep, ...] = (
    escrow.roll_days,
    accounts.sweep_deposits,
    accounts.sweep_refunds,
    accounts.sweep_inbox,
    visits.sweep_papers,
    visits.sweep_visits,
    visits.open_days,
    orders.expire_overdue,
    fulfilment.close_finished,
)


def heartbeat() -> None:
    """Write down that the worker is alive."""
    Heartbeat.objects.update_or_create(name="worker", defaults={"at": timezone.now()})


def sweep() -> None:
    """Run every sweep; one that fails does not keep the others from running.

    Errors: all that failed, together, at the end.
    """
    now = timezone.now()
    errors: list[Exception] = []
    for one in SWEEPS:
        try:
            one(at=now)
        except Exception as error:
            logger.exception("sweep %s failed", one)
            errors.append(error)
    if errors:
        raise ExceptionGroup("sweeps failed", errors)
