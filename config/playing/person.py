"""One person in front of a browser: opens pages, fills in forms, reads what is shown."""

from __future__ import annotations

import re
from typing import Any

import mechanicalsoup
import requests

TIMEOUT_S = 30


class Unexpected(Exception):
    """A door answered otherwise than the day expects."""


class Person:
    """Somebody with a browser of their own (cookies kept, forms filled in as on screen)."""

    def __init__(self, url: str) -> None:
        self.url = url.rstrip("/")
        self.browser = mechanicalsoup.StatefulBrowser(soup_config={"features": "lxml"})
        # The day checks the doors, not the reader's language: one language keeps it simple.
        self.browser.session.headers["Accept-Language"] = "en"

    def open(self, path: str) -> None:
        """Open a page by its path or full address. Errors: Unexpected on 4xx and 5xx."""
        address = path if path.startswith("http") else self.url + path
        self._demand(self.browser.open(address, timeout=TIMEOUT_S), f"GET {path}")

    def submit(self, form: str, **fields: Any) -> None:
        """Fill in the form found by CSS selector and send it with its first button.

        Errors: Unexpected when there is no such form or field, on 4xx and 5xx, and when the
        answer shows the error summary.
        """
        where = self.browser.url
        try:
            self.browser.select_form(form)
            for name, value in fields.items():
                self.browser[name] = value
        except mechanicalsoup.LinkNotFoundError as error:
            raise Unexpected(
                f"{where}: no form or field: {form} {fields}: {self.text()}"
            ) from error
        answer = self.browser.submit_selected(timeout=TIMEOUT_S)
        self._demand(answer, f"POST {where} {form}")
        if problem := self.browser.page.select_one(".error-summary"):
            raise Unexpected(f"{where}: {problem.get_text(' ', strip=True)}")

    def sign_in(self, login: str, password: str) -> None:
        """Sign in through the sign-in page."""
        self.open("/in/")
        self.submit("form[data-form=sign-in]", username=login, password=password)

    def text(self) -> str:
        """Return what the page says, for messages."""
        page = self.browser.page
        main = page.select_one("main") if page else None
        return re.sub(r"\s+", " ", main.get_text(" ", strip=True))[:600] if main else ""

    def value(self, selector: str) -> int:
        """Return the amount (fen) or count in the first `<data value=…>` that fits."""
        found = self.browser.page.select_one(selector)
        if found is None:
            raise Unexpected(f"{self.browser.url}: nothing like {selector}: {self.text()}")
        return int(found["value"])

    def links(self, selector: str) -> list[str]:
        """Return the addresses of the links that fit, in the order of the page."""
        return [str(link["href"]) for link in self.browser.page.select(selector)]

    def _demand(self, answer: requests.Response, what: str) -> None:
        if answer.status_code >= 400:
            raise Unexpected(f"{what}: {answer.status_code} {self.text()}")


class Tablet:
    """An enrolled tablet: JSON with its own token, and one person's session at a time."""

    def __init__(self, url: str) -> None:
        self.url = url.rstrip("/") + "/api/tablet/"
        self.session = requests.Session()
        self.session.headers["Accept-Language"] = "en"

    def call(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        """Send one request and return the JSON. Errors: Unexpected on 4xx and 5xx."""
        answer = self.session.request(method, self.url + path, json=body, timeout=TIMEOUT_S)
        if answer.status_code >= 400:
            raise Unexpected(f"{method} {path}: {answer.status_code} {answer.text[:400]}")
        return answer.json() if answer.content else None
