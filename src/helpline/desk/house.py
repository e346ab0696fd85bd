"""Everything a running helpline is made of, handed whole to web and engine.

Built by main (and by tests/world.py); frozen, because nothing about a running helpline is
exchanged under its feet, but for its contracts: each is as it holds now (desk/in_force.py). It
holds no state of the work: that is in the database.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from helpline.channels import Channel
from helpline.clock import Clock, MovableClock
from helpline.contract import Contract
from helpline.contract.overlay import Change
from helpline.db import Database
from helpline.desk.inbox import Inbox
from helpline.settings import Settings
from helpline.templating import Wording


@dataclass(frozen=True)
class Wakes:
    """How one part tells a loop that there is work before its next look."""

    routing: asyncio.Event = field(default_factory=asyncio.Event)
    sending: asyncio.Event = field(default_factory=asyncio.Event)
    pages: asyncio.Condition = field(default_factory=asyncio.Condition)


@dataclass(frozen=True)
class Demo:
    """Only in the demo and the tests: simulated phones by channel name, a clock one can move, and
    the exchange of the demo's telephone calls."""

    phones: Mapping[str, Any]
    clock: MovableClock
    exchange: Any = None
    practice: str = ""
    """Where this is the practice helpline: the contract that is practised on."""


@dataclass(frozen=True)
class InForce:
    """The contracts as their files have them, and as they hold now; which changes are laid over
    each, and which do not fit its file any more."""

    filed: Mapping[str, Contract] = field(default_factory=dict)
    contracts: dict[str, Contract] = field(default_factory=dict)
    laid: dict[str, frozenset[tuple[int, date]]] = field(default_factory=dict)
    left_out: dict[str, tuple[tuple[Change, str], ...]] = field(default_factory=dict)


@dataclass(frozen=True)
class House:
    settings: Settings
    db: Database
    contracts: Mapping[str, Contract]
    clock: Clock
    channels: Mapping[str, Channel]
    inbox: Inbox
    wording: Wording
    wakes: Wakes = field(default_factory=Wakes)
    demo: Demo | None = None
    node: str = "one"
    in_force: InForce = field(default_factory=InForce)
