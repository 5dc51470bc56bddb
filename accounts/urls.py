"""Addresses of the money doors: family, anybody with a receipt, the provider."""

from django.urls import path

from accounts import books_views, views, webhooks

urlpatterns = [
    path("money/", views.money_people, name="money_people"),
    path("money/payments/", views.my_deposits, name="my_deposits"),
    path("money/payments/<uuid:public_id>/", views.deposit_result, name="deposit_result"),
    path("money/payments/<uuid:public_id>/state/", views.deposit_state, name="deposit_state"),
    path(
        "money/payments/<uuid:public_id>/cancelled/",
        views.deposit_cancelled,
        name="deposit_cancelled",
    ),
    path("money/payments/<uuid:public_id>/receipt/", views.deposit_receipt, name="deposit_receipt"),
    path("money/<uuid:public_id>/send/", views.send_money, name="send_money"),
    path("money/<uuid:public_id>/check/", views.check_payment, name="check_payment"),
    path("money/<uuid:public_id>/pay/", views.pay, name="pay"),
    path("money/<uuid:public_id>/history/", views.history, name="money_history"),
    path("verify/", views.verify, name="verify"),
    path("verify/<str:number>/", views.verify, name="verify_number"),
    path("office/books/", books_views.books, name="books"),
    path("gateway/webhook/", webhooks.gateway_webhook, name="gateway_webhook"),
]
