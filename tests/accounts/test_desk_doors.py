"""Finance decides; finance and auditors follow the money."""

import pytest
from django.urls import reverse

from accounts import escrow
from detention.models import Role
from tests import situations
from tests.accounts.money_situations import kinds, standing

pytestmark = pytest.mark.django_db


def office(client, deposit, role=Role.FINANCE):
    user = situations.officer(deposit.facility, role)
    client.force_login(user)
    return user


def test_finance_takes_and_accepts_a_waiting_deposit(client):
    deposit = situations.waiting_deposit(amount=20_000)
    officer = office(client, deposit)

    client.post(reverse("take_deposit", args=[deposit.number]))
    answer = client.post(reverse("accept_deposit", args=[deposit.number]), {"reason": ""})

    deposit.refresh_from_db()
    assert answer.status_code == 302
    assert (deposit.state, deposit.owner, deposit.decided_by) == ("credited", officer, officer)
    assert escrow.balance(deposit.custody).posted == 19_999
    assert standing(deposit.custody) == {"ESCROW": 19_999, "GATEWAY": -19_999}
    assert kinds() == ["deposit_captured", "deposit_accepted"]


@pytest.mark.parametrize("role", [Role.FINANCE, Role.AUDITOR])
def test_every_page_of_the_trail_opens_for_finance_and_auditor(client, role):
    deposit = situations.credited_deposit()
    office(client, deposit, role)

    pages = [
        reverse("finance_today"),
        reverse("suspense"),
        reverse("desk_deposit", args=[deposit.number]),
        reverse("trail") + f"?q={deposit.number}",
        reverse("trail_person", args=[deposit.custody.public_id]),
        reverse("trail_journal", args=[1 and _first_journal()]),
        reverse("trail_document", args=["deposit", deposit.pk]),
    ]

    assert [client.get(page).status_code for page in pages] == [200] * len(pages)


def _first_journal():
    from accounts.ledger.models import Journal

    return Journal.objects.get().pk
