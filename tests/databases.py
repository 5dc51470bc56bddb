"""A database of one's own: a copy of the migrated test database, for tests with processes.

Tests in several processes or threads commit for real, and what they commit could not be removed
again: the triggers refuse it. So such a test gets a copy and throws the copy away.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from urllib.parse import quote
from uuid import uuid4

import psycopg
from django.db import connection
from psycopg import sql


@contextmanager
def copied_database(folder: Path) -> Iterator[str]:
    """Copy the test database; yield the copy's DATABASE_URL; drop it afterwards.

    Needs `django_db_setup` and an unblocked connection, and no open transaction.
    """
    if connection.vendor == "sqlite":
        yield _copied_file(folder)
    else:
        with _copied_on_server() as url:
            yield url


def _copied_file(folder: Path) -> str:
    path = folder / "copy.sqlite3"
    connection.ensure_connection()
    with closing(sqlite3.connect(path)) as target:
        connection.connection.backup(target)
    return f"sqlite:///{path}"


@contextmanager
def _copied_on_server() -> Iterator[str]:
    settings = connection.settings_dict
    name = f"copy_{uuid4().hex}"
    # A database with a connection open cannot be copied.
    connection.close()
    server = {
        "host": settings["HOST"],
        "port": settings["PORT"],
        "user": settings["USER"],
        "password": settings["PASSWORD"],
    }
    given = {key: value for key, value in server.items() if value}
    with psycopg.connect(dbname="postgres", autocommit=True, **given) as admin:
        copy, template = sql.Identifier(name), sql.Identifier(settings["NAME"])
        admin.execute(sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(copy, template))
        try:
            login = quote(settings["USER"]) + (
                f":{quote(settings['PASSWORD'])}" if settings["PASSWORD"] else ""
            )
            place = quote(settings["HOST"], safe="") + (
                f":{settings['PORT']}" if settings["PORT"] else ""
            )
            yield f"postgres://{login}@{place}/{name}"
        finally:
            admin.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(copy))
