"""The codes by which a report is cut, where reports look for them: contract/codes.py has them, as
the contract's files are checked against them too."""

from helpline.contract.codes import FINDINGS, NAMES, names, printed

__all__ = ["FINDINGS", "NAMES", "names", "printed"]
