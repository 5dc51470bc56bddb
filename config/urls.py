"""Every address of the project."""

from django.conf import settings
from django.urls import include, path

from commissary import tablet
from config import health, pages
from config.api import api

urlpatterns = [
    path("", pages.home, name="home"),
    path("start/", pages.start, name="start"),
    path("help/", pages.help_page, name="help"),
    path("language/", pages.set_language, name="set_language"),
    path("text-size/", pages.set_text_size, name="set_text_size"),
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
    path("api/", api.urls),
    path("", include("detention.urls")),
    path("", include("accounts.urls")),
    path("", include("commissary.urls")),
    path("", include("visits.urls")),
    path("tablet/", include(tablet.addresses)),
]
if settings.GATEWAY == "stub":
    urlpatterns.append(path("gateway/", include("accounts.gateways.stub.urls")))

handler400 = pages.bad_request
handler403 = pages.forbidden
handler404 = pages.not_found
handler500 = pages.broken
