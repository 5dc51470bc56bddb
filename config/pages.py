"""Pages that join apps: home, sign-in, language, health."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render


def surroundings(request: HttpRequest) -> dict[str, Any]:
    """Give every template what the base page shows."""
    return {"gateway_is_stub": settings.GATEWAY == "stub"}


@login_not_required
def home(request: HttpRequest) -> HttpResponse:
    """Show the four doors: send money, book a visit, check a document, staff."""
    return render(request, "home.html")
