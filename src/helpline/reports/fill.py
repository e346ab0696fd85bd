"""One Word document from a template and its values: run as a program, in a process of its own.

Started by reports/word.py, never imported by what serves: a template is somebody else's, and what
it asks for in time and memory ends here. It is filled in a sandbox that knows the values and
nothing else. Nothing of the house is imported, so that it starts in a moment.
"""

import base64
import io
import json
import os
import re
import resource
import sys
from datetime import datetime
from typing import Any

from docx.opc.exceptions import PackageNotFoundError
from docx.shared import Cm
from docxtpl import DocxTemplate
from jinja2 import DictLoader, StrictUndefined, TemplateError, TemplateSyntaxError, UndefinedError
from jinja2.exceptions import SecurityError
from jinja2.sandbox import ImmutableSandboxedEnvironment

NICER = 10
MOST_SECONDS, MOST_BYTES = 15, 1_500_000_000
WIDTH = Cm(16.5)
"""Of a chart on the page."""


def filled(template: bytes, values: dict[str, Any], made: datetime) -> bytes:
    """The document. Raises Unfit with a sentence for whoever sent the template."""
    sandbox = ImmutableSandboxedEnvironment(
        autoescape=True, undefined=StrictUndefined, loader=DictLoader({})
    )
    sandbox.globals.clear()  # no range, cycler or lipsum: nothing that runs longer than the report
    try:
        page = DocxTemplate(io.BytesIO(template))
        with_pictures(page, values)
        unknown = page.get_undeclared_template_variables(sandbox, context=values)
        if unknown:
            raise Unfit(_unknown(sorted(unknown), values))
        page.render(values, sandbox)
        about = page.core_properties
        about.title = f"{values['title']}, {values['council']}, {values['period']}"
        about.author, about.created, about.modified = values["provider"], made, made
        about.last_modified_by, about.revision = values["provider"], 1
        file = io.BytesIO()
        page.save(file)
    except SecurityError:
        raise Unfit("The template asks for something that a template may not do.") from None
    except UndefinedError as error:
        found = re.search(r"'([^']*)'\)?(?: is undefined)?$", str(error))
        raise Unfit(_unknown([found[1] if found else str(error)], values)) from None
    except TemplateSyntaxError as error:
        raise Unfit(
            f"The template has a field that is not written as one: {error.message}."
        ) from None
    except TemplateError as error:
        raise Unfit(f"The template cannot be filled: {str(error)[:200]}.") from None
    except (PackageNotFoundError, KeyError, TypeError, ValueError) as error:
        raise Unfit(f"This is no Word document that can be filled: {str(error)[:200]}.") from None
    return file.getvalue()


class Picture:
    """A chart, put in where it is asked for. A template can reach what has no underscore in front:
    so it is told nothing, and can only stand somewhere."""

    __slots__ = ("_alt", "_page", "_png")

    def __init__(self, page: DocxTemplate, png: bytes, alt: str) -> None:
        self._page, self._png, self._alt = page, png, alt

    def __html__(self) -> str:
        part = self._page.current_rendering_part or self._page.docx._part
        made = part.new_pic_inline(io.BytesIO(self._png), WIDTH, None)
        made.docPr.set("descr", self._alt)
        after = '<w:r><w:t xml:space="preserve">'
        return f"</w:t></w:r><w:r><w:drawing>{made.xml}</w:drawing></w:r>{after}"

    __str__ = __html__


def with_pictures(page: DocxTemplate, values: dict[str, Any]) -> None:
    """Every chart that was drawn, as something that can stand in the document."""
    tables = [promise["table"] for promise in values["promises"]]
    tables += [table for line in values["lines"] for table in line["tables"]]
    for chart in (table["chart"] for table in tables):
        if chart and "png" in chart:
            png = base64.b64decode(chart.pop("png"))
            chart["picture"] = Picture(page, png, chart["alt"])


class Unfit(Exception):
    """A template that cannot be used; the text says why."""


def _unknown(names: list[str], values: dict[str, Any]) -> str:
    asked = ", ".join(f"“{name[:60]}”" for name in names[:10])
    return f"The template asks for {asked}, which no report has. It has: {', '.join(values)}."


if __name__ == "__main__":
    os.nice(NICER)
    resource.setrlimit(resource.RLIMIT_CPU, (MOST_SECONDS, MOST_SECONDS))
    resource.setrlimit(resource.RLIMIT_AS, (MOST_BYTES, MOST_BYTES))
    asked = json.loads(sys.stdin.buffer.read())
    when = datetime.fromisoformat(asked["made"])
    try:
        document = filled(base64.b64decode(asked["template"]), asked["values"], when)
    except Unfit as unfit:
        sys.stdout.buffer.write(b"!" + str(unfit).encode())
    else:
        sys.stdout.buffer.write(document)
