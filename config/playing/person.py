"""One person in front of a browser: opens pages, fills in forms, reads what is shown."""

from __future__ import annotations

import re
import uuid
from typing import Any

import mechanicalsoup
import requests

TIMEOUT_S = 30


class Unexpected(Exception):
    """A door answered otherwise than the day expects."""


class Person:
    """Somebody with a browser of their own: cookies kept, forms filled in as on screen."""

    def __init__(self, url: str) -> None:
        self.url = url.rstrip("/")
        self.browser = mechanicalsoup.StatefulBrowser(soup_config={"features": "lxml"})
        # The day checks the doors, not the reader's language: one language keeps it simple.
        self.browser.session.headers["Accept-Language"] = "en"

    def open(self, path: str, *, answer: int = 200) -> None:
        """Open a page by its path or full address. Errors: Unexpected on any other answer."""
        address = path if path.startswith("http") else self.url + path
        self._demand(self.browser.open(address, timeout=TIMEOUT_S), f"GET {path}", answer)

    def submit(
        self, form: str = "main form", *, press: str = "", answer: int = 200, **fields: Any
    ) -> None:
        """Fill in the form found by CSS selector and send it; press: the button's value.

        answer: the status expected after redirects; another one is Unexpected.

        Errors: Unexpected when there is no such form, field or button, and when the answer shows
        the summary of errors.
        """
        where = self.browser.url
        try:
            chosen = self.browser.select_form(form)
            for name, value in fields.items():
                self.browser[name] = value
            if press:
                button = chosen.form.select_one(f'button[value="{press}"]')
                chosen.choose_submit(button)
        except mechanicalsoup.LinkNotFoundError as error:
            said = self.said()
            raise Unexpected(f"{where}: no such form or field: {form} {fields}: {said}") from error
        answered = self.browser.submit_selected(timeout=TIMEOUT_S)
        self._demand(answered, f"POST {where} {form}", answer)
        if self.browser.page and (problem := self.browser.page.select_one("main .summary")):
            raise Unexpected(f"{where}: {problem.get_text(' ', strip=True)}")

    def write(self, form: str, name: str, value: str) -> None:
        """Put a value into a hidden field, as a script of the page would."""
        self.browser.page.select_one(f'{form} input[name="{name}"]')["value"] = value

    def sign_in(self, login: str, password: str) -> None:
        """Sign in through the sign-in page."""
        self.open("/in/")
        self.submit(login=login, password=password)

    def said(self) -> str:
        """Return what the page says, for messages."""
        page = self.browser.page
        main = page.select_one("main") if page else None
        return re.sub(r"\s+", " ", main.get_text(" ", strip=True))[:600] if main else ""

    def value(self, selector: str) -> int:
        """Return the amount (fen) or count in the first `<data value=…>` that fits."""
        return int(self.attribute(f"data{selector}", "value"))

    def shown(self, selector: str) -> str:
        """Return the text of the first element that fits."""
        found = self.browser.page.select_one(selector)
        if found is None:
            raise Unexpected(f"{self.browser.url}: nothing like {selector}: {self.said()}")
        return str(found.get_text(strip=True))

    def attribute(self, selector: str, name: str) -> str:
        """Return an attribute of the first element that fits."""
        found = self.browser.page.select_one(selector)
        if found is None:
            raise Unexpected(f"{self.browser.url}: nothing like {selector}: {self.said()}")
        return str(found[name])

    def links(self, selector: str) -> list[str]:
        """Return the addresses of the links that fit, in the order of the page."""
        return [str(link["href"]) for link in self.browser.page.select(selector)]

    def has(self, selector: str) -> bool:
        """Tell whether the page has such an element."""
        return self.browser.page.select_one(selector) is not None

    def _demand(self, answered: requests.Response, what: str, status: int) -> None:
        if answered.status_code != status:
            raise Unexpected(f"{what}: {answered.status_code} {self.said()}")


class Tablet:
    """A tablet in a cell: JSON with its own token, and one person's sign-in at a time."""

    def __init__(self, url: str) -> None:
        self.url = url.rstrip("/") + "/api/tablet/"
        self.session = requests.Session()
        self.session.headers["Accept-Language"] = "en"
        self.sequence = 0

    def enrol(self, code: str) -> None:
        """Become the tablet that the officer's one-time code is for."""
        token = self._call("POST", "enrol", {"code": code})["token"]
        self.session.headers["Authorization"] = f"Bearer {token}"

    def sign_in(self, number: str, pin: str) -> None:
        """Sign a detainee in; whoever was signed in before is out."""
        made = self._call("POST", "sign-in", {"number": number, "pin": pin})
        self.session.headers["X-Tablet-Session"] = made["session"]

    def shelf(self) -> Any:
        """Return what can be ordered and at which price."""
        return self._call("GET", "shelf")

    def me(self) -> Any:
        """Return what the signed-in person can spend."""
        return self._call("GET", "me")

    def order(self, version: int, lines: list[dict[str, Any]]) -> Any:
        """Send an order, twice as an impatient finger would; both must answer the same."""
        self.sequence += 1
        envelope = {
            "client_id": str(uuid.uuid4()),
            "sequence": self.sequence,
            "catalogue_version": version,
            "lines": lines,
        }
        first = self._call("POST", "orders", envelope)
        again = self._call("POST", "orders", envelope)
        if first["id"] != again["id"]:
            raise Unexpected(f"one envelope made two orders: {first['number']} {again['number']}")
        return first

    def _call(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        answer = self.session.request(method, self.url + path, json=body, timeout=TIMEOUT_S)
        if answer.status_code >= 400:
            raise Unexpected(f"{method} {path}: {answer.status_code} {answer.text[:400]}")
        return answer.json() if answer.content else None
