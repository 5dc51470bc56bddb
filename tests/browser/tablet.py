"""A tablet in a cell, as the person in front of it uses it."""

from __future__ import annotations

import contextlib

from django.utils import timezone
from playwright.sync_api import BrowserContext, Page

from commissary.models import Order
from detention import devices
from detention.devices import Enrolment
from detention.models import Custody
from tests import situations

# What the browser keeps for this page, as text: to look for what must not be there.
KEPT = """async () => {
  const store = await import("/static/tablet/store.js");
  const names = ["device", "shelf", "sequence"];
  const facts = await Promise.all(names.map((name) => store.recall(name)));
  return JSON.stringify([facts, await store.unsent(), {...localStorage}, {...sessionStorage}]);
}"""


class Tablet:
    """One enrolled tablet and its page."""

    def __init__(self, page: Page) -> None:
        self.page = page

    @property
    def context(self) -> BrowserContext:
        return self.page.context

    @property
    def screen(self) -> str | None:
        return self.page.locator("body").get_attribute("data-screen")

    def enrol(self, token: str, cell: str) -> None:
        """Put the token of an enrolled tablet in its place, as `enrol` with a code would."""
        self.page.goto("/tablet/")
        self.at("enrol")
        self.page.evaluate(
            """async (device) => {
              const store = await import("/static/tablet/store.js");
              await store.keep("device", device);
            }""",
            {"token": token, "cell": cell},
        )
        self.page.reload()
        self.at("number")

    def at(self, screen: str) -> None:
        """Wait until a screen is there."""
        self.page.wait_for_selector(f"body[data-screen={screen}]")

    def tap(self, key: str) -> None:
        """Tap the control of this name on the present screen."""
        self.page.locator(f"[data-key='{key}']").tap()

    def say(self, word: str) -> None:
        """Tap the button that carries this word."""
        self.page.get_by_role("button", name=word).tap()

    def type(self, text: str) -> None:
        """Type on the keypad; letters come from the second page of keys."""
        for character in text:
            if self.screen == "number" and character.isalpha():
                self.tap("swap")
            self.tap(f"key-{character}")

    def sign_in(self, held: Custody, pin: str = situations.PIN) -> None:
        self.at("number")
        self.type(held.number)
        self.tap("next")
        self.at("pin")
        self.type(pin)
        self.tap("send")

    def choose(self, **wanted: int) -> None:
        """From home: put `sku=quantity` of the test shop into the basket and open it."""
        self.tap("categories")
        for sku, quantity in wanted.items():
            self.tap({"soap": "daily", "noodles": "food", "milk": "food", "book": "books"}[sku])
            for _ in range(quantity):
                self.tap(f"more-{sku}")
            self.tap("back")
        self.tap("basket")
        self.at("basket")

    def order(self, **wanted: int) -> None:
        """From home: choose, check and confirm."""
        self.choose(**wanted)
        self.tap("check")
        self.tap("yes")
        self.at("sent")

    def sent(self) -> None:
        """Wait until the page says that the order has arrived."""
        self.page.locator(".outcome.good .number").wait_for()

    def sees(self, text: str) -> None:
        """Wait until the text is in sight."""
        self.page.get_by_text(text, exact=False).first.wait_for()

    def kept(self) -> str:
        return self.page.evaluate(KEPT)

    @contextlib.contextmanager
    def cut_off(self):
        """Pull the network cable for a while."""
        self.context.set_offline(True)
        yield
        self.context.set_offline(False)


def invited(held: Custody) -> Enrolment:
    """Return a one-time code for a tablet in the person's cell."""
    guard = situations.officer(held.facility)
    return devices.invite(held.cell, name="", by=guard, at=timezone.now())


def orders_of(held: Custody) -> list[Order]:
    return list(Order.objects.filter(custody=held).order_by("pk"))
