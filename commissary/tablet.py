"""The tablet's page: the same for everybody, so that it can be kept for days without network.

Nothing here knows a person. What a person may see comes from the JSON doors in `api.py`.
"""

from __future__ import annotations

import functools
import hashlib
import json
from pathlib import Path

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.templatetags.static import static
from django.urls import path, reverse
from django.utils import translation
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe

STATIC = Path(__file__).parent / "static"


@login_not_required
@require_safe
@cache_control(no_cache=True)
def page(request: HttpRequest) -> HttpResponse:
    """Show the empty frame; scripts fill it. Always in Chinese: it is kept for whoever comes."""
    with translation.override(settings.LANGUAGE_CODE):
        return render(request, "tablet/page.html")


@login_not_required
@require_safe
@cache_control(no_cache=True)
def worker(request: HttpRequest) -> HttpResponse:
    """Serve the service worker below /tablet/, so that its scope is this page and no other.

    It begins with the list of files to keep and a version that changes with any of them; the
    browser sees a new worker exactly when something on the tablet has changed.
    """
    paths, version = _kept_files()
    files = [reverse("tablet"), reverse("tablet_manifest"), *(static(name) for name in paths)]
    head = f"const VERSION = {json.dumps(version)};\nconst FILES = {json.dumps(files)};\n"
    body = (STATIC / "tablet" / "worker.js").read_text()
    return HttpResponse(head + body, content_type="text/javascript")


@login_not_required
@require_safe
@cache_control(no_cache=True)
def manifest(request: HttpRequest) -> JsonResponse:
    """Describe the page as an app that fills the screen."""
    with translation.override(settings.LANGUAGE_CODE):
        name = translation.gettext("Tablet")
    described = {
        "name": name,
        "short_name": name,
        "lang": "zh-Hans",
        "start_url": reverse("tablet"),
        "scope": reverse("tablet"),
        "display": "fullscreen",
        "background_color": "#f3f5f2",
        "theme_color": "#0c5350",
        "icons": [
            {"src": static("tablet/app.svg"), "sizes": "any", "type": "image/svg+xml"},
        ],
    }
    return JsonResponse(described, content_type="application/manifest+json")


@functools.cache
def _kept_files() -> tuple[list[str], str]:
    """Return the static files the tablet keeps and a digest of their contents."""
    found = sorted(
        file
        for folder in (STATIC / "tablet", STATIC / "commissary")
        for file in folder.rglob("*")
        if file.suffix in {".js", ".css", ".svg", ".json"} and file.name != "worker.js"
    )
    sources = [*found, STATIC / "tablet" / "worker.js"]
    template = Path(__file__).parent / "templates" / "tablet" / "page.html"
    digest = hashlib.sha256()
    for file in [*sources, template]:
        digest.update(file.read_bytes())
    return [file.relative_to(STATIC).as_posix() for file in found], digest.hexdigest()[:16]


addresses = [
    path("", page, name="tablet"),
    path("worker.js", worker, name="tablet_worker"),
    path("app.webmanifest", manifest, name="tablet_manifest"),
]
