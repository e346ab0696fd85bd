"""Times as people say them, in the contract's zone. Pure; used by messages and pages alike."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from helpline.vocabulary import Unit

DAY, HOUR, MINUTE = 86400, 3600, 60


def by_when(instant: datetime, now: datetime, zone: str) -> str:
    """For a text message: "6.40 pm today", "6.40 pm tomorrow, Sunday", "9 am on Tuesday 3
    November". Never a bare weekday, which at night is easily taken for the wrong week; midnight is
    said as the minute before it, because nobody knows which day "midnight on Sunday" ends."""
    local, today = instant.astimezone(ZoneInfo(zone)), now.astimezone(ZoneInfo(zone)).date()
    if (local.hour, local.minute) == (0, 0):
        local -= timedelta(minutes=1)
    days = (local.date() - today).days
    if days == 0:
        return f"{clock_time(local)} today"
    if days == 1:
        return f"{clock_time(local)} tomorrow, {local:%A}"
    return f"{clock_time(local)} on {local:%A} {local.day} {local:%B}"


def in_figures(instant: datetime, zone: str) -> str:
    """For a text in another language: "24/11/2026 18:40"; midnight is the minute before it."""
    local = instant.astimezone(ZoneInfo(zone))
    if (local.hour, local.minute) == (0, 0):
        local -= timedelta(minutes=1)
    return f"{local:%d/%m/%Y %H:%M}"


def clock_time(local: datetime) -> str:
    """A local time as said aloud: "6.40 pm", "9 am", "12 noon", "12 midnight"."""
    if local.minute == 0 and local.hour in (0, 12):
        return "12 noon" if local.hour else "12 midnight"
    minutes = f".{local.minute:02}" if local.minute else ""
    return f"{local.hour % 12 or 12}{minutes} {'am' if local.hour < 12 else 'pm'}"


def phone(address: str) -> str:
    """A British number as people write it; any other address as it is."""
    if address.startswith("withheld:"):
        return "number withheld"
    if address.startswith("+44") and address[1:].isdecimal() and len(address) == 13:
        return f"0{address[3:7]} {address[7:]}"
    return address


def when(instant: datetime, now: datetime, zone: str) -> str:
    """For the console, in 24 hours: "today 14:05", "tomorrow 09:10", "Sunday 8 Nov 17:00" within
    six days either way, else "3 Nov 09:10", with the year where it differs. A weekday never stands
    alone: at night it is easily taken for that of another week."""
    local, here = instant.astimezone(ZoneInfo(zone)), now.astimezone(ZoneInfo(zone))
    days = (local.date() - here.date()).days
    near = {-1: "yesterday", 0: "today", 1: "tomorrow"}.get(days)
    if near is None and abs(days) <= 6:
        near = f"{local:%A} {local.day} {local:%b}"
    year = "" if local.year == here.year else f" {local.year}"
    return f"{near or f'{local.day} {local:%b}{year}'} {local:%H:%M}"


def due(due_at: datetime, now: datetime, zone: str) -> str:
    """ "due in 3 h, today 17:00" or "overdue by 2 h 10 min, since today 09:05"."""
    left = due_at - now
    if left >= timedelta():
        return f"due in {span(left)}, {when(due_at, now, zone)}"
    return f"overdue by {span(-left)}, since {when(due_at, now, zone)}"


def within(amount: float, unit: Unit) -> str:
    """A limit in words: "within 24 hours", "by the end of the first working day after"."""
    number = f"{amount:g}"
    one = amount == 1
    match unit:
        case Unit.AT_ONCE:
            return "at once" if not amount else f"at once, within {number} min"
        case Unit.FIRST_WORKING_DAY_AFTER:
            return "by the end of the first working day after"
        case Unit.WORKING_DAYS_BEFORE:
            return f"{number} working day{'' if one else 's'} before"
        case Unit.CALENDAR_DAYS if not amount:
            return "on the same day"
        case Unit.OPEN_HOURS:
            return f"within {number} hour{'' if one else 's'}, closed days not counted"
    word = {
        Unit.ELAPSED_HOURS: "hour",
        Unit.CALENDAR_DAYS: "day",
        Unit.CALENDAR_MONTHS: "month",
        Unit.WORKING_DAYS: "working day",
    }[unit]
    return f"within {number} {word}{'' if one else 's'}"


def ago(instant: datetime, now: datetime) -> str:
    """ "just now", "5 min ago", "3 h ago", "2 days ago"."""
    passed = now - instant
    return "just now" if passed < timedelta(minutes=1) else f"{span(passed)} ago"


def span(length: timedelta) -> str:
    """A length in its two largest units; minutes disappear beyond three hours."""
    seconds = int(length.total_seconds())
    days, hours, minutes = seconds // DAY, seconds % DAY // HOUR, seconds % HOUR // MINUTE
    if days >= 2:
        return f"{days} days"
    hours += days * 24
    if hours >= 3 or (hours and not minutes):
        return f"{hours} h"
    return f"{hours} h {minutes} min" if hours else f"{minutes} min"
