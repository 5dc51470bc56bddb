from django.urls import path

from accounts import webhooks

urlpatterns = [
    path("gateway/webhook/", webhooks.gateway_webhook, name="gateway_webhook"),
]
