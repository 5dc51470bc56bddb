"""A database of its own, which threads can share: a file on SQLite, a new one on PostgreSQL."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import pytest
from django.core.management import call_command
from django.db import connections


@pytest.fixture(scope="module")
def race_db(django_db_setup, django_db_blocker, tmp_path_factory) -> Iterator[None]:
    """Point every connection of this module's tests to a fresh migrated database."""
    usual, settings = connections["default"], connections.settings["default"]
    is_sqlite = usual.vendor == "sqlite"
    name = (
        str(tmp_path_factory.mktemp("race") / "db.sqlite3") if is_sqlite else f"race_{uuid4().hex}"
    )
    with django_db_blocker.unblock():
        if not is_sqlite:
            _on_server(usual, f'CREATE DATABASE "{name}"')
        # New threads make their connections from these settings.
        connections.settings["default"] = {**settings, "NAME": name}
        own = connections.create_connection("default")
        connections["default"] = own
        try:
            call_command("migrate", verbosity=0)
            yield
        finally:
            own.close()
            connections.settings["default"] = settings
            connections["default"] = usual
            if not is_sqlite:
                _on_server(usual, f'DROP DATABASE "{name}" WITH (FORCE)')


def _on_server(connection, statement: str) -> None:
    with connection._nodb_cursor() as cursor:
        cursor.execute(statement)


@pytest.fixture
def together() -> Callable:
    """Return a function that runs calls at the same moment, each with its own connection."""

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
