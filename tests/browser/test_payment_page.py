"""The simulated provider's page in a real browser, its letters carried by the real worker."""

from __future__ import annotations

import datetime as dt
import uuid

import pytest
from django.utils import timezone

from accounts.gateways import gateway
from accounts.gateways.stub.models import Delivery
from accounts.models import GatewayEvent
from tests.browser.looks import barriers, sideways

pytestmark = pytest.mark.browser


@pytest.fixture
def checkout(site):
    """A payment page of ¥200.00 whose payer comes back to the help page."""
    reference = str(uuid.uuid4())
    return gateway().create_checkout(
        reference=reference,
        amount=20_000,
        currency="CNY",
        methods=["alipay", "card"],
        description="Deposit D-17",
        success_url=f"{site.url}/help/?paid={{CHECKOUT_SESSION_ID}}",
        cancel_url=f"{site.url}/help/?back",
        expires_at=timezone.now() + dt.timedelta(minutes=40),
        locale="zh-hans",
        idempotency_key=reference,
    )


@pytest.mark.parametrize(
    ("width", "locale", "method"),
    [(320, "zh-CN", "alipay"), (320, "en-GB", "card"), (1280, "zh-CN", "card")],
)
def test_the_page_fits_the_screen_and_has_no_barrier(open_page, checkout, width, locale, method):
    page = open_page(width=width, locale=locale)

    page.goto(f"{checkout.url}?method={method}")
    page.locator("summary").click()

    assert sideways(page) == 0
    assert barriers(page) == []


@pytest.mark.parametrize("width", [320, 1280])
def test_the_console_fits_the_screen_and_has_no_barrier(open_page, checkout, width):
    page = open_page(width=width)

    page.goto("/gateway/simulator/")

    assert sideways(page) == 0
    assert barriers(page) == []


def test_paying_leads_back_and_the_worker_brings_the_letter(site, page, checkout):
    page.goto(checkout.url)

    page.locator("button[value=pay]").click()

    page.wait_for_url(f"**/help/?paid={checkout.id}")
    letter = site.wait_for(
        lambda: Delivery.objects.filter(event__object_id=checkout.id, state="accepted").first()
    )
    assert (letter.attempts, letter.answer) == (1, "200 OK")
    assert GatewayEvent.objects.filter(event_id=letter.event_id).count() == 1


def test_a_declined_payer_reads_why_and_pays_then(page, checkout):
    page.goto(checkout.url)
    page.locator("button[value=no_funds]").click()
    said = page.get_by_role("alert").inner_text()

    page.locator("button[value=pay]").click()

    assert "余额不足" in said
    page.wait_for_url("**/help/?paid=*")


def test_ten_letters_at_once_are_stored_once(site, page, checkout):
    page.goto(checkout.url)
    page.locator("summary").click()
    page.locator("[name=notice]").select_option("ten")

    page.locator("button[value=pay]").click()

    accepted = Delivery.objects.filter(event__object_id=checkout.id, state="accepted")
    site.wait_for(lambda: accepted.count() == 10)
    assert GatewayEvent.objects.filter(object_id=checkout.id).count() == 1


def test_the_back_button_after_paying_says_that_it_is_paid(page, checkout):
    page.goto(checkout.url)
    page.locator("button[value=pay]").click()
    page.wait_for_url("**/help/?paid=*")

    page.go_back()
    page.reload()

    assert page.get_by_text("不用再付一次。").is_visible()
    assert page.locator("button[value=pay]").count() == 0
