"""The officers' desk: review of relatives, tablets; one facility sees nothing of another."""

import pytest
from django.urls import reverse
from django.utils import timezone

from detention import devices
from detention.models import Device, Relationship, Role
from tests.factories import CellFactory, FacilityFactory
from tests.situations import enrolled_tablet, held_person, officer, requested_link

pytestmark = pytest.mark.django_db


@pytest.fixture
def link():
    return requested_link(held_person(name="王小明"))


@pytest.fixture
def guard(client, link):
    """Return a guard of the link's facility, signed in."""
    person = officer(link.custody.facility)
    client.force_login(person)
    return person


def review(client, link, **sent):
    return client.post(reverse("desk_review", args=[link.public_id]), sent)


def test_the_list_masks_names_and_is_oldest_first(client, link, guard):
    newer = requested_link(link.custody)

    page = client.get(reverse("desk_relatives")).content.decode()

    assert ("王*明" in page, "王小明" in page) == (True, False)
    assert page.index(str(link.public_id)) < page.index(str(newer.public_id))


def test_verifying_needs_one_press_and_says_so(client, link, guard):
    answer = review(client, link, answer="verify")

    link.refresh_from_db()
    assert (link.state, link.decided_by) == ("verified", guard)
    assert answer.url == reverse("desk_relatives")


def test_refusing_without_a_reason_changes_nothing(client, link, guard):
    answer = review(client, link, answer="refuse", reason="  ")

    link.refresh_from_db()
    assert (answer.status_code, link.state, link.decided_by) == (422, "requested", None)


def test_a_reason_may_not_hold_a_card_number(client, link, guard):
    answer = review(client, link, answer="refuse", reason="卡号 6222021234567894 不对")

    link.refresh_from_db()
    assert (answer.status_code, link.state) == (422, "requested")


def test_a_second_answer_is_refused_and_the_first_stays(client, link, guard):
    review(client, link, answer="verify")

    answer = review(client, link, reason="too late")

    link.refresh_from_db()
    assert (answer.status_code, link.state, link.reason) == (422, "verified", "")


def test_officers_of_another_facility_find_nothing(client, link):
    client.force_login(officer(FacilityFactory()))

    listed = client.get(reverse("desk_relatives")).content.decode()
    shown = client.get(reverse("desk_review", args=[link.public_id]))
    answered = review(client, link, answer="verify")

    link.refresh_from_db()
    assert str(link.public_id) not in listed
    assert (shown.status_code, answered.status_code, link.state) == (404, 404, "requested")


def invite(client, cell, **changes):
    return client.post(reverse("desk_invite"), {"cell": cell.pk, "name": "平板 7", **changes})


def test_the_enrolment_code_is_shown_once(client, link, guard):
    answer = invite(client, link.custody.cell)
    first = client.get(answer.url)
    second = client.get(answer.url)

    code = first.context["code"]
    assert (len(code), code in first.content.decode()) == (8, True)
    assert first["Cache-Control"] == "no-store"
    assert code not in second.content.decode()


def test_the_code_enrols_the_tablet_it_was_shown_for(client, link, guard):
    answer = invite(client, link.custody.cell)
    code = client.get(answer.url).context["code"]

    device, _token = devices.enrol(code, at=timezone.now())

    assert (device.name, device.cell, device.state) == ("平板 7", link.custody.cell, "active")


def test_a_cell_of_another_facility_cannot_get_a_tablet(client, link, guard):
    answer = invite(client, CellFactory())

    assert (answer.status_code, Device.objects.count()) == (422, 0)


def test_shutting_out_asks_first(client, link, guard):
    device, _token = enrolled_tablet(link.custody)
    address = reverse("desk_tablet_revoke", args=[device.public_id])

    asked = client.get(address)
    before = Device.objects.get().state
    client.post(address)

    assert (asked.status_code, before, Device.objects.get().state) == (200, "active", "revoked")


def test_another_facilitys_tablet_is_not_found(client, link):
    device, _token = enrolled_tablet(link.custody)
    client.force_login(officer(FacilityFactory(), Role.ADMINISTRATOR))

    answers = {
        client.post(reverse("desk_tablet_revoke", args=[device.public_id])).status_code,
        client.get(reverse("desk_tablet_code", args=[device.public_id])).status_code,
    }

    assert answers == {404}
    assert Device.objects.get().state == "active"
    assert str(device.public_id) not in client.get(reverse("desk_tablets")).content.decode()


def test_the_start_page_counts_what_waits_here_only(client, link, guard):
    requested_link(held_person())

    page = client.get(reverse("start")).content.decode()

    assert "1 件待办" in page
    assert Relationship.objects.count() == 2
