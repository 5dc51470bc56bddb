"""The provider's messages: kept before anything is done about them, each one once."""

from __future__ import annotations

from datetime import datetime, timedelta

from accounts.gateways import Event
from accounts.models import GatewayEvent
from detention import events
from detention.verbs import verb

# The provider itself repeats for three days; after that nobody waits for the parent any more.
GIVE_UP_AFTER = timedelta(days=3)


@verb
def receive(provider: str, event: Event, body: bytes, *, at: datetime) -> GatewayEvent:
    """Store a message whose signature was proven, and queue its processing.

    The same event again returns the stored row and queues nothing. A twin at the same moment
    violates `gatewayevent_id_once` and finds the row on its next try.
    """
    known = GatewayEvent.objects.filter(provider=provider, event_id=event.id).first()
    if known is not None:
        return known
    stored = GatewayEvent.objects.create(
        provider=provider,
        event_id=event.id,
        type=event.type,
        object_type=event.object_type,
        object_id=event.object_id,
        body=body,
        live=event.live,
        created_at=event.created_at,
        received_at=at,
    )
    events.announce("gateway_event_received", stored.pk)
    return stored


@verb
def processed(stored: GatewayEvent, *, note: str = "", at: datetime) -> GatewayEvent:
    """Note that everything which follows from a message was done. Repeat changes nothing."""
    stored = GatewayEvent.objects.select_for_update().get(pk=stored.pk)
    if stored.processed_at is None:
        stored.processed_at = at
        stored.error = note[:200]
        stored.save(update_fields=["processed_at", "error"])
    return stored


@verb
def postponed(stored: GatewayEvent, *, error: str) -> GatewayEvent:
    """Keep a message for later, with what went wrong; the sweep takes it up again."""
    stored = GatewayEvent.objects.select_for_update().get(pk=stored.pk)
    if stored.processed_at is None:
        stored.tries += 1
        stored.error = error[:200]
        stored.save(update_fields=["tries", "error"])
    return stored
