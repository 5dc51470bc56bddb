"""Registering, being linked and being verified, as people see it on a phone and on a desk."""

from __future__ import annotations

import itertools
import re

import pytest

from tests.browser.looks import barriers, sideways
from tests.factories import PASSWORD
from tests.situations import held_person, identity_number, officer, registered_relative

pytestmark = pytest.mark.browser
_serial = itertools.count(700)


def fine(page) -> tuple[list[str], int]:
    """Return what is wrong with the page as it stands: barriers, and pixels sideways."""
    page.wait_for_load_state()
    return barriers(page), sideways(page)


def sign_in(page, login):
    page.goto("/in/")
    page.locator("[name=login]").fill(login)
    page.locator("[name=password]").fill(PASSWORD)
    page.locator("main button").click()
    page.wait_for_url(re.compile("/start/"))


def register(page):
    serial = next(_serial)
    page.goto("/register/")
    page.locator("[name=name]").fill("王建国")
    page.locator("[name=identity_number]").fill(identity_number(serial))
    page.locator("[name=login]").fill(f"relative-{serial}@example.org")
    page.locator("[name=password]").fill(PASSWORD)
    page.locator("main button").click()
    page.wait_for_url(re.compile("/people/$"))


@pytest.mark.parametrize(("width", "locale"), [(320, "zh-CN"), (360, "en-GB"), (1280, "zh-CN")])
def test_a_relative_is_linked_from_registration_to_the_officers_answer(
    site, open_page, width, locale
):
    held = held_person()
    guard = officer(held.facility)
    relative, desk = (open_page(width=width, locale=locale) for _person in range(2))

    register(relative)
    assert fine(relative) == ([], 0)
    relative.locator("main a.button").click()
    relative.locator("[name=number]").fill(held.number.lower())
    relative.locator("[name=name]").fill(held.detainee.name)
    relative.locator("[value=parent]").check()
    assert fine(relative) == ([], 0)
    relative.locator("main form button").click()
    relative.wait_for_url(re.compile("/people/[0-9a-f-]{36}/"))
    assert fine(relative) == ([], 0)

    sign_in(desk, guard.login)
    assert fine(desk) == ([], 0)
    desk.goto("/desk/relatives/")
    assert fine(desk) == ([], 0)
    desk.locator("td a.button").click()
    desk.wait_for_url(re.compile("/desk/relatives/[0-9a-f-]{36}/"))
    assert fine(desk) == ([], 0)
    desk.locator("[value=verify]").click()
    desk.locator("[role=status]").wait_for()

    relative.reload()
    assert relative.locator(".done.good").is_visible()
    assert fine(relative) == ([], 0)


@pytest.mark.parametrize("width", [320, 1280])
def test_a_tablets_code_is_shown_once(site, open_page, width):
    held = held_person()
    desk = open_page(width=width)
    sign_in(desk, officer(held.facility).login)
    desk.goto("/desk/tablets/add/")
    desk.locator("select").select_option(label=held.cell.code)

    desk.locator("main form button").click()
    shown = desk.locator(".secret").inner_text()
    first = fine(desk)
    desk.reload()

    assert (len(shown), first) == (8, ([], 0))
    assert desk.locator(".secret").count() == 0
    assert fine(desk) == ([], 0)


@pytest.mark.parametrize("address", ["/", "/in/", "/register/", "/help/", "/nothing-here/"])
@pytest.mark.parametrize("locale", ["zh-CN", "en-GB"])
def test_public_pages_fit_a_small_phone_also_with_large_text(site, open_page, address, locale):
    page = open_page(width=320, locale=locale)
    page.goto(address)
    normal = fine(page)

    page.locator("[name=size]").click()
    page.locator("html.large").wait_for()
    page.goto(address)

    assert page.locator("html.large").count() == 1
    assert (normal, fine(page)) == (([], 0), ([], 0))


def test_the_first_key_press_leads_past_the_menu(page):
    page.goto("/help/")

    page.keyboard.press("Tab")
    seen = page.evaluate("document.activeElement.getBoundingClientRect().left >= 0")
    page.keyboard.press("Enter")

    assert seen is True
    assert page.evaluate("document.activeElement.id") == "main"


def test_errors_take_the_focus_and_lead_to_their_field(page):
    page.goto("/register/")

    page.locator("main button").click()
    page.locator(".summary").wait_for()
    focused = page.evaluate("document.activeElement.className")
    page.locator(".summary a").first.click()

    assert focused == "summary"
    assert page.title().startswith("出错")
    assert page.url.endswith("#id_name_field")
    assert fine(page) == ([], 0)


def test_going_back_and_pressing_again_links_nobody_twice(site, page):
    held = held_person()
    relative = registered_relative()
    sign_in(page, relative.user.login)
    page.goto("/people/add/")
    page.locator("[name=number]").fill(held.number)
    page.locator("[name=name]").fill(held.detainee.name)
    page.locator("[value=parent]").check()
    page.locator("main form button").click()
    page.wait_for_url(re.compile("/people/[0-9a-f-]{36}/"))

    page.go_back()
    page.locator("main form button").click()
    page.locator(".summary").wait_for()

    assert relative.relationships.count() == 1


def test_main_buttons_are_large_enough_for_a_thumb(page):
    sizes = {}
    for address in ("/in/", "/register/", "/nothing-here/"):
        page.goto(address)
        sizes[address] = page.locator("main .button").first.bounding_box()["height"]

    assert [address for address, height in sizes.items() if height < 60] == []


def test_paper_shows_no_menu(page):
    page.goto("/help/")

    page.emulate_media(media="print")

    assert page.locator("header, footer, nav").filter(visible=True).count() == 0
    assert page.locator("h1").is_visible()
