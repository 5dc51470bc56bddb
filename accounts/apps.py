from django.apps import AppConfig
from django.core.checks import register


class AccountsConfig(AppConfig):
    name = "accounts"

    def ready(self) -> None:
        from accounts import described
        from accounts.gateways import checks

        register(checks.live_key_in_production)
        described.register()
