from contextlib import suppress

from django.apps import AppConfig
from django.core.checks import register


class ConfigConfig(AppConfig):
    name = "config"

    def ready(self) -> None:
        from config import catalogues

        # A read-only installation is compiled when it is built; the check says if it was not.
        with suppress(OSError):
            catalogues.compile_stale()
        register(catalogues.check_compiled)
