from django.apps import AppConfig
from django.core import checks


class DetentionConfig(AppConfig):
    name = "detention"

    def ready(self) -> None:
        from detention import triggers

        checks.register(triggers.system_check, checks.Tags.database)
