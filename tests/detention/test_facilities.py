from datetime import timedelta

import pytest
from django.utils import timezone

from detention import access, facilities
from detention.errors import NotAllowed
from detention.models import Appointment, Facility, Role
from tests.factories import FacilityFactory, UserFactory

pytestmark = pytest.mark.django_db


def test_a_facility_code_is_used_once():
    now = timezone.now()
    facilities.found(code="east", name_zh="东", name_en="East", at=now)

    with pytest.raises(facilities.CodeTaken):
        facilities.found(code="east", name_zh="西", name_en="West", at=now)

    assert [f.name_en for f in Facility.objects.all()] == ["East"]


def test_the_same_appointment_twice_is_refused_by_the_database():
    user, facility, now = UserFactory(), FacilityFactory(), timezone.now()
    facilities.appoint(user, facility, Role.GUARD, at=now)

    with pytest.raises(facilities.AlreadyAppointed):
        facilities.appoint(user, facility, Role.GUARD, at=now)

    assert Appointment.objects.count() == 1


def test_a_dismissed_officer_may_do_nothing_more():
    user, facility, now = UserFactory(), FacilityFactory(), timezone.now()
    held = facilities.appoint(user, facility, Role.GUARD, at=now - timedelta(days=1))
    access.require(user, facility, Role.GUARD)

    facilities.dismiss(held, at=now - timedelta(seconds=1))

    with pytest.raises(NotAllowed):
        access.require(user, facility, Role.GUARD)


def test_an_officer_of_another_role_is_refused():
    user, facility = UserFactory(), FacilityFactory()
    facilities.appoint(user, facility, Role.AUDITOR, at=timezone.now())

    with pytest.raises(NotAllowed):
        access.require(user, facility, Role.GUARD, Role.FINANCE)
