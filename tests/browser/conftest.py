"""The real server, a real worker and a real browser, on a database made for this run.

Run with `make test ONLY=browser` or `pytest tests/browser -m browser`. Tests here carry no
django_db mark: what they arrange through verbs is committed to the site's own database, which is
thrown away at the end. Each test makes the people it needs.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.db import connection
from django.test.utils import override_settings
from playwright.sync_api import Browser, Page, sync_playwright

from tests.databases import copied_database
from tools import chromium

READY_WITHIN_S = 60.0
PHONE = {"width": 360, "height": 740}


@dataclass(frozen=True)
class Site:
    """A running system: `url` without a slash at the end, `log` what its processes said."""

    url: str
    log: Path

    def wait_for[T](self, what: Callable[[], T], seconds: float = 20) -> T:
        """Return what `what` says as soon as it says something; fail after `seconds`."""
        deadline = time.monotonic() + seconds
        while not (found := what()):
            assert time.monotonic() < deadline, f"waited in vain; log:\n{self.log.read_text()}"
            time.sleep(0.1)
        return found


@pytest.fixture(scope="session")
def site(
    django_db_setup: None, django_db_blocker: Any, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Site]:
    """Start web and worker on a copy of the test database, and let the tests write into it."""
    folder = tmp_path_factory.mktemp("site")
    port = _free_port()
    url = f"http://localhost:{port}"
    log = folder / "log"
    with django_db_blocker.unblock(), copied_database(folder) as database:
        surroundings = os.environ | {
            "DATABASE_URL": database,
            "DATA_DIR": str(folder),
            "HOST": "127.0.0.1",
            "PORT": str(port),
            "PUBLIC_URL": url,
            "SECRET_KEY": settings.SECRET_KEY,  # what the tests sign, the server must believe
        }
        command = [sys.executable, "manage.py", "supervise"]
        with log.open("wb") as output:
            server = subprocess.Popen(
                command, cwd=settings.BASE_DIR, env=surroundings, stdout=output, stderr=output
            )
        try:
            _wait_until_ready(url, server, log)
            with _writing_into(database), _as_the_server(folder, url):
                yield Site(url=url, log=log)
        finally:
            server.terminate()
            server.wait(40)


class _writing_into:  # noqa: N801
    """Point this process's connection to the site's database."""

    def __init__(self, url: str) -> None:
        self.name = url.removeprefix("sqlite:///") if "sqlite" in url else url.rsplit("/", 1)[1]

    def __enter__(self) -> None:
        # Not closed: an in-memory database would be gone.
        self.kept = connection.connection
        self.before = connection.settings_dict["NAME"]
        connection.connection = None
        connection.settings_dict["NAME"] = self.name

    def __exit__(self, *_: object) -> None:
        if connection.connection is not None:
            connection.connection.close()
        connection.connection = self.kept
        connection.settings_dict["NAME"] = self.before


def _as_the_server(folder: Path, url: str) -> override_settings:
    hashers = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
    return override_settings(PASSWORD_HASHERS=hashers, DATA_DIR=folder, PUBLIC_URL=url)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _wait_until_ready(url: str, server: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + READY_WITHIN_S
    while True:
        try:
            with urllib.request.urlopen(f"{url}/readyz", timeout=5):
                return
        except (urllib.error.URLError, OSError):
            assert server.poll() is None, f"the server ended:\n{log.read_text()}"
            assert time.monotonic() < deadline, f"the server is not ready:\n{log.read_text()}"
        time.sleep(0.2)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """One Chromium for all tests."""
    # Playwright runs an event loop in this thread; Django would take it for an async caller.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(
            executable_path=chromium.find(), args=chromium.ARGUMENTS
        )
        yield launched
        launched.close()
    del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]


@pytest.fixture
def open_page(site: Site, browser: Browser) -> Iterator[Callable[..., Page]]:
    """Return a function that opens a page with cookies of its own: a phone unless told otherwise.

    At the end the test fails when any page ran into a script error, broke the content security
    policy or asked another machine for anything.
    """
    contexts = []
    complaints: list[str] = []

    def watch(message: Any) -> None:
        if "Content Security Policy" in message.text:
            complaints.append(message.text)

    def stay(request: Any) -> None:
        if not request.url.startswith((site.url, "data:", "blob:")):
            complaints.append(f"asked another machine: {request.url}")

    def open_one(*, width: int = 360, height: int = 740, **options: Any) -> Page:
        context = browser.new_context(
            base_url=site.url,
            viewport={"width": width, "height": height},
            locale=options.pop("locale", "zh-CN"),
            timezone_id="Asia/Shanghai",
            **options,
        )
        context.set_default_timeout(10_000)
        context.on("request", stay)
        page = context.new_page()
        page.on("console", watch)
        page.on("pageerror", lambda error: complaints.append(f"script error: {error}"))
        contexts.append(context)
        return page

    yield open_one
    for context in contexts:
        context.close()
    assert complaints == []


@pytest.fixture
def page(open_page: Callable[..., Page]) -> Page:
    """A phone."""
    return open_page()
