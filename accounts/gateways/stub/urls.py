"""The simulated provider's addresses; included only when it is chosen."""

from django.urls import path

from accounts.gateways.stub import control, views

app_name = "gateway_stub"

urlpatterns = [
    path("checkout/<slug:session_id>/", views.checkout, name="checkout"),
    path("simulator/", views.console, name="console"),
    path("simulator/totals", control.totals, name="totals"),
    path("simulator/letters", control.letters, name="letters"),
    path("simulator/faults", control.fault, name="fault"),
    path("simulator/refund/<slug:refund_id>/fail", control.fail_refund, name="fail_refund"),
    path("simulator/checkout/<slug:session_id>/<slug:act>", control.act, name="act"),
]
