"""Steps for the pictures of the tablet: enrol one of the demo, sign somebody in."""

from __future__ import annotations

from playwright.sync_api import Page


def unfold(page: Page) -> None:
    """Open the page of a tablet that nobody has enrolled, with a fresh code in the address."""
    page.wait_for_load_state("networkidle")
    page.goto(f"/tablet/?language={_language(page)}&code={_code()}")
    page.wait_for_selector("body[data-screen=enrol]")


def enrol(page: Page) -> None:
    """Send the code."""
    page.locator("[data-key=send]").click()
    page.wait_for_selector("body[data-screen=number]")


def type_number(page: Page) -> None:
    """Type the number of somebody with money."""
    for character in _person().number:
        if character.isalpha():
            page.locator("[data-key=swap]").click()
        page.locator(f"[data-key='key-{character}']").click()


def type_pin(page: Page) -> None:
    """Type that person's PIN, a new one each time."""
    page.locator("[data-key=next]").click()
    for digit in _fresh_pin():
        page.locator(f"[data-key='key-{digit}']").click()


def come_in(page: Page) -> None:
    """Sign in."""
    page.locator("[data-key=send]").click()
    page.wait_for_selector("body[data-screen=home]")


def choose(page: Page) -> None:
    """Take two of the first thing and one of each other on the shelf, as far as there are three."""
    more = page.locator("[data-key^=more-]")
    more.first.click()
    for place in range(min(more.count(), 3)):
        more.nth(place).click()


def uncover(page: Page) -> None:
    """Tap the covered amount."""
    page.locator("[data-key=reveal]").click()
    page.wait_for_selector(".covered.open")


def sent(page: Page) -> None:
    """Order, and wait for the answer."""
    page.locator("[data-key=yes]").click()
    page.wait_for_selector(".outcome.good, .outcome.bad")


def cut_off(page: Page) -> None:
    """Pull the cable, and look at the orders."""
    page.context.set_offline(True)
    page.wait_for_selector(".state.warn")


def _language(page: Page) -> str:
    """Return the language of the page before: the tablet has a choice of its own."""
    return "en" if page.locator("html").get_attribute("lang") == "en" else "zh-Hans"


def _code() -> str:
    from django.utils import timezone

    from detention import devices

    held = _person()
    return devices.invite(held.cell, name="", by=_guard(held), at=timezone.now()).code


def _fresh_pin() -> str:
    from django.utils import timezone

    from detention import custody

    held, pin = _person(), custody.fresh_pin()
    custody.set_pin(held, pin, by=_guard(held), at=timezone.now())
    return pin


def _person():  # type: ignore[no-untyped-def]
    """Return the person of the demo's first facility who has the most to spend."""
    from accounts import escrow
    from detention.models import Custody

    held = Custody.objects.open().select_related("facility", "cell", "detainee")
    return max(held.filter(facility__code="donghe"), key=lambda one: escrow.balance(one).available)


def _guard(held):  # type: ignore[no-untyped-def]
    from detention.models import Appointment, Role

    return Appointment.objects.filter(facility=held.facility, role=Role.GUARD).first().user
