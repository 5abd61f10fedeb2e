"""Loops on single cells: they run on Python numbers and mean what the reference says."""

from __future__ import annotations

import numpy as np
import pytest

import loopc

T = 9
rng = np.random.default_rng(5)
X = rng.standard_normal(T)
NAN = np.array([1.0, np.nan, 2.0, -1.0, np.inf, 0.0, -np.inf, 3.0, -0.0])
HUGE = np.array([2**62, 3, -5, 2**61, 7, -(2**63), 11, 1, 2**63 - 1])

CASES = {
    "recurrence": ("input x[T], a\ny[0] = x[0]\nfor t in range(1, T): y[t] = a y[t-1] + x[t]", X),
    "division by zero": ("for t in range(1, T): x[t] = 1 / x[t-1]", np.zeros(T)),
    "zero by zero": ("for t in range(1, T): x[t] = x[t-1] / x[t-1] + x[t]", np.zeros(T)),
    "no number": ("for t in range(1, T): x[t] = max(x[t-1], x[t])\nz = x[0] 2", NAN),
    "least, no number": ("for t in range(1, T): x[t] = min(x[t], x[t-1], 1)", NAN),
    "overflow of exp": ("for t in range(1, T): x[t] = exp(x[t-1]) + x[t]", 6 * np.ones(T)),
    "root of a negative": ("for t in range(1, T): x[t] = sqrt(x[t-1]) - 3", np.ones(T)),
    "logarithm of zero": ("for t in range(1, T): x[t] = ln(x[t-1]) + x[t]", NAN),
    "power": ("for t in range(1, T): x[t] = x[t-1]**2 - x[t]**0.5 + x[t-1]**3", X),
    "remainder": ("for t in range(1, T): x[t] = x[t] % x[t-1] + x[t-1] // x[t]", X),
    "choice": ("for t in range(1, T): x[t] = where(x[t-1] > 0, x[t] / 2, -where(x[t] < 0, x[t], 0))", X),  # noqa: E501
    "choice of zero": ("for t in range(1, T): x[t] = 1 / where(x[t-1] > 9, x[t], 0)", X),
    "guard": ("for t in range(1, T):\n    if x[t-1] > 0 and not x[t] > 1: x[t] = x[t-1] - 1", X),
    "functions": ("for t in range(1, T): x[t] = tanh(x[t-1]) + σ(x[t]) + relu(x[t-1]) + erf(x[t])", X),  # noqa: E501
    "names of functions": ("for t in range(1, T): x[t] = tanh(x[t-1]) + pow[t] abs\ninput pow[T], abs", X),  # noqa: E501
    "scalar": ("s = 1\nfor t: s = s x[t] + x[t]**2\nL = s s", X),
    "two scalars": ("s = 1\nr = 0.5\nfor t:\n    s = s x[t] + r\n    r = 0.5 r + s", X),
    "integers": ("y[0] = x[0]\nfor t in range(1, T): y[t] = (y[t-1] 31 + x[t]) % 1009", HUGE),
    "integers that overflow": ("y[0] = x[0]\nfor t in range(1, T): y[t] = y[t-1] y[t-1] + x[t]", HUGE),  # noqa: E501
    "integers that overflow later": (
        "y[0] = 3\nfor t in range(1, T): y[t] = max(y[t-1] y[t-1], x[t])",
        np.arange(T),
    ),
    "integers by zero": ("y[0] = x[0]\nfor t in range(1, T): y[t] = y[t-1] // x[t] + x[t] % y[t-1]", np.arange(T)),  # noqa: E501
    "counting": ("c = 0\nfor t:\n    if x[t] > c: c = c + 1", X),
    "index values": ("for t in range(1, T): x[t] = x[t-1] / t + 1 / (t - 1) + t % 3", X),
    "backwards": ("for t in reversed(range(0, T-1)): x[t] = 0.5 x[t+1] + x[t]", X),
    "gather": ("y[0] = x[0]\nfor t in range(1, T): y[t] = y[abs(x[t]) % t] + 1", np.arange(T) - 4),
    "boundaries": (
        "y[0] = x[0]\nfor t in range(1, T): y[t] = y[t-1] + x[clamp(t+3)] + x[wrap(t-5)] + x[pad(t+2)] + x[reflect(t+4)]",  # noqa: E501
        X,
    ),
    "halves": ("for t in range(1, T): x[t] = x[t-1] / 3 + x[t]", X.astype(np.float16)),
    "small integers": ("y[0] = x[0]\nfor t in range(1, T): y[t] = y[t-1] 3 + x[t]", np.arange(T, dtype=np.int8)),  # noqa: E501
    "true and false": ("for t in range(1, T): x[t] = x[t] and not x[t-1]", X > 0),
    "fixed places": ("y[0, 1] = x[0]\nfor t in range(1, T): y[t, 1] = y[t-1, 1] 0.5 + x[t]", X),
    "one cell": ("y[2] = x[0]\nfor t: y[2] = y[2] 0.5 + x[t]", X),
    "a diagonal": ("input A[T,T]\nparam x[T]\nfor t in range(1, T): x[t] = x[t-1] A[t,t]", X),
    "ragged": ("input n[K]: int\nparam x[T]\nfor k:\n    for t in range(1, n[k]): x[t] = x[t-1] 0.5 + x[t]", X),  # noqa: E501
}  # fmt: skip


