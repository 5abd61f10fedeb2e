"""Terms that a recurrence leaves alone: computed in front of it, for all iterations at once."""

from __future__ import annotations

import re

import numpy as np
import pytest

import loopc
from loopc.ir.magnitude import Magnitudes
from loopc.passes.take_out_terms import take_out_terms

HEAD = "input x[T,D], w[D], c[D,D], n[T]: int, m[T]\ndim h[T+1,D]\n"

TAKEN = {
    "a factor": ("for t < T:\n  for j: h[t+1,j] = h[t,j] (x[t,j] (1 - x[t,j]))", 1),
    "the first factors": ("for t < T:\n  for j: h[t+1,j] = x[t,j] w[j] h[t,j]", 1),
    "under a guard": (
        "for t < T, j if m[t] > 0: h[t+1,j] = clip(h[t,j], -1, 1) + (x[t,j] - w[j])",
        1,
    ),
    "of a loop further in": (
        "for j, t < T: h[t+1,j] = clip(h[t,j], -1, 1) + 2 x[t,j]",
        1,
    ),
    "the first terms": ("for t < T:\n  for j: h[t+1,j] = x[t,j] + w[j] + clip(h[t,j], -1, 1)", 1),
    "the same in all iterations": ("for t < T:\n  for j: h[t+1,j] = h[t,j] (2 w[j])", 1),
    "twice the same": (
        "for t < T:\n"
        "  for j: h[t+1,j] = h[t,j] (1 - w[j])\n"
        "  for j: h[t+1,j] += clip(h[t,j], -1, 1) (1 - w[j])",
        1,
    ),
    "from the last on": (
        "for t in reversed(range(T)):\n  for j: h[t,j] = h[t+1,j] - x[t,j] / (1 + m[t]**2)",
        1,
    ),
    "at a place that is data": (
        "for t < T:\n  for j: h[t+1,j] = clip(h[t,j], -1, 1) + 2 x[clamp(n[t]),j]",
        1,
    ),
    "under a step of the indices": (
        "for t in range(0, T - 1, 2):\n  for j: h[t+2,j] = h[t,j] + 3 (x[t,j] + w[j])",
        1,
    ),
    "of a triangle": (
        "for t < T:\n  for j < min(t, D): h[t+1,j] = clip(h[t,j], -1, 1) + 2 x[t,j]",
        1,
    ),
}
LEFT = {
    "terms behind another": "for t < T:\n  for j: h[t+1,j] = clip(h[t,j], -1, 1) + x[t,j] + w[j]",
    "under a condition": "for t < T:\n  for j: h[t+1,j] = where(m[t] > 0, x[t,j] w[j], h[t,j])",
    "outside but for a guard": (
        "for t < T, j if t > 0: h[t+1,j] = clip(h[t,j], -1, 1) + 2 x[t-1,j]"
    ),
    "a number that is subtracted": "for t < T:\n  for j: h[t+1,j] = h[t,j] - x[t,j]",
    "integers": "for t < T:\n  for j: h[t+1,j] = clip(h[t,j], -1, 1) + (n[t] + 2)",
    "of the index alone": "for t < T:\n  for j: h[t+1,j] = h[t,j] + (t + 2) / (j + 1)",
    "all of the value": "for t < T:\n  for j: h[t,j] = x[t,j] w[j]",
    "of what the loop writes": (
        "for t < T:\n  for j: h[t+1,j] = clip(h[t,j], -1, 1) + 2 (h[t,0] - x[t,j])"
    ),
    "a cell that may be outside of its array where a loop has no value": (
        "for t < T:\n  for j: h[t+1,j] = clip(h[t,j], -1, 1) + 2 m[t+1-1]"
    ),
}


def _text(text: str) -> str:
    last = "for t < T, j: L += h[t,j] h[t+1,j] + 0 w[j] x[t,j] m[t] n[t] c[j,j]"
    return f"{HEAD}{text}\n{last}\noutput h, L\n"


def _given(count: int = 5, width: int = 4) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(0)
    sizes = {"x": (count, width), "w": (width,), "c": (width, width), "m": (count,)}
    given = {n: rng.integers(-2, 3, s).astype(float) for n, s in sizes.items()}
    return {**given, "n": rng.integers(-1, count + 1, count)}


