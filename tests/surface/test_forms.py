"""Every free text field of every form refuses card numbers."""

import importlib
import pkgutil

import pytest
from django import forms
from django.core.exceptions import ValidationError

from config.catalogues import _APPS
from detention.forms import FreeText, no_card_number

# What is checked by a verb of its own, or never stored: passwords, numbers with a form, searches.
EXEMPT = {
    ("SignInForm", "login"),
    ("SignInForm", "password"),
    ("RegisterForm", "password"),
    ("RegisterForm", "identity_number"),
    ("HandOverForm", "witness_password"),
    ("CheckForm", "number"),
    ("CheckForm", "code"),
    ("SearchForm", "q"),
    ("LawyerForm", "login"),
    ("LawyerForm", "password"),
}
CARDS = [
    "6222021234567894",
    "6222 0212 3456 7894",
    "6222-0212-3456-7894",
    "６２２２０２１２３４５６７８９４",
    "my card is 4242424242424242 thanks",
    "4222222222222",
]
NO_CARDS = [
    "13912345678",
    "1234567890123",
    "王小明",
    "DO260001",
    "2026-11-22 10:00",
    "6222021234567890",
]


def all_forms() -> list[type[forms.BaseForm]]:
    for app in _APPS:
        package = importlib.import_module(app)
        for module in pkgutil.walk_packages(package.__path__, f"{app}."):
            if module.name.rsplit(".", 1)[-1].endswith("forms"):
                importlib.import_module(module.name)
    return sorted(_below(forms.BaseForm), key=lambda form: form.__qualname__)


def _below(form):
    for one in form.__subclasses__():
        if one.__module__.split(".")[0] in _APPS:
            yield one
        yield from _below(one)


def test_every_free_text_field_refuses_card_numbers():
    open_fields = [
        (form.__name__, name)
        for form in all_forms()
        for name, field in getattr(form, "base_fields", {}).items()
        if type(field) in (forms.CharField, FreeText)
        and no_card_number not in field.validators
        and (form.__name__, name) not in EXEMPT
    ]

    assert open_fields == []


@pytest.mark.parametrize("text", CARDS)
def test_a_card_number_is_found_however_it_is_written(text):
    with pytest.raises(ValidationError) as caught:
        no_card_number(text)

    assert caught.value.code == "card_number"


@pytest.mark.parametrize("text", NO_CARDS)
def test_other_numbers_pass(text):
    no_card_number(text)
