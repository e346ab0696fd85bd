"""How long something may be kept: a contract's "90 days" as the instant before which it goes.

Pure; called by desk/keeping. Months and years are those of the calendar: six months after 31 August
are over when the last day of February is.
"""

import calendar
from datetime import datetime, timedelta


def kept_since(now: datetime, keep: int, unit: str) -> datetime:
    """What began before this instant has had its time. `unit`: days, months or years."""
    if unit == "days":
        return now - timedelta(days=keep)
    months = now.year * 12 + now.month - 1 - keep * (12 if unit == "years" else 1)
    year, month = divmod(months, 12)
    day = min(now.day, calendar.monthrange(year, month + 1)[1])
    return now.replace(year=year, month=month + 1, day=day)
