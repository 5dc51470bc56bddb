from contextlib import suppress
from typing import Any

from django.apps import AppConfig
from django.core.checks import register

from config import catalogues


class ConfigConfig(AppConfig):
    name = "config"

    def __init__(self, *args: Any) -> None:
        """Compile the catalogues before any model is loaded: models already ask for their words."""
        super().__init__(*args)
        # A read-only installation is compiled when it is built; the check says if it was not.
        with suppress(OSError):
            catalogues.compile_stale()

    def ready(self) -> None:
        register(catalogues.check_compiled)
