"""The register of lawyers, firms and letters, behind a port; a CSV file unless told otherwise."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Protocol

from django.conf import settings

from visits.models import Credential


@dataclass(frozen=True, kw_only=True)
class Entry:
    """What the register says about one paper. valid_until: the last valid day."""

    kind: str
    number: str
    licence_number: str
    name: str
    valid_until: date
    is_revoked: bool


class Register(Protocol):
    """Where papers are compared. None means that the register is silent about a number."""

    def look_up(self, kind: str, number: str) -> Entry | None: ...


@dataclass(frozen=True)
class CsvRegister:
    """A file with the columns kind, number, licence_number, name, valid_until, status.

    Delivered by the justice bureau or the bar association; read anew at each question.
    """

    path: Path

    def look_up(self, kind: str, number: str) -> Entry | None:
        if not self.path.exists():
            return None
        with self.path.open(encoding="utf-8-sig", newline="") as file:
            for row in csv.DictReader(file):
                if (row["kind"], row["number"]) == (kind, number):
                    return Entry(
                        kind=kind,
                        number=number,
                        licence_number=row["licence_number"],
                        name=row["name"],
                        valid_until=date.fromisoformat(row["valid_until"]),
                        is_revoked=row["status"] == "revoked",
                    )
        return None


def register() -> Register:
    """Return the register that the settings choose."""
    return CsvRegister(Path(settings.LAWYER_REGISTER))


def differences(credential: Credential, entry: Entry) -> list[str]:
    """Compare a paper with its entry; returns the names of what differs, none when it agrees.

    Each authority letter and firm letter is bound to the lawyer's licence number.
    """
    found = []
    if entry.is_revoked:
        found.append("status")
    if entry.licence_number != credential.lawyer.licence_number:
        found.append("licence_number")
    if entry.name != credential.lawyer.user.name:
        found.append("name")
    if entry.valid_until < credential.valid_until:
        found.append("valid_until")
    return found
