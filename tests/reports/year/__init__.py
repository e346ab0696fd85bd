"""A year of a helpline's life, made by chance from a seed: what happened, as plain values, and the
same written into the tables.

`fill` is all that other tests need. What it gives back (record.Record) is what somebody would know
who had stood beside it all year, so that whoever counts a second way need not read a table.
"""

from tests.reports.year.filling import fill
from tests.reports.year.record import Record, Span, periods

__all__ = ["Record", "Span", "fill", "periods"]
