"""Receipts: anybody may check one, nobody can guess one."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from accounts import receipts
from accounts.models import VerifyTry
from tests import situations

pytestmark = pytest.mark.django_db


@pytest.fixture
def deposit():
    return situations.credited_deposit(amount=20_000)


def check(client, number, code):
    return client.post(reverse("verify"), {"number": number, "code": code})


def test_a_genuine_receipt_shows_day_amount_and_masked_names(client, deposit):
    page = check(client, deposit.number, receipts.check_code(deposit)).content.decode()

    assert 'data-outcome="genuine"' in page
    assert "¥200.00" in page
    assert "王*明" in page
    assert deposit.custody.detainee.name not in page
    assert deposit.payer.name not in page


def test_sloppy_typing_of_number_and_code_is_accepted(client, deposit):
    number = " " + deposit.number.lower()
    code = "-".join(receipts.check_code(deposit).lower())

    assert 'data-outcome="genuine"' in check(client, number, code).content.decode()


@pytest.mark.parametrize("case", ["wrong code", "unknown number", "not credited"])
def test_every_mismatch_gets_the_same_answer(client, deposit, case):
    waiting = situations.waiting_deposit()
    number, code = {
        "wrong code": (deposit.number, "AAAAAA"),
        "unknown number": ("D0000000", receipts.check_code(deposit)),
        "not credited": (waiting.number, receipts.check_code(waiting)),
    }[case]

    page = check(client, number, code).content.decode()

    assert 'data-outcome="unknown"' in page
    assert VerifyTry.objects.count() == 1


def test_after_ten_wrong_tries_the_number_refuses_even_the_right_code_for_an_hour(client, deposit):
    code = receipts.check_code(deposit)
    for _ in range(10):
        check(client, deposit.number, "AAAAAA")

    refused = check(client, deposit.number, code)
    later = receipts.check(deposit.number, code, at=timezone.now() + timedelta(minutes=61))

    assert refused.status_code == 429
    assert later is not None
    assert VerifyTry.objects.count() == 10


def test_right_tries_are_not_counted(client, deposit):
    for _ in range(12):
        check(client, deposit.number, receipts.check_code(deposit))

    assert VerifyTry.objects.count() == 0


def test_the_square_leads_to_the_number_without_the_code(client, deposit):
    client.force_login(deposit.payer.user)

    page = client.get(reverse("deposit_receipt", args=[deposit.public_id])).content.decode()

    assert reverse("verify_number", args=[deposit.number]) in page
    assert receipts.check_code(deposit) in page
    assert f"/verify/{deposit.number}/{receipts.check_code(deposit)}" not in page
    assert "贰佰元整" in page
    assert "<svg" in page


def test_there_is_no_receipt_for_money_that_was_not_credited(client):
    waiting = situations.waiting_deposit()
    client.force_login(waiting.payer.user)

    answer = client.get(reverse("deposit_receipt", args=[waiting.public_id]))

    assert answer.status_code == 404


def test_codes_of_two_deposits_differ(deposit):
    assert receipts.check_code(deposit) != receipts.check_code(situations.credited_deposit())