def declared(text: str, x: np.ndarray) -> str:
    """Return the text of a case with the declaration of x."""
    kind = {"f": "float", "i": "int", "b": "bool"}[x.dtype.kind]
    return text if "x[T]" in text.split("for", 1)[0] else f"param x[T]: {kind}\n{text}"


def arrays(program: loopc.Program, x: np.ndarray) -> dict[str, np.ndarray]:
    """Return what a case takes: floats of x's type."""
    real = x.dtype if x.dtype.kind == "f" else np.float64
    extra = {"a": real.type(0.5) if hasattr(real, "type") else 0.5, "n": np.array([3, 9, 0, 5])}
    extra |= {"pow": 2 * X.astype(real), "abs": extra["a"]}
    extra["A"] = np.outer(X, X).astype(real)
    return {"x": x, **{k: v for k, v in extra.items() if k in program.inputs}}


@pytest.mark.parametrize("dtype", [None, np.float32])
@pytest.mark.parametrize("case", CASES)
def test_a_loop_on_numbers_agrees_with_the_reference(case: str, dtype: type | None) -> None:
    text, x = CASES[case]
    if dtype is not None:
        if x.dtype.kind != "f":
            return
        x = x.astype(dtype)
    text = declared(text, x)
    reference = loopc.compile(text, backend="reference")
    program = loopc.compile(text)
    given = arrays(program, x)
    expected, found = reference(given), program(given)
    for name, value in expected.items():
        assert found[name].dtype == value.dtype, name
        tight = 1e-12 if value.dtype.itemsize == 8 else 2e-3
        np.testing.assert_allclose(found[name], value, rtol=tight, err_msg=name)
    np.testing.assert_array_equal(given["x"], x)


@pytest.mark.parametrize("case", ["recurrence", "guard", "integers", "gather", "two scalars"])
def test_it_is_a_loop_on_numbers(case: str) -> None:
    text, x = CASES[case]
    assert "_loop1(" in loopc.compile(declared(text, x)).source


def test_an_array_without_cells_stays_without() -> None:
    text = "input n: int, m: int\nfor t in range(1, n), j < m:\n    s = 0.5 s + 1\n    y[t,j] = s"
    assert loopc.compile(text)(n=0, m=3).y.shape == (0, 3)


def test_a_subscript_from_data_is_checked() -> None:
    program = loopc.compile("y[0] = 1\nfor t in range(1, T): y[t] = y[n[t]] + 1\noutput y")
    with pytest.raises(loopc.BoundsError):
        program(n=np.array([0, 0, 9]))


def test_a_float32_is_rounded_when_it_is_stored() -> None:
    program = loopc.compile("param x[T]\nfor t in range(1, T): x[t] = x[t-1] + x[t]")
    x = np.full(40, 0.1, np.float32)
    np.testing.assert_array_equal(program(x=x)["x"], np.cumsum(x))


def test_a_large_array_of_which_a_loop_reads_few_cells_is_not_copied() -> None:
    text = "input A[T,T]\nparam x[T]\nfor t in range(1, T): x[t] = x[t-1] A[t,t]"
    assert "A_at(t, t)" in loopc.compile(text).source
