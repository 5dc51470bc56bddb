"""What every test stands on: no outside world, no leftovers of the test before."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.core.cache import cache
from django.test import Client
from django.test.utils import setup_databases, teardown_databases
from django.utils import translation

from tests.databases import copied_database

LOCAL = {"127.0.0.1", "::1", "localhost", "testserver"}


@pytest.fixture(scope="session")
def django_db_setup(django_test_environment: None, django_db_blocker: Any) -> Iterator[None]:
    """Make the test database, also when only tests that copy it are run."""
    with django_db_blocker.unblock():
        made = setup_databases(verbosity=0, interactive=False, aliases=["default"])
    yield
    with django_db_blocker.unblock():
        teardown_databases(made, verbosity=0)


@pytest.fixture
def own_database(django_db_setup: None, django_db_blocker: Any, tmp_path: Path) -> Iterator[str]:
    """DATABASE_URL of a copy of the test database, for tests that start processes."""
    with django_db_blocker.unblock(), copied_database(tmp_path) as url:
        yield url


@pytest.fixture(autouse=True)
def _nothing_left_over() -> Iterator[None]:
    """Start each test with an empty cache and the default language."""
    cache.clear()
    translation.activate("zh-hans")
    yield
    translation.deactivate()


@pytest.fixture(autouse=True)
def _no_outside_world(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let nothing under test talk to another machine."""
    connect = socket.socket.connect

    def connect_locally(self: socket.socket, address: Any) -> None:
        if self.family != socket.AF_UNIX and address[0] not in LOCAL:
            raise AssertionError(f"a test tried to reach {address[0]}")
        connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", connect_locally)


@pytest.fixture(autouse=True)
def _letters_stay_here(monkeypatch: pytest.MonkeyPatch) -> None:
    """The simulated provider's letters reach our doors through the test client, not a socket."""
    from accounts.gateways.stub import letters

    def carry(url: str, body: bytes, signature: str) -> tuple[int, str]:
        answer = Client(raise_request_exception=False).post(
            urlsplit(url).path,
            body,
            content_type="application/json",
            headers={"Stripe-Signature": signature},
        )
        return answer.status_code, f"{answer.status_code} {answer.reason_phrase}"

    monkeypatch.setattr(letters, "carry", carry)
