import re

import pytest
from django.urls import reverse
from django.utils import timezone

from detention import devices
from detention.models import AuditRecord, Custody, Role
from tests import situations
from tests.factories import CellFactory, FacilityFactory

pytestmark = pytest.mark.django_db


def _at_desk(client, facility, role=Role.GUARD):
    client.force_login(situations.officer(facility, role))
    return client


def test_a_person_is_admitted_and_the_shown_pin_opens_the_tablet(client):
    cell = CellFactory()
    _at_desk(client, cell.facility)

    answer = client.post(
        reverse("admit"), {"name": "王小明", "number": "ｂ 000-123", "cell": cell.pk}
    )

    held = Custody.objects.get()
    pin = re.search(r"data-pin>(\d+)<", answer.content.decode())[1]
    device, _ = situations.enrolled_tablet(held)
    signed_in = devices.sign_in(device, number="B000123", pin=pin, at=timezone.now())
    assert (held.number, signed_in.session.custody) == ("B000123", held)
    assert answer["Cache-Control"] == "no-store"


def test_a_taken_number_is_refused_at_the_form_and_nobody_is_admitted(client):
    held = situations.held_person()
    _at_desk(client, held.facility)
    before = AuditRecord.objects.count()

    answer = client.post(
        reverse("admit"),
        {"name": "李四", "number": held.number, "cell": CellFactory(facility=held.facility).pk},
    )

    assert answer.status_code == 200
    assert answer.context["form"].non_field_errors() == ["这个在押编号已被使用。"]
    assert (Custody.objects.count(), AuditRecord.objects.count()) == (1, before)


def test_a_cell_of_another_facility_cannot_be_chosen(client):
    facility = FacilityFactory()
    _at_desk(client, facility)

    answer = client.post(
        reverse("admit"), {"name": "李四", "number": "B1", "cell": CellFactory().pk}
    )

    assert list(answer.context["form"].errors) == ["cell"]
    assert Custody.objects.count() == 0


@pytest.mark.parametrize("name", ["person", "new_pin", "choose_visible", "move_person"])
def test_a_person_of_another_facility_does_not_exist_here(client, name):
    elsewhere = situations.held_person()
    _at_desk(client, FacilityFactory())

    method = client.get if name == "person" else client.post
    answer = method(reverse(name, args=[elsewhere.public_id]), {"visible": "products"})

    before = Custody.objects.values().get(pk=elsewhere.pk)
    assert answer.status_code == 404
    assert before == {k: v for k, v in vars(elsewhere).items() if k in before}


def test_the_list_is_searched_by_number_and_name_and_shows_own_people_only(client):
    mine = situations.held_person(name="王小明", number="B77")
    situations.held_person(name="王小明", number="B78")
    _at_desk(client, mine.facility)

    for asked in ("", "b77", "小明"):
        page = client.get(reverse("people"), {"q": asked}).context["page"]
        assert [held.number for held in page] == ["B77"]


def test_closing_asks_once_more_and_is_the_administrators_act(client):
    held = situations.held_person()
    address = reverse("close_custody", args=[held.public_id])
    _at_desk(client, held.facility)
    assert client.post(address, {"reason": "released", "confirmed": "on"}).status_code == 403

    _at_desk(client, held.facility, Role.ADMINISTRATOR)
    asked = client.post(address, {"reason": "released"})
    held.refresh_from_db()
    assert (asked.status_code, held.state) == (200, "open")

    client.post(address, {"reason": "released", "confirmed": "on"})
    held.refresh_from_db()
    assert (held.state, held.closing_reason) == ("closing", "released")


def test_a_custody_number_that_looks_like_a_card_number_is_still_a_custody_number(client):
    cell = CellFactory()
    _at_desk(client, cell.facility)

    client.post(reverse("admit"), {"name": "王小明", "number": "4242424242424242", "cell": cell.pk})

    assert Custody.objects.get().number == "4242424242424242"
