"""The simulator refuses to stand where real money is meant."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error


def never_in_production(
    app_configs: Sequence[AppConfig] | None, **_kwargs: Any
) -> list[CheckMessage]:
    """Refuse to start with the simulator installed when ENVIRONMENT=production."""
    if not settings.PRODUCTION:
        return []
    return [
        Error(
            "The payment simulator is installed in production: deposits would be invented.",
            hint="Set STRIPE_API_KEY and STRIPE_WEBHOOK_SECRET to the provider's live ones.",
            id="gateway_stub.E001",
        )
    ]
