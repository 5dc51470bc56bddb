"""Rules that the database keeps itself, whoever writes to it: declared once, on both databases.

An app lists its guards in a module `triggers` as `GUARDS`; a migration installs them with
`Install(app_label)` and, because SQLite drops a table's triggers without a word when a migration
rebuilds it, a migration that changes a guarded table begins with `Drop` and ends with `Install`.
Nothing else ever puts a trigger back: a missing or changed one is a finding, not a repair job.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from django.apps import apps
from django.core import checks
from django.core.exceptions import ImproperlyConfigured
from django.db import connection as default_connection
from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.operations.base import Operation

INSERT, UPDATE, DELETE, TRUNCATE = "INSERT", "UPDATE", "DELETE", "TRUNCATE"
ALWAYS = "TRUE"
# pg_trigger.tgtype is a bit set: row-level, before, then one bit for each event.
_PG_ROW, _PG_BEFORE = 1, 2
_PG_EVENT = {INSERT: 4, DELETE: 8, UPDATE: 16, TRUNCATE: 32}


@dataclass(frozen=True, kw_only=True)
class Guard:
    """One trigger before one event on one table: the first rule whose condition is true refuses.

    rules: (sentence, SQL condition over NEW and OLD that both databases understand).
    only: the vendor it exists on, when the other needs no such guard.
    """

    name: str
    table: str
    event: str
    rules: tuple[tuple[str, str], ...]
    only: str = ""

    def exists_on(self, vendor: str) -> bool:
        """Tell whether this database has the guard; SQLite knows no TRUNCATE."""
        return self.only in ("", vendor) and not (vendor == "sqlite" and self.event == TRUNCATE)

    def sqlite(self) -> str:
        """Return the statement that creates it on SQLite."""
        steps = "\n".join(
            f"  SELECT RAISE(ABORT, '{self._says(sentence)}') WHERE {condition};"
            for sentence, condition in self.rules
        )
        return (
            f"CREATE TRIGGER {self.name} BEFORE {self.event} ON {self.table}\nBEGIN\n{steps}\nEND"
        )

    def pg_source(self) -> str:
        """Return the body of its function on PostgreSQL."""
        steps = "\n".join(
            f"  IF {condition} THEN RAISE EXCEPTION '{self._says(sentence)}'"
            f" USING ERRCODE = '23000', CONSTRAINT = '{self.name}'; END IF;"
            for sentence, condition in self.rules
        )
        row = {DELETE: "OLD", TRUNCATE: "NULL"}.get(self.event, "NEW")
        return f"\nBEGIN\n{steps}\n  RETURN {row};\nEND\n"

    def _says(self, sentence: str) -> str:
        return f"{self.name}: {sentence}".replace("'", "''")

    def pg_level(self) -> str:
        """Return whether it fires for each row or once a statement."""
        return "STATEMENT" if self.event == TRUNCATE else "ROW"

    def pg_type(self) -> int:
        """Return what pg_trigger.tgtype says of it."""
        return _PG_EVENT[self.event] | _PG_BEFORE | (_PG_ROW if self.event != TRUNCATE else 0)


def append_only(table: str, *, unique: Iterable[str] = ()) -> list[Guard]:
    """Return the guards of a table whose rows are never changed, deleted, truncated or replaced.

    unique: for each unique key besides `id`, the condition under which a row with NEW's key exists.
    SQLite's INSERT OR REPLACE deletes without firing delete triggers unless the connection asks
    for it, so there an insert that would replace is refused.
    """
    return [
        Guard(name=f"{table}_no_update", table=table, event=UPDATE, rules=_never("change")),
        *never_removed(table, unique=unique),
    ]


def never_removed(table: str, *, key: str = "id", unique: Iterable[str] = ()) -> list[Guard]:
    """Return the guards of a table whose rows may change but never go away or be replaced."""
    taken = " OR ".join(
        f"EXISTS (SELECT 1 FROM {table} r WHERE {condition})"
        for condition in (f"r.{key} = NEW.{key}", *unique)
    )
    return [
        Guard(name=f"{table}_no_delete", table=table, event=DELETE, rules=_never("go away")),
        Guard(name=f"{table}_no_truncate", table=table, event=TRUNCATE, rules=_never("go away")),
        Guard(
            name=f"{table}_no_replace",
            table=table,
            event=INSERT,
            rules=(("this row exists already", taken),),
            only="sqlite",
        ),
    ]


def _never(act: str) -> tuple[tuple[str, str], ...]:
    return ((f"rows never {act}", ALWAYS),)


GUARDS = append_only("detention_auditrecord")


def declared(labels: Iterable[str] | None = None) -> dict[str, list[Guard]]:
    """Return every app's guards by app label, or those of `labels`."""
    found: dict[str, list[Guard]] = {}
    for config in apps.get_app_configs():
        wanted = labels is None or config.label in labels
        if wanted and find_spec(f"{config.name}.triggers"):
            guards = getattr(import_module(f"{config.name}.triggers"), "GUARDS", None)
            if guards:
                found[config.label] = list(guards)
    return found


