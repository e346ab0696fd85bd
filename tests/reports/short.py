"""A contract whose quarterly report has two measures in a few cuts: the whole one has thirty
thousand cells, and what becomes of a report can be told with fewer."""

from typing import Any

from helpline.desk.house import House


def shorten(house: House) -> None:
    essex = house.contracts["essex"]
    own = [
        essex.measure(code).model_copy(update={"by": ("quadrant", "reason"), "crossed": False})
        for code in ("people", "contacts")
    ]
    asked = essex.report("quarter")
    cuts = ((), ("quadrant",), ("reason",))
    line = asked.lines[0].model_copy(
        update={"measures": ("people", "contacts"), "by": cuts, "asks": "What came of it."}
    )
    reports = (asked.model_copy(update={"lines": (line,)}),)
    made = essex.model_copy(update={"own_measures": tuple(own), "reports": reports})
    for remembered in ("measures", "splits"):
        made.__dict__.pop(remembered, None)
    contracts: Any = house.contracts
    contracts["essex"] = made
