"""/healthz and /readyz: what a load balancer and the supervisor ask."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import OperationalError, connection
from django.utils import timezone

from config.health import LIGHTS
from config.tasks import heartbeat
from detention import triggers
from detention.models import Heartbeat


def test_healthz_answers_without_asking_the_database(client):
    # No django_db mark: any query would fail the test.
    response = client.get("/healthz")

    assert response.status_code == 200
    assert response.content == b"ok\n"


@pytest.mark.django_db
def test_readyz_answers_200_when_every_light_is_on(client):
    heartbeat()

    response = client.get("/readyz")

    assert response.json() == dict.fromkeys(LIGHTS, True)
    assert list(LIGHTS) == ["database", "migrations", "triggers", "worker"]
    assert response.status_code == 200


@pytest.mark.django_db
def test_readyz_answers_503_when_the_worker_never_wrote_a_heartbeat(client):
    response = client.get("/readyz")

    assert response.json() == dict.fromkeys(LIGHTS, True) | {"worker": False}
    assert response.status_code == 503


@pytest.mark.django_db
def test_readyz_answers_503_when_the_heartbeat_is_old(client, settings):
    heartbeat()
    Heartbeat.objects.update(at=timezone.now() - timedelta(seconds=settings.WORKER_STALE_S + 1))

    response = client.get("/readyz")

    assert response.json()["worker"] is False
    assert response.status_code == 503


@pytest.mark.django_db
def test_readyz_answers_503_when_a_migration_is_missing(client):
    heartbeat()
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM django_migrations WHERE app = 'detention'")

    response = client.get("/readyz")

    assert response.json()["migrations"] is False
    assert response.status_code == 503


@pytest.mark.django_db
def test_readyz_answers_503_and_logs_the_name_when_a_trigger_is_missing(client, caplog):
    heartbeat()
    name = _drop_one_trigger()

    response = client.get("/readyz")

    assert response.json() == dict.fromkeys(LIGHTS, True) | {"triggers": False}
    assert response.status_code == 503
    assert f"trigger {name} is missing" in caplog.text
    assert name not in response.text


def _drop_one_trigger() -> str:
    guard = next(one for one in triggers.GUARDS if one.exists_on(connection.vendor))
    where = f" ON {guard.table}" if connection.vendor == "postgresql" else ""
    with connection.cursor() as cursor:
        cursor.execute(f"DROP TRIGGER {guard.name}{where}")
    return guard.name


@pytest.mark.django_db
def test_readyz_answers_503_when_the_database_is_down(client):
    def refuse(execute, sql, params, many, context):
        raise OperationalError("the database is down")

    with connection.execute_wrapper(refuse):
        response = client.get("/readyz")

    assert set(response.json().values()) == {False}
    assert response.status_code == 503
