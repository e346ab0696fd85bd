"""A form that shows everything and keeps everything: what somebody else wrote meanwhile must not be
lost by it. The page carries a mark of what it showed; the act that keeps the form asks here.
"""

from datetime import datetime

from helpline.errors import Conflict


def mark_of(changed_at: datetime | None) -> str:
    """Of what a page shows, by when that was last written; "new" before anything was."""
    return changed_at.isoformat() if changed_at is not None else "new"


def must_be_fresh(seen: str, changed_at: datetime | None) -> None:
    """Raises Conflict where it was written again since the page with the mark `seen` was opened. A
    page without a mark shows nothing that could be old."""
    if seen and seen != mark_of(changed_at):
        raise Conflict(
            "A colleague changed this while you were writing. Nothing of yours is lost: look at "
            "what they wrote, put yours right where it is needed, and keep it again."
        )
