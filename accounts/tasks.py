"""What the worker does about money: reactions to events, and the sweep of every minute."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db.models import Q

from accounts import deposits, provider
from accounts.models import Deposit, GatewayEvent, Refund
from detention import events
from detention.verbs import verb

BATCH = 100
# A task that is queued gets this long before the sweep queues another for the same thing.
PATIENCE = timedelta(minutes=5)


def ask_deposit(pk: int, *, at: datetime) -> None:
    """Ask the provider about one deposit; safe to run twice."""
    provider.ask_deposit(Deposit.objects.with_people().get(pk=pk), at=at)


def send_refund(pk: int, *, at: datetime) -> None:
    """Send one refund, or ask what became of it; safe to run twice."""
    provider.send_refund(Refund.objects.select_related("deposit").get(pk=pk), at=at)


def process_event(pk: int, *, at: datetime) -> None:
    """Do what follows from one message of the provider; safe to run twice."""
    provider.process(GatewayEvent.objects.get(pk=pk), at=at)


def turn_back(custody_pk: int, *, at: datetime) -> None:
    """Send back what still waits for a decision about somebody whose custody ends."""
    for deposit in Deposit.objects.waiting().filter(custody=custody_pk).order_by("pk"):
        deposits.turn_back(deposit, at=at)


def sweep_deposits(*, at: datetime) -> None:
    """Queue a question about each payment that is due, and stop what nobody decided in time."""
    _announce_due("deposit_doubtful", Deposit, at=at)
    late = Deposit.objects.waiting().filter(hard_stop_at__lte=at).order_by("hard_stop_at", "pk")
    for deposit in late[:BATCH]:
        deposits.stop(deposit, at=at)


def sweep_refunds(*, at: datetime) -> None:
    """Queue each refund whose result is due."""
    _announce_due("refund_requested", Refund, at=at)


@verb
def sweep_inbox(*, at: datetime) -> None:
    """Queue the provider's messages that nobody has processed.

    A fresh one has its own task; one that waits for its parent is tried again every hour.
    """
    waiting = GatewayEvent.objects.filter(processed_at=None, received_at__lte=at - PATIENCE)
    due = waiting.filter(Q(asked_at=None) | Q(asked_at__lte=at - timedelta(hours=1)))
    for stored in due.select_for_update().order_by("received_at", "pk")[:BATCH]:
        stored.asked_at = at
        stored.save(update_fields=["asked_at"])
        events.announce("gateway_event_received", stored.pk)


@verb
def _announce_due(event: str, model: type[Deposit] | type[Refund], *, at: datetime) -> None:
    """Queue what is due and put it off, so that the next sweep does not queue it again."""
    due = model._default_manager.filter(next_ask_at__lte=at).order_by("next_ask_at", "pk")
    for row in due.select_for_update(skip_locked=True)[:BATCH]:
        row.next_ask_at = at + PATIENCE
        row.save(update_fields=["next_ask_at"])
        events.announce(event, row.pk)
