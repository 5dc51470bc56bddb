"""What people type at the money doors; checked for shape only."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from accounts import money
from detention.forms import FreeText


class AmountField(forms.CharField):
    """An amount in yuan as people write it; cleaned to integer fen."""

    def __init__(self, **more: Any) -> None:
        more.setdefault("max_length", 60)
        attributes = {"inputmode": "decimal", "autocomplete": "off", "class": "short"}
        super().__init__(widget=forms.TextInput(attrs=attributes), **more)

    def clean(self, value: Any) -> int:
        try:
            return money.parse(super().clean(value))
        except money.BadAmount as refusal:
            raise ValidationError(refusal.text(), code=refusal.code) from refusal


class AmountForm(forms.Form):
    """How much to send; comes from the amount page as a link that can be kept."""

    amount = AmountField(
        label=_("Amount in yuan"),
        help_text=_("For example 200 or 200.50."),
        error_messages={"required": money.BadAmount.message},
    )


class PayForm(forms.Form):
    """The check page's answer: what was shown is what is paid."""

    amount = forms.IntegerField(widget=forms.HiddenInput, min_value=1, max_value=money.LARGEST_FEN)
    once = forms.UUIDField(widget=forms.HiddenInput)


class AcceptForm(forms.Form):
    reason = FreeText(label=_("Note"), required=False)


class RefuseForm(forms.Form):
    reason = FreeText(
        label=_("Reason"),
        help_text=_("The payer reads it. Do not name a screening rule."),
        error_messages={"required": _("Write the reason, so that the person knows what to do.")},
    )


class CheckForm(forms.Form):
    number = forms.CharField(
        label=_("Receipt number"),
        help_text=_("Printed on the receipt, for example D7K2M9QX."),
        max_length=20,
        widget=forms.TextInput(attrs={"autocomplete": "off", "class": "short"}),
    )
    code = forms.CharField(
        label=_("Check code"),
        help_text=_("Six letters and digits beside the number."),
        max_length=20,
        widget=forms.TextInput(attrs={"autocomplete": "off", "class": "short"}),
    )


class SearchForm(forms.Form):
    q = forms.CharField(
        label=_("Deposit, order or custody number, or name"),
        max_length=60,
        required=False,
        widget=forms.TextInput(attrs={"type": "search", "autocomplete": "off"}),
    )


def place(text: str | None) -> int | None:
    """Return where a page begins, from an address; None for anything that is no such number."""
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 18 else None
