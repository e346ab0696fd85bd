"""What came to a number of ours that belongs to no contract: how loudly it is said, who keeps it,
and which contracts could take it.

Nobody knows whose words these are. So they are read by those who work for all contracts, and by
leads (desk/seeing.py), one of whom says whose it is; desk/intake.py then makes it a case there.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime

from helpline.contract import Contract
from helpline.rules import triage
from helpline.vocabulary import AlertKind, Urgency


def kind_of(text: str, channel: str) -> AlertKind:
    """An emergency is one whoever it was sent to."""
    is_alarming = bool(text) and triage.read(text, channel=channel).urgency == Urgency.EMERGENCY
    return AlertKind.EMERGENCY if is_alarming else AlertKind.TRAY


def is_live(contract: Contract, now: datetime) -> bool:
    """Whether it has begun and takes new cases still."""
    today, term = contract.days.day_of(now), contract.term
    return term.start <= today and (term.after_end == "warn" or today <= term.last_day)


def live(contracts: Iterable[Contract], now: datetime) -> list[Contract]:
    """Those that could take it, by their councils' names."""
    return sorted((one for one in contracts if is_live(one, now)), key=lambda one: one.council)


def keeper(contracts: Mapping[str, Contract], now: datetime) -> Contract:
    """Whose rota is asked meanwhile: the first live one; it reads nothing for that."""
    first = next((key for key in sorted(contracts) if is_live(contracts[key], now)), None)
    return contracts[first or min(contracts)]
