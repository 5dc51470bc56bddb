"""Message catalogues: find every app's, and keep the compiled form beside it fresh.

Compiled catalogues are not kept in the repository. They are written here when missing or older
than their source, so that a fresh clone speaks Chinese without a build step or gettext tools.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from django.core.checks import CheckMessage, Error

LANGUAGE = "zh_Hans"
ROOT = Path(__file__).resolve().parent.parent
_PATTERN = f"locale/{LANGUAGE}/LC_MESSAGES/django.po"
_APPS = ("detention", "accounts", "commissary", "visits", "config")


def sources() -> list[Path]:
    """Return every app's catalogue, sorted by path."""
    return sorted(found for app in _APPS for found in (ROOT / app).glob(f"**/{_PATTERN}"))


def stale() -> list[Path]:
    """Return the catalogues whose compiled form is missing or older."""
    return [source for source in sources() if _is_stale(source)]


def compile_stale() -> list[Path]:
    """Compile what is stale; two processes may do so at once, each replaces the file whole."""
    found = stale()
    for source in found:
        _compile(source)
    return found


def check_compiled(**kwargs: object) -> list[CheckMessage]:
    """Name the catalogues that could not be compiled (a read-only installation)."""
    return [
        Error(
            f"{source.relative_to(ROOT)} is not compiled.",
            hint="Run python tools/messages.py compile while building.",
            id="config.E001",
        )
        for source in stale()
    ]


def _is_stale(source: Path) -> bool:
    compiled = source.with_suffix(".mo")
    return not compiled.exists() or compiled.stat().st_mtime < source.stat().st_mtime


def _compile(source: Path) -> None:
    # Imported here: needed once after an update, not at every start.
    from babel.messages.mofile import write_mo
    from babel.messages.pofile import read_po

    with source.open("rb") as lines:
        catalogue = read_po(lines, locale=LANGUAGE, charset="utf-8")
    handle, name = tempfile.mkstemp(dir=source.parent, suffix=".tmp")
    with os.fdopen(handle, "wb") as target:
        write_mo(target, catalogue)
    Path(name).chmod(0o644)
    Path(name).replace(source.with_suffix(".mo"))