def create(editor: BaseDatabaseSchemaEditor, guards: Sequence[Guard]) -> None:
    """Create these guards; `params=None` keeps `%` in their text from being a placeholder."""
    for guard in guards:
        vendor = editor.connection.vendor
        if not guard.exists_on(vendor):
            continue
        if vendor == "sqlite":
            editor.execute(guard.sqlite(), params=None)
            continue
        editor.execute(
            f"CREATE OR REPLACE FUNCTION {guard.name}() RETURNS trigger LANGUAGE plpgsql"
            f" AS $guard${guard.pg_source()}$guard$",
            params=None,
        )
        editor.execute(
            f"CREATE TRIGGER {guard.name} BEFORE {guard.event} ON {guard.table}"
            f" FOR EACH {guard.pg_level()} EXECUTE FUNCTION {guard.name}()",
            params=None,
        )
        # Also for a session that calls itself a replica, which would leave no trace.
        editor.execute(f"ALTER TABLE {guard.table} ENABLE ALWAYS TRIGGER {guard.name}", params=None)


def drop(editor: BaseDatabaseSchemaEditor, guards: Sequence[Guard]) -> None:
    """Drop every trigger of ours on the tables of `guards`, also those of an older release."""
    tables = sorted({guard.table for guard in guards})
    for name, table in _ours(editor.connection, tables):
        if editor.connection.vendor == "sqlite":
            editor.execute(f"DROP TRIGGER {name}", params=None)
        else:
            editor.execute(f"DROP TRIGGER {name} ON {table}", params=None)
            editor.execute(f"DROP FUNCTION {name}()", params=None)


def _ours(connection: BaseDatabaseWrapper, tables: list[str]) -> list[tuple[str, str]]:
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("SELECT name, tbl_name FROM sqlite_master WHERE type = 'trigger'")
        else:
            cursor.execute(
                "SELECT t.tgname, c.relname FROM pg_trigger t"
                " JOIN pg_class c ON c.oid = t.tgrelid JOIN pg_proc p ON p.oid = t.tgfoid"
                " WHERE NOT t.tgisinternal AND p.proname = t.tgname"
            )
        return [(name, table) for name, table in cursor.fetchall() if table in tables]


class _ChangeGuards(Operation):
    """Shared shape of `Install` and `Drop`: they touch triggers only, never the models."""

    reduces_to_sql = True
    reversible = True

    def __init__(self, app_label: str) -> None:
        self.app_label = app_label

    def state_forwards(self, app_label: str, state: Any) -> None:
        """Leave the models as they are."""


class Install(_ChangeGuards):
    """Migration operation: put the guards of an app in place, instead of whatever was there."""

    def database_forwards(
        self,
        app_label: str,
        schema_editor: BaseDatabaseSchemaEditor,
        from_state: Any,
        to_state: Any,
    ) -> None:
        guards = declared([self.app_label])[self.app_label]
        drop(schema_editor, guards)
        create(schema_editor, guards)

    def database_backwards(
        self,
        app_label: str,
        schema_editor: BaseDatabaseSchemaEditor,
        from_state: Any,
        to_state: Any,
    ) -> None:
        drop(schema_editor, declared([self.app_label])[self.app_label])

    def describe(self) -> str:
        return f"Install the guards of {self.app_label}"


class Drop(_ChangeGuards):
    """Migration operation: take the guards of an app away before its tables change."""

    def database_forwards(
        self,
        app_label: str,
        schema_editor: BaseDatabaseSchemaEditor,
        from_state: Any,
        to_state: Any,
    ) -> None:
        drop(schema_editor, declared([self.app_label])[self.app_label])

    def database_backwards(
        self,
        app_label: str,
        schema_editor: BaseDatabaseSchemaEditor,
        from_state: Any,
        to_state: Any,
    ) -> None:
        guards = declared([self.app_label])[self.app_label]
        create(schema_editor, guards)

    def describe(self) -> str:
        return f"Drop the guards of {self.app_label} while its tables change"


