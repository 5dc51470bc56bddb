"""Amounts: integer fen in the program, yuan in front of people, nothing else in between."""

from __future__ import annotations

import re
import unicodedata
from typing import Any

from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper
from django.utils.translation import gettext_lazy as _

from detention.errors import Refusal

# Largest amount of one line: keeps every sum within 64 bits (design, pitfalls: SQLite raises).
LARGEST_FEN = 10**12

_SYMBOLS = re.compile(r"[\s¥]|元|CNY|RMB", re.IGNORECASE)
# Commas only where thousands are separated: 1,23 is somebody's decimal comma and must not be 123.
_YUAN = re.compile(r"(?P<yuan>\d{1,13}|\d{1,3}(?:,\d{3}){1,4})(?:\.(?P<fen>\d{1,2}))?", re.ASCII)


class BadAmount(Refusal):
    """What was typed is not an amount of money."""

    code = "bad_amount"
    status = 422
    message = _("Write an amount in yuan, for example 200 or 200.50.")


class FenField(models.BigIntegerField):  # type: ignore[type-arg]
    """An amount in fen.

    SQLite keeps 1.5 in a bigint column without a word, hence the CHECK on the stored type;
    Python floats, decimals and booleans are refused before they reach any database.
    """

    def db_check(self, connection: BaseDatabaseWrapper) -> str | None:
        if connection.vendor != "sqlite":
            return super().db_check(connection)
        allowed = "('integer', 'null')" if self.null else "('integer')"
        return f"typeof({connection.ops.quote_name(str(self.column))}) IN {allowed}"

    def get_prep_value(self, value: Any) -> Any:
        plain = value is None or hasattr(value, "resolve_expression")
        if not plain and (isinstance(value, bool) or not isinstance(value, int)):
            raise TypeError(f"{self.name} takes integer fen, not {type(value).__name__}.")
        return super().get_prep_value(value)


def parse(text: object, *, field: str = "amount") -> int:
    """Return the positive amount in fen that a person typed in yuan.

    Takes full-width digits, spaces, ¥, ￥, 元 and commas between thousands.
    Refuses BadAmount (bad_amount) with an example for everything else: nothing, zero, negative,
    more than two decimals, 1e3, Chinese numerals, numbers that are not text, over ten billion yuan.
    """
    if not isinstance(text, str) or len(text) > 60:
        raise BadAmount(field=field)
    plain = _SYMBOLS.sub("", unicodedata.normalize("NFKC", text))
    match = _YUAN.fullmatch(plain)
    if match is None:
        raise BadAmount(field=field)
    fen = int(match["yuan"].replace(",", "")) * 100 + int((match["fen"] or "").ljust(2, "0"))
    if not 0 < fen <= LARGEST_FEN:
        raise BadAmount(field=field)
    return fen


def show(fen: int) -> str:
    """Write integer fen as ¥1,234.50, with a minus sign in front when negative."""
    sign = "−" if fen < 0 else ""
    yuan, rest = divmod(abs(fen), 100)
    return f"{sign}¥{yuan:,}.{rest:02d}"


_DIGITS = "零壹贰叁肆伍陆柒捌玖"
_PLACES = ("仟", "佰", "拾", "")
_GROUPS = ("", "万", "亿", "万亿")


def capitals(fen: int) -> str:
    """Write integer fen, zero or more, in the capital numerals of Chinese receipts: 贰佰元整."""
    assert 0 <= fen <= LARGEST_FEN, "receipts show what moved, which is never negative"
    yuan, rest = divmod(fen, 100)
    jiao, cents = divmod(rest, 10)
    words = _whole(yuan) + "元" if yuan else ""
    if not rest:
        return (words or "零元") + "整"
    # 零 keeps the place of an empty jiao when yuan stand before it: 壹元零伍分.
    words += f"{_DIGITS[jiao]}角" if jiao else ("零" if yuan else "")
    return words + (f"{_DIGITS[cents]}分" if cents else "整")


def _whole(yuan: int) -> str:
    groups: list[int] = []
    while yuan:
        yuan, group = divmod(yuan, 10_000)
        groups.append(group)
    words = ""
    gap = False
    for place in reversed(range(len(groups))):
        group = groups[place]
        if not group:
            gap = True
            continue
        if words and (gap or group < 1000):
            words += "零"
        words += _below_ten_thousand(group) + _GROUPS[place]
        gap = False
    return words


def _below_ten_thousand(group: int) -> str:
    words = ""
    gap = False
    for digit, place in zip(f"{group:04d}", _PLACES, strict=True):
        if digit == "0":
            gap = bool(words)
            continue
        words += ("零" if gap else "") + _DIGITS[int(digit)] + place
        gap = False
    return words
