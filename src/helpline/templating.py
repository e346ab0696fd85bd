"""Templates: the pages and reports, and the wording of every message by language.

`pages` renders HTML with everything escaped; `Wording` renders the short texts that go to phones.
Filters that need the time take it as an argument. All wording lives in templates/, none in code.
"""

import copy
import tomllib
from collections.abc import Mapping
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

import jinja2

from helpline.errors import InvalidInput
from helpline.settings import TEMPLATES


@cache
def environment(folder: Path = TEMPLATES) -> jinja2.Environment:
    """The environment of all HTML. The GOV.UK components pass undefined parameters around, hence
    ChainableUndefined. One for the process: it keeps the compiled templates."""
    library = jinja2.PackageLoader("govuk_frontend_jinja")
    loader = jinja2.ChoiceLoader(
        [jinja2.FileSystemLoader(folder), jinja2.PrefixLoader({"govuk_frontend_jinja": library})]
    )
    return jinja2.Environment(
        loader=loader,
        autoescape=True,
        undefined=jinja2.ChainableUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )


class Wording:
    """The texts of templates/messages/<language>/, compiled once: those of texts.toml by their
    name, those of another file by "file.name"."""

    def __init__(self, folder: Path = TEMPLATES / "messages") -> None:
        self._languages = {
            language.name: _texts_in(language) for language in sorted(folder.iterdir())
        }
        if "en" not in self._languages:
            raise InvalidInput(f"There is no English wording in {folder.name}/en/texts.toml")
        self._own: dict[str, jinja2.Template] = {}
        self.sources = text_sources(folder)

    def of(self, own_words: Mapping[str, str]) -> "Wording":
        """The same texts, with those that a contract puts otherwise in their place."""
        if not own_words:
            return self
        adapted = copy.copy(self)
        adapted._own = {key: _compiled(source) for key, source in own_words.items()}
        return adapted

    def say(self, key: str, language: str = "en", /, **values: Any) -> str:
        """The text `key` in `language`, in English where that language lacks it."""
        texts = self._languages.get(language, {})
        template = self._own.get(f"{language}.{key}") or texts.get(key)
        template = template or self._own.get(f"en.{key}") or self._languages["en"][key]
        return template.render(**values).strip()

    @property
    def keys(self) -> set[str]:
        """The text messages: what stands in texts.toml."""
        return {key for key in self._languages["en"] if "." not in key}


def _texts_in(language: Path) -> dict[str, jinja2.Template]:
    return {
        key if path.stem == "texts" else f"{path.stem}.{key}": text
        for path in sorted(language.glob("*.toml"))
        for key, text in _texts(path).items()
    }


def text_sources(folder: Path = TEMPLATES / "messages") -> Mapping[str, str]:
    """The text messages as they come with the software: "en.allocated" → template."""
    return {
        f"{path.parent.name}.{key}": source
        for path in sorted(folder.glob("*/texts.toml"))
        for key, source in _sources(path).items()
    }


def example(source: str, values: Mapping[str, Any]) -> str:
    """One text as somebody would get it; what `values` lack is left out."""
    lenient = jinja2.Environment(undefined=jinja2.ChainableUndefined, autoescape=False)  # noqa: S701  # plain text for phones; pages escape it
    return lenient.from_string(source).render(**values).strip()


@cache
def _texts(path: Path) -> dict[str, jinja2.Template]:
    return {key: _compiled(text) for key, text in _sources(path).items()}


@cache
def _sources(path: Path) -> dict[str, str]:
    return tomllib.loads(path.read_text("utf-8"))


@lru_cache(maxsize=2000)  # every text of every language, and those that contracts put otherwise
def _compiled(source: str) -> jinja2.Template:
    strict = jinja2.Environment(undefined=jinja2.StrictUndefined, autoescape=False)  # noqa: S701  # plain text for phones, never HTML
    return strict.from_string(source)
