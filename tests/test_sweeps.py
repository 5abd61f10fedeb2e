"""Stencils in time: blocks of rows through several steps, in which every value stays the same."""

from __future__ import annotations

import re

import numpy as np
import pytest

import loopc
from loopc.lower import value as lowered_value

JACOBI = """
for t < steps:
    for i in range(1,N-1), j in range(1,M-1): B[i,j] = 0.2 (A[i,j] + A[i,j-1] + A[i,j+1] + A[i+1,j] + A[i-1,j])
    for i in range(1,N-1), j in range(1,M-1): A[i,j] = 0.2 (B[i,j] + B[i,j-1] + B[i,j+1] + B[i+1,j] + B[i-1,j])
"""  # noqa: E501

PLANES = """
dim C[steps+1,N,M]
for i < N, j < M: C[0,i,j] = A[i,j]
for t < steps, i in range(1, N-1), j in range(1, M-1):
    C[t+1,i,j] = 0.2 (C[t,i,j] + C[t,i,j-1] + C[t,i,j+1] + C[t,i+1,j] + C[t,i-1,j]) + B[i,j]
for i < N, j < M: A[i,j] = C[steps,i,j]
"""

STENCILS = {
    "jacobi": JACOBI,
    "nonlinear": JACOBI.replace("A[i,j-1]", "sin(A[i,j-1]) A[i,j]"),
    "rows of their own": "for t < steps, i < N, j in range(1, M): A[i,j] = 0.5 A[i,j] + B[i,j] / (t + 1)",  # noqa: E501
    "two rows ahead": "for t < steps, i < N-2, j < M: A[i,j] = 0.5 A[i+2,j] + B[i,j]",
    "upwards": """
for t in reversed(range(0, steps)):
    for i in range(2, N), j < M: B[i,j] = 0.5 A[i-2,j] + 0.25 B[i,j]
    for i in range(0, N-3), j < M: A[i,j] += 0.5 B[i+3,j]
""",
    "several columns": """
for t < steps:
    for i in range(1, N-1), j < M: B[i,j] = A[i-1,j] - A[i+1,j]
    for i in range(1, N-2), j in range(1, M): A[i,j] = A[i,j] + 0.1 B[i+1,j-1]
    for i in range(1, N-2), j in range(1, M): A[i,j-1] += 0.1 B[i,j]
    for i in range(1, N-2), j in range(1, M): A[i+1,j] += 0.1 B[i,j]
""",
    "largest": "for t < steps:\n    for i in range(1, N), j < M: B[i,j] max= A[i-1,j] - t\n    for i < N, j < M: A[i,j] = 0.5 B[i,j]",  # noqa: E501
    "a plane for each step": PLANES,
    "planes from the last one": """
dim C[steps+1,N,M]
for i < N, j < M: C[steps,i,j] = A[i,j]
for t in reversed(range(0, steps)), i in range(1, N-1), j < M: C[t,i,j] += 0.5 C[t+1,i+1,j]
for i < N, j < M: A[i,j] = C[0,i,j]
""",
    "two planes back": """
dim C[steps+2,N,M]
for i < N, j < M: C[0,i,j] = A[i,j]
for i < N, j < M: C[1,i,j] = B[i,j]
for t < steps, i in range(2, N-2), j < M: C[t+2,i,j] = 0.5 C[t,i-2,j] + 0.5 C[t,i+2,j] - C[t+1,i,j]
for i < N, j < M: A[i,j] = C[steps,i,j] + C[steps+1,i,j]
""",
    "every other plane": """
dim C[2*steps+2,N,M]
for i < N, j < M: C[0,i,j] = A[i,j]
for t < steps:
    for i in range(1, N), j < M: C[2*t+1,i,j] = C[2*t,i-1,j] + B[i,j]
    for i in range(1, N), j < M: C[2*t+2,i-1,j] = 0.5 C[2*t+1,i,j]
for i < N, j < M: A[i,j] = C[2*steps,i,j]
""",
    "more rows than an extent": """
dim C[N+3,M]
for i < N, j < M: C[i+1,j] = A[i,j]
for t < steps, i in range(1, N+2), j in range(1, M): C[i,j] = 0.5 C[i+1,j] - C[i+1,j-1] + t + 1
for i < N, j < M: A[i,j] = C[i,j] + C[i+2,j]
""",
    "a first row": """
for t < steps:
    for j < M: B[0,j] = G[0,j] (t + 1)
    for i in range(1, N), j < M: B[i,j] = B[i,j] - 0.5 (A[i,j] - A[i-1,j])
    for i < N-1, j < M-1: A[i,j] = A[i,j] - 0.7 (B[i+1,j] - B[i,j] + B[i,j+1])
""",
    "rows of a boundary that need each other": """
for t < steps:
    for j < M: B[0,j] = 0.3 B[0,j] + G[0,j]
    for j < M: A[0,j] = 0.4 A[0,j] + B[0,j] (t + 1)
    for i in range(1, N), j < M: B[i,j] = B[i,j] - 0.5 (A[i,j] - A[i-1,j])
    for i < N-1, j < M-1: A[i,j] = A[i,j] - 0.7 (B[i+1,j] - B[i,j] + B[i,j+1])
""",
    "rows and columns at the edge": """
for t < steps:
    for i in range(1, N-1), j in range(1, M-1): B[i,j] = 0.25 (A[i-1,j] + A[i+1,j]) + 0.5 A[i,j-1]
    for i in range(1, N-1), j in range(1, M-1): A[i,j] = B[i,j]
    for j < M: A[0,j] = 0.5 B[0,j]
    for i < N: A[i,0] = A[i,1]
""",
    "half as many planes as steps": """
dim C[steps+1,N,M]
for i < N, j < M: C[0,i,j] = A[i,j]
for t < steps, i in range(1, N), j < M: C[t//2+1,i,j] = C[t//2,i-1,j] + t
for i < N, j < M: A[i,j] = C[steps//2,i,j]
""",
    "backwards rows": "for t < steps, i in range(1, N), j < M: A[i,j] = 0.5 A[i-1,j] + B[i,j]",
}

