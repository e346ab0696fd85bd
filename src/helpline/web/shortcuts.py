"""Every key that does something by itself, in one table: the help on the page prints it, console.js
reads it from there, and the palette shows the same key beside the same act.

A key that is not here does nothing. Must know no page: what a key leads to is an id, an address or
a mark that a page may have or not.
"""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class Shortcut:
    """`keys`: each as the browser names it. `act` and `target`: what console.js does with it; no
    act: the browser or another script does it, and it is only told."""

    keys: tuple[str, ...]
    words: str
    act: str = ""
    target: str = ""
    together: bool = False
    """The keys are held at once."""

    def target_of(self, key: str) -> str:
        return self.target.replace("KEY", key)


SHORTCUTS: Final = (
    Shortcut(("Ctrl", "K"), "commands: every page, act and case by its name", together=True),
    Shortcut(("j",), "next case in the list", "row", "1"),
    Shortcut(("k",), "previous case in the list", "row", "-1"),
    Shortcut(("Enter",), "open the case"),
    Shortcut(("r",), "write a reply", "write", "reply"),
    Shortcut(("n",), "write a note", "write", "note"),
    Shortcut(("c",), "record a call", "write", "call"),
    Shortcut(("w",), "be the support worker: then Enter", "focus", "be-the-worker"),
    Shortcut(
        ("y", "1", "2", "3", "4"),
        "the message was read rightly, or was an emergency, urgent, standard, low",
        "press",
        '[data-judge="KEY"]',
    ),
    Shortcut(("/",), "search", "focus", "search-box"),
    Shortcut(("?",), "help for this page"),
    Shortcut(("Ctrl", "Enter"), "send what you are writing", together=True),
    Shortcut(("i",), "back to the inbox", "go", "/inbox"),
    Shortcut(("?",), "help with this page, and shut it again"),
)
