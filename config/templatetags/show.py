"""The two filters through which every amount and every moment is shown."""

from __future__ import annotations

from datetime import datetime

from django import template
from django.utils import formats, timezone, translation

register = template.Library()


@register.filter
def money(fen: int | None) -> str:
    """Show integer fen as ¥1,234.50, with a minus sign in front when negative; None as a dash."""
    if fen is None:
        return "—"
    sign = "−" if fen < 0 else ""
    yuan, rest = divmod(abs(fen), 100)
    return f"{sign}¥{yuan:,}.{rest:02d}"


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