IN_ORDER = ("backwards rows", "half as many planes as steps")
"""Those that are no sweeps: rows of the same step, or of an unknown one, are waited for."""

HEAD = "input steps: int, G[N,M]\nparam A[N,M], B[N,M]\n"
TAIL = "\nfor i,j  L += A[i,j] G[i,j]\noutput L, A, B"


GROWING = {
    "columns": "for t in range(1, M), i < N, j < M - t: A[i,j] = (1 - G[i,j]) A[i,j] + G[i,j] A[i,j+1]",  # noqa: E501
    "columns of a guard": "for t < M, i < N, j < M if j < t: A[i,j] = sin(A[i,j]) + G[i,t]",
    "rows of a guard": "for t < N, i < N, j < M if i < t: A[i,j] = sin(A[i,j]) + G[t,j]",
}
"""Loops whose steps are of different sizes."""


def arrays(n: int, m: int, steps: int) -> dict[str, np.ndarray | int]:
    rng = np.random.default_rng(3)
    return {"steps": steps, **{k: rng.standard_normal((n, m)) for k in "GAB"}}


@pytest.mark.parametrize(
    ("n", "m", "steps"), [(7, 6, 5), (1, 3, 4), (0, 0, 3), (9, 4, 0), (40, 20_000, 3)]
)
@pytest.mark.parametrize("name", STENCILS)
def test_a_sweep_computes_the_same(name: str, n: int, m: int, steps: int) -> None:
    text = HEAD + STENCILS[name] + TAIL
    given = arrays(n, m, steps)
    fast, plain = loopc.compile(text), loopc.compile(text, opt=1)
    if n * m < 100:
        plain = loopc.compile(text, backend="reference")
    (found, gradients), (expected, others) = fast.value_and_grad(given), plain.value_and_grad(given)
    for name_, value in {**expected, **others}.items():
        same = {**found, **gradients}[name_]
        np.testing.assert_allclose(same, value, rtol=1e-9, atol=1e-9, err_msg=name_)


def _is_sweep(name: str) -> bool:
    """Whether a stencil of known extents, none of which is 0, is a sweep."""
    text = HEAD + STENCILS[name] + TAIL
    text = re.sub(r"\bN\b", "9", re.sub(r"\bM\b", "8", text))
    forward = loopc.compile(text).source.partition("def _forward(")[2]
    return "_rows(" in forward.partition("def _value_and_grad(")[0]


@pytest.mark.parametrize("name", [n for n in STENCILS if n not in IN_ORDER])
def test_it_is_a_sweep(name: str) -> None:
    assert _is_sweep(name)


@pytest.mark.parametrize("name", IN_ORDER)
def test_steps_that_a_row_must_wait_for_are_no_sweep(name: str) -> None:
    assert not _is_sweep(name)


