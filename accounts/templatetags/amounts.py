"""Amounts as typed and in receipt capitals, and the names of accounts."""

from __future__ import annotations

from django import template

from accounts import money
from accounts.described import ACCOUNT_NAMES

register = template.Library()


@register.filter
def yuan(fen: int) -> str:
    """Write integer fen as a person would type it: 200 or 200.50."""
    whole, rest = divmod(fen, 100)
    return f"{whole}.{rest:02d}" if rest else str(whole)


@register.filter
def capitals(fen: int) -> str:
    """Write integer fen in the capital numerals of Chinese receipts."""
    return money.capitals(fen)


@register.filter
def account_name(kind: str) -> str:
    """Name a kind of account in words."""
    return str(ACCOUNT_NAMES[kind])
