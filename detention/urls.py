"""Addresses of the people's doors and of the desk."""

from django.urls import path

from detention import desk_views, people_views, views

urlpatterns = [
    path("in/", views.sign_in, name="sign_in"),
    path("out/", views.sign_out, name="sign_out"),
    path("register/", views.register, name="register"),
    path("people/add/", views.ask_link, name="ask_link"),
    path("people/<uuid:public_id>/", views.my_person, name="my_person"),
    path("desk/facility/", desk_views.choose_facility, name="choose_facility"),
    path("desk/relatives/", desk_views.waiting, name="desk_relatives"),
    path("desk/relatives/<uuid:public_id>/", desk_views.review, name="desk_review"),
    path("desk/tablets/", desk_views.tablets, name="desk_tablets"),
    path("desk/tablets/add/", desk_views.invite, name="desk_invite"),
    path("desk/tablets/<uuid:public_id>/code/", desk_views.code, name="desk_tablet_code"),
    path("desk/tablets/<uuid:public_id>/revoke/", desk_views.revoke, name="desk_tablet_revoke"),
    path("desk/people/", people_views.people, name="people"),
    path("desk/people/admit/", people_views.admit, name="admit"),
    path("desk/people/<uuid:public_id>/", people_views.person, name="person"),
    path("desk/people/<uuid:public_id>/pin/", people_views.new_pin, name="new_pin"),
    path("desk/people/<uuid:public_id>/seen/", people_views.choose_visible, name="choose_visible"),
    path("desk/people/<uuid:public_id>/cell/", people_views.move, name="move_person"),
    path("desk/people/<uuid:public_id>/close/", people_views.close, name="close_custody"),
]
