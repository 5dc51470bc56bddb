"""The 48 hours: when they stand still, who is alerted, what becomes a breach."""

from __future__ import annotations

from datetime import datetime, timedelta

from detention import access, audit
from detention.models import Role, User
from detention.relatives import ReasonMissing
from detention.verbs import assert_in_transaction, verb
from visits import notices
from visits.models import (
    Alert,
    Breach,
    ClockPause,
    GreenGrant,
    Notice,
    Request,
    Slot,
)

FULL = timedelta(hours=48)
LEVELS = (24, 36, 44)
# From this hour on without a booking, the rule itself opens the green channel.
GREEN_LEVEL = 36
RUNNING = (
    Request.State.CHECKING,
    Request.State.READY,
    Request.State.WAITING,
    Request.State.BOOKED,
)


def pause(
    request: Request, reason: ClockPause.Reason, *, by: User | None, at: datetime
) -> ClockPause:
    """Stop the clock with a reason. Already stopped: the pause that is open. A move."""
    assert_in_transaction()
    open_one = request.pauses.filter(ends_at=None).first()
    if open_one is not None:
        return open_one
    made = ClockPause.objects.create(request=request, reason=reason, begins_at=at, paused_by=by)
    audit.record(
        "clock.paused",
        by=by,
        at=at,
        subject=request,
        facility=request.facility,
        reason=str(reason),
    )
    return made


def resume(request: Request, *, at: datetime) -> None:
    """Let the clock run on: the due time moves by the length of the pause. A move.

    The due time never moves in any other way. Not paused: no change.
    """
    assert_in_transaction()
    open_one = request.pauses.filter(ends_at=None).first()
    if open_one is None:
        return
    open_one.ends_at = at
    open_one.save(update_fields=["ends_at"])
    request.due_at += at - open_one.begins_at
    request.save(update_fields=["due_at"])
    audit.record("clock.resumed", by=None, at=at, subject=request, facility=request.facility)


def chosen(request: Request, slot: Slot, *, at: datetime) -> None:
    """Move the due time when the lawyer took a later slot although one in time was offered.

    The offer is the evidence, and the pause is the reason. Without such an offer the due time
    stays, and the visit counts as late. A move.
    """
    assert_in_transaction()
    if slot.begins_at <= request.due_at:
        return
    last = request.offers.order_by("-pk").first()
    if last is None or not last.within_due:
        return
    ClockPause.objects.create(
        request=request,
        reason=ClockPause.Reason.LATER,
        begins_at=request.due_at,
        ends_at=slot.ends_at,
    )
    request.due_at = slot.ends_at
    request.save(update_fields=["due_at"])
    audit.record("clock.later_chosen", by=None, at=at, subject=request, facility=request.facility)


def hours_used(request: Request, *, at: datetime) -> float:
    """Return how many of the 48 hours have passed, pauses left out."""
    return (at - (request.due_at - FULL)) / timedelta(hours=1)


def level(hours: float) -> int | None:
    """Return the highest alert level that was passed, or None. Pure."""
    return max((mark for mark in LEVELS if hours >= mark), default=None)


def sweep(*, at: datetime) -> int:
    """Raise the alerts and breaches that are due. Returns how many requests were looked at.

    Each request is its own transaction. Safe to run twice and at any time.
    """
    near = (
        Request.objects.filter(
            state__in=RUNNING, met_at=None, due_at__lte=at + FULL - timedelta(hours=LEVELS[0])
        )
        .exclude(pauses__ends_at=None, pauses__isnull=False)
        .order_by("due_at", "pk")
    )
    pks = list(near.values_list("pk", flat=True))
    for pk in pks:
        _look(pk, at=at)
    return len(pks)


@verb
def _look(pk: int, *, at: datetime) -> None:
    request = (
        Request.objects.select_for_update(of=("self",), no_key=True)
        .select_related("lawyer", "facility")
        .get(pk=pk)
    )
    if request.state not in RUNNING or request.met_at is not None:
        return
    passed = level(hours_used(request, at=at))
    for mark in LEVELS:
        if passed is not None and mark <= passed:
            Alert.objects.get_or_create(request=request, hours=mark, defaults={"raised_at": at})
    if passed is not None and passed >= GREEN_LEVEL and request.state != Request.State.BOOKED:
        give_by_law(request, at=at)
    if request.due_at <= at:
        _breach(request, at=at)


def give_by_law(request: Request, *, at: datetime) -> None:
    """Open the green channel without anybody's decision. Has one already: no change. A move."""
    assert_in_transaction()
    if request.is_green:
        return
    GreenGrant.objects.create(
        request=request,
        reason=GreenGrant.Reason.STATUTORY,
        proof=f"{request.public_id}"[:8],
        granted_at=at,
    )
    request.is_green = True
    request.save(update_fields=["is_green"])
    audit.record("green.by_law", by=None, at=at, subject=request, facility=request.facility)
    notices.tell(request.lawyer, Notice.Code.GREEN, at=at, request=request)


def _breach(request: Request, *, at: datetime) -> None:
    offered = sum(
        request.offers.filter(made_at__lte=request.due_at).values_list("within_due", flat=True)
    )
    _row, made = Breach.objects.get_or_create(
        request=request,
        defaults={"due_at": request.due_at, "found_at": at, "places_offered": offered},
    )
    if made:
        audit.record("clock.breached", by=None, at=at, subject=request, facility=request.facility)


@verb
def answer(alert: Alert, *, text: str, by: User, at: datetime) -> Alert:
    """Write down what the duty leader did about an alert, or why nothing could be done.

    Refuses NotAllowed, ReasonMissing.
    """
    if not text.strip():
        raise ReasonMissing(field="answer")
    alert = (
        Alert.objects.select_for_update(of=("self",))
        .select_related("request__facility")
        .get(pk=alert.pk)
    )
    facility = alert.request.facility
    access.require(by, facility, Role.GUARD, Role.ADMINISTRATOR)
    alert.answer = text.strip()
    alert.answered_by = by
    alert.answered_at = at
    alert.save(update_fields=["answer", "answered_by", "answered_at"])
    audit.record("alert.answered", by=by, at=at, subject=alert, facility=facility)
    return alert
