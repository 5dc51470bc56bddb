from django.apps import AppConfig


class DetentionConfig(AppConfig):
    name = "detention"
