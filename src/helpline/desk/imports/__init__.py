"""Taking in a provider's past log and a council's list of people, from CSV files (design.md §6).

Called by the command line and desk/register.py. All or nothing: every row is checked before the
first is written, every fault is named with its line, and a dry run does all of it but the writing.
"""

from helpline.desk.imports.cases import import_cases
from helpline.desk.imports.people import import_people, take_in
from helpline.desk.imports.reading import ImportProblems, ImportResult, Problem, Progress

__all__ = [
    "ImportProblems",
    "ImportResult",
    "Problem",
    "Progress",
    "import_cases",
    "import_people",
    "take_in",
]
