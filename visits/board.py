"""What the wall screen shows: times and rooms, words for their state, never a name."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime

from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from detention.models import Facility
from visits.models import Booking, Claim, Duty, Room, Slot, SlotRoom, Ticket

WORDS = {
    "free": _("free"),
    "held": _("held"),
    "taken": _("taken"),
    "closed": _("closed"),
    "green": _("green channel"),
    "no_escort": _("no escort"),
    "over": _("over"),
}


@dataclass(frozen=True, kw_only=True)
class Cell:
    """One room in one slot; `state` is a key of WORDS."""

    room: str
    state: str

    @property
    def word(self) -> object:
        return WORDS[self.state]


@dataclass(frozen=True, kw_only=True)
class Row:
    """One slot with its rooms."""

    sequence: int
    begins_at: datetime
    ends_at: datetime
    cells: tuple[Cell, ...]


@dataclass(frozen=True, kw_only=True)
class Day:
    """One day of the board. called: walk-in numbers and the rooms they were called to."""

    on: date
    rooms: tuple[str, ...]
    rows: tuple[Row, ...]
    called: tuple[tuple[int, str], ...]
    waiting: int

    @property
    def free(self) -> int:
        """Count the free places."""
        return sum(cell.state == "free" for row in self.rows for cell in row.cells)

    @property
    def next_free(self) -> datetime | None:
        """Return when the next free place begins."""
        return next(
            (row.begins_at for row in self.rows if any(c.state == "free" for c in row.cells)),
            None,
        )


def state_of(*, is_over: bool, is_open: bool, claim: str, pool: str) -> str:
    """Return the word's key for one cell; claim: "", held or taken. Pure."""
    if is_over:
        return "over"
    if claim:
        return claim
    if not is_open:
        return "closed"
    return "free" if pool == SlotRoom.Pool.GENERAL else "green"


def with_escorts(states: Sequence[str], escorts: int) -> list[str]:
    """Say "no escort" in the last free rooms for which none is left. Pure.

    states: of one slot's rooms, in order; escorts: how many are free in the slot.
    """
    found = []
    for state in states:
        if state in ("free", "green"):
            found.append(state if escorts > 0 else "no_escort")
            escorts -= 1
        else:
            found.append(state)
    return found


def day(facility: Facility, on: date, *, at: datetime) -> Day:
    """Read one day: every room but borrowable ones, every slot, in a few queries."""
    slots = list(Slot.objects.filter(facility=facility, on=on).order_by("sequence"))
    places = (
        SlotRoom.objects.filter(slot__in=slots)
        .exclude(pool=SlotRoom.Pool.BORROWED)
        .select_related("room")
        .order_by("room__code", "room_id")
    )
    by_slot: dict[int, list[SlotRoom]] = {slot.pk: [] for slot in slots}
    for place in places:
        by_slot[place.slot_id].append(place)
    live = Q(expires_at=None) | Q(expires_at__gt=at)
    claims = list(Claim.objects.filter(live, slot__in=slots, active=True))
    rooms_taken = {
        (claim.slot_id, claim.resource): "held" if claim.expires_at else "taken"
        for claim in claims
        if claim.kind == Claim.Kind.ROOM
    }
    escorts_taken = {
        (claim.slot_id, claim.resource) for claim in claims if claim.kind == Claim.Kind.ESCORT
    }
    duties = Duty.objects.filter(slot__in=slots, is_present=True)
    free_escorts = Counter(
        slot
        for slot, officer in duties.values_list("slot", "officer")
        if (slot, officer) not in escorts_taken
    )
    rows = tuple(
        _row(slot, by_slot[slot.pk], rooms_taken, free_escorts[slot.pk], at) for slot in slots
    )
    tickets = Ticket.objects.filter(facility=facility, on=on)
    called = tickets.filter(
        state=Ticket.State.CALLED, booking__state=Booking.State.CHECKED_IN
    ).select_related("booking__room")
    rooms = Room.objects.filter(facility=facility).exclude(kind=Room.Kind.INTERROGATION)
    return Day(
        on=on,
        rooms=tuple(rooms.order_by("code", "pk").values_list("code", flat=True)),
        rows=rows,
        called=tuple((t.number, t.booking.room.code) for t in called if t.booking),
        waiting=tickets.filter(state=Ticket.State.WAITING).count(),
    )


def as_data(shown: Day) -> dict[str, object]:
    """Return a day as plain data for the JSON door."""
    return {**asdict(shown), "free": shown.free, "next_free": shown.next_free}


def _row(
    slot: Slot,
    places: list[SlotRoom],
    taken: dict[tuple[int, int], str],
    escorts: int,
    at: datetime,
) -> Row:
    states = [
        state_of(
            is_over=slot.ends_at <= at,
            is_open=place.is_open,
            claim=taken.get((slot.pk, place.room_id), ""),
            pool=place.pool,
        )
        for place in places
    ]
    return Row(
        sequence=slot.sequence,
        begins_at=slot.begins_at,
        ends_at=slot.ends_at,
        cells=tuple(
            Cell(room=place.room.code, state=state)
            for place, state in zip(places, with_escorts(states, escorts), strict=True)
        ),
    )
