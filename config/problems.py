"""How the JSON doors say no: one shape (RFC 9457 problem+json), in the asker's language."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from django.core.exceptions import PermissionDenied
from django.core.serializers.json import DjangoJSONEncoder
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.utils.translation import gettext as _
from ninja import NinjaAPI
from ninja.errors import HttpError, ValidationError

from detention.errors import NotAllowed, NotFound, Refusal
from detention.verbs import keep_record


class _Encoder(DjangoJSONEncoder):
    """Facts may hold lazy translations and odd values; the answer must not fail over them."""

    def default(self, o: Any) -> Any:
        try:
            return super().default(o)
        except TypeError:
            return str(o)


def problem(status: int, code: str, detail: str, **more: Any) -> HttpResponse:
    """Build the answer. code: stable, for programs; detail: one sentence, for people."""
    body = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "code": code,
        "detail": detail,
        **more,
    }
    answer = JsonResponse(
        body,
        status=status,
        encoder=_Encoder,
        content_type="application/problem+json",
        json_dumps_params={"ensure_ascii": False},
    )
    answer["Cache-Control"] = "no-store"
    if status == HTTPStatus.UNAUTHORIZED:
        answer["WWW-Authenticate"] = "Bearer"
    return answer


def of_refusal(request: HttpRequest, refusal: Refusal) -> HttpResponse:
    """Answer a refusal; what it must keep is written first."""
    keep_record(refusal)
    more: dict[str, Any] = {"facts": refusal.facts} if refusal.facts else {}
    if refusal.field:
        more["field"] = refusal.field
    return problem(refusal.status, refusal.code, refusal.text(), **more)


def of_shape(request: HttpRequest, error: ValidationError) -> HttpResponse:
    """Answer values of the wrong form; says where and why, never repeats what was sent."""
    errors = [
        {"field": ".".join(str(part) for part in one["loc"][1:]), "code": one["type"]}
        for one in error.errors
    ]
    return problem(422, "invalid", _("Some values do not have the right form."), errors=errors)


def of_http(request: HttpRequest, error: HttpError) -> HttpResponse:
    """Answer what the API framework itself refuses: no token, a body that is no JSON."""
    code, detail = _framework_words().get(error.status_code, ("refused", _("This cannot be done.")))
    return problem(error.status_code, code, detail)


def _framework_words() -> dict[int, tuple[str, str]]:
    return {
        400: ("unreadable", _("The request is not readable JSON.")),
        401: ("token_needed", _("A valid token is needed.")),
        403: ("not_allowed", str(NotAllowed.message)),
        404: ("not_found", str(NotFound.message)),
        429: ("too_many_tries", _("Too many tries. Wait a little, then try again.")),
    }


def of_absence(request: HttpRequest, error: Exception) -> HttpResponse:
    return of_http(request, HttpError(404, ""))


def of_denial(request: HttpRequest, error: Exception) -> HttpResponse:
    return of_http(request, HttpError(403, ""))


def teach(api: NinjaAPI) -> None:
    """Give the API its answers."""
    answers: dict[type[Exception], Any] = {
        Refusal: of_refusal,
        ValidationError: of_shape,
        HttpError: of_http,
        Http404: of_absence,
        PermissionDenied: of_denial,
    }
    for kind, answer in answers.items():
        api.add_exception_handler(kind, answer)
