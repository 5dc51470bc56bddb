"""What the desk types about people in custody."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from detention.forms import FreeText, OfficialNumber
from detention.models import Cell, Custody, Facility


class _InFacility(forms.Form):
    """A form whose cells are those of the officer's facility."""

    def __init__(self, *args: Any, facility: Facility, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        cells: forms.ModelChoiceField[Cell] = self.fields["cell"]  # type: ignore[assignment]
        cells.queryset = Cell.objects.filter(facility=facility).order_by("code")


class AdmitForm(_InFacility):
    name = FreeText(label=_("Full name"), max_length=100)
    number = OfficialNumber(label=_("Custody number"), max_length=20)
    born_on = forms.DateField(
        label=_("Date of birth"),
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}),
    )
    cell = forms.ModelChoiceField(Cell.objects.none(), label=_("Cell"))


class MoveForm(_InFacility):
    cell = forms.ModelChoiceField(Cell.objects.none(), label=_("Cell"))


class VisibleForm(forms.Form):
    visible = forms.ChoiceField(
        label=_("What relatives may see of purchases"),
        choices=Custody.Visible.choices,
        widget=forms.RadioSelect,
    )


class CloseForm(forms.Form):
    reason = forms.ChoiceField(label=_("Reason"), choices=Custody.Reason.choices)
    confirmed = forms.BooleanField(widget=forms.HiddenInput, required=False)
