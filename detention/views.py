"""Doors of the people: signing in and out, registering, being linked."""

from __future__ import annotations

from uuid import UUID

from django.contrib.auth import authenticate, login, logout
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render, resolve_url
from django.utils import timezone, translation
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST

from detention import access, identity, relatives
from detention.errors import Refusal
from detention.forms import LinkForm, RegisterForm, SignInForm, refusals_on
from detention.models import Relationship, User

LANGUAGE_CHOSEN = "language_chosen"


@login_not_required
@sensitive_post_parameters()
def sign_in(request: HttpRequest) -> HttpResponse:
    """Ask for log-in and password; the same answer for an unknown log-in and a wrong password."""
    form = SignInForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        user = authenticate(
            request,
            # By the name of the user model's field: the limit on wrong tries counts by it.
            login=_typed_login(form.cleaned_data["login"]),
            password=form.cleaned_data["password"],
        )
        if isinstance(user, User):
            return _let_in(request, user)
        form.add_error(None, _("The log-in or the password is not right."))
    return page(request, "detention/sign_in.html", form)


def _typed_login(text: str) -> str:
    """Return the stored form of a typed log-in; an officer's name is neither phone nor e-mail."""
    try:
        return identity.login_name(text)
    except Refusal:
        return identity.folded(text).lower()


def _let_in(request: HttpRequest, user: User) -> HttpResponse:
    """Open the session in the person's language; a choice made before signing in is kept."""
    chosen = request.session.pop(LANGUAGE_CHOSEN, None)
    login(request, user)
    if chosen and chosen != user.language:
        user.language = chosen
        user.save(update_fields=["language"])
    answer = redirect(_way_on(request))
    translation.activate(user.language)
    answer.set_cookie("language", user.language, samesite="Lax")
    return answer


def _way_on(request: HttpRequest) -> str:
    wanted = request.POST.get("next") or request.GET.get("next") or ""
    if url_has_allowed_host_and_scheme(
        wanted, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    ):
        return wanted
    return resolve_url("start")


@login_not_required
@require_POST
def sign_out(request: HttpRequest) -> HttpResponse:
    """End the session; again is harmless."""
    logout(request)
    return redirect("home")


@login_not_required
@sensitive_post_parameters()
def register(request: HttpRequest) -> HttpResponse:
    """Open a relative's account and sign the person in."""
    form = RegisterForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        with refusals_on(form):
            relative = relatives.register(
                login=form.cleaned_data["login"],
                password=form.cleaned_data["password"],
                name=form.cleaned_data["name"],
                number=form.cleaned_data["identity_number"],
                language=translation.get_language() or "zh-hans",
                at=timezone.now(),
            )
            login(request, relative.user, backend="django.contrib.auth.backends.ModelBackend")
            return redirect("my_people")
    return page(request, "detention/register.html", form)


@access.relatives
def ask_link(request: HttpRequest) -> HttpResponse:
    """Take a relative's request to be linked with a person in custody."""
    form = LinkForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        with refusals_on(form):
            link = relatives.ask_link(
                access.relative_of(request),
                number=form.cleaned_data["number"],
                name=form.cleaned_data["name"],
                kind=Relationship.Kind(form.cleaned_data["kind"]),
                at=timezone.now(),
            )
            return redirect("my_person", link.public_id)
    return page(request, "detention/ask_link.html", form)


@access.relatives
def my_person(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Show how far one request has come."""
    link = access.relationship(access.relative_of(request), public_id)
    return render(request, "detention/my_person.html", {"link": link})


def page(request: HttpRequest, template: str, form: object, **more: object) -> HttpResponse:
    """Render a form; one with errors answers 422, so that no program takes it for done."""
    status = 422 if getattr(form, "errors", None) else 200
    return render(request, template, {"form": form, **more}, status=status)
