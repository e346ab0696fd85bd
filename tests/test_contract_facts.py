"""Every parameter that the list of requirements gives for a contract, against the contract's file.

What they must say is in tests/contract_facts.py, with the number of the requirement in each row.
"""

from __future__ import annotations

from typing import Any

import pytest

from helpline.contract import Contract, load_contracts, pathway
from tests import folders
from tests.contract_facts import AMONG, DETAIL, FACTS


@pytest.fixture(scope="module")
def contracts() -> dict[str, Contract]:
    return load_contracts(folders.ALL)


def read(contract: Contract, path: str) -> Any:
    """What stands there: by name, in a list by code, or all codes of a list."""
    value: Any = contract
    for part in path.split("."):
        if part == "*":
            value = tuple(one.code for one in value)
        elif isinstance(value, tuple):
            [value] = [one for one in value if one.code == part]
        else:
            value = getattr(value, part)
    return value


@pytest.mark.parametrize(("number", "name", "path", "expected"), FACTS)
def test_parameters(
    contracts: dict[str, Contract], number: str, name: str, path: str, expected: Any
) -> None:
    assert read(contracts[name], path) == expected, number


@pytest.mark.parametrize(("number", "name", "path", "expected"), AMONG)
def test_lists_hold_what_is_asked(
    contracts: dict[str, Contract], number: str, name: str, path: str, expected: set[str]
) -> None:
    assert expected <= set(read(contracts[name], path)), number


@pytest.mark.parametrize(("line", "codes"), DETAIL.items())
def test_the_detailed_report_has_every_measure_of_the_section(
    contracts: dict[str, Contract], line: str, codes: str
) -> None:
    report = contracts["peterborough"].report("monthly_detail")
    [found] = [one for one in report.lines if one.code == line]
    assert list(found.measures) == codes.split()  # P15


def test_what_is_done_about_small_numbers_is_said_as_it_is(contracts: dict[str, Contract]) -> None:
    """D16: the open question tells the same threshold as the rule that hides them."""
    for contract in contracts.values():
        [asked] = [one for one in contract.open_questions if one.code == "small_numbers"]
        most = contract.disclosure.threshold - 1
        assert f"from 1 to {most} are hidden" in asked.until_then


def test_whoever_is_not_under_the_fostering_law_is_not_sent_its_way(
    contracts: dict[str, Contract],
) -> None:
    """Their own words in every text, in every contract; and no gap is left for anybody."""
    for contract in contracts.values():
        for group in contract.groups:
            way = contract.way(group.code)
            if way is None:  # a contract that names no pathway
                continue
            said, codes = way.model_dump_json(), {one.code for one in way.stages}
            assert not any(gap in said for gap in ("{carer}", "{service}", "{link}"))
            assert not list(pathway.wrong(way))
            assert ("panel" in codes) is group.fostering_law
            assert ("other_rules" in codes) is not group.fostering_law


def test_a_text_with_a_gap_that_nobody_fills_is_a_fault(contracts: dict[str, Contract]) -> None:
    table = contracts["essex"].path
    assert table is not None and "{carer}" in str(table.model_dump())
    odd = table.model_copy(update={"name": "After {host}"})
    assert [reason for _, reason in pathway.wrong(odd)] == [
        "“{host}” is no gap that can be filled; there are {carer}, {service}, {link}."
    ]
