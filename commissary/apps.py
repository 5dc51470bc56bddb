from django.apps import AppConfig


class CommissaryConfig(AppConfig):
    name = "commissary"

    def ready(self) -> None:
        from commissary import described

        described.register()
