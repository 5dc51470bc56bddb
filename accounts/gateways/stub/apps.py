from django.apps import AppConfig
from django.core.checks import register


class StubConfig(AppConfig):
    name = "accounts.gateways.stub"
    label = "gateway_stub"
    verbose_name = "Payment simulator"

    def ready(self) -> None:
        from accounts.gateways.stub import checks

        register(checks.never_in_production)
