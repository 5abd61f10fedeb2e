"""Kernels that overwrite what they read, walk over their data, or read through two arrays."""

from __future__ import annotations

import numpy as np
import pytest

import loopc

CASES = {
    "viterbi": (
        "for t in range(1,T), j: d[t,j] = max[i](d[t-1,i] + A[i,j]) + e[t,j]\n",
        {
            "A": np.array([[0.557, 0.992], [0.379, 0.957]]),
            "e": np.array([[0.766, 0.415], [0.359, 0.557], [0.573, 0.134], [0.532, 0.617]]),
        },
    ),
    "cholesky": (
        "param A[N,N]\nfor k < N:\n    A[k,k] = sqrt(A[k,k])\n    for i in range(k+1,N): A[i,k] = A[i,k]/A[k,k]\n    for j in range(k+1,N), i in range(j,N): A[i,j] -= A[i,k] A[j,k]\noutput A\n",
        {
            "A": np.array(
                [
                    [6.0, 1.0, 1.0, 1.0],
                    [1.0, 6.0, 1.0, 1.0],
                    [1.0, 1.0, 6.0, 1.0],
                    [1.0, 1.0, 1.0, 6.0],
                ]
            )
        },
    ),
    "gauss_seidel": (
        "param x[N]\ninput b[N]\nfor s < 3, i in range(1,N-1): x[i] = 0.5*(x[i-1]+x[i+1]-b[i])\n",
        {
            "x": np.array([0.37, 0.142, 0.315, 0.239, 0.966]),
            "b": np.array([0.034, 0.497, 0.914, 0.827, 0.613]),
        },
    ),
    "game_of_life": (
        "input g[N,M]\nfor i,j n[i,j] = sum[a < 3, b < 3](g[wrap(i+a-1),wrap(j+b-1)]) - g[i,j]\nfor i,j y[i,j] = n[i,j]==3 or (g[i,j]>0 and n[i,j]==2)\n",
        {
            "g": np.array(
                [
                    [1.0, 0.0, 1.0, 0.0, 0.0],
                    [0.0, 0.0, 1.0, 1.0, 1.0],
                    [0.0, 0.0, 1.0, 1.0, 0.0],
                    [0.0, 1.0, 0.0, 0.0, 0.0],
                    [0.0, 1.0, 0.0, 0.0, 0.0],
                ]
            )
        },
    ),
    "quasi_affine": (
        "for i < 12: y[i // 4, i % 4] = x[i]\nfor i < 12: z[i] = y[i // 4, i % 4]\n",
        {"x": np.array([0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0, 10.0, 11.0])},
    ),
    "nested_gathers": (
        "for k y[k] = A[p[q[k]]]\nfor k z[k] = A[p[k]+1]\n",
        {
            "A": np.array([0.0, 1.0, 2.0, 3.0, 4.0, 5.0]),
            "p": np.array([0, 2, 4]),
            "q": np.array([2, 1, 0]),
        },
    ),
    "band": (
        "for i,j if abs(i-j) <= 1: y[i] += A[i,j] x[j]\n",
        {
            "A": np.array(
                [
                    [0.171, 0.393, 0.076, 0.097],
                    [0.95, 0.882, 0.469, 0.151],
                    [0.388, 0.273, 0.263, 0.637],
                    [0.577, 0.175, 0.264, 0.547],
                ]
            ),
            "x": np.array([0.502, 0.961, 0.674, 0.454]),
        },
    ),
    "triangular_solve": (
        "input L[N,N], b[N]\nfor i < N:\n    s = b[i]\n    for j < i: s -= L[i,j] x[j]\n    x[i] = s / L[i,i]\noutput x\n",
        {
            "L": np.array(
                [
                    [1.156, 0.0, 0.0, 0.0],
                    [0.415, 1.921, 0.0, 0.0],
                    [0.061, 0.146, 1.906, 0.0],
                    [0.343, 0.903, 0.818, 1.947],
                ]
            ),
            "b": np.array([0.732, 0.534, 0.517, 0.297]),
        },
    ),
    "power_iteration": (
        "param v[N]\ninput A[N,N], steps: int\nfor s < steps:\n    for i w[i] = 0\n    for i,j w[i] += A[i,j] v[j]\n    n = sqrt(sum[i](w[i]**2))\n    for i v[i] = w[i]/n\noutput v\n",
        {
            "A": np.array([[0.202, 0.837, 0.188], [0.891, 0.255, 0.539], [0.821, 0.63, 0.353]]),
            "v": np.array([1.0, 1.0, 1.0]),
            "steps": 3,
        },
    ),
}


