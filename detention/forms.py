"""Forms of the people's doors: what a person types, checked for shape only.

Whatever a rule says is said by the verb; its refusal is put on the form by `refusals_on`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from detention.errors import Refusal
from detention.identity import folded
from detention.models import Cell, Facility, Relationship
from detention.verbs import keep_record

# What a person can put right on the same page; anything else is a page of its own.
ON_THE_FORM = {404, 409, 422}


@contextmanager
def refusals_on(form: forms.BaseForm) -> Iterator[None]:
    """Put a refusal raised inside onto the form, at its field if the form has that field.

    Refusals that nobody can put right by typing (not allowed, too many tries) go on to the page
    for refusals. What the refusal must keep is written, in a transaction of its own.
    """
    try:
        yield
    except Refusal as refusal:
        if refusal.status not in ON_THE_FORM:
            raise
        keep_record(refusal)
        form.add_error(refusal.field if refusal.field in form.fields else None, refusal.text())


def no_card_number(text: str) -> None:
    """Refuse text that holds a bank card number: 13 to 19 digits that pass the Luhn check.

    Card numbers belong on the payment provider's page only; nobody shall store one here.
    """
    for found in re.findall(r"\d(?:[ -]?\d){12,18}", folded(text)):
        digits = [int(digit) for digit in found if digit.isdigit()]
        doubled = [sum(divmod(2 * digit, 10)) for digit in digits[-2::-2]]
        if (sum(digits[-1::-2]) + sum(doubled)) % 10 == 0:
            raise ValidationError(
                _("This looks like a bank card number. Do not write it here."), code="card_number"
            )


class FreeText(forms.CharField):
    """A line or paragraph in a person's own words; card numbers are refused."""

    def __init__(self, *, lines: int = 1, max_length: int = 200, **more: Any) -> None:
        if lines > 1:
            more["widget"] = forms.Textarea(attrs={"rows": lines})
        super().__init__(max_length=max_length, **more)
        self.validators.append(no_card_number)


class OfficialNumber(forms.CharField):
    """A number that an authority gave; 17 digits of one may look like a bank card's by chance."""

    def __init__(self, *, max_length: int = 60, **more: Any) -> None:
        more.setdefault("widget", forms.TextInput(attrs={"autocomplete": "off"}))
        super().__init__(max_length=max_length, **more)


class SignInForm(forms.Form):
    login = forms.CharField(
        label=_("Phone number, e-mail address or officer name"),
        max_length=190,
        widget=forms.TextInput(attrs={"autocomplete": "username", "autocapitalize": "none"}),
    )
    password = forms.CharField(
        label=_("Password"),
        max_length=200,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )


class RegisterForm(forms.Form):
    name = FreeText(
        label=_("Your full name"),
        help_text=_("As on your identity card."),
        max_length=100,
        widget=forms.TextInput(attrs={"autocomplete": "name"}),
    )
    identity_number = forms.CharField(
        label=_("Your identity number"),
        help_text=_("18 characters. The number itself is not stored."),
        max_length=40,
        widget=forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "characters"}),
    )
    login = FreeText(
        label=_("Mobile phone number or e-mail address"),
        help_text=_("You sign in with it. For example 139 1234 5678."),
        max_length=190,
        widget=forms.TextInput(attrs={"autocomplete": "username", "autocapitalize": "none"}),
    )
    password = forms.CharField(
        label=_("Choose a password"),
        help_text=_("At least 8 characters. A short sentence is good."),
        max_length=200,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )


class LinkForm(forms.Form):
    number = OfficialNumber(
        label=_("Custody number"),
        help_text=_("It stands on the notice you received. For example B000123."),
        max_length=40,
        widget=forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "characters"}),
    )
    name = FreeText(
        label=_("Full name of the person in custody"),
        max_length=100,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    kind = forms.ChoiceField(
        label=_("The person is your"), choices=Relationship.Kind, widget=forms.RadioSelect
    )


class ReasonForm(forms.Form):
    reason = FreeText(label=_("Reason"), help_text=_("The relative reads this sentence."), lines=3)


class InviteForm(forms.Form):
    cell = forms.ModelChoiceField(label=_("Cell"), queryset=Cell.objects.none())
    name = FreeText(
        label=_("Name of the tablet"),
        help_text=_("For example the number on its back."),
        max_length=60,
        required=False,
    )

    def __init__(self, *args: Any, facility: Facility, **more: Any) -> None:
        super().__init__(*args, **more)
        cells: Any = self.fields["cell"]
        cells.queryset = Cell.objects.filter(facility=facility).order_by("code")
