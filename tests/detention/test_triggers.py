"""The database guards itself, and it is noticed when somebody takes a guard away."""

from dataclasses import replace

import pytest
from django.core import checks
from django.core.exceptions import ImproperlyConfigured
from django.core.management import call_command
from django.core.management.base import SystemCheckError
from django.db import DatabaseError, IntegrityError, connection, transaction
from django.utils import timezone

from detention import audit, triggers
from detention.models import AuditRecord
from tests.factories import FacilityFactory, UserFactory

pytestmark = pytest.mark.django_db
SQLITE = connection.vendor == "sqlite"
JOURNALS = "ledger_journal"
GUARD = "ledger_journal_no_update"
FINDING = f"trigger {GUARD} on {JOURNALS} was changed or switched off"


def sql(*statements):
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


def drop():
    sql(f"DROP TRIGGER {GUARD}" if SQLITE else f"DROP TRIGGER {GUARD} ON {JOURNALS}")


def test_a_migrated_database_has_every_guard():
    assert triggers.check(connection) == []
    triggers.refuse_start(connection)


def test_a_dropped_guard_stops_the_start_and_is_named():
    drop()

    assert triggers.check(connection) == [f"trigger {GUARD} is missing"]
    with pytest.raises(ImproperlyConfigured, match=f"trigger {GUARD} is missing"):
        triggers.refuse_start(connection)


def test_manage_py_check_names_a_dropped_guard():
    drop()

    found = checks.run_checks(tags=[checks.Tags.database], databases=["default"])

    assert [(each.id, each.msg) for each in found if each.id.startswith("detention")] == [
        ("detention.E001", f"default: trigger {GUARD} is missing")
    ]


def test_a_guard_with_another_body_is_noticed():
    if SQLITE:
        drop()
        sql(f"CREATE TRIGGER {GUARD} BEFORE UPDATE ON {JOURNALS} BEGIN SELECT 1; END")
    else:
        sql(
            f"CREATE OR REPLACE FUNCTION {GUARD}() RETURNS trigger LANGUAGE plpgsql"
            " AS $$ BEGIN RETURN NEW; END $$"
        )

    assert triggers.check(connection) == [FINDING]


def test_a_guard_that_was_switched_off_or_narrowed_is_noticed():
    body = "BEGIN SELECT RAISE(ABORT, 'no'); END"
    ways = (
        [
            [
                f"DROP TRIGGER {GUARD}",
                f"CREATE TRIGGER {GUARD} BEFORE UPDATE OF kind ON {JOURNALS} {body}",
            ],
            [
                f"DROP TRIGGER {GUARD}",
                f"CREATE TRIGGER {GUARD} BEFORE UPDATE ON {JOURNALS} WHEN 1 = 0 {body}",
            ],
        ]
        if SQLITE
        else [
            [f"ALTER TABLE {JOURNALS} DISABLE TRIGGER {GUARD}"],
            [f"ALTER TABLE {JOURNALS} ENABLE REPLICA TRIGGER {GUARD}"],
            [f"ALTER TABLE {JOURNALS} ENABLE TRIGGER {GUARD}"],
            [
                f"DROP TRIGGER {GUARD} ON {JOURNALS}",
                f"CREATE TRIGGER {GUARD} BEFORE UPDATE OF kind ON {JOURNALS}"
                f" FOR EACH ROW EXECUTE FUNCTION {GUARD}()",
            ],
            [
                f"DROP TRIGGER {GUARD} ON {JOURNALS}",
                f"CREATE TRIGGER {GUARD} BEFORE UPDATE ON {JOURNALS}"
                f" FOR EACH ROW WHEN (OLD.id < 0) EXECUTE FUNCTION {GUARD}()",
            ],
            [
                f"DROP TRIGGER {GUARD} ON {JOURNALS}",
                f"CREATE TRIGGER {GUARD} AFTER UPDATE ON {JOURNALS}"
                f" FOR EACH ROW EXECUTE FUNCTION {GUARD}()",
            ],
        ]
    )

    for way in ways:
        with transaction.atomic():
            if not SQLITE:
                connection.check_constraints()
            sql(*way)
            found = triggers.check(connection)
            transaction.set_rollback(True)
        assert found == [FINDING], way


