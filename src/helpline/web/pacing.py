"""Who has written how often on our own pages in the last minute, in this process's memory.

Asked by web/pages/chat and contact before something is kept; the decision is rules/limits. Nothing
is stored: a brake that needed the database would stand between a person and the inbox.
"""

import hashlib
from collections import deque
from typing import Final

from aiohttp import web

from helpline.rules.limits import WINDOW, Pace, pace

MOST_REMEMBERED: Final = 20_000
"""Devices and addresses; past that the oldest are forgotten, which only makes the brake softer."""


class Pacing:
    """Times of taken messages by subject, in seconds of the house's steady clock."""

    def __init__(self) -> None:
        self._taken: dict[str, deque[float]] = {}

    def ask(self, device: str, address: str, now: float) -> Pace:
        """How to treat the next message; counts nothing."""
        return pace(self._ages("d" + device, now), self._ages(_network(address), now))

    def count(self, device: str, address: str, now: float) -> None:
        """A message was taken."""
        for subject in ("d" + device, _network(address)):
            times = self._taken.pop(subject, None) or deque(maxlen=500)
            times.append(now)
            self._taken[subject] = times  # last in the order: the least lately heard go first
        while len(self._taken) > MOST_REMEMBERED:
            del self._taken[next(iter(self._taken))]

    def _ages(self, subject: str, now: float) -> list[float]:
        return [now - at for at in self._taken.get(subject, ()) if now - at < WINDOW]


def _network(address: str) -> str:
    """One IPv6 home has 2^64 addresses: its first four groups count together. Hashed, because the
    memory of a process ends up in crash reports."""
    whole = address if ":" not in address else ":".join(address.split(":")[:4])
    return "a" + hashlib.sha256(whole.encode()).hexdigest()[:24]


PACING = web.AppKey("pacing", Pacing)
