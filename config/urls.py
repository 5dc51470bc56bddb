"""Every address of the project."""

from django.urls import include, path

from config import pages

urlpatterns = [
    path("", pages.home, name="home"),
    path("i18n/", include("django.conf.urls.i18n")),
]
