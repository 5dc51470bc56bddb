"""When what waits is looked at again."""

from __future__ import annotations

from datetime import datetime, timedelta

# Once nobody told: after 2, 10 and 30 minutes, then hourly.
FIRST_ASKS = (timedelta(minutes=2), timedelta(minutes=10), timedelta(minutes=30))
THEN_EVERY = timedelta(hours=1)

# A page in front of a person may ask sooner, but not at every refresh.
ASK_SOON = timedelta(seconds=5)


def next_ask(since: datetime, *, at: datetime) -> datetime:
    """Return when, after `at`, the provider is asked about a thing that began at `since`.

    By time and not by count, so that a person who keeps looking does not use up the early ones.
    """
    early = (since + delay for delay in FIRST_ASKS)
    return next((moment for moment in early if moment > at), at + THEN_EVERY)
