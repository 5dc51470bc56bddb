"""A lawyer's wish to meet a client, and its 48 hours."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from detention import audit, policy
from detention.custody import lock_open
from detention.verbs import assert_in_transaction, verb
from visits import mandates
from visits.models import Mandate, Request
from visits.models.flow import OPEN_REQUEST

policy.declare(
    "visits_due", _("Hours within which a lawyer must meet the client"), unit="hours",
    default=48, low=1, high=48,
)  # fmt: skip


def lock(pk: int) -> Request:
    """Lock a request with its custody, mandate and lawyer, in this order, in one statement.

    The first lock of every booking verb. Within the caller's transaction.
    """
    assert_in_transaction()
    return _locking(skip=False).get(pk=pk)


def lock_if_idle(pk: int) -> Request | None:
    """Lock a request as `lock` does, or return None when somebody is busy with it.

    For filling a free place from the waiting list: that transaction already holds other locks,
    and must not wait for a second custody.
    """
    assert_in_transaction()
    return _locking(skip=True).filter(pk=pk).first()


def _locking(*, skip: bool) -> QuerySet[Request]:
    return Request.objects.select_for_update(
        of=("custody", "lawyer", "mandate", "self"), no_key=True, skip_locked=skip
    ).select_related("custody", "lawyer", "mandate__authority", "facility")


@verb
def ask(
    mandate: Mandate,
    *,
    key: UUID,
    channel: Request.Channel = Request.Channel.WEB,
    by: audit.Actor,
    at: datetime,
) -> Request:
    """Ask for a visit; the 48 hours begin now, for all papers are in the mandate.

    Repeat, or a second wish for the same client: the one that is open.
    Refuses CustodyNotOpen, MandateNotLive.
    """
    custody = lock_open(mandate.custody_id)
    mandate = Mandate.objects.select_related("lawyer").get(pk=mandate.pk)
    open_one = Request.objects.filter(
        lawyer=mandate.lawyer, custody=custody, state__in=OPEN_REQUEST
    ).first()
    if open_one is not None:
        return open_one
    if mandate.state not in (Mandate.State.LIVE, Mandate.State.CHECKING, Mandate.State.CONFLICT):
        raise mandates.MandateNotLive
    hours = policy.number(custody.facility, "visits_due", at=at)
    request = Request.objects.create(
        key=key,
        mandate=mandate,
        lawyer=mandate.lawyer,
        custody=custody,
        facility=custody.facility,
        channel=channel,
        state=Request.State.READY
        if mandate.state == Mandate.State.LIVE
        else Request.State.CHECKING,
        received_at=at,
        clock_at=at,
        due_at=at + timedelta(hours=hours),
    )
    audit.record(
        "visit.asked", by=by, at=at, subject=request, facility=custody.facility, channel=channel
    )
    return request
