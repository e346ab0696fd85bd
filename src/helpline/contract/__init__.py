"""A council's contract file as a frozen, checked object: everything that differs between councils.

The command line and the start load contracts/*.toml through here; the desk, the reports and the
pages read the object and never the file. No council's name, number or list may stand in this code.
"""

from helpline.contract.agreement import Contract
from helpline.contract.doubts import warnings
from helpline.contract.loading import ContractProblems, Problem, load_contracts
from helpline.contract.parts import (
    Area,
    Clock,
    Disclosure,
    Exclusion,
    Group,
    Method,
    Outcome,
    Part,
    Population,
    Reason,
    Report,
    ReportLine,
    Signpost,
    Support,
    Team,
)

__all__ = [
    "Area",
    "Clock",
    "Contract",
    "ContractProblems",
    "Disclosure",
    "Exclusion",
    "Group",
    "Method",
    "Outcome",
    "Part",
    "Population",
    "Problem",
    "Reason",
    "Report",
    "ReportLine",
    "Signpost",
    "Support",
    "Team",
    "load_contracts",
    "warnings",
]
