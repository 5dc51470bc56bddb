"""What must be right about the payment provider before anything starts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error


def live_key_in_production(
    app_configs: Sequence[AppConfig] | None, **_kwargs: Any
) -> list[CheckMessage]:
    """Refuse test keys where real money is meant: families would pay nothing and be credited."""
    key: str = settings.STRIPE_API_KEY
    if not settings.PRODUCTION or key.startswith(("sk_live_", "rk_live_")):
        return []
    return [
        Error(
            "STRIPE_API_KEY is not a live key, but ENVIRONMENT=production.",
            hint="A live secret key begins with sk_live_, a restricted one with rk_live_.",
            id="accounts.E001",
        )
    ]
