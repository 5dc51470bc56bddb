"""The JSON doors say no in one shape and in the asker's language."""

import pytest
from django.http import Http404
from ninja import NinjaAPI, Schema
from ninja.testing import TestClient

from config import problems
from detention.errors import Refusal
from detention.models import LinkAttempt
from tests.factories import UserFactory


class NotToday(Refusal):
    code = "not_today"
    status = 409
    message = "Not today: %(day)s"


class Envelope(Schema):
    quantity: int


@pytest.fixture
def door():
    api = NinjaAPI(urls_namespace="problems", docs_url=None, openapi_url=None)
    problems.teach(api)

    @api.post("quantity")
    def quantity(request, envelope: Envelope):
        return {"quantity": envelope.quantity}

    @api.get("refused")
    def refused(request):
        raise NotToday(field="day", day="Sunday")

    @api.get("absent")
    def absent(request):
        raise Http404

    return TestClient(api)


def test_a_refusal_becomes_a_problem_with_its_code_field_and_facts(door):
    answer = door.get("refused")

    assert answer.status_code == 409
    assert answer["Content-Type"] == "application/problem+json"
    assert answer.json() == {
        "type": "about:blank",
        "title": "Conflict",
        "status": 409,
        "code": "not_today",
        "detail": "Not today: Sunday",
        "facts": {"day": "Sunday"},
        "field": "day",
    }


def test_values_of_the_wrong_form_are_named_and_not_repeated(door):
    answer = door.post("quantity", json={"quantity": "6222021234567890123x"})

    assert answer.status_code == 422
    assert answer.json()["errors"] == [{"field": "envelope.quantity", "code": "int_parsing"}]
    assert "6222" not in answer.content.decode()


@pytest.mark.parametrize("body", ["", "{", "quantity=1", "[1", "\x00"])
def test_a_body_that_is_no_json_is_unreadable(door, body):
    answer = door.post("quantity", data=body, content_type="application/json")

    expected = (422, "invalid") if body == "" else (400, "unreadable")
    assert (answer.status_code, answer.json()["code"]) == expected


def test_what_is_absent_is_a_problem_too(door):
    answer = door.get("absent")

    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


@pytest.mark.parametrize(
    ("language", "detail"), [("zh-CN", "没有找到。"), ("en", "We could not find that.")]
)
def test_the_real_api_speaks_the_askers_language(client, language, detail):
    answer = client.get("/api/nothing-here", headers={"Accept-Language": language})

    assert (answer.status_code, answer["Content-Type"]) == (404, "application/problem+json")
    assert answer.json()["detail"] == detail


@pytest.mark.django_db
def test_what_a_refusal_must_keep_is_written():
    user = UserFactory()
    refusal = NotToday(
        day="Sunday",
        record=lambda: LinkAttempt.objects.create(user=user, at=user.joined_at),
    )

    problems.of_refusal(None, refusal)

    assert LinkAttempt.objects.filter(user=user).count() == 1
