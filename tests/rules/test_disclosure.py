"""No hidden small number can be worked out from what is shown, by line or by algebra."""

from collections.abc import Collection
from fractions import Fraction
from functools import partial
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from helpline.reports.worlds import Worlds
from helpline.rules import disclosure
from helpline.rules.disclosure import (
    EARLIER,
    ROOM,
    SECONDARY,
    SMALL,
    TABLE,
    WITHHELD,
    Bounds,
    Line,
)

hidden_cells = partial(disclosure.hidden_cells, proof=Worlds)

THRESHOLD = 5


def row(*parts: int) -> tuple[dict, list[Line]]:
    """A single row of counts and its total."""
    counts: dict = dict(enumerate(parts))
    return {**counts, "all": sum(parts)}, [Line("all", tuple(counts))]


def table(rows: list[list[int]]) -> tuple[dict, list[Line], list[list]]:
    """A table with both margins and a grand total, all published."""
    counts: dict = {}
    for r, line in enumerate(rows):
        for c, count in enumerate(line):
            counts[r, c] = count
    width = len(rows[0])
    for r, line in enumerate(rows):
        counts[r, "all"] = sum(line)
    for c in range(width):
        counts["all", c] = sum(line[c] for line in rows)
    counts["all", "all"] = sum(map(sum, rows))
    lines = [Line((r, "all"), tuple((r, c) for c in range(width))) for r in range(len(rows))]
    lines += [Line(("all", c), tuple((r, c) for r in range(len(rows)))) for c in range(width)]
    lines.append(Line(("all", "all"), tuple((r, "all") for r in range(len(rows)))))
    lines.append(Line(("all", "all"), tuple(("all", c) for c in range(width))))
    return counts, lines, [[(r, c) for r in range(len(rows)) for c in range(width)]]


def test_one_to_four_are_hidden_and_nought_and_five_are_not() -> None:
    counts, _ = row(0, 1, 4, 5, 30)
    assert hidden_cells(counts, [], threshold=THRESHOLD) == {1: SMALL, 2: SMALL}


def test_a_lone_hidden_count_takes_the_next_smallest_with_it() -> None:
    counts, lines = row(3, 20, 9, 0)
    assert hidden_cells(counts, lines, threshold=THRESHOLD) == {0: SMALL, 2: SECONDARY}


def test_nought_is_hidden_only_where_nothing_else_is_left() -> None:
    counts, lines = row(3, 0, 0)
    counts["all"] = 3
    assert hidden_cells(counts, lines, threshold=THRESHOLD) == {0: SMALL, "all": SMALL}


def test_without_the_secondary_rule_only_small_ones_go() -> None:
    counts, lines = row(3, 20, 9)
    assert hidden_cells(counts, lines, threshold=THRESHOLD, secondary=False) == {0: SMALL}


def test_two_hidden_counts_that_are_few_together_take_a_third() -> None:
    counts, lines = row(1, 2, 10, 12)  # shown total 25: each of them could be 0 to 3 at most
    hidden = hidden_cells(counts, lines, threshold=THRESHOLD)
    assert hidden == {0: SMALL, 1: SMALL, 2: SECONDARY}


def test_a_total_that_is_too_close_to_what_is_shown_is_hidden_too() -> None:
    counts, lines = row(1, 1, 1, 1)
    counts |= {"rest": 40, "both": 44}
    lines.append(Line("both", ("all", "rest")))
    hidden = hidden_cells(counts, lines, threshold=THRESHOLD)
    assert hidden == {0: SMALL, 1: SMALL, 2: SMALL, 3: SMALL, "all": SMALL, "rest": SECONDARY}


def test_a_person_in_two_places_still_bounds_what_is_hidden() -> None:
    counts = {"all": 10, "a": 4, "b": 3, "c": 8, "d": 1}
    lines = [Line("all", ("a", "b")), Line("c", ("a",), only_within=True)]
    counts["all"] = 6  # one of the seven was in both
    bounds = Bounds(counts, lines, {"a", "b"})
    assert (bounds.low["a"], bounds.high["a"]) == (0, 6)
    assert Bounds(counts, lines, {"a"}).low["a"] == 3
    assert Bounds({**counts, "c": 5}, lines, {"a"}).high["a"] == 5


def test_a_year_hides_what_its_published_quarters_would_give_away() -> None:
    counts = {"q1": 3, "q2": 20, "q3": 30, "q4": 40, "year": 93}
    year = Line("year", ("q1", "q2", "q3", "q4"))
    out = {"q1": True, "q2": False, "q3": False, "q4": False}
    hidden = hidden_cells(counts, [year], threshold=THRESHOLD, published=out)
    assert hidden == {"q1": EARLIER, "year": SECONDARY}
    out["q2"] = True  # two hidden ones of 23 leave room: the year can be shown
    hidden = hidden_cells(counts, [year], threshold=THRESHOLD, published=out)
    assert hidden == {"q1": EARLIER, "q2": EARLIER}


