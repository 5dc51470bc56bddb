"""Forty lawyers from their papers to the evening of the visits, counted again by plain SQL."""

from __future__ import annotations

import csv
import re
from datetime import timedelta
from uuid import uuid4

import pytest
import time_machine
from django.urls import reverse

from detention.models import Role
from tests import situations as people
from tests.journeys import recount
from tests.journeys.lawyers import (
    LAWYERS,
    MONDAY,
    SATURDAY,
    SUNDAY,
    TUESDAY,
    ZONE,
    Days,
    local,
)
from tests.queue import run_queued
from visits.models import Booking, Credential, Mandate, Notice, Request, Slot

pytestmark = pytest.mark.django_db

LATE, AID, WAITER, DAWDLER, LAST, URGENT, SECOND_WAITER = 39, 27, 28, 29, 30, 31, 32
VICTIM, MOVER, CANCELLER, LEAVER = 21, 24, 22, 25
GONE, ABSENT, REFUSED, STOPPED, LATER = 12, 15, 18, 26, 37
WALK_INS, CO_ACCUSED, WITHDRAWN = (33, 34, 35), 36, 38


@pytest.fixture
def days(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path / "files"
    register = tmp_path / "register.csv"
    register.write_text("kind,number,licence_number,name,valid_until,status\n", encoding="utf-8")
    settings.LAWYER_REGISTER = str(register)
    with time_machine.travel(local(SATURDAY, 8), tick=False) as clock:
        yield Days(clock, register)


def test_forty_lawyers_days_agree_with_separate_sql(days):
    days.open_house()
    _the_weekend_before(days)
    _papers_and_mandates(days)
    _the_rush(days)
    _changes_of_mind(days)
    _agree(days, SUNDAY)

    _the_morning(days)
    _agree(days, MONDAY)
    _the_visits_until_noon(days)
    _the_afternoon(days)
    _agree(days, MONDAY)

    days.later(MONDAY, 20)
    _agree(days, MONDAY)
    found = _figures(days, MONDAY, MONDAY)
    assert (found["no_shows"], found["displaced"], found["green"]) == ("1", "1", "2")
    _page_agrees(days, found)
    found = _figures(days, SATURDAY, TUESDAY)
    assert (found["breaches"], found["requests"]) == ("1", str(Request.objects.count()))
    assert len(days.pairs) == LAWYERS


def _the_weekend_before(days):
    """One lawyer's letter is in no register, so only an officer can accept it: the clock runs."""
    late = days.arrive(LATE, silent="power")
    days.later(SATURDAY, 9)
    days.ask_mandate(late, late.client)
    days.ask(late)
    assert days.request_of(late).state == "checking"


def _papers_and_mandates(days):
    days.later(SUNDAY, 11)
    for serial in range(LAWYERS - 1):
        pair = days.arrive(serial, aid=serial == AID)
        days.ask_mandate(pair, pair.client)
    waiting = Credential.objects.filter(state="checking").get()
    days.send(days.desk, "desk_paper", waiting.public_id, answer="accept")
    _co_accused(days, days.pairs[CO_ACCUSED])


def _co_accused(days, pair):
    """Two clients of one case, two of another: one mandate is refused, one cleared by name."""
    others = [days.pairs[serial].client for serial in (WALK_INS[2], LATER)]
    for number, held in zip(("K1", "K2"), others, strict=True):
        for party in (held, pair.client):
            days.send(
                days.desk,
                "desk_cases",
                number=number,
                stage="trial",
                category="ordinary",
                party=party.number,
            )
    refused, cleared = (days.ask_mandate(pair, held) for held in others)
    assert (refused.state, cleared.state) == ("conflict", "conflict")
    days.send(days.desk, "desk_mandate", refused.public_id, answer="refuse", reason="co-accused")
    days.send(days.desk, "desk_mandate", cleared.public_id, answer="clear")
    run_queued()
    states = Mandate.objects.filter(lawyer__user=pair.user).order_by("pk")
    assert list(states.values_list("state", flat=True)) == ["live", "refused", "live"]
    assert Mandate.objects.filter(state="live").count() == LAWYERS + 1


def _the_rush(days):
    """Nine slots are filled through the portal; one lawyer uses the letter of legal aid."""
    days.later(SUNDAY, 14)
    for serial in range(27):
        days.ask(days.pairs[serial])
        days.book(days.pairs[serial], days.slots[serial // 3])
    aid, waiter, dawdler, last = (days.pairs[n] for n in (AID, WAITER, DAWDLER, LAST))
    asked = days.ask(aid)
    days.send(aid.user, "use_green", asked.public_id)
    assert days.book(aid, days.slots[0]).room.code == "R4"
    days.ask(waiter)
    days.wait(waiter)
    days.ask(dawdler)
    days.hold(dawdler, days.slots[9])
    asked = days.ask(last)
    sent = {"slot": days.slots[0].pk, "key": uuid4()}
    full = days.send(last.user, "lawyer_request", asked.public_id, status=422, **sent)
    assert full.context["nearest"][0] == days.slots[9]
    days.book(last, days.slots[9])
    _agree(days, SUNDAY)


def _changes_of_mind(days):
    """A displacement, a move, two cancellations, and each freed place goes to who waits."""
    days.later(SUNDAY, 14, 12)
    assert days.request_of(days.pairs[DAWDLER]).bookings.get().state == "expired"
    assert days.booking_of(days.pairs[WAITER]).slot == days.slots[9]
    _displaced(days, days.pairs[URGENT], days.pairs[VICTIM])
    days.ask(days.pairs[SECOND_WAITER])
    days.wait(days.pairs[SECOND_WAITER])
    tuesday = list(Slot.objects.filter(facility=days.facility, on=TUESDAY))
    days.book(days.pairs[MOVER], tuesday[0])
    assert days.booking_of(days.pairs[SECOND_WAITER]).slot == days.slots[8]
    late = days.pairs[LATE]
    assert days.ask(late).offers.latest("pk").within_due == 0
    days.wait(late)
    days.cancel(days.pairs[CANCELLER])
    assert days.booking_of(late).slot == days.slots[7]
    days.cancel(days.pairs[LEAVER])
    asked = days.ask(days.pairs[WITHDRAWN])
    days.send(days.pairs[WITHDRAWN].user, "withdraw_wish", asked.public_id)
    later = days.pairs[LATER]
    due = days.ask(later).due_at
    slot = tuesday[8]
    days.book(later, slot)
    assert (due, days.request_of(later).due_at) == (local(TUESDAY, 14, 12), slot.ends_at)


def _displaced(days, urgent, victim):
    days.ask(urgent)
    old = days.booking_of(victim)
    proposed = days.propose(urgent, victim)
    days.send(days.desk, "desk_displacement", proposed.pk, answer="approve", status=403)
    assert days.booking_of(victim) == old

    days.send(days.second, "desk_displacement", proposed.pk, answer="approve")

    new, taken = days.booking_of(victim), days.booking_of(urgent)
    assert (taken.slot, taken.room, taken.is_green) == (old.slot, old.room, True)
    assert new.slot.begins_at <= old.slot.begins_at + timedelta(hours=24)
    assert new.slot.begins_at <= new.request.due_at
    assert _told(victim, "moved", new).detail == "displaced"


def _told(pair, code, booking):
    return Notice.objects.get(lawyer__user=pair.user, code=code, booking=booking)


def _the_morning(days):
    """One client is released, one room closed and another at the end of the day."""
    days.later(MONDAY, 7, 30)
    gone = days.booking_of(days.pairs[GONE])
    days.release(days.pairs[GONE])
    gone.refresh_from_db()
    assert (gone.state, gone.reason) == ("cancelled", "client_gone")
    assert days.request_of(days.pairs[GONE]).state == "ended"
    assert _told(days.pairs[GONE], "client_gone", gone).at == days.now

    days.later(MONDAY, 7, 35)
    standing = Booking.objects.filter(slot__in=days.slots[:4], room__code="R2", state="booked")
    homeless = [booking.request for booking in standing.select_related("request")]
    days.close_room("R2", local(MONDAY, 7, 50), local(MONDAY, 11, 20))
    assert len(homeless) == 4
    assert not standing.exists()
    for request in homeless:
        found = Booking.objects.get(request=request, state="booked")
        assert found.slot.begins_at <= request.due_at
        told = Notice.objects.get(booking=found, code__in=["moved", "room_changed"])
        assert (told.lawyer, told.at) == (request.lawyer, days.now)

    stopped = days.booking_of(days.pairs[STOPPED])
    days.close_room(stopped.room.code, local(MONDAY, 16), local(MONDAY, 17))
    moved = days.booking_of(days.pairs[STOPPED])
    assert (moved.pk, moved.slot) == (stopped.pk, stopped.slot)
    assert moved.room != stopped.room
    assert _told(days.pairs[STOPPED], "room_changed", moved).at == days.now


def _the_visits_until_noon(days):
    for slot in days.slots[:5]:
        days.begin(slot)
        days.finish(slot)
    assert Booking.objects.filter(slot__in=days.slots[:5], state="booked").count() == 0


def _the_afternoon(days):
    """Walk-ins take what is free, what a no-show leaves, and what a refusal leaves."""
    first, second, third = (days.pairs[serial] for serial in WALK_INS)
    absent, refused = days.pairs[ABSENT], days.pairs[REFUSED]
    days.later(MONDAY, 13)
    numbers = [days.ticket(pair).number for pair in (first, second, third)]
    assert numbers == [1, 2, 3]
    missed = days.booking_of(absent)

    days.begin(days.slots[5], absent=ABSENT)
    assert days.call().request == days.request_of(first)
    _agree(days, MONDAY)
    days.act(days.booking_of(first), "enter")
    days.later(MONDAY, 13, 44)
    assert days.booking_of(absent) == missed
    days.later(MONDAY, 13, 45)
    missed.refresh_from_db()
    refilled = days.booking_of(second)
    assert (missed.state, refilled.state) == ("no_show", "checked_in")
    assert (refilled.slot, refilled.room) == (missed.slot, missed.room)
    days.act(refilled, "enter")
    assert days.scan(missed) == "late"
    assert days.ticket(absent).is_late_booker
    _agree(days, MONDAY)
    days.finish(days.slots[5])

    days.begin(days.slots[6], stays_out=REFUSED)
    assert days.call().request == days.request_of(absent)
    days.act(days.booking_of(absent), "enter")
    unwanted = days.booking_of(refused)
    assert days.act(unwanted, "refuse", witness=days.second.pk).state == "refused"
    assert days.booking_of(third).room == unwanted.room
    days.act(days.booking_of(third), "enter")
    left = days.ticket(days.pairs[CO_ACCUSED])
    days.send(days.desk, "ticket_left", left.pk)
    days.finish(days.slots[6])

    for slot in days.slots[7:]:
        days.begin(slot)
        if slot == days.slots[8]:
            inside = Booking.objects.get(request=days.request_of(days.pairs[STOPPED]))
            days.act(inside, "stop", report_number="B-1")
        days.finish(slot)


def _figures(days, first, last):
    """Return the figures of the CSV by name, as written."""
    auditor = people.officer(days.facility, Role.AUDITOR)
    address = reverse("visit_figures_csv") + f"?first={first}&last={last}"
    text = days.browser(auditor).get(address).content.decode("utf-8-sig")
    return {row["name"]: row["value"] for row in csv.DictReader(text.splitlines())}


def _page_agrees(days, written):
    """Compare what a reader sees on the page with the lines of the CSV."""
    auditor = people.officer(days.facility, Role.AUDITOR)
    page = days.browser(auditor).get(
        reverse("visit_figures"), {"first": f"{MONDAY}", "last": f"{MONDAY}"}
    )
    shown = re.findall(r'<td class="number">(.*?)</td>', page.content.decode())
    assert shown == [_as_shown(name, value) for name, value in written.items()]


def _as_shown(name, value):
    if name.endswith("_share"):
        return f"{float(value) * 100:.1f} %"
    return f"{float(value):.1f}" if name.startswith("hours") else f"{int(value):,}"


def _agree(days, today):
    """Compare board and figures with SQL of the test's own; nothing may be claimed twice."""
    facility = days.facility.pk
    address = reverse("board_data", args=[days.facility.code])
    shown = days.browser(days.desk).get(address, {"day": (MONDAY - today).days}).json()
    cells = recount.board(facility, MONDAY, days.now)
    assert [[cell["state"] for cell in row["cells"]] for row in shown["rows"]] == cells
    assert shown["free"] == sum(row.count("free") for row in cells)
    assert shown["waiting"] == recount.waiting_tickets(facility, MONDAY)

    for first, last in ((MONDAY, MONDAY), (SATURDAY, TUESDAY), (SUNDAY, SUNDAY)):
        counted = recount.figures(facility, first, last, ZONE)
        written = _figures(days, first, last)
        assert written == {name: _as_text(counted[name]) for name in written}

    assert recount.claimed_twice() == []
    assert recount.met_at_once() == []
    assert recount.badly_held() == []


def _as_text(value):
    return "" if value is None else str(round(value, 4))
