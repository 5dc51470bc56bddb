"""`manage.py work`: the worker, which runs what is queued and what is due."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.core.management.base import CommandError
from django_q.management.commands import qcluster

from config import schedules
from detention import triggers


class Command(qcluster.Command):
    help = "Run the worker: what is queued, and what the schedules say. Stop its main process only."

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            triggers.refuse_start()
        except ImproperlyConfigured as error:
            raise CommandError(str(error)) from error
        schedules.install()
        super().handle(*args, **options)  # type: ignore[no-untyped-call]
