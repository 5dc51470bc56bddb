"""Pages that join apps: home, start, help, language, text size, the pages for trouble."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.functional import SimpleLazyObject
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import check_for_language
from django.utils.translation import gettext as _
from django.views import defaults
from django.views.decorators.http import require_POST
from django.views.i18n import set_language as django_set_language
from ninja.errors import HttpError

from config import doors, problems
from detention import access
from detention.models import Facility, Role, User

LANGUAGE_CHOSEN = "language_chosen"
TEXT_COOKIE = "text"


def surroundings(request: HttpRequest) -> dict[str, Any]:
    """Give every template what the base page shows."""
    return {
        "gateway_is_stub": settings.GATEWAY == "stub",
        "large_text": request.COOKIES.get(TEXT_COOKIE) == "large",
        "facility": SimpleLazyObject(lambda: access.facility_of(request)),
        "facilities": SimpleLazyObject(lambda: _facilities(request)),
        "role_names": SimpleLazyObject(lambda: _role_names(request)),
        "person_doors": doors.PERSON_DOORS,
        "doors": SimpleLazyObject(lambda: doors.open_doors(request)),
    }


def _facilities(request: HttpRequest) -> list[Facility]:
    """Return the facilities between which the officer can choose."""
    if not isinstance(request.user, User):
        return []
    return list({a.facility.pk: a.facility for a in access.appointments(request.user)}.values())


def _role_names(request: HttpRequest) -> list[str]:
    return [str(Role(role).label) for role in sorted(access.roles_of(request))]


@login_not_required
def home(request: HttpRequest) -> HttpResponse:
    """Show the four doors: send money, book a visit, check a document, staff."""
    return render(request, "home.html")


def start(request: HttpRequest) -> HttpResponse:
    """Show a signed-in person everything that their roles open."""
    tiles = [door for door in doors.open_doors(request) if door.door.view != "start"]
    return render(request, "start.html", {"tiles": tiles})


@login_not_required
def help_page(request: HttpRequest) -> HttpResponse:
    """Answer the questions that people ask first."""
    return render(request, "help.html")


@login_not_required
@require_POST
def set_language(request: HttpRequest) -> HttpResponseBase:
    """Switch the language, keep the page, and remember the choice of a signed-in person."""
    language = request.POST.get("language", "")
    if language in dict(settings.LANGUAGES) and check_for_language(language):
        if isinstance(request.user, User):
            request.user.language = language
            request.user.save(update_fields=["language"])
        else:
            request.session[LANGUAGE_CHOSEN] = language
    return django_set_language(request)


@login_not_required
@require_POST
def set_text_size(request: HttpRequest) -> HttpResponse:
    """Switch between normal and large text on this browser."""
    back = request.POST.get("next", "")
    if not url_has_allowed_host_and_scheme(back, allowed_hosts={request.get_host()}):
        back = "/"
    answer = redirect(back)
    size = "large" if request.POST.get("size") == "large" else "normal"
    answer.set_cookie(TEXT_COOKIE, size, max_age=365 * 24 * 3600, samesite="Lax", httponly=True)
    return answer


def _asks_json(request: HttpRequest) -> bool:
    """Programs get a problem they can read where people get a page."""
    return request.path.startswith("/api/")


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    if _asks_json(request):
        return problems.of_http(request, HttpError(400, ""))
    return defaults.bad_request(request, exception)


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    if _asks_json(request):
        return problems.of_denial(request, exception)
    return defaults.permission_denied(request, exception)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    if _asks_json(request):
        return problems.of_absence(request, exception)
    return defaults.page_not_found(request, exception)


def broken(request: HttpRequest) -> HttpResponse:
    if _asks_json(request):
        return problems.problem(500, "broken", _("Something went wrong on our side."))
    return defaults.server_error(request)
