"""Counters for /metrics: how often each route was asked and what it answered.

Labels are route patterns, methods and statuses: never an address, a name or a reference.
"""

from prometheus_client import Counter

REQUESTS = Counter(
    "helpline_requests", "Requests by route, method and status.", ["route", "method", "status"]
)
LIVE = Counter("helpline_live_messages", "Messages sent to open pages.")
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


def count(route: str, method: str, status: int) -> None:
    """One request. A method nobody knows is counted as "other": clients may invent words."""
    known = method if method in METHODS else "other"
    REQUESTS.labels(route, known, str(status)).inc()
