"""Square codes, drawn as SVG into the page: nothing is fetched, nothing is stored."""

from __future__ import annotations

from itertools import groupby
from typing import Any

from django.utils.html import format_html
from django.utils.safestring import SafeString
from qrcode.main import QRCode

QUIET = 4  # modules of white around it, as the standard demands


def svg(text: str, *, label: str) -> SafeString:
    """Draw `text` as a square code; `label` says to those who cannot see it what it leads to."""
    code: QRCode[Any] = QRCode(border=QUIET)
    code.add_data(text)
    code.make(fit=True)
    rows = code.get_matrix()
    return format_html(
        '<svg viewBox="0 0 {0} {0}" role="img" aria-label="{1}" shape-rendering="crispEdges">'
        '<path fill="#fff" d="M0 0h{0}v{0}H0z"/><path fill="#000" d="{2}"/></svg>',
        len(rows),
        label,
        "".join(_bars(row, y) for y, row in enumerate(rows)),
    )


def _bars(row: list[bool], y: int) -> str:
    """Return the dark runs of one row as path commands."""
    drawn, x = "", 0
    for dark, run in groupby(row):
        length = len(list(run))
        if dark:
            drawn += f"M{x} {y}h{length}v1h-{length}z"
        x += length
    return drawn
