"""The heartbeat, the sweep, the schedules and the table of reactions."""

from __future__ import annotations

import ast
from pathlib import Path
from pydoc import locate

import pytest
from django.conf import settings
from django.db import transaction
from django_q.models import Schedule

from config import reactions, schedules, tasks
from detention import events
from detention.models import Heartbeat
from tests.queue import run_queued


@pytest.mark.django_db
def test_a_second_heartbeat_replaces_the_first():
    tasks.heartbeat()
    first = Heartbeat.objects.get(name="worker").at

    tasks.heartbeat()

    assert Heartbeat.objects.get(name="worker").at > first


def test_a_failing_sweep_does_not_keep_the_others_from_running(monkeypatch):
    swept = []

    def fail(*, at):
        raise ValueError("as ordered")

    def note(*, at):
        swept.append(at)

    monkeypatch.setattr(tasks, "SWEEPS", (fail, note))

    with pytest.raises(ExceptionGroup, match="sweeps failed") as caught:
        tasks.sweep()

    assert [str(error) for error in caught.value.exceptions] == ["as ordered"]
    assert len(swept) == 1


@pytest.mark.django_db
def test_installing_the_schedules_again_changes_nothing():
    schedules.install()
    first = list(Schedule.objects.order_by("name").values())

    schedules.install()

    assert list(Schedule.objects.order_by("name").values()) == first
    assert [row["name"] for row in first] == sorted(schedules.SCHEDULES)


@pytest.mark.django_db
def test_installing_the_schedules_corrects_doubles_and_drops_what_is_no_longer_named():
    schedules.install()
    Schedule.objects.create(name="sweep", func="config.tasks.sweep", minutes=7)
    Schedule.objects.create(name="gone", func="config.tasks.gone")

    schedules.install()

    assert list(Schedule.objects.order_by("name").values_list("name", "func", "minutes")) == [
        (name, *schedules.SCHEDULES[name]) for name in sorted(schedules.SCHEDULES)
    ]


@pytest.mark.parametrize("task", [task for task, _ in schedules.SCHEDULES.values()])
def test_every_scheduled_task_exists(task):
    assert callable(locate(task))


@pytest.mark.django_db
def test_an_announced_event_reaches_its_reactions_in_order_after_the_commit(monkeypatch):
    seen = []

    def first(pk, *, at):
        seen.append(("first", pk))

    def second(pk, *, at):
        seen.append(("second", pk))

    monkeypatch.setitem(reactions.REACTIONS, "custody_closing", (first, second))
    with transaction.atomic():
        events.announce("custody_closing", 7)

    before = list(seen)
    run_queued()

    assert before == []
    assert seen == [("first", 7), ("second", 7)]


def test_every_event_that_is_announced_has_a_row_in_the_table():
    announced = set()
    for app in ("detention", "accounts", "commissary", "visits"):
        for path in Path(settings.BASE_DIR, app).rglob("*.py"):
            announced |= _announced(ast.parse(path.read_text()))

    assert announced - set(reactions.REACTIONS) == set()
    assert "custody_closing" in announced


def _announced(tree: ast.AST) -> set[str]:
    return {
        node.args[0].value
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and getattr(node.func, "attr", getattr(node.func, "id", "")) == "announce"
        and isinstance(node.args[0], ast.Constant)
    }
