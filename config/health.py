"""Whether the process lives, and whether it may be given work."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import timedelta

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from detention import triggers
from detention.models import Heartbeat

logger = logging.getLogger(__name__)


@login_not_required
@never_cache
@require_safe
def healthz(request: HttpRequest) -> HttpResponse:
    """Answer 200 as long as the process answers at all; asks no database."""
    return HttpResponse("ok\n", content_type="text/plain")


@login_not_required
@never_cache
@require_safe
def readyz(request: HttpRequest) -> JsonResponse:
    """Answer 200 when every light is on, else 503, with the lights; details go to the log."""
    lights = {name: _is_on(name, light) for name, light in LIGHTS.items()}
    return JsonResponse(lights, status=200 if all(lights.values()) else 503)


def database_answers() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return True


def migrations_are_applied() -> bool:
    executor = MigrationExecutor(connection)
    return not executor.migration_plan(executor.loader.graph.leaf_nodes())


def triggers_are_intact() -> bool:
    """Tell whether every guard is in place and unchanged; which one is not goes to the log."""
    wrong = triggers.check(connection)
    for sentence in wrong:
        logger.error("readyz: %s", sentence)
    return not wrong


def worker_is_alive() -> bool:
    """Tell whether the worker wrote its heartbeat lately enough."""
    oldest = timezone.now() - timedelta(seconds=settings.WORKER_STALE_S)
    return Heartbeat.objects.filter(name="worker", at__gt=oldest).exists()


LIGHTS: dict[str, Callable[[], bool]] = {
    "database": database_answers,
    "migrations": migrations_are_applied,
    "triggers": triggers_are_intact,
    "worker": worker_is_alive,
}


def _is_on(name: str, light: Callable[[], bool]) -> bool:
    try:
        on = light()
    except DatabaseError as error:
        logger.error("readyz: %s: %s", name, error)
        return False
    if not on:
        logger.info("readyz: %s is off", name)
    return on
