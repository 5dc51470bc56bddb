from django.apps import AppConfig


class CommissaryConfig(AppConfig):
    name = "commissary"
