from django.urls import path

from accounts import books_views, webhooks

urlpatterns = [
    path("office/books/", books_views.books, name="books"),
    path("gateway/webhook/", webhooks.gateway_webhook, name="gateway_webhook"),
]