@pytest.mark.parametrize("name", [*TAKEN, *LEFT])
def test_recurrences_are_the_references(name: str) -> None:
    text = TAKEN[name][0] if name in TAKEN else LEFT[name]
    plain, given = loopc.compile(_text(text), backend="reference", loss="L"), _given()
    expected, (_, slopes) = plain(given), plain.value_and_grad(given)
    for opt in range(3):
        program = loopc.compile(_text(text), opt=opt, loss="L")
        np.testing.assert_allclose(program(given).h, expected.h, rtol=1e-12)
        for array, slope in program.value_and_grad(given)[1].items():
            np.testing.assert_allclose(slope, slopes[array], rtol=1e-12)


@pytest.mark.parametrize("name", TAKEN)
def test_terms_are_taken_out(name: str) -> None:
    text, count = TAKEN[name]
    program = loopc.compile(_text(text))._program
    sizes = Magnitudes({"T": 5, "D": 4})
    assert len(take_out_terms(program, sizes).arrays) == len(program.arrays) + count


@pytest.mark.parametrize("name", LEFT)
def test_terms_are_left(name: str) -> None:
    program = loopc.compile(_text(LEFT[name]))._program
    assert take_out_terms(program, Magnitudes({"T": 5, "D": 4})) is program


def test_large_iterations_keep_what_differs_in_them() -> None:
    program = loopc.compile(_text(TAKEN["a factor"][0]))._program
    assert take_out_terms(program, Magnitudes({"T": 5, "D": 10**5})) is program
    program = loopc.compile(_text(TAKEN["the same in all iterations"][0]))._program
    assert take_out_terms(program, Magnitudes({"T": 5, "D": 10**5})) is not program


def test_parts_of_an_array_that_no_other_statement_adds_to_are_stored() -> None:
    text = (
        "input x[T,D], w[D]\ndim s[T+1,D], z[T,2*D]\nfor t < T:\n"
        "  for j < D: z[t,j] += clip(w[j] + s[t,j], -3, 3)\n"
        "  for j < D: z[t,D+j] += 2 s[t,j]\n"
        "  for j < D: s[t+1,j] = clip(z[t,j] - z[t,D+j] + x[t,j], -9, 9)\n"
        "output z, s\n"
    )
    given = {k: v for k, v in _given().items() if k in "xw"}
    program, plain = loopc.compile(text), loopc.compile(text, backend="reference")
    for name in ("z", "s"):
        np.testing.assert_array_equal(program(given)[name], plain(given)[name])
    stored = program.source.split("def _forward")[1].split("# program.loops:6")[0]
    assert "out=z[t, D:2 * D]" in stored
    assert "+=" not in re.sub(r"#.*", "", stored)


@pytest.mark.parametrize(
    "other", ["z[t,2*D-1-j] += 2 s[t,j]", "z[t+1,j] += 2 s[t,j]", "z[t,D-1+j] += 2 s[t,j]"]
)
def test_parts_of_an_array_that_meet_are_added_to(other: str) -> None:
    text = (
        "input x[T,D], w[D]\ndim s[T+1,D], z[T+1,2*D]\nfor t < T:\n"
        f"  for j < D: z[t,j] += clip(w[j] + s[t,j], -3, 3)\n  for j < D: {other}\n"
        "  for j < D: s[t+1,j] = clip(z[t,j] - z[t,j+1] + x[t,j], -9, 9)\n"
        "output z, s\n"
    )
    given = {k: v for k, v in _given().items() if k in "xw"}
    program, plain = loopc.compile(text), loopc.compile(text, backend="reference")
    for name in ("z", "s"):
        np.testing.assert_array_equal(program(given)[name], plain(given)[name])


@pytest.mark.parametrize(
    "text",
    [
        "for i in range(1, T, 2):\n  z[i] = i\n  if i % 2 == 0: z[i] += 2 i",
        "for i < T, j < T if j <= i: z[i,j] += i\nfor i < T, j < T if j > i: z[i,j] += j",
        "for i < T, j < i: z[i,j] += i\nfor i < T, j in range(i, T): z[i,j] += j - 9",
        "for i < T if i % 2 == 0: z[i] += 1\nfor i < T if i % 2 == 1: z[i] += sum[j](x[i,j])",
    ],
)
def test_statements_that_share_an_array_by_conditions_leave_each_other_alone(text: str) -> None:
    plain = loopc.compile(f"input x[T,D]\n{text}\noutput z", backend="reference")
    program = loopc.compile(f"input x[T,D]\n{text}\noutput z")
    x = _given()["x"]
    np.testing.assert_array_equal(program(x=x).z, plain(x=x).z)
