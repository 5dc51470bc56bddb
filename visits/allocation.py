"""Finding a place: one read of what is free, and pure rules of what to take first."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import blake2b
from uuid import UUID

from django.db import connection
from django.db.models import UUIDField

from visits.models import Request, Room, Slot, SlotRoom

# The reserve opens to everybody so late because most bookings are made the day before:
# an earlier release changes nothing.
RESERVE_RELEASED_BEFORE = timedelta(hours=3)

# One statement without locks, because in a rush nearly all who ask lose, and losing must cost
# no more than this. Written by hand: building the same query takes longer than running it.
_FREE = """
WITH wished AS (
    SELECT s.id FROM visits_slot s
    WHERE s.facility_id = %(facility)s AND s.ends_at > %(since)s AND s.begins_at < %(until)s
), busy AS (
    SELECT c.slot_id, c.kind FROM wished s JOIN visits_claim c ON c.slot_id = s.id
    WHERE c.active AND (c.expires_at IS NULL OR c.expires_at > %(at)s)
      AND ((c.kind = 'lawyer' AND c.resource = %(lawyer)s)
        OR (c.kind = 'detainee' AND c.resource = %(detainee)s))
), open_slot AS (
    SELECT s.id FROM wished s WHERE NOT EXISTS (SELECT 1 FROM busy b WHERE b.slot_id = s.id)
)
SELECT 'room', s.id, sr.room_id, sr.pool, r.kind
FROM open_slot s
JOIN visits_slotroom sr ON sr.slot_id = s.id AND sr.is_open
JOIN visits_room r ON r.id = sr.room_id
WHERE NOT EXISTS (
    SELECT 1 FROM visits_claim c
    WHERE c.slot_id = s.id AND c.active AND (c.expires_at IS NULL OR c.expires_at > %(at)s)
      AND c.kind = 'room' AND c.resource = sr.room_id)
UNION ALL
SELECT 'escort', s.id, d.officer_id, '', ''
FROM open_slot s
JOIN visits_duty d ON d.slot_id = s.id AND d.is_present
WHERE NOT EXISTS (
    SELECT 1 FROM visits_claim c
    WHERE c.slot_id = s.id AND c.active AND (c.expires_at IS NULL OR c.expires_at > %(at)s)
      AND c.kind = 'escort' AND c.resource = d.officer_id)
