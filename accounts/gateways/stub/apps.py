from django.apps import AppConfig


class StubConfig(AppConfig):
    name = "accounts.gateways.stub"
    label = "gateway_stub"
