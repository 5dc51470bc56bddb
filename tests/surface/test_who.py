"""Every address as nobody and as every wrong role: never data."""

import pytest
from django.urls import reverse

from detention.models import Role
from tests.factories import FacilityFactory, UserFactory
from tests.situations import officer, registered_relative
from tests.surface.addresses import addresses
from tests.surface.who import PUBLIC, SIGNED_IN, WHO
from tests.visits.situations import lawyer_with_papers

pytestmark = pytest.mark.django_db

PAGES = ("get", "post")
JSON = ("get", "post", "put", "patch", "delete")
NO_SUCH_METHOD = 405


@pytest.fixture(autouse=True)
def _quiet(caplog):
    """Hundreds of expected refusals are no news."""
    caplog.set_level("CRITICAL", logger="django.request")


def is_json(name: str) -> bool:
    return name.startswith("api:")


def person(role: str):
    """Return somebody who holds this role and no other."""
    if role == "relative":
        return registered_relative().user
    if role == "lawyer":
        return lawyer_with_papers().user
    if role == "no role":
        return UserFactory()
    return officer(FacilityFactory(), Role(role))


def test_every_address_has_a_line_and_every_line_an_address():
    assert set(WHO) == set(addresses())


def test_nobody_is_asked_to_sign_in_before_any_page(client):
    sign_in = reverse("sign_in")
    wrong = []

    for name, path in addresses().items():
        if is_json(name) or WHO[name] == PUBLIC:
            continue
        for method in PAGES:
            answer = getattr(client, method)(path)
            if answer.status_code != 302 or not answer.url.startswith(sign_in):
                wrong.append((method, name, answer.status_code))

    assert wrong == []


@pytest.mark.parametrize("session", ["no session", "an administrator's session"])
@pytest.mark.parametrize("header", ["", "Bearer wrong", "Basic d3Jvbmc6d3Jvbmc=", "Bearer "])
def test_nobody_gets_anything_from_a_json_door(client, header, session):
    if session != "no session":
        client.force_login(person("administrator"))  # is worth nothing here
    headers = {"Authorization": header} if header else {}
    wrong = []

    for name, path in addresses().items():
        if not is_json(name) or WHO[name] == PUBLIC:
            continue
        for method in JSON:
            answer = getattr(client, method)(path, headers=headers)
            shape = (answer.status_code, answer["Content-Type"])
            if answer.status_code != NO_SUCH_METHOD and shape != (401, "application/problem+json"):
                wrong.append((method, name, shape))

    assert wrong == []


@pytest.mark.parametrize("role", [*sorted(SIGNED_IN), "no role"])
def test_a_wrong_role_never_gets_in(client, role):
    client.force_login(person(role))
    wrong = []

    for name, path in addresses().items():
        if is_json(name) or WHO[name] in (PUBLIC, SIGNED_IN) or role in WHO[name]:
            continue
        status = client.get(path).status_code
        if status == NO_SUCH_METHOD:
            status = client.post(path).status_code
        # Not 404: with an id that exists nowhere that would hide a page without a guard.
        if status != 403:
            wrong.append((name, status))

    assert wrong == []


@pytest.mark.parametrize("role", sorted(SIGNED_IN))
def test_the_right_role_is_not_turned_away(client, role):
    client.force_login(person(role))
    wrong = []

    for name, path in addresses().items():
        if not is_json(name) and role in WHO[name]:
            status = client.get(path).status_code
            if status not in (200, 302, 404, NO_SUCH_METHOD):
                wrong.append((name, status))

    assert wrong == []


def test_public_pages_answer_without_an_error(client):
    wrong = []

    for name, path in addresses().items():
        if WHO[name] == PUBLIC and name != "readyz":
            status = client.get(path).status_code
            if status not in (200, 302, 404, NO_SUCH_METHOD):
                wrong.append((name, status))

    assert wrong == []
