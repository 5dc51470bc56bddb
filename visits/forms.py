"""Forms of the lawyers' doors and the visit desk: shape only, rules are the verbs'."""

from __future__ import annotations

from datetime import time
from typing import Any
from uuid import uuid4

from django import forms
from django.utils.translation import gettext_lazy as _

from detention.forms import FreeText, OfficialNumber
from detention.models import Facility, Role, User
from visits.models import Case, Credential, DayKind, GreenGrant, Lawyer, Room
from visits.models.places import SLOTS_A_DAY, WEEKDAYS


class Day(forms.DateField):
    """A day, chosen from the browser's own calendar."""

    def __init__(self, **more: Any) -> None:
        more.setdefault("widget", forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"))
        super().__init__(**more)


class LawyerForm(forms.Form):
    name = FreeText(label=_("Your name, as on the certificate"), max_length=100)
    licence_number = OfficialNumber(label=_("Number of your practising certificate"), max_length=40)
    firm_name = FreeText(label=_("Name of your law firm"), max_length=200)
    firm_licence = OfficialNumber(label=_("Licence number of the law firm"), max_length=40)
    login = forms.CharField(
        label=_("Mobile phone number or e-mail address"),
        max_length=190,
        widget=forms.TextInput(attrs={"autocomplete": "username"}),
    )
    password = forms.CharField(
        label=_("New password"),
        help_text=_("At least 8 characters."),
        max_length=200,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )


class PaperForm(forms.Form):
    kind = forms.ChoiceField(
        label=_("Which paper?"), choices=Credential.Kind.choices, widget=forms.RadioSelect
    )
    number = OfficialNumber(label=_("Number on the paper"), max_length=60)
    issuer = FreeText(label=_("Who issued it"), max_length=200)
    valid_from = Day(label=_("Valid from"))
    valid_until = Day(label=_("Last valid day"))
    file = forms.FileField(label=_("Photo or PDF"), help_text=_("PDF, PNG or JPEG, up to 5 MB."))


class _PaperChoice(forms.ModelChoiceField):  # type: ignore[type-arg]
    def label_from_instance(self, obj: Any) -> str:
        return f"{obj.get_kind_display()} {obj.number}"


class MandateForm(forms.Form):
    number = OfficialNumber(label=_("Custody number of your client"), max_length=20)
    name = FreeText(label=_("Full name of your client"), max_length=100)
    firm_letter = _PaperChoice(label=_("Law firm letter"), queryset=Credential.objects.none())
    authority = _PaperChoice(
        label=_("Power of attorney or legal-aid letter"), queryset=Credential.objects.none()
    )

    def __init__(self, *args: Any, lawyer: Lawyer, **more: Any) -> None:
        super().__init__(*args, **more)
        usable = lawyer.credentials.filter(
            state__in=[Credential.State.CHECKING, Credential.State.ACCEPTED]
        ).order_by("-pk")
        letters: Any = self.fields["firm_letter"]
        letters.queryset = usable.filter(kind=Credential.Kind.FIRM_LETTER)
        powers: Any = self.fields["authority"]
        powers.queryset = usable.filter(kind__in=[Credential.Kind.POWER, Credential.Kind.LEGAL_AID])


class KeyForm(forms.Form):
    """One press of a button, however often it arrives."""

    key = forms.UUIDField(widget=forms.HiddenInput, initial=uuid4)


class SlotForm(KeyForm):
    slot = forms.IntegerField(widget=forms.HiddenInput, min_value=1, max_value=2**62)


class WaitForm(forms.Form):
    until = Day(label=_("Until which day may it be?"))


class RateForm(forms.Form):
    score = forms.TypedChoiceField(
        label=_("How satisfied were you with this visit?"),
        coerce=int,
        choices=[
            (5, _("very satisfied")),
            (4, _("satisfied")),
            (3, _("neither")),
            (2, _("dissatisfied")),
            (1, _("very dissatisfied")),
        ],
        widget=forms.RadioSelect,
    )


class ScanForm(forms.Form):
    text = OfficialNumber(
        label=_("Scan the pass, or type the reference"),
        max_length=200,
        widget=forms.TextInput(attrs={"autocomplete": "off", "autofocus": True}),
    )


class TicketForm(forms.Form):
    licence_number = OfficialNumber(label=_("Number of the practising certificate"), max_length=40)
    number = OfficialNumber(label=_("Custody number"), max_length=20)


class _Officer(forms.ModelChoiceField):  # type: ignore[type-arg]
    def label_from_instance(self, obj: Any) -> str:
        return str(obj.name)


def guards_of(facility: Facility) -> Any:
    """Return the guards of a facility, by name."""
    return User.objects.filter(
        appointments__facility=facility,
        appointments__role=Role.GUARD,
        appointments__ends_at=None,
    ).order_by("name", "pk")


class WitnessForm(forms.Form):
    witness = _Officer(label=_("Witness (another officer)"), queryset=User.objects.none())

    def __init__(self, *args: Any, facility: Facility, **more: Any) -> None:
        super().__init__(*args, **more)
        witnesses: Any = self.fields["witness"]
        witnesses.queryset = guards_of(facility)


class ReportForm(forms.Form):
    report_number = OfficialNumber(label=_("Number of the report"), max_length=60)


class ReasonForm(forms.Form):
    reason = FreeText(label=_("Reason"))


class PermissionForm(forms.Form):
    paper_number = OfficialNumber(label=_("Number of the paper"), max_length=60)
    valid_until = Day(label=_("Permitted until"), required=False)


class AlertForm(forms.Form):
    answer = FreeText(label=_("What was done, or why nothing could be done"))


class GreenForm(forms.Form):
    reason = forms.ChoiceField(
        label=_("Reason of the closed list"),
        choices=[
            choice
            for choice in GreenGrant.Reason.choices
            if choice[0] != GreenGrant.Reason.STATUTORY
        ],
    )
    proof = OfficialNumber(
        label=_("Number of the paper that proves it"), required=False, max_length=100
    )


class RoomForm(forms.Form):
    code = FreeText(label=_("Name of the room"), max_length=20)
    kind = forms.ChoiceField(label=_("Kind"), choices=Room.Kind.choices)


class CloseRoomForm(forms.Form):
    begins_at = forms.DateTimeField(
        label=_("Closed from"), widget=forms.DateTimeInput(attrs={"type": "datetime-local"})
    )
    ends_at = forms.DateTimeField(
        label=_("Open again from"), widget=forms.DateTimeInput(attrs={"type": "datetime-local"})
    )
    reason = FreeText(label=_("Reason"))


class HoursForm(forms.Form):
    """Ten lines `08:00-08:45`, or nothing for a closed day."""

    day_kind = forms.ChoiceField(label=_("Kind of day"), choices=DayKind.choices)
    effective_on = Day(label=_("From this day on"))
    times = FreeText(
        label=_("Ten slots, one a line"),
        help_text=_("Like 08:00-08:45. Leave empty when closed."),
        required=False,
        lines=SLOTS_A_DAY,
        max_length=400,
    )

    def clean_times(self) -> list[tuple[time, time]]:
        """Read the lines; a line that is no pair of times is an error."""
        found = []
        for line in self.cleaned_data["times"].replace("–", "-").split("\n"):
            if line.strip():
                try:
                    begins, ends = (time.fromisoformat(part.strip()) for part in line.split("-"))
                except ValueError as error:
                    raise forms.ValidationError(_("Write each slot like 08:00-08:45.")) from error
                found.append((begins, ends))
        return found


class CalendarDayForm(forms.Form):
    on = Day(label=_("Day"))
    kind = forms.ChoiceField(label=_("Kind of day"), choices=DayKind.choices)
    note = FreeText(label=_("Note"), required=False, max_length=100)


class DutyForm(forms.Form):
    officer = _Officer(label=_("Escort"), queryset=User.objects.none())
    weekday = forms.TypedChoiceField(
        label=_("Weekday"),
        coerce=int,
        choices=list(enumerate(WEEKDAYS)),
    )
    first = forms.IntegerField(label=_("First slot"), min_value=1, max_value=10, initial=1)
    last = forms.IntegerField(label=_("Last slot"), min_value=1, max_value=10, initial=10)

    def __init__(self, *args: Any, facility: Facility, **more: Any) -> None:
        super().__init__(*args, **more)
        officers: Any = self.fields["officer"]
        officers.queryset = guards_of(facility)


class IllForm(forms.Form):
    officer = _Officer(label=_("Escort"), queryset=User.objects.none())
    on = Day(label=_("Away on"))

    def __init__(self, *args: Any, facility: Facility, **more: Any) -> None:
        super().__init__(*args, **more)
        officers: Any = self.fields["officer"]
        officers.queryset = guards_of(facility)


class CaseForm(forms.Form):
    number = OfficialNumber(label=_("Number of the case"), max_length=40)
    stage = forms.ChoiceField(label=_("Stage"), choices=Case.Stage.choices)
    category = forms.ChoiceField(label=_("Kind of case"), choices=Case.Category.choices)
    party = OfficialNumber(
        label=_("Custody number of an accused person"), required=False, max_length=20
    )
    linked = OfficialNumber(label=_("Number of a linked case"), required=False, max_length=40)


class RestrictionForm(forms.Form):
    number = OfficialNumber(label=_("Custody number"), max_length=20)
    begins_on = Day(label=_("From"))
    ends_on = Day(label=_("Last day"))
    paper_number = OfficialNumber(label=_("Number of the order"), max_length=60)


class PeriodForm(forms.Form):
    first = Day(label=_("From"))
    last = Day(label=_("To"))