@pytest.mark.parametrize("name", list(CASES))
def test_program(name: str) -> None:
    text, arrays = CASES[name]
    program = loopc.compile(text)
    expected = loopc.compile(text, backend="reference")(arrays)
    for opt in (0, 2):
        found = loopc.compile(text, opt=opt)(arrays)
        for key, value in expected.items():
            np.testing.assert_allclose(found[key], value, rtol=1e-12, atol=1e-14)
    for key, kind in program.outputs.items():
        if kind.dtype != "float" or not program.wrt:
            continue
        single = loopc.compile(text, loss=key)
        if single.adjoint_loops():
            assert loopc.gradcheck(single, arrays, tolerance=1e-6)


def test_a_running_product_of_an_empty_range_is_one() -> None:
    text = "for t, j < M: y[t,j] = y[p[t],j] - cumprod[j < M if j < M-1](x[t,p[0]])\ninput x[N,M]\n"
    arrays = {"x": np.ones((1, 1)), "p": np.array([0])}
    np.testing.assert_array_equal(loopc.compile(text)(arrays).y, [[-1.0]])


def test_what_a_reduction_loses_is_recorded_at_its_own_indices() -> None:
    text = "param x[N]\ninput w[N]\nfor a < N: x[a] *= 0.5 + cumsum[a < N if x[a] < 1](w[a])\noutput x\n"
    arrays = {"x": np.array([1.4, 1.8, 0.9, 1.2]), "w": np.array([0.3, 0.2, 0.4, 0.1])}
    assert loopc.gradcheck(loopc.compile(text), arrays, tolerance=1e-6)


def test_two_ranges_of_one_lost_read_are_recorded_apart() -> None:
    text = (
        "param x[N]\ninput w[N]\n"
        "for i < N: x[i] *= sum[k < 2 if x[k] < 1](w[k]) - sum[k in range(1,N) if x[k] < 1](w[k])\n"
        "output x\n"
    )
    arrays = {"x": np.array([1.4, 0.8, 0.9, 1.2]), "w": np.array([0.3, 0.2, 0.4, 0.1])}
    assert loopc.gradcheck(loopc.compile(text), arrays, tolerance=1e-6)


def test_a_size_that_is_divided_by_a_dim_of_nothing() -> None:
    text = "input x[M], n[N]\nfor s < N*M: t[s // M, s % M] = x[s % M] * n[s // M]\ndim t[N,M]\n"
    found = loopc.compile(text).grad(x=np.zeros(0), n=np.ones(2), seed=np.zeros((2, 0)))
    np.testing.assert_array_equal(found["n"], [0.0, 0.0])


@pytest.mark.parametrize("opt", [0, 1, 2])
def test_a_number_as_a_factor_of_a_sum_leaves_its_type(opt: int) -> None:
    program = loopc.compile("for k: s -= 3 * 0.3 * x[k]\n", opt=opt)
    assert program(x=np.ones(4, np.float32)).s.dtype == np.float32


def test_no_times_an_index_is_one_cell() -> None:
    text = "for i  y[i] = x[i]\nfor i  y[i] = y[i] y[0*i]\n"
    arrays = {"x": np.array([3.0, 2.0, 5.0])}
    expected = loopc.compile(text, backend="reference")(arrays).y
    np.testing.assert_array_equal(loopc.compile(text)(arrays).y, expected)
