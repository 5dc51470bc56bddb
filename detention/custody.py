"""Admission, moves and the end of a custody; the PIN; what relatives may see."""

from __future__ import annotations

from datetime import date, datetime

from django.contrib.auth.hashers import check_password, make_password
from django.utils.translation import gettext_lazy as _

from detention import audit, events
from detention.errors import Refusal
from detention.identity import folded, fresh_code, plain_number
from detention.lifecycle import move
from detention.models import Cell, Custody, Detainee, Facility, User
from detention.verbs import assert_in_transaction, verb

PIN_TRIES = 5


class CustodyNotOpen(Refusal):
    code = "custody_not_open"
    message = _("This person is no longer held here, so this is not possible.")


class AlreadyHeld(Refusal):
    code = "already_held"
    message = _("This person is already held in a facility.")
    constraint = "custody_open_unique"


class NumberTaken(Refusal):
    code = "number_taken"
    message = _("This custody number is already in use.")
    constraint = "custody_number_unique"


class CellElsewhere(Refusal):
    code = "cell_elsewhere"
    status = 422
    message = _("This cell belongs to another facility.")


class BadPin(Refusal):
    code = "bad_pin_form"
    status = 422
    message = _("A PIN has 4 to 6 digits and is not one digit repeated.")


class WrongPin(Refusal):
    code = "wrong_pin"
    status = 403
    message = _("The number or the PIN is not right.")


class PinLocked(Refusal):
    code = "pin_locked"
    status = 403
    message = _("Too many wrong tries. Ask the officer.")


def lock_open(pk: int) -> Custody:
    """Lock the custody row that guards one detainee's money, and demand that it is open.

    Refuses CustodyNotOpen. Within the caller's transaction, before any other lock.
    """
    assert_in_transaction()
    custody = Custody.objects.locked().select_related("facility", "detainee").get(pk=pk)
    if not custody.is_open:
        raise CustodyNotOpen
    return custody


def lock(pk: int) -> Custody:
    """Lock the custody row whatever its state, for money that is already on its way."""
    assert_in_transaction()
    return Custody.objects.locked().select_related("facility", "detainee").get(pk=pk)


@verb
def admit(
    facility: Facility,
    *,
    name: str,
    number: str,
    cell: Cell,
    born_on: date | None = None,
    detainee: Detainee | None = None,
    by: User,
    at: datetime,
) -> Custody:
    """Open a custody; `detainee` names a person who was held before, else one is created.

    Refuses CellElsewhere, NumberTaken, AlreadyHeld.
    """
    if cell.facility_id != facility.pk:
        raise CellElsewhere(field="cell")
    if detainee is None:
        detainee = Detainee.objects.create(name=folded(name), born_on=born_on)
    custody = Custody.objects.create(
        facility=facility,
        detainee=detainee,
        number=plain_number(number),
        cell=cell,
        admitted_at=at,
    )
    audit.record("custody.admitted", by=by, at=at, subject=custody, facility=facility)
    events.announce("custody_admitted", custody.pk)
    return custody


@verb
def set_pin(custody: Custody, pin: str, *, by: User, at: datetime) -> Custody:
    """Give the detainee a new PIN of 4 to 6 digits and lift the lock after wrong tries.

    Stores a memory-hard hash only. Refuses BadPin, CustodyNotOpen.
    """
    pin = folded(pin)
    if not (pin.isascii() and pin.isdigit() and 4 <= len(pin) <= 6 and len(set(pin)) > 1):
        raise BadPin(field="pin")
    hashed = make_password(pin)
    custody = lock_open(custody.pk)
    custody.pin = hashed
    custody.pin_failures = 0
    custody.pin_locked_at = None
    custody.save(update_fields=["pin", "pin_failures", "pin_locked_at"])
    audit.record("custody.pin_set", by=by, at=at, subject=custody, facility=custody.facility)
    return custody


def fresh_pin() -> str:
    """Return a PIN to hand to a detainee at admission."""
    while True:
        pin = "".join(str(ord(letter) % 10) for letter in fresh_code(6))
        if len(set(pin)) > 2:
            return pin


def match_pin(facility: Facility, number: str, pin: str, *, at: datetime) -> Custody:
    """Return the open custody that this number and PIN belong to.

    Refuses WrongPin (the same for a wrong number and a wrong PIN) and PinLocked after five wrong
    tries; the wrong try is kept although it is refused. Lock: the custody row, so that parallel
    guesses are counted one by one. Within the caller's transaction.
    """
    assert_in_transaction()
    custody = (
        Custody.objects.open()
        .locked()
        .select_related("facility", "detainee", "cell")
        .filter(facility=facility, number=plain_number(number))
        .first()
    )
    if custody is None:
        # The same work as for a real number, so that time does not tell which numbers exist.
        make_password(pin)
        raise WrongPin
    if custody.pin_locked_at is not None:
        raise PinLocked
    if not custody.pin or not check_password(folded(pin), custody.pin):
        pk = custody.pk
        raise WrongPin(record=lambda: _count_wrong_pin(pk, at))
    if custody.pin_failures:
        custody.pin_failures = 0
        custody.save(update_fields=["pin_failures"])
    return custody


def _count_wrong_pin(pk: int, at: datetime) -> None:
    custody = lock(pk)
    custody.pin_failures += 1
    if custody.pin_failures >= PIN_TRIES:
        custody.pin_locked_at = at
    custody.save(update_fields=["pin_failures", "pin_locked_at"])
    audit.record(
        "custody.wrong_pin",
        by=None,
        at=at,
        subject=custody,
        facility=custody.facility,
        failures=custody.pin_failures,
    )


@verb
def choose_visible(
    custody: Custody, visible: Custody.Visible, *, by: audit.Actor, at: datetime
) -> Custody:
    """Store what the detainee lets relatives see of purchases. Refuses CustodyNotOpen."""
    custody = lock_open(custody.pk)
    custody.visible = visible
    custody.save(update_fields=["visible"])
    audit.record(
        "custody.visible_chosen",
        by=by,
        at=at,
        subject=custody,
        facility=custody.facility,
        visible=str(visible),
    )
    return custody


@verb
def move_to_cell(custody: Custody, cell: Cell, *, by: User, at: datetime) -> Custody:
    """Move the detainee to another cell of the facility. Refuses CellElsewhere, CustodyNotOpen."""
    custody = lock_open(custody.pk)
    if cell.facility_id != custody.facility_id:
        raise CellElsewhere(field="cell")
    custody.cell = cell
    custody.save(update_fields=["cell"])
    audit.record(
        "custody.moved", by=by, at=at, subject=custody, facility=custody.facility, cell=cell.code
    )
    return custody


@verb
def close(custody: Custody, *, reason: Custody.Reason, by: User, at: datetime) -> Custody:
    """Begin the end of a custody: no new deposits, orders or visits from now on.

    The reactions (orders, bookings, payouts) run as tasks of their own. Refuses CustodyNotOpen.
    """
    custody = lock_open(custody.pk)
    move(custody, Custody.State.CLOSING)
    custody.closing_at = at
    custody.closing_reason = reason
    custody.save(update_fields=["state", "closing_at", "closing_reason"])
    audit.record(
        "custody.closing",
        by=by,
        at=at,
        subject=custody,
        facility=custody.facility,
        reason=str(reason),
    )
    events.announce("custody_closing", custody.pk)
    return custody
