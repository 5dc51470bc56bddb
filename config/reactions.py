"""What happens because something happened: the one table that joins the apps upward."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from django.utils import timezone

from accounts import tasks as accounts
from commissary import orders
from visits import tasks as visits


class Reaction(Protocol):
    """A function that takes the row's id, fetches it and calls one verb; safe to run twice."""

    def __call__(self, pk: int, /, *, at: datetime) -> object: ...


# In the order in which they run. An event that concerns nobody yet stands here with nothing, so
# that a misspelt one is noticed.
REACTIONS: dict[str, tuple[Reaction, ...]] = {
    "custody_admitted": (),
    "custody_closing": (orders.close_all, visits.close_custody, accounts.turn_back),
    "deposit_captured": (),
    "deposit_decided": (),
    "deposit_doubtful": (accounts.ask_deposit,),
    "facility_founded": (),
    "gateway_event_received": (accounts.process_event,),
    "refund_requested": (accounts.send_refund,),
    "refund_settled": (),
    "relationship_decided": (),
    "room_closed": (visits.rehouse,),
    "escort_absent": (visits.rehouse,),
    "credential_submitted": (visits.compare_credential,),
    "credential_decided": (visits.follow_credential,),
    "mandate_asked": (visits.review_mandate,),
    "mandate_decided": (visits.follow_mandate,),
    "case_changed": (visits.follow_case,),
    "visits_restricted": (visits.follow_restriction,),
}


def react(event: str, pk: int) -> None:
    """Run the reactions to `event` about row `pk`, in order; queued by `events.announce`.

    Stops at the first that fails; the queue then tries the whole row again, which is why each
    must be safe to run twice.
    """
    now = timezone.now()
    for reaction in REACTIONS[event]:
        reaction(pk, at=now)
