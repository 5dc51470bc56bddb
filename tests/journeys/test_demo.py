import pytest
from django.utils import timezone

from config import demo
from detention.models import Appointment, Custody, Facility, User

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _own_folder(settings, tmp_path):
    settings.DATA_DIR = tmp_path


def test_the_demo_built_twice_is_built_once():
    first = demo.build(at=timezone.now())
    counts = [m.objects.count() for m in (Facility, User, Appointment, Custody)]

    second = demo.build(at=timezone.now())

    assert second == first
    assert [m.objects.count() for m in (Facility, User, Appointment, Custody)] == counts
    assert counts == [2, 24, 24, 8]


def test_no_two_demo_officers_share_a_password_and_each_opens_its_account():
    made = demo.build(at=timezone.now())

    assert len({login.password for login in made}) == len(made)
    first = made[0]
    assert User.objects.get(login=first.login).check_password(first.password)


def test_the_log_ins_are_for_the_owner_of_the_data_only():
    demo.build(at=timezone.now())

    assert demo.logins_file().stat().st_mode & 0o777 == 0o600


def test_whom_to_try_out_is_whom_the_newest_day_left():
    first, second = (
        [demo.Login(facility="east", role="relative", name="王", login=login, password="x")]
        for login in ("one@example.org", "two@example.org")
    )
    assert demo.people() == []

    demo.keep_people(first)
    demo.keep_people(second)

    assert demo.people() == second
    assert demo.people_file().stat().st_mode & 0o777 == 0o600