def test_a_boundary_takes_the_values_of_another_row() -> None:
    text = """input A0[N,M], T: int
for i < N, j < M: A[i,j] = A0[i,j]
for t < T:
    for i in range(1, N-1), j < M: B[i,j] = A[i-1,j] - A[i+1,j]
    for i in range(1, N-1), j < M: A[i,j] += B[i,j]
    for j < M: A[0,j] = A[2,j]
for i < N, j < M: L += A[i,j] A0[i,j]
output A, L
"""
    given = {"A0": np.arange(40.0).reshape(8, 5) % 7, "T": 5}
    found = loopc.compile(text).value_and_grad(given)
    expected = loopc.compile(text, backend="reference").value_and_grad(given)
    for part, other in zip(found, expected, strict=True):
        for key, value in other.items():
            np.testing.assert_array_equal(part[key], value, err_msg=key)


@pytest.mark.parametrize("name", GROWING)
def test_steps_of_different_sizes_are_no_sweep(name: str) -> None:
    text = HEAD + GROWING[name] + TAIL
    fast, plain = loopc.compile(text), loopc.compile(text, backend="reference")
    assert "_rows(" not in fast.source
    for n, m in ((5, 6), (6, 5), (1, 1), (0, 3), (3, 0)):
        given = arrays(n, m, 1)
        found, expected = fast.value_and_grad(given), plain.value_and_grad(given)
        for part, other in zip(found, expected, strict=True):
            for key, value in other.items():
                np.testing.assert_allclose(part[key], value, rtol=1e-9, atol=1e-9, err_msg=key)


def test_a_sweep_reads_what_a_tile_before_it_makes() -> None:
    text = """input x, one[M,K]
for b < M, j < M, c < K - 1:
    t[b,j,c] = 0.5 x + one[b,c]
    d[j,b] = (t[b,j,c] > m[j,b]) + d[j,b]
    m[j,b] max= t[b,j,c]
output d
"""
    given = {"x": np.array(1.0), "one": np.arange(12.0).reshape(4, 3)}
    expected = loopc.compile(text, backend="reference")(given)["d"]
    program = loopc.compile(text)
    assert "_rows(" in program.source
    np.testing.assert_array_equal(program(given)["d"], expected)


def test_rows_that_do_not_fit_into_the_cache_come_one_at_a_time() -> None:
    text = """input x[N,M], T: int
for i < N, j < M: a[i,j] = x[i,j]
for t < T:
    for i < N, j < M: b[i,j] = a[i,j] * 2 - t
    for i < N, j < M: a[i,j] = b[i,j] + x[i,j]
output a
"""
    program = loopc.compile(text)
    x = np.ones((9, 40000))
    assert "_rows(" in program.source
    np.testing.assert_array_equal(program(x=x, T=3)["a"], np.full(x.shape, 11.0))


def test_what_is_held_for_a_statement_is_no_part_of_a_sweep(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    text = """input x[M,K], z[M,M]
dim t[M,M]
for k < K:
    for b < M, j < M if b != j: t[b,j] = where(x[b,k] > 0, t[b,j] + z[b,j], t[b,j] * 2)
    for b < M, j < M if b != j: t[b,j] += x[b,k]
output t
"""
    given = {"x": np.arange(12.0).reshape(3, 4) - 5, "z": np.arange(9.0).reshape(3, 3)}
    expected = loopc.compile(text, backend="reference")(given)["t"]
    monkeypatch.setattr(lowered_value, "MANY", 2)
    program = loopc.compile(text)
    assert "held" in program.source
    np.testing.assert_array_equal(program(given)["t"], expected)


@pytest.mark.parametrize("n", range(5))
def test_a_saved_module_runs_for_any_extents(n: int) -> None:
    text = """
        input x[N]
        for i < N, j < N, k < N: t[i,j,k] = x[k]
        for i in range(1, N - 1), j in range(1, N - 1), k in range(1, N - 1):
            t[i+1,j+1,k+1] = 1 - t[i,j+1,k-1] + 1
        output t
    """
    program = loopc.compile(text)
    assert "t_flat" in program.source
    space: dict[str, object] = {"__name__": "alone"}
    exec(compile(program.source, "alone.py", "exec"), space)
    given = np.arange(n) + 0.5
    found = space["forward"](x=given)["t"]  # type: ignore[operator]
    expected = loopc.compile(text, backend="reference")(x=given).t
    np.testing.assert_array_equal(found, expected)
