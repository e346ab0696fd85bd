"""The pages of an export that a person reads: an index of the cases, and each case with all that
hangs on it. Plain HTML without a script or an address outside; words in templates/export."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from helpline.contract import Contract
from helpline.templating import environment

FIRST = ("contact", "note")
"""What was said and written stands before the rest of a case."""


def index_page(
    contract: Contract,
    cases: Sequence[Mapping[str, Any]],
    rows: Mapping[str, int],
    files: int,
    now: datetime,
) -> str:
    """What is in the export, and where."""
    return _page(
        "index.html.j2", contract, cases=cases, rows=rows, files=files, now=now, page="index"
    )


def case_page(
    contract: Contract,
    case: Mapping[str, Any],
    found: Mapping[str, Sequence[Mapping[str, Any]]],
    names: Mapping[int, str],
) -> str:
    """One case: messages, calls and notes in their order, then every other table's rows."""
    said = [
        dict(row) | {"table": table, "when": row.get("at") or row.get("written_at")}
        for table in FIRST
        for row in found.get(table, ())
    ]
    said.sort(key=lambda row: (row["when"], row["id"]))
    rest = {table: rows for table, rows in sorted(found.items()) if table not in FIRST}
    return _page("case.html.j2", contract, case=case, said=said, rest=rest, names=names)


def _page(template: str, contract: Contract, **values: Any) -> str:
    zone = ZoneInfo(contract.zone)

    def shown(value: Any) -> str:
        if isinstance(value, datetime):
            return f"{value.astimezone(zone):%d %b %Y %H:%M}"
        return "" if value is None else str(value)

    page = environment().get_template(f"export/{template}")
    return page.render(values | {"contract": contract, "shown": shown})
