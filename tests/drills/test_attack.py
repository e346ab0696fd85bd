"""The drill of the attack, small: that it runs, and says what it did."""

from helpline.contract import load_contracts
from tests.drills.attack import CONTRACTS, attack, made
from tests.reports.test_attacker import narrow


async def test_the_drill_of_the_attack() -> None:
    contract = narrow(load_contracts(CONTRACTS)["lancashire"], ("carer_type",))
    said: list[str] = []
    found = attack(contract, await made(contract, 200), said.append)
    assert found.learned == 0
    assert found.hidden > 0
    assert len(said) == found.releases + 1
