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


@pytest.mark.parametrize("row", [r for r in NAMED if r.result not in ("int", "bool")], ids=ids)
def test_gradients_agree_with_differences(row: Reduction) -> None:
    a = np.random.default_rng(1).standard_normal((3, 4))
    for guard in ("", " if k != 1") if row.outside != -INF else ("",):
        program = loopc.compile(text_of(row, guard), loss="y")
        assert loopc.gradcheck(program, A=a, tolerance=1e-7)


HALF, THIRD = 1 / 2, 1 / 3
KINKS: dict[str, list[tuple[str, list[float], list[float]]]] = {
    "sum": [("", [0, INF, 1], [1, 1, 1])],
    "prod": [
        ("", [0, 2, 3], [6, 0, 0]),
        ("", [0, 0, 3], [0, 0, 0]),
        (" if k != 0", [0, 0, 3], [0, 3, 0]),
    ],
    "max": [
        ("", [1, 3, 3], [0, HALF, HALF]),
        ("", [3, 3, 3], [THIRD] * 3),
        (" if k > 0", [3, 3, 3], [0, HALF, HALF]),
        ("", [-INF, -INF, 1], [0, 0, 1]),
    ],
    "min": [("", [1, 1, 3], [HALF, HALF, 0]), ("", [3, 3, 3], [THIRD] * 3)],
    "mean": [("", [0, 0, 0], [THIRD] * 3), (" if k > 0", [0, 0, 0], [0, HALF, HALF])],
    "logsumexp": [
        ("", [-INF, -INF, -INF], [0, 0, 0]),
        ("", [-INF, 0, 0], [0, HALF, HALF]),
        (" if k > 3", [1, 1, 1], [0, 0, 0]),
    ],
    "softmax": [("", [-INF, -INF, -INF], [0, 0, 0]), (" if k > 3", [1, 1, 1], [0, 0, 0])],
    "logsoftmax": [("", [-INF, -INF, -INF], [0, 0, 0]), ("", [-INF, 0, 0], [0, 0, 0])],
    "cumsum": [("", [0, 0, INF], [3, 2, 1])],
    "cumprod": [("", [0, 2, 3], [1 + 2 + 6, 0, 0]), ("", [2, 0, 3], [1, 2 + 6, 0])],
    "cummax": [("", [1, 1, 0], [2, 1, 0]), ("", [-INF, -INF, 1], [1.5, 0.5, 1])],
    "cummin": [("", [1, 1, 2], [2, 1, 0])],
}
"""By reduction: guard, entries, and the gradient of the sum of all finite results."""


@pytest.mark.parametrize("row", [r for r in NAMED if r.result not in ("int", "bool")], ids=ids)
def test_conventions_where_no_derivative_is(row: Reduction) -> None:
    at = "y[k]" if row.form == "pointwise" else "y"
    for guard, entries, expected in KINKS[row.name]:
        body = f"{row.name}[k{guard}](x[k])"
        loop = "for k  " if row.form == "pointwise" else ""
        for backend, opt in (("reference", 0), ("numpy", 0), ("numpy", 2)):
            program = loopc.compile(f"{loop}{at} = {body}\n", backend=backend, opt=opt)
            out = program(x=entries).y
            seed = np.where(np.isneginf(out), 0.0, 1.0) if row.name == "logsoftmax" else None
            found = program.grad(x=entries, seed=np.ones(out.shape) if seed is None else seed)
            np.testing.assert_allclose(found.x, expected, atol=1e-15, err_msg=f"{entries}{guard}")
            slope = program.jvp({"x": entries}, {"x": [1.0, 1.0, 1.0]}).y
            assert np.sum(slope) == pytest.approx(np.sum(expected)) or seed is not None


@pytest.mark.parametrize("target", ["y", "y[p[k]]", "y[k // 4]"])
@pytest.mark.parametrize(
    ("op", "entries", "expected"),
    [
        ("*=", [0, 2, 3], [6, 0, 0]),
        ("*=", [0, 0, 3], [0, 0, 0]),
        ("max=", [3, 3, 3], [THIRD] * 3),
        ("min=", [1, 3, 1], [HALF, 0, HALF]),
        ("-=", [INF, 0, 1], [-1, -1, -1]),
    ],
)
def test_operators_at_kinks(
    target: str, op: str, entries: list[float], expected: list[float]
) -> None:
    declared = "" if target == "y" else "dim y[1]\n"
    arrays = {"x": np.array(entries, float)} | ({"p": [0, 0, 0]} if "p" in target else {})
    for backend, opt in (("reference", 0), ("numpy", 0), ("numpy", 2)):
        text = f"{declared}for k < 3: {target} {op} x[k]\n"
        program = loopc.compile(text, opt=opt, backend=backend, wrt=["x"])
        seed = np.ones(program(arrays).y.shape)
        np.testing.assert_allclose(program.grad(arrays, seed=seed).x, expected)
        slope = program.jvp(arrays, {"x": [1.0, 1.0, 1.0]}).y
        assert np.sum(slope) == pytest.approx(np.sum(expected))
