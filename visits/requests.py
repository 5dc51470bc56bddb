"""A lawyer's wish to meet a client, and its 48 hours."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from detention import audit, policy
from detention.custody import lock_open
from detention.errors import NotFound, Refusal
from detention.lifecycle import move
from detention.verbs import assert_in_transaction, verb
from visits import allocation, clock, mandates, timetable
from visits.models import ClockPause, Lawyer, Mandate, Offer, Request, Slot
from visits.models.flow import OPEN_REQUEST


class NotYet(Refusal):
    code = "not_yet"
    message = _("This can be answered after the visit.")


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
    return ask_in(mandate, key=key, channel=channel, by=by, at=at)


def ask_in(
    mandate: Mandate,
    *,
    key: UUID,
    channel: Request.Channel,
    by: audit.Actor,
    at: datetime,
) -> Request:
    """Ask within the caller's transaction: the move behind `ask`, also for walk-ins."""
    assert_in_transaction()
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
        received_at=at,
        clock_at=at,
        due_at=at + timedelta(hours=hours),
    )
    audit.record(
        "visit.asked", by=by, at=at, subject=request, facility=custody.facility, channel=channel
    )
    return settle_state(lock(request.pk), at=at)


@verb
def review(request: Request, *, at: datetime) -> Request:
    """Look again at what a request still needs: papers, permission, or a choice of time.

    Its clock stands still, with the reason written down, while papers are wrong or permission
    is pending. A request that is booked is left to the reactions. Repeat: no change.
    """
    return settle_state(lock(request.pk), at=at)


def settle_state(request: Request, *, at: datetime) -> Request:
    """Set a locked request to what it waits for, and its clock to run or stand. A move."""
    assert_in_transaction()
    if not request.is_open or request.state == Request.State.BOOKED:
        return request
    wanted, reason = _wanted_state(request, at=at)
    if reason is None:
        clock.resume(request, at=at)
    else:
        clock.pause(request, reason, by=None, at=at)
    if wanted != request.state:
        move(request, wanted)
        request.save(update_fields=["state"])
    return request


def _wanted_state(
    request: Request, *, at: datetime
) -> tuple[Request.State, ClockPause.Reason | None]:
    """Decide what a request waits for, and why its clock may stand still meanwhile.

    While papers are only being compared the clock runs: that is the centre's time.
    """
    mandate = request.mandate
    ended = (Mandate.State.REFUSED, Mandate.State.REVOKED)
    if not request.custody.is_open or mandate.state in ended:
        return Request.State.ENDED, None
    if mandate.state != Mandate.State.LIVE:
        return Request.State.CHECKING, None
    today = timetable.today(request.facility, at)
    if mandates.papers_missing(mandate, today):
        return Request.State.CHECKING, ClockPause.Reason.PAPERS
    if mandates.needs_permission(request.custody) and not mandates.has_permission(mandate, today):
        return Request.State.NEEDS_PERMISSION, ClockPause.Reason.PERMISSION
    is_waiting = request.state == Request.State.WAITING
    wanted = Request.State.WAITING if is_waiting else Request.State.READY
    if mandates.is_restricted(request.custody, at=at):
        return wanted, ClockPause.Reason.RESTRICTION
    return wanted, None


@verb
def withdraw(request: Request, *, by: audit.Actor, at: datetime) -> Request:
    """Take a wish back before it is booked. Repeat: no change. Refuses WrongMove."""
    request = lock(request.pk)
    if request.state == Request.State.WITHDRAWN:
        return request
    move(request, Request.State.WITHDRAWN)
    request.save(update_fields=["state"])
    clock.resume(request, at=at)
    audit.record("visit.withdrawn", by=by, at=at, subject=request, facility=request.facility)
    return request


@verb
def consent(request: Request, *, by: audit.Actor, at: datetime) -> Request:
    """Write down that the lawyer agrees to an interrogation room with its gear confirmed off.

    Repeat: keeps the first moment.
    """
    request = lock(request.pk)
    if request.consented_at is None:
        request.consented_at = at
        request.save(update_fields=["consented_at"])
        audit.record("visit.consented", by=by, at=at, subject=request, facility=request.facility)
    return request


@verb
def offer(request: Request, *, days: int, at: datetime) -> Offer:
    """Store what is free for a request now: the evidence that a place was offered in time.

    days: how far to look. Repeat while nothing changed: the same offer. Locks the request.
    """
    request = lock(request.pk)
    places = [
        [slot.pk, slot.begins_at.isoformat(), rooms]
        for slot, rooms in free_slots(request, days=days, at=at)
    ]
    last = request.offers.order_by("-pk").first()
    if last is not None and last.places == places:
        return last
    due = request.due_at
    within = sum(1 for slot in places if datetime.fromisoformat(str(slot[1])) <= due)
    return Offer.objects.create(request=request, made_at=at, places=places, within_due=within)


def free_slots(request: Request, *, days: int, at: datetime) -> list[tuple[Slot, int]]:
    """Return the slots that the request could take, with the rooms left, earliest first."""
    until = at + timedelta(days=days)
    free = allocation.free(request, at=at, since=at, until=until)
    slots = {
        slot.pk: slot
        for slot in Slot.objects.filter(pk__in=free.slots, begins_at__gt=at).order_by("begins_at")
    }
    found = []
    for pk, slot in slots.items():
        pools = allocation.pools_of(request, slot, at=at)
        rooms = [room for room in free.slots[pk].rooms if room.pool in pools]
        if rooms:
            found.append((slot, min(len(rooms), len(free.slots[pk].escorts))))
    return found


def of_lawyer(lawyer: Lawyer, public_id: UUID) -> Request:
    """Return one of the lawyer's own requests. Refuses NotFound."""
    found = (
        Request.objects.filter(lawyer=lawyer, public_id=public_id)
        .select_related("custody__detainee", "facility", "lawyer__user", "mandate__authority")
        .first()
    )
    if found is None:
        raise NotFound
    return found