def test_what_is_out_stays_out() -> None:
    counts, lines = row(3, 20, 9)
    out = {0: True, 1: False, 2: False, "all": False}  # given away already; nothing can be done
    assert hidden_cells(counts, lines, threshold=THRESHOLD, published=out) == {0: EARLIER}


def test_nearly_hidden_tables_go_as_a_whole() -> None:
    counts, lines, tables = table([[1, 2, 3], [2, 1, 0], [4, 3, 50]])
    hidden = hidden_cells(counts, lines, tables, threshold=THRESHOLD)
    assert set(tables[0]) <= set(hidden)
    assert hidden[1, 2] == TABLE  # nought, and hidden with the others
    assert ("all", "all") not in hidden


def test_what_the_contract_withholds_is_protected_whatever_its_size() -> None:
    counts, lines = row(40, 20, 9)
    hidden = hidden_cells(counts, lines, threshold=THRESHOLD, withheld=[0])
    assert hidden == {0: WITHHELD, 2: SECONDARY}


def test_parts_that_do_not_add_up_still_hide_none_or_two() -> None:
    counts, lines = row(3, 20, 9)
    counts["all"] = 30  # two people were in two places
    assert len(hidden_cells(counts, lines, threshold=THRESHOLD)) == 2


def test_algebra_sees_what_no_single_line_shows() -> None:
    # Two separate rings of four hidden cells, joined by one: that one follows from the margins.
    rows = [[7, 8, 0, 0], [9, 6, 3, 0], [0, 0, 8, 7], [0, 0, 6, 9]]
    counts, lines, _ = table(rows)
    rings = {(0, 0), (0, 1), (1, 0), (1, 1), (1, 2), (2, 2), (2, 3), (3, 2), (3, 3)}
    assert all(sum(key in rings for key in line.cells) != 1 for line in lines)
    assert counts[1, 2] == 3
    worlds = Worlds(counts, lines, {})
    assert worlds.given_away(rings, rings).keys() == {(1, 2)}


def test_what_only_algebra_sees_is_hidden_too() -> None:
    rows = [[2, 3, 40, 40], [3, 2, 3, 40], [40, 40, 2, 3], [40, 40, 3, 2]]
    counts, lines, _ = table(rows)
    hidden = hidden_cells(counts, lines, threshold=THRESHOLD)
    small = {key for key, count in counts.items() if 1 <= count < THRESHOLD}
    assert len(small) == 9
    assert solved(lines, small) == {(1, 2)}  # what the lines alone would have left
    assert set(hidden) > small
    assert not solved(lines, set(hidden)) & small


@settings(deadline=None)
@given(
    st.integers(2, 5).flatmap(
        lambda width: st.lists(
            st.lists(
                st.sampled_from([0, 0, 1, 2, 3, 4, 5, 6, 9, 14, 40]), min_size=width, max_size=width
            ),
            min_size=2,
            max_size=5,
        )
    )
)
def test_nothing_small_can_be_worked_out_of_any_table(rows: list[list[int]]) -> None:
    counts, lines, tables = table(rows)
    hidden = hidden_cells(counts, lines, tables, threshold=THRESHOLD)
    small = {key for key, count in counts.items() if 1 <= count < THRESHOLD}
    assert small <= set(hidden)
    shown = {key: count for key, count in counts.items() if key not in hidden}
    assert not small & solved(lines, set(hidden))
    top = max((counts[key] for key in hidden), default=0) + 2 * THRESHOLD
    for line in lines:
        assert not small & pinned(line, shown, hidden, top)


def solved(lines: list[Line], hidden: set) -> set:
    """An attacker's algebra, with fractions and a dense matrix: the cells with one solution."""
    unknown = sorted(hidden, key=repr)
    matrix = []
    for line in lines:
        factors = {key: Fraction(1) for key in line.parts} | {line.total: Fraction(-1)}
        matrix.append([factors.get(key, Fraction()) for key in unknown])
    rank = 0
    for column in range(len(unknown)):
        pivot = next((i for i in range(rank, len(matrix)) if matrix[i][column]), None)
        if pivot is None:
            continue
        matrix[rank], matrix[pivot] = matrix[pivot], matrix[rank]
        matrix[rank] = [value / matrix[rank][column] for value in matrix[rank]]
        for i, other in enumerate(matrix):
            if i != rank and other[column]:
                factor = other[column]
                matrix[i] = [a - factor * b for a, b in zip(other, matrix[rank], strict=True)]
        rank += 1
    alone = [line for line in matrix[:rank] if sum(map(bool, line)) == 1]
    return {unknown[next(i for i, value in enumerate(line) if value)] for line in alone}


