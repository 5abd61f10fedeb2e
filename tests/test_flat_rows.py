"""Rows of a stencil as one run of memory: what lies between their ends stays as it is."""

from __future__ import annotations

import numpy as np
import pytest

import loopc

HEAD = "input steps: int\nparam A[N,M], B[N,M]\n"
LAST = "\nfor i < N, j < M: L += A[i,j] (i + 2 j + 1)\noutput A, L\n"

STENCILS = {
    "two half steps": """
for t < steps:
    for i in range(1,N-1), j in range(1,M-1): B[i,j] = 0.2 (A[i,j] + A[i,j-1] + A[i+1,j] + A[i-1,j])
    for i in range(1,N-1), j in range(1,M-1): A[i,j] = 0.2 (B[i,j] - B[i,j+1] + B[i-1,j])
""",
    "additions to several places": """
for t < steps:
    for i in range(1,N-1), j in range(2,M): B[i,j] += 0.5 A[i-1,j-1]
    for i in range(1,N-1), j in range(1,M-1): A[i,j-1] += 0.25 B[i,j]
    for i in range(1,N-1), j in range(1,M-1): A[i,j+1] -= 0.25 B[i,j]
    for i in range(1,N-1), j in range(1,M-1): A[i+1,j] += 0.25 B[i,j]
""",
    "an array that is read alone": """
for t < steps, i < N-1, j in range(1,M):
    A[i,j] = sqrt(abs(A[i+1,j] B[i,j-1])) + max(A[i+1,j], 2)
""",
    "rows of rows": """
dim C[N,M,3]
for i < N, j < M, k < 3: C[i,j,k] = A[i,j] + k B[i,j]
for t < steps, i < N-1, j in range(1,M-1), k < 2:
    C[i,j,k] += 0.5 C[i+1,j+1,k+1] - 0.25 C[i+1,j,k]
for i < N, j < M: A[i,j] = C[i,j,0] - C[i,j,2]
""",
}


def _given(n: int, m: int, steps: int) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(0)
    given = {name: rng.integers(-4, 5, (n, m)).astype(float) for name in "AB"}
    return {"steps": np.array(steps), **given}


@pytest.mark.parametrize("name", STENCILS)
def test_a_stencil_takes_runs_of_rows(name: str) -> None:
    program = loopc.compile(HEAD + STENCILS[name] + LAST, loss="L")
    assert "_flat[" in program.source


@pytest.mark.parametrize("name", STENCILS)
@pytest.mark.parametrize(("n", "m", "steps"), [(7, 9, 3), (3, 4, 4), (40, 5, 6), (4, 3, 1)])
def test_values_and_gradients_are_the_references(name: str, n: int, m: int, steps: int) -> None:
    text, given = HEAD + STENCILS[name] + LAST, _given(n, m, steps)
    plain = loopc.compile(text, loss="L", backend="reference")
    expected, slopes = plain.value_and_grad(given)
    program = loopc.compile(text, loss="L")
    fast, arrays = program.specialize(**given), tuple(given.values())
    np.testing.assert_allclose(program(given).A, plain(given).A, rtol=1e-12)
    np.testing.assert_allclose(fast(*arrays).A, plain(given).A, rtol=1e-12)
    for value, found in (program.value_and_grad(given), fast.value_and_grad(*arrays)):
        np.testing.assert_allclose(value["L"], expected["L"], rtol=1e-12)
        for array, slope in found.items():
            np.testing.assert_allclose(slope, slopes[array], rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("name", STENCILS)
@pytest.mark.parametrize("bad", [np.inf, np.nan, -0.0])
def test_what_lies_at_the_edge_stays_there(name: str, bad: float) -> None:
    text, given = HEAD + STENCILS[name] + LAST, _given(6, 7, 1)
    for array in "AB":
        given[array][:, 0] = given[array][2, -1] = bad
    found = loopc.compile(text)(given).A
    expected = loopc.compile(text, backend="reference")(given).A
    np.testing.assert_allclose(found, expected, rtol=1e-12)
    zeros = expected == 0
    np.testing.assert_array_equal(np.signbit(found)[zeros], np.signbit(expected)[zeros])


def test_arrays_without_rows_are_taken_as_they_are() -> None:
    text = (
        "input steps: int, w[M]\nparam A[N,M], B[N,M]\n"
        + """
for t < steps:
    for i < N, j < M-1: B[i,j] += 0.5 A[i,j] - A[i,j+1]
    for i < N, j < M: A[i,j] = B[i,j] w[j] + 1
"""
        + LAST
    )
    given = {**_given(4, 3, 3), "w": np.arange(3.0)}
    expected = loopc.compile(text, backend="reference")(given).A
    np.testing.assert_array_equal(loopc.compile(text)(given).A, expected)


def test_rows_without_columns_are_left_out() -> None:
    text = (
        "input T: int, x[M], n[N]\ndim t[N+3,M]\nfor i < N, j < M: t[i+1,j] = x[j]\n"
        + """
for s < T, i in range(1, N+2), j in range(1, M-1): t[i,j-1] max= t[i+1,j+1] + s
output t
"""
    )
    given = {"T": np.array(3), "x": np.ones(1), "n": np.ones(4)}
    names: dict[str, object] = {}
    exec(loopc.compile(text).source, names)
    found = names["forward"](**given)["t"]  # type: ignore[operator]
    np.testing.assert_array_equal(found, loopc.compile(text, backend="reference")(given).t)


def test_what_is_overwritten_is_not_read() -> None:
    text = (
        HEAD
        + """
for t < steps:
    for i in range(1,N-1), j in range(1,M-1): B[i,j] = A[i+1,j+1]
    for i in range(1,N-1), j in range(1,M-1): B[i,j] = t
    for i in range(1,N-1), j in range(1,M-1): A[i,j] = B[i,j] - A[i,j+1]
"""
        + LAST
    )
    given = _given(5, 6, 3)
    expected = loopc.compile(text, backend="reference")(given).A
    np.testing.assert_array_equal(loopc.compile(text)(given).A, expected)


def test_arrays_of_another_layout_are_given_one() -> None:
    text, given = HEAD + STENCILS["an array that is read alone"] + LAST, _given(7, 9, 3)
    turned = {k: np.asfortranarray(a) if a.ndim else a for k, a in given.items()}
    wide = {k: np.repeat(a, 2, axis=1)[:, ::2] if a.ndim else a for k, a in given.items()}
    program = loopc.compile(text, loss="L")
    expected, slopes = program.value_and_grad(given)
    for other in (turned, wide):
        value, found = program.value_and_grad(other)
        np.testing.assert_array_equal(value["A"], expected["A"])
        for array, slope in found.items():
            np.testing.assert_array_equal(slope, slopes[array])


def test_results_come_in_memory_that_is_given() -> None:
    text, given = HEAD + STENCILS["two half steps"] + LAST, _given(7, 9, 3)
    call = loopc.compile(text).specialize(**given)
    out = {"A": np.empty((9, 7)).T}
    found = call(*given.values(), out=out)
    np.testing.assert_array_equal(out["A"], loopc.compile(text)(given).A)
    assert found.A is out["A"]
