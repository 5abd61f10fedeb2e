"""Sums that start anew for every index, as running ones: values and gradients."""

from __future__ import annotations

import numpy as np
import pytest

import loopc
from loopc.ir.nodes import Call, For, Reduce
from loopc.ir.visit import walk
from loopc.passes.running_sums import running_sums

from .support import arrays_for, resolve

RUNNING = {
    "up to here": "for i < N, j if j <= i: y[i] += x[j]",
    "before here": "for i < N, j if j < i: y[i] += x[j] w[j]",
    "from here on": "for i < N, j if i <= j: y[i] -= x[j]",
    "behind here": "for i < N, j if j > i: y[i] += x[j]",
    "rows, with a factor in front": "for i < N, j < i+1, d: y[i,d] += 2 v[j,d] w[i]",
    "a range up to here": "for i < N, j < i: y[i] += x[j]",
    "a range from here": "for i < N, j in range(i, N): y[i] += x[j]",
    "under a condition": "for i < N, j if j <= i and x[j] > 0: y[i] += x[j]",
    "the largest so far": "for i < N, j if j < i: y[i] max= x[j]",
    "in an expression": "for i < N: y[i] = tanh(sum[j if j <= i](x[j])) + max[j if j <= i](x[j])",
    "a factor where there may be no term": "for i < N, j if j < i: y[i] += x[j] w[i]",
    "factors and divisors": "for i < N, j if j > i: y[i] -= -x[j] w[i] / (i + 2) / w[j]",
    "a mean": "for i < N, j, d if j <= i: y[i,d] += v[j,d] / (i + 1)",
    "a quotient of products": "for i < N, j if i > j: y[i] += x[j] w[i] / (w[j] + 9)",
    "products": "for i < N: y[i] = prod[j if j >= i](x[j])",
}
LEFT = {
    "a term of both": "for i < N, j if j <= i: y[i] += exp(x[j] - w[i])",
    "another range": "for i < N-1, j if j <= i: y[i] += x[j]",
    "its own target": "for i < N, j if j < i: x[i] += x[j]",
    "a factor under a condition": "for i < N, j if j <= i and x[j] > 0: y[i] += x[j] w[i]",
}
HEAD = {"x": "x[N]", "w": "w[N]", "v": "v[N,D]"}


def with_inputs(text: str) -> str:
    return f"input {', '.join(d for n, d in HEAD.items() if f'{n}[' in text)}\n{text}"


@pytest.mark.parametrize("name", RUNNING)
def test_no_sum_starts_anew(name: str) -> None:
    program = running_sums(resolve(with_inputs(RUNNING[name])))
    found = [n for s in program.body for n in walk(s)]
    assert any(isinstance(n, Reduce) and n.op.startswith("cum") for n in found)
    guards = [n.guard for n in found if isinstance(n, For | Reduce) and n.guard is not None]
    assert not any(
        isinstance(n, Call) and n.fn in ("le", "lt", "ge") for g in guards for n in walk(g)
    )


@pytest.mark.parametrize("name", LEFT)
def test_other_sums_stay(name: str) -> None:
    program = resolve(with_inputs(LEFT[name]))
    assert running_sums(program) is program


@pytest.mark.parametrize("extent", [0, 1, 5])
@pytest.mark.parametrize("name", [*RUNNING, *LEFT])
def test_values_and_gradients_are_those_of_the_loops(name: str, extent: int) -> None:
    text = with_inputs({**RUNNING, **LEFT}[name])
    program, reference = (loopc.compile(text, backend=b) for b in ("numpy", "reference"))
    given = arrays_for(program._program, dims={"N": extent, "D": 2})
    (output,) = program.outputs
    expected = reference(given)[output]
    np.testing.assert_allclose(program(given)[output], expected, rtol=1e-12, atol=1e-12)
    seed = np.random.default_rng(1).normal(size=expected.shape)
    fast, plain = (loopc.compile(text, loss=output, backend=b) for b in ("numpy", "reference"))
    wanted = plain.grad(given, seed=seed)
    for key, value in fast.grad(given, seed=seed).items():
        np.testing.assert_allclose(value, wanted[key], rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("opt", range(3))
@pytest.mark.parametrize("guard", ["j < i", "j > i", "j <= i", "j >= i"])
def test_of_no_term_a_factor_that_is_not_finite_makes_nothing(guard: str, opt: int) -> None:
    text = f"input x[N], w[N]\nfor i < N, j if {guard}: y[i] += x[j] w[i] / (w[i] - 1)\n"
    given = {"x": np.array([1.0, 2.0, 4.0]), "w": np.array([np.inf, 1.0, np.inf])}
    given["w"][1] = 3.0
    for w in (given["w"], np.array([1.0, 3.0, 1.0])):
        expected = loopc.compile(text, backend="reference")(x=given["x"], w=w)["y"]
        found = loopc.compile(text, opt=opt)(x=given["x"], w=w)["y"]
        np.testing.assert_array_equal(found, expected)
