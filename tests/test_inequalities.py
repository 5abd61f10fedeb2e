"""Linear inequalities: what is refused has no solution in whole numbers."""

from __future__ import annotations

from itertools import product

from hypothesis import given
from hypothesis import strategies as st

from loopc.analysis.inequalities import may_be_solved

NAMES = "xyz"
FORMS = st.lists(st.dictionaries(st.sampled_from([*NAMES, ""]), st.integers(-3, 3)), max_size=5)
BOX = [{n: 1, "": 4} for n in NAMES] + [{n: -1, "": 4} for n in NAMES]


def _solved(atleast: list[dict[str, int]], equal: list[dict[str, int]]) -> bool:
    for values in product(range(-4, 5), repeat=len(NAMES)):
        point = dict(zip(NAMES, values, strict=True)) | {"": 1}
        sums = [sum(c * point[n] for n, c in f.items()) for f in (*atleast, *equal)]
        if all(s >= 0 for s in sums[: len(atleast)]) and not any(sums[len(atleast) :]):
            return True
    return False


@given(FORMS, FORMS)
def test_what_has_a_solution_is_not_refused(
    atleast: list[dict[str, int]], equal: list[dict[str, int]]
) -> None:
    inside = [*atleast, *BOX]
    if _solved(inside, equal):
        assert may_be_solved(inside, equal)


def test_triangles_are_empty_where_they_are() -> None:
    below = [{"i": 1, "j": -1, "": -1}, {"j": 1, "k": -1, "": -1}]  # k < j < i
    assert may_be_solved(below, [])
    assert not may_be_solved([*below, {"k": 1, "i": -1}], [])
    assert not may_be_solved(below, [{"i": 1, "k": -1, "": -1}])  # i = k + 1
    assert may_be_solved(below, [{"i": 1, "k": -1, "": -2}])


def test_fractions_are_rounded() -> None:
    half = [{"x": 2, "": -1}, {"x": -2, "": 1}]  # 2 x = 1
    assert not may_be_solved(half, [])
    assert not may_be_solved([{"x": 3, "": -1}, {"x": -3, "": 2}], [])  # 1 <= 3 x <= 2
