from datetime import timedelta

import pytest
from django.utils import timezone

from config.middleware import keep_record
from detention import custody, devices
from detention.errors import Refusal
from detention.models import Device, TabletSession
from tests import situations

pytestmark = pytest.mark.django_db


def _try(device, number, pin):
    try:
        return devices.sign_in(device, number=number, pin=pin, at=timezone.now())
    except Refusal as refusal:
        keep_record(refusal)
        return refusal.code


def test_a_code_enrols_one_tablet_once():
    held = situations.held_person()
    now = timezone.now()
    invited = devices.invite(held.cell, name="", by=situations.officer(held.facility), at=now)

    device, token = devices.enrol(invited.code.lower(), at=now)

    assert devices.by_token(token) == device
    with pytest.raises(devices.BadCode):
        devices.enrol(invited.code, at=now)
    assert Device.objects.count() == 1


def test_an_old_code_is_refused():
    held = situations.held_person()
    now = timezone.now()
    invited = devices.invite(held.cell, name="", by=situations.officer(held.facility), at=now)

    with pytest.raises(devices.BadCode):
        devices.enrol(invited.code, at=now + timedelta(minutes=15))

    assert Device.objects.get().state == "enrolling"


def test_a_wrong_number_and_a_wrong_pin_answer_alike_and_five_wrong_pins_lock():
    held = situations.held_person()
    device, _ = situations.enrolled_tablet(held)

    assert _try(device, "X9", situations.PIN) == "wrong_pin"
    assert [_try(device, held.number, "0001") for _ in range(5)] == ["wrong_pin"] * 5
    assert _try(device, held.number, situations.PIN) == "pin_locked"
    assert TabletSession.objects.count() == 0

    custody.set_pin(held, "1379", by=situations.officer(held.facility), at=timezone.now())
    assert _try(device, held.number, "1379").session.custody == held


def test_a_person_of_another_facility_cannot_sign_in_here():
    device, _ = situations.enrolled_tablet(situations.held_person())
    elsewhere = situations.held_person()

    assert _try(device, elsewhere.number, situations.PIN) == "wrong_pin"


def test_the_next_sign_in_ends_the_one_before():
    first, second = (h := situations.held_person()), situations.held_person(h.facility)
    device, _ = situations.enrolled_tablet(first)
    before = _try(device, first.number, situations.PIN)

    after = _try(device, second.number, situations.PIN)

    with pytest.raises(devices.SignInNeeded):
        devices.session_by_token(device, before.token, at=timezone.now())
    assert devices.session_by_token(device, after.token, at=timezone.now()).custody == second


def test_a_revoked_tablet_is_unknown():
    held = situations.held_person()
    device, token = situations.enrolled_tablet(held)

    devices.revoke(device, by=situations.officer(held.facility), at=timezone.now())

    with pytest.raises(devices.DeviceUnknown):
        devices.by_token(token)
