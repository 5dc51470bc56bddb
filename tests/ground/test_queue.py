"""The queue shares the database: what was rolled back was never queued."""

from __future__ import annotations

import pytest
from django.db import transaction
from django_q.models import OrmQ
from django_q.tasks import async_task

from tests.queue import queued, run_queued

pytestmark = pytest.mark.django_db

ran: list[str] = []


@pytest.fixture(autouse=True)
def _nothing_ran() -> None:
    ran.clear()


def note(word: str) -> None:
    ran.append(word)


def note_and_queue(word: str) -> None:
    ran.append(word)
    async_task("tests.ground.test_queue.note", f"{word} again")


def fail() -> None:
    raise RuntimeError("as ordered")


@transaction.atomic
def _queue_and_fail() -> None:
    async_task("tests.ground.test_queue.note", "never")
    raise RuntimeError


def test_a_rolled_back_transaction_leaves_nothing_queued():
    with pytest.raises(RuntimeError):
        _queue_and_fail()

    assert queued() == []


def test_a_committed_transaction_leaves_its_task_in_the_same_database():
    with transaction.atomic():
        async_task("tests.ground.test_queue.note", "kept")

    assert queued() == ["tests.ground.test_queue.note(kept)"]


def test_run_queued_runs_tasks_of_tasks_in_order_and_empties_the_queue():
    async_task("tests.ground.test_queue.note_and_queue", "first")
    async_task("tests.ground.test_queue.note", "second")

    run_queued()

    assert ran == ["first", "second", "first again"]
    assert OrmQ.objects.count() == 0


def test_run_queued_raises_a_tasks_error_and_keeps_it_queued():
    async_task("tests.ground.test_queue.fail")

    with pytest.raises(RuntimeError, match="as ordered"):
        run_queued()

    assert queued() == ["tests.ground.test_queue.fail()"]
