"""Named situations, reached through the verbs."""

from __future__ import annotations

import itertools
from uuid import uuid4

from django.db import transaction
from django.utils import timezone

from accounts import deposits, escrow
from accounts.ledger import posting
from accounts.models import Deposit
from detention import custody, devices, relatives
from detention.models import Custody, Device, Facility, Relationship, Relative, Role, User
from tests.factories import PASSWORD, AppointmentFactory, CellFactory, FacilityFactory

_numbers = itertools.count(1)
PIN = "2580"


def identity_number(serial: int) -> str:
    """Return a resident identity number whose check character fits."""
    body = f"150202{1960 + serial % 40}0101{serial % 1000:03d}"
    total = sum(int(digit) * pow(2, 17 - place, 11) for place, digit in enumerate(body))
    return body + "10X98765432"[total % 11]


def officer(facility: Facility, role: Role = Role.GUARD) -> User:
    """Return an officer who holds one role in the facility from a month ago on."""
    return AppointmentFactory(facility=facility, role=role).user


def held_person(
    facility: Facility | None = None, *, name: str = "王小明", number: str | None = None
) -> Custody:
    """Return an open custody with a known PIN."""
    facility = facility or FacilityFactory()
    guard = officer(facility)
    held = custody.admit(
        facility,
        name=name,
        number=number or f"B{next(_numbers):06d}",
        cell=CellFactory(facility=facility),
        by=guard,
        at=timezone.now(),
    )
    return custody.set_pin(held, PIN, by=guard, at=timezone.now())


def registered_relative(**changes) -> Relative:
    """Return a relative who has registered and is linked with nobody."""
    serial = next(_numbers)
    details = {
        "login": f"relative{serial}@example.org",
        "password": PASSWORD,
        "name": "王建国",
        "number": identity_number(serial),
        "at": timezone.now(),
    }
    return relatives.register(**{**details, **changes})


def requested_link(held: Custody, relative: Relative | None = None) -> Relationship:
    """Return a relative's request that waits for an officer."""
    return relatives.ask_link(
        relative or registered_relative(),
        number=held.number,
        name=held.detainee.name,
        kind=Relationship.Kind.PARENT,
        at=timezone.now(),
    )


def verified_link(held: Custody | None = None, relative: Relative | None = None) -> Relationship:
    """Return a verified link between a relative and a person in custody."""
    held = held or held_person()
    link = requested_link(held, relative)
    return relatives.verify(link, by=officer(held.facility), at=timezone.now())


def enrolled_tablet(held: Custody) -> tuple[Device, str]:
    """Return an active tablet in the person's cell, and its token."""
    invited = devices.invite(held.cell, name="", by=officer(held.facility), at=timezone.now())
    return devices.enrol(invited.code, at=timezone.now())


def started_deposit(link: Relationship | None = None, amount: int = 20_000, **changes) -> Deposit:
    """Return a deposit that waits for its payment; the provider has not been asked yet."""
    link = link or verified_link()
    details = {
        "once": uuid4(),
        "provider": "stripe",
        "by": link.relative,
        "at": timezone.now(),
    }
    return deposits.start(link, amount, **{**details, **changes})


def paid(deposit: Deposit, **changes) -> Deposit:
    """Return the deposit after the provider said that it was paid, whatever came of it."""
    details = {
        "payment_id": f"pi_{deposit.number}",
        "amount": deposit.amount,
        "currency": "CNY",
        "method": "alipay",
        "at": timezone.now(),
    }
    return deposits.capture(deposit, **{**details, **changes})


def credited_deposit(link: Relationship | None = None, amount: int = 20_000) -> Deposit:
    """Return a deposit whose money stands on the detainee's account."""
    return paid(started_deposit(link, amount))


def waiting_deposit(link: Relationship | None = None, amount: int = 20_000) -> Deposit:
    """Return a deposit in SUSPENSE: one fen less came than was asked for."""
    deposit = started_deposit(link, amount)
    return paid(deposit, amount=amount - 1)


def funded(held: Custody, amount: int) -> Custody:
    """Return the person with `amount` fen more to spend, as a passed deposit leaves it."""
    with transaction.atomic():
        account = escrow.account_of(held)
        posting.post(
            "deposit_captured",
            book=account.book,
            key=f"test:{next(_numbers)}",
            lines=(
                posting.Line(posting.account(account.book, "GATEWAY"), -amount),
                posting.Line(account, amount),
            ),
            at=timezone.now(),
            by=None,
        )
    return held
