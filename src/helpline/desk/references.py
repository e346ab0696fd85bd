"""A case's reference: short enough to read out over a bad line, impossible to guess the next."""

import secrets

from helpline.contract import Contract

LETTERS = "BCDFGHJKLMNPQRSTVWXZ23456789"
"""No vowels, so no word appears by chance; no 0, 1, I or O, so none is misheard or misread."""


def new_reference(contract: Contract) -> str:
    """The contract's prefix and six random characters: "ESX-7K3M9Q"."""
    return f"{contract.reference_prefix}-{''.join(secrets.choice(LETTERS) for _ in range(6))}"
