"""The quarterly and the annual report: counted from the tables, protected, and written as a file.

Called by the command line and the console. `make` is all that either needs for a file; pages take
`figures.figures` and include templates/reports/_report.html.j2. Nothing here writes to the tables.
"""

from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from helpline.contract import Contract
from helpline.reports import figures, render


async def make(
    session: AsyncSession,
    contract: Contract,
    label: str,
    format: str,
    now: datetime,
    exact: bool,
    code: str | None = None,
    template: bytes | None = None,
) -> bytes:
    """The report of a period ("2026-27-Q1", "2026-27") as it stands at `now`, as a file: that of
    this code, or the first owed for such a period; in Word in a council's own `template`.

    Raises InvalidInput for a label that names no period, a format not among render.FORMATS, and a
    template that cannot be filled.
    Whether the asker may see `exact` figures is the caller's to decide (rules/permissions.py).
    """
    render.checked(format)
    counted = await figures.figures(session, contract, contract.period(label), now, exact, code)
    return await render.rendered(counted, format, template)
