"""Whether a list that comes every month has not come by its day (A05, P14). Pure; called by
desk/upkeep.py with the contract's own day."""

from datetime import date, timedelta


def missed(by_day: int, newest: date | None, today: date) -> date | None:
    """The first day of the newest month whose list should be here and is not: by the end of the
    `by_day` of each month a list of that month must be accepted. None while all is well, and
    before there ever was one (`newest` None)."""
    if newest is None:
        return None
    month = today.replace(day=1)
    if today.day <= by_day:  # this month's still has time: is last month's here?
        month = (month - timedelta(days=1)).replace(day=1)
    return month if newest < month else None
