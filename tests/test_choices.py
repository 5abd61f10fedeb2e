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


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("kept", ["j <= i", "abs(i-j) > 1", "not (j == 2 or i == 1)"])
def test_a_condition_on_indices_keeps_cells_by_bits_made_once(kept: str, dtype: str) -> None:
    text = f"""
        input x[A,B,N,M]
        for a,b,i,j  y[a,b,i,j] = where({kept}, exp(x[a,b,i,j]), 0) + where({kept}, 0, x[a,b,i,j])
        for a,b,j,i  z[a,b,j,i] = where({kept}, 2 x[a,b,i,j] + y[a,b,i,j], 0)
        output y, z
    """
    program, plain = loopc.compile(text), loopc.compile(text, backend="reference")
    assert program.source.count("_bits(") >= 2
    rng = np.random.default_rng(0)
    for shape in [(2, 3, 5, 4), (1, 1, 1, 1), (9, 4, 30, 20)]:
        x = rng.standard_normal(shape).astype(dtype)
        x.flat[::7], x.flat[::11] = np.nan, np.inf
        found, expected = program(x=x), plain(x=x)
        for name in ("y", "z"):
            assert found[name].dtype == expected[name].dtype
            np.testing.assert_allclose(found[name], expected[name], rtol=1e-6, atol=1e-6)
