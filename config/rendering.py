"""How every form is drawn: one field template, so that all doors look and read alike."""

from __future__ import annotations

from django.forms.renderers import TemplatesSetting
from django.utils.translation import gettext_noop as _

# Django's own sentences, said again here so that their Chinese can be plainer than Django's.
PLAINER = (
    _("- Select an option -"),
    _("This field is required."),
    _("Enter a whole number."),
    _("Enter a valid date."),
    _("Select a valid choice. That choice is not one of the available choices."),
)


class Renderer(TemplatesSetting):
    form_template_name = "parts/form.html"
    field_template_name = "parts/field.html"
