"""`manage.py work`: the worker, which runs what is queued and what is due."""

from __future__ import annotations

from typing import Any

from django_q.management.commands import qcluster

from config import schedules


class Command(qcluster.Command):
    help = "Run the worker: what is queued, and what the schedules say. Stop its main process only."

    def handle(self, *args: Any, **options: Any) -> None:
        schedules.install()
        super().handle(*args, **options)  # type: ignore[no-untyped-call]
