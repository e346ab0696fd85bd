"""How long something may be kept, in the calendar's months and years."""

from datetime import UTC, datetime

import pytest

from helpline.rules.keeping import kept_since


@pytest.mark.parametrize(
    ("now", "keep", "unit", "since"),
    [
        ("2026-11-22", 90, "days", "2026-08-24"),
        ("2026-11-22", 6, "months", "2026-05-22"),
        ("2026-08-31", 6, "months", "2026-02-28"),
        ("2028-08-31", 6, "months", "2028-02-29"),
        ("2026-01-15", 12, "months", "2025-01-15"),
        ("2028-02-29", 1, "years", "2027-02-28"),
        ("2026-11-22", 10, "years", "2016-11-22"),
    ],
)
def test_it_goes_when_its_time_is_over(now: str, keep: int, unit: str, since: str) -> None:
    def at(day: str) -> datetime:
        return datetime.fromisoformat(day).replace(hour=3, tzinfo=UTC)

    assert kept_since(at(now), keep, unit) == at(since)
