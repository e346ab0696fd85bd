"""The only place that reads the time. Edges (page, webhook, tick, command) read it once and pass
it on as `now`; rules and desk never call it. The demo and the tests hand in a clock that can be
moved, which is how a story reaches hour 25 in a millisecond."""

from datetime import UTC, datetime, timedelta
from time import monotonic


class Clock:
    """Real time, as an aware UTC instant."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    def seconds(self) -> float:
        """A steadily growing count for measuring how long something took."""
        return monotonic()


class MovableClock(Clock):
    """A clock that can be put forward: real time plus an offset, or frozen at an instant."""

    def __init__(self, frozen_at: datetime | None = None) -> None:
        self._frozen_at = frozen_at
        self._offset = timedelta()

    def now(self) -> datetime:
        return (self._frozen_at or super().now()) + self._offset

    def forward(self, by: timedelta) -> datetime:
        """Move on by a positive span and return the new time; time never runs backwards."""
        if by < timedelta():
            raise ValueError("The clock only moves forward.")
        self._offset += by
        return self.now()
