"""The four things that can go wrong for a person, each with a sentence fit to be shown.

Raised by rules and desk, turned into pages and exit statuses by the one table in web/middleware.py
and by cli.py. Never used for a refused send: that is a result, not an error.
"""


class HelplineError(Exception):
    """Its text is a plain sentence that says what to do; it carries no personal detail."""


class NotFound(HelplineError):
    """What was asked for does not exist, or the asker may not know that it does."""


class NotAllowed(HelplineError):
    """The asker is known and may not do this."""


class Conflict(HelplineError):
    """Somebody else was faster, or the thing is no longer in the state this needs."""


class InvalidInput(HelplineError):
    """The input cannot be used; the sentence says which part and what would be right."""
