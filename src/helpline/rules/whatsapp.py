"""WhatsApp's customer service window: 24 hours after the person's own last message one may write
freely, later only by an approved template. It closes exactly when our promise to answer does. Pure;
asked by desk/outbox at the moment of sending and by the case page, which shows it as a clock."""

from datetime import datetime, timedelta

WINDOW = timedelta(hours=24)
MARGIN = timedelta(minutes=2)
"""We stop this much early: the message has still to reach WhatsApp, and its clock is not ours."""


def closes_at(last_heard_at: datetime | None) -> datetime | None:
    """None: they never wrote, so it is closed."""
    return last_heard_at + WINDOW if last_heard_at else None


def is_open(last_heard_at: datetime | None, now: datetime) -> bool:
    closes = closes_at(last_heard_at)
    return closes is not None and now < closes - MARGIN
