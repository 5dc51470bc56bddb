"""Forms of the desk: what an officer types, checked for shape only."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator, Sequence
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from commissary.errors import BadSignature
from commissary.fulfilment import Signature
from commissary.models import MOST_OF_ONE, HandOver, Line, Price, Reason
from detention.forms import FreeText, OfficialNumber

REASONS = [("", "—"), *Reason.choices]
TO_REJECT = [
    Reason.OUT_OF_STOCK,
    Reason.NOT_PERMITTED,
    Reason.MEDICAL,
    Reason.TOO_MANY,
    Reason.NOT_WANTED,
    Reason.RELEASED,
]


class HowMany(forms.IntegerField):
    """A number of pieces, typed on a phone's number pad."""

    def __init__(self, *, most: int, **more: Any) -> None:
        more.setdefault("widget", forms.NumberInput(attrs={"inputmode": "numeric"}))
        super().__init__(min_value=0, max_value=most, **more)


class LinesForm(forms.Form):
    """One quantity for each line, at most what the step before left."""

    def __init__(self, *args: Any, lines: Sequence[Line], **more: Any) -> None:
        super().__init__(*args, **more)
        self.lines = lines
        for line in lines:
            most = self.most(line)
            self.fields[f"quantity_{line.pk}"] = HowMany(
                most=most, initial=most, label=line.product.name
            )

    def most(self, line: Line) -> int:
        """Return how many the step before left."""
        return line.quantity

    def quantities(self) -> dict[int, int]:
        """Return line id → quantity."""
        return {line.pk: self.cleaned_data[f"quantity_{line.pk}"] for line in self.lines}

    def rows(self) -> Iterator[tuple[Line, Any]]:
        """Yield each line with its quantity's field, for the page."""
        for line in self.lines:
            yield line, self[f"quantity_{line.pk}"]


class ApproveForm(LinesForm):
    """How much of each line is allowed, and why less if it is less."""

    reason = forms.ChoiceField(
        label=_("Reason, if you allow less"),
        choices=[("", "—"), *((r.value, r.label) for r in TO_REJECT)],
        required=False,
    )
    confirmed = forms.BooleanField(required=False, widget=forms.HiddenInput)

    def most(self, line: Line) -> int:
        return line.ordered

    @property
    def total(self) -> int:
        """Return what the allowed quantities cost, in fen."""
        quantities = self.quantities()
        return sum(quantities[line.pk] * line.unit_price for line in self.lines)


class RejectForm(forms.Form):
    reason = forms.ChoiceField(
        label=_("Why is the order rejected?"),
        choices=[(r.value, r.label) for r in TO_REJECT],
        widget=forms.RadioSelect,
    )
    confirmed = forms.BooleanField(required=False, widget=forms.HiddenInput)


class PickForm(LinesForm):
    """How many of each line were on the shelf."""

    def most(self, line: Line) -> int:
        return line.quantity if line.approved is None else line.approved


class SignatureField(forms.Field):
    """What was drawn on the screen, as JSON; gives a Signature, or None when nothing was drawn."""

    widget = forms.HiddenInput

    def to_python(self, value: Any) -> Signature | None:
        if not value:
            return None
        try:
            return Signature(json.loads(value))
        except (ValueError, RecursionError, BadSignature) as error:
            raise ValidationError(BadSignature.message) from error


