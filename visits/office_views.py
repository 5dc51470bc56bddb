"""The administrator's rooms, hours and escorts; the figures for everybody who answers for them."""

from __future__ import annotations

import csv
from datetime import datetime, time, timedelta

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.utils.translation import gettext as _

from detention import access
from detention.forms import refusals_on
from detention.models import Facility, Role
from detention.views import page
from visits import figures, timetable
from visits.forms import (
    CalendarDayForm,
    CloseRoomForm,
    DutyForm,
    HoursForm,
    IllForm,
    PeriodForm,
    RoomForm,
)
from visits.models import (
    Booking,
    CalendarDay,
    DayKind,
    Duty,
    Room,
    RoomClosure,
    StandingDuty,
    Timetable,
)

ADMINISTRATOR = (Role.ADMINISTRATOR,)
READERS = (Role.ADMINISTRATOR, Role.AUDITOR)


@access.officers(*ADMINISTRATOR)
def rooms(request: HttpRequest) -> HttpResponse:
    """List the rooms with their closures; add one."""
    facility = access.desk(request)
    form = RoomForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        with refusals_on(form):
            timetable.add_room(
                facility,
                code=form.cleaned_data["code"],
                kind=Room.Kind(form.cleaned_data["kind"]),
                by=access.signed_in(request),
                at=timezone.now(),
            )
            return redirect("visit_rooms")
    now = timezone.now()
    closures = RoomClosure.objects.filter(room__facility=facility, ends_at__gt=now)
    return page(
        request,
        "visits/office/rooms.html",
        form,
        rooms=Room.objects.filter(facility=facility).order_by("code"),
        closures=closures.select_related("room").order_by("begins_at"),
    )


@access.officers(*ADMINISTRATOR)
def close_room(request: HttpRequest, pk: int) -> HttpResponse:
    """Close a room for a time; the visits that stand in it are listed before."""
    room = get_object_or_404(Room, pk=pk, facility=access.desk(request))
    form = CloseRoomForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        with refusals_on(form):
            timetable.close_room(
                room, **form.cleaned_data, by=access.signed_in(request), at=timezone.now()
            )
            messages.success(request, _("Closed. The visits in it get other places."))
            return redirect("visit_rooms")
    standing = Booking.objects.filter(
        room=room, state=Booking.State.BOOKED, slot__ends_at__gt=timezone.now()
    )
    return page(
        request,
        "visits/office/close_room.html",
        form,
        room=room,
        standing=standing.select_related("slot").order_by("slot__begins_at")[:50],
    )


@access.officers(*ADMINISTRATOR)
def hours(request: HttpRequest) -> HttpResponse:
    """Show the hours in force and to come; publish a new version, set a single day."""
    facility = access.desk(request)
    by, at = access.signed_in(request), timezone.now()
    is_day = "on" in request.POST
    form = HoursForm(request.POST if request.method == "POST" and not is_day else None)
    day_form = CalendarDayForm(request.POST if is_day else None)
    if form.is_bound and form.is_valid():
        with refusals_on(form):
            typed = form.cleaned_data
            timetable.publish(
                facility,
                day_kind=DayKind(typed["day_kind"]),
                effective_on=typed["effective_on"],
                times=typed["times"],
                by=by,
                at=at,
            )
            return redirect("visit_hours")
    if day_form.is_bound and day_form.is_valid():
        with refusals_on(day_form):
            typed = day_form.cleaned_data
            timetable.set_day(
                facility,
                typed["on"],
                kind=DayKind(typed["kind"]),
                note=typed["note"],
                by=by,
                at=at,
            )
            return redirect("visit_hours")
    today = timetable.today(facility, at)
    return page(
        request,
        "visits/office/hours.html",
        day_form if day_form.errors else form,
        hours_form=form,
        day_form=day_form,
        timetables=Timetable.objects.filter(facility=facility)
        .prefetch_related("lines")
        .order_by("day_kind", "-effective_on"),
        days=CalendarDay.objects.filter(facility=facility, on__gte=today).order_by("on"),
    )


@access.officers(*ADMINISTRATOR)
def escorts(request: HttpRequest) -> HttpResponse:
    """Show the weekly roster; change it, or take somebody off for a day."""
    facility = access.desk(request)
    by, at = access.signed_in(request), timezone.now()
    is_ill = "on" in request.POST
    posted = request.POST if request.method == "POST" else None
    form = DutyForm(None if is_ill else posted, facility=facility)
    ill_form = IllForm(posted if is_ill else None, facility=facility)
    if form.is_bound and form.is_valid():
        with refusals_on(form):
            typed = dict(form.cleaned_data)
            timetable.stand_duty(facility, typed.pop("officer"), **typed, by=by, at=at)
            return redirect("visit_escorts")
    if ill_form.is_bound and ill_form.is_valid():
        with refusals_on(ill_form):
            begins_at = datetime.combine(
                ill_form.cleaned_data["on"], time(), tzinfo=timetable.zone(facility)
            )
            timetable.report_ill(
                facility,
                ill_form.cleaned_data["officer"],
                begins_at=begins_at,
                ends_at=begins_at + timedelta(days=1),
                by=by,
                at=at,
            )
            messages.success(request, _("Written down. The visits get other escorts."))
            return redirect("visit_escorts")
    away = Duty.objects.filter(slot__facility=facility, is_present=False, slot__ends_at__gt=at)
    return page(
        request,
        "visits/office/escorts.html",
        ill_form if ill_form.errors else form,
        duty_form=form,
        ill_form=ill_form,
        duties=StandingDuty.objects.filter(facility=facility)
        .select_related("officer")
        .order_by("weekday", "officer__name"),
        away=away.values_list("officer__name", "slot__on").distinct().order_by("slot__on"),
    )


@access.officers(*READERS)
def show_figures(request: HttpRequest) -> HttpResponse:
    """Show the figures of a period; the last 30 days unless another one is chosen."""
    facility = access.desk(request)
    form = _period(request, facility)
    found = figures.compute(facility, **form.cleaned_data) if form.is_valid() else None
    return page(
        request,
        "visits/office/figures.html",
        form,
        rows=figures.rows(found) if found else [],
        query=request.GET.urlencode(),
    )


def _period(request: HttpRequest, facility: Facility) -> PeriodForm:
    today = timetable.today(facility, timezone.now())
    usual = {"first": (today - timedelta(days=29)).isoformat(), "last": today.isoformat()}
    return PeriodForm(request.GET if "first" in request.GET else usual)


@access.officers(*READERS)
def figures_csv(request: HttpRequest) -> HttpResponse:
    """Send the figures as CSV: UTF-8 with a mark for spreadsheets, one figure a line."""
    facility = access.desk(request)
    form = _period(request, facility)
    if not form.is_valid():
        return redirect("visit_figures")
    answer = HttpResponse("\ufeff", content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = 'attachment; filename="visits.csv"'
    writer = csv.writer(answer)
    first, last = form.cleaned_data["first"], form.cleaned_data["last"]
    writer.writerow(["facility", "first", "last", "name", "label", "value"])
    for line in figures.rows(figures.compute(facility, first=first, last=last)):
        value = "" if line.value is None else round(line.value, 4)
        writer.writerow([facility.code, first, last, line.name, line.label, value])
    return answer
