"""The table of reductions, walked: NumPy against the reference, at the edges too."""

from __future__ import annotations

import numpy as np
import pytest

import loopc
from loopc.ir.reductions import REDUCTIONS, Reduction

INF, NAN = np.inf, np.nan
ROWS = [
    [0.3, -1.2, 2.5, 2.5],
    [-INF, 1.0, -INF, 0.0],
    [-INF, -INF, -INF, -INF],
    [NAN, 1.0, 2.0, INF],
    [INF, INF, 0.0, 1.0],
    [0.0, 0.0, 0.0, 0.0],
]
NAMED = [r for r in REDUCTIONS if r.name]


def ids(row: Reduction) -> str:
    return row.name


def text_of(row: Reduction, guard: str = "") -> str:
    if row.form == "pointwise":
        return f"for i,k  y[i,k] = {row.name}[k{guard}](A[i,k])\n"
    return f"for i  y[i] = {row.name}[k{guard}](A[i,k])\n"


@pytest.mark.parametrize("guard", ["", " if k >= i", " if k != 1"])
@pytest.mark.parametrize("row", NAMED, ids=ids)
def test_numpy_gives_the_references_values(row: Reduction, guard: str) -> None:
    a = np.array(ROWS)
    if guard == " if k >= i":
        a = a[:4]  # argmax of nothing is an error
    with np.errstate(all="ignore"):
        expected = loopc.compile(text_of(row, guard), backend="reference")(A=a).y
    found = loopc.compile(text_of(row, guard))(A=a).y
    np.testing.assert_allclose(found, expected, rtol=1e-14)
    assert found.dtype == expected.dtype


@pytest.mark.parametrize("kind", ["int64", "int8", "bool", "float32"])
@pytest.mark.parametrize("row", NAMED, ids=ids)
def test_types_are_the_references(row: Reduction, kind: str) -> None:
    a = np.random.default_rng(0).integers(0, 2, (3, 5)).astype(kind)
    expected = loopc.compile(text_of(row), backend="reference")(A=a).y
    found = loopc.compile(text_of(row))(A=a).y
    assert found.dtype == expected.dtype
    np.testing.assert_allclose(found, expected, rtol=1e-6)


@pytest.mark.parametrize("row", NAMED, ids=ids)
def test_over_an_empty_range(row: Reduction) -> None:
    a = np.zeros((2, 0))
    if row.name.startswith("arg"):
        for backend in ("numpy", "reference"):
            with pytest.raises(loopc.BoundsError) as caught:
                loopc.compile(text_of(row), backend=backend)(A=a)
            assert caught.value.code == "L0232"
        return
    expected = loopc.compile(text_of(row), backend="reference")(A=a).y
    found = loopc.compile(text_of(row))(A=a).y
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("op", ["+=", "-=", "*=", "max=", "min="])
def test_operators_accumulate_from_their_identity(op: str) -> None:
    a = np.array(ROWS)
    text = f"for i,k  y[i] {op} A[i,k]\n"
    expected = loopc.compile(text, backend="reference")(A=a).y
    np.testing.assert_allclose(loopc.compile(text)(A=a).y, expected)


@pytest.mark.parametrize("row", [r for r in NAMED if r.adjoint], ids=ids)
def test_gradients_agree_with_differences(row: Reduction) -> None:
    a = np.random.default_rng(1).standard_normal((3, 4))
    for guard in ("", " if k != 1") if row.outside != -INF else ("",):
        program = loopc.compile(text_of(row, guard), loss="y")
        assert loopc.gradcheck(program, A=a, tolerance=1e-7)


def test_ties_share_the_adjoint_evenly() -> None:
    program = loopc.compile("m = max[k](x[k])\n")
    np.testing.assert_array_equal(program.grad(x=[1.0, 3.0, 3.0, 3.0])["x"], [0, *[1 / 3] * 3])
    program = loopc.compile("for k  m max= x[k]\n")
    np.testing.assert_array_equal(program.grad(x=[1.0, 3.0, 3.0])["x"], [0, 0.5, 0.5])


@pytest.mark.parametrize("name", ["softmax", "logsoftmax"])
def test_rows_of_minus_infinity_have_gradient_zero(name: str) -> None:
    text = f"for k  p[k] = {name}[k](x[k])\nfor k  L += where(p[k] > -inf, p[k] w[k], 0)\n"
    x = np.full(3, -INF)
    gradient = loopc.compile(text, wrt=["x"]).grad(x=x, w=np.ones(3))["x"]
    np.testing.assert_array_equal(gradient, np.zeros(3))
    gradient = loopc.compile("L = logsumexp[k](x[k])\n").grad(x=x)["x"]
    np.testing.assert_array_equal(gradient, np.zeros(3))
