"""The demo: two facilities with officers and people in custody, made through the verbs."""

from __future__ import annotations

import json
import secrets
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path

from django.conf import settings

from config import demo_shop, demo_visits
from detention import custody, facilities
from detention.models import Appointment, Cell, Custody, Facility, Role, User

FACILITIES = (
    ("donghe", "东河看守所", "Donghe Detention Centre"),
    ("qingshan", "青山看守所", "Qingshan Detention Centre"),
)
CELLS = ("101", "102", "201", "202")
# Two administrators and two guards, because many acts need a second person.
OFFICERS = (
    ("admin-1", "赵管理", Role.ADMINISTRATOR),
    ("admin-2", "钱管理", Role.ADMINISTRATOR),
    ("guard-1", "孙管教", Role.GUARD),
    ("guard-2", "李管教", Role.GUARD),
    ("finance-1", "周会计", Role.FINANCE),
    ("auditor-1", "吴审计", Role.AUDITOR),
)
PEOPLE = ("张伟", "王芳", "李强", "刘洋")


@dataclass(frozen=True, kw_only=True)
class Login:
    """Somebody of the demo, with the password (or PIN) made for this installation."""

    facility: str
    role: str
    name: str
    login: str
    password: str

    @property
    def post(self) -> str:
        """Return the log-in without its facility: `guard-1`."""
        return self.login.removeprefix(f"{self.facility}-")


def logins_file() -> Path:
    """Return where the demo's passwords are kept: beside the data, for the owner's eyes only."""
    return Path(settings.DATA_DIR) / "demo_logins.json"


def logins() -> list[Login]:
    """Return the demo officers' log-ins as the last `build` left them."""
    return _read(logins_file())


def people_file() -> Path:
    """Return where the log-ins of the newest played family are kept."""
    return Path(settings.DATA_DIR) / "demo_people.json"


def people() -> list[Login]:
    """Return a relative and a person in custody whom the newest played day left, to try out."""
    return _read(people_file())


def keep_people(played: list[Login]) -> None:
    """Keep whom to try out; the newest day counts."""
    _write(people_file(), played)


def _read(path: Path) -> list[Login]:
    return [Login(**row) for row in json.loads(path.read_text())] if path.exists() else []


def _write(path: Path, made: list[Login]) -> None:
    path.touch(mode=0o600)
    path.write_text(json.dumps([asdict(login) for login in made], ensure_ascii=False, indent=1))


def build(*, at: datetime) -> list[Login]:
    """Make what is missing of the demo and return its officers' log-ins; again changes nothing.

    Passwords are random for each installation. An officer whose password is no longer on file
    gets a new one.
    """
    known = {login.login: login for login in logins()}
    made: list[Login] = []
    for code, name_zh, name_en in FACILITIES:
        facility = Facility.objects.filter(code=code).first() or facilities.found(
            code=code, name_zh=name_zh, name_en=name_en, at=at
        )
        for login, name, role in OFFICERS:
            made.append(_officer(facility, f"{code}-{login}", name, role, known, at))
        cells = [_cell(facility, cell, at) for cell in CELLS]
        demo_shop.build(facility, at=at)
        demo_visits.build(facility, at=at)
        if not Custody.objects.filter(facility=facility).exists():
            _admit(facility, cells, at)
    _write(logins_file(), made)
    return made


def _officer(
    facility: Facility, login: str, name: str, role: Role, known: dict[str, Login], at: datetime
) -> Login:
    user = User.objects.filter(login=login).first()
    password = known[login].password if login in known else f"demo-{secrets.token_hex(6)}"
    if user is None:
        user = facilities.enlist(login=login, name=name, password=password, at=at)
    elif not user.check_password(password):
        user.set_password(password)
        user.save(update_fields=["password"])
    if not Appointment.objects.filter(user=user, facility=facility, role=role).exists():
        facilities.appoint(user, facility, role, at=at)
    return Login(facility=facility.code, role=str(role), name=name, login=login, password=password)


def _cell(facility: Facility, code: str, at: datetime) -> Cell:
    found = Cell.objects.filter(facility=facility, code=code).first()
    return found or facilities.add_cell(facility, code, at=at)


def _admit(facility: Facility, cells: list[Cell], at: datetime) -> None:
    guard = User.objects.get(login=f"{facility.code}-guard-1")
    for serial, name in enumerate(PEOPLE, start=1):
        held = custody.admit(
            facility,
            name=name,
            number=f"{facility.code[:2].upper()}{at:%y}{serial:04d}",
            cell=cells[serial % len(cells)],
            by=guard,
            at=at,
        )
        custody.set_pin(held, custody.fresh_pin(), by=guard, at=at)
