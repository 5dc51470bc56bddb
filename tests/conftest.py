"""What every test stands on: no outside world, no leftovers of the test before."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from typing import Any

import pytest
from django.core.cache import cache
from django.utils import translation

LOCAL = {"127.0.0.1", "::1", "localhost", "testserver"}


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
