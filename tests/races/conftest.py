"""A database of its own, which threads can share: a copy of the migrated test database.

What races commit is committed for real and cannot be taken back, because the guards refuse it; so
the copy is thrown away.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import environ
import pytest
from django.db import connections

from tests.databases import copied_database


@pytest.fixture(scope="module")
def race_db(django_db_setup, django_db_blocker, tmp_path_factory) -> Iterator[None]:
    """Point every connection of this module's tests to a fresh migrated database."""
    usual, settings = connections["default"], connections.settings["default"]
    folder = tmp_path_factory.mktemp("race")
    with django_db_blocker.unblock(), copied_database(folder) as url:
        name = environ.Env.db_url_config(url)["NAME"]
        # New threads make their connections from these settings.
        connections.settings["default"] = {**settings, "NAME": name}
        own = connections.create_connection("default")
        connections["default"] = own
        try:
            yield
        finally:
            own.close()
            connections.settings["default"] = settings
            connections["default"] = usual


@pytest.fixture
def together() -> Callable:
    """Return a function that runs calls at the same moment, each with its own connection.

    An error is a result like any other.
    """

    def run(calls: list[Callable[[], object]], *, threads: int) -> list[object]:
        gate = threading.Barrier(min(threads, len(calls)))

        def one(number: int, call: Callable[[], object]) -> object:
            if number < gate.parties:
                gate.wait()
            try:
                return call()
            except Exception as error:
                return error

        def last(_number: int) -> None:
            gate.wait()
            connections["default"].close()

        with ThreadPoolExecutor(threads) as pool:
            results = list(pool.map(one, range(len(calls)), calls))
            gate = threading.Barrier(threads)
            list(pool.map(last, range(threads)))
        return results

    return run