class HandOverForm(LinesForm):
    """What was handed over, why less if it was less, and who stands for it."""

    proof = forms.ChoiceField(
        label=_("How is it confirmed?"),
        choices=[
            (HandOver.Proof.SCREEN.value, _("The person signs here on the screen")),
            (HandOver.Proof.PAPER.value, _("Signed on the paper copy, another officer saw it")),
            (HandOver.Proof.NONE.value, _("Nothing handed over, another officer saw it")),
        ],
        initial=HandOver.Proof.SCREEN.value,
        widget=forms.RadioSelect,
    )
    signature = SignatureField(required=False)
    witness = FreeText(
        label=_("Witness: officer name"),
        max_length=190,
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "none"}),
    )
    witness_password = forms.CharField(
        label=_("Witness: password"),
        help_text=_("The witness types it here."),
        max_length=200,
        strip=False,
        required=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "off"}),
    )
    agreed = forms.BooleanField(label=_("The goods, the numbers and the person are right."))

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        for line in self.lines:
            self.fields[f"reason_{line.pk}"] = forms.ChoiceField(
                label=_("Reason, if less"), choices=REASONS, required=False
            )

    def most(self, line: Line) -> int:
        return line.quantity if line.picked is None else line.picked

    def pairs(self) -> Iterator[tuple[Line, Any, Any]]:
        """Yield each line with the fields of its quantity and reason, for the page."""
        for line, quantity in self.rows():
            yield line, quantity, self[f"reason_{line.pk}"]

    def reasons(self) -> dict[int, str]:
        """Return line id → reason for the lines that name one."""
        chosen = {line.pk: self.cleaned_data[f"reason_{line.pk}"] for line in self.lines}
        return {pk: reason for pk, reason in chosen.items() if reason}

    @property
    def needs_witness(self) -> bool:
        return bool(self.cleaned_data.get("proof") != HandOver.Proof.SCREEN)

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        proof = cleaned.get("proof")
        if proof == HandOver.Proof.SCREEN:
            if cleaned.get("signature") is None and "signature" not in self.errors:
                self.add_error("signature", BadSignature.message)
        else:
            cleaned["signature"] = None
        if proof == HandOver.Proof.NONE:
            cleaned.update({f"quantity_{line.pk}": 0 for line in self.lines})
        return cleaned


class PaperForm(forms.Form):
    """An order from paper: whose, and how many of each product on the shelf."""

    number = OfficialNumber(
        label=_("Custody number"),
        max_length=40,
        widget=forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "characters"}),
    )
    client_id = forms.UUIDField(widget=forms.HiddenInput)
    version = forms.IntegerField(min_value=0, max_value=2**31 - 1, widget=forms.HiddenInput)
    confirmed = forms.BooleanField(required=False, widget=forms.HiddenInput)

    def __init__(self, *args: Any, prices: Sequence[Price], version: int, **more: Any) -> None:
        more["initial"] = {"client_id": uuid.uuid4(), "version": version}
        super().__init__(*args, **more)
        self.prices = prices
        for price in prices:
            product = price.product
            self.fields[_count(price)] = HowMany(
                most=MOST_OF_ONE, required=False, label=product.name
            )
            self.fields[_shown(price)] = forms.IntegerField(
                min_value=1, initial=price.amount, widget=forms.HiddenInput
            )

    def rows(self) -> Iterator[tuple[Price, Any, Any]]:
        """Yield each price with its quantity's and its shown price's field, for the page."""
        for price in self.prices:
            yield price, self[_count(price)], self[_shown(price)]

    def wanted(self) -> list[tuple[Price, int, int]]:
        """Return (price, quantity, shown price in fen) of what was filled in."""
        return [
            (price, self.cleaned_data[_count(price)], self.cleaned_data[_shown(price)])
            for price in self.prices
            if self.cleaned_data[_count(price)]
        ]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if not self.errors and not any(cleaned.get(_count(price)) for price in self.prices):
            raise ValidationError(_("Write how many of at least one product."))
        return cleaned


def _count(price: Price) -> str:
    return f"quantity_{price.product.sku}"


def _shown(price: Price) -> str:
    return f"shown_{price.product.sku}"


class PriceForm(forms.Form):
    """A new price of one product."""

    amount = FreeText(
        label=_("New price in yuan"),
        max_length=60,
        widget=forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"}),
    )
    begins_on = forms.DateField(
        label=_("From which day on"),
        help_text=_("Leave empty for at once."),
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}),
    )