UNION ALL
SELECT 'busy', b.slot_id, 0, b.kind, '' FROM busy b
UNION ALL
SELECT 'mine', b.slot_id, b.id, '', ''
FROM visits_booking b WHERE b.request_id = %(request)s AND b.key = %(key)s
"""


@dataclass(frozen=True, kw_only=True)
class FreeRoom:
    room: int
    pool: str
    kind: str


@dataclass(kw_only=True)
class FreeSlot:
    """What one slot still has: rooms and escorts by id."""

    slot: int
    rooms: list[FreeRoom] = field(default_factory=list)
    escorts: list[int] = field(default_factory=list)


@dataclass(kw_only=True)
class Free:
    """What is free for one request, by slot.

    busy: slots in which the lawyer or the detainee is taken already, and which of the two.
    booking: the booking that the same key already made.
    """

    slots: dict[int, FreeSlot] = field(default_factory=dict)
    busy: dict[int, str] = field(default_factory=dict)
    booking: int | None = None


@dataclass(frozen=True, kw_only=True)
class Place:
    """One slot, room and escort that can be tried; ids."""

    slot: int
    room: int
    escort: int
    is_borrowed: bool


def free(
    request: Request,
    *,
    at: datetime,
    since: datetime,
    until: datetime,
    key: UUID | None = None,
) -> Free:
    """Read, without locks, what is free for this lawyer and this detainee.

    Of the slots that end after `since` and begin before `until`. Places held by a reservation
    that has expired count as free.
    """
    moment = connection.ops.adapt_datetimefield_value
    with connection.cursor() as cursor:
        cursor.execute(
            _FREE,
            {
                "facility": request.facility_id,
                "since": moment(since),
                "until": moment(until),
                "at": moment(at),
                "lawyer": request.lawyer_id,
                "detainee": request.custody.detainee_id,
                "request": request.pk,
                "key": UUIDField().get_db_prep_value(key, connection),
            },
        )
        rows = cursor.fetchall()
    found = Free()
    for kind, slot, resource, pool, room_kind in rows:
        if kind == "mine":
            found.booking = resource
            continue
        if kind == "busy":
            found.busy[slot] = pool
            continue
        place = found.slots.setdefault(slot, FreeSlot(slot=slot))
        if kind == "room":
            place.rooms.append(FreeRoom(room=resource, pool=pool, kind=room_kind))
        else:
            place.escorts.append(resource)
    found.slots = {slot: f for slot, f in found.slots.items() if f.rooms and f.escorts}
    return found


def pools_for(
    *, begins_in: timedelta, is_green: bool, is_walk_in: bool, has_consented: bool
) -> list[str]:
    """Say which pools a request may take from, in the order in which to take.

    begins_in: time until the slot begins. has_consented: to a borrowed interrogation room.
    """
    pools = [SlotRoom.Pool.GENERAL]
    soon = begins_in <= RESERVE_RELEASED_BEFORE
    if is_green or soon:
        pools.append(SlotRoom.Pool.RESERVE)
    if is_walk_in or (is_green and soon):
        pools.append(SlotRoom.Pool.WALK_IN)
    if is_green and has_consented:
        pools.append(SlotRoom.Pool.BORROWED)
    return [str(pool) for pool in pools]


def pools_of(request: Request, slot: Slot, *, at: datetime) -> list[str]:
    """Return the pools that this request may take from in this slot."""
    return pools_for(
        begins_in=slot.begins_at - at,
        is_green=request.is_green,
        is_walk_in=request.channel == Request.Channel.WALK_IN,
        has_consented=request.consented_at is not None,
    )


_ROOM_ORDER = {Room.Kind.LAWYER: 0, Room.Kind.VIDEO: 1, Room.Kind.INTERROGATION: 2}


def ranked(
    slots: Sequence[FreeSlot], *, pools: dict[int, list[str]], wish: Sequence[int], salt: int
) -> list[Place]:
    """Put the places in the order in which they are tried.

    Slots: the wish order, or without a wish the one with most room left, so that those who come
    later still fit. Rooms: by pool, then lawyer rooms before video rooms. Escorts: who has most
    free slots among these. Ties are broken by `salt`, so that many who ask at once spread out.
    One place a slot and room; pools: allowed pools by slot id.
    """
    load = Counter(escort for slot in slots for escort in slot.escorts)
    order = {slot: place for place, slot in enumerate(wish)}
    by_slot: dict[int, list[Place]] = defaultdict(list)
    room_left: dict[int, int] = {}
    for slot in slots:
        allowed = pools.get(slot.slot, [])
        rooms = [room for room in slot.rooms if room.pool in allowed]
        rooms.sort(
            key=lambda r: (
                allowed.index(r.pool),
                _ROOM_ORDER.get(Room.Kind(r.kind), 3),
                _mix(salt, r.room),
            )
        )
        escorts = sorted(slot.escorts, key=lambda e: (-load[e], _mix(salt, e)))
        room_left[slot.slot] = min(len(rooms), len(escorts))
        by_slot[slot.slot] = [
            Place(
                slot=slot.slot,
                room=room.room,
                escort=escorts[place % len(escorts)],
                is_borrowed=room.pool == SlotRoom.Pool.BORROWED,
            )
            for place, room in enumerate(rooms)
            if escorts
        ]
    sequence = sorted(
        (slot for slot in by_slot if not wish or slot in order),
        key=lambda s: (order.get(s, 0), -room_left[s], _mix(salt, s)),
    )
    return [place for slot in sequence for place in by_slot[slot]]


def _mix(salt: int, number: int) -> int:
    return int.from_bytes(blake2b(f"{salt}:{number}".encode(), digest_size=4).digest())


def nearest(slots: Sequence[Slot], *, to: Slot, count: int = 3) -> list[Slot]:
    """Return the `count` slots nearest in time to one that is full, earliest first."""
    near = sorted(slots, key=lambda s: (abs(s.begins_at - to.begins_at), s.begins_at))
    return sorted(near[:count], key=lambda s: s.begins_at)
