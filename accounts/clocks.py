"""When what waits is looked at again."""

from __future__ import annotations

from datetime import datetime, timedelta

# Once nobody told: after 2, 10 and 30 minutes, then hourly (counted from the last question).
FIRST_ASKS = (timedelta(minutes=2), timedelta(minutes=10), timedelta(minutes=30))
THEN_EVERY = timedelta(hours=1)

# A page in front of a person may ask sooner, but not at every refresh.
ASK_SOON = timedelta(seconds=5)


def next_ask(since: datetime, *, asks: int, at: datetime) -> datetime:
    """Return when the provider is asked next, after `asks` questions about a thing from `since`."""
    if asks < len(FIRST_ASKS):
        return max(since + FIRST_ASKS[asks], at)
    return at + THEN_EVERY
