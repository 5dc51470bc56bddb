"""What a payer chooses on the simulated page."""

from __future__ import annotations

from typing import Any

from django import forms
from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _

from accounts.gateways.stub.shopper import SLOW_S, Notice


class Act(TextChoices):
    PAY = "pay", _("Pay")
    DECLINE = "decline", _("The bank declines")
    NO_FUNDS = "no_funds", _("Not enough money")
    CANCEL = "cancel", _("Go back without paying")
    EXPIRE = "expire", _("Let the time run out")
    LOSE = "lose", _("Pay, then lose the connection")


class PageForm(forms.Form):
    """One press of a button on the hosted page."""

    act = forms.ChoiceField(choices=Act.choices)
    method = forms.ChoiceField()
    notice = forms.ChoiceField(
        label=_("News of the payment comes"),
        choices=[("", _("as the last two digits of the amount say")), *Notice.choices],
        required=False,
    )
    delay_s = forms.IntegerField(
        label=_("How late, in seconds"),
        min_value=0,
        max_value=3600,
        required=False,
        initial=SLOW_S,
    )

    def __init__(self, *args: Any, methods: list[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        words = {"card": _("Card"), "alipay": _("Alipay")}
        method = self.fields["method"]
        assert isinstance(method, forms.ChoiceField)
        method.choices = [(code, words[code]) for code in methods]
