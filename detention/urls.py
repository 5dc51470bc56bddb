"""Addresses of the people's doors."""

from django.urls import path

from detention import views

urlpatterns = [
    path("in/", views.sign_in, name="sign_in"),
    path("out/", views.sign_out, name="sign_out"),
    path("register/", views.register, name="register"),
]
