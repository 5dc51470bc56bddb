"""Running in the test what the queue holds, through the real task functions."""

from __future__ import annotations

from pydoc import locate
from typing import Any

from django_q.models import OrmQ
from django_q.signing import SignedPackage

LIMIT = 1000


def queued() -> list[str]:
    """Return what waits, oldest first, as `dotted.function(arg, …)`; runs nothing."""
    return [_name(_task(row)) for row in OrmQ.objects.order_by("pk")]


def run_queued(*, keep_failed: bool = False) -> list[str]:
    """Run everything queued, oldest first, until nothing is left; return what ran, in order.

    Tasks queued by tasks run too. A task's error is raised and its row stays queued, as for the
    worker; with `keep_failed` the others run on and the failed ones stay.
    """
    ran: list[str] = []
    failed: set[int] = set()
    while row := OrmQ.objects.exclude(pk__in=failed).order_by("pk").first():
        assert len(ran) < LIMIT, f"the queue never gets empty; last ran: {ran[-3:]}"
        task = _task(row)
        function = task["func"] if callable(task["func"]) else locate(task["func"])
        assert callable(function), f"there is no task function {task['func']}"
        ran.append(_name(task))
        try:
            function(*task["args"], **task["kwargs"])
        except Exception:
            if not keep_failed:
                raise
            failed.add(row.pk)
        else:
            row.delete()
    return ran


def _task(row: OrmQ) -> dict[str, Any]:
    return SignedPackage.loads(row.payload)


def _name(task: dict[str, Any]) -> str:
    func = task["func"]
    name = func if isinstance(func, str) else f"{func.__module__}.{func.__qualname__}"
    return f"{name}({', '.join(str(argument) for argument in task['args'])})"
