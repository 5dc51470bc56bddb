"""`@verb`: one transaction, a few retries, and named constraints that become refusals."""

from __future__ import annotations

import functools
import random
import time
from collections.abc import Callable, Iterable
from typing import Any

from django.apps import apps
from django.db import IntegrityError, OperationalError, connection, models, transaction

from detention.errors import Busy, Refusal

TRIES = 3
# serialization_failure, deadlock_detected, lock_not_available
_RETRIED_SQLSTATES = {"40001", "40P01", "55P03"}


def verb[**P, R](function: Callable[P, R]) -> Callable[P, R]:
    """Run `function` as one durable transaction, up to three times.

    Retries on deadlock, serialisation failure, lock timeout, a busy database, and on a twin:
    a violated unique constraint whose name ends in `_once`, which means that the same request
    has just been served by another process and the next try will find its result.
    A violated constraint named by a `Refusal.constraint` becomes that refusal.
    Errors: the function's own refusals; `Busy` when the database stayed locked.
    """

    @functools.wraps(function)
    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        for attempt in range(1, TRIES + 1):
            try:
                with transaction.atomic(durable=True):
                    return function(*args, **kwargs)
            except OperationalError as error:
                if not is_lock_trouble(error):
                    raise
                if attempt == TRIES:
                    raise Busy from error
            except IntegrityError as error:
                name = constraint_name(error)
                if refusal := Refusal.by_constraint.get(name):
                    raise refusal from error
                if not name.endswith("_once") or attempt == TRIES:
                    raise
            # Jitter, so that two losers do not meet again.
            time.sleep(random.uniform(0.005, 0.05) * attempt)  # noqa: S311
        raise AssertionError("unreachable")

    return run


def keep_record(refusal: Refusal) -> None:
    """Write what must be kept although the act was refused, in a transaction of its own."""
    if refusal.record is not None:
        verb(refusal.record)()


def assert_in_transaction() -> None:
    """A move belongs to a verb: it demands an open transaction and never opens one."""
    assert connection.in_atomic_block, "moves are called inside a verb's transaction"


def is_lock_trouble(error: OperationalError) -> bool:
    """Tell whether a transaction failed because of others and may succeed when tried again."""
    state = getattr(error.__cause__, "sqlstate", None)
    if state is not None:
        return state in _RETRIED_SQLSTATES
    return "database is locked" in str(error) or "database table is locked" in str(error)


def constraint_name(error: IntegrityError) -> str:
    """Return the violated constraint's name, or "" when the database does not tell.

    PostgreSQL names it. SQLite names CHECK constraints, but for unique ones only tells the
    columns, which are looked up among the models' constraints.
    """
    diagnosis = getattr(error.__cause__, "diag", None)
    if diagnosis is not None:
        return diagnosis.constraint_name or ""
    text = str(error)
    if text.startswith("CHECK constraint failed: "):
        return text.removeprefix("CHECK constraint failed: ").strip()
    if text.startswith("UNIQUE constraint failed: "):
        detail = text.removeprefix("UNIQUE constraint failed: ")
        if detail.startswith("index '"):
            return detail.removeprefix("index '").rstrip("'")
        return _unique_names().get(frozenset(detail.split(", ")), "")
    return ""


@functools.cache
def _unique_names() -> dict[frozenset[str], str]:
    names: dict[frozenset[str], str] = {}
    for model in apps.get_models():
        for constraint in model._meta.constraints:
            if isinstance(constraint, models.UniqueConstraint):
                columns = _columns(model, constraint.fields)
                names.setdefault(columns, str(constraint.name))
    return names


def _columns(model: type[models.Model], fields: Iterable[str]) -> frozenset[str]:
    table = model._meta.db_table
    found: list[Any] = [model._meta.get_field(name) for name in fields]
    return frozenset(f"{table}.{field.column}" for field in found)