def check(connection: BaseDatabaseWrapper = default_connection) -> list[str]:
    """Compare every declared guard with the database by name and text.

    Returns one sentence for each that is missing, changed, switched off or unknown; empty is good.
    """
    guards = {
        guard.name: guard
        for group in declared().values()
        for guard in group
        if guard.exists_on(connection.vendor)
    }
    tables = {guard.table for guard in guards.values()}
    look = _look_sqlite if connection.vendor == "sqlite" else _look_postgresql
    found = look(connection, tables)
    wrong = [f"trigger {name} is missing" for name in sorted(guards.keys() - found.keys())]
    for name, (table, expected_text) in sorted(found.items()):
        guard = guards.get(name)
        if guard is None:
            wrong.append(f"trigger {name} on {table} is unknown")
            continue
        expected = (
            guard.sqlite()
            if connection.vendor == "sqlite"
            else _pg_description(guard.pg_type(), "A", guard.name, guard.pg_source())
        )
        if table != guard.table or expected_text != expected:
            wrong.append(f"trigger {name} on {table} was changed or switched off")
    return wrong


def _look_sqlite(connection: BaseDatabaseWrapper, tables: set[str]) -> dict[str, tuple[str, str]]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT name, tbl_name, sql FROM sqlite_master WHERE type = 'trigger'")
        return {name: (table, sql) for name, table, sql in cursor.fetchall() if table in tables}


def _look_postgresql(
    connection: BaseDatabaseWrapper, tables: set[str]
) -> dict[str, tuple[str, str]]:
    with connection.cursor() as cursor:
        # Besides the source: the events, whether it is enabled, and anything that narrows it
        # (a WHEN condition, a column list, arguments, settings or another owner's rights).
        cursor.execute(
            "SELECT t.tgname, c.relname, t.tgtype, t.tgenabled::text, p.proname, p.prosrc,"
            " t.tgqual IS NULL AND t.tgattr::text = '' AND t.tgnargs = 0"
            " AND p.proconfig IS NULL AND NOT p.prosecdef AND l.lanname = 'plpgsql'"
            " FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid"
            " JOIN pg_proc p ON p.oid = t.tgfoid JOIN pg_language l ON l.oid = p.prolang"
            " WHERE NOT t.tgisinternal"
        )
        return {
            name: (table, _pg_description(kind, enabled, function, source) if plain else "narrowed")
            for name, table, kind, enabled, function, source, plain in cursor.fetchall()
            if table in tables
        }


def _pg_description(kind: int, enabled: str, function: str, source: str) -> str:
    return f"{kind} {enabled} {function} {source}"


def refuse_start(connection: BaseDatabaseWrapper = default_connection) -> None:
    """Let nothing run on a database whose guards are not all in place and unchanged.

    Called by the web server, the worker and the readiness page. Errors: ImproperlyConfigured
    naming each guard.
    """
    wrong = check(connection)
    if wrong and _migrations_wait(connection):
        raise ImproperlyConfigured("The database is not up to date: run manage.py migrate.")
    if wrong:
        raise ImproperlyConfigured("The database does not guard itself: " + "; ".join(wrong))


def system_check(databases: Sequence[str] | None = None, **options: Any) -> list[Any]:
    """Report wrong guards to `manage.py check --database`.

    Only warns while migrations wait: `migrate` itself must be able to bring the next release's
    guards. It warns by name, so that nothing is put right in silence.
    """
    found: list[Any] = []
    for alias in databases or ():
        connection = connections[alias]
        wrong = check(connection)
        wait = bool(wrong) and _migrations_wait(connection)
        if wait and not _ours(connection, [g.table for gs in declared().values() for g in gs]):
            continue  # a new database: nothing was ever installed
        for sentence in wrong:
            if wait:
                found.append(checks.Warning(f"{alias}: {sentence}", id="detention.W001"))
            else:
                found.append(checks.Error(f"{alias}: {sentence}", id="detention.E001"))
    return found


def _migrations_wait(connection: BaseDatabaseWrapper) -> bool:
    executor = MigrationExecutor(connection)
    return bool(executor.migration_plan(executor.loader.graph.leaf_nodes()))
