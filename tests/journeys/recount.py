"""What the rows say, counted by SQL of its own: nothing here asks the project's code."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from django.db import connection

# A booking that kept its place until the visit, whatever came of it there.
KEPT = "('booked','checked_in','in_room','completed','no_show','refused','terminated')"
BOOKINGS = f"""
FROM visits_booking b JOIN visits_slot s ON s.id = b.slot_id
WHERE s.facility_id = %(facility)s AND s."on" BETWEEN %(first)s AND %(last)s
  AND b.state IN {KEPT}"""
REQUESTS = """
FROM visits_request q WHERE q.facility_id = %(facility)s
  AND q.received_at >= %(begin)s AND q.received_at < %(end)s"""
PLACES = """
FROM visits_slotroom p JOIN visits_slot s ON s.id = p.slot_id JOIN visits_room r ON r.id = p.room_id
WHERE s.facility_id = %(facility)s AND s."on" BETWEEN %(first)s AND %(last)s
  AND p.is_open AND r.kind <> 'interrogation'"""


def rows(query: str, values: dict[str, object] | None = None) -> list[tuple]:
    """Run one query; moments and days are written as the database keeps them."""
    sent = {}
    for name, value in (values or {}).items():
        if isinstance(value, datetime):
            value = connection.ops.adapt_datetimefield_value(value)
        elif isinstance(value, date):
            value = connection.ops.adapt_datefield_value(value)
        sent[name] = value
    with connection.cursor() as cursor:
        cursor.execute(query, sent)
        return cursor.fetchall()


def minutes(later: str, earlier: str) -> str:
    """Return SQL for the minutes between two moments."""
    if connection.vendor == "sqlite":
        return f"ROUND((julianday({later}) - julianday({earlier})) * 1440)"
    return f"(EXTRACT(EPOCH FROM ({later} - {earlier})) / 60)"


def figures(facility: int, first: date, last: date, zone: ZoneInfo) -> dict[str, float | None]:
    """Count every figure of the page again, shares included."""
    midnight = datetime(first.year, first.month, first.day, tzinfo=zone)
    values = {
        "facility": facility,
        "first": first,
        "last": last,
        "begin": midnight,
        "end": midnight + timedelta(days=(last - first).days + 1),
    }

    def one(query: str) -> int:
        return int(rows(query, values)[0][0] or 0)

    has_booking = f"SELECT 1 FROM visits_booking b WHERE b.request_id = q.id AND b.state IN {KEPT}"
    wait = minutes("q.met_at", "q.clock_at")
    waits = [
        float(row[0]) / 60
        for row in rows(f"SELECT {wait} {REQUESTS} AND q.state = 'met' ORDER BY 1", values)
    ]
    rated = "SELECT count(*) FROM visits_rating t WHERE t.booking_id IN (SELECT b.id {}) {}"
    found: dict[str, float | None] = {
        "requests": one(f"SELECT count(*) {REQUESTS}"),
        "requests_online": one(f"SELECT count(*) {REQUESTS} AND q.channel = 'web'"),
        "requests_booked": one(f"SELECT count(*) {REQUESTS} AND EXISTS ({has_booking})"),
        "met": one(f"SELECT count(*) {REQUESTS} AND q.met_at IS NOT NULL"),
        "met_in_time": one(f"SELECT count(*) {REQUESTS} AND q.met_at <= q.due_at"),
        "breaches": one(
            f"SELECT count(*) FROM visits_breach x WHERE x.request_id IN (SELECT q.id {REQUESTS})"
        ),
        "hours_median": _nearest(waits, 50),
        "hours_p90": _nearest(waits, 90),
        "places": one(f"SELECT count(*) {PLACES}"),
        "places_taken": one(
            f"SELECT count(*) FROM (SELECT DISTINCT b.slot_id, b.room_id {BOOKINGS}"
            " AND NOT b.is_borrowed) taken"
        ),
        "visits": one(f"SELECT count(*) {BOOKINGS}"),
        "minutes_open": one(f"SELECT SUM({minutes('s.ends_at', 's.begins_at')}) {PLACES}"),
        "minutes_used": one(f"SELECT SUM({minutes('b.left_at', 'b.entered_at')}) {BOOKINGS}"),
        "no_shows": one(f"SELECT count(*) {BOOKINGS} AND b.state = 'no_show'"),
        "green": one(f"SELECT count(*) {BOOKINGS} AND b.is_green"),
        "displaced": one(
            "SELECT count(*) FROM visits_displacement d"
            " JOIN visits_booking b ON b.id = d.booking_id"
            " JOIN visits_slot s ON s.id = b.slot_id WHERE s.facility_id = %(facility)s"
            " AND s.\"on\" BETWEEN %(first)s AND %(last)s AND d.state = 'done'"
        ),
        "ratings": one(rated.format(BOOKINGS, "")),
        "satisfied": one(rated.format(BOOKINGS, "AND t.score >= 4")),
    }
    for share, part, whole in (
        ("in_time_share", "met_in_time", "met"),
        ("fill_share", "places_taken", "places"),
        ("use_share", "minutes_used", "minutes_open"),
        ("no_show_share", "no_shows", "visits"),
        ("online_share", "requests_online", "requests"),
        ("granted_share", "requests_booked", "requests"),
        ("green_share", "green", "visits"),
        ("satisfied_share", "satisfied", "ratings"),
    ):
        found[share] = found[part] / found[whole] if found[whole] else None
    return found


def _nearest(values: list[float], percent: int) -> float | None:
    """Return the smallest value that is not below `percent` of all of them."""
    enough = (v for v in values if sum(o <= v for o in values) * 100 >= percent * len(values))
    return min(enough, default=None)


def board(facility: int, on: date, at: datetime) -> list[list[str]]:
    """Say of each slot and room what the wall must show, from the bookings and not the claims."""
    found = rows(
        """
        SELECT s.sequence, CASE
            WHEN s.ends_at <= %(at)s THEN 'over'
            WHEN EXISTS (SELECT 1 FROM visits_booking b WHERE b.slot_id = s.id
                AND b.room_id = r.id AND b.state IN ('booked','checked_in','in_room')) THEN 'taken'
            WHEN EXISTS (SELECT 1 FROM visits_booking b WHERE b.slot_id = s.id AND b.room_id = r.id
                AND b.state = 'reserved' AND b.expires_at > %(at)s) THEN 'held'
            WHEN NOT p.is_open THEN 'closed'
            WHEN p.pool = 'general' THEN 'free' ELSE 'green' END
        FROM visits_slot s JOIN visits_slotroom p ON p.slot_id = s.id
        JOIN visits_room r ON r.id = p.room_id
        WHERE s.facility_id = %(facility)s AND s."on" = %(on)s AND r.kind <> 'interrogation'
        ORDER BY s.sequence, r.code
        """,
        {"facility": facility, "on": on, "at": at},
    )
    shown: list[list[str]] = [[] for _ in range(max((n for n, _s in found), default=0))]
    for sequence, state in found:
        shown[sequence - 1].append(state)
    return shown


def waiting_tickets(facility: int, on: date) -> int:
    return rows(
        "SELECT count(*) FROM visits_ticket WHERE facility_id = %(facility)s"
        " AND \"on\" = %(on)s AND state = 'waiting'",
        {"facility": facility, "on": on},
    )[0][0]


def claimed_twice() -> list[tuple]:
    """Return each resource that two claims held at the same moment of the past or now."""
    return rows(
        """
        SELECT a.kind, a.resource, a.slot_id, a.id, b.id FROM visits_claim a JOIN visits_claim b
        ON b.slot_id = a.slot_id AND b.kind = a.kind AND b.resource = a.resource AND b.id > a.id
        AND (a.ended_at IS NULL OR a.ended_at > b.made_at)
        AND (b.ended_at IS NULL OR b.ended_at > a.made_at)
        """
    )


def met_at_once() -> list[tuple]:
    """Return each room, escort, lawyer or detainee that was in two meetings at one moment."""
    pairs = """
        SELECT '{name}', a.id, b.id
        FROM visits_booking a JOIN visits_request qa ON qa.id = a.request_id
        JOIN detention_custody ca ON ca.id = qa.custody_id
        JOIN visits_booking b ON b.id > a.id JOIN visits_request qb ON qb.id = b.request_id
        JOIN detention_custody cb ON cb.id = qb.custody_id
        WHERE (b.left_at IS NULL OR a.entered_at < b.left_at)
          AND (a.left_at IS NULL OR b.entered_at < a.left_at)
          AND a.entered_at IS NOT NULL AND b.entered_at IS NOT NULL AND {same}
    """
    same = {
        "room": "a.room_id = b.room_id",
        "escort": "a.escort_id = b.escort_id",
        "lawyer": "qa.lawyer_id = qb.lawyer_id",
        "detainee": "ca.detainee_id = cb.detainee_id",
    }
    return [row for name, test in same.items() for row in rows(pairs.format(name=name, same=test))]


def badly_held() -> list[tuple]:
    """Return the bookings that do not hold exactly their four resources, for as long as they stand.

    One that is over or ended holds none; only a reservation's claims have an end.
    """
    return rows(
        """
        SELECT b.id FROM visits_booking b JOIN visits_request q ON q.id = b.request_id
        JOIN detention_custody c ON c.id = q.custody_id
        WHERE (SELECT count(*) FROM visits_claim k WHERE k.booking_id = b.id AND k.active
            AND k.slot_id = b.slot_id AND (k.kind, k.resource) IN (
                ('room', b.room_id), ('escort', b.escort_id),
                ('lawyer', q.lawyer_id), ('detainee', c.detainee_id))
            AND (k.expires_at IS NULL OR b.state = 'reserved'))
        <> CASE WHEN b.state IN ('reserved','booked','checked_in','in_room') THEN 4 ELSE 0 END
        """
    )
