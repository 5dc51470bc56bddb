"""A migration that changes a guarded table: what it does to the guards, and how to write it.

Here and not among the ordinary tests, because SQLite rebuilds no table inside a test's transaction.
"""

from __future__ import annotations

import pytest
from django.db import connection, models
from django.db.migrations.state import ProjectState

from accounts.ledger.models import AccountEvent
from detention import triggers

pytestmark = [pytest.mark.race, pytest.mark.usefixtures("race_db", "_guarded_again")]
LOST = [f"ledger_accountevent_no_{act}" for act in ("delete", "replace", "update")]


@pytest.fixture
def _guarded_again(race_db):
    """Leave the module's database as it was."""
    yield
    with connection.schema_editor() as editor:
        triggers.Install("ledger").database_forwards("ledger", editor, ProjectState(), None)


def widen(editor):
    """Do what AlterField does; on SQLite the table is made anew and copied."""
    old = AccountEvent._meta.get_field("reason")
    new = models.CharField(max_length=90)
    new.set_attributes_from_name("reason")
    new.model = AccountEvent
    editor.alter_field(AccountEvent, old, new, strict=True)


def test_a_migration_that_forgets_the_guards_is_found_out():
    before = triggers.check(connection)

    with connection.schema_editor() as editor:
        widen(editor)

    assert before == []
    assert triggers.check(connection) == (
        [f"trigger {name} is missing" for name in LOST] if connection.vendor == "sqlite" else []
    )


def test_a_migration_between_drop_and_install_keeps_them():
    state = ProjectState()

    with connection.schema_editor() as editor:
        triggers.Drop("ledger").database_forwards("ledger", editor, state, state)
        dropped = len(triggers.check(connection))
        widen(editor)
        triggers.Install("ledger").database_forwards("ledger", editor, state, state)

    assert dropped == sum(
        guard.exists_on(connection.vendor) for guard in triggers.declared(["ledger"])["ledger"]
    )
    assert triggers.check(connection) == []


def test_undoing_the_migration_takes_the_guards_away_and_doing_it_again_brings_them_back():
    state = ProjectState()
    install = triggers.Install("ledger")

    with connection.schema_editor() as editor:
        install.database_backwards("ledger", editor, state, state)
        without = triggers.check(connection)
        install.database_forwards("ledger", editor, state, state)

    assert "trigger ledger_journal_whole is missing" in without
    assert triggers.check(connection) == []
