"""The public board: a wall screen and a phone page, without any name."""

from __future__ import annotations

import hashlib
import json
from datetime import timedelta

from django.contrib.auth.decorators import login_not_required
from django.core.serializers.json import DjangoJSONEncoder
from django.http import HttpRequest, HttpResponse, HttpResponseNotModified
from django.shortcuts import get_object_or_404, render
from django.utils import timezone

from detention.models import Facility
from visits import board, timetable


@login_not_required
def boards(request: HttpRequest) -> HttpResponse:
    """List the facilities that receive lawyers."""
    found = Facility.objects.filter(slots__isnull=False).distinct().order_by("code")
    return render(request, "visits/board/boards.html", {"facilities": found})


@login_not_required
def show(request: HttpRequest, code: str) -> HttpResponse:
    """Show today, or another day with `?day=1`; reloads itself, and says how old it is."""
    facility, shown, at, ahead = _read(request, code)
    template = "visits/board/day.html" if "part" in request.GET else "visits/board/board.html"
    return render(
        request,
        template,
        {"facility": facility, "day": shown, "now": at, "ahead": ahead, "words": board.WORDS},
    )


@login_not_required
def data(request: HttpRequest, code: str) -> HttpResponse:
    """Answer with the day as JSON; 304 while nothing changed."""
    facility, shown, _at, _ahead = _read(request, code)
    body = json.dumps(
        {"facility": facility.code, **board.as_data(shown)}, cls=DjangoJSONEncoder
    ).encode()
    tag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
    answer: HttpResponse
    if request.headers.get("If-None-Match") == tag:
        answer = HttpResponseNotModified()
    else:
        answer = HttpResponse(body, content_type="application/json")
    answer["ETag"] = tag
    answer["Cache-Control"] = "no-cache"
    return answer


def _read(request: HttpRequest, code: str) -> tuple[Facility, board.Day, object, int]:
    facility = get_object_or_404(Facility, code=code)
    at = timezone.now()
    asked = request.GET.get("day", "0")
    ahead = int(asked) if asked.isascii() and asked.isdigit() and len(asked) < 3 else 0
    on = timetable.today(facility, at) + timedelta(days=min(ahead, 14))
    return facility, board.day(facility, on, at=at), at, min(ahead, 14)
