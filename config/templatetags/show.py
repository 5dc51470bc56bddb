"""How amounts, moments, days, names and pictures are shown, the same on every page."""

from __future__ import annotations

from datetime import date, datetime

from django import template
from django.templatetags.static import static
from django.utils import formats, timezone, translation
from django.utils.html import format_html
from django.utils.safestring import SafeString

from accounts.money import show
from detention import identity

register = template.Library()


@register.filter
def money(fen: int | None) -> str:
    """Show integer fen as ¥1,234.50, with a minus sign in front when negative; None as a dash."""
    return "—" if fen is None else show(fen)


@register.filter
def moment(at: datetime | None) -> str:
    """Show an instant in the facility's time zone, in the reader's manner; None as a dash."""
    if at is None:
        return "—"
    local = timezone.localtime(at)
    if (translation.get_language() or "").startswith("en"):
        return formats.date_format(local, "j F Y, H:i")
    weekday = "一二三四五六日"[local.weekday()]
    return f"{local:%Y-%m-%d}（周{weekday}）{local:%H:%M}"


@register.filter
def day(on: date | datetime | None) -> str:
    """Show a day in the reader's manner; an instant counts by the facility's midnight."""
    if on is None:
        return "—"
    local = timezone.localtime(on) if isinstance(on, datetime) else on
    if (translation.get_language() or "").startswith("en"):
        return formats.date_format(local, "j F Y")
    return f"{local:%Y-%m-%d}（周{'一二三四五六日'[local.weekday()]}）"


@register.filter
def masked(name: str) -> str:
    """Hide the middle of a person's name: 王小明 → 王*明."""
    return identity.masked_name(name)


@register.simple_tag
def icon(name: str) -> SafeString:
    """Draw a symbol of look/icons.svg beside words; it says nothing to a screen reader."""
    return format_html(
        '<svg class="icon" aria-hidden="true" focusable="false"><use href="{}#{}"/></svg>',
        static("look/icons.svg"),
        name,
    )


@register.simple_tag
def picture(name: str) -> SafeString:
    """Draw a large picture of look/icons.svg (`picture-…`) beside words."""
    return format_html(
        '<svg aria-hidden="true" focusable="false"><use href="{}#picture-{}"/></svg>',
        static("look/icons.svg"),
        name,
    )


@register.simple_tag
def chip(word: object, tone: str = "plain") -> SafeString:
    """Show a state by word, shape and colour; tone: good, warn, bad, info or plain."""
    return format_html(
        '<span class="chip {}">{}{}</span>', tone, icon("clock" if tone == "warn" else tone), word
    )
