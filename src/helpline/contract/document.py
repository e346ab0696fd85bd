"""A contract file as tomllib reads it: tables and lists that may still be misshapen.

Used by the checks and the loading to look into a file without trusting its shape; what is no table
or no text is stepped over, because the check of shapes names that. Pure.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime
from typing import Any, TypeGuard

Document = dict[str, Any]


def rows(document: Document, name: str) -> list[tuple[str, Document]]:
    """The tables of an array with their keys ("teams[2]"); whatever is no table is left out."""
    found = document.get(name)
    if not isinstance(found, list):
        return []
    return [(f"{name}[{i}]", row) for i, row in enumerate(found) if isinstance(row, dict)]


def texts(row: Document, name: str) -> list[tuple[str, str]]:
    """The strings of a list in a table, with their keys ("groups[0]")."""
    found = row.get(name)
    if not isinstance(found, list):
        return []
    return [(f"{name}[{i}]", text) for i, text in enumerate(found) if isinstance(text, str)]


def strings(value: Any, key: str = "") -> Iterator[tuple[str, str]]:
    """Every string of the document, however deep, with its key."""
    if isinstance(value, str):
        yield key, value
    for name, inner in _inside(value, key):
        yield from strings(inner, name)


def tables(value: Any, key: str = "") -> Iterator[tuple[str, Document]]:
    """Every table of the document, however deep, with its key."""
    if isinstance(value, dict):
        yield key, value
    for name, inner in _inside(value, key):
        yield from tables(inner, name)


def _inside(value: Any, key: str) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        for name, inner in value.items():
            yield (f"{key}.{name}" if key else name), inner
    elif isinstance(value, list):
        for i, inner in enumerate(value):
            yield f"{key}[{i}]", inner


def codes(document: Document, name: str) -> list[str]:
    """The codes of an array of tables, in order."""
    found = (row.get("code") for _, row in rows(document, name))
    return [code for code in found if isinstance(code, str)]


def table(document: Document, name: str) -> Document:
    """The table of that name, empty where there is none."""
    found = document.get(name)
    return found if isinstance(found, dict) else {}


def day_or_none(value: Any) -> date | None:
    """A plain date; a moment is none, and cannot be compared with one."""
    return value if isinstance(value, date) and not isinstance(value, datetime) else None


def is_number(value: Any) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool)
