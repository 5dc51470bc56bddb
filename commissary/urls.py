"""The commissary's pages."""

from django.urls import path

from commissary import catalogue_views, views

urlpatterns = [
    path("desk/orders/", views.waiting, name="orders"),
    path("desk/orders/paper/", views.paper, name="paper_order"),
    path("desk/orders/approve/", views.approve_many, name="approve_orders"),
    path("desk/orders/<uuid:public_id>/", views.order, name="order"),
    path("desk/orders/<uuid:public_id>/approve/", views.approve, name="approve_order"),
    path("desk/orders/<uuid:public_id>/reject/", views.reject, name="reject_order"),
    path("desk/orders/<uuid:public_id>/cancel/", views.cancel, name="cancel_order"),
    path("desk/orders/<uuid:public_id>/pick/", views.pick, name="pick_order"),
    path("desk/orders/<uuid:public_id>/hand-over/", views.hand_over, name="hand_over"),
    path("desk/orders/<uuid:public_id>/receipt/", views.receipt, name="order_receipt"),
    path("desk/picking/", views.picking, name="picking"),
    path("desk/hand-overs/", views.hand_overs, name="hand_overs"),
    path("office/products/", catalogue_views.products, name="products"),
    path("office/products/<uuid:public_id>/", catalogue_views.product, name="product"),
    path(
        "office/products/<uuid:public_id>/offer/",
        catalogue_views.offer_product,
        name="offer_product",
    ),
    path("office/prices/<uuid:public_id>/", catalogue_views.decide_price, name="decide_price"),
]
