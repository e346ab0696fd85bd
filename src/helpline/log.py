"""Structured logs of one line each, from an allow-list of fields so that nothing personal slips in.

Called by main and cli once. Anything not on the list is dropped, not masked: a name cannot leak
through a field that is never written.
"""

import logging
import sys
from collections.abc import MutableMapping
from typing import Any

import structlog

ALLOWED = frozenset(
    "event level timestamp logger job channel contract kind state count seconds error where "
    "method route status item outbox deadline alert attempt node address port version".split()
)

LIBRARIES = "%(levelname)s %(name)s %(place)s"
"""Of what libraries say, without their words."""


def only_allowed(_: Any, __: str, line: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Keep the fields on the list; a structlog processor."""
    return {key: value for key, value in line.items() if key in ALLOWED}


class _OnlyWhere(logging.Filter):
    """Errors that libraries log quote what they could not use, a carer's words among it: only the
    class and the place of such an error are kept."""

    def filter(self, record: logging.LogRecord) -> bool:
        error = record.exc_info[1] if record.exc_info else None
        record.place = where(error) if error else ""
        record.exc_info = record.exc_text = None
        return True


def set_up(level: int = logging.INFO) -> None:
    """Send our lines and other libraries' warnings to standard error."""
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            only_allowed,
            structlog.processors.JSONRenderer(sort_keys=True),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.WriteLoggerFactory(file=sys.stderr),
        cache_logger_on_first_use=True,
    )
    # Other libraries only speak when something is wrong: httpx at INFO would print the bot's token.
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr, format=LIBRARIES)
    for handler in logging.getLogger().handlers:
        handler.addFilter(_OnlyWhere())
    for chatty in ("httpx", "httpcore", "twilio", "telegram", "apscheduler", "aiohttp.access"):
        logging.getLogger(chatty).setLevel(logging.ERROR)


def log() -> Any:
    """The logger; fields outside ALLOWED never leave it."""
    return structlog.get_logger()


def where(error: BaseException) -> str:
    """The class and the innermost line of an error of ours: enough to find it, nothing it said
    (messages of library errors quote values)."""
    frame = error.__traceback__
    while frame is not None and frame.tb_next is not None:
        frame = frame.tb_next
    place = (
        f"{frame.tb_frame.f_code.co_filename.rsplit('/', 1)[-1]}:{frame.tb_lineno}"
        if frame
        else "?"
    )
    return f"{type(error).__name__} at {place}"
