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


class AgreedClock(Clock):
    """Time as another machine tells it. All nodes on one database live by the database's clock:
    whose machine runs fast or slow must not move a deadline. Until it is told, its own time."""

    def __init__(self) -> None:
        self._told: tuple[datetime, float] | None = None

    def now(self) -> datetime:
        if self._told is None:
            return super().now()
        told, at = self._told
        return told + timedelta(seconds=self.seconds() - at)

    def agree(self, told: datetime, at: float) -> None:
        """The other clock showed `told` when `seconds()` was `at`."""
        self._told = told, at

    @property
    def ahead(self) -> float:
        """Seconds this machine's own clock is ahead of what it lives by."""
        return (super().now() - self.now()).total_seconds()


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
