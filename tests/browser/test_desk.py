"""The guard's way with an order on a phone: decide, pick, count, sign, receipt."""

from __future__ import annotations

import pytest
from django.utils import timezone

from commissary import fulfilment, orders
from commissary.models import HandOver, Order
from tests import situations
from tests.browser.looks import barriers, sideways
from tests.commissary import shop
from tests.factories import PASSWORD

pytestmark = pytest.mark.browser

PRIMARY = "main .button:not(.small), main .counted input, main .queue a"


@pytest.fixture(scope="module")
def person(site):
    """Somebody with ¥500.00 before an open shop."""
    held, goods = shop.shopper()
    return held, goods


@pytest.fixture
def guard(person):
    return situations.officer(person[0].facility)


@pytest.fixture
def desk(page, guard):
    """A phone on which the guard is signed in."""
    page.goto("/in/")
    page.fill("[name=login]", guard.login)
    page.fill("[name=password]", PASSWORD)
    page.click("main form .button")
    page.wait_for_url("**/start/")
    return page


def _looks_right(page) -> None:
    """No barrier, nothing cut off at the side, everything to press large enough for a glove."""
    assert barriers(page) == []
    assert sideways(page) <= 0
    heights = page.eval_on_selector_all(
        PRIMARY, "all => all.map(e => e.getBoundingClientRect().height).filter(h => h > 0)"
    )
    assert [height for height in heights if height < 60] == []


def _sign(page) -> None:
    pad = page.locator(".pad")
    pad.scroll_into_view_if_needed()
    box = pad.bounding_box()
    page.mouse.move(box["x"] + 30, box["y"] + 60)
    page.mouse.down()
    for step in range(1, 9):
        page.mouse.move(box["x"] + 30 + 25 * step, box["y"] + 60 + 30 * (step % 2))
    page.mouse.up()


def test_an_order_goes_from_the_queue_to_the_signed_receipt(desk, person):
    held, goods = person
    order = shop.place(held, goods, soap=2, milk=1)
    before = shop.money(held)

    desk.goto("/desk/orders/")
    _looks_right(desk)
    desk.click(f".queue a:has-text('{order.number}')")
    _looks_right(desk)
    desk.click("form[action$='approve/'] .button")
    _looks_right(desk)
    desk.click("main form .button")
    desk.wait_for_url("**/desk/orders/")

    desk.goto("/desk/picking/")
    _looks_right(desk)
    desk.click(f"article:has-text('{order.number}') .button")
    _looks_right(desk)
    desk.click("main form .button")

    desk.goto("/desk/hand-overs/")
    _looks_right(desk)
    desk.click(f"a:has-text('{order.number}')")
    _looks_right(desk)
    assert desk.locator(".why:visible").count() == 0
    soap = shop.lines(order)["soap"]
    desk.fill(f"[name=quantity_{soap.pk}]", "1")
    desk.select_option(f"[name=reason_{soap.pk}]", "damaged")
    _sign(desk)
    desk.check("[name=agreed]")
    desk.click("main form .actions .button")
    desk.wait_for_url("**/receipt/")

    _looks_right(desk)
    assert desk.locator(".signed polyline").first.is_visible()
    done = HandOver.objects.get(order=order)
    assert (done.proof, done.captured, done.released) == ("screen", 10_50, 4_50)
    assert shop.money(held) == (before[0] - 10_50, before[1] - 15_00)


def test_a_cleared_signature_is_none_and_the_page_says_so_and_keeps_the_numbers(
    desk, person, guard
):
    held, goods = person
    order = fulfilment.pick(
        orders.approve(shop.place(held, goods, milk=2), by=guard, at=timezone.now()),
        by=guard,
        at=timezone.now(),
    )
    milk = shop.lines(order)["milk"]

    desk.goto(f"/desk/orders/{order.public_id}/hand-over/")
    _sign(desk)
    desk.click("[data-clear]")
    desk.fill(f"[name=quantity_{milk.pk}]", "1")
    desk.select_option(f"[name=reason_{milk.pk}]", "damaged")
    desk.check("[name=agreed]")
    desk.click("main form .actions .button")

    _looks_right(desk)
    assert "没有签名或签名看不清" in desk.inner_text(".summary")
    assert desk.input_value(f"[name=quantity_{milk.pk}]") == "1"
    assert Order.objects.get(pk=order.pk).state == "picked"


def test_a_double_tap_on_approve_approves_once(desk, person):
    held, goods = person
    order = shop.place(held, goods, soap=1)

    desk.goto(f"/desk/orders/{order.public_id}/")
    desk.click("form[action$='approve/'] .button")
    desk.dblclick("main form .button")
    desk.wait_for_url("**/desk/orders/")

    assert Order.objects.get(pk=order.pk).state == "approved"
