"""Choices between arrays by their bits: the values of `where`, in tiles and outside of them."""

from __future__ import annotations

import numpy as np
import pytest

import loopc

VALUES = [
    "where(x[i,j] > 0, x[i,j], 0.5 x[i,j])",
    "where(x[i,j] > z[i,j], z[i,j], -inf)",
    "where(not x[i,j] > 0, 2, x[i,j])",
    "where(x[i,j] > b[j], b[j], 0.5)",
    "where(b[i] > b[j], x[i,j], b[j])",
    "where(k[i,j] == 1, x[i,j], k[i,j])",
    "where(x[i,j] > 0 and i <= j, 1, x[i,j]) - where(z[i,j] >= x[i,j], x[j,i], z[i,j])",
    "where(m[i,j], where(x[i,j] == 0, z[i,j], x[i,j]), 3 z[i,j]) + exp(-x[i,j]**2) + z[i,j]",
]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("value", VALUES)
def test_any_condition_chooses_the_references_cells(value: str, dtype: type) -> None:
    head = "input x[N,N], z[N,N], b[N], k[N,N]: int, m[N,N]: bool\noutput y\n"
    text = f"{head}for i,j: y[i,j] = {value}\n"
    plain = loopc.compile(text, backend="reference")
    for n in (3, 40):  # of few cells NumPy's own choice is faster
        rng = np.random.default_rng(n)
        given = {a: rng.integers(-2, 3, (n, n)).astype(dtype) for a in ("x", "z")}
        given |= {"b": given["x"][0].copy(), "k": rng.integers(0, 2, (n, n)), "m": given["z"] > 0}
        given["x"].flat[:5] = [np.nan, np.inf, -np.inf, -0.0, 0.0]
        given["z"].flat[2:6] = [np.nan, -np.inf, np.inf, -0.0]
        expected = plain(given).y
        for opt in (1, 2):
            program = loopc.compile(text, opt=opt)
            fast = program.specialize(given)
            for y in (program(given).y, fast(*(given[a] for a in fast.inputs))["y"]):
                assert y.dtype == expected.dtype
                np.testing.assert_allclose(y, expected, rtol=1e-6, atol=0)
                zero = expected == 0
                np.testing.assert_array_equal(np.signbit(y[zero]), np.signbit(expected[zero]))


def test_the_peak_of_a_choice_is_foreseen() -> None:
    text = "output y\nfor i,j: y[i,j] = where(x[i,j] > 0, x[i,j], 0.1 x[i,j])\n"
    program = loopc.compile(text)
    assert "_either(" in program.source
    report = program.explain(x=np.ones((300, 200)))
    assert not report.estimated
    assert 2 * 480_000 < report.peak_bytes < 5 * 480_000
