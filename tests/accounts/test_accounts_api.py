"""The JSON doors of deposits and statements: who, shape, nothing of others."""

from datetime import timedelta

import pytest
from django.utils import timezone

from detention import tokens
from detention.models import Role
from tests import situations

pytestmark = pytest.mark.django_db


def headers(facility, role=Role.FINANCE):
    now = timezone.now()
    _row, token = tokens.issue(
        situations.officer(facility, role),
        facility,
        name="books",
        expires_at=now + timedelta(days=1),
        by=situations.officer(facility, Role.ADMINISTRATOR),
        at=now,
    )
    return {"Authorization": f"Bearer {token}"}


@pytest.mark.parametrize("role", [Role.FINANCE, Role.AUDITOR])
def test_finance_and_auditors_read_deposits_of_their_facility_only(client, role):
    waiting = situations.waiting_deposit(amount=20_000)
    situations.credited_deposit(situations.verified_link())  # of another facility

    answer = client.get("/api/accounts/deposits", headers=headers(waiting.facility, role))

    (shown,) = answer.json()["deposits"]
    assert (shown["number"], shown["state"], shown["findings"]) == (
        waiting.number,
        "awaiting_decision",
        ["A01"],
    )
    assert (shown["amount"], shown["amount_received"], shown["amount_credited"]) == (
        20_000,
        19_999,
        0,
    )
    assert answer.json()["more"] is None


@pytest.mark.parametrize("role", [Role.GUARD, Role.ADMINISTRATOR])
@pytest.mark.parametrize("path", ["deposits", "deposits/{number}", "statements/{custody}"])
def test_other_roles_are_refused(client, role, path):
    deposit = situations.credited_deposit()
    path = path.format(number=deposit.number, custody=deposit.custody.number)

    answer = client.get(f"/api/accounts/{path}", headers=headers(deposit.facility, role))

    assert (answer.status_code, answer.json()["code"]) == (403, "not_allowed")


@pytest.mark.parametrize("path", ["deposits/{number}", "statements/{custody}"])
def test_what_belongs_to_another_facility_is_not_found(client, path):
    mine, theirs = situations.credited_deposit(), situations.credited_deposit()
    path = path.format(number=theirs.number, custody=theirs.custody.number)

    answer = client.get(f"/api/accounts/{path}", headers=headers(mine.facility))

    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


def test_a_statement_tells_lines_and_balance_and_no_names(client):
    deposit = situations.credited_deposit(amount=20_000)

    answer = client.get(
        f"/api/accounts/statements/{deposit.custody.number}", headers=headers(deposit.facility)
    )

    shown = answer.json()
    (line,) = shown["lines"]
    assert (shown["posted"], shown["held"], shown["available"]) == (20_000, 0, 20_000)
    assert (line["amount"], line["balance_after"], line["reference"]) == (
        20_000,
        20_000,
        deposit.number,
    )
    assert deposit.custody.detainee.name not in answer.content.decode()
    assert deposit.payer.name not in answer.content.decode()


@pytest.mark.parametrize("before", ["x", "0", "-1", "99999999999999999999"])
def test_a_page_that_is_no_number_is_refused(client, before):
    deposit = situations.credited_deposit()

    answer = client.get(
        f"/api/accounts/deposits?before={before}", headers=headers(deposit.facility)
    )

    assert (answer.status_code, answer["Content-Type"]) == (422, "application/problem+json")