def pinned(line: Line, shown: dict, hidden: Collection, top: int) -> set:
    """What an attacker reads off one line, to within one, by trying every value."""
    unknown = [key for key in line.cells if key in hidden]
    if not 1 <= len(unknown) <= 2:
        return set()
    possible: dict = {key: set() for key in unknown}
    *free, last = unknown
    for values in product(*(range(top) for _ in free)):
        known = {**shown, **dict(zip(free, values, strict=True))}
        parts = sum(known[key] for key in line.parts if key != last)
        value = parts if last == line.total else known[line.total] - parts
        if value in range(top):
            for key, one in zip(unknown, (*values, value), strict=True):
                possible[key].add(one)
    return {key for key, values in possible.items() if max(values) - min(values) < ROOM}


@pytest.mark.parametrize("threshold", [1, 2, 10])
def test_any_threshold_works(threshold: int) -> None:
    counts, lines, tables = table([[1, 9, 30], [0, 2, 12]])
    hidden = hidden_cells(counts, lines, tables, threshold=threshold)
    assert {key for key, count in counts.items() if 1 <= count < threshold} <= set(hidden)


class GivesAway:
    """A proof that finds one cell given away until it has asked so many times."""

    def __init__(self, key: object, times: int) -> None:
        self.key, self.times = key, times

    def given_away(self, hidden: Collection, protected: Collection) -> dict:
        self.times -= 1
        return {self.key: []} if self.times >= 0 and self.key in hidden else {}


def test_what_is_found_to_be_given_away_hides_more_each_time() -> None:
    counts, lines = row(3, 9, 20, 30, 40, 50, 60, 70, 80)
    for times, more in ((0, 0), (1, 2), (2, 2 + 4)):
        hidden = disclosure.hidden_cells(
            counts, lines, threshold=THRESHOLD, proof=lambda *_, n=times: GivesAway(0, n)
        )
        assert len(hidden) == 2 + more
    hidden = disclosure.hidden_cells(
        counts, lines, threshold=THRESHOLD, proof=lambda *_: GivesAway(0, 99)
    )
    assert hidden.keys() == counts.keys()  # and it ends where nothing is left


def test_where_a_line_has_nothing_left_the_lines_beside_it_give() -> None:
    counts = {"a": 1, "b": 2, "all": 3, "rest": 40, "both": 43}
    lines = [Line("all", ("a", "b")), Line("both", ("all", "rest"))]
    hidden = disclosure.hidden_cells(
        counts, lines, threshold=THRESHOLD, proof=lambda *_: GivesAway("a", 1)
    )
    assert hidden.keys() >= {"a", "b", "all", "rest"}


def test_what_was_said_of_a_cell_bounds_it() -> None:
    counts, lines = row(3, 9, 20)
    free = Bounds(counts, lines, {0, 1})
    assert (free.low[0], free.high[0]) == (0, 12)
    told = Bounds(counts, lines, {0, 1}, {0: (1, 4), 2: (0, 99)})
    assert (told.low[0], told.high[0]) == (1, 4)
    assert (told.low[1], told.high[1]) == (8, 11)


def test_without_a_proof_lines_and_bounds_alone_decide() -> None:
    counts, lines = row(3, 20, 9)
    assert disclosure.hidden_cells(counts, lines, threshold=THRESHOLD, proof=None) == {
        0: SMALL,
        2: SECONDARY,
    }


def test_what_only_lies_within_something_is_not_given_away_by_its_sum() -> None:
    counts = {"all": 40, "a": 3, "b": 30}
    lines = [Line("all", ("a", "b"), only_within=True)]
    assert hidden_cells(counts, lines, threshold=THRESHOLD) == {"a": SMALL}


def test_a_hidden_total_that_does_not_add_up_is_at_least_its_largest_part() -> None:
    bounds = Bounds({"all": 9, "a": 7, "b": 6}, [Line("all", ("a", "b"))], {"all"})
    assert bounds.low["all"] == 7


def test_what_line_after_line_gives_away_is_widened() -> None:
    counts, lines, _ = table([[9, 0, 0], [4, 9, 1]])
    hidden = disclosure.hidden_cells(counts, lines, threshold=THRESHOLD, proof=None)
    bounds = Bounds(counts, lines, hidden)
    for small in ((1, 0), (1, 2)):
        assert bounds.width(small) >= ROOM
