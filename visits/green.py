"""The green channel: a closed list of reasons, borrowed rooms, displacement by rule."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import uuid4

from django.utils.translation import gettext_lazy as _

from detention import access, audit, policy
from detention.errors import Refusal
from detention.lifecycle import move
from detention.models import Role, User
from detention.relatives import ReasonMissing
from detention.verbs import verb
from visits import allocation, bookings, notices, requests
from visits.models import Booking, Claim, Displacement, GreenGrant, Notice, Request, Room, Slot
from visits.models.flow import HOLDING

policy.declare(
    "visits_green_per_lawyer",
    _("Green-channel visits of one lawyer in 30 days"),
    unit="times",
    default=20,
    low=1,
    high=1000,
)

SOON = timedelta(hours=12)
# A booked visit is safe from displacement so long before it begins.
SAFE = timedelta(hours=24)
OFFERS = 3
FIRST_VISITS = (
    GreenGrant.Reason.FIRST_DETENTION,
    GreenGrant.Reason.FIRST_PROSECUTION,
    GreenGrant.Reason.BEFORE_TRIAL,
    GreenGrant.Reason.LEGAL_AID,
)


class ReasonNotProven(Refusal):
    code = "green_reason_not_proven"
    status = 422
    message = _("The papers do not show this reason.")


class ProofMissing(Refusal):
    code = "green_proof_missing"
    status = 422
    message = _("Write the number of the paper that proves the reason.")


class GreenCapReached(Refusal):
    code = "green_cap_reached"
    message = _("This lawyer has used the green channel %(limit)s times in 30 days.")


class MayNotDisplace(Refusal):
    code = "may_not_displace"
    message = _("This visit may not be displaced. Rule: %(rules)s.")


class NoEqualOffer(Refusal):
    code = "no_equal_offer"
    message = _("There is no equal or better time to offer, so the visit stays.")


class SecondOfficer(Refusal):
    code = "self_approval"
    status = 403
    message = _("Another officer must approve what you proposed.")
    constraint = "displacement_two_officers"


class GearNotOff(Refusal):
    code = "gear_not_off"
    message = _("First confirm that all recording and listening gear in the room is off.")
    constraint = "booking_gear_off_before_entry"


@verb
def grant(
    request: Request, *, reason: GreenGrant.Reason, proof: str, by: User, at: datetime
) -> Request:
    """Open the green channel for a request, for a reason of the closed list.

    proof: number of the paper. A legal-aid letter speaks for itself, so the lawyer may ask; every
    other reason is an officer's to find proven. Has a grant already: no change.
    Refuses NotAllowed, ReasonNotProven, ProofMissing, GreenCapReached. Locks the request.
    """
    request = requests.lock(request.pk)
    is_legal_aid = reason == GreenGrant.Reason.LEGAL_AID
    if not (is_legal_aid and by.pk == request.lawyer.user_id):
        access.require(by, request.facility, Role.GUARD, Role.ADMINISTRATOR)
    if request.is_green:
        return request
    if reason == GreenGrant.Reason.STATUTORY or (is_legal_aid and not request.mandate.is_legal_aid):
        raise ReasonNotProven(field="reason")
    if reason == GreenGrant.Reason.DUE_SOON and request.due_at - at > SOON:
        raise ReasonNotProven(field="reason")
    if is_legal_aid:
        proof = request.mandate.authority.number
    if not proof.strip():
        raise ProofMissing(field="proof")
    limit = policy.number(request.facility, "visits_green_per_lawyer", at=at)
    used = GreenGrant.objects.filter(
        request__lawyer=request.lawyer, granted_at__gt=at - timedelta(days=30)
    ).exclude(reason=GreenGrant.Reason.STATUTORY)
    if used.count() >= limit:
        raise GreenCapReached(limit=limit)
    GreenGrant.objects.create(
        request=request,
        reason=reason,
        proof=proof.strip(),
        granted_at=at,
        granted_by=None if is_legal_aid else by,
    )
    request.is_green = True
    request.save(update_fields=["is_green"])
    audit.record(
        "green.granted",
        by=by,
        at=at,
        subject=request,
        facility=request.facility,
        reason=str(reason),
    )
    notices.tell(request.lawyer, Notice.Code.GREEN, at=at, request=request)
    return request


@verb
def confirm_gear_off(booking: Booking, *, by: User, at: datetime) -> Booking:
    """Confirm by name that recording and listening gear in a borrowed room is off.

    Repeat: keeps the first name. Refuses NotAllowed. Locks the booking.
    """
    access.require(by, booking.request.facility, Role.GUARD)
    booking = Booking.objects.select_for_update(of=("self",)).get(pk=booking.pk)
    if booking.gear_off_at is None:
        booking.gear_off_at, booking.gear_off_by = at, by
        booking.save(update_fields=["gear_off_at", "gear_off_by"])
        audit.record(
            "room.gear_off", by=by, at=at, subject=booking, facility=booking.request.facility
        )
    return booking


@verb
def plan_interrogation(room: Room, slot: Slot, *, by: User, at: datetime) -> Claim:
    """Keep an interrogation room for an interrogation, so that it is not lent in this slot.

    Refuses NotAllowed, SlotFull when a visit or another interrogation has it.
    """
    access.require(by, room.facility, Role.GUARD, Role.ADMINISTRATOR)
    claim = Claim.objects.create(
        kind=Claim.Kind.ROOM, resource=room.pk, slot=slot, purpose="interrogation", made_at=at
    )
    audit.record("room.planned", by=by, at=at, subject=claim, facility=room.facility)
    return claim


@dataclass(frozen=True, kw_only=True)
class Displaced:
    """What the rules look at: the visit that would have to give way."""

    begins_in: timedelta
    is_first_or_aid: bool
    was_displaced: bool


def rules_against(facts: Displaced) -> list[str]:
    """Return the letters of the rules that protect a visit from displacement. Pure.

    a: begins within 24 hours. b: a legal-aid, first or pre-trial visit. c: displaced once
    already. d and e, about its own due time and the offers, are checked on the offers.
    """
    broken = []
    if facts.begins_in < SAFE:
        broken.append("a")
    if facts.is_first_or_aid:
        broken.append("b")
    if facts.was_displaced:
        broken.append("c")
    return broken


@verb
def propose(
    booking: Booking, request: Request, *, reason: str, by: User, at: datetime
) -> Displacement:
    """Propose that a booked visit gives its place to an urgent request.

    Three times are looked up for the displaced visit, at least one not later than a day after
    the old one and within its own 48 hours. Nothing moves until another officer approves.
    Refuses NotAllowed, ReasonMissing, MayNotDisplace, NoEqualOffer. Locks the displaced request.
    """
    if not reason.strip():
        raise ReasonMissing(field="reason")
    access.require(by, request.facility, Role.GUARD, Role.ADMINISTRATOR)
    displaced = requests.lock(booking.request_id)
    booking = Booking.objects.select_related("slot").get(pk=booking.pk)
    booking.request = displaced
    offers = _require_displaceable(booking, request, at=at)
    displacement = Displacement.objects.create(
        booking=booking,
        request=request,
        reason=reason.strip(),
        offered=[slot.pk for slot in offers],
        proposed_by=by,
        proposed_at=at,
    )
    audit.record(
        "displacement.proposed",
        by=by,
        at=at,
        subject=displacement,
        facility=request.facility,
        offered=displacement.offered,
    )
    return displacement


def _require_displaceable(booking: Booking, request: Request, *, at: datetime) -> list[Slot]:
    displaced = booking.request
    same_place = request.facility_id == displaced.facility_id and request.pk != displaced.pk
    if not (booking.is_ahead and same_place and request.is_green):
        raise MayNotDisplace(rules="green")
    grant = GreenGrant.objects.filter(request=displaced).first()
    facts = Displaced(
        begins_in=booking.slot.begins_at - at,
        is_first_or_aid=displaced.mandate.is_legal_aid
        or (grant is not None and grant.reason in FIRST_VISITS),
        was_displaced=displaced.was_displaced,
    )
    broken = rules_against(facts)
    if broken:
        raise MayNotDisplace(rules=", ".join(broken))
    free = [slot for slot, _rooms in requests.free_slots(displaced, days=14, at=at)]
    offers = allocation.nearest(free, to=booking.slot, count=OFFERS)
    if len(offers) < OFFERS or not _equal(offers, booking):
        raise NoEqualOffer
    return offers


def _equal(offers: list[Slot], booking: Booking) -> list[Slot]:
    """Return the offers that are as good: within a day of the old time and within 48 hours."""
    latest = booking.slot.begins_at + timedelta(hours=24)
    due = max(booking.request.due_at, booking.slot.ends_at)
    return [slot for slot in offers if slot.begins_at <= latest and slot.begins_at <= due]


@verb
def approve(displacement: Displacement, *, by: User, at: datetime) -> Displacement:
    """Carry out a displacement: first the new place for the displaced visit, then the swap.

    Everything is checked again. The displaced lawyer is told at once and may move on; the
    request counts as displaced, which protects it and puts it first in every line.
    Refuses NotAllowed, SecondOfficer, WrongMove, MayNotDisplace, NoEqualOffer, SlotFull.
    Locks both requests, by ascending custody.
    """
    access.require(by, displacement.request.facility, Role.GUARD, Role.ADMINISTRATOR)
    pair = sorted(
        (displacement.booking.request, displacement.request), key=lambda r: (r.custody_id, r.pk)
    )
    locked = {request.pk: requests.lock(request.pk) for request in pair}
    displacement = (
        Displacement.objects.select_for_update(of=("self",))
        .select_related("booking__slot")
        .get(pk=displacement.pk)
    )
    if displacement.proposed_by_id == by.pk:
        raise SecondOfficer
    old = displacement.booking
    displaced, urgent = locked[old.request_id], locked[displacement.request_id]
    old.request = displaced
    offers = _require_displaceable(old, urgent, at=at)
    move(displacement, Displacement.State.DONE)
    replacement = _move_away(old, _equal(offers, old), by=by, at=at)
    taken = _take_over(urgent, old, at=at)
    bookings.settle(taken, [], by=by, at=at)
    displacement.decided_by, displacement.decided_at = by, at
    displacement.replacement = replacement
    displacement.save()
    audit.record(
        "displacement.done",
        by=by,
        at=at,
        subject=displacement,
        facility=urgent.facility,
        proposed_by=displacement.proposed_by_id,
    )
    return displacement


def _move_away(old: Booking, slots: list[Slot], *, by: User, at: datetime) -> Booking:
    by_id = {slot.pk: slot for slot in slots}
    free = allocation.free(old.request, at=at, since=slots[0].begins_at, until=slots[-1].ends_at)
    places = bookings.places_for(old.request, free, slots=by_id, at=at)
    new = bookings.take_first(
        old.request, places, slots=by_id, key=uuid4(), at=at, expires_at=None, own=[old]
    )
    Booking.objects.filter(pk=old.pk).update(reason=Booking.Reason.DISPLACED)
    old.request.was_displaced = True
    old.request.save(update_fields=["was_displaced"])
    notices.tell(
        old.request.lawyer, Notice.Code.MOVED, at=at, booking=new, detail=Booking.Reason.DISPLACED
    )
    audit.record(
        "visit.displaced", by=by, at=at, subject=new, facility=old.request.facility, old=old.pk
    )
    return new


def _take_over(urgent: Request, old: Booking, *, at: datetime) -> Booking:
    place = allocation.Place(
        slot=old.slot_id, room=old.room_id, escort=old.escort_id, is_borrowed=old.is_borrowed
    )
    own = list(Booking.objects.filter(request=urgent, state__in=HOLDING))
    bookings.require_bookable(urgent, own)
    return bookings.take_first(
        urgent,
        [place],
        slots={old.slot_id: old.slot},
        key=uuid4(),
        at=at,
        expires_at=None,
        own=own,
    )


@verb
def reject(displacement: Displacement, *, by: User, at: datetime) -> Displacement:
    """Leave the booked visit where it is. Refuses NotAllowed, SecondOfficer, WrongMove."""
    access.require(by, displacement.request.facility, Role.GUARD, Role.ADMINISTRATOR)
    displacement = Displacement.objects.select_for_update(of=("self",)).get(pk=displacement.pk)
    if displacement.proposed_by_id == by.pk:
        raise SecondOfficer
    move(displacement, Displacement.State.REJECTED)
    displacement.decided_by, displacement.decided_at = by, at
    displacement.save()
    audit.record(
        "displacement.rejected",
        by=by,
        at=at,
        subject=displacement,
        facility=displacement.request.facility,
    )
    return displacement
