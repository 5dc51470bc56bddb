"""The family's pages, from the amount to the answer, through the simulated provider."""

import re

import pytest
from django.urls import reverse

from accounts import escrow
from accounts.models import Deposit
from tests import situations
from tests.accounts.money_situations import kinds, standing
from tests.queue import run_queued

pytestmark = pytest.mark.django_db


@pytest.fixture
def link():
    return situations.verified_link()


@pytest.fixture
def family(client, link):
    client.force_login(link.relative.user)
    return client


def press_pay(family, link, yuan="200"):
    """Go from the amount to the provider's page as a person would; return its address."""
    page = family.get(reverse("check_payment", args=[link.public_id]), {"amount": yuan})
    hidden = dict(re.findall(r'name="(amount|once)" value="([^"]+)"', page.content.decode()))
    answer = family.post(reverse("pay", args=[link.public_id]), hidden)
    assert answer.status_code == 302
    return answer["Location"]


def outcome(family, deposit):
    page = family.get(reverse("deposit_result", args=[deposit.public_id])).content.decode()
    return re.search(r'data-outcome="(\w+)"', page)[1]


def test_a_payment_travels_from_the_amount_page_to_the_account(family, link):
    checkout = press_pay(family, link, "２００ 元")

    back = family.post(checkout, {"act": "pay", "method": "alipay"})
    first_seen = outcome(family, deposit := Deposit.objects.get())
    run_queued()

    assert back["Location"].endswith(reverse("deposit_result", args=[deposit.public_id]))
    assert (first_seen, outcome(family, deposit)) == ("unknown", "received")
    assert escrow.balance(link.custody).available == 20_000
    assert standing(link.custody) == {"ESCROW": 20_000, "GATEWAY": -20_000}
    assert kinds() == ["deposit_captured"]
    deposit.refresh_from_db()
    assert deposit.method == "alipay"
