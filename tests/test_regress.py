"""Programs on which other systems are or were wrong, and kernels that overwrite what they read.

The numbers are those of the list of known faults that the project keeps.
"""

from __future__ import annotations

import numpy as np
import pytest

import loopc

CASES = {
    "prod_with_a_zero": ("for i p *= x[i]\n", {"x": np.array([0.0, 2.0, 3.0])}),
    "prod_with_two_zeros": ("for i p *= x[i]\n", {"x": np.array([0.0, 0.0, 3.0])}),
    "scatter_product_with_repeats": (
        "dim z[3]\nfor k z[p[k]] *= v[k]\n",
        {"p": np.array([0, 0, 1]), "v": np.array([2.0, 0.0, 3.0])},
    ),
    "gather_with_repeats": (
        "for k y[k]=E[p[k]]\n",
        {"E": np.array([1.0, 2.0, 3.0]), "p": np.array([0, 0, 1])},
    ),
    "scatter_of_ones": ("dim z[3]\nfor k: z[p[k]] += 1\n", {"p": np.array([0, 0, 1])}),
    "diagonal_read": (
        "for i out_[i]=A[i,i]\n",
        {"A": np.array([[0.0, 1.0, 2.0], [3.0, 4.0, 5.0], [6.0, 7.0, 8.0]])},
    ),
    "diagonal_in_a_contraction": (
        "for n,d y[d] += x[n,d] W[n,n]\n",
        {
            "x": np.array([[1.0, 1.0, 1.0], [1.0, 1.0, 1.0]]),
            "W": np.array([[2.0, 0.0], [0.0, 2.0]]),
        },
    ),
    "repeated_index": (
        "for i,j B[i,j]=A[i,i,j]+A[i,j,i]+A[j,i,i]\n",
        {"A": np.array([[[0.0, 1.0], [2.0, 3.0]], [[4.0, 5.0], [6.0, 7.0]]])},
    ),
    "sum_over_naked_indices": (
        "for a,b,c,d y[b,d] += x[a,b,c,d]\n",
        {
            "x": np.array(
                [
                    [
                        [[0.843, 0.405], [0.766, 0.268]],
                        [[0.221, 0.905], [0.03, 0.329]],
                        [[0.244, 0.558], [0.475, 0.013]],
                    ],
                    [
                        [[0.608, 0.546], [0.141, 0.948]],
                        [[0.38, 0.442], [0.257, 0.871]],
                        [[0.39, 0.971], [0.218, 0.676]],
                    ],
                ]
            )
        },
    ),
    "batched_dims_of_one": (
        "for b,n,i,j,c Y[b,n,i,c] += A[b,n,i,j] B[b,n,j,c]\n",
        {
            "A": np.array([[[[0.177, 0.731, 0.005], [0.981, 0.329, 0.017]]]]),
            "B": np.array([[[[0.926, 0.164], [0.083, 0.756], [0.606, 0.369]]]]),
        },
    ),
    "shifted_write": (
        "input X[6], w[3]\nfor i < 4, k: Y[i] += X[i+k] w[k]\n",
        {
            "X": np.array([0.095, 0.501, 0.657, 0.776, 0.034, 0.321]),
            "w": np.array([0.195, 0.946, 0.624]),
        },
    ),
    "scatter_then_reverse": (
        "param x[4]\ninput p[4]: int\nfor i x[p[i]] = 2 x[i]\nfor i x[i] = x[i] + x[3-i]\n",
        {"x": np.array([1.0, 2.0, 3.0, 4.0]), "p": np.array([1, 0, 3, 2])},
    ),
    "copy_then_zero": (
        "param x[3]\nfor i y[i]=x[i]\nfor i y[i] = 2*y[i]\nfor i x[i]=0\noutput x,y\n",
        {"x": np.array([1.0, 2.0, 3.0])},
    ),
    "read_after_update": (
        "param x[3]\nfor i a[i]=x[i]*x[i]\nfor i x[i]=x[i]+1\nfor i b[i]=x[i]*a[i]\noutput b\n",
        {"x": np.array([1.0, 2.0, 3.0])},
    ),
    "scalar_of_a_loop_in_a_maximum": (
        "for i:\n    t = f[i]*f[i]\n    m max= t\n",
        {"f": np.array([1.0, -3.0, 2.0])},
    ),
    "serial_loop_with_guards": (
        "s = 1\nfor t < 4:\n    if t != 2: s = s * x\n    if t == 2: s = s + x\n",
        {"x": 3.0},
    ),
    "powers": (
        "for i y[i] = x[i]**0 + x[i]**1 + x[i]**2 + x[i]**3\n",
        {"x": np.array([0.0, 1.0, -2.0])},
    ),
    "ragged_rows_with_an_empty_one": (
        "for i, e in range(ptr[i], ptr[i+1]): y[i] += val[e] x[col[e]]\n",
        {
            "ptr": np.array([0, 2, 2, 3]),
            "val": np.array([1.0, 2.0, 3.0]),
            "col": np.array([0, 1, 0]),
            "x": np.array([1.0, 2.0]),
        },
    ),
    "running_maximum": (
        "h[0]=x[0]\nfor t in range(1,T): h[t] = max(h[t-1], x[t])\n",
        {"x": np.array([1.0, 3.0, 2.0]), "T": 3},
    ),
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
