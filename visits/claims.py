"""Taking and giving back rooms, escorts, lawyers and detainees: moves, called by verbs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from django.db import connection

from detention.verbs import assert_in_transaction
from visits.allocation import Place
from visits.models import Booking, Claim

# In this order in every transaction, so that two that want the same things never wait in a circle.
ORDER = (Claim.Kind.ROOM, Claim.Kind.ESCORT, Claim.Kind.LAWYER, Claim.Kind.DETAINEE)

_TAKE = """
INSERT INTO visits_claim
    (kind, resource, slot_id, booking_id, purpose, active, expires_at, made_at)
VALUES (%s, %s, %s, %s, '', %s, %s, %s), (%s, %s, %s, %s, '', %s, %s, %s),
       (%s, %s, %s, %s, '', %s, %s, %s), (%s, %s, %s, %s, '', %s, %s, %s)
ON CONFLICT DO NOTHING RETURNING kind
"""


def take(booking: Booking, *, at: datetime) -> set[str]:
    """Claim all four resources of a booking; returns the kinds that somebody else has.

    All or nothing: unless the answer is empty, nothing is claimed and another place can be tried
    in the same transaction. Waits for a competitor that has not committed yet.
    Within the caller's transaction; the request's custody and lawyer are locked by the caller.
    """
    assert_in_transaction()
    resources = {
        Claim.Kind.ROOM: booking.room_id,
        Claim.Kind.ESCORT: booking.escort_id,
        Claim.Kind.LAWYER: booking.request.lawyer_id,
        Claim.Kind.DETAINEE: booking.request.custody.detainee_id,
    }
    moment = connection.ops.adapt_datetimefield_value
    made = moment(at)
    # A confirmed booking keeps the end of its reservation as history; its claims have none.
    is_held = booking.state == Booking.State.RESERVED
    expires = moment(booking.expires_at) if is_held and booking.expires_at else None
    values: list[str | int | bool | None] = []
    for kind in ORDER:
        values += [kind, resources[kind], booking.slot_id, booking.pk, True, expires, made]
    with connection.cursor() as cursor:
        # A conflict must not abort the transaction: the next room is tried in it.
        cursor.execute(_TAKE, values)
        taken = {row[0] for row in cursor.fetchall()}
    missed = {str(kind) for kind in ORDER} - taken
    if missed:
        # Never seen by anybody, so they need no history.
        Claim.objects.filter(booking=booking).delete()
    return missed


# The room and the escort are picked among rows that nobody else is busy with: waiting for a
# competitor, only to lose to it, is what makes a rush slow. The index still has the last word.
_PICK_ROOM = """
SELECT v.n FROM (VALUES {lines}) AS v(n, slot, room)
JOIN visits_slotroom sr ON sr.slot_id = v.slot AND sr.room_id = v.room AND sr.is_open
WHERE NOT EXISTS (
    SELECT 1 FROM visits_claim c
    WHERE c.slot_id = v.slot AND c.kind = 'room' AND c.resource = v.room AND c.active
      AND (c.expires_at IS NULL OR c.expires_at > %s))
ORDER BY v.n LIMIT 1 FOR NO KEY UPDATE OF sr SKIP LOCKED
"""
_PICK_ESCORT = """
SELECT d.officer_id FROM visits_duty d
WHERE d.slot_id = %s AND d.is_present AND NOT EXISTS (
    SELECT 1 FROM visits_claim c
    WHERE c.slot_id = d.slot_id AND c.kind = 'escort' AND c.resource = d.officer_id AND c.active
      AND (c.expires_at IS NULL OR c.expires_at > %s))
ORDER BY d.officer_id <> %s LIMIT 1 FOR NO KEY UPDATE OF d SKIP LOCKED
"""


def pick(places: Sequence[Place], *, at: datetime) -> Place | None:
    """Return the first of these places with which nobody else is busy right now, or None.

    Locks its room and an escort of its slot until the transaction ends. Where the database lets
    one writer in at a time (SQLite), it is simply the first.
    """
    assert_in_transaction()
    if not places or not connection.features.has_select_for_update_skip_locked:
        return next(iter(places), None)
    lines = ", ".join(["(%s, %s, %s)"] * len(places))
    values = [value for n, place in enumerate(places) for value in (n, place.slot, place.room)]
    with connection.cursor() as cursor:
        cursor.execute(_PICK_ROOM.format(lines=lines), (*values, at))
        row = cursor.fetchone()
        if row is None:
            return None
        place = places[int(row[0])]
        cursor.execute(_PICK_ESCORT, [place.slot, at, place.escort])
        row = cursor.fetchone()
    return replace(place, escort=int(row[0])) if row else place


def keep(booking: Booking) -> bool:
    """Turn a reservation's claims into lasting ones; false when they are no longer held."""
    assert_in_transaction()
    kept = Claim.objects.filter(booking=booking, active=True).update(expires_at=None)
    return kept == len(ORDER)


def end(booking: Booking, *, at: datetime) -> None:
    """Give back everything a booking holds. No lock: freeing cannot oversell."""
    assert_in_transaction()
    Claim.objects.filter(booking=booking, active=True).update(active=False, ended_at=at)


def end_expired(slot_id: int, *, at: datetime) -> int:
    """End the expired reservations of one slot; returns how many.

    Their bookings and claims go together, so that none is half held.
    """
    assert_in_transaction()
    stale = list(
        Booking.objects.select_for_update(skip_locked=True)
        .filter(slot_id=slot_id, state=Booking.State.RESERVED, expires_at__lte=at)
        .order_by("pk")
    )
    for booking in stale:
        booking.state = Booking.State.EXPIRED
        booking.ended_at = at
        booking.save(update_fields=["state", "ended_at"])
        end(booking, at=at)
    return len(stale)
