"""Which doors a signed-in person finds on the start page and in the menu, by role.

An app that adds a page for a role adds one line here; order is the order on the screen.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from accounts.models import Deposit
from commissary import worklists
from detention import access, relatives
from detention.models import Facility, Relative, Role, User
from visits import desk_views
from visits.models import Lawyer

RELATIVE = "relative"
LAWYER = "lawyer"
GUARD, FINANCE = Role.GUARD.value, Role.FINANCE.value
AUDITOR, ADMINISTRATOR = Role.AUDITOR.value, Role.ADMINISTRATOR.value


@dataclass(frozen=True, kw_only=True)
class Door:
    """One way in: `view` is a URL name without arguments, `icon` a symbol of look/icons.svg.

    text: one plain sentence under the label of the tile. waiting: how many things wait behind the
    door in the officer's facility, shown on the tile.
    """

    view: str
    label: Any
    text: Any
    icon: str
    roles: frozenset[str]
    waiting: Callable[[Facility], int] | None = None


@dataclass(frozen=True, kw_only=True)
class OpenDoor:
    """A door as one request sees it."""

    door: Door
    address: str
    is_here: bool
    facility: Facility | None

    @property
    def label(self) -> Any:
        return self.door.label

    @property
    def text(self) -> Any:
        return self.door.text

    @property
    def icon(self) -> str:
        return self.door.icon

    def waiting(self) -> int:
        """Count what waits; asked only by the start page."""
        if self.door.waiting is None or self.facility is None:
            return 0
        return self.door.waiting(self.facility)


def _door(view: str, label: Any, text: Any, icon: str, *roles: str, **more: Any) -> Door:
    return Door(view=view, label=label, text=text, icon=icon, roles=frozenset(roles), **more)


DOORS: list[Door] = [
    _door(
        "start",
        _("Start"),
        _("Everything you can do here."),
        "home",
        *(RELATIVE, LAWYER, GUARD, FINANCE, AUDITOR, ADMINISTRATOR),
    ),
    _door(
        "my_people",
        _("My people"),
        _("Send money, see what it was spent on, add a person."),
        "people",
        RELATIVE,
    ),
    _door(
        "my_deposits",
        _("My payments"),
        _("What became of each payment, with its receipt."),
        "receipt",
        RELATIVE,
    ),
    _door(
        "people",
        _("People in custody"),
        _("Admit a person, give a PIN, move, close."),
        "person",
        *(GUARD, ADMINISTRATOR),
    ),
    _door(
        "finance_today",
        _("Money today"),
        _("What came in, what waits for a decision, what goes back."),
        "money",
        *(FINANCE, AUDITOR),
        waiting=lambda facility: Deposit.objects.filter(facility=facility).waiting().count(),
    ),
    _door(
        "trail",
        _("Trail"),
        _("From a payment to the goods and back."),
        "trail",
        *(FINANCE, AUDITOR),
    ),
    _door(
        "orders",
        _("Orders"),
        _("Approve, allow in part or reject."),
        "basket",
        GUARD,
        waiting=worklists.count_waiting,
    ),
    _door(
        "picking",
        _("Picking"),
        _("Take approved orders from the shelf, by cell."),
        "box",
        GUARD,
        waiting=worklists.count_to_pick,
    ),
    _door(
        "hand_overs",
        _("Hand-over"),
        _("At the cell door: count, sign, done."),
        "hand",
        GUARD,
        waiting=worklists.count_to_hand_over,
    ),
    _door(
        "products",
        _("Products and prices"),
        _("Two officers stand behind every price."),
        "list",
        *(FINANCE, AUDITOR, ADMINISTRATOR),
    ),
    _door(
        "books",
        _("Books"),
        _("What is held and what is owed, by kind of account."),
        "scale",
        *(FINANCE, AUDITOR),
    ),
    _door(
        "desk_relatives",
        _("Relatives"),
        _("Verify who is a relative, or refuse with a reason."),
        "people",
        *(GUARD, ADMINISTRATOR),
        waiting=lambda facility: len(relatives.waiting(facility)),
    ),
    _door(
        "desk_tablets",
        _("Tablets"),
        _("Enrol a tablet for a cell, see when it was last heard of, shut it out."),
        "tablet",
        *(GUARD, ADMINISTRATOR),
    ),
    _door(
        "lawyer_home",
        _("My visits"),
        _("What is ahead, what waits, what was."),
        "calendar",
        LAWYER,
    ),
    _door(
        "lawyer_clients",
        _("Clients"),
        _("Name a client and ask for a visit."),
        "people",
        LAWYER,
    ),
    _door(
        "lawyer_papers",
        _("Papers"),
        _("Certificate, firm letter, power of attorney or legal-aid letter."),
        "document",
        LAWYER,
    ),
    _door(
        "visits_today",
        _("Visits today"),
        _("Scan passes, rooms in and out, walk-ins."),
        "calendar",
        GUARD,
    ),
    _door(
        "desk_lawyers",
        _("Lawyers"),
        _("Papers, conflicts, permissions and the 48 hours."),
        "badge",
        *(GUARD, ADMINISTRATOR),
        waiting=desk_views.waiting,
    ),
    _door(
        "visit_rooms",
        _("Visiting rooms"),
        _("Add a room, or close one for a time."),
        "home",
        ADMINISTRATOR,
    ),
    _door(
        "visit_hours",
        _("Visiting hours"),
        _("Ten slots a day, by kind of day."),
        "clock",
        ADMINISTRATOR,
    ),
    _door(
        "visit_escorts",
        _("Escorts"),
        _("Who fetches people for visits, and who is away."),
        "hand",
        ADMINISTRATOR,
    ),
    _door(
        "visit_figures",
        _("Figures of the visits"),
        _("Time to meet, 48-hour rate, rooms, satisfaction."),
        "chart",
        *(ADMINISTRATOR, AUDITOR),
    ),
]


@dataclass(frozen=True, kw_only=True)
class PersonDoor:
    """What a verified relative can do for one person; `view` takes the link's public id."""

    view: str
    label: Any
    icon: str


# The first is the main button.
PERSON_DOORS = [
    PersonDoor(view="send_money", label=_("Send money"), icon="money"),
    PersonDoor(view="money_history", label=_("What it was spent on"), icon="list"),
]


def audiences(request: HttpRequest) -> set[str]:
    """Return the officer's roles in the current facility, and `relative` for a relative."""
    if not isinstance(request.user, User):
        return set()
    found = set(access.roles_of(request))
    if not found and Relative.objects.filter(user=request.user).exists():
        found.add(RELATIVE)
    if not found and Lawyer.objects.filter(user=request.user).exists():
        found.add(LAWYER)
    return found


def open_doors(request: HttpRequest) -> list[OpenDoor]:
    """Return the doors open to the asker, in order."""
    held = audiences(request)
    if not held:
        return []
    facility = access.facility_of(request)
    return [_opened(door, request, facility) for door in DOORS if door.roles & held]


def _opened(door: Door, request: HttpRequest, facility: Facility | None) -> OpenDoor:
    address = reverse(door.view)
    here = request.path == address or (
        address.count("/") > 1 and door.view != "start" and request.path.startswith(address)
    )
    return OpenDoor(door=door, address=address, is_here=here, facility=facility)
