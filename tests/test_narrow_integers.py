"""Integers of every width: extremes of nothing are the type's bounds, functions give a float64."""

from __future__ import annotations

import numpy as np
import pytest

import loopc
from fuzz.judge import ALL, judge
from fuzz.programs import Case

PROGRAMS = {
    "ragged rows": "for i < N: y[i] = min[e in range(1, ptr[i+1])](n[e])",
    "of nothing": "for i < K: y min= n[i]",
    "of a few cells": "for i < N if n[i] > 1: y[i] max= n[i]",
    "a padded window": "dim y[4]\nfor i < N, j < 2: y[i] min= n[pad(i+j)]",
    "a clamped window": "dim y[4]\nfor i < N, j < 2: y[i] max= n[clamp(i+j-1)]",
    "a scatter": "dim y[3]\nfor i < N: y[i % 2] min= n[i]",
    "later cells": "for i < N: y[i] = max[j < N if j > i](n[j])",
    "a running maximum under a guard": "for i < N: y[i] = cummax[i if i > 1](n[i])",
    "a running minimum that starts late": "for i < N: y[i] = cummin[i in range(1, N)](n[i])",
    "a recurrence": "for i in range(1, N): y[i] min= y[i-1] // 2 + n[i] % 5",
    "a value that is read before it is overwritten": (
        "dim t[N]\nfor i in range(1, N):\n    t[i] max= n[i]\n    y[i] = t[i-1] % 7\n    t[i-1] = 4"
    ),
}


@pytest.mark.parametrize("dtype", ["int8", "uint8", "int32", "int64"])
@pytest.mark.parametrize("name", PROGRAMS)
def test_bounds_of_narrow_integers(name: str, dtype: str) -> None:
    text = f"input n[N]: int, ptr[N+1]: int, K: int\noutput y\n{PROGRAMS[name]}\n"
    given = {"n": np.array([2, 1, 3], dtype), "ptr": np.array([1, 1, 2, 3]), "K": np.array(0)}
    verdict = judge(Case(text, given, smooth=True), ALL)
    assert (verdict.kind, verdict.reason) == ("ok", ""), verdict.detail


def test_a_minimum_of_no_unsigned_integer_is_their_largest() -> None:
    made = loopc.compile("input n[N]: int\ndim y[3]\nfor i < N: y[i % 2] min= n[i]")
    found = made(n=np.array([2, 1], np.uint64))["y"]
    np.testing.assert_array_equal(found, np.array([2, 1, 2**64 - 1], np.uint64))
    assert found.dtype == np.uint64


WIDER = {
    "bools in a float": "for i < N, j < N if x[j] > 9: t[i] max= b[j]",
    "integers in a float": "for i < N, j < N if x[j] > 9: t[i] max= n[j]",
    "a comparison": "for i < N, j < N if x[j] > 9: t[i] min= j < 1",
    "a scalar": "for j < N if x[j] > 9: s max= b[j]\nfor j < N if x[j] > 9: s max= x[j]",
    "bools in an integer": "for j < N if x[j] > 9: s max= b[j]\nfor j < N if x[j] > 9: s max= n[j]",
    "of earlier cells": "for i < N, j < i: t[i] max= b[j]\nfor i < N, j < i: u[i] min= n[j]",
}


@pytest.mark.parametrize("dtype", ["int32", "int64"])
@pytest.mark.parametrize("name", WIDER)
def test_a_maximum_of_no_terms_changes_nothing_in_a_wider_array(name: str, dtype: str) -> None:
    text = f"input n[N]: int, b[N]: bool, x[N]\nfor i < N: t[i] = 9 - 9 x[i]\n{WIDER[name]}\n"
    given = {"n": np.array([2, 1, 3], dtype), "b": np.array([True, False, True])}
    given["x"] = np.array([1.0, 2, 3])
    verdict = judge(Case(text, given, smooth=True))
    assert (verdict.kind, verdict.reason) == ("ok", ""), verdict.detail


FUNCTIONS = [
    "exp(n[i])",
    "tanh(n[i]) + 0.5",
    "sigmoid(n[i])",
    "sqrt(n[i])",
    "n[i]**0.5",
    "n[i] / 3",
]
FUNCTIONS += ["hypot(n[i], n[0])", "softmax[i](n[i])", "logsumexp[j](n[j])", "sum[j](ln(n[j]))"]


@pytest.mark.parametrize("dtype", ["int8", "uint8", "int16", "int64"])
@pytest.mark.parametrize("value", FUNCTIONS)
def test_a_function_of_a_narrow_integer_is_a_float64(value: str, dtype: str) -> None:
    text = f"input n[N]: int\nfor i < N: y[i] = {value}\n"
    given = np.array([1, 3, 2], dtype)
    expected = loopc.compile(text)(n=given.astype(float).astype(int))["y"]
    for options in ({"opt": 0}, {"opt": 1}, {"opt": 2}, {"backend": "reference"}):
        found = loopc.compile(text, **options)(n=given)["y"]
        assert found.dtype == np.float64
        np.testing.assert_allclose(found, expected, rtol=1e-14)


