"""Addresses of the money doors: family, anybody with a receipt, the provider."""

from django.urls import path

from accounts import books_views, desk_views, views, webhooks

urlpatterns = [
    path("people/", views.my_people, name="my_people"),
    path("money/payments/", views.my_deposits, name="my_deposits"),
    path("money/payments/<uuid:public_id>/", views.deposit_result, name="deposit_result"),
    path("money/payments/<uuid:public_id>/state/", views.deposit_state, name="deposit_state"),
    path(
        "money/payments/<uuid:public_id>/cancelled/",
        views.deposit_cancelled,
        name="deposit_cancelled",
    ),
    path("money/payments/<uuid:public_id>/give-up/", views.give_up_deposit, name="give_up_deposit"),
    path("money/payments/<uuid:public_id>/receipt/", views.deposit_receipt, name="deposit_receipt"),
    path("money/<uuid:public_id>/send/", views.send_money, name="send_money"),
    path("money/<uuid:public_id>/check/", views.check_payment, name="check_payment"),
    path("money/<uuid:public_id>/pay/", views.pay, name="pay"),
    path("money/<uuid:public_id>/history/", views.history, name="money_history"),
    path("verify/", views.verify, name="verify"),
    path("verify/<str:number>/", views.verify, name="verify_number"),
    path("office/books/", books_views.books, name="books"),
    path("office/money/", desk_views.finance_today, name="finance_today"),
    path("office/money/waiting/", desk_views.suspense, name="suspense"),
    path("office/deposits/", desk_views.desk_deposits, name="desk_deposits"),
    path("office/deposits/<str:number>/", desk_views.desk_deposit, name="desk_deposit"),
    path("office/deposits/<str:number>/take/", desk_views.take_deposit, name="take_deposit"),
    path("office/deposits/<str:number>/accept/", desk_views.accept_deposit, name="accept_deposit"),
    path("office/deposits/<str:number>/refuse/", desk_views.refuse_deposit, name="refuse_deposit"),
    path("office/refunds/<uuid:public_id>/take/", desk_views.take_refund, name="take_refund"),
    path("office/refunds/<uuid:public_id>/again/", desk_views.refund_again, name="refund_again"),
    path("office/trail/", desk_views.trail_search, name="trail"),
    path("office/trail/journals/<int:pk>/", desk_views.trail_journal, name="trail_journal"),
    path("office/trail/people/<uuid:public_id>/", desk_views.trail_person, name="trail_person"),
    path(
        "office/trail/<slug:doc_type>/<int:pk>/", desk_views.trail_document, name="trail_document"
    ),
    path("gateway/webhook/", webhooks.gateway_webhook, name="gateway_webhook"),
]
