"""A signed report that was never counted: its figures are given, for tests of what reads it."""

from collections.abc import Sequence

from helpline.models import Release
from helpline.reports import frozen
from helpline.reports.cells import Cell
from helpline.reports.report import Report
from helpline.rules import periods
from tests.world import World

LABEL = "2026-27-Q1"
KEPT = (
    Cell("first_response.met", (), 80, 90, 88.9),
    Cell("first_response.missed", (), 10, 90, 11.1),
    Cell("first_response.missed", (("quadrant", "west"),), 10, 90, 11.1),
    Cell("first_response.open", (), 0),
    Cell("contacts", (), 120),
)


async def released(
    world: World, cells: Sequence[Cell] = KEPT, label: str = LABEL, contract: str = "essex"
) -> Release:
    """The quarter's report, signed by the lead."""
    agreed = world.house.contracts[contract]
    span = periods.period(label, agreed.year_starts_month)
    asked = agreed.report("quarter")
    report = Report(agreed, asked, span, tuple(cells), (), False, True, world.now)
    async with world.house.db.write() as session:
        made = Release(
            contract=contract,
            report="quarter",
            period=label,
            starts_on=span.start,
            ends_on=span.end,
            state="signed",
            made_at=world.now,
            counted_at=world.now,
            exact=frozen.kept(report),
            cells=frozen.kept(report),
            signed_at=world.now,
            signed_by_id=world.lead.user_id,
        )
        session.add(made)
    return made
