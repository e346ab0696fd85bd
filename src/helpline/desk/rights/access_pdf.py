"""The file of desk/rights/access.py as a PDF that screen readers can read (PDF/UA-1). Made from
plain values, outside any transaction; every word that is ours stands in
templates/reports/access.typ.
"""

from typing import Any, Final

from helpline.desk import casefile_pdf
from helpline.reports import letters
from helpline.settings import TEMPLATES

TEMPLATE: Final = TEMPLATES / "reports" / "access.typ"
SHORT: Final = 1500


async def render(made: dict[str, Any]) -> bytes:
    """The PDF; with plain Latin letters only where the typesetter breaks on the others."""
    try:
        return await casefile_pdf.typeset(data(made, letters.lines), TEMPLATE)
    except casefile_pdf.CannotSet:
        return await casefile_pdf.typeset(data(made, letters.plain_lines), TEMPLATE)


def data(made: dict[str, Any], words: casefile_pdf.Words) -> dict[str, Any]:
    """What the template is given: texts as lines of pieces."""
    return {
        "reference": made["reference"],
        "provider": words(made["provider"]),
        "contract": words(made["contract"]),
        "person": words(made["person"]),
        "asked": made["asked"],
        "made": made["made"],
        "more": words(made["more"]),
        "sections": [
            {
                "title": section["title"],
                "entries": [
                    {
                        "at": one["at"],
                        "what": words(one["what"]),
                        "by": words(one["by"]),
                        "text": words(one["text"]),
                        "short": len(one["text"]) < SHORT,
                        "left_out": one["left_out"],
                        "why": one["why"],
                    }
                    for one in section["entries"]
                ],
            }
            for section in made["sections"]
        ],
    }
