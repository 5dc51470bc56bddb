"""Addresses of the people's doors."""

from django.urls import path

from detention import people_views, views

urlpatterns = [
    path("in/", views.sign_in, name="sign_in"),
    path("out/", views.sign_out, name="sign_out"),
    path("register/", views.register, name="register"),
    path("desk/people/", people_views.people, name="people"),
    path("desk/people/admit/", people_views.admit, name="admit"),
    path("desk/people/<uuid:public_id>/", people_views.person, name="person"),
    path("desk/people/<uuid:public_id>/pin/", people_views.new_pin, name="new_pin"),
    path("desk/people/<uuid:public_id>/seen/", people_views.choose_visible, name="choose_visible"),
    path("desk/people/<uuid:public_id>/cell/", people_views.move, name="move_person"),
    path("desk/people/<uuid:public_id>/close/", people_views.close, name="close_custody"),
]
