"""The help of each page: two to six sentences written for it, by its address in the route table.

Called by showing.py for every page with a frame; the sentences stand in templates/help/pages.toml.
"""

import tomllib
from collections.abc import Mapping, Sequence
from functools import cache

from aiohttp import web

from helpline.settings import TEMPLATES

FILE = TEMPLATES / "help" / "pages.toml"


@cache
def pages() -> Mapping[str, Sequence[str]]:
    """Address pattern → its sentences."""
    return {path: tuple(said) for path, said in tomllib.loads(FILE.read_text("utf-8")).items()}


def help_of(request: web.Request) -> Sequence[str]:
    """What is said of this page; of one that answers a form, what is said of the page above it."""
    resource = request.match_info.route.resource
    path = resource.canonical if resource is not None else ""
    while path:
        if path in pages():
            return pages()[path]
        path = path.rpartition("/")[0]
    return ()