SUMS = {
    "a pool": "for i < N//2, j < N//2: y[i,j] = sum[u<2,v<2](x[2*i+u,2*j+v])",
    "a mean of a pool": "for i < N//2, j < N//2: y[i,j] = mean[u<2,v<2](x[2*i+u,2*j+v])",
    "a window at the edge": "for i < N, j < N: y[i,j] = sum[u<3](x[clamp(i+u-1),j])",
    "a window in loops": "for i < N, j < N, u < 3: y[i,j] += x[i,wrap(j+u)]",
    "a product of a window": "for i < N, j < N: y[i,j] = prod[u<3](x[clamp(i+u),j])",
    "a place that is data": "for i < N, j < N: y[i,j] = sum[u<2](x[clamp(p[i]+u),j])",
    "a place that is data, in loops": "for i < N, j < N, u < 2: y[i,j] += x[clamp(p[i]+u),j]",
}


@pytest.mark.parametrize("declared", ["", ": int"])
@pytest.mark.parametrize("dtype", ["int8", "uint8", "int32", "bool"])
@pytest.mark.parametrize("name", SUMS)
def test_a_sum_is_wider_than_its_terms(name: str, dtype: str, declared: str) -> None:
    declared = ": bool" if dtype == "bool" and declared else declared
    text = f"input x[N,N]{declared}, p[N]: int\noutput y\n{SUMS[name]}\n"
    top = 2 if dtype == "bool" else np.iinfo(dtype).max // 2 + 2
    x = (top - np.random.default_rng(0).integers(1, 3, (6, 6))).astype(dtype)
    case = Case(text, {"x": x, "p": np.array([0, 3, 1, 5, 2, 2])}, smooth=True)
    ways = ALL if declared else tuple(w for w in ALL if w != "standalone")  # that takes floats
    verdict = judge(case, ways)
    assert (verdict.kind, verdict.reason) == ("ok", ""), verdict.detail


@pytest.mark.parametrize("backend", ["reference", "numpy"])
@pytest.mark.parametrize("dtype", [np.int8, np.uint8, np.int16])
def test_the_minimum_of_nothing_wraps_as_its_type_does(backend: str, dtype: type) -> None:
    source = "input x[N]: int\nfor i: y[i] = cummin[i if i > 0](x[i]) + 1"
    y = loopc.compile(source, backend=backend)(x=np.array([5, 2], dtype)).y
    assert y.dtype == dtype
    assert y.tolist() == [np.iinfo(dtype).min, 3]


@pytest.mark.parametrize("backend", ["reference", "numpy"])
def test_a_number_that_narrow_integers_cannot_hold(backend: str) -> None:
    program = loopc.compile("for i  y[i] = x[i] + 300\n", backend=backend)
    with pytest.raises(loopc.DTypeError, match="L0405"):
        program(x=np.array([1, 2], np.int8))
    with pytest.raises(loopc.DTypeError, match="L0405"):
        program.specialize(x=np.array([1, 2], np.int8))(np.array([1, 2], np.int8))
    assert program(x=np.array([1, 2], np.int16)).y.tolist() == [301, 302]


BEYOND = {
    "a sum": "y[0] = sum[i < N](n[i])",
    "a sum added to a cell": "y[0] = 1\ny[0] += sum[i < N](n[i])",
    "a running sum": "for i < N: y[0] += cumsum[i < N](n[i])",
    "a product": "y[0] = prod[i < N](n[i])",
    "a product of sums": "y[0] = sum[i < N](n[i]) sum[i < N](n[i])",
    "a power of a sum": "y[0] = sum[i < N](n[i])**3",
    "a difference from the least one": "y[0] = n[2] - min[i < N](-n[i] - n[i] - 2)",
    "the negative of the least one": "y[0] = 1\ny[0] = n[3] - min[i < N](y[0] - 2**62 - 2**62 - 1)",
    "sums on the way": "y[0] = sum[i < N](n[i]) + sum[i < N](n[i]) + n[2]",
}


@pytest.mark.parametrize("case", BEYOND)
def test_what_an_int64_cannot_hold_wraps_round(case: str) -> None:
    text = f"input n[N]: int\ndim y[1]\n{BEYOND[case]}\noutput y\n"
    given = {"n": np.array([2**62, 2**62 + 5, 7, 2**61])}
    expected = loopc.compile(text, backend="reference")(given)["y"]
    for opt in (0, 1, 2):
        found = loopc.compile(text, opt=opt)(given)["y"]
        np.testing.assert_array_equal(found, expected, strict=True)
