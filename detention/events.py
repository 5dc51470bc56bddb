"""Telling the apps above that something happened, without knowing them."""

from __future__ import annotations

from django_q.tasks import async_task

from detention.verbs import assert_in_transaction


def announce(event: str, pk: int) -> None:
    """Queue the reactions to `event` about row `pk`; `config.reactions` says which they are.

    The queue lives in the same database: a rolled-back transaction leaves nothing queued, and a
    committed one is never forgotten. Within the caller's transaction.
    """
    assert_in_transaction()
    async_task("config.reactions.react", event, pk, task_name=f"{event}:{pk}"[:100])
