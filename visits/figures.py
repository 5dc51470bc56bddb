"""How well visits work, in figures that anybody can recompute from the rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import date, timedelta
from typing import Any

from django.db.models import Count, Q
from django.utils.translation import gettext_lazy as _

from detention.models import Facility
from visits.models import (
    Booking,
    Breach,
    Displacement,
    Rating,
    Request,
    SlotRoom,
)

# States of a booking that took its place until the visit, whatever came of it there.
KEPT = (
    Booking.State.BOOKED,
    Booking.State.CHECKED_IN,
    Booking.State.IN_ROOM,
    Booking.State.COMPLETED,
    Booking.State.NO_SHOW,
    Booking.State.REFUSED,
    Booking.State.TERMINATED,
)


@dataclass(frozen=True, kw_only=True)
class Figures:
    """One period of one facility. Hours and shares are None when there is nothing to divide.

    Requests count by the day on which they came, places and visits by the day of the slot.
    visits: bookings that stood until the visit, whatever came of it. places_taken: open places
    with at least one of these, so that a place refilled after a no-show counts once.
    """

    requests: int
    requests_online: int
    requests_booked: int
    met: int
    met_in_time: int
    breaches: int
    hours_median: float | None
    hours_p90: float | None
    places: int
    places_taken: int
    visits: int
    minutes_open: int
    minutes_used: int
    no_shows: int
    green: int
    displaced: int
    ratings: int
    satisfied: int

    @property
    def in_time_share(self) -> float | None:
        return share(self.met_in_time, self.met)

    @property
    def fill_share(self) -> float | None:
        return share(self.places_taken, self.places)

    @property
    def use_share(self) -> float | None:
        return share(self.minutes_used, self.minutes_open)

    @property
    def no_show_share(self) -> float | None:
        return share(self.no_shows, self.visits)

    @property
    def online_share(self) -> float | None:
        return share(self.requests_online, self.requests)

    @property
    def granted_share(self) -> float | None:
        return share(self.requests_booked, self.requests)

    @property
    def green_share(self) -> float | None:
        return share(self.green, self.visits)

    @property
    def satisfied_share(self) -> float | None:
        return share(self.satisfied, self.ratings)


LABELS = {
    "requests": _("Requests"),
    "requests_online": _("of these online"),
    "requests_booked": _("of these with a booking"),
    "met": _("Meetings"),
    "met_in_time": _("of these within the time by law"),
    "breaches": _("Not met in time"),
    "hours_median": _("Hours until the meeting, median"),
    "hours_p90": _("Hours until the meeting, nine of ten"),
    "places": _("Open places"),
    "places_taken": _("of these taken"),
    "visits": _("Visits that stood until their time"),
    "minutes_open": _("Open minutes"),
    "minutes_used": _("Minutes in which a room was used"),
    "no_shows": _("No-shows"),
    "green": _("Green-channel visits"),
    "displaced": _("Displaced visits"),
    "ratings": _("Answers about satisfaction"),
    "satisfied": _("of these satisfied (4 or 5 of 5)"),
    "in_time_share": _("48-hour rate"),
    "fill_share": _("Slot fill (booking rate, third reading)"),
    "use_share": _("Room use"),
    "no_show_share": _("No-show share"),
    "online_share": _("Online share (booking rate, first reading)"),
    "granted_share": _("Granted share (booking rate, second reading)"),
    "green_share": _("Green-channel share"),
    "satisfied_share": _("Satisfaction"),
}
SHARES = tuple(name for name in LABELS if name.endswith("_share"))


def share(part: int, whole: int) -> float | None:
    """Return part ÷ whole, or None when there is no whole."""
    return part / whole if whole else None


def percentile(values: Sequence[float], rank: float) -> float | None:
    """Return the nearest-rank percentile of sorted values; rank between 0 and 1. Pure."""
    if not values:
        return None
    return values[min(len(values) - 1, max(0, -(-int(rank * 100) * len(values) // 100) - 1))]


def compute(facility: Facility, *, first: date, last: date) -> Figures:
    """Count one period, both days included. Reads only."""
    asked = Request.objects.filter(
        facility=facility, received_at__date__gte=first, received_at__date__lte=last
    )
    met = asked.filter(state=Request.State.MET)
    waits = sorted(
        (met_at - clock_at) / timedelta(hours=1)
        for met_at, clock_at in met.values_list("met_at", "clock_at")
        if met_at is not None
    )
    due = met.values_list("met_at", "due_at")
    booked = Booking.objects.filter(
        request__facility=facility, slot__on__gte=first, slot__on__lte=last, state__in=KEPT
    )
    places = SlotRoom.objects.filter(
        slot__facility=facility, slot__on__gte=first, slot__on__lte=last, is_open=True
    ).exclude(pool=SlotRoom.Pool.BORROWED)
    spans = places.values_list("slot__begins_at", "slot__ends_at")
    used = booked.filter(left_at__isnull=False).values_list("entered_at", "left_at")
    counted = booked.aggregate(
        visits=Count("pk"),
        no_shows=Count("pk", filter=Q(state=Booking.State.NO_SHOW)),
        green=Count("pk", filter=Q(is_green=True)),
    )
    ratings = Rating.objects.filter(booking__in=booked)
    return Figures(
        requests=asked.count(),
        requests_online=asked.filter(channel=Request.Channel.WEB).count(),
        requests_booked=asked.filter(bookings__state__in=KEPT).distinct().count(),
        met=met.count(),
        met_in_time=sum(met_at is not None and met_at <= due_at for met_at, due_at in due),
        breaches=Breach.objects.filter(request__in=asked).count(),
        hours_median=percentile(waits, 0.5),
        hours_p90=percentile(waits, 0.9),
        places=places.count(),
        places_taken=booked.filter(is_borrowed=False).values("slot", "room").distinct().count(),
        visits=counted["visits"],
        minutes_open=sum(_minutes(ends - begins) for begins, ends in spans),
        minutes_used=sum(_minutes(left - entered) for entered, left in used if entered and left),
        no_shows=counted["no_shows"],
        green=counted["green"],
        displaced=Displacement.objects.filter(
            request__facility=facility,
            state=Displacement.State.DONE,
            booking__slot__on__gte=first,
            booking__slot__on__lte=last,
        ).count(),
        ratings=ratings.count(),
        satisfied=ratings.filter(score__gte=4).count(),
    )


def _minutes(span: timedelta) -> int:
    return int(span / timedelta(minutes=1))


@dataclass(frozen=True, kw_only=True)
class Line:
    """One figure as it is shown. share: between 0 and 1, only for shares."""

    name: str
    label: Any
    value: int | float | None

    @property
    def share(self) -> float | None:
        return self.value if self.name in SHARES else None

    @property
    def bar(self) -> str:
        """Return the share for a bar, with a point whatever the language."""
        return f"{self.share or 0:.4f}"

    @property
    def shown(self) -> str:
        """Return the value in words of the page: a percentage, hours with one decimal, a count."""
        if self.value is None:
            return "—"
        if self.name in SHARES:
            return f"{self.value * 100:.1f} %"
        return f"{self.value:.1f}" if isinstance(self.value, float) else f"{self.value:,}"


def rows(figures: Figures) -> list[Line]:
    """Return every figure, counts before shares."""
    names = [field.name for field in fields(figures)] + list(SHARES)
    return [Line(name=name, label=LABELS[name], value=getattr(figures, name)) for name in names]
