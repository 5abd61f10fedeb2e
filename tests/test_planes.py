"""Nests of three loops whose dependences cross all of them: plane by plane, the same values."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest

import loopc
from loopc.backends.numpy.helpers import HELPERS

SEIDEL = "A[i,j] = (A[i-1,j-1] + A[i-1,j] + A[i-1,j+1] + A[i,j-1] + A[i,j] + A[i,j+1] + A[i+1,j-1] + A[i+1,j] + A[i+1,j+1]) / 9"  # noqa: E501

NESTS = {
    "seidel": f"for t < T, i in range(1, N-1), j in range(1, M-1): {SEIDEL}",
    "nonlinear": "for t < T, i in range(1, N-1), j in range(1, M): A[i,j] = sin(A[i-1,j]) A[i,j-1] + A[i+1,j]",  # noqa: E501
    "backwards": "for t < T, i in reversed(range(0, N-1)), j in range(1, M): A[i,j] = 0.5 A[i+1,j-1] + w A[i,j-1] + A[i,j]",  # noqa: E501
    "over time": "for t < T, i in range(1, N), j in range(1, M): A[i,j] = A[i-1,j] x[t] + A[i,j-1] B[j,i]",  # noqa: E501
    "two statements": """
for t in reversed(range(T)), i in range(1, N), j in range(1, M):
    A[i,j] = 0.5 A[i-1,j] + A[i,j-1] / 3
    C[i,j-1] += A[i,j] + x[t]
    C[i-1,j] max= A[i,j-1]
""",
    "several updates by one value": """
for t < T, i in range(1, N-1), j in range(1, M-1):
    A[i,j] = max(A[i-1,j], A[i,j-1], A[i+1,j], A[i,j+1]) 0.5 + B[j,i]
    C[i-1,j] max= A[i,j]
    C[i,j] max= A[i,j]
    C[i+1,j] max= A[i,j]
    C[i,j+1] max= A[i,j]
""",
    "two arrays read at several places": """
for t < T, i in range(1, N-1), j in range(1, M-1):
    A[i,j] = (A[i-1,j] + A[i,j-1] + A[i+1,j] + A[i,j+1]) / 4 + (C[i-1,j-1] + C[i,j-1] + C[i+1,j] + C[i,j+1]) / 5
    C[i,j] = A[i,j] B[j,i]
""",  # noqa: E501
    "a value of a point, kept": """dim D[N,M]
for t < T, i in range(1, N), j in range(1, M):
    D[i,j] = A[i-1,j] + A[i,j-1]
    A[i,j] = D[i,j] B[j,i] + sin(D[i,j])
for i, j  A[i,j] += D[i,j]
""",
    "a value of a point, read before": """dim D[N,M]
for t < T, i in range(1, N), j in range(1, M):
    A[i,j] = 0.5 A[i-1,j] + A[i,j-1] + D[i,j]
    D[i,j] = A[i,j] B[j,i]
    C[i,j] += D[i,j] + D[i-1,j]
""",
    "a smaller array": "for t < T, i in range(1, N), j in range(1, M): A[i,j] = A[i-1,j] + y[i-1]\nfor t < T, i in range(1, N), j in range(1, M): y[i] += 0.1 A[i,j]",  # noqa: E501
}
HEAD = "input T: int, x[T], B[M,N], w\nparam A[N,M], C[N,M], y[N]\n"
TAIL = "\nfor i, j  L += A[i,j] + C[i,j]"


def arrays(n: int, m: int, steps: int) -> dict[str, Any]:
    rng = np.random.default_rng(2)
    shapes = {"x": (steps,), "B": (m, n), "w": (), "A": (n, m), "C": (n, m), "y": (n,)}
    return {"T": steps, **{k: rng.standard_normal(s) for k, s in shapes.items()}}


@pytest.mark.parametrize("shape", [(6, 5, 4), (3, 9, 2), (2, 2, 1), (0, 0, 2), (5, 4, 0)])
@pytest.mark.parametrize("name", NESTS)
def test_planes_compute_the_same(name: str, shape: tuple[int, int, int]) -> None:
    text = HEAD + NESTS[name] + TAIL
    reference, program = loopc.compile(text, backend="reference"), loopc.compile(text)
    given = {k: v for k, v in arrays(*shape).items() if k in {*program.inputs, *program.params}}
    (expected, others), (found, gradients) = (p.value_and_grad(given) for p in (reference, program))
    for key, value in {**expected, **others}.items():
        np.testing.assert_allclose({**found, **gradients}[key], value, 1e-11, 1e-11, err_msg=key)


def test_tables_that_are_made_late() -> None:
    text = HEAD + NESTS["two arrays read at several places"] + TAIL
    given = arrays(80, 70, 60)
    program = loopc.compile(text)
    given = {k: v / 9 for k, v in given.items() if k in {*program.inputs, *program.params}}
    given["T"] = 60
    expected = loopc.compile(text, opt=0)(given)
    for key, value in program(given).items():
        np.testing.assert_allclose(value, expected[key], 1e-9, 1e-9, err_msg=key)


@pytest.mark.parametrize("name", [n for n in NESTS if "smaller" not in n])
def test_it_is_done_in_planes(name: str) -> None:
    assert "_planes(" in loopc.compile(HEAD + NESTS[name] + TAIL).source


@pytest.mark.parametrize("limit", [1, 30, 1000])
def test_every_point_is_in_one_plane(limit: int) -> None:
    namespace: dict[str, Any] = {"np": np}
    exec(HELPERS["_planes"], namespace)
    counts, weights, strides = (5, 3, 4), (4, 2, 1), ((12, 4, 1), (0, -4, 1))
    seen = []
    starts = ((1, (2, 0, 5), 0), (0, (3, 1), 1))
    for lows, places in namespace["_planes"](counts, weights, strides, starts, limit):
        for at, below, rows, flat in places:
            points = (at + lows[0]).tolist()
            t, rest = np.divmod(at + lows[0], 12)
            i, j = np.divmod(rest, 4)
            assert len({*(4 * t + 2 * i + j).tolist()}) <= 1
            np.testing.assert_array_equal(below + lows[1], j - 4 * i)
            np.testing.assert_array_equal(rows + lows[2], [j - 4 * i + k for k in (2, 0, 5)])
            np.testing.assert_array_equal(flat + lows[3], [p + k for p in points for k in (3, 1)])
            seen += points
    assert sorted(seen) == list(range(60))


def test_what_a_plane_alone_reads_is_not_stored() -> None:
    text = HEAD + NESTS["seidel"] + TAIL
    assert "cotangent" not in re.sub("#.*", "", loopc.compile(text).source)