def test_a_guard_that_nobody_declared_is_noticed():
    name = "helpful_trigger"
    if SQLITE:
        sql(f"CREATE TRIGGER {name} BEFORE INSERT ON {JOURNALS} BEGIN SELECT 1; END")
    else:
        sql(
            f"CREATE TRIGGER {name} BEFORE INSERT ON {JOURNALS}"
            f" FOR EACH ROW EXECUTE FUNCTION {GUARD}()"
        )

    assert triggers.check(connection) == [f"trigger {name} on {JOURNALS} is unknown"]


def test_migrating_refuses_to_run_over_a_dropped_guard_and_heals_nothing():
    drop()

    with pytest.raises(SystemCheckError, match=f"trigger {GUARD} is missing"):
        call_command("migrate", skip_checks=False, verbosity=0)
    call_command("migrate", verbosity=0)

    assert triggers.check(connection) == [f"trigger {GUARD} is missing"]


def test_installing_again_puts_every_guard_back_and_drops_those_of_older_releases():
    drop()
    editor = connection.schema_editor()
    editor.deferred_sql = []
    guards = triggers.declared(["ledger"])["ledger"]
    old = replace(guards[0], name="ledger_book_old_rule")

    triggers.create(editor, [old])
    triggers.drop(editor, guards)
    triggers.create(editor, guards)

    assert triggers.check(connection) == []


@pytest.fixture
def recorded():
    """Return an audit row of somebody's act."""
    with transaction.atomic():
        return audit.record(
            "order.approved", by=UserFactory(), at=timezone.now(), subject=FacilityFactory()
        )


@pytest.mark.parametrize(
    ("statement", "guard"),
    [
        ("UPDATE detention_auditrecord SET action = 'x'", "detention_auditrecord_no_update"),
        ("UPDATE detention_auditrecord SET user_id = NULL", "detention_auditrecord_no_update"),
        ("DELETE FROM detention_auditrecord", "detention_auditrecord_no_delete"),
    ],
)
def test_what_somebody_did_is_neither_changed_nor_forgotten(recorded, statement, guard):
    with pytest.raises(IntegrityError, match=guard), transaction.atomic():
        sql(statement)

    assert AuditRecord.objects.get().action == "order.approved"


def test_a_session_that_calls_itself_a_replica_changes_nothing_either(recorded):
    as_replica = "SELECT 1" if SQLITE else "SET LOCAL session_replication_role = replica"

    with pytest.raises(IntegrityError, match="_no_update"), transaction.atomic():
        sql(as_replica, "UPDATE detention_auditrecord SET action = 'x'")

    assert AuditRecord.objects.get().action == "order.approved"


def test_an_audit_row_is_not_replaced(recorded):
    table, id_ = "detention_auditrecord", recorded.pk
    columns = ", ".join(field.column for field in AuditRecord._meta.local_fields)
    insert = "INSERT OR REPLACE INTO" if SQLITE else "INSERT INTO"

    with (
        pytest.raises(IntegrityError, match=r"_no_replace|_pkey"),
        transaction.atomic(),
    ):
        sql(f"{insert} {table} ({columns}) SELECT {columns} FROM {table} WHERE id = {id_}")

    assert AuditRecord.objects.get() == recorded


def test_the_audit_table_is_not_emptied(recorded):
    statement = "DELETE FROM" if SQLITE else "TRUNCATE"
    if not SQLITE:
        connection.check_constraints()

    with (
        pytest.raises(DatabaseError, match=r"detention_auditrecord_no_(delete|truncate)"),
        transaction.atomic(),
    ):
        sql(f"{statement} detention_auditrecord")

    assert AuditRecord.objects.get() == recorded
