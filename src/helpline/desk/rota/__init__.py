"""Who is on call: asked by escalation, the telephone line and the console.

This front imports nothing that raises alerts, because alerts ask here whom to wake. Shifts are
changed in `plan`, swaps are in `swaps`, gaps become alarms in `alarms`, calendars are in `feeds`,
what one shift tells the next in `handovers`.
"""

from helpline.desk.rota.duty import (
    INSTANT,
    add_shift,
    aways,
    backups,
    complaints_officers,
    first_line,
    gaps,
    leads,
    managers,
    on_call,
    safeguarding_leads,
    whole,
)

__all__ = [
    "INSTANT",
    "add_shift",
    "aways",
    "backups",
    "complaints_officers",
    "first_line",
    "gaps",
    "leads",
    "managers",
    "on_call",
    "safeguarding_leads",
    "whole",
]
