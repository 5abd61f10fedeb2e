"""Reductions under a guard: taken once where the guard alone tells iterations apart."""

from __future__ import annotations

import re

import numpy as np
import pytest

import loopc

PROGRAMS = {
    "a triangle": "for i, j if j <= i: p[i,j] = softmax[j](x[i,j])",
    "a triangle without its edge": "for i, j if j < i: p[i,j] = softmax[j](x[i,j])",
    "a band": "for i, j if j <= i and i - j < 2: p[i,j] = softmax[j](x[i,j]) + x[i,j]",
    "a block": """
for i:
    for j if j <= i: p[i,j] = softmax[j](x[i,j])
    for j: L += p[i,j] m[j,i]
""",
    "a block under a guard": """
for i, j if m[i,j] > 0:
    p[i,j] = softmax[j](x[i,j])
    L += p[i,j] m[j,i]
""",
    "data": "for i, j if m[i,j] > 0: p[i,j] = softmax[j](x[i,j])",
    "rows alone": "for i, j if m[i,0] > 0: p[i,j] = softmax[j](x[i,j])",
    "the largest": "for i, j if m[i,j] > 0: p[i,j] = x[i,j] - max[k](x[i,k] x[j,k])",
    "a logsumexp": "for i, j if i != j: p[i,j] = x[i,j] - logsumexp[k](x[i,k])",
    "a product": "for i, j if m[i,j] > 0: p[i,j] = m[i,j] prod[k](x[i,k] + m[j,k])",
    "a running sum": "for i, j if m[i,j] > 0: p[i,j] = sin(cumsum[j](x[i,j]))",
    "of the other loop": "for i, j if m[i,j] > 0: p[i,j] = softmax[i](x[i,j])",
    "rows after each other": (
        "for i in range(1, N), j if m[i,j] > 0: p[i,j] = softmax[j](x[i,j] + p[i-1,j])"
    ),
    "a guard that the statement changes": (
        "for i, j: p[i,j] = m[i,j]\nfor i, j if p[i,j] > 0: p[i,j] = softmax[j](x[i,j]) - 1"
    ),
    "nothing outside of an array": (
        "for i < N, j < N if j + i < N: p[i,j] = logsumexp[k < N-i](x[i+k,k])"
    ),
}
ONCE = (
    "a triangle",
    "a block",
    "a block under a guard",
    "a band",
    "data",
    "the largest",
    "a logsumexp",
    "of the other loop",
)


def text(name: str) -> str:
    return (
        f"param x[N,N]\ninput m[N,N]\n{PROGRAMS[name]}\n"
        "for i < N, j < N: L += p[i,j] sin(m[i,j] + p[i,j])\noutput L\n"
    )


@pytest.mark.parametrize("n", [1, 2, 4])
@pytest.mark.parametrize("name", PROGRAMS)
def test_values_and_gradients_are_right(name: str, n: int) -> None:
    rng = np.random.default_rng(n)
    given = {"x": rng.standard_normal((n, n)), "m": rng.standard_normal((n, n))}
    given["m"][n // 2] = -1  # a row of which no cell is wanted
    program, reference = (loopc.compile(text(name), backend=b) for b in ("numpy", "reference"))
    (found, gradients), (expected, others) = (p.value_and_grad(given) for p in (program, reference))
    np.testing.assert_allclose(found["L"], expected["L"], 1e-12)
    np.testing.assert_allclose(gradients["x"], others["x"], 1e-9, 1e-12)
    assert loopc.gradcheck(program, given, tolerance=1e-5)


@pytest.mark.parametrize("name", ONCE)
def test_no_reduction_is_taken_for_each_point(name: str) -> None:
    program = loopc.compile(text(name))
    shapes = re.findall(r"= np\.(?:zeros|empty)\(\((.*)\), ", program.source)
    assert not [shape for shape in shapes if shape.count("N") > 2]
    assert not re.search(r"\w\[\w+,\w+,\w+\]", str(program.adjoint))


def test_a_row_that_is_not_wanted_gives_no_nan() -> None:
    program = loopc.compile(text("data"))
    x, m = np.ones((3, 3)), np.ones((3, 3))
    x[1], m[1] = np.nan, -1
    _, gradients = program.value_and_grad(x=x, m=m)
    assert np.isfinite(gradients["x"]).all()
